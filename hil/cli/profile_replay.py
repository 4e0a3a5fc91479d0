"""What ``hil profile replay`` and ``shrink`` do: carry profiles out on a bench, judge, tell, keep the evidence."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import count
from math import inf
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from rich.markup import escape
from rich.table import Table

from hil.bench.ac_profiles import KINDS
from hil.bench.core import Core, ignore
from hil.bench.guard import ended_by, spoilt_by
from hil.bench.judge import Inconclusive
from hil.cli.profile_show import show_found, write_plot
from hil.cli.profile_sides import (
    ProfileTwin,
    anchor_of,
    as_profiled,
    judge_played,
    open_virtual,
    opened_as,
    play,
)
from hil.conformance.catalogue import requirements
from hil.conformance.verdict import Measurement, Verdict, worst
from hil.errors import UsageError, WorldError
from hil.evidence.curves import collect
from hil.evidence.explain import show_limits, show_measured_value
from hil.evidence.plot import draw
from hil.evidence.trace import TraceWriter
from hil.profile.ac.envelope import refuse_ac_beyond
from hil.profile.ac.model import AcProfile
from hil.profile.envelope import refuse_beyond
from hil.profile.events import needs_plant
from hil.profile.kinds import AnyProfile, invariants_of, requirement_of
from hil.profile.model import Found, LoadProfile
from hil.profile.reduce import P
from hil.protocol.gbt27930 import MessageSet, edition
from hil.pytest_plugin.plan import Run, RunPlan
from hil.pytest_plugin.run import CaseRun
from hil.pytest_plugin.table import console
from hil.rig import Rig
from hil.rig.applicability import lacks_role
from hil.rig.rig import USUAL_RATED
from hil.safety.envelope import Envelope
from hil.tester.gbt27930 import VEHICLES
from hil.units import seconds, show_instant

_STYLES = {
    Verdict.PASS: "green",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold magenta",
}
_WIDEST = max(len(each.value) for each in _STYLES)


def envelope_of(rig: Rig, given: Mapping[str, float]) -> Envelope:
    """The limits of a rig, and those given where they are lower."""
    found = rig.envelope or Envelope()
    return dataclasses.replace(
        found,
        max_voltage=min(found.max_voltage, given.get("max_voltage", inf)),
        max_current=min(found.max_current, given.get("max_current", inf)),
        max_power=min(found.max_power, given.get("max_power", inf)),
    )


def refuse_unfit(profiles: Sequence[AnyProfile], rig: Rig, envelope: Envelope) -> None:
    """Raise :class:`UsageError` for the first of these that a rig must not or cannot be driven by."""
    if not rig.virtual:
        for profile in profiles:
            _refuse_without_ports(profile, rig)
    for profile in profiles:
        if isinstance(profile, AcProfile):
            rated = USUAL_RATED if rig.rated_current is None else rig.rated_current
            refuse_ac_beyond(profile, envelope, safe=rig.bench.safe_current, rated=rated)
        else:
            refuse_beyond(profile, envelope)
    for profile in profiles if not rig.virtual else ():
        if isinstance(profile, LoadProfile):
            _refuse_vehicle(profile, rig, envelope)
            if rig.plant == "hardware":
                _refuse_without_model(profile, rig)


def _refuse_without_ports(profile: AnyProfile, rig: Rig) -> None:
    if isinstance(profile, LoadProfile):
        lack = lacks_role("gbt27930", rig)
    else:
        # The vehicle is plugged in, and what the pilot tells is judged, at the bench's plant, whatever tells the limit.
        lack = lacks_role(KINDS[profile.interface], rig) or lacks_role("ac", rig)
        if lack is None and rig.plant == "hardware":
            lack = f"its vehicle is the bench's model, and rig {rig.name} has a real plant ([plant] source)"
    if lack is not None:
        raise UsageError(f"profile {profile.name!r}: {lack}")


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


@dataclasses.dataclass(frozen=True)
class Replayed:
    """What came of one profile."""

    path: Path
    profile: AnyProfile
    measured: Mapping[str, Sequence[Measurement]]
    problem: str = ""
    """What else there is to be said: why it was not judged as it should have been, or how the DUT ended."""
    trouble: Verdict = Verdict.INCONCLUSIVE
    """The problem's verdict, where there is one."""
    evidence: str = ""
    """Where it lies, if it was kept."""
    counted: tuple[str, ...] = ()
    """Bases whose requirements count although they are advisory elsewhere."""

    def advisory(self, case: str) -> bool:
        """Whether a case is told, and counts for nothing."""
        requirement = requirements()[requirement_of(case)]
        return requirement.advisory and requirement.basis not in self.counted

    def counting(self) -> list[Measurement]:
        """What counts of that which was measured."""
        return [each for case, values in self.measured.items() if not self.advisory(case) for each in values]

    def verdict(self) -> Verdict:
        """The worst that counts; *inconclusive* where nothing was judged."""
        found = worst([*(each.verdict for each in self.counting()), *([self.trouble] if self.problem else [])])
        return Verdict.INCONCLUSIVE if found is Verdict.NONE else found

    def decisive(self) -> tuple[str, Measurement] | None:
        """Case and value of the first that counts and is no pass; the worst of them."""
        for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            for case, values in self.measured.items():
                shown = next((each for each in values if each.verdict is verdict), None)
                if shown is not None and not self.advisory(case):
                    return case, shown
        return None


def replay_live(path: Path, profile: AnyProfile, plan: RunPlan, stem: str, *, keep: bool) -> Replayed:
    """Replay on the rig's ports, in real time; and keep the evidence where asked to.

    The bench is opened as for a case, so that its evidence lies in ``traces``.
    """
    console().print(f"{path}: {seconds(profile.span):g} s from {anchor_of(profile)}, in real time", soft_wrap=True)
    run = CaseRun(Run(opened_as(profile), variant=stem), as_profiled(plan, profile), traced=keep)
    bench: Core[Any] = run.bench
    found = Replayed(path, profile, {}, counted=plan.rig.opt_in)
    error: BaseException | None = None
    try:
        play(bench, profile)
        found = dataclasses.replace(found, measured=judge_played(bench))
        bench.judge.extend(found.counting())
    except BaseException as raised:
        error = raised
        if not isinstance(raised, Inconclusive | WorldError):
            raise
    finally:
        result = run.conclude(error)
    if result.verdict is not found.verdict() or error is not None:  # not of what was measured
        found = dataclasses.replace(found, problem=result.reason, trouble=result.verdict)
    if keep:
        drawn = _draw(bench, run.messages, found, plan.out / stem)
        found = dataclasses.replace(found, evidence=", ".join([str(plan.out / str(result.trace)), ".jsonl", *drawn]))
    return found


def replay_one(path: Path, profile: AnyProfile, plan: RunPlan, out: Path | None, stem: str) -> Replayed:
    """Replay on a virtual bench, judge, and keep the evidence where a folder is given."""
    writer = None if out is None else TraceWriter(out, stem)
    problem = ""
    try:
        bench: Core[Any] = open_virtual(profile, plan, ignore if writer is None else writer.write)
        try:
            play(bench, profile)
        except Inconclusive as error:
            problem = str(error)
        except WorldError:
            if not ended_by(bench.record.notes):
                raise
        spoilt = spoilt_by(bench.record.notes)
        measured = {} if spoilt else judge_played(bench)
        bench.close()
    finally:
        if writer is not None:
            writer.close()
    trouble = Verdict.ERROR if ended_by(bench.record.notes) else Verdict.INCONCLUSIVE
    found = Replayed(path, profile, measured, spoilt or problem, trouble, counted=plan.rig.opt_in)
    if out is not None:
        drawn = _draw(bench, edition(plan.edition), found, out / stem)
        found = dataclasses.replace(found, evidence=", ".join([f"{out / stem}.log", ".jsonl", *drawn]))
    return found


def _draw(bench: Core[Any], messages: MessageSet, found: Replayed, beside: Path) -> list[str]:
    """Put the plot there, and give what was added to the evidence: nothing where nothing flowed."""
    decisive = found.decisive()
    at = None if decisive is None else decisive[1].at
    curves = collect(bench.record.observations, messages, at, electrical=True)
    if curves is None:
        return []
    plot = beside.with_name(f"{beside.name}.svg")
    write_plot(draw(curves), plot)
    return [str(plot)]


def tell(found: Replayed) -> None:
    """What came of a profile, case by case."""
    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("case", "verdict", "measured", "allowed", "at"):
        table.add_column(column)
    for case, values in found.measured.items():
        verdict = worst(each.verdict for each in values)
        shown = next((each for each in values if each.verdict is verdict), None)
        if shown is None:
            continue
        word = f"[{_STYLES.get(verdict, '')}]{verdict.value}[/]{' (advisory)' if found.advisory(case) else ''}"
        at = "" if shown.at is None else show_instant(shown.at)
        table.add_row(case, word, escape(_value(shown)), escape(show_limits(shown)), at)
    out.print(f"[bold]{escape(str(found.path))}[/]  {escape(found.profile.name)}", soft_wrap=True)
    out.print(table)
    if found.problem:
        out.print(f"  [yellow]{escape(found.problem)}[/]", soft_wrap=True)
    _compare(found.profile, found.measured)
    if found.evidence:
        out.print(f"  evidence: {escape(found.evidence)}", soft_wrap=True)


def _value(shown: Measurement) -> str:
    return f"{shown.name}: {show_measured_value(shown)}"


def tell_line(found: Replayed) -> None:
    """What came of a profile, in one line."""
    verdict, decisive = found.verdict(), found.decisive()
    told = found.problem or found.profile.name
    if decisive is not None and not found.problem:
        case, shown = decisive
        told = f"{case}: {_value(shown)}, allowed is {show_limits(shown)}"
        told += "" if shown.at is None else f", at {show_instant(shown.at)}"
    word = f"[{_STYLES.get(verdict, '')}]{verdict.value:<{_WIDEST}}[/]"
    console().print(f"{word}  {escape(str(found.path))}  {escape(told)}", soft_wrap=True)


def tell_count(verdicts: Sequence[Verdict]) -> None:
    """How many profiles came to which verdict, the worst last."""
    counts = {each: verdicts.count(each) for each in _STYLES if each in verdicts}
    told = ", ".join(f"{number} {verdict.value}" for verdict, number in counts.items())
    console().print(f"{len(verdicts)} profile{'s' * (len(verdicts) != 1)}: {told}", style="bold")


def _compare(profile: AnyProfile, measured: Mapping[str, Sequence[Measurement]]) -> None:
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


def shrunk(profile: P, twin: ProfileTwin[P], case: str | None) -> tuple[str, P]:
    """The case kept failing, and the smallest profile; :class:`UsageError` where the profile fails nothing."""
    known = invariants_of(profile)
    if case is not None and case not in known:
        raise UsageError(f"no case {case!r}; there are {', '.join(known)}")
    try:
        outcome = twin.run(profile)
    except Inconclusive as error:
        raise UsageError(f"the profile cannot be replayed on this rig: {error}") from error
    failing = [each for each in ([case] if case else known) if outcome.verdict(each) is Verdict.FAIL]
    if not failing:
        asked, why = case or "any invariant", f" ({outcome.problem})" if outcome.problem else ""
        raise UsageError(f"the profile does not fail {asked} on this rig{why}: there is nothing to shrink")
    smallest = twin.smallest(profile, failing[0])
    again = twin.run(smallest, (failing[0],)).failing(failing[0])
    assert again is not None, "what was reduced still fails"
    found = Found(requirement=requirement_of(failing[0]), what=again.name, at=again.at, faults=twin.base.faults)
    return failing[0], replace(smallest, name=f"{profile.name}, smallest", found=found)
