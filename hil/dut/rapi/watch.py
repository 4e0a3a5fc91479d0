"""What a console does by itself: it counts the session, ends it at its limits, waits for the heartbeat, keeps times."""

from __future__ import annotations

from hil.dut.rapi.charger import HARD_FAULTS, Charger, Status
from hil.dut.rapi.memory import ACKNOWLEDGED, MISSED, Memory, Session
from hil.dut.rapi.spec import ConsoleSpec
from hil.protocol.rapi import PilotState, State, Volatile
from hil.units import Instant

_CONNECTED = (PilotState.B, PilotState.C, PilotState.D)


class Watch:
    """Looks at a charger and changes what a console remembers of it."""

    def __init__(self, spec: ConsoleSpec, memory: Memory, charger: Charger) -> None:
        self._spec = spec
        self._memory = memory
        self._charger = charger
        self._connected = False
        self._closed = False
        self._looked: Instant = 0

    def begin(self, now: Instant) -> None:
        """The console has started."""
        self._connected = self._closed = False
        self._looked = now

    def look(self, status: Status, now: Instant) -> None:
        """Session, limits, heartbeat, timer."""
        self._account(status, now)
        self._check_limits(now)
        self._check_heartbeat(now)
        self._check_timer(now)

    def _account(self, status: Status, now: Instant) -> None:
        memory = self._memory
        connected = status.pilot in _CONNECTED
        if connected and not self._connected:
            memory.session = Session(self._charger.measure("energy", now))
            memory.connected_before = True
        elif not connected and self._connected and memory.limit_sleep:
            memory.limit_sleep = memory.time_limit_hit = memory.energy_limit_hit = False
            self._charger.mode = "enabled"
        if not connected and self._connected:
            memory.session.ended = True
            memory.session.time_limit = memory.session.energy_limit = 0
        self._connected = connected
        if self._closed:
            memory.session.charged += now - self._looked
        self._closed = status.closed
        self._looked = now

    def _check_limits(self, now: Instant) -> None:
        memory, session = self._memory, self._memory.session
        over_time = bool(session.time_limit) and session.charged >= session.time_end
        used = self._charger.measure("energy", now) - session.energy_at_start if session.energy_limit else 0.0
        over_energy = bool(session.energy_limit) and used >= session.energy_limit
        if not (over_time or over_energy) or not self._spec.limits_end:
            return
        if not memory.limit_sleep and self._charger.mode == "enabled":
            memory.limit_sleep = True
            memory.time_limit_hit, memory.energy_limit_hit = over_time, over_energy
            session.time_limit = session.energy_limit = 0
            self._charger.mode = "sleeping"
            self._charger.wake(now)

    def _check_heartbeat(self, now: Instant) -> None:
        beat, spec = self._memory.heartbeat, self._spec
        due = beat.due(spec)
        if due is None or now < due:
            return
        beat.trigger = MISSED if spec.beat_latches else ACKNOWLEDGED
        beat.beaten = now
        lowers = self._charger.capacity > beat.amps or (spec.beat_raises and self._charger.capacity != beat.amps)
        if spec.beat_limits and lowers:
            beat.restore = self._charger.capacity if beat.restore is None else beat.restore
            self._charger.capacity = beat.amps
            self._charger.wake(now)

    def _check_timer(self, now: Instant) -> None:
        memory = self._memory
        if not any(memory.timer) or not self._spec.timer_acts:
            return
        h1, m1, h2, m2 = memory.timer
        clock = memory.clock.now(now)
        start, stop, at = h1 * 60 + m1, h2 * 60 + m2, clock.hour * 60 + clock.minute
        inside = start <= at < stop if start <= stop else at >= start or at < stop
        if inside != memory.timer_inside:
            memory.timer_inside = inside
            self._charger.mode = "enabled" if inside else "sleeping"
            self._charger.wake(now)

    def flags(self, status: Status) -> int:
        """The volatile flags (sheet serial 1.7)."""
        memory, charger, v = self._memory, self._charger, Volatile
        pairs = (
            (v.HARD_FAULT, status.state in HARD_FAULTS),
            (v.LIMIT_SLEEP, memory.limit_sleep),
            (v.AUTH_LOCKED, charger.locked),
            (v.TIME_LIMIT, memory.session.time_limit > 0 or memory.time_limit_hit),
            (v.NO_GROUND_TRIPPED, charger.trips.get(State.NO_GROUND, 0) > 0),
            (v.CHARGING, status.closed),
            (v.GFI_TRIPPED, charger.trips.get(State.GFI, 0) > 0),
            (v.CONNECTED, status.pilot in _CONNECTED),
            (v.SESSION_ENDED, memory.session.ended),
            (v.CONNECTED_BEFORE, memory.connected_before),
            (v.TIMER_ON, any(memory.timer)),
            (v.CHARGE_LIMIT, memory.session.energy_limit > 0 or memory.energy_limit_hit),
            (v.BOOT_LOCK, memory.boot_locked),
            (v.MENNEKES_MANUAL, memory.mennekes == "M"),
        )
        return sum(int(flag) for flag, holds in pairs if holds)
