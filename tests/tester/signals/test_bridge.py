"""The node that carries a plant through a signals port, against a box that shares no code with it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from hil.bus.bytefaults import CutLine, LoseBytes, RefuseLine, ResetLine
from hil.bus.tcp import LATENCY
from hil.errors import UsageError
from hil.plant.signals import SAFE_STATE, SIGNALS
from hil.protocol.signals import ClientSettings
from hil.tester.signals import BridgeSettings, PlantBridge
from hil.units import SECOND, Instant, ms, s, us
from hil.world.base import ACTUATION_LATENCY, SENSOR_LATENCY

PERIOD = ms(10)
SILENCE = s(1)
LINES = pytest.mark.parametrize("line", ["tcp", "serial"])


def charger(kind: str) -> set[str]:
    return {each.name for each in SIGNALS if each.side == "charger" and each.kind == kind}


# --- carrying -------------------------------------------------------------------------------------------


@LINES
def test_a_box_that_comes_up_is_given_every_sensor_and_asked_for_every_actuator(carried: Any, line: str) -> None:
    rig = carried(line)
    rig.run(SECOND)
    assert {name for _, each in rig.box.asked for name in each.get("set", ())} == charger("sensor")
    assert set(rig.box.subscribed) == charger("actuator")
    assert (rig.box.values["pe_ok"], rig.box.values["insulation_resistance"]) == (1, 10_000_000)
    [up] = rig.told("up")
    assert up.details == {"port": "io", "box": "plain", "sensors": 17, "actuators": 7}
    assert not rig.told("missing")


@LINES
def test_what_the_controller_drives_moves_the_plant_and_its_feedback_comes_back(carried: Any, line: str) -> None:
    rig = carried(line)
    rig.run(SECOND)
    rig.drive(k3k4_command=1)
    rig.let(ms(100))
    assert rig.sense("k3k4_closed") == 1
    assert rig.box.sets("k3k4_closed")[-1][1] == 1


def test_a_switched_sensor_is_set_at_once_together_with_what_has_moved(carried: Any) -> None:
    rig = carried(settings=BridgeSettings(period=s(30)))
    rig.run(SECOND)
    rig.stimulate("insulation", 5000.0)
    rig.stimulate("plugged", 1)
    rig.let(ms(1))
    due = SECOND + SENSOR_LATENCY + LATENCY
    assert rig.box.sets("cc1_voltage")[-1] == (due, 4)
    assert rig.box.sets("insulation_resistance")[-1] == (due, 5000)


def test_an_analogue_sensor_is_set_each_period_while_it_moves_by_more_than_its_resolution(carried: Any) -> None:
    rig = carried()
    rig.run(SECOND)
    before = len(rig.box.sets("insulation_resistance"))
    rig.stimulate("insulation", 10e6 - 0.9)
    rig.let(ms(100))
    assert len(rig.box.sets("insulation_resistance")) == before
    begin = rig.world.queue.now
    rig.stimulate("insulation", 10e6 - 1.1)
    rig.let(ms(100))
    [(t, value)] = rig.box.sets("insulation_resistance")[before:]
    assert value == 9_999_999
    assert begin < t <= begin + PERIOD + LATENCY


def test_a_value_is_told_within_the_range_of_the_box(carried: Any) -> None:
    narrow = {"insulation_resistance": {"kind": "sensor", "unit": "ohm", "low": 1000, "high": 1_000_000}}
    rig = carried(signals=narrow)
    rig.run(ms(100))
    assert rig.box.values == {"insulation_resistance": 1_000_000}


def test_signals_go_by_the_names_that_the_rig_gives_them(carried: Any) -> None:
    signals = {"relay_1": {"kind": "sensor"}, "input_1": {"kind": "actuator"}}
    rig = carried(signals=signals, names={"k3k4_closed": "relay_1", "k3k4_command": "input_1"})
    rig.run(ms(100))
    rig.drive(input_1=1)
    rig.let(ms(100))
    assert rig.sense("k3k4_closed") == 1
    assert rig.box.values == {"input_1": 1, "relay_1": 1}


def test_what_the_box_lacks_or_means_otherwise_is_noted_and_left_alone(carried: Any) -> None:
    signals = {
        "pe_ok": {"kind": "sensor"},
        "cc1_voltage": {"kind": "sensor", "unit": "mV", "low": 0, "high": 15000},
        "k1k2_closed": {"kind": "actuator"},
        "ac_present": {"kind": "sensor", "low": 1, "high": 1},
        "spare": {"kind": "sensor"},
    }
    rig = carried(signals=signals)
    rig.run(ms(100))
    rig.drive(k1k2_closed=1, spare=1)
    rig.let(ms(100))
    assert rig.box.values == {"pe_ok": 1, "k1k2_closed": 1, "spare": 1}
    assert [each.details["name"] for each in rig.told("unfit")] == ["cc1_voltage", "k1k2_closed", "ac_present"]
    [missing] = rig.told("missing")
    assert set(str(missing.details["names"]).split(", ")) == (charger("sensor") | charger("actuator")) - set(signals)


def test_the_other_side_of_the_plug_is_not_carried(carried: Any) -> None:
    everything = {each.name: {"kind": each.kind, "unit": each.unit, "low": each.low, "high": each.high}
                  for each in SIGNALS if each.kind != "stimulus"}  # fmt: skip
    rig = carried(signals=everything)
    rig.run(ms(100))
    rig.drive(k5k6_command=1)
    rig.let(ms(100))
    assert "soc" not in rig.box.values
    assert rig.sense("k5k6_closed") == 0


# --- delay ----------------------------------------------------------------------------------------------


def test_the_longest_round_trip_is_noted_and_a_longer_one_again(carried: Any) -> None:
    rig = carried()
    rig.run(s(2))
    rig.link.latency = ms(3)
    rig.let(s(2))
    noted = [note.details for note in rig.notes if note.kind == "port_delay"]
    assert 2 <= len(noted) <= 3
    # One answer is under way when the line becomes slower.
    assert noted[0] == {"round_trip": 2 * LATENCY, "period": PERIOD}
    assert noted[-1] == {"round_trip": ms(6), "period": PERIOD}
    assert {note.what for note in rig.notes if note.kind == "port_delay"} == {"io"}


def test_a_round_trip_longer_than_patience_is_measured_all_the_same(carried: Any) -> None:
    rig = carried()
    rig.link.latency = ms(200)
    rig.run(s(3))
    assert max(int(note.details["round_trip"]) for note in rig.notes if note.kind == "port_delay") == ms(400)


def test_a_slow_line_gets_newer_values_instead_of_a_queue(carried: Any) -> None:
    rig = carried("serial", baud=19_200, settings=BridgeSettings(port=ClientSettings(silence=s(3), patience=s(2))))
    rig.run(s(5))
    for number in range(200):
        rig.stimulate("insulation", 1000.0 + 10 * number)
        rig.let(ms(10))
    rig.let(ms(300))
    assert rig.box.values["insulation_resistance"] == 2990
    assert 5 < len(rig.box.sets("insulation_resistance")) < 60


def test_a_switched_sensor_does_not_wait_for_a_slow_line(carried: Any) -> None:
    rig = carried()
    rig.link.latency = ms(100)
    rig.run(s(2))
    begin = rig.world.queue.now
    rig.stimulate("insulation", 5000.0)
    rig.let(ms(20))
    rig.stimulate("insulation", 6000.0)
    rig.let(ms(20))
    rig.stimulate("plugged", 1)
    rig.let(s(1))
    assert rig.box.sets("cc1_voltage")[-1] == (begin + ms(40) + SENSOR_LATENCY + ms(100), 4)
    assert [value for t, value in rig.box.sets("insulation_resistance") if t > begin] == [5000, 6000]


# --- loss -----------------------------------------------------------------------------------------------


def energised(rig: Any) -> None:
    """The controller holds K3/K4 closed and drives the power stage."""
    rig.run(SECOND)
    rig.drive(k3k4_command=1, voltage_setpoint=300, output_enable=1, discharge_command=0)
    rig.run(s(2))
    assert rig.sense("k3k4_closed") == 1


def is_safe(rig: Any) -> bool:
    return bool(rig.sense("k3k4_closed") == 0 and rig.sense("output_voltage") < 60)


@pytest.mark.parametrize(("line", "why"), [("tcp", "silent"), ("serial", "silent")])
def test_a_silent_box_leaves_the_plant_safe_after_a_time_limit(carried: Any, line: str, why: str) -> None:
    rig = carried(line)
    energised(rig)
    rig.box.mute = True
    heard = max(t for t, _ in rig.box.asked)
    rig.run(heard + SILENCE - ms(50))
    assert not is_safe(rig)
    rig.run(heard + SILENCE + ms(500))
    assert is_safe(rig)
    assert [note.details["why"] for note in rig.told("lost")] == [why]
    assert len(rig.told("safe state")) == 1


@pytest.mark.parametrize(
    "fault", [ResetLine(name="f"), CutLine(name="f"), RefuseLine(name="f")], ids=lambda each: type(each).__name__
)
def test_a_broken_link_leaves_the_plant_safe_and_heals(carried: Any, fault: Any) -> None:
    rig = carried()
    energised(rig)
    rig.inject(ResetLine(name="first"))
    rig.inject(fault)
    rig.run(s(5))
    assert is_safe(rig)
    assert len(rig.told("lost")) == 1, "attempts that fail are no news"
    assert len(rig.told("safe state")) == 1
    rig.undo()
    rig.stimulate("insulation", 7000.0)
    rig.run(s(8))
    assert rig.box.values["insulation_resistance"] == 7000
    assert rig.sense("k3k4_closed") == 1, "the controller still drives it, and is asked again"
    assert len(rig.told("up")) == 2
    rig.drive(k3k4_command=0)
    rig.let(ms(100))
    assert rig.sense("k3k4_closed") == 0


def test_a_box_that_does_not_hear_is_lost_although_it_goes_on_telling(carried: Any) -> None:
    rig = carried()
    energised(rig)
    rig.inject(CutLine(name="f", sender="bridge"))
    for _ in range(8):
        rig.drive(voltage_setpoint=300)
        rig.let(ms(250))
    assert is_safe(rig)
    assert [note.details["why"] for note in rig.told("lost")] == ["silent"]


def test_a_box_that_had_let_go_is_told_everything_again(carried: Any) -> None:
    rig = carried()
    rig.run(SECOND)
    rig.box.answers["set"] = {"error": "silent for too long", "code": "hello"}
    rig.run(SECOND + ms(300))
    del rig.box.answers["set"]
    rig.box.values.clear()
    rig.run(s(3))
    assert [note.details["why"] for note in rig.told("lost")] == ["it had let go"]
    assert charger("sensor") <= rig.box.values.keys()
    assert len(rig.told("up")) == 2


def test_a_link_that_comes_back_in_time_leaves_the_plant_as_it_is(carried: Any) -> None:
    rig = carried(settings=BridgeSettings(retry=ms(100)))
    energised(rig)
    rig.world.queue.at(rig.world.queue.now + ms(1), lambda: rig.link.reset("box", 1))
    rig.let(s(3))
    assert [len(rig.told(what)) for what in ("lost", "up", "safe state")] == [1, 2, 0]
    assert rig.sense("k3k4_closed") == 1


def test_nobody_there_is_noted_once_and_looked_for_again(carried: Any) -> None:
    rig = carried()
    rig.inject(RefuseLine(name="no"))
    rig.run(s(5))
    assert [note.details["why"] for note in rig.told("unreachable")] == ["refused"]
    assert not rig.told("lost")
    assert not rig.told("safe state"), "nothing had been driven"
    rig.undo()
    rig.run(s(6))
    assert len(rig.told("up")) == 1


def test_a_serial_box_that_comes_late_is_found(carried: Any) -> None:
    rig = carried("serial")
    rig.box.mute = True
    rig.run(s(5))
    assert [note.details["why"] for note in rig.told("unreachable")] == ["no answer to hello"]
    rig.box.mute = False
    rig.run(s(7))
    assert rig.box.values["pe_ok"] == 1


@pytest.mark.parametrize("sender", ["bridge", "box"])
def test_a_lost_line_is_made_good(carried: Any, sender: str) -> None:
    rig = carried("serial")
    rig.run(SECOND)
    rig.inject(LoseBytes(name="f", sender=sender, count=1))
    rig.stimulate("plugged", 1)
    rig.let(s(1))
    assert rig.box.values["cc1_voltage"] == 4
    assert [note.what for note in rig.notes if note.kind == "fault_fired"], "or nothing was lost"


def test_the_box_is_told_for_how_long_the_bench_may_be_silent(carried: Any) -> None:
    rig = carried(settings=BridgeSettings(port=ClientSettings(silence=s(2))))
    rig.run(s(4))
    asked: list[tuple[Instant, dict[str, Any]]] = rig.box.asked
    assert asked[0][1]["watchdog"] == 2.0
    gaps = [after[0] - before[0] for before, after in pairwise(asked)]
    assert max(gaps) <= ms(260)


# --- boxes that misbehave -------------------------------------------------------------------------------


def test_another_version_is_not_spoken_to(carried: Any) -> None:
    rig = carried()
    rig.box.version = 2
    rig.run(s(2))
    assert not any("set" in each for _, each in rig.box.asked)
    assert "version 2" in str(rig.told("unreachable")[0].details["why"])


def test_a_refused_set_is_noted_and_not_repeated(carried: Any) -> None:
    rig = carried()
    rig.run(SECOND)
    rig.box.answers["set"] = {"error": "relay is stuck"}
    rig.stimulate("insulation", 5000.0)
    rig.run(SECOND + ms(200))
    [refused] = [note for note in rig.told("refused") if note.details["names"]]
    assert refused.details["error"] == "relay is stuck"
    assert refused.details["names"] == "insulation_resistance"
    assert len(rig.box.sets("insulation_resistance")) == 2


def test_a_refused_subscription_is_not_asked_for_again(carried: Any) -> None:
    rig = carried()
    rig.box.answers["subscribe"] = {"error": "no"}
    rig.run(s(3))
    assert sum("subscribe" in each for _, each in rig.box.asked) == 1


def test_an_unanswered_subscription_is_asked_for_again(carried: Any) -> None:
    rig = carried()
    rig.box.answers["subscribe"] = {"values": {}, "id": 0}
    rig.box.say = lambda message, say=rig.box.say: say(message) if "values" not in message else None
    rig.run(s(1))
    assert sum("subscribe" in each for _, each in rig.box.asked) in (3, 4)


def test_garbage_and_lies_are_noted_and_change_nothing(carried: Any) -> None:
    rig = carried()
    energised(rig)
    rig.raw(b"\xff\xfe\x00\n" + b"[1,2]\n" + b'{"ok":"set","id":99999}\n' + b'{"values":{"k3k4_command":0}}\n')
    rig.raw(b'{"event":{"pe_ok":0,"nobody":1,"soc":3}}\n{"hello":1,"signals":{}}\n{"event":{"k3k4_command":"x"}}\n')
    rig.let(ms(200))
    assert len(rig.told("garbled")) == 3
    assert rig.sense("k3k4_closed") == 1
    assert rig.sense("pe_ok") == 1


def test_an_actuator_beyond_its_range_is_driven_to_its_end(carried: Any) -> None:
    rig = carried()
    rig.run(SECOND)
    rig.drive(k3k4_command=1e9)
    rig.let(ms(100))
    assert rig.sense("k3k4_closed") == 1


# --- our own misuse -------------------------------------------------------------------------------------


def bridge(**options: Any) -> PlantBridge:
    return PlantBridge("bridge", "io", lambda name, now: 0.0, SIGNALS, safe=SAFE_STATE, **options)


def test_names_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="k1k2_command"):
        bridge(names={"k1k2_comand": "relay_1"})
    with pytest.raises(UsageError, match="soc"):
        bridge(names={"soc": "relay_1"})
    with pytest.raises(UsageError, match="cannot both be 'relay_1'"):
        bridge(names={"k1k2_command": "relay_1", "k3k4_command": "relay_1"})
    with pytest.raises(UsageError, match="takes no orders"):
        bridge().order("set", {}, 0)
    with pytest.raises(UsageError, match="above 0"):
        BridgeSettings(period=0)


def test_the_plant_sees_an_actuation_after_its_latency(carried: Any) -> None:
    rig = carried()
    rig.run(SECOND)
    rig.drive(lock_command=1, k3k4_command=1)
    rig.run(SECOND + LATENCY + ACTUATION_LATENCY + ms(25) - us(1))
    assert rig.sense("k3k4_closed") == 0
    rig.let(us(2))
    assert rig.sense("k3k4_closed") == 1
