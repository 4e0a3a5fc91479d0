"""Limits against values worked out by hand from sheet 4.3, 5.2 and 5.7, and refused files."""

from __future__ import annotations

import pytest

from hil.conformance.catalogue import (
    adjustment_time,
    limit,
    names,
    partner,
    period,
    quantity,
    tail,
    timeout,
)
from hil.conformance.limit_file import read_limits
from hil.errors import CatalogueError
from hil.protocol.gbt27930 import edition
from hil.units import minutes, ms, s

# name: earliest, latest, latest by the reading next-period, s
TIMEOUTS = {
    "T1": (4.99, 5.5, 5.275),
    "T2": (4.99, 5.5, 5.275),
    "T3": (4.99, 5.5, 5.275),
    "T4": (59.99, 63.0, 60.275),
    "T5": (4.99, 5.5, 5.275),
    "T6": (0.99, 1.2, 1.275),
    "T7": (4.99, 5.5, 5.275),
    "T8": (0.99, 1.2, 1.275),
    "T9": (4.99, 5.5, 5.275),
    "T10": (4.99, 5.5, 5.275),
    "T11": (9.99, 13.0, 10.275),
}
PARTNERS = {"T14": 5, "T15": 5, "T16": 5, "T17": 60, "T18": 1, "T19": 5, "T20": 10, "T21": 30}
# message: shortest, longest, the same by the looser reading, longest tail, ms
PERIODS = {
    "CHM": (225, 275, 150, 350, 275),
    "CRM": (225, 275, 150, 350, 275),
    "CTS": (450, 550, 300, 700, 550),
    "CML": (225, 275, 150, 350, 275),
    "CRO": (225, 275, 150, 350, 275),
    "CCS": (45, 55, 30, 70, 55),
    "CST": (7, 13, 5, 15, 13),
    "CSD": (225, 275, 150, 350, 275),
    "CEM": (225, 275, 150, 350, 275),
    "BHM": (225, 275, 150, 350, 275),
    "BRM": (225, 275, 150, 350, 275),
    "BCP": (450, 550, 300, 700, 550),
    "BRO": (225, 275, 150, 350, 275),
    "BCL": (45, 55, 30, 70, 55),
    "BCS": (225, 275, 150, 350, 275),
    "BSM": (225, 275, 150, 350, 275),
    "BST": (7, 13, 5, 15, 13),
    "BSD": (225, 275, 150, 350, 275),
    "BEM": (225, 275, 150, 350, 275),
    "BMV": (9000, 11000, 6000, 14000, 11000),
    "BMT": (9000, 11000, 6000, 14000, 11000),
    "BSP": (9000, 11000, 6000, 14000, 11000),
}
# spans by the sheet, s
SPANS = {
    "insulation-test": (0, 30),  # DP.1002
    "reaction": (0, 5),  # DP.3003, DP.3005
    "pause": (540, 660),  # T22, 5.2
    "DN.2009-silence": (0, 1.2),
    "shutdown": (0, 10),  # 4.4
    "aux-off": (0, 10),  # DP.4001
    "restart": (0, 30),  # DP.4002
    "tp-answer": (0, 1.25),  # DP.3002
    "tp-response": (0, 0.2),  # Tr
    "reconnect": (0, 30),  # T21
    "switch-s": (0, 0.05),
    "cc1-open": (0, 0.1),
    "pe-lost": (0, 0.1),
    "other-fault": (0, 0.1),
    "ac-lost": (0, 1),
    "over-voltage": (0, 1),
    "discharge": (0, 1),
    "stop-current": (0, 10),
}
QUANTITIES = {
    "inrush": (None, 20),
    "no-power": (None, 5),
    "opening-current": (None, 5),
    "discharged": (None, 60),
    "precharge-difference": (1, 10),
    "stop-rate": (100, None),
    "voltage-error": (-0.5, 0.5),
    "current-error-small": (-0.3, 0.3),
    "current-error": (-1, 1),
    "adjustment-rate": (20, None),
}


@pytest.mark.parametrize("name", names("timeouts"))
def test_time_outs(name: str) -> None:
    early, late, next_period = TIMEOUTS[name]
    taken = timeout(name)
    assert (taken.low, taken.high) == (s(early), s(late))
    assert taken.under({"timeout-window": "tester"}) == taken
    other = taken.under({"timeout-window": "next-period"})
    assert (other.low, other.high) == (s(early), s(next_period))


@pytest.mark.parametrize("name", names("partners"))
def test_time_outs_of_the_partner(name: str) -> None:
    assert (partner(name).low, partner(name).high) == (0, s(PARTNERS[name]))


@pytest.mark.parametrize("name", [each.name for each in edition("2015").messages if each.period is not None])
def test_periods_and_tails(name: str) -> None:
    message = edition("2015").by_name[name]
    shortest, longest, loose_low, loose_high, stops = (ms(each) for each in PERIODS[name])
    strict, readings = period(message), {"period-10ms": "5ms", "period-tolerance": "40-percent"}
    assert (strict.low, strict.high) == (shortest, longest)
    assert (strict.under(readings).low, strict.under(readings).high) == (loose_low, loose_high)
    assert (tail(message).low, tail(message).high) == (0, stops)
    assert tail(message).under({"stop-tail": "none"}).high == 0


@pytest.mark.parametrize("name", SPANS)
def test_spans(name: str) -> None:
    low, high = SPANS[name]
    assert (limit(name).low, limit(name).high) == (s(low), s(high))


def test_the_pause_by_the_reading() -> None:
    taken = limit("pause").under({"pause-window": "5s"})
    assert (taken.low, taken.high) == (minutes(10) - ms(10), minutes(10) + s(5))
    assert limit("pause").under({"pause-window": "60s"}) == limit("pause")


@pytest.mark.parametrize("name", QUANTITIES)
def test_quantities(name: str) -> None:
    assert (quantity(name).low, quantity(name).high) == QUANTITIES[name]


@pytest.mark.parametrize(
    ("difference", "seconds"), [(0.0, 1), (20.0, 1), (-20.0, 1), (20.1, 1.005), (100.0, 5), (-180.0, 9), (300.0, 15)]
)
def test_adjusting_takes_a_second_or_20_a_in_each(difference: float, seconds: float) -> None:
    assert (adjustment_time(difference).low, adjustment_time(difference).high) == (0, s(seconds))


def test_an_upper_limit_that_there_is_not_is_told() -> None:
    assert quantity("inrush").most == 20
    with pytest.raises(CatalogueError, match=r"limits\.toml, stop-rate: no upper limit"):
        _ = quantity("stop-rate").most


@pytest.mark.parametrize("find", [timeout, partner, limit, quantity])
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(find: object) -> None:
    assert callable(find)
    with pytest.raises(CatalogueError, match=r"limits\.toml has no 'T99' in \w+; there are \w+"):
        find("T99")
    with pytest.raises(CatalogueError, match="no 'source'"):
        find("source")


GOOD = """
[windows]
early = 0.01
source = "x"
late_1s = 0.2
late_5s = 0.5
late_10s = 3.0
next_period = 0.275
[periods]
source = "x"
relative = 0.1
relative_field = 0.4
fast_3ms = 0.003
fast_5ms = 0.005
[tails]
source = "x"
relative = 1.1
fast = 0.013
[timeouts]
source = "x"
T1 = 5
[partners]
source = "x"
T14 = 5
[spans.pause]
low = 540
high = 660
source = "x"
reading = "pause-window"
choices = { 5s = { low = 599.99, high = 605 } }
[quantities.inrush]
high = 20
unit = "A"
source = "x"
"""


def test_a_good_file_is_read() -> None:
    assert read_limits(GOOD).spans["pause"].high == 660


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[tails]", "[tails", "limits.toml: .*line"),
        ("late_1s = 0.2", "", r"limits.toml: .*late_1s.*windows"),
        ("relative = 0.1\n", "relative = -0.1\n", r"limits.toml: periods\.relative: -0\.1 is not more than 0"),
        ("fast = 0.013", "slow = 0.013", "limits.toml: .*slow"),
        ("T1 = 5", "T1 = 0", r"limits.toml: timeouts\.T1: 0\.0 is no time"),
        ("T1 = 5", 'T1 = "soon"', r"limits.toml: timeouts\.T1: 'soon' is no time"),
        ('[partners]\nsource = "x"', "[partners]", r"limits.toml: partners: it names no source"),
        ("low = 540", "low = 661", r"limits.toml: spans\.pause: 661\.0 to 660\.0 s"),
        ("low = 540", "low = -1", r"limits.toml: spans\.pause: -1\.0 to 660\.0 s"),
        ("low = 599.99", "low = 606", r"limits.toml: spans\.pause: 606\.0 to 605\.0 s"),
        ('reading = "pause-window"', "", r"limits.toml: spans\.pause: it has choices of no reading"),
        ('"pause-window"', '"pause"', r"limits.toml: spans\.pause: the register has no reading 'pause'"),
        ("{ 5s =", "{ 6s =", r"limits.toml: spans\.pause: pause-window has no choice '6s'; there are 60s, 5s"),
        ("choices = { 5s = { low = 599.99, high = 605 } }", "", r"spans\.pause: it has no choice of pause-window"),
        ("high = 20\n", "", r"limits.toml: quantities\.inrush: None to None"),
        ("high = 20\n", "high = 20\nlow = 21\n", r"limits.toml: quantities\.inrush: 21\.0 to 20\.0"),
        ('unit = "A"', "", "limits.toml: .*unit.*inrush|limits.toml: .*unit"),
        ("[quantities.inrush]\nhigh = 20", '[quantities.inrush]\nhigh = "much"', "limits.toml: .*Expected"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_by_file_and_entry(old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(CatalogueError, match=told):
        read_limits(GOOD.replace(old, new, 1))
