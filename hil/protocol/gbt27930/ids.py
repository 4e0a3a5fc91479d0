"""Identifiers of GB/T 27930 (sheet 1.2): PDU1, fixed addresses, no address claim."""

from __future__ import annotations

CHARGER_ADDRESS = 0x56
BMS_ADDRESS = 0xF4


def can_id(priority: int, pgn: int, destination: int, source: int) -> int:
    """29-bit identifier of a PDU1 message; ``pgn`` is PF << 8."""
    return priority << 26 | (pgn >> 8 & 0xFF) << 16 | destination << 8 | source


def split_id(identifier: int) -> tuple[int, int, int, int]:
    """Priority, PGN (with R and DP bits), destination and source of a 29-bit identifier."""
    return identifier >> 26, (identifier >> 16 & 0x3FF) << 8, identifier >> 8 & 0xFF, identifier & 0xFF


def addresses(sender: str | None) -> tuple[int, int]:
    """Destination and source of what ``charger`` or ``bms`` sends."""
    return (BMS_ADDRESS, CHARGER_ADDRESS) if sender == "charger" else (CHARGER_ADDRESS, BMS_ADDRESS)
