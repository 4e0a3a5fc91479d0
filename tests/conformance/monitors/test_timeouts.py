"""Each time-out of sheet 4.3: in time no finding, early, late or never a finding of that time-out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hil.conformance.verdict import Verdict


@dataclass(frozen=True)
class Row:
    """A session in which a message stays away, from which instant that counts (ms), and who reports what."""

    name: str
    side: str
    field: str
    nominal: float
    latest: float
    reference: float
    session: Callable[[Any, float], Any]
    """Builders and the instant up to which the state goes on."""


def t1(m: Any, end: float) -> Any:
    return m.identified().drop("BRM").stream("CRM00", m.CRM00, 2010, end, 250)


def t2(m: Any, end: float) -> Any:
    return m.identified().stream("CRMAA", m.CRMAA, 1836, end, 250)


def t3(m: Any, end: float) -> Any:
    script = m.configured().stream("CML", m.CML, 1870, end, 250)
    return script.transfers("BCP", m.BCP, 2340, min(end - 40, 2400), 500)


def t4(m: Any, end: float) -> Any:
    return m.configured().stream("CML", m.CML, 1870, end, 250).stream("BRO00", m.BRO00, 1875, end, 250)


def t5(m: Any, end: float) -> Any:
    return m.ready().drop("BROAA", after=2400).stream("CRO00", m.CRO00, 2880, end, 250)


def t6(m: Any, end: float) -> Any:
    return m.ready().stream("CROAA", m.CROAA, 2880, end, 250).transfers("BCS", m.BCS, 2890, end - 40, 250)


def t7(m: Any, end: float) -> Any:
    return m.ready().stream("CROAA", m.CROAA, 2880, end, 250).stream("BCL", m.BCL, 2885, end, 50)


def t8(m: Any, end: float) -> Any:
    script = m.charging(4000).stream("CCS", m.CCS, 4020, end, 50).stream("BSM", m.BSM, 4175, end, 250)
    return script.transfers("BCS", m.BCS, 4140, end - 40, 250)


def t9(m: Any, end: float) -> Any:
    script = m.charging(4000).stream("CCS", m.CCS, 4020, end, 50).stream("BSM", m.BSM, 4175, end, 250)
    return script.stream("BCL", m.BCL, 4035, end, 50)


def t10(m: Any, end: float) -> Any:
    own = m.CST.replace(bms_stopped=0, manual_stop=1)
    return m.charging(4000).stream("CST", own, 4003, end, 10)


def t11(m: Any, end: float) -> Any:
    return t10(m, end).stream("BST", m.BST.replace(charger_stopped=1), 4010, min(end, 4500), 10)


def t13(m: Any, end: float) -> Any:
    return m.Script().stream("CHM", m.CHM, 0, end, 250).stream("BHM", m.BHM, 30, end, 250)


def t14(m: Any, end: float) -> Any:
    return m.identified().stream("CRM00", m.CRM00, 2010, end, 250).transfers("BRM", m.BRM, 2020, end - 90, 250)


def t15(m: Any, end: float) -> Any:
    return m.configured().stream("CRMAA", m.CRMAA, 2086, end, 250).transfers("BCP", m.BCP, 2340, end - 40, 500)


def t16(m: Any, end: float) -> Any:
    script = m.ready().drop("CRO00").stream("CML", m.CML, 2620, end, 250)
    return script.stream("BROAA", m.BROAA, 3125, end, 250)


def t17(m: Any, end: float) -> Any:
    return m.ready().stream("CRO00", m.CRO00, 2880, end, 250).stream("BROAA", m.BROAA, 3125, end, 250)


def t18(m: Any, end: float) -> Any:
    script = m.charging(4000).stream("BCL", m.BCL, 4035, end, 50).stream("BSM", m.BSM, 4175, end, 250)
    return script.transfers("BCS", m.BCS, 4140, end - 26, 250)


def t18_first(m: Any, end: float) -> Any:
    return m.ready().stream("CROAA", m.CROAA, 2880, end, 250).stream("BCL", m.BCL, 2885, end, 50)


def t19(m: Any, end: float) -> Any:
    script = m.charging(4000).stream("CCS", m.CCS, 4020, end, 50)
    return script.stream("BST", m.BST, 4003, end, 10)


def t20(m: Any, end: float) -> Any:
    script = m.charging(4000).stream("BST", m.BST, 4003, 4205, 10).stream("CST", m.CST, 4012, 4220, 10)
    return script.stream("BSD", m.BSD, 4210, end, 250)


ROWS = [
    Row("T1", "charger", "brm", 5000, 500, 1760, t1),
    Row("T2", "charger", "bcp", 5000, 500, 1836, t2),
    Row("T3", "charger", "bro", 5000, 500, 1870, t3),
    Row("T4", "charger", "bro", 60000, 3000, 1870, t4),
    Row("T5", "charger", "bro", 5000, 500, 2375, t5),
    Row("T6", "charger", "bcl", 1000, 200, 2880, t6),
    Row("T7", "charger", "bcs", 5000, 500, 2880, t7),
    Row("T8", "charger", "bcl", 1000, 200, 3985, t8),
    Row("T9", "charger", "bcs", 5000, 500, 3903, t9),
    Row("T10", "charger", "bst", 5000, 500, 4003, t10),
    Row("T11", "charger", "bsd", 10000, 3000, 4003, t11),
    Row("T13", "bms", "crm_00", 30000, 3000, 0, t13),
    Row("T14", "bms", "crm_aa", 5000, 500, 1770, t14),
    Row("T15", "bms", "cts_cml", 5000, 500, 1836, t15),
    Row("T16", "bms", "cro", 5000, 500, 2375, t16),
    Row("T17", "bms", "cro", 60000, 3000, 2375, t17),
    Row("T18", "bms", "ccs", 1000, 200, 3970, t18),
    Row("T18", "bms", "ccs", 1000, 200, 2885, t18_first),
    Row("T19", "bms", "cst", 5000, 500, 4003, t19),
    Row("T20", "bms", "csd", 10000, 3000, 4003, t20),
]
IDS = [f"{row.name}-{row.session.__name__}" for row in ROWS]


def reported(m: Any, row: Row, span: float) -> Any:
    """The session with a report that comes ``span`` ms after the reference."""
    at = row.reference + span
    script = row.session(m, at - 2).cut(at - 1)
    message = m.g.CEM if row.side == "charger" else m.g.BEM
    return script.stream("report", message(**{row.field: 1}), at, at + 900, 250)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
@pytest.mark.parametrize("late", [0.0, 0.5, 1.0])
def test_a_report_in_time_is_no_finding(make: Any, row: Row, late: float) -> None:
    found = make.judge(reported(make, row, row.nominal + late * row.latest), sides=(row.side,))
    assert make.kinds(found) <= {("TP.answer", "charger")}, found


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_report_that_comes_early_is_one(make: Any, row: Row) -> None:
    found = make.judge(reported(make, row, row.nominal - 100), sides=(row.side,))
    early = [each for each in found if each.requirement == f"MON/TIMEOUT.{row.name}"]
    assert [each.verdict for each in early] == [Verdict.FAIL], found
    assert early[0].at == pytest.approx((10_000 + row.reference + row.nominal - 100) * 1e6)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_report_that_comes_late_is_one(make: Any, row: Row) -> None:
    found = make.judge(reported(make, row, row.nominal + row.latest + 100), sides=(row.side,))
    assert (f"TIMEOUT.{row.name}", row.side) in make.kinds(found), found


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_no_report_at_all_is_one(make: Any, row: Row) -> None:
    end = row.reference + row.nominal + row.latest + 2000
    found = make.judge(row.session(make, end), sides=(row.side,))
    assert (f"TIMEOUT.{row.name}", row.side) in make.kinds(found), found


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_within_the_resolution_nobody_is_convicted(make: Any, row: Row) -> None:
    found = make.judge(reported(make, row, row.nominal - 100), sides=(row.side,), resolution=100_000_000)
    verdicts = {each.verdict for each in found if each.requirement == f"MON/TIMEOUT.{row.name}"}
    assert verdicts == {Verdict.INCONCLUSIVE}, found


def test_the_2011_edition_has_its_own_time_for_bcl(make: Any) -> None:
    row = next(row for row in ROWS if row.name == "T8")
    found = make.judge(reported(make, row, 1000), sides=("charger",), edition="2011")
    late = [each for each in found if each.requirement == "MON/TIMEOUT.T8"]
    assert [each.at for each in late] == [(10_000 + 3985 + 300) * 1_000_000, (10_000 + 3985 + 1000) * 1_000_000]
    assert "90 ms .. 300 ms" in late[1].expected


def test_the_print_of_dn_2009_needs_no_report(make: Any) -> None:
    script = make.ready().drop("BROAA", after=2400).stream("BRO00 again", make.BRO00, 2625, 9000, 250)
    script.stream("CRO00", make.CRO00, 2880, 8500, 250)
    amended = make.judge(script, sides=("charger",))
    printed = make.judge(script, sides=("charger",), readings={"dn2007-2009": "print"})
    assert ("TIMEOUT.T5", "charger") in make.kinds(amended)
    assert ("TIMEOUT.T5", "charger") not in make.kinds(printed)


def test_t3_may_run_again_where_the_reading_says_so(make: Any) -> None:
    script = make.configured().stream("CML", make.CML, 1870, 8115, 250).stream("BRO00", make.BRO00, 1875, 3200, 250)
    script.stream("CEM", make.g.CEM(bro=1), 8126, 9000, 250)
    once = make.judge(script, sides=("charger",))
    again = make.judge(script, sides=("charger",), readings={"t3-bro": "restart"})
    assert make.kinds(once) == {("TIMEOUT.T4", "charger")}
    assert again == []
