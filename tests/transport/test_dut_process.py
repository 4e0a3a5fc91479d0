"""A DUT as a process: ready, crashing, hanging, flooding, and gone with all its children when it is stopped."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hil.rig.ports import DutProcessSettings
from hil.transport.dut_process import DutError, DutProcess
from hil.transport.output import HEAD, KEPT_LINES, LONGEST_LINE, Output
from hil.units import ms, s

posix = pytest.mark.skipif(sys.platform == "win32", reason="tells signals and process groups of POSIX")
Start = Callable[..., DutProcess]


@pytest.fixture
def dut(tmp_path: Path) -> Iterator[Start]:
    """Makes a DUT of a few lines of Python."""
    made: list[DutProcess] = []

    def make(script: str, **settings: object) -> DutProcess:
        given = DutProcessSettings((sys.executable, "-u", "-c", script), str(tmp_path), ready="^ready$")
        made.append(DutProcess(replace(given, **settings)))  # type: ignore[arg-type]  # a test's own keywords
        return made[-1]

    yield make
    for each in made:
        each.close()


WAITS = "import signal, sys\nprint('ready')\nsys.stdin.close()\nsignal.pause() if hasattr(signal, 'pause') else input()"


def test_it_is_started_when_it_says_that_it_is_ready(dut: Start) -> None:
    process = dut("print('booting'); " + WAITS.replace("\n", "; "))
    assert (process.alive, process.pid, process.starts) == (False, None, 0)
    process.start()
    assert process.alive
    pid = process.pid
    process.start()
    assert (process.pid, process.starts) == (pid, 1), "one that runs is left alone"
    assert process.last_words == "its last words: booting | ready"
    process.stop()
    assert not process.alive
    process.stop()


def test_it_runs_in_its_folder_with_its_environment(dut: Start, tmp_path: Path) -> None:
    script = "import os\nprint(os.getcwd(), os.environ['KEY'], 'PATH' in os.environ)\n" + WAITS
    process = dut(script, environment={"KEY": "value; $HOME"})
    process.start()
    assert process.last_words == f"its last words: {tmp_path.resolve()} value; $HOME True | ready"


def test_a_path_is_meant_from_the_folder_on(dut: Start, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "charger"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable} -u\n{WAITS}\n", encoding="utf-8")
    program.chmod(0o755)
    process = dut("", command=("./bin/charger",))
    process.start()
    assert process.alive


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("./gone",), r"the DUT cannot be started: \./gone: No such file"),
        (("no-such-program-anywhere",), "the DUT cannot be started: no-such-program-anywhere: No such file"),
        ((".",), r"the DUT cannot be started: \.: Permission denied"),
    ],
)
def test_what_cannot_be_started_is_told(dut: Start, command: tuple[str, ...], message: str) -> None:
    with pytest.raises(DutError, match=message):
        dut("", command=command).start()


def test_a_crash_at_the_start_is_told_with_its_last_words(dut: Start) -> None:
    process = dut("import sys; print('no config'); sys.exit('giving up')")
    with pytest.raises(DutError, match=r"exited with code 1 .* after its start, .*last words: no config \| giving up"):
        process.start()
    assert not process.alive


def test_one_that_never_says_that_it_is_ready_is_stopped(dut: Start) -> None:
    process = dut(WAITS.replace("ready", "almost"), ready_within=ms(300))
    with pytest.raises(DutError, match=r'did not say "\^ready\$" within 300 ms; its last words: almost'):
        process.start()
    assert not process.alive


def test_one_that_closes_its_output_before_is_not_waited_for(dut: Start) -> None:
    process = dut("import os, signal; os.close(1); os.close(2); signal.pause()", ready_within=s(600))
    with pytest.raises(DutError, match=r"did not say .* it said nothing"):
        process.start()


def test_without_a_ready_line_it_is_ready_at_once(dut: Start) -> None:
    process = dut(WAITS, ready="")
    process.start()
    assert process.alive


@posix
def test_a_death_in_between_is_told_with_its_signal(dut: Start) -> None:
    process = dut(WAITS)
    process.start()
    assert process.ended is None
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not process.alive)
    assert process.ended == "was ended by SIGKILL (signal 9)"
    assert process.last_words == "its last words: ready"
    process.start()
    assert (process.alive, process.ended, process.starts) == (True, None, 2)


def wait_for(true: Callable[[], bool]) -> None:
    """Until something outside has happened; a test's own limit ends one that never does."""
    pause = threading.Event()
    for _ in range(2000):
        if true():
            return
        pause.wait(0.005)
    raise AssertionError("it did not happen within 10 s")


def test_an_end_of_its_own_is_told_with_its_code(dut: Start, tmp_path: Path) -> None:
    script = "import pathlib, time; print('ready')\nwhile not pathlib.Path('end').exists(): time.sleep(0.01)\n"
    script += "raise SystemExit(3)"
    process = dut(script)
    process.start()
    (tmp_path / "end").touch()
    wait_for(lambda: not process.alive)
    assert process.ended == "exited with code 3"


@posix
def test_one_that_does_not_heed_is_killed(dut: Start) -> None:
    script = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAITS + "\nsignal.pause()"
    process = dut(script, stop_within=ms(200))
    process.start()
    pid = process.pid
    assert pid is not None
    process.stop()
    assert not lives(pid)


@posix
def test_its_children_end_with_it(dut: Start) -> None:
    script = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print('child', child.pid)\n" + WAITS
    )
    process = dut(script)
    process.start()
    child = int(process.last_words.split("child ")[1].split()[0])
    assert lives(child)
    process.stop()
    wait_for(lambda: not lives(child))


def lives(pid: int) -> bool:
    """Whether a process is there and no mere entry that nobody has waited for."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_flood_neither_blocks_it_nor_fills_the_disk(dut: Start, tmp_path: Path) -> None:
    script = "for n in range(200_000): print('flood', n)\n" + WAITS
    process = dut(script, ready_within=s(60))
    process.log_to(tmp_path / "out" / "dut.log")
    process.start()
    process.close()
    lines = (tmp_path / "out" / "dut.log").read_text("utf-8").splitlines()
    assert sum(map(len, lines)) < HEAD + KEPT_LINES * 40
    assert lines[0].endswith("  flood 0")
    assert lines[-1].endswith("  ready")
    left_out = next(line for line in lines if "left out" in line)
    kept = [int(line.split()[-1]) for line in lines if "flood" in line]
    assert f"... {200_000 - len(kept)} lines are left out ..." == left_out


def test_each_file_has_what_came_while_it_was_open(dut: Start, tmp_path: Path) -> None:
    process = dut(WAITS)
    process.log_to(tmp_path / "a.log")
    process.start()
    process.log_to(tmp_path / "b.log")
    process.close()
    assert (tmp_path / "a.log").read_text("utf-8").split()[-1] == "ready"
    assert (tmp_path / "b.log").read_text("utf-8") == ""


# --- output ---------------------------------------------------------------------------------------


def test_lines_are_put_together_and_long_ones_cut() -> None:
    output = Output()
    turn = output.begin(None)
    output.take(b"hal", turn)
    output.take(b"f\r\nnext\n\xff1\n ---\n" + b"x" * (2 * LONGEST_LINE + 1), turn)
    assert output.last(3) == ["x" * LONGEST_LINE, "x" * LONGEST_LINE, "x"]
    assert output.last(9)[:3] == ["half", "next", "�1"]
    output.end(turn)
    assert output.last(1) == ["x"]


def test_what_is_left_of_an_earlier_process_is_not_taken_for_the_present_one() -> None:
    output = Output()
    old = output.begin(None)
    new = output.begin(None)
    output.take(b"late\n", old)
    output.end(old)
    assert (output.last(1), output.over) == ([], False)
    output.take(b"fresh\n", new)
    assert output.last(1) == ["fresh"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_stops_the_file_only() -> None:
    output = Output()
    turn = output.begin(None)
    output.log_to(Path("/dev/full"))
    output.take(b"first\n", turn)
    output.take(b"second\n", turn)
    assert output.last(2) == ["first", "second"]
    assert output.trouble == "No space left on device"
    output.log_to(None)


BENCH = """
import os, signal, sys
from hil.rig.ports import DutProcessSettings
from hil.transport.dut_process import DutProcess

dut = DutProcess(DutProcessSettings((sys.executable, "-u", "-c", sys.argv[1]), ".", ready="^ready$"))
dut.start()
print(dut.pid, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(shutil.which("setpriv") is None or not hasattr(os, "pidfd_open"), reason="takes Linux and setpriv")
def test_it_ends_with_a_bench_that_is_killed() -> None:
    command = [sys.executable, "-c", BENCH, WAITS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bench:
        assert bench.stdout is not None
        assert bench.stdin is not None
        number = os.pidfd_open(int(bench.stdout.readline()))
        try:
            assert not select.select([number], [], [], 0)[0]
            bench.stdin.write(b"\n")
            bench.stdin.flush()
            assert select.select([number], [], [], 20)[0], "it runs on"
        finally:
            os.close(number)
