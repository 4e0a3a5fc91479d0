"""What a case about load profiles does: judge a pool of them, and show the smallest one that fails."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from hil.bench.bench import Bench
from hil.bench.judge import Inconclusive
from hil.bench.profiles import judged, replay
from hil.bench.twin import Pool, Twin
from hil.conformance.verdict import Measurement
from hil.errors import UsageError
from hil.profile.invariants import INVARIANTS
from hil.profile.model import Found, LoadProfile

_LEGAL, _UPSET, _ILLEGAL = 40, 30, 8
"""Profiles of each kind in the pool of a run."""


def judge_generated(bench: Bench, case: str) -> None:
    """Judge one requirement over generated profiles, each in a fresh world.

    The bench then shows the smallest profile that fails, or the one that came nearest to a limit.
    Inconclusive where no profile gave the requirement anything to judge.
    """
    twin = _twin(bench)
    pool = twin.pool("generated", lambda: generated(twin))
    failing = next(pool.failing(case), None)
    if failing is None:
        _show_nearest(bench, pool, case)
        return
    profile = twin.smallest(failing.profile, case)
    show(bench, profile, (case,))
    _keep(bench, profile, case)


def generated(twin: Twin) -> list[LoadProfile]:
    """Legal profiles, profiles in which things go wrong, and illegal demands: the same for the same seed."""
    from hil.profile import strategies
    from hil.profile.generate import examples

    vehicle = twin.base.vehicle
    kinds = (
        (strategies.load_profiles(vehicle), _LEGAL),
        (strategies.load_profiles(vehicle, duration=(0.1, 30.0), events=tuple(strategies.EVENTS)), _UPSET),
        (strategies.illegal_profiles(vehicle, duration=(0.1, 30.0)), _ILLEGAL),
    )
    return [profile for strategy, count in kinds for profile in examples(strategy, count, twin.seed)]


def show(bench: Bench, profile: LoadProfile, cases: tuple[str, ...]) -> dict[str, list[Measurement]]:
    """Replay a profile on a bench that nothing has happened on, and judge it by these cases."""
    bench.adopt(_twin(bench).world(profile))
    replay(bench, profile)
    measured = judged(bench, cases)
    for case in cases:
        bench.judge.extend(measured[case])
    return measured


def _show_nearest(bench: Bench, pool: Pool, case: str) -> None:
    judging = pool.judging(case)
    if not judging:
        raise Inconclusive(f"none of {len(pool.outcomes)} profiles gave {case} anything to judge")
    nearest = min(judging, key=lambda outcome: margin(outcome.measured[case]))
    show(bench, nearest.profile, (case,))
    bench.report("profiles that gave something to judge", float(len(judging)))


def _keep(bench: Bench, profile: LoadProfile, case: str) -> None:
    """Hand the failing profile to whoever keeps the evidence."""
    decisive = bench.judge.decisive
    found = Found(
        requirement=INVARIANTS[case].requirement,
        what="" if decisive is None else decisive.name,
        at=None if decisive is None else decisive.at,
        faults=_twin(bench).base.faults,
    )
    note = f"The smallest profile found that fails {case}."
    bench.profile = replace(profile, name=f"{case}, smallest", note=note, found=found)


def _twin(bench: Bench) -> Twin:
    if bench.twin is None:
        raise UsageError("this bench has no virtual twin: profiles are generated on virtual ones only")
    return bench.twin


def margin(measured: Iterable[Measurement]) -> float:
    """How near the nearest of these came to a limit, relative to the limit; negative beyond it."""
    margins = [1.0]
    for each in measured:
        if isinstance(each.value, float):
            if each.high is not None:
                margins.append((each.high - each.value) / max(abs(each.high), 1e-9))
            if each.low is not None:
                margins.append((each.value - each.low) / max(abs(each.low), 1e-9))
    return min(margins)


__all__ = ["generated", "judge_generated", "margin", "show"]
