"""The vehicle machine by the Node interface: contactors, stops, orders, every row of its table."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from hil.codec.frame import CanFrame
from hil.errors import UsageError
from hil.protocol.gbt27930 import (
    BCL,
    BCS,
    BMS_ADDRESS,
    BSD,
    BSM,
    BST,
    CHARGER_ADDRESS,
    can_id,
)
from hil.protocol.table import Row
from hil.tester.gbt27930.table import ROWS
from hil.units import Instant, ms, s
from tests.tester.gbt27930.conftest import (
    CCS_,
    CEM_,
    CHM_,
    CRM00,
    CRO00,
    CROAA,
    CSD_,
    CST_,
    TIMEOUTS,
    Drive,
    bring,
    impatient,
)

# --- contactors -----------------------------------------------------------------------------------


def opened(driven: Any) -> list[Instant]:
    return [at for at, name, value in driven.set if (name, value) == ("k5k6_command", 0)]


def test_contactors_open_soon_after_an_error_when_the_current_has_gone(drive: Drive) -> None:
    driven = drive()
    bring(driven, "supplied")
    driven.set.clear()
    driven.sensors["pack_current"] = 80.0
    driven.hear(CEM_)
    start = driven.now
    driven.let(ms(1000))
    assert opened(driven) == []
    driven.sensors["pack_current"] = 5.0
    driven.let(s(1))
    assert opened(driven)[0] == start + ms(1200)


@pytest.mark.parametrize("patient", [True, False])
def test_only_an_impatient_vehicle_opens_under_current_and_within_10_s(drive: Drive, *, patient: bool) -> None:
    driven = drive()
    bring(driven, "supplied")
    driven.order("patience", on=patient)
    driven.set.clear()
    driven.sensors["pack_current"] = 80.0
    driven.hear(CEM_)
    start = driven.now
    driven.let(s(29))
    assert opened(driven) == ([] if patient else [start + s(9)])


# --- stops ----------------------------------------------------------------------------------------


def test_the_own_soc_ends_the_charge_with_the_first_ccs_that_finds_it(drive: Drive) -> None:
    driven = drive(stop_soc=90.0)
    driven.sensors["soc"] = 90.0
    bring(driven, "charging")
    driven.hear(CCS_)
    driven.let(ms(100))
    assert driven.state == "stop"
    assert {bst.encode().hex(" ").upper() for bst in driven.said(BST)} == {"01 00 00 F0"}
    assert driven.times(BSM) == []


def test_a_charger_that_stops_is_answered_as_such(drive: Drive) -> None:
    driven = drive()
    bring(driven, "supplied")
    driven.hear(CST_)
    driven.let(ms(50))
    assert {bst.encode().hex(" ").upper() for bst in driven.said(BST)} == {"40 00 00 F0"}


def test_bst_goes_on_until_it_is_answered_then_bsd_until_csd(drive: Drive) -> None:
    driven = drive()
    bring(driven, "supplied")
    driven.order("stop", reason="soc_reached")
    driven.let(s(3))
    assert driven.state == "stop"
    driven.hear(CST_)
    cst = driven.now
    driven.let(ms(2))
    driven.hear(CST_)
    driven.let(s(1))
    assert driven.times(BSD)[0] == cst + ms(100), "the answer counts from the first CST"
    assert driven.times(BST)[-1] < cst + ms(100)
    driven.hear(CSD_)
    assert driven.state == "done"
    seen = len(driven.times(BSD))
    driven.let(s(5))
    assert len(driven.times(BSD)) == seen


def test_bst_may_end_before_bsd_begins(drive: Drive) -> None:
    driven = drive()
    driven.vehicle.spans = {**driven.vehicle.spans, "early_end": ms(300)}
    bring(driven, "supplied")
    driven.hear(CST_)
    cst = driven.now
    driven.let(s(1))
    assert driven.times(BST)[-1] < cst + ms(100)
    assert driven.times(BSD)[0] == cst + ms(400)


def test_the_demand_of_a_charge_is_there_again_in_the_next_one(drive: Drive) -> None:
    driven = drive()
    driven.order("demand", current=60.0)
    bring(driven, "supplied")
    driven.hear(CST_)
    driven.let(s(1))
    driven.hear(CSD_)
    driven.signal("aux_voltage", 0.0)
    driven.sent.clear()
    bring(driven, "charging")
    driven.let(ms(10))
    assert driven.said(BCL)[0].current_demand == -60.0


# --- what is none of the vehicle's business ---------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        CanFrame(can_id(6, 0x0100, BMS_ADDRESS, 0x57), CRM00.encode()),
        CanFrame(can_id(6, 0x0100, 0xF5, CHARGER_ADDRESS), CRM00.encode()),
        CanFrame(can_id(6, 0x0100, BMS_ADDRESS, CHARGER_ADDRESS), CRM00.encode()[:7]),
        CanFrame(can_id(6, 0x2800, BMS_ADDRESS, CHARGER_ADDRESS), CRM00.encode()),
        CanFrame(0x100, CRM00.encode(), extended=False),
        CanFrame(can_id(6, 0x0100, BMS_ADDRESS, CHARGER_ADDRESS), b"\x55" + CRM00.encode()[1:]),
    ],
    ids=["other source", "other destination", "too short", "other PGN", "standard", "other value"],
)
def test_a_frame_that_is_no_crm_00_moves_nothing(drive: Drive, frame: CanFrame) -> None:
    driven = drive()
    bring(driven, "handshake")
    driven.vehicle.receive(frame, driven.now)
    assert driven.state == "handshake"


def test_a_flood_of_foreign_identifiers_moves_nothing(drive: Drive) -> None:
    driven = drive()
    bring(driven, "supplied")
    for number in range(10_000):
        driven.vehicle.receive(CanFrame(0x1000_0000 + number, bytes(8)), driven.now)
    assert driven.state == "supplied"
    driven.hear(CST_)
    assert driven.state == "stop", "it still hears its partner"


# --- orders ---------------------------------------------------------------------------------------


def test_silence_and_resume(drive: Drive) -> None:
    driven = drive()
    driven.order("silence", messages=["BCL"])
    bring(driven, "charging")
    driven.let(s(1))
    assert driven.times(BCL) == []
    assert len(driven.times(BCS)) == 5
    driven.order("resume")
    driven.let(ms(100))
    assert len(driven.times(BCL)) == 2
    driven.order("silence")
    driven.sent.clear()
    driven.let(s(1))
    assert driven.sent == []


def test_a_held_state_stays_whatever_comes_and_goes_on_when_released(drive: Drive) -> None:
    driven = drive()
    driven.order("hold", states=["prepare"])
    bring(driven, "prepare")
    driven.let(s(5))
    driven.hear(CROAA)
    driven.hear(CEM_)
    assert driven.state == "prepare"
    driven.order("release", states=["prepare"])
    driven.let(ms(500))
    assert driven.state == "ready"


def test_altered_signals_are_sent_until_restored(drive: Drive) -> None:
    driven = drive()
    bring(driven, "supplied")
    driven.order("alter", message="BSM", fields={"insulation": 1})
    driven.let(ms(300))
    driven.order("restore", message="BSM")
    driven.let(ms(300))
    assert [bsm.insulation for bsm in driven.said(BSM)] == [1, 1, 0]


def test_a_course_of_the_demand_is_followed_in_time_until_a_demand_is_ordered(drive: Drive) -> None:
    driven = drive()
    bring(driven, "charging")
    driven.order("follow", points=[[0, 400.0, 10.0, 2, 0], [ms(500), 400.0, 20.0, 2, 0]])
    driven.let(ms(1000))
    amperes = [-bcl.current_demand for bcl in driven.said(BCL)]
    assert amperes[0] == 10.0
    assert amperes[-1] == 20.0
    driven.order("demand", current=33.0)
    driven.let(ms(60))
    assert driven.said(BCL)[-1].current_demand == -33.0


def test_optional_messages_come_every_10_s_behind_a_bcs_and_only_while_charging(drive: Drive) -> None:
    names = {"BMV": 20, "BMT": 10}
    driven = drive(optional=names)
    bring(driven, "supplied")
    driven.let(s(35))
    for name in names:
        message = driven.vehicle.messages.by_name[name]
        times = driven.times(message)
        assert len(times) == 4
        assert all(abs(gap - s(10)) <= ms(250) for gap in (after - before for before, after in pairwise(times)))
        bcs = driven.times(BCS)
        assert all(max(at for at in bcs if at <= each) + ms(240) > each for each in times)
    gaps = [after - before for before, after in pairwise(driven.times(BCS))]
    assert max(gaps) <= ms(275), "BCS keeps its period beside them"
    driven.hear(CST_)
    seen = len(driven.sent)
    driven.let(ms(90))
    assert {frame.id for _, frame in driven.sent[seen:]} == {BST.can_id}


@pytest.mark.parametrize(
    ("verb", "arguments", "told"),
    [
        ("fly", {}, "does not know the order 'fly'; it knows alter, answer_stop"),
        ("silence", {"messages": ["BXX"]}, "no message 'BXX' in GB/T 27930; there are CHM"),
        ("hold", {"states": ["nowhere"]}, "no state 'nowhere'; it has asleep, awake"),
        ("go", {"state": "nowhere"}, "no state 'nowhere'"),
        ("alter", {"message": "BSM", "fields": {"colour": 1}}, "BSM has no signal 'colour'; it has max_cell_number"),
        ("malform", {"message": "BRO", "variant": "odd"}, "no variant 'odd'; there are unused-pf"),
        ("stop", {"reason": "boredom"}, "BST has no signal 'boredom'; it has soc_reached"),
        ("error", {"awaited": ["godot"]}, "BEM has no signal 'godot'; it has crm_00"),
        ("transport", {"speed": 1}, "transport: .*speed"),
    ],
)
def test_an_order_that_cannot_be_is_refused_at_once(
    drive: Drive, verb: str, arguments: dict[str, Any], told: str
) -> None:
    driven = drive()
    with pytest.raises(UsageError, match=told):
        driven.order(verb, **arguments)


# --- the table ------------------------------------------------------------------------------------


def _nominal(drive: Drive) -> Any:
    driven = drive(stop_soc=50.0)
    driven.follows = False
    bring(driven, "prepare")
    driven.let(s(1))
    driven.sensors["k5k6_closed"] = 1.0
    driven.let(ms(400))
    driven.hear(CRO00)
    driven.hear(CROAA)
    driven.vehicle.spec = drive().vehicle.spec
    driven.hear(CCS_)
    driven.hear(CCS_)
    driven.order("answer_stop", csd=2)
    driven.hear(CST_)
    driven.hear(CST_)
    driven.let(s(1))
    driven.hear(CSD_)
    driven.hear(CSD_)
    driven.let(s(1))
    driven.hear(CHM_)
    driven.signal("aux_voltage", 0.0)
    return driven


def _early_end(drive: Drive) -> Any:
    driven = drive()
    driven.vehicle.spans = {**driven.vehicle.spans, "early_end": ms(100)}
    bring(driven, "supplied")
    driven.order("stop", reason="soc_reached")
    driven.hear(CST_)
    driven.let(s(1))
    return driven


def _full(drive: Drive) -> Any:
    driven = drive(stop_soc=50.0)
    bring(driven, "charging")
    driven.hear(CCS_)
    return driven


def _reconnects(drive: Drive) -> Any:
    driven = drive()
    bring(driven, "supplied")
    driven.hear(CRM00)
    driven.hear(CEM_)
    driven.hear(CRM00)
    return driven


def _gives_up(timer: str, drive: Drive) -> Any:
    ((state, span, meanwhile),) = [(state, span, heard) for name, state, span, heard, _ in TIMEOUTS if name == timer]
    driven = impatient(drive, state)
    if timer == "T17":
        driven.hear(meanwhile)
    driven.let(span)
    driven.let(s(40))
    return driven


def _never_answered(drive: Drive) -> Any:
    driven = impatient(drive, "supplied")
    driven.order("stop", reason="soc_reached")
    driven.let(s(6))
    return driven


def _no_statistics(drive: Drive) -> Any:
    driven = impatient(drive, "supplied")
    driven.hear(CST_)
    driven.let(s(11))
    return driven


def test_every_row_of_the_table_is_taken(drive: Drive) -> None:
    driven = [each(drive) for each in (_nominal, _early_end, _full, _reconnects, _never_answered, _no_statistics)]
    driven += [_gives_up(timer, drive) for timer, *_ in TIMEOUTS]
    taken: set[Row] = set().union(*(each.vehicle.taken for each in driven))
    assert not set(ROWS) - taken
