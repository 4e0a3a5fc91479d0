"""What becomes of a case, by what it does."""

from __future__ import annotations

import re
from typing import Any

import pytest

CASES = '''
from hil.bench.judge import CheckFailed, Inconclusive
from hil.cases import Bench, first, limit, requirement, silence
from hil.protocol.gbt27930 import BCL, BRO

def measured(bench, value):
    bench.check("value", value, equals=1)

@requirement("GBT34658-2017/DP.1001")
def test_passes(bench: Bench) -> None:
    """TP: passes.

    More is told here.
    """
    measured(bench, 1)

@requirement("GBT34658-2017/DP.1002")
def test_measures_wrong(bench: Bench) -> None:
    measured(bench, 2)

@requirement("GBT34658-2017/DP.1003")
def test_breaks_a_check(bench: Bench) -> None:
    measured(bench, 1)
    raise CheckFailed("nothing further")

@requirement("GBT34658-2017/DN.1001")
def test_asserts(bench: Bench) -> None:
    measured(bench, 1)
    assert bench.now == 5

@requirement("GBT34658-2017/DN.1003")
def test_does_not_get_there(bench: Bench) -> None:
    measured(bench, 1)
    raise Inconclusive("never got there")

@requirement("GBT34658-2017/DN.1004")
def test_measures_nothing(bench: Bench) -> None:
    bench.let(1000)

@requirement("GBT34658-2017/DP.2001")
def test_stimulus_never_fires(bench: Bench) -> None:
    bench.on(first(BRO), silence(BCL), name="silence BCL")
    measured(bench, 1)

@requirement("GBT34658-2017/DP.2002")
def test_fails_although_a_stimulus_never_fired(bench: Bench) -> None:
    bench.on(first(BRO), silence(BCL))
    measured(bench, 2)

@requirement("GBT34658-2017/DP.2003")
def test_breaks_down(bench: Bench) -> None:
    measured(bench, 2)
    return 1 / 0

@requirement("GBT34658-2017/DN.2001")
def test_misuses_the_bench(bench: Bench) -> None:
    limit("no such limit")

@requirement("GBT27930-2015/LL.01")
def test_is_advisory_only(bench: Bench) -> None:
    measured(bench, 2)

@requirement("GBT34657.1-2017/D0.0001")
def test_takes_a_person(bench: Bench) -> None:
    measured(bench, 1)

def test_of_somebody_else() -> None:
    pass
'''
EXPECTED = {
    "DP.1001": ("pass", ""),
    "DP.1002": ("fail", "value: 2, allowed is exactly 1 (expected 1)"),
    "DP.1003": ("fail", "nothing further"),
    "DN.1001": ("fail", "assert 0 == 5"),
    "DN.1003": ("inconclusive", "never got there"),
    "DN.1004": ("inconclusive", "nothing was measured"),
    "DP.2001": ("inconclusive", "the stimulus 'silence BCL' did not come about"),
    "DP.2002": ("fail", "value: 2, allowed is exactly 1 (expected 1)"),
    "DP.2003": ("error", "ZeroDivisionError: division by zero"),
    "DN.2001": ("error", "limits.toml has no 'no such limit' in spans"),
    "LL.01": ("fail", "value: 2"),
    "D0.0001": ("not_applicable", "rig virtual has no inspection"),
}


def test_every_outcome_has_its_verdict(folder: Any) -> None:
    folder.write("test_own.py", CASES)
    done = folder.pytest("-rA")
    cases = {case["id"]: case for case in folder.report()["cases"]}
    assert {identifier: case["verdict"] for identifier, case in cases.items()} == {
        identifier: verdict for identifier, (verdict, _) in EXPECTED.items()
    }
    for identifier, (_, reason) in EXPECTED.items():
        assert cases[identifier]["reason"].startswith(reason), identifier
    assert cases["DP.1001"]["purpose"] == "passes."
    assert done.returncode == 1
    # The table, a story and the way to repeat it; pytest counts by verdict and lets advisory findings pass.
    assert re.search(r"^LL\.01 +fail \(advisory\) +value: 2  \(exactly 1\)", done.stdout, re.MULTILINE)
    assert "Repeat with:  hil run --case DP.1002 --seed 0" in done.stdout
    assert "ZeroDivisionError" in done.stdout
    assert "7 failed, 2 passed, 1 skipped, 2 errors, 1 advisory" in done.stdout
    assert "not applicable: rig virtual has no inspection" in done.stdout


def test_a_rig_opts_in_to_what_is_advisory_elsewhere(folder: Any) -> None:
    folder.write("test_own.py", CASES)
    folder.write(
        "own.toml",
        'schema = 1\nname = "own"\nkind = "virtual"\n[dut]\nname = "x"\n[judging]\nopt_in = ["DER"]\n',
    )
    done = folder.pytest("-k", "advisory", "--rig", "own.toml")
    assert done.returncode == 1
    (case,) = folder.report()["cases"]
    assert (case["verdict"], case["advisory"]) == ("fail", False)
    assert case["repeat"] == "hil run --case LL.01 --seed 0 --rig own.toml"


def test_an_interrupted_case_is_closed_and_told(folder: Any) -> None:
    folder.write(
        "test_own.py",
        CASES.replace("return 1 / 0", "bench.plug_in()\n    bench.let(2_000_000_000)\n    raise KeyboardInterrupt"),
    )
    done = folder.pytest("-k", "passes or breaks_down")
    assert done.returncode == 2
    cases = {case["id"]: case for case in folder.report()["cases"]}
    assert (cases["DP.2003"]["verdict"], cases["DP.1001"]["verdict"]) == ("error", "pass")
    assert "interrupted" in cases["DP.2003"]["reason"]
    assert (folder.path / "report" / cases["DP.2003"]["stream"]).stat().st_size > 0


def test_what_was_seen_survives_a_kill(folder: Any) -> None:
    kill = "bench.plug_in()\n    bench.let(2_000_000_000)\n    os.kill(os.getpid(), signal.SIGKILL)"
    folder.write("test_own.py", "import os, signal\n" + CASES.replace("return 1 / 0", kill))
    assert folder.pytest("-k", "passes or breaks_down").returncode == -9
    assert (folder.path / "report" / "traces" / "DP.2003.jsonl").stat().st_size > 0
    assert '"DP.1001"' in (folder.path / "report" / "results.jsonl").read_text("utf-8")


def test_a_lost_worker_is_told_and_the_rest_is_reported(folder: Any) -> None:
    folder.write("test_own.py", CASES.replace("return 1 / 0", "__import__('os')._exit(3)"))
    done = folder.pytest("-k", "passes or breaks_down", "-n", "1")
    assert done.returncode == 1
    assert [case["id"] for case in folder.report()["cases"]] == ["DP.1001"]
    assert "test_own.py::test_breaks_down: worker 'gw0' crashed" in done.stdout


def test_results_of_workers_are_those_of_one_process(folder: Any) -> None:
    folder.write("test_own.py", CASES)
    folder.pytest("--hil-out", "serial")
    folder.pytest("--hil-out", "workers", "-n", "2", PYTHONHASHSEED="4711")
    serial, workers = folder.report("serial"), folder.report("workers")
    for document in (serial, workers):
        del document["command"], document["started"], document["finished"]
    assert serial == workers
    assert folder.traces("serial") == folder.traces("workers")


def test_too_much_real_time_is_an_error(folder: Any) -> None:
    folder.write("test_own.py", CASES)
    folder.pytest("-k", "measures_nothing", "--hil-max-real-time", "0.000001")
    (case,) = folder.report()["cases"]
    assert case["verdict"] == "error"
    assert "--max-real-time allows 1 us" in case["reason"]


LOOPS = '''
from hil.cases import Bench, requirement


@requirement("GBT34658-2017/DP.1001")
def test_loops(bench: Bench) -> None:
    """TP: never comes to an end by itself."""
    bench.plug_in()
    for _ in range(10**10):
        pass


@requirement("GBT34658-2017/DN.3006")
def test_catches(bench: Bench) -> None:
    """TP: catches what is raised and goes on."""
    bench.plug_in()
    for _ in range(4):
        try:
            for _ in range(10**8):
                pass
        except Exception:
            pass
    bench.check("went on", 1.0, equals=1)


@requirement("GBT34658-2017/DN.1001")
def test_goes_on(bench: Bench) -> None:
    """TP: runs after it."""
    bench.check("answer", 42.0, equals=42)
'''


def test_a_case_that_loops_in_its_own_code_is_ended_and_the_next_one_runs(folder: Any) -> None:
    folder.write("test_own.py", LOOPS)
    done = folder.pytest("--hil-max-real-time", "0.5")
    first, second, catching = folder.report()["cases"]
    assert (first["id"], first["verdict"]) == ("DP.1001", "error")
    assert "--max-real-time allows 500 ms" in first["reason"]
    assert (catching["id"], catching["verdict"]) == ("DN.3006", "error")
    assert catching["measurements"] == [], "it was not to be had by what a case may catch"
    assert b"plugged = 1" in folder.traces("report")["DP.1001.jsonl"], "what was recorded is kept"
    assert (second["id"], second["verdict"]) == ("DN.1001", "pass")
    assert done.returncode == 1


def test_an_earlier_run_leaves_no_traces_in_a_later_one(folder: Any) -> None:
    folder.write("test_own.py", CASES)
    folder.pytest("-k", "passes or asserts")
    (folder.path / "report" / "notes.txt").write_text("mine")
    (folder.path / "report" / "traces" / "notes.txt").write_text("mine")
    folder.pytest("-k", "passes")
    assert sorted(folder.traces("report")) == ["DP.1001.jsonl", "DP.1001.log", "notes.txt"]
    assert (folder.path / "report" / "notes.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_usage(folder: Any) -> None:
    folder.write("test_own.py", CASES)
    folder.write("taken", "")
    done = folder.pytest("-k", "passes", "--hil-out", "taken")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "taken: nothing can be written there (" in done.stdout
