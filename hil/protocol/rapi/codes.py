"""Codes of states and flags (sheet serial 1.7)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, IntFlag
from types import MappingProxyType


class State(IntEnum):
    """State of the charger, in GS, AT and AB."""

    UNKNOWN = 0x00
    NOT_CONNECTED = 0x01
    CONNECTED = 0x02
    CHARGING = 0x03
    VENTILATION = 0x04
    DIODE = 0x05
    GFI = 0x06
    NO_GROUND = 0x07
    STUCK_RELAY = 0x08
    GFI_SELF_TEST = 0x09
    OVER_TEMPERATURE = 0x0A
    OVER_CURRENT = 0x0B
    RELAY_CLOSURE = 0x0E
    SLEEPING = 0xFE
    DISABLED = 0xFF


class PilotState(IntEnum):
    """State of the pilot: the codes of A to D, else unknown."""

    UNKNOWN = 0x00
    A = 0x01
    B = 0x02
    C = 0x03
    D = 0x04


class Setting(IntFlag):
    """Stored settings, in GE."""

    LEVEL_2 = 0x0001
    DIODE_CHECK_OFF = 0x0002
    VENTILATION_CHECK_OFF = 0x0004
    GROUND_CHECK_OFF = 0x0008
    STUCK_RELAY_CHECK_OFF = 0x0010
    AUTO_LEVEL_OFF = 0x0020
    AUTO_START_OFF = 0x0040
    SERIAL_DEBUG = 0x0080
    MONO_LCD = 0x0100
    GFI_SELF_TEST_OFF = 0x0200
    TEMPERATURE_CHECK_OFF = 0x0400
    CGMI = 0x1000
    BUTTON_OFF = 0x8000


class Volatile(IntFlag):
    """What is so at the moment, in GS and AT."""

    LEVEL_TEST_SKIPPED = 0x0001
    HARD_FAULT = 0x0002
    LIMIT_SLEEP = 0x0004
    AUTH_LOCKED = 0x0008
    TIME_LIMIT = 0x0010
    NO_GROUND_TRIPPED = 0x0020
    CHARGING = 0x0040
    GFI_TRIPPED = 0x0080
    CONNECTED = 0x0100
    SESSION_ENDED = 0x0200
    CONNECTED_BEFORE = 0x0400
    MENU = 0x0800
    TIMER_ON = 0x1000
    CHARGE_LIMIT = 0x2000
    BOOT_LOCK = 0x4000
    MENNEKES_MANUAL = 0x8000


NOTIFIED = Volatile.AUTH_LOCKED | Volatile.TIME_LIMIT | Volatile.CONNECTED | Volatile.CHARGE_LIMIT | Volatile.HARD_FAULT
"""A change of one of these makes an ``$AT`` (sheet serial 1.6)."""

FEATURES: Mapping[str, Setting] = MappingProxyType(
    {
        "B": Setting.BUTTON_OFF,
        "D": Setting.DIODE_CHECK_OFF,
        "F": Setting.GFI_SELF_TEST_OFF,
        "G": Setting.GROUND_CHECK_OFF,
        "R": Setting.STUCK_RELAY_CHECK_OFF,
        "T": Setting.TEMPERATURE_CHECK_OFF,
        "V": Setting.VENTILATION_CHECK_OFF,
    }
)
"""Letters of ``$FF`` and the stored flag that is set while the feature is off; ``E`` (echo) has none."""
