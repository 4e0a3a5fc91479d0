"""``hil profile``: generate, show, replay, shrink, search and list load profiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from hil.bench.ac_profiles import KINDS
from hil.bench.setup import Setup
from hil.bench.twin import Twin
from hil.cli import profile_replay as playing
from hil.cli import profile_show as shown
from hil.cli.coverage import tell_and_keep
from hil.cli.ending import ending
from hil.cli.errors import INTERNAL, NOT_PASSED, OK, telling
from hil.cli.interlocks import InterlocksChecked
from hil.cli.paths import out_path
from hil.cli.profile_ac import generate_ac
from hil.cli.profile_sides import ac_twin, dc_twin
from hil.conformance.catalogue import requirements
from hil.conformance.register import resolve
from hil.conformance.verdict import Verdict
from hil.errors import UsageError
from hil.evidence.folder import make_ready
from hil.profile.ac.model import AcProfile
from hil.profile.coverage import FOLDER, Coverage
from hil.profile.families import families, family
from hil.profile.files import SUFFIX
from hil.profile.kinds import AnyProfile, files_in, keep_profile, read_profile, requirement_of
from hil.profile.model import LoadProfile
from hil.profile.table import columns_of, import_table
from hil.pytest_plugin.options import DEFAULT_RIG, Options
from hil.pytest_plugin.plan import Run, RunPlan, make_plan
from hil.safety.envelope import Envelope
from hil.tester.gbt27930 import VEHICLES
from hil.transport.clock import monotonic
from hil.units import minutes

app = typer.Typer(
    help="Load profiles: what a vehicle demands and does over time, in files that any bench replays.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

_DC, _AC = "gbt27930", "ac"
_VEHICLE, _INTERFACE = "car-400v", "registers"
_EXIT = {Verdict.PASS: OK, Verdict.ERROR: INTERNAL}
_Rig = Annotated[str, typer.Option(metavar="FILE", help="Rig file, or the name of a shipped rig.")]
_Readings = Annotated[
    list[str] | None, typer.Option(metavar="NAME=CHOICE", help="Reading or preset; repeatable.", show_default=False)
]
_Faults = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Seeded fault of the reference charger; repeatable.", show_default=False),
]
_Files = Annotated[
    list[Path], typer.Argument(metavar="FILE|DIR...", help="Profiles, as JSON or CSV; of a folder every one.")
]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="A profile, as JSON or CSV.")]
_MaxPower = Annotated[
    float | None, typer.Option(metavar="W", help="The most power that may be demanded.", show_default="no limit")
]
_Bench = Annotated[str, typer.Option(metavar="KIND", help="gbt27930, or ac for limits of an AC charger.")]
_Interface = Annotated[
    str, typer.Option(metavar="NAME", help=f"Of AC profiles: {', '.join(KINDS)}. What limits are asked for over.")
]
_Vehicle = Annotated[str, typer.Option(metavar="NAME", help=f"One of {', '.join(VEHICLES)}.")]


def _plan(
    rig: str, reading: list[str] | None, fault: list[str] | None, out: Path | None = None, *, checked: bool = False
) -> RunPlan:
    options = Options(rig=rig, reading=tuple(reading or ()), fault=tuple(fault or ()), interlocks_checked=checked)
    return make_plan(options if out is None else dataclasses.replace(options, out=str(out)))


def _for_ac(bench: str, interface: str) -> bool:
    if bench not in (_DC, _AC):
        raise UsageError(f"--bench {bench}: allowed is {_DC} or {_AC}")
    if interface not in KINDS:
        raise UsageError(f"--interface {interface}: allowed is {', '.join(KINDS)}")
    if bench == _DC and interface != _INTERFACE:
        raise UsageError(f"--interface {interface}: it is for --bench {_AC}")
    return bench == _AC


def _refuse_given(given: Mapping[str, bool]) -> None:
    if unfit := [name for name, is_given in given.items() if is_given]:
        raise UsageError(f"{', '.join(unfit)}: AC profiles know no such thing")


@app.command()
@telling
def generate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write the files.")],
    count: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="How many.")] = 10,
    vehicle: _Vehicle = _VEHICLE,
    max_power: _MaxPower = None,
    max_current: Annotated[
        float | None, typer.Option(metavar="A", help="The most current demanded.", show_default="the vehicle's")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Equal seeds give equal profiles.")] = 0,
    named: Annotated[
        list[str] | None,
        typer.Option("--family", metavar="NAME", help="A named family instead; repeatable.", show_default=False),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Families at the length of the real thing.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV instead of JSON.")] = False,
    bench: _Bench = _DC,
    interface: _Interface = _INTERFACE,
    replayed: Annotated[
        bool,
        typer.Option("--coverage", help="Replay each on the virtual bench, to tell phases and transitions reached."),
    ] = False,
) -> None:
    """Write legal profiles: generated ones, or named families; tell and keep what they cover."""
    if _for_ac(bench, interface):
        _refuse_given(
            {
                "--vehicle": vehicle != _VEHICLE,
                "--max-power": max_power is not None,
                "--max-current": max_current is not None,
                "--family": bool(named),
                "--full": full,
                "--csv": as_csv,
                "--coverage": replayed,
            }
        )
        make_ready(folder, "")
        written = len(generate_ac(folder, count, seed, interface))
        typer.echo(f"{written} profile{'s' * (written != 1)} in {folder}")
        return
    envelope = _envelope(max_power, max_current)
    if named:
        names = list(families()) if named == ["all"] else named
        made = [family(name).profile(vehicle, envelope, full=full) for name in names]
    else:
        made = _generated(vehicle, envelope, count, seed)
    make_ready(folder, "")
    for number, profile in enumerate(made, 1):
        stem = profile.name if named else f"{vehicle}-{seed}-{number:04d}"
        keep_profile(profile, folder / f"{stem}{'.csv' if as_csv else SUFFIX}")
    typer.echo(f"{len(made)} profile{'s' * (len(made) != 1)} in {folder}")
    coverage = Coverage()
    twin = Twin(Setup(readings=resolve({}))) if replayed else None
    for profile in made:
        if twin is None:
            coverage.add(profile)
        else:
            twin.run(profile, coverage=coverage)
    tell_and_keep(coverage, folder / FOLDER / "generated.json")


def _envelope(max_power: float | None, max_current: float | None) -> Envelope:
    return Envelope(
        max_power=inf if max_power is None else max_power, max_current=inf if max_current is None else max_current
    )


def _generated(vehicle: str, envelope: Envelope, count: int, seed: int) -> list[LoadProfile]:
    from hil.profile.generate import examples  # Hypothesis takes longer to import than most commands to run
    from hil.profile.strategies import load_profiles

    found = examples(load_profiles(vehicle, envelope), count, seed)
    return [replace(each, name=f"generated {number}", seed=seed) for number, each in enumerate(found, 1)]


@app.command()
@telling
def replay(
    files: _Files,
    rig: _Rig = DEFAULT_RIG,
    reading: _Readings = None,
    fault: _Faults = None,
    max_voltage: Annotated[float | None, typer.Option(metavar="V", help="Refuse profiles beyond.")] = None,
    max_current: Annotated[float | None, typer.Option(metavar="A", help="Refuse profiles beyond.")] = None,
    max_power: Annotated[float | None, typer.Option(metavar="W", help="Refuse profiles beyond.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(parser=out_path, metavar="DIR", help="Folder for traces and plots.", show_default="no files"),
    ] = None,
    interlocks_checked: InterlocksChecked = False,
) -> None:
    """Replay written profiles, on a virtual rig or a live one, and judge them by every invariant.

    Exit code: 0 all pass (advisory findings aside), 1 one fails or is inconclusive, 3 an error on our side, after which
    nothing more is replayed; the highest wins. A profile given as a file is told invariant by invariant, those of a
    folder in one line each.

    All files are read and checked as a whole, against the rig's envelope too, before the first one is replayed.
    """
    plan = _plan(rig, reading, fault, out, checked=interlocks_checked)
    paths, brief = _expanded(files)
    profiles = [read_profile(path) for path in paths]
    limits = {"max_voltage": max_voltage, "max_current": max_current, "max_power": max_power}
    envelope = playing.envelope_of(plan.rig, {name: value for name, value in limits.items() if value is not None})
    playing.refuse_unfit(profiles, plan.rig, envelope)
    plan.refuse_unchecked()
    verdicts: list[Verdict] = []
    with ExitStack() as stack:
        stack.enter_context(ending())
        if plan.dut is not None:
            stack.callback(plan.dut.close)
        for path, profile, stem in zip(paths, profiles, playing.stems(paths), strict=True):
            if plan.rig.virtual:
                found = playing.replay_one(path, profile, plan, out, stem)
            else:
                found = playing.replay_live(path, profile, plan, stem, keep=out is not None)
            if path in brief:
                playing.tell_line(found)
            else:
                playing.tell(found)
            verdicts.append(found.verdict())
            if verdicts[-1] is Verdict.ERROR:
                break
    if brief:
        playing.tell_count(verdicts)
    raise typer.Exit(max(_EXIT.get(verdict, NOT_PASSED) for verdict in verdicts))


def _expanded(files: list[Path]) -> tuple[list[Path], set[Path]]:
    """Every file that is meant, and those of them that a folder was given for."""
    paths: list[Path] = []
    brief: set[Path] = set()
    for path in files:
        if not path.is_dir():
            paths.append(path)
            continue
        found = files_in(path)
        if not found:
            raise UsageError(f"no profile in the folder {path}")
        paths += found
        brief.update(found)
    return paths, brief


@app.command()
@telling
def shrink(
    file: _File,
    rig: _Rig = DEFAULT_RIG,
    reading: _Readings = None,
    fault: _Faults = None,
    case: Annotated[
        str | None, typer.Option(metavar="CASE", help="Keep this one failing.", show_default="the first that fails")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=out_path, metavar="FILE", help="Where to write.", show_default="beside it, as .smallest.json"
        ),
    ] = None,
) -> None:
    """Make a failing profile as small as it goes, on the virtual twin of a rig."""
    profile = read_profile(file)
    plan = _plan(rig, reading, fault)
    playing.refuse_live(plan.rig, "make it small")
    target = out or file.with_name(f"{file.stem}.smallest{SUFFIX}")
    smallest: AnyProfile
    if isinstance(profile, AcProfile):
        found, smallest = playing.shrunk(profile, ac_twin(plan, profile.interface), case)
    else:
        found, smallest = playing.shrunk(profile, dc_twin(plan), case)
    keep_profile(smallest, target)
    before, after = len(profile.segments), len(smallest.segments)
    typer.echo(f"{found}: {before} segment{'s' * (before != 1)} became {after}, in {target}")
    typer.echo(f"Replay with:  {plan.replay(Run(requirements()[requirement_of(found)]), target)}")


@app.command()
@telling
def search(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The corpus: the worst found are kept here.")],
    goal: Annotated[str, typer.Option("--for", metavar="GOAL", help="What to drive towards (`hil profile list`).")],
    minutes_: Annotated[float, typer.Option("--minutes", metavar="M", help="How long to search.")] = 1.0,
    rig: _Rig = DEFAULT_RIG,
    reading: _Readings = None,
    fault: _Faults = None,
    vehicle: _Vehicle = _VEHICLE,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of the generated profiles.")] = 0,
    bench: _Bench = _DC,
    interface: _Interface = _INTERFACE,
) -> None:
    """Drive generated profiles towards the worst case and keep the worst with their scores."""
    from hil.profile import search as searching
    from hil.profile.ac.strategies import ac_profiles
    from hil.profile.strategies import load_profiles

    is_ac = _for_ac(bench, interface)
    _refuse_given({"--vehicle": is_ac and vehicle != _VEHICLE})
    if minutes_ <= 0:
        raise UsageError(f"--minutes {minutes_:g}: allowed is more than 0")
    plan = _plan(rig, reading, fault)
    playing.refuse_live(plan.rig, "search")
    cases = searching.cases_of(goal, searching.AC_GOALS if is_ac else searching.GOALS)
    end = monotonic() + minutes(minutes_)

    def go_on() -> bool:
        return monotonic() < end

    if is_ac:
        ac, drawn = ac_twin(plan, interface), ac_profiles(interface)
        worst = searching.search(drawn, lambda each: ac.run(each, cases).measured, goal, seed, go_on)
        shown.corpus_table(folder, shown.merge(folder, goal, worst, AcProfile))
        return
    twin, coverage = dc_twin(plan, seed), Coverage()
    strategy = load_profiles(vehicle, twin.envelope, events=searching.events_of(goal))
    corpus = searching.search(strategy, lambda each: twin.run(each, cases, coverage).measured, goal, seed, go_on)
    shown.corpus_table(folder, shown.merge(folder, goal, corpus, LoadProfile))
    tell_and_keep(coverage, folder / FOLDER / f"search-{goal}.json")


@app.command()
@telling
def show(
    file: _File,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it, as .svg or .png.", show_default=False)
    ] = None,
) -> None:
    """Tell what a profile does, segment by segment, and draw it."""
    profile = read_profile(file)
    shown.profile_table(profile)
    if plot is not None:
        shown.draw_profile(profile, plot)
        typer.echo(f"plot: {plot}")


@app.command("list")
@telling
def list_(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Profiles to list, as a corpus.")] = None,
) -> None:
    """List named families, goals of a search, invariants; or the profiles of a folder."""
    if folder is None:
        shown.list_known()
    else:
        shown.corpus_table(folder, shown.profiles_in(folder))


@app.command("import")
@telling
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV of time, current, perhaps voltage and SOC.")],
    out: Annotated[Path, typer.Argument(metavar="PROFILE", help="Where to write the profile.")],
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=COLUMN",
            help="time, current, voltage, soc, and their scales such as current_scale=0.001; repeatable.",
            show_default=False,
        ),
    ] = None,
    ramp: Annotated[bool, typer.Option("--ramp", help="Straight lines between the rows.")] = False,
    vehicle: _Vehicle = _VEHICLE,
) -> None:
    """Make a profile of time-stamped demand data from elsewhere."""
    values: dict[str, str | float | bool] = {"ramp": ramp}
    for each in column or []:
        name, equals, text = each.partition("=")
        if not equals:
            raise UsageError(f"--column {each!r}: write NAME=COLUMN")
        values[name] = _scale(each, text) if name.endswith("_scale") else text
    if vehicle not in VEHICLES:
        raise UsageError(f"--vehicle {vehicle!r}; there are {', '.join(VEHICLES)}")
    voltage = VEHICLES[vehicle].max_total_voltage
    profile = import_table(file, columns_of(values), vehicle=vehicle, voltage=voltage)
    keep_profile(profile, out)
    typer.echo(f"{len(profile.segments)} segments in {out}")


def _scale(given: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--column {given!r}: {text!r} is no number") from None
