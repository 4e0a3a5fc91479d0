"""Phases of a session, as they show on the wire."""

from __future__ import annotations

import enum

from hil.bench.actions import first
from hil.protocol.gbt27930 import CCS, CHM, CML, CRM, CRO, CSD, CST
from hil.units import Span, s
from hil.world.plan import OnMessage


class Phase(enum.Enum):
    """Reached when the charger's message is seen (sheet 4.1 and 4.2)."""

    HANDSHAKE = "handshake"
    IDENTIFICATION = "identification"
    RECOGNISED = "recognised"
    CONFIGURATION = "configuration"
    PRECHARGE = "precharge"
    READY = "ready"
    CHARGING = "charging"
    STOPPING = "stopping"
    END = "end"

    @property
    def trigger(self) -> OnMessage:
        """The message that tells it."""
        return _TRIGGERS[self]

    @property
    def limit(self) -> Span:
        """How long the bench waits for it before the case is inconclusive, from the start or now."""
        return _LIMITS[self]


_TRIGGERS = {
    Phase.HANDSHAKE: first(CHM),
    Phase.IDENTIFICATION: first(CRM, result=0x00),
    Phase.RECOGNISED: first(CRM, result=0xAA),
    Phase.CONFIGURATION: first(CML),
    Phase.PRECHARGE: first(CRO, ready=0x00),
    Phase.READY: first(CRO, ready=0xAA),
    Phase.CHARGING: first(CCS),
    Phase.STOPPING: first(CST),
    Phase.END: first(CSD),
}
_LIMITS = {
    Phase.HANDSHAKE: s(15),
    Phase.IDENTIFICATION: s(60),
    Phase.RECOGNISED: s(65),
    Phase.CONFIGURATION: s(70),
    Phase.PRECHARGE: s(75),
    Phase.READY: s(135),
    Phase.CHARGING: s(140),
    Phase.STOPPING: s(30),
    Phase.END: s(30),
}
"""Sums of the partner's time-outs (sheet 4.3), rounded up: later than that, a vehicle has given up."""
