"""Frames of the transport protocol as cases look at them."""

from __future__ import annotations

from hil.bench.actions import MessageType
from hil.bench.bench import Bench, Moment, instant_of
from hil.bench.judge import CheckFailed, Inconclusive
from hil.conformance.verdict import Measurement, Verdict
from hil.protocol.gbt27930 import BMS_ADDRESS, BRM, CHARGER_ADDRESS
from hil.units import Span, ms, show_instant, show_span
from hil.world.observation import FrameSeen

_TP_CM, _TP_DT = 0xEC, 0xEB
_TP_CTS = 0x11
_SOURCES = {"charger": CHARGER_ADDRESS, "bms": BMS_ADDRESS}
_NAMES = {0x10: "RTS", 0x11: "TP.CTS", 0x13: "EndOfMsgACK", 0x20: "BAM", 0xFF: "abort"}
_STEP = ms(5)

Control = int | tuple[int, ...]


def management_frames(
    bench: Bench,
    control: tuple[int, ...],
    *,
    message: MessageType = BRM,
    after: Moment,
    sender: str,
    until: Moment | None = None,
) -> list[FrameSeen]:
    """TP.CM frames of one side for a message, with one of these control bytes, among those seen so far."""
    end = bench.now if until is None else instant_of(until)
    pgn = message.pgn.to_bytes(3, "little")
    return [
        frame
        for frame in bench.record.frames(_TP_CM, instant_of(after), end)
        if frame.id & 0xFF == _SOURCES[sender] and frame.data[5:8] == pgn and frame.data[0] in control
    ]


def expect_management(bench: Bench, control: Control, *, after: Moment, within: Span, sender: str) -> FrameSeen:
    """The first TP.CM frame of that kind for BRM after a moment; none within the span fails the case.

    One of the vehicle's is the bench's own: without it the case is inconclusive.
    """
    kinds = (control,) if isinstance(control, int) else control
    end = instant_of(after) + within
    while True:
        found = management_frames(bench, kinds, after=after, sender=sender, until=end)
        if found:
            return found[0]
        if bench.now >= end:
            name = " or ".join(_NAMES[kind] for kind in kinds)
            if sender == "bms":
                raise Inconclusive(f"no {name} of the vehicle within {show_span(within)} up to {show_instant(end)}")
            bench.judge.add(
                Measurement(f"{name} of the {sender}", None, "", None, None, Verdict.FAIL, end, "never came")
            )
            raise CheckFailed(f"no {name} of the {sender} within {show_span(within)} up to {show_instant(end)}")
        bench.until(min(bench.now + _STEP, end))


def expect_release(bench: Bench, *, after: Moment, within: Span) -> FrameSeen:
    """The charger's first TP.CTS for BRM that releases packets; it may hold the vehicle before (sheet 1.4)."""
    held = instant_of(after)
    while True:
        cts = expect_management(bench, _TP_CTS, after=held, within=within, sender="charger")
        if cts.data[1]:
            return cts
        held = cts.t


def last_packet(bench: Bench, *, after: Moment, before: Moment) -> FrameSeen:
    """The last data packet of the vehicle between two moments; none leaves the case inconclusive."""
    end = instant_of(before)
    bench.until(end)
    packets = [
        frame for frame in bench.record.frames(_TP_DT, instant_of(after), end) if frame.id & 0xFF == _SOURCES["bms"]
    ]
    if not packets:
        raise Inconclusive(f"no data packet of the vehicle up to {show_instant(end)}")
    return packets[-1]
