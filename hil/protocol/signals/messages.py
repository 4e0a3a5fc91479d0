"""Messages of the signals port, version 1: one JSON object a line, named by the one key that says what it is.

The bench asks (:data:`Request`), the box answers and tells (:data:`Answer`). Every message may carry ``id``,
which comes back with its answer, and ``t``, seconds of the sender's own steady clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from hil.errors import UsageError

INTERLOCK = "interlock"
"""Kind of the notes about an interlock (``what``): ``closed``, its name ``on`` the box; ``why`` where nobody knows."""
VERSION = 1
ALL = "*"
"""In the list of a ``get`` every signal, in that of a ``subscribe`` every actuator."""
_DIGITS = 7
"""Significant digits of a value on the wire."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Names = list[Name]
Value = bool | float
Id = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Seconds = Annotated[float, msgspec.Meta(ge=0.001, le=3600)]


class Signal(msgspec.Struct, frozen=True, omit_defaults=True):
    """One signal of a box. A ``sensor`` is what the controller reads, so the bench sets it; an ``actuator`` is what
    the controller drives, so the bench hears of it. Without unit and range it is a contact: 0 or 1."""

    kind: Literal["sensor", "actuator"]
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    doc: str = ""


class _Asked(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, forbid_unknown_fields=True):
    id: Id | None = None
    t: float | None = None


class Hello(_Asked, frozen=True):
    """The bench greets, and begins anew: the highest version it speaks, and for how many seconds it may be silent
    until every sensor that it set goes back to rest; without ``watchdog`` for ever."""

    version: Annotated[int, msgspec.Meta(ge=1)] = msgspec.field(name="hello")
    watchdog: Seconds | None = None


class Set(_Asked, frozen=True):
    """Sensors take these values, all of them or none; an empty one only shows that the bench is alive."""

    values: dict[Name, Value] = msgspec.field(name="set")


class Get(_Asked, frozen=True):
    """Present values are wanted."""

    names: Names = msgspec.field(name="get")


class Subscribe(_Asked, frozen=True):
    """Changes of these actuators are wanted, of no others; with ``every``, all of them so many seconds apart too."""

    names: Names = msgspec.field(name="subscribe")
    every: Seconds | None = None


class _Told(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    id: Id | None = None
    t: float | None = None


class Welcome(_Told, frozen=True, kw_only=True):
    """The answer to a hello: the version that is spoken from now on, the box's name, and its signals."""

    version: Annotated[int, msgspec.Meta(ge=1)] = msgspec.field(name="hello")
    box: str = ""
    signals: dict[Name, Signal]


class Done(_Told, frozen=True):
    """The answer to a set."""

    what: Literal["set"] = msgspec.field(name="ok")


class Values(_Told, frozen=True):
    """The answer to a get and to a subscribe."""

    values: dict[Name, Value]


class Changed(_Told, frozen=True):
    """Subscribed actuators have these values now."""

    values: dict[Name, Value] = msgspec.field(name="event")


class Refused(_Told, frozen=True, kw_only=True):
    """The answer to what cannot be done; nothing of it has been done. The code ``hello``: the bench was silent for
    longer than it had announced, every sensor is at rest, and nothing but a new hello is listened to."""

    error: str
    code: Literal["", "hello"] = ""


class Garbled(msgspec.Struct, frozen=True):
    """A line that is no message, and why."""

    raw: bytes
    why: str


Request = Hello | Set | Get | Subscribe
Answer = Welcome | Done | Values | Changed | Refused
REQUESTS: Mapping[str, type[Request]] = {"hello": Hello, "set": Set, "get": Get, "subscribe": Subscribe}
ANSWERS: Mapping[str, type[Answer]] = {
    "hello": Welcome,
    "ok": Done,
    "values": Values,
    "event": Changed,
    "error": Refused,
}
_ENVELOPE = ("id", "t")
T = TypeVar("T")


def encode(message: Request | Answer) -> bytes:
    """A line with its end; a value that is no finite number raises :class:`UsageError`."""
    plain: dict[str, Any] = msgspec.to_builtins(message)
    # What it is comes first, for people who read it.
    plain |= {key: plain.pop(key) for key in _ENVELOPE if key in plain}
    if isinstance(message, Set | Values | Changed):
        key = next(iter(plain))
        plain[key] = {name: _on_the_wire(name, value) for name, value in message.values.items()}
    return msgspec.json.encode(plain) + b"\n"


def read_request(line: bytes) -> Request | Garbled:
    """What the bench asks in a line."""
    return _read(line, REQUESTS)


def read_answer(line: bytes) -> Answer | Garbled:
    """What a box tells in a line; keys that it does not know are left aside, for boxes that tell more."""
    return _read(line, ANSWERS)


def _on_the_wire(name: str, value: float) -> float:
    if not isfinite(value):
        raise UsageError(f"{name}: {value} is not a number")
    rounded = float(f"{value:.{_DIGITS}g}")
    return int(rounded) if rounded.is_integer() else rounded


def _read(line: bytes, kinds: Mapping[str, type[T]]) -> T | Garbled:
    try:
        plain = msgspec.json.decode(line)
        if not isinstance(plain, dict):
            return Garbled(line, "an object is needed, as in " + '{"hello":1}')
        named = [key for key in kinds if key in plain]
        if len(named) != 1:
            return Garbled(line, f"exactly one of the keys {', '.join(kinds)} is needed")
        return msgspec.convert(plain, kinds[named[0]])
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        return Garbled(line, str(error) or type(error).__name__)
