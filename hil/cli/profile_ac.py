"""``hil profile`` for AC charging points: generate and replay profiles of limits over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace
from rich.markup import escape
from rich.table import Table

from hil.bench.ac_profiles import KINDS, AcTwin
from hil.bench.opening import kind_of
from hil.bench.setup import Setup
from hil.conformance.verdict import Measurement, Verdict, worst
from hil.errors import UsageError
from hil.evidence.explain import show_limits, show_value
from hil.profile.ac.files import load, save
from hil.profile.ac.generate import THEMES, generated
from hil.profile.ac.model import AcProfile
from hil.profile.files import SUFFIX
from hil.pytest_plugin.plan import RunPlan
from hil.pytest_plugin.table import console

_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "yellow", Verdict.NONE: "dim"}


def generate_ac(folder: Path, count: int, seed: int) -> list[Path]:
    """Write so many AC profiles, of each theme in turn; returns their files."""
    share = -(-count // len(THEMES))
    made = {theme: generated(theme, share, seed) for theme in THEMES}
    order = [(theme, number) for number in range(share) for theme in THEMES][:count]
    paths = []
    for index, (theme, number) in enumerate(order, 1):
        path = folder / f"ac-{seed}-{index:04d}{SUFFIX}"
        save(replace(made[theme][number], name=f"generated {index}", note=f"theme {theme}", seed=seed), path)
        paths.append(path)
    return paths


def read_ac(files: Sequence[Path], plan: RunPlan, given: Sequence[str]) -> list[tuple[Path, AcProfile]]:
    """AC profiles with their files; :class:`UsageError` for a live rig, and for options that they do not obey."""
    if files and given:
        raise UsageError(f"{', '.join(given)}: {files[0]} is an AC profile, for which there is no such thing")
    profiles = [(path, load(path)) for path in files]
    if profiles and not plan.rig.virtual:
        raise UsageError(f"rig {plan.rig.name} is live: AC profiles are replayed on virtual rigs")
    return profiles


def replay_ac(profiles: Sequence[tuple[Path, AcProfile]], plan: RunPlan) -> list[bool]:
    """Replay AC profiles on a virtual rig, judge them by every invariant and tell; for each whether one fails."""
    return [_replay_one(path, profile, plan) for path, profile in profiles]


def _replay_one(path: Path, profile: AcProfile, plan: RunPlan) -> bool:
    kind = kind_of(KINDS[profile.interface])
    setup = Setup(
        readings=dict(plan.readings),
        validity=plan.rig.bench.validity,
        safe_current=plan.rig.bench.safe_current,
        map=plan.rig.dut.map,
        faults=tuple(each.name for each in plan.faults),
    )
    twin = AcTwin(setup, lambda given: kind.build(given, {}), kind=KINDS[profile.interface])
    outcome = twin.run(profile)
    out = console()
    out.print(escape(f"{path}: {profile.name}, {len(profile.segments)} segments over {profile.interface}"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("case", "verdict", "measured", "limits"):
        table.add_column(column, overflow="fold")
    for case, measured in outcome.measured.items():
        table.add_row(case, *_row(measured))
    out.print(table)
    return any(outcome.verdict(case) is Verdict.FAIL for case in outcome.measured)


def _row(measured: list[Measurement]) -> tuple[str, str, str]:
    verdict = worst(each.verdict for each in measured)
    shown = next((each for each in measured if each.verdict is verdict), None)
    label = f"[{_STYLES[verdict]}]{verdict.value}[/]"
    if shown is None:
        return label, "gave nothing to judge", ""
    value = f"{shown.name}: {show_value(shown.value)} {shown.unit}".rstrip()
    return label, escape(value), escape(show_limits(shown))
