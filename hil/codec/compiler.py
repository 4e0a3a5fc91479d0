"""Turns the declaration of a message into Python source for its constructor, encoder and decoder.

Generated source is 5 to 6 times faster than walking the declaration, which matters for a trace of
230,000 frames. Only our own declarations are compiled; nothing from a file or the wire is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hil.codec.signal import Signal
from hil.errors import CodecError

if TYPE_CHECKING:
    from hil.codec.message import Message

_PLAUSIBLE_YEARS = (2000, 2099)


def compile_new(cls: type[Message]) -> Callable[..., Any]:
    """A constructor that takes every signal by keyword."""
    parameters = ["cls"]
    if cls.signals:
        parameters.append("*")
    parameters += [
        key if declared.default is ... else f"{key}={declared.default!r}" for key, declared in cls.signals.items()
    ]
    values = ", ".join(cls.signals) + ("," if cls.signals else "")
    source = f"def __new__({', '.join(parameters)}):\n    return new(cls, ({values}))\n"
    return _function(source, "__new__", cls, new=tuple.__new__)


def compile_decoder(cls: type[Message]) -> Callable[[Any, bytes], Any]:
    """A function of class and payload."""
    length = cls.length
    lines = [
        "def decode(cls, data):",
        f"    if len(data) < {length}:",
        "        raise too_short(cls, data)",
    ]
    names: dict[str, Any] = {"new": tuple.__new__, "from_bytes": int.from_bytes, "too_short": _too_short}
    if any(_numeric(declared) for declared in cls.signals.values()):
        lines.append(f"    n = from_bytes(data if len(data) == {length} else data[:{length}], 'little')")
    parts: list[str] = []
    for key, declared in cls.signals.items():
        parts.append(_decode_expression(key, declared, names, lines))
    lines.append(f"    return new(cls, ({', '.join(parts)}{',' if parts else ''}))")
    return _function("\n".join(lines) + "\n", "decode", cls, **names)


def _numeric(declared: Signal) -> bool:
    return declared.kind not in ("ascii", "bytes")


def _decode_expression(key: str, declared: Signal, names: dict[str, Any], lines: list[str]) -> str:
    first, last = declared.start // 8, (declared.start + declared.length) // 8
    if declared.kind in ("ascii", "bytes"):
        names[f"take_{key}"] = _take_text if declared.kind == "ascii" else _take_bytes
        return f"take_{key}(data[{first}:{last}], {declared.optional})"
    raw = f"n >> {declared.start} & {declared.mask:#x}" if declared.start else f"n & {declared.mask:#x}"
    if declared.kind in ("bcd", "year"):
        names[f"take_{key}"] = _take_bcd if declared.kind == "bcd" else _take_year
        return f"take_{key}({raw}, {declared.mask:#x})"
    value = f"({raw})" if declared.scale.numerator == 1 else f"({raw}) * {declared.scale.numerator}"
    shift = declared.shift
    if shift:
        value = f"({value} {'+' if shift > 0 else '-'} {abs(shift)})"
    if declared.divisor != 1:
        value = f"{value} / {declared.divisor}"
    if declared.optional:
        lines.append(f"    r_{key} = {raw}")
        return f"None if r_{key} == {declared.mask:#x} else {value}"
    return value


def compile_encoder(cls: type[Message]) -> Callable[[Any], bytes]:
    """A function of the message; the fast path checks ranges, the slow one explains."""
    lines = ["def encode(self):"]
    names: dict[str, Any] = {"explain": _explain}
    if cls.signals:
        lines.append(f"    {', '.join(f'v_{key}' for key in cls.signals)}, = self")
    fill = (1 << 8 * cls.length) - 1
    terms: list[str] = []
    checks: list[str] = []
    lines.append("    try:")
    for key, declared in cls.signals.items():
        fill &= ~(declared.mask << declared.start)
        lines.append(f"        {_encode_line(key, declared, names)}")
        if _numeric(declared) and declared.kind == "uint":
            low, high = declared.raw_low, declared.raw_high
            check = f"{low} <= r_{key} <= {high}"
            checks.append(f"(v_{key} is None or {check})" if declared.optional else check)
        terms.append(f"r_{key} << {declared.start}" if declared.start else f"r_{key}")
    terms.append(hex(fill))
    lines.append(f"        if not ({' and '.join(checks) or 'True'}):")
    lines.append("            raise ValueError")
    lines.append("    except (TypeError, ValueError, OverflowError, AttributeError):")
    lines.append("        raise explain(self) from None")
    lines.append(f"    return ({' | '.join(terms)}).to_bytes({cls.length}, 'little')")
    return _function("\n".join(lines) + "\n", "encode", cls, **names)


def _encode_line(key: str, declared: Signal, names: dict[str, Any]) -> str:
    if declared.kind != "uint":
        put = {"ascii": _put_text, "bytes": _put_bytes, "bcd": _put_bcd, "year": _put_year}[declared.kind]
        names[f"put_{key}"] = put
        expression = f"put_{key}(v_{key}, {declared.length // 8})"
    elif declared.divisor == 1 and declared.scale.numerator == 1:
        expression = f"round(v_{key} - {declared.shift})" if declared.shift else f"round(v_{key})"
    else:
        scaled = f"v_{key} * {declared.divisor}" if declared.divisor != 1 else f"v_{key}"
        if declared.shift:
            scaled = f"({scaled} - {declared.shift})"
        if declared.scale.numerator != 1:
            scaled = f"{scaled} / {declared.scale.numerator}"
        expression = f"round({scaled})"
    if declared.optional:
        expression = f"{declared.mask:#x} if v_{key} is None else {expression}"
    return f"r_{key} = {expression}"


def _function(source: str, name: str, cls: type[Message], **names: Any) -> Callable[..., Any]:
    exec(compile(source, f"<{cls.name} {name}>", "exec"), names)  # noqa: S102 - our own declaration, see above
    function: Callable[..., Any] = names[name]
    return function


def _too_short(cls: type[Message], data: bytes) -> CodecError:
    return CodecError(f"{cls.name}: {len(data)} bytes, {cls.length} are defined")


def _explain(message: Message) -> CodecError:
    """Which signal cannot be encoded, and why."""
    for key, value in message.items():
        declared = type(message).signals[key]
        if value is None and declared.optional:
            continue
        try:
            if declared.kind == "uint":
                declared.to_raw(value)
            else:
                put = {"ascii": _put_text, "bytes": _put_bytes, "bcd": _put_bcd, "year": _put_year}[declared.kind]
                put(value, declared.length // 8)
        except CodecError as error:
            return CodecError(f"{type(message).name}.{error}")
        except (TypeError, ValueError, AttributeError, OverflowError):
            return CodecError(
                f"{type(message).name}.{key}: {value!r} does not fit {declared.kind} of {declared.length // 8} bytes"
            )
    return CodecError(f"{type(message).name}: {message!r} cannot be encoded")


def _take_text(data: bytes, optional: bool) -> str | None:
    if optional and data == b"\xff" * len(data):
        return None
    return data.decode("ascii", "backslashreplace").rstrip("\0")


def _take_bytes(data: bytes, optional: bool) -> bytes | None:
    return None if optional and data == b"\xff" * len(data) else data


def _take_bcd(raw: int, mask: int) -> int | None:
    """Packed BCD, low pair first; None for what is not BCD (FIELD sends all ones, sheet 1.3)."""
    value, factor = 0, 1
    while mask:
        high, low = raw >> 4 & 0xF, raw & 0xF
        if high > 9 or low > 9:
            return None
        value += (high * 10 + low) * factor
        factor *= 100
        raw >>= 8
        mask >>= 8
    return value


def _take_year(raw: int, mask: int) -> int | None:
    """Two bytes in the order that gives a plausible year; None when supplied by neither (D8)."""
    if raw == mask:
        return None
    swapped = (raw & 0xFF) << 8 | raw >> 8
    low, high = _PLAUSIBLE_YEARS
    return swapped if not low <= raw <= high and low <= swapped <= high else raw


def _put_text(value: str | None, size: int) -> int:
    if value is None:
        return (1 << 8 * size) - 1
    data = value.encode("ascii")
    if len(data) > size:
        raise ValueError
    return int.from_bytes(data.ljust(size, b"\0"), "little")


def _put_bytes(value: bytes | None, size: int) -> int:
    if value is None:
        return (1 << 8 * size) - 1
    if len(value) != size:
        raise ValueError
    return int.from_bytes(value, "little")


def _put_bcd(value: int | None, size: int) -> int:
    if value is None:
        return (1 << 8 * size) - 1
    if not 0 <= value < 100**size:
        raise ValueError
    raw = 0
    for position in range(size):
        value, pair = divmod(value, 100)
        raw |= (pair // 10 << 4 | pair % 10) << 8 * position
    return raw


def _put_year(value: int | None, size: int) -> int:
    if value is None:
        return (1 << 8 * size) - 1
    if not 0 <= value < 1 << 8 * size:
        raise ValueError
    return value
