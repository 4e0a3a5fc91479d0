"""``hil modbus``: register maps."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from hil.cli.errors import NOT_PASSED, complain, telling
from hil.codec.map_file import load_map, map_names, shipped_map
from hil.codec.registers import RegisterMap
from hil.errors import MapError, UsageError
from hil.pytest_plugin.table import console

modbus = typer.Typer(help="Register maps of Modbus devices.", no_args_is_help=True)
_map = typer.Typer(help="Register maps of your own.", no_args_is_help=True)
modbus.add_typer(_map, name="map")
_WIDE = 400

_CHECK = """
[bold]Examples[/]

  hil modbus map check wallbox.toml       a map of your own

[bold]Exit code[/]: 0 the map can be used, 1 it cannot, 2 there is no such file.
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


def _summary(found: RegisterMap) -> str:
    tables = Counter(register.table for register in found.registers.values())
    counts = ", ".join(f"{count} {table}" for table, count in tables.items())
    reads = len(found.plan())
    return f"{found.name}: {found.title}: {len(found.registers)} registers ({counts}), all read by {reads} requests"
