"""Rigs of the plant's tests: a plant that is charging, and views of its samples that do not use its arithmetic."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from itertools import pairwise

import pytest

from hil.plant import PRESETS, Plant, Sample
from hil.units import SECOND, Instant, ms, s


class Rig:
    """A plant driven as a controller would drive it; keeps every sample and change."""

    def __init__(self, preset: str = "car-400v", *, soc: float = 40.0, temperature: float = 25.0) -> None:
        self.spec = PRESETS[preset]
        self.plant = Plant(self.spec, soc=soc, temperature=temperature)
        self.now: Instant = 0
        self.samples: list[Sample] = []
        self.changes: list[tuple[Instant, str, float]] = []
        self.events = 0
        self.collect()

    def collect(self) -> None:
        self.samples += self.plant.take_samples()
        self.changes += self.plant.take_changes()

    def until(self, instant: Instant) -> None:
        """Serve the plant's own events up to an instant, one by one, as a world does."""
        while (due := self.plant.next_deadline()) is not None and due <= instant:
            assert due >= self.now, "an event in the past"
            self.now = due
            self.plant.wake(due)
            self.collect()
            self.events += 1
        self.now = instant

    def set(self, **settings: float) -> None:
        for name, value in settings.items():
            self.plant.actuate(name, value, self.now)
        self.collect()

    def stimulate(self, **stimuli: float) -> None:
        for name, value in stimuli.items():
            self.plant.stimulate(name, value, self.now)
        self.collect()

    def sense(self, name: str) -> float:
        return self.plant.sense(name, self.now)

    def of(self, name: str) -> list[Sample]:
        return [sample for sample in self.samples if sample.name == name]

    def connect(self, below: float = 5.0) -> None:
        """Plug in, close K5/K6, bring the output to ``below`` V under the pack, close K1/K2: at 950 ms."""
        self.stimulate(plugged=1)
        self.set(k5k6_command=1)
        self.until(ms(50))
        self.set(voltage_setpoint=self.sense("pack_voltage") - below, current_setpoint=2, output_enable=1)
        self.until(ms(920))
        self.set(k1k2_command=1)
        self.until(ms(960))

    def charge(self, current: float, voltage: float | None = None) -> None:
        """From 1 s on the stage is allowed this current, up to 3.65 V per cell or ``voltage``."""
        self.connect()
        self.until(s(1))
        self.set(voltage_setpoint=3.65 * self.spec.cells if voltage is None else voltage, current_setpoint=current)


@pytest.fixture(scope="session")
def rig() -> Callable[..., Rig]:
    return Rig


class Line:
    """A signal as its samples tell it: straight lines between them."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples
        self.times = [sample.t for sample in samples]

    def bracket(self, instant: Instant) -> tuple[Sample, Sample] | None:
        """The samples before and after an instant that is not itself the instant of one."""
        index = bisect_left(self.times, instant)
        if index in (0, len(self.times)) or self.times[index] == instant:
            return None
        return self.samples[index - 1], self.samples[index]

    def at(self, instant: Instant) -> float | None:
        """Interpolated; None where a sample lies exactly there, as it may be a step."""
        around = self.bracket(instant)
        if around is None:
            return None
        before, after = around
        return before.value + (after.value - before.value) * (instant - before.t) / (after.t - before.t)

    def integral(self, other: Line | None = None) -> float:
        """Of the signal, or of its product with one sampled at the same instants, over time in s."""
        total = 0.0
        others = self.samples if other is None else other.samples
        for (a, b), (c, d) in zip(pairwise(self.samples), pairwise(others), strict=True):
            assert (a.t, b.t) == (c.t, d.t)
            dt = (b.t - a.t) / SECOND
            if other is None:
                total += (a.value + b.value) / 2 * dt
            else:
                total += (
                    (2 * a.value * c.value + 2 * b.value * d.value + a.value * d.value + b.value * c.value) / 6 * dt
                )
        return total


@pytest.fixture(scope="session")
def line() -> Callable[[list[Sample]], Line]:
    return Line
