"""Both ends of a transport by hand-made frames, and what they told."""

from __future__ import annotations

from typing import Any

from hil.codec.frame import CanFrame
from hil.protocol.j1939 import TpBehaviour, TpEvent, Transport
from hil.units import Instant, ms

BMS, CHARGER = 0xF4, 0x56
BRM_PGN, BCP_PGN, BCS_PGN = 0x0200, 0x0600, 0x1100
RTS_BRM = "10 31 00 07 FF 00 02 00"
CTS_BRM = "11 07 01 FF FF 00 02 00"
RTS_BCS = "10 09 00 02 FF 00 11 00"
CTS_BCS = "11 02 01 FF FF 00 11 00"
ACK_BCS = "13 09 00 02 FF 00 11 00"
ABORT_BCS_TIMEOUT = "FF 03 FF FF FF 00 11 00"


def to_charger(data: str) -> CanFrame:
    """A TP.CM frame of the BMS."""
    return CanFrame(0x1CEC56F4, bytes.fromhex(data))


def packet(number: int, fill: int = 0) -> CanFrame:
    return CanFrame(0x1CEB56F4, bytes([number]) + bytes([fill]) * 7)


def to_bms(data: str) -> CanFrame:
    """A TP.CM frame of the charger."""
    return CanFrame(0x1CECF456, bytes.fromhex(data))


def take(end: Transport) -> list[str]:
    """What an end has sent, without the identifier's source and destination."""
    taken = [frame.data.hex(" ").upper() for frame in end.out]
    end.out.clear()
    return taken


def events(end: Transport) -> list[TpEvent]:
    taken = list(end.events)
    end.events.clear()
    return taken


def sender(**behaviour: Any) -> Transport:
    return Transport(BMS, CHARGER, behaviour=TpBehaviour(**behaviour))


def receiver(**behaviour: Any) -> Transport:
    return Transport(CHARGER, BMS, behaviour=TpBehaviour(**behaviour))


def expires(end: Transport, now: Instant, span: Instant) -> None:
    """The next deadline is exactly ``span`` away; one nanosecond earlier nothing happens."""
    assert end.next_deadline() == now + span
    end.wake(now + span - 1)
    assert end.out == []
    end.wake(now + span)


def drain(end: Transport, now: Instant) -> list[int]:
    """Sends all that is released; the packet numbers."""
    numbers = [frame.data[0] for frame in end.out if frame.id >> 16 & 0xFF == 0xEB]
    end.out.clear()
    while (due := end.next_deadline()) is not None and due <= now + ms(100):
        end.wake(due)
        numbers += [frame.data[0] for frame in end.out]
        end.out.clear()
    return numbers
