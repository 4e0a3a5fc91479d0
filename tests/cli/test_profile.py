"""``hil profile``: every command, in a folder of its own."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest


def test_generate_list_and_show(shell: Any) -> None:
    made = shell.hil("profile", "generate", "--count", "3", "--seed", "2", "--max-power", "20000", "some")
    assert made.returncode == 0, made.stderr
    files = sorted((shell.path / "some").glob("*.json"))
    assert len(files) == 3
    assert "3, 0 replayed" in made.stdout
    assert json.loads((shell.path / "some" / "coverage" / "generated.json").read_text("utf-8"))["profiles"] == 3
    for path in files:
        for segment in json.loads(path.read_text("utf-8"))["segments"]:
            assert segment["current_a"] * segment["voltage_v"] <= 20_000

    assert "3 in some" in shell.hil("profile", "list", "some").stdout
    shown = shell.hil("profile", "show", str(files[0]), "--plot", "one.svg")
    assert "vehicle car-400v" in shown.stdout
    assert (shell.path / "one.svg").read_text("utf-8").startswith("<svg ")
    known = shell.hil("profile", "list").stdout
    assert all(name in known for name in ("cold-start", "slow-cutoff", "early-fallback", "LP.01", "AP.01"))


def test_replay_tells_what_fails_and_shrink_makes_it_small(shell: Any) -> None:
    shell.hil("profile", "generate", "--family", "quick-steps", "--csv", ".")
    sound = shell.hil("profile", "replay", "quick-steps.csv", "--out", "kept")
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert {path.suffix for path in (shell.path / "kept").iterdir()} == {".log", ".jsonl", ".svg"}

    fault = ("--fault", "loses-quick-demands")
    assert shell.hil("profile", "replay", "quick-steps.csv", *fault).returncode == 1
    shrunk = shell.hil("profile", "shrink", "quick-steps.csv", *fault)
    told, line = shrunk.stdout.splitlines()
    assert told == "LP.01: 31 segments became 2, in quick-steps.smallest.json"
    again = shell.hil(*line.removeprefix("Replay with:  hil ").split())
    assert again.returncode == 1
    assert "reproduced" in again.stdout

    nothing = shell.hil("profile", "shrink", "quick-steps.csv")
    assert nothing.returncode == 2
    assert "nothing to shrink" in nothing.stderr


def test_a_run_s_profile_reproduces_the_violation_at_the_same_instant(shell: Any) -> None:
    run = shell.hil("run", "--case", "LP.09", "--fault", "opens-by-the-clock")
    assert run.returncode == 1
    (case,) = shell.report()["cases"]
    assert case["replay"] in run.stdout
    assert case["profile"] == "profiles/LP.09.json"
    profile = json.loads((shell.path / "report" / case["profile"]).read_text("utf-8"))
    assert profile["found"]["at_ns"] == round(case["decisive_s"] * 1e9)
    assert len(profile["segments"]) <= 3
    page = (shell.path / "report" / "index.html").read_text("utf-8")
    assert "profiles/LP.09.json" in page
    assert '<svg class="plot"' in page

    replayed = shell.hil(*case["replay"].split()[1:])

    assert replayed.returncode == 1
    assert f"reproduced: {case['requirement']}" in replayed.stdout
    assert not (shell.path / ".hypothesis").exists()

    reached = json.loads((shell.path / "report" / "coverage.json").read_text("utf-8"))
    assert reached["sessions"] > 100
    assert "transitions of the charger" in run.stdout
    assert "Generated load profiles" in page
    shell.hil("run", "--case", "DN.3006")
    assert not (shell.path / "report" / "coverage.json").exists(), "of another run"


def test_a_profile_beyond_the_envelope_is_refused_before_anything_moves(shell: Any) -> None:
    shell.hil("profile", "generate", "--family", "quick-steps", ".")

    refused = shell.hil("profile", "replay", "quick-steps.json", "--max-current", "130", "--out", "kept")

    assert refused.returncode == 2
    assert "leaves the envelope 4 s after the first CCS: current 226 A, allowed is 130 A" in refused.stderr
    assert not (shell.path / "kept").exists()


def test_files_of_one_name_keep_evidence_of_their_own(shell: Any) -> None:
    for folder in ("a", "b"):
        made = shell.hil("profile", "generate", "--count", "1", "--seed", "1", folder)
        assert made.returncode == 0, made.stderr
    files = [f"{folder}/car-400v-1-0001.json" for folder in ("a", "b")]

    replayed = shell.hil("profile", "replay", *files, "--out", "kept")

    assert replayed.returncode == 0, replayed.stderr
    kept = sorted(path.name for path in (shell.path / "kept").iterdir())
    names = ("car-400v-1-0001", "car-400v-1-0001-2")
    assert kept == sorted(f"{name}.{suffix}" for name in names for suffix in ("log", "jsonl", "svg"))


def test_search_keeps_the_worst(shell: Any) -> None:
    found = shell.hil("profile", "search", "corpus", "--for", "overshoot", "--minutes", "0.02")
    assert found.returncode == 0, found.stderr
    assert "transitions of the charger" in found.stdout
    assert (shell.path / "corpus" / "coverage" / "search-overshoot.json").exists()
    kept = [json.loads(path.read_text("utf-8")) for path in sorted((shell.path / "corpus").glob("*.json"))]
    scores = [each["found"]["score"] for each in kept]
    assert scores == sorted(scores, reverse=True)


def test_import_maps_columns(shell: Any) -> None:
    (shell.path / "drive.csv").write_text("ts,i\n0,20\n10,30\n30,5\n", "utf-8")

    made = shell.hil("profile", "import", "drive.csv", "drive.json", "--column", "time=ts", "--column", "current=i")

    assert made.returncode == 0, made.stderr
    assert len(json.loads((shell.path / "drive.json").read_text("utf-8"))["segments"]) == 2


def test_a_csv_is_written_and_read_by_its_suffix_with_a_byte_order_mark_too(shell: Any) -> None:
    (shell.path / "drive.csv").write_text("time,current\n0,20\n10,30\n30,5\n", "utf-8")
    assert shell.hil("profile", "import", "drive.csv", "kept.csv").returncode == 0
    text = (shell.path / "kept.csv").read_text("utf-8")
    (shell.path / "kept.csv").write_text(text, "utf-8-sig")

    shown = shell.hil("profile", "show", "kept.csv")

    assert shown.returncode == 0, shown.stderr
    assert "30 s from the first CCS" in shown.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("replay", "none.json"), "cannot read none.json"),
        (("generate", "--family", "cold-stat", "."), "near are cold-start"),
        (("generate", "--vehicle", "boat", "."), "vehicle: no 'boat'"),
        (
            ("generate", "--family", "steps", sys.executable),
            f"{sys.executable}: nothing can be written there (File exis",
        ),
        (("search", "x", "--for", "glory"), "no goal 'glory'"),
        (("search", "x", "--for", "ccs", "--minutes", "0"), "--minutes 0"),
        (("import", "a.csv", "b.json", "--column", "time"), "write NAME=COLUMN"),
    ],
)
def test_misuse_is_told_in_one_line(shell: Any, words: tuple[str, ...], told: str) -> None:
    result = shell.hil("profile", *words)

    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr
