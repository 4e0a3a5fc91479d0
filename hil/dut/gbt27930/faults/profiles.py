"""Seeded faults that no fixed case finds: they take a demand, or an order of events, that only a load profile has."""

from __future__ import annotations

from hil.dut.gbt27930.fault import Fault
from hil.units import ms, s


def _load_profile(*cases: str) -> tuple[str, ...]:
    return tuple(f"LOADPROFILE/{case}" for case in cases)


FAULTS = (
    Fault(
        "overshoots-after-a-long-rise",
        _load_profile("LP.01"),
        "overshoots by 5 % for 0.4 s when the demand rises by 130 A or more at once",
        "electrical",
        lambda c: c.quirky(overshoot_from=130.0, overshoot_span=s(1.8)),
    ),
    Fault(
        "loses-quick-demands",
        _load_profile("LP.01"),
        "loses a demand that comes less than 250 ms after another",
        "electrical",
        lambda c: c.quirky(deaf_after_change=ms(250)),
    ),
)
