"""How a frame, a message or a note reads: names, units and choices instead of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from hil.codec.message import Malformed, Message
from hil.codec.signal import Signal
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, MessageSet
from hil.protocol.j1939 import Transfer
from hil.protocol.j1939.settings import ABORT, CTS, END_OF_MESSAGE, RTS, TP_CM_PF
from hil.world.observation import BusErrorSeen, BytesSeen, FrameSeen, LineSeen, Note, Scalar

_ADDRESSES = {CHARGER_ADDRESS: "charger", BMS_ADDRESS: "BMS", 0xFF: "all"}
_READY = 0xAA
_MOST_ENTRIES = 12
_CALENDAR = ("year", "month", "day")
"""Units that a signal's name says already."""
_BUS_ERRORS = {
    "ack": "nobody acknowledged a frame",
    "bit": "the line did not carry a start of frame",
    "injected": "a frame was destroyed by an error frame",
    "error_passive": "error-passive",
    "bus_off": "bus-off",
    "recovered": "back on the bus",
    "overflow": "a frame was lost, receive buffer full",
}


class Content(NamedTuple):
    """What one thing on the wire says. Equal ``name`` and ``state`` read the same but for numbers."""

    who: str
    """Direction, as ``charger → BMS``."""
    name: str
    state: tuple[str, ...]
    """What is a status, a choice or a remark."""
    numbers: tuple[tuple[str, str, str], ...] = ()
    """Measured values: name, value, unit."""


def address(value: int) -> str:
    """An address of the bus as readers call it."""
    return _ADDRESSES.get(value, f"0x{value:02X}")


def direction(identifier: int) -> str:
    """Who speaks to whom, by the identifier of a PDU1 frame."""
    return f"{address(identifier & 0xFF)} → {address(identifier >> 8 & 0xFF)}"


def describe_frame(frame: FrameSeen, messages: MessageSet) -> Content:
    """A single frame that belongs to no transfer."""
    if not frame.extended:
        return Content(frame.sender, f"{frame.id:03X}", ("11-bit frame", _bytes(frame.data)))
    declared = messages.by_pgn.get((frame.id >> 16 & 0xFF) << 8)
    if declared is None:
        return Content(direction(frame.id), f"{frame.id:08X}", ("unknown", _bytes(frame.data)))
    if declared.transport:
        told = ("sent without the transport protocol", _bytes(frame.data))
        return Content(direction(frame.id), declared.name, told)
    name, state, numbers = _message(declared, frame.data, messages)
    if declared.can_id is not None and frame.id != declared.can_id:
        state = (f"identifier {frame.id:08X} instead of {declared.can_id:08X}", *state)
    return Content(direction(frame.id), name, state, numbers)


def describe_transfer(transfer: Transfer, messages: MessageSet) -> Content:
    """A long message, or what was left of it."""
    who = f"{address(transfer.source)} → {address(transfer.destination)}"
    declared = messages.by_pgn.get(transfer.pgn)
    name = declared.name if declared is not None else f"PGN {transfer.pgn:06X}"
    if not transfer.complete:
        return Content(who, name, (f"transfer not complete: {transfer.reason}",))
    if declared is None:
        return Content(who, name, ("unknown", _bytes(transfer.data)))
    name, state, numbers = _message(declared, transfer.data, messages)
    return Content(who, name, state, numbers)


def describe_transport(frame: FrameSeen, messages: MessageSet) -> Content:
    """One frame of the transport protocol, as such."""
    data = frame.data
    who = direction(frame.id)
    if len(data) != 8:
        return Content(who, "TP", (f"{len(data)} bytes, 8 are defined", _bytes(data)))
    if frame.id >> 16 & 0xFF != TP_CM_PF:
        return Content(who, "TP.DT", (), (("packet", str(data[0]), ""),))
    pgn = data[5] | data[6] << 8 | data[7] << 16
    declared = messages.by_pgn.get(pgn)
    of = declared.name if declared is not None else f"PGN {pgn:06X}"
    size = data[1] | data[2] << 8
    if data[0] == RTS:
        return Content(who, "TP.RTS", (f"{of}: {size} bytes in {data[3]} packets",))
    if data[0] == CTS:
        return Content(who, "TP.CTS", (f"{of}: {data[1]} packets from {data[2]}" if data[1] else f"{of}: hold",))
    if data[0] == END_OF_MESSAGE:
        return Content(who, "TP.EndOfMsgACK", (f"{of}: {size} bytes",))
    if data[0] == ABORT:
        return Content(who, "TP.Abort", (f"{of}: reason {data[1]}",))
    return Content(who, "TP.CM", (f"unknown control byte 0x{data[0]:02X}", _bytes(data)))


def describe_error(error: BusErrorSeen) -> Content:
    """An error on the bus with the counters after it."""
    numbers = (("TEC", str(error.tec), ""), ("REC", str(error.rec), ""))
    return Content(error.node, "bus error", (_BUS_ERRORS.get(error.kind, error.kind),), numbers)


def describe_bytes(seen: BytesSeen) -> Content:
    """Bytes on a line: as text where they are text, and as they were."""
    text = seen.data.decode("ascii", "replace").strip()
    readable = text.isprintable() and text.isascii() and text
    parts = (f"“{text}”",) if readable else (seen.data.hex(" ").upper(),)
    flaw = (f"with {seen.flaw} error",) if seen.flaw in ("parity", "framing") else (seen.flaw,) if seen.flaw else ()
    return Content(seen.sender, seen.port, (*parts, *flaw))


def describe_line(seen: LineSeen) -> Content:
    """A connection's change of state."""
    return Content(seen.node or "link", seen.port, (f"connection {seen.channel} {seen.kind}",))


def describe_note(note: Note) -> Content:
    """What the bench or a node noted."""
    details = ", ".join(f"{key} {plain(value)}" for key, value in note.details.items())
    text = f"{note.what} ({details})" if details else note.what
    if note.kind == "vehicle":
        return Content("vehicle", "state", (text,))
    return Content("bench", note.kind.replace("_", " "), (text,))


def describe_measured(note: Note) -> Content:
    """What an instrument told: values that follow each other are one line."""
    value = note.details.get("value", 0.0)
    told = f"{value:.6g}" if isinstance(value, int | float) else plain(value)
    return Content(
        str(note.details.get("by", "")), note.what, (), (("measured", told, str(note.details.get("unit", ""))),)
    )


def plain(value: Scalar) -> str:
    """Notes carry lists as text; a reader wants their elements."""
    return str(value).strip("[]").replace("'", "")


def _message(
    declared: type[Message], data: bytes, messages: MessageSet
) -> tuple[str, tuple[str, ...], tuple[tuple[str, str, str], ...]]:
    """Name (with 00 or AA where the message is told by it), states and numbers of a payload."""
    decoded = messages.decode(declared.pgn, data)
    if isinstance(decoded, Malformed):
        return declared.name, (f"not decodable: {decoded.reason.split(': ', 1)[-1]}", _bytes(data)), ()
    name = declared.name
    states: list[str] = []
    numbers: list[tuple[str, str, str]] = []
    outside = set(decoded.out_of_range())
    for key, signal, value in _fields(declared, decoded):
        label = key.replace("_", " ")
        if signal.choices and isinstance(value, int):
            if _READY in signal.choices:
                name = f"{declared.name}({value:02X})"
            if value != signal.default:
                states.append(f"{label}: {_choice(signal, value)}")
        elif value is not None:
            number = _number(signal, value)
            unit = "" if signal.kind == "bcd" or signal.unit in _CALENDAR else signal.unit
            numbers.append((label, f"{number} (outside the printed range)" if key in outside else number, unit))
    if len(data) not in declared.lengths and declared.length and not _is_list(declared):
        states.insert(0, f"{len(data)} bytes, {declared.length} are defined")
    if not states and not numbers:
        states.append("all normal")
    return name, tuple(states), tuple(numbers)


def _fields(declared: type[Message], decoded: Message) -> Iterator[tuple[str, Signal, Any]]:
    elements = getattr(declared, "element", None)
    for index, (key, value) in enumerate(decoded.items()):
        if elements is None:
            yield key, declared.signals[key], value
        elif index < _MOST_ENTRIES:
            yield key, elements[key.split("[")[0]], value


def _is_list(declared: type[Message]) -> bool:
    return hasattr(declared, "element")


def _choice(signal: Signal, value: int) -> str:
    bits = f"{value:02b}" if signal.length == 2 else f"0x{value:02X}" if _READY in signal.choices else str(value)
    return f"{signal.choices[value]} ({bits})" if value in signal.choices else f"{bits} (reserved)"


def _number(signal: Signal, value: Any) -> str:
    if isinstance(value, bytes):
        return _bytes(value)
    if isinstance(value, int) and not signal.unit and signal.length >= 24:
        return f"0x{value:0{signal.length // 4}X}"
    return str(value)


def _bytes(data: bytes) -> str:
    return data.hex(" ").upper() or "no bytes"
