"""The virtual world: stimulus plans, waits, latencies, misuse, independence, and the end."""

from __future__ import annotations

from typing import Any

import pytest

from hil.bench.setup import Setup, build
from hil.bus.faults import Drop
from hil.codec.frame import CanFrame
from hil.errors import UsageError, WorldError
from hil.plant.signals import SAFE_STATE, SIGNALS
from hil.protocol.gbt27930 import BCS, BHM, CHM, CRO, can_id
from hil.units import Instant, minutes, ms, s, us
from hil.world.base import ACTUATION_LATENCY, SENSOR_LATENCY
from hil.world.observation import FrameSeen, Note, Observation, Sample
from hil.world.plan import (
    Action,
    Advance,
    AtInstant,
    Close,
    Do,
    Inject,
    OnMessage,
    OnNote,
    OnSignal,
    Plan,
    Reply,
    Rule,
    Stimulate,
    Tell,
    Trigger,
    UndoFault,
)
from hil.world.virtual import VirtualWorld

CHM_ID, BHM_ID, CRO_ID = 0x1826F456, 0x182756F4, 0x100AF456
CHM_FRAME = CanFrame(CHM_ID, CHM(version=0x000101).encode())
BHM_FRAME = CanFrame(BHM_ID, BHM(max_total_voltage=400.0).encode())
SAY_BHM = Tell("vehicle", "say", {"id": BHM_ID, "data": BHM_FRAME.data.hex()})


def cro(ready: int) -> CanFrame:
    return CanFrame(CRO_ID, CRO(ready=ready).encode())


def notes(reply: Reply, kind: str = "stimulus") -> list[tuple[Instant, str]]:
    return [(each.t, each.what) for each in reply.observations if isinstance(each, Note) and each.kind == kind]


def frames(reply: Reply, identifier: int) -> list[Instant]:
    return [each.t for each in reply.observations if isinstance(each, FrameSeen) and each.id == identifier]


def plan(world: VirtualWorld, trigger: Trigger, *actions: Action, delay: int = 0, name: str = "rule") -> None:
    world.execute(Plan((Rule(name, trigger, actions, delay),)))


# --- triggers -------------------------------------------------------------------------------------


def test_a_rule_on_a_message_acts_at_its_end_on_the_bus_once(bare: Any) -> None:
    rig = bare(charger={ms(10): CHM_FRAME, ms(20): CHM_FRAME})
    plan(rig.world, OnMessage("CHM"), SAY_BHM)
    reply = rig.world.execute(Advance(ms(100)))
    first, _ = frames(reply, CHM_ID)
    assert notes(reply) == [(first, "rule")]
    (answer,) = frames(reply, BHM_ID)
    assert answer > first


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_rule_counts_messages(bare: Any, count: int) -> None:
    rig = bare(charger={ms(10 * number): CHM_FRAME for number in range(1, 4)})
    plan(rig.world, OnMessage("CHM", count=count), SAY_BHM)
    reply = rig.world.execute(Advance(ms(100)))
    assert notes(reply) == [(frames(reply, CHM_ID)[count - 1], "rule")]


def test_fields_tell_messages_of_one_name_apart_and_others_do_not_count(bare: Any) -> None:
    rig = bare(charger={ms(10): cro(0x00), ms(20): cro(0x00), ms(30): cro(0xAA), ms(40): cro(0xAA)})
    plan(rig.world, OnMessage("CRO", {"ready": 0xAA}, count=2), SAY_BHM)
    reply = rig.world.execute(Advance(ms(100)))
    assert notes(reply) == [(frames(reply, CRO_ID)[3], "rule")]


@pytest.mark.parametrize(
    "frame",
    [
        CanFrame(can_id(6, 0x2600, 0xF4, 0x57), CHM_FRAME.data),
        CanFrame(can_id(6, 0x2600, 0x56, 0xF4), CHM_FRAME.data),
        CanFrame(can_id(7, 0x1100, 0x56, 0xF4), bytes(8)),
        CanFrame(0x123, CHM_FRAME.data, extended=False),
    ],
    ids=["foreign source", "the other side", "long message without transport", "standard frame"],
)
@pytest.mark.parametrize("trigger", [OnMessage("CHM"), OnMessage("BCS")])
def test_what_is_no_such_message_triggers_nothing(bare: Any, frame: CanFrame, trigger: OnMessage) -> None:
    rig = bare(charger={ms(10): frame})
    reply = rig.world.execute(Advance(ms(100), (trigger,)))
    assert reply.stopped_by is None
    assert frames(reply, frame.id)


def transfer(data: bytes, pgn: int) -> tuple[list[CanFrame], list[CanFrame]]:
    """Frames of both sides of a transfer by the layouts of sheet 1.4: the vehicle's, the charger's."""
    name = pgn.to_bytes(3, "little")
    size, packets = len(data), -(-len(data) // 7)
    announce = bytes((0x10, size, 0, packets, 0xFF)) + name
    padded = data.ljust(packets * 7, b"\xff")
    parts = [bytes((number + 1,)) + padded[7 * number : 7 * number + 7] for number in range(packets)]
    sent = [CanFrame(0x1CEC56F4, announce), *(CanFrame(0x1CEB56F4, part) for part in parts)]
    end = bytes((0x13, size, 0, packets, 0xFF)) + name
    return sent, [CanFrame(0x1CECF456, bytes((0x11, packets, 1, 0xFF, 0xFF)) + name), CanFrame(0x1CECF456, end)]


@pytest.mark.parametrize("asked", [ms(5), ms(15), ms(35)], ids=["before", "after the RTS", "after a packet"])
def test_a_long_message_counts_at_its_acknowledge_whenever_the_trigger_was_declared(bare: Any, asked: int) -> None:
    content = BCS(voltage=390.0, current=-10.0, max_cell_voltage=3.3, max_cell_group=0, soc=50, remaining_time=60)
    (rts, *packets), (cts, end) = transfer(content.encode(), 0x1100)
    rig = bare(vehicle={ms(10): rts, ms(30): packets[0], ms(40): packets[1]}, charger={ms(20): cts, ms(60): end})
    rig.world.execute(Advance(asked))
    reply = rig.world.execute(Advance(ms(200), (OnMessage("BCS", {"soc": 50}),)))
    assert reply.stopped_by == 0
    assert frames(reply, 0x1CECF456)[-1] == reply.now


def test_a_rule_on_a_signal_waits_for_a_sample_in_the_range(bare: Any) -> None:
    rig = bare()
    plan(rig.world, OnSignal("k3k4_closed", 1, 1), SAY_BHM)
    quiet = rig.world.execute(Advance(ms(50)))
    assert notes(quiet) == []
    rig.world.execute(Do((Tell("charger", "set", {"k3k4_command": 1}),)))
    reply = rig.world.execute(Advance(ms(200)))
    (closed,) = [each for each in reply.observations if isinstance(each, Sample) and each.name == "k3k4_closed"]
    assert notes(reply) == [(closed.t, "rule")]


def test_a_rule_on_a_note_follows_another_rule(bare: Any) -> None:
    rig = bare(charger={ms(10): CHM_FRAME})
    plan(rig.world, OnNote("stimulus", "first"), SAY_BHM, name="second", delay=ms(7))
    plan(rig.world, OnMessage("CHM"), name="first")
    reply = rig.world.execute(Advance(ms(100)))
    (chm,) = frames(reply, CHM_ID)
    assert notes(reply) == [(chm, "first"), (chm + ms(7), "second")]


def test_a_delay_is_kept_to_the_nanosecond(bare: Any) -> None:
    rig = bare(charger={ms(10): CHM_FRAME})
    plan(rig.world, OnMessage("CHM"), SAY_BHM, delay=ms(3) + 1)
    reply = rig.world.execute(Advance(ms(100)))
    assert notes(reply) == [(frames(reply, CHM_ID)[0] + ms(3) + 1, "rule")]


@pytest.mark.parametrize(("asked", "fires"), [(ms(40), ms(40)), (ms(10), ms(20))], ids=["to come", "passed"])
def test_a_rule_at_an_instant_acts_then_or_at_once(bare: Any, asked: Instant, fires: Instant) -> None:
    rig = bare()
    rig.world.execute(Advance(ms(20)))
    plan(rig.world, AtInstant(asked), SAY_BHM)
    assert notes(rig.world.execute(Advance(ms(100)))) == [(fires, "rule")]


def test_rules_at_one_instant_act_in_the_order_of_the_plan(bare: Any) -> None:
    rig = bare(charger={ms(10): CHM_FRAME})
    names = ["third", "first", "second"]
    rig.world.execute(Plan(tuple(Rule(name, OnMessage("CHM"), (SAY_BHM,)) for name in names)))
    rig.world.execute(Plan(tuple(Rule(name, AtInstant(ms(50)), (SAY_BHM,)) for name in reversed(names))))
    reply = rig.world.execute(Advance(ms(100)))
    assert [what for _, what in notes(reply)] == [*names, *reversed(names)]
    assert len(frames(reply, BHM_ID)) == 6


# --- waits ----------------------------------------------------------------------------------------


def test_a_wait_ends_with_the_trigger_that_came_first(bare: Any) -> None:
    rig = bare(charger={ms(10): CHM_FRAME, ms(20): cro(0)})
    waits = (OnMessage("CRO"), OnMessage("CHM"), AtInstant(ms(50)))
    reply = rig.world.execute(Advance(ms(100), waits))
    assert (reply.stopped_by, [reply.now]) == (1, frames(reply, CHM_ID))
    reply = rig.world.execute(Advance(ms(100), waits))
    assert (reply.stopped_by, [reply.now]) == (0, frames(reply, CRO_ID))
    reply = rig.world.execute(Advance(ms(100), waits))
    assert (reply.stopped_by, reply.now) == (2, ms(50))
    reply = rig.world.execute(Advance(ms(100), waits[:2]))
    assert (reply.stopped_by, reply.now) == (None, ms(100))


def test_the_earliest_of_several_instants_ends_a_wait_and_none_beyond_its_end(bare: Any) -> None:
    rig = bare()
    reply = rig.world.execute(Advance(ms(100), (AtInstant(ms(70)), AtInstant(ms(30)), AtInstant(ms(500)))))
    assert (reply.stopped_by, reply.now) == (1, ms(30))
    assert rig.world.execute(Advance(ms(100), (AtInstant(ms(500)),))).stopped_by is None


def test_a_wait_that_is_over_leaves_no_trigger_behind(bare: Any) -> None:
    rig = bare(charger={ms(10): CHM_FRAME, ms(30): CHM_FRAME})
    rig.world.execute(Advance(ms(5), (OnMessage("CHM"),)))
    assert rig.world.execute(Advance(ms(100))).now == ms(100)


# --- order of what is seen, latencies ---------------------------------------------------------------


def session(seed: int, **changes: Any) -> list[Observation]:
    """A whole session, with a broken line and a stop in it."""
    world = build(Setup(seed=seed, **changes))
    seen = [*world.execute(Do((Stimulate("plugged", 1),))).observations]
    seen += world.execute(Advance(s(1))).observations
    seen += world.execute(Do((Stimulate("start_press", 1),))).observations
    plan(world, OnMessage("CCS", count=100), Tell("vehicle", "demand", {"current": 60.0}), name="less")
    plan(world, OnMessage("CCS", count=200), Inject(Drop(name="lost", sender="vehicle", count=5)), name="loss")
    plan(world, OnMessage("CCS", count=300), Tell("vehicle", "stop", {"reason": "soc_reached"}), name="stop")
    seen += world.execute(Advance(minutes(1))).observations
    return [*seen, *world.execute(Close()).observations]


def test_what_is_seen_comes_in_order_of_time() -> None:
    seen = session(3)
    assert len(seen) > 1000
    assert [each.t for each in seen] == sorted(each.t for each in seen)


def test_equal_seeds_see_the_same_and_other_seeds_something_else() -> None:
    assert session(3) == session(3)
    assert session(3) != session(4)


def test_two_worlds_in_turns_see_what_each_sees_alone() -> None:
    alone = [build(Setup(seed=seed)) for seed in (5, 6)]
    turns = [build(Setup(seed=seed)) for seed in (5, 6)]
    start = (Stimulate("plugged", 1), Stimulate("start_press", 1))
    expected = []
    for world in alone:
        world.execute(Do(start))
        expected.append(world.execute(Advance(s(10))).observations)
    seen: list[list[Observation]] = [[], []]
    for world in turns:
        world.execute(Do(start))
    for step in range(1, 101):
        for number, world in enumerate(turns):
            seen[number] += world.execute(Advance(ms(100) * step)).observations
    assert seen == expected


def test_generators_by_name_do_not_disturb_each_other() -> None:
    one, other = VirtualWorld(7), VirtualWorld(7)
    noise = other.rng("noise")
    wanted = other.rng("wanted")
    drawn = []
    for _ in range(20):
        noise.random()
        drawn.append(wanted.random())
    generator = one.rng("wanted")
    assert drawn == [generator.random() for _ in range(20)]
    assert VirtualWorld(8).rng("wanted").random() != drawn[0]
    assert one.rng("else").random() != drawn[0]


def test_an_actuation_reaches_the_plant_later_and_a_change_its_controllers_later(bare: Any) -> None:
    assert us(500) == ACTUATION_LATENCY
    assert us(200) == SENSOR_LATENCY
    rig = bare()
    rig.world.execute(Advance(ms(10)))
    reply = rig.world.execute(Do((Stimulate("plugged", 1), Tell("charger", "set", {"k3k4_command": 1}))))
    plugged = reply.now
    reply = rig.world.execute(Advance(ms(100)))
    closed = [each.t for each in reply.observations if isinstance(each, Sample) and each.name == "k3k4_closed"]
    assert closed == [plugged + us(500) + ms(25)]  # the contactor's own time after the latency
    told = dict.fromkeys(rig.charger.signals)
    assert (plugged + us(200), "cc1_voltage", 4.0) in told
    assert (closed[0] + us(200), "k3k4_closed", 1.0) in told
    assert rig.charger.signals == rig.vehicle.signals


def test_a_deadline_that_was_moved_wakes_the_node_when_it_is_due(bare: Any) -> None:
    rig = bare(vehicle={ms(30): BHM_FRAME})
    rig.world.execute(Advance(ms(10)))
    rig.world.execute(Do((Tell("vehicle", "postpone", {"by": ms(40)}), Tell("vehicle", "postpone", {"by": -ms(50)}))))
    reply = rig.world.execute(Advance(ms(200)))
    assert len(frames(reply, BHM_ID)) == 1
    assert rig.vehicle.woken[0] == ms(20)
    assert len(rig.vehicle.woken) <= 2


# --- misuse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (Tell("truck", "say"), "no node 'truck' in this world; there are charger, vehicle"),
        (Inject(Drop(name="x"), "can7"), "no line 'can7' in this world; there are can0"),
        (UndoFault("x", "can7"), "no line 'can7' in this world; there are can0"),
        (Stimulate("pluged", 1), "no stimulus 'pluged'; near are plugged"),
        (Stimulate("plugged", 2), r"plugged: 2 is not within 0\.\.1"),
        (Stimulate("output_voltage", 2), "no stimulus 'output_voltage'"),
    ],
)
def test_an_action_that_cannot_be_is_refused_when_planned_and_when_done(bare: Any, action: Action, told: str) -> None:
    rig = bare()
    with pytest.raises(UsageError, match=told):
        plan(rig.world, OnMessage("CHM"), action)
    with pytest.raises(UsageError, match=told):
        rig.world.execute(Do((action,)))


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (Tell("vehicle", "fly"), "vehicle does not know the order 'fly'; it knows postpone, say, set"),
        (UndoFault("x"), "can0 has no link fault 'x'; there are none"),
        (Inject(Drop(name="x", sender="truck")), "can0 has no node 'truck'; there are charger, vehicle"),
    ],
)
def test_what_only_its_receiver_can_refuse_is_refused_when_done(bare: Any, action: Action, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        bare().world.execute(Do((action,)))


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        (OnMessage("CMH"), "no message 'CMH' to wait for; there are CHM"),
        (OnMessage("CRO", {"redy": 1}), "CRO has no signal 'redy'; it has ready"),
        (OnMessage("CRO", sender="truck"), "sender is charger, bms or empty"),
        (OnMessage("CRO", count=0), "count 1 or more"),
    ],
)
def test_a_trigger_that_can_never_come_is_refused(bare: Any, trigger: OnMessage, told: str) -> None:
    rig = bare()
    with pytest.raises(UsageError, match=told):
        plan(rig.world, trigger, SAY_BHM)
    with pytest.raises(UsageError, match=told):
        rig.world.execute(Advance(ms(10), (trigger,)))


def test_a_negative_delay_is_refused(bare: Any) -> None:
    with pytest.raises(UsageError, match=r"rule 'rule': a delay of -1 ns; 0 and more is allowed"):
        plan(bare().world, OnMessage("CHM"), SAY_BHM, delay=-1)


def test_a_world_without_a_plant_says_so() -> None:
    world = VirtualWorld(1)
    with pytest.raises(UsageError, match="no plant to stimulate"):
        world.execute(Do((Stimulate("plugged", 1),)))
    with pytest.raises(UsageError, match="no plant to sense soc of"):
        world.sense("soc", 0)


# --- the end --------------------------------------------------------------------------------------


def test_the_safe_state_names_every_actuator_but_the_lock() -> None:
    actuators = {each.name for each in SIGNALS if each.kind == "actuator"}
    assert {name for name, _ in SAFE_STATE} == actuators - {"lock_command"}


def charging_world() -> VirtualWorld:
    world = build(Setup(seed=2))
    world.execute(Do((Stimulate("plugged", 1),)))
    world.execute(Advance(s(1)))
    world.execute(Do((Stimulate("start_press", 1),)))
    assert world.execute(Advance(minutes(2), (OnSignal("output_current", 90.0, 110.0),))).stopped_by == 0
    return world


def test_closing_switches_off_opens_everything_and_takes_the_supply_from_the_plug() -> None:
    world = charging_world()
    end = world.execute(Close())
    closed = end.now
    level = {name: world.sense(name, closed) for name in ("k1k2_closed", "k5k6_closed", "k3k4_closed", "aux_voltage")}
    assert set(level.values()) == {0.0}
    assert world.sense("output_current", closed) == 0.0
    assert world.sense("output_voltage", closed) < 60.0
    assert world.sense("k1k2_open_current", closed) <= 5.0, "contacts open after the current has gone"
    told = {each.name for each in end.observations if isinstance(each, Sample) and each.value == 0.0}
    assert {"k1k2_closed", "k5k6_closed", "k3k4_closed", "output_current"} <= told
    assert notes(end, "closed") == [(closed, "safe state")]


def test_nobody_undoes_the_safe_state_and_nothing_is_said_any_more(bare: Any) -> None:
    rig = bare(charger={ms(1500): CHM_FRAME})
    rig.world.execute(Do((Tell("charger", "set", {"k3k4_command": 1}), SAY_BHM)))
    plan(rig.world, AtInstant(ms(1)), Stimulate("plugged", 1))
    plan(rig.world, OnSignal("k3k4_closed", 0, 0), SAY_BHM)
    end = rig.world.execute(Close())
    assert not [each for each in end.observations if isinstance(each, FrameSeen)]
    assert notes(end) == []
    assert rig.plant.sense("k3k4_closed", end.now) == 0.0
    assert rig.charger.woken == []


def test_a_closed_world_takes_no_command(bare: Any) -> None:
    world = bare().world
    world.execute(Close())
    for command in (Advance(s(1)), Do(()), Plan(()), Close()):
        with pytest.raises(WorldError, match="closed"):
            world.execute(command)
