"""Invariants of a session, whatever the load profile: pure objects over what was observed.

Each belongs to a requirement of the catalogue and gives measurements. Limits come from the catalogue
and from the register's readings, never from a device's settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hil.conformance.verdict import Measurement
from hil.profile.invariants import demand, flow, stop, told
from hil.profile.invariants.basis import Context, Unsure
from hil.profile.seen import Seen
from hil.units import Span

Judgement = Callable[[Context], Iterator[Measurement]]
PREFIX = "LOADPROFILE"


@dataclass(frozen=True)
class Invariant:
    """One requirement and how it is judged."""

    case: str
    judge: Judgement

    @property
    def requirement(self) -> str:
        """Its id in the catalogue."""
        return f"{PREFIX}/{self.case}"


INVARIANTS: Mapping[str, Invariant] = MappingProxyType(
    {
        case: Invariant(case, judge)
        for case, judge in (
            ("LP.01", demand.current_not_above_demand),
            ("LP.02", demand.within_limits),
            ("LP.03", demand.zero_demand),
            ("LP.04", demand.current_follows),
            ("LP.05", demand.current_error),
            ("LP.06", demand.voltage_error),
            ("LP.07", stop.output_off),
            ("LP.08", stop.no_energy_outside),
            ("LP.09", stop.contactors_open_without_load),
            ("LP.10", told.ccs_tells_output),
            ("LP.11", told.cause_fits),
            ("LP.12", told.statistics_fit),
            ("LP.13", flow.pauses_output),
            ("LP.14", flow.resumes_output),
            ("LP.15", flow.phases_end),
            ("LP.16", flow.reconnections_start_over),
            ("LP.17", told.periods_hold),
            ("LP.18", told.traffic_bounded),
        )
    }
)


def judge(
    seen: Seen,
    readings: Mapping[str, str],
    stamps: Span = 0,
    cases: tuple[str, ...] = (),
    unsure: Unsure | None = None,
) -> dict[str, list[Measurement]]:
    """Measurements by case, of those given or of all; none where a session gave nothing to judge.

    For the uncertainties of spans see :class:`Context`: inside them a verdict is *inconclusive*.
    """
    context = Context(seen, readings, stamps, unsure)
    return {case: list(INVARIANTS[case].judge(context)) for case in cases or INVARIANTS}
