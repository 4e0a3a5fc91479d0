"""`hil run`, end to end: what it shows, what it leaves, how it exits."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hil.cli.app import app
from hil.conformance.catalogue import requirements
from hil.dut.faults import all_faults
from hil.resources import resource

SOME = ("--case", "DP.1001", "--case", "DN.2004", "--case", "DN.2009")


def test_a_passing_case(shell: Any) -> None:
    done = shell.hil("run", "--case", "DN.3006")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "reference charger on rig virtual, GB/T 27930-2015, seed 0: 1 run"
    assert lines[1].startswith("1/1  pass  DN.3006  time to the first CEM: 1.00")
    assert "1 pass" in lines
    assert lines[-1] == f"report: {shell.path / 'report' / 'index.html'}"
    assert done.stderr == ""
    # Nothing but the report is left behind.
    assert [path.name for path in shell.path.iterdir()] == ["report"]
    document = shell.report()
    assert document["command"] == "hil run --case DN.3006"
    assert (document["seed"], document["edition"], document["rig"]["virtual"]) == (0, {"gbt27930": "2015"}, True)
    assert document["started"] <= document["finished"]
    assert document["host"] == platform.node()
    (kept,) = document["rig"]["files"]
    assert (shell.path / "report" / kept).read_bytes() == resource("rigs/virtual.toml").read_bytes()
    (case,) = document["cases"]
    assert (case["id"], case["suite"], case["verdict"], case["basis"]) == ("DN.3006", "gbt27930", "pass", "S2")
    assert (shell.path / "report" / case["trace"]).stat().st_size > 0


def test_serial_workers_and_hash_seeds_leave_equal_traces(shell: Any) -> None:
    shell.hil("run", *SOME, "--out", "one", PYTHONHASHSEED="1")
    shell.hil("run", *SOME, "--out", "two", "--", "-n", "2", PYTHONHASHSEED="2")
    traces = shell.traces("one")
    assert traces == shell.traces("two")
    assert len(traces) == 2 * 9
    one, two = shell.report("one"), shell.report("two")
    for document in (one, two):
        del document["command"], document["started"], document["finished"]
    assert one == two
    # One case alone, by the line that its result gives, is the same run again.
    again = next(case for case in one["cases"] if case["variant"] == "short")
    assert again["repeat"] == "hil run --case 'DN.2004[short]' --seed 0"
    shell.hil("run", "--case", "DN.2004[short]", "--seed", "0", "--out", "again")
    assert shell.traces("again").items() <= traces.items()
    shell.hil("run", "--case", "DN.2009", "--reading", "dn2007-2009=print", "--out", "reading")
    assert shell.traces("reading").items() <= traces.items()


def test_another_seed_leaves_another_trace(shell: Any) -> None:
    shell.hil("run", "--case", "DN.3006", "--out", "one")
    shell.hil("run", "--case", "DN.3006", "--out", "two", "--seed", "1")
    assert shell.traces("one")["DN.3006.log"] != shell.traces("two")["DN.3006.log"]


def test_a_seeded_fault_fails_where_it_should(shell: Any) -> None:
    fault = next(each for each in all_faults().values() if len(each.breaks) == 1)
    case = requirements()[fault.breaks[0]].case
    done = shell.hil("run", "--case", case, "--fault", fault.name)
    assert done.returncode == 1
    assert f"FAIL  {case}" in done.stdout
    assert f"requirement: {fault.breaks[0]}" in done.stdout
    assert f"--seed 0 --fault {fault.name}" in done.stdout
    assert shell.report()["faults"] == [fault.name]


def test_an_error_on_our_side_is_3(shell: Any) -> None:
    done = shell.hil("run", "--case", "DP.1001", "--max-real-time", "0.000001")
    assert done.returncode == 3
    assert "--max-real-time allows 1 us" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--case", "DP.1001"),
        ("qualify", "--case", "DP.1001"),
        ("soak", "--sessions", "1"),
        ("soak", "--session-seed", "1"),
        ("check", "session.asc"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("out", ["taken", "taken/below"])
def test_an_output_folder_that_cannot_be_made_is_2(shell: Any, command: tuple[str, ...], out: str) -> None:
    (shell.path / "taken").write_text("")
    (shell.path / "session.asc").write_text("")
    done = shell.hil(*command, "--out", out)
    assert done.returncode == 2
    assert f"--out {Path(out)}: nothing can be written there (" in done.stderr
    assert "choose another folder" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_listing_makes_no_output_folder(shell: Any) -> None:
    assert shell.hil("run", "--case", "DP.1001", "--list").returncode == 0
    assert not list(shell.path.iterdir())


def test_a_run_that_is_killed_leaves_no_report_of_an_earlier_one(shell: Any) -> None:
    shell.hil("run", "--case", "DN.3006")
    (shell.path / "test_own.py").write_text("import os\ndef test_own():\n    os._exit(9)\n")
    shell.hil("run", "--case", "DP.1001", "--", "test_own.py")
    out = shell.path / "report"
    assert json.loads((out / "results.jsonl").read_text("utf-8").splitlines()[-1])["id"] == "DP.1001"
    _assert_no_report(out)


def test_a_run_that_is_killed_in_its_first_case_leaves_none_either(shell: Any) -> None:
    (shell.path / "test_own.py").write_text(DIES)
    own = ("-m", "pytest", "-p", "no:cacheprovider", "test_own.py")
    shell.hil("run", "--case", "DN.3006")
    subprocess.run([sys.executable, *own], cwd=shell.path, capture_output=True, check=False)
    assert (shell.path / "report" / "results.jsonl").read_text("utf-8") == ""
    _assert_no_report(shell.path / "report")


DIES = """
import os
from hil.cases import Bench, requirement

@requirement("GBT34658-2017/DP.1001")
def test_dies(bench: Bench) -> None:
    os._exit(9)
"""


def _assert_no_report(out: Path) -> None:
    assert not [name for name in ("conformance.json", "junit.xml", "index.html") if (out / name).exists()]
    assert not list((out / "allure-results").glob("*-result.json"))


def test_an_output_without_arrows_does_not_end_the_run(shell: Any) -> None:
    asked = ("run", "--case", "DN.3006", "--fault", "lost-bcl-late")
    done = shell.hil(*asked, PYTHONIOENCODING="ascii")
    assert done.returncode == 1, done.stderr
    assert "FAIL  DN.3006" in done.stdout
    assert "charger ? BMS" in done.stdout


def test_a_fault_that_is_not_there_is_told_where_they_are(shell: Any) -> None:
    done = shell.hil("run", "--fault", "nope")
    assert done.returncode == 2
    assert "`hil faults` shows them all" in done.stderr


def test_tests_beside_the_cases_count(shell: Any) -> None:
    (shell.path / "test_own.py").write_text("def test_own():\n    assert False\n")
    assert shell.hil("run", "--case", "DP.1001", "--", "test_own.py").returncode == 1
    (shell.path / "test_own.py").write_text("import nothing_of_that_name\n")
    done = shell.hil("run", "--case", "DP.1001", "--", "test_own.py")
    assert done.returncode == 3
    assert "No module named 'nothing_of_that_name'" in done.stderr


def test_pytest_speaks_when_asked(shell: Any) -> None:
    done = shell.hil("run", "--case", "DP.1001", "--", "-v")
    assert done.returncode == 0
    assert "test_suites/gbt27930/test_1_handshake.py::test_DP_1001 PASSED" in done.stdout
    assert done.stdout.count("measured (limits)") == 1


def test_a_reader_that_leaves_does_not_end_the_run(shell: Any) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "hil.cli", "run", "--case", "DP.1001"],
        cwd=shell.path,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    assert shell.report()["summary"]["pass"] == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
def test_a_full_disk_under_the_output_loses_no_evidence(shell: Any) -> None:
    folder = os.fsdecode(b"r\xb1")  # no text in UTF-8, as folders from elsewhere can be
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hil.cli", "run", "--case", "DP.1001", "--out", folder],
            cwd=shell.path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    told = "error: standard output cannot be written: No space left on device"
    assert (done.returncode, set(done.stderr.splitlines())) == (3, {told})
    report = shell.report(folder)
    assert report["summary"]["pass"] == 1
    assert report["command"] == r"hil run --case DP.1001 --out $'r\xb1'"


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX closes them")
def test_closed_streams_do_not_end_the_run(shell: Any) -> None:
    line = f'"{sys.executable}" -m hil.cli run --case DP.1001 <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", line], cwd=shell.path, check=False)
    assert done.returncode == 0
    assert shell.report()["summary"]["pass"] == 1


def test_the_users_own_configuration_does_not_matter(shell: Any) -> None:
    (shell.path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (shell.path / "conftest.py").write_text("raise RuntimeError('not ours to read')\n")
    assert shell.hil("run", "--case", "DP.1001").returncode == 0


def test_the_list_runs_nothing(shell: Any) -> None:
    done = shell.hil("run", "--list", "--edition", "gbt27930=2015")
    assert done.returncode == 0
    known = {requirement.case for requirement in requirements().values()}
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.partition(" ")[0] in known}
    assert set(rows) == known
    for part in ("GBT34658-2017/DN.3006", "gbt27930.md 5.3", "S2", "yes", "no longer receives BCL"):
        assert part in rows["DN.3006"]
    assert "no: rig virtual has no inspection" in rows["D0.0001"]
    assert "DER (advisory)" in rows["LL.01"]
    assert list(shell.path.iterdir()) == []


def test_the_list_tells_what_another_edition_leaves(shell: Any) -> None:
    done = shell.hil("run", "--list", "--edition", "gbt27930=2011", "--case", "DN.3006")
    assert "no: covers edition 2015 of GB/T 27930, this run is by 2011" in done.stdout


BAD_OPTIONS = [
    (("--case", "DN.3060"), ("no case 'DN.3060'", "did you mean DN.3006 or ", "`hil run --list`")),
    (("--requirement", "GBT34658-2017/DN.306"), ("no requirement", "GBT34658-2017/DN.3006")),
    (("--suite", "gbt27931"), ("no suite 'gbt27931': did you mean gbt27930", "there are gbt27930, gbt34657")),
    (("--fault", "no-such-fault"), ("no seeded fault 'no-such-fault'",)),
    (("--reading", "dlcs=padded"), ("no reading 'dlcs'; did you mean dlc?",)),
    (("--reading", "dlc=paded"), ("reading dlc: no choice 'paded'; allowed is defined, padded",)),
    (("--reading", "lenient"), ("allowed is NAME=CHOICE, strict or field",)),
    (("--edition", "2015"), ("allowed is gbt27930=2011 or gbt27930=2015",)),
    (("--rig", "virtul"), ("no rig 'virtul': did you mean virtual?",)),
    (("--rig", "bad.toml"), ("bad.toml, line 3: kind = ", 'allowed is "virtual"')),
    (("--max-real-time", "0"), ("--max-real-time 0: allowed is more than 0 seconds and up to 86400, a day",)),
    (("--max-real-time", "nan"), ("--max-real-time nan: allowed is more than 0 seconds",)),
    (("--max-real-time", "inf"), ("--max-real-time inf: allowed is more than 0 seconds",)),
    (
        ("--rig", "socketcan-rs485"),
        ("has interlocks that no signal tells of: door, emergency_stop; check by hand and give --interlocks",),
    ),
    (("--seed", "x"), ("Invalid value for '--seed'",)),
    (("--no-such-option",), ("No such option: --no-such-option",)),
]


@pytest.mark.parametrize(("args", "messages"), BAD_OPTIONS)
def test_a_bad_option_is_2_and_says_what_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], messages: tuple[str, ...]
) -> None:
    (tmp_path / "bad.toml").write_text('schema = 1\nname = "x"\nkind = "real"\n[dut]\nname = "x"\n')
    monkeypatch.chdir(tmp_path)
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["run", *args])
    assert done.exit_code == 2
    for message in messages:
        assert message in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("args", "messages"),
    [
        (("--suite", "gbt34657", "--case", "DN.3006"), ("nothing is selected by --suite gbt34657 --case DN.3006",)),
        (("--case", "DN.3006", "--", "-k", "zzz"), ("nothing is selected", "suites are ", "gbt27930, gbt34657")),
        (("--case", "DN.3006", "--", "--no-such"), ("unrecognized arguments: --no-such",)),
        (("--case", "D0.0001"), ("nothing is applicable: D0.0001: rig virtual has no inspection",)),
        (
            ("--suite", "gbt27930", "--edition", "gbt27930=2011", "--", "-k", "DN"),
            ("nothing is applicable: DN.1001 and 27 more cases: covers edition 2015",),
        ),
    ],
)
def test_nothing_to_run_is_2_and_says_what_there_is(
    shell: Any, args: tuple[str, ...], messages: tuple[str, ...]
) -> None:
    done = shell.hil("run", *args)
    assert done.returncode == 2, done.stdout + done.stderr
    for message in messages:
        assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_rig_file_is_named_in_the_report(shell: Any) -> None:
    (shell.path / "bay.toml").write_text(
        'schema = 1\nname = "bay"\nkind = "virtual"\n[dut]\nname = "unit 4"\n[dut.claims]\nstop_button = false\n'
    )
    done = shell.hil("run", "--rig", "bay.toml", "--case", "DP.1001", "--case", "DP.3007")
    assert done.returncode == 0, done.stdout + done.stderr
    document = shell.report()
    assert (document["rig"]["name"], document["dut"]["name"]) == ("bay", "unit 4")
    cases = {case["id"]: case for case in document["cases"]}
    assert cases["DP.1001"]["repeat"] == "hil run --case DP.1001 --seed 0 --rig bay.toml"
    assert (cases["DP.3007"]["verdict"], cases["DP.3007"]["reason"]) == (
        "not_applicable",
        "the DUT does not claim stop-button",
    )
    assert json.dumps(document)  # plain values throughout
