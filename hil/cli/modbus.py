"""``hil modbus``: register maps, and devices read against them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from hil.cli.errors import NOT_PASSED, OK, complain, telling
from hil.codec.map_file import load_map, map_names, shipped_map
from hil.codec.registers import RegisterMap
from hil.errors import MapError, UsageError
from hil.pytest_plugin.options import DEFAULT_RIG, Options
from hil.pytest_plugin.table import console

modbus = typer.Typer(help="Modbus devices and their register maps.", no_args_is_help=True)
_map = typer.Typer(help="Register maps of your own.", no_args_is_help=True)
modbus.add_typer(_map, name="map")
_WIDE = 400

_CHECK = """
[bold]Examples[/]

  hil modbus map check wallbox.toml       a map of your own

[bold]Exit code[/]: 0 the map can be used, 1 it cannot, 2 there is no such file.
"""

_SCAN = """
[bold]Examples[/]

  hil modbus scan --rig wallbox.toml
  [dim]    by the map that \\[dut] of the rig names[/]

  hil modbus scan --rig wallbox.toml --map mine.toml
  [dim]    by a map of your own[/]

  hil modbus scan --rig bus.toml --map eastron-sdm630 --unit 7
  [dim]    a meter on a bus, by a shipped map[/]

  hil modbus scan --map keba-p30
  [dim]    the reference device with that map, without hardware[/]

Nothing is written. What does not answer rightly is shown as the bytes that came beside those that were due.

[bold]Exit code[/]: 0 every register was read and holds what the map has, 1 one was not or does not, 2 usage or rig \
error, or nobody takes a connection, 3 an error on our side.
"""


@modbus.command("list")
@telling
def list_maps() -> None:
    """List the register maps that travel with the package."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("map", "kind", "lines", "registers", "founded", "device", "source"):
        table.add_column(column, overflow="fold")
    for name in map_names():
        found = shipped_map(name)
        cells = (name, found.kind, ", ".join(found.transports), str(len(found.registers)), found.confidence)
        table.add_row(*map(escape, (*cells, found.title, found.source)))
    out = console()
    if not out.is_terminal:
        out.width = _WIDE  # rows stay whole for programs
    out.print(table)


@_map.command("check", epilog=_CHECK)
@telling
def check_map(file: Annotated[Path, typer.Argument(metavar="FILE", help="Register map, as TOML.")]) -> None:
    """Check a register map: everything that is wrong is told, with its line and what is allowed."""
    if not file.is_file():
        raise UsageError(f"no file {str(file)!r}: give the path of a register map")
    try:
        found = load_map(file)
    except MapError as error:
        for line in str(error).splitlines():
            complain(line)
        raise typer.Exit(NOT_PASSED) from None
    console().print(escape(_summary(found)), soft_wrap=True)


@modbus.command("scan", epilog=_SCAN)
@telling
def scan_device(
    rig: Annotated[str, typer.Option(metavar="FILE", help="Rig file, or the name of a shipped rig.")] = DEFAULT_RIG,
    register_map: Annotated[
        str,
        typer.Option("--map", metavar="FILE", help="Register map, a file or a shipped one.", show_default="the rig's"),
    ] = "",
    unit: Annotated[
        int | None, typer.Option(metavar="N", help="Unit id of the device.", show_default="the map's")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Seeded fault of the reference device, on a virtual rig; repeatable.",
            show_default=False,
        ),
    ] = None,
    for_programs: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read a device against its register map: every value in its unit and in words, or what came instead."""
    from hil.cli import modbus_scan  # python-can, pyserial: not for the other commands

    wanted = modbus_scan.plan_scan(Options(rig=rig, fault=tuple(fault or ())), register_map, unit)
    found = modbus_scan.read_device(wanted)
    if for_programs:
        typer.echo(modbus_scan.as_json(wanted, found))
    else:
        modbus_scan.show(wanted, found, console())
    raise typer.Exit(OK if all(each.fine for each in found) else NOT_PASSED)


def _summary(found: RegisterMap) -> str:
    tables = Counter(register.table for register in found.registers.values())
    counts = ", ".join(f"{count} {table}" for table, count in tables.items())
    reads = len(found.plan())
    return f"{found.name}: {found.title}: {len(found.registers)} registers ({counts}), all read by {reads} requests"
