"""What is shown while a run goes on, and what is kept of it for the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich import progress as bars
from rich.console import Console
from rich.markup import escape

from hil.conformance.verdict import CaseResult, Verdict
from hil.evidence.explain import is_finding, run_name
from hil.pytest_plugin.controller import NAME, TEXT, Controller
from hil.pytest_plugin.handle import COMMAND, SESSION
from hil.pytest_plugin.plan import Run, RunPlan
from hil.pytest_plugin.table import let_go, show_measured, styled_verdict


class Progress:
    """A plugin of the one pytest run: a bar on a terminal, a line for each run elsewhere."""

    def __init__(self, console: Console, plan: RunPlan, command: str, *, quiet: bool) -> None:
        self._console = console
        self._command = command
        self._plan = plan
        self._quiet = quiet
        self._config: pytest.Config | None = None
        self._total = 0
        self._done = 0
        self._bar: bars.Progress | None = None
        self.stories: list[str] = []
        """What is to be told of each run that did not pass."""
        self._problems: list[str] = []

    # --- afterwards ---------------------------------------------------------------------------------

    @property
    def _controller(self) -> Controller | None:
        found = None if self._config is None else self._config.pluginmanager.get_plugin(NAME)
        return found if isinstance(found, Controller) else None

    @property
    def results(self) -> Sequence[CaseResult]:
        """Every result, in catalogue order."""
        controller = self._controller
        return () if controller is None else controller.results

    @property
    def report(self) -> Path | None:
        """Where the reports are."""
        controller = self._controller
        return None if controller is None else controller.report

    @property
    def problems(self) -> list[str]:
        """What went wrong beside the cases."""
        controller = self._controller
        return [*self._problems, *(controller.problems if controller is not None else ())]

    @property
    def runs(self) -> list[Run]:
        """What was collected in this process."""
        session = None if self._config is None else self._config.stash.get(SESSION, None)
        return [] if session is None else session.runs

    # --- hooks --------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Remember where results are found, and say what the user asked for."""
        self._config = config
        config.stash[COMMAND] = self._command

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """The number of runs, when they are run here."""
        if session.items:
            self._begin(len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """The number of runs, when workers run them."""
        if not self._total:
            self._begin(len(ids))

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Show a result as it comes."""
        controller = self._controller
        text = getattr(report, TEXT, None)
        if text is None or controller is None or not controller.results:
            return
        result = controller.results[-1]
        self._show(result)
        if text and not is_finding(result) and result.verdict is not Verdict.NOT_APPLICABLE:
            trace = report.longreprtext if result.verdict is Verdict.ERROR else ""
            self.stories.append(f"{text}\n\n{trace}".strip() if trace != text else text)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that cannot be read is an error on our side."""
        if report.failed:
            self._problems.append(f"{report.nodeid} cannot be collected: {report.longreprtext.strip()}")

    def pytest_internalerror(self, excrepr: object) -> None:
        """Pytest itself, or a plugin, broke."""
        self._problems.append(str(excrepr).strip())

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Results up to here are kept and reported."""
        if isinstance(excinfo.value, KeyboardInterrupt):
            self._problems.append("interrupted; what was seen up to then is in the report")

    def pytest_sessionfinish(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()

    # --- showing ------------------------------------------------------------------------------------

    def _begin(self, total: int) -> None:
        self._total = total
        if self._quiet:
            return
        plan = self._plan
        faults = f", with {', '.join(fault.name for fault in plan.faults)}" if plan.faults else ""
        self._print(
            f"{escape(plan.rig.dut.name)}{faults} on rig {escape(plan.rig.name)}, GB/T 27930-{plan.edition}, "
            f"seed {plan.seed}: {total} run{'s' * (total != 1)}"
        )
        if self._console.is_terminal:
            # Drawn from here only: a thread of its own would write into what a test prints.
            self._bar = bars.Progress(
                bars.TextColumn("{task.description}"),
                bars.BarColumn(),
                bars.MofNCompleteColumn(),
                bars.TimeElapsedColumn(),
                console=self._console,
                auto_refresh=False,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=total)

    def _show(self, result: CaseResult) -> None:
        self._done += 1
        if self._quiet:
            return
        line = f"{styled_verdict(result)}  {escape(run_name(result))}"
        if self._bar is None:
            line = f"{self._done:>{len(str(self._total))}}/{self._total}  {line}  {escape(show_measured(result))}"
            self._print(line, no_wrap=True, overflow="ellipsis", crop=True)
            return
        if result.verdict.rank > Verdict.PASS.rank:
            self._print(f"{line}  {escape(show_measured(result))}")
        self._bar.update(self._task, advance=1, description=escape(run_name(result)))
        self._bar.refresh()

    def _print(self, text: str, **how: Any) -> None:
        """A line of progress. Where the system takes no more of them the run goes on: its evidence is elsewhere."""
        try:
            self._console.print(text, **how)
        except OSError as error:
            self._console.quiet = True
            let_go(self._console.file)
            self._problems.append(f"standard output cannot be written: {error.strerror}")
