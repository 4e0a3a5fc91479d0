"""Data identifiers and the formats of their values (sheet serial 2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from hil.errors import CodecError

MISSING = 0xFF
"""Every byte of an item that a meter lacks may be this."""


@dataclass(frozen=True, slots=True)
class Item:
    """One data item: ``size`` bytes of BCD, low byte first, ``decimals`` digits behind the point."""

    di: int
    name: str
    size: int
    decimals: int = 0
    unit: str = ""
    signed: bool = False
    """The top bit of the highest byte is the sign."""
    repeats: int = 1
    """So many values one after the other; 0 for as many as come."""
    kind: str = "number"
    """``number``, ``digits`` or ``text`` (reversed, filled with 00)."""


@dataclass(frozen=True, slots=True)
class Value:
    """What an item's bytes say; ``number`` is None where they say none, and ``flaw`` tells why."""

    number: float | None
    text: str
    flaw: str = ""


def _measured(di: int, name: str, size: int, decimals: int, unit: str, *, signed: bool = False) -> list[Item]:
    """An item for each of three phases and their block."""
    phases = [Item(di + (n << 8), f"{name} L{n}", size, decimals, unit, signed) for n in (1, 2, 3)]
    return [*phases, Item(di + 0xFF00, f"{name} block", size, decimals, unit, signed, repeats=3)]


def _totalled(di: int, name: str, size: int, decimals: int, unit: str) -> list[Item]:
    total = Item(di, f"{name} total", size, decimals, unit, signed=True)
    return [total, *_measured(di, name, size, decimals, unit, signed=True)[:3]]


_ALL = (
    Item(0x00000000, "combined active energy", 4, 2, "kWh"),
    Item(0x00010000, "forward active energy", 4, 2, "kWh"),
    Item(0x00020000, "reverse active energy", 4, 2, "kWh"),
    Item(0x0001FF00, "forward active energy block", 4, 2, "kWh", repeats=0),
    *_measured(0x02010000, "voltage", 2, 1, "V"),
    *_measured(0x02020000, "current", 3, 3, "A", signed=True),
    *_totalled(0x02030000, "active power", 3, 4, "kW"),
    *_totalled(0x02040000, "reactive power", 3, 4, "kvar"),
    *_totalled(0x02050000, "apparent power", 3, 4, "kVA"),
    *_totalled(0x02060000, "power factor", 2, 3, ""),
    *_measured(0x02070000, "phase angle", 2, 1, "deg")[:3],
    Item(0x02800001, "neutral current", 3, 3, "A"),
    Item(0x02800002, "frequency", 2, 2, "Hz"),
    Item(0x02800003, "mean active power", 3, 4, "kW"),
    Item(0x02800007, "temperature", 2, 1, "°C"),
    Item(0x02800008, "clock battery", 2, 2, "V"),
    Item(0x02800009, "reading battery", 2, 2, "V"),
    Item(0x04000101, "date", 4, kind="digits"),
    Item(0x04000102, "time", 3, kind="digits"),
    Item(0x04000401, "address", 6, kind="digits"),
    Item(0x04000402, "meter number", 6, kind="digits"),
    Item(0x04000404, "rated voltage", 6, kind="text"),
)
ITEMS = {each.di: each for each in _ALL}
"""The items of the sheet but for those of a tariff or a past period, see :func:`item`."""
MAX_TARIFFS, MAX_PERIODS = 0x3F, 0x0C


def item(di: int) -> Item | None:
    """The item of an identifier; None for one that the sheet does not have."""
    found = ITEMS.get(di)
    if found is not None:
        return found
    head, kind, tariff, period = di >> 24, di >> 16 & 0xFF, di >> 8 & 0xFF, di & 0xFF
    if head == 0 and kind == 1 and 1 <= tariff <= MAX_TARIFFS and period == 0:
        return Item(di, f"forward active energy, tariff {tariff}", 4, 2, "kWh")
    if head == 0 and kind in (0, 1, 2) and tariff == 0 and 1 <= period <= MAX_PERIODS:
        return Item(di, f"{ITEMS[kind << 16].name}, {period} periods ago", 4, 2, "kWh")
    return None


def di_bytes(di: int) -> bytes:
    """An identifier as it stands in the data: DI0 first. Beyond 32 bits raises :class:`CodecError`."""
    if not 0 <= di < 1 << 32:
        raise CodecError(f"data identifier {di:X}: 8 hex digits are allowed")
    return di.to_bytes(4, "little")


def decode_values(what: Item, data: bytes) -> list[Value]:
    """The values in an item's bytes; what is too short, too long or no BCD is told, never raised."""
    count = what.repeats or max(1, len(data) // what.size)
    due = count * what.size
    parts = [data[begin:end] for begin, end in pairwise(range(0, min(due, len(data)) + 1, what.size))]
    values = [_decode(what, part) for part in parts]
    if len(data) != due:
        values.append(Value(None, data.hex().upper(), f"{len(data)} bytes, {due} are due"))
    return values


def _decode(what: Item, part: bytes) -> Value:
    digits = part[::-1].hex().upper()
    if all(byte == MISSING for byte in part):
        return Value(None, digits, "not there")
    if what.kind == "text":
        return Value(None, part[::-1].replace(b"\0", b"").decode("latin-1"))
    negative = what.signed and part[-1] & 0x80 != 0
    bare = f"{int(digits[0], 16) & 7:X}{digits[1:]}" if negative else digits
    if not all("0" <= digit <= "9" for digit in bare):
        return Value(None, digits, f"{digits} is no BCD")
    if what.kind == "digits":
        return Value(None, digits)
    number = int(bare) / 10**what.decimals
    return Value(-number if negative else number, digits)


def encode_value(what: Item, value: float | str) -> bytes:
    """An item's bytes for one value, the nearest step of its grid; out of range raises :class:`CodecError`."""
    if isinstance(value, str):
        return _encode_text(what, value)
    steps = round(abs(value) * 10**what.decimals)
    top = 8 * 10 ** (2 * what.size - 1) if what.signed else 10 ** (2 * what.size)
    if steps >= top or (value < 0 and steps and not what.signed):
        low = -(top - 1) / 10**what.decimals if what.signed else 0
        raise CodecError(f"{what.name} {value} {what.unit}: {low} .. {(top - 1) / 10**what.decimals} is allowed")
    data = bytearray.fromhex(f"{steps:0{2 * what.size}d}")[::-1]
    if value < 0 and steps:
        data[-1] |= 0x80
    return bytes(data)


def _encode_text(what: Item, value: str) -> bytes:
    if what.kind == "text":
        data = value.encode("latin-1", "replace")[::-1]
        if len(data) <= what.size:
            return bytes(what.size - len(data)) + data
    elif len(value) == 2 * what.size and value.isascii() and value.isdigit():
        return bytes.fromhex(value)[::-1]
    raise CodecError(f"{what.name} {value!r}: {what.size} characters or {2 * what.size} digits are allowed")


def time_bytes(moment: datetime) -> bytes:
    """``ss mm hh DD MM YY`` as in a broadcast time."""
    fields = (moment.second, moment.minute, moment.hour, moment.day, moment.month, moment.year % 100)
    return bytes.fromhex("".join(f"{each:02d}" for each in fields))


def read_time(data: bytes) -> datetime | None:
    """The moment that such bytes say; None where they say none."""
    digits = data.hex()
    if len(data) != 6 or not digits.isdigit():
        return None
    second, minute, hour, day, month, year = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    try:
        return datetime(2000 + year, month, day, hour, minute, second)
    except ValueError:
        return None
