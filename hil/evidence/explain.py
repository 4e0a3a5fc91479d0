"""A result in words: what a charger engineer understands at once."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from hil.conformance.catalogue import requirements
from hil.conformance.verdict import CaseResult, Measurement, Verdict
from hil.evidence.decode import WIDTH, TraceLine, decoded_lines
from hil.protocol.gbt27930 import MessageSet
from hil.units import show_instant
from hil.world.observation import Observation

_MOST_FINDINGS = 5
BASIS = {
    "S2": "two or more independent sources agree",
    "S1": "one source only",
    "DIS": "sources disagree; the reading taken is stated",
    "DER": "derived by reasoning; no source states it as such",
    "K": "engineering knowledge; no public text confirms it",
}
"""The confidence marks of the fact sheets."""
VERDICTS = {
    Verdict.PASS: "PASS",
    Verdict.FAIL: "FAIL",
    Verdict.INCONCLUSIVE: "INCONCLUSIVE",
    Verdict.ERROR: "ERROR",
    Verdict.NOT_APPLICABLE: "NOT APPLICABLE",
    Verdict.NONE: "NOT JUDGED",
}


def run_name(result: CaseResult) -> str:
    """Case id, variant and reading, as ``DN.3006[short][dn2007-2009=print]``."""
    variant = f"[{result.variant}]" if result.variant else ""
    reading = f"[{result.reading}]" if result.reading else ""
    return f"{result.id}{variant}{reading}"


def title(result: CaseResult) -> str:
    """The requirement's title; for a result that does not bring one, that of the shipped catalogue, or none."""
    if result.title:
        return result.title
    requirement = requirements().get(result.requirement)
    return requirement.title if requirement is not None else ""


def sentence(text: str) -> str:
    """A text that begins as a sentence does."""
    return text[:1].upper() + text[1:]


def is_finding(result: CaseResult) -> bool:
    """An advisory run that did not pass: told, and counted for itself."""
    return result.advisory and result.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NONE)


def decisive(result: CaseResult) -> Measurement | None:
    """The first measurement with the worst verdict; None where nothing was judged."""
    judged = [measurement for measurement in result.measurements if measurement.verdict is not Verdict.NONE]
    return max(judged, key=lambda measurement: measurement.verdict.rank, default=None)


def trace_lines(
    result: CaseResult, observations: Sequence[Observation], messages: MessageSet, limit: int = 30
) -> list[TraceLine]:
    """The decoded trace around the decisive moment, or around the end where there is none."""
    if not observations:
        return []
    around = result.decisive if result.decisive is not None else observations[-1].t
    measured = decisive(result)
    return decoded_lines(observations, messages, around, limit=limit, about=measured.name if measured else "")


def show_value(value: float | str | bool | None) -> str:
    """A measured value as text; whole numbers without a point."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, int | float) else value


def show_measured_value(measurement: Measurement) -> str:
    """The value with its unit and how unsure it is, as ``1.00053 s ± 0.0109 s``; a note that says so will do."""
    unit = f" {measurement.unit}" if measurement.unit and measurement.value is not None else ""
    unsure = "" if "±" in measurement.note else show_uncertainty(measurement)
    return f"{show_value(measurement.value)}{unit}" + (f" {unsure}" if unsure else "")


def show_uncertainty(measurement: Measurement) -> str:
    """How unsure a value is, as ``± 0.0109 s``; empty where it counts as exact."""
    return f"± {measurement.uncertainty:.3g} {measurement.unit}".rstrip() if measurement.uncertainty else ""


def show_limits(measurement: Measurement) -> str:
    """What is allowed, as ``0.99 .. 1.2 s``; empty where nothing is."""
    low, high = measurement.low, measurement.high
    if low is None and high is None:
        return ""
    if low is None:
        text = f"at most {show_value(high)}"
    elif high is None:
        text = f"at least {show_value(low)}"
    elif low == high:
        text = f"exactly {show_value(low)}"
    else:
        text = f"{show_value(low)} .. {show_value(high)}"
    return f"{text} {measurement.unit}".rstrip()


def failure_text(result: CaseResult, observations: Sequence[Observation], messages: MessageSet) -> str:
    """The whole story in lines of at most 120 columns.

    Requirement with source and basis, expected against measured, the instant, the decoded trace
    around it, and the one command that repeats it.
    """
    return "\n".join(_story(result, observations, messages))


def _story(result: CaseResult, observations: Sequence[Observation], messages: MessageSet) -> Iterator[str]:
    yield from _head(result)
    if result.measurements:
        yield ""
        yield from _table(result)
    if result.faults_fired:
        yield ""
        for fired in result.faults_fired:
            yield from _field("stimulus", fired)
    lines = trace_lines(result, observations, messages)
    if lines:
        yield ""
        around = "up to the end" if result.decisive is None else f"around {show_instant(result.decisive)}"
        yield f"  Trace {around} (>> marks the decisive line):"
        for line in lines:
            yield from _trace_line(line)
    yield from _findings(result)
    if result.trace:
        yield from _field("whole trace", result.trace)
    if result.repeat:
        yield ""
        yield f"  Repeat with:  {result.repeat}"
    if result.replay:
        yield f"  Replay with:  {result.replay}"


def _head(result: CaseResult) -> Iterator[str]:
    advisory = " (advisory: reported, does not fail the run)" if result.advisory else ""
    yield from _wrapped(f"{VERDICTS[result.verdict]}  {run_name(result)}  {title(result)}".rstrip() + advisory, "")
    yield from _field("requirement", result.requirement + (f", clause {result.clause}" if result.clause else ""))
    yield from _field("purpose", sentence(result.purpose))
    basis = BASIS.get(result.basis)
    yield from _field("source", f"{result.source}; basis {result.basis}" + (f" ({basis})" if basis else ""))
    if result.reading:
        yield from _field("reading", result.reading)
    if result.reason:
        yield from _field("reason", result.reason)


def _findings(result: CaseResult) -> Iterator[str]:
    """What monitors saw of the DUT; what the vehicle was made to do is no news."""
    theirs = [finding for finding in result.findings if finding.side == "charger"]
    if theirs:
        yield ""
        yield "  Seen by monitors beside the case (not part of the verdict):"
    for finding in theirs[:_MOST_FINDINGS]:
        told = f"{finding.requirement}: {finding.seen}; expected {finding.expected}"
        yield from _wrapped(told, f"  {show_instant(finding.at):>15}  ")
    if len(theirs) > _MOST_FINDINGS:
        yield f"  {'':>15}  and {len(theirs) - _MOST_FINDINGS} more, in the report"


def _trace_line(line: TraceLine) -> Iterator[str]:
    """The decisive line is shown to its end, the others as far as they fit."""
    if not line.decisive:
        yield line.render()
        return
    yield from textwrap.wrap(line.render(width=10_000), WIDTH, subsequent_indent=" " * 47, drop_whitespace=True)


def _field(name: str, text: str) -> Iterator[str]:
    yield from _wrapped(text, f"  {name + ':':<13}")


def _wrapped(text: str, lead: str) -> Iterator[str]:
    """Every line of the text, wrapped under the lead."""
    indent = " " * (len(lead) or 2)
    for number, part in enumerate(text.splitlines() or [""]):
        yield from textwrap.wrap(part, WIDTH, initial_indent=indent if number else lead, subsequent_indent=indent)


def _table(result: CaseResult) -> Iterator[str]:
    """Expected against measured; what did not pass is marked and comes with its note."""
    rows = [("", "what", "measured", "expected", "verdict", "at")]
    for measurement in result.measurements:
        marked = measurement.verdict not in (Verdict.PASS, Verdict.NONE)
        at = "" if measurement.at is None else show_instant(measurement.at)
        measured = show_measured_value(measurement)
        expected = show_limits(measurement) or measurement.note
        verdict = VERDICTS[measurement.verdict].lower()
        rows.append((">>" if marked else "", measurement.name, measured, expected, verdict, at))
    widths = [min(max(len(row[column]) for row in rows), most) for column, most in enumerate((2, 40, 24, 24, 12, 16))]
    for row in rows:
        cells = (_cut(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells)[:WIDTH].rstrip()
    for measurement in result.measurements:
        if measurement.note and show_limits(measurement) and measurement.note not in result.reason:
            yield from _field("note", f"{measurement.name}: {measurement.note}")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
