"""What the charger says against what was so: CCS, CST, CSD and the periods of its messages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hil.codec.message import Message
from hil.conformance.catalogue import period
from hil.conformance.reading import Reading
from hil.conformance.verdict import Measurement, Verdict
from hil.profile.invariants.basis import FAR, Context, Worst, deviation, tolerance, voltage_tolerance
from hil.profile.invariants.causes import FAULTS
from hil.profile.measured import PolledSignal
from hil.protocol.gbt27930 import CCS, CSD, CST
from hil.units import SECOND, Instant, Span, ms, seconds

_AGE: Span = ms(55)
"""A period of CCS and a tenth: what a frame tells was read before it was sent."""
_WIRE_STEP = 0.1
_HOLDS = 2
"""Frames in a second by which a receiver holds a transfer (sheet 1.4: Th = 500 ms)."""
_PERIODIC: tuple[type[Message], ...] = (CCS, CST, CSD)
_GAP: Span = ms(600)
"""A longer gap than any tolerance: the messages belong to different visits of a state."""
_STOP_BITS = ("condition_reached", "manual_stop", "fault_stop", "bms_stopped")
_BITS = {"bst": "bms_stopped", "manual": "manual_stop", "alarm": "fault_stop"} | dict.fromkeys(FAULTS, "fault_stop")
_ALONE = ("bst", "manual", "alarm")
"""For these testers want the one bit alone (sheet 5.2)."""


def ccs_tells_output(context: Context) -> Iterator[Measurement]:
    """LP.10: CCS tells the output of its instant (register: ccs-accuracy)."""
    loose = context.readings["ccs-accuracy"] == "5-percent"
    ccs = context.seen.ccs
    times = [each.t for each in ccs]
    for name, unit, signal, values, width_of in (
        ("voltage", "V", context.voltage, [float(each.message.voltage) for each in ccs], voltage_tolerance),
        ("current", "A", context.current, [-float(each.message.current) for each in ccs], tolerance),
    ):
        worst = Worst(f"CCS {name} beyond the output", unit, among="frames")
        nearest, known, width = float("-inf"), float("nan"), 0.0
        polled = signal if isinstance(signal, PolledSignal) else None
        for t, value, (least, most) in zip(times, values, signal.extremes(times, _AGE), strict=True):
            if most != known:
                known = float(most)
                width = max(0.05 * known, 1.0) if loose else width_of(known) + _WIRE_STEP
            off = _beyond(value, least, most) if polled is None else polled.beyond(value, t - _AGE, t)
            if isinstance(off, Reading):
                worst.see(off, high=width, at=t)
            elif off - width > nearest:  # thousands of frames: only those that matter are shown
                nearest = off - width
                worst.see(off, high=width, at=t)
        yield from worst.measurements()


def _beyond(value: float, least: float, most: float) -> float:
    """How far a value is beyond an output that was everywhere between ``least`` and ``most``; 0 within them."""
    if value > most:
        return value - most
    return least - value if value < least else most - float(most)


def cause_fits(context: Context) -> Iterator[Measurement]:
    """LP.11: CST names what ended the charge, where one thing alone did."""
    for charge in context.seen.charges:
        found = context.causes(charge)
        cst = context.seen.first("CST", charge.begin)
        if not found or cst is None:
            continue
        before = [each for each in found if each.t <= cst.t]
        if len(before) != 1 or before[0].kind not in _BITS:
            continue
        kind = before[0].kind
        expected = _BITS[kind]
        given = [bit for bit in _STOP_BITS if getattr(cst.message, bit) == 1]
        fits = given == [expected] if kind in _ALONE else expected in given
        text = " + ".join(given) or "none"
        if fits:
            yield Measurement(f"CST cause after {kind}", text, "", None, None, Verdict.PASS, cst.t)
        else:
            yield deviation(f"CST cause after {kind}", text, expected, cst.t)


def statistics_fit(context: Context) -> Iterator[Measurement]:
    """LP.12: CSD tells energy and time of the session as the meter and the clock have them."""
    energy, minutes = Worst("CSD energy against the meter", "kWh"), Worst("CSD time against the clock", "min")
    meter = context.seen.signal("meter_energy")
    for begin, end in _sessions(context):
        charges = [each for each in context.seen.charges if begin <= each.begin < end]
        csd = context.seen.latest("CSD", end)
        if not charges or csd is None or csd.t < charges[-1].begin:
            continue
        before, after = meter.held(charges[0].begin), meter.held(csd.t)
        if before is not None and after is not None:
            difference = float(csd.message.energy) - (after - before)
            energy.see(difference, high=_WIRE_STEP, at=csd.t)
            energy.see(difference, low=-_WIRE_STEP, at=csd.t)
        took = (min(charges[-1].end, csd.t) - charges[0].begin) / (60 * SECOND)
        minutes.see(float(csd.message.charging_time) - took, high=1.0, at=csd.t)
        minutes.see(float(csd.message.charging_time) - took, low=-1.0, at=csd.t)
    yield from energy.measurements()
    yield from minutes.measurements()


def _sessions(context: Context) -> Iterator[tuple[Instant, Instant]]:
    """From one handshake to the next."""
    chm = context.seen.all("CHM")
    starts = [after.t for before, after in pairwise(chm) if after.t - before.t > SECOND]
    yield from pairwise([0, *starts, FAR])


def traffic_bounded(context: Context) -> Iterator[Measurement]:
    """LP.18: beside its messages, the charger sends answers to the vehicle's transport only, however long it goes on.

    In any second no more of them than frames of transport from the vehicle, and the holds that Th allows.
    """
    answers, transports = context.seen.answers, context.seen.transports
    worst = Worst("frames beside its messages in a second", "")
    most, first, asked_first, asked = float("-inf"), 0, 0, 0
    for number, t in enumerate(answers):
        while answers[first] <= t - SECOND:
            first += 1
        while asked < len(transports) and transports[asked] <= t:
            asked += 1
        while asked_first < asked and transports[asked_first] <= t - SECOND:
            asked_first += 1
        sent, allowed = number - first + 1, asked - asked_first + _HOLDS
        if sent - allowed > most:
            most = sent - allowed
            worst.see(float(sent), high=float(allowed), at=t)
    yield from worst.measurements()


def periods_hold(context: Context) -> Iterator[Measurement]:
    """LP.17: messages keep their period whatever is demanded; traffic stays what it is."""
    for declared in _PERIODIC:
        shortest = Worst(f"{declared.name} period, shortest", "s", context.stamped)
        longest = Worst(f"{declared.name} period, longest", "s", context.stamped)
        within = context.under(period(declared))
        least, most = _GAP, 0
        for before, after in pairwise([each.t for each in context.seen.all(declared.name)]):
            gap = after - before
            if gap < least and context.same_state(before, after):
                least = gap
                shortest.see(seconds(gap), low=seconds(within.low), at=after)
            if most < gap < _GAP and context.same_state(before, after):
                most = gap
                longest.see(seconds(gap), high=seconds(within.high), at=after)
        yield from shortest.measurements()
        yield from longest.measurements()
