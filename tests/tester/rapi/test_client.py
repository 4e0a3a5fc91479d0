"""The console client as a node: orders, notes, polling, TCP, and consoles that behave badly."""

from __future__ import annotations

from typing import Any

import pytest

from hil.bus.bytefaults import CorruptBytes, CutLine, InsertBytes, RefuseLine, SplitBytes, StallBytes
from hil.bus.serial import SerialFormat, VirtualSerial
from hil.bus.tcp import VirtualTcp
from hil.errors import UsageError
from hil.protocol.rapi import ClientSettings, encode
from hil.tester.rapi import ConsoleClient
from hil.units import Instant, Span, ms, s
from hil.world.bytenode import Send, Wish
from hil.world.observation import Note, Observation
from hil.world.plan import Action, Advance, Do, Inject, Tell, UndoFault
from hil.world.virtual import VirtualWorld


class Echoing:
    """A console of few words: answers ``$OK`` with the id it was asked with, after the text it is given."""

    name = "charger"

    def __init__(self, line: str, before: bytes = b"") -> None:
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self.asked: list[bytes] = []
        self._line = line
        self._before = before

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        for command in data.split(b"\r")[:-1]:
            self.asked.append(command)
            at = command.find(b" :")
            sequence = int(command[at + 2 : at + 4], 16) if at >= 0 else None
            self.wishes.append(Send(line, self._before + encode("OK", "1", sequence=sequence), channel))

    def opened(self, line: str, channel: int, now: Instant) -> None:
        pass

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        pass

    def signal(self, name: str, value: float, now: Instant) -> None:
        pass

    def order(self, verb: str, arguments: object, now: Instant) -> None:
        pass

    def wake(self, now: Instant) -> None:
        pass

    def next_deadline(self) -> Instant | None:
        return None


class Bench:
    def __init__(self, *, tcp: bool = False, before: bytes = b"", settings: ClientSettings | None = None) -> None:
        self.world = VirtualWorld(1)
        queue, see = self.world.queue, self.world.see
        line = (
            VirtualTcp(queue, name="console", sink=see)
            if tcp
            else VirtualSerial(queue, name="console", sink=see, line_format=SerialFormat(115200))
        )
        self.world.add_line(line)
        self.console = Echoing("console", before)
        client = ConsoleClient("client", "console", settings, tcp=tcp)
        if isinstance(line, VirtualTcp):
            self.world.add_byte_node(self.console, serves=line)
        else:
            self.world.add_byte_node(self.console, line)
        self.world.add_byte_node(client, line)
        self.seen: list[Observation] = []

    def do(self, *actions: Action, span: Span = 0) -> list[Note]:
        """The client's notes of what follows."""
        start = len(self.seen)
        self.seen += self.world.execute(Do(actions)).observations
        self.seen += self.world.execute(Advance(self.world.queue.now + span)).observations
        return [each for each in self.seen[start:] if isinstance(each, Note) and each.kind == "rapi"]

    def order(self, verb: str, *, span: Span = 0, **arguments: Any) -> list[Note]:
        return self.do(Tell("client", verb, arguments), span=span)


@pytest.mark.parametrize("tcp", [False, True])
def test_a_request_and_its_note(tcp: bool) -> None:
    bench = Bench(tcp=tcp)
    [note] = bench.order("request", name="G4", span=s(1))
    assert note.what == "reply G4"
    assert {key: note.details[key] for key in ("ticket", "ok", "given_up", "locked")} == {
        "ticket": 1,
        "ok": True,
        "given_up": False,
        "locked": 1,
    }
    assert bench.console.asked == [b"$G4 :01^4C"]


def test_other_orders_reach_the_line() -> None:
    bench = Bench(settings=ClientSettings(sequence=False))
    bench.order("request", name="SC", parameters=[16, "V"], check="*", span=s(1))
    bench.order("raw", name="G4", data=b"$G4^00\r".hex(), span=s(1))
    [stray] = bench.order("send", data=b"$G4\r".hex(), span=s(1))
    assert bench.console.asked == [b"$SC 16 V*B7", b"$G4^00", b"$G4"]
    assert stray.what == "unasked"


def test_a_poll_goes_on_until_it_is_stopped_and_does_not_flood() -> None:
    bench = Bench()
    notes = bench.order("poll", name="GS", every=s(1), span=ms(3500))
    assert [note.what for note in notes] == ["reply GS"] * 4
    bench.order("stop", name="GS", span=s(3))
    assert len(bench.console.asked) == 4
    bench.do(Inject(CutLine(name="cut"), "console"))
    silent = bench.order("poll", name="GS", every=s(1), span=s(10))
    silent += bench.order("stop", span=s(10))
    assert [note.what for note in silent if note.what != "waiting GS"] == ["no reply GS"] * 2


@pytest.mark.parametrize(
    ("before", "kinds"),
    [
        (b"debug $1\r\n", ["unasked"]),
        (b"\r\n\r\n", []),
        (b"free 12\n", ["text"]),
        (encode("AT", "02", "02", "24", "0100"), ["notification AT"]),
        (encode("ST", "02"), ["notification ST"]),
    ],
)
def test_what_comes_before_a_reply_is_noted_for_what_it_is(before: bytes, kinds: list[str]) -> None:
    if before.startswith(b"debug"):
        kinds = ["text", *kinds]
    notes = Bench(before=before).order("request", name="G4", span=s(1))
    assert [note.what for note in notes] == [*kinds, "reply G4"]


def test_faults_of_the_line_are_waited_out() -> None:
    bench = Bench()
    bench.do(Inject(SplitBytes(name="split", at=3, gap=ms(80), sender="charger"), "console"))
    assert [note.what for note in bench.order("request", name="G4", span=s(1))] == ["reply G4"]
    bench.do(UndoFault("split", "console"), Inject(InsertBytes(name="junk", data="00FF24"), "console"))
    notes = bench.order("request", name="G4", span=s(1))
    assert [note.what for note in notes] == ["text", "garbled", "reply G4"]
    bench.do(UndoFault("junk", "console"), Inject(StallBytes(name="stall", span=s(3), sender="charger"), "console"))
    assert [note.what for note in bench.order("request", name="G4", span=s(4))] == ["waiting G4", "reply G4"]
    bench.do(
        UndoFault("stall", "console"), Inject(CorruptBytes(name="c", at=4, invert="01", sender="charger"), "console")
    )
    notes = bench.order("request", name="G4", span=s(11))
    assert [note.what for note in notes] == ["garbled", "waiting G4", "no reply G4"]


def test_a_refused_connection_is_tried_again_with_the_next_request() -> None:
    bench = Bench(tcp=True)
    bench.do(Inject(RefuseLine(name="no"), "console"))
    notes = bench.order("request", name="G4", span=s(11))
    assert [note.what for note in notes] == ["refused", "waiting G4", "no reply G4"]
    bench.do(UndoFault("no", "console"))
    assert [note.what for note in bench.order("request", name="G4", span=s(1))] == ["reply G4"]
    bench.order("close", span=s(1))
    assert [note.what for note in bench.order("request", name="G4", span=s(1))] == ["reply G4"]


def test_a_connection_that_nobody_answers_is_tried_again() -> None:
    bench = Bench(tcp=True)
    bench.do(Inject(CutLine(name="cut"), "console"))
    bench.order("request", name="G4", span=s(11))
    bench.do(UndoFault("cut", "console"))
    assert [note.what for note in bench.order("request", name="G4", span=s(1))] == ["reply G4"]
    assert len(bench.console.asked) == 1


@pytest.mark.parametrize(
    ("verb", "arguments", "why"),
    [
        ("close", {}, "it knows request"),
        ("request", {}, "an argument 'name'"),
        ("request", {"name": 5}, "argument name 5: a str is needed"),
        ("request", {"name": "GS", "check": "+"}, "argument check '[+]'"),
        ("send", {"data": "xy"}, "argument data 'xy': hexadecimal"),
        ("poll", {"name": "GS", "every": True}, "argument every True: a int is needed"),
    ],
)
def test_an_order_that_cannot_be_obeyed_is_refused(verb: str, arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Bench().order(verb, **arguments)
