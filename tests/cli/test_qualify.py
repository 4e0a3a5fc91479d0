"""`hil qualify`, end to end: what it shows, what it leaves, how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SOME = ("--fault", "lost-bcl-late", "--fault", "chm-short")


def document(shell: Any, out: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((shell.path / out / "qualification.json").read_text("utf-8"))
    for key in ("command", "started"):
        del loaded[key]
    return loaded


def test_some_faults(shell: Any) -> None:
    done = shell.hil("qualify", *SOME)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("3 cases, 2 seeded faults, 0 limits on rig virtual, GB/T 27930-2015, seed 0: 6 jobs in ")
    assert lines[-2] == "2 of 2 seeded faults killed, reference not blamed"
    assert lines[-1] == f"report: {shell.path / 'report' / 'qualification.html'}"
    assert done.stderr == ""
    assert sorted(path.name for path in (shell.path / "report").iterdir()) == [
        "qualification.html",
        "qualification.json",
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
def test_a_full_disk_under_the_output_loses_no_report(shell: Any) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hil.cli", "qualify", "--fault", "lost-bcl-late", "-n", "1", "--out", "full"],
            cwd=shell.path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    told = ["error: standard output cannot be written: No space left on device"]
    assert (done.returncode, done.stderr.splitlines()) == (3, told)
    assert document(shell, "full")["summary"]["killed"] == 1
    assert (shell.path / "full" / "qualification.html").is_file()


def test_workers_and_hash_seeds_change_nothing(shell: Any) -> None:
    what = ("--case", "DP.1001", "--case", "DN.2009")
    shell.hil("qualify", *what, "-n", "1", "--out", "one", PYTHONHASHSEED="1")
    shell.hil("qualify", *what, "-n", "3", "--out", "two", PYTHONHASHSEED="2")
    assert document(shell, "one") == document(shell, "two")


def test_the_command_is_kept(shell: Any) -> None:
    shell.hil("qualify", *SOME, "--full", "--seed", "5", "--out", "here")
    kept = json.loads((shell.path / "here" / "qualification.json").read_text("utf-8"))["command"]
    assert kept == "hil qualify --seed 5 --fault lost-bcl-late --fault chm-short --out here --full"


def test_usage_errors(shell: Any) -> None:
    done = shell.hil("qualify", "--fault", "lost-bcl-lat")
    assert done.returncode == 2
    assert "did you mean lost-bcl-late" in done.stderr
    assert list(shell.path.iterdir()) == []
