"""What is true of a whole run, gathered for the head of the reports."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from hil.evidence.rig_files import digests_of
from hil.evidence.run import RunInfo
from hil.native import digest
from hil.pytest_plugin.plan import STANDARD, RunPlan
from hil.resources import root
from hil.rig import Rig
from hil.rig.instruments import QUANTITIES
from hil.units import seconds

DISTRIBUTION = "hil"
_SUFFIXES = (".py", ".toml", ".json")
"""What an installed package judges by: its modules, and what they read."""

_PATIENCE = 30
"""s for git to look through a checkout, also one on a slow share."""


def run_info(plan: RunPlan, command: str, started: str | None, finished: str | None = None) -> RunInfo:
    """The head of every report of a run. Without a clock (``started`` None) the machine is not named either."""
    rig = plan.rig
    at = commit(root())
    return RunInfo(
        tool={
            "name": DISTRIBUTION,
            "version": tool_version(),
            "python": platform.python_version(),
            "platform": sys.platform,
            "commit": at,
            "source": None if at else digest(suffixes=_SUFFIXES),
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
        finished=finished,
        host=None if started is None else platform.node() or None,
        rig_files=digests_of(rig.files),
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
    """The commit that is checked out in a folder; None where there is none to be told.

    It ends in ``-dirty`` where files under version control differ from it, and in ``-unchecked`` where git cannot tell.
    """
    if not (folder / ".git").exists():
        return None
    return _described(folder) or _noted(folder)


def _described(folder: Path) -> str | None:
    """The commit as git tells it; None where it cannot be asked."""
    words = ["git", "--no-optional-locks", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    # Run from a hook of git, its variables would speak of another checkout.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        told = subprocess.run(  # noqa: S603 - fixed words, no shell
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.decode("ascii", "replace").strip()


def _noted(folder: Path) -> str | None:
    """The commit as git's own files have it, for a machine without git and a folder that it refuses."""
    git = folder / ".git"
    try:
        head = (git / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return f"{head}-unchecked"
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return f"{(git / name).read_text('utf-8').strip()}-unchecked"
        packed = (git / "packed-refs").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = re.search(rf"^([0-9a-f]+) {re.escape(name)}$", packed, re.MULTILINE)
    return f"{found[1]}-unchecked" if found else None


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
