"""Seeded faults of the AC charger's protective functions and of what it reads from pilot and proximity."""

from __future__ import annotations

from hil.dut.ac.fault import Fault, control, pilot, profiles
from hil.units import ms, s

FAULTS = (
    # pilot
    Fault(
        "ac-short-unseen",
        pilot("CP.14"),
        "does not react to a shorted pilot",
        "electrical",
        lambda c: c.without_rows(state="supplying", trigger="E"),
    ),
    Fault(
        "ac-short-late",
        pilot("CP.14"),
        "opens 3.1 s after the pilot is shorted",
        "timing",
        lambda c: (
            c.without_rows(state="supplying", trigger="E")
            .with_row("supplying", "E", "stopping")
            .timing(forced_open=ms(3100))
        ),
    ),
    Fault(
        "ac-open-pilot-unseen",
        pilot("CP.15"),
        "goes on when the pilot opens",
        "electrical",
        lambda c: c.without_rows(state="supplying", trigger="A"),
    ),
    Fault(
        "ac-no-diode-check",
        pilot("CP.16", "CP.17"),
        "does not look at the negative half",
        "electrical",
        lambda c: c.but(diode_below=None),
    ),
    Fault(
        "ac-diode-late",
        pilot("CP.16"),
        "notices a shorted diode after 3.5 s",
        "timing",
        lambda c: c.timing(diode=ms(3500)),
    ),
    Fault(
        "ac-earth-unwatched",
        pilot("CP.19"),
        "takes a lost earth for an unplugged vehicle, and waits",
        "electrical",
        lambda c: c.without_trips("earth").without_rows(state="supplying", trigger="A"),
    ),
    Fault(
        "ac-earth-late",
        pilot("CP.19"),
        "opens 200 ms after the earth is lost",
        "timing",
        lambda c: c.timing(earth=ms(200), debounce=ms(200)),
    ),
    Fault(
        "ac-air-not-asked",
        pilot("CP.20"),
        "supplies in state D without ventilation",
        "sequence",
        lambda c: c.with_row("offering", "D", "delaying").with_row("supplying", "D"),
    ),
    Fault(
        "ac-stays-on-in-d",
        pilot("CP.20"),
        "goes on when the vehicle asks for ventilation",
        "sequence",
        lambda c: c.with_row("supplying", "D"),
    ),
    Fault(
        "ac-no-ventilation",
        pilot("CP.20"),
        "does not switch its ventilation",
        "sequence",
        lambda c: c.but(ventilation=False),
    ),
    Fault(
        "ac-narrow-windows",
        pilot("CP.21"),
        "reads B from 8.4 to 9.6 V and C from 5.5 to 6.5 V",
        "electrical",
        lambda c: c.reading_levels(B=(8.4, 9.6), C=(5.5, 6.5)),
    ),
    Fault(
        "ac-b-only-nominal",
        pilot("CP.21"),
        "reads B from 8.95 to 9.05 V",
        "electrical",
        lambda c: c.reading_levels(B=(8.95, 9.05)),
    ),
    Fault(
        "ac-d-is-c",
        pilot("CP.22"),
        "reads C from 2 V up",
        "electrical",
        lambda c: c.reading_levels(C=(2.0, 7.4), D=(1.5, 2.0)),
    ),
    Fault(
        "ac-b-is-c",
        pilot("CP.22"),
        "reads C up to 8 V",
        "electrical",
        lambda c: c.reading_levels(C=(4.5, 8.0), B=(8.0, 10.5)),
    ),
    # proximity
    Fault(
        "ac-any-cable",
        pilot("CP.24", "CP.26"),
        "charges without a coded cable",
        "electrical",
        lambda c: c.but(check_cable=False),
    ),
    Fault(
        "ac-open-is-13A",
        pilot("CP.24", "CP.26"),
        "takes an open proximity for a cable of 13 A",
        "electrical",
        lambda c: c.but(cables=(*c.cables, (4500.0, 1e12, 13.0))),
    ),
    Fault(
        "ac-short-is-63A",
        pilot("CP.24"),
        "takes a shorted proximity for a cable of 63 A",
        "electrical",
        lambda c: c.but(cables=((0.0, 60.0, 63.0), *c.cables)),
    ),
    Fault(
        "ac-cable-one-up",
        pilot("CP.25"),
        "takes every cable for the next thicker one",
        "content",
        lambda c: c.but(
            cables=((60.0, 140.0, 63.0), (140.0, 308.0, 63.0), (308.0, 936.0, 32.0), (936.0, 4500.0, 20.0))
        ),
    ),
    Fault(
        "ac-cable-edge",
        pilot("CP.25"),
        "takes 1100 ohm for a cable of 20 A",
        "content",
        lambda c: c.but(
            cables=((60.0, 140.0, 63.0), (140.0, 308.0, 32.0), (308.0, 1150.0, 20.0), (1150.0, 4500.0, 13.0))
        ),
    ),
    Fault(
        "ac-cable-ignored",
        (*pilot("CP.03", "CP.25"), *control("AC.02")),
        "offers more than the cable can carry",
        "content",
        lambda c: c.but(socket=False),
    ),
    Fault(
        "ac-cable-loss-late",
        pilot("CP.26"),
        "takes an interrupted proximity for a pause",
        "timing",
        lambda c: c.timing(cable=s(20)),
    ),
    # currents
    Fault(
        "ac-no-overcurrent",
        (*pilot("CP.23"), *profiles("AP.02")),
        "does not watch the vehicle's current",
        "electrical",
        lambda c: c.but(overcurrent=None),
    ),
    Fault(
        "ac-overcurrent-late",
        pilot("CP.23"),
        "stops an overcurrent after 7 s",
        "timing",
        lambda c: c.timing(overcurrent=s(7)),
    ),
    Fault(
        "ac-no-dc-sensor",
        pilot("CP.27"),
        "does not notice direct residual currents",
        "electrical",
        lambda c: c.without_trips("dc-6", "dc-60", "dc-200"),
    ),
    Fault("ac-dc-6-late", pilot("CP.27"), "trips 12 s after 6 mA", "timing", lambda c: c.timing(dc_6=s(12))),
    Fault("ac-dc-60-late", pilot("CP.27"), "trips at 60 mA as at 6 mA", "timing", lambda c: c.without_trips("dc-60")),
    Fault(
        "ac-dc-200-late", pilot("CP.27"), "trips at 200 mA as at 60 mA", "timing", lambda c: c.without_trips("dc-200")
    ),
    Fault(
        "ac-dc-touchy",
        pilot("CP.27"),
        "trips at 2 mA",
        "electrical",
        lambda c: c.but(trips=tuple(t._replace(level=2.0) if t.cause == "dc-6" else t for t in c.trips)),
    ),
    Fault(
        "ac-no-rcd",
        pilot("CP.27"),
        "does not notice alternating residual currents",
        "electrical",
        lambda c: c.without_trips("ac-30", "ac-60", "ac-150"),
    ),
    Fault(
        "ac-residual-slow", pilot("CP.27"), "trips at 30 mA after 0.4 s", "timing", lambda c: c.timing(ac_30=ms(400))
    ),
    Fault(
        "ac-residual-60-slow",
        pilot("CP.27"),
        "trips at 60 mA as at 30 mA",
        "timing",
        lambda c: c.without_trips("ac-60"),
    ),
    Fault(
        "ac-residual-150-slow",
        pilot("CP.27"),
        "trips at 150 mA as at 60 mA",
        "timing",
        lambda c: c.without_trips("ac-150"),
    ),
    Fault(
        "ac-closes-after-trip",
        pilot("CP.27"),
        "closes again a second after a residual current",
        "recovery",
        lambda c: (
            c.with_row("supplying", "trip", "airing", "", ("open",))
            .timing(ventilation_wait=s(1))
            .with_row("airing", "ventilation_wait", "delaying")
        ),
    ),
    # mains
    Fault(
        "ac-restarts",
        pilot("CP.30"),
        "goes on by itself when the mains return",
        "recovery",
        lambda c: c.but(restart_by_itself=True),
    ),
    Fault(
        "ac-stays-closed",
        pilot("CP.30"),
        "does not notice a loss of mains",
        "recovery",
        lambda c: c.without_rows(state="supplying", trigger="mains_lost"),
    ),
    Fault(
        "ac-no-restart",
        pilot("CP.30"),
        "charges no more after a loss of mains",
        "recovery",
        lambda c: c.without_rows(trigger="mains_back"),
    ),
    # generator
    Fault("ac-950-hz", pilot("CP.31", "CP.03"), "oscillates at 950 Hz", "electrical", lambda c: c.but(frequency=950.0)),
    Fault("ac-1025-hz", pilot("CP.31"), "oscillates at 1025 Hz", "electrical", lambda c: c.but(frequency=1025.0)),
)
