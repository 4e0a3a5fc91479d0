"""The command line: ``hil run``, ``hil faults``, ``hil readings``, ``hil dbc``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_STREAMS = {"stdin": "r", "stdout": "w", "stderr": "w"}
"""In the order of their descriptors."""


def main() -> None:
    """Entry point of the command ``hil``."""
    _open_closed_streams()
    from hil.cli.app import app

    app(prog_name="hil")


def _open_closed_streams() -> None:
    """Whoever starts us may have closed some (``2>&-``): the first file of evidence would take that descriptor, and
    what a library prints would end in it."""
    for name, mode in _STREAMS.items():
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - it stays open as that stream
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
