"""A console on the reference AC charger: it shows and moves the same charger as every other interface."""

from __future__ import annotations

from hil.bus.serial import SerialFormat, VirtualSerial
from hil.dut.ac import AcCharger
from hil.dut.ac import reference as ac_reference
from hil.dut.rapi.front import console_front
from hil.plant.ac import AcPlant
from hil.tester.rapi import ConsoleClient
from hil.units import Span, s
from hil.world.observation import Note, Observation
from hil.world.plan import Advance, Do, Stimulate, Tell
from hil.world.virtual import VirtualWorld


class Bench:
    """AC plant, AC charger with a console, a client."""

    def __init__(self) -> None:
        self.world = VirtualWorld(1)
        self.plant = AcPlant()
        self.world.add_plant(self.plant)
        line = VirtualSerial(self.world.queue, name="console", sink=self.world.see, line_format=SerialFormat(115200))
        self.charger = AcCharger(ac_reference(model="cable"), self.world.sense, [console_front("console")])
        self.world.add_byte_node(self.charger, line)
        self.world.add_byte_node(ConsoleClient("client", "console"), line)
        self.seen: list[Observation] = []
        self.run(s(3))

    def run(self, span: Span) -> None:
        self.seen += self.world.execute(Advance(self.world.queue.now + span)).observations

    def plug(self, **stimuli: float) -> None:
        self.seen += self.world.execute(Do(tuple(Stimulate(*each) for each in stimuli.items()))).observations
        self.run(s(3))

    def actuate(self, name: str, value: float) -> None:
        self.plant.actuate(name, value, self.world.queue.now)
        self.world.execute(Do((Stimulate("plugged", 1),)))
        self.run(s(3))

    def ask(self, line: str) -> str:
        name, *parameters = line.split(" ")
        count = len(self.notes(f"reply {name}"))
        order = Tell("client", "request", {"name": name, "parameters": parameters})
        self.seen += self.world.execute(Do((order,))).observations
        self.run(s(1))
        return str(self.notes(f"reply {name}")[count].details["text"]).partition(" :")[0].lstrip("$")

    def notes(self, what: str) -> list[Note]:
        return [each for each in self.seen if isinstance(each, Note) and each.kind == "rapi" and each.what == what]


def test_the_console_shows_what_the_charger_is() -> None:
    bench = Bench()
    assert (bench.ask("GS").split()[1], bench.ask("G0"), bench.charger.mode3) == ("01", "OK 0", "A")
    bench.plug(plugged=1)
    assert (bench.ask("GS").split()[1], bench.ask("G0"), bench.charger.mode3) == ("02", "OK 1", "B2")
    bench.actuate("s2_command", 1)
    assert (bench.ask("GS").split()[1], bench.charger.mode3, bench.charger.output_on) == ("03", "C2", True)
    assert [each.details["state"] for each in bench.notes("notification AT")][-2:] == [2, 3]


def test_a_limit_of_the_console_is_the_chargers_and_stays() -> None:
    bench = Bench()
    bench.plug(plugged=1)
    assert bench.ask("SC 16") == "OK 16"
    assert (bench.charger.applied_current(bench.world.queue.now), round(bench.plant.sense("cp_duty", 0), 2)) == (
        16,
        26.67,
    )
    bench.run(s(300))
    assert bench.charger.applied_current(bench.world.queue.now) == 16


def test_another_interface_may_ask_for_a_limit_of_its_own() -> None:
    bench = Bench()
    bench.plug(plugged=1)
    bench.ask("SC 16")
    bench.charger.request_current(10.0, bench.world.queue.now)
    bench.run(s(30))
    assert bench.charger.requested_current == 10.0
    bench.run(s(60))
    assert bench.charger.applied_current(bench.world.queue.now) == bench.charger.safe_current


def test_disabling_and_sleeping_stop_the_charger() -> None:
    for command, state in (("FD", "ff"), ("FS", "fe")):
        bench = Bench()
        bench.plug(plugged=1)
        bench.actuate("s2_command", 1)
        bench.ask(command)
        bench.run(s(10))
        assert (bench.ask("GS").split()[1], bench.charger.output_on) == (state, False)
        bench.ask("FE")
        bench.run(s(10))
        assert (bench.ask("GS").split()[1], bench.charger.output_on) == ("03", True)


def test_a_fault_of_the_charger_is_told_and_counted() -> None:
    bench = Bench()
    bench.plug(plugged=1)
    bench.actuate("s2_command", 1)
    bench.plug(leak_ac=40)
    assert bench.charger.fault == "ac-30"
    assert bench.ask("GS").split()[1] == "06"
    assert bench.ask("GF") == "OK 1 0 0"


def test_the_lock_is_the_chargers_authorisation() -> None:
    bench = Bench()
    bench.ask("S4 1")
    bench.plug(plugged=1)
    assert (bench.charger.authorised, bench.charger.mode3) == (False, "B1")
    bench.ask("S4 0")
    bench.run(s(2))
    assert bench.charger.mode3 == "B2"
