"""Pytest run on somebody's own folder, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


class Folder:
    """A folder with tests of its own, and what a run in it left behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        """Write a file into the folder."""
        path = self.path / name
        path.write_text(text, encoding="utf-8")
        return path

    def pytest(self, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run pytest in the folder."""
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args]
        return subprocess.run(
            command,
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
def folder(tmp_path: Path) -> Folder:
    """An empty one."""
    return Folder(tmp_path)
