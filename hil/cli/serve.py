"""``hil serve``: the reference devices on real ports, to develop and to try a bench against."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live as Screen
from rich.table import Table

from hil.bench.opening import kind_of
from hil.bench.serving import ServedSetup, build_served, served_ports
from hil.bench.setup import MeterPlace, Setup
from hil.cli.ending import ending
from hil.cli.errors import OK, telling
from hil.cli.paths import out_path
from hil.codec.map_file import find_map
from hil.dut.ac_modbus.spec import ONE_OUTLET
from hil.errors import UsageError
from hil.evidence.trace import TraceWriter
from hil.pytest_plugin.options import DEFAULT_RIG, Options
from hil.pytest_plugin.plan import RunPlan, make_plan
from hil.pytest_plugin.table import console
from hil.rig import told_claims
from hil.rig.roles import NEEDED_BY
from hil.transport.ledger import Ledger
from hil.transport.process import LiveProcess
from hil.units import Instant, Span, ms, s, seconds
from hil.world.observation import BytesSeen, FrameSeen, LineSeen, Note
from hil.world.plan import Action, Advance, Close, Describe, Do, Stimulate

EXAMPLES = """
[bold]Examples[/]

  hil serve --rig udp-multicast
  [dim]    the charger that the rig's bench expects to meet; judge it elsewhere,[/]
  [dim]    with `hil run --rig udp-multicast`[/]

  hil serve --rig my-bus.toml --fault current-stays
  [dim]    the same with a defect[/]

  hil serve --rig my-bus.toml --standalone
  [dim]    with a plant of its own, plugged in and authorised: for a BMS under[/]
  [dim]    development, without a bench[/]

  hil serve --rig wallbox.toml --device modbus --map my-wallbox.toml
  [dim]    a wallbox with that register map[/]

[bold]Exit code[/]: 0 after Ctrl-C or --seconds, 2 usage or rig error, 3 an error on our side.
"""
_STEP: Span = ms(250)
_AUTHORISE: Span = s(10)
"""A standalone charger is authorised again so often."""


@telling
def serve_command(
    rig: Annotated[str, typer.Option(metavar="FILE", help="Rig file whose ports are served, as its bench has them.")],
    device: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="Only this device: gbt27930, modbus, ac_modbus, rapi, dlt645, ac; repeatable.",
            show_default="those that the rig has roles for",
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Put this seeded fault (`hil faults`) in; repeatable.", show_default=False),
    ] = None,
    reading: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CHOICE", help="Reading that the device is built to; repeatable.", show_default=False
        ),
    ] = None,
    edition: Annotated[
        list[str] | None,
        typer.Option(metavar="STANDARD=EDITION", help="Edition that it speaks.", show_default="the rig's"),
    ] = None,
    register_map: Annotated[
        str, typer.Option("--map", metavar="FILE", help="Register map of a Modbus device.", show_default="the rig's")
    ] = "",
    standalone: Annotated[
        bool, typer.Option("--standalone", help="With a plant of its own instead of the bench's.")
    ] = False,
    seconds_: Annotated[
        float | None,
        typer.Option("--seconds", metavar="S", help="Leave after so long.", min=0.1, show_default="at Ctrl-C"),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Draws what no requirement fixes.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(parser=out_path, metavar="DIR", help="Keep everything seen, and how late it was sent, as traces."),
    ] = None,
) -> None:
    """Serve the reference devices on a rig's ports in real time, until Ctrl-C."""
    plan = make_plan(
        Options(
            rig=DEFAULT_RIG if rig == "" else rig,
            seed=seed,
            edition=tuple(edition or ()),
            reading=tuple(reading or ()),
            fault=tuple(fault or ()),
        ),
        serving=True,
    )
    kinds = _kinds(plan, tuple(device or ()), register_map or plan.register_map)
    with contextlib.ExitStack() as stack:
        served = [
            stack.enter_context(_Served(kind, _setup(plan, kind, register_map, standalone), out)) for kind in kinds
        ]
        _attend(served, seconds_, console())
    for each in served:
        each.tell_lateness(console())
    raise typer.Exit(OK)


def _kinds(plan: RunPlan, wanted: tuple[str, ...], register_map: str) -> tuple[str, ...]:
    """The devices to serve; :class:`UsageError` where the rig has no ports for one, or a fault is of none of them."""
    rig = plan.rig
    if rig.virtual:
        raise UsageError(f"rig {rig.name} is virtual: it has no ports to serve on; give a rig of kind live")
    for each in wanted:
        kind_of(each)
        lacking = [role for role in NEEDED_BY[each] if role not in rig.roles]
        if lacking:
            raise UsageError(f"--device {each}: rig {rig.name} gives no port to role {' or '.join(lacking)}")
    possible = [each for each, roles in NEEDED_BY.items() if all(role in rig.roles for role in roles)]
    kinds = wanted or _whole(possible, register_map)
    if not kinds:
        raise UsageError(f"rig {rig.name} has no role that a device is served on; roles are {', '.join(rig.roles)}")
    duts = {dut for each in kinds for dut in kind_of(each).duts}
    for seeded in plan.faults:
        if seeded.dut not in duts:
            raise UsageError(f"--fault {seeded.name}: it is one of {seeded.dut}, and served is {', '.join(kinds)}")
    return kinds


def _whole(possible: list[str], register_map: str) -> tuple[str, ...]:
    """Those of the devices that no other one includes, or takes a port from: one is on the signals port."""
    on_signals = [each for each in ("gbt27930", "rapi", "ac_modbus", "ac") if each in possible]
    if register_map and find_map(register_map).name not in ONE_OUTLET:
        on_signals = [each for each in on_signals if each != "ac_modbus"]
    left_out = {"ac_modbus", "ac", *(("modbus",) if on_signals[:1] == ["ac_modbus"] else ())} - {*on_signals[:1]}
    return tuple(each for each in possible if each not in left_out)


def _setup(plan: RunPlan, kind: str, register_map: str, standalone: bool) -> ServedSetup:
    rig, bench = plan.rig, plan.rig.bench
    setup = Setup(
        seed=plan.seed,
        edition=plan.edition,
        vehicle=bench.vehicle,
        soc=bench.soc,
        temperature=bench.temperature,
        readings=dict(plan.readings),
        validity=bench.validity,
        safe_current=bench.safe_current,
        claims=told_claims(rig.dut),
        meter=MeterPlace.of(rig),
        map=register_map or plan.register_map,
        faults=tuple(each.name for each in plan.faults),
    )
    ports = {role: rig.ports[port] for role, port in rig.roles.items()}
    alone = standalone or "signals" not in ports
    return ServedSetup(kind, setup, ports, dict(rig.signals), tuple(rig.interlocks.values()), alone)


class _Served:
    """One device in its process, and what it has done so far."""

    def __init__(self, kind: str, served: ServedSetup, out: Path | None) -> None:
        self.kind = kind
        self.served = served
        self.ledger = Ledger()
        self.now: Instant = 0
        self.received = 0
        self.sent = 0
        self.last = ""
        self._authorise_at: Instant = s(2)
        self._process = LiveProcess(partial(build_served, served))
        self._writer = None if out is None else TraceWriter(out, f"serve-{kind}")

    def __enter__(self) -> _Served:
        self._take(Describe())
        if self.served.standalone and kind_of(self.kind).live is not None:
            self._do(Stimulate("plugged", 1, setup=True))
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._take(Close())
        finally:
            if self._writer is not None:
                self._writer.close()

    def step(self) -> None:
        """Let it go on for a moment, and take in what came of it."""
        self._take(Advance(self.now + _STEP))
        if self.served.standalone and self.now >= self._authorise_at:
            self._authorise_at = self.now + _AUTHORISE
            self._do(Stimulate("start_press", 1, setup=True))

    def _do(self, *actions: Action) -> None:
        sides = kind_of(self.kind).live
        if sides is not None and sides.plant is not None:
            self._take(Do(actions))

    def _take(self, command: Advance | Close | Do | Describe) -> None:
        reply = self._process.execute(command)
        self.now = reply.now
        if self._writer is not None:
            self._writer.write(reply.observations)
        self.ledger.feed(reply.observations)
        for seen in reply.observations:
            if isinstance(seen, FrameSeen | BytesSeen):
                self.sent += bool(seen.sender)
                self.received += not seen.sender
            elif isinstance(seen, LineSeen):
                self.last = f"{seen.port} {seen.kind}"
            elif isinstance(seen, Note) and seen.kind not in ("clock", "coverage"):
                self.last = f"{seen.kind} {seen.what}"

    @property
    def places(self) -> str:
        """Where it is, for people."""
        sides = kind_of(self.kind).live
        shown = [f"{role} on {port.place}" for role, port in served_ports(self.served).items()]
        own = self.served.standalone and sides is not None and sides.plant is not None
        return ", ".join(shown) + (", with a plant of its own" if own else "")

    def row(self) -> tuple[str, ...]:
        """What the status shows."""
        return (
            self.kind,
            f"{seconds(self.now):.0f} s",
            str(self.received),
            str(self.sent),
            self.ledger.worst_text(),
            self.last,
        )

    def tell_lateness(self, shown: Console) -> None:
        """How late its own frames were."""
        shown.print(f"{self.kind}: {self.received} received, {self.sent} sent; {self.ledger.summary()}", soft_wrap=True)


def _attend(served: list[_Served], limit: float | None, shown: Console) -> None:
    """Let the devices go on until somebody wants no more."""
    for each in served:
        shown.print(f"serving {each.kind}: {each.places}", soft_wrap=True, markup=False)
    shown.print("ready", soft_wrap=True)
    shown.file.flush()
    # What is no terminal is told the beginning and the end only.
    screen = Screen(console=shown, refresh_per_second=4, transient=True) if shown.is_terminal else None
    with ending() as end, contextlib.suppress(KeyboardInterrupt), screen or contextlib.nullcontext():
        while limit is None or served[0].now < s(limit):
            for each in served:
                with end.whole():
                    each.step()
            if screen is not None:
                screen.update(_table(served))


def _table(served: list[_Served]) -> Table:
    table = Table("device", "running", "received", "sent", "latest by", "last event")
    for each in served:
        table.add_row(*each.row())
    return table
