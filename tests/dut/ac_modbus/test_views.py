"""One plant: pilot, registers, meter on its line and console never disagree, whatever is done to the charger."""

from __future__ import annotations

import random

import pytest

from hil.bus.serial import SerialFormat, VirtualSerial
from hil.bus.tcp import VirtualTcp
from hil.codec.map_file import shipped_map
from hil.codec.registers import RegisterMap
from hil.dut.ac import AcCharger
from hil.dut.ac import reference as ac_reference
from hil.dut.ac_modbus import modbus_front, reference
from hil.dut.ac_modbus.spec import ONE_OUTLET
from hil.dut.dlt645 import Meter
from hil.dut.dlt645 import reference as meter_reference
from hil.dut.rapi.front import console_front
from hil.plant.ac import AcPlant
from hil.tester.ac import AcVehicle, AcVehicleSpec
from hil.tester.dlt645 import MeterReader
from hil.tester.modbus import RegisterClient
from hil.tester.rapi import ConsoleClient
from hil.units import Span, s
from hil.world.observation import Note, Observation, Scalar
from hil.world.plan import Action, Advance, Do, Stimulate, Tell
from hil.world.virtual import VirtualWorld

VOLTAGE, CURRENT, POWER, ENERGY = 0x02010100, 0x02020100, 0x02030000, 0x00010000
"""Items of DL/T 645: V and A of phase A, active power, energy imported."""
CONSOLE_STATES = {"A": 1, "B": 2, "C": 3}
SETTLED: Span = s(4)


class Views:
    """A charger on its plant with every interface, and a client of each."""

    def __init__(self, name: str) -> None:
        self.map: RegisterMap = shipped_map(name)
        self.world = VirtualWorld(3)
        self.plant = AcPlant()
        self.world.add_plant(self.plant)
        queue, see = self.world.queue, self.world.see
        link = VirtualTcp(queue, name="tcp0", sink=see)
        console = VirtualSerial(queue, name="console", sink=see, line_format=SerialFormat(115_200))
        usual = meter_reference().format
        rs485 = VirtualSerial(queue, name="rs485", sink=see, line_format=usual, shared=True, echo=True)
        fronts = (modbus_front("tcp0", reference(name)), console_front("console"))
        self.charger = AcCharger(ac_reference(), self.world.sense, fronts)
        self.world.add_byte_node(self.charger, console, serves=link)
        self.world.add_byte_node(Meter("meter", "rs485", self.world.sense, meter_reference()), rs485)
        self.world.add_node(AcVehicle(AcVehicleSpec(), self.world.sense))
        self.world.add_byte_node(RegisterClient("manager", "tcp0", self.map), link)
        self.world.add_byte_node(ConsoleClient("client", "console"), console)
        self.world.add_byte_node(MeterReader("reader", "rs485"), rs485)
        self.seen: list[Observation] = []
        self.tickets = 0
        self.let(s(2))

    def let(self, span: Span) -> None:
        self.seen += self.world.execute(Advance(self.world.queue.now + span)).observations

    def do(self, action: Action) -> None:
        self.seen += self.world.execute(Do((action,))).observations

    def stimulate(self, name: str, value: float) -> None:
        self.do(Stimulate(name, value))

    def note(self, kind: str, what: str) -> Note | None:
        return next((n for n in reversed(self.seen) if isinstance(n, Note) and (n.kind, n.what) == (kind, what)), None)

    def registers(self, *names: str) -> dict[str, Scalar]:
        self.tickets += 1
        self.do(Tell("manager", "read", {"ticket": self.tickets, "names": [*names]}))
        self.let(s(1))
        note = self.note("registers", f"done {self.tickets}")
        assert note is not None
        return dict(note.details)

    def set_limit(self, current: float) -> None:
        name = self.map.roles.set_current
        if self.map[name].allows(current):
            self.do(Tell("manager", "keep", {"name": name, "value": current, "every": s(10)}))

    def console(self, name: str) -> dict[str, Scalar]:
        self.do(Tell("client", "request", {"name": name, "parameters": []}))
        self.let(s(1))
        note = self.note("rapi", f"reply {name}")
        assert note is not None
        return dict(note.details)

    def meter(self, di: int) -> float:
        self.do(Tell("reader", "read", {"address": meter_reference().address, "di": di}))
        self.let(s(1))
        note = self.note("dlt645", f"answer {di:08X}")
        assert note is not None
        return float(note.details["value"])

    def plants(self, name: str) -> float:
        return self.plant.sense(name, self.world.queue.now)

    # --- what every view says -----------------------------------------------------------------------

    def pilot(self) -> str:
        """By the plant alone."""
        level, frequency = self.plants("cp_high"), self.plants("cp_frequency")
        for least, letter in ((10.5, "A"), (7.5, "B"), (4.5, "C"), (1.5, "D"), (-1.5, "E")):
            if level >= least:
                return letter + ("2" if frequency else "1") if letter in "BCD" else letter
        return "F"

    def check(self) -> str:
        """Every view against the plant; returns the pilot's state."""
        roles, state = self.map.roles, self.pilot()
        told = self.registers(roles.state, *roles.voltage, *roles.current, roles.power, roles.energy)
        assert state in roles.states[str(told[roles.state])], (state, told[roles.state])
        code = self.console("GS")["state"]
        if code in CONSOLE_STATES.values():
            assert state not in ("E", "F")
            assert code in (CONSOLE_STATES[state[0]], 2), (state, code)
        else:  # it stays blocked, with a steady pilot, until the vehicle has gone
            assert state in ("F", "B1", "C1"), (state, code)
        if roles.alarms:
            alarm = self.registers(roles.alarms)[roles.alarms]
            assert bool(alarm) == (code not in CONSOLE_STATES.values())
        for di, role, sensor, unit in (
            (CURRENT, roles.current[0], "line_current", 1.0),
            (POWER, roles.power, "meter_power", 1000.0),
            (ENERGY, roles.energy, "meter_energy", 1.0),
        ):
            true = self.plants(sensor)
            by_register = float(told[role]) / (1000.0 if role == roles.energy else 1.0)
            drift = 0.02 if role == roles.energy else 0.0
            near = max(0.002 * abs(true), 0.0101) + drift
            assert by_register == pytest.approx(true, abs=near + 1.0 * (role == roles.power)), (role, sensor)
            assert self.meter(di) * unit == pytest.approx(true, abs=near + 1.0 * (role == roles.power)), (di, sensor)
        assert self.meter(VOLTAGE) == pytest.approx(float(told[roles.voltage[0]]), abs=1.0)
        assert float(self.console("GG")["current"]) / 1000 == pytest.approx(self.plants("line_current"), abs=0.01)
        return state


BEGIN, END = ("plug", "wait", "limit", "want", "wait"), ("heal", "plug", "want", "leak", "wait")
ACTIONS = ("plug", "unplug", "limit", "limit", "mains", "leak", "heal", "wait", "want", "rest")


@pytest.mark.parametrize("name", ONE_OUTLET)
def test_every_view_tells_the_same_charger(name: str) -> None:
    views = Views(name)
    draw = random.Random(name)
    states = {views.check()}
    for action in (*BEGIN, *draw.choices(ACTIONS, k=40), *END):
        if action in ("plug", "unplug"):
            views.stimulate("plugged", float(action == "plug"))
        elif action == "limit":
            views.set_limit(draw.choice((0.0, 6.0, 10.0, 16.0, 32.0)))
        elif action in ("leak", "heal"):
            views.stimulate("leak_ac", 40.0 * (action == "leak"))
        elif action in ("want", "rest"):
            views.do(Tell("vehicle", "want", {"on": action == "want"}))
        views.let(SETTLED)
        states.add(views.check())
    assert {"A", "B2", "C2"} <= states
