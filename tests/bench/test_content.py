"""Contents, lengths, transfers, steps of many cases: each judgement passes, fails and stays open where it should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.bench.judge import CheckFailed, Inconclusive
from hil.bench.link import expect_management, last_packet, management_frames
from hil.bench.steps import check_cause, demanded, expect_error_report, expect_stop_report
from hil.codec.message import Message
from hil.conformance.catalogue import limit, timeout
from hil.conformance.verdict import Finding, Verdict
from hil.protocol.gbt27930 import BCL, BCS, BMV, BRM, CCS, CEM, CRM, CSD, CST, CTS
from hil.units import SECOND, Span, ms, s
from hil.world.observation import FrameSeen

Judged = Callable[..., Any]
PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE
START, PERIOD, FAST, SOON = s(10), ms(250), ms(10), ms(100)
BCS_ = BCS(voltage=400.0, current=-100.0, max_cell_voltage=3.3, max_cell_group=0, soc=50, remaining_time=60)
BRM_ = BRM(version=0x000101, battery_type=3, rated_capacity=200.0, rated_voltage=345.0)
CRM00, CRMAA = CRM(result=0x00, charger_number=1), CRM(result=0xAA, charger_number=1)
CTS_ = CTS(year=2024, month=3, day=9, hour=14, minute=5, second=30)
MANUAL = CST(manual_stop=1)


def ccs(amperes: float = 100.0, **values: Any) -> CCS:
    return CCS(**{"voltage": 400.0, "current": -amperes, "charging_time": 1, "charging_permitted": 1, **values})


def seen(case: Any, message: type[Message]) -> list[Any]:
    case.bench.let(s(60))
    found: list[Any] = case.bench.matching(message)
    return found


# --- form -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "size", "filler", "defined", "padded"),
    [
        (ccs(), 7, b"", PASS, PASS),
        (ccs(), 8, b"\xff", PASS, PASS),
        (ccs(), 8, b"\x00", FAIL, FAIL),
        (ccs(), 6, b"", FAIL, FAIL),
        (MANUAL, 4, b"", PASS, PASS),
        (MANUAL, 3, b"", FAIL, FAIL),
        (MANUAL, 5, b"\xff", FAIL, PASS),
        (MANUAL, 8, b"\xff" * 4, FAIL, PASS),
    ],
)
def test_a_length_is_judged_by_the_reading(
    judged: Judged, see: Any, message: Message, size: int, filler: bytes, defined: Verdict, padded: Verdict
) -> None:
    data = (message.encode() + filler)[:size]
    for reading, verdict in (("defined", defined), ("padded", padded)):
        case = judged([see.frame(START, message), see.frame(START + ms(10), message, data=data)], dlc=reading)
        case.bench.check_format(seen(case, type(message)), type(message))
        assert case.measured(f"{type(message).name} length").verdict is verdict


@pytest.mark.parametrize(("identifier", "verdict"), [(0x101AF456, PASS), (0x181AF456, FAIL), (0x1C1AF456, FAIL)])
def test_an_identifier_with_another_priority_fails(judged: Judged, see: Any, identifier: int, verdict: Verdict) -> None:
    case = judged([see.frame(START, MANUAL), see.frame(START + ms(10), MANUAL, id=identifier)])
    case.bench.check_format(seen(case, CST), CST)
    assert case.verdict is verdict


@pytest.mark.parametrize(
    ("fields", "verdict"), [({"manual_stop": 1}, PASS), ({"manual_stop": 0}, FAIL), ({"fault_stop": 1}, FAIL)]
)
def test_fields_must_have_their_values(judged: Judged, see: Any, fields: dict[str, int], verdict: Verdict) -> None:
    case = judged([see.frame(START, MANUAL)])
    case.bench.check_fields(seen(case, CST)[0], **fields)
    assert case.verdict is verdict


def test_fields_of_a_message_that_is_too_short_fail(judged: Judged, see: Any) -> None:
    case = judged([see.frame(START, MANUAL, data=b"\x04")])
    case.bench.check_fields(seen(case, CST)[0], manual_stop=1)
    assert case.verdict is FAIL


@pytest.mark.parametrize(("amperes", "verdict"), [(95.0, PASS), (94.9, FAIL), (105.0, PASS), (105.1, FAIL)])
def test_a_signal_stays_within_its_tolerance(judged: Judged, see: Any, amperes: float, verdict: Verdict) -> None:
    case = judged([see.frame(s(9), ccs()), see.frame(s(11), ccs()), see.frame(s(12), ccs(amperes))])
    first = seen(case, CCS)[0]
    case.bench.check_steady(CCS, "current", like=first, after=START, tolerance=0.05)
    assert case.verdict is verdict


def test_a_signal_that_nobody_tells_any_more_stays_nothing(judged: Judged, see: Any) -> None:
    case = judged([see.frame(s(9), ccs())])
    with pytest.raises(Inconclusive, match="no CCS after 10"):
        case.bench.check_steady(CCS, "current", like=seen(case, CCS)[0], after=START, tolerance=0.05)


@pytest.mark.parametrize(
    ("gap", "count", "verdict"), [(ms(500), 0, Verdict.NONE), (ms(500), 4, PASS), (ms(250), 4, FAIL)]
)
def test_an_optional_message_is_judged_where_it_is_sent(
    judged: Judged, see: Any, gap: Span, count: int, verdict: Verdict
) -> None:
    case = judged(see.each(CTS_, START, gap, count))
    case.bench.let(s(60))
    case.bench.check_optional(CTS, after=START - 1)
    assert case.verdict is verdict


@pytest.mark.parametrize(("number", "verdict"), [(1, PASS), (2, FAIL)])
def test_csd_must_have_the_number_of_crm(judged: Judged, see: Any, number: int, verdict: Verdict) -> None:
    csd = CSD(charging_time=1, energy=1.0, charger_number=number)
    case = judged([see.frame(s(1), CRMAA), see.frame(START, csd)])
    case.bench.check_same_charger_number(seen(case, CSD)[0])
    assert case.verdict is verdict
    case = judged([see.frame(START, csd)])
    with pytest.raises(Inconclusive, match="no CRM"):
        case.bench.check_same_charger_number(seen(case, CSD)[0])


@pytest.mark.parametrize(("at", "verdict"), [(s(5), PASS), (s(5) + 1, FAIL)])
def test_ccs_must_show_the_current_in_time(judged: Judged, see: Any, at: Span, verdict: Verdict) -> None:
    case = judged(see.each(ccs(50.0), START, ms(50), 20), [see.frame(START + at, ccs(5.0))])
    case.bench.expect_ccs_current(high=5.0, after=START, within=limit("reaction"), name="x")
    assert case.verdict is verdict


@pytest.mark.parametrize(("values", "verdict"), [({0x00}, PASS), ({0x00, 0xAA}, PASS), ({0x00, 0x55}, FAIL)])
def test_only_allowed_values_may_be_seen(judged: Judged, values: set[int], verdict: Verdict) -> None:
    case = judged()
    case.bench.check_values_allowed("x", values, {0x00, 0xAA}, at=START)
    assert case.verdict is verdict


@pytest.mark.parametrize(
    ("side", "advisory", "verdict"),
    [("charger", False, FAIL), ("charger", True, PASS), ("bms", False, PASS)],
)
def test_findings_of_the_duts_side_that_bind_fail(
    judged: Judged, side: str, *, advisory: bool, verdict: Verdict
) -> None:
    finding = Finding("X/1", START, side, "something", "something else", FAIL, advisory=advisory)
    case = judged()
    case.bench.findings = lambda: [finding]
    case.bench.check_findings("charger")
    assert case.verdict is verdict


# --- transfers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("control", [0x11, 0x13])
@pytest.mark.parametrize(
    ("at", "pgn", "verdict"), [(ms(100), "001100", FAIL), (s(2), "001100", PASS), (ms(100), "000200", PASS)]
)
def test_who_opened_no_connection_is_not_answered(
    judged: Judged, control: int, at: Span, pgn: str, verdict: Verdict
) -> None:
    data = bytes((control, 2, 1, 0xFF, 0xFF)) + bytes.fromhex(pgn)
    case = judged([FrameSeen(START + at, "can0", 0x1CECF456, data), FrameSeen(START + at, "can0", 0x1CECF456, b"")])
    case.bench.let(s(60))
    case.bench.check_no_transport_answer(BCS, after=START, until=START + s(1))
    assert case.verdict is verdict


@pytest.mark.parametrize(("ends", "verdict"), [("acknowledged", PASS), ("refused", FAIL), ("aborted", FAIL)])
def test_every_transfer_must_be_served(judged: Judged, see: Any, ends: str, verdict: Verdict) -> None:
    case = judged(see.transfer(START + ms(1), BRM_), see.transfer(START + s(1), BRM_, ends=ends))
    case.bench.let(s(60))
    case.bench.check_transfers_served(BRM, after=START, until=START + s(3))
    assert case.verdict is verdict


def test_without_a_transfer_of_the_vehicle_nothing_could_be_served(judged: Judged) -> None:
    with pytest.raises(Inconclusive, match="the vehicle began no BRM from 10"):
        judged().bench.check_transfers_served(BRM, after=START, until=START + s(3))


@pytest.mark.parametrize(("ends", "verdict"), [("acknowledged", PASS), ("refused", PASS), ("nothing", FAIL)])
def test_an_optional_transfer_is_taken_or_refused(judged: Judged, see: Any, ends: str, verdict: Verdict) -> None:
    bmv = BMV(entries=tuple((3.3, 0) for _ in range(20)))
    case = judged(see.transfer(START + ms(5), bmv, ends=ends))
    case.bench.until(START)
    case.bench.expect_transfer_answered(BMV, after=START, within=limit("tp-answer"))
    assert case.verdict is verdict


def test_an_answer_to_a_transfer_may_come_too_late(judged: Judged, see: Any) -> None:
    announced, refused = see.transfer(START + 1, BRM_, ends="refused")
    late = FrameSeen(START + ms(1300), refused.port, refused.id, refused.data)
    case = judged([announced, late])
    case.bench.expect_transfer_answered(BRM, after=START, within=limit("tp-answer"))
    assert case.verdict is FAIL


def test_a_transfer_that_was_never_announced_is_no_refusal(judged: Judged) -> None:
    with pytest.raises(Inconclusive, match="the vehicle announced no BMV"):
        judged().bench.expect_transfer_answered(BMV, after=START, within=limit("tp-answer"))


def test_frames_of_the_transport_are_found_by_side_kind_and_message(judged: Judged, see: Any) -> None:
    case = judged(see.transfer(START, BRM_), see.transfer(START + s(1), BCS_))
    case.bench.let(s(60))
    bench = case.bench
    assert [each.t for each in management_frames(bench, (0x10,), after=0, sender="bms")] == [START]
    assert len(management_frames(bench, (0x11, 0x13), after=0, sender="charger")) == 2
    assert management_frames(bench, (0x10,), message=BCS, after=0, sender="bms")[0].t == START + s(1)
    assert management_frames(bench, (0x13,), after=0, sender="charger", until=START + ms(5)) == []


def test_a_frame_of_the_charger_that_never_comes_fails_one_of_the_vehicle_leaves_it_open(
    judged: Judged, see: Any
) -> None:
    case = judged(see.transfer(START, BRM_, ends="nothing"))
    rts = expect_management(case.bench, 0x10, after=START - 1, within=s(2), sender="bms")
    with pytest.raises(CheckFailed, match=r"no TP\.CTS or abort of the charger within 1 s"):
        expect_management(case.bench, (0x11, 0xFF), after=rts, within=s(1), sender="charger")
    assert case.verdict is FAIL
    with pytest.raises(Inconclusive, match="no RTS of the vehicle"):
        expect_management(case.bench, 0x10, after=rts, within=s(1), sender="bms")
    with pytest.raises(Inconclusive, match="no data packet of the vehicle"):
        last_packet(case.bench, after=rts, before=rts.t + s(1))


def test_the_last_packet_before_a_moment(judged: Judged, see: Any) -> None:
    case = judged(see.transfer(START, BRM_))
    assert last_packet(case.bench, after=START, before=START + ms(25)).t == START + ms(22)


# --- steps of many cases ------------------------------------------------------------------------------------


def report(see: Any, *, at: Span = SECOND, count: int = 5, gap: Span = PERIOD, **awaited: int) -> list[Any]:
    """CEM after a CCS stream that ends with it."""
    stream = see.each(ccs(), START, ms(50), at // ms(50))
    cem = see.each(CEM(**(awaited or {"bcl": 1})), START + at, gap, count)
    return [*stream, *cem, see.frame(START + at + s(2), CRM00)]


def judge_report(case: Any) -> None:
    expect_error_report(case.bench, "bcl", after=START, within=timeout("T8"), waiting=CCS)


def test_a_correct_error_report_passes(judged: Judged, see: Any) -> None:
    case = judged(report(see))
    judge_report(case)
    assert case.verdict is PASS


@pytest.mark.parametrize(
    "changes",
    [
        {"at": ms(900)},
        {"at": ms(1250)},
        {"count": 1},
        {"gap": ms(300)},
        {"bcs": 1},
        {"bcl": 1, "bcs": 1},
        {"bcl": 2},
    ],
    ids=lambda each: "-".join(each),
)
def test_a_wrong_error_report_fails(judged: Judged, see: Any, changes: dict[str, Any]) -> None:
    case = judged(report(see, **changes))
    judge_report(case)
    assert case.verdict is FAIL


def test_a_state_message_beside_the_report_fails(judged: Judged, see: Any) -> None:
    case = judged(report(see), see.each(ccs(), START + s(1), ms(50), 20))
    judge_report(case)
    assert case.measured("CCS stops after").verdict is FAIL


def test_a_state_message_that_ended_early_fails(judged: Judged, see: Any) -> None:
    early = [each for each in report(see) if not (START + ms(500) < each.t < START + s(1))]
    case = judged(early)
    judge_report(case)
    assert case.measured("CCS kept up to the end").verdict is FAIL


def test_crm_00_ends_the_report_and_is_no_part_of_it(judged: Judged, see: Any) -> None:
    again = [see.frame(START + ms(1600), CRM00), see.frame(START + ms(1700), CEM(bcs=1))]
    case = judged(report(see, count=3), again)
    judge_report(case)
    assert case.verdict is PASS


@pytest.mark.parametrize(
    ("data", "ones", "anything"),
    [("FCF0C4FC", PASS, PASS), ("00000400", FAIL, PASS), ("FFF0C4FC", FAIL, FAIL), ("00000500", FAIL, FAIL)],
)
def test_reserved_bits_of_cem_by_the_reading(
    judged: Judged, see: Any, data: str, ones: Verdict, anything: Verdict
) -> None:
    for reading, verdict in (("ones", ones), ("any", anything)):
        cems = [see.frame(START + s(1) + each * ms(250), CEM(bcl=1), data=bytes.fromhex(data)) for each in range(5)]
        case = judged(see.each(ccs(), START, ms(50), 20), cems, reserved_bits=reading)
        judge_report(case)
        assert case.verdict is verdict


def stop(see: Any, *, at: Span = SOON, gap: Span = FAST, count: int = 20, **cause: int) -> list[Any]:
    found: list[Any] = see.each(CST(**(cause or {"manual_stop": 1})), START + at, gap, count)
    return found


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, PASS),
        ({"at": s(5)}, PASS),
        ({"at": s(5.1)}, FAIL),
        ({"gap": ms(13)}, PASS),
        ({"gap": ms(14)}, FAIL),
        ({"fault_stop": 1}, FAIL),
        ({"fault_stop": 1, "manual_stop": 1}, FAIL),
        ({"manual_stop": 0}, FAIL),
        ({"manual_stop": 2}, FAIL),
    ],
)
def test_a_stop_report(judged: Judged, see: Any, changes: dict[str, Any], verdict: Verdict) -> None:
    case = judged(stop(see, **changes))
    expect_stop_report(case.bench, after=START, within=limit("reaction"), cause=("manual_stop",))
    assert case.verdict is verdict


def test_a_stop_report_of_too_few_frames_fails(judged: Judged, see: Any) -> None:
    case = judged(stop(see, count=9))
    with pytest.raises(CheckFailed):
        expect_stop_report(case.bench, after=START, within=limit("reaction"))
    assert case.verdict is FAIL


def test_one_of_several_causes_may_be_told(judged: Judged, see: Any) -> None:
    case = judged(stop(see, fault_stop=1))
    check_cause(case.bench, seen(case, CST)[0], "manual_stop", "fault_stop")
    assert case.verdict is PASS


def test_the_present_demand_is_that_of_the_last_bcl(judged: Judged, see: Any) -> None:
    bcl = [BCL(voltage_demand=400.0, current_demand=-amperes, mode=2) for amperes in (100.0, 60.0)]
    case = judged([see.frame(START, bcl[0]), see.frame(START + ms(50), bcl[1])])
    case.bench.let(s(60))
    assert demanded(case.bench) == 60.0
    with pytest.raises(Inconclusive, match="no BCL has been seen"):
        demanded(judged().bench)


# --- interruption -------------------------------------------------------------------------------------------


def interruption(see: Any, attempts: int, *, opens: Span = SECOND, stays: bool = False) -> list[Any]:
    """CEM and CRM(00) series of a charger whose vehicle has fallen silent at 10 s, and its contactors."""
    found: list[Any] = []
    at = START + s(1)
    for attempt in range(attempts + 1):
        found += see.each(CEM(brm=1), at, ms(250), 8)
        last = at
        if attempt < attempts:
            found += see.each(CRM00, at + s(2), ms(250), 20)
            at += s(7)
    found += see.level("k1k2_closed", (0, 0.0), (s(5), 1.0), (START + s(1.1), 0.0))
    aux = [(0, 0.0), (s(1), 1.0)] if stays else [(0, 0.0), (s(1), 1.0), (last + opens, 0.0)]
    return [*found, *see.level("k3k4_closed", *aux)]


@pytest.mark.parametrize(("reading", "expected"), [("three", 3), ("two", 2), ("none", 0)])
@pytest.mark.parametrize("attempts", [0, 1, 2, 3, 4])
def test_an_interruption_needs_the_claimed_reconnections(
    judged: Judged, see: Any, reading: str, expected: int, attempts: int
) -> None:
    case = judged(interruption(see, attempts), reconnections=reading)
    case.bench.until(START)
    case.bench.expect_interruption(after=START)
    assert case.verdict is (PASS if attempts == expected else FAIL)


@pytest.mark.parametrize(("opens", "stays"), [(s(10.1), False), (s(1), True)])
def test_an_interruption_needs_everything_open_in_time(judged: Judged, see: Any, opens: Span, *, stays: bool) -> None:
    case = judged(interruption(see, 3, opens=opens, stays=stays))
    case.bench.until(START)
    case.bench.expect_interruption(after=START)
    assert case.verdict is FAIL


def test_a_charger_that_never_gives_up_fails(judged: Judged, see: Any) -> None:
    case = judged(see.each(CRM00, 0, ms(250), 2000))
    with pytest.raises(CheckFailed):
        case.bench.expect_interruption(after=START)
    assert case.verdict is FAIL
