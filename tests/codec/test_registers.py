"""Registers and maps: values on the wire's grid, ranges, plans, and files that are refused."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from hil.codec.map_file import find_map, load_map, map_names, shipped_map
from hil.codec.register import INTEGERS, Register, Value
from hil.codec.registers import ReadBlock, RegisterMap, WriteBlock
from hil.errors import CodecError, MapError


def register(kind: str, size: int = 1, **more: Any) -> Register:
    return Register("it", "holding", 0, kind, 1, size, **more)


# --- values, held against pymodbus' own conversion ------------------------------------------------

DATATYPE = ModbusClientMixin.DATATYPE
PEERS = {
    "u16": DATATYPE.UINT16,
    "s16": DATATYPE.INT16,
    "u32": DATATYPE.UINT32,
    "s32": DATATYPE.INT32,
    "u64": DATATYPE.UINT64,
    "s64": DATATYPE.INT64,
    "float32": DATATYPE.FLOAT32,
    "float64": DATATYPE.FLOAT64,
}
SIZES = {**{kind: size for kind, (size, _) in INTEGERS.items()}, "float32": 2, "float64": 4}


@pytest.mark.parametrize("order", ["high-first", "low-first"])
@pytest.mark.parametrize("kind", PEERS)
@given(st.data())
def test_numbers_are_laid_out_as_pymodbus_lays_them_out(kind: str, order: str, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=SIZES[kind], max_size=SIZES[kind]))
    peer_order: Any = "big" if order == "high-first" else "little"
    due = ModbusClientMixin.convert_from_registers(words, PEERS[kind], word_order=peer_order)
    it = register(kind, SIZES[kind], word_order=order)
    found = it.decode(words)
    if isinstance(due, float) and math.isnan(due):
        assert isinstance(found, float)
        assert math.isnan(found)
        return
    assert found == due
    assert list(it.encode(found)) == words or due == 0


def test_strings_and_their_byte_order() -> None:
    words = [0x4142, 0x4300]
    assert register("string", 2).decode(words) == "ABC"
    assert register("string", 2, byte_order="low-first").decode([0x4241, 0x0043]) == "ABC"
    assert register("string", 2).encode("ABC") == tuple(words)
    assert register("string", 2, byte_order="low-first").encode("ABC") == (0x4241, 0x0043)
    assert register("string", 2).decode([0x41FF, 0]) == "A\\xff"
    with pytest.raises(CodecError, match="ASCII text of at most 4 characters"):
        register("string", 2).encode("ABCDE")


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.sampled_from(["0.1", "0.001", "0.01", "10", "1/256"]))
def test_scaled_numbers_lie_on_the_grid(raw: int, scale: str) -> None:
    it = register("s32", 2, scale=Fraction(scale))
    words = struct.unpack(">2H", struct.pack(">i", raw))
    value = it.decode(words)
    assert isinstance(value, float | int)
    assert it.encode(value) == words
    assert value == float(raw * Fraction(scale))


def test_the_nearest_step_is_taken() -> None:
    it = register("u16", scale=Fraction("0.1"), unit="A")
    assert it.encode(16.04) == (160,)
    assert it.encode(16.06) == (161,)
    assert it.decode((160,)) == 16.0


LIMIT: dict[str, Any] = {"scale": Fraction("0.1"), "unit": "A", "low": 6, "high": 16, "also": (0,)}


@pytest.mark.parametrize("value", [0, 6, 6.04, 16, 16.04])
def test_what_is_in_range_is_encoded(value: float) -> None:
    it = register("u16", **LIMIT)
    assert it.in_range(it.decode(it.encode(value)))


@pytest.mark.parametrize("value", [0.1, 5.9, 16.1, -1, 1e9])
def test_what_is_out_of_range_is_refused(value: float) -> None:
    text = rf"it: {re.escape(repr(value))} A is out of range; allowed is 6 \.\. 16, 0 A"
    with pytest.raises(CodecError, match=text):
        register("u16", **LIMIT).encode(value)


@pytest.mark.parametrize(
    ("kind", "size", "more", "value", "text"),
    [
        ("u16", 1, {}, 65536, r"65536 is out of range; allowed is 0 \.\. 65535"),
        ("s16", 1, {}, -32769, r"allowed is -32768 \.\. 32767"),
        ("u16", 1, {}, math.nan, "nan is not a number"),
        ("u16", 1, {}, math.inf, "inf is not a number"),
        ("u16", 1, {}, b"1", "is not a number"),
        ("u16", 1, {}, None, "no sentinel for a missing value"),
        ("u16", 1, {"choices": {0: "off", 1: "on"}}, 2, r"2 is none of 0 \(off\), 1 \(on\)"),
        ("u16", 1, {"choices": {0: "off", 1: "on"}}, "up", r"'up' is none of 0 \(off\), 1 \(on\)"),
        ("float32", 2, {}, 1e39, "does not fit float32"),
        ("float32", 2, {"low": 0.0}, -1.0, r"-1\.0 is out of range; allowed is 0 \.\. inf"),
        ("u16", 1, {"mask": 0x7F00}, 128, r"allowed is 0 \.\. 127"),
        ("bool", 1, {}, 2, "neither true nor false"),
    ],
)
def test_what_cannot_be_encoded_names_what_is_allowed(
    kind: str, size: int, more: dict[str, Any], value: Value, text: str
) -> None:
    with pytest.raises(CodecError, match=text):
        register(kind, size, **more).encode(value)


def test_what_the_wire_holds_decodes_whatever_it_is() -> None:
    it = register("u16", **LIMIT)
    assert it.decode((5,)) == 0.5
    assert not it.in_range(0.5)
    choice = register("u16", choices={0: "off"})
    assert choice.decode((7,)) == 7
    assert not choice.in_range(7)
    assert choice.show(7) == "7"


@pytest.mark.parametrize("words", [(), (1, 2), (65536,), (-1,)])
def test_wrong_words_are_our_own_mistake(words: tuple[int, ...]) -> None:
    with pytest.raises(CodecError, match="it: "):
        register("u16").decode(words)


def test_no_value() -> None:
    unsigned = register("u32", 2, absent=(0xFFFFFFFF,))
    assert unsigned.decode((0xFFFF, 0xFFFF)) is None
    assert unsigned.encode(None) == (0xFFFF, 0xFFFF)
    signed = register("s32", 2, absent=(-1,), scale=Fraction("0.001"))
    assert signed.decode((0xFFFF, 0xFFFF)) is None
    assert signed.decode((0xFFFF, 0xFFFE)) == -0.002
    wide = register("u64", 4, absent=(-1,))
    assert wide.decode((0xFFFF,) * 4) is None
    real = register("float32", 2, absent=("nan",))
    assert real.decode((0xFFFF, 0xFFFF)) is None
    assert real.decode(real.encode(None)) is None
    assert real.show(None) == "no value"


def test_a_masked_field_leaves_the_other_bits_out() -> None:
    it = register("u32", 2, mask=0x7F00, choices={4: "C2: charging"})
    assert it.decode((0xABCD, 0x84EF)) == 4
    assert it.show(4) == "4 (C2: charging)"
    assert it.encode("C2: charging") == (0, 0x0400)


def test_bits_are_told_by_name() -> None:
    it = register("bits", 2, flags={0: "hot", 19: "control pilot"})
    value = it.decode((0x0008, 0x0005))
    assert it.set_flags(value) == ("hot", "bit 2", "control pilot")
    assert it.show(value) == "0x00080005 (hot, bit 2, control pilot)"


@pytest.mark.parametrize(
    ("it", "value", "text"),
    [
        (register("u16", unit="V"), 230, "230 V"),
        (register("float32", 2, unit="A"), 6.300000190734863, "6.300000191 A"),
        (register("bytes", 2), b"\x03\x0a", "03 0A"),
        (register("string", 1), "B2", "B2"),
        (Register("it", "coil", 0, "bool", 1), True, "on"),
    ],
)
def test_a_value_is_shown(it: Register, value: Value, text: str) -> None:
    assert it.show(value) == text


# --- shipped maps, held against the sheets --------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "which", "words", "value"),
    [
        # facts of the sheets, section by section
        ("alfen-ng9xx", "socket1.voltage_l1", struct.unpack(">2H", struct.pack(">f", 238.25)), 238.25),
        ("keba-p30", "energy_total", (0x0001, 0x86A0), 10000.0),
        ("keba-p30", "current_l1", (0, 16000), 16.0),
        ("keba-p40", "firmware", (0, 10201), 10201),
        ("phoenix-charx-sec", "point1.state", (0x4332,), "C2"),
        ("phoenix-charx-sec", "current_l1", (0xFFFF, 0xFFFF), None),
        ("abb-terra-ac", "state", (0x0000, 0x8400), 4),
        ("alpitronic-hyc", "connector2.voltage", (0x0000, 40012), 400.12),
        ("bender-cc613", "application", (0x342E, 0x3430), "4.40"),
        ("bender-cc613", "energy_total", (0xFFFF, 0xFFFF), None),
        ("heidelberg-energy-control", "temperature", (0xFFF6,), -1.0),
        ("carlo-gavazzi-em340", "voltage_l1", (2301, 0), 230.1),
        ("carlo-gavazzi-em340", "power", (0xFFF6, 0xFFFF), -1.0),
        ("abb-b23", "power", (0x7FFF, 0xFFFF), None),
        ("abb-b23", "energy_import", (0, 0, 0, 1), 10),
        ("acrel-djsf1352", "current_counts", (0xFFFF,), -1),
        ("eastron-sdm630", "energy_import", struct.unpack(">2H", struct.pack(">f", 1.5)), 1500.0),
    ],
)
def test_values_of_shipped_maps(name: str, which: str, words: tuple[int, ...], value: Value) -> None:
    assert shipped_map(name).decode(which, words) == value


@pytest.mark.parametrize(
    ("name", "which", "unit", "function", "address", "count"),
    [
        ("alfen-ng9xx", "socket2.set_current", 2, 16, 1210, 2),
        ("keba-p30", "set_current", 255, 6, 5004, 1),
        ("phoenix-charx-sec", "point3.set_current", 1, 6, 3301, 1),
        ("alpitronic-hyc", "connector4.set_power", 1, 16, 400, 2),
        ("abb-terra-ac", "set_current", 1, 16, 0x4100, 2),
        ("heidelberg-energy-control", "set_current", 1, 6, 261, 1),
        ("tinkerforge-warp", "enable", 1, 5, 1000, 1),
        ("bender-isocha425hv", "self_test", 3, 16, 8005, 1),
        ("eastron-sdm630", "node_address", 1, 16, 0x14, 2),
    ],
)
def test_set_points_of_shipped_maps(name: str, which: str, unit: int, function: int, address: int, count: int) -> None:
    it = shipped_map(name)[which]
    value = it.high if it.high is not None else next(iter(it.choices), 8)
    block = shipped_map(name).write(which, True if it.type == "bool" else value)
    assert (block.unit_id, block.function, block.address, len(block.values)) == (unit, function, address, count)
    assert block.single == (function in (5, 6))


def test_there_are_chargers_and_meters() -> None:
    kinds = [shipped_map(name).kind for name in map_names()]
    assert kinds.count("charger") >= 4
    assert kinds.count("meter") >= 3


@pytest.mark.parametrize("name", map_names())
def test_a_shipped_map_is_whole(name: str) -> None:
    found = shipped_map(name)
    assert (found.name, found.base) == (name, 0)
    assert found.source.startswith(("modbus_chargers", "modbus_meters"))
    assert found.confidence


@pytest.mark.parametrize("name", map_names())
def test_a_plan_reads_everything_once_within_the_limits(name: str) -> None:
    found = shipped_map(name)
    read: list[str] = []
    for block in found.plan():
        bits = found.table_of(block.function) in ("coil", "discrete")
        assert 1 <= block.count <= (found.limits.read_bits if bits else found.limits.read)
        for each in block.names:
            it = found[each]
            assert it.unit_id == block.unit_id
            assert found.table_of(block.function) == it.table
            assert block.address <= it.address <= it.end <= block.address + block.count
        read += block.names
    assert sorted(read) == sorted(name for name, it in found.registers.items() if it.readable)


# --- plans ----------------------------------------------------------------------------------------

HEAD = """\
schema = 1
name = "box"
title = "A box"
kind = "charger"
source = "a paper"
base = 0
unit = 1
transports = ["tcp"]
"""
ENTRIES = """\
registers = [
  { name = "a", address = 10, type = "u16" },
  { name = "b", address = 11, type = "u32" },
  { name = "c", address = 15, type = "u16", access = "rw" },
  { name = "d", address = 16, type = "u16", access = "wo" },
]
"""
FUNCTIONS = """
[functions]
holding = [3, 6, 16]
"""


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., RegisterMap]:
    """Load a map from its parts."""

    def load(entries: str = ENTRIES, rest: str = FUNCTIONS, head: str = HEAD) -> RegisterMap:
        path = tmp_path / "box.toml"
        path.write_text(head + entries + rest, "utf-8")
        return load_map(path)

    return load


def spans(found: RegisterMap, *names: str) -> list[tuple[int, int]]:
    return [(block.address, block.count) for block in found.plan(names or None)]


def test_neighbours_are_read_together_and_gaps_are_not_crossed(made: Callable[..., RegisterMap]) -> None:
    assert spans(made()) == [(10, 3), (15, 1)]
    assert spans(made(), "c", "a", "a") == [(10, 1), (15, 1)]


def test_gaps_are_crossed_as_far_as_the_device_allows(made: Callable[..., RegisterMap]) -> None:
    assert spans(made(rest=FUNCTIONS + "[limits]\ngap = 2\n")) == [(10, 6)]
    assert spans(made(rest=FUNCTIONS + "[limits]\ngap = 1\n")) == [(10, 3), (15, 1)]


def test_count_limits_cut_a_plan(made: Callable[..., RegisterMap]) -> None:
    assert spans(made(rest=FUNCTIONS + "[limits]\ngap = 9\nread = 3\n")) == [(10, 3), (15, 1)]
    assert spans(made(rest=FUNCTIONS + "[limits]\nread = 2\n")) == [(10, 1), (11, 2), (15, 1)]
    assert spans(made(rest=FUNCTIONS + "[limits]\nblocks = false\n")) == [(10, 1), (11, 2), (15, 1)]


def test_a_block_gives_its_values(made: Callable[..., RegisterMap]) -> None:
    found = made()
    (block,) = found.plan(["a", "b"])
    assert block == ReadBlock(1, 3, 10, 3, ("a", "b"))
    assert found.take(block, (7, 1, 2)) == {"a": 7, "b": 65538}
    with pytest.raises(CodecError, match="2 words given, the block at 10 has 3"):
        found.take(block, (7, 1))


def test_writes(made: Callable[..., RegisterMap]) -> None:
    found = made()
    assert found.write("c", 5) == WriteBlock(1, 6, 15, (5,))
    with pytest.raises(CodecError, match="box: a can only be read"):
        found.write("a", 5)
    with pytest.raises(CodecError, match="box: d can only be written"):
        found.plan(["d"])
    with pytest.raises(CodecError, match=r"box: c: -1 is out of range; allowed is 0 \.\. 65535"):
        found.write("c", -1)
    with pytest.raises(CodecError, match="box has no register 'bb': did you mean b"):
        found.encode("bb", 1)


def test_the_base_of_a_file(made: Callable[..., RegisterMap]) -> None:
    found = made(head=HEAD.replace("base = 0", "base = 1"))
    assert (found["a"].address, found.base) == (9, 1)


def test_groups(made: Callable[..., RegisterMap]) -> None:
    entries = 'registers = [\n  { name = "v", address = 2, type = "u16", group = "plug" },\n]\n'
    found = made(entries, FUNCTIONS + "[groups.plug]\noffsets = [100, 200]\n")
    assert {name: it.address for name, it in found.registers.items()} == {"plug1.v": 102, "plug2.v": 202}
    found = made(entries, FUNCTIONS + "[groups.plug]\nunits = [1, 2]\n")
    assert [(it.unit_id, it.address) for it in found.registers.values()] == [(1, 2), (2, 2)]
    assert found.unit_ids == (1, 2)


# --- files that are refused -----------------------------------------------------------------------

BAD = [
    ('type = "u32" }', 'type = "u33" }', 11, 'register b: type = "u33": allowed is "u16" or "s16"'),
    ('type = "u32" }', 'type = "u32", adress = 1 }', 11, "register b: adress is unknown; did you mean address?"),
    ("address = 11", "address = 65536", 11, "register b: address = 65536: allowed is an integer from 0 to 65535"),
    ("address = 11", "address = 65535", 11, "register b: address 65535..65536 is outside 0..65535"),
    ("address = 11", "address = 10", 11, "register b: address 10 lies in a, 10"),
    ("address = 15", "address = 12", 12, "register c: address 12 lies in b, 11..12"),
    ('name = "b"', 'name = "a"', 10, "register a: there are several of this name"),
    ('name = "b"', 'name = "b-c"', 11, 'register b-c: name = "b-c": allowed are letters, digits and _'),
    ('"u16", access = "rw"', '"u16", access = "w"', 12, 'register c: access = "w": allowed is "ro" or "rw" or "wo"'),
    ('type = "u32" }', 'type = "string" }', 11, "register b: size is missing: a string has a number of registers"),
    ('type = "u32" }', 'type = "u32", size = 2 }', 11, "register b: size = 2: a u32 has its own"),
    ('type = "u32" }', 'type = "u32", scale = "0" }', 11, 'register b: scale = "0": allowed is a positive decimal'),
    ('type = "u32" }', 'type = "u32", low = 5, high = 4 }', 11, "register b: low = 5 is above high = 4"),
    ('type = "u32" }', 'type = "u32", mask = 0x100000000 }', 11, "mask = 0x100000000: allowed within the 32 bits"),
    ('type = "u32" }', 'type = "u32", absent = ["nan"] }', 11, 'register b: absent has "nan": allowed for float32'),
    ('type = "u32" }', 'type = "u32", choices = { x = "y" } }', 11, 'register b: choices = { x = "y" }: allowed is'),
    ('type = "u32" }', 'type = "u32", choices = { -1 = "y" } }', 11, "register b: choices has -1: allowed is 0..4"),
    ('type = "u32" }', 'type = "u32", flags = { 0 = "y" } }', 11, "register b: flags: allowed for the type bits"),
    ('type = "u32" }', 'type = "bits", flags = { 16 = "y" } }', 11, "register b: flags has bit 16: allowed is 0..15"),
    ('type = "u32" }', 'type = "bool" }', 11, 'register b: type = "bool": a holding is not bool'),
    (
        'type = "u32" }',
        'type = "u32", table = "input" }',
        11,
        "register b: [functions] input lists no function that reads it",
    ),
    ('type = "u32" }', 'type = "u32", group = "g" }', 11, 'register b: group = "g": there are no groups'),
    (
        "holding = [3, 6, 16]",
        "holding = [3, 4, 6, 16]\ninput = [4]",
        17,
        "holding has 4, which is a function of input already",
    ),
    ("holding = [3, 6, 16]", "holding = [3, 5]", 17, "[functions] holding has 5: allowed are 3, 4, 6, 16, 22, 23"),
    (
        "holding = [3, 6, 16]",
        "holding = [3]",
        12,
        'register c: access = "rw": [functions] holding lists no function that writes it: 6',
    ),
    ("holding = [3, 6, 16]", "holdings = [3]", 17, "[functions] holdings is unknown; did you mean holding?"),
    ("base = 0", "base = 2", 6, "base = 2: allowed is 0 or 1"),
    ("base = 0\n", "", None, "base is missing: What this file calls the first address"),
    ('kind = "charger"', 'kind = "kettle"', 4, 'kind = "kettle": allowed is "charger" or "meter"'),
    ("unit = 1", "unit = true", 7, "unit = true: allowed is an integer from 0 to 255"),
    ('["tcp"]', '["udp"]', 8, 'transports = ["udp"]: allowed is a list of "tcp" or "rtu"'),
    ('["tcp"]', "[]", 8, 'transports = []: allowed is a list of "tcp" or "rtu", one at least'),
    ('["tcp"]', '["tcp"]\nserial = "9600 9X3"', 9, 'serial = "9600 9X3": allowed is baud rate, data bits, parity and'),
    ('["tcp"]', '["tcp"]\ngroups.p = 5', None, "groups.p = 5: allowed is a table, [groups.p]"),
    ('type = "u32" }', 'type = "u32", low = -1 }', 11, "low = -1: a u32 with a scale of 1 holds 0..4.29497e+09"),
    ('type = "u32" }', 'type = "u32", choices = { 1 = "y", 0x1 = "z" } }', 11, "register b: choices has 1 twice"),
    ('type = "u32" }', 'type = "float32", mask = 1 }', 11, "register b: mask = 0x1: a float32 has none"),
    ('["tcp"]', '["tcp"]\nlimits = 3', 9, "limits = 3: allowed is a table, [limits]"),
]


@pytest.mark.parametrize(("old", "new", "line", "text"), BAD)
def test_a_bad_file_is_refused_with_its_line(old: str, new: str, line: int | None, text: str, tmp_path: Path) -> None:
    whole = HEAD + ENTRIES + FUNCTIONS
    assert old in whole
    path = tmp_path / "bad.toml"
    path.write_text(whole.replace(old, new, 1), "utf-8")
    with pytest.raises(MapError) as refused:
        load_map(path)
    place = str(path) if line is None else f"{path}, line {line}"
    assert any(each.startswith(f"{place}: ") and text in each for each in str(refused.value).splitlines()), str(
        refused.value
    )


def test_the_other_way_to_write_registers_is_told_by_line_too(made: Callable[..., RegisterMap]) -> None:
    entries = """
[[registers]]
name = "a"
address = 1
type = "u16"

[[registers]]
name = "b"
address = 2
type = "u99"
"""
    with pytest.raises(MapError, match='line 21: register b: type = "u99"'):
        made(FUNCTIONS, entries)
    assert len(made(FUNCTIONS, entries.replace("u99", "u16")).registers) == 2


@pytest.mark.parametrize(("mask", "fine"), [("0x00F0", True), ("0x0018", False)])
def test_fields_share_a_register_when_their_bits_do_not_meet(
    mask: str, fine: bool, made: Callable[..., RegisterMap]
) -> None:
    entries = f"""registers = [
  {{ name = "low", address = 1, type = "u16", mask = 0x000F }},
  {{ name = "high", address = 1, type = "u16", mask = {mask} }},
]
"""
    if fine:
        assert spans(made(entries)) == [(1, 1)]
        return
    with pytest.raises(MapError, match="line 11: register high: address 1 lies in low, 1"):
        made(entries)


def test_everything_that_is_wrong_is_told_at_once(made: Callable[..., RegisterMap]) -> None:
    with pytest.raises(MapError) as refused:
        made(ENTRIES.replace('"u16"', '"u17"'), head=HEAD.replace("base = 0", "base = 2"))
    assert len(str(refused.value).splitlines()) == 4


def test_roles_name_registers_and_tell_what_there_is(made: Callable[..., RegisterMap]) -> None:
    rest = FUNCTIONS + '[roles]\nenergy = "bb"\n'
    with pytest.raises(MapError, match=r'line 19: \[roles\] energy has "bb": no register; did you mean b\?'):
        made(rest=rest)
    with pytest.raises(MapError, match=r"line 19: \[roles\] alarm_bits without alarms"):
        made(rest=FUNCTIONS + "[roles]\nalarm_bits = { residual = 3 }\n")
    assert made(rest=rest.replace("bb", "b")).roles.energy == "b"


def test_a_watchdog_names_registers(made: Callable[..., RegisterMap]) -> None:
    rest = FUNCTIONS + '[watchdog]\nfed_by = "write"\nby = ["c"]\ntimeout = "bb"\n'
    with pytest.raises(MapError, match=r'line 21: \[watchdog\] timeout = "bb": no register; did you mean b\?'):
        made(rest=rest)
    with pytest.raises(MapError, match=r"timeout = -1: allowed is a register's name or a number of seconds"):
        made(rest=rest.replace('"bb"', "-1"))
    found = made(rest=rest.replace('"bb"', "60"))
    assert found.watchdog is not None
    assert (found.watchdog.by, found.watchdog.timeout) == (("c",), 60)


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"name = ", "not TOML"), (b"\xff", "byte 0 is not UTF-8"), (b"registers = 3", "registers: allowed is a list")],
)
def test_what_is_no_map_at_all(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "no.toml"
    path.write_bytes(content)
    with pytest.raises(MapError, match=text):
        load_map(path)


def test_a_map_is_found_by_file_or_name(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(HEAD + ENTRIES + FUNCTIONS, "utf-8")
    assert find_map(str(path)).name == "box"
    assert find_map("keba-p30").title.startswith("KEBA")
    with pytest.raises(MapError, match="no register map 'keba-p3': did you mean keba-p30"):
        find_map("keba-p3")
    with pytest.raises(MapError, match="No such file"):
        load_map(tmp_path / "none.toml")
