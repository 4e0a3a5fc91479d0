"""Compiled modules: used only where they come from the present source, and then with the same bytes of trace."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hil import native

ROOT = Path(__file__).resolve().parents[1]
SESSION = """
import sys
from pathlib import Path
from hil import native
from hil.bench.bench import Bench
from hil.bench.judge import Judge
from hil.bench.phases import Phase
from hil.bench.setup import Setup, build
from hil.conformance.monitors import MonitorSet
from hil.conformance.register import resolve
from hil.evidence.trace import TraceWriter
from hil.protocol.gbt27930 import edition
from hil.units import s
from hil.world import queue

setup = Setup(seed=7, faults=tuple(sys.argv[2:]), readings=resolve({}))
monitors = MonitorSet(setup.edition, setup.readings)
with TraceWriter(Path(sys.argv[1]), "session") as trace:
    bench = Bench(build(setup), edition(setup.edition), Judge(), setup.readings, trace.write, monitors)
    bench.reach(Phase.CHARGING)
    bench.vehicle.demand(current=40.0)
    bench.let(s(20))
    bench.vehicle.stop("soc_reached")
    bench.let(s(20))
    for finding in bench.findings():
        print(finding)
    bench.close()
print("compiled" if native.active() else "interpreted", Path(queue.__file__).suffix)
"""


def run(folder: Path, switch: str, *faults: str) -> tuple[list[str], dict[str, str]]:
    """What a session prints, and the digests of its trace."""
    done = subprocess.run(
        [sys.executable, "-c", SESSION, str(folder), *faults],
        env={**os.environ, native.SWITCH: switch},
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    return done.stdout.splitlines(), digests


def test_a_digest_tells_one_source_from_another(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("a = 1\n")
    first = native.digest(tmp_path)
    assert native.digest(tmp_path) == first
    (tmp_path / "one.py").write_text("a = 2\n")
    changed = native.digest(tmp_path)
    (tmp_path / "one.py").rename(tmp_path / "two.py")
    assert len({first, changed, native.digest(tmp_path)}) == 3


def test_only_a_whole_folder_of_the_present_source_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native, "FOLDER", tmp_path / "compiled")
    assert native.compiled() is None
    folder = tmp_path / "compiled" / native.digest()
    for name in (*native.MODULES, native.SHARED):
        assert native.compiled() is None, "one is still missing"
        path = folder / native.library(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / native.SUM).write_text(native.checksum(folder))
    assert native.compiled() == folder
    monkeypatch.setenv(native.SWITCH, "1")
    monkeypatch.setattr(sys, "meta_path", [each for each in sys.meta_path if not isinstance(each, native.Finder)])
    native.use()
    assert not native.active(), "these are no libraries"
    assert capsys.readouterr().err == "", "as those of another machine"
    (folder / native.library(native.MODULES[0])).write_bytes(b"cut short")
    assert native.compiled() is None
    native.use()
    assert not native.active()
    told = f"hil: {folder} is damaged, all runs interpreted; `make native` builds it anew\n"
    assert capsys.readouterr().err == told
    folder.rename(folder.with_name("another digest"))
    assert native.compiled() is None


def test_the_finder_knows_what_is_compiled_and_nothing_else(tmp_path: Path) -> None:
    finder = native.Finder(tmp_path)
    spec = finder.find_spec("hil.world.queue")
    assert spec is not None
    assert spec.origin == str(tmp_path / native.library("hil.world.queue"))
    assert finder.find_spec("hil.world.plan") is None
    assert finder.find_spec("queue") is None


def test_every_module_to_compile_is_there() -> None:
    assert [name for name in native.MODULES if not (ROOT / f"{name.replace('.', '/')}.py").is_file()] == []


@pytest.mark.parametrize("fault", ["", "lost-bcl-late", "stays-bus-off"])
def test_what_is_compiled_gives_the_same_bytes(fault: str, tmp_path: Path) -> None:
    if native.compiled() is None:
        pytest.skip("nothing is compiled from the present source: make native")
    faults = (fault,) if fault else ()
    (tmp_path / "0").mkdir()
    (tmp_path / "1").mkdir()
    interpreted, first = run(tmp_path / "0", "0", *faults)
    compiled, second = run(tmp_path / "1", "1", *faults)
    assert (interpreted[-1], compiled[-1]) == ("interpreted .py", f"compiled {Path(native.SUFFIX).suffix}")
    assert interpreted[:-1] == compiled[:-1]
    assert first == second


def test_one_library_that_is_damaged_leaves_all_of_them_aside(tmp_path: Path) -> None:
    """Cut short, it would end the interpreter as soon as it is loaded."""
    whole = native.compiled()
    if whole is None:
        pytest.skip("nothing is compiled from the present source: make native")
    damaged = tmp_path / whole.name
    shutil.copytree(whole, damaged)
    one = damaged / native.library("hil.bus.can")
    one.write_bytes(one.read_bytes()[:5_000])
    code = "\n".join(
        [
            "import os, sys; from pathlib import Path; os.environ['HIL_NATIVE'] = '0'",
            "from hil import native; native.FOLDER = Path(sys.argv[1]); os.environ['HIL_NATIVE'] = '1'; native.use()",
            "from hil.bus import can; print(Path(can.__file__).suffix)",
        ]
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == ".py\n"
    assert done.stderr.splitlines() == [
        f"hil: {damaged} is damaged, all runs interpreted; `make native` builds it anew"
    ]


BUILDS = """
import sys
from pathlib import Path
import tools.native as tool
from hil import native

def compile_nothing(into):
    for name in (*native.MODULES, native.SHARED):
        path = into / native.library(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)

native.FOLDER = Path(sys.argv[1])
tool.build, tool.compiler = compile_nothing, lambda: "cc"
(native.FOLDER / "former source").mkdir(parents=True)
assert tool.main() == 0
made = native.compiled()
(made / native.library("hil.bus.can")).write_text("cut sh")
assert native.compiled() is None
assert tool.main() == 0
assert native.compiled() == made
assert list(native.FOLDER.iterdir()) == [made]
"""


def test_a_damaged_folder_is_built_anew(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUILDS, str(tmp_path / "native")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("building") == 2


def test_without_a_compiler_it_says_so_and_nothing_fails(tmp_path: Path) -> None:
    code = (
        "import sys, tools.native as build; from pathlib import Path\n"
        "build.native.FOLDER = Path(sys.argv[1]) / 'none'\n"
        "sys.exit(build.main())"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    env = {**os.environ, "CC": str(tmp_path / "cc")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0
    assert "no C compiler" in done.stdout
    assert not (tmp_path / "none").exists()
