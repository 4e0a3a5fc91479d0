"""Everything a conformance case imports: one door, so that a case never knows what is behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from hil.bench.actions import (
    alter,
    answer_stop,
    at_signal,
    demand,
    first,
    go,
    hold,
    malform,
    nth,
    release,
    restore,
    resume,
    send_raw,
    silence,
    stimulate,
    stop_charging,
    transfer,
    transport,
    vehicle_contactors,
)
from hil.bench.bench import Bench
from hil.bench.phases import Phase
from hil.bench.record import MessageSeen
from hil.conformance.catalogue import limit, partner, period, quantity, tail, timeout
from hil.units import minutes, ms, s, seconds

_Case = TypeVar("_Case", bound=Callable[..., None])


def requirement(identifier: str) -> Callable[[_Case], _Case]:
    """Tie a case to a requirement of the catalogue; variants of the requirement become its runs."""

    def mark(case: _Case) -> _Case:
        marked: _Case = pytest.mark.requirement(identifier)(case)
        return marked

    return mark


__all__ = [
    "Bench",
    "MessageSeen",
    "Phase",
    "alter",
    "answer_stop",
    "at_signal",
    "demand",
    "first",
    "go",
    "hold",
    "limit",
    "malform",
    "minutes",
    "ms",
    "nth",
    "partner",
    "period",
    "quantity",
    "release",
    "requirement",
    "restore",
    "resume",
    "s",
    "seconds",
    "send_raw",
    "silence",
    "stimulate",
    "stop_charging",
    "tail",
    "timeout",
    "transfer",
    "transport",
    "vehicle_contactors",
]
