"""What can be judged on a rig, decided before anything runs."""

from __future__ import annotations

from hil.conformance.catalogue import Requirement
from hil.rig.rig import Rig
from hil.rig.roles import AC, MODBUS_PORTS, NEEDED_BY, ROLES


def applicability(requirement: Requirement, rig: Rig, edition: str) -> str | None:
    """Why a requirement is not applicable on this rig under this edition; None when it is.

    The reasons, in this order: no port plays the part that every case of its kind needs, the edition is not
    covered, the DUT does not claim what is needed, the bench lacks a capability.
    """
    missing = lacks_role(requirement.bench, rig)
    if missing is not None:
        return missing
    if requirement.editions and edition not in requirement.editions:
        return f"covers edition {' and '.join(requirement.editions)} of GB/T 27930, this run is by {edition}"
    for need in requirement.needs:
        if not rig.claims(need):
            return f"the DUT does not claim {need}"
        lack = rig.lacks(need)
        if lack is not None:
            return lack
    return None


def lacks_role(bench: str, rig: Rig) -> str | None:
    """Why no case of a kind of bench can be run on a rig; None where some can."""
    if bench in AC and not rig.virtual and "can" in rig.roles:
        return f"rig {rig.name} has a DC charger ([roles] can)"
    missing = [] if rig.virtual else [role for role in NEEDED_BY[bench] if role not in rig.roles]
    if not missing:
        return None
    return f"rig {rig.name} has no port to {ROLES[missing[0]].text} ([roles] {missing[0]})"


def lacks_besides(requirement: Requirement, variant: str | None, rig: Rig) -> str | None:
    """Why a rig lacks what a single variant needs besides; None where it does not."""
    label = variant or ""
    for need in requirement.variant_needs.get(label, ()):
        lack = rig.lacks(need) if rig.claims(need) else f"the DUT does not claim {need}"
        if lack is not None:
            return lack
    rated, least = rig.rated_current, requirement.rated.get(label, 0.0)
    if rated is not None and rated < least:
        return f"the DUT claims {rated:g} A (rated_current): this takes {least:g} A"
    moot = [claim for claim in requirement.unless.get(label, ()) if rig.dut.claims.get(claim.replace("-", "_"))]
    return f"means nothing where the DUT claims {moot[0]}" if moot else None


def lacks_transport(requirement: Requirement, variant: str | None, rig: Rig) -> str | None:
    """Why a run of a Modbus case cannot be had over the rig's port; None where it can."""
    port = rig.port_of("modbus")
    if rig.virtual or port is None or requirement.bench != "modbus":
        return None
    for each in (variant or "", *requirement.offered(variant)):
        if MODBUS_PORTS.get(each, port.type) != port.type:
            return f"port {port.name} of rig {rig.name} is of type {port.type}: it carries no Modbus {each.upper()}"
    return None
