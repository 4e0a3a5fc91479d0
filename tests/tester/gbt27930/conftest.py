"""A vehicle without a world: hand-made frames, orders and instants go in, frames with their instants come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.protocol.gbt27930 import CCS, CEM, CHM, CML, CRM, CRO, CSD, CST, edition
from hil.tester.gbt27930 import VEHICLES, Vehicle
from hil.units import FAR, Instant, Span, ms, s

MESSAGES = edition("2015")
RTS, CTS, END = 0x10, 0x11, 0x13
TP_CM, TP_CM_OF_CHARGER = 0x1CEC56F4, 0x1CECF456
Drive = Callable[..., Any]
CHM_ = CHM(version=0x000101)
CRM00 = CRM(result=0x00, charger_number=1)
CRMAA = CRM(result=0xAA, charger_number=1)
CML_ = CML(max_voltage=950.0, min_voltage=150.0, max_current=-300.0, min_current=-2.0)
CRO00, CROAA = CRO(ready=0x00), CRO(ready=0xAA)
CCS_ = CCS(voltage=360.0, current=-100.0, charging_time=0, charging_permitted=1)
CST_ = CST(manual_stop=1)
CSD_ = CSD(charging_time=1, energy=0.5, charger_number=1)
CEM_ = CEM(bcl=1)

STATES = ("awake", "handshake", "identify", "configure", "prepare", "ready", "charging", "supplied")
TIMEOUTS = [
    # timer, state in which it runs, its span, what comes meanwhile and how often, signal of BEM
    ("T12", "awake", s(60), None, "crm_00"),
    ("T13", "handshake", s(30), CHM_, "crm_00"),
    ("T14", "identify", s(5), CRM00, "crm_aa"),
    ("T15", "configure", s(5), CRMAA, "cts_cml"),
    ("T16", "ready", s(5), CML_, "cro"),
    ("T17", "ready", s(60), CRO00, "cro"),
    ("T18", "charging", s(1), CROAA, "ccs"),
]


class Driven:
    """One vehicle, its sensors, what it has sent and set, and a partner that answers its transfers."""

    def __init__(self, **spec: Any) -> None:
        self.sensors: dict[str, float] = {
            "soc": 50.0,
            "pack_voltage": 357.0,
            "inlet_voltage": 357.0,
            "pack_current": 0.0,
            "cell_voltage_max": 3.31,
            "cell_voltage_min": 3.30,
            "cell_number_max": 40.0,
            "temperature_max": 26.0,
            "temperature_min": 24.0,
            "k5k6_closed": 0.0,
            "charge_current_limit": 200.0,
        }
        self.vehicle = Vehicle(replace(VEHICLES["car-400v"], **spec), self._sense, MESSAGES)
        self.now: Instant = 0
        self.sent: list[tuple[Instant, CanFrame]] = []
        self.set: list[tuple[Instant, str, float]] = []
        self.follows = True
        """K5/K6 follow their command at once."""
        self.answers = True
        """Transfers are answered at once: TP.CTS for all packets, EndOfMsgACK after the last."""
        self._open: bytes | None = None

    def _sense(self, name: str, now: Instant) -> float:
        assert now == self.now, "the vehicle reads its sensors now"
        return self.sensors[name]

    @property
    def state(self) -> str:
        return self.vehicle.state

    def collect(self) -> None:
        vehicle = self.vehicle
        for name, value in vehicle.actuations:
            self.set.append((self.now, name, value))
            if name == "k5k6_command" and self.follows:
                self.sensors["k5k6_closed"] = value
        vehicle.actuations.clear()
        while vehicle.out:
            frame = vehicle.out.pop(0)
            self.sent.append((self.now, frame))
            if self.answers:
                self._answer(frame)

    def _answer(self, frame: CanFrame) -> None:
        if frame.id == TP_CM and frame.data[0] == RTS:
            self._open = frame.data
            self.vehicle.receive(
                CanFrame(TP_CM_OF_CHARGER, bytes((CTS, frame.data[3], 1, 0xFF, 0xFF)) + frame.data[5:]), self.now
            )
        elif self._open is not None and frame.id >> 16 & 0xFF == 0xEB and frame.data[0] == self._open[3]:
            end = bytes((END,)) + self._open[1:4] + b"\xff" + self._open[5:]
            self.vehicle.receive(CanFrame(TP_CM_OF_CHARGER, end), self.now)

    def until(self, instant: Instant) -> None:
        """Wake the vehicle at each of its deadlines up to an instant."""
        while (due := self.vehicle.next_deadline()) <= instant:
            assert due < FAR
            self.now = max(self.now, due)
            self.vehicle.wake(self.now)
            self.collect()
        self.now = instant

    def let(self, span: Span) -> None:
        self.until(self.now + span)

    def hear(self, message: Message) -> None:
        """A message of the charger has come."""
        identifier = type(message).can_id
        assert identifier is not None
        self.vehicle.receive(CanFrame(identifier, message.encode()), self.now)
        self.collect()

    def signal(self, name: str, value: float) -> None:
        self.vehicle.signal(name, value, self.now)
        self.collect()

    def order(self, verb: str, **arguments: Any) -> None:
        self.vehicle.order(verb, arguments, self.now)
        self.collect()

    # --- what came out ------------------------------------------------------------------------------

    def times(self, message: type[Message]) -> list[Instant]:
        """When a message was sent, a long one by its RTS."""
        return [at for at, _ in self._of(message)]

    def _of(self, message: type[Message]) -> Iterator[tuple[Instant, CanFrame]]:
        name = message.pgn.to_bytes(3, "little")
        for at, frame in self.sent:
            announced = frame.id == TP_CM and frame.data[0] == RTS and frame.data[5:] == name
            if announced if message.transport else frame.id == message.can_id:
                yield at, frame

    def said(self, message: type[Message]) -> list[Any]:
        """What was said by messages of one frame."""
        return [message.decode(frame.data) for _, frame in self._of(message)]


def bring(driven: Any, state: str) -> None:
    """Through the states in order, up to the one named; the instant of arrival is ``driven.now``."""
    driven.let(ms(10))
    driven.signal("aux_voltage", 12.0)
    for reached, message in zip(STATES, (CHM_, CRM00, CRMAA, CML_, None, CROAA, CCS_, None), strict=True):
        assert driven.state == reached
        if reached == state:
            return
        if message is None:
            driven.until(driven.vehicle.timers["self_test"])
        else:
            driven.let(ms(100))
            driven.hear(message)
    raise AssertionError(f"{state} is none of {STATES}")


def impatient(drive: Drive, state: str, **spec: Any) -> Any:
    driven = drive(**spec)
    driven.order("patience", on=False)
    bring(driven, state)
    return driven


@pytest.fixture
def drive() -> Drive:
    return Driven
