"""What is true of a whole run: who judged what, on which rig, by which edition and readings."""

from __future__ import annotations

from typing import Any

import msgspec


class RunInfo(msgspec.Struct, frozen=True):
    """Head of every report. Plain values only, so that it can be saved and sent.

    Equal runs on one machine differ in ``started`` and ``finished`` alone.
    """

    tool: dict[str, Any]
    """``name``, ``version``, ``python``, ``platform``, ``commit`` and ``source`` (text or None) and
    ``dependencies`` (name to version)."""
    rig: dict[str, Any]
    """``name``, ``sha256`` (of the rig file), ``virtual`` (bool) and whatever else describes it."""
    dut: dict[str, Any]
    """What the DUT is: maker, model, serial number, claims; for the reference charger its name."""
    edition: dict[str, str]
    """Standard to edition, as ``{"gbt27930": "2015"}``."""
    readings: dict[str, str] = {}
    """Choices taken in the interpretation register, by name."""
    seed: int = 0
    command: str = ""
    """The command line of the run."""
    started: str | None = None
    """ISO 8601 instant with zone; None where no clock was asked."""
    finished: str | None = None
    """The same, of its end."""
    host: str | None = None
    """Name of the machine; None where no clock was asked: what is the same everywhere was not run anywhere."""
    operator: str = ""
    """Who ran it; empty where nobody was named."""
    rig_files: dict[str, str] = {}
    """SHA-256 of the copies of the rig file and of register maps that it names, by place in the report."""
    faults: list[str] = []
    """Faults seeded into the reference charger for this run."""
