"""``python -m benchmarks``: every measure beside its peer, as a table and as ``bench.json`` in this folder.

Exit code 1 when a goal is missed. ``--quick`` measures less of the same: for CI, where only a large loss shows.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import bus, check, codec, live, modbus, profiles, session
from hil import native

MODULES: Mapping[str, Callable[..., list[dict[str, Any]]]] = {
    "session": session.measures,
    "bus": bus.measures,
    "codec": codec.measures,
    "modbus": modbus.measures,
    "check": check.measures,
    "profiles": profiles.measures,
    "live": live.measures,
}
OUTPUT = "bench.json"
ON_REQUEST = ("live",)
"""Modules that run by the clock on the wall, for minutes, and take a network of their own."""


def collect(names: Iterable[str], *, quick: bool) -> list[dict[str, Any]]:
    """The measures of some modules, in order."""
    return [measure for name in names for measure in MODULES[name](quick=quick)]


def table(measures: Iterable[Mapping[str, Any]]) -> Table:
    """One row a measure."""
    shown = Table(title="Speed and memory")
    shown.add_column("measure")
    for column in ("value", "peer", "ratio", "goal"):
        shown.add_column(column, justify="right")
    shown.add_column("")
    for each in measures:
        sign = "≤" if each.get("goal_is") == "at most" else "≥"
        goal = f"{sign} {each['goal']:g}" + (f" {each['unit']}" if each["ratio"] is None else "")
        shown.add_row(
            each["name"],
            f"{each['value']:,} {each['unit']}",
            "" if each["peer_value"] is None else f"{each['peer_value']:,}",
            "" if each["ratio"] is None else f"{each['ratio']:.2f}",
            goal,
            "[green]met[/]" if each["met"] else "[red]missed[/]",
        )
        also = each.get("also")
        if also is not None:
            shown.add_row(f"  beside {also['peer']}", "", f"{also['peer_value']:,}", f"{also['ratio']:.2f}", "", "")
    peers = dict.fromkeys(each["peer"] for each in measures if each["peer"])
    how = "compiled" if native.active() else "interpreted (make native compiles it)"
    shown.caption = f"what runs for each frame: {how}; peers: {', '.join(peers)}"
    return shown


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write :data:`OUTPUT`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of the same, for CI")
    parser.add_argument("modules", nargs="*", choices=[*MODULES, []], metavar="MODULE", help=", ".join(MODULES))
    options = parser.parse_args(arguments)
    usual = [name for name in MODULES if name not in ON_REQUEST]
    found = collect(options.modules or usual, quick=options.quick)
    Path(OUTPUT).write_text(json.dumps({"measures": found}, indent=2) + "\n", encoding="utf-8")
    Console().print(table(found))
    return 0 if all(each["met"] for each in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
