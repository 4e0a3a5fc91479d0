"""What ``hil profile replay`` and ``shrink`` do: carry profiles out on a bench, judge, tell, keep the evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import count
from math import inf
from pathlib import Path

from msgspec.structs import replace
from rich.markup import escape
from rich.table import Table

from hil.bench.bench import Bench, ignore
from hil.bench.judge import Inconclusive, Judge
from hil.bench.profiles import judged
from hil.bench.profiles import replay as carry_out
from hil.bench.twin import Twin
from hil.cli.profile_show import show_found, write_plot
from hil.conformance.catalogue import requirements
from hil.conformance.verdict import Measurement, Verdict, worst
from hil.errors import UsageError
from hil.evidence.curves import collect
from hil.evidence.explain import show_limits, show_value
from hil.evidence.plot import draw
from hil.evidence.trace import TraceWriter
from hil.profile.envelope import refuse_beyond
from hil.profile.events import needs_plant
from hil.profile.invariants import INVARIANTS
from hil.profile.model import Found, LoadProfile
from hil.protocol.gbt27930 import edition
from hil.pytest_plugin.plan import Run, RunPlan
from hil.pytest_plugin.run import CaseRun
from hil.pytest_plugin.table import console
from hil.rig import Rig
from hil.rig.applicability import lacks_role
from hil.safety.envelope import Envelope
from hil.tester.gbt27930 import VEHICLES
from hil.units import seconds, show_instant

_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.INCONCLUSIVE: "yellow", Verdict.NONE: "dim"}
_CASE = "LOADPROFILE/LP.20"
"""The requirement in whose name a live bench is opened."""


def envelope_of(rig: Rig, given: Mapping[str, float]) -> Envelope:
    """The limits of a rig, and those given where they are lower."""
    found = rig.envelope or Envelope()
    return Envelope(
        max_voltage=min(found.max_voltage, given.get("max_voltage", inf)),
        max_current=min(found.max_current, given.get("max_current", inf)),
        max_power=min(found.max_power, given.get("max_power", inf)),
        max_duration=found.max_duration,
        interlocks=found.interlocks,
    )


def refuse_unfit(profiles: Sequence[LoadProfile], rig: Rig, envelope: Envelope) -> None:
    """Raise :class:`UsageError` for the first of these that a rig must not or cannot be driven by."""
    if not rig.virtual and (lack := lacks_role("gbt27930", rig)):
        raise UsageError(lack)
    for profile in profiles:
        refuse_beyond(profile, envelope)
    if rig.virtual:
        return
    for profile in profiles:
        _refuse_vehicle(profile, rig, envelope)
    if rig.plant == "hardware":
        for profile in profiles:
            _refuse_without_model(profile, rig)


def _refuse_vehicle(profile: LoadProfile, rig: Rig, envelope: Envelope) -> None:
    """BHM and BCP of the profile's vehicle are set-points too: a charger tests the insulation at what BHM allows."""
    most = VEHICLES[profile.vehicle].max_total_voltage
    if most > envelope.max_voltage:
        raise UsageError(
            f"profile {profile.name!r} leaves the envelope before charging: BHM and BCP of vehicle {profile.vehicle} "
            f"allow {most:g} V, allowed is {envelope.max_voltage:g} V"
        )
    if rig.plant == "hardware" and profile.vehicle != rig.bench.vehicle:
        raise UsageError(
            f"profile {profile.name!r} is made for vehicle {profile.vehicle}, and the battery of rig {rig.name} is "
            f"that of {rig.bench.vehicle} ([bench] vehicle)"
        )


def _refuse_without_model(profile: LoadProfile, rig: Rig) -> None:
    placed = [(f"before[{number}]", event) for number, event in enumerate(profile.before)]
    for number, segment in enumerate(profile.segments):
        placed += [(f"segments[{number}].events[{index}]", event) for index, event in enumerate(segment.events)]
    for place, event in placed:
        if needs_plant(event):
            raise UsageError(
                f"profile {profile.name!r}, {place}: {event.__struct_config__.tag} is done to the bench's model of the "
                f"plant, and rig {rig.name} has real ones"
            )


def refuse_live(rig: Rig, what: str) -> None:
    """Raise :class:`UsageError` where a rig is no virtual one: there nothing is generated or made small."""
    if not rig.virtual:
        raise UsageError(
            f"rig {rig.name} has a real charger: it only replays profiles that were written before "
            f"(hil profile replay --rig {rig.path.as_posix()}); {what} on its virtual twin, without --rig"
        )


def stems(files: Sequence[Path]) -> list[str]:
    """Names of the evidence of each file: the file's own, numbered where another one of that name came before."""
    found: list[str] = []
    for path in files:
        numbered = (path.stem if number == 1 else f"{path.stem}-{number}" for number in count(1))
        found.append(next(stem for stem in numbered if stem not in found))
    return found


def _as_profiled(plan: RunPlan, profile: LoadProfile) -> RunPlan:
    """The plan of a rig whose vehicle stands at the start as the profile has it, as on the virtual bench."""
    settings = dataclasses.replace(
        plan.rig.bench, vehicle=profile.vehicle, soc=profile.soc, temperature=profile.temperature
    )
    return dataclasses.replace(plan, rig=dataclasses.replace(plan.rig, bench=settings))


def replay_live(path: Path, profile: LoadProfile, plan: RunPlan, stem: str, *, keep: bool) -> bool:
    """Replay a profile on a rig in real time, judge and tell; True where an invariant fails.

    The bench is opened as for a case, so that its evidence lies in ``traces``.
    """
    console().print(f"{path}: {seconds(profile.span):g} s from the first CCS, in real time", soft_wrap=True)
    run = CaseRun(Run(requirements()[_CASE], variant=stem), _as_profiled(plan, profile), traced=keep)
    bench = run.bench
    assert isinstance(bench, Bench), "the requirement is about a charger on CAN"
    error: BaseException | None = None
    measured: dict[str, list[Measurement]] = {}
    try:
        carry_out(bench, profile)
        measured = judged(bench)
    except BaseException as raised:
        error = raised
        if not isinstance(raised, Inconclusive):
            raise
    finally:
        result = run.conclude(error)
    trouble = bench.trouble() or ("" if error is None else str(error))
    failing = _tell(path, profile, measured, trouble)
    if keep:
        decisive = None if failing is None else failing.at
        curves = collect(bench.record.observations, run.messages, decisive, electrical=True)
        if curves is not None:
            write_plot(draw(curves), plan.out / f"{stem}.svg")
        console().print(f"  evidence: {plan.out / str(result.trace)}", soft_wrap=True)
    return failing is not None or bool(trouble)


def replay_one(path: Path, profile: LoadProfile, twin: Twin, out: Path | None, stem: str) -> bool:
    """Replay, judge, tell, and keep the evidence where a folder is given; True where an invariant fails."""
    messages = edition(twin.base.edition)
    writer = None if out is None else TraceWriter(out, stem)
    sink = ignore if writer is None else writer.write
    bench = Bench(twin.world(profile), messages, Judge(), twin.base.readings, sink)
    problem = ""
    try:
        try:
            carry_out(bench, profile)
        except Inconclusive as error:
            problem = str(error)
        measured = judged(bench)
        bench.close()
    finally:
        if writer is not None:
            writer.close()
    failing = _tell(path, profile, measured, problem)
    if out is not None:
        decisive = None if failing is None else failing.at
        curves = collect(bench.record.observations, messages, decisive, electrical=True)
        if curves is not None:
            write_plot(draw(curves), out / f"{stem}.svg")
        console().print(f"  evidence: {out / stem}.log, .jsonl, .svg", soft_wrap=True)
    return failing is not None or bool(problem)


def _tell(path: Path, profile: LoadProfile, measured: dict[str, list[Measurement]], problem: str) -> Measurement | None:
    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("case", "verdict", "measured", "allowed", "at"):
        table.add_column(column)
    first: Measurement | None = None
    for case, values in measured.items():
        verdict = worst(each.verdict for each in values)
        advisory = requirements()[INVARIANTS[case].requirement].advisory
        shown = next((each for each in values if each.verdict is verdict), None)
        if shown is None:
            continue
        if verdict is Verdict.FAIL and not advisory and first is None:
            first = shown
        word = f"[{_STYLES.get(verdict, '')}]{verdict.value}[/]{' (advisory)' if advisory else ''}"
        value = f"{shown.name}: {show_value(shown.value)} {shown.unit}".strip()
        at = "" if shown.at is None else show_instant(shown.at)
        table.add_row(case, word, escape(value), escape(show_limits(shown)), at)
    out.print(f"[bold]{escape(str(path))}[/]  {escape(profile.name)}", soft_wrap=True)
    out.print(table)
    if problem:
        out.print(f"  [yellow]{escape(problem)}[/]", soft_wrap=True)
    _compare(profile, measured)
    return first


def _compare(profile: LoadProfile, measured: dict[str, list[Measurement]]) -> None:
    """Whether what the profile was kept for came again, at the same instant."""
    found = profile.found
    if found is None or found.at is None:
        return
    case = found.requirement.rpartition("/")[2]
    again = [each for each in measured.get(case, ()) if each.name == found.what]
    out = console()
    if any(each.verdict is Verdict.FAIL and each.at == found.at for each in again):
        out.print(f"  [bold]reproduced[/]: {escape(show_found(found))}", soft_wrap=True)
    elif any(each.verdict is Verdict.FAIL for each in again):
        out.print(f"  fails again, at another instant than {show_instant(found.at)}", soft_wrap=True)
    else:
        out.print(f"  not reproduced: {escape(show_found(found))}", soft_wrap=True)


def shrunk(profile: LoadProfile, twin: Twin, case: str | None) -> tuple[str, LoadProfile]:
    """The case kept failing, and the smallest profile; :class:`UsageError` where the profile fails nothing."""
    if case is not None and case not in INVARIANTS:
        raise UsageError(f"no case {case!r}; there are {', '.join(INVARIANTS)}")
    outcome = twin.run(profile)
    failing = [each for each in ([case] if case else INVARIANTS) if outcome.verdict(each) is Verdict.FAIL]
    if not failing:
        asked = case or "any invariant"
        raise UsageError(f"the profile does not fail {asked} on this rig: there is nothing to shrink")
    smallest = twin.smallest(profile, failing[0])
    again = twin.run(smallest, (failing[0],)).failing(failing[0])
    assert again is not None, "what was reduced still fails"
    requirement = INVARIANTS[failing[0]].requirement
    found = Found(requirement=requirement, what=again.name, at=again.at, faults=twin.base.faults)
    return failing[0], replace(smallest, name=f"{profile.name}, smallest", found=found)
