"""``conformance.json``: the whole run as one stable document, described by a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import msgspec

from hil.conformance.verdict import CaseResult, Finding, Measurement, Verdict
from hil.evidence.explain import is_finding
from hil.evidence.run import RunInfo
from hil.units import Instant, seconds

SCHEMA = 1
"""Version of the document; it rises when a reader of the old one would misread the new one."""


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``conformance.json``."""
    text = files("hil.evidence").joinpath("conformance.schema.json").read_bytes()
    loaded: dict[str, Any] = msgspec.json.decode(text)
    return loaded


def summary(results: Sequence[CaseResult]) -> dict[str, int]:
    """Runs by verdict. Advisory findings are counted for themselves only; a run without a judgement
    is inconclusive. The figures add up to the number of runs."""
    counts = {"pass": 0, "fail": 0, "inconclusive": 0, "error": 0, "not_applicable": 0, "advisory_findings": 0}
    for result in results:
        counts["advisory_findings" if is_finding(result) else verdict_word(result.verdict)] += 1
    return counts


def verdict_word(verdict: Verdict) -> str:
    """A run's verdict as the reports write it."""
    return Verdict.INCONCLUSIVE.value if verdict is Verdict.NONE else verdict.value


def document(info: RunInfo, results: Sequence[CaseResult], digests: Mapping[str, str] = {}) -> dict[str, Any]:
    """The document as plain values, keys in their documented order; ``digests`` are SHA-256 of files, by path."""
    return {
        "schema": SCHEMA,
        "tool": info.tool,
        "rig": {**info.rig, "files": info.rig_files},
        "dut": info.dut,
        "edition": info.edition,
        "readings": info.readings,
        "faults": info.faults,
        "seed": info.seed,
        "command": info.command,
        "started": info.started,
        "finished": info.finished,
        "host": info.host,
        "operator": info.operator,
        "summary": summary(results),
        "cases": [_case(result, digests) for result in results],
    }


def render(info: RunInfo, results: Sequence[CaseResult], digests: Mapping[str, str] = {}) -> bytes:
    """The document as UTF-8 JSON. Numbers that JSON cannot hold become null."""
    return msgspec.json.format(msgspec.json.encode(document(info, results, digests)), indent=2) + b"\n"


def left_by(result: CaseResult) -> list[str]:
    """Paths of the files that a run has left beside the reports."""
    return [path for path in (result.trace, result.stream, result.profile, result.dut_output) if path is not None]


def _case(result: CaseResult, digests: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": result.id,
        "suite": result.suite,
        "requirement": result.requirement,
        "clause": result.clause,
        "source": result.source,
        "basis": result.basis,
        "advisory": result.advisory,
        "reading": result.reading,
        "variant": result.variant,
        "purpose": result.purpose,
        "verdict": verdict_word(result.verdict),
        "reason": result.reason,
        "measurements": [_measurement(measurement) for measurement in result.measurements],
        "faults_fired": result.faults_fired,
        "findings": [_finding(finding) for finding in result.findings],
        "trace": result.trace,
        "stream": result.stream,
        "duration_s": result.duration_s,
        "decisive_s": _seconds(result.decisive),
        "repeat": result.repeat,
        "profile": result.profile,
        "replay": result.replay,
        "dut_output": result.dut_output,
        "sha256": {path: digests[path] for path in left_by(result) if path in digests},
    }


def _measurement(measurement: Measurement) -> dict[str, Any]:
    return {
        "name": measurement.name,
        "value": measurement.value,
        "unit": measurement.unit,
        "low": measurement.low,
        "high": measurement.high,
        "verdict": measurement.verdict.value,
        "at_s": _seconds(measurement.at),
        "note": measurement.note,
        "uncertainty": measurement.uncertainty,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "requirement": finding.requirement,
        "side": finding.side,
        "expected": finding.expected,
        "seen": finding.seen,
        "verdict": finding.verdict.value,
        "at_s": _seconds(finding.at),
        "source": finding.source,
        "advisory": finding.advisory,
    }


def _seconds(instant: Instant | None) -> float | None:
    return None if instant is None else seconds(instant)
