"""Everything a run leaves behind, in one folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path

from hil.conformance.verdict import CaseResult, Verdict
from hil.errors import HilError
from hil.evidence import allure, document, junit, page
from hil.evidence.curves import collect
from hil.evidence.explain import failure_text, trace_lines
from hil.evidence.plot import draw
from hil.evidence.run import RunInfo
from hil.evidence.timing import Timings, timing_of
from hil.evidence.trace import read_stream
from hil.protocol.gbt27930 import MessageSet, edition
from hil.world.observation import Observation

JSON_NAME = "conformance.json"
JUNIT_NAME = "junit.xml"
_ELECTRICAL = ("V", "A", "W", "kW", "kWh", "ohm", "Ω")


def write_reports(
    out: Path, info: RunInfo, results: Sequence[CaseResult], reached: Sequence[tuple[str, str]] = ()
) -> None:
    """Write ``conformance.json``, ``junit.xml``, ``index.html`` and ``allure-results`` into ``out``.

    ``reached`` are names and texts of what generated load profiles came to, where there were any.

    Traces named by the results are looked for under ``out``; where one cannot be read the reports
    say so. Each file is replaced whole, so that a reader never meets half of one. Raises
    :class:`HilError` naming the path when the disk refuses.
    """
    messages = edition(info.edition.get("gbt27930", "2015"))
    stories: dict[int, page.Story] = {}
    texts: dict[int, str] = {}
    timings = Timings()
    for index, result in enumerate(results):
        observations, problem = _observations(out, result)
        timings.feed(observations)
        stories[index] = _story(result, observations, messages, problem)
        if result.verdict is not Verdict.PASS:
            texts[index] = failure_text(result, observations, messages)
    try:
        out.mkdir(parents=True, exist_ok=True)
        digests = _digests(out, results)
        _replace(out / JSON_NAME, document.render(info, results, digests))
        _replace(out / JUNIT_NAME, junit.render(info, results, texts))
        html = page.render(info, results, stories, messages, reached, timings.timing(), digests)
        _replace(out / page.FILE_NAME, html.encode("utf-8", "replace"))
        allure.write(out, info, results, texts)
    except OSError as error:
        raise HilError(f"cannot write the report to {error.filename or out}: {error.strerror or error}") from error


def forget_reports(out: Path) -> None:
    """Take away what :func:`write_reports` wrote for an earlier run, not to be taken for one that is killed.

    Raises :class:`HilError` naming the path when the disk refuses.
    """
    try:
        for name in (JSON_NAME, JUNIT_NAME, page.FILE_NAME):
            (out / name).unlink(missing_ok=True)
        for path in (out / allure.FOLDER).glob("*-result.json"):
            path.unlink()
    except OSError as error:
        raise HilError(f"cannot replace {error.filename or out}: {error.strerror or error}") from error


def _digests(out: Path, results: Sequence[CaseResult]) -> dict[str, str]:
    """SHA-256 of every file that the results name and that is there: later they can be told to be these."""
    found = {}
    for path in sorted({path for result in results for path in document.left_by(result)}):
        with suppress(OSError), (out / path).open("rb") as file:
            found[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _observations(out: Path, result: CaseResult) -> tuple[list[Observation], str]:
    if result.stream is None:
        return [], ""
    try:
        # A port hands over what its clock stamped a little earlier than what was told before.
        return sorted(read_stream(out / result.stream), key=attrgetter("t")), ""
    except HilError as error:
        return [], str(error)


def _story(result: CaseResult, observations: list[Observation], messages: MessageSet, problem: str) -> page.Story:
    if not observations:
        return page.Story(problem=problem)
    electrical = any(measurement.unit in _ELECTRICAL for measurement in result.measurements)
    curves = collect(observations, messages, result.decisive, electrical=electrical)
    plot = "" if curves is None else draw(curves)
    return page.Story(trace_lines(result, observations, messages), plot, timing=timing_of(observations))


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
