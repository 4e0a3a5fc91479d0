"""``hil qualify``: what the suites can catch."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich import progress as bars
from rich.console import Console
from rich.markup import escape

from hil.cli.errors import telling
from hil.cli.paths import out_path
from hil.conformance.verdict import Verdict
from hil.evidence.folder import make_ready
from hil.pytest_plugin.options import DEFAULT_OUT, DEFAULT_RIG, Options, command_line
from hil.pytest_plugin.table import console, let_go
from hil.qualify import Request, make_request, qualify
from hil.qualify.deviation import Deviation
from hil.qualify.engine import Job, jobs_of
from hil.qualify.outcome import CaseOutcome
from hil.qualify.show import show, write
from hil.transport.clock import wall_time

EXAMPLES = """
[bold]Examples[/]

  hil qualify
  [dim]    the reference, each fault against the cases that it names,[/]
  [dim]    the smallest deviation by limit[/]

  hil qualify --full
  [dim]    each fault against every case: which others see it too[/]

  hil qualify --fault lost-bcl-late --fault cem-once
  [dim]    these faults only[/]

  hil qualify --requirement GBT34658-2017/DN.3006
  [dim]    one case: its faults and its limits[/]

[bold]Exit code[/]: 0 every fault killed, or not decidable on this rig, and the reference not blamed, 1 something \
survived or the reference is blamed, 2 usage error, 3 an error on our side; the highest wins.
"""
_STEPS = 10
"""Lines of progress where there is no terminal."""


@telling
def qualify_command(
    rig: Annotated[str, typer.Option(metavar="FILE", help="A virtual rig: its file or name.")] = DEFAULT_RIG,
    suite: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this suite; repeatable.", show_default="all")
    ] = None,
    requirement: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this requirement; repeatable.", show_default=False)
    ] = None,
    case: Annotated[
        list[str] | None, typer.Option(metavar="CASE", help="Only this case; repeatable.", show_default=False)
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this seeded fault (`hil faults`); repeatable.", show_default="all"),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Run every case with every fault.")] = False,
    workers: Annotated[
        int | None, typer.Option("-n", metavar="N", help="Worker processes.", show_default="one a processor", min=1)
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of the runs.", show_default="the rig's")] = None,
    out: Annotated[Path, typer.Option(parser=out_path, metavar="DIR", help="Folder for the reports.")] = Path(
        DEFAULT_OUT
    ),
) -> None:
    """Judge the suites: run them with a charger that is right, and with every seeded fault in it."""
    started = wall_time()
    options = Options(
        rig=rig,
        seed=seed,
        suite=tuple(suite or ()),
        requirement=tuple(requirement or ()),
        case=tuple(case or ()),
        out=str(out),
    )
    faults = tuple(fault or ())
    request = make_request(options, only=faults, full=full, workers=workers or os.cpu_count() or 1)
    make_ready(out)
    screen = console()
    with _Progress(screen, request) as progress:
        found = qualify(request, progress)
    page = write(found, out.absolute(), _command(options, faults, full), started)  # first: an output may be full
    if progress.refused is not None:
        raise progress.refused
    show(found, screen)
    screen.print(f"report: {page}", soft_wrap=True)
    raise typer.Exit(found.exit_code)


def _command(options: Options, faults: tuple[str, ...], full: bool) -> str:
    words = command_line(replace(options, fault=faults), ()).removeprefix("hil run")
    return f"hil qualify{words}{' --full' if full else ''}"


class _Progress:
    """A bar on a terminal; a line for each tenth elsewhere."""

    def __init__(self, screen: Console, request: Request) -> None:
        self._screen = screen
        self._total = len(jobs_of(request))
        self._done = 0
        self.refused: OSError | None = None
        """What the system said when it took no more of the output."""
        self._count: Counter[str] = Counter()
        self._bar: bars.Progress | None = None
        self._print(
            f"{len(request.cases)} cases, {len(request.faults)} seeded faults, {len(request.knobs)} limits on rig "
            f"{escape(request.plan.rig.name)}, GB/T 27930-{request.plan.edition}, seed {request.plan.seed}: "
            f"{self._total} jobs in {request.workers} process{'es' * (request.workers != 1)}"
        )

    def __enter__(self) -> _Progress:
        if self._screen.is_terminal:
            # Drawn from here only: workers are forked, and a thread of its own would not be safe with that.
            self._bar = bars.Progress(
                bars.BarColumn(),
                bars.MofNCompleteColumn(),
                bars.TimeElapsedColumn(),
                bars.TextColumn("{task.description}"),
                console=self._screen,
                auto_refresh=False,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, job: Job, result: CaseOutcome | Deviation) -> None:
        """One job has ended."""
        self._done += 1
        self._count[_word(job, result)] += 1
        told = ", ".join(f"{count} {word}" for word, count in sorted(self._count.items()))
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, description=escape(told))
            self._bar.refresh()
        elif self._done * _STEPS // self._total != (self._done - 1) * _STEPS // self._total:
            self._print(f"{100 * self._done // self._total:>3} %  {escape(told)}")

    def _print(self, text: str) -> None:
        """A line of progress. Where the system takes no more of them the jobs go on: their report is elsewhere."""
        try:
            self._screen.print(text, soft_wrap=True)
        except OSError as error:
            self._screen.quiet = True
            let_go(self._screen.file)
            self.refused = error


def _word(job: Job, result: CaseOutcome | Deviation) -> str:
    if isinstance(result, Deviation):
        return "limits searched"
    if job.kind == "reference":
        fine = result.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)
        open_ = result.verdict is Verdict.INCONCLUSIVE and all(
            run.by_plant is Verdict.PASS for run in result.runs if run.verdict is Verdict.INCONCLUSIVE
        )
        return "reference runs fine" if fine else "not decidable on this rig" if open_ else "reference blamed"
    if result.verdict is Verdict.ERROR:
        return "errors"
    if result.missed_by_instruments is not None:
        return "not decidable on this rig"
    return "caught" if result.verdict is Verdict.FAIL else "not caught"
