"""A charger without a world: hand-made frames, signals and instants go in, frames and settings come out.

The plant here is as simple as can be: contactors and stage follow their commands at once, so that what is
tested is the controller. The real one is the plant's own matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.dut.gbt27930 import Charger, reference
from hil.dut.gbt27930.spec import ChargerSpec
from hil.protocol.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BEM,
    BHM,
    BRM,
    BRO,
    BSD,
    BSM,
    BST,
    edition,
)
from hil.units import FAR, Instant, Span, ms

Drive = Callable[..., Any]
MESSAGES = edition("2015")
CM, DT, ANSWERS = 0x1CEC56F4, 0x1CEB56F4, 0x1CECF456
PACK = 357.0
CCS_PERIOD = ms(50)
FEEDBACK = {
    "k1k2_command": "k1k2_closed",
    "k3k4_command": "k3k4_closed",
    "lock_command": "lock_engaged",
}
BRM_ = BRM(version=0x000101, battery_type=3, rated_capacity=226.0, rated_voltage=345.6)
BCP_ = BCP(
    max_cell_voltage=3.65,
    max_current=-200.0,
    nominal_energy=78.0,
    max_total_voltage=394.2,
    max_temperature=55.0,
    soc=50.0,
    present_voltage=PACK,
)
BCL_ = BCL(voltage_demand=394.2, current_demand=-100.0, mode=2)
BCS_ = BCS(voltage=PACK, current=-100.0, max_cell_voltage=3.31, max_cell_group=0, soc=50, remaining_time=60)
BSD_ = BSD(soc=80, min_cell_voltage=3.3, max_cell_voltage=3.31, min_temperature=24.0, max_temperature=26.0)
BHM_, BRO00, BROAA, BST_ = BHM(max_total_voltage=394.2), BRO(ready=0x00), BRO(ready=0xAA), BST(soc_reached=1)
BEM_ = BEM(ccs=1)
STATES = (
    *("idle", "locking", "aux_on", "handshake", "ins_check", "ins_rise", "ins_close", "ins_measure", "ins_fall"),
    *("ins_open", "recognise", "recognised", "configure", "verify", "precharge", "closing", "ready", "charging"),
)


def bsm(**items: int) -> BSM:
    plain = {"cell_voltage_state": 0, "soc_state": 0, "overcurrent": 0, "overtemperature": 0}
    plain |= {"insulation": 0, "connector": 0, "charging_permission": 1}
    return BSM(
        max_cell_number=1,
        max_temperature=26.0,
        max_temperature_sensor=1,
        min_temperature=24.0,
        min_temperature_sensor=2,
        **(plain | items),
    )


BSM_, FORBIDDEN = bsm(), bsm(charging_permission=0)


class Driven:
    """One charger, its sensors, and what it has sent and set."""

    def __init__(self, spec: ChargerSpec | None = None, **readings: str) -> None:
        self.sensors: dict[str, float] = {
            "cc1_voltage": 4.0,
            "pe_ok": 1.0,
            "ac_present": 1.0,
            "emergency_stop": 0.0,
            "lock_engaged": 0.0,
            "k1k2_closed": 0.0,
            "k3k4_closed": 0.0,
            "battery_side_voltage": 0.0,
            "output_voltage": 0.0,
            "output_current": 0.0,
            "insulation_resistance": 10e6,
            "meter_energy": 1000.0,
        }
        chosen = {name.replace("_", "-"): choice for name, choice in readings.items()}
        self.charger = Charger(reference(chosen) if spec is None else spec, self._sense, MESSAGES)
        self.now: Instant = 0
        self.sent: list[tuple[Instant, CanFrame]] = []
        self.set: list[tuple[Instant, str, float]] = []
        self.stuck: set[str] = set()
        """Sensors that do not follow."""
        self.settings: dict[str, float] = {}

    def _sense(self, name: str, now: Instant) -> float:
        assert now == self.now, "the charger reads its sensors now"
        return self.sensors[name]

    @property
    def state(self) -> str:
        return self.charger.state

    def _follow(self, name: str, value: float) -> None:
        self.settings[name] = value
        changes: dict[str, float] = {}
        if name in FEEDBACK:
            changes[FEEDBACK[name]] = value
        on = self.settings.get("output_enable", 0.0)
        joined = self.settings.get("k1k2_command") and self.sensors["battery_side_voltage"] > 0.0
        if on:
            volts = self.sensors["battery_side_voltage"] if joined else self.settings["voltage_setpoint"]
            changes["output_voltage"] = volts
            changes["output_current"] = self.settings["current_setpoint"] if joined else 0.0
        else:
            changes["output_current"] = 0.0
            if self.settings.get("discharge_command"):
                changes["output_voltage"] = 0.0
        self.sensors.update({sensor: level for sensor, level in changes.items() if sensor not in self.stuck})

    def collect(self) -> None:
        charger = self.charger
        while charger.actuations:
            name, value = charger.actuations.pop(0)
            self.set.append((self.now, name, value))
            self._follow(name, value)
        self.sent += [(self.now, frame) for frame in charger.out]
        charger.out.clear()
        charger.notes.clear()

    def until(self, instant: Instant) -> None:
        """Wake the charger at each of its deadlines up to an instant."""
        while (due := self.charger.next_deadline()) <= instant:
            assert due < FAR
            self.now = max(self.now, due)
            self.charger.wake(self.now)
            self.collect()
        self.now = instant

    def let(self, span: Span) -> None:
        self.until(self.now + span)

    def wait(self, state: str, span: Span) -> Instant:
        """Let time pass until the charger is in a state."""
        end = self.now + span
        while self.state != state and self.now < end:
            self.until(min(max(self.charger.next_deadline(), self.now), end))
        assert self.state == state, f"{self.state}, not {state}"
        return self.now

    def hear(self, message: Message) -> None:
        """A message of the vehicle has come, a long one by its transfer."""
        declared = type(message)
        if declared.transport:
            self._transfer(declared.pgn, message.encode())
        else:
            assert declared.can_id is not None
            self.charger.receive(CanFrame(declared.can_id, message.encode()), self.now)
            self.collect()

    def _transfer(self, pgn: int, data: bytes) -> None:
        name, packets = pgn.to_bytes(3, "little"), -(-len(data) // 7)
        frames = [CanFrame(CM, bytes((0x10, len(data), 0, packets, 0xFF)) + name)]
        padded = data.ljust(7 * packets, b"\xff")
        frames += [CanFrame(DT, bytes((each + 1,)) + padded[7 * each : 7 * each + 7]) for each in range(packets)]
        for frame in frames:
            self.charger.receive(frame, self.now)
            self.collect()

    def signal(self, name: str, value: float) -> None:
        self.sensors[name] = value
        self.charger.signal(name, value, self.now)
        self.collect()

    def keep(self, span: Span, *messages: Message, every: Span = CCS_PERIOD) -> None:
        """Let time pass while these messages go on coming."""
        end = self.now + span
        while self.now < end:
            for message in messages:
                self.hear(message)
            self.let(min(every, end - self.now))

    # --- sessions -----------------------------------------------------------------------------------

    def bring(self, wanted: str) -> None:
        """Through the states in order up to the one named, entered now."""
        heard: Mapping[str, Message] = {"handshake": BHM_, "recognise": BRM_, "recognised": BCP_, "configure": BROAA}
        self.signal("start_request", 1.0)
        while self.state != wanted:
            state = self.state
            if state in heard:
                self.let(ms(20))
                self.hear(heard[state])
                if self.state == "verify":
                    self.sensors["battery_side_voltage"] = PACK
            elif state == "ready":
                self.let(ms(20))
                self.hear(BCL_)
                self.hear(BCS_)
            else:
                self.until(self.charger.next_deadline())
            assert self.state in STATES[STATES.index(state) :], f"{state} led to {self.state}"

    def begin_charging(self) -> None:
        self.bring("charging")

    # --- what came out ------------------------------------------------------------------------------

    def times(self, message: type[Message], **fields: Any) -> list[Instant]:
        return [at for at, each in self.said(message) if all(getattr(each, k) == v for k, v in fields.items())]

    def said(self, message: type[Message]) -> list[tuple[Instant, Any]]:
        return [(at, message.decode(frame.data)) for at, frame in self.sent if frame.id == message.can_id]

    def settings_of(self, *names: str, since: Instant = 0) -> list[tuple[str, float]]:
        """Changes of settings in order, repetitions left out."""
        last: dict[str, float] = {}
        found = []
        for at, name, value in self.set:
            if name in names and last.get(name) != value:
                last[name] = value
                if at >= since:
                    found.append((name, value))
        return found


@pytest.fixture
def drive() -> Drive:
    return Driven
