"""Every demand that a bench puts on a real bus passes the rig's envelope: one beyond it is not sent, and told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from hil.bus.lines import FrameLine, FramePort
from hil.codec.frame import CanFrame
from hil.protocol.gbt27930 import BMS_ADDRESS, MessageSet
from hil.safety.envelope import Envelope
from hil.transport.can_line import LiveCan
from hil.units import Instant
from hil.world.observation import Note

KIND = "envelope"
"""Kind of the note: what was held back, with its values and the limit."""
_DEMAND = "BCL"


class GuardedBus:
    """A CAN bus whose nodes demand no more than the envelope allows.

    What is judged is the demand of BCL: its voltage, its current, and both together as power, which is the most that
    a charger may make of it. ``now`` and ``sink`` are the world's.
    """

    def __init__(
        self,
        line: FrameLine,
        envelope: Envelope,
        messages: MessageSet,
        now: Callable[[], Instant],
        sink: Callable[[Note], None],
    ) -> None:
        self.name = line.name
        self._line = line
        self._envelope = envelope
        self._messages = messages
        self._now = now
        self._sink = sink
        self._pgn = messages.by_name[_DEMAND].pgn
        if isinstance(line, LiveCan):
            line.allows = self.allows  # a fault may have altered a demand behind this

    @property
    def kind(self) -> Literal["can"]:
        """What goes over it."""
        return self._line.kind

    def attach(self, name: str, on_frame: Callable[[CanFrame, Instant], None], /) -> FramePort:
        """A new node, whose demands are looked at."""
        return _GuardedPort(self._line.attach(name, on_frame), self.allows)

    def allows(self, frame: CanFrame) -> bool:
        """Whether a frame may go out; what may not is told."""
        if frame.id >> 8 & 0xFF00 != self._pgn or frame.id & 0xFF != BMS_ADDRESS:
            return True
        demand: Any = self._messages.decode(self._pgn, frame.data)
        voltage, current = getattr(demand, "voltage_demand", None), getattr(demand, "current_demand", None)
        if voltage is None or current is None:
            return True  # too short to demand anything
        power = voltage * -current
        envelope = self._envelope
        for unit, value, most in (
            ("V", voltage, envelope.max_voltage),
            ("A", -current, envelope.max_current),
            ("W", power, envelope.max_power),
        ):
            if value > most:
                self._sink(Note(self._now(), KIND, _DEMAND, {"demand": value, "most": most, "unit": unit}))
                return False
        return True

    def inject(self, fault: Any, /) -> None:
        """Put a fault on the bus."""
        self._line.inject(fault)

    def undo(self, name: str, /) -> None:
        """Take one fault back."""
        self._line.undo(name)

    def undo_all(self) -> None:
        """Take every fault back."""
        self._line.undo_all()


class _GuardedPort:
    def __init__(self, port: FramePort, allows: Callable[[CanFrame], bool]) -> None:
        self._port = port
        self._allows = allows

    def send(self, frame: CanFrame, /) -> None:
        """Send what is within the envelope."""
        if self._allows(frame):
            self._port.send(frame)
