"""Set-points among the lines that go to a source or load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from hil.bench.guard.readers import Asked
from hil.protocol.scpi import LineReader, ScpiError, Unit, number, units_of
from hil.safety.envelope import SetPoint

_QUANTITIES: Mapping[str, tuple[str, str]] = {
    "VOLT": ("voltage", "V"),
    "CURR": ("current", "A"),
    "POW": ("power", "W"),
}
_NO_LEVEL = ("PROT", "LIM", "RANG", "SLEW", "MODE", "FUNC", "MEAS", "FETC", "SENS", "RIS", "FALL")
"""Begins of nodes under which a quantity is no level: what an instrument guards itself by, how and how fast it gets
there."""
_SWITCHES = ("OUTP", "INP", "LOAD")


class InstrumentReader:
    """Levels of voltage, current and power (sheet serial 3.3, 3.5), single or in a list, and what switches all off."""

    def __init__(self) -> None:
        self._lines = LineReader()
        self._open = b""
        """A part of a line that has gone out."""

    def read(self, data: bytes) -> Asked:
        """What the lines that these bytes end set."""
        begun, self._open = bool(self._open.strip()), (self._open + data).rpartition(b"\n")[2]
        units = [unit for line in self._lines.feed(data) if line is not None for unit in units_of(line)]
        points = [point for unit in units for point in _set_by(unit)]
        return Asked(points, off=any(_switches_off(unit) for unit in units), begun=begun)


def _set_by(unit: Unit) -> Iterator[SetPoint]:
    if unit.query or unit.common or any(node.startswith(_NO_LEVEL) for node in unit.nodes):
        return
    if unit.nodes[-1].startswith("APPL"):
        for text, short in zip(unit.parameters[-2:], ("VOLT", "CURR"), strict=False):
            yield _point(unit, short, text)
        return
    found = [each for node in unit.nodes for each in _QUANTITIES if node.startswith(each)]
    for text in unit.parameters if found else ():
        yield _point(unit, found[0], text)


def _point(unit: Unit, short: str, text: str) -> SetPoint:
    quantity, base = _QUANTITIES[short]
    try:
        value = number(text, base)
    except ScpiError:
        value = "none"
    found = 0.0 if value == "MIN" else inf if isinstance(value, str) else abs(value)
    voltage, current, power = (found if quantity == each else 0.0 for each in ("voltage", "current", "power"))
    return SetPoint(":".join(unit.nodes), voltage, current, power)


def _switches_off(unit: Unit) -> bool:
    if unit.common:
        return unit.nodes == ("RST",)
    return unit.nodes[-1].startswith(_SWITCHES) and unit.parameters[:1] in (("OFF",), ("0",))
