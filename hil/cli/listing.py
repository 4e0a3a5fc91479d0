"""Commands that show what there is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hil.conformance.register import register
from hil.dut.faults import all_faults
from hil.errors import UsageError
from hil.protocol.gbt27930 import edition as messages_of
from hil.pytest_plugin.plan import STANDARD, Run, RunPlan
from hil.pytest_plugin.table import console

_WIDE = 400


def _out() -> Console:
    """Rows stay whole where nobody looks at them on a screen: they are searched and cut by programs."""
    out = console()
    if not out.is_terminal:
        out.width = _WIDE
    return out


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def show_cases(plan: RunPlan, runs: Sequence[Run]) -> None:
    """Id, source, basis, purpose and applicability of each requirement that was selected."""
    table = _table("case", "requirement", "source", "basis", "applicable", "purpose")
    shown = {run.requirement.id: run for run in runs}
    for run in shown.values():
        requirement = run.requirement
        variants = len({each.variant for each in runs if each.requirement.id == requirement.id})
        basis = f"{requirement.basis} (advisory)" if requirement.advisory and run.advisory else requirement.basis
        reason = _applies([each for each in runs if each.requirement.id == requirement.id])
        purpose = f"{run.purpose} ({variants} variants)" if variants > 1 else run.purpose
        cells = (requirement.case, requirement.id, requirement.source, basis, reason, purpose)
        table.add_row(*map(escape, cells))
    out = _out()
    out.print(table)
    told = f"{len(shown)} case{'s' * (len(shown) != 1)} in {len(runs)} run{'s' * (len(runs) != 1)}"
    out.print(f"{told} on rig {plan.rig.name}, GB/T 27930-{plan.edition}", style="bold")


def _applies(runs: Sequence[Run]) -> str:
    """Whether the runs of a requirement are applicable; where some are and others not, how many and why not."""
    reasons = [run.not_applicable for run in runs if run.not_applicable is not None]
    if not reasons:
        return "yes"
    return f"no: {reasons[0]}" if len(reasons) == len(runs) else f"yes, but {len(reasons)} not: {reasons[0]}"


def show_faults() -> None:
    """Every seeded fault, its kind, the requirements whose cases must catch it, and what is wrong."""
    table = _table("fault", "kind", "breaks", "what is wrong")
    for fault in all_faults().values():
        table.add_row(*map(escape, (fault.name, fault.kind, ", ".join(fault.breaks), fault.summary)))
    _out().print(table)


def show_readings() -> None:
    """The register: question, choices with what each preset takes, source and reason."""
    out = console()
    for name, entry in register().items():
        out.print(f"[bold]{escape(name)}[/]  {escape(entry.question)}", soft_wrap=True)
        for choice, text in entry.choices.items():
            taken = [
                label
                for label, picked in (("default", entry.default), ("strict", entry.strict), ("field", entry.field))
                if picked == choice
            ]
            marks = f"  ({', '.join(taken)})" if taken else ""
            out.print(f"  {escape(f'{name}={choice}')}  {escape(text)}{marks}", soft_wrap=True)
        advisory = " Advisory." if entry.advisory else ""
        out.print(f"  {escape(entry.why)}{advisory} {escape(entry.source)}", style="dim", soft_wrap=True)
        out.print()


def export_dbc(protocol: str, edition: str, out: Path | None) -> None:
    """Write the DBC of an edition; :class:`UsageError` for one that there is not."""
    if protocol != STANDARD:
        near = get_close_matches(protocol, [STANDARD], n=1)
        raise UsageError(f"no protocol {protocol!r}: {f'did you mean {near[0]}? ' if near else ''}there is {STANDARD}")
    from hil.codec.dbc import to_dbc  # cantools takes longer to import than anything else here

    text = to_dbc(messages_of(edition))
    if out is None:
        # The bytes that a file would have, whatever the terminal's encoding: they are redirected into one.
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(
            f"--out {out}: cannot be written ({error.strerror or error}); give the path of a file"
        ) from error
