"""Header and connections of Modbus TCP (standards map, section 8)."""

from __future__ import annotations

from hil.cases import ModbusBench, requirement

IDS = (0, 1, 255, 256, 32768, 65535)
TCP = "tcp"


@requirement("MODBUS/TC.01")
def test_TC_01(bench: ModbusBench) -> None:
    """TP: a reply repeats the transaction id of its request, whatever it is."""
    line = bench.line(TCP)
    run = bench.places.any_run()

    for identifier in IDS:
        line.expect_reply(run.read(1), f"reply to transaction {identifier}", transaction=identifier)
