"""``qualification.json``, its schema, and the page."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hil.errors import HilError
from hil.qualify import KNOBS, Qualification, qualify
from hil.qualify.document import document, schema
from hil.qualify.show import headline, write
from tests.qualify.conftest import BCL_LOST, CHM, SOME, Make, breaking, cases, fault, harmless, library


@pytest.fixture
def whole(request_for: Make) -> Qualification:
    """One of each: killed, survived, an error, a limit; the full matrix."""
    faults = {**library(*SOME), **fault("harmless", harmless), **fault("broken", breaking)}
    knobs = {"T8 early": KNOBS["T8 early"]}
    return qualify(request_for(faults, cases(CHM, BCL_LOST), knobs=knobs, full=True))


@pytest.fixture
def values(whole: Qualification) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json.dumps(document(whole, "hil qualify", None)))
    return loaded


def validate(values: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema()).validate(values)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_a_real_document_fits_the_schema(values: dict[str, Any], small: Qualification) -> None:
    validate(values)
    validate(json.loads(json.dumps(document(small, "hil qualify", "2026-01-31T12:00:00+00:00"))))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda doc: doc.update(schema=2), id="other version"),
        pytest.param(lambda doc: doc.update(extra=1), id="unknown key"),
        pytest.param(lambda doc: doc["summary"].pop("killed"), id="no count"),
        pytest.param(lambda doc: doc["summary"].update(sensitivity=1.5), id="more than all"),
        pytest.param(lambda doc: doc["faults"][0].update(status="dead"), id="unknown status"),
        pytest.param(lambda doc: doc["faults"][0].update(killed_by=[]), id="killed by nobody"),
        pytest.param(lambda doc: doc["faults"][0].update(kind="bad luck"), id="unknown kind"),
        pytest.param(lambda doc: doc["faults"][0].update(breaks=[]), id="breaks nothing"),
        pytest.param(lambda doc: doc["deviations"][0].update(direction="sideways"), id="unknown direction"),
        pytest.param(lambda doc: doc["deviations"][0].update(caught_ms=10.5), id="part of a millisecond"),
        pytest.param(lambda doc: doc["matrix"]["faults"].update(x="PFX"), id="unknown letter"),
        pytest.param(lambda doc: doc.pop("matrix"), id="full without matrix"),
        pytest.param(lambda doc: doc.update(full=False), id="matrix though not full"),
        pytest.param(lambda doc: doc["rig"].update(virtual=False), id="a rig that is not virtual"),
        pytest.param(lambda doc: doc["requirements"][0].update(reference="good"), id="unknown verdict"),
    ],
)
def test_a_broken_document_does_not_fit(values: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> None:
    broken = copy.deepcopy(values)
    change(broken)
    with pytest.raises(jsonschema.ValidationError):
        validate(broken)


def test_the_figures(values: dict[str, Any]) -> None:
    summary = values["summary"]
    assert (summary["faults"], summary["killed"], summary["survived"], summary["infrastructure_error"]) == (6, 4, 1, 1)
    assert summary["sensitivity"] == pytest.approx(4 / 6, abs=1e-6)
    assert (summary["reference_blamed"], summary["requirements"], summary["requirements_without_fault"]) == (0, 2, 0)
    assert (summary["limits"], summary["limits_not_caught"]) == (1, 0)
    status = [each["status"] for each in values["faults"]]
    assert status.count("killed") == summary["killed"]
    assert len(values["errors"]) == 2  # the broken edit, with either case


def test_the_matrix_has_a_letter_for_every_case(values: dict[str, Any]) -> None:
    matrix = values["matrix"]
    assert matrix["requirements"] == [CHM, BCL_LOST]
    assert matrix["faults"]["chm-too-fast"] == "FP"
    assert matrix["faults"]["lost-bcl-late"] == "PF"
    assert matrix["faults"]["harmless"] == "PP"
    assert matrix["faults"]["broken"] == "EE"


def test_without_the_whole_matrix_there_is_none(small: Qualification) -> None:
    assert "matrix" not in document(small, "hil qualify", None)


def test_a_requirement_that_no_fault_breaks_is_told(request_for: Make) -> None:
    found = qualify(request_for(library("chm-too-fast"), cases(CHM, BCL_LOST)))
    assert found.without_fault == [BCL_LOST]
    row = next(each for each in document(found, "", None)["requirements"] if each["id"] == BCL_LOST)
    assert (row["faults"], row["killed"], row["reference"]) == (0, 0, "pass")


def test_a_deviation_tells_limit_tolerance_and_what_convicts(values: dict[str, Any]) -> None:
    (found,) = values["deviations"]
    assert (found["name"], found["direction"], found["requirement"]) == ("T8 early", "early", BCL_LOST)
    assert (found["nominal_ms"], found["tolerance_ms"]) == (1000, 10)
    assert found["caught_ms"] in (10, 11)
    assert found["measured"].startswith("time to the first CEM: 0.989")


def test_the_headline_tells_what_matters(whole: Qualification, small: Qualification) -> None:
    assert headline(small) == "4 of 4 seeded faults killed, reference not blamed"
    assert headline(whole) == (
        "4 of 6 seeded faults killed, 1 survived, 1 not judged for an error on our side, reference not blamed"
    )


# --- the page ---------------------------------------------------------------------------------------


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture
def page(whole: Qualification, tmp_path: Path) -> str:
    return write(whole, tmp_path, "hil qualify", None).read_text("utf-8")


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    tags = _Page(page).tags
    assert {tag for tag, _ in tags}.isdisjoint({"link", "img", "iframe", "object", "embed"})
    assert not [attrs for _, attrs in tags if {"src", "href", "action", "data"} & attrs.keys()]
    assert not re.search(r"https?://|url\(|@import|fetch\(|XMLHttpRequest", page)


def test_every_fault_has_a_row_and_every_case_a_cell(page: str) -> None:
    rows = re.findall(r'<tr class="(\w+)" data-kind="(\w+)".*?<th scope="row">([\w.-]+)</th>(.*?)</tr>', page)
    # By the first case that they name: those of CHM before those of a lost BCL.
    assert [name for _, _, name, _ in rows] == [
        *("chm-too-fast", "chm-short", "harmless", "broken", "lost-bcl-late", "lost-bcl-never")
    ]
    cells = {name: re.findall(r'<td(?: class="c_(.)")?>', text) for _, _, name, text in rows}
    assert cells["chm-too-fast"] == ["K", "P"]
    assert cells["harmless"] == ["M", "P"]
    assert cells["broken"] == ["E", "E"]
    assert {name: status for status, _, name, _ in rows}["harmless"] == "survived"


def test_text_from_outside_is_escaped(request_for: Make, tmp_path: Path) -> None:
    nasty = fault("nasty", harmless)
    nasty["nasty"] = type(nasty["nasty"])("nasty", (CHM,), "<script>alert(1)</script> & \"'", "timing", harmless)
    found = qualify(request_for(nasty, cases(CHM)))
    text = write(found, tmp_path, "hil qualify --out '<b>'", None).read_text("utf-8")
    assert "<script>alert" not in text
    assert "<b>'" not in text


def test_a_folder_that_refuses_is_told(small: Qualification, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HilError, match="choose another folder with --out"):
        write(small, tmp_path / "file", "hil qualify", None)
