"""``hil rig``: rig files, and the benches that they describe."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from hil.cli.errors import NOT_PASSED, OK, USAGE, telling
from hil.cli.rig_show import RigCheck, as_json, show, suites_of
from hil.errors import UsageError
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import make_plan
from hil.pytest_plugin.table import console
from hil.resources import resource, rig_names
from hil.rig import load_rig
from hil.transport.probing import look
from hil.units import s

rig = typer.Typer(help="Rig files, and the benches that they describe.", no_args_is_help=True)
_WIDE = 400
_LISTEN = 3.0

_CHECK = """
[bold]Examples[/]

  hil rig check bay3.toml                 validate, open, ask what is there

  hil rig check bay3.toml --listen 10     listen to CAN for 10 s

  hil rig check bay3.toml --no-open       the file only: nothing is opened

  hil rig check bay3.toml --json          for programs

Nothing is written to a device, and nothing is sent on CAN. A DUT that the rig starts is started and stopped.

[bold]Exit code[/]: 0 all is well, 1 something does not answer or answers wrongly, 2 the file is wrong or a port \
cannot be opened.
"""


@rig.command("list")
@telling
def list_rigs() -> None:
    """List the rig files that travel with the package, to be used or to be copied."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("rig", "kind", "description"):
        table.add_column(column, overflow="fold")
    for name in rig_names():
        found = load_rig(resource(f"rigs/{name}.toml"))
        table.add_row(*map(escape, (name, found.kind, found.description)))
    out = console()
    if not out.is_terminal:
        out.width = _WIDE  # rows stay whole for programs
    out.print(table)


@rig.command("check", epilog=_CHECK)
@telling
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Rig file, or the name of a shipped rig.")],
    listen: Annotated[float, typer.Option(metavar="SECONDS", help="So long each CAN bus is listened to.")] = _LISTEN,
    open_ports: Annotated[bool, typer.Option("--open/--no-open", help="Open the ports and ask what is there.")] = True,
    for_programs: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Validate a rig, open its ports, ask what is there, and tell what can be tested on it and what not."""
    if not 0 < listen <= 600:
        raise UsageError(f"--listen {listen:g}: allowed is more than 0 up to 600 s")
    plan = make_plan(Options(rig=file))
    process, ports = look(plan.rig, s(listen)) if open_ports else (None, ())
    found = RigCheck(plan.rig, process, ports, suites_of(plan), opened=open_ports)
    if for_programs:
        typer.echo(as_json(found))
    else:
        show(found, console())
    if found.unopened:
        raise typer.Exit(USAGE)
    raise typer.Exit(OK if found.fine else NOT_PASSED)
