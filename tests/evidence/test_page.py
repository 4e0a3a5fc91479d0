"""The page: complete, self-contained, and inert whatever the results say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import jsonschema
import msgspec
import pytest

from hil.conformance.verdict import CaseResult, Measurement, Verdict
from hil.evidence.curves import Curves, Mark, collect
from hil.evidence.document import schema
from hil.evidence.plot import draw, intervals, points
from hil.evidence.report import write_reports
from hil.evidence.run import RunInfo
from hil.evidence.trace import TraceWriter
from hil.protocol.gbt27930 import MessageSet
from hil.units import ms, s
from hil.world.observation import Observation, Sample

VOID = {"meta", "link", "br", "input", "hr", "img"}


class Page(HTMLParser):
    """Collects what the tests ask about, and checks that elements close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.scripts = 0
        self.runs: list[str] = []
        self.plots = 0
        self.handlers: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in VOID:
            self._open.append(tag)
        if values.get("id"):
            self.ids.append(values["id"] or "")
        if tag == "details":
            self.runs.append(values["id"] or "")
        self.scripts += tag == "script"
        self.plots += tag == "svg"
        self.links.extend(value or "" for name, value in attrs if name in ("href", "src", "action", "srcset", "poster"))
        self.handlers.extend(name for name, _ in attrs if name.startswith("on"))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text.append(data)


@pytest.fixture
def html(tmp_path: Path, info: RunInfo, results: list[CaseResult]) -> str:
    write_reports(tmp_path, info, results)
    return (tmp_path / "index.html").read_text("utf-8")


def test_nothing_is_loaded_from_elsewhere(html: str) -> None:
    page = Page(html)
    assert "url(" not in html
    assert "@import" not in html
    for link in page.links:
        assert link.startswith(("#", "./")), link
    assert page.scripts == 1


def test_every_run_has_its_section_and_every_link_its_target(
    html: str, tmp_path: Path, results: list[CaseResult]
) -> None:
    page = Page(html)
    assert len(page.runs) == len(results)
    assert len(set(page.ids)) == len(page.ids)
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert (tmp_path / link).is_file()
    inside = [link[1:] for link in page.links if link.startswith("#run-")]
    assert set(inside) == set(page.runs)


def test_what_results_say_is_inert(tmp_path: Path, info: RunInfo, failed: Callable[..., CaseResult]) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>"
    texts = dict.fromkeys(("id", "variant", "purpose", "reason", "source", "suite", "requirement", "repeat"), evil)
    places = {"trace": f"traces/{evil}.log", "stream": "../../etc/passwd"}
    told = failed(**texts, **places, reading=f"{evil}=x", faults_fired=[evil])
    hostile = msgspec.structs.replace(info, command=evil, dut={"name": evil}, faults=[evil], readings={evil: evil})
    write_reports(tmp_path, hostile, [told])
    page = Page((tmp_path / "index.html").read_text("utf-8"))
    assert page.scripts == 1
    assert page.handlers == []
    assert "".join(page.text).count(evil) > 8
    assert all(link.startswith(("#", "./")) and ".." not in link for link in page.links)


def test_the_reader_finds_what_happened(html: str) -> None:
    text = " ".join(" ".join(Page(html).text).split())
    for part in (
        "Conformance report: reference charger",
        "hil run --seed 0",
        "operator Li Wei",
        "python-can 4.6.1",
        "virtual bus in simulated time",
        "What needs attention",
        "1.402 s",
        "0.99 .. 1.2 s",
        "bcl: timeout (01)",
        "two or more independent sources agree",
        "battery management system",
        "Charging demand",
        "the rig has no <script>alert(1)</script> & meter",
        "hil run --case DN.3006 --seed 0",
        "PERIOD.CCS",
        "1 seen beside",
    ):
        assert part in text


def test_a_value_shows_how_unsure_it_is(tmp_path: Path, info: RunInfo, failed: Callable[..., CaseResult]) -> None:
    unsure = Measurement("time", 1.0005, "s", 0.99, 1.2, Verdict.INCONCLUSIVE, 1, uncertainty=0.01092)
    write_reports(tmp_path, info, [failed(measurements=[unsure])])
    assert "1.0005 s ± 0.0109 s" in " ".join(" ".join(Page((tmp_path / "index.html").read_text("utf-8")).text).split())


def test_plots_only_where_current_was_asked_for(html: str) -> None:
    assert Page(html).plots == 2


def test_seeded_faults_are_announced(tmp_path: Path, info: RunInfo, results: list[CaseResult]) -> None:
    write_reports(tmp_path, msgspec.structs.replace(info, faults=["late_bcl_timeout"]), results)
    assert "late_bcl_timeout" in (tmp_path / "index.html").read_text("utf-8")


def test_an_empty_run_is_no_pass(tmp_path: Path, info: RunInfo) -> None:
    write_reports(tmp_path, info, [])
    text = " ".join(Page((tmp_path / "index.html").read_text("utf-8")).text)
    assert "Nothing was judged" in text


def test_many_runs_stay_small(
    tmp_path: Path, info: RunInfo, result: Callable[..., CaseResult], observations: list[Observation]
) -> None:
    with TraceWriter(tmp_path / "traces", "one") as writer:
        writer.write(observations)
    stream = writer.stream_path.relative_to(tmp_path).as_posix()
    write_reports(tmp_path, info, [result(id=f"DN.{n}", stream=stream) for n in range(120)])
    assert (tmp_path / "index.html").stat().st_size < 6_000_000


def test_curves_of_a_session(observations: list[Observation], messages: MessageSet) -> None:
    curves = collect(observations, messages, s(5) + ms(500))
    assert isinstance(curves, Curves)
    assert curves.current.demand == [(s(1), 120.0)]
    assert curves.voltage.demand == [(s(1), 650.0)]
    assert {(whose, value) for whose, _, value in curves.current.limits} == {("BCP", 250.0), ("CML", 250.0)}
    assert {(whose, value) for whose, _, value in curves.voltage.limits} == {("BCP", 700.0), ("CML", 750.0)}
    assert [(mark.label, mark.kind) for mark in curves.marks] == [
        ("stimulus", "stimulus"),
        ("first CEM", "message"),
        ("decisive", "decisive"),
    ]
    assert curves.demand_end == s(4)


def test_voltage_alone_is_drawn_where_it_was_judged(messages: MessageSet) -> None:
    seen: list[Observation] = [Sample(ms(n), "output_voltage", 500.0, 490.0, 510.0) for n in range(10)]
    assert collect(seen, messages, None) is None
    curves = collect(seen, messages, None, electrical=True)
    assert curves is not None
    assert "<svg" in draw(curves)


def test_decimation_keeps_extremes() -> None:
    samples = [(n, float(n % 7), n % 7 - 0.5, n % 7 + 0.5) for n in range(100_000)]
    samples[54_321] = (54_321, 3.0, -99.0, 3.5)
    samples[77_777] = (77_777, 3.0, 2.5, 444.0)
    kept = intervals(samples)
    assert len(kept) <= 200
    assert min(low for _, _, low, _ in kept) == -99.0
    assert max(high for _, _, _, high in kept) == 444.0
    assert (kept[0][0], kept[-1][1]) == (0, 99_999)
    assert all(before[1] == after[0] for before, after in pairwise(kept))
    curve = [(n, value) for n, value, _, _ in samples]
    curve[33_333] = (33_333, 1000.0)
    few = points(curve)
    assert len(few) <= 400
    assert few == sorted(few)
    assert max(value for _, value in few) == 1000.0
    assert few[-1] == curve[-1]


def test_extremes_hold_for_the_time_before_their_sample() -> None:
    assert intervals([(0, 0.0, 0.0, 0.0), (10, 100.0, 0.0, 103.0)]) == [(0, 10, 0.0, 103.0)]


def test_few_points_stay_as_they_are() -> None:
    curve = [(n, 1.0) for n in range(400)]
    assert points(curve) == curve


def test_a_signal_at_rest_is_drawn_to_the_end(messages: MessageSet) -> None:
    seen: list[Observation] = [
        Sample(0, "output_current", 0.0, 0.0, 0.0),
        Sample(s(50), "output_current", 80.0, 0.0, 80.0),
        Sample(s(51), "output_current", 0.0, 0.0, 80.0),
        Sample(s(100), "soc", 50.0, 50.0, 50.0),
    ]
    curves = collect(seen, messages, None)
    assert curves is not None
    line = draw(curves).split('class="output" d="M')[1].split('"')[0].split("L")
    assert float(line[0].split()[0]) == 56.0
    assert float(line[-1].split()[0]) == 888.0
    assert line[0].split()[1] == line[-1].split()[1]


INSTRUMENT = {
    "name": "meter",
    "kind": "modbus",
    "map": "acrel-djsf1352",
    "serial": "20260017",
    "calibrated": "2026-03-01",
    "port": "rs485",
    "poll_s": 0.1,
    "measures": {
        "voltage": {"unit": "V", "absolute": 0.2, "relative": 0.0005},
        "energy": {"unit": "kWh", "absolute": 0.0, "relative": 0.002},
    },
}


def test_the_instruments_of_the_rig_are_told_with_what_makes_them_believed(info: RunInfo, tmp_path: Path) -> None:
    measured = msgspec.structs.replace(info, rig={**info.rig, "instruments": [INSTRUMENT]})
    write_reports(tmp_path, measured, [])
    page = (tmp_path / "index.html").read_text("utf-8")
    jsonschema.Draft202012Validator(schema()).validate(json.loads((tmp_path / "conformance.json").read_text("utf-8")))

    assert '<section class="card wide"><h3>Instruments of the rig</h3>' in page
    assert "serial number 20260017; calibrated 2026-03-01; at port rs485; asked every 100 ms" in page
    assert "voltage ± (0.2 V + 0.05 % of the value); energy ± 0.2 % of the value" in page
    assert "Instruments of the rig" not in _page_without(info, tmp_path)


def _page_without(info: RunInfo, folder: Path) -> str:
    write_reports(folder, info, [])
    return (folder / "index.html").read_text("utf-8")


def test_long_facts_take_the_page_s_width_and_short_ones_do_not(info: RunInfo, tmp_path: Path) -> None:
    write_reports(tmp_path, info, [], [("profiles", "3"), ("events", ", ".join(f"event {n} {n}" for n in range(40)))])
    page = (tmp_path / "index.html").read_text("utf-8")

    assert '<section class="card wide"><h3>Generated load profiles</h3>' in page
    assert '<section class="card"><h3>Rig</h3>' in page
    assert ".card.wide { grid-column: 1 / -1; }" in page


def test_the_decisive_mark_keeps_its_name_where_many_marks_stand_together(
    observations: list[Observation], messages: MessageSet
) -> None:
    curves = collect(observations, messages, s(4) + ms(3))
    assert curves is not None
    crowd = [Mark(s(4) + ms(number), f"stimulus {number}", "stimulus") for number in range(6)]
    curves.marks = [*crowd, Mark(s(4) + ms(3), "decisive", "decisive")]
    drawn = draw(curves)
    named = re.findall(r'<text class="mark [a-z]+"[^>]*>([^<]+)<', drawn)
    assert named == ["stimulus 1", "stimulus 0", "decisive"], "three rows, and the decisive one above the others"
    assert drawn.count("<title>") == 7
