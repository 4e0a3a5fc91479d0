"""What a console tells of faults of the charging point (sheet serial, 1.3, 1.6 and 1.7)."""

from __future__ import annotations

from hil.cases import AcPhase, RapiBench, requirement, s

DIODE, GFI, NO_GROUND, STUCK_RELAY = 0x05, 0x06, 0x07, 0x08
STATE = ("AT", "ST")
PATIENCE = s(10)
MOST = 0xFF
"""Of a counter, which stays there."""
LEAK = 100.0
"""mA, more than any device lets pass."""


@requirement("RAPI/FS.01")
def test_FS_01(bench: RapiBench) -> None:
    """TP: a residual current is told as a GFI fault and counted."""
    _expect_fault(bench, AcPhase.CHARGING, "leak_ac", LEAK, GFI, counter="gfi")


@requirement("RAPI/FS.02")
def test_FS_02(bench: RapiBench) -> None:
    """TP: a broken protective earth is told as no ground and counted."""
    _expect_fault(bench, AcPhase.CHARGING, "pe_broken", 1, NO_GROUND, counter="no_ground")


@requirement("RAPI/FS.03")
def test_FS_03(bench: RapiBench) -> None:
    """TP: a shorted diode is told as a failed diode check."""
    _expect_fault(bench, AcPhase.OFFERED, "diode_shorted", 1, DIODE)


@requirement("RAPI/FS.04")
def test_FS_04(bench: RapiBench) -> None:
    """TP: a contactor that does not open is told as a stuck relay and counted."""
    bench.reach(AcPhase.CHARGING)
    bench.stimulate("contactor_welded", 1)
    before = bench.get("GF").number("stuck_relay")
    start = bench.now
    bench.vehicle.want(False)
    _expect_told(bench, start, STUCK_RELAY)
    _expect_counted(bench, "stuck_relay", before)


def _expect_fault(
    bench: RapiBench, phase: AcPhase, stimulus: str, value: float, state: int, *, counter: str = ""
) -> None:
    bench.reach(phase)
    before = bench.get("GF").number(counter) if counter else 0
    start = bench.stimulate(stimulus, value)
    _expect_told(bench, start, state)
    if counter:
        _expect_counted(bench, counter, before)


def _expect_told(bench: RapiBench, start: int, state: int) -> None:
    bench.expect_notified(f"state {state:02x}", *STATE, after=start, within=PATIENCE, state=state)
    bench.expect_state(f"state {state:02x} asked", state)


def _expect_counted(bench: RapiBench, counter: str, before: int) -> None:
    counted = bench.get("GF")
    least = min(before + 1, MOST)
    bench.check(f"counter {counter}", counted.number(counter), low=least, at=counted.at, note=counted.text)
