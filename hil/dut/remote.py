"""A plant that is elsewhere: what a controller knows of it comes and goes through a signals port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from hil.errors import UsageError
from hil.plant.observe import Sample
from hil.plant.record import Change, Recorder
from hil.plant.signals import PlantSignal, declared, on_port
from hil.protocol.signals import Garbled, Server, Signal
from hil.units import Instant
from hil.world.bytenode import Send, Wish
from hil.world.observation import Note

KIND = "signals"
"""Kind of the notes."""
_SHOWN = 80
"""Bytes of a garbled line that are shown."""


class RemotePlant:
    """The plant of a world whose controllers are met by a bench, and the box's node on ``line``.

    To be added to its world twice: as the plant, and as a node that serves a TCP link or is on a serial line. Sensors
    hold what the bench last set; before that, and when the bench has gone or is silent for longer than it has
    announced, they are at rest: 0, or the end of the range next to it, as those of a controller without power. Driven
    actuators are told to whoever has subscribed; ``safe`` lists them with their safe values, in order, for the end of
    the world. ``names`` gives signals other names on the port than the plant's. What is not declared for ``side``, and
    a name that two signals share, raise :class:`UsageError`. ``closed`` are interlocks by their names on the port: they
    are told closed, as nothing here could open them.

    Notes of kind ``signals``: ``at rest`` (``why``: ``closed`` or ``silent``), ``garbled`` (``bytes``, ``why``).
    """

    def __init__(
        self,
        name: str,
        line: str,
        signals: Iterable[PlantSignal],
        *,
        safe: Iterable[tuple[str, float]],
        side: str = "charger",
        names: Mapping[str, str] | None = None,
        box: str = "hil",
        closed: Iterable[str] = (),
    ) -> None:
        self.name = name
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._line = line
        self._plant = on_port(signals, side, names or {})
        self._signals = {each.name: each for each in self._plant.values()}
        self._names = {each.name: name for name, each in self._plant.items()}
        interlocks = {name: Signal("actuator", doc="interlock") for name in closed}
        own = {name: _on_the_port(each) for name, each in self._plant.items()}
        self.server = Server(own | interlocks, box=box)
        for name in interlocks:
            self.server.report(name, 1.0, 0)
        self._safe = [(actuator, value) for actuator, value in safe if actuator in self._signals]
        sensors = [each.name for each in self._signals.values() if each.kind == "sensor"]
        self._recorder = Recorder(frozenset(sensors))
        self._levels = self._recorder.levels
        for sensor in sensors:
            self._recorder.level(0, sensor, self.server.values[self._names[sensor]])

    # --- plant ----------------------------------------------------------------------------------------

    def sense(self, name: str, now: Instant) -> float:
        """A sensor's value as the bench last set it; at rest without a bench."""
        value = self._levels.get(name)
        if value is None:
            raise UsageError(f"{declared(name, 'sensor', among=self._signals).name} has no value")
        return value

    def actuate(self, name: str, value: float, now: Instant) -> None:
        """Tell the bench of an actuator, clamped to its range as hardware would."""
        signal = declared(name, "actuator", among=self._signals)
        if not isfinite(value):
            raise UsageError(f"{name}: {value} is not a number")
        self.server.report(self._names[name], min(max(float(value), signal.low), signal.high), now)
        self._settle(now)

    def stimulate(self, name: str, value: float, now: Instant) -> None:
        """Raises :class:`UsageError`: stimuli are for the bench's plant."""
        self.check_stimulus(name, value)

    def check_stimulus(self, name: str, value: float) -> None:
        """Raises :class:`UsageError`: stimuli are for the bench's plant."""
        raise UsageError(f"{name} = {value:g}: the plant is the bench's, its stimuli are applied there")

    def go_safe(self, now: Instant) -> None:
        """Tell the bench of actuators in their safe state."""
        for name, value in self._safe:
            self.actuate(name, value, now)

    def take_samples(self) -> list[Sample]:
        """What sensors were set to since the last call."""
        return self._recorder.take_samples()

    def take_changes(self) -> list[Change]:
        """Every change of a sensor since the last call."""
        return self._recorder.take_changes()

    # --- node -----------------------------------------------------------------------------------------

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes of a bench."""
        self.server.receive(channel, data, now, flaw)
        self._settle(now)

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A bench has come: it will speak first."""

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A bench has gone."""
        self.server.close(channel, now)
        self._settle(now)

    def signal(self, name: str, value: float, now: Instant) -> None:
        """What changes here came from here."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """It takes no orders: any raises :class:`UsageError`."""
        raise UsageError(f"{self.name} takes no orders, {verb!r} was given")

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        self.server.wake(now)
        self._settle(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        return self.server.next_deadline()

    def _settle(self, now: Instant) -> None:
        for event in self.server.take_events():
            if isinstance(event, Garbled):
                details = {"port": self._line, "bytes": event.raw[:_SHOWN].hex(" ").upper(), "why": event.why}
                self.notes.append(Note(now, KIND, "garbled", dict(details)))
                continue
            for name, value in event.values.items():
                self._recorder.level(now, self._plant[name].name, value)
            if event.why != "set":
                self.notes.append(Note(now, KIND, "at rest", {"port": self._line, "why": event.why}))
        self.wishes += [Send(self._line, line, channel) for channel, line in self.server.take_output(now)]


def _on_the_port(signal: PlantSignal) -> Signal:
    assert signal.kind != "stimulus", "stimuli do not cross the port"
    return Signal(signal.kind, signal.unit, signal.low, signal.high, signal.doc)
