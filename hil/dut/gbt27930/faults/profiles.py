"""Seeded faults that no fixed case finds: they take a demand, or an order of events, that only a load profile has."""

from __future__ import annotations

from hil.dut.gbt27930.fault import Fault
from hil.units import ms, s


def _load_profile(*cases: str) -> tuple[str, ...]:
    return tuple(f"LOADPROFILE/{case}" for case in cases)


FAULTS = (
    # demand
    Fault(
        "overshoots-after-a-long-rise",
        _load_profile("LP.01", "LP.20"),
        "overshoots by 5 % when the demand rises by 130 A or more at once",
        "electrical",
        lambda c: c.quirky(overshoot_from=130.0, overshoot_span=s(1.8)),
    ),
    Fault(
        "loses-quick-demands",
        _load_profile("LP.01", "LP.20"),
        "loses a demand that comes less than 250 ms after another",
        "electrical",
        lambda c: c.quirky(deaf_after_change=ms(250)),
    ),
    Fault(
        "keeps-current-in-constant-voltage",
        _load_profile("LP.01", "LP.04"),
        "does not lower the current in constant-voltage mode",
        "electrical",
        lambda c: c.quirky(cv_keeps_current=True),
    ),
    Fault(
        "resumes-with-the-old-demand",
        _load_profile("LP.01"),
        "resumes after a pause with the demand from before it",
        "recovery",
        lambda c: c.quirky(resumes_old_demand=True),
    ),
    Fault(
        "no-limits-in-constant-voltage",
        _load_profile("LP.02"),
        "keeps the vehicle's limits in constant-current mode only",
        "electrical",
        lambda c: c.quirky(limits_in_cc_only=True),
    ),
    Fault(
        "zero-demand-in-constant-voltage",
        _load_profile("LP.03"),
        "takes a demand of 0 in constant-voltage mode for the one before",
        "electrical",
        lambda c: c.quirky(cv_keeps_at_zero=True),
    ),
    Fault(
        "falls-slowly-from-high-current",
        _load_profile("LP.04"),
        "lowers a current above 205 A by 12 A/s only",
        "electrical",
        lambda c: c.quirky(slow_above=205.0, slow_fall=12.0),
    ),
    Fault(
        "imprecise-in-mid-range",
        _load_profile("LP.05"),
        "puts out 2 % less than demanded between 122 A and 148 A",
        "electrical",
        lambda c: c.quirky(off_between=(122.0, 148.0), off_gain=0.98),
    ),
    Fault(
        "imprecise-voltage-at-low-current",
        _load_profile("LP.06"),
        "regulates the voltage 0.8 % too low while less than 150 A is demanded",
        "electrical",
        lambda c: c.quirky(cv_gain=0.992, cv_below=150.0),
    ),
    # ends
    Fault(
        "finishes-a-rise-before-it-stops",
        _load_profile("LP.07"),
        "finishes a rise of 1.5 s before it obeys BST",
        "electrical",
        lambda c: c.quirky(finishes_rise=s(1.5)),
    ),
    Fault(
        "connector-not-watched-in-a-pause",
        _load_profile("LP.07", "LP.20"),
        "does not watch CC1 while the vehicle pauses",
        "electrical",
        lambda c: c.without_rows(state="paused", trigger="cc1_fault"),
    ),
    Fault(
        "supplies-before-it-may",
        _load_profile("LP.08"),
        "puts out the former demand as soon as its contactors close after a reconnection",
        "recovery",
        lambda c: c.quirky(early_after_reconnection=True),
    ),
    Fault(
        "opens-by-the-clock",
        _load_profile("LP.09"),
        "opens its contactors 0.4 s after a stop, whatever flows",
        "electrical",
        lambda c: c.quirky(opens_after=ms(400)),
    ),
    # what is told
    Fault(
        "ccs-tells-demand-after-a-change",
        _load_profile("LP.10"),
        "tells the demand instead of the output in CCS for 1.5 s after a change",
        "content",
        lambda c: c.quirky(tells_demand=s(1.5)),
    ),
    Fault(
        "stop-cause-lost-in-a-pause",
        _load_profile("LP.11"),
        "says manual stop in CST when the vehicle ends the charge in a pause",
        "content",
        lambda c: c.with_row("paused", "BST", "answered", "", ("cause:manual",)),
    ),
    Fault(
        "energy-lost-in-a-pause",
        _load_profile("LP.12"),
        "counts energy anew after a pause",
        "content",
        lambda c: c.quirky(meter_restarts=True),
    ),
    Fault(
        "ccs-waits-for-demands",
        _load_profile("LP.17"),
        "puts CCS off by 15 ms while the demand changes with each BCL",
        "timing",
        lambda c: c.quirky(ccs_waits=ms(15)),
    ),
    Fault(
        "reports-pile-up",
        _load_profile("LP.18"),
        "reports each changed demand with all earlier ones, up to 24 of them, in frames that nobody asked for",
        "timing",
        lambda c: c.quirky(reports_changes=24),
    ),
    # course of the session
    Fault(
        "demand-ends-a-pause",
        _load_profile("LP.13"),
        "follows a changed demand although the vehicle pauses",
        "electrical",
        lambda c: c.quirky(wakes_in_pause=True),
    ),
    Fault(
        "two-pauses-at-most",
        _load_profile("LP.14", "LP.20"),
        "gives no current any more after the third pause",
        "recovery",
        lambda c: c.quirky(most_pauses=2),
    ),
    Fault(
        "bst-ignored-in-a-pause",
        _load_profile("LP.15"),
        "does not obey BST while the vehicle pauses",
        "sequence",
        lambda c: c.without_rows(state="paused", trigger="BST"),
    ),
    Fault(
        "reconnections-add-up",
        _load_profile("LP.16", "LP.20"),
        "counts reconnections of the whole session, those that succeeded too",
        "recovery",
        lambda c: c.quirky(reconnections_add_up=True),
    ),
)
