"""The messages of one edition, found by name, PGN or identifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType

from hil.codec.message import Malformed, Message
from hil.errors import CodecError, UsageError
from hil.protocol.gbt27930 import messages_2011, messages_2015
from hil.protocol.gbt27930.ids import addresses, can_id


class MessageSet:
    """Messages of an edition, by ``by_name``, ``by_pgn`` and (what travels in a frame of its own) ``by_id``."""

    def __init__(self, edition: str, messages: Iterable[type[Message]]) -> None:
        self.edition = edition
        self.messages = tuple(messages)
        self.by_name: Mapping[str, type[Message]] = MappingProxyType({cls.name: cls for cls in self.messages})
        self.by_pgn: Mapping[int, type[Message]] = MappingProxyType({cls.pgn: cls for cls in self.messages})
        self.by_id: Mapping[int, type[Message]] = MappingProxyType(
            {cls.can_id: cls for cls in self.messages if cls.can_id is not None}
        )

        self._decoders: dict[int, Callable[[bytes], Message]] = {cls.pgn: cls.decode for cls in self.messages}

    def ids(self, declared: type[Message]) -> dict[str, int]:
        """The 29-bit identifiers of a message by sender; nominal for what travels by the transport protocol."""
        senders = [declared.sender] if declared.sender else ["charger", "bms"]
        return {sender: can_id(declared.priority, declared.pgn, *addresses(sender)) for sender in senders}

    def lengths(self, declared: type[Message]) -> tuple[int, ...]:
        """Lengths that a sender may use, in bytes (sheet 1.3: short messages of 2011 may also have DLC 8)."""
        padded = self.edition == "2011" and not declared.transport and 8 not in declared.lengths
        return (*declared.lengths, 8) if padded else declared.lengths

    def decode(self, pgn: int, data: bytes) -> Message | Malformed:
        """The message of a PGN; what is no message of it comes back as :class:`Malformed`. Never raises."""
        decode = self._decoders.get(pgn)
        if decode is None:
            return Malformed(f"PGN 0x{pgn:06X}", data, "not a message of GB/T 27930")
        try:
            return decode(data)
        except CodecError as error:
            return Malformed(self.by_pgn[pgn].name, data, str(error))


EDITIONS = ("2011", "2015")


@cache
def edition(name: str) -> MessageSet:
    """The message set of an edition; an unknown one raises :class:`UsageError`."""
    if name == "2015":
        return MessageSet(name, messages_2015.MESSAGES)
    if name == "2011":
        return MessageSet(name, messages_2011.MESSAGES)
    raise UsageError(f"no edition {name!r} of GB/T 27930; there are {', '.join(EDITIONS)}")
