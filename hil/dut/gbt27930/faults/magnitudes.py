"""Seeded timing faults at several magnitudes: each time-out and each period, just beyond its limit and far from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hil.dut.gbt27930.fault import Fault, gbt27930, gbt34657, gbt34658
from hil.dut.gbt27930.spec import SPANS
from hil.units import MILLISECOND, Span, ms, s, show_span


class _TimeOut(NamedTuple):
    timer: str
    breaks: tuple[str, ...]
    reports: str
    """What the charger does when it runs out."""
    spans: tuple[Span, ...]
    """Too early and too late ones: the first of each is a step beyond the limit, the second far from it."""


_TIME_OUTS = (
    _TimeOut("T1", gbt34658("DN.1001", "DN.1002", "DN.1003"), "reports a missing BRM", (s(4.95), s(1), s(5.6), s(9))),
    _TimeOut("T2", gbt34658("DN.1004", "DN.2001", "DN.2002"), "reports a missing BCP", (s(4.95), s(1), s(5.6), s(9))),
    _TimeOut("T3", gbt34658("DN.2003", "DN.2004", "DN.2006"), "reports a missing BRO", (s(4.95), s(1), s(5.6), s(9))),
    _TimeOut("T4", gbt34658("DN.2005"), "gives up a vehicle that is not ready", (s(59.9), s(30), s(63.2), s(90))),
    _TimeOut("T5", gbt34658("DN.2007", "DN.2008", "DN.2009"), "reports a lost BRO", (s(4.95), s(2), s(5.6), s(9))),
    _TimeOut(
        "T6", gbt34658("DN.2010", "DN.3002", "DN.3004"), "reports a missing BCL", (s(0.96), s(0.3), s(1.25), s(3))
    ),
    _TimeOut("T7", gbt34658("DN.3001", "DN.3003"), "reports a missing BCS", (s(4.95), s(1), s(5.6), s(9))),
    _TimeOut("T8", gbt34658("DN.3006", "DN.3008"), "reports a lost BCL", (s(0.96), s(0.2), s(1.25), s(5))),
    _TimeOut("T9", gbt34658("DN.3005", "DN.3007"), "reports a lost BCS", (s(4.95), s(2), s(5.6), s(9))),
    _TimeOut("T10", gbt34658("DN.3009", "DN.3010"), "reports a missing BST", (s(4.95), s(1), s(5.6), s(8))),
    _TimeOut(
        "T11",
        gbt34658("DN.4001", "DN.4002", "DN.4003", "DN.4004"),
        "reports a missing BSD",
        (s(9.95), s(6), s(13.2), s(20)),
    ),
)


class _Periodic(NamedTuple):
    send: str
    shown: str
    name: str
    breaks: tuple[str, ...]


_PERIODS = (
    _Periodic("CHM", "CHM", "chm", gbt34658("DP.1001", "DP.1002")),
    _Periodic("CRM00", "CRM(00)", "crm00", gbt34658("DP.1002", "DN.1001", "DN.1003")),
    _Periodic("CRMAA", "CRM(AA)", "crmaa", gbt34658("DP.1003", "DN.1004", "DN.2001")),
    _Periodic("CML", "CML", "cml", gbt34658("DP.2001", "DP.2002", "DN.2003", "DN.2005", "DN.2006")),
    _Periodic("CTS", "CTS", "cts", gbt34658("DP.2001")),
    _Periodic("CRO00", "CRO(00)", "cro00", gbt34658("DN.2007", "DN.2008")),
    _Periodic("CROAA", "CRO(AA)", "croaa", gbt34658("DP.2003", "DN.2010", "DN.3001", "DN.3003")),
    _Periodic(
        "CCS",
        "CCS",
        "ccs",
        (
            *gbt34658("DP.3001", "DP.3002", "DP.3004", "DP.3005", "DN.3005", "DN.3007"),
            *gbt34657("D0.4001"),
            *gbt27930("LL.09", "LL.12"),
        ),
    ),
    _Periodic("CST", "CST", "cst", gbt34658("DP.3003", "DP.3006", "DP.3007", "DN.3009", "DN.4001")),
    _Periodic("CSD", "CSD", "csd", gbt34658("DP.4001")),
    _Periodic("CEM", "CEM", "cem", gbt34658("DN.1001", "DN.2003", "DN.3006", "DN.4001")),
)


def _time_outs() -> Iterator[Fault]:
    for timer, breaks, reports, spans in _TIME_OUTS:
        for span in spans:
            side = "early" if span < SPANS[timer] else "late"
            yield Fault(
                f"{timer.lower()}-{side}-{span // MILLISECOND}-ms",
                breaks,
                f"{reports} after {show_span(span)} instead of {show_span(SPANS[timer])}",
                "timing",
                lambda c, timer=timer, span=span: c.timing(**{timer: span}),  # type: ignore[misc]  # binds
            )


def _periods() -> Iterator[Fault]:
    for send, shown, name, breaks in _PERIODS:
        period = SPANS[send]
        # 10 ms messages may be 3 ms off, the others a tenth.
        step = ms(3.5) if period <= ms(10) else period * 112 // 1000
        yield Fault(
            f"{name}-a-little-slow",
            breaks,
            f"sends {shown} every {show_span(period + step)}",
            "timing",
            lambda c, send=send, span=period + step: c.timing(**{send: span}),  # type: ignore[misc]  # binds
        )
        yield Fault(
            f"{name}-a-little-fast",
            breaks,
            f"sends {shown} every {show_span(period - step)}",
            "timing",
            lambda c, send=send, span=period - step: c.timing(**{send: span}),  # type: ignore[misc]  # binds
        )
        yield Fault(
            f"{name}-uneven",
            breaks,
            f"sends {shown} at the right rate, but each frame {show_span(step)} early or late",
            "timing",
            lambda c, send=send, step=step: c.but(wander={send: (-step, step)}),  # type: ignore[misc]  # binds
        )


FAULTS = (
    *_time_outs(),
    *_periods(),
    *(
        Fault(
            f"{name}-drifts",
            breaks,
            f"lets the interval of {shown} grow by a fifteenth with each frame",
            "timing",
            lambda c, send=send, drift=drift: c.but(wander={send: drift}),  # type: ignore[misc]  # binds
        )
        for send, shown, name, breaks in _PERIODS
        if send in ("CML", "CRMAA", "CCS", "CEM")
        for drift in (tuple(SPANS[send] // 15 * count for count in range(12)),)
    ),
)
