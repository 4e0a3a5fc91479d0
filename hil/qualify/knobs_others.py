"""Knobs of the devices beside the DC charger: the AC charger's spans, its registers and console, the Modbus device.

``own`` of each is what its case measures beyond the span that the knob turns: filter, lock and contactor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hil.conformance.catalogue import Limit, limit, window
from hil.qualify.knob import EARLY, LATE, Knob, Turn, late
from hil.units import Span, minutes, ms, s

AC, MODBUS, DLT645, RAPI = "ac", "modbus", "dlt645", "rapi"
_CONTACTOR: Span = ms(15.7)
"""From the decision to the dead output: actuation and the contactor's opening."""
_LOCK_AND_CLOSE: Span = ms(141.4)
"""From S2 to the output, but for the delay of the supply: filter, lock, contactor."""


def _pilot(case: str) -> str:
    return f"IEC61851-1/{case}"


def _span(name: str) -> Turn:
    """The AC charger with one span at so much."""
    return lambda c, span: c.timing(**{name: max(span, 0)})


def _ac(name: str, of: str, case: str, bound: str, span: str, **options: Any) -> Knob:
    return late(f"AC {name}", of, _pilot(case), lambda: limit(bound), _span(span), dut=AC, **options)


_SEQUENCES = (
    _ac("supply on", "S2 closes to output on", "CP.04", "ac-supply-on", "supply_delay", own=_LOCK_AND_CLOSE),
    _ac("supply off", "S2 opens to output off", "CP.05", "ac-supply-off", "debounce", own=_CONTACTOR, most=ms(200)),
    _ac("unlock", "unplugged to plug unlocked", "CP.08", "ac-unlock", "unlock", own=ms(580.7), variant="unlock"),
    _ac("diode", "diode shorted to output off", "CP.16", "ac-fault", "diode", own=_CONTACTOR),
    _ac("overcurrent", "overcurrent to output off", "CP.23", "ac-overcurrent", "overcurrent", own=ms(16.2),
        reading="pilot-standard=gbt18487"),
)  # fmt: skip
_RESIDUAL = tuple(
    _ac(f"residual {variant}", f"residual current ({variant} mA) to output off", "CP.27", bound, variant,
        own=_CONTACTOR, variant=variant, most=most)
    for variant, bound, most in (
        ("dc-6", "ac-dc-6", s(2)),
        ("dc-60", "ac-dc-60", s(1)),
        ("dc-200", "ac-dc-200", ms(100)),
        ("ac-30", "ac-residual-30", s(1)),
        ("ac-60", "ac-residual-60", ms(100)),
        ("ac-150", "ac-residual-150", ms(60)),
    )
)  # fmt: skip


def _validity_window() -> Limit:
    count = limit("register-seconds").high
    return window("validity", s(60) - count, s(60) + count, "modbus_chargers.md 5")


def _windows() -> Iterator[Knob]:
    """Limits with two sides: each late and early."""
    validity = Knob("AC validity late", "last limit to the safe current", LATE, "ACCHARGER/AC.05", _validity_window,
                    s(60), lambda c, d: c.timing(validity=s(60) + d), most=s(5), variant="silence", dut=AC)  # fmt: skip
    yield validity
    yield replace(validity, name="AC validity early", direction=EARLY,
                  edit=lambda c, d: c.timing(validity=s(60) - d))  # fmt: skip
    forced, own = ms(3050), ms(15.2)
    bound = lambda: limit("ac-forced-open")  # noqa: E731 - the same for both sides
    opened = Knob("AC forced open late", "end of the PWM to output off", LATE, _pilot("CP.11"), bound, forced,
                  lambda c, d: c.timing(forced_open=forced - own + d), most=s(1),
                  reading="pilot-standard=gbt18487", dut=AC)  # fmt: skip
    yield opened
    yield replace(opened, name="AC forced open early", direction=EARLY,
                  edit=lambda c, d: c.timing(forced_open=forced - own - d))  # fmt: skip


_MODBUS = tuple(
    late(f"Modbus response, {variant}", "request to its reply", "MODBUS/RS.01", lambda: limit("modbus-response"),
         lambda c, span: c.serving(latency=max(span, 0)), own=own, variant=variant, dut=MODBUS)
    for variant, own in (("tcp", ms(0.4)), ("rtu", ms(10.6)))
)  # fmt: skip


def _dlt645() -> Iterator[Knob]:
    """The delay of a meter's answer, around its limits' middle."""
    middle = ms(260)
    slow = Knob(
        "DLT 645 answer late",
        "request to its answer",
        LATE,
        "DLT645/TM.01",
        lambda: limit("dlt645-delay"),
        middle,
        lambda c, d: c.but(answer_delay=middle + d),
        most=ms(600),
        dut=DLT645,
    )
    yield slow
    yield replace(slow, name="DLT 645 answer early", direction=EARLY, edit=lambda c, d: c.but(answer_delay=middle - d),
                  most=ms(259))  # fmt: skip


def _beat_window() -> Limit:
    return window("heartbeat", s(10), s(10) + limit("rapi-late").high, "serial.md 1.5")


def _rapi() -> Iterator[Knob]:
    """The console: when a missed heartbeat and a limit of time count, and how soon a current does."""
    own, step, quarter = ms(1.4), ms(1173.5), minutes(15)
    beat = Knob("RAPI heartbeat late", "supervision to the safe current", LATE, "RAPI/HB.01", _beat_window, s(10),
                lambda c, d: c.but(beat_check=d - own), most=s(2), variant="in-time", dut=RAPI)  # fmt: skip
    yield beat
    yield replace(beat, name="RAPI heartbeat early", direction=EARLY, edit=lambda c, d: c.but(beat_check=-d - own))
    session = Knob("RAPI limit of time late", "limit of 15 min to output off", LATE, "RAPI/ST.04",
                   lambda: limit("rapi-session"), quarter, lambda c, d: c.but(limit_error=d - step), most=s(70),
                   variant="time", dut=RAPI)  # fmt: skip
    yield session
    yield replace(
        session, name="RAPI limit of time early", direction=EARLY, edit=lambda c, d: c.but(limit_error=-d - step)
    )
    yield late("RAPI current", "current told to its duty cycle", "RAPI/SC.01", lambda: limit("rapi-late"),
               lambda c, span: c.but(set_delay=max(span, 0)), own=-ms(5.5), dut=RAPI)  # fmt: skip


OTHERS: tuple[Knob, ...] = (*_SEQUENCES, *_RESIDUAL, *_windows(), *_MODBUS, *_dlt645(), *_rapi())
"""Every knob of these devices."""
