"""Frames that do not match a message's definition, in each variant that sheet 5.7 names."""

from __future__ import annotations

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, can_id

UNUSED_PGN = 0x2800
"""PF 0x28 belongs to no message (sheet 5.7)."""
WRONG_SOURCE = 0xF5
_TP_DT = 0xEB00
_TP_PRIORITY = 7

VARIANTS: tuple[str, ...] = (
    "unused-pf",
    "short",
    "wrong-source",
    "wrong-priority",
    "too-long",
    "wrong-content",
    "nominal-id",
    "dt-without-rts",
)


def malformed(variant: str, declared: type[Message], data: bytes) -> list[CanFrame]:
    """The frames to send instead of a correct message with these bytes."""
    priority, pgn = declared.priority, declared.pgn

    def frame(payload: bytes, priority: int = priority, pgn: int = pgn, source: int = BMS_ADDRESS) -> CanFrame:
        return CanFrame(can_id(priority, pgn, CHARGER_ADDRESS, source), payload)

    if variant == "unused-pf":
        return [frame(data[:8], pgn=UNUSED_PGN)]
    if variant == "short":
        return [frame(data[:8][:-1])]
    if variant == "wrong-source":
        return [frame(data[:8], source=WRONG_SOURCE)]
    if variant == "wrong-priority":
        return [frame(data[:8], priority=7 if priority != 7 else 3)]
    if variant == "too-long":
        return [frame(data.ljust(8, b"\xff"))]
    if variant == "wrong-content":
        return [frame(b"\xff" * len(data[:8]))]
    if variant == "nominal-id":
        return [frame(data[:8])]
    return _orphans(data)


def _orphans(data: bytes) -> list[CanFrame]:
    """Data packets without the announcement that must precede them."""
    identifier = can_id(_TP_PRIORITY, _TP_DT, CHARGER_ADDRESS, BMS_ADDRESS)
    packets = [data[start : start + 7].ljust(7, b"\xff") for start in range(0, len(data), 7)]
    return [CanFrame(identifier, bytes([number]) + packet) for number, packet in enumerate(packets, start=1)]
