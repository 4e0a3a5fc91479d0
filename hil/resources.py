"""Where suites, fixtures and rigs are: one resolver for a checkout, an editable install and the wheel.

In a checkout (and so in an editable install) they stand beside the package, in the wheel they travel
inside it. A checkout is told by its own ``pyproject.toml``, so that folders which merely happen to lie
beside an installed package are never taken.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hil.errors import HilError

FOLDERS = ("test_suites", "fixtures", "rigs")
"""What the resolver knows."""
_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_bundled"


@cache
def root() -> Path:
    """The folder that holds ``test_suites``, ``fixtures`` and ``rigs``; :class:`HilError` when there is none."""
    for candidate in (_BUNDLED, _PACKAGE.parent):
        whole = all((candidate / folder).is_dir() for folder in FOLDERS)
        if whole and (candidate == _BUNDLED or (candidate / "pyproject.toml").is_file()):
            return candidate
    raise HilError(
        f"{', '.join(FOLDERS)} are neither in {_BUNDLED} nor in {_PACKAGE.parent}: hil is not installed whole"
    )


def resource(name: str) -> Path:
    """The path of a shipped file or folder, such as ``rigs/virtual.toml``.

    Raises :class:`HilError` for a name outside the known folders and for one that does not exist.
    """
    parts = Path(name).parts
    if not parts or parts[0] not in FOLDERS or ".." in parts:
        raise HilError(f"no resource {name!r}: names begin with {', '.join(f'{folder}/' for folder in FOLDERS)}")
    path = root() / name
    if not path.exists():
        raise HilError(f"no resource {name!r} in {root()}")
    return path


def suite_names() -> tuple[str, ...]:
    """The suites that travel with the package, by the name of their folder."""
    return tuple(sorted(path.name for path in resource("test_suites").iterdir() if any(path.glob("test_*.py"))))


def rig_names() -> tuple[str, ...]:
    """The rigs that travel with the package, without their suffix."""
    return tuple(sorted(path.stem for path in resource("rigs").glob("*.toml")))


def fixture_modules() -> tuple[Path, ...]:
    """The modules of pytest fixtures, one a topic."""
    return tuple(sorted(path for path in resource("fixtures").glob("*.py") if path.stem != "__init__"))
