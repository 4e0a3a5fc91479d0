"""What is true of a whole run, gathered for the head of the reports."""

from __future__ import annotations

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from hil.evidence.run import RunInfo
from hil.pytest_plugin.plan import STANDARD, RunPlan
from hil.resources import root
from hil.rig import Rig
from hil.rig.instruments import QUANTITIES
from hil.units import seconds

DISTRIBUTION = "hil"


def run_info(plan: RunPlan, command: str, started: str | None) -> RunInfo:
    """The head of every report of a run."""
    rig = plan.rig
    return RunInfo(
        tool={
            "name": DISTRIBUTION,
            "version": tool_version(),
            "python": platform.python_version(),
            "platform": sys.platform,
            "commit": commit(root()),
            "dependencies": _dependencies(),
        },
        rig={
            "name": rig.name,
            "description": rig.description,
            "kind": rig.kind,
            "sha256": rig.sha256,
            "virtual": rig.virtual,
            "vehicle": rig.bench.vehicle,
            "opt_in": list(rig.opt_in),
            **_safety(rig),
            **_instruments(rig),
        },
        dut=_dut(rig),
        edition={STANDARD: plan.edition},
        readings=dict(plan.readings),
        seed=plan.seed,
        command=command,
        started=started,
        operator=plan.options.operator,
        faults=[fault.name for fault in plan.faults],
    )


def _dut(rig: Rig) -> dict[str, Any]:
    dut = rig.dut
    return {
        "name": dut.name,
        "manufacturer": dut.manufacturer,
        "model": dut.model,
        "serial": dut.serial,
        "firmware": dut.firmware,
        "claims": {
            name: list(claim) if isinstance(claim, tuple) else claim
            for name, claim in dut.claims.items()
            if claim is not None
        },
    }


def _safety(rig: Rig) -> dict[str, Any]:
    """The envelope of a live rig that has one, and who answers for its interlocks."""
    envelope = rig.envelope
    if envelope is None or rig.virtual:
        return {}
    limits = {
        "max_voltage_V": envelope.max_voltage,
        "max_current_A": envelope.max_current,
        "max_power_W": envelope.max_power,
        "max_duration_s": envelope.max_duration,
    }
    answered = {"watched": sorted(rig.interlocks), "by_the_operator": list(rig.unwatched)}
    return {"envelope": limits, "interlocks": answered}


def _instruments(rig: Rig) -> dict[str, Any]:
    """What the rig measures with and how sure that is, where it has such."""
    told = [
        {
            "name": claim.name,
            "kind": claim.kind,
            "map": claim.map,
            "serial": claim.serial,
            "calibrated": claim.calibrated,
            "port": claim.port,
            "poll_s": seconds(claim.poll) if claim.polled else None,
            "measures": {
                quantity: {"unit": QUANTITIES[quantity], "absolute": sure.absolute, "relative": sure.relative}
                for quantity, sure in claim.measures.items()
            },
        }
        for claim in rig.instruments.values()
    ]
    return {"instruments": told} if told else {}


def tool_version() -> str:
    """The installed version; "unknown" for a source tree on the path that was never installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


def commit(folder: Path) -> str | None:
    """The commit that is checked out in a folder; None where there is none to be told."""
    git = folder / ".git"
    try:
        head = (git / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return (git / name).read_text("utf-8").strip()
        packed = (git / "packed-refs").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = re.search(rf"^([0-9a-f]+) {re.escape(name)}$", packed, re.MULTILINE)
    return found[1] if found else None


def _dependencies() -> dict[str, str]:
    try:
        declared = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return {}
    names = [re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in declared if "extra ==" not in each]
    found: dict[str, str] = {}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found
