"""What a look at a rig came to, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape

from hil.conformance.catalogue import requirements
from hil.pytest_plugin.plan import RunPlan
from hil.rig import Rig
from hil.transport.probe import Probe
from hil.transport.probing import PortCheck
from hil.units import seconds

_INTERLOCK_STATES = {"ok": "closed", "quiet": "open", "fault": "fault"}
_STYLES = {"ok": "green", "quiet": "yellow", "fault": "bold red"}


@dataclass(frozen=True)
class SuiteCheck:
    """What of a suite can be run."""

    name: str
    applicable: int
    """Runs."""
    reasons: Mapping[str, int]
    """Why others cannot, with their number; the most frequent first."""

    @property
    def runs(self) -> int:
        """All of them."""
        return self.applicable + sum(self.reasons.values())


@dataclass(frozen=True)
class RigCheck:
    """All of it."""

    rig: Rig
    process: Probe | None
    """The DUT, where the rig starts it."""
    ports: tuple[PortCheck, ...]
    suites: tuple[SuiteCheck, ...]
    opened: bool
    """Whether ports were opened at all."""

    @property
    def unopened(self) -> list[PortCheck]:
        """Ports that could not be opened."""
        return [each for each in self.ports if each.error]

    @property
    def faults(self) -> int:
        """Things that do not answer, or wrongly."""
        probes = [probe for port in self.ports for probe in port.probes]
        return sum(each.state == "fault" for each in (*probes, *([self.process] if self.process else [])))

    @property
    def fine(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.unopened and not self.faults


def suites_of(plan: RunPlan) -> tuple[SuiteCheck, ...]:
    """What can be run of every suite, in catalogue order."""
    applicable: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    for requirement in requirements().values():
        told = reasons.setdefault(requirement.suite, Counter())
        for run in plan.runs(requirement):
            if run.not_applicable is None:
                applicable[requirement.suite] += 1
            else:
                told[run.not_applicable] += 1
    return tuple(SuiteCheck(name, applicable[name], dict(told.most_common())) for name, told in reasons.items())


def show(found: RigCheck, out: Console) -> None:
    """For people."""
    rig = found.rig
    out.print(f"[bold]{escape(rig.name)}[/] ({rig.kind}): {escape(rig.dut.name)}", soft_wrap=True)
    out.print(f"{escape(str(rig.path))} is valid", soft_wrap=True)
    out.print()
    if found.process is not None:
        out.print(f"DUT  {_probe(found.process)}", soft_wrap=True)
    for check in found.ports:
        _show_port(check, out)
    for name, on in {} if found.opened else rig.interlocks.items():
        out.print(f"interlock {escape(name)}: the box tells it ({escape(on)})", soft_wrap=True)
    for name in () if rig.virtual else rig.unwatched:
        out.print(
            f"interlock {escape(name)}: no signal tells it, the operator answers (--interlocks-checked)", soft_wrap=True
        )
    if rig.virtual:
        out.print("no ports: everything is simulated", soft_wrap=True)
    elif not found.opened:
        out.print(f"{len(rig.ports)} ports, not opened", soft_wrap=True)
    out.print("\n[bold]What can be tested[/]")
    width = max(len(suite.name) for suite in found.suites)
    for suite in found.suites:
        out.print(f"  {suite.name:{width}}  {suite.applicable} of {suite.runs} runs", soft_wrap=True)
        for reason, runs in suite.reasons.items():
            out.print(f"  {'':{width}}  [dim]{runs} not: {escape(reason)}[/]", soft_wrap=True)
    out.print()
    out.print(_summary(found), soft_wrap=True)


def _show_port(check: PortCheck, out: Console) -> None:
    port = check.port
    parts = f" as {', '.join(check.parts)}" if check.parts else ", which has no part to play"
    out.print(f"port {escape(f'{port.name} ({port.type}, {port.place}){parts}')}", soft_wrap=True)
    if check.error:
        out.print(f"  [bold red]closed[/]  {escape(check.error)}", soft_wrap=True)
    elif not check.probes:
        out.print("  [green]ok[/]      opened", soft_wrap=True)
    for probe in check.probes:
        out.print(f"  {_probe(probe)}", soft_wrap=True)


def _probe(probe: Probe) -> str:
    return f"[{_STYLES[probe.state]}]{probe.state:6}[/]  {escape(f'{probe.what}: {probe.told}')}"


def _summary(found: RigCheck) -> str:
    told = []
    if found.unopened:
        count = len(found.unopened)
        told.append(f"{count} port{'s' * (count != 1)} cannot be opened")
    if found.faults:
        told.append(f"{found.faults} fault{'s' * (found.faults != 1)} found")
    if told:
        return f"[bold red]{' and '.join(told)}[/]"
    return "[green]all is well[/]" if found.opened or found.rig.virtual else "the file is valid"


def as_json(found: RigCheck) -> str:
    """For programs; keys as documented in the reference of rig files."""
    rig = found.rig
    document = {
        "rig": rig.name,
        "path": str(rig.path),
        "kind": rig.kind,
        "dut": rig.dut.name,
        "fine": found.fine,
        "process": None if found.process is None else _values(found.process),
        "ports": [_port(check) for check in found.ports],
        "interlocks": _interlocks(found),
        "suites": [
            {
                "suite": suite.name,
                "runs": suite.runs,
                "applicable": suite.applicable,
                "not_applicable": [{"reason": reason, "runs": runs} for reason, runs in suite.reasons.items()],
            }
            for suite in found.suites
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _interlocks(found: RigCheck) -> list[dict[str, str]]:
    """Of a live rig: by whom each is told, and its state where the box was asked."""
    rig = found.rig
    states = {probe.what: probe for check in found.ports for probe in check.probes}
    told = []
    for name in () if rig.virtual or rig.envelope is None else rig.envelope.interlocks:
        probe = states.get(f"interlock {name}")
        state = "unknown" if probe is None else _INTERLOCK_STATES[probe.state]
        told.append({"interlock": name, "on": rig.interlocks.get(name, ""), "state": state})
    return told


def _port(check: PortCheck) -> dict[str, Any]:
    port = check.port
    return {
        "port": port.name,
        "type": port.type,
        "place": port.place,
        "parts": list(check.parts),
        "clock": port.clock,
        "uncertainty_s": seconds(port.uncertainty),
        "opened": not check.error,
        "error": check.error,
        "probes": [_values(probe) for probe in check.probes],
    }


def _values(probe: Probe) -> dict[str, str]:
    return {"what": probe.what, "state": probe.state, "told": probe.told}
