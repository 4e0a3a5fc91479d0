"""The commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli import listing
from hil.cli.check import EXAMPLES as CHECK_EXAMPLES
from hil.cli.check import check_command
from hil.cli.errors import EXITS, telling
from hil.cli.interlocks import InterlocksChecked
from hil.cli.modbus import modbus
from hil.cli.paths import out_path
from hil.cli.profile import app as profile
from hil.cli.qualify import EXAMPLES as QUALIFY_EXAMPLES
from hil.cli.qualify import qualify_command
from hil.cli.record import EXAMPLES as RECORD_EXAMPLES
from hil.cli.record import record_command
from hil.cli.rig import rig as rig_group
from hil.cli.run import run_suites
from hil.cli.serve import EXAMPLES as SERVE_EXAMPLES
from hil.cli.serve import serve_command
from hil.cli.soak import EXAMPLES as SOAK_EXAMPLES
from hil.cli.soak import soak_command
from hil.pytest_plugin.info import tool_version
from hil.pytest_plugin.options import DEFAULT_OUT, DEFAULT_RIG, Options

app = typer.Typer(
    help="Hardware-in-the-loop test bench for EV chargers. Judges DC chargers by GB/T 27930, AC chargers by their "
    "control pilot, devices by Modbus, RAPI and DL/T 645: on real ports, or in a virtual world.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_EXAMPLES = f"""
[bold]Examples[/]

  hil run
  [dim]    judge the reference devices by every suite[/]

  hil run --list
  [dim]    what there is, and what applies to the rig[/]

  hil run --case DN.3006 --seed 7
  [dim]    one case under another seed[/]

  hil run --case DN.3006 --fault lost-bcl-late
  [dim]    one case, with a defect in the charger that it must catch[/]

  hil run --rig bay3.toml --reading field
  [dim]    what stands on your bench, by field-tolerant readings[/]

  hil run --suite my_suite
  [dim]    a suite of your own: test_*.py and requirements.toml in a folder[/]

  hil run --suite gbt27930 -- -n 2 -k DN_30
  [dim]    options of pytest behind the dashes[/]

[bold]Exit code[/]: {EXITS}
"""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hil {tool_version()}")
        raise typer.Exit


@app.callback()
def hil(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Options before the command."""


@app.command(epilog=_EXAMPLES)
@telling
def run(
    pytest_args: Annotated[
        list[str] | None, typer.Argument(metavar="-- PYTEST ARGS", help="Handed to pytest.", show_default=False)
    ] = None,
    rig: Annotated[str, typer.Option(metavar="FILE", help="Rig file, or the name of a shipped rig.")] = DEFAULT_RIG,
    suite: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|DIR",
            help="Only this suite, shipped or the folder of one of your own; repeatable.",
            show_default="all shipped ones",
        ),
    ] = None,
    edition: Annotated[
        list[str] | None,
        typer.Option(metavar="STANDARD=EDITION", help="Edition to judge by.", show_default="the rig's"),
    ] = None,
    reading: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CHOICE",
            help="Choice in the interpretation register (`hil readings`), or a preset: strict, field; repeatable.",
            show_default=False,
        ),
    ] = None,
    requirement: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only this requirement; repeatable.", show_default=False),
    ] = None,
    case: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CASE",
            help="Only this case, as DN.3006 or with its variant DN.2004\\[short]; repeatable.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of the run.", show_default="the rig's")] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Put this seeded fault (`hil faults`) into the reference device; repeatable.",
            show_default=False,
        ),
    ] = None,
    max_real_time: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="A run of one case that takes longer by the wall clock is an error.",
            show_default="no limit",
        ),
    ] = None,
    interlocks_checked: InterlocksChecked = False,
    operator: Annotated[
        str, typer.Option(metavar="NAME", help="Who runs this, for the reports.", show_default="nobody is named")
    ] = "",
    list_only: Annotated[bool, typer.Option("--list", help="Show the cases and what applies; run nothing.")] = False,
    out: Annotated[Path, typer.Option(parser=out_path, metavar="DIR", help="Folder for traces and reports.")] = Path(
        DEFAULT_OUT
    ),
) -> None:
    """Judge a charger, or another device, and write a conformance report."""
    options = Options(
        rig=rig,
        seed=seed,
        edition=tuple(edition or ()),
        reading=tuple(reading or ()),
        requirement=tuple(requirement or ()),
        case=tuple(case or ()),
        suite=tuple(suite or ()),
        fault=tuple(fault or ()),
        out=str(out),
        max_real_time=max_real_time,
        interlocks_checked=interlocks_checked,
        operator=operator,
    )
    raise typer.Exit(run_suites(options, list(pytest_args or ()), list_only=list_only))


@app.command()
@telling
def faults() -> None:
    """List the seeded faults of the reference devices, and the requirements that must catch each."""
    listing.show_faults()


@app.command()
@telling
def readings() -> None:
    """Show the interpretation register: questions that the sources leave open, and the readings taken."""
    listing.show_readings()


@app.command()
@telling
def dbc(
    protocol: Annotated[str, typer.Argument(metavar="PROTOCOL", help="Declared messages to export: gbt27930.")],
    edition: Annotated[str, typer.Option(metavar="EDITION", help="Edition of the standard.")] = "2015",
    out: Annotated[
        Path | None,
        typer.Option(parser=out_path, metavar="FILE", help="Where to write.", show_default="standard output"),
    ] = None,
) -> None:
    """Export the declared messages as a DBC file."""
    listing.export_dbc(protocol, edition, out)


app.command("check", epilog=CHECK_EXAMPLES)(check_command)
app.command("soak", epilog=SOAK_EXAMPLES)(soak_command)
app.command("record", epilog=RECORD_EXAMPLES)(record_command)
app.command("serve", epilog=SERVE_EXAMPLES)(serve_command)
app.command("qualify", epilog=QUALIFY_EXAMPLES)(qualify_command)
app.add_typer(modbus, name="modbus")
app.add_typer(rig_group, name="rig")
app.add_typer(profile, name="profile")
