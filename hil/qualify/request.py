"""What is to be qualified: the plan of the runs, the cases, the faults and the knobs that were asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hil.bench.opening import kind_of
from hil.conformance.catalogue import requirements
from hil.dut.faults import AnyFault, all_faults
from hil.errors import UsageError
from hil.pytest_plugin.near import near_matches
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import RunPlan, make_plan
from hil.qualify.knob import Knob
from hil.qualify.knobs import KNOBS
from hil.qualify.suite import SuiteCase, suite_cases

LONGEST_RUN = 120.0
"""Seconds of the wall clock that one run may take: many times what any needs, so that only a hang is cut off."""


@dataclass(frozen=True)
class Request:
    """Everything that is decided before the first run."""

    plan: RunPlan
    cases: Mapping[str, SuiteCase]
    """The cases to judge, by requirement, in catalogue order."""
    faults: Mapping[str, AnyFault]
    """The faults to seed, each of which names at least one of the cases."""
    knobs: Mapping[str, Knob]
    full: bool
    workers: int

    def named(self, fault: AnyFault) -> list[str]:
        """The requirements that must catch a fault, of those asked for."""
        return [requirement for requirement in self.cases if requirement in fault.breaks]

    def reached(self, fault: AnyFault) -> list[str]:
        """The requirements to run with a fault for the whole matrix: those whose benches have the device it is of.

        Cases that generate and search, each in hundreds of worlds, are run with the faults that name them, and with
        every fault where their suite was asked for by name.
        """
        known, suites = requirements(), self.plan.options.suite
        ours = [name for name in self.cases if fault.dut in kind_of(known[name].bench).duts]
        costly = [name for name in ours if "twin" in known[name].needs and known[name].suite not in suites]
        return [name for name in ours if name not in costly or name in fault.breaks]


def make_request(
    options: Options,
    *,
    only: Sequence[str] = (),
    full: bool = False,
    workers: int = 1,
    faults: Mapping[str, AnyFault] | None = None,
    cases: Mapping[str, SuiteCase] | None = None,
    knobs: Mapping[str, Knob] | None = None,
) -> Request:
    """Check what was asked for; :class:`UsageError` says what is wrong and what is allowed.

    ``only`` are names of faults; with them, the cases are those that they name, and no limit is searched.
    ``faults``, ``cases`` and ``knobs`` take the place of the library, the shipped suites and the limits.
    """
    library = all_faults() if faults is None else faults
    chosen = _chosen(only, library)
    plan = make_plan(replace(options, fault=(), max_real_time=options.max_real_time or LONGEST_RUN))
    if plan.suites.folders:
        folder = next(iter(plan.suites.folders.values()))
        raise UsageError(f"--suite {folder}: only the shipped suites have seeded faults")
    if not plan.rig.virtual:
        raise UsageError(f"--rig: {plan.rig.name} is no virtual rig; faults are seeded into the reference charger only")
    if workers < 1:
        raise UsageError(f"-n {workers}: allowed is 1 and more")
    wanted = _cases(plan, suite_cases() if cases is None else cases)
    if only and not full:
        named = {requirement for fault in chosen.values() for requirement in fault.breaks}
        wanted = {requirement: case for requirement, case in wanted.items() if requirement in named}
    chosen = {name: fault for name, fault in chosen.items() if any(each in wanted for each in fault.breaks)}
    if not wanted or (only and not chosen):
        raise UsageError("no case that was asked for is named by a fault that was asked for; see `hil faults`")
    searched = (
        {} if only else {k.name: k for k in (KNOBS if knobs is None else knobs).values() if k.requirement in wanted}
    )
    return Request(plan, wanted, chosen, searched, full, workers)


def _chosen(only: Sequence[str], library: Mapping[str, AnyFault]) -> dict[str, AnyFault]:
    names = [name.replace("_", "-") if name not in library else name for name in only]
    for name in names:
        if name not in library:
            near = near_matches(name, library)
            hint = f"did you mean {' or '.join(near)}? " if near else ""
            raise UsageError(f"no seeded fault {name!r}: {hint}`hil faults` lists them")
    return {name: fault for name, fault in library.items() if not names or name in names}


def _cases(plan: RunPlan, cases: Mapping[str, SuiteCase]) -> dict[str, SuiteCase]:
    known = requirements()
    return {
        requirement: case
        for requirement, case in cases.items()
        if any(plan.selects(run) for run in plan.runs(known[requirement]))
    }
