"""``qualification.json``: what the whole came to, as plain values. ``qualification.schema.json`` says what fits."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from hil.conformance.catalogue import requirements
from hil.conformance.verdict import Verdict
from hil.pytest_plugin.info import run_info
from hil.qualify.deviation import Deviation
from hil.qualify.engine import Qualification
from hil.qualify.outcome import NOT_RUN, PARTLY, SEEN_BY_OTHERS, FaultOutcome, RunOutcome

FILE_NAME = "qualification.json"
LETTERS = {
    "P": Verdict.PASS.value,
    "F": Verdict.FAIL.value,
    "I": Verdict.INCONCLUSIVE.value,
    "E": Verdict.ERROR.value,
    "-": Verdict.NOT_APPLICABLE.value,
    ".": NOT_RUN,
}
"""Cells of the matrix."""
_LETTER = {word: letter for letter, word in LETTERS.items()} | {Verdict.NONE.value: "I"}


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    loaded: dict[str, Any] = json.loads(files("hil.qualify").joinpath("qualification.schema.json").read_text("utf-8"))
    return loaded


def document(found: Qualification, command: str, started: str | None) -> dict[str, Any]:
    """The whole as plain values; equal outcomes give equal ones but for ``command`` and ``started``."""
    info = run_info(found.request.plan, command, started)
    head = {"tool": info.tool, "rig": info.rig, "edition": info.edition, "readings": info.readings, "seed": info.seed}
    whole = {
        "schema": 1,
        **head,
        "command": command,
        "started": started,
        "full": found.request.full,
        "summary": summary(found),
        "reference": {
            "runs": sum(len(case.runs) for case in found.reference),
            "blamed": [_run(run) for run in found.blamed],
            "undecided": [_run(run) for run in found.left_open],
        },
        "faults": [_fault(fault) for fault in found.faults],
        "requirements": _requirements(found),
        "deviations": [_deviation(each) for each in found.deviations],
        "errors": [_run(run) for run in found.errors],
    }
    if found.request.full:
        whole["matrix"] = {
            "requirements": list(found.request.cases),
            "letters": LETTERS,
            "faults": {fault.name: row(found, fault) for fault in found.faults},
        }
    return whole


def summary(found: Qualification) -> dict[str, Any]:
    """The figures."""
    status = [fault.status for fault in found.faults]
    return {
        "faults": len(found.judged),
        "killed": len(found.killed),
        "survived": len(found.survivors),
        "partly": status.count(PARTLY),
        "seen_by_others": status.count(SEEN_BY_OTHERS),
        "undecided": len(found.undecided),
        "infrastructure_error": len(found.broken),
        "not_applicable": len(found.faults) - len(found.judged),
        "reference_blamed": len(found.blamed),
        "reference_undecided": len(found.left_open),
        "requirements": len(found.applicable),
        "requirements_without_fault": len(found.without_fault),
        "limits": len(found.deviations),
        "limits_not_caught": sum(each.caught is None and not each.undecided for each in found.deviations),
        "limits_undecided": sum(bool(each.undecided) for each in found.deviations),
        "sensitivity": None if found.sensitivity is None else round(found.sensitivity, 6),
    }


def row(found: Qualification, fault: FaultOutcome) -> str:
    """One letter for each case."""
    cells = (found.cells.get((fault.name, requirement)) for requirement in found.request.cases)
    return "".join(_LETTER[NOT_RUN if cell is None else cell.verdict.value] for cell in cells)


def _fault(fault: FaultOutcome) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(fault)
    return values


def _run(run: RunOutcome) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(run)
    return values


def _requirements(found: Qualification) -> list[dict[str, Any]]:
    rows = []
    for case in found.reference:
        requirement = requirements()[case.requirement]
        faults = [name for name, fault in found.request.faults.items() if requirement.id in fault.breaks]
        killed = {fault.name for fault in found.faults if requirement.id in fault.killed_by}
        rows.append(
            {
                "id": requirement.id,
                "case": requirement.case,
                "suite": requirement.suite,
                "title": requirement.title,
                "reference": case.verdict.value,
                "reason": case.runs[0].reason if case.verdict is Verdict.NOT_APPLICABLE else "",
                "faults": len(faults),
                "killed": len(killed.intersection(faults)),
            }
        )
    return rows


def _deviation(each: Deviation) -> dict[str, Any]:
    return {
        "name": each.name,
        "limit": each.limit,
        "direction": each.direction,
        "requirement": each.requirement,
        "source": each.source,
        "nominal_ms": each.nominal,
        "tolerance_ms": each.tolerance,
        "caught_ms": each.caught,
        "most_ms": each.most,
        "measured": each.measured,
        "error": each.error,
        "undecided": each.undecided,
    }
