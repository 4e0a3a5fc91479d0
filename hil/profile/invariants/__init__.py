"""Invariants of a session, whatever the load profile: pure objects over what was observed.

Each belongs to a requirement of the catalogue and gives measurements. Limits come from the catalogue
and from the register's readings, never from a device's settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hil.conformance.verdict import Measurement
from hil.profile.invariants import demand
from hil.profile.invariants.basis import Context
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
            ("LP.03", demand.current_follows),
        )
    }
)


def judge(
    seen: Seen, readings: Mapping[str, str], uncertainty: Span = 0, cases: tuple[str, ...] = ()
) -> dict[str, list[Measurement]]:
    """Measurements by case, of those given or of all; none where a session gave nothing to judge."""
    context = Context(seen, readings, uncertainty)
    return {case: list(INVARIANTS[case].judge(context)) for case in cases or INVARIANTS}
