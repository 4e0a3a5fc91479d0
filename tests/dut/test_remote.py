"""A plant that is elsewhere: controllers meet what a bench, written without our wire layer, sets and hears."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from hil.bus.serial import SerialFormat, VirtualSerial
from hil.bus.tcp import LATENCY, VirtualTcp
from hil.dut.remote import RemotePlant
from hil.errors import UsageError
from hil.plant.ac_signals import AC_SAFE_STATE, AC_SIGNALS
from hil.plant.signals import SAFE_STATE, SIGNALS
from hil.units import SECOND, Instant, ms, s
from hil.world.base import ACTUATION_LATENCY, SENSOR_LATENCY
from hil.world.bytenode import Open, Send, Wish
from hil.world.observation import Note, Observation
from hil.world.plan import Advance, Do, Stimulate, Tell
from hil.world.virtual import VirtualWorld
from tests.mutation import COUNT, mutated, size

LINES = pytest.mark.parametrize("line", ["tcp", "serial"])


class Talker:
    """A controller and a bench in one: orders are what it drives, opens and writes; it keeps what it hears."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self.signals: list[tuple[Instant, str, float]] = []
        self.heard: list[tuple[Instant, dict[str, Any]]] = []
        self._unread = b""

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        self.heard += [(now, json.loads(each)) for each in lines]

    def opened(self, line: str, channel: int, now: Instant) -> None: ...

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None: ...

    def signal(self, name: str, value: float, now: Instant) -> None:
        self.signals.append((now, name, value))

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        if verb == "drive":
            self.actuations += arguments.items()
        else:
            self.wishes.append(arguments["wish"])

    def wake(self, now: Instant) -> None: ...

    def next_deadline(self) -> Instant | None:
        return None


class Served:
    """A world in which a controller meets a plant over a line, and a bench at the line's other end."""

    def __init__(self, line: str = "tcp", *, ac: bool = False) -> None:
        self.world = VirtualWorld(1)
        self.plant = RemotePlant("box", "io", AC_SIGNALS, safe=AC_SAFE_STATE) if ac else dc()
        self.world.add_plant(self.plant)
        self.controller, self.bench = Talker("controller"), Talker("bench")
        self.tcp = line == "tcp"
        self.seen: list[Observation] = []
        if self.tcp:
            link = VirtualTcp(self.world.queue, name="io", sink=self.world.see)
            self.world.add_byte_node(self.plant, serves=link)
            self.world.add_byte_node(self.bench, link)
        else:
            wire = VirtualSerial(self.world.queue, name="io", sink=self.world.see, line_format=SerialFormat(115_200))
            self.world.add_byte_node(self.plant, wire)
            self.world.add_byte_node(self.bench, wire)
        self.world.add_byte_node(self.controller)
        if self.tcp:
            self.tell("bench", "wish", wish=Open("io"))
        self.let(ms(1))

    def tell(self, node: str, verb: str, **arguments: Any) -> None:
        self.world.execute(Do((Tell(node, verb, arguments),)))

    def say(self, message: object) -> None:
        self.tell("bench", "wish", wish=Send("io", json.dumps(message).encode() + b"\n", 1 if self.tcp else 0))

    def let(self, span: int) -> None:
        self.seen += self.world.execute(Advance(self.world.queue.now + span)).observations

    def sense(self, name: str) -> float:
        return self.world.sense(name, self.world.queue.now)

    def notes(self) -> list[tuple[str, Any]]:
        return [(each.what, each.details["why"]) for each in self.seen if isinstance(each, Note)]


def dc() -> RemotePlant:
    return RemotePlant("box", "io", SIGNALS, safe=SAFE_STATE)


@LINES
def test_a_controller_senses_what_the_bench_has_set(line: str) -> None:
    rig = Served(line)
    assert (rig.sense("pe_ok"), rig.sense("cc1_voltage")) == (0, 0)
    rig.say({"set": {"cc1_voltage": 4, "pe_ok": 1, "output_voltage": 385.2}})
    rig.let(ms(20))
    assert (rig.sense("cc1_voltage"), rig.sense("pe_ok"), rig.sense("output_voltage")) == (4, 1, 385.2)
    assert [(name, value) for _, name, value in rig.controller.signals] == [
        ("cc1_voltage", 4),
        ("pe_ok", 1),
        ("output_voltage", 385.2),
    ]


def test_a_change_reaches_the_controller_after_the_latency_of_a_sensor_only() -> None:
    rig = Served()
    sent = rig.world.queue.now
    rig.say({"set": {"stop_button": 1}})
    rig.let(ms(20))
    assert rig.controller.signals == [(sent + LATENCY + SENSOR_LATENCY, "stop_button", 1)]


@LINES
def test_the_bench_hears_what_the_controller_drives(line: str) -> None:
    rig = Served(line)
    rig.say({"subscribe": ["k1k2_command", "voltage_setpoint"]})
    rig.let(ms(50))
    driven = rig.world.queue.now
    rig.tell("controller", "drive", k1k2_command=1, lock_command=1, voltage_setpoint=9999)
    rig.let(ms(50))
    events = {name: (t, value) for t, each in rig.bench.heard for name, value in each.get("event", {}).items()}
    assert {name: value for name, (_, value) in events.items()} == {"k1k2_command": 1, "voltage_setpoint": 2000}
    if rig.tcp:
        assert events["k1k2_command"][0] == driven + ACTUATION_LATENCY + LATENCY


@LINES
def test_a_bench_that_falls_silent_leaves_every_sensor_at_rest(line: str) -> None:
    rig = Served(line)
    rig.say({"hello": 1, "watchdog": 1.0})
    rig.say({"set": {"cc1_voltage": 4, "pe_ok": 1}})
    rig.let(ms(900))
    assert rig.sense("pe_ok") == 1
    rig.let(ms(300))
    assert (rig.sense("pe_ok"), rig.sense("cc1_voltage")) == (0, 0)
    assert [(name, value) for _, name, value in rig.controller.signals[-2:]] == [("cc1_voltage", 0), ("pe_ok", 0)]
    assert rig.notes() == [("at rest", "silent")]


def test_garbage_is_noted() -> None:
    rig = Served()
    rig.tell("bench", "wish", wish=Send("io", b"\xff\n", 1))
    rig.let(ms(10))
    [(what, why)] = rig.notes()
    assert what == "garbled"
    assert "malformed" in why
    assert "error" in rig.bench.heard[-1][1]


def test_the_samples_of_the_world_are_what_was_set() -> None:
    rig = Served()
    begin = rig.world.queue.now
    rig.say({"set": {"output_voltage": 200}})
    rig.let(ms(10))
    [sample] = [each for each in rig.seen if getattr(each, "name", "") == "output_voltage" and each.t >= begin]
    assert (sample.t, getattr(sample, "value", None)) == (begin + LATENCY, 200)


def test_an_ac_charger_s_signals_are_served_the_same_way() -> None:
    rig = Served(ac=True)
    rig.say({"hello": 1})
    rig.say({"set": {"cp_low": -12, "cp_high": 9}})
    rig.let(ms(10))
    signals = rig.bench.heard[0][1]["signals"]
    assert {name for name, each in signals.items() if each["kind"] == "actuator"} == {
        *("cp_mode", "cp_duty_set", "cp_frequency_set", "contactor_command", "lock_command", "ventilation_command")
    }
    assert rig.sense("cp_low") == -12


def test_signals_go_by_the_names_that_the_rig_gives_them() -> None:
    names = {"k1k2_closed": "relay_1", "k1k2_command": "input_1"}
    plant = RemotePlant("box", "io", SIGNALS, safe=SAFE_STATE, names=names)
    plant.received("io", 1, b'{"set":{"relay_1":1}}\n{"subscribe":["input_1"]}\n', "", 0)
    assert plant.sense("k1k2_closed", 0) == 1
    assert plant.take_changes() == [(0, "k1k2_closed", 1)]
    plant.wishes.clear()
    plant.actuate("k1k2_command", 1, 0)
    [wish] = plant.wishes
    assert isinstance(wish, Send)
    assert json.loads(wish.data)["event"] == {"input_1": 1}


def test_the_plant_is_safe_by_its_actuators() -> None:
    plant = dc()
    plant.received("io", 1, b'{"subscribe":["*"]}\n', "", 0)
    plant.actuate("k1k2_command", 1, 0)
    plant.wishes.clear()
    plant.go_safe(SECOND)
    told: dict[str, float] = {}
    for wish in plant.wishes:
        assert isinstance(wish, Send)
        told |= json.loads(wish.data)["event"]
    assert told == {"k1k2_command": 0, "discharge_command": 1}


def test_our_own_misuse_raises() -> None:
    plant = dc()
    with pytest.raises(UsageError, match="output_voltage"):
        plant.sense("output_voltag", 0)
    with pytest.raises(UsageError, match="no sensor 'soc'"):
        plant.sense("soc", 0)
    with pytest.raises(UsageError, match="no actuator 'k5k6_command'"):
        plant.actuate("k5k6_command", 1, 0)
    with pytest.raises(UsageError, match="not a number"):
        plant.actuate("k1k2_command", float("nan"), 0)
    with pytest.raises(UsageError, match="takes no orders"):
        plant.order("set", {}, 0)
    rig = Served()
    with pytest.raises(UsageError, match="plugged = 1: the plant is the bench's"):
        rig.world.execute(Do((Stimulate("plugged", 1),)))


def test_without_a_bench_nothing_is_ever_due() -> None:
    rig = Served("serial")
    rig.let(s(3600))
    assert rig.plant.next_deadline() is None
    assert rig.controller.signals == []


# --- robustness -------------------------------------------------------------------------------------------

HOSTILE = (*("0", "1", "0.5") * 4, "-7", "1e999", "-1e300", "NaN", "null", "true", '"1"', "[1]", str(10**400))


def test_a_hostile_bench_sets_sensors_to_numbers_of_their_ranges_only() -> None:
    draw, now, early, moved = random.Random("bench"), s(1), 0, 0
    plant = RemotePlant("box", "io", SIGNALS, safe=SAFE_STATE)
    sensors = {each.name: each for each in SIGNALS if each.side == "charger" and each.kind == "sensor"}
    for number in range(COUNT // 4):
        now += draw.choice((ms(1), ms(20), s(2)))
        names = draw.sample([*sensors, "k1k2_command", "nonsense"], 2)
        values = ",".join(f'"{name}":{draw.choice(HOSTILE)}' for name in names)
        greeting = b'{"hello":1,"watchdog":1.0,"id":1}\n{"subscribe":["*"],"id":2}\n' if number % 4 == 0 else b""
        said = greeting + mutated(draw, f'{{"set":{{{values}}},"id":{number % 9}}}'.encode())
        plant.received("io", 0, said + b"\n", "framing" if number % 50 == 0 else "", now)
        plant.actuate("voltage_setpoint", float(number % 700), now)
        plant.wake(now)
        for sample in plant.take_samples():
            assert sensors[sample.name].low <= sample.value <= sensors[sample.name].high, sample
            moved += 1
        plant.take_changes()
        plant.wishes.clear()
        plant.notes.clear()
        if number == COUNT // 8:
            early = size(plant)
    assert moved > COUNT // 100
    assert size(plant) < early + 20_000
