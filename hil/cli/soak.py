"""``hil soak``: random legal sessions, in which nothing may be found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich import progress as bars
from rich.console import Console
from rich.table import Table

from hil.cli.errors import NOT_PASSED, OK, telling
from hil.cli.paths import out_path
from hil.evidence.folder import make_ready
from hil.evidence.trace import TraceWriter
from hil.pytest_plugin.table import console
from hil.soak import Outcome, draw, run_session, session_seeds, soak
from hil.units import seconds

EXAMPLES = """
[bold]Examples[/]

  hil soak                            200 sessions

  hil soak --sessions 2000 -n 2       the full number, in two processes

  hil soak --session-seed 1234        one session again, with its trace

[bold]Exit code[/]: 0 nothing found, 1 something found, 2 usage error, 3 an error on our side.
"""
_MOST_TOLD = 20
"""Failing sessions told one by one."""


class Figures(msgspec.Struct):
    """What ``soak.json`` holds."""

    seed: int | None
    sessions: int
    frames: int
    simulated_hours: float
    features: dict[str, int]
    """How many sessions had it."""
    failing: list[Outcome]


@telling
def soak_command(
    sessions: Annotated[int, typer.Option(metavar="COUNT", help="How many sessions.", min=1)] = 200,
    workers: Annotated[
        int, typer.Option("-n", "--workers", metavar="WORKERS", help="Processes that share the work.", min=1)
    ] = 1,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the run.", min=0)] = 0,
    session_seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Only this session, with its trace.", min=0, show_default=False),
    ] = None,
    out: Annotated[
        Path, typer.Option(parser=out_path, metavar="DIR", help="Folder for soak.json, and for a session's trace.")
    ] = Path("report"),
) -> None:
    """Drive the reference charger through random legal sessions: no monitor may find anything."""
    make_ready(out)
    shown = console()
    if session_seed is not None:
        outcomes: Iterable[Outcome] = [_one(session_seed, out, shown)]
    else:
        outcomes = _many(soak(session_seeds(seed, sessions), workers), sessions)
    figures = _gather(outcomes, None if session_seed is not None else seed, shown)
    path = out / "soak.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    _conclude(figures, shown)
    shown.print(f"figures: {path}", soft_wrap=True)
    raise typer.Exit(NOT_PASSED if figures.failing else OK)


def _one(seed: int, out: Path, shown: Console) -> Outcome:
    with TraceWriter(out / "traces", f"soak-{seed}") as writer:
        outcome = run_session(draw(seed), writer.write)
    shown.print(f"trace: {writer.log_path}", soft_wrap=True)
    shown.print(f"drawn: {', '.join(outcome.features)}", markup=False, soft_wrap=True)
    return outcome


def _many(outcomes: Iterator[Outcome], count: int) -> Iterator[Outcome]:
    """The same, with a bar on a terminal."""
    err = console(stderr=True)
    with bars.Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        yield from bar.track(outcomes, total=count, description="sessions")


def _gather(outcomes: Iterable[Outcome], seed: int | None, shown: Console) -> Figures:
    figures = Figures(seed, 0, 0, 0.0, {}, [])
    counted: Counter[str] = Counter()
    for outcome in outcomes:
        figures.sessions += 1
        figures.frames += outcome.frames
        figures.simulated_hours += seconds(outcome.simulated) / 3600
        counted.update(outcome.features)
        if outcome.problems:
            figures.failing.append(outcome)
            if len(figures.failing) <= _MOST_TOLD:
                _tell(outcome, shown)
    figures.features = dict(sorted(counted.items()))
    return figures


def _tell(outcome: Outcome, shown: Console) -> None:
    shown.print(f"session {outcome.seed}", style="bold red")
    for problem in outcome.problems:
        shown.print(f"  {problem}", markup=False, soft_wrap=True)
    shown.print(f"  run again: hil soak --session-seed {outcome.seed}", markup=False, soft_wrap=True)


def _conclude(figures: Figures, shown: Console) -> None:
    if figures.sessions > 1:
        table = Table("drawn", "sessions", title="What the sessions had", title_justify="left")
        for feature, count in figures.features.items():
            table.add_row(feature, str(count))
        shown.print(table)
    shown.print(
        f"{figures.sessions} sessions, {figures.simulated_hours:.1f} h simulated, {figures.frames:,} frames: "
        f"{len(figures.failing)} with findings",
        style="bold",
        highlight=False,
    )
