"""A bench on real ports: its world in a process of its own, and what that process came to.

Nothing here knows what is at the other end: a charger, a controller on a desk, or the reference in another process.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from hil.bench.core import Sink, ignore
from hil.bench.guard import ended_by, guard_world
from hil.bench.instruments import line_of, reader_of
from hil.bench.judge import Judge
from hil.bench.links import LinkLostError, Links
from hil.bench.opening import Carried, Lines, Live, kind_of
from hil.bench.setup import Setup
from hil.errors import HilError, RigError, WorldError
from hil.plant.observe import Sample
from hil.protocol.gbt27930 import edition
from hil.protocol.signals import INTERLOCK
from hil.rig import Rig
from hil.rig.ports import PortSettings
from hil.safety.envelope import Envelope
from hil.tester.signals import DELAY_KIND, RESOLUTIONS, PlantBridge
from hil.transport.can_line import CLOCK_STEP, SLOW
from hil.transport.live import LiveWorld
from hil.transport.own_frames import NO_ECHO
from hil.transport.ports import open_line
from hil.transport.process import Check, LiveProcess, nothing
from hil.transport.tcp_line import REFUSED
from hil.units import SECOND, Instant, Span, ms, s, seconds
from hil.world.observation import BytesSeen, FrameSeen, Note, Observation, Sent
from hil.world.pipe import GoneError
from hil.world.plan import Advance, Close, Command, Do, OnNote, Reply, Tell

SIGNALS = "signals"
"""Role, and name of the line that plays it."""
BOX_WITHIN: Span = s(10)
"""For the box on the signals port to say hello."""
INTERLOCK_WITHIN: Span = s(3)
"""For it to tell an interlock."""
_ABOUT: Span = ms(100)
"""What the bench sent so near to an instant has to do with it."""
_STEADY: Span = ms(1200)
"""A DUT whose signals have stood for so long is at rest: longer than one takes to come back with the mains."""
_STEADY_WITHIN: Span = s(20)
"""One that does not come to rest by then is judged as it is."""
_LOOK: Span = ms(200)
_UNTOLD: Span = s(3600)
"""So unsure is when a frame was sent that the driver never showed."""
REST_WITHIN: Span = s(90)
"""A session that was left in its middle has ended by then: reconnections and all."""


@dataclass(frozen=True)
class LiveSetup:
    """Everything that the world's process makes the bench from; plain values, which cross to it."""

    kind: str
    setup: Setup
    ports: Mapping[str, PortSettings]
    """By role."""
    names: Mapping[str, str]
    """Plant signal to its name on the box, where it differs."""
    instruments: Mapping[str, PortSettings] = field(default_factory=dict)
    """By name of the instrument."""
    envelope: Envelope | None = None
    """What may be demanded of the rig."""
    interlocks: Mapping[str, str] = field(default_factory=dict)
    """Those of the envelope that the box tells, with their names there."""


def build_live(live: LiveSetup) -> LiveWorld:
    """The bench's side of a kind on real ports; raises :class:`RigError` for a port that cannot be opened."""
    sides = kind_of(live.kind).live
    if sides is None:
        raise RigError(f"benches of kind {live.kind} cannot stand on real ports")
    world = LiveWorld(live.setup.seed, edition(live.setup.edition))
    if sides.plant is not None:
        world.add_plant(sides.plant(world, live.setup))
    lines = {
        role: open_line(world, replace(settings, name=sides.line_of(role, settings.type) or role))
        for role, settings in live.ports.items()
        if sides.line_of(role, settings.type) or (role == SIGNALS and _has_box(live, sides))
    }
    claims = [claim for claim in live.setup.instruments if claim.name in live.instruments]
    for claim in claims:
        open_line(world, replace(live.instruments[claim.name], name=line_of(claim)))
    if live.envelope is not None:
        guard_world(world, kind_of(live.kind), live.setup, live.envelope, tuple(live.interlocks))
    sides.surround(world, live.setup, Lines(lines))
    for claim in claims:
        line = world.line(line_of(claim))
        reader = reader_of(claim, line.name, tcp=line.kind == "tcp")
        world.add_byte_node(reader, line)  # type: ignore[arg-type]  # a rig file lets no instrument be read over CAN
    if SIGNALS in lines:
        _add_bridge(world, live, sides.carried)
    return world


def _has_box(live: LiveSetup, sides: Live) -> bool:
    """Whether the bench needs the box on the signals port: for the plant that it carries, or to watch interlocks."""
    return SIGNALS in live.ports and (sides.carried is not None or bool(live.interlocks))


def _add_bridge(world: LiveWorld, live: LiveSetup, carried: Carried | None) -> None:
    """Carry the plant over the signals port, and watch the interlocks there."""
    line = world.line(SIGNALS)
    bridge = PlantBridge(
        "plant bridge",
        SIGNALS,
        world.sense,
        () if carried is None else carried.signals,
        safe=() if carried is None else carried.safe,
        names={} if carried is None else live.names,
        interlocks=live.interlocks,
        tcp=line.kind == "tcp",
    )
    world.add_byte_node(bridge, line)  # type: ignore[arg-type]  # a signals port is no CAN bus


class LiveBenchWorld:
    """A live world as a bench drives it: keeps the judge's uncertainty true to how late the bench itself was.

    ``sink`` is given what is seen until the DUT is at rest, as it comes. ``check`` is asked while the bench waits and
    raises what ends that. Raises :class:`RigError` when a port cannot be opened, the box does not answer, or the DUT
    does not come to rest.
    """

    def __init__(self, live: LiveSetup, judge: Judge, sink: Sink = ignore, check: Check = nothing) -> None:
        self._judge = judge
        self._sink = sink
        self._instruments = {line_of(claim) for claim in live.setup.instruments}
        """Lines on which no DUT is."""
        lines = [port.uncertainty for role, port in live.ports.items() if role != SIGNALS]
        self._stamps: Span = max(lines, default=0)
        box = _box_of(live)
        sides = kind_of(live.kind).live
        self._holds = () if sides is None or box is None else sides.holds
        """Nodes that have no last words where a case ends in order."""
        self._signals: Span = self._stamps + (0 if box is None else box.uncertainty)
        self._slowest: Span = 0
        self._delay: Span = 0
        """The longest round trips of an adapter that does not stamp itself, and of the box."""
        self._sent: list[tuple[Instant, Span]] = []
        """When each frame of the bench was due, in order, and how late it was."""
        self.links = Links(_line_names(live))
        self.now: Instant = 0
        self.before: list[Observation] = []
        """What was seen until the DUT was at rest."""
        judge.stamps, judge.signals, judge.late = self._stamps, self._signals, self._late_about
        self._process = LiveProcess(partial(build_live, live), check)
        try:
            if box is not None:
                judge.untold = RESOLUTIONS
                self._meet_the_box(box)
            self._await_interlocks(live.interlocks)
            self._await_rest(live.kind)
            if box is not None:
                self._await_signals(live.kind)
        except BaseException:
            with suppress(HilError):  # what ended it before is the cause, and is told
                sink(self._process.execute(Close()).observations)
            raise

    @property
    def pid(self) -> int:
        """Id of the world's process."""
        return self._process.pid

    def execute(self, command: Command) -> Reply:
        """As every world does, but a wait ends where a port is lost; commands after that, but for the last one, raise
        :class:`LinkLostError`."""
        if self.links.lost and not isinstance(command, Close):
            raise LinkLostError(self.links.lost)
        held = self._hold() if isinstance(command, Close) else []
        asked = len(command.stop_on) if isinstance(command, Advance) else 0
        if isinstance(command, Advance):
            command = Advance(command.until, (*command.stop_on, *self.links.ends))
        reply = self._process.execute(command)
        self.now = reply.now
        for seen in (*held, *reply.observations):
            if type(seen) is Sent:
                insort(self._sent, (seen.t, seen.late))
            elif type(seen) is Note and not isinstance(command, Close):  # what its end brings is nothing to the case
                self._take(seen)
        ended = reply.stopped_by is not None and reply.stopped_by >= asked
        return Reply(reply.now, None if ended else reply.stopped_by, held + reply.observations)

    def _hold(self) -> list[Observation]:
        """A case ends in order: the plug is out, and the next one may know the DUT by its pins alone."""
        if not self._holds or self.links.lost:
            return []
        try:
            return self._process.execute(Do(tuple(Tell(node, "hold") for node in self._holds))).observations
        except GoneError:
            raise
        except WorldError:
            return []  # it has ended by itself, and said its last words

    def _take(self, note: Note) -> None:
        self.links.take(note)
        if note.kind == CLOCK_STEP and self._judge.moved is None:
            self._judge.moved = note.t - _ABOUT  # stamps of before were still on their way
        elif note.kind == NO_ECHO:
            insort(self._sent, (round(float(note.details["sent_s"]) * SECOND), _UNTOLD))
        elif note.kind == SLOW:
            self._take_slow(note)
        elif note.kind == DELAY_KIND:
            # What a controller drives is stamped when the port has brought it.
            self._delay = int(note.details["round_trip"])
            self._judge.lag = self._signals + self._delay + int(note.details["period"])
        self._judge.stamps = max(self._stamps, self._slowest) + self.links.moved
        self._judge.signals = self._signals + self._delay + self.links.moved

    def _take_slow(self, seen: Note) -> None:
        """What an adapter takes to answer: it sends as late as that, and unless it stamps itself, is heard as late."""
        round_trip = round(float(seen.details["round_trip_s"]) * SECOND)
        if seen.details["clock"] == "hardware":
            insort(self._sent, (seen.t - round_trip, round_trip))
        else:
            self._slowest = max(self._slowest, round_trip)

    def _late_about(self, start: Instant) -> Span:
        """The latest of what the bench sent about an instant."""
        first = bisect_left(self._sent, (start - _ABOUT, 0))
        last = bisect_left(self._sent, (start + _ABOUT, 0))
        return max((late for _, late in self._sent[first:last]), default=0)

    def _meet_the_box(self, port: PortSettings) -> None:
        reply = self._advance(BOX_WITHIN, OnNote("signals", "up"))
        if reply.stopped_by is None and not any(_is_up(seen) for seen in self.before):
            refusals = (seen for seen in reversed(self.before) if isinstance(seen, Note) and seen.kind == REFUSED)
            why = next((f": {note.details['why']}" for note in refusals if note.what == SIGNALS), "")
            raise RigError(f"port {port.name} ({port.place}): no box answered within {seconds(BOX_WITHIN):g} s{why}")

    def _await_interlocks(self, interlocks: Iterable[str]) -> None:
        """Nothing begins before each is told closed; one that is open has ended the world, which tells so."""
        for name in interlocks:
            if any(isinstance(seen, Note) and (seen.kind, seen.what) == (INTERLOCK, name) for seen in self.before):
                continue
            if self._advance(INTERLOCK_WITHIN, OnNote(INTERLOCK, name)).stopped_by is None and not self._ended():
                raise RigError(f"interlock {name}: the box has not told it within {seconds(INTERLOCK_WITHIN):g} s")
        if why := self._ended():
            raise WorldError(why)  # as the next command does

    def _ended(self) -> str:
        return ended_by(seen for seen in self.before if isinstance(seen, Note))

    def _await_rest(self, kind: str) -> None:
        """A DUT in the middle of something is given the time to end it: the plug is out."""
        sides = kind_of(kind).live
        give_up = self.now + REST_WITHIN
        while sides is not None and sides.quiet:
            reply = self._advance(sides.quiet)
            if not any(_of_others(seen, self._instruments) for seen in reply.observations):
                return
            if self.now > give_up:
                raise RigError(
                    f"the DUT did not come to rest: it still sends {seconds(REST_WITHIN):g} s after the plug was pulled"
                )

    def _await_signals(self, kind: str) -> None:
        """What the time without a bench left in the DUT, as a fault for want of mains and earth, may pass."""
        sides = kind_of(kind).live
        give_up, steady = self.now + _STEADY_WITHIN, self.now
        while sides is not None and sides.rest and self.now < min(give_up, steady + _STEADY):
            self._advance(_LOOK)
            levels = {seen.name: seen.value for seen in self.before if isinstance(seen, Sample)}
            if not all(low <= levels.get(name, low) <= high for name, low, high in sides.rest):
                steady = self.now

    def _advance(self, span: Span, *triggers: OnNote) -> Reply:
        reply = self.execute(Advance(self.now + span, triggers))
        self.before += reply.observations
        self._sink(reply.observations)
        if self.links.lost:
            raise LinkLostError(self.links.lost)
        return reply


def _box_of(live: LiveSetup) -> PortSettings | None:
    """The signals port, where benches of this kind meet their plant's controller through one."""
    sides = kind_of(live.kind).live
    return live.ports[SIGNALS] if sides is not None and _has_box(live, sides) else None


def _line_names(live: LiveSetup) -> list[str]:
    """The lines of its world."""
    sides = kind_of(live.kind).live
    lines = [(role, None if sides is None else sides.line_of(role, port.type)) for role, port in live.ports.items()]
    return [*(line or role for role, line in lines), *(line_of(claim) for claim in live.setup.instruments)]


def _is_up(seen: Observation) -> bool:
    return isinstance(seen, Note) and (seen.kind, seen.what) == ("signals", "up")


def _of_others(seen: Observation, instruments: Collection[str] = ()) -> bool:
    """Something that no node of the bench sent, on a line where the DUT is."""
    if isinstance(seen, BytesSeen):
        return not seen.sender and seen.port != SIGNALS and seen.port not in instruments
    return isinstance(seen, FrameSeen) and not seen.sender


def live_setup(kind: str, setup: Setup, rig: Rig) -> LiveSetup:
    """The bench of a kind on a rig's ports."""
    ports = {role: rig.ports[port] for role, port in rig.roles.items()}
    own = {claim.name: rig.ports[claim.port] for claim in rig.instruments.values() if claim.port}
    shared = sorted(set(rig.roles.values()) & {claim.port for claim in rig.instruments.values()})
    if shared:
        raise RigError(f"port {', '.join(shared)} plays a role and is an instrument's too: allowed is one of both")
    return LiveSetup(kind, setup, ports, dict(rig.signals), own, rig.envelope, dict(rig.interlocks))
