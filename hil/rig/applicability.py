"""What can be judged on a rig, decided before anything runs."""

from __future__ import annotations

from hil.conformance.catalogue import Requirement
from hil.rig.rig import Rig


def applicability(requirement: Requirement, rig: Rig, edition: str) -> str | None:
    """Why a requirement is not applicable on this rig under this edition; None when it is.

    The reasons, in this order: the edition is not covered, the DUT does not claim what is needed, the
    bench lacks a capability.
    """
    if requirement.editions and edition not in requirement.editions:
        return f"covers edition {' and '.join(requirement.editions)} of GB/T 27930, this run is by {edition}"
    for need in requirement.needs:
        claim = rig.dut.claims.get(need.replace("-", "_"))
        if claim is not None and not claim:
            return f"the DUT does not claim {need}"
        if claim is None and not rig.can(need):
            return f"rig {rig.name} has no {need}"
    return None
