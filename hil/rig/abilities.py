"""What gives a bench each of its capabilities: the plant with its signals, a line, the virtual world, a person."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hil.conformance.catalogue import CAPABILITIES

BY_PERSON = ("inspection",)
"""Take somebody who looks at the DUT."""
BY_DUT = ("digital", "ventilation", "safe-current", "at-notifications", "following-frames")
"""The DUT claims them, and they ask nothing of the bench."""
BY_VIRTUAL: Mapping[str, str] = MappingProxyType(
    {
        "twin": "generated load profiles are run on the virtual twin, a rig replays written ones",
        "virtual-line": "a live port shows silences, parity and collisions not to the bit",
        "device-state": "nothing reaches into a real device",
        "shorted-bus": "nothing shorts the wires of a real bus",
    }
)
"""Only a virtual bench has them, and why."""
BY_CAN = ("raw-frames", "link-faults")
"""Come with the port of the role ``can``."""
BY_CONSENT = ("irreversible", "meter-settings")
"""Nothing gives them: a live rig has them where its file says so."""
BY_PLANT = tuple(each for each in CAPABILITIES if each not in (*BY_PERSON, *BY_DUT, *BY_VIRTUAL, *BY_CAN, *BY_CONSENT))
"""Come with the bench's own plant where a signals port carries it to the DUT."""
OF_AC = ("vehicle", "pilot-faults", "proximity", "residual", "limit", "socket", "weld")
"""Those of :data:`BY_PLANT` that an AC charger's plant alone gives."""
CLAIMABLE: Mapping[str, str] = MappingProxyType(
    {name: text for name, text in CAPABILITIES.items() if name in (*BY_PLANT, *BY_CAN, *BY_CONSENT)}
)
"""What a rig file's ``[capabilities]`` may grant or deny."""


def lack(capability: str, *, rig: str, roles: Mapping[str, str], model: bool) -> str | None:
    """Why a live bench with these roles (to ports) lacks a capability; None where its ports give it.

    ``model`` tells that the plant is the bench's own.
    """
    cannot = f"nothing can {CAPABILITIES[capability]}"
    if capability in BY_PERSON:
        return f"rig {rig} has no {capability}"
    if capability in BY_VIRTUAL:
        return f"rig {rig} is live: {BY_VIRTUAL[capability]}"
    if capability in BY_CAN:
        return None if "can" in roles else f"rig {rig} has no CAN port: {cannot}"
    granted = f"unless [capabilities] {capability.replace('-', '_')} says so"
    if capability in BY_CONSENT:
        return f"rig {rig} is live: nothing may {CAPABILITIES[capability]}, {granted}"
    if capability in BY_PLANT and "signals" not in roles:
        return f"rig {rig} has no signals port: {cannot}"
    if capability in OF_AC and "can" in roles:
        return f"the signals port of rig {rig} has the pins of a DC charger ([roles] can): {cannot}"
    if capability in BY_PLANT and not model:
        return f"the plant of rig {rig} is hardware: {cannot}, {granted}"
    return None
