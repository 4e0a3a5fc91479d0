"""Lines of the signals port: what is written, what is read, and what the schema says of both."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from hil.errors import UsageError
from hil.protocol.signals import (
    MAX_LINE,
    Changed,
    Done,
    Garbled,
    Get,
    Hello,
    LineReader,
    Refused,
    Set,
    Signal,
    Subscribe,
    Values,
    Welcome,
    encode,
    read_answer,
    read_request,
)
from hil.protocol.signals.schema import schema, shipped_schema, text

REQUESTS = [
    (Hello(version=1, watchdog=1.5, id=1, t=0.25), {"hello": 1, "watchdog": 1.5, "id": 1, "t": 0.25}),
    (Hello(version=1), {"hello": 1}),
    (Set(values={"relay_1": 1.0, "dac_1": 3.25}, id=2), {"set": {"relay_1": 1, "dac_1": 3.25}, "id": 2}),
    (Set(values={}), {"set": {}}),
    (Get(names=["*"], id=0), {"get": ["*"], "id": 0}),
    (Subscribe(names=["input_1"], every=0.5), {"subscribe": ["input_1"], "every": 0.5}),
]
ANSWERS = [
    (
        Welcome(
            version=1,
            box="b",
            signals={"r": Signal("actuator"), "v": Signal("sensor", "V", -15, 15, "pilot")},
            id=1,
            t=2.0,
        ),
        {
            "hello": 1,
            "box": "b",
            "signals": {
                "r": {"kind": "actuator"},
                "v": {"kind": "sensor", "unit": "V", "low": -15, "high": 15, "doc": "pilot"},
            },
            "id": 1,
            "t": 2,
        },
    ),
    (Done(what="set", id=2), {"ok": "set", "id": 2}),
    (Values(values={"r": 1.0}), {"values": {"r": 1}}),
    (Changed(values={"r": 0.0}, t=12.5), {"event": {"r": 0}, "t": 12.5}),
    (Refused(error="no"), {"error": "no"}),
]


@pytest.mark.parametrize(("message", "plain"), [*REQUESTS, *ANSWERS], ids=lambda each: type(each).__name__)
def test_a_message_is_one_line_of_json(message: Any, plain: dict[str, Any]) -> None:
    line = encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line) == plain
    assert next(iter(json.loads(line))) == next(iter(plain)), "what it is comes first"
    assert (read_request if (message, plain) in REQUESTS else read_answer)(line) == message


def test_contacts_may_be_true_and_false_and_words_may_be_spaced() -> None:
    assert read_request(b' { "set" : { "relay_1" : true } } \r') == Set(values={"relay_1": True})


def test_a_value_keeps_seven_digits() -> None:
    values = {"a": 399.99999999, "b": 0.1 + 0.2, "c": 1e9, "d": -1.234567891, "e": 5e-9}
    sent = json.loads(encode(Changed(values=values)))["event"]
    assert sent == {"a": 400, "b": 0.3, "c": 1_000_000_000, "d": -1.234568, "e": 5e-9}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_not_sent(value: float) -> None:
    with pytest.raises(UsageError, match="relay_1"):
        encode(Set(values={"relay_1": value}))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"help", "malformed"),
        (b"[1]", "object"),
        (b"{}", "exactly one"),
        (b'{"set":{},"get":[]}', "exactly one"),
        (b'{"sett":{}}', "exactly one"),
        (b'{"set":{"a":"1"}}', "str"),
        (b'{"set":{"a":null}}', "null"),
        (b'{"set":{"":1}}', "length"),
        (b'{"set":{"a":1e999}}', "range"),
        (b'{"set":{"a":NaN}}', "malformed"),
        (b'{"get":"a"}', "array"),
        (b'{"hello":0}', ">= 1"),
        (b'{"hello":1,"watchdog":0}', "0.001"),
        (b'{"hello":1,"wachdog":1}', "wachdog"),
        (b'{"get":[],"id":-1}', ">= 0"),
        (b'{"get":[],"id":1.5}', "float"),
        (b"\xff\xfe\xfd", "malformed"),
        (b"[" * 10_000, "recursion"),
    ],
)
def test_what_is_no_request_says_why(line: bytes, why: str) -> None:
    read = read_request(line)
    assert isinstance(read, Garbled)
    assert why in read.why


def test_a_box_may_tell_more_than_is_known() -> None:
    assert read_answer(b'{"ok":"set","firmware":"2.1","id":3}') == Done(what="set", id=3)


# --- lines ----------------------------------------------------------------------------------------------


def lines(*chunks: bytes, flaws: tuple[str, ...] = ()) -> list[bytes | Garbled]:
    reader = LineReader()
    flawed = [*flaws, *[""] * (len(chunks) - len(flaws))]
    return [line for chunk, flaw in zip(chunks, flawed, strict=True) for line in reader.feed(chunk, flaw)]


def test_lines_come_whole_however_their_bytes_come() -> None:
    assert lines(b"ab", b"c\nd\n\n \r\ne", b"f", b"\n") == [b"abc", b"d", b"ef"]


def test_a_line_too_long_is_one_event_and_is_not_kept() -> None:
    long = b"x" * (MAX_LINE + 1)
    whole, garbled, after = lines(b"y" * MAX_LINE + b"\n" + long, long * 3 + b"\n", b"z\n")
    assert (whole, after) == (b"y" * MAX_LINE, b"z")
    assert isinstance(garbled, Garbled)
    assert len(garbled.raw) < 100


def test_an_error_of_the_line_spoils_the_line_it_touches() -> None:
    first, second = lines(b'{"get":[]', b"}\nok\n", flaws=("parity",))
    assert isinstance(first, Garbled)
    assert "parity" in first.why
    assert second == b"ok"


# --- schema ---------------------------------------------------------------------------------------------


def validator(name: str) -> jsonschema.Draft202012Validator:
    whole = schema()
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": whole["$defs"]})


def test_the_shipped_schema_is_the_derived_one() -> None:
    assert shipped_schema() == text(), "write it again with `python -m hil.protocol.signals.schema`"
    jsonschema.Draft202012Validator.check_schema(json.loads(shipped_schema()))


def test_the_schema_takes_every_message_on_its_own_side() -> None:
    for side, others, messages in (("Request", "Answer", REQUESTS), ("Answer", "Request", ANSWERS)):
        for message, plain in messages:
            validator(side).validate(plain)
            assert not validator(others).is_valid(plain), message


@pytest.mark.parametrize(
    "plain",
    [{}, {"set": {"a": "1"}}, {"hello": 0}, {"hello": 1, "wachdog": 1}, {"get": "a"}, {"subscribe": [], "every": 0}],
    ids=str,
)
def test_the_schema_refuses_what_is_no_request(plain: dict[str, Any]) -> None:
    assert not validator("Request").is_valid(plain)
    assert isinstance(read_request(json.dumps(plain).encode()), Garbled)
