"""What the console remembers: stored settings, limits, clock, heartbeat and the session so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hil.dut.rapi.spec import ConsoleSpec
from hil.protocol.rapi import Setting
from hil.units import SECOND, Instant, Span

NEVER_MISSED, ACKNOWLEDGED, MISSED = 0, 1, 2
"""Trigger of the heartbeat (sheet serial 1.5)."""
ACKNOWLEDGE = 165


@dataclass
class Heartbeat:
    """Supervision of a client by the console."""

    interval: int = 0
    amps: int = 0
    trigger: int = NEVER_MISSED
    beaten: Instant = 0
    restore: int | None = None
    """Current to give back."""

    def due(self, spec: ConsoleSpec) -> Instant | None:
        """When a pulse is missed; None while nothing is supervised or a miss is open."""
        if not self.interval or self.trigger == MISSED:
            return None
        counted = self.interval * 1000
        if spec.beat_wraps:
            counted &= 0xFFFF
        return self.beaten + round(counted * spec.beat_factor) * (SECOND // 1000) + spec.beat_check

    def show(self) -> str:
        """Interval, current and trigger."""
        return f"{self.interval} {self.amps} {self.trigger}"


@dataclass
class Clock:
    """The console's clock: a date that was set at an instant."""

    base: datetime = field(default_factory=lambda: datetime(2020, 1, 1))
    at: Instant = 0

    def now(self, now: Instant) -> datetime:
        """Date and time."""
        return self.base + timedelta(seconds=(now - self.at) // SECOND)

    def set(self, numbers: list[int], now: Instant) -> None:
        """Year (two digits) to second; a date that does not exist leaves the clock as it is."""
        year, month, day, hour, minute, second = numbers
        try:
            self.base = datetime(2000 + year % 100, month, day, hour, minute, second)
        except (ValueError, OverflowError):
            return
        self.at = now


@dataclass
class Session:
    """From plugging in to plugging in again."""

    energy_at_start: float = 0.0
    """kWh on the meter."""
    charged: Span = 0
    """How long current could flow."""
    ended: bool = False
    time_limit: int = 0
    """Quarters of an hour."""
    time_end: Span = 0
    energy_limit: int = 0
    """kWh."""


@dataclass
class Memory:
    """Everything but the charger's own state."""

    stored: dict[int, int]
    """Current limit by service level."""
    maximum: int | None = None
    """Unit maximum; stored once."""
    ammeter: tuple[int, int] = (220, 0)
    voltmeter: tuple[int, int] = (300, 0)
    assumed_mv: int = 240_000
    lifetime_offset: float = 0.0
    """Wh by which the accumulated energy differs from the meter's."""
    timer: tuple[int, int, int, int] = (0, 0, 0, 0)
    timer_inside: bool | None = None
    mennekes: str = "A"
    mennekes_locked: bool = False
    boot_locked: bool = False
    limit_sleep: bool = False
    time_limit_hit: bool = False
    energy_limit_hit: bool = False
    connected_before: bool = False
    echo: bool = False
    display: dict[int, str] = field(default_factory=dict)
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    clock: Clock = field(default_factory=Clock)
    session: Session = field(default_factory=Session)

    def restart(self, spec: ConsoleSpec) -> None:
        """What a restart forgets."""
        self.session = Session()
        self.boot_locked = spec.boot_lock
        if not spec.keeps:
            self.stored = fresh(spec).stored
            self.heartbeat = Heartbeat()
        self.limit_sleep = self.time_limit_hit = self.energy_limit_hit = self.connected_before = self.echo = False
        self.heartbeat.trigger, self.heartbeat.restore = NEVER_MISSED, None


def fresh(spec: ConsoleSpec) -> Memory:
    """A new console's memory."""
    return Memory({1: spec.start_level1, 2: spec.start_level2}, boot_locked=spec.boot_lock)


def level_of(settings: int) -> int:
    """Service level 1 or 2."""
    return 2 if settings & Setting.LEVEL_2 else 1
