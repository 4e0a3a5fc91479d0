"""The control surface of the reference AC charger, and the fronts that stand on it.

A front is a wire interface of the charger: registers, a console. It is sans-IO like a node, knows the charger
by :class:`Control` only, and never touches the plant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hil.units import Instant, Span
from hil.world.bytenode import Wish


class Control(Protocol):
    """What fronts may know and ask. Currents in A each phase; asking twice does no harm."""

    @property
    def mode3(self) -> str:
        """``A``, ``B1``, ``B2``, ``C1``, ``C2``, ``D1``, ``D2``, ``E`` or ``F``."""

    @property
    def state_letter(self) -> str:
        """The letter of :attr:`mode3`."""

    @property
    def enabled(self) -> bool:
        """Whether charging is permitted from outside."""

    @property
    def authorised(self) -> bool:
        """Whether the present session may charge."""

    @property
    def fault(self) -> str:
        """Cause of the present fault; empty without one."""

    @property
    def output_on(self) -> bool:
        """Feedback of the contactor."""

    @property
    def locked(self) -> bool:
        """Feedback of the plug's lock."""

    @property
    def phases(self) -> int:
        """1 or 3."""

    @property
    def requested_current(self) -> float:
        """The last limit that was asked for."""

    @property
    def safe_current(self) -> float:
        """The limit while whoever asks for limits is silent; to be set by :meth:`set_safe_current`."""

    @property
    def rated_current(self) -> float:
        """What the hardware can do."""

    @property
    def cable_current(self) -> float:
        """Ampacity of the cable; 0 where there is none, the rated current for a fixed one."""

    @property
    def validity(self) -> Span:
        """For how long a requested limit counts."""

    def applied_current(self, now: Instant) -> float:
        """What is offered to the vehicle now; 0 for nothing."""

    def remaining_validity(self, now: Instant) -> Span:
        """Until the safe current takes the place of the requested limit; 0 when it has."""

    def measure(self, name: str, now: Instant) -> float:
        """What the charger measures: a sensor of the plant on the charger's side."""

    def enable(self, on: bool, now: Instant) -> None:
        """Permit charging, or not."""

    def authorise(self, on: bool, now: Instant) -> None:
        """Let the session charge, or stop it until the next authorisation."""

    def request_current(self, ampere: float, now: Instant) -> None:
        """Ask for a limit; it counts for the validity time. Less than the minimum pauses."""

    def heartbeat(self, now: Instant) -> None:
        """Let the requested limit count for the validity time from now on."""

    def shorten(self, span: Span, now: Instant) -> None:
        """Let the requested limit count for that span from now on, whatever its validity; 0 ends it."""

    def set_safe_current(self, ampere: float, now: Instant) -> None:
        """Set the limit for the time in which nobody asks."""

    def set_validity(self, span: Span, now: Instant) -> None:
        """Set for how long a requested limit counts; it begins anew."""

    def clear_fault(self, now: Instant) -> None:
        """Begin anew after a fault whose cause has gone."""


class Front(Protocol):
    """A wire interface of the charger."""

    lines: tuple[str, ...]
    """The lines it is on."""
    wishes: list[Wish]
    """In order; the charger takes them away."""

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come, as for :class:`hil.world.bytenode.ByteNode`."""

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A connection is open."""

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A connection has ended."""

    def changed(self, now: Instant) -> None:
        """The charger's state, fault or current may have changed."""

    def wake(self, now: Instant) -> None:
        """The deadline has come."""

    def next_deadline(self) -> Instant | None:
        """When to wake next."""


FrontMaker = Callable[[Control], Front]
