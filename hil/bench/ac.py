"""The bench of an AC charging point: the vehicle's side of the pilot, the output, the limit asked for."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hil.bench.core import Moment, Sink, ignore, instant_of
from hil.bench.judge import Inconclusive, Judge
from hil.bench.signals import SignalChecks
from hil.bench.stream import StreamRecord
from hil.conformance.catalogue import Limit, Quantity, limit, quantity, window
from hil.conformance.checks import ease
from hil.conformance.duty import apart_from, duty_of
from hil.conformance.reading import plain
from hil.plant.ac_signals import AC_BY_NAME, LIMIT, NO_LIMIT
from hil.units import SECOND, Instant, Span, s, seconds, show_instant
from hil.world.pipe import World
from hil.world.plan import OnSignal, Stimulate, Tell

if TYPE_CHECKING:
    from hil.bench.ac_profiles import AcTwin

SUPPLY = "output_voltage"
_SETTLE: Span = s(3)
"""From the supply until the vehicle draws its current and the lock, the air and the duty cycle are at rest."""
_MATCHING: Span = s(60)
"""A charger that wants digital communication has given it up by then, as case CP.29 has it."""
_NOMINAL = (8.0, 97.0)
"""Duty cycles in percent that tell a current (sheet 2)."""
_PATIENCE: Span = s(20)
"""The bench waits so long for a phase, and for what no source gives a limit."""
_APART: Span = s(5)
"""From one vehicle to the next: PWM and lock have gone (sheet 3, 2.1)."""
_DIGITS = 9
"""A watt-second is 3e-7 kWh."""
_STEADY = 100.0


class AcPhase(enum.Enum):
    """Phases of a session as they show at the charging point (sheet 1)."""

    PLUGGED = "B1"
    OFFERED = "B2"
    CHARGING = "C2"


class VehicleOrders:
    """What the stand-in vehicle is told; the node says what each means."""

    def __init__(self, bench: AcBench) -> None:
        self._bench = bench

    def _tell(self, verb: str, **arguments: Any) -> Instant:
        self._bench.do(Tell("vehicle", verb, arguments))
        return self._bench.now

    def want(self, on: bool) -> Instant:
        """Close S2 when the pilot allows it, or open it now."""
        return self._tell("want", on=on)

    def s2(self, *, closed: bool) -> Instant:
        """Move S2 now, whatever the pilot says."""
        return self._tell("s2", closed=closed)

    def stubborn(self, on: bool = True) -> Instant:
        """Leave S2 closed when the PWM ends."""
        return self._tell("stubborn", on=on)

    def draw(self, current: float | None) -> Instant:
        """Draw a current in A whatever the pilot says; None follows the pilot."""
        return self._tell("draw", current=current)


class AcBench(SignalChecks[StreamRecord]):
    """Everything a case for an AC charger may do."""

    def __init__(
        self,
        world: World,
        judge: Judge,
        readings: Mapping[str, str],
        sink: Sink = ignore,
        *,
        validity: Span = 60 * SECOND,
        safe_current: float = 10.0,
        rated_current: float = 32.0,
        digital: bool = False,
    ) -> None:
        super().__init__(world, judge, readings, record=StreamRecord(), signals=AC_BY_NAME, sink=sink)
        self.vehicle = VehicleOrders(self)
        self.validity = validity
        """For how long the charger under test takes a limit that nobody repeats."""
        self.safe_current = safe_current
        """To which it falls back then, A."""
        self.rated_current = rated_current
        """What it may offer where it is installed, A."""
        self.digital = digital
        """It begins with 5 % for digital communication, which the stand-in vehicle has not (sheet 6)."""
        # Fresh virtual benches for generated profiles; None where the bench has none.
        self.twin: AcTwin | None = None

    # --- sessions ---------------------------------------------------------------------------------

    def plug_in(self) -> Instant:
        """Connect the vehicle."""
        self.do(Stimulate("plugged", 1, setup=True))
        return self.now

    def unplug(self) -> Instant:
        """Disconnect the vehicle."""
        self.do(Stimulate("plugged", 0))
        return self.now

    def stimulate(self, name: str, value: float) -> Instant:
        """Apply a stimulus of the plant now."""
        self.do(Stimulate(name, plain(value)))
        return self.now

    def prepare(self, name: str, value: float) -> None:
        """Set something up before the session: what is no stimulus of the case."""
        self.do(Stimulate(name, value, setup=True))

    def start(self) -> None:
        """Authorise a session, as by card or app."""
        self.do(Stimulate("start_press", 1, setup=True))

    def stop(self) -> Instant:
        """Stop the session from the charger's side, as by card or app."""
        self.do(Stimulate("stop_press", 1))
        return self.now

    def ask_limit(self, current: float | None) -> Instant:
        """Ask the charger for a limit in A each phase, as its energy management does; None for none."""
        self.do(Stimulate(LIMIT, NO_LIMIT if current is None else current))
        return self.now

    def fall_silent(self, on: bool = True) -> Instant:
        """Ask for the limit no more, or again."""
        self.do(Stimulate("limit_silent", float(on)))
        return self.now

    def reach(self, phase: AcPhase) -> Instant:
        """Bring the session to a phase; returns when it was reached. Not reached: :class:`Inconclusive`.

        In ``OFFERED`` and ``PLUGGED`` the vehicle leaves S2 open until it is told otherwise; in ``CHARGING``
        everything has settled. Of a charger that begins with 5 %, ``OFFERED`` is at the nominal duty cycle.
        """
        self.vehicle.want(phase is AcPhase.CHARGING)
        self.plug_in()
        self.start()
        name, low = {
            AcPhase.PLUGGED: ("pilot_duty", 1.0),
            AcPhase.OFFERED: ("cp_frequency", 1.0),
            AcPhase.CHARGING: (SUPPLY, quantity("supply-threshold").most),
        }[phase]
        waits = self.digital and phase is AcPhase.CHARGING
        reached = self.come(name, low=low, within=_PATIENCE + _MATCHING if waits else _PATIENCE)
        if reached is None:
            raise Inconclusive(f"{phase.value} was not reached by {show_instant(self.now)}")
        if phase is AcPhase.OFFERED:
            reached = self.await_nominal(reached)
        if phase is not AcPhase.PLUGGED:
            self.let(_SETTLE)
        return reached

    def await_nominal(self, since: Instant) -> Instant:
        """When a charger that begins with 5 % tells a current by its duty cycle; ``since`` for any other.

        Inconclusive where it goes on waiting for digital communication: without it, it owes no current (sheet 2).
        """
        if not self.digital:
            return since
        nominal = self.come("cp_duty", low=_NOMINAL[0], high=_NOMINAL[1], within=_MATCHING)
        if nominal is None:
            waited = f"within {seconds(_MATCHING):g} s"
            raise Inconclusive(f"no nominal duty cycle {waited}: the charger wants digital communication")
        return nominal

    def see_an_offer(self) -> None:
        """Have a vehicle that is right offered a charge, and unplug it: one to which none is offered afterwards shows
        nothing of a charger that never does. Not reached: :class:`Inconclusive`.
        """
        self.reach(AcPhase.OFFERED)
        self.unplug()
        self.let(_APART)

    def come(self, name: str, *, low: float = -1e12, high: float = 1e12, within: Span = _PATIENCE) -> Instant | None:
        """Advance until a signal is in a range; None when it never is."""
        if name in self.instruments:
            return self.time_in_range(name, low, high, self.now, self.now + within)
        if low <= self.signal(name) <= high:
            return self.now
        return self.now if self.wait(OnSignal(name, low, high), within) else None

    def expect_offer(self) -> Instant | None:
        """Plug in a vehicle that leaves S2 open, and judge that the pilot begins to oscillate; returns when."""
        self.vehicle.want(False)
        plugged = self.plug_in()
        self.start()
        offered = self.expect_change("PWM in state B", "cp_frequency", 1.0, 1e9, after=plugged)
        if offered is not None and self.digital:
            offered = self.await_nominal(offered)
            self.let(_SETTLE)
        return offered

    # --- judging ----------------------------------------------------------------------------------

    def assume(self, holds: bool, otherwise: str) -> None:
        """What a case stands on; inconclusive with the reason where that does not hold."""
        if not holds:
            raise Inconclusive(otherwise)

    def edge(
        self, name: str, *, low: float = -1e12, high: float = 1e12, after: Moment, within: Span = SECOND
    ) -> Instant:
        """When a signal came into a range after a stimulus; inconclusive when it did not in time."""
        reached = self.time_in_range(name, low, high, instant_of(after), instant_of(after) + within)
        if reached is None:
            raise Inconclusive(f"{name} did not change up to {show_instant(self.now)}")
        return reached

    def expect_off(self, label: str, *, after: Moment, within: Limit) -> Instant | None:
        """The output is dead inside the limit after a moment."""
        return self.expect_signal(
            SUPPLY, high=quantity("supply-threshold").most, after=after, within=within, label=label
        )

    def expect_on(self, label: str, *, after: Moment, within: Limit) -> Instant | None:
        """The output is on inside the limit after a moment."""
        return self.expect_signal(
            SUPPLY, low=quantity("supply-threshold").most, after=after, within=within, label=label
        )

    def expect_dead(self, label: str, *, after: Moment, until: Moment) -> None:
        """The output is on at no instant between two moments."""
        self.expect_at_no_instant(SUPPLY, label, high=quantity("supply-threshold").most, after=after, until=until)

    def expect_pwm_off(self, label: str, *, after: Moment, within: Limit) -> Instant | None:
        """The oscillator has stopped inside the limit after a moment."""
        return self.expect_signal("cp_frequency", high=0.0, after=after, within=within, label=label)

    def expect_change(self, label: str, name: str, low: float, high: float, *, after: Moment) -> Instant | None:
        """A signal comes into a range after a moment: that it does is judged, the time is told."""
        start = instant_of(after)
        reached = self.time_in_range(name, low, high, start, start + _PATIENCE)
        self.check(label, reached is not None, equals=True, at=start if reached is None else reached)
        if reached is not None:
            self.report(f"time to {label}", seconds(reached - start), "s", at=reached)
        return reached

    def check_duty(self, label: str, current: float, *, at: Moment, strictly: bool = False) -> None:
        """The duty cycle tells a current in A (sheet 2), within its accuracy, as :meth:`check_told_duty` judges it.

        ``strictly``, for cases that are advisory: beyond the accuracy is a fail.
        """
        duty = round(self.signal("cp_duty", at), 3)
        if not strictly:
            self.check_told_duty(label, duty, least=current, most=current, at=at)
            return
        accuracy, nominal = quantity("duty-accuracy").most, duty_of(current)
        self.check(label, duty, low=nominal - accuracy, high=nominal + accuracy, unit="%", at=at)

    def check_told_duty(
        self, label: str, duty: float, *, least: float | None = None, most: float | None = None, at: Moment
    ) -> None:
        """A duty cycle in percent tells no less and no more than these currents in A.

        How exact it has to be is general knowledge [K]: beyond that is inconclusive, and a fail only where it tells
        another current altogether (``hil.conformance.duty.apart_from``).
        """
        accuracy = quantity("duty-accuracy").most
        low = None if least is None else round(duty_of(least) - accuracy, 3)
        high = None if most is None else round(duty_of(most) + accuracy, 3)
        self.check(label, duty, low=low, high=high, unit="%", at=at)
        under = None if least is None else apart_from(least)[0]
        over = None if most is None else apart_from(most)[1]
        self.judge.measurements[-1] = ease(self.judge.measurements[-1], under, over)

    def expect_fallback(self, label: str, current: float, *, after: Instant, validity: Span) -> Instant | None:
        """The duty cycle comes to tell the safe current when a validity is over, not before and not later."""
        low, high = apart_from(current)
        self.assume(not low <= self.signal("cp_duty", after) <= high, "the safe current is told before, too")
        count = limit("register-seconds").high
        within = window("validity", validity - count, validity + count, "modbus_chargers.md 5, 6, 2.4")
        fallen = self.expect_signal("cp_duty", low=low, high=high, after=after, within=within, label=label)
        if fallen is not None:
            self.let(_SETTLE)
            self.check_duty(f"{label}, duty cycle", current, at=self.now)
        return fallen

    def check_no_more_than(self, label: str, current: float, *, after: Moment, until: Moment) -> None:
        """While the pilot oscillates, it tells at no instant more than a current in A (:meth:`check_told_duty`)."""
        duties = [value for value in self.duties(after, until) if value < _STEADY]
        self.check_told_duty(label, round(max(duties, default=0.0), 3), most=current, at=until)

    def duties(self, after: Moment, until: Moment) -> list[float]:
        """Duty cycles in percent that stood between two moments; 100 for steady, 0 for none."""
        start, end = instant_of(after), instant_of(until)
        self.until(end)
        samples = self.record.samples("cp_duty", start, end)
        return [self.signal("cp_duty", start), *(sample.value for sample in samples)]

    def expect_told(self, label: str, value: float, name: str, *, after: Moment, until: Moment, step: float) -> None:
        """A value that a meter or the charger told between two moments is what a signal was then, to a step.

        Through a signals port it knows the signal a little later, and not closer than the port tells it.
        """
        if not self._steps(name):  # where it stands between two samples is known with the second one
            self.wait(OnSignal(name, float("-inf"), float("inf")), _PATIENCE)
        known = max(0, instant_of(after) - self.judge.lag)
        low, high = (round(each, _DIGITS) for each in self.extremes(name, known, until))
        unit = self.signals[name].unit
        step += self.judge.untold.get(unit, 0.0)
        self.check(label, round(value, _DIGITS), low=low - step, high=high + step, unit=unit, at=until)

    def by_standard(self, iec61851: str, gbt18487: str) -> Quantity:
        """The range of the standard that is claimed (register: pilot-standard)."""
        return quantity(gbt18487 if self.reading("pilot-standard") == "gbt18487" else iec61851)
