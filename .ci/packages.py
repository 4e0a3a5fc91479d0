"""Checks the source package against the files under version control, and that the wheel installs `hil` alone."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile


def main(sdist: str, wheel: str) -> None:
    """Leave with a message where a package holds too much or too little."""
    tracked = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files"],  # noqa: S607 - whichever git there is
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    differing = (packed - {"PKG-INFO"}) ^ {name for name in tracked if name}
    if differing:
        sys.exit(f"source package and version control differ in {', '.join(sorted(differing))}")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {name.partition("/")[0] for name in names}
    if any(name != "hil" and not name.endswith(".dist-info") for name in top):
        sys.exit(f"the wheel installs {', '.join(sorted(top))}")
    for needed in ("hil/py.typed", "hil/_bundled/rigs/virtual.toml", "hil/conformance/limits.toml"):
        if needed not in names:
            sys.exit(f"the wheel lacks {needed}")


if __name__ == "__main__":
    main(*sys.argv[1:])
