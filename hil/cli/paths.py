"""Paths on the command line: an empty one is refused, which would be the folder one stands in."""

from __future__ import annotations

from pathlib import Path

import typer

from hil.cli.errors import USAGE, complain
from hil.pytest_plugin.options import EMPTY_OUT


def out_path(given: str | Path) -> Path:
    """What ``--out`` names; an empty word, as a shell makes it of an unset variable, is told and refused."""
    if isinstance(given, str) and not given.strip():
        complain(EMPTY_OUT)
        raise typer.Exit(USAGE)
    return Path(given)
