"""``hil modbus scan``: the rig's device read against its register map, for people and for programs."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hil.bench.judge import Judge
from hil.bench.live import LiveBenchWorld, LiveSetup, live_setup
from hil.bench.modbus import ModbusBench
from hil.bench.modbus_scan import Scanned, scan
from hil.bench.opening import kind_of
from hil.bench.setup import Setup
from hil.codec.map_file import find_map
from hil.codec.registers import RegisterMap
from hil.errors import RigError, UsageError
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import RunPlan, make_plan
from hil.rig import Rig
from hil.transport.dut_process import DutProcess

KIND = "modbus"
"""Kind of bench, and the role of its port."""
_UNITS = range(1, 256)
_STYLES = {"ok": "", "undeclared": "yellow"}
_WIDE = 400


class ScanPlan(msgspec.Struct, frozen=True):
    """What is to be read, and over what."""

    plan: RunPlan
    registers: RegisterMap
    """On the unit that is asked."""
    tcp: bool
    name: str
    """Of the map, as it was given."""

    @property
    def place(self) -> str:
        """Where the device is, for people."""
        port = self.plan.rig.port_of(KIND)
        return "a virtual line" if port is None else f"port {port.name} ({port.place})"


def plan_scan(options: Options, register_map: str, unit: int | None) -> ScanPlan:
    """Put together what the command line says; :class:`UsageError` for what cannot be."""
    plan = make_plan(options)
    rig, name = plan.rig, register_map or plan.register_map
    if not name:
        raise UsageError(f"rig {rig.name} names no register map ([dut] map): give one with --map")
    if unit is not None and unit not in _UNITS:
        raise UsageError(f"--unit {unit}: allowed is 1 .. 255")
    registers = find_map(name)
    if not rig.virtual and rig.port_of(KIND) is None:
        raise UsageError(f"rig {rig.name} gives no port to role {KIND}")
    return ScanPlan(plan, registers if unit is None else registers.on_unit(unit), _by_tcp(rig, registers), name)


def _by_tcp(rig: Rig, registers: RegisterMap) -> bool:
    """A virtual device is there on both lines."""
    return "tcp" in ((rig.modbus_transport,) if rig.modbus_transport else registers.transports)


def read_device(wanted: ScanPlan) -> list[Scanned]:
    """Everything that the map has of the device; raises :class:`RigError` where there is no way to it."""
    with _opened(wanted) as bench:
        found = list(scan(bench, wanted.registers, tcp=wanted.tcp))
    if found and all(each.state == "unasked" for each in found):
        raise RigError(f"{wanted.place}: nobody takes a connection; `hil rig check` tells what is there")
    return found


@contextlib.contextmanager
def _opened(wanted: ScanPlan) -> Iterator[ModbusBench]:
    plan, judge = wanted.plan, Judge()
    faults = tuple(each.name for each in plan.faults)
    setup = Setup(seed=plan.seed, edition=plan.edition, readings=dict(plan.readings), map=wanted.name, faults=faults)
    kind = kind_of(KIND)
    with contextlib.ExitStack() as stack:
        if plan.rig.process is not None:
            dut = DutProcess(plan.rig.process)
            stack.callback(dut.close)
            dut.start()
        world = kind.build(setup, {}) if plan.rig.virtual else LiveBenchWorld(_live(setup, plan.rig), judge)
        bench = kind.bench(world, setup, judge, lambda seen: None)
        assert isinstance(bench, ModbusBench), "it is of that kind"
        stack.callback(bench.close)
        yield bench


def _live(setup: Setup, rig: Rig) -> LiveSetup:
    """The bench on the rig's ports. It only reads: nothing is energised, and no interlock is in its way."""
    return replace(live_setup(KIND, setup, rig), interlocks={})


# --- for people -------------------------------------------------------------------------------------


def show(wanted: ScanPlan, found: list[Scanned], out: Console) -> None:
    """A row a register, and below them what was not as it should be."""
    rig, registers = wanted.plan.rig, wanted.registers
    units = ", ".join(map(str, registers.unit_ids))
    told = f"{rig.dut.name} by {registers.name} ({registers.title}), unit {units}, on {wanted.place}"
    out.print(escape(told), soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("at", "register", "value", "unit", "in words"):
        table.add_column(column, overflow="fold", justify="right" if column == "value" else "left")
    several = len(registers.unit_ids) > 1
    for each in found:
        table.add_row(*map(escape, _row(each, several=several)), style=_STYLES.get(each.state, "bold red"))
    if not out.is_terminal:
        out.width = _WIDE  # rows stay whole for programs
    out.print(table)
    for each in found:
        if each.came or each.due:
            out.print(f"\n[bold]{escape(each.register.name)}[/]: {escape(each.told)}", soft_wrap=True)
            out.print(f"  came  {each.came or '(none)'}", soft_wrap=True)
            if each.due:
                out.print(f"  due   {each.due}", soft_wrap=True)
    out.print(f"\n{summary(found)}", soft_wrap=True)


def _row(each: Scanned, *, several: bool) -> tuple[str, str, str, str, str]:
    register = each.register
    unit = f"{register.unit_id}:" if several else ""
    place = f"{unit}{register.table} {register.address}"
    if not each.words:
        return place, register.name, "-", register.unit, each.told
    outside = f"not in the map: {each.told}" if each.told else ""
    words = "; ".join(filter(None, (in_words(each), outside)))
    return place, register.name, plain(each), register.unit if each.value is not None else "", words


def plain(each: Scanned) -> str:
    """The value alone: as a number, a text or bytes."""
    value = each.value
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:.10g}"
    return value.hex(" ").upper() if isinstance(value, bytes) else str(value)


def in_words(each: Scanned) -> str:
    """What a choice, a bit or the lack of a value means; empty for a plain number."""
    register, value = each.register, each.value
    if value is None:
        return "no value"
    if register.type == "bits" or register.flags:
        return ", ".join(register.set_flags(value)) or "none set"
    if isinstance(value, int | float) and value in register.choices:
        return register.choices[int(value)]
    return ("on" if value else "off") if isinstance(value, bool) else ""


def summary(found: list[Scanned]) -> str:
    """How many registers were read, and what became of the others."""
    counts = Counter(each.state for each in found)
    read = counts.pop("ok", 0) + counts["undeclared"]
    parts = [f"{read} of {len(found)} registers read"]
    undeclared = counts.pop("undeclared", 0)
    parts += [f"{undeclared} with a value that the map does not have"] if undeclared else []
    return ", ".join([*parts, *(f"{count} {state}" for state, count in counts.items())])


# --- for programs -----------------------------------------------------------------------------------


def as_json(wanted: ScanPlan, found: list[Scanned]) -> str:
    """For programs."""
    port = wanted.plan.rig.port_of(KIND)
    document = {
        "rig": wanted.plan.rig.name,
        "dut": wanted.plan.rig.dut.name,
        "map": wanted.registers.name,
        "transport": "tcp" if wanted.tcp else "rtu",
        "port": None if port is None else port.name,
        "fine": all(each.fine for each in found),
        "registers": [_entry(each) for each in found],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _entry(each: Scanned) -> dict[str, Any]:
    register = each.register
    return {
        "name": register.name,
        "unit_id": register.unit_id,
        "table": register.table,
        "function": each.function,
        "address": register.address,
        "size": register.size,
        "state": each.state,
        "words": list(each.words),
        "value": each.value.hex(" ").upper() if isinstance(each.value, bytes) else each.value,
        "unit": register.unit,
        "in_words": in_words(each) if each.words else "",
        "told": each.told,
        "came": each.came,
        "due": each.due,
    }
