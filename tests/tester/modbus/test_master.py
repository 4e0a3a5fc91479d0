"""The bench's Modbus master in a world: what it sends as it was told, what it notes of what came."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from hil.bench.kinds.modbus import KIND, serial_format
from hil.bench.modbus import MASTER, SERIAL_LINE, TCP_LINE
from hil.bench.setup import Setup
from hil.dut.modbus import reference_map
from hil.errors import UsageError
from hil.protocol.modbus import Read, Request, encode_rtu, encode_tcp, read_holding
from hil.units import Span, ms, s
from hil.world.observation import BytesSeen, Note, Observation
from hil.world.plan import Advance, Do, Tell

UNIT = 17
WAIT = s(2)
READ = read_holding(0)


class Rig:
    """The world of the Modbus bench, driven by orders."""

    def __init__(self) -> None:
        self.world = KIND.build(Setup(), {})
        self.seen: list[Observation] = []
        self.now = 0

    def tell(self, verb: str, **arguments: Any) -> None:
        self.seen += self.world.execute(Do((Tell(MASTER, verb, arguments),))).observations

    def let(self, span: Span) -> None:
        self.now += span
        self.seen += self.world.execute(Advance(self.now)).observations

    def ask(self, on: str, request: Request = READ, *, ticket: int = 1, wait: Span = WAIT, **how: Any) -> Note | None:
        self.tell("request", **order(request, ticket, on=on, **how))
        self.let(wait)
        return self.note(f"done {ticket}")

    def note(self, what: str) -> Note | None:
        return next((each for each in self.notes() if each.what == what), None)

    def notes(self) -> list[Note]:
        return [each for each in self.seen if isinstance(each, Note)]

    def sent(self, line: str, sender: str = MASTER) -> list[BytesSeen]:
        return [
            each for each in self.seen if isinstance(each, BytesSeen) and (each.port, each.sender) == (line, sender)
        ]


def order(request: Request, ticket: int, **how: Any) -> dict[str, Any]:
    return {"unit": UNIT, "ticket": ticket, "pdu": request.encode().hex(), **how}


@pytest.fixture
def rig() -> Rig:
    rig = Rig()
    rig.tell("open", on="a")
    rig.let(ms(10))
    assert rig.note("opened a") is not None
    return rig


def details(note: Note | None) -> Mapping[str, Any]:
    assert note is not None
    return note.details


@pytest.mark.parametrize("on", ["a", "rtu"])
def test_a_reply_is_told_with_its_bytes(rig: Rig, on: str) -> None:
    told = details(rig.ask(on))
    assert told["outcome"] == "reply"
    line = TCP_LINE if on == "a" else SERIAL_LINE
    assert bytes.fromhex(told["bytes"]) == rig.sent(line, "device")[0].data
    assert told["sent"] < told["at"]


def test_a_header_goes_out_as_it_was_ordered(rig: Rig) -> None:
    told = details(rig.ask("a", transaction=0x1234, protocol=1, length=7))
    assert told["outcome"] == "silence"
    assert rig.sent(TCP_LINE)[-1].data == encode_tcp(0x1234, UNIT, READ.encode(), protocol=1, length=7)


def test_a_wrong_check_goes_out_as_it_was_ordered(rig: Rig) -> None:
    assert details(rig.ask("rtu", crc=0xBEEF))["outcome"] == "silence"
    assert rig.sent(SERIAL_LINE)[0].data == encode_rtu(UNIT, READ.encode(), crc=0xBEEF)


def test_pieces_come_one_after_the_other(rig: Rig) -> None:
    assert details(rig.ask("a", cuts=[3, 7], gap=ms(20)))["outcome"] == "reply"
    pieces = rig.sent(TCP_LINE)
    assert [len(each.data) for each in pieces] == [3, 4, 5]
    assert [after.started - before.started for before, after in pairwise(pieces)] == [ms(20)] * 2


def test_on_the_serial_line_the_gap_is_between_the_bytes(rig: Rig) -> None:
    rig.ask("rtu", cuts=[4], gap=ms(1))
    bytes_sent = rig.sent(SERIAL_LINE)
    assert b"".join(each.data for each in bytes_sent) == encode_rtu(UNIT, READ.encode())
    gaps = [after.started - before.t for before, after in pairwise(bytes_sent)]
    assert [gap for gap in gaps if gap > 1000] == [pytest.approx(ms(1), abs=10)]


def test_junk_joined_and_apart(rig: Rig) -> None:
    rig.ask("rtu", before="55aa", after="01")
    assert rig.sent(SERIAL_LINE)[0].data == b"\x55\xaa" + encode_rtu(UNIT, READ.encode()) + b"\x01"
    rig.ask("rtu", ticket=2, before="55aa", pause=ms(5))
    junk, *frame = rig.sent(SERIAL_LINE)[1:]
    assert (junk.data, b"".join(each.data for each in frame)) == (b"\x55\xaa", encode_rtu(UNIT, READ.encode()))
    assert frame[0].started - junk.t == pytest.approx(ms(5), abs=10)


def test_a_pipeline_is_one_segment_and_every_request_is_answered(rig: Rig) -> None:
    requests = [order(Read(3, address, 1), address + 1) for address in range(3)]
    rig.tell("pipeline", on="a", requests=requests)
    rig.let(ms(100))
    assert len(rig.sent(TCP_LINE)) == 1
    assert [details(rig.note(f"done {ticket}"))["outcome"] for ticket in (1, 2, 3)] == ["reply"] * 3


def test_what_is_malformed_is_told_beside_what_was_due(rig: Rig) -> None:
    rig.tell("request", **order(READ, 1, on="rtu"))
    rig.let(ms(8))
    rig.seen += rig.world.execute(Do((Tell("other", "send", {"on": "rtu", "data": "1103"}),))).observations
    rig.let(s(2))
    malformed = [each for each in rig.notes() if each.details.get("outcome") == "malformed"]
    assert malformed
    assert malformed[0].details["due"] == "11 03 02 ?? ?? CRC CRC or 11 83 ?? CRC CRC"
    assert malformed[0].details["fault"] in ("stray bytes", "short frame", "flaw of the line", "bad CRC")


def test_a_closed_connection_is_told_and_cannot_be_used(rig: Rig) -> None:
    rig.tell("close", on="a", reset=True)
    assert rig.note("closed a") is not None
    with pytest.raises(UsageError, match="has no connection 'a'; it has none"):
        rig.tell("request", **order(READ, 1, on="a"))


def test_a_request_whose_connection_the_device_closes_is_lost(rig: Rig) -> None:
    assert details(rig.ask("a", length=0))["outcome"] == "lost"
    assert rig.note("closed a") is not None


def test_unknown_verbs_are_refused(rig: Rig) -> None:
    with pytest.raises(UsageError, match="cannot shout; it knows open, close, request, pipeline, send"):
        rig.tell("shout", on="a")
    with pytest.raises(UsageError, match="one request at a time"):
        rig.tell("pipeline", on="rtu", requests=[])
    with pytest.raises(UsageError, match="nothing to close"):
        rig.tell("close", on="rtu")
    with pytest.raises(UsageError, match="open already"):
        rig.tell("open", on="a")


def test_the_line_has_the_format_of_the_map() -> None:
    assert str(serial_format(reference_map())) == "19200 8E1"
    assert str(serial_format(reference_map("alfen-ng9xx"))) == "19200 8E1"
