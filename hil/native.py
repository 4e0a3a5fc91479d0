"""Modules that run as machine code where they have been compiled, from the very same source (``make native``).

What runs for each frame is written so that mypyc can compile it. The compiled modules lie in a folder that is named by
a digest of all of our source: an edit of whatever file puts the interpreted modules back in their place, so that a
compiled module never differs from its source. Either all of them are compiled or none. Both give the same bytes of
trace; only speed differs. ``HIL_NATIVE=0`` in the environment leaves them aside. So does a file that is not as it was
built, with a line that tells so: a damaged one would end an import in its middle, or the interpreter.
"""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from mypy_extensions import mypyc_attr as mypyc_attr
else:
    # Only the compiler looks at it, by its name: nothing has to be installed for a class that is interpreted.
    def mypyc_attr(**attributes: object) -> Callable[[type], type]:
        """What the compiler has to know of a class."""
        return lambda declared: declared


MODULES = (
    "hil.world.queue",
    "hil.world.node",
    "hil.world.base",
    "hil.bus.timing",
    "hil.bus.port",
    "hil.bus.arbitration",
    "hil.bus.can",
    "hil.protocol.table",
    "hil.protocol.j1939.listener",
    "hil.protocol.j1939.transport",
    "hil.plant.curve",
    "hil.plant.pack",
    "hil.plant.stage",
    "hil.plant.record",
    "hil.plant.circuit",
    "hil.plant.plant",
    "hil.dut.gbt27930.power",
    "hil.dut.gbt27930.quirks",
    "hil.dut.gbt27930.steps",
    "hil.dut.gbt27930.compose",
    "hil.dut.gbt27930.charger",
    "hil.tester.gbt27930.compose",
    "hil.tester.gbt27930.vehicle",
    "hil.conformance.monitors.session",
    "hil.conformance.monitors.track",
    "hil.conformance.monitors.transport",
    "hil.conformance.monitors.monitor_set",
    "hil.transport.queue",
    "hil.transport.correlation",
    "hil.transport.own_frames",
    "hil.transport.can_line",
)
"""What a frame of a session goes through."""
GROUP = "hil_native"
SHARED = f"{GROUP}__mypyc"
"""The library that holds the code of all of them; each module is a door to it."""
PACKAGE = Path(__file__).resolve().parent
FOLDER = PACKAGE / "_native"
"""One folder for each digest; not under version control, and in no package."""
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
SUM = "sum"
"""File of a folder with the checksum of its libraries."""
SWITCH = "HIL_NATIVE"


def digest(package: Path = PACKAGE, suffixes: Sequence[str] = (".py",)) -> str:
    """Of the names and contents of all modules of a package, or of its files with other suffixes."""
    found = hashlib.sha256()
    for path in sorted(each for suffix in suffixes for each in package.rglob(f"*{suffix}")):
        content = path.read_bytes()
        found.update(f"{path.relative_to(package).as_posix()} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()[:24]


def library(name: str) -> str:
    """Where in its folder a compiled module lies, as a path."""
    return f"{name.replace('.', '/')}{SUFFIX}"


def checksum(folder: Path) -> str:
    """Of all libraries of a folder; raises :class:`OSError` where one is missing or cannot be read."""
    found = 0
    for name in (*MODULES, SHARED):
        found = zlib.crc32((folder / library(name)).read_bytes(), found)
    return f"{found:08x}"


def compiled() -> Path | None:
    """The folder with every module compiled from the present source, for the present interpreter; None without."""
    folder = _folder()
    return folder if folder is not None and _whole(folder) else None


def _folder() -> Path | None:
    if not FOLDER.is_dir():
        return None  # nobody has compiled anything, which costs no look at the source
    folder = FOLDER / digest()
    return folder if (folder / library(SHARED)).is_file() else None  # none for this interpreter


def _whole(folder: Path) -> bool:
    try:
        return (folder / SUM).read_text("ascii") == checksum(folder)
    except (OSError, ValueError):
        return False


class Finder(importlib.abc.MetaPathFinder):
    """Finds the compiled modules of a folder, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._paths: Mapping[str, Path] = {name: folder / library(name) for name in (*MODULES, SHARED)}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None, /
    ) -> importlib.machinery.ModuleSpec | None:
        """Where a compiled module lies; None for every other."""
        found = self._paths.get(fullname)
        return None if found is None else importlib.util.spec_from_file_location(fullname, found)


def use() -> None:
    """From now on import what is compiled, where there is such a folder that loads and nobody has switched it off."""
    if os.environ.get(SWITCH) == "0" or active():
        return
    folder = _folder()
    if folder is None:
        return
    if not _whole(folder):
        sys.stderr.write(f"hil: {folder} is damaged, all runs interpreted; `make native` builds it anew\n")
    elif _loads(folder / library(SHARED)):
        # First of all: one that is interpreted among others that are compiled would not be the class they know.
        sys.meta_path.insert(0, Finder(folder))


def _loads(path: Path) -> bool:
    """Load the library of all; False where it was made for another machine, as in a folder that two of them share."""
    spec = importlib.util.spec_from_file_location(SHARED, path)
    if spec is None or spec.loader is None:
        return False
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError:
        return False
    sys.modules[SHARED] = module
    return True


def active() -> bool:
    """Whether compiled modules are in use."""
    return any(isinstance(each, Finder) for each in sys.meta_path)
