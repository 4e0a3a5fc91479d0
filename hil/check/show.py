"""A check's outcome on the terminal and as files: ``check.json`` and ``check.html``."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hil.check.engine import Check
from hil.check.timeline import LANES, SIDES, Piece, as_text, bars, pieces, stretches
from hil.conformance.monitors import Report, monitors
from hil.conformance.verdict import Finding, Verdict
from hil.errors import HilError
from hil.units import seconds, show_span

_STYLES = {Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "yellow"}
_WIDEST = 160
_MOST_PHASES, _MOST_NOTES = 60, 20
_PHASE_COLOURS = {
    "handshake": "#6b7280",
    "identification": "#7a2a9c",
    "configuration": "#0b5cad",
    "charging": "#0f7b43",
    "stop": "#b45309",
    "end": "#51606f",
    "error": "#b3202c",
}
_CHART_WIDTH, _LANE_HEIGHT, _LANE_LEFT = 1160, 34, 80
_LETTER = 7


def verdict_of(finding: Finding) -> str:
    """The verdict as it is shown."""
    return f"{finding.verdict.value} (advisory)" if finding.advisory else finding.verdict.value


def further(check: Check) -> dict[Finding, str]:
    """Findings after which others of their kind were only counted, and how to say it."""
    last = {(each.requirement, each.side, each.verdict): each for each in check.findings}
    kept = Counter((each.requirement, each.side, each.verdict) for each in check.findings)
    told = {}
    for tally in check.tallies:
        kind = (tally.requirement, tally.side, tally.verdict)
        if tally.count > kept[kind]:
            told[last[kind]] = f"and {tally.count - kept[kind]} further, the last at {check.show(tally.last)}"
    return told


def report_text(report: Report) -> str:
    """One line about a reported time-out."""
    name = f"{report.message} {report.spn}"
    if not report.awaited or report.after is None:
        return f"{SIDES[report.side]} reports {name}"
    return f"{SIDES[report.side]} reports {name}, {show_span(report.after)} after {report.awaited} ({report.timeout})"


# --- terminal -------------------------------------------------------------------------------------


def show(check: Check, out: Console) -> None:
    """Head, phases, reported time-outs, deviations and notes."""
    _show_head(check, out)
    _show_phases(check, out)
    for report in check.reports:
        out.print(f"{escape(check.show(report.at))}  {escape(report_text(report))}", style="bold")
    judged = [each for each in check.findings if each.verdict is Verdict.FAIL]
    open_ones = [each for each in check.findings if each.verdict is not Verdict.FAIL]
    for side in LANES:
        own = [each for each in judged if each.side == side]
        _show_findings(check, own, f"Deviations of the {SIDES[side]}", out)
    _show_findings(check, open_ones, f"Not decidable at a resolution of {show_span(check.resolution)}", out)
    for note in check.notes[:_MOST_NOTES]:
        out.print(f"note, {escape(note.where)}: {escape(note.text)}", style="dim")
    if len(check.notes) > _MOST_NOTES:
        out.print(f"... and {len(check.notes) - _MOST_NOTES} more notes", style="dim")
    out.print(summary(check), style="bold red" if check.failed else "bold green")


def summary(check: Check) -> str:
    """One line of counts."""
    count = {side: sum(each.side == side for each in check.failed) for side in LANES}
    advisory = sum(each.advisory for each in check.findings)
    open_ones = sum(each.verdict is Verdict.INCONCLUSIVE for each in check.findings)
    return (
        f"{count['charger']} deviations of the charger, {count['bms']} of the vehicle; "
        f"{advisory} advisory, {open_ones} not decidable"
    )


def _show_head(check: Check, out: Console) -> None:
    how = "from the stamps" if check.resolution_from == "stamps" else "given"
    out.print(f"[bold]{escape(check.file)}[/] ({check.format}), GB/T 27930-{check.edition}")
    span = f"{check.show(check.start)} .. {check.show(check.end)}"
    out.print(f"{check.frames} frames, {check.judged} judged, {span}, resolution {show_span(check.resolution)} ({how})")


def _show_phases(check: Check, out: Console) -> None:
    found = pieces(check.runs, check.end)
    for line in as_text(found, min(out.width, _WIDEST)):
        out.print(escape(line), style="cyan", no_wrap=True, overflow="crop", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("from", "to", "phase", "charger sends", "vehicle sends"):
        table.add_column(column)
    phases = stretches(found)
    for each in phases[:_MOST_PHASES]:
        sent = (", ".join(each.sends[side]) or "nothing" for side in LANES)
        table.add_row(*map(escape, (check.show(each.start), check.show(each.end), each.phase, *sent)))
    if phases:
        out.print(table)
    if len(phases) > _MOST_PHASES:
        out.print(f"... and {len(phases) - _MOST_PHASES} more phases", style="dim")


def _show_findings(check: Check, findings: list[Finding], title: str, out: Console) -> None:
    if not findings:
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="bold")
    for column in ("time", "side", "requirement", "expected", "seen", "verdict"):
        table.add_column(column, overflow="fold")
    more = further(check)
    for each in findings:
        seen = f"{each.seen}; {more[each]}" if each in more else each.seen
        cells = (check.show(each.at), SIDES[each.side], each.requirement, each.expected, seen, verdict_of(each))
        table.add_row(*map(escape, cells), style=None if each.advisory else _STYLES.get(each.verdict))
    out.print(table)


# --- files ----------------------------------------------------------------------------------------


def document(check: Check, tool: str = "") -> dict[str, Any]:
    """The outcome as plain values; instants in seconds of the file's own time. ``tool`` says what judged."""
    return {
        "schema": 1,
        "tool": tool,
        "file": check.file,
        "sha256": check.sha256,
        "format": check.format,
        "edition": {"gbt27930": check.edition},
        "readings": check.readings,
        "frames": check.frames,
        "judged": check.judged,
        "start_s": seconds(check.start),
        "end_s": seconds(check.end),
        "resolution_s": seconds(check.resolution),
        "resolution_from": check.resolution_from,
        "summary": {
            "fail": len(check.failed),
            "charger": sum(each.side == "charger" for each in check.failed),
            "vehicle": sum(each.side == "bms" for each in check.failed),
            "advisory": sum(each.advisory for each in check.findings),
            "inconclusive": sum(each.verdict is Verdict.INCONCLUSIVE for each in check.findings),
        },
        "phases": [
            {"start_s": seconds(each.start), "end_s": seconds(each.end), "phase": each.phase, "sends": each.sends}
            for each in stretches(pieces(check.runs, check.end))
        ],
        "reports": [_report(check, each) for each in check.reports],
        "counts": [
            {
                "requirement": each.requirement,
                "side": SIDES[each.side],
                "verdict": each.verdict.value,
                "count": each.count,
                "last_s": seconds(each.last),
            }
            for each in check.tallies
        ],
        "findings": [_finding(check, each) for each in check.findings],
        "notes": [{"where": note.where, "text": note.text} for note in check.notes],
    }


def _report(check: Check, report: Report) -> dict[str, Any]:
    after = None if report.after is None else seconds(report.after)
    return {
        "at_s": seconds(report.at),
        "shown": check.show(report.at),
        "side": SIDES[report.side],
        "message": report.message,
        "spn": report.spn,
        "awaited": report.awaited,
        "timeout": report.timeout,
        "after_s": after,
    }


def _finding(check: Check, finding: Finding) -> dict[str, Any]:
    return {
        "at_s": seconds(finding.at),
        "shown": check.show(finding.at),
        "side": SIDES[finding.side],
        "requirement": finding.requirement,
        "title": monitors()[finding.requirement].title,
        "source": finding.source,
        "expected": finding.expected,
        "seen": finding.seen,
        "verdict": finding.verdict.value,
        "advisory": finding.advisory,
    }


def write(check: Check, folder: Path, tool: str = "") -> Path:
    """Write ``check.json`` and ``check.html``; returns the page. Raises :class:`HilError` when the disk refuses."""
    page = folder / "check.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        told = msgspec.json.encode(document(check, tool))
        (folder / "check.json").write_bytes(msgspec.json.format(told, indent=1) + b"\n")
        page.write_text(render(check, tool), "utf-8")
    except OSError as error:
        raise HilError(f"cannot write {folder}: {error.strerror or error}; choose another folder with --out") from error
    return page


def render(check: Check, tool: str = "") -> str:
    """The page: one file that opens offline."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(files("hil.check").joinpath("check.html.j2").read_text("utf-8"))
    found = pieces(check.runs, check.end)
    return template.render(
        check=check,
        tool=tool,
        summary=summary(check),
        resolution=show_span(check.resolution),
        reports=[(check.show(each.at), report_text(each)) for each in check.reports],
        further=further(check),
        chart=_chart(check, found),
        titles=monitors(),
        sides=SIDES,
    )


def _chart(check: Check, found: list[Piece]) -> dict[str, Any]:
    width = _CHART_WIDTH - _LANE_LEFT
    lanes = []
    for row, side in enumerate(LANES):
        boxes = []
        for left, right, state, start, end in bars(found, side):
            x, w = _LANE_LEFT + left * width, max((right - left) * width, 1.0)
            phase = next((p.phase for p in found if p.start == start), "")
            boxes.append(
                {
                    "x": round(x, 1),
                    "width": round(w, 1),
                    "state": state if w > _LETTER * len(state) else "",
                    "colour": _PHASE_COLOURS["error" if state in ("CEM", "BEM") else phase]
                    if phase in _PHASE_COLOURS
                    else "#51606f",
                    "title": f"{state}: {check.show(start)} .. {check.show(end)}",
                }
            )
        lanes.append({"name": SIDES[side], "y": 24 + row * (_LANE_HEIGHT + 10), "boxes": boxes})
    marks = [_mark(check, each, found, width) for each in check.findings if each.verdict is Verdict.FAIL]
    return {
        "width": _CHART_WIDTH,
        "height": 24 + 2 * (_LANE_HEIGHT + 10) + 26,
        "lane": _LANE_HEIGHT,
        "lanes": lanes,
        "marks": [mark for mark in marks if mark],
        "ticks": _ticks(check, found, width),
    }


def _place(found: list[Piece], t: int, width: int) -> float | None:
    for piece in found:
        if piece.start <= t <= piece.end:
            share = (t - piece.start) / (piece.end - piece.start)
            return round(_LANE_LEFT + (piece.left + share * (piece.right - piece.left)) * width, 1)
    return None


def _mark(check: Check, finding: Finding, found: list[Piece], width: int) -> dict[str, Any] | None:
    x = _place(found, finding.at, width)
    if x is None:
        return None
    y = 24 + LANES.index(finding.side) * (_LANE_HEIGHT + 10)
    title = f"{check.show(finding.at)} {finding.requirement}: {finding.expected}; {finding.seen}"
    return {"x": x, "y": y, "title": title, "colour": "#b45309" if finding.advisory else "#b3202c"}


def _ticks(check: Check, found: list[Piece], width: int) -> list[dict[str, Any]]:
    ticks: list[dict[str, Any]] = []
    for piece in found:
        x = round(_LANE_LEFT + piece.left * width, 1)
        if not ticks or x - ticks[-1]["x"] > 90:
            ticks.append({"x": x, "text": check.show(piece.start)})
    return ticks
