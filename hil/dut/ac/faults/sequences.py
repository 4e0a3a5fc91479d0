"""Seeded faults of the AC charger's sequences: connection, start, stop, unplugging."""

from __future__ import annotations

from hil.dut.ac.fault import Fault, control, pilot, profiles
from hil.units import ms, s

FAULTS = (
    # idle and connection
    Fault(
        "ac-oscillates-idle",
        pilot("CP.01"),
        "oscillates without a vehicle",
        "sequence",
        lambda c: c.stating("idle", enter=("open", "oscillate", "forget")),
    ),
    Fault(
        "ac-idle-at-f",
        pilot("CP.01"),
        "shows -12 V without a vehicle",
        "electrical",
        lambda c: c.stating("idle", enter=("open", "show_fault", "forget")),
    ),
    Fault(
        "ac-locks-idle",
        pilot("CP.01"),
        "locks the empty socket",
        "sequence",
        lambda c: c.stating("idle", timers=(), enter=("open", "steady", "forget", "lock")),
    ),
    Fault(
        "ac-live-socket",
        pilot("CP.01"),
        "closes the contactor without a vehicle",
        "electrical",
        lambda c: c.stating("idle", enter=("close", "steady", "forget")).without_trips("weld", "voltage"),
    ),
    Fault(
        "ac-closes-in-b1",
        pilot("CP.02"),
        "closes the contactor as soon as a vehicle is connected",
        "electrical",
        lambda c: c.stating("offering", enter=("close", "oscillate")),
    ),
    Fault(
        "ac-f-in-b",
        pilot("CP.02"),
        "shows -12 V to a vehicle that is connected",
        "sequence",
        lambda c: c.without_rows(state="idle", trigger="B").with_row("idle", "B", "fault"),
    ),
    # offering
    Fault(
        "ac-offers-too-little",
        pilot("CP.03"),
        "offers 4 A",
        "content",
        lambda c: c.but(installation=4.0, min_current=4.0),
    ),
    Fault(
        "ac-offers-at-99",
        pilot("CP.03"),
        "tells 98 % where it may offer 32 A",
        "content",
        lambda c: c.but(duty_gain=1.84),
    ),
    Fault(
        "ac-half-duty",
        (*pilot("CP.03"), *control("AC.01")),
        "tells half the current",
        "content",
        lambda c: c.but(duty_gain=0.5),
    ),
    Fault(
        "ac-closes-in-b2",
        (*pilot("CP.03"), *pilot("CP.17")),
        "closes the contactor when it offers power",
        "electrical",
        lambda c: c.stating("offering", enter=("close", "oscillate")),
    ),
    Fault(
        "ac-ignores-request",
        (*pilot("CP.03", "CP.12", "CP.13"), *control("AC.01")),
        "ignores the limit that is asked for",
        "content",
        lambda c: c.but(obey_request=False),
    ),
    # vehicle ready
    Fault(
        "ac-closes-late",
        pilot("CP.04", "CP.06", "CP.21"),
        "closes the contactor 3.2 s after S2",
        "timing",
        lambda c: c.timing(supply_delay=ms(3200)),
    ),
    Fault(
        "ac-never-closes",
        pilot("CP.04"),
        "does not see that S2 closes",
        "sequence",
        lambda c: c.without_rows(state="offering", trigger="C"),
    ),
    Fault(
        "ac-never-again",
        pilot("CP.06"),
        "takes no second request in a session",
        "recovery",
        lambda c: c.without_rows(state="supplying", trigger="B").with_row("supplying", "B", "blocked"),
    ),
    # S2 opens, unplugging
    Fault(
        "ac-opens-late",
        (*pilot("CP.05", "CP.07", "CP.15"), *profiles("AP.03", "AP.20")),
        "reads the pilot only every 120 ms",
        "timing",
        lambda c: c.timing(debounce=ms(120)),
    ),
    Fault(
        "ac-stays-on-in-b",
        pilot("CP.05", "CP.06"),
        "leaves the contactor closed when S2 opens",
        "electrical",
        lambda c: c.stating("offering", enter=("oscillate",)),
    ),
    Fault(
        "ac-closes-again-in-b",
        pilot("CP.05"),
        "closes the contactor again a while after S2 has opened",
        "sequence",
        lambda c: c.without_rows(state="supplying", trigger="B").with_row("supplying", "B", "delaying", "", ("open",)),
    ),
    Fault(
        "ac-live-plug",
        pilot("CP.07", "CP.15"),
        "leaves the contactor closed when the vehicle is unplugged",
        "electrical",
        lambda c: c.stating("unplugged", enter=()),
    ),
    Fault(
        "ac-pwm-stays",
        pilot("CP.07", "CP.08"),
        "ends the PWM 2.5 s after the vehicle has gone",
        "timing",
        lambda c: c.timing(pwm_off=ms(2500)),
    ),
    Fault(
        "ac-pwm-for-ever",
        pilot("CP.07", "CP.08"),
        "does not end the PWM when the vehicle has gone",
        "sequence",
        lambda c: c.without_rows(state="unplugged", trigger="pwm_off"),
    ),
    Fault(
        "ac-unlocks-late",
        pilot("CP.08"),
        "unlocks 6 s after the vehicle has gone",
        "timing",
        lambda c: c.timing(unlock=s(6)),
    ),
    Fault(
        "ac-keeps-plug",
        (*pilot("CP.08"), *control("AC.07")),
        "never unlocks",
        "sequence",
        lambda c: c.but(unlock=False),
    ),
    # the charger stops
    Fault(
        "ac-stop-unheard",
        pilot("CP.09", "CP.10", "CP.11"),
        "does not stop when told to",
        "sequence",
        lambda c: c.without_rows(state="supplying", trigger="update"),
    ),
    Fault(
        "ac-stop-without-x1",
        pilot("CP.09"),
        "opens the contactor at the stop, and goes on oscillating",
        "sequence",
        lambda c: c.stating("stopping", timers=(), enter=("open",)),
    ),
    Fault(
        "ac-stop-at-f",
        pilot("CP.09"),
        "shows -12 V at the stop",
        "sequence",
        lambda c: c.stating("stopping", enter=("show_fault",)),
    ),
    Fault(
        "ac-c1-to-b1-on",
        pilot("CP.10"),
        "leaves the contactor closed when the vehicle opens S2 after the stop",
        "electrical",
        lambda c: c.stating("plugged", enter=("steady", "saw_b")),
    ),
    Fault(
        "ac-c1-to-b1-late",
        pilot("CP.10"),
        "opens the contactor only by the clock after the stop",
        "timing",
        lambda c: c.without_rows(state="stopping", trigger="B"),
    ),
    Fault(
        "ac-opens-at-once",
        pilot("CP.11"),
        "opens under load as soon as it stops",
        "timing",
        lambda c: c.timing(forced_open=ms(100)),
    ),
    Fault(
        "ac-opens-after-4-s",
        pilot("CP.11"),
        "opens under load 4 s after it stops",
        "timing",
        lambda c: c.timing(forced_open=s(4)),
    ),
    Fault(
        "ac-never-forces",
        pilot("CP.11"),
        "never opens under load",
        "sequence",
        lambda c: c.without_rows(state="stopping", trigger="forced_open"),
    ),
    # simplified vehicles, digital communication
    Fault(
        "ac-supplies-without-pwm",
        pilot("CP.18"),
        "supplies a vehicle without S2, without PWM",
        "sequence",
        lambda c: c.stating("waiting", enter=("steady", "close")).without_rows(state="waiting", trigger="update"),
    ),
    Fault(
        "ac-simplified-late",
        pilot("CP.18"),
        "supplies a vehicle without S2 3.5 s after the PWM",
        "timing",
        lambda c: c.timing(supply_delay=ms(3500)),
    ),
    Fault(
        "ac-jumps-from-5",
        pilot("CP.29"),
        "goes from 5 % to the nominal duty cycle at once",
        "sequence",
        lambda c: c.without_rows(state="matching", trigger="match").with_row(
            "matching", "match", "offering", "", ("no_match",)
        ),
    ),
    Fault(
        "ac-short-step",
        pilot("CP.29"),
        "shows F for 2 s between 5 % and the nominal duty cycle",
        "timing",
        lambda c: c.timing(step=s(2)),
    ),
    Fault(
        "ac-stays-at-5",
        pilot("CP.29"),
        "waits for digital communication for ever",
        "sequence",
        lambda c: c.without_rows(state="matching", trigger="match"),
    ),
)
