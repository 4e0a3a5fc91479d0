"""A world that replays hand-made observations: it keeps time, triggers and rules, and does nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from types import SimpleNamespace
from typing import Any

import pytest

from hil.bench.bench import Bench
from hil.bench.judge import Judge
from hil.codec.message import Message
from hil.conformance.register import resolve
from hil.conformance.verdict import Measurement, Verdict
from hil.protocol.gbt27930 import edition
from hil.units import Instant, Span, ms
from hil.world.observation import FrameSeen, Note, Observation, Sample
from hil.world.plan import Advance, AtInstant, Command, Do, Plan, Reply, Rule, Stimulate
from hil.world.watch import Watcher

MESSAGES = edition("2015")
PACKET_GAP = ms(10)
CM, DT = {"bms": 0x1CEC56F4, "charger": 0x1CECF456}, {"bms": 0x1CEB56F4, "charger": 0x1CEBF456}


class Replay:
    """Hands over what was to be seen up to the instant asked for, or up to a trigger."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        self.coming = sorted(observations, key=lambda each: each.t)
        self.now: Instant = 0
        self.commands: list[Command] = []
        self._watcher = Watcher(MESSAGES)
        self._fired: list[Note] = []

    def execute(self, command: Command) -> Reply:
        self.commands.append(command)
        seen: list[Observation] = []
        stopped_by: int | None = None
        if isinstance(command, Advance):
            stopped_by = self._advance(command, seen)
        elif isinstance(command, Plan):
            for rule in command.rules:
                self._watcher.add(rule.trigger, partial(self._fire, rule))
        elif isinstance(command, Do):
            stimuli = [each for each in command.actions if isinstance(each, Stimulate)]
            seen += [Note(self.now, "stimulus", f"{each.name} = {each.value:g}") for each in stimuli]
        return Reply(self.now, stopped_by, seen)

    def _fire(self, rule: Rule) -> None:
        self._fired.append(Note(self.now, "stimulus", rule.name))

    def _advance(self, command: Advance, seen: list[Observation]) -> int | None:
        hit: list[int] = []
        instants = {index: each.instant for index, each in enumerate(command.stop_on) if isinstance(each, AtInstant)}
        watches = [
            self._watcher.add(each, partial(hit.append, index))
            for index, each in enumerate(command.stop_on)
            if index not in instants
        ]
        until = min([command.until, *instants.values()])
        while self.coming and self.coming[0].t <= until and not hit:
            observation = self.coming.pop(0)
            self.now = max(self.now, observation.t)
            seen.append(observation)
            self._watcher.see(observation)
            seen += self._fired
            self._fired.clear()
        if not hit:
            self.now = max(self.now, until)
        for watch in watches:
            self._watcher.remove(watch)
        return hit[0] if hit else next((index for index, at in instants.items() if at == self.now), None)


# --- what is to be seen -----------------------------------------------------------------------------


def frame(t: Instant, message: Message, *, data: bytes | None = None, id: int | None = None) -> FrameSeen:  # noqa: A002 - the frame's own word
    """A message in a frame of its own, or something like it."""
    declared = type(message)
    identifier = declared.can_id if id is None else id
    assert identifier is not None
    return FrameSeen(t, "can0", identifier, message.encode() if data is None else data)


def each(message: Message, start: Instant, period: Span, count: int) -> list[FrameSeen]:
    """A message again and again."""
    return [frame(start + number * period, message) for number in range(count)]


def transfer(t: Instant, message: Message, *, ends: str = "acknowledged") -> list[FrameSeen]:
    """A long message of the vehicle from its RTS on; ``ends``: acknowledged, refused, aborted, or nothing."""
    data, pgn = message.encode(), type(message).pgn.to_bytes(3, "little")
    packets = -(-len(data) // 7)
    head = bytes((len(data) & 0xFF, len(data) >> 8, packets, 0xFF)) + pgn
    seen = [FrameSeen(t, "can0", CM["bms"], b"\x10" + head)]
    if ends == "refused":
        return [*seen, FrameSeen(t + PACKET_GAP, "can0", CM["charger"], bytes((0xFF, 2, 0xFF, 0xFF, 0xFF)) + pgn)]
    if ends == "nothing":
        return seen
    seen.append(FrameSeen(t + ms(1), "can0", CM["charger"], bytes((0x11, packets, 1, 0xFF, 0xFF)) + pgn))
    padded = data.ljust(7 * packets, b"\xff")
    for number in range(packets):
        part = bytes((number + 1,)) + padded[7 * number : 7 * number + 7]
        seen.append(FrameSeen(t + ms(2) + number * PACKET_GAP, "can0", DT["bms"], part))
    last = seen[-1].t + ms(1)
    if ends == "aborted":
        return [*seen, FrameSeen(last, "can0", CM["bms"], bytes((0xFF, 3, 0xFF, 0xFF, 0xFF)) + pgn)]
    return [*seen, FrameSeen(last, "can0", CM["charger"], b"\x13" + head)]


def level(name: str, *changes: tuple[Instant, float]) -> list[Sample]:
    """A signal that changes in steps."""
    return [Sample(t, name, value, value, value) for t, value in changes]


def line(name: str, *points: tuple[Instant, float]) -> list[Sample]:
    """A signal that runs straight between points."""
    found, before = [], points[0][1]
    for t, value in points:
        found.append(Sample(t, name, value, min(before, value), max(before, value)))
        before = value
    return found


class Judged:
    """A bench on a replay, and what it came to."""

    def __init__(self, *observations: Sequence[Observation], unsure: Span = 0, **readings: str) -> None:
        self.world = Replay(chain.from_iterable(observations))
        chosen = resolve({name.replace("_", "-"): choice for name, choice in readings.items()})
        self.bench = Bench(self.world, MESSAGES, Judge(uncertainty=unsure), chosen)

    @property
    def verdict(self) -> Verdict:
        return self.bench.judge.verdict

    def measured(self, name: str) -> Measurement:
        (found,) = [each for each in self.bench.judge.measurements if each.name == name]
        return found


@pytest.fixture
def judged() -> Callable[..., Any]:
    return Judged


@pytest.fixture
def see() -> SimpleNamespace:
    """Makers of observations."""
    return SimpleNamespace(frame=frame, each=each, transfer=transfer, level=level, line=line)
