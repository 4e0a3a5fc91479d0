"""What loads and sources of different makers are told for one purpose, as tables (sheet serial 3.5).

The sheet marks most of these command strings as general knowledge: compare the table with the manual of the
instrument at hand, and write another one where they differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hil.errors import UsageError

_NODES = {"voltage": "VOLT", "current": "CURR", "power": "POW", "resistance": "RES"}
_PLAIN = MappingProxyType({name: f"{node} {{value}}" for name, node in _NODES.items()})
_MEASURED = MappingProxyType({"voltage": "MEAS:VOLT?", "current": "MEAS:CURR?", "power": "MEAS:POW?"})
_MODES = MappingProxyType({name: f"FUNC {node}" for name, node in _NODES.items()})


@dataclass(frozen=True)
class Dialect:
    """Lines of one family of instruments. Values are written in V, A, W and ohm, without a unit."""

    on: str
    off: str
    take: str = ""
    """Takes control from the front panel; empty where the first line does."""
    give: str = ""
    """Gives it back."""
    set: Mapping[str, str] = field(default_factory=lambda: _PLAIN)
    """Quantity (``voltage``, ``current``, ``power``, ``resistance``) to the line that sets it, ``{value}`` inside."""
    mode: Mapping[str, str] = field(default_factory=lambda: _MODES)
    """Quantity to the line that makes the instrument regulate it; empty where limits act together."""
    measure: Mapping[str, str] = field(default_factory=lambda: _MEASURED)
    """Quantity to the query that reads it."""
    error: str = "SYST:ERR?"
    clear_protection: str = ""
    lists: bool = False
    """Has the list mode of SCPI-99 (``LIST:CURR``, ``LIST:DWEL``, ``LIST:COUN``, ``CURR:MODE LIST``, ``INIT``,
    ``*TRG``)."""

    def line(self, table: str, quantity: str) -> str:
        """A line of :attr:`set`, :attr:`mode` or :attr:`measure`; an unknown quantity raises :class:`UsageError`."""
        lines: Mapping[str, str] = getattr(self, table)
        if quantity not in lines:
            known = ", ".join(lines) or "none of them"
            raise UsageError(f"{table} {quantity!r}: this instrument knows {known}")
        return lines[quantity]


_CHROMA_MODES = MappingProxyType(
    {"current": "MODE CCH", "voltage": "MODE CVL", "power": "MODE CPL", "resistance": "MODE CRL"}
)
_CHROMA = MappingProxyType({name: f"{node}:STAT:L1 {{value}}" for name, node in _NODES.items()})
_NONE: Mapping[str, str] = MappingProxyType({})

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "scpi-load": Dialect("INP ON", "INP OFF", clear_protection="INP:PROT:CLE", lists=True),
        "scpi-source": Dialect("OUTP ON", "OUTP OFF", mode=_NONE, clear_protection="OUTP:PROT:CLE", lists=True),
        "ea-load": Dialect("INP ON", "INP OFF", "SYST:LOCK ON", "SYST:LOCK OFF", mode=_NONE),
        "ea-bidirectional": Dialect(
            "OUTP ON",
            "OUTP OFF",
            "SYST:LOCK ON",
            "SYST:LOCK OFF",
            set=MappingProxyType(
                {
                    **_PLAIN,
                    "sink current": "SINK:CURR {value}",
                    "sink power": "SINK:POW {value}",
                    "sink resistance": "SINK:RES {value}",
                }
            ),
            mode=_NONE,
        ),
        "itech-load": Dialect("INP ON", "INP OFF", "SYST:REM", "SYST:LOC"),
        "itech-source": Dialect("OUTP ON", "OUTP OFF", "SYST:REM", "SYST:LOC", mode=_NONE),
        "chroma-load": Dialect("LOAD ON", "LOAD OFF", set=_CHROMA, mode=_CHROMA_MODES),
        "keysight-load": Dialect("INP ON", "INP OFF", lists=True),
    }
)
"""Families of the sheet."""
