"""What a rig's instruments have told, as the invariants of profiles ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hil.bench.measured import MeasuredChecks
from hil.profile.measured import PolledSignal, UnsureSignal


def measured_signals(bench: MeasuredChecks[Any]) -> Iterator[tuple[str, PolledSignal | UnsureSignal]]:
    """Each signal that an instrument of a bench measures, by name; none where the plant itself is seen."""
    bench.record.sort()
    for name, bound in bench.instruments.bound.items():
        samples, band = bench.record.samples(name), bound.uncertainty.of
        ends = (bound.signal.low, bound.signal.high)
        by = bound.claim.identity
        signal: PolledSignal | UnsureSignal = UnsureSignal(name, samples, band, by, ends)
        if bound.polled:
            signal = PolledSignal(name, bench.instruments.asked[name], samples, band, by, ends)
        signal.instrument = bound.claim.name
        yield name, signal
