"""Arguments of the bench's orders to stand-ins: what is missing or of the wrong kind is our own misuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from hil.errors import UsageError

T = TypeVar("T", int, float, str, bool)


def need(arguments: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """The argument of that name; one that is missing or no ``kind`` raises :class:`UsageError`.

    A whole number serves as a float.
    """
    if name not in arguments:
        raise UsageError(f"an argument {name!r} ({kind.__name__}) is needed; given are {dict(arguments)}")
    value = arguments[name]
    allowed: tuple[type, ...] = (int, float) if kind is float else (kind,)
    fits = isinstance(value, allowed) and (bool in allowed or type(value) is not bool)
    if not fits:
        raise UsageError(f"argument {name} {value!r}: a {kind.__name__} is needed")
    return kind(value)


def need_bytes(arguments: Mapping[str, Any], name: str) -> bytes:
    """The argument of that name, which is hexadecimal bytes; anything else raises :class:`UsageError`."""
    text = need(arguments, name, str)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError(f"argument {name} {text!r}: hexadecimal bytes are needed") from None
