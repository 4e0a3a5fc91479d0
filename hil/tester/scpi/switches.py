"""Which outputs and inputs of an instrument its lines have switched on, and the lines that switch them off again."""

from __future__ import annotations

from hil.protocol.scpi import Unit, units_of

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
        for unit in units_of(line):
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
