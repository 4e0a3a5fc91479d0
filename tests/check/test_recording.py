"""The shared recording of a real session: what ``hil check`` has to find there, and what it must not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hil.check import Check, check_log
from hil.conformance.verdict import Verdict
from hil.units import ms, s

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("HIL_SHARED_DATA", ROOT.parent / "shared" / "data")) / "gbt27930"
RECORDING = FOLDER / "tyu05_charger_measured_frames.csv"

pytestmark = pytest.mark.skipif(not RECORDING.is_file(), reason=f"no recording at {RECORDING}")


@pytest.fixture(scope="module", params=["default", "field"])
def check(request: pytest.FixtureRequest) -> Check:
    return check_log(RECORDING, preset=None if request.param == "default" else "field")


def test_every_row_is_read(check: Check) -> None:
    assert (check.frames, check.judged) == (1149, 1149)
    assert check.notes == []
    assert check.resolution == ms(100)
    assert (check.show(check.start), check.show(check.end)) == ("54:16.5", "54:47.0")


def test_the_charger_falls_silent(check: Check) -> None:
    silent = [each for each in check.failed if each.requirement == "MON/SILENCE.CCS"]
    assert [(each.side, check.show(each.at)) for each in silent] == [("charger", "54:35.1")]
    assert silent[0].seen == "silent for 900 ms"
    unanswered = [each for each in check.failed if each.requirement == "MON/TP.answer"]
    assert [each.side for each in unanswered] == ["charger"]


def test_bem_3905_follows(check: Check) -> None:
    (report,) = check.reports
    assert (report.side, report.message, report.spn, report.timeout) == ("bms", "BEM", 3905, "T18")
    assert check.show(report.at) == "54:36.0"
    assert report.after == ms(900)


def test_nine_tenths_of_a_second_convict_nobody(check: Check) -> None:
    timeouts = [each for each in check.findings if each.requirement.startswith("MON/TIMEOUT")]
    assert {each.verdict for each in timeouts} <= {Verdict.INCONCLUSIVE}
    assert not [each for each in check.failed if each.side == "bms"]
    assert not [each for each in check.failed if each.requirement.startswith("MON/PERIOD")]


def test_a_finer_clock_would_convict() -> None:
    check = check_log(RECORDING, resolution=ms(1))
    assert "MON/TIMEOUT.T18" in {each.requirement for each in check.failed if each.side == "bms"}


def test_one_missing_acknowledgement_is_found(check: Check) -> None:
    (found,) = [each for each in check.failed if each.requirement == "MON/TP.acknowledge"]
    assert (found.side, check.show(found.at)) == ("charger", "54:20.6")


def test_the_states_of_both_sides(check: Check) -> None:
    states = {side: [run.state for run in check.runs if run.side == side] for side in ("charger", "bms")}
    assert states["charger"] == ["CHM", "CRM00", "CRMAA", "CML", "CROAA", "CCS"]
    assert states["bms"] == ["BHM", "BRM", "BCP", "BRO00", "BROAA", "BCL", "BEM"]
    last = [run for run in check.runs if run.state == "CCS"][-1]
    assert check.end - last.end > s(11)
