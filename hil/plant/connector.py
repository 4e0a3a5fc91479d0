"""The connector's pilot lines as resistive levels (sheet 4.8)."""

from __future__ import annotations

_OPEN = 12.0
_HALF = 6.0
_PLUGGED = 4.0
AUXILIARY = 12.0
"""V of the auxiliary supply."""


class Connector:
    """Plug, switch S and the detection lines; fields are set by the stimuli of the same names."""

    __slots__ = ("cc1_broken", "cc1_forced", "plugged", "switch_s_closed")

    def __init__(self) -> None:
        self.plugged = 0.0
        self.switch_s_closed = 1.0
        self.cc1_broken = 0.0
        self.cc1_forced = 0.0

    @property
    def cc1(self) -> float:
        """V at detection point 1: two equal resistors to earth, one behind switch S, one in the inlet."""
        if self.cc1_forced > 0.0:
            return self.cc1_forced
        if self.cc1_broken:
            return _OPEN
        if self.switch_s_closed:
            return _PLUGGED if self.plugged else _HALF
        return _HALF if self.plugged else _OPEN

    @property
    def cc2(self) -> float:
        """V at detection point 2."""
        return _HALF if self.plugged else _OPEN
