"""Verdicts, measurements and case results: what judging comes to, as plain values.

The order is that of ISO 9646 and TTCN-3: ``none < pass < inconclusive < fail < error``, and the
worst wins. *Not applicable* stands beside the order: it is decided before a run, with its reason.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from hil.units import Instant


class Verdict(enum.Enum):
    """What is known of a requirement after a case. Compare with ``<``; join with :func:`worst`."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"

    @property
    def rank(self) -> int:
        """Place in the order; *not applicable* ranks below *none*."""
        return _RANKS[self]

    def __lt__(self, other: Verdict) -> bool:
        return self.rank < other.rank


_RANKS = {
    Verdict.NOT_APPLICABLE: -1,
    Verdict.NONE: 0,
    Verdict.PASS: 1,
    Verdict.INCONCLUSIVE: 2,
    Verdict.FAIL: 3,
    Verdict.ERROR: 4,
}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of ``verdicts``; *none* when there are none."""
    return max(verdicts, key=lambda verdict: verdict.rank, default=Verdict.NONE)


class Measurement(msgspec.Struct, frozen=True):
    """One value against its limits. ``low`` or ``high`` is None where that side is open."""

    name: str
    value: float | str | bool | None
    unit: str
    low: float | None
    high: float | None
    verdict: Verdict
    at: Instant | None = None
    """The decisive instant, nanoseconds of the trace."""
    note: str = ""
    uncertainty: float | None = None
    """Half width of the band around ``value`` that has the true one, in its unit; None where it counts as exact."""


class Finding(msgspec.Struct, frozen=True):
    """A deviation that a passive monitor saw, beside whatever a case was about."""

    requirement: str
    at: Instant
    side: str
    """``charger`` or ``bms``: whose deviation it is."""
    expected: str
    seen: str
    verdict: Verdict
    """*fail*, or *inconclusive* where the clock does not carry a judgement."""
    source: str = ""
    advisory: bool = False


class CaseResult(msgspec.Struct):
    """The outcome of one run of one case (one variant, one reading), ready for every report."""

    id: str
    suite: str
    requirement: str
    source: str
    basis: str
    purpose: str
    verdict: Verdict
    reason: str
    clause: str | None = None
    advisory: bool = False
    reading: str | None = None
    variant: str | None = None
    measurements: list[Measurement] = []
    title: str = ""
    """The requirement's."""
    faults_fired: list[str] = []
    findings: list[Finding] = []
    """What the monitors saw meanwhile; it does not enter the verdict."""
    trace: str | None = None
    """Path of the candump log, relative to the output folder."""
    stream: str | None = None
    """Path of the saved observation stream, relative to the output folder."""
    duration_s: float = 0.0
    """Length of the session in the world's own time, in seconds."""
    decisive: Instant | None = None
    nodeid: str = ""
    repeat: str = ""
    """The one command line that runs exactly this again."""
    profile: str | None = None
    """Path of the load profile that shows the verdict, relative to the output folder."""
    replay: str = ""
    """The command line that replays that profile."""
    dut_output: str | None = None
    """Path of what the DUT printed, where the rig starts it, relative to the output folder."""
