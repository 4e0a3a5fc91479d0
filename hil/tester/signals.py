"""Carries the plant to a controller elsewhere: sensors go out through a signals port, actuators come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hil.errors import UsageError
from hil.plant.signals import PlantSignal, on_port
from hil.protocol.signals import (
    INTERLOCK,
    Client,
    ClientSettings,
    Delay,
    Down,
    Event,
    Garbled,
    Refusal,
    Reported,
    Signal,
    Up,
)
from hil.units import FAR, Instant, Span, ms, seconds
from hil.world.bytenode import Open, Send, Shut, Wish
from hil.world.node import Sense
from hil.world.observation import Note, Scalar

KIND = "signals"
"""Kind of the notes about the port."""
DELAY_KIND = "port_delay"
"""Kind of the notes that tell how long the port takes."""
RESOLUTIONS: Mapping[str, float] = {
    "": 0.0,
    "V": 0.01,
    "A": 0.01,
    "mA": 0.1,
    "ohm": 1.0,
    "W": 1.0,
    "kWh": 0.0001,
    "Hz": 1.0,
    "%": 0.1,
    "°C": 0.1,
}
"""By unit: a value that has moved by no more is not sent again."""
CLOSED = 0.5
"""An interlock's value from which on it is closed."""
_NOTEWORTHY = 1.1
"""A round trip is noted when it is so many times the longest one noted."""
_SHOWN = 80
"""Bytes of a garbled line that are shown."""


class BridgeSettings(msgspec.Struct, frozen=True):
    """Spans in ns; ``resolutions``, by unit, take the place of ``RESOLUTIONS``."""

    period: Span = ms(10)
    """Between two looks at the analogue sensors."""
    retry: Span = ms(500)
    """Between two attempts to reach a box."""
    resolutions: Mapping[str, float] = msgspec.field(default_factory=lambda: RESOLUTIONS)
    port: ClientSettings = ClientSettings()

    def __post_init__(self) -> None:
        """A span that is not above 0 raises :class:`UsageError`."""
        if self.period <= 0 or self.retry <= 0:
            raise UsageError(f"period {self.period} ns, retry {self.retry} ns: above 0 is allowed")


class PlantBridge:
    """A node on ``line``; ``tcp`` says that it is a TCP link, whose client it is.

    Of ``signals`` it carries the sensors and actuators of ``side`` that the box has too, by the same name or by
    the one that ``names`` (plant signal to name on the box) gives. A sensor that is switched is set at once, together
    with every other one that has moved; the rest is looked at each period and set when it has moved by more than its
    resolution. ``safe`` lists actuators with their safe values, in order: they are set when no answer of the box has
    come for the settings' silence. A name that is not declared, or that two signals share, raises
    :class:`UsageError`.

    Notes of kind ``signals``: ``up`` (``box``, ``sensors`` and ``actuators`` carried), ``missing`` (``names`` that
    the box has not), ``unfit`` (``name``, ``why``), ``unreachable`` (``why``, before it was up for the first
    time), ``lost`` (``why``), ``safe state``, ``refused`` (``error``,
    ``names``), ``garbled`` (``bytes``, ``why``). Of kind ``port_delay``, with the line's name: ``round_trip``, the
    longest one so far from a set to its answer, and ``period``, both in ns.

    ``interlocks`` (name to name on the box) are told too, by notes of kind ``interlock``: each change, and that one is
    open because nobody knows better (the box has no such actuator, is lost, or tells no more).
    """

    def __init__(
        self,
        name: str,
        line: str,
        sense: Sense,
        signals: Iterable[PlantSignal],
        *,
        safe: Iterable[tuple[str, float]],
        side: str = "charger",
        names: Mapping[str, str] | None = None,
        tcp: bool = False,
        interlocks: Mapping[str, str] | None = None,
        settings: BridgeSettings | None = None,
    ) -> None:
        self.name = name
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self.settings = settings or BridgeSettings()
        self.client = Client(self.settings.port)
        self._line, self._tcp = line, tcp
        self._channel: int | None = None if tcp else 0
        self._sense = sense
        self._plant = on_port(signals, side, names or {})
        theirs = {each.name for each in self._plant.values() if each.kind == "actuator"}
        self._safe = [(actuator, value) for actuator, value in safe if actuator in theirs]
        self._carried: dict[str, tuple[PlantSignal, Signal]] = {}
        """By the box's name, what both have, since the box is up."""
        self._told: dict[str, float] = {}
        """By the box's name, what was last put of sensors."""
        self._driven: dict[str, float] = {}
        """By the plant's name, what the box last drove."""
        self._missed = "unreachable"
        """What the next failure is noted as; empty while it would be no news."""
        self._open_at: Instant = 0
        self._look_at: Instant = FAR
        self._switched = False
        """A sensor was switched: what has moved is set without waiting for the line."""
        self._safe_at: Instant = FAR
        self._longest = 0.0
        self._interlocks = dict(interlocks or {})
        self._closed: dict[str, bool] = {}
        """By interlock, as it was last noted."""
        self._stale_at: Instant = FAR
        """When the box should have told the interlocks again."""

    # --- node -----------------------------------------------------------------------------------------

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes of the box."""
        if channel == self._channel:
            self.client.receive(data, now, flaw)
            self._settle(now)

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """The connection is there."""
        if self._channel is not None:
            self.wishes.append(Shut(self._line, channel))  # a later one was there before it
            return
        self._channel, self._open_at = channel, FAR
        self.client.open(now)
        self._settle(now)

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """The connection has ended, or was refused."""
        if channel == self._channel:
            self._channel = None
            self.client.close(now, kind)
        elif self._channel is None:
            self._lose(kind, now)
        self._settle(now)

    def signal(self, name: str, value: float, now: Instant) -> None:
        """A sensor of the plant was switched: the box hears of it once everything of this instant has happened."""
        if any(plant.name == name and plant.kind == "sensor" for plant, _ in self._carried.values()):
            self._look_at, self._switched = now, True

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """It takes no orders: any raises :class:`UsageError`."""
        raise UsageError(f"{self.name} takes no orders, {verb!r} was given")

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        if now >= self._open_at:
            self._open(now)
        self.client.wake(now)
        self._settle(now)
        if now >= self._safe_at:
            self._go_safe(now)
        if now >= self._stale_at:
            self._open_all(f"the box has told nothing of it for {seconds(self._patience):g} s", now)
        if now >= self._look_at:
            self._look(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        due = self.client.next_deadline()
        nearest = min(self._open_at, self._look_at, self._safe_at, self._stale_at, FAR if due is None else due)
        return None if nearest == FAR else nearest

    # --- the line -------------------------------------------------------------------------------------

    def _open(self, now: Instant) -> None:
        """Reach for the box; if nothing comes of it, again later."""
        if self._tcp:
            self._open_at = now + self.settings.port.silence
            self.wishes.append(Open(self._line))
        else:
            self._open_at = FAR
            self.client.open(now)

    def _lose(self, why: str, now: Instant) -> None:
        if self._tcp and self._channel is not None:
            self.wishes.append(Shut(self._line, self._channel))
            self._channel = None
        if self._missed:
            self._note(now, self._missed, why=why)
        if self._missed and self._driven:
            self._safe_at = max(now, self.client.heard + self.settings.port.silence)
        if self._missed == "lost":
            self._open_all(f"the box on the signals port was lost: {why}", now)
        self._missed = ""
        self._carried, self._look_at = {}, FAR
        self._open_at = now + self.settings.retry

    def _settle(self, now: Instant) -> None:
        for event in self.client.take_events():
            self._take(event, now)
        output = self.client.take_output()
        if output and self._channel is not None:
            self.wishes.append(Send(self._line, output, self._channel))

    def _take(self, event: Event, now: Instant) -> None:
        if isinstance(event, Up):
            self._up(event, now)
        elif isinstance(event, Reported):
            self._drive(event.values)
            self._tell_interlocks(event.values, now)
        elif isinstance(event, Delay):
            self._measure(event.round_trip, now)
        elif isinstance(event, Down):
            self._lose(event.why, now)
        elif isinstance(event, Refusal):
            self._note(now, "refused", error=event.error, names=", ".join(event.names))
        else:
            assert isinstance(event, Garbled), "every other kind of event stands above"
            self._note(now, "garbled", bytes=event.raw[:_SHOWN].hex(" ").upper(), why=event.why)

    def _measure(self, round_trip: Span, now: Instant) -> None:
        if round_trip > self._longest * _NOTEWORTHY:
            self._longest = round_trip
            details: dict[str, Scalar] = {"round_trip": round_trip, "period": self.settings.period}
            self.notes.append(Note(now, DELAY_KIND, self._line, details))

    def _note(self, now: Instant, what: str, **details: Scalar) -> None:
        self.notes.append(Note(now, KIND, what, {"port": self._line, **details}))

    # --- the plant ------------------------------------------------------------------------------------

    def _up(self, up: Up, now: Instant) -> None:
        self._missed = "lost"
        self._told.clear()
        self._carried = {}
        for name, plant in self._plant.items():
            signal = up.signals.get(name)
            why = "" if signal is None else unfit(plant, signal)
            if why:
                self._note(now, "unfit", name=name, why=why)
            elif signal is not None:
                self._carried[name] = plant, signal
        missing = ", ".join(name for name in self._plant if name not in up.signals)
        if missing:
            self._note(now, "missing", names=missing)
        actuators = [name for name, (plant, _) in self._carried.items() if plant.kind == "actuator"]
        self._note(now, "up", box=up.box, sensors=len(self._carried) - len(actuators), actuators=len(actuators))
        self._look(now)
        told = [
            name for name in self._interlocks.values() if name in up.signals and up.signals[name].kind == "actuator"
        ]
        for interlock, name in self._interlocks.items():
            if name not in told:
                self._interlock(interlock, False, f"the box tells no {name}", now)
        if actuators or told:
            self.client.subscribe([*actuators, *told], now)
        if told:
            self._stale_at = now + self._patience

    def _look(self, now: Instant) -> None:
        """Put every sensor that has moved, and look again a period later."""
        moved = {}
        for name, (plant, signal) in self._carried.items():
            if plant.kind != "sensor":
                continue
            value = min(max(self._sense(plant.name, now), signal.low), signal.high)
            told = self._told.get(name)
            if told is None or abs(value - told) > self._resolution(plant):
                moved[name] = value
        if moved:
            self._told |= moved
            self.client.put(moved, now, urgent=self._switched)
        self._switched = False
        self._look_at = now + self.settings.period
        self._settle(now)

    def _resolution(self, plant: PlantSignal) -> float:
        return 0.0 if plant.steps else self.settings.resolutions.get(plant.unit, 0.0)

    def _drive(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            carried = self._carried.get(name)
            if carried is None or carried[0].kind != "actuator":
                continue
            actuator = carried[0].name
            self._safe_at = FAR
            if self._driven.get(actuator) != value:
                self._driven[actuator] = value
                self.actuations.append((actuator, value))

    # --- interlocks -----------------------------------------------------------------------------------

    @property
    def _patience(self) -> Span:
        """A box that tells its values again and again has missed some of these times by then."""
        return 3 * self.settings.port.every

    def _tell_interlocks(self, values: Mapping[str, float], now: Instant) -> None:
        told = {interlock: values[name] for interlock, name in self._interlocks.items() if name in values}
        for interlock, value in told.items():
            self._interlock(interlock, value >= CLOSED, "", now)
        if len(told) == len(self._interlocks):
            self._stale_at = now + self._patience

    def _open_all(self, why: str, now: Instant) -> None:
        self._stale_at = FAR
        for interlock in self._interlocks:
            self._interlock(interlock, False, why, now)

    def _interlock(self, name: str, closed: bool, why: str, now: Instant) -> None:
        if self._closed.get(name) is not closed:
            self._closed[name] = closed
            details: dict[str, Scalar] = {"closed": closed, "on": self._interlocks[name]}
            if why:
                details["why"] = why
            self.notes.append(Note(now, INTERLOCK, name, details))

    def _go_safe(self, now: Instant) -> None:
        self._safe_at = FAR
        self._driven.clear()
        self.actuations.extend(self._safe)
        self._note(now, "safe state")


def unfit(plant: PlantSignal, signal: Signal) -> str:
    """Why a box's signal cannot stand for the plant's; empty where it can."""
    if signal.kind != plant.kind:
        return f"it is {_article(signal.kind)} of the box, {_article(plant.kind)} of the plant"
    if signal.unit != plant.unit:
        return f"its unit is {signal.unit or 'none'} on the box, {plant.unit or 'none'} in the plant"
    if not signal.low < signal.high:
        return f"{signal.low:g}..{signal.high:g} is no range"
    return ""


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "actuator" else f"a {kind}"
