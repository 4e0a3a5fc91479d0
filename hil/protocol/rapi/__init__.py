"""OpenEVSE's RAPI: lines with a checksum between a charger's console and its clients (sheet serial 1)."""

from hil.protocol.rapi.client import (
    Client,
    ClientSettings,
    Event,
    Garbled,
    NoReply,
    Notification,
    Reply,
    Text,
    Unasked,
    Waiting,
)
from hil.protocol.rapi.codes import (
    FEATURES,
    NOTIFIED,
    PilotState,
    Setting,
    State,
    Volatile,
)
from hil.protocol.rapi.commands import COMMANDS, NOTIFICATIONS, Command, Field, decode_fields
from hil.protocol.rapi.frame import BUFFER, MAX_TOKENS, Broken, Check, Frame, Framer, checksum, encode, parse

__all__ = [
    "BUFFER",
    "COMMANDS",
    "FEATURES",
    "MAX_TOKENS",
    "NOTIFICATIONS",
    "NOTIFIED",
    "Broken",
    "Check",
    "Client",
    "ClientSettings",
    "Command",
    "Event",
    "Field",
    "Frame",
    "Framer",
    "Garbled",
    "NoReply",
    "Notification",
    "PilotState",
    "Reply",
    "Setting",
    "State",
    "Text",
    "Unasked",
    "Volatile",
    "Waiting",
    "checksum",
    "decode_fields",
    "encode",
    "parse",
]
