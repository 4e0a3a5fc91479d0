"""Nodes on byte lines in a world: bytes, connections, orders, deadlines, faults and triggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hil.bus.bytefaults import LoseBytes, RefuseLine
from hil.bus.faults import ErrorFrame
from hil.bus.serial import SerialFormat, VirtualSerial, read_as
from hil.bus.tcp import LATENCY, VirtualTcp
from hil.errors import UsageError
from hil.units import SECOND, Instant, ms
from hil.world.bytenode import Open, Send, SetFormat, Shut, Wish
from hil.world.observation import BytesSeen, Note
from hil.world.plan import Advance, AtInstant, Do, Inject, OnBytes, Plan, Reply, Rule, Tell, UndoFault
from hil.world.virtual import VirtualWorld

TTY = SerialFormat(1000)


class Talker:
    """Writes down all it is told; orders become wishes; it can answer, tick and actuate."""

    def __init__(self, name: str, *, answer: bytes = b"") -> None:
        self.name = name
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self.got: list[tuple[Instant, object]] = []
        self.deadline: Instant | None = None
        self._answer = answer

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        self.got.append((now, (line, channel, data, flaw)))
        if self._answer:
            self.wishes.append(Send(line, self._answer, channel))

    def opened(self, line: str, channel: int, now: Instant) -> None:
        self.got.append((now, ("opened", line, channel)))

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        self.got.append((now, (kind, line, channel)))

    def signal(self, name: str, value: float, now: Instant) -> None:
        self.got.append((now, (name, value)))

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        if verb == "wish":
            self.wishes.append(arguments["wish"])
        elif verb == "wake_at":
            self.deadline = arguments["at"]
        elif verb == "act":
            self.actuations.append((arguments["name"], arguments["value"]))
        else:
            raise UsageError(f"{self.name} knows no {verb}")

    def wake(self, now: Instant) -> None:
        self.got.append((now, "woken"))
        if self.deadline is not None and now >= self.deadline:
            self.notes.append(Note(now, "tick", self.name))
            self.deadline = None

    def next_deadline(self) -> Instant | None:
        return self.deadline


class Rig:
    """A world with a serial line between ``master`` and ``meter`` and a link from ``master`` to ``charger``."""

    def __init__(self) -> None:
        self.world = VirtualWorld(1)
        self.tty = VirtualSerial(self.world.queue, name="tty", sink=self.world.see, line_format=TTY)
        self.net = VirtualTcp(self.world.queue, name="net", sink=self.world.see)
        self.master, self.meter, self.charger = Talker("master"), Talker("meter", answer=b"ok"), Talker("charger")
        for line in (self.tty, self.net):
            self.world.add_line(line)
        self.world.add_byte_node(self.meter, self.tty)
        self.world.add_byte_node(self.charger, serves=self.net)
        self.world.add_byte_node(self.master, self.tty, self.net)

    def tell(self, node: str, verb: str, **arguments: Any) -> Reply:
        return self.world.execute(Do((Tell(node, verb, arguments),)))

    def wish(self, wish: Wish) -> Reply:
        return self.tell("master", "wish", wish=wish)

    def run(self, until: Instant, *stop_on: OnBytes) -> Reply:
        return self.world.execute(Advance(until, stop_on))


def test_bytes_go_out_are_seen_and_answered() -> None:
    rig = Rig()
    rig.wish(Send("tty", b"abc"))
    reply = rig.run(SECOND)
    assert reply.observations == [
        BytesSeen(ms(30), "tty", "master", b"abc", 0),
        BytesSeen(ms(50), "tty", "meter", b"ok", ms(30)),
    ]
    assert rig.meter.got == [(ms(30), ("tty", 0, b"abc", ""))]
    assert rig.master.got == [(ms(50), ("tty", 0, b"ok", ""))]


def test_a_node_opens_uses_and_shuts_a_connection() -> None:
    rig = Rig()
    rig.wish(Open("net"))
    rig.run(ms(10))
    rig.wish(Send("net", b"hello", 1))
    rig.run(ms(20))
    rig.wish(Shut("net", 1))
    rig.run(ms(30))
    assert rig.master.got == [(LATENCY, ("opened", "net", 1))]
    assert [what for _, what in rig.charger.got] == [
        ("opened", "net", 1),
        ("net", 1, b"hello", ""),
        ("closed", "net", 1),
    ]


def test_a_reset_and_a_refusal_are_told() -> None:
    rig = Rig()
    rig.wish(Open("net"))
    rig.run(ms(10))
    rig.wish(Shut("net", 1, reset=True))
    rig.world.execute(Do((Inject(RefuseLine(name="no"), "net"),)))
    rig.wish(Open("net"))
    rig.run(ms(30))
    assert rig.charger.got[-1][1] == ("reset", "net", 1)
    assert rig.master.got[-1][1] == ("refused", "net", 2)


def test_a_node_wakes_at_its_deadline_also_when_that_is_brought_forward() -> None:
    rig = Rig()
    rig.tell("meter", "wake_at", at=ms(50))
    rig.tell("meter", "wake_at", at=ms(20))
    reply = rig.run(ms(100))
    assert reply.observations == [Note(ms(20), "tick", "meter")]
    assert [now for now, what in rig.meter.got if what == "woken"] == [ms(20)]


def test_a_deadline_in_the_past_is_now() -> None:
    rig = Rig()
    rig.run(ms(100))
    rig.tell("meter", "wake_at", at=ms(20))
    assert rig.run(ms(200)).observations == [Note(ms(100), "tick", "meter")]


def test_a_node_changes_the_format_of_its_own_uart_after_what_it_sends() -> None:
    rig = Rig()
    rig.wish(Send("tty", b"a"))
    rig.wish(SetFormat("tty", SerialFormat(2000)))
    rig.run(ms(500))
    assert rig.meter.got == [(ms(10), ("tty", 0, b"a", ""))]
    garbled = read_as(b"ok", TTY, SerialFormat(2000))
    assert rig.master.got == [(ms(30), ("tty", 0, *garbled))]
    assert garbled[1] == "framing"
    rig.wish(Send("tty", b"a"))
    rig.run(ms(600))
    assert rig.meter.got[1][0] == ms(505)


def test_faults_of_lines_are_injected_and_taken_back_by_command() -> None:
    rig = Rig()
    rig.world.execute(Do((Inject(LoseBytes(name="lost"), "tty"),)))
    reply = rig.wish(Send("tty", b"1"))
    assert [each.what for each in reply.observations if isinstance(each, Note)] == ["lost"]
    rig.run(SECOND)
    rig.world.execute(Do((UndoFault("lost", "tty"),)))
    rig.wish(Send("tty", b"2"))
    rig.run(2 * SECOND)
    assert [what for _, what in rig.meter.got] == [("tty", 0, b"2", "")]


def test_a_rule_fires_on_the_bytes_it_names() -> None:
    rig = Rig()
    trigger = OnBytes("tty", sender="meter", starts="6F 6B", count=2)
    rig.world.execute(Plan((Rule("second", trigger, (Tell("master", "wish", {"wish": Send("tty", b"!")}),), ms(5)),)))
    for at in (0, 100):
        rig.world.execute(Plan((Rule(f"r{at}", AtInstant(ms(at)), (Tell("master", "wish", {"wish": _X}),)),)))
    reply = rig.run(SECOND)
    assert Note(ms(135), "stimulus", "second") in reply.observations
    assert rig.meter.got[-1] == (ms(145), ("tty", 0, b"!", ""))


_X = Send("tty", b"x")


def test_an_advance_stops_on_bytes() -> None:
    rig = Rig()
    rig.wish(_X)
    reply = rig.run(SECOND, OnBytes("net"), OnBytes("tty", starts="6f"))
    assert (reply.stopped_by, reply.now) == (1, ms(30))


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (Open("tty"), "nothing to open or shut"),
        (Send("lin", b"x"), "not on a line 'lin'; it is on tty, net"),
        (SetFormat("net", TTY), "is a TCP link"),
    ],
)
def test_a_wish_that_no_line_can_fulfil_is_refused(wish: Wish, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Rig().wish(wish)


def test_the_server_of_a_link_cannot_open_it() -> None:
    rig = Rig()
    with pytest.raises(UsageError, match="cannot open a connection to itself"):
        rig.tell("charger", "wish", wish=Open("net"))


def test_faults_of_the_wrong_kind_of_line_are_refused() -> None:
    rig = Rig()
    with pytest.raises(UsageError, match="tty cannot have the fault"):
        rig.world.execute(Do((Inject(ErrorFrame(name="e"), "tty"),)))
    with pytest.raises(UsageError, match="no line 'lin' in this world"):
        rig.world.execute(Do((Inject(LoseBytes(name="e"), "lin"),)))
