"""Steps that many cases for DC chargers share: error reports, stops, settled output.

They use only the bench's public questions; what they judge is cited at each case.
"""

from __future__ import annotations

from dataclasses import replace

from hil.bench.actions import MessageType
from hil.bench.bench import Bench, Moment, Where, instant_of
from hil.bench.judge import Inconclusive
from hil.bench.record import MessageSeen
from hil.conformance.catalogue import Limit, adjustment_time, limit, period, quantity, tail, window
from hil.conformance.verdict import Measurement, Verdict
from hil.protocol.gbt27930 import BCL, CEM, CRM, CST
from hil.units import Instant, ms, s

_SMALL_CURRENT = 30.0
"""Below this demand in A the control error is absolute (sheet 4.9)."""
_CCS_AGE = ms(55)
"""One period of CCS and a tenth."""
_REPORT_TIME = s(1)
"""CEM is recorded this long, or up to the first CRM(00): enough for four intervals."""


def is_crm00(seen: MessageSeen) -> bool:
    """CRM with recognition result 0x00."""
    return bool(seen.result == 0x00)


def is_crmaa(seen: MessageSeen) -> bool:
    """CRM with recognition result 0xAA."""
    return bool(seen.result == 0xAA)


def is_ready(seen: MessageSeen) -> bool:
    """BRO or CRO with 0xAA."""
    return bool(seen.ready == 0xAA)


def is_not_ready(seen: MessageSeen) -> bool:
    """BRO or CRO with 0x00."""
    return bool(seen.ready == 0x00)


def saying(**items: int) -> Where:
    """A message with these values: one of before they were changed may still be on its way."""
    return lambda seen: all(getattr(seen, name) == value for name, value in items.items())


def expect_error_report(
    bench: Bench,
    awaited: str,
    *,
    after: Moment,
    within: Limit,
    waiting: MessageType | None = None,
    where: Where | None = None,
    since: Moment | None = None,
) -> MessageSeen:
    """CEM comes inside the window, names what was awaited and nothing else, at its period and length.

    ``waiting`` is the message that must be sent at its period from ``since`` up to the report, and
    must have stopped then (sheet 5.2 and 5.7, "all DN").
    """
    within = _known_from(after, bench.under(within))
    cem = bench.expect(CEM, after=after, within=within, name="time to the first CEM")
    if waiting is not None:
        begin = after if since is None else since
        bench.expect_through(waiting, where, after=begin, until=cem, period=period(waiting))
        if waiting is not CRM or where is not is_crm00:  # a CRM(00) beside CEM cannot be told from a reconnection
            bench.expect_stop(waiting, where, after=cem, tail=tail(waiting))
    reports = _reports(bench, cem)
    bench.check("number of CEM", float(len(reports)), low=2.0, at=cem)
    bench.check_format(reports, CEM)
    if len(reports) > 1:
        bench.check_period(reports, period(CEM))
    _check_content(bench, reports, awaited)
    return cem


def _known_from(after: Moment, within: Limit) -> Limit:
    """A window from the end of a long message: its receiver may count from the last packet and acknowledge later."""
    if not isinstance(after, MessageSeen) or not 0 < after.received < after.t:
        return within
    return replace(within, low=within.low - (after.t - after.received))


def _reports(bench: Bench, cem: MessageSeen) -> list[MessageSeen]:
    """All CEM from the first one to the first CRM(00) after it, over one second."""
    again = bench.look_for(CRM, is_crm00, after=cem, within=_REPORT_TIME)
    end: Instant = cem.t + _REPORT_TIME if again is None else again.t
    return [cem, *bench.record.all(CEM.name, cem.t, end)]


def _check_content(bench: Bench, reports: list[MessageSeen], awaited: str) -> None:
    """Every bit, or where reserved ones are not judged (register: reserved-bits) every field."""
    expected = CEM(**{awaited: 1})
    data = expected.encode()
    loose = bench.reading("reserved-bits") == "any"
    odd = [each for each in reports if (each.message != expected if loose else each.data[: len(data)] != data)]
    each = (odd or reports)[0]
    told = each.data[: len(data)].hex(" ").upper()
    wanted = told if loose and not odd else data.hex(" ").upper()
    bench.check(f"CEM content ({awaited} = 1, all else clear)", told, equals=wanted, at=each)


def expect_stop_report(bench: Bench, *, after: Moment, within: Limit, cause: tuple[str, ...] = ()) -> MessageSeen:
    """CST comes inside the window, at its period and length; SPN 3521 carries one of the causes, alone.

    The period is judged over the first ten.
    """
    cst = bench.expect(CST, after=after, within=within, name="time to the first CST")
    seen = bench.collect(CST, 10, after=cst, within=s(1))
    bench.check_period(seen, period(CST))
    bench.check_format(seen, CST)
    if cause:
        check_cause(bench, cst, *cause)
    return cst


def check_cause(bench: Bench, cst: MessageSeen, *causes: str) -> None:
    """Exactly one bit of SPN 3521 is set, and it is one of ``causes`` (sheet 5.2, CST content)."""
    fields = ("condition_reached", "manual_stop", "fault_stop", "bms_stopped")
    given = [name for name in fields if getattr(cst, name) == 1]
    told = " + ".join(given) or "none"
    passed = len(given) == 1 and given[0] in causes
    bench.judge.add(
        Measurement(
            "CST cause (SPN 3521)",
            told,
            "",
            None,
            None,
            Verdict.PASS if passed else Verdict.FAIL,
            cst.t,
            "" if passed else f"expected {' or '.join(causes)}",
        )
    )


def demanded(bench: Bench) -> float:
    """The current demanded by the last BCL on the wire, in A (positive charges)."""
    last = bench.record.last(BCL.name)
    if last is None:
        raise Inconclusive("no BCL has been seen, so there is no demand to compare with")
    return -float(last.current_demand)


def resume_time(before: MessageSeen) -> Limit:
    """From the permission to the former current: the 5 s default rule, and the rise as sheet 4.9 has it."""
    reaction, rise = limit("reaction"), adjustment_time(-float(before.current))
    return window("resume", 0, reaction.high + rise.high, f"{reaction.source}; {rise.source}")


def came_about(at: Instant | None, stimulus: str) -> Instant:
    """When a stimulus had its effect; inconclusive when it had none, as nothing was put to the DUT then."""
    if at is None:
        raise Inconclusive(f"{stimulus}: that did not come about")
    return at


def last_closing(bench: Bench, name: str, *, before: Moment) -> Instant:
    """When a contactor last closed before a moment; inconclusive when the bench did not see it."""
    closed = [t for t, value in bench.changes(name) if value and t <= instant_of(before)]
    if not closed:
        raise Inconclusive(f"{name} was not seen to close")
    return closed[-1]


def check_current_error(bench: Bench, demanded_current: float, *, after: Moment, until: Moment) -> None:
    """The settled output is within the control error of the demand (sheet 4.9), at no instant beyond."""
    lowest, highest = bench.extremes("output_current", after, until)
    small = quantity("current-error-small") if demanded_current < _SMALL_CURRENT else None
    for label, value in (("lowest", lowest), ("highest", highest)):
        error = value - demanded_current
        if small is not None:
            bench.check_quantity(f"current error, {label}", error, small, at=until)
        else:
            percent = 100.0 * error / demanded_current
            bench.check_quantity(f"current error, {label}", percent, quantity("current-error"), at=until)


def check_ccs_accuracy(bench: Bench, ccs: MessageSeen) -> None:
    """CCS tells the output of its instant (register: ccs-accuracy)."""
    # What a frame tells was read before it was sent: the output of the last period counts.
    since = ccs.t - _CCS_AGE
    for label, name, told in (
        ("CCS voltage against the output", "output_voltage", float(ccs.voltage)),
        ("CCS current against the output", "output_current", -float(ccs.current)),
    ):
        lowest, highest = bench.extremes(name, since, ccs)
        width = _accuracy(bench, name, highest)
        unit = "V" if name == "output_voltage" else "A"
        bench.check(label, told, low=round(lowest - width, 3), high=round(highest + width, 3), unit=unit, at=ccs)


def _accuracy(bench: Bench, name: str, value: float) -> float:
    voltage = name == "output_voltage"
    if bench.reading("ccs-accuracy") == "5-percent":
        return max(0.05 * value, 1.0)
    if voltage:
        return 0.005 * value + 0.1
    return (0.3 if value < _SMALL_CURRENT else 0.01 * value) + 0.1
