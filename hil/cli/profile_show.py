"""What ``hil profile`` shows and keeps: tables, plots, traces, corpora."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from hil.conformance.catalogue import requirements
from hil.errors import HilError, UsageError
from hil.evidence.curves import Curves, Mark, Panel
from hil.evidence.plot import draw
from hil.profile.ac.generate import THEMES
from hil.profile.ac.invariants import INVARIANTS as AC_INVARIANTS
from hil.profile.ac.model import AcProfile
from hil.profile.families import families
from hil.profile.files import SUFFIX, write
from hil.profile.invariants import INVARIANTS
from hil.profile.kinds import AnyProfile, files_in, keep_profile, read_profile, requirement_of
from hil.profile.model import Found, LoadProfile
from hil.profile.plan import course
from hil.profile.reduce import P
from hil.pytest_plugin.table import console
from hil.tester.gbt27930 import VEHICLES
from hil.units import ms, s, seconds, show_instant

if TYPE_CHECKING:
    from hil.profile.search import Corpus

_STYLE = (
    "<style>.plot{font:11px sans-serif;background:#fff}.grid{stroke:#ddd;fill:none}.tick,.axis{fill:#555}"
    ".demand{stroke:#c60;fill:none;stroke-dasharray:4 2}.output{stroke:#06c;fill:none}.band{fill:#06c;opacity:.15}"
    ".limit{stroke:#b00;fill:none;stroke-dasharray:2 3}.mark{stroke:#888;fill:none}.decisive{stroke:#b00;fill:none}"
    "text{stroke:none!important;fill:#444}</style>"
)
_RAMP_STEP = ms(250)
_MOST_KEPT = 10


# --- one profile ------------------------------------------------------------------------------------


def profile_table(profile: AnyProfile) -> None:
    """Head and segments."""
    out = console()
    out.print(f"[bold]{escape(profile.name)}[/]  {escape(profile.note)}", soft_wrap=True)
    out.print(_head(profile), soft_wrap=True)
    if profile.found is not None:
        out.print(f"found: {escape(show_found(profile.found))}", soft_wrap=True)
    out.print(_ac_segments(profile) if isinstance(profile, AcProfile) else _segments(profile))


def _head(profile: AnyProfile) -> str:
    if isinstance(profile, AcProfile):
        return f"AC, limits over {profile.interface}, {seconds(profile.span):g} s from the authorisation"
    start = f"{profile.soc:g} %, {profile.temperature:g} °C"
    return f"vehicle {profile.vehicle}, {start}, {seconds(profile.span):g} s from the first CCS"


def _columns(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in names:
        table.add_column(column, justify="right" if column.endswith(("s", "A", "V")) and column != "events" else "left")
    return table


def _segments(profile: LoadProfile) -> Table:
    table = _columns("at, s", "for, s", "A", "V", "mode", "", "events")
    for event in profile.before:
        table.add_row("before", "", "", "", "", "", escape(_event(event)))
    for at, segment in zip(profile.starts(), profile.segments, strict=True):
        happens = "; ".join(_event(event) for event in segment.events)
        cells = (f"{seconds(at):g}", f"{segment.duration:g}", f"{segment.current:g}", f"{segment.voltage:g}")
        table.add_row(*cells, segment.mode, "ramp" if segment.ramp else "", escape(happens))
    return table


def _ac_segments(profile: AcProfile) -> Table:
    table = _columns("at, s", "for, s", "A", "events")
    for at, segment in zip(profile.starts(), profile.segments, strict=True):
        happens = "; ".join(_event(event) for event in segment.events)
        limit = "silent" if segment.limit is None else f"{segment.limit:g}"
        table.add_row(f"{seconds(at):g}", f"{segment.duration:g}", limit, escape(happens))
    return table


def show_found(found: Found) -> str:
    """What a profile was kept for, in one line."""
    parts = [found.requirement, found.what]
    if found.at is not None:
        parts.append(f"at {show_instant(found.at)}")
    if found.score is not None:
        parts.append(f"score {found.score:g}")
    if found.faults:
        parts.append(f"with {', '.join(found.faults)}")
    return ", ".join(part for part in parts if part)


def _event(event: object) -> str:
    import msgspec

    values = msgspec.to_builtins(event)
    name, at = values.pop("do"), values.pop("at_s")
    told = {key: value for key, value in values.items() if value not in (None, []) and (key, value) != ("for_s", 0.0)}
    detail = " ".join(f"{key}={value}" for key, value in told.items())
    return f"{name}{f' {detail}' if detail else ''} @{at:g}"


def draw_profile(profile: AnyProfile, path: Path) -> None:
    """What is demanded over time, with the vehicle's limits and the events."""
    curves = _ac_curves(profile) if isinstance(profile, AcProfile) else _curves(profile)
    write_plot(draw(curves), path)


def _curves(profile: LoadProfile) -> Curves:
    vehicle = VEHICLES[profile.vehicle]
    limits = (vehicle.max_current, vehicle.max_total_voltage)
    current = Panel("current", "A", limits=[("BCP", 0, limits[0])])
    voltage = Panel("voltage", "V", limits=[("BCP", 0, limits[1])])
    points = course(profile)
    for before, after in pairwise([*points, [float(profile.span), *points[-1][1:]]]):
        steps = max(round((after[0] - before[0]) / _RAMP_STEP), 1) if before[4] else 1
        for step in range(steps):
            share = step / steps
            t = round(before[0] + (after[0] - before[0]) * share)
            voltage.demand.append((t, before[1] + (after[1] - before[1]) * share))
            current.demand.append((t, before[2] + (after[2] - before[2]) * share))
    marks = [
        Mark(at + s(event.at), str(event.__struct_config__.tag), "stimulus")
        for at, segment in zip(profile.starts(), profile.segments, strict=True)
        for event in segment.events
    ]
    return Curves(current, voltage, marks, 0, profile.span, profile.span)


def _ac_curves(profile: AcProfile) -> Curves:
    """The limit; in silence the last one is drawn on, as nobody has taken it back."""
    pairs = list(zip(profile.starts(), profile.segments, strict=True))
    asked = [(at, segment.limit) for at, segment in pairs if segment.limit is not None]
    marks = [Mark(at, "silent", "stimulus") for at, segment in pairs if segment.limit is None]
    marks += [Mark(at + s(event.at), event.do, "stimulus") for at, segment in pairs for event in segment.events]
    return Curves(Panel("limit", "A", demand=asked), Panel("voltage", "V"), marks, 0, profile.span, profile.span)


def write_plot(svg: str, path: Path) -> None:
    """An SVG that stands alone, or a PNG of it; :class:`UsageError` for another suffix or a missing extra."""
    whole = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(">", f">{_STYLE}", 1)
    if path.suffix.lower() == ".svg":
        write(path, whole)
    elif path.suffix.lower() == ".png":
        try:
            cairosvg = import_module("cairosvg")
        except (ImportError, OSError) as error:
            raise UsageError(f"{path}: PNG needs the extra `plot` (pip install 'hil[plot]'): {error}") from error
        try:
            path.write_bytes(cairosvg.svg2png(bytestring=whole.encode(), scale=2, background_color="white"))
        except OSError as error:
            raise HilError(f"cannot write {path}: {error.strerror or error}") from error
    else:
        raise UsageError(f"{path}: allowed are .svg and .png")


# --- folders and lists ------------------------------------------------------------------------------


def profiles_in(folder: Path) -> list[tuple[Path, AnyProfile]]:
    """Every profile of a folder, the worst scores first."""
    found = [(path, read_profile(path)) for path in files_in(folder)]
    return sorted(found, key=lambda pair: -(pair[1].found.score or 0.0) if pair[1].found else 0.0)


def merge(folder: Path, goal: str, corpus: Corpus[P], kind: type[P]) -> list[tuple[Path, AnyProfile]]:
    """Add what a search found to a folder, and keep the worst ten of the goal."""
    old = [each for _, each in profiles_in(folder)] if folder.is_dir() else []
    mine: list[P] = [each for each in old if isinstance(each, kind) and each.name.startswith(f"{goal} ")]
    whole = corpus.joined(mine, _MOST_KEPT)
    for number, (_, kept) in enumerate(whole.worst, 1):
        keep_profile(kept, folder / f"{goal}-{number:02d}{SUFFIX}")
    found = profiles_in(folder) if folder.is_dir() else []
    return [pair for pair in found if pair[1].name.startswith(f"{goal} ")]


def corpus_table(folder: Path, profiles: Sequence[tuple[Path, AnyProfile]]) -> None:
    """Files, lengths and what they were kept for; of those kept for nothing their note."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("file", "vehicle", "s", "segments", "score", "found"):
        table.add_column(column)
    for path, profile in profiles:
        found = profile.found
        score = "" if found is None or found.score is None else f"{found.score:.3f}"
        told = profile.note if found is None else f"{found.requirement}, {found.what}"
        side = f"AC, {profile.interface}" if isinstance(profile, AcProfile) else profile.vehicle
        cells = (path.name, side, f"{seconds(profile.span):g}", str(len(profile.segments)), score, told)
        table.add_row(*map(escape, cells))
    out = console()
    out.print(table)
    out.print(f"{len(profiles)} in {folder}", soft_wrap=True)


def list_known() -> None:
    """Families, goals and invariants, of both kinds."""
    from hil.profile.search import AC_GOALS, GOALS

    out = console()
    _rows("named families (hil profile generate --family NAME DIR)", ((e.name, e.summary) for e in families().values()))
    _rows("goals (hil profile search --for GOAL DIR)", _goals(GOALS))
    _rows("goals for AC (hil profile search --bench ac --for GOAL DIR)", _goals(AC_GOALS))
    _rows("invariants (hil run --suite load_profiles --case CASE)", _invariants(INVARIANTS))
    _rows("invariants for AC (hil run --suite ac_charger --case CASE)", _invariants(AC_INVARIANTS))
    out.print(f"vehicles: {', '.join(VEHICLES)}", soft_wrap=True)
    out.print(f"themes for AC: {', '.join(THEMES)}", soft_wrap=True)


def _goals(goals: Mapping[str, tuple[str, ...]]) -> Iterable[tuple[str, str]]:
    return ((name, ", ".join(cases)) for name, cases in goals.items())


def _invariants(cases: Iterable[str]) -> Iterable[tuple[str, str]]:
    return ((case, requirements()[requirement_of(case)].title) for case in cases)


def _rows(title: str, rows: Iterable[tuple[str, str]]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False, title=title, title_justify="left", title_style="bold")
    for name, text in rows:
        table.add_row(escape(name), escape(text))
    console().print(table)


__all__ = [
    "corpus_table",
    "draw_profile",
    "list_known",
    "merge",
    "profile_table",
    "profiles_in",
    "write_plot",
]
