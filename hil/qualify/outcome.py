"""What runs came to, as plain values that workers hand over and reports are made from."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hil.conformance.verdict import Verdict

KILLED, PARTLY, SEEN_BY_OTHERS, SURVIVED = "killed", "partly", "seen_by_others", "survived"
UNDECIDED = "undecided"
INFRASTRUCTURE, NOT_APPLICABLE = "infrastructure_error", "not_applicable"
STATUSES = {
    KILLED: "every case that the fault names failed",
    PARTLY: "some of the cases that it names failed; counts as survived",
    SEEN_BY_OTHERS: "only cases that it does not name failed; counts as survived",
    SURVIVED: "no case failed",
    UNDECIDED: "the rig's instruments leave open a case that it names and that fails by the plant: not decidable there",
    INFRASTRUCTURE: "a case that it names ended in an error on our side; says nothing of the suite",
    NOT_APPLICABLE: "no case that it names applies to the rig",
}
"""What may become of a seeded fault, and what it means."""
NOT_RUN = "not_run"
_ORDER = (Verdict.ERROR, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.NONE, Verdict.PASS)


class RunOutcome(msgspec.Struct, frozen=True):
    """One run of one case: one variant under one reading."""

    name: str
    """As ``DN.2004[short]``."""
    verdict: Verdict
    advisory: bool
    reason: str
    """The measurement that decided, or why there was none."""
    repeat: str
    """The command line that runs exactly this again."""
    by_plant: Verdict | None = None
    """Of an inconclusive run on a rig with instruments: what the plant itself says in their place."""

    @property
    def undecided(self) -> bool:
        """Whether it is the rig's instruments that leave it open."""
        return self.verdict is Verdict.INCONCLUSIVE and self.by_plant in (Verdict.PASS, Verdict.FAIL)


class CaseOutcome(msgspec.Struct, frozen=True):
    """All runs of one case with one charger."""

    requirement: str
    runs: tuple[RunOutcome, ...]

    @property
    def verdict(self) -> Verdict:
        """An error stands out, then a fail of any run: advisory runs count, for the case saw what was wrong."""
        for verdict in _ORDER:
            if any(run.verdict is verdict for run in self.runs):
                return verdict
        return Verdict.NOT_APPLICABLE

    @property
    def missed_by_instruments(self) -> RunOutcome | None:
        """The first run that would fail by the plant and is left open by the rig's instruments, where no run fails."""
        if self.verdict is not Verdict.INCONCLUSIVE:
            return None
        return next((run for run in self.runs if run.undecided and run.by_plant is Verdict.FAIL), None)

    @property
    def decisive(self) -> RunOutcome | None:
        """The first run with the case's verdict; of those that are left open, the one that would fail by the plant."""
        verdict = self.verdict
        missed = self.missed_by_instruments
        return missed or next((run for run in self.runs if run.verdict is verdict), None)


class FaultOutcome(msgspec.Struct, frozen=True):
    """What became of one seeded fault."""

    name: str
    kind: str
    summary: str
    breaks: tuple[str, ...]
    """Requirements whose cases must each fail: those asked for, of those that the fault names."""
    status: str
    """One of :data:`STATUSES`."""
    killed_by: tuple[str, ...]
    """Named requirements whose case failed."""
    survived: tuple[str, ...]
    """Named requirements whose case did not fail."""
    seen_by: tuple[str, ...]
    """Other requirements whose case failed, of those that were run."""
    detail: str
    repeat: str


def judge_fault(
    name: str, kind: str, summary: str, named: Sequence[CaseOutcome], others: Sequence[CaseOutcome]
) -> FaultOutcome:
    """What became of a fault, from the cases that it names and others that were run with it."""
    applicable = [case for case in named if case.verdict is not Verdict.NOT_APPLICABLE]
    broken = [case for case in applicable if case.verdict is Verdict.ERROR]
    killers = [case for case in applicable if case.verdict is Verdict.FAIL]
    missed = [case for case in applicable if case.verdict not in (Verdict.ERROR, Verdict.FAIL)]
    seen = tuple(case.requirement for case in others if case.verdict is Verdict.FAIL)
    if not applicable:
        status, telling = NOT_APPLICABLE, list(named)
    elif broken:
        status, telling = INFRASTRUCTURE, broken
    elif not missed:
        status, telling = KILLED, killers[:1]
    elif all(case.missed_by_instruments for case in missed):
        status, telling = UNDECIDED, missed
    elif killers:
        status, telling = PARTLY, missed
    else:
        status, telling = SEEN_BY_OTHERS if seen else SURVIVED, missed
    runs = [case.decisive for case in telling]
    return FaultOutcome(
        name,
        kind,
        summary,
        tuple(case.requirement for case in named),
        status,
        tuple(case.requirement for case in killers),
        tuple(case.requirement for case in missed),
        seen,
        "; ".join(_told(run) for run in runs if run is not None),
        next((run.repeat for run in runs if run is not None), ""),
    )


def _told(run: RunOutcome) -> str:
    verdict = run.verdict.value.replace("_", " ")
    return f"{run.name} {verdict}: {run.reason}" if run.reason else f"{run.name} {verdict}"
