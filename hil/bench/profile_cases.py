"""What a case about load profiles does: judge a pool of them, and show the smallest one that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hil.bench.bench import Bench
from hil.bench.judge import Inconclusive
from hil.bench.profiles import judged, replay
from hil.bench.twin import Pool, Twin
from hil.conformance.catalogue import requirements
from hil.conformance.verdict import Measurement, Verdict
from hil.errors import UsageError
from hil.profile.families import family
from hil.profile.invariants import INVARIANTS
from hil.profile.model import Found, LoadProfile

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

THEMES = ("named", "mixed", "holding", "sweeping", "hurried", "pausing", "stormy", "upset", "illegal")
"""Kinds of profiles: some named families, and generated ones. All cases that judge one share what came of it."""
_NAMED = (
    *("steps", "ramps", "quick-steps", "quick-stops", "swap-bay", "disturbed-pauses", "reconnect-storm"),
    "beyond-limits",
)
"""Families that show the most in the shortest time."""
_COUNTS = {
    "mixed": 24,
    "holding": 20,
    "sweeping": 4,
    "hurried": 10,
    "pausing": 32,
    "stormy": 14,
    "upset": 16,
    "illegal": 32,
}


def judge_generated(bench: Bench, case: str, *themes: str) -> None:
    """Judge one requirement over generated profiles of these themes (all), each in a fresh world.

    The bench then shows the smallest profile that fails, or the one that came nearest to a limit: among those that the
    instruments leave open, where there are any.
    Inconclusive where no profile gave the requirement anything to judge.
    """
    twin = _twin(bench)
    pools = [twin.pool(theme, partial(generated, twin, theme)) for theme in themes or THEMES]
    failing = next((outcome for pool in pools for outcome in pool.failing(case)), None)
    if failing is None:
        _show_nearest(bench, pools, case)
        return
    profile = twin.smallest(failing.profile, case)
    show(bench, profile, (case,))
    _keep(bench, profile, case)


def judge_family(bench: Bench, name: str) -> None:
    """Replay one named family on this bench and judge it by every invariant that binds."""
    cases = tuple(case for case, each in INVARIANTS.items() if not requirements()[each.requirement].advisory)
    twin = _twin(bench)
    profile = family(name).profile(twin.base.vehicle, twin.envelope)
    measured = show(bench, profile, cases)
    failing = next((case for case in cases if any(each.verdict is Verdict.FAIL for each in measured[case])), None)
    if failing is not None:
        bench.profile = replace(profile, found=_found(bench, failing))


def generated(twin: Twin, theme: str) -> list[LoadProfile]:
    """Profiles of a theme: the same for the same seed."""
    from hil.profile import strategies
    from hil.profile.generate import examples

    vehicle, envelope = twin.base.vehicle, twin.envelope
    if theme == "named":
        return [family(name).profile(vehicle, envelope) for name in _NAMED]
    made: Mapping[str, Callable[[], SearchStrategy[LoadProfile]]] = {
        "mixed": partial(strategies.load_profiles, vehicle, envelope),
        "holding": partial(strategies.holding_profiles, vehicle, envelope),
        "sweeping": partial(strategies.sweeping_profiles, vehicle, envelope),
        "hurried": partial(strategies.hurried_profiles, vehicle, envelope),
        "pausing": partial(strategies.pausing_profiles, vehicle, envelope),
        "stormy": partial(strategies.stormy_profiles, vehicle, envelope),
        "upset": partial(
            strategies.load_profiles, vehicle, envelope, duration=(0.1, 30.0), events=tuple(strategies.EVENTS)
        ),
        "illegal": partial(strategies.illegal_profiles, vehicle, duration=(0.1, 30.0)),
    }
    return examples(made[theme](), _COUNTS[theme], twin.seed)


def show(bench: Bench, profile: LoadProfile, cases: tuple[str, ...]) -> dict[str, list[Measurement]]:
    """Replay a profile on a bench that nothing has happened on, and judge it by these cases."""
    bench.adopt(_twin(bench).world(profile))
    replay(bench, profile)
    measured = judged(bench, cases)
    for case in cases:
        bench.judge.extend(measured[case])
    return measured


def _show_nearest(bench: Bench, pools: list[Pool], case: str) -> None:
    judging = [outcome for pool in pools for outcome in pool.judging(case)]
    if not judging:
        count = sum(len(pool.outcomes) for pool in pools)
        raise Inconclusive(f"none of {count} profiles gave {case} anything to judge")
    undecided = [outcome for outcome in judging if outcome.verdict(case) is Verdict.INCONCLUSIVE]
    nearest = min(undecided or judging, key=lambda each: (round(margin(each.measured[case]), 1), each.profile.span))
    show(bench, nearest.profile, (case,))
    bench.report("profiles that gave something to judge", float(len(judging)))
    if undecided:
        bench.report("of these, left open by the instruments", float(len(undecided)))


def _keep(bench: Bench, profile: LoadProfile, case: str) -> None:
    """Hand the failing profile to whoever keeps the evidence."""
    note = f"The smallest profile found that fails {case}."
    bench.profile = replace(profile, name=f"{case}, smallest", note=note, found=_found(bench, case))


def _found(bench: Bench, case: str) -> Found:
    decisive = bench.judge.decisive
    return Found(
        requirement=INVARIANTS[case].requirement,
        what="" if decisive is None else decisive.name,
        at=None if decisive is None else decisive.at,
        faults=_twin(bench).base.faults,
    )


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


__all__ = ["THEMES", "generated", "judge_family", "judge_generated", "margin", "show"]
