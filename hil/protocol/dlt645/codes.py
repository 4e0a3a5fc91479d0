"""Control codes, error words and commands (sheet serial 2.2)."""

from __future__ import annotations

from enum import IntEnum, IntFlag

ANSWER, ERROR, MORE = 0x80, 0x40, 0x20


class Function(IntEnum):
    """Bits 0 to 4 of the control code."""

    SECURITY = 0x03
    BROADCAST_TIME = 0x08
    READ = 0x11
    READ_FOLLOWING = 0x12
    READ_ADDRESS = 0x13
    WRITE = 0x14
    WRITE_ADDRESS = 0x15
    FREEZE = 0x16
    CHANGE_BAUD = 0x17
    CHANGE_PASSWORD = 0x18
    CLEAR_DEMAND = 0x19
    CLEAR_METER = 0x1A
    CLEAR_EVENTS = 0x1B
    RELAY = 0x1C
    OUTPUT = 0x1D


class ErrorWord(IntFlag):
    """Data of an error reply."""

    OTHER = 0x01
    NO_SUCH_DATA = 0x02
    NOT_AUTHORISED = 0x04
    BAUD_FIXED = 0x08
    TOO_MANY_ZONES = 0x10
    TOO_MANY_SLOTS = 0x20
    TOO_MANY_TARIFFS = 0x40


class RelayCommand(IntEnum):
    """N1 of the relay control."""

    TRIP = 0x1A
    ALLOW_CLOSE = 0x1B
    CLOSE = 0x1C
    ALARM = 0x2A
    ALARM_OFF = 0x2B
    HOLD = 0x3A
    HOLD_OFF = 0x3B


BAUD_RATES = {0x02: 600, 0x04: 1200, 0x08: 2400, 0x10: 4800, 0x20: 9600, 0x40: 19200}
"""Byte Z of :attr:`Function.CHANGE_BAUD`: one bit a rate."""
