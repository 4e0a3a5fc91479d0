"""``qualification.html``: the matrix of cases by faults and what came of it, on one page that opens offline."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import jinja2

from hil.conformance.catalogue import requirements
from hil.qualify.document import LETTERS, row
from hil.qualify.engine import Qualification
from hil.qualify.outcome import STATUSES

FILE_NAME = "qualification.html"
_CELLS = {
    "K": ("killed", "the case fails, and the fault names it"),
    "M": ("missed", "the fault names the case, which does not fail"),
    "S": ("seen", "the case fails, though the fault does not name it"),
    "P": ("pass", "the case passes, and the fault does not name it"),
    "I": ("inconclusive", "the case comes to no judgement, and the fault does not name it"),
    "E": ("error", "the run went wrong on our side"),
    "-": ("not applicable", "the case does not apply to the rig"),
    ".": ("not run", "only the named cases were run with this fault"),
}
"""Classes of cells: word and meaning."""


def render(found: Qualification, whole: dict[str, Any]) -> str:
    """The page of a qualification, of which ``whole`` is the document."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(files("hil.qualify").joinpath("qualification.html.j2").read_text("utf-8"))
    known = requirements()
    place = {name: number for number, name in enumerate(found.request.cases)}
    faults = [
        {
            "name": fault.name,
            "kind": fault.kind,
            "status": fault.status,
            "summary": fault.summary,
            "detail": fault.detail,
            "cells": _cells(found, index),
        }
        for index, fault in sorted(enumerate(found.faults), key=lambda each: place[each[1].breaks[0]])
    ]
    cases = [{"case": known[name].case, "title": known[name].title, "id": name} for name in found.request.cases]
    return template.render(
        page=whole,
        deviations=found.deviations,
        faults=faults,
        cases=cases,
        escaped=[*found.survivors, *found.broken],
        undecided=found.undecided,
        without_fault=found.without_fault,
        kinds=sorted({fault.kind for fault in found.faults}),
        statuses={status: text for status, text in STATUSES.items() if any(f.status == status for f in found.faults)},
        legend=_CELLS,
        good=found.exit_code == 0,
    )


def _cells(found: Qualification, index: int) -> str:
    fault = found.faults[index]
    letters = []
    for requirement, letter in zip(found.request.cases, row(found, fault), strict=True):
        named = requirement in fault.breaks
        if LETTERS[letter] == "fail":
            letters.append("K" if named else "S")
        elif named and LETTERS[letter] in ("pass", "inconclusive"):
            letters.append("M")
        else:
            letters.append(letter)
    return "".join(letters)
