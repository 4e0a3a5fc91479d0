"""Legal rarities that random sessions have brought up: nobody is blamed for them, but for their near neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hil.conformance.monitors import MonitorSet
from hil.protocol import gbt27930 as g
from hil.units import ms
from hil.world.observation import BusErrorSeen, FrameSeen

BMV = g.BMV(entries=[(3.3, 0)] * 60)


def moved(script: Any, name: str, low: float, high: float, by: float) -> Any:
    """All frames of a name that lie in a span, earlier or later."""
    script.items = [
        replace(item, t=item.t + by) if item.name.split(".")[0] == name and low <= item.t < high else item
        for item in script.items
    ]
    return script


# --- BSM ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("insulation", "blamed"), [(0, True), (2, False)])
def test_forbidden_asks_for_a_pause_only_with_every_item_normal(make: Any, insulation: int, blamed: bool) -> None:
    script = make.charging(15_000)
    forbidden = make.BSM.replace(charging_permission=0, insulation=insulation).encode()
    for index in range(4, len(script.named("BSM"))):
        script.edit("BSM", lambda data: forbidden, index)
    assert (("CONTENT.pause", "charger") in make.kinds(make.judge(script))) is blamed


# --- transfers that wait ------------------------------------------------------------------------------


def waiting(make: Any, *, busy: bool) -> Any:
    """One BCS 75 ms late, the next one in time again; with or without a BMV that was under way when it was due."""
    script = moved(make.charging(), "BCS", 4140, 4200, 75)
    return script.transfer("BMV", BMV, 4030) if busy else script


def test_a_long_message_may_wait_for_another_one(make: Any) -> None:
    assert make.judge(waiting(make, busy=True)) == []


def test_a_long_message_that_waits_for_nothing_is_late(make: Any) -> None:
    found = [finding for finding in make.judge(waiting(make, busy=False)) if finding.requirement == "MON/PERIOD.BCS"]
    assert len(found) == 2  # too late, then too soon


def test_silence_behind_another_transfer_counts_from_its_end(make: Any) -> None:
    script = make.charging().drop("BCS", after=4000).transfer("BMV", BMV, 4030)
    assert ("SILENCE.BCS", "bms") in make.kinds(make.judge(script, end=9000))


# --- acknowledgements that come late ------------------------------------------------------------------


@pytest.mark.parametrize(("report", "blamed"), [(7903, False), (7840, True)])
def test_a_time_out_may_count_from_the_last_packet(make: Any, report: float, blamed: bool) -> None:
    """The charger has BCS with its last packet at 2902 ms, and acknowledges it 61 ms later."""
    script = make.charging(7840).drop("BCS", after=2900 + 200).move("BCS.ack", 0, 60)
    script.stream("CEM", g.CEM(bcs=1), report, report + 600, 250)
    assert (("TIMEOUT.T9", "charger") in make.kinds(make.judge(script))) is blamed


# --- the next charge ----------------------------------------------------------------------------------


def test_optional_messages_come_again_in_the_next_charge(make: Any) -> None:
    script = make.nominal().transfer("BMV", BMV, 4920)
    following = make.charging(17_000).transfer("BMV", BMV, 4920).transfer("BMV", BMV, 14_920)
    script.items += [replace(item, t=item.t + 12_000) for item in following.items]
    assert make.judge(script) == []


def test_optional_messages_of_the_attempt_before_are_found(make: Any) -> None:
    script = make.charging(5000).transfer("BMV", BMV, 4500).stream("CEM", g.CEM(bcl=1), 6010, 7900, 250)
    script.send(8010, "CRM00", make.CRM00).transfer("BRM", make.BRM, 8020)
    script.stream("CRM00", make.CRM00, 8260, 20_000, 250).transfer("BMV", BMV, 19_500)
    assert ("STOP.reconnect", "bms") in make.kinds(make.judge(script))


# --- frames that went unseen --------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [True, False])
def test_a_transfer_of_which_a_part_went_unseen_is_not_judged(make: Any, broken: bool) -> None:
    """The line was open from 4000 to 4500 ms; until 5000 nothing is judged, the request at 4995 included."""
    script = moved(make.charging(), "BCS", 4890, 4950, 105)
    script.items = [item for item in script.items if not 4000 <= item.t < 4500]
    if not broken:
        script.items = [item for item in script.items if item.name != "BCS.rts" or item.t != 4995]
    seen = script.observations()
    if broken:
        seen.append(BusErrorSeen(ms(make.START + 4001), "can0", "charger", "ack", 8, 0))
    monitors = MonitorSet("2015", {})
    monitors.feed(sorted(seen, key=lambda each: each.t))
    assert isinstance(seen[-1 - broken], FrameSeen)
    found = {kind for kind, _ in make.kinds(monitors.finish(seen[-1 - broken].t))}
    assert bool(found & {"TP.packets", "TP.clear", "TP.acknowledge"}) is not broken


def test_a_vehicle_that_is_always_too_fast_is_found_each_time(make: Any) -> None:
    """Waiting once excuses the next interval, not all that follow."""
    script = make.charging().drop("BCS", after=4300).transfer("BMV", BMV, 4030)
    script.transfers("BCS", make.BCS, 4390, 8000, 150)
    found = [finding for finding in make.judge(script) if finding.requirement == "MON/PERIOD.BCS"]
    assert len(found) > 5
