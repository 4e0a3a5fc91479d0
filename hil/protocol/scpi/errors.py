"""Errors of SCPI and the queue that holds them (sheet serial 3.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType

from hil.errors import UsageError

TEXTS: Mapping[int, str] = MappingProxyType(
    {
        0: "No error",
        -100: "Command error",
        -102: "Syntax error",
        -104: "Data type error",
        -108: "Parameter not allowed",
        -109: "Missing parameter",
        -113: "Undefined header",
        -131: "Invalid suffix",
        -200: "Execution error",
        -221: "Settings conflict",
        -222: "Data out of range",
        -224: "Illegal parameter value",
        -240: "Hardware error",
        -241: "Hardware missing",
        -350: "Queue overflow",
        -360: "Communication error",
        -361: "Parity error in program message",
        -363: "Input buffer overrun",
        -410: "Query INTERRUPTED",
        -420: "Query UNTERMINATED",
        -430: "Query DEADLOCKED",
    }
)
OVERFLOW = -350


class ScpiError(Exception):
    """A message unit cannot be carried out: it becomes an entry of the error queue."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code},{TEXTS.get(code, '')}")
        self.code = code


def event_bit(code: int) -> int:
    """Bit of the standard event status register that an error sets."""
    return {1: 5, 2: 4, 3: 3, 4: 2}.get(-code // 100, 3)


class ErrorQueue:
    """First in, first out; when it is full the last entry becomes -350 and later errors are lost."""

    def __init__(self, depth: int = 20) -> None:
        if depth < 2:
            raise UsageError(f"an error queue of {depth}: 2 or more is allowed")
        self._depth = depth
        self._codes: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._codes)

    def push(self, code: int) -> None:
        """An error has happened."""
        if len(self._codes) < self._depth:
            self._codes.append(code)
        else:
            self._codes[-1] = OVERFLOW

    def pop(self) -> int:
        """The oldest; 0 without one."""
        return self._codes.popleft() if self._codes else 0

    def clear(self) -> None:
        """Forget all."""
        self._codes.clear()


def show(code: int, *, plus: bool = False) -> str:
    """``-113,"Undefined header"``; ``plus`` writes ``+0`` as some instruments do."""
    return f'{code:+d},"{TEXTS.get(code, "Device error")}"' if plus else f'{code},"{TEXTS.get(code, "Device error")}"'
