"""One case with one charger: run and judged as ``hil run`` does it, with nothing written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property

import msgspec

from hil.bench.opening import Edits
from hil.conformance.catalogue import requirements
from hil.conformance.verdict import CaseResult, Verdict
from hil.dut.faults import AnyFault
from hil.errors import HilError
from hil.evidence.explain import run_name
from hil.pytest_plugin.plan import Run, RunPlan
from hil.pytest_plugin.run import CaseRun, result_of
from hil.pytest_plugin.table import show_measured
from hil.qualify.outcome import CaseOutcome, RunOutcome
from hil.qualify.suite import SuiteCase

Wanted = Callable[[Run], bool]


class Runner:
    """Runs cases with chargers that are wrong in one way."""

    def __init__(self, plan: RunPlan, cases: Mapping[str, SuiteCase]) -> None:
        self._plan = plan
        self._cases = cases

    def run(self, requirement: str, fault: AnyFault | None = None) -> CaseOutcome:
        """Every run of a case that was asked for: with the reference charger, or with a seeded fault in it."""
        plan = self._plan if fault is None else replace(self._plan, faults=(fault,))
        edits = None if fault is None else {fault.dut: fault.edit}
        return CaseOutcome(requirement, tuple(self._runs(requirement, edits, plan, self._plan.selects)))

    def run_edited(self, requirement: str, edits: Edits, wanted: Wanted) -> CaseOutcome:
        """The runs of a case that are wanted, with a charger that was edited."""
        return CaseOutcome(requirement, tuple(self._runs(requirement, edits, self._plan, wanted)))

    def _runs(self, requirement: str, edits: Edits | None, told: RunPlan, wanted: Wanted) -> list[RunOutcome]:
        # ``told`` names the fault in the line that repeats the run; the edit is all that is built from it.
        outcomes = []
        for run in filter(wanted, self._plan.runs(requirements()[requirement])):
            result = self._judge(run, edits, self._plan)
            outcome = RunOutcome(
                run_name(result), result.verdict, result.advisory, show_measured(result), told.repeat(run)
            )
            if result.verdict is Verdict.INCONCLUSIVE and self._plan.rig.instruments:
                outcome = msgspec.structs.replace(outcome, by_plant=self._judge(run, edits, self._by_plant).verdict)
            outcomes.append(outcome)
        return outcomes

    @cached_property
    def _by_plant(self) -> RunPlan:
        """The same rig without its instruments: what the plant itself says."""
        return replace(self._plan, rig=replace(self._plan.rig, instruments={}), pools={}, ac_pools={})

    def _judge(self, run: Run, edits: Edits | None, plan: RunPlan) -> CaseResult:
        if run.not_applicable is not None:
            return result_of(run, plan, Verdict.NOT_APPLICABLE, run.not_applicable)
        try:
            opened = CaseRun(run, plan, edits=edits, traced=False)
        except Exception as error:
            told = str(error) if isinstance(error, HilError) else f"{type(error).__name__}: {error}"
            return result_of(run, plan, Verdict.ERROR, told)
        raised: Exception | None = None
        try:
            with opened.watching():
                self._cases[run.requirement.id](opened.bench, run.variant)
        except Exception as error:
            raised = error
        return opened.conclude(raised)
