"""The command in a process of its own, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


class Shell:
    """A folder to call the command in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def hil(self, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Call the command."""
        return subprocess.run(
            [sys.executable, "-m", "hil.cli", *args],
            cwd=self.path,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def report(self, out: str = "report") -> dict[str, Any]:
        """The conformance document of a run."""
        document: dict[str, Any] = json.loads((self.path / out / "conformance.json").read_text("utf-8"))
        return document

    def traces(self, out: str) -> dict[str, bytes]:
        """Every trace of a run by its name."""
        return {path.name: path.read_bytes() for path in (self.path / out / "traces").iterdir()}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """In an empty folder."""
    return Shell(tmp_path)
