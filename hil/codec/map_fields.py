"""What a register map file may say, declared once: the loader, its messages and the page follow from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from hil.codec.register import ACCESS, NAN, ORDERS, TABLES, TYPES

SCHEMA = 1
_LINE = re.compile(r"[1-9][0-9]{2,6} [78][NEO][12]")
KINDS = ("charger", "meter", "insulation-monitor")


@dataclass(frozen=True)
class Key:
    """One key of a table. ``allowed`` lists the values there are, where they are not free."""

    form: str
    text: str
    required: bool = False
    default: Any = None
    allowed: Sequence[Any] | None = None
    low: float | None = None
    high: float | None = None

    @property
    def told(self) -> str:
        """What is allowed, in words."""
        return self._allowed(_FORMS[self.form][1])

    def wrong(self, value: Any) -> str | None:
        """What is wrong with a value, as "allowed is ..."; None when it is right."""
        check, words = _FORMS[self.form]
        if self.form.endswith("s") and isinstance(value, list):
            fine = all(check(each) and self._inside(each) for each in value) and (bool(value) or not self.required)
        else:
            fine = check(value) and not self.form.endswith("s") and self._inside(value)
        return None if fine else f"allowed is {self._allowed(words)}"

    def _inside(self, value: Any) -> bool:
        if self.allowed is not None and value not in self.allowed:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _allowed(self, words: str) -> str:
        if self.allowed is not None:
            listed = " or ".join(f'"{each}"' if isinstance(each, str) else str(each) for each in self.allowed)
            least = ", one at least" if self.required else ""
            return f"a list of {listed}{least}" if self.form.endswith("s") else listed
        if self.low is None and self.high is None:
            return words
        if self.high is None:
            return f"{words} of at least {self.low:g}"
        return f"{words} from {self.low or 0:g} to {self.high:g}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and _LINE.fullmatch(value) is not None


def _is_decimal(value: Any) -> bool:
    try:
        return isinstance(value, str) and Fraction(value) > 0
    except (ValueError, ZeroDivisionError):
        return False


def _is_sentinel(value: Any) -> bool:
    return value == NAN or _is_integer(value)


def _is_meaning(value: Any) -> bool:
    """A table of numbers to texts; numbers are TOML keys, so texts too."""
    return isinstance(value, dict) and all(_whole(key) is not None and isinstance(value[key], str) for key in value)


def _whole(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


MODE3 = ("A", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F")
"""States of a control pilot: the letter, with 2 for PWM and 1 without."""


def _is_states(value: Any) -> bool:
    """A table of texts to lists of pilot states."""
    lists = isinstance(value, dict) and all(isinstance(each, list) for each in value.values())
    return lists and all(state in MODE3 for each in value.values() for state in each)


def _is_bits(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_integer(each) and 0 <= each < _MOST_BITS for each in value.values())


_MOST_BITS = 64
_FORMS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "text": (_is_text, "a text"),
    "texts": (_is_text, "a list of texts"),
    "integer": (_is_integer, "an integer"),
    "integers": (_is_integer, "a list of integers"),
    "number": (_is_number, "a number"),
    "numbers": (_is_number, "a list of numbers"),
    "line": (_is_line, 'baud rate, data bits, parity and stop bits, such as "9600 8N1" or "19200 8E1"'),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "decimal": (_is_decimal, 'a positive decimal or fraction as a text, such as "0.1" or "1/256"'),
    "sentinels": (_is_sentinel, f'a list of integers and "{NAN}"'),
    "meaning": (_is_meaning, 'a table of whole numbers to texts, such as { 0 = "idle", 1 = "charging" }'),
    "states table": (_is_states, f"a table of texts to lists of {', '.join(MODE3)}"),
    "bits table": (_is_bits, "a table of causes to numbers of bits, such as { residual = 30 }"),
    "text or number": (
        lambda value: _is_text(value) or (_is_number(value) and value >= 0),
        "a register's name or a number of seconds of at least 0",
    ),
}

Table = Mapping[str, Key]

TOP: Table = {
    "schema": Key("integer", "Version of this file's form.", required=True, allowed=(SCHEMA,)),
    "name": Key("text", "Short name, as other files and the command line use it.", required=True),
    "title": Key("text", "Maker and model, for people.", required=True),
    "kind": Key("text", "What the device is.", required=True, allowed=KINDS),
    "source": Key("text", "Where the map comes from.", required=True),
    "confidence": Key("text", "How well it is founded, as the source marks it.", default=""),
    "base": Key("integer", "What this file calls the first address of a table.", required=True, allowed=(0, 1)),
    "unit": Key("integer", "Unit id.", required=True, low=0, high=255),
    "transports": Key("texts", "Lines that it can be on.", required=True, allowed=("tcp", "rtu")),
    "serial": Key("line", "Baud rate and format of its serial line, as `9600 8N1`.", default=""),
    "word_order": Key("text", "Which register of a longer value comes first.", default="high-first", allowed=ORDERS),
    "byte_order": Key("text", "Which byte of a register comes first.", default="high-first", allowed=ORDERS),
    "quirks": Key("texts", "What else a user should know.", default=()),
}
FUNCTIONS: Table = {
    table: Key("integers", f"Function codes of the {table} table.", default=(), low=1, high=127) for table in TABLES
}
LIMITS: Table = {
    "read": Key("integer", "Most registers of a read.", default=125, low=1, high=125),
    "write": Key("integer", "Most registers of a write.", default=123, low=1, high=123),
    "read_bits": Key("integer", "Most bits of a read.", default=2000, low=1, high=2000),
    "write_bits": Key("integer", "Most bits of a write.", default=1968, low=1, high=1968),
    "blocks": Key("boolean", "Whether a request may hold several values.", default=True),
    "gap": Key("integer", "Undeclared registers that a read may span.", default=0, low=0, high=124),
}
BEHAVIOUR: Table = {
    "unlisted": Key("text", "What an undeclared address reads as.", default="", allowed=("exception", "zero", "ones")),
    "partial_write": Key("text", "A write of a part of a value.", default="", allowed=("refused", "accepted")),
    "foreign_unit": Key("text", "A request to another unit.", default="", allowed=("silent", "gateway", "answered")),
    "unknown_function": Key("text", "A function code that it has not.", default="", allowed=("exception", "silent")),
    "broadcast": Key("text", "A write to all stations of a serial line.", default="", allowed=("obeyed", "ignored")),
    "clients": Key("integer", "Connections at once.", default=0, low=1),
    "idle_close": Key("number", "Seconds without a request after which it closes a connection.", default=0, low=0),
    "read_interval": Key("number", "Least seconds between reads.", default=0, low=0),
    "write_interval": Key("number", "Least seconds between writes.", default=0, low=0),
}
WATCHDOG: Table = {
    "fed_by": Key("text", "What restarts it.", required=True, allowed=("read", "write", "any")),
    "by": Key("texts", "Registers that a write must name; without them any does.", default=()),
    "timeout": Key("text or number", "Register that holds its time, or the time in seconds.", default=""),
    "fallback": Key("text", "Register that holds what the device falls back to.", default=""),
}
ROLES: Table = {
    "voltage": Key("texts", "What it measures in V: the first phase first, or the one voltage of DC.", default=()),
    "current": Key("texts", "What it measures in A, in the same order.", default=()),
    "power": Key("text", "Active power of all phases.", default=""),
    "energy": Key("text", "Energy delivered since ever, of all phases.", default=""),
    "insulation": Key("text", "Insulation resistance, the lower one.", default=""),
    "state": Key("text", "What the charger tells of its state.", default=""),
    "states": Key("states table", "Values of `state`, each with the states of the pilot that it may mean.", default={}),
    "set_current": Key("text", "Limit that a client sets, each phase.", default=""),
    "applied_current": Key("text", "Limit that is in force.", default=""),
    "set_safe_current": Key("text", "Limit for the time without a client, set by one.", default=""),
    "set_validity": Key("text", "For how many s a limit counts, set by a client.", default=""),
    "release": Key("text", "1 permits charging, 0 does not.", default=""),
    "alarms": Key("text", "What is wrong with the charger; 0 is nothing.", default=""),
    "alarm_bits": Key("bits table", "Bits of `alarms` by what is wrong.", default={}),
}
GROUP: Table = {
    "units": Key("integers", "Unit id of each member.", default=(), low=0, high=255),
    "offsets": Key("integers", "What each member adds to the addresses.", default=(), low=0, high=65535),
}
_LAST = 65535
"""Address on the wire."""
REGISTER: Table = {
    "name": Key("text", "Name, of letters, digits and `_`.", required=True),
    "table": Key("text", "Where it is.", default="holding", allowed=TABLES),
    "address": Key("integer", "First address, counted from `base`.", required=True, low=0, high=_LAST + 1),
    "type": Key("text", "How its bits are read.", required=True, allowed=TYPES),
    "size": Key("integer", "Registers of a string, of bytes, of bits.", low=1, high=125),
    "text": Key("text", "What it is.", default=""),
    "group": Key("text", "Every member of the group has it.", default=""),
    "scale": Key("decimal", "What one step is worth in `unit`.", default="1"),
    "unit": Key("text", "Unit of the scaled value.", default=""),
    "access": Key("text", "Read, written, or both.", default="ro", allowed=ACCESS),
    "low": Key("number", "Least value."),
    "high": Key("number", "Greatest value."),
    "also": Key("numbers", "Values allowed beside the range.", default=()),
    "choices": Key("meaning", "Values and what they mean.", default={}),
    "flags": Key("meaning", "Bits and what they mean; bit 0 is the lowest.", default={}),
    "absent": Key("sentinels", 'Raw values, or "nan", that say that there is no value; -1 is all ones.', default=()),
    "mask": Key("integer", "Bits of the raw value that are meant, moved down to bit 0.", low=1),
    "word_order": Key("text", "Where it differs from the device's.", allowed=ORDERS),
    "byte_order": Key("text", "Where it differs from the device's.", allowed=ORDERS),
    "quirk": Key("text", "What else a user should know.", default=""),
    "source": Key("text", "Section of the source.", default=""),
}


def register_keys(base: object) -> Table:
    """Keys of a register in a file whose first address is called ``base``, 0 unless it is 1."""
    return {**REGISTER, "address": replace(REGISTER["address"], high=_LAST + (1 if base == 1 else 0))}


TABLES_OF_A_FILE: Mapping[str, Table] = {
    "": TOP,
    "functions": FUNCTIONS,
    "limits": LIMITS,
    "behaviour": BEHAVIOUR,
    "watchdog": WATCHDOG,
    "roles": ROLES,
}
"""Every table that is there at most once; ``groups.<name>`` and ``registers`` come beside them."""
