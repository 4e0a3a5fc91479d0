"""SAE J1939-21 transport protocol in connection mode, sans-IO: endpoint and passive listener."""

from hil.protocol.j1939.events import Aborted, Ignored, Received, Sent, TpEvent
from hil.protocol.j1939.listener import Listener, Transfer
from hil.protocol.j1939.settings import TpBehaviour, TpTiming
from hil.protocol.j1939.transport import Transport

__all__ = [
    "Aborted",
    "Ignored",
    "Listener",
    "Received",
    "Sent",
    "TpBehaviour",
    "TpEvent",
    "TpTiming",
    "Transfer",
    "Transport",
]
