"""Which outputs and inputs of an instrument its lines have switched on, and the lines that switch them off again."""

from __future__ import annotations

from collections.abc import Iterator

from hil.protocol.scpi import ScpiError, Unit, parse_unit, split_quoted

_SWITCHES = ("OUTP", "INP", "LOAD")
"""Begins of the nodes that switch (sheet serial 3.5)."""
_OFF = ("OFF", "0")


class Switches:
    """Give it each line that is sent."""

    def __init__(self) -> None:
        self._on: dict[tuple[str, tuple[str, ...]], None] = {}
        """Header and what follows ON, as a list of channels, in the order in which they were switched on."""

    def see(self, line: str) -> None:
        """A line goes out."""
        for unit in _units(line):
            if unit.common and unit.nodes == ("RST",):
                self._on.clear()
            elif _switches(unit):
                switch = (":".join(unit.nodes), unit.parameters[1:])
                if unit.parameters[0].upper() in _OFF:
                    self._on.pop(switch, None)
                else:
                    self._on[switch] = None

    def off(self) -> list[str]:
        """A line for each that is on: the one that switched it on, with OFF."""
        return [f"{header} {','.join(('OFF', *rest))}" for header, rest in self._on]


def _switches(unit: Unit) -> bool:
    if unit.common or unit.query or not unit.parameters:
        return False
    nodes = unit.nodes[:-1] if len(unit.nodes) > 1 and unit.nodes[-1].startswith("STAT") else unit.nodes
    return nodes[-1].startswith(_SWITCHES)


def _units(line: str) -> Iterator[Unit]:
    try:
        parts = split_quoted(line, ";")
    except ScpiError:
        return
    path: tuple[str, ...] = ()
    for part in parts:
        try:
            unit = parse_unit(part)
        except ScpiError:
            continue  # no header that an instrument could take
        nodes = unit.nodes if unit.rooted or unit.common else (*path, *unit.nodes)
        path = path if unit.common else nodes[:-1]
        yield Unit(nodes, unit.query, unit.parameters, unit.common)
