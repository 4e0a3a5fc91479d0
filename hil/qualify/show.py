"""What a person sees of a qualification: tables on the terminal, files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hil.errors import HilError
from hil.qualify import page
from hil.qualify.deviation import Deviation
from hil.qualify.document import FILE_NAME, document, summary
from hil.qualify.engine import Qualification
from hil.qualify.outcome import FaultOutcome, RunOutcome

_STYLES = {"killed": "green", "partly": "bold red", "seen_by_others": "bold red", "survived": "bold red"}


def show(found: Qualification, out: Console) -> None:
    """What was let through first, then the limits, then the figures."""
    _show_runs("The reference charger is blamed", found.blamed, out)
    _show_runs("The reference charger is not decidable on this rig, by its instruments", found.left_open, out, "yellow")
    errors = [run for run in found.errors if run not in found.blamed]
    _show_runs("Errors on our side", errors, out)
    _show_faults("Faults that were not killed", [*found.survivors, *found.broken], out)
    _show_faults("Not decidable on this rig, by its instruments", found.undecided, out, "yellow")
    for requirement in found.without_fault:
        out.print(f"[yellow]no seeded fault breaks {escape(requirement)}[/]")
    if found.deviations:
        out.print(_deviations(found.deviations))
        out.print()
    out.print(_figures(found))
    out.print(headline(found), style="bold green" if found.exit_code == 0 else "bold red")


def headline(found: Qualification) -> str:
    """One line of counts."""
    counts = summary(found)
    parts = [f"{counts['killed']} of {counts['faults']} seeded faults killed"]
    if counts["survived"]:
        parts.append(f"{counts['survived']} survived")
    if counts["undecided"]:
        parts.append(f"{counts['undecided']} not decidable on this rig")
    if counts["infrastructure_error"]:
        parts.append(f"{counts['infrastructure_error']} not judged for an error on our side")
    blamed = counts["reference_blamed"]
    parts.append(f"reference blamed in {blamed} run{'s' * (blamed != 1)}" if blamed else "reference not blamed")
    if counts["reference_undecided"]:
        parts.append(f"{counts['reference_undecided']} of its runs not decidable on this rig")
    if counts["limits_not_caught"]:
        parts.append(f"{counts['limits_not_caught']} limits of which no deviation is caught")
    if counts["limits_undecided"]:
        parts.append(f"{counts['limits_undecided']} limits not decidable on this rig")
    return ", ".join(parts)


def _show_runs(title: str, runs: list[RunOutcome], out: Console, style: str = "bold red") -> None:
    if not runs:
        return
    out.print(f"[{style}]{title}[/]")
    for run in runs:
        verdict = run.verdict.value.replace("_", " ")
        out.print(f"  {escape(run.name)}  {verdict}  {escape(run.reason)}", soft_wrap=True)
        out.print(f"    {escape(run.repeat)}", style="dim", soft_wrap=True)
    out.print()


def _show_faults(title: str, faults: list[FaultOutcome], out: Console, style: str = "bold red") -> None:
    if not faults:
        return
    out.print(f"[{style}]{title}[/]")
    for fault in faults:
        status = fault.status.replace("_", " ")
        out.print(f"  {escape(fault.name)}  [{style}]{status}[/]  {escape(fault.summary)}", soft_wrap=True)
        out.print(f"    {escape(_told(fault))}", soft_wrap=True)
        out.print(f"    {escape(fault.repeat)}", style="dim", soft_wrap=True)
    out.print()


def _told(fault: FaultOutcome) -> str:
    seen = f"; seen by {', '.join(fault.seen_by)}" if fault.seen_by else ""
    return f"{fault.detail}{seen}"


def _deviations(found: tuple[Deviation, ...]) -> Table:
    table = Table(
        title="Smallest deviation caught, by limit", title_justify="left", title_style="bold", box=None,
        pad_edge=False, header_style="bold",
    )  # fmt: skip
    table.add_column("limit", no_wrap=True)
    for column in ("nominal", "tolerance", "caught"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("case", no_wrap=True)
    table.add_column("of", overflow="fold")
    for each in found:
        table.add_row(
            escape(each.name),
            f"{each.nominal:g} ms",
            f"{signed(each.tolerance, each)} ms",
            shown_caught(each),
            escape(each.requirement.partition("/")[2]),
            escape(each.error or each.undecided or each.limit),
            style=None if each.caught is not None else "yellow" if each.undecided else "bold red",
        )
    return table


def shown_caught(each: Deviation) -> str:
    """``+201 ms``, or that nothing was caught."""
    if each.error:
        return "error"
    if each.undecided:
        return "not decidable"
    return f"none to {signed(each.most, each)} ms" if each.caught is None else f"{signed(each.caught, each)} ms"


def signed(value: float, each: Deviation) -> str:
    """A deviation as a difference from the nominal value: early and too short are below it."""
    below = each.direction in ("early", "too short")
    return f"{-value if below else value:+g}" if value else "0"


def _figures(found: Qualification) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    counts = summary(found)
    for key, value in counts.items():
        if value is None:
            continue
        shown = f"{100 * value:.1f} %" if key == "sensitivity" else str(value)
        table.add_row(key.replace("_", " "), shown)
    return table


def write(found: Qualification, folder: Path, command: str, started: str | None) -> Path:
    """Write ``qualification.json`` and ``qualification.html``; returns the page.

    Raises :class:`HilError` when the disk refuses.
    """
    whole: dict[str, Any] = document(found, command, started)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n")
        target = folder / page.FILE_NAME
        target.write_text(page.render(found, whole), "utf-8")
    except OSError as error:
        raise HilError(f"cannot write {folder}: {error.strerror or error}; choose another folder with --out") from error
    return target
