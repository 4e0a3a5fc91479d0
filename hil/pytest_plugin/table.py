"""The verdict table and the summary line, for people."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterable
from io import StringIO, TextIOWrapper
from typing import IO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hil.conformance.verdict import CaseResult, Verdict
from hil.evidence.explain import decisive, is_finding, run_name, show_limits, show_value

_STYLES = {
    Verdict.PASS: "green",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold magenta",
    Verdict.NOT_APPLICABLE: "dim",
}
_ORDER = (Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.NOT_APPLICABLE)
_PLAIN_WIDTH = 160


class _Console(Console):
    """One whose reader may leave (``hil run | head``): what is being done goes on in silence."""

    def on_broken_pipe(self) -> None:
        """Called by rich, which would end the process."""
        self.quiet = True
        let_go(self.file)


def let_go(file: IO[str]) -> None:
    """Turn a stream that nobody reads any more into one that takes everything."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, file.fileno())
        os.close(nowhere)


def console(*, stderr: bool = False) -> Console:
    """The terminal; what is none, or cannot draw over what it shows, gets lines wide enough not to be broken."""
    # The stream of now: rich would ask again each time, also while output is turned aside.
    file = sys.stderr if stderr else sys.stdout
    if isinstance(file, TextIOWrapper):
        # What is told has arrows and units; an encoding without them must not end a run.
        file.reconfigure(errors="backslashreplace" if stderr else "replace")
    found = _Console(file=file, highlight=False)
    if found.is_terminal and not found.is_dumb_terminal:
        return found
    return _Console(file=file, highlight=False, width=_PLAIN_WIDTH, force_terminal=False)


def show_verdict(result: CaseResult) -> str:
    """The verdict in words, with its mark when it is advisory."""
    text = result.verdict.value.replace("_", " ")
    return f"{text} (advisory)" if is_finding(result) else text


def styled_verdict(result: CaseResult) -> str:
    """The same as markup of rich."""
    style = _STYLES.get(result.verdict, "")
    if is_finding(result):
        style = "yellow"
    return f"[{style}]{show_verdict(result)}[/]"


def show_measured(result: CaseResult) -> str:
    """The measurement that decided, against its limits; why, where nothing was measured."""
    if result.verdict is Verdict.NOT_APPLICABLE:
        return result.reason
    measurement = decisive(result)
    if measurement is None or (result.verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR) and result.reason):
        return result.reason
    unit = f" {measurement.unit}" if measurement.unit and measurement.value is not None else ""
    limits = show_limits(measurement) or measurement.note
    text = f"{measurement.name}: {show_value(measurement.value)}{unit}"
    return f"{text}  ({limits})" if limits else text


def verdict_table(results: Iterable[CaseResult]) -> Table:
    """One row a run."""
    table = Table(box=None, pad_edge=False, header_style="bold", collapse_padding=True)
    table.add_column("case", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("measured (limits)", overflow="fold")
    table.add_column("session", justify="right", no_wrap=True)
    for result in results:
        length = f"{result.duration_s:.1f} s" if result.duration_s else ""
        table.add_row(escape(run_name(result)), styled_verdict(result), escape(show_measured(result)), length)
    return table


def summary(results: Iterable[CaseResult]) -> str:
    """``43 pass, 1 fail``; advisory findings apart."""
    results = list(results)
    counted = Counter(result.verdict for result in results if not is_finding(result))
    parts = [f"{counted[verdict]} {verdict.value.replace('_', ' ')}" for verdict in _ORDER if counted[verdict]]
    findings = sum(1 for result in results if is_finding(result))
    if findings:
        parts.append(f"{findings} advisory finding{'s' if findings > 1 else ''}")
    return ", ".join(parts) or "nothing was run"


def render(results: Iterable[CaseResult], *, color: bool = False) -> str:
    """Table and summary line as text."""
    results = list(results)
    buffer = StringIO()
    out = Console(file=buffer, width=_PLAIN_WIDTH, force_terminal=color, highlight=False)
    out.print(verdict_table(results))
    out.print(summary(results))
    return buffer.getvalue()
