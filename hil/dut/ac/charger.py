"""The reference AC charger: a pilot controller that meets the plant only through sensors and actuators.

It runs the table of :mod:`hil.dut.ac.table`. Wire interfaces are fronts on its control surface
(:mod:`hil.dut.ac.control`). Sections are those of the sheet iec61851_control_pilot.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from hil.dut.ac.control import Front, FrontMaker
from hil.dut.ac.limits import Limits
from hil.dut.ac.pilot import DIGITAL, PilotReader, duty_for
from hil.dut.ac.protection import Protection, Seen
from hil.dut.ac.spec import AcSpec
from hil.dut.ac.table import PWM
from hil.errors import UsageError
from hil.plant.ac import MINUS, NONE, STEADY
from hil.plant.ac import PWM as OSCILLATING
from hil.plant.ac_signals import AC_SIGNALS
from hil.protocol.table import TableMachine
from hil.units import FAR, Instant, Span
from hil.world.bytenode import Wish
from hil.world.node import Sense
from hil.world.observation import Note

_SENSORS = tuple(
    each.name for each in AC_SIGNALS if each.kind == "sensor" and each.side == "charger" and "meter" not in each.name
)
_MOST_UPDATES = 8
"""Changes of state that one input may bring about, one after the other."""


class AcCharger(TableMachine):
    """A :class:`hil.world.bytenode.ByteNode`, and the :class:`~hil.dut.ac.control.Control` of its fronts."""

    name = "charger"

    def __init__(self, spec: AcSpec, sense: Sense, fronts: Iterable[FrontMaker] = ()) -> None:
        self.spec = spec
        self.sense = sense
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self.limits = Limits(spec)
        self.pilot = PilotReader(spec)
        self.protection = Protection(spec)
        self.validity: Span = spec.spans["validity"]
        self.enabled = True
        self.authorised = not spec.needs_authorisation
        self.fault = ""
        self._view = {name: sense(name, 0) for name in _SENSORS}
        self._on = False
        self._mode = STEADY
        self._duty = 100.0
        self._set: dict[str, float] = {}
        """What the actuators were last set to."""
        self._held = False
        """After a loss of mains: until the vehicle has shown B (CP-30)."""
        self._matched = not spec.digital
        self._validity_due: Instant = FAR
        super().__init__(spec.states, spec.rows, spec.spans, "idle")
        self.fronts: list[Front] = [make(self) for make in fronts]
        self.pilot.read(self._view["cp_high"], 0)
        self.go("idle", 0)
        self._settle(0)

    # --- node -------------------------------------------------------------------------------------

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes for the front on that line."""
        for front in self._on_line(line):
            front.received(line, channel, data, flaw, now)
        self._collect()

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A connection to the front on that line."""
        for front in self._on_line(line):
            front.opened(line, channel, now)
        self._collect()

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A connection of the front on that line has ended."""
        for front in self._on_line(line):
            front.ended(line, channel, kind, now)
        self._collect()

    def signal(self, name: str, value: float, now: Instant) -> None:
        """A sensor changed."""
        if name not in self._view:
            return
        self._view[name] = value
        if name == "cp_high":
            self.pilot.read(value, now)
        elif name == "mains_present":
            self.fire("mains_back" if value else "mains_lost", now)
        elif name == "start_request" and value:
            self.authorised = True
        elif name == "stop_request" and value:
            self.authorised = False
        elif name == "limit_request":
            self.limits.request(value, FAR if self._view["limit_alive"] else now + self.validity)
        elif name == "limit_alive":
            self.limits.valid_until = FAR if value else now + self.validity
        self._settle(now)

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """A charger takes no orders of the bench: it is the device under test."""
        raise UsageError(f"the charger takes no orders, {verb!r} was given")

    def wake(self, now: Instant) -> None:
        """Run what is due."""
        for front in self.fronts:
            due = front.next_deadline()
            if due is not None and due <= now:
                front.wake(now)
        letter = self.pilot.wake(now)
        if letter is not None:
            self.fire(letter, now)
        cause = self.protection.tripped(now)
        if cause:
            self._trip(cause, now)
        self.run_due(now)
        self._settle(now)

    def next_deadline(self) -> Instant:
        """The earliest of the table, the pilot, the protective functions, the validity and the fronts."""
        dues = [super().next_deadline(), self.pilot.due, self.protection.due]
        dues += [due for front in self.fronts if (due := front.next_deadline()) is not None]
        return min(*dues, self._validity_due)

    # --- inputs -----------------------------------------------------------------------------------

    def _settle(self, now: Instant) -> None:
        """After any change: what follows from it, up to rest."""
        until = self.limits.valid_until
        self._validity_due = until if now < until else FAR
        for _ in range(_MOST_UPDATES):
            before = self.state
            self._follow_limit(now)
            self.fire("update", now)
            if self.state == before:
                break
        self._guard(now)
        for front in self.fronts:
            front.changed(now)
        self._collect()

    def _guard(self, now: Instant) -> None:
        vehicle = self._mode == OSCILLATING and self.pilot.letter in ("B", "C", "D")
        cable = not self.spec.socket or self.limits.cable(self._view["pp_resistance"]) > 0
        self.protection.look(Seen(self._view, self._on, self.applied_current(now), vehicle, cable), now)

    def _follow_limit(self, now: Instant) -> None:
        """The duty cycle follows the limit at any time (section 2)."""
        if self.state in PWM and (self.spec.follow_while_charging or self.state != "supplying"):
            offered = self.limits.offered(self._view, now)
            duty = duty_for(offered, self.spec)
            if offered and duty != self._duty:
                self._oscillate(duty)
                self.fire("limit", now)

    def _trip(self, cause: str, now: Instant) -> None:
        self.fault = cause
        self.fire("trip", now)

    def _collect(self) -> None:
        for front in self.fronts:
            self.wishes += front.wishes
            front.wishes.clear()

    def _on_line(self, line: str) -> list[Front]:
        return [front for front in self.fronts if line in front.lines]

    # --- control surface --------------------------------------------------------------------------

    @property
    def state_letter(self) -> str:
        """``A`` .. ``F``: what the charger has the pilot show, else what it reads there."""
        if self.state in ("fault", "stepping") and self._mode == MINUS:
            return "F"
        if self.state in ("short", "dead"):
            return "E"
        return self.pilot.letter if self.pilot.letter in "ABCD" else "A"

    @property
    def mode3(self) -> str:
        """The letter with 1 for a steady pilot and 2 for PWM."""
        letter = self.state_letter
        return letter + ("2" if self._mode == OSCILLATING else "1") if letter in "BCD" else letter

    @property
    def output_on(self) -> bool:
        """Feedback of the contactor."""
        return self._view["contactor_closed"] >= 0.5

    @property
    def locked(self) -> bool:
        """Feedback of the plug's lock."""
        return self._view["lock_engaged"] >= 0.5

    @property
    def phases(self) -> int:
        """1 or 3."""
        return self.spec.phases

    @property
    def requested_current(self) -> float:
        """The last limit that was asked for."""
        return self.limits.requested

    @property
    def safe_current(self) -> float:
        """The limit while whoever asks for limits is silent."""
        return self.limits.safe_current

    @property
    def rated_current(self) -> float:
        """What the hardware can do."""
        return self.spec.rated_current

    @property
    def cable_current(self) -> float:
        """Ampacity of the cable."""
        return self.limits.cable(self._view["pp_resistance"]) if self.spec.socket else self.spec.rated_current

    def applied_current(self, now: Instant) -> float:
        """What is offered to the vehicle now; 0 for nothing."""
        return self.limits.offered(self._view, now) if self.state in PWM else 0.0

    def remaining_validity(self, now: Instant) -> Span:
        """Until the safe current takes the place of the requested limit."""
        return self.validity if self.limits.valid_until == FAR else max(self.limits.valid_until - now, 0)

    def measure(self, name: str, now: Instant) -> float:
        """A sensor of the charger's side."""
        return self.sense(name, now)

    def enable(self, on: bool, now: Instant) -> None:
        """Permit charging, or not."""
        self.enabled = on
        self._settle(now)

    def authorise(self, on: bool, now: Instant) -> None:
        """Let the session charge, or stop it."""
        self.authorised = on
        self._settle(now)

    def request_current(self, ampere: float, now: Instant) -> None:
        """Ask for a limit; one that is no number or below 0 raises :class:`UsageError`."""
        if not isfinite(ampere) or ampere < 0:
            raise UsageError(f"a limit of {ampere} A; allowed is 0 and more")
        self.limits.request(ampere, now + self.validity)
        self._settle(now)

    def heartbeat(self, now: Instant) -> None:
        """Let the requested limit count for the validity time from now on."""
        self.limits.valid_until = now + self.validity
        self._settle(now)

    def shorten(self, span: Span, now: Instant) -> None:
        """Let the requested limit count for that span from now on."""
        self.limits.valid_until = now + span
        self._settle(now)

    def set_safe_current(self, ampere: float, now: Instant) -> None:
        """Set the limit for the time in which nobody asks."""
        self.limits.safe_current = ampere
        self._settle(now)

    def set_validity(self, span: Span, now: Instant) -> None:
        """Set for how long a requested limit counts."""
        self.validity = span
        self.heartbeat(now)

    def clear_fault(self, now: Instant) -> None:
        """Begin anew after a fault whose cause has gone."""
        self.fire("cleared", now)
        self._settle(now)

    # --- guards -----------------------------------------------------------------------------------

    def _permitted(self, now: Instant) -> bool:
        healthy = bool(self._view["mains_present"])
        return healthy and self.enabled and self.authorised and self.limits.offered(self._view, now) > 0

    def guard_may_offer(self, now: Instant) -> bool:
        return self._permitted(now) and self._matched

    def guard_may_match(self, now: Instant) -> bool:
        return self._permitted(now) and not self._matched

    def guard_may_not_offer(self, now: Instant) -> bool:
        return not self._permitted(now)

    def guard_may_supply(self, now: Instant) -> bool:
        """Section 3, 3.2: PWM and supply come on while the vehicle has S2 closed."""
        ready = self.pilot.letter == "C" or (self.pilot.letter == "D" and self.spec.ventilation)
        return self._permitted(now) and ready and not self._held

    def guard_has_air(self, now: Instant) -> bool:
        return self.spec.ventilation

    def guard_locked(self, now: Instant) -> bool:
        return not self.spec.socket or not self.spec.lock or self.locked

    def guard_locked_for_air(self, now: Instant) -> bool:
        return self.guard_locked(now) and self.pilot.letter == "D"

    def guard_aired(self, now: Instant) -> bool:
        return bool(self._view["ventilation_on"])

    def guard_closed(self, now: Instant) -> bool:
        return self.output_on

    def guard_welded(self, now: Instant) -> bool:
        return self.output_on

    def guard_sees_e(self, now: Instant) -> bool:
        return self.pilot.letter == "E"

    def guard_sees_a(self, now: Instant) -> bool:
        return self.pilot.letter == "A"

    def guard_sees_b(self, now: Instant) -> bool:
        return self.pilot.letter == "B"

    # --- actions ----------------------------------------------------------------------------------

    def _act(self, name: str, value: float) -> None:
        if self._set.get(name) != value:
            self._set[name] = value
            self.actuations.append((name, value))

    def _show(self, mode: int, duty: float) -> None:
        # The duty cycle first, so that at no instant an old one is told.
        self._mode, self._duty = mode, duty
        self._act("cp_frequency_set", self.spec.frequency)
        if mode == OSCILLATING:
            self._act("cp_duty_set", duty)
        self._act("cp_mode", float(mode))

    def _oscillate(self, duty: float) -> None:
        self._show(OSCILLATING, duty)

    def do_steady(self, now: Instant) -> None:
        self._show(STEADY, 100.0)

    def do_oscillate(self, now: Instant) -> None:
        self._oscillate(duty_for(self.limits.offered(self._view, now), self.spec))

    def do_oscillate_digital(self, now: Instant) -> None:
        self._oscillate(DIGITAL)

    def do_dark(self, now: Instant) -> None:
        self._show(NONE, 0.0)

    def do_show_fault(self, now: Instant) -> None:
        level = self.spec.step_level if self.state == "stepping" else self.spec.fault_level
        self._show(MINUS if level == "F" else STEADY, 0.0)

    def do_open(self, now: Instant) -> None:
        self._on = False
        if self.spec.release:
            self._act("contactor_command", 0)

    def do_close(self, now: Instant) -> None:
        self._on = True
        self._act("contactor_command", 1)

    def do_lock(self, now: Instant) -> None:
        if self.spec.socket and self.spec.lock:
            self._act("lock_command", 1)

    def do_unlock(self, now: Instant) -> None:
        if self.spec.unlock and not self.output_on:
            self._act("lock_command", 0)

    def do_force_unlock(self, now: Instant) -> None:
        """A seeded fault: unlock, whatever the output."""
        self._act("lock_command", 0)

    def do_air(self, now: Instant) -> None:
        self._act("ventilation_command", 1)

    def do_stop_air(self, now: Instant) -> None:
        self._act("ventilation_command", 0)

    def do_saw_b(self, now: Instant) -> None:
        self._held = False

    def do_await_sequence(self, now: Instant) -> None:
        self._held = not self.spec.restart_by_itself

    def do_forget(self, now: Instant) -> None:
        """The vehicle has gone: nothing of its session stays."""
        self.fault = ""
        self._held = False
        self._matched = not self.spec.digital
        self.authorised = not self.spec.needs_authorisation

    def do_clear(self, now: Instant) -> None:
        self.fault = ""

    def do_no_match(self, now: Instant) -> None:
        self._matched = True

    def do_blame(self, cause: str, now: Instant) -> None:
        self.fault = cause

    def do_restart(self, timer: str, now: Instant) -> None:
        self.start_timer(timer, now)
