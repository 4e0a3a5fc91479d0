"""What no register can be, and what no request of a device reaches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from hil.codec.register import BIT_TABLES, FLOATS, INTEGERS, NAN, SIZED, Register
from hil.codec.registers import OTHER_WRITES, READS, WRITE_MANY, WRITE_ONE, Limits

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def contradictions(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and text of what no register can be."""
    kind, bits = entry["type"], entry["table"] in BIT_TABLES
    if not _NAME.fullmatch(entry["name"]):
        yield "name", f"name = {toml(entry['name'])}: allowed are letters, digits and _, a letter first"
    if (kind == "bool") != bits:
        yield "type", f"type = {toml(kind)}: a {entry['table']} is {'bool' if bits else 'not bool'}"
    if entry["size"] is None and kind in SIZED:
        yield "size", f"size is missing: a {kind} has a number of registers"
    if entry["size"] is not None and kind not in (*SIZED, "bits"):
        yield "size", f"size = {entry['size']}: a {kind} has its own; allowed for {', '.join((*SIZED, 'bits'))}"
    if entry["low"] is not None and entry["high"] is not None and entry["low"] > entry["high"]:
        yield "low", f"low = {entry['low']} is above high = {entry['high']}"
    yield from _no_number(entry)
    yield from _too_wide(entry)
    yield from _unreached(entry)
    yield from _twice(entry)


def _no_number(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What only numbers, only bits or only floats can have."""
    kind = entry["type"]
    if kind not in (*INTEGERS, *FLOATS):
        for key in ("scale", "unit", "low", "high"):
            if entry[key] not in (None, "", "1"):
                yield key, f"{key} = {toml(entry[key])}: a {kind} is no number"
    if entry["flags"] and kind != "bits":
        yield "flags", f"flags: allowed for the type bits, this is {kind}"
    if NAN in entry["absent"] and kind not in FLOATS:
        yield "absent", f'absent has "{NAN}": allowed for {", ".join(FLOATS)}'


def _too_wide(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What does not fit the registers."""
    kind = entry["type"]
    width = 16 * (INTEGERS[kind][0] if kind in INTEGERS else entry["size"] or 1)
    if entry["mask"] is not None and kind not in (*INTEGERS, "bits"):
        yield "mask", f"mask = {entry['mask']:#x}: a {kind} has none; allowed for whole numbers and bits"
    elif entry["mask"] is not None and entry["mask"] >> width:
        yield "mask", f"mask = {entry['mask']:#x}: allowed within the {width} bits of the register"
    for bit in entry["flags"]:
        if int(bit, 0) >= width:
            yield "flags", f"flags has bit {bit}: allowed is 0..{width - 1}"
    if kind in INTEGERS or kind == "bits":
        signed = INTEGERS.get(kind, (0, False))[1]
        most = (1 << width) - 1
        for key, least in (("choices", -(1 << width - 1) if signed else 0), ("absent", -(1 << width - 1))):
            for given in entry[key]:
                if given == NAN:
                    continue  # told already
                if not least <= (given if isinstance(given, int) else int(given, 0)) <= most:
                    yield key, f"{key} has {given}: allowed is {least}..{most}"


def _twice(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Numbers that a table tells twice, as 1 and 0x1."""
    for key in ("choices", "flags"):
        for number, count in Counter(int(each, 0) for each in entry[key]).items():
            if count > 1:
                yield key, f"{key} has {number} twice"


def _unreached(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Ends of a range that the raw value cannot come to."""
    kind = entry["type"]
    if kind not in INTEGERS or entry["mask"] is not None:
        return
    words, signed = INTEGERS[kind]
    step, width = Fraction(entry["scale"]), 16 * words
    least, most = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)
    for key in ("low", "high"):
        value = entry[key]
        if value is not None and not least * step <= value <= most * step:
            held = f"{float(least * step):g}..{float(most * step):g}"
            yield key, f"{key} = {value}: a {kind} with a scale of {entry['scale']} holds {held}"


def unreachable(register: Register, codes: tuple[int, ...], limits: Limits, base: int = 0) -> Iterator[tuple[str, str]]:
    """Key and text of what no request of the device reaches."""
    bits = register.table in BIT_TABLES
    if register.address < 0 or register.end > 1 << 16:
        by_base = f" (on the wire; base = {base})" if base else ""
        yield "address", f"address {span(register)}{by_base} is outside 0..65535"
    if register.readable and not set(codes) & set(READS[register.table]):
        known = " or ".join(map(str, READS[register.table]))
        yield "table", f"[functions] {register.table} lists no function that reads it, such as {known}"
    if register.writable:
        many = WRITE_MANY.get(register.table)
        fits = register.size == 1 and WRITE_ONE.get(register.table) in codes
        if many is None:
            yield "access", f"access = {toml(register.access)}: the {register.table} table can only be read"
        elif not fits and many not in codes:
            one = f"{WRITE_ONE[register.table]} or " if register.size == 1 and register.table in WRITE_ONE else ""
            what = f"{register.size} {'bits' if bits else 'registers'} at once" if register.size > 1 else "it"
            text = f"[functions] {register.table} lists no function that writes {what}: {one}{many}"
            yield "access", f"access = {toml(register.access)}: {text}"
    if not bits and register.readable and register.size > limits.read:
        yield "size", f"{register.size} registers are more than the {limits.read} of a read"
    if not bits and register.writable and register.size > limits.write:
        yield "size", f"{register.size} registers are more than the {limits.write} of a write"


def writes(table: str) -> tuple[int, ...]:
    """Function codes that may write a table."""
    found = (WRITE_ONE.get(table), WRITE_MANY.get(table), *OTHER_WRITES.get(table, ()))
    return tuple(code for code in found if code is not None)


def share(first: Register, second: Register) -> bool:
    """Whether two registers are different fields of the same words."""
    same = (first.address, first.size) == (second.address, second.size)
    return same and first.mask is not None and second.mask is not None and not first.mask & second.mask


def span(register: Register) -> str:
    """The addresses of a register."""
    last = register.end - 1
    return f"{register.address}" if last == register.address else f"{register.address}..{last}"


def toml(value: Any) -> str:
    """A value as it stands in a file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(toml(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {toml(each)}' for key, each in value.items())} }}"
    return str(value)
