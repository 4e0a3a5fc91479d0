"""``hil modbus scan`` without hardware: the reference device with a map, well and with defects."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner

from hil.bench.judge import Judge
from hil.bench.kinds.modbus import KIND
from hil.bench.modbus import ModbusBench
from hil.bench.modbus_scan import Scanned
from hil.bench.modbus_scan import scan as scan_map
from hil.bench.opening import Edits
from hil.bench.setup import Setup
from hil.cli.app import app
from hil.codec.map_file import shipped_map
from hil.protocol.modbus import encode_rtu
from hil.units import Span, ms

RUNNER = CliRunner(env={"COLUMNS": "200"})
MAP = "heidelberg-energy-control"


def scan(*args: str) -> Any:
    return RUNNER.invoke(app, ["modbus", "scan", *args])


def entries(*args: str) -> dict[str, dict[str, Any]]:
    found = scan("--json", *args)
    return {each["name"]: each for each in json.loads(found.stdout)["registers"]}


def test_everything_readable_is_read_in_its_unit_and_in_words() -> None:
    shown = scan("--map", MAP)
    assert shown.exit_code == 0, shown.output
    rows = {line.split()[2]: line for line in shown.stdout.splitlines() if line.startswith(("input ", "holding "))}
    readable = [each for each in shipped_map(MAP).registers.values() if each.readable]
    assert set(rows) == {each.name for each in readable}
    assert rows["voltage_l3"].split() == ["input", "12", "voltage_l3", "57", "V"]
    assert rows["external_lock"].split() == ["input", "13", "external_lock", "0", "locked"]
    assert shown.stdout.endswith(f"{len(readable)} of {len(readable)} registers read\n")


@pytest.mark.parametrize("name", ["keba-p30", "alfen-ng9xx", "eastron-sdm630"])
def test_values_are_those_that_their_words_mean(name: str) -> None:
    registers = shipped_map(name)
    for each in entries("--map", name).values():
        assert each["state"] == "ok"
        value = registers[each["name"]].decode(each["words"])
        assert each["value"] == (value.hex(" ").upper() if isinstance(value, bytes) else value)


def test_a_malformed_reply_is_shown_beside_what_was_due() -> None:
    shown = scan("--map", MAP, "--fault", "modbus-byte-count-in-registers")
    assert shown.exit_code == 1
    assert "set_current: wrong byte count, the byte count is 1, due is 2; 2 bytes follow\n" in shown.stdout
    assert "  came  01 03 01 00 3C 48 55\n  due   01 03 02 ?? ?? CRC CRC or 01 83 ?? CRC CRC\n" in shown.stdout
    assert "18 of 23 registers read, 5 malformed\n" in shown.stdout


RTU_DUE = "01 03 02 ?? ?? CRC CRC or 01 83 ?? CRC CRC"
TCP_DUE = "00 01 00 00 00 07 FF 03 04 ?? ?? ?? ?? or 00 01 00 00 00 03 FF 83 ??"


@pytest.mark.parametrize(
    ("tcp", "say", "told", "came"),
    [
        (False, lambda reply: b"$OK^20\r", "bad CRC, the CRC is 30 0D, due is 8B 70", "24 4F 4B 5E 32 30 0D"),
        (False, lambda reply: reply[:-3], "short frame, 4 bytes, and the check is not right", "01 03 02 00"),
        (False, lambda reply: reply[:-1] + b"\0", "bad CRC, ", "01 03 02 00 7F F9 00"),
        (
            False,
            lambda reply: encode_rtu(2, reply[1:-2]),
            "wrong unit, the unit is 02, due is 01",
            "02 03 02 00 7F BD A4",
        ),
        (
            True,
            lambda reply: b"HTTP/1.1 400\r\n",
            "impossible length field, ",
            "48 54 54 50 2F 31 2E 31 20 34 30 30 0D 0A",
        ),
        (True, lambda reply: reply[:-2], "short frame, 11 bytes of a frame, ", "00 01 00 00 00 07 FF 03 04 00 00"),
        (True, lambda reply: b"\xaa" + reply[1:], "wrong transaction id, ", "AA 01 00 00 00 07 FF 03 04 00 00 00 00"),
        (True, lambda reply: reply[:6] + b"\1" + reply[7:], "wrong unit, ", "00 01 00 00 00 07 01 03 04 00 00 00 00"),
    ],
)
def test_what_is_wrong_with_a_reply_is_told(tcp: bool, say: Callable[[bytes], bytes], told: str, came: str) -> None:
    found = first(
        "keba-p30" if tcp else MAP,
        {"modbus": lambda device: device.but(say=lambda line, asked, reply: ((0, say(reply)),))},
        tcp=tcp,
    )
    assert (found.state, found.came, found.due) == ("malformed", came, TCP_DUE if tcp else RTU_DUE)
    assert found.told.startswith(told)


def test_a_map_of_another_device_is_refused_beside_what_was_due() -> None:
    found = first(MAP, {}, tcp=False, scanned="abb-terra-ac")
    assert (found.state, found.told) == ("refused", "exception 02 illegal data address")
    assert (found.came, found.due) == ("01 83 02 C0 F1", "01 03 08 ?? ?? ?? ?? ?? ?? ?? ?? CRC CRC")


def first(name: str, edits: Edits, *, tcp: bool, scanned: str = "") -> Scanned:
    """What becomes of the first register of a map on a device with that map, or with another one."""
    setup = Setup(map=name)
    bench = KIND.bench(KIND.build(setup, edits), setup, Judge(), lambda observations: None)
    assert isinstance(bench, ModbusBench)
    return next(iter(scan_map(bench, shipped_map(scanned or name), tcp=tcp)))


def test_a_device_that_does_not_answer_is_not_asked_for_ever() -> None:
    shown = scan("--map", MAP, "--unit", "9")
    assert shown.exit_code == 1
    assert "0 of 23 registers read, 2 silent, 21 unasked\n" in shown.stdout
    silent = [each for each in entries("--map", MAP, "--unit", "9").values() if each["state"] == "silent"]
    assert {(each["unit_id"], each["came"]) for each in silent} == {(9, "")}
    assert all(each["due"].startswith("09 ") for each in silent)


def test_a_value_that_the_map_does_not_have_is_told() -> None:
    setup = Setup(map=MAP)
    bench = KIND.bench(KIND.build(setup, {}), setup, Judge(), lambda observations: None)
    assert isinstance(bench, ModbusBench)
    registers = shipped_map(MAP)
    narrow = {**registers.registers, "voltage_l3": replace(registers["voltage_l3"], low=200, high=260)}
    found = {each.register.name: each for each in scan_map(bench, replace(registers, registers=narrow), tcp=False)}
    told = found.pop("voltage_l3")
    assert (told.state, told.value, told.told) == ("undeclared", 57, "allowed is 200 .. 260 V")
    assert all(each.fine for each in found.values())


@pytest.mark.parametrize(("latency", "fine"), [(ms(1100), True), (ms(2500), False)])
def test_a_late_reply_is_never_the_value_of_another_register(latency: Span, fine: bool) -> None:
    setup = Setup(map=MAP)
    slow = {"modbus": lambda device: device.serving(latency=latency)}
    bench = KIND.bench(KIND.build(setup, slow), setup, Judge(), lambda observations: None)
    assert isinstance(bench, ModbusBench)
    right = {name: each["value"] for name, each in entries("--map", MAP).items()}
    found = list(scan_map(bench, shipped_map(MAP), tcp=False))
    assert [each for each in found if each.state == "ok" and each.value != right[each.register.name]] == []
    assert [each for each in found if each.fine != fine] == []
    if not fine:
        assert {each.told for each in found} == {"no answer within 2 s, and this later"}
        assert all(each.came for each in found)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), "rig virtual names no register map ([dut] map): give one with --map"),
        (("--map", "keba-p31"), "no register map 'keba-p31': did you mean keba-p30"),
        (("--map", MAP, "--unit", "0"), "--unit 0: allowed is 1 .. 255"),
        (("--map", MAP, "--rig", "vcan"), "gives no port to role modbus"),
    ],
)
def test_what_cannot_be_scanned_is_told(args: tuple[str, ...], told: str) -> None:
    shown = scan(*args)
    assert shown.exit_code == 2
    assert told in shown.stderr
