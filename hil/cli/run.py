"""``hil run``: pytest in this process, with a configuration of its own that works in any folder."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path

import pytest

from hil.cli.coverage import tell_coverage
from hil.cli.ending import ending
from hil.cli.errors import INTERNAL, NOT_PASSED, OK, USAGE, complain
from hil.cli.listing import show_cases
from hil.cli.progress import Progress
from hil.conformance.own import has_requirements
from hil.conformance.verdict import CaseResult, Verdict
from hil.errors import UsageError
from hil.evidence.explain import is_finding
from hil.evidence.folder import make_ready
from hil.pytest_plugin.options import Options, arguments, command_line
from hil.pytest_plugin.plan import Run, RunPlan, make_plan
from hil.pytest_plugin.table import console, summary, verdict_table
from hil.resources import resource, root, suite_names

_INI = Path(__file__).with_name("pytest.ini")
_FEW = 5
_SHOWING = (
    *("-h", "--help", "--version", "-v", "--verbose", "-q", "--quiet", "-s", "-r", "--tb", "--durations", "--pdb"),
    *("--trace", "--collect", "--co", "--setup-", "--show", "--fixtures", "--markers"),
)
"""Arguments by which somebody asks to see what pytest itself has to say."""


def run_suites(options: Options, pytest_args: Sequence[str], *, list_only: bool = False) -> int:
    """Run what the options ask for and return the exit code.

    Raises :class:`UsageError` for options that cannot be carried out, and when nothing is left to run.
    """
    _refuse_words(pytest_args)
    plan = make_plan(options)
    if not list_only:
        plan.refuse_unchecked()
        make_ready(plan.out)
    raw = not list_only and any(arg.startswith(_SHOWING) for arg in pytest_args)
    progress = Progress(console(), plan, command_line(options, pytest_args), quiet=raw or list_only)
    words = [*_configuration(plan), *arguments(options), *pytest_args, *(["--collect-only"] if list_only else [])]
    status, output = _pytest(words, progress, raw=raw)
    if list_only and status in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        _refuse_nothing(plan, progress.runs, pytest_args)
        show_cases(plan, progress.runs)
        return OK
    results = progress.results
    if not results and status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return _broken(status, progress, output)
    _refuse_nothing(
        plan, [result for result in results if result.verdict is not Verdict.NOT_APPLICABLE], pytest_args, results
    )
    if not raw:
        _conclude(progress)
    return exit_code(results, status, progress.problems)


def _refuse_words(pytest_args: Sequence[str]) -> None:
    """A suite that is named without its option, or a word that is nothing, is told here: pytest takes it for a file."""
    for word in takewhile(lambda each: not each.startswith("-"), pytest_args):
        if word in suite_names() or has_requirements(Path(word)):
            raise UsageError(f"{word}: a suite is named by its option, --suite {word}")
        if not Path(word.partition("::")[0]).exists():
            raise UsageError(
                f"{word}: no suite and no file; allowed are --suite with {', '.join(suite_names())} or a folder, "
                "and arguments of pytest behind --"
            )


def _configuration(plan: RunPlan) -> list[str]:
    """Nothing depends on the folder the user stands in, and nothing is left there but the reports."""
    folders = plan.suites.folders
    paths = [folders.get(name) or str(resource(f"test_suites/{name}")) for name in plan.options.suite or suite_names()]
    paths = list(dict.fromkeys(paths))
    return [
        *paths,
        f"--config-file={_INI}",
        f"--rootdir={root()}",
        f"--confcutdir={resource('test_suites')}",
        "-p",
        "hil.pytest_plugin",
        "-p",
        "no:cacheprovider",
    ]


def _pytest(words: list[str], progress: Progress, *, raw: bool) -> tuple[int, str]:
    """Pytest's exit status, and what it would have printed unless that was asked for."""
    kept = io.StringIO()
    with contextlib.ExitStack() as stack:
        if not raw:
            stack.enter_context(contextlib.redirect_stdout(kept))
            stack.enter_context(contextlib.redirect_stderr(kept))
        stack.enter_context(ending())
        status = int(pytest.main(words, plugins=[progress]))
    return status, kept.getvalue()


def _refuse_nothing(
    plan: RunPlan, found: Sequence[Run | CaseResult], pytest_args: Sequence[str], skipped: Sequence[CaseResult] = ()
) -> None:
    if found:
        return
    if skipped:
        cases: dict[str, list[str]] = {}
        for result in skipped:
            cases.setdefault(result.reason, []).append(result.id)
        reasons = [f"{_some(dict.fromkeys(ids))}: {reason}" for reason, ids in cases.items()]
        raise UsageError(f"nothing is applicable: {'; '.join(reasons)}")
    options = plan.options
    given = [f"--{name} {value}" for name in ("suite", "requirement", "case") for value in getattr(options, name)]
    asked = " ".join([*given, *(["--", *pytest_args] if pytest_args else [])])
    raise UsageError(
        f"nothing is selected by {asked or 'this run'}; suites are {', '.join(suite_names())}, "
        "and `hil run --list` shows their cases"
    )


def _some(names: Iterable[str]) -> str:
    """All of a few names, or the first of many and how many more there are."""
    first, *rest = names
    return ", ".join([first, *rest]) if len(rest) < _FEW else f"{first} and {len(rest)} more cases"


def _broken(status: int, progress: Progress, output: str) -> int:
    """A run that came to no result at all."""
    for problem in progress.problems:
        complain(problem)
    if not progress.problems:
        console(stderr=True).print(output.strip(), markup=False)
    if status == pytest.ExitCode.USAGE_ERROR:
        complain("pytest refused the run")
        return USAGE
    complain("the run came to no result")
    return INTERNAL


def _conclude(progress: Progress) -> None:
    out = console()
    for text in progress.stories:
        out.print()
        out.print(text, markup=False, soft_wrap=True)
    out.print()
    out.print(verdict_table(progress.results))
    out.print()
    out.print(summary(progress.results), style="bold")
    for problem in progress.problems:
        complain(problem)
    if progress.report is not None:
        tell_coverage(progress.report)
        out.print(f"report: {progress.report / 'index.html'}", soft_wrap=True)


def exit_code(results: Sequence[CaseResult], status: int, problems: Sequence[str]) -> int:
    """0, 1 or 3 by what the run came to; the highest wins."""
    if problems or any(result.verdict is Verdict.ERROR for result in results):
        return INTERNAL
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return INTERNAL
    counted = [result for result in results if not is_finding(result)]
    missed = any(result.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NONE) for result in counted)
    # A failed test beside the cases is none of the results.
    return NOT_PASSED if missed or status == pytest.ExitCode.TESTS_FAILED else OK
