"""``hil check``: a recorded log, judged by the passive monitors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.check import check_log
from hil.check.show import show, write
from hil.cli.errors import telling
from hil.cli.paths import out_path
from hil.conformance.register import PRESETS
from hil.errors import UsageError
from hil.evidence.folder import make_ready
from hil.pytest_plugin.info import tool_version
from hil.pytest_plugin.table import console
from hil.units import s

EXAMPLES = """
[bold]Examples[/]

  hil check session.log                         a candump log

  hil check session.blf --reading field         by field-tolerant readings

  hil check table.csv --mapping columns.toml    a CSV with columns of its own

  hil check session.asc --out report            check.html and check.json too

[bold]Exit code[/]: 0 no deviation that binds, 1 deviations found, 2 usage error or nothing that could be read.
"""
_FAILED = 1


@telling
def check_command(
    trace: Annotated[
        Path, typer.Argument(metavar="TRACE", help="candump .log, .blf, .asc, .trc, .mf4, .csv or a saved .jsonl.")
    ],
    edition: Annotated[str, typer.Option(metavar="EDITION", help="Edition of GB/T 27930.")] = "2015",
    reading: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CHOICE",
            help="Choice in the interpretation register (`hil readings`), or a preset: strict, field; repeatable.",
            show_default=False,
        ),
    ] = None,
    resolution: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Resolution of the stamps.", show_default="the finest step they use"),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Columns of a CSV log, as TOML.", show_default="a shipped one that fits"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=out_path, metavar="DIR", help="Folder for check.html and check.json.", show_default="no files"
        ),
    ] = None,
) -> None:
    """Judge a recorded session: what charger and vehicle did wrong, when, and by which requirement."""
    chosen, preset = _readings(reading or [])
    if resolution is not None and not 0 <= resolution <= 10:
        raise UsageError(f"--resolution {resolution}: allowed is 0 .. 10 s")
    if out is not None:
        make_ready(out)
    span = None if resolution is None else s(resolution)
    check = check_log(trace, edition=edition, readings=chosen, preset=preset, resolution=span, mapping=mapping)
    page = None if out is None else write(check, out, f"hil {tool_version()}")  # first: an output may be full
    show(check, console())
    if page is not None:
        typer.echo(f"report: {page}")
    if not check.frames:
        raise UsageError(f"no frame could be read from {trace}")
    raise typer.Exit(_FAILED if check.failed else 0)


def _readings(given: list[str]) -> tuple[dict[str, str], str | None]:
    chosen: dict[str, str] = {}
    preset = None
    for each in given:
        name, equals, choice = each.partition("=")
        if equals:
            chosen[name] = choice
        elif name in PRESETS:
            preset = name
        else:
            raise UsageError(f"--reading {each!r}: write NAME=CHOICE, or one of {', '.join(PRESETS)}")
    return chosen, preset
