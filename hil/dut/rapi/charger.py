"""What a console needs of the charger behind it.

Any charger that fulfils :class:`Charger` can stand behind a console; :mod:`hil.dut.rapi.front` puts one on the
reference AC charger, beside its other interfaces.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from hil.protocol.rapi import State
from hil.units import Instant

FAULTS = frozenset(
    {
        *(State.DIODE, State.GFI, State.NO_GROUND, State.STUCK_RELAY, State.GFI_SELF_TEST),
        *(State.OVER_TEMPERATURE, State.OVER_CURRENT, State.RELAY_CLOSURE),
    }
)
HARD_FAULTS = frozenset({State.STUCK_RELAY, State.GFI_SELF_TEST, State.RELAY_CLOSURE})


class Status(NamedTuple):
    """What is so at the moment."""

    state: int
    pilot: int
    closed: bool
    """Current can flow."""
    pilot_on: bool
    """The pilot is not held at -12 V."""


class Charger(Protocol):
    """What a console knows of its charger and commands."""

    actuations: list[tuple[str, float]]
    """Settings of declared actuators; the console hands them on."""
    capacity: int
    """Current that may be offered, A; the console sets it."""
    mode: str
    """``enabled``, ``sleeping`` or ``disabled``; the console sets it."""
    locked: bool
    """No current although the vehicle asks for it; the console sets it."""
    settings: int
    """Stored flags (:class:`hil.protocol.rapi.Setting`); the console sets them."""
    trips: dict[int, int]
    """How often each fault state was entered."""

    def status(self, now: Instant) -> Status:
        """What is so at the moment."""

    def measure(self, sensor: str, now: Instant) -> float:
        """A sensor's value (:data:`hil.dut.rapi.spec.SENSORS`)."""

    def has(self, sensor: str) -> bool:
        """Whether there is such a sensor."""

    def wake(self, now: Instant) -> None:
        """Look at the sensors and act."""

    def next_deadline(self) -> Instant:
        """When to look next."""

    def restart(self, now: Instant) -> None:
        """Open the contactor and forget what a restart forgets; :meth:`wake` begins anew."""
