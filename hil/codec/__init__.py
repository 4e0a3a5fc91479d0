"""Declared messages and signals, and what is derived from the declaration."""

from hil.codec.frame import CanFrame
from hil.codec.lists import ListMessage
from hil.codec.message import Malformed, Message
from hil.codec.signal import Signal, signal, status

__all__ = ["CanFrame", "ListMessage", "Malformed", "Message", "Signal", "signal", "status"]
