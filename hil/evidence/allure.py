"""``allure-results``: one result per run, in the classes and by the writer that Allure publishes.

Histories are kept apart by rig: what ran on two rigs never merges. Equal runs write equal files
(but for the times, where the run has a start).
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Attachment, Label, Parameter, Status, StatusDetails, TestResult, TestStepResult
from allure_commons.types import AttachmentType, LabelType, Severity

from hil.conformance.verdict import CaseResult, Measurement, Verdict
from hil.evidence.explain import is_finding, run_name, show_limits, show_value, title
from hil.evidence.run import RunInfo
from hil.units import MILLISECOND, Instant

FOLDER = "allure-results"
_STATUS = {
    Verdict.PASS: Status.PASSED,
    Verdict.FAIL: Status.FAILED,
    Verdict.INCONCLUSIVE: Status.UNKNOWN,
    Verdict.NONE: Status.UNKNOWN,
    Verdict.ERROR: Status.BROKEN,
    Verdict.NOT_APPLICABLE: Status.SKIPPED,
}
_CATEGORIES = [
    {"name": "Requirement broken by the DUT", "matchedStatuses": ["failed"]},
    {"name": "Inconclusive: no judgement possible", "matchedStatuses": ["unknown"]},
    {"name": "Error of the bench or the rig", "matchedStatuses": ["broken"]},
    {"name": "Not applicable", "matchedStatuses": ["skipped"]},
    {"name": "Advisory findings", "matchedStatuses": ["passed"], "messageRegex": "advisory finding.*"},
]
_STARTED_AT_ZERO = 1
"""Milliseconds: Allure's writer leaves out a time of 0."""


def write(out: Path, info: RunInfo, results: Sequence[CaseResult], texts: Mapping[int, str]) -> None:
    """Write ``out/allure-results`` anew. ``texts`` has the failure text of results by their index."""
    folder = out / FOLDER
    writer = AllureFileLogger(folder, clean=True)  # type: ignore[no-untyped-call]  # published without types
    clock = _start(info)
    runs: Counter[str] = Counter()
    for index, result in enumerate(results):
        span = round(result.duration_s * 1000)
        item = _result(info, result, texts.get(index, ""), clock, span)
        _identify(item, info, runs)
        item.attachments = _attach(out, writer, item.uuid, result)
        writer.report_result(item)  # type: ignore[no-untyped-call]  # published without types
        clock += span
    (folder / "environment.properties").write_text(_environment(info), "utf-8")
    (folder / "categories.json").write_bytes(msgspec.json.format(msgspec.json.encode(_CATEGORIES), indent=2) + b"\n")


def history_id(info: RunInfo, result: CaseResult) -> str:
    """Equal for the same run of the same case on the same rig, and for nothing else."""
    rig = f"{info.rig.get('name', '')}/{info.rig.get('sha256', '')}"
    return _digest(rig, result.suite, result.id, result.variant or "", result.reading or "")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _start(info: RunInfo) -> int:
    return _STARTED_AT_ZERO if info.started is None else round(datetime.fromisoformat(info.started).timestamp() * 1000)


def _result(info: RunInfo, result: CaseResult, text: str, start: int, span: int) -> TestResult:
    item = TestResult(
        historyId=history_id(info, result),
        testCaseId=_digest(result.suite, result.id),
        fullName=f"{result.suite}.{run_name(result)}",
        name=f"{run_name(result)} {title(result)}".strip(),
        description=result.purpose,
        status=Status.PASSED if is_finding(result) else _STATUS[result.verdict],
        stage="finished",
        labels=[Label(name, value) for name, value in _labels(info, result)],
        parameters=[Parameter(name, value) for name, value in _parameters(info, result)],
        steps=[_step(measurement, start, span) for measurement in result.measurements],
        start=start,
        stop=start + span,
    )
    if result.reason:
        finding = f"advisory finding ({result.verdict.value}): " if is_finding(result) else ""
        item.statusDetails = StatusDetails(message=finding + result.reason, trace=text or None)
    return item


def _identify(item: TestResult, info: RunInfo, runs: Counter[str]) -> None:
    """An identity that follows from what was run; the same run again in one report gets its own."""
    runs[item.historyId] += 1
    item.uuid = str(uuid.UUID(_digest(item.historyId, str(info.seed), *info.faults, str(runs[item.historyId]))))
    # The pattern holds no placeholder: the file is called by our identity, not by a random one.
    item.file_pattern = f"{item.uuid}-result.json"


def _labels(info: RunInfo, result: CaseResult) -> list[tuple[str, str]]:
    labels = [
        (LabelType.PARENT_SUITE, str(info.rig.get("name", ""))),
        (LabelType.SUITE, result.suite),
        (LabelType.FEATURE, result.requirement.partition("/")[0]),
        (LabelType.STORY, result.id),
        (LabelType.SEVERITY, (Severity.MINOR if result.advisory else Severity.CRITICAL).value),
        (LabelType.FRAMEWORK, "hil"),
        ("requirement", result.requirement),
        (LabelType.TAG, f"basis-{result.basis}"),
    ]
    if result.advisory:
        labels.append((LabelType.TAG, "advisory"))
    if is_finding(result):
        labels.append((LabelType.TAG, "advisory-finding"))
    return labels


def _parameters(info: RunInfo, result: CaseResult) -> list[tuple[str, str]]:
    parameters = [("seed", str(info.seed))]
    if result.variant:
        parameters.insert(0, ("variant", result.variant))
    if result.reading:
        parameters.insert(0, ("reading", result.reading))
    return parameters


def _step(measurement: Measurement, start: int, span: int) -> TestStepResult:
    unit = f" {measurement.unit}" if measurement.unit and measurement.value is not None else ""
    expected = show_limits(measurement)
    name = f"{measurement.name}: {show_value(measurement.value)}{unit}" + (f" ({expected})" if expected else "")
    at = start + (span if measurement.at is None else _milliseconds(measurement.at))
    # A value that is told but not judged is no doubt about the run.
    status = Status.PASSED if measurement.verdict is Verdict.NONE else _STATUS[measurement.verdict]
    step = TestStepResult(name=name, status=status, stage="finished", start=at, stop=at)
    if measurement.note:
        step.statusDetails = StatusDetails(message=measurement.note)
    return step


def _milliseconds(instant: Instant) -> int:
    return instant // MILLISECOND


def _attach(out: Path, writer: AllureFileLogger, identity: str, result: CaseResult) -> list[Attachment]:
    attachments = []
    for name, path, kind, extension in (
        ("candump trace", result.trace, AttachmentType.TEXT.mime_type, "log"),
        ("observation stream", result.stream, "application/jsonl", "jsonl"),
    ):
        if path is not None and (out / path).is_file():
            source = f"{identity}-{extension}-attachment.{extension}"
            writer.report_attached_file(out / path, source)  # type: ignore[no-untyped-call]  # published without types
            attachments.append(Attachment(name=name, source=source, type=kind))
    return attachments


def _environment(info: RunInfo) -> str:
    entries = {
        "tool": f"{info.tool.get('name', 'hil')} {info.tool.get('version', '')}".strip(),
        "commit": str(info.tool.get("commit") or "unknown"),
        "python": str(info.tool.get("python", "")),
        "platform": str(info.tool.get("platform", "")),
        "rig": str(info.rig.get("name", "")),
        "rig.sha256": str(info.rig.get("sha256", "")),
        "dut": str(info.dut.get("name", "")),
        "seed": str(info.seed),
        **({"operator": info.operator} if info.operator else {}),
    }
    entries.update({f"edition.{key}": value for key, value in info.edition.items()})
    entries.update({f"reading.{key}": value for key, value in info.readings.items()})
    return "".join(f"{key}={_property(value)}\n" for key, value in entries.items())


def _property(value: str) -> str:
    """A value of a properties file on one line."""
    return value.replace("\\", "\\\\").replace("\r", " ").replace("\n", " ")
