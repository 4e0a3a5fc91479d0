"""A console as one of several interfaces of the reference AC charger: all of them show the same charger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hil.dut.ac.control import Control, Front, FrontMaker
from hil.dut.ac.limits import NO_REQUEST
from hil.dut.rapi.charger import Status
from hil.dut.rapi.console import Console
from hil.dut.rapi.spec import ConsoleSpec
from hil.protocol.rapi import PilotState, State
from hil.units import SECOND, Instant, Span
from hil.world.bytenode import Wish

_KEEP_ALIVE: Span = SECOND
"""A console asks for its limit again so often: on RAPI a limit counts until the next one."""
_STATES = {
    "A": State.NOT_CONNECTED,
    "B": State.CONNECTED,
    "C": State.CHARGING,
    "D": State.VENTILATION,
}
_PILOTS = {"A": PilotState.A, "B": PilotState.B, "C": PilotState.C, "D": PilotState.D}
_FAULTS = {
    "diode": State.DIODE,
    "earth": State.NO_GROUND,
    "weld": State.STUCK_RELAY,
    "voltage": State.STUCK_RELAY,
    "contactor": State.RELAY_CLOSURE,
    "overcurrent": State.OVER_CURRENT,
}
_LEAKAGE = ("dc-", "ac-")


class ControlCharger:
    """What the console needs (:class:`hil.dut.rapi.charger.Charger`), on the charger's control surface."""

    def __init__(self, control: Control, spec: ConsoleSpec) -> None:
        self.actuations: list[tuple[str, float]] = []
        self.capacity = min(spec.start_level2, int(control.rated_current))
        self.mode = "enabled"
        self.locked = False
        self.settings = int(spec.settings)
        self.trips: dict[int, int] = {}
        self._spec = spec
        self._control = control
        self._fault = ""
        self._asked: float | None = None
        self._wanted = self.capacity
        self._since: Instant = 0
        """Since when the console has wanted that."""
        self._was_locked = False
        self._next: Instant = 0

    def status(self, now: Instant) -> Status:
        """What is so at the moment."""
        control = self._control
        letter = control.state_letter
        return Status(self._state(letter), _PILOTS.get(letter, PilotState.UNKNOWN), control.output_on, letter != "F")

    def _state(self, letter: str) -> State:
        cause = self._control.fault
        if self.mode == "disabled":
            return State.DISABLED
        if cause:
            return State.GFI if cause.startswith(_LEAKAGE) else _FAULTS.get(cause, State.UNKNOWN)
        if self.mode == "sleeping":
            return State.SLEEPING
        charging = self._control.output_on
        return _STATES.get(letter, State.UNKNOWN) if charging or letter not in "CD" else State.CONNECTED

    def measure(self, sensor: str, now: Instant) -> float:
        """A sensor's value."""
        return self._control.measure(self._spec.sensors[sensor], now)

    def has(self, sensor: str) -> bool:
        """Whether there is such a sensor."""
        return sensor in self._spec.sensors

    def wake(self, now: Instant) -> None:
        """Ask of the charger what the console wants, and count its faults."""
        control = self._control
        if control.enabled != (self.mode == "enabled"):
            control.enable(self.mode == "enabled", now)
        if self.locked and control.authorised:
            control.authorise(False, now)
        elif not self.locked and not control.authorised and self._was_locked:
            control.authorise(True, now)
        self._was_locked = self.locked
        self._keep_limit(now)
        fault = control.fault
        if fault and fault != self._fault:
            state = self._state(control.state_letter)
            self.trips[state] = self.trips.get(state, 0) + 1
        self._fault = fault
        due = self._since + self._spec.set_delay
        self._next = min(now + _KEEP_ALIVE, due) if due > now else now + _KEEP_ALIVE

    def _keep_limit(self, now: Instant) -> None:
        """Whoever asked for a limit last has it; the console holds on to its own only, also when that one gave up."""
        control = self._control
        if self.capacity != self._wanted:
            self._wanted, self._since = self.capacity, now
        wanted = float(self.capacity)
        if self._asked is not None and now < self._since + self._spec.set_delay:
            wanted = self._asked
        if wanted != self._asked or control.requested_current == NO_REQUEST:
            self._asked = wanted
            control.request_current(wanted, now)
        elif control.requested_current == self._asked:
            control.heartbeat(now)

    def next_deadline(self) -> Instant:
        """When to look next."""
        return self._next

    def restart(self, now: Instant) -> None:
        """The console begins anew; the charger stops meanwhile."""
        self.mode, self.locked = "enabled", False
        self._control.enable(False, now)


class ConsoleFront:
    """A console on one line of the reference AC charger."""

    def __init__(self, control: Control, line: str, spec: ConsoleSpec) -> None:
        self.lines: tuple[str, ...] = (line,)
        self.console = Console("console", line, ControlCharger(control, spec), spec)
        self.wishes: list[Wish] = self.console.wishes
        self._busy = False
        """What the console asks of the charger changes it: no second round inside the first."""

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come."""
        with self._occupied():
            self.console.received(line, channel, data, flaw, now)

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A connection is open."""
        self.console.opened(line, channel, now)

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A connection has ended."""
        self.console.ended(line, channel, kind, now)

    def changed(self, now: Instant) -> None:
        """The charger's state, fault or current may have changed."""
        if not self._busy:
            with self._occupied():
                self.console.signal("", 0.0, now)

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        with self._occupied():
            self.console.wake(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        return self.console.next_deadline()

    @contextmanager
    def _occupied(self) -> Iterator[None]:
        self._busy = True
        yield
        self._busy = False


def console_front(line: str, spec: ConsoleSpec | None = None) -> FrontMaker:
    """A maker of consoles for :class:`hil.dut.ac.AcCharger`."""

    def make(control: Control) -> Front:
        return ConsoleFront(control, line, spec or ConsoleSpec())

    return make
