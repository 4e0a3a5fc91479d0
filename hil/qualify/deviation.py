"""How far a charger may miss a limit before the suite says so."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from hil.conformance.verdict import Verdict
from hil.errors import HilError
from hil.pytest_plugin.plan import Run
from hil.qualify.bisect import smallest_caught
from hil.qualify.knob import Knob
from hil.qualify.outcome import CaseOutcome
from hil.qualify.runner import Runner
from hil.units import MILLISECOND


class Deviation(msgspec.Struct, frozen=True):
    """One limit in one direction. Deviations are in milliseconds from the nominal value, in that direction."""

    name: str
    limit: str
    direction: str
    requirement: str
    source: str
    nominal: float
    tolerance: float
    """What the catalogue allows."""
    caught: int | None
    """The smallest that the case fails, of whole milliseconds; None where it lets :attr:`most` pass."""
    most: int
    """The largest that was tried."""
    measured: str = ""
    """By what the smallest one was convicted."""
    error: str = ""
    """What went wrong on our side; nothing was found then."""
    undecided: str = ""
    """Why the rig's instruments leave open even the largest that was tried; nothing was found then."""

    @classmethod
    def of(cls, knob: Knob, readings: Mapping[str, str], caught: int | None, measured: str = "") -> Deviation:
        """What was found for a knob."""
        limit = knob.limit().under(readings)
        return cls(
            knob.name,
            knob.of,
            knob.direction,
            knob.requirement,
            limit.source,
            knob.nominal / MILLISECOND,
            knob.tolerance(readings) / MILLISECOND,
            caught,
            knob.most // MILLISECOND,
            measured,
        )

    @classmethod
    def failed(cls, knob: Knob, readings: Mapping[str, str], error: str) -> Deviation:
        """A search that came to nothing."""
        return msgspec.structs.replace(cls.of(knob, readings, None), error=error)


class _ProbeError(HilError):
    """A run of the search ended in an error on our side."""


def search(knob: Knob, runner: Runner, readings: Mapping[str, str]) -> Deviation:
    """The smallest deviation, in whole milliseconds, that the knob's case still fails."""
    told: dict[int, str] = {}
    unclear: dict[int, str] = {}

    def caught(deviation: int) -> bool:
        outcome = runner.run_edited(
            knob.requirement, {knob.dut: partial(_edited, knob, deviation)}, partial(_is_of, knob)
        )
        if outcome.verdict is Verdict.ERROR or not outcome.runs:
            raise _ProbeError(f"{deviation:+d} ms: {_reason(outcome)}")
        told[deviation] = _reason(outcome)
        if outcome.missed_by_instruments is not None:
            unclear[deviation] = told[deviation]
        return outcome.verdict is Verdict.FAIL

    tolerance = round(knob.tolerance(readings) / MILLISECOND)
    try:
        least, most = knob.least // MILLISECOND, knob.most // MILLISECOND
        found = smallest_caught(caught, least=least, most=most, guess=tolerance)
    except _ProbeError as error:
        return Deviation.failed(knob, readings, str(error))
    if found is None:
        return msgspec.structs.replace(Deviation.of(knob, readings, None), undecided=unclear.get(most, ""))
    return Deviation.of(knob, readings, found, told[found])


def _edited(knob: Knob, deviation: int, spec: Any) -> Any:
    return knob.edit(spec, deviation * MILLISECOND)


def _is_of(knob: Knob, run: Run) -> bool:
    return (knob.variant is None or run.variant == knob.variant) and (
        knob.reading is None or run.reading == knob.reading
    )


def _reason(outcome: CaseOutcome) -> str:
    run = outcome.decisive
    return "no run of its case" if run is None else run.reason
