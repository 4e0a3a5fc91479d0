"""What load profiles have reached, told on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from hil.profile.coverage import Coverage, load_coverage, save_coverage
from hil.profile.parts import FILE_NAME
from hil.pytest_plugin.table import console


def tell_and_keep(coverage: Coverage, path: Path) -> None:
    """Print a table of it and write it to a file."""
    save_coverage(coverage, path)
    _tell(coverage, path)


def tell_coverage(report: Path) -> None:
    """Print what the generated load profiles of a run have reached; nothing where there were none."""
    path = report / FILE_NAME
    if path.exists():
        coverage = Coverage()
        coverage.merge(load_coverage(path))
        _tell(coverage, path)


def _tell(coverage: Coverage, path: Path) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("reached", overflow="fold")
    for name, text in coverage.summary():
        table.add_row(name, escape(text))
    out = console()
    out.print(table)
    out.print(f"coverage: {path}", soft_wrap=True)
