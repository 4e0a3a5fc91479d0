"""The stand-in AC vehicle: reads the pilot's duty cycle, closes S2, draws what it may, and misbehaves on order.

Sections are those of the sheet iec61851_control_pilot.md. It meets the plant through the vehicle's side of
:data:`hil.plant.ac_signals.AC_SIGNALS` only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.units import FAR, MILLISECOND, Instant, Span
from hil.world.node import Sense, scalars
from hil.world.observation import Note

STEADY = 100.0
_SUPPLIED = 50.0
"""V at the vehicle from which it has a supply (section 8)."""


def current_for(duty: float) -> float:
    """The current in A that a duty cycle in percent offers; 0 where charging is not allowed (section 2)."""
    if duty < 8.0 or duty > 97.0:
        return 0.0
    if duty < 10.0:
        return 6.0
    if duty <= 85.0:
        return duty * 0.6
    return min((duty - 64.0) * 2.5, 80.0)


@dataclass(frozen=True)
class AcVehicleSpec:
    """One vehicle. Currents in A each phase."""

    max_current: float = 32.0
    close_after: Span = 400 * MILLISECOND
    """From a valid duty cycle to closing S2."""
    open_after: Span = 1200 * MILLISECOND
    """From the end of the PWM to opening S2 (10.1: within 3 s; CP-10)."""
    draw_after: Span = 300 * MILLISECOND
    """From the supply to drawing current."""
    follow_after: Span = 800 * MILLISECOND
    """From a new duty cycle to the current for it (6: within 5 s)."""


class AcVehicle:
    """A :class:`hil.world.node.Node` without a bus."""

    name = "vehicle"

    def __init__(self, spec: AcVehicleSpec, sense: Sense) -> None:
        self.spec = spec
        self.out: list[CanFrame] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._duty = sense("pilot_duty", 0)
        self._volts = sense("supply_voltage", 0)
        self._wants = True
        self._s2 = False
        self._drawn = 0.0
        self._forced: float | None = None
        """Drawn whatever the pilot says."""
        self._replaced = False
        """Something else draws in its place."""
        self._factor = 1.0
        """By this more than what the pilot allows is drawn."""
        self._stubborn = False
        """S2 stays closed when the PWM ends."""
        self._held = False
        """S2 stays where it was ordered to be."""
        self._dues: dict[str, Instant] = {}
        self._pulses: list[tuple[Instant, bool]] = []

    # --- node -------------------------------------------------------------------------------------

    def receive(self, frame: CanFrame, now: Instant) -> None:
        """It is on no bus."""

    def signal(self, name: str, value: float, now: Instant) -> None:
        """Pilot or supply changed."""
        if name == "pilot_duty":
            self._duty = value
            self._follow_pilot(now)
        elif name == "supply_voltage":
            self._volts = value
            if value < _SUPPLIED:
                self._dues.pop("draw", None)
                self._draw(0.0)
            else:
                self._dues.setdefault("draw", now + self.spec.draw_after)

    def wake(self, now: Instant) -> None:
        """Do what is due."""
        for name in [name for name, due in self._dues.items() if due <= now]:
            del self._dues[name]
            if name == "close":
                self._switch(True)
            elif name == "open":
                self._draw(0.0)
                self._switch(False)
            else:
                self._draw(self._allowed())
        while self._pulses and self._pulses[0][0] <= now:
            self._switch(self._pulses.pop(0)[1])

    def next_deadline(self) -> Instant:
        """The earliest of what is due."""
        dues = [*self._dues.values(), *(at for at, _ in self._pulses[:1])]
        return min(dues, default=FAR)

    # --- behaviour --------------------------------------------------------------------------------

    def _follow_pilot(self, now: Instant) -> None:
        wants = self._s2 if self._held else self._wants
        if wants and current_for(self._duty):
            self._dues.pop("open", None)
            if not self._s2:
                self._dues.setdefault("close", now + self.spec.close_after)
            elif self._volts >= _SUPPLIED:
                self._dues["draw"] = now + self.spec.follow_after
            return
        self._dues.pop("close", None)
        if self._s2 and not self._stubborn and not self._held:
            self._dues.setdefault("open", now + self.spec.open_after)

    def _allowed(self) -> float:
        if self._forced is not None:
            return self._forced
        return min(current_for(self._duty), self.spec.max_current) * self._factor

    def _switch(self, closed: bool) -> None:
        if closed != self._s2:
            self._s2 = closed
            self.actuations.append(("s2_command", float(closed)))

    def _draw(self, current: float) -> None:
        if self._replaced:
            current = 0.0
        if current != self._drawn:
            self._drawn = current
            self.actuations.append(("draw_current", current))

    # --- orders -----------------------------------------------------------------------------------

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """Carry out an order; raises :class:`UsageError` for one that is not known.

        ``want`` (``on``: close S2 by the pilot, or open it now), ``s2`` (``closed``: at once and until ``want``,
        whatever the pilot says), ``stubborn`` (``on``: S2 stays closed when the PWM ends), ``draw`` (``current`` in A
        whatever the pilot says, None by the pilot), ``exceed`` (``factor`` of what the pilot
        allows), ``replace`` (``on``: something else draws in its place),
        ``toggle`` (``count``, ``span`` in ns: S2 closes and opens so often, each state for the span).
        """
        known: dict[str, Callable[[Mapping[str, Any], Instant], None]] = {
            "want": self._order_want,
            "s2": self._order_s2,
            "stubborn": self._order_stubborn,
            "draw": self._order_draw,
            "exceed": self._order_exceed,
            "replace": self._order_replace,
            "toggle": self._order_toggle,
        }
        carry_out = known.get(verb)
        if carry_out is None:
            raise UsageError(f"the vehicle does not know the order {verb!r}; it knows {', '.join(sorted(known))}")
        carry_out(arguments, now)
        self.notes.append(Note(now, "order", verb, scalars(arguments)))

    def _order_want(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._wants, self._held = bool(arguments["on"]), False
        if self._wants:
            self._follow_pilot(now)
        else:
            self._dues.clear()
            self._draw(0.0)
            self._switch(False)

    def _order_s2(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._dues.pop("close", None)
        self._dues.pop("open", None)
        self._held = True
        self._switch(bool(arguments["closed"]))

    def _order_stubborn(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._stubborn = bool(arguments["on"])
        if self._stubborn:
            self._dues.pop("open", None)
        else:
            self._follow_pilot(now)

    def _order_draw(self, arguments: Mapping[str, Any], now: Instant) -> None:
        current = arguments["current"]
        self._forced = None if current is None else float(current)
        if self._volts >= _SUPPLIED:
            self._draw(self._allowed())

    def _order_replace(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._draw(0.0)
        self._replaced = bool(arguments["on"])
        if self._volts >= _SUPPLIED:
            self._draw(self._allowed())

    def _order_exceed(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._factor = float(arguments["factor"])
        if self._volts >= _SUPPLIED:
            self._draw(self._allowed())

    def _order_toggle(self, arguments: Mapping[str, Any], now: Instant) -> None:
        span: Span = arguments["span"]
        for index in range(int(arguments["count"])):
            self._pulses += [(now + 2 * index * span, True), (now + (2 * index + 1) * span, False)]
        self.wake(now)
