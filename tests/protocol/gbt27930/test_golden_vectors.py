"""Golden vectors typed by other hands: the oracle of the layout, and proof that it bites.

The vectors are read from the shared data folder (environment variable ``HIL_SHARED_DATA``). What
they call ambiguous is not asserted, here neither.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import new_class
from typing import Any

import pytest

from hil.codec import ListMessage, Malformed, Message, Signal
from hil.codec.compiler import compile_new
from hil.errors import CodecError
from hil.protocol.gbt27930 import EDITIONS, edition

SHARED = Path(os.environ.get("HIL_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
VECTORS = SHARED / "gbt27930" / "vectors.json"
DATA: dict[str, list[dict[str, Any]]] = (
    json.loads(VECTORS.read_text("utf-8")) if VECTORS.is_file() else {"vectors": [], "invalid": [], "ambiguous": []}
)
pytestmark = pytest.mark.skipif(not VECTORS.is_file(), reason=f"golden vectors not found at {VECTORS}")

UNITS = {"degC": "°C"}


def label(number: int, vector: dict[str, Any]) -> str:
    return f"{vector['edition']}-{vector['message']}-{number}"


def cases(entries: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(each, id=label(number, each)) for number, each in enumerate(entries)]


@dataclass(frozen=True)
class Codec:
    """A declaration and how bytes go through it; ``wire`` undoes itself."""

    declared: type[Message]
    wire: Callable[[bytes], bytes] = bytes

    def decode(self, data: bytes) -> Message:
        return self.declared.decode(self.wire(data))

    def decode_raw(self, data: bytes) -> dict[str, int | bytes]:
        return self.declared.decode_raw(self.wire(data))

    def encode(self, values: dict[str, Any]) -> bytes:
        return self.wire(make(self.declared, values).encode())


def make(declared: type[Message], values: dict[str, Any]) -> Message:
    if not issubclass(declared, ListMessage):
        return declared(**values)
    keys = list(declared.element)
    flat = list(values.values())
    return declared(entries=[flat[start : start + len(keys)] for start in range(0, len(flat), len(keys))])


def fields(declared: type[Message], data: bytes) -> dict[str, Signal]:
    """The signals of a payload by the names that messages give their items."""
    if not issubclass(declared, ListMessage):
        return dict(declared.signals)
    return {
        f"{key}[{number}]": replace(each, spn=each.spn and each.spn + number - 1)
        for number in range(1, len(data) // declared.element_size + 1)
        for key, each in declared.element.items()
    }


def asserted(vector: dict[str, Any], declared: type[Message]) -> list[tuple[str, Signal, Any]]:
    """Our name, our declaration and the vector's value; order decides, names are labels."""
    data = bytes.fromhex(vector["data"])
    listed = [(key, each) for key, each in fields(declared, data).items() if not key.startswith("entry_length")]
    left_out = [key for key in vector.get("unasserted", {}) if not key.endswith("_length")]
    values = [*vector["values"].values(), *([None] * len(left_out))]
    if len(listed) != len(values):
        raise CodecError(f"{declared.name} has {len(listed)} fields, the vector {len(values)}")
    return [(key, each, value) for (key, each), value in zip(listed, values, strict=True) if value is not None]


def physical(value: dict[str, Any], declared: Signal) -> Any:
    """The vector's value in our terms. Versions are printed as text; some values are raw only."""
    raw = bytes.fromhex(value["raw"]) if isinstance(value["raw"], str) else value["raw"]
    if "value" not in value or declared.spn in (2600, 2565):
        return declared.take(raw)
    return value["value"]


def disagreement(codec: Codec, vector: dict[str, Any]) -> str | None:
    """What a codec and a vector do not agree on."""
    data = bytes.fromhex(vector["data"])
    try:
        decoded = dict(codec.decode(data).items())
        raws = codec.decode_raw(data)
        expectations = asserted(vector, codec.declared)
    except CodecError as error:
        return f"refused: {error}"
    sent: dict[str, Any] = dict(decoded)
    for key, declared, value in expectations:
        raw = bytes.fromhex(value["raw"]) if isinstance(value["raw"], str) else value["raw"]
        if raws[key] != raw:
            return f"{key}: raw {raws[key]!r}, not {raw!r}"
        expected = physical(value, declared)
        if decoded[key] != expected:
            return f"{key}: {decoded[key]!r}, not {expected!r}"
        sent[key] = expected
    return None if vector["use"] == "decode" else sent_otherwise(codec, sent, vector)


def sent_otherwise(codec: Codec, values: dict[str, Any], vector: dict[str, Any]) -> str | None:
    data = bytes.fromhex(vector["data"])
    mask = bytes.fromhex(vector.get("care_mask", "FF" * len(data)))
    try:
        encoded = codec.encode(values)
    except CodecError as error:
        return f"cannot be sent: {error}"
    if [each & care for each, care in zip(encoded, mask, strict=True)] != [
        each & care for each, care in zip(data, mask, strict=True)
    ]:
        return f"sent as {encoded.hex(' ')}, not {data.hex(' ')}"
    return None


@pytest.mark.parametrize("vector", cases(DATA["vectors"]))
def test_vector(vector: dict[str, Any]) -> None:
    declared = edition(vector["edition"]).by_name[vector["message"]]
    assert disagreement(Codec(declared), vector) is None


@pytest.mark.parametrize("vector", cases(DATA["vectors"]))
def test_identity_of_a_vector(vector: dict[str, Any]) -> None:
    """SPNs, units, choices, identifiers and direction."""
    messages = edition(vector["edition"])
    declared = messages.by_name[vector["message"]]
    sender = {"C": "charger", "B": "bms"}[vector["direction"][0]]
    assert declared.sender in (sender, None)
    if vector["transport"] == "single":
        assert messages.ids(declared)[sender] == int(vector["id"], 16)
    else:
        assert declared.pgn == int(vector["pgn"], 16)
    for _, each, value in asserted(vector, declared):
        assert each.spn == (value["spn"] or 0)
        if value["unit"]:
            assert each.unit == UNITS.get(value["unit"], value["unit"])
        if "choice" in value:
            assert each.choices[value["raw"]] == value["choice"]


def test_every_message_of_both_editions_has_a_vector() -> None:
    covered = {(each["edition"], each["message"]) for each in DATA["vectors"]}
    shared = {("2011", each.name) for each in edition("2011").messages if each in edition("2015").messages}
    wanted = {(name, each.name) for name in EDITIONS for each in edition(name).messages} - shared
    # BCP, BCL, BMT and BSP of 2011 differ in ranges, priority and period only
    assert wanted - covered == {("2011", name) for name in ("BCP", "BCL", "BMT", "BSP")}


CODEC_LEVEL = [each for each in DATA["invalid"] if each["kind"] != "tp"]


@pytest.mark.parametrize("entry", cases(CODEC_LEVEL))
def test_invalid_entry(entry: dict[str, Any]) -> None:
    messages = edition(entry["edition"])
    declared = messages.by_name[entry["message"]]
    data = bytes.fromhex(entry["data"])
    if entry["kind"] in ("id", "transport"):
        assert int(entry["id"], 16) not in messages.by_id, entry["why"]
        return
    decoded = messages.decode(declared.pgn, data)
    if entry["expect"] == "malformed":
        assert isinstance(decoded, Malformed), entry["why"]
        assert decoded.name == entry["message"]
        return
    assert entry["expect"] == "out of range"
    assert isinstance(decoded, Message)
    assert declared.decode_raw(data)[entry["signal"]] == entry["raw"]
    assert decoded.out_of_range() == [entry["signal"]], entry["why"]
    with pytest.raises(CodecError, match=rf"{entry['message']}\.{entry['signal']}: .*out of range; allowed is"):
        decoded.encode()


# Proof that the vectors bite: every declared field, made wrong in each way, disagrees with one of them.

NOT_ASSERTED = {
    ("BRM", "software_year"): "all but all ones is open in the sheet (D8)",
    ("DM6", "entry_length"): "what it counts is not stated",
}
RAW_ONLY = {
    **{(name, "conversion_method"): "is 0 in every vector, as the sheet prints it" for name in ("DM1", "DM2", "DM6")},
    ("BSP", "byte"): "reserved bytes have no physical value",
    ("CSD", "charger_number"): "its offset is open in the sheet (D6)",
    ("CHM", "version"): "a version is no number with a scale",
    ("BRM", "version"): "a version is no number with a scale",
}


def mutants(declared: type[Message]) -> Iterator[tuple[str, Codec]]:
    """Copies of a declaration with one thing wrong."""
    signals = dict(declared.element if issubclass(declared, ListMessage) else declared.signals)
    yield "one byte longer", Codec(copy(declared, signals, longer=1))
    for key, each in signals.items():
        if (declared.name, key) in NOT_ASSERTED:
            continue
        for what, other in misplaced(key, signals):
            yield f"{key} {what}", Codec(copy(declared, other))
        if each.length % 8 == 0 and each.length > 8:
            yield f"{key} with swapped bytes", Codec(declared, swapper(declared, each))
        if each.kind == "uint" and (declared.name, key) not in RAW_ONLY:
            free = replace(each, low=None, high=None, closed=False)
            yield f"{key} of ten times the scale", Codec(copy(declared, {**signals, key: scaled(free)}))
            shifted = replace(free, offset=each.offset + each.scale)
            yield f"{key} one step off", Codec(copy(declared, {**signals, key: shifted}))


def scaled(declared: Signal) -> Signal:
    return replace(declared, scale=declared.scale * 10, offset=declared.offset * Fraction(10))


def misplaced(key: str, signals: dict[str, Signal]) -> Iterator[tuple[str, dict[str, Signal]]]:
    """The signal in the place of each other one of its length, and moved where there is room."""
    each = signals[key]
    for other, its in signals.items():
        if other != key and its.length == each.length and its.kind == each.kind:
            exchanged = {key: replace(each, start=its.start), other: replace(its, start=each.start)}
            yield f"exchanged with {other}", {**signals, **exchanged}
    step = 1 if each.kind == "uint" else 8
    last = max(its.start + its.length for its in signals.values())
    for start in (each.start - step, each.start + step):
        if 0 <= start <= max(last - each.length, 0):
            yield f"at bit {start}", {**signals, key: replace(each, start=start)}


def swapper(declared: type[Message], each: Signal) -> Callable[[bytes], bytes]:
    """Turns the bytes of one field around, in every element of a list."""
    size = declared.element_size if issubclass(declared, ListMessage) else declared.length

    def swap(data: bytes) -> bytes:
        parts = bytearray(data)
        for start in range(0, max(len(data) - size + 1, 0), size):
            first, last = start + each.start // 8, start + (each.start + each.length) // 8
            parts[first:last] = parts[first:last][::-1]
        return bytes(parts)

    return swap


def copy(declared: type[Message], signals: dict[str, Signal], longer: int = 0) -> type[Message]:
    """The declaration with other signals; overlaps are allowed, as a wrong table would be read."""
    identity = {"pgn": declared.pgn, "name": declared.name}
    if issubclass(declared, ListMessage):
        size = declared.element_size + longer
        arguments = {**identity, "element": signals, "size": size, "most": declared.most}
        return new_class(declared.name, (ListMessage,), arguments)
    arguments = {**identity, "length": declared.length + longer}
    namespace = {**signals, "_compile": classmethod(interpret)}
    return new_class(declared.name, (Message,), arguments, lambda names: names.update(namespace))


def interpret(cls: type[Message]) -> None:
    """Leave encoding and decoding interpreted: a compiled codec needs a table without overlaps."""
    cls.__new__ = compile_new(cls.name, cls.signals)  # type: ignore[method-assign]  # the constructor alone


WITH_VECTORS = sorted({(each["edition"], each["message"]) for each in DATA["vectors"]})


@pytest.mark.parametrize(("name", "message"), WITH_VECTORS)
def test_every_wrong_field_is_caught_by_a_vector(name: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("message", "lists"):  # a misplaced field may overlap another; the vectors must catch it themselves
        monkeypatch.setattr(f"hil.codec.{module}.check_layout", lambda *_: None)
    vectors = [each for each in DATA["vectors"] if (each["edition"], each["message"]) == (name, message)]
    survivors = []
    tried = 0
    for what, codec in mutants(edition(name).by_name[message]):
        tried += 1
        if not any(disagreement(codec, vector) for vector in vectors):
            survivors.append(what)
    assert tried
    assert survivors == []
