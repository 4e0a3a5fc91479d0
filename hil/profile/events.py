"""What may happen inside a segment of a load profile, beside its demand.

Each event is a frozen value with its offset in seconds, and turns into actions of a stimulus plan:
``actions`` gives pairs of a further delay and an action. Nothing is ever executed from a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Annotated, Any

import msgspec

from hil.errors import CodecError, UsageError
from hil.plant.signals import BY_NAME
from hil.protocol.gbt27930 import EDITIONS, edition
from hil.units import Span, s
from hil.world.plan import Action, Stimulate, Tell

Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400, description="seconds, in steps of 1 ms")]
Step = tuple[Span, Action]
_ABNORMAL = ("cell_voltage_state", "soc_state", "overcurrent", "overtemperature", "insulation", "connector")
_VEHICLE = "vehicle"


def span_of(value: float, field: str) -> Span:
    """Seconds of a file as a span; :class:`UsageError` for more digits than a millisecond, and for no number."""
    if not isfinite(value) or abs(value * 1000 - round(value * 1000)) > 1e-6:
        raise UsageError(f"{field}: {value:g} s is no whole number of milliseconds")
    return s(round(value, 3))


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """Something at an instant. ``at`` counts from the start of the segment that holds it."""

    at: Annotated[Seconds, msgspec.Meta(title="seconds from the start of the segment")] = msgspec.field(
        default=0.0, name="at_s"
    )

    @property
    def lasts(self) -> float:
        """Seconds that it goes on; 0 for what happens at once."""
        return 0.0

    def check(self) -> None:
        """Raise :class:`UsageError` naming field and value for what cannot be done."""
        span_of(self.at, "at_s")
        span_of(self.lasts, "for_s")

    def actions(self) -> Iterator[Step]:
        """Delays from its instant, and what is done then."""
        raise LookupError(f"{type(self).__name__} does nothing")


class Pause(Event, frozen=True, kw_only=True, tag="pause"):
    """BSM forbids charging (SPN 3096 = 00), for a while or until ``resume``."""

    span: Seconds | None = msgspec.field(name="for_s", default=None)

    @property
    def lasts(self) -> float:
        return self.span or 0.0

    def actions(self) -> Iterator[Step]:
        yield 0, _alter("BSM", charging_permission=0)
        if self.span is not None:
            yield s(self.span), _alter("BSM", charging_permission=1)


class Resume(Event, frozen=True, kw_only=True, tag="resume"):
    """BSM allows charging again (SPN 3096 = 01)."""

    def actions(self) -> Iterator[Step]:
        yield 0, _alter("BSM", charging_permission=1)


class Alarm(Event, frozen=True, kw_only=True, tag="alarm"):
    """One item of BSM becomes abnormal (sheet 3.12); value 0 takes it back."""

    item: str
    value: Annotated[int, msgspec.Meta(ge=0, le=2)] = 1

    def check(self) -> None:
        super().check()
        _one_of(self.item, _ABNORMAL, "item")

    def actions(self) -> Iterator[Step]:
        yield 0, _alter("BSM", **{self.item: self.value})


class Stop(Event, frozen=True, kw_only=True, tag="stop"):
    """The vehicle ends the charge by BST, with this reason set (a signal of BST)."""

    reason: str = "soc_reached"

    def check(self) -> None:
        super().check()
        _one_of(self.reason, _signals("BST"), "reason")

    def actions(self) -> Iterator[Step]:
        yield 0, Tell(_VEHICLE, "stop", {"reason": self.reason})


class Lose(Event, frozen=True, kw_only=True, tag="lose"):
    """These messages of the vehicle do not come for a while; none named means all of them."""

    messages: tuple[str, ...] = ()
    span: Seconds = msgspec.field(name="for_s")

    @property
    def lasts(self) -> float:
        return self.span

    def check(self) -> None:
        super().check()
        for name in self.messages:
            _one_of(name, _vehicle_messages(), "messages")

    def actions(self) -> Iterator[Step]:
        names = {"messages": list(self.messages)}
        yield 0, Tell(_VEHICLE, "silence", names)
        yield s(self.span), Tell(_VEHICLE, "resume", names)


class Reset(Event, frozen=True, kw_only=True, tag="reset"):
    """The BMS restarts: it drops K5/K6, says nothing for a while, then waits to be recognised again."""

    span: Seconds = msgspec.field(name="for_s", default=1.5)

    @property
    def lasts(self) -> float:
        return self.span

    def actions(self) -> Iterator[Step]:
        yield 0, Tell(_VEHICLE, "go", {"state": "asleep"})
        yield s(self.span), Tell(_VEHICLE, "go", {"state": "awake"})


class VehicleError(Event, frozen=True, kw_only=True, tag="vehicle_error"):
    """The vehicle reports by BEM that it awaited something in vain (a signal of BEM)."""

    awaited: str = "ccs"

    def check(self) -> None:
        super().check()
        _one_of(self.awaited, _signals("BEM"), "awaited")

    def actions(self) -> Iterator[Step]:
        yield 0, Tell(_VEHICLE, "error", {"awaited": [self.awaited]})


class NotReady(Event, frozen=True, kw_only=True, tag="not_ready"):
    """The vehicle gets no further than BRO(00) for a while."""

    span: Seconds = msgspec.field(name="for_s")

    @property
    def lasts(self) -> float:
        return self.span

    def actions(self) -> Iterator[Step]:
        states = {"states": ["prepare"]}
        yield 0, Tell(_VEHICLE, "hold", states)
        yield s(self.span), Tell(_VEHICLE, "release", states)


class VehicleContactors(Event, frozen=True, kw_only=True, tag="vehicle_contactors"):
    """K5/K6 close at once, or open and stay so."""

    closed: bool

    def actions(self) -> Iterator[Step]:
        yield 0, Tell(_VEHICLE, "contactors", {"close": self.closed, "now": True})


class Say(Event, frozen=True, kw_only=True, tag="say"):
    """The vehicle tells this value of a signal, whatever is true: SOC, cell voltage, temperature, limits."""

    message: str
    signal: str
    value: float

    def check(self) -> None:
        super().check()
        _one_of(self.message, _vehicle_messages(), "message")
        _one_of(self.signal, _signals(self.message), "signal")
        declared = edition("2015").by_name[self.message]
        try:
            declared.signals[self.signal].to_raw(self._told())
        except CodecError as error:
            raise UsageError(f"value: {error}") from error

    def _told(self) -> Any:
        return int(self.value) if self.value == int(self.value) else self.value

    def actions(self) -> Iterator[Step]:
        yield 0, _alter(self.message, **{self.signal: self._told()})


class _Plant(Event, frozen=True, kw_only=True):
    """A stimulus of the plant. Subclasses say which."""

    def stimuli(self) -> Iterator[tuple[str, float]]:
        """Names and values of declared stimuli."""
        raise LookupError(f"{type(self).__name__} stimulates nothing")

    def check(self) -> None:
        super().check()
        for name, value in self.stimuli():
            signal = BY_NAME[name]
            if not signal.low <= value <= signal.high:
                raise UsageError(f"{value:g} {signal.unit} is not within {signal.low:g}..{signal.high:g}")

    def actions(self) -> Iterator[Step]:
        for name, value in self.stimuli():
            yield 0, Stimulate(name, value)


class SwitchS(_Plant, frozen=True, kw_only=True, tag="switch_s"):
    """Switch S in the plug opens or closes."""

    closed: bool

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "switch_s_closed", float(self.closed)


class Cc1(_Plant, frozen=True, kw_only=True, tag="cc1"):
    """The line of detection point 1 is broken, or driven to a voltage from outside; 0 V lets go of it."""

    broken: bool = False
    volts: float | None = msgspec.field(name="voltage_v", default=None)

    def stimuli(self) -> Iterator[tuple[str, float]]:
        if self.volts is not None:
            yield "cc1_forced", self.volts
        else:
            yield "cc1_broken", float(self.broken)


class Earth(_Plant, frozen=True, kw_only=True, tag="earth"):
    """The protective earth breaks, or is whole again."""

    broken: bool = True

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "pe_broken", float(self.broken)


class Supply(_Plant, frozen=True, kw_only=True, tag="supply"):
    """The AC supply goes or comes back."""

    on: bool

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "ac_supply", float(self.on)


class EmergencyStop(_Plant, frozen=True, kw_only=True, tag="emergency_stop"):
    """The emergency stop is pressed, or unlatched."""

    pressed: bool = True

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "emergency_press", float(self.pressed)


class StopButton(_Plant, frozen=True, kw_only=True, tag="stop_button"):
    """Somebody presses stop at the charger."""

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "stop_press", 1.0


class Start(_Plant, frozen=True, kw_only=True, tag="start"):
    """A session is authorised, as by card or app."""

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "start_press", 1.0


class Plug(_Plant, frozen=True, kw_only=True, tag="plug"):
    """The plug is inserted or pulled."""

    inserted: bool

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "plugged", float(self.inserted)


class Pack(_Plant, frozen=True, kw_only=True, tag="pack"):
    """The pack gets another SOC or temperature, as where another pack takes its place."""

    soc: float | None = msgspec.field(name="soc_percent", default=None)
    temperature: float | None = msgspec.field(name="temperature_c", default=None)

    def stimuli(self) -> Iterator[tuple[str, float]]:
        if self.soc is not None:
            yield "pack_soc", self.soc
        if self.temperature is not None:
            yield "pack_temperature", self.temperature


class Heat(_Plant, frozen=True, kw_only=True, tag="heat"):
    """The heater in the pack."""

    watts: float = msgspec.field(name="power_w")

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "heating_power", self.watts


class Insulation(_Plant, frozen=True, kw_only=True, tag="insulation"):
    """The insulation resistance changes."""

    ohm: float

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "insulation", self.ohm


class Excess(_Plant, frozen=True, kw_only=True, tag="excess"):
    """A failed power stage adds this voltage to what it is set to."""

    volts: float = msgspec.field(name="voltage_v")

    def stimuli(self) -> Iterator[tuple[str, float]]:
        yield "over_voltage_fault", self.volts


AnyEvent = (
    Pause
    | Resume
    | Alarm
    | Stop
    | Lose
    | Reset
    | VehicleError
    | NotReady
    | VehicleContactors
    | Say
    | SwitchS
    | Cc1
    | Earth
    | Supply
    | EmergencyStop
    | StopButton
    | Start
    | Plug
    | Pack
    | Heat
    | Insulation
    | Excess
)
KINDS: dict[str, type[Event]] = {str(kind.__struct_config__.tag): kind for kind in AnyEvent.__args__}
"""Every event by the word that stands in a file."""


def needs_plant(event: Event) -> bool:
    """Whether an event is done to the plant, and not said by the vehicle."""
    return isinstance(event, _Plant)


def _alter(message: str, **fields: Any) -> Tell:
    return Tell(_VEHICLE, "alter", {"message": message, "fields": fields})


def _one_of(name: str, known: tuple[str, ...], field: str) -> None:
    if name not in known:
        raise UsageError(f"{field}: no {name!r}; there are {', '.join(known)}")


def _signals(message: str) -> tuple[str, ...]:
    return tuple(edition("2015").by_name[message].signals)


def _vehicle_messages() -> tuple[str, ...]:
    names = {
        name: None
        for each in EDITIONS
        for name, declared in edition(each).by_name.items()
        if declared.sender != "charger"
    }
    return tuple(names)
