"""What a pytest process that collects and runs cases holds: the plan, and the runs that it collected."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hil.conformance.catalogue import Requirement
from hil.conformance.verdict import CaseResult, Verdict
from hil.errors import HilError, UsageError
from hil.marks import requirement_of
from hil.pytest_plugin.controller import NAME, PROBLEM, Controller
from hil.pytest_plugin.options import options_of
from hil.pytest_plugin.plan import Run, RunPlan, make_plan
from hil.pytest_plugin.run import CaseRun, result_of

RUN = pytest.StashKey[Run]()
CASE = pytest.StashKey[CaseRun]()


class Session:
    """One for each pytest process in which a case or one of our options turns up."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.plan: RunPlan = make_plan(options_of(config))
        if not config.getoption("collectonly", False):
            self.plan.refuse_unchecked()
        self.runs: list[Run] = []
        """Collected in this process."""
        self._cases: dict[str, str] = {}
        """Where the case of each requirement is."""

    # --- collecting ---------------------------------------------------------------------------------

    def runs_of(self, nodeid: str, function: Any) -> list[Run]:
        """The runs of a case; none for a function that is no case.

        Raises :class:`UsageError` for a requirement that the catalogue does not have, or that has two cases.
        """
        identifier = requirement_of(function)
        if identifier is None:
            return []
        known = self._catalogue_for(identifier, function)
        if identifier not in known:
            near = get_close_matches(identifier, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{nodeid}: the catalogue has no requirement {identifier!r}{hint}")
        if self._cases.setdefault(identifier, nodeid) != nodeid:
            raise UsageError(f"{identifier} has two cases: {self._cases[identifier]} and {nodeid}")
        return self.plan.runs(known[identifier])

    def _catalogue_for(self, identifier: str, function: Any) -> Mapping[str, Requirement]:
        """The catalogue, with the requirements beside the test file where the shipped ones lack this one."""
        if identifier not in self.plan.suites.catalogue:
            path = Path(inspect.getsourcefile(function) or "").absolute()
            self.plan = replace(self.plan, suites=self.plan.suites.with_folder_of(path))
        return self.plan.suites.catalogue

    def collect(self, items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
        """Tie items to their runs; returns those to keep and those not asked for.

        A requirement of a user's suite that was collected whole and has no case raises :class:`pytest.UsageError`:
        it would not be judged, and nobody told. A worker leaves that to the process that the user sees.
        """
        self._refuse_missing()
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            run = self._tie(item)
            wanted = run is None or self.plan.selects(run)
            (kept if wanted else dropped).append(item)
        self.runs = [item.stash[RUN] for item in kept if RUN in item.stash]
        return kept, dropped

    def _refuse_missing(self) -> None:
        missing = self._without_case()
        if not missing:
            return
        text = f"no case judges {', '.join(missing)}: {len(missing)} of the suite's requirements"
        if not hasattr(self._config, "workeroutput"):
            raise pytest.UsageError(text)
        self._config.workeroutput[PROBLEM] = text

    def _without_case(self) -> list[str]:
        whole = {(self._config.invocation_params.dir / each).resolve() for each in self._config.args}
        suites = self.plan.suites
        ours = [name for name, folder in suites.folders.items() if Path(folder).resolve() in whole]
        return [
            identifier
            for identifier, requirement in suites.catalogue.items()
            if requirement.suite in ours and identifier not in self._cases
        ]

    def _tie(self, item: pytest.Item) -> Run | None:
        function = getattr(item, "function", None)
        identifier = requirement_of(function)
        if identifier is None:
            return None
        callspec = getattr(item, "callspec", None)
        given = callspec.params.get("hil_run") if callspec is not None else None
        run = given if isinstance(given, Run) else self.plan.runs(self.plan.suites.catalogue[identifier])[0]
        run = item.stash[RUN] = replace(run, purpose=purpose_of(function), nodeid=item.nodeid)
        if run.not_applicable is not None:
            item.add_marker(pytest.mark.skip(reason=f"not applicable: {run.not_applicable}"))
        return run

    # --- running ------------------------------------------------------------------------------------

    def open(self, item: pytest.Item) -> CaseRun:
        """Open the bench of an item."""
        if RUN not in item.stash:
            raise UsageError(f"{item.nodeid} uses the bench without a @requirement")
        controller = self._config.pluginmanager.get_plugin(NAME)
        if isinstance(controller, Controller):
            controller.begin()
        case = item.stash[CASE] = CaseRun(item.stash[RUN], self.plan)
        return case

    def watching(self, item: pytest.Item) -> AbstractContextManager[None]:
        """Around an item's own code: ends a case when the time that a run may take is up."""
        case = item.stash.get(CASE, None)
        return nullcontext() if case is None else case.watching()

    def close(self, item: pytest.Item) -> None:
        """Let go of an item's bench. One that was never concluded was interrupted, and is told as such."""
        case = item.stash[CASE]
        del item.stash[CASE]
        if case.result is None:
            result = case.conclude(KeyboardInterrupt("interrupted"))
            controller = self._config.pluginmanager.get_plugin(NAME)
            if isinstance(controller, Controller):
                controller.take(msgspec.to_builtins(result))

    def conclude(self, item: pytest.Item, error: BaseException | None) -> CaseResult:
        """The result of an item that has run, or whose bench could not be opened."""
        case = item.stash.get(CASE, None)
        if case is None:
            told = str(error) if isinstance(error, HilError) else f"{type(error).__name__}: {error}"
            return result_of(item.stash[RUN], self.plan, Verdict.ERROR, told)
        return case.conclude(error)

    def pass_over(self, run: Run) -> CaseResult:
        """The result of a run that is not applicable."""
        return result_of(run, self.plan, Verdict.NOT_APPLICABLE, run.not_applicable or "")


def purpose_of(function: Any) -> str:
    """The purpose of a case: the first line of its docstring."""
    text = inspect.getdoc(function) or ""
    return text.partition("\n")[0].removeprefix("TP: ").strip()
