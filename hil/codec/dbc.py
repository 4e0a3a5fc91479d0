"""DBC export of declared messages, dumped by cantools.

A DBC holds fixed layouts of plain numbers. What it cannot hold is named by :func:`not_in_dbc` and in
the file's comment. Long messages carry the identifier they would have in a frame of their own, so a
reader decodes the payload that the transport protocol delivered. Text of up to 8 bytes is exported
as a number, first character lowest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from cantools.database.can import Bus, Database, Node
from cantools.database.can import Message as DbcMessage
from cantools.database.can import Signal as DbcSignal
from cantools.database.conversion import BaseConversion
from cantools.database.utils import sort_signals_by_start_bit

from hil.codec.lists import ListMessage
from hil.codec.message import Message
from hil.codec.signal import Signal
from hil.units import MILLISECOND

_SENDERS = ("charger", "bms")
_LONGEST = 64
"""Bits of the longest number that readers of DBC files agree on."""
_REASONS = {
    "bcd": "packed BCD is no linear number",
    "year": "its byte order is told by plausibility",
}


class Messages(Protocol):
    """What is exported: an edition's messages and their identifiers by sender."""

    edition: str
    messages: tuple[type[Message], ...]

    def ids(self, declared: type[Message]) -> dict[str, int]:
        """The 29-bit identifiers of a message by sender."""


def to_dbc(messages: Messages) -> str:
    """The text of a DBC file with every message and signal that such a file can hold.

    Identifiers are 29 bits; SPN and cycle time (ms) are the attributes ``SPN`` and
    ``GenMsgCycleTime``; choices are value tables, "not supplied" among them where a signal is
    optional. A message that either side sends appears once a sender.
    """
    missing = "; ".join(f"{message}.{name}: {reason}" for message, name, reason in not_in_dbc(messages))
    comment = (
        f"GB/T 27930-{messages.edition}, declared messages of hil. "
        "Messages longer than 8 bytes travel by the J1939-21 transport protocol. "
        f"What a DBC file cannot hold: {missing}."
    )
    database = Database(
        messages=[each for declared in messages.messages for each in _exported(messages, declared)],
        nodes=[Node(name) for name in _SENDERS],
        buses=[Bus("can", comment=comment)],
        version=f"GB/T 27930-{messages.edition}",
    )
    text = database.as_dbc_string(
        sort_signals=sort_signals_by_start_bit, sort_attribute_signals=sort_signals_by_start_bit
    )
    return text.replace("\r\n", "\n")


def not_in_dbc(messages: Messages) -> list[tuple[str, str, str]]:
    """Message, signal and reason of everything that a DBC file cannot hold."""
    found = []
    for declared in messages.messages:
        if issubclass(declared, ListMessage):
            found += [(declared.name, key, "the message has variable length") for key in declared.element]
            continue
        for key, each in declared.signals.items():
            reason = _reason(each)
            if reason:
                found.append((declared.name, key, reason))
    return found


def _reason(declared: Signal) -> str:
    if declared.is_text and declared.length > _LONGEST:
        return f"text of more than {_LONGEST} bits"
    return _REASONS.get(declared.kind, "")


def _exported(messages: Messages, declared: type[Message]) -> Iterator[DbcMessage]:
    if issubclass(declared, ListMessage):
        return
    identifiers = messages.ids(declared)
    for sender, identifier in identifiers.items():
        yield DbcMessage(
            identifier,
            declared.name if len(identifiers) == 1 else f"{declared.name}_{sender}",
            declared.length,
            [_signal(each, sender) for each in declared.signals.values() if not _reason(each)],
            comment=_summary(declared),
            senders=[sender],
            cycle_time=None if declared.period is None else declared.period // MILLISECOND,
            is_extended_frame=True,
            unused_bit_pattern=0xFF,
        )


def _signal(declared: Signal, sender: str) -> DbcSignal:
    choices: dict[int, str] = dict(declared.choices)
    if declared.optional:
        choices[declared.mask] = "not supplied"
    scale = declared.scale.numerator if declared.divisor == 1 else float(declared.scale)
    offset = declared.offset.numerator if declared.offset.denominator == 1 else float(declared.offset)
    return DbcSignal(
        declared.name,
        declared.start,
        declared.length,
        conversion=BaseConversion.factory(scale, offset, choices or None),  # type: ignore[arg-type]  # str is a choice
        minimum=declared.low,
        maximum=declared.high,
        unit=declared.unit or None,
        receivers=[each for each in _SENDERS if each != sender],
        comment="text, first character in the lowest byte" if declared.is_text else None,
        spn=declared.spn or None,
    )


def _summary(declared: type[Message]) -> str:
    """The first line of the docstring without its source."""
    first = (declared.__doc__ or "").partition("\n")[0]
    return re.sub(r"\s*\((sheet |D\d)[^)]*\)", "", first)
