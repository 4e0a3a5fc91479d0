"""Results of a whole run, on the controller: kept as they come, put in order, reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hil.conformance.catalogue import Requirement
from hil.conformance.register import register
from hil.conformance.verdict import CaseResult
from hil.evidence.folder import make_ready
from hil.evidence.log import ResultLog
from hil.evidence.report import forget_reports, write_reports
from hil.evidence.rig_files import keep_files
from hil.evidence.trace import LOG_SUFFIX, STREAM_SUFFIX
from hil.profile.parts import forget_parts, merge_parts
from hil.pytest_plugin.info import run_info
from hil.pytest_plugin.plan import RunPlan


class Results:
    """Begun with the first result."""

    def __init__(self, plan: RunPlan) -> None:
        self.results: list[CaseResult] = []
        self._plan = plan
        make_ready(plan.out)
        self._log = ResultLog(plan.out)
        forget_reports(plan.out)
        forget_parts(plan.out)
        keep_files(plan.out, plan.rig.files)

    def take(self, values: Any) -> CaseResult:
        """Keep one result, on disk at once."""
        result = msgspec.convert(values, CaseResult)
        self.results.append(result)
        self._log.append(result)
        return result

    def finish(self, command: str, span: tuple[str, str], earlier: Mapping[Path, int]) -> None:
        """Bring the results into catalogue order and write the reports; ``span`` is when the run began and ended.

        ``earlier`` are files that lay in the folder of traces before the run, by instant of change:
        those that this run has neither written nor named are taken away, not to be taken for its own.
        """
        self._log.close()
        known = self._plan.suites.catalogue
        order = {identifier: place for place, identifier in enumerate(known)}
        # Workers find a user's suite beside its tests; the controller knows such a suite by its results only.
        self.results.sort(
            key=lambda each: (order.get(each.requirement, len(order)), each.requirement, *_place(each, known))
        )
        self._forget(earlier)
        coverage = merge_parts(self._plan.out)
        reached = [] if coverage is None else list(coverage.summary())
        write_reports(self._plan.out, run_info(self._plan, command, *span), self.results, reached)

    def _forget(self, earlier: Mapping[Path, int]) -> None:
        named = {Path(result.trace).stem for result in self.results if result.trace is not None}
        for path, stamp in earlier.items():
            ours = path.suffix in (LOG_SUFFIX, STREAM_SUFFIX)
            if ours and path.stem not in named and path.is_file() and path.stat().st_mtime_ns == stamp:
                path.unlink()


def _place(result: CaseResult, known: Mapping[str, Requirement]) -> tuple[int, int, str, str]:
    """Where a run stands among those of its requirement."""
    names = (result.reading or "", result.variant or "")
    requirement = known.get(result.requirement)
    if requirement is None:
        return 0, 0, *names
    variants = (None, *requirement.variants, *requirement.advisory_variants)
    choices = (*register()[requirement.reading].choices,) if requirement.reading else ()
    choice = (result.reading or "").partition("=")[2]
    return choices.index(choice) if choice in choices else 0, variants.index(result.variant), *names
