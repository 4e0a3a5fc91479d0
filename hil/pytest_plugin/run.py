"""One run of one case: its world, its evidence and its verdict."""

from __future__ import annotations

from pathlib import Path

from hil.bench.bench import Bench
from hil.bench.judge import CheckFailed, Inconclusive, Judge
from hil.bench.setup import Setup, build
from hil.conformance.catalogue import Requirement
from hil.conformance.monitors import MonitorSet
from hil.conformance.verdict import CaseResult, Measurement, Verdict, worst
from hil.evidence.trace import TraceWriter
from hil.protocol.gbt27930 import edition
from hil.units import seconds, show_instant


class CaseRun:
    """Opened before the case, concluded after it; :attr:`result` is what it came to."""

    def __init__(
        self,
        requirement: Requirement,
        variant: str | None,
        setup: Setup,
        readings: dict[str, str],
        out: Path,
        *,
        nodeid: str,
        repeat: str,
    ) -> None:
        self.requirement = requirement
        self.variant = variant
        self.readings = readings
        self._nodeid = nodeid
        self._repeat = repeat
        self._out = out
        stem = requirement.case if variant is None else f"{requirement.case}-{variant}"
        self._writer = TraceWriter(out / "traces", stem)
        messages = edition(setup.edition)
        monitors = MonitorSet(edition=setup.edition, readings=readings)
        judge = Judge(uncertainty=0, monitors=monitors)
        self.bench = Bench(build(setup), messages, judge, readings, self._writer.write)
        self.result: CaseResult | None = None

    def conclude(self, error: BaseException | None) -> CaseResult:
        """Close the world and come to a verdict; ``error`` is what the case raised, if anything."""
        bench = self.bench
        bench.close()
        bench.judge.finish(bench.now)
        self._writer.close()
        verdict, reason = self._verdict(error)
        decisive = bench.judge.decisive
        requirement = self.requirement
        self.result = CaseResult(
            id=requirement.case,
            suite=requirement.suite,
            requirement=requirement.id,
            source=requirement.source,
            basis=requirement.basis,
            purpose=requirement.purpose,
            verdict=verdict,
            reason=reason,
            clause=requirement.clause,
            advisory=requirement.advisory,
            reading=self._reading(),
            variant=self.variant,
            measurements=list(bench.judge.measurements),
            faults_fired=[note.what for note in bench.record.notes if note.kind in ("stimulus", "fault_fired")],
            trace=str(self._writer.log_path.relative_to(self._out)),
            stream=str(self._writer.stream_path.relative_to(self._out)),
            duration_s=seconds(bench.now),
            decisive=decisive.at if decisive is not None else bench.now,
            nodeid=self._nodeid,
            repeat=self._repeat,
        )
        return self.result

    def _reading(self) -> str | None:
        name = self.requirement.reading
        return f"{name}={self.readings[name]}" if name else None

    def _verdict(self, error: BaseException | None) -> tuple[Verdict, str]:
        judged = self.bench.judge.verdict
        reason = _explain(self.bench.judge.decisive)
        raised, raised_reason = _verdict_of(error)
        unfired = self.bench.unfired()
        if raised in (Verdict.NONE, Verdict.INCONCLUSIVE) and unfired and judged is not Verdict.FAIL:
            return Verdict.INCONCLUSIVE, raised_reason or f"the stimulus {unfired[0]!r} did not come about"
        verdict = worst((judged, raised))
        if verdict is Verdict.NONE:
            return Verdict.INCONCLUSIVE, "nothing was measured"
        return verdict, raised_reason if raised is verdict and raised_reason else reason


def _verdict_of(error: BaseException | None) -> tuple[Verdict, str]:
    if error is None:
        return Verdict.NONE, ""
    if isinstance(error, Inconclusive):
        return Verdict.INCONCLUSIVE, str(error)
    if isinstance(error, CheckFailed | AssertionError):
        return Verdict.FAIL, str(error)
    return Verdict.ERROR, f"{type(error).__name__}: {error}"


def _explain(measurement: Measurement | None) -> str:
    """The decisive measurement in words; empty for a pass."""
    if measurement is None or measurement.verdict in (Verdict.NONE, Verdict.PASS):
        return ""
    seen = "nothing" if measurement.value is None else _number(measurement.value)
    text = f"{measurement.name}: {seen} {measurement.unit}".rstrip() + _limits(measurement)
    if measurement.at is not None:
        text += f", at {show_instant(measurement.at)}"
    return text + (f" ({measurement.note})" if measurement.note else "")


def _limits(measurement: Measurement) -> str:
    low, high = measurement.low, measurement.high
    if low is None and high is None:
        return ""
    if low is None:
        return f", at most {_number(high)} allowed"
    if high is None:
        return f", at least {_number(low)} required"
    if low == high:
        return f", {_number(low)} required"
    return f", {_number(low)} .. {_number(high)} required"


def _number(value: float | str | bool | None) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
