"""Seeded faults of what the AC charger makes of limits, and of contactor and lock."""

from __future__ import annotations

from hil.dut.ac.fault import Fault, control, pilot, profiles
from hil.units import s

FAULTS = (
    Fault(
        "ac-fixed-while-charging",
        pilot("CP.12"),
        "takes a new limit only before charging",
        "sequence",
        lambda c: c.but(follow_while_charging=False),
    ),
    Fault(
        "ac-drops-at-change",
        pilot("CP.12"),
        "stops the charge when the limit changes",
        "sequence",
        lambda c: c.with_row("supplying", "limit", "stopping"),
    ),
    Fault(
        "ac-no-pause",
        (*pilot("CP.13"), *profiles("AP.01")),
        "offers 6 A where less is asked for",
        "content",
        lambda c: c.but(rest=6.0),
    ),
    Fault(
        "ac-tells-too-little",
        (*pilot("CP.13"), *control("AC.03"), *profiles("AP.04")),
        "tells less than 6 A where less is asked for",
        "content",
        lambda c: c.but(min_current=0.5),
    ),
    Fault(
        "ac-rounds-to-6", pilot("CP.13"), "offers 5.9 A as if it were 6 A", "content", lambda c: c.but(min_current=5.8)
    ),
    Fault(
        "ac-first-formula-only",
        control("AC.01"),
        "uses the first formula beyond 51 A too",
        "content",
        lambda c: c.but(second_formula_from=100.0),
    ),
    Fault(
        "ac-second-formula-at-51",
        control("AC.01"),
        "uses the second formula from 35 A on",
        "content",
        lambda c: c.but(second_formula_from=35.0),
    ),
    Fault("ac-duty-high", control("AC.01"), "tells 1.5 % too much", "content", lambda c: c.but(duty_offset=1.5)),
    Fault("ac-duty-low", control("AC.01"), "tells 1.5 % too little", "content", lambda c: c.but(duty_offset=-1.5)),
    Fault(
        "ac-beyond-rating",
        control("AC.02"),
        "offers what is asked for, beyond its own rating",
        "content",
        lambda c: c.but(rated_current=80.0, installation=80.0),
    ),
    Fault(
        "ac-5-percent-at-pause",
        (*control("AC.03"), *profiles("AP.04")),
        "goes to 5 % in a pause",
        "content",
        lambda c: c.but(rest=3.0),
    ),
    Fault(
        "ac-no-resume",
        (*control("AC.04"), *profiles("AP.08")),
        "does not go on after a pause",
        "recovery",
        lambda c: c.with_row("stopping", "B", "blocked"),
    ),
    Fault(
        "ac-resumes-only-b",
        control("AC.04"),
        "does not go on for a vehicle that waits in C",
        "recovery",
        lambda c: c.without_rows(state="waiting", trigger="update"),
    ),
    Fault(
        "ac-resumes-late",
        control("AC.04"),
        "closes the contactor 4 s after the pause",
        "timing",
        lambda c: c.timing(supply_delay=s(4)),
    ),
    Fault(
        "ac-never-safe",
        (*control("AC.05"), *profiles("AP.05", "AP.21")),
        "keeps a limit for ever",
        "timing",
        lambda c: c.but(keep_validity=False),
    ),
    Fault(
        "ac-safe-late",
        control("AC.05"),
        "falls back 5 s late",
        "timing",
        lambda c: c.timing(validity=c.spans["validity"] + s(5)),
    ),
    Fault(
        "ac-safe-early",
        (*control("AC.05"), *profiles("AP.06")),
        "falls back 5 s early",
        "timing",
        lambda c: c.timing(validity=c.spans["validity"] - s(5)),
    ),
    Fault(
        "ac-safe-6A",
        control("AC.05"),
        "falls back to 6 A instead of the safe current",
        "content",
        lambda c: c.but(safe_current=6.0),
    ),
    Fault(
        "ac-weld-unwatched",
        control("AC.06"),
        "does not look whether the contactor has opened",
        "electrical",
        lambda c: c.without_trips("weld", "voltage"),
    ),
    Fault(
        "ac-weld-only-by-feedback-late",
        control("AC.06"),
        "notices a stuck contactor after a minute",
        "timing",
        lambda c: c.timing(weld=s(60), voltage=s(60)),
    ),
    Fault("ac-does-not-lock", control("AC.07"), "does not lock the plug", "sequence", lambda c: c.but(lock=False)),
    Fault(
        "ac-unlocks-under-power",
        control("AC.07"),
        "unlocks when the vehicle is unplugged, before the output is off",
        "sequence",
        lambda c: c.stating("unplugged", enter=("force_unlock",)),
    ),
)
