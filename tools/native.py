"""Compiles the modules of :data:`hil.native.MODULES` with mypyc, where there is a C compiler: ``make native``.

Says what it does. Without a compiler nothing is made, and everything runs as before; only a compilation that was begun
and failed ends with exit code 1.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
os.environ["HIL_NATIVE"] = "0"  # what is compiled now must not be in use
sys.path.insert(0, str(ROOT))

from hil import native  # noqa: E402 - the two lines above have to come first

_MYPY = (
    *("--config-file=", "--cache-dir=.mypy_cache/native"),
    *("--explicit-package-bases", "--follow-imports=silent", "--ignore-missing-imports"),
)


def compiler() -> str | None:
    """The C compiler that extensions are built with; None where there is none, or no headers of Python."""
    command = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return shutil.which(command) if header.is_file() else None


def build(into: Path) -> None:
    """Compile every module into a folder."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    with tempfile.TemporaryDirectory() as work:
        sources = [str(ROOT / f"{name.replace('.', '/')}.py") for name in native.MODULES]
        os.chdir(ROOT)
        extensions = mypycify(
            [*_MYPY, *sources],
            opt_level="1",  # as quick as the higher ones here, in half the time of compiling
            debug_level="0",
            group_name=native.GROUP,
            target_dir=work,
        )
        distribution = Distribution({"name": native.GROUP, "ext_modules": extensions})
        command = distribution.get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(into), work
        command.ensure_finalized()
        command.run()


def main() -> int:
    """Build what is missing; folders of former sources go."""
    if native.compiled() is not None:
        print("compiled modules: those of the present source are there")
        return 0
    if compiler() is None:
        print("compiled modules: none, as there is no C compiler with Python's headers; all runs interpreted")
        return 0
    print(f"compiled modules: building {len(native.MODULES)} of them, about half a minute", flush=True)
    native.FOLDER.mkdir(exist_ok=True)
    place = native.FOLDER / native.digest()
    former = [each for each in native.FOLDER.iterdir() if each != place]
    made = Path(tempfile.mkdtemp(dir=native.FOLDER))
    try:
        build(made)
        (made / native.SUM).write_text(native.checksum(made), "ascii")
        shutil.rmtree(place, ignore_errors=True)  # one that is damaged
        made.rename(place)
    except (Exception, SystemExit) as error:
        shutil.rmtree(made, ignore_errors=True)
        print(f"compiled modules: none, all runs interpreted: {error}", file=sys.stderr)
        return 1
    # Only now: until the new ones are there, nothing is gained by taking the former away.
    for each in former:
        shutil.rmtree(each, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
