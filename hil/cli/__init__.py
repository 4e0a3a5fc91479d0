"""The command line: ``hil run``, ``hil faults``, ``hil readings``, ``hil dbc``."""

from __future__ import annotations


def main() -> None:
    """Entry point of the command ``hil``."""
    from hil.cli.app import app

    app(prog_name="hil")
