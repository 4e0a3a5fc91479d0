"""A twin of the default rig, and profiles in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.bench.setup import Setup
from hil.bench.twin import Twin
from hil.conformance.register import resolve
from hil.profile import LoadProfile, Segment
from hil.profile.events import AnyEvent

Part = tuple[float, float] | tuple[float, float, AnyEvent]
"""Seconds, A, and what happens at the start."""


@pytest.fixture
def make() -> Callable[..., LoadProfile]:
    """A profile of seconds and A, at the vehicle's maximum voltage."""

    def made(*parts: Part, **fields: object) -> LoadProfile:
        segments = tuple(
            Segment(duration=seconds, current=amperes, voltage=394.2, events=tuple(events))
            for seconds, amperes, *events in parts
        )
        values = {"name": "made", "segments": segments, **fields}
        return LoadProfile(**values)  # type: ignore[arg-type]  # fields of a profile by name

    return made


@pytest.fixture
def twin() -> Callable[..., Twin]:
    """The twin of the default rig with seeded faults and readings."""

    def opened(*faults: str, **readings: str) -> Twin:
        return Twin(Setup(readings=resolve({name.replace("_", "-"): c for name, c in readings.items()}), faults=faults))

    return opened
