"""The process that the user sees: takes in results, its own and those of workers, and reports them once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hil.errors import HilError, UsageError
from hil.pytest_plugin.handle import COMMAND, session_of
from hil.pytest_plugin.options import join_words, options_of
from hil.transport.clock import wall_time

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from hil.conformance.verdict import CaseResult
    from hil.pytest_plugin.results import Results

RESULT = "hil_result"
VERDICT = "hil_verdict"
TEXT = "hil_text"
"""Attributes of a report: the result as plain values, its word for pytest, and its story."""
NAME = "hil-controller"
PROBLEM = "hil_problem"
"""What a worker of xdist leaves to be told, by this key of its output."""


class Controller:
    """Registered as a plugin, but silent until a result comes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._started = wall_time()
        self._earlier = stamps(Path(options_of(config).out) / "traces")
        self._results: Results | None = None
        self.problems: list[str] = []
        """What went wrong beside the cases: a lost worker, a fixture, a report that could not be written."""
        self.report: Path | None = None
        """Where the reports were written."""

    @property
    def results(self) -> list[CaseResult]:
        """What has been taken in; in catalogue order once the session has ended."""
        return [] if self._results is None else self._results.results

    def begin(self) -> Results:
        """Make the folder ready: from here on no report of an earlier run lies there.

        A disk that refuses ends the run, as what came after would be lost.
        """
        if self._results is None:
            from hil.pytest_plugin.results import Results

            with self._ending():
                self._results = Results(session_of(self._config).plan)
        return self._results

    def take(self, values: Any) -> CaseResult:
        """Take in a result as plain values and keep it on disk at once."""
        results = self.begin()
        with self._ending():
            return results.take(values)

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        except HilError as error:
            self.problems.append(str(error))
            usage = isinstance(error, UsageError)
            code = pytest.ExitCode.USAGE_ERROR if usage else pytest.ExitCode.INTERNAL_ERROR
            pytest.exit(str(error), returncode=code)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the result that a report carries."""
        values = getattr(report, RESULT, None)
        if values is not None:
            self.take(values)
        elif report.failed and report.when != "call":
            # A worker that died is reported with "???" for the phase.
            self.problems.append(f"{report.nodeid}: {report.longreprtext.strip().splitlines()[-1]}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker left to be told; each says the same."""
        problem = getattr(node, "workeroutput", {}).get(PROBLEM)
        if problem is not None and problem not in self.problems:
            self.problems.append(problem)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports, after everything was torn down."""
        if self._results is None:
            return
        given = join_words(["pytest", *map(str, self._config.invocation_params.args)])
        command = self._config.stash.get(COMMAND, given)
        try:
            self._results.finish(command, (self._started, wall_time()), self._earlier)
            self.report = session_of(self._config).plan.out
        except HilError as error:
            self.problems.append(str(error))
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """The verdict table, for runs by plain pytest."""
        if self._results is None:
            return
        from hil.pytest_plugin.table import render

        terminalreporter.section("conformance")
        terminalreporter.write(render(self.results, color=terminalreporter.hasmarkup))
        for problem in self.problems:
            terminalreporter.write_line(problem, red=True)
        if self.report is not None:
            terminalreporter.write_line(f"report: {self.report / 'index.html'}")


def stamps(folder: Path) -> dict[Path, int]:
    """Files of a folder with the instants of their last change."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("*") if path.is_file()}
