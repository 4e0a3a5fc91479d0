"""How long energy may flow, and what holds it off: a rig that goes to its safe state by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hil.bench.guard import Guard, ended_by, held_back
from hil.bench.guard.modbus_reader import RegisterReader
from hil.bench.guard.readers import ConsoleReader, MakeReader
from hil.bench.guard.scpi_reader import InstrumentReader
from hil.bus.can import VirtualCan
from hil.bus.serial import Heard, VirtualSerial
from hil.codec.frame import CanFrame
from hil.codec.map_file import find_map
from hil.conformance.catalogue import requirements
from hil.conformance.verdict import CaseResult, Verdict
from hil.errors import WorldError
from hil.evidence.folder import make_ready
from hil.plant import PRESETS, Plant
from hil.protocol.gbt27930 import edition
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import make_plan
from hil.pytest_plugin.run import CaseRun
from hil.qualify.suite import suite_cases
from hil.rig import find_rig
from hil.safety.envelope import Envelope
from hil.tester.signals import PlantBridge
from hil.units import s
from hil.world.observation import BytesSeen, Note, Observation
from hil.world.plan import Advance, Close
from hil.world.virtual import VirtualWorld

# --- how long -------------------------------------------------------------------------------------


RAPI = partial(ConsoleReader, lambda current: 0.0)


class Console:
    """A guarded serial line with a console at its end that is told set-points; 10 s of energy are allowed."""

    def __init__(self, make: MakeReader = RAPI) -> None:
        self.world = VirtualWorld(0)
        self.world.add_plant(Plant(PRESETS["car-400v"], soc=40.0, temperature=25.0))
        line = VirtualSerial(self.world.queue, name="rapi", sink=self.world.see)
        Guard(self.world, Envelope(max_current=32, max_duration=10)).guard_bytes(line, make)
        self.port = line.attach("client", lambda heard: None)
        self.seen: list[Observation] = []

    def let(self, seconds: float) -> None:
        reply = self.world.execute(Advance(self.world.queue.now + s(seconds)))
        self.seen += reply.observations

    @property
    def ended(self) -> str:
        return ended_by(seen for seen in self.seen if isinstance(seen, Note))


def test_a_session_that_lasts_too_long_ends_in_the_safe_state_by_itself() -> None:
    rig = Console()
    rig.let(100)
    rig.port.write(b"$SC 16\r")
    rig.let(9)
    rig.port.write(b"$SC 10\r")  # the same session
    rig.let(100)
    assert rig.ended == "energy has flowed for 10 s, the longest session that the rig's envelope allows"
    assert rig.world.queue.now < s(115), "the wait has ended at once"
    with pytest.raises(WorldError, match="energy has flowed for 10 s"):
        rig.let(1)
    closed = rig.world.execute(Close()).observations
    assert [seen.kind for seen in closed if isinstance(seen, Note)] == ["closed"], "what its end brought is told once"
    with pytest.raises(WorldError, match="the world is closed"):
        rig.world.execute(Close())


@pytest.mark.parametrize(
    ("rig", "on", "off"),
    [
        (Console(), b"$SC 16\r", b"$SC 0\r"),
        (Console(InstrumentReader), b"VOLT 400;CURR 5\n", b"OUTP OFF\n"),
        (Console(InstrumentReader), b"CURR 5\n", b"*RST\n"),
    ],
)
def test_a_session_that_has_ended_counts_no_more(rig: Console, on: bytes, off: bytes) -> None:
    for _ in range(3):
        rig.port.write(on)
        rig.let(9)
        rig.port.write(off)
        rig.let(9)
    assert rig.ended == ""
    rig.port.write(on)
    rig.let(11)
    assert rig.ended


def test_a_demand_that_is_not_repeated_is_none_any_more() -> None:
    """BCL by hand (sheet 3.9): 400.0 V, 100.0 A."""
    world = VirtualWorld(0, edition("2015"))
    bus = VirtualCan(world.queue, name="can0", sink=world.see)
    Guard(world, Envelope(max_duration=10)).guard_can(bus, edition("2015"))
    port = bus.attach("vehicle", lambda frame, now: None)

    def demanded(seconds: int) -> list[Observation]:
        seen: list[Observation] = []
        for _ in range(seconds):
            port.send(CanFrame(0x181056F4, bytes.fromhex("A00F B80B 02")))
            seen += world.execute(Advance(world.queue.now + s(1))).observations
        return seen

    for _ in range(3):
        seen = demanded(4) + world.execute(Advance(world.queue.now + s(7))).observations
        assert not ended_by(each for each in seen if isinstance(each, Note))
    with pytest.raises(WorldError, match="energy has flowed for 10 s"):
        demanded(12)


# --- interlocks -----------------------------------------------------------------------------------

BOX = {"hello": 1, "box": "plain", "signals": {"di_3": {"kind": "actuator"}}}


class Watched:
    """A world whose box tells an interlock, and a console in it that is told set-points. Its peer speaks by hand."""

    def __init__(self, make: MakeReader = RAPI) -> None:
        self.world = VirtualWorld(0)
        self.box = VirtualSerial(self.world.queue, name="signals", sink=self.world.see)
        rapi = VirtualSerial(self.world.queue, name="rapi", sink=self.world.see)
        guard = Guard(self.world, Envelope(max_current=32), ("door",))
        guard.guard_bytes(rapi, make)
        self.heard: list[bytes] = []
        self.door: int | None = None
        self.mute = False
        self.hello: dict[str, Any] = BOX
        self.port = rapi.attach("client", lambda heard: None)
        rapi.attach("console", lambda heard: self.heard.append(heard.data))
        self.far = self.box.attach("box", self._answer)
        bridge = PlantBridge("bridge", "signals", self.world.sense, (), safe=(), interlocks={"door": "di_3"})
        self.world.add_byte_node(bridge, self.box)
        self.seen: list[Observation] = []

    def _answer(self, heard: Heard) -> None:
        for line in filter(bytes.strip, heard.data.split(b"\n")):
            asked = json.loads(line)
            known = {"di_3": self.door} if self.door is not None else {}
            answer = self.hello if "hello" in asked else {"values": known} if "subscribe" in asked else {"ok": "set"}
            if not self.mute:
                self.say({**answer, "id": asked["id"]})

    def say(self, message: object) -> None:
        self.far.write(json.dumps(message).encode() + b"\n")

    def tell(self, door: int) -> None:
        self.door = door
        self.say({"event": {"di_3": door}})

    def let(self, seconds: float) -> None:
        self.seen += self.world.execute(Advance(self.world.queue.now + s(seconds))).observations

    @property
    def ended(self) -> str:
        return ended_by(self.notes)

    @property
    def notes(self) -> list[Note]:
        return [seen for seen in self.seen if isinstance(seen, Note)]


def test_nothing_releases_before_an_interlock_is_told_closed() -> None:
    rig = Watched(lambda: RegisterReader(find_map("keba-p30"), lambda current: 0.0, tcp=False))
    rig.let(0.5)
    permit, refuse = (bytes.fromhex(f"FF 06 1396 {value} 0000") for value in ("0001", "0000"))
    for data in (permit, refuse):
        rig.port.write(data)
        rig.let(0.5)
    assert b"".join(rig.heard) == refuse
    assert held_back(rig.notes) == "enable of 1.0 was not sent: interlock door is not known to be closed"


def test_nothing_energises_before_an_interlock_is_told_closed() -> None:
    rig = Watched()
    rig.let(0.5)
    rig.port.write(b"$SC 16\r")
    rig.let(0.5)
    assert rig.heard == []
    assert held_back(rig.notes) == "$SC of 16.0 A was not sent: interlock door is not known to be closed"
    rig.tell(1)
    rig.let(0.2)
    rig.port.write(b"$SC 16\r")
    rig.let(0.5)
    assert rig.heard == [b"$SC 16\r"]
    assert rig.ended == ""


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        pytest.param(lambda rig: rig.tell(0), "interlock door opened", id="it opens"),
        pytest.param(
            lambda rig: setattr(rig, "mute", True),
            "interlock door opened: the box on the signals port was lost: silent",
            id="the box is lost",
        ),
        pytest.param(
            lambda rig: None, "interlock door opened: the box has told nothing of it for 1.5 s", id="it is told no more"
        ),
    ],
)
def test_an_interlock_that_opens_ends_all_at_once(happens: Callable[[Watched], None], told: str) -> None:
    rig = Watched()
    rig.let(0.2)
    rig.tell(1)
    rig.let(0.2)
    assert rig.ended == ""
    happens(rig)
    rig.let(100)
    assert rig.ended == told
    assert rig.world.queue.now < s(5)
    with pytest.raises(WorldError, match=told):
        rig.let(1)


def test_one_that_is_open_from_the_begin_is_told_as_such() -> None:
    rig = Watched()
    rig.door = 0
    rig.let(1)
    assert rig.ended == "interlock door is open"


def test_a_box_without_it_counts_as_open() -> None:
    for kind, signals in (("none", {}), ("sensor", {"di_3": {"kind": "sensor"}})):
        rig = Watched()
        rig.hello = {**BOX, "signals": signals}
        rig.let(1)
        assert rig.ended == "interlock door is open: the box tells no di_3", kind


# --- whole cases on a virtual rig ------------------------------------------------------------------


def judged(folder: Path, case: str, **envelope: float) -> CaseResult:
    """A case on the virtual rig with an envelope."""
    limits = {"max_voltage": 1000, "max_current": 250, "max_power": 250_000, "max_duration": 3600} | envelope
    told = "\n".join(f"{name} = {value}" for name, value in limits.items())
    rig = folder / "rig.toml"
    rig.write_text(f"{find_rig('virtual').read_text('utf-8')}\n[envelope]\n{told}\n", "utf-8")
    plan = make_plan(Options(rig=str(rig), case=(case,), out=str(folder)))
    make_ready(plan.out)
    run = next(run for each in requirements().values() for run in plan.runs(each) if plan.selects(run))
    opened = CaseRun(run, plan)
    error: BaseException | None = None
    try:
        suite_cases()[run.requirement.id](opened.bench, run.variant)
    except Exception as raised:
        error = raised
    return opened.conclude(error)


LONG = "energy has flowed for 2 s, the longest session that the rig's envelope allows"


@pytest.mark.parametrize(
    ("case", "envelope", "verdict", "reason"),
    [
        pytest.param("LL.13", {}, Verdict.PASS, "", id="within"),
        pytest.param("LL.13", {"max_duration": 2}, Verdict.ERROR, LONG, id="BCL for too long"),
        pytest.param("LL.13", {"max_current": 20}, Verdict.INCONCLUSIVE, "a demand of ", id="BCL beyond"),
        pytest.param("LP.20[quick-stops]", {"max_current": 20}, Verdict.PASS, "", id="a family is made within it"),
        pytest.param("AP.03", {"max_current": 5}, Verdict.INCONCLUSIVE, "none of 40 profiles", id="generated beyond"),
        pytest.param("MB.01", {"max_duration": 2}, Verdict.ERROR, LONG, id="a register for too long"),
        pytest.param("CP.12[down]", {"max_current": 15}, Verdict.INCONCLUSIVE, "limit_set of 20.0 A", id="a limit"),
        pytest.param("CP.05", {"max_duration": 2}, Verdict.ERROR, LONG, id="a closed contactor for too long"),
        pytest.param(
            "MB.04", {"max_current": 32}, Verdict.INCONCLUSIVE, "socket1.set_current of 63.0 A", id="to be refused"
        ),
        pytest.param(
            "SC.02[above]", {"max_current": 32}, Verdict.INCONCLUSIVE, "$SC of 33.0 A", id="to be refused by NK"
        ),
    ],
)
def test_a_case_is_judged_by_what_the_envelope_left_of_it(
    case: str, envelope: dict[str, float], verdict: Verdict, reason: str, tmp_path: Path
) -> None:
    result = judged(tmp_path, case, **envelope)
    assert (result.verdict, result.reason[: len(reason)]) == (verdict, reason)


# --- last words -----------------------------------------------------------------------------------


def test_an_off_goes_out_on_a_line_that_is_shut() -> None:
    """A begin has gone out of which the rest is held back; nothing else does, but for the last words."""
    rig = Console(InstrumentReader)
    for said in (b"CURR 3", b"3\n", b"CURR 1\n", b"\nINP OFF\n"):
        rig.port.write(said)
    rig.world.parting = True
    for said in (b"CURR 1;INP OFF\n", b"\nINP OFF\n"):
        rig.port.write(said)
    rig.let(1)
    gone = [seen.data for seen in rig.seen if isinstance(seen, BytesSeen)]
    assert gone == [b"CURR 3", b"\nINP OFF\n"]


def test_the_least_goes_out_where_nothing_else_may() -> None:
    """A charger whose map allows no pause: 6 A are less than what it was told before the interlock opened."""
    rig = Watched()
    rig.let(0.2)
    rig.port.write(b"$SC 6\r")
    rig.let(0.2)
    assert not rig.heard
    rig.world.parting = True
    rig.port.write(b"$SC 33\r")
    rig.port.write(b"$SC 6\r")
    rig.let(0.2)
    assert rig.heard == [b"$SC 6\r"], "and the limits hold as ever"
