"""Lines of SCPI and what stands in them: units, headers, parameters, numbers with units (sheet serial 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hil.protocol.scpi.errors import ScpiError

LONGEST = 1024
"""Characters of a line; what is longer is lost as a whole."""
_UNITS = ("V", "A", "W", "OHM", "S", "HZ", "A/S", "A/US", "KWH", "WH", "AH")
_MULTIPLIERS = {"": 1.0, "M": 1e-3, "K": 1e3, "U": 1e-6, "N": 1e-9}
_LIMITS = {
    "MIN": "MIN",
    "MINIMUM": "MIN",
    "MAX": "MAX",
    "MAXIMUM": "MAX",
    "DEF": "DEF",
    "DEFAULT": "DEF",
    "INF": "INF",
    "INFINITY": "INF",
}


class LineReader:
    """Cuts a stream at LF; a CR before it is dropped. An overlong line is told as None, a spoilt one not at all."""

    __slots__ = ("_buffer", "_limit", "_lost", "_spoilt")

    def __init__(self, limit: int = LONGEST) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._lost = self._spoilt = False

    def feed(self, data: bytes) -> list[str | None]:
        """The lines that these bytes complete."""
        lines: list[str | None] = []
        *ended, rest = data.split(b"\n")
        for each in ended:
            self._buffer += each
            line = self._line()
            if not self._spoilt:
                lines.append(line)
            self._spoilt = False
        self._buffer += rest
        if len(self._buffer) > self._limit:
            self._lost = True
            self._buffer.clear()
        return lines

    def _line(self) -> str | None:
        raw, lost = bytes(self._buffer), self._lost or len(self._buffer) > self._limit
        self._buffer.clear()
        self._lost = False
        return None if lost else raw.removesuffix(b"\r").decode("latin-1")

    def drop(self) -> None:
        """Forget what has no end yet, and will have none."""
        self._buffer.clear()
        self._lost = self._spoilt = False

    def spoil(self, data: bytes) -> None:
        """Bytes that the receiver calls wrong: no line that they touch is believed, up to its end."""
        self.drop()
        self._spoilt = not data.endswith(b"\n")


@dataclass(frozen=True, slots=True)
class Unit:
    """One program message unit: header nodes in upper case, as written; parameters without blanks around."""

    nodes: tuple[str, ...]
    query: bool
    parameters: tuple[str, ...] = ()
    common: bool = False
    """A ``*`` command."""
    rooted: bool = False
    """Begins with a colon."""


def split_quoted(text: str, mark: str) -> list[str]:
    """Split at a mark that stands in no quotes; an open quote raises :class:`ScpiError`."""
    parts, begin, quote = [], 0, ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == mark:
            parts.append(text[begin:at])
            begin = at + 1
    if quote:
        raise ScpiError(-102)
    return [*parts, text[begin:]]


def parse_unit(text: str) -> Unit:
    """One unit; what is none raises :class:`ScpiError`."""
    header, _, rest = text.strip().partition(" ")
    query = header.endswith("?")
    bare = header.removesuffix("?").upper()
    common, rooted = bare.startswith("*"), bare.startswith(":")
    nodes = tuple(bare.removeprefix("*").removeprefix(":").split(":"))
    if not all(node and node.isascii() and node.replace("_", "").isalnum() for node in nodes):
        raise ScpiError(-102)
    parameters = tuple(each.strip() for each in split_quoted(rest, ",")) if rest.strip() else ()
    if not all(parameters):
        raise ScpiError(-102)
    return Unit(nodes, query, parameters, common, rooted)


def units_of(line: str) -> Iterator[Unit]:
    """The units of a program line as an instrument may take them, each with its whole path; what is none is left out.

    A line whose quotes do not close is cut at every semicolon.
    """
    try:
        parts = split_quoted(line, ";")
    except ScpiError:
        parts = line.split(";")
    path: tuple[str, ...] = ()
    for part in parts:
        try:
            unit = parse_unit(part)
        except ScpiError:
            continue  # no header that any instrument could take
        nodes = unit.nodes if unit.rooted or unit.common else (*path, *unit.nodes)
        path = path if unit.common else nodes[:-1]
        yield Unit(nodes, unit.query, unit.parameters, unit.common)


def number(text: str, unit: str) -> float | str:
    """A number in the base of ``unit``, or ``MIN``, ``MAX``, ``DEF``, ``INF``.

    Text that is none raises -104, another unit -131.
    """
    upper = text.upper()
    if upper in _LIMITS:
        return _LIMITS[upper]
    figures, suffix = _split_number(upper)
    try:
        value = float(figures)
    except ValueError:
        raise ScpiError(-104) from None
    if abs(value) > 1e30:
        raise ScpiError(-222)
    return value * _factor(suffix, unit)


def _split_number(text: str) -> tuple[str, str]:
    """``2.5E-3 V`` into ``2.5E-3`` and ``V``."""
    at = 0
    while at < len(text) and (text[at] in "+-.0123456789" or _is_exponent(text, at)):
        at += 1
    return text[:at], text[at:].strip()


def _is_exponent(text: str, at: int) -> bool:
    return text[at] == "E" and at > 0 and text[at + 1 : at + 2] in tuple("+-0123456789")


def _factor(suffix: str, unit: str) -> float:
    if not suffix:
        return 1.0
    base = unit.upper()
    prefix = suffix.removesuffix(base)
    if not base or not suffix.endswith(base) or prefix not in _MULTIPLIERS:
        raise ScpiError(-131)
    return _MULTIPLIERS[prefix]


def boolean(text: str) -> bool:
    """``ON``, ``OFF`` or a number; anything else raises -224."""
    upper = text.upper()
    if upper in ("ON", "OFF"):
        return upper == "ON"
    try:
        return round(float(upper)) != 0
    except (ValueError, OverflowError):
        raise ScpiError(-224) from None


def answer_number(text: str) -> float | None:
    """The number in an answer, with or without its unit: ``48.00V``, ``20.00 A``, ``+1.5E+01``; None for none."""
    figures, suffix = _split_number(text.strip().upper())
    if suffix and suffix.lstrip("MKUN") not in (*_UNITS, "") and suffix not in _UNITS:
        return None
    try:
        return float(figures)
    except ValueError:
        return None
