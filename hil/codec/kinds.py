"""Signals that are no plain number: text, opaque bytes, packed BCD, years of either byte order.

``take_*`` never raises; ``put_*`` raises :class:`ValueError`, :class:`TypeError` or
:class:`AttributeError` for what does not fit, which the signal turns into a named error.
"""

from __future__ import annotations

from operator import index

PLAUSIBLE_YEARS = (2000, 2099)
"""Sheet 3.4: the byte order that gives one of these is right (D8)."""


def take_ascii(data: bytes) -> str | None:
    """Text without the zeros that fill it up; all ones is "not supplied"; foreign bytes are shown escaped."""
    if data == b"\xff" * len(data):
        return None
    return data.decode("ascii", "backslashreplace").rstrip("\0")


def take_bytes(data: bytes) -> bytes | None:
    """The bytes as they are; all ones is "not supplied"."""
    return None if data == b"\xff" * len(data) else bytes(data)


def take_bcd(raw: int, size: int) -> int | None:
    """Packed BCD of ``size`` bytes, low pair first; None for what is not BCD (FIELD sends all ones, sheet 1.3)."""
    value, factor = 0, 1
    for position in range(size):
        high, low = raw >> 8 * position + 4 & 0xF, raw >> 8 * position & 0xF
        if high > 9 or low > 9:
            return None
        value += (high * 10 + low) * factor
        factor *= 100
    return value


def take_year(raw: int, size: int) -> int | None:
    """Two bytes in the order that gives a plausible year (D8); None when all ones."""
    if raw == (1 << 8 * size) - 1:
        return None
    swapped = (raw & 0xFF) << 8 | raw >> 8
    low, high = PLAUSIBLE_YEARS
    return swapped if not low <= raw <= high and low <= swapped <= high else raw


def put_ascii(value: str | None, size: int) -> bytes:
    """ASCII, filled up with zeros; None is all ones."""
    if value is None:
        return b"\xff" * size
    data = value.encode("ascii")
    if len(data) > size:
        raise ValueError
    return data.ljust(size, b"\0")


def put_bytes(value: object, size: int) -> bytes:
    """Exactly ``size`` bytes; None is all ones."""
    if value is None:
        return b"\xff" * size
    if not isinstance(value, bytes) or len(value) != size:
        raise ValueError
    return value


def put_bcd(value: int | None, size: int) -> int:
    """Packed BCD, low pair first; None is all ones."""
    if value is None:
        return (1 << 8 * size) - 1
    rest = index(value)
    if not 0 <= rest < 100**size:
        raise ValueError
    raw = 0
    for position in range(size):
        rest, pair = divmod(rest, 100)
        raw |= (pair // 10 << 4 | pair % 10) << 8 * position
    return raw


def put_year(value: int | None, size: int) -> int:
    """Low byte first, the general rule of sheet 1.3; None is all ones."""
    if value is None:
        return (1 << 8 * size) - 1
    raw = index(value)
    if not 0 <= raw < (1 << 8 * size) - 1:
        raise ValueError
    return raw
