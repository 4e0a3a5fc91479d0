"""``hil profile`` for AC charging points: the same commands, options and outputs as for load profiles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from hil.cli.app import app
from hil.profile.ac.files import load, save
from hil.profile.ac.model import AcEvent, AcProfile, AcSegment

LEFT_ALONE = AcProfile(
    name="left alone",
    segments=(
        AcSegment(duration=8.0, limit=20.0, events=(AcEvent(do="rest", at=6.0), AcEvent(do="want", at=7.0))),
        AcSegment(duration=9.0, limit=13.0),
        AcSegment(duration=70.0, limit=None),
        AcSegment(duration=6.0, limit=6.0, events=(AcEvent(do="leak", at=1.0, lasts=2.0),)),
    ),
)
"""Silence for longer than a limit is valid: a charger that never falls back to its safe current shows."""
NEVER = ("--fault", "ac-never-safe")


@pytest.fixture
def profile(shell: Any) -> str:
    """The profile in a folder with another one."""
    save(LEFT_ALONE, shell.path / "some" / "alone.json")
    save(AcProfile(name="plain", segments=(AcSegment(duration=10.0, limit=16.0),)), shell.path / "some" / "plain.json")
    return "some/alone.json"


def test_generated_profiles_of_a_folder_are_replayed_in_one_line_each(shell: Any) -> None:
    words = ("--bench", "ac", "--interface", "console", "--count", "4", "--seed", "3")
    made = shell.hil("profile", "generate", *words, "some")
    assert made.returncode == 0, made.stderr
    assert "4 profiles in some" in made.stdout
    assert {load(path).interface for path in (shell.path / "some").iterdir()} == {"console"}

    sound = shell.hil("profile", "replay", "some")

    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert [line.split()[:2] for line in sound.stdout.splitlines()] == [
        *(["pass", f"some/ac-3-000{number}.json"] for number in range(1, 5)),
        ["4", "profiles:"],
    ]


def test_a_folder_of_both_kinds_is_listed_and_as_bad_as_its_worst(shell: Any, profile: str) -> None:
    assert shell.hil("profile", "generate", "--family", "quick-steps", "--csv", "some").returncode == 0
    (shell.path / "some" / "table.csv").write_text("time,current\n0,20\n", "utf-8")

    listed = shell.hil("profile", "list", "some")
    replayed = shell.hil("profile", "replay", "some", *NEVER)

    names = ["alone.json", "plain.json", "quick-steps.csv"]
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == [*names, "3"]
    assert "AC, registers" in listed.stdout

    assert replayed.returncode == 1, replayed.stderr
    alone, plain, quick, count = replayed.stdout.splitlines()
    assert alone.split()[:2] == ["fail", "some/alone.json"]
    assert "AP.05: highest duty cycle after the validity: 21.6667 %, allowed is at most 17.6667 %, at 82." in alone
    assert plain.split() == ["pass", "some/plain.json", "plain"]
    assert quick.split()[:2] == ["pass", "some/quick-steps.csv"]
    assert count == "3 profiles: 2 pass, 1 fail"
    (shell.path / "none").mkdir()
    empty = shell.hil("profile", "replay", "none")
    assert (empty.returncode, empty.stderr) == (2, "error: no profile in the folder none\n")


def test_a_profile_is_told_case_by_case_with_its_evidence(shell: Any, profile: str) -> None:
    replayed = shell.hil("profile", "replay", profile, *NEVER, "--out", "kept", "--rig", "virtual-instruments")

    assert replayed.returncode == 1, replayed.stderr
    assert f"{profile}  left alone" in replayed.stdout
    assert "AP.05  fail " in replayed.stdout
    assert "AP.01  pass (advisory)" in replayed.stdout
    assert "AP.07  inconclusive (advisory)" in replayed.stdout, "within the uncertainty of the rig's meter"
    assert {path.name for path in (shell.path / "kept").iterdir()} == {"alone.log", "alone.jsonl", "alone.svg"}
    seen = (shell.path / "kept" / "alone.jsonl").read_text("utf-8")
    assert "segments[2] limit none" in seen
    plot = (shell.path / "kept" / "alone.svg").read_text("utf-8")
    assert 'class="demand"' in plot, "the limit over time"
    assert ">silent<" in plot


def test_a_failing_profile_is_made_small_and_its_line_reproduces_it(shell: Any, profile: str) -> None:
    shrunk = shell.hil("profile", "shrink", profile, *NEVER)

    assert shrunk.returncode == 0, shrunk.stderr
    told, line = shrunk.stdout.splitlines()
    assert told == "AP.05: 4 segments became 2, in some/alone.smallest.json"
    smallest = load(shell.path / "some" / "alone.smallest.json")
    assert [each.limit for each in smallest.segments] == [16.0, None]
    assert not any(each.events for each in smallest.segments)
    command = line.removeprefix("Replay with:  hil ").split()
    assert command == ["profile", "replay", "some/alone.smallest.json", *NEVER]
    again = shell.hil(*command)
    assert again.returncode == 1
    assert "reproduced: ACPROFILE/AP.05, highest duty cycle after the validity, at " in again.stdout
    sound = shell.hil("profile", "shrink", profile)
    assert sound.returncode == 2
    assert "the profile does not fail any invariant on this rig: there is nothing to shrink" in sound.stderr


def test_a_profile_is_shown_and_drawn(shell: Any, profile: str) -> None:
    shown = shell.hil("profile", "show", profile, "--plot", "alone.svg")

    assert shown.returncode == 0, shown.stderr
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert lines[1] == ["AC,", "limits", "over", "registers,", "93", "s", "from", "the", "authorisation"]
    assert lines[3] == ["0", "8", "20", "rest", "@6;", "want", "@7"]
    assert lines[5] == ["17", "70", "silent"]
    assert lines[6] == ["87", "6", "6", "leak", "for_s=2.0", "@1"]
    plot = (shell.path / "alone.svg").read_text("utf-8")
    assert plot.startswith("<svg ")
    assert all(f">{mark}<" in plot for mark in ("rest", "want", "silent", "leak"))


def test_a_search_keeps_the_worst_and_goes_on_from_them(shell: Any) -> None:
    words = ("profile", "search", "corpus", "--bench", "ac", "--for", "limit", "--minutes", "0.01")
    assert shell.hil(*words).returncode == 0
    found = shell.hil(*words, "--seed", "1")

    assert found.returncode == 0, found.stderr
    assert "in corpus" in found.stdout
    kept = [json.loads(path.read_text("utf-8")) for path in sorted((shell.path / "corpus").glob("limit-*.json"))]
    scores = [each["found"]["score"] for each in kept]
    assert scores
    assert scores == sorted(scores, reverse=True)
    assert {each["found"]["requirement"] for each in kept} == {"ACPROFILE/AP.01"}
    assert {each["kind"] for each in kept} == {"ac"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("generate", "--bench", "dc", "new"), "--bench dc: allowed is gbt27930 or ac"),
        (
            ("generate", "--bench", "ac", "--csv", "--max-power", "3", "--coverage", "new"),
            "--max-power, --csv, --coverage: AC profiles know no such thing",
        ),
        (("generate", "--interface", "console", "new"), "--interface console: it is for --bench ac"),
        (
            ("generate", "--bench", "ac", "--interface", "telex", "new"),
            "--interface telex: allowed is signals, registers, console",
        ),
        (("search", "new", "--bench", "ac", "--for", "overshoot"), "no goal 'overshoot'; there are limit, overcurrent"),
        (("search", "new", "--bench", "ac", "--for", "meter", "--vehicle", "x"), "--vehicle: AC profiles know no"),
        (("replay", "some/alone.json", "none.json"), "cannot read none.json"),
        (("shrink", "some/alone.json", "--case", "LP.01"), "no case 'LP.01'; there are AP.01, "),
        (
            ("replay", "some", "--max-current", "13"),
            "profile 'left alone' leaves the envelope 0 us after the authorisation: current 20 A, allowed is 13 A",
        ),
        (("shrink", "some/alone.json", "--rig", "modbus-wallbox"), "has a real charger: it only replays profiles"),
    ],
)
def test_misuse_is_told_in_one_line_before_anything_is_done(
    shell: Any, profile: str, words: tuple[str, ...], told: str, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(shell.path)
    with pytest.raises(SystemExit) as left:
        typer.main.get_command(app)(["profile", *words], prog_name="hil")
    assert left.value.code == 2
    out, error = capsys.readouterr()
    assert told in error
    assert out == ""
    assert not Path("new").exists()
