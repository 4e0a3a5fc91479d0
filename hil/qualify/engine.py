"""Qualification: the reference against every case, every fault against its cases, every limit searched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from hil.conformance.verdict import Verdict
from hil.qualify.deviation import Deviation, search
from hil.qualify.outcome import (
    INFRASTRUCTURE,
    KILLED,
    NOT_APPLICABLE,
    PARTLY,
    SEEN_BY_OTHERS,
    SURVIVED,
    UNDECIDED,
    CaseOutcome,
    FaultOutcome,
    RunOutcome,
    judge_fault,
)
from hil.qualify.pool import WorkerDiedError, run_jobs
from hil.qualify.request import Request
from hil.qualify.runner import Runner

Kind = Literal["reference", "fault", "limit"]
OK, NOT_PASSED, ERROR = 0, 1, 3


@dataclass(frozen=True)
class Job:
    """One case with the reference charger or with a fault in it, or one limit to search."""

    kind: Kind
    name: str = ""
    """Of the fault or of the knob."""
    requirement: str = ""


@dataclass(frozen=True)
class Qualification:
    """What the whole came to."""

    request: Request
    reference: tuple[CaseOutcome, ...]
    faults: tuple[FaultOutcome, ...]
    cells: dict[tuple[str, str], CaseOutcome] = field(repr=False)
    """What was run of the matrix: by fault and requirement."""
    deviations: tuple[Deviation, ...]

    @property
    def blamed(self) -> list[RunOutcome]:
        """Runs in which the reference charger did not pass, or that were errors."""
        fine = (Verdict.PASS, Verdict.NOT_APPLICABLE)
        runs = [run for case in self.reference for run in case.runs if run.verdict not in fine]
        return [run for run in runs if not (run.undecided and run.by_plant is Verdict.PASS)]

    @property
    def left_open(self) -> list[RunOutcome]:
        """Runs of the reference charger that the rig's instruments leave open, and that pass by the plant."""
        runs = [run for case in self.reference for run in case.runs]
        return [run for run in runs if run.undecided and run.by_plant is Verdict.PASS]

    @property
    def judged(self) -> list[FaultOutcome]:
        """Faults of which a named case applies to the rig."""
        return [fault for fault in self.faults if fault.status != NOT_APPLICABLE]

    @property
    def killed(self) -> list[FaultOutcome]:
        """Faults that each named case caught."""
        return [fault for fault in self.faults if fault.status == KILLED]

    @property
    def survivors(self) -> list[FaultOutcome]:
        """Faults that some named case let through."""
        return [fault for fault in self.faults if fault.status in (PARTLY, SEEN_BY_OTHERS, SURVIVED)]

    @property
    def undecided(self) -> list[FaultOutcome]:
        """Faults that the rig's instruments cannot tell from a right charger."""
        return [fault for fault in self.faults if fault.status == UNDECIDED]

    @property
    def broken(self) -> list[FaultOutcome]:
        """Faults of which nothing can be said, for something went wrong on our side."""
        return [fault for fault in self.faults if fault.status == INFRASTRUCTURE]

    @property
    def errors(self) -> list[RunOutcome]:
        """Every run, of the reference or with a fault, that ended in an error on our side."""
        cases = [*self.reference, *self.cells.values()]
        return [run for case in cases for run in case.runs if run.verdict is Verdict.ERROR]

    @property
    def applicable(self) -> list[str]:
        """Requirements of which a case was run with the reference."""
        return [case.requirement for case in self.reference if case.verdict is not Verdict.NOT_APPLICABLE]

    @property
    def without_fault(self) -> list[str]:
        """Requirements that no fault of the library breaks."""
        named = {requirement for fault in self.request.faults.values() for requirement in fault.breaks}
        return [requirement for requirement in self.applicable if requirement not in named]

    @property
    def sensitivity(self) -> float | None:
        """The share of the faults that were killed; None where there was none."""
        return len(self.killed) / len(self.judged) if self.judged else None

    @property
    def exit_code(self) -> int:
        """3 for an error on our side, 1 where something survived or the reference was blamed; the highest wins."""
        if self.errors or any(each.error for each in self.deviations):
            return ERROR
        escaped = any(each.caught is None and not each.undecided for each in self.deviations)
        return NOT_PASSED if self.blamed or self.survivors or escaped else OK


Progress = Callable[[Job, CaseOutcome | Deviation], None]


def qualify(request: Request, progress: Progress | None = None) -> Qualification:
    """Run everything that a request asks for. ``progress`` hears of each job, in the order in which they end."""
    jobs = jobs_of(request)
    found: dict[int, CaseOutcome | Deviation] = {}
    for index, result in run_jobs(_Work(request), jobs, request.workers):
        if isinstance(result, WorkerDiedError):
            found[index] = _lost(request, jobs[index], result)
        else:
            found[index] = result
        if progress is not None:
            progress(jobs[index], found[index])
    return _collect(request, jobs, found)


def jobs_of(request: Request) -> list[Job]:
    """Everything there is to do: the limits first, for they take longest."""
    limits = [Job("limit", name, knob.requirement) for name, knob in request.knobs.items()]
    reference = [Job("reference", requirement=requirement) for requirement in request.cases]
    pairs = [
        Job("fault", name, requirement)
        for name, fault in request.faults.items()
        for requirement in (request.reached(fault) if request.full else request.named(fault))
    ]
    return [*limits, *reference, *pairs]


@dataclass(frozen=True)
class _Work:
    request: Request

    def __call__(self, job: Job) -> CaseOutcome | Deviation:
        request = self.request
        runner = Runner(request.plan, request.cases)
        if job.kind == "limit":
            return search(request.knobs[job.name], runner, request.plan.readings)
        return runner.run(job.requirement, request.faults.get(job.name))


def _lost(request: Request, job: Job, error: WorkerDiedError) -> CaseOutcome | Deviation:
    if job.kind == "limit":
        return Deviation.failed(request.knobs[job.name], request.plan.readings, str(error))
    name = job.requirement.partition("/")[2]
    return CaseOutcome(job.requirement, (RunOutcome(name, Verdict.ERROR, False, str(error), ""),))


def _collect(request: Request, jobs: list[Job], found: dict[int, CaseOutcome | Deviation]) -> Qualification:
    reference: list[CaseOutcome] = []
    deviations: list[Deviation] = []
    cells: dict[tuple[str, str], CaseOutcome] = {}
    for index, job in enumerate(jobs):
        result = found[index]
        if isinstance(result, Deviation):
            deviations.append(result)
        elif job.kind == "reference":
            reference.append(result)
        else:
            cells[job.name, job.requirement] = result
    return Qualification(request, tuple(reference), tuple(_faults(request, cells)), cells, tuple(deviations))


def _faults(request: Request, cells: dict[tuple[str, str], CaseOutcome]) -> list[FaultOutcome]:
    outcomes = []
    for name, fault in request.faults.items():
        own = request.named(fault)
        run = [requirement for requirement in request.cases if (name, requirement) in cells]
        named = [cells[name, requirement] for requirement in run if requirement in own]
        others = [cells[name, requirement] for requirement in run if requirement not in own]
        outcomes.append(judge_fault(name, fault.kind, fault.summary, named, others))
    return outcomes
