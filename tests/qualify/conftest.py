"""Small qualifications: few cases, few faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from hil.bench.bench import Bench
from hil.dut.faults import all_faults
from hil.dut.gbt27930.fault import Fault
from hil.dut.gbt27930.spec import ChargerSpec
from hil.pytest_plugin.options import Options
from hil.qualify import Knob, Qualification, Request, make_request, qualify
from hil.qualify.suite import SuiteCase, suite_cases
from hil.units import ms

CHM = "GBT34658-2017/DP.1001"
BCL_LOST = "GBT34658-2017/DN.3006"
BRO_FALLS = "GBT34658-2017/DN.2009"
SOME = ("chm-too-fast", "chm-short", "lost-bcl-late", "lost-bcl-never")
Make = Callable[..., Request]


def harmless(spec: ChargerSpec) -> ChargerSpec:
    """What no case can see: the limits are 250 ms and a tenth."""
    return spec.timing(CHM=ms(251))


def seen_elsewhere(spec: ChargerSpec) -> ChargerSpec:
    """Breaks a case that it does not name."""
    return spec.timing(CHM=ms(300))


def breaking(spec: ChargerSpec) -> ChargerSpec:
    """An edit that is broken itself: an error on our side."""
    raise ZeroDivisionError("an edit that cannot be made")


def fault(name: str, edit: Callable[[ChargerSpec], ChargerSpec], *breaks: str) -> dict[str, Any]:
    """A library of one fault."""
    return {name: Fault(name, breaks or (CHM,), f"is {name}", "timing", edit)}


def library(*names: str) -> Mapping[str, Any]:
    """Some of the true faults."""
    return {name: all_faults()[name] for name in names}


def cases(*requirements: str) -> dict[str, SuiteCase]:
    """Some of the true cases."""
    return {requirement: suite_cases()[requirement] for requirement in requirements}


def replaced(requirement: str, function: Callable[[Bench], None]) -> dict[str, SuiteCase]:
    """A case whose place another function takes."""
    return {requirement: SuiteCase(requirement, function, suite_cases()[requirement].path)}


@pytest.fixture
def request_for() -> Make:
    """Makes a request of faults and cases, without limits unless they are given."""

    def make(
        faults: Mapping[str, Any],
        wanted: Mapping[str, SuiteCase],
        *,
        knobs: Mapping[str, Knob] | None = None,
        only: Sequence[str] = (),
        full: bool = False,
        workers: int = 1,
        options: Options | None = None,
    ) -> Request:
        return make_request(
            options or Options(),
            only=only,
            full=full,
            workers=workers,
            faults=faults,
            cases=wanted,
            knobs={} if knobs is None else knobs,
        )

    return make


@pytest.fixture
def small(request_for: Make) -> Qualification:
    """Four faults that are killed by two cases."""
    return qualify(request_for(library(*SOME), cases(CHM, BCL_LOST)))
