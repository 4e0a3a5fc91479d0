"""A console in a world of its own, with a small plant that behaves: pilot, contactor, meter."""

from __future__ import annotations

import pytest

from hil.bus.serial import SerialFormat, VirtualSerial
from hil.dut.rapi import Console, ConsoleSpec
from hil.errors import UsageError
from hil.protocol.rapi import Check, ClientSettings
from hil.tester.rapi import ConsoleClient
from hil.units import SECOND, Instant, Span, s
from hil.world.observation import BytesSeen, Note, Observation, Sample
from hil.world.plan import Advance, Do, Stimulate, Tell
from hil.world.virtual import VirtualWorld
from tests.dut.rapi.pilot import PilotCharger

PILOT = {"A": 12.0, "B": 9.0, "C": 6.0, "D": 3.0}


class Outlet:
    """Contactor, pilot and meter of one outlet; the vehicle is the stimulus ``vehicle`` (A to D as 0 to 3)."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {
            "vehicle": 0.0,
            "diode": 1.0,
            "demand": 16.0,
            "residual_dc": 0.0,
            "residual_ac": 0.0,
            "pe_ok": 1.0,
            "charger_temperature": 23.0,
            "mains_voltage": 230.0,
            "welded": 0.0,
            "cp_mode": 0.0,
            "cp_duty_set": 100.0,
            "cp_frequency_set": 0.0,
            "contactor_command": 0.0,
        }
        self.energy = 0.0
        self.history: list[tuple[Instant, str, float]] = []
        self._changes: list[tuple[Instant, str, float]] = []
        self._at: Instant = 0

    def sense(self, name: str, now: Instant) -> float:
        self._integrate(now)
        level = PILOT["ABCD"[int(self.values["vehicle"])]]
        if name == "cp_high":
            return -12.0 if self.values["cp_mode"] == 2 else level
        if name == "cp_low":
            low = -12.0 if self.values["diode"] else -level
            return low if self.values["cp_mode"] else level
        if name == "line_current":
            return self.current if self.closed else 0.0
        if name == "meter_energy":
            return self.energy
        if name == "contactor_closed":
            return float(self.closed)
        return self.values[name]

    @property
    def closed(self) -> bool:
        return bool(self.values["contactor_command"] or self.values["welded"])

    @property
    def current(self) -> float:
        offered = self.values["cp_duty_set"] * 0.6 if self.values["cp_mode"] == 1 else 0.0
        return min(offered, self.values["demand"]) if self.values["vehicle"] >= 2 else 0.0

    def _integrate(self, now: Instant) -> None:
        if self.values["contactor_command"]:
            self.energy += self.current * self.values["mains_voltage"] * (now - self._at) / SECOND / 3.6e6
        self._at = now

    def actuate(self, name: str, value: float, now: Instant) -> None:
        self._integrate(now)
        if name not in ("cp_mode", "cp_duty_set", "cp_frequency_set", "contactor_command"):
            raise UsageError(name)
        self.values[name] = value
        self.history.append((now, name, value))

    def stimulate(self, name: str, value: float, now: Instant) -> None:
        self._integrate(now)
        self.values[name] = value
        self._changes.append((now, name, value))

    def check_stimulus(self, name: str, value: float) -> None:
        pass

    def go_safe(self, now: Instant) -> None:
        pass

    def wake(self, now: Instant) -> None:
        pass

    def next_deadline(self) -> Instant | None:
        return None

    def take_samples(self) -> list[Sample]:
        return []

    def take_changes(self) -> list[tuple[Instant, str, float]]:
        changes, self._changes = self._changes, []
        return changes


class Bench:
    """Console and client on a line; ``ask`` waits for the answer."""

    def __init__(self, spec: ConsoleSpec | None = None, *, ids: bool = True) -> None:
        self.world = VirtualWorld(1)
        self.outlet = Outlet()
        self.world.add_plant(self.outlet)
        line = VirtualSerial(self.world.queue, name="console", sink=self.world.see, line_format=SerialFormat(115200))
        self.world.add_line(line)
        spec = spec or ConsoleSpec()
        spec = spec.but(sensors={**spec.sensors, "temperature": "charger_temperature"})
        self.console = Console("charger", "console", PilotCharger(spec, self.world.sense), spec)
        self.client = ConsoleClient("client", "console", ClientSettings(sequence=ids))
        self.world.add_byte_node(self.console, line)
        self.world.add_byte_node(self.client, line)
        self.seen: list[Observation] = []
        self.run(s(2))

    @property
    def now(self) -> Instant:
        return self.world.queue.now

    def run(self, span: Span) -> None:
        self.seen += self.world.execute(Advance(self.now + span)).observations

    def tell(self, node: str, verb: str, **arguments: object) -> None:
        self.seen += self.world.execute(Do((Tell(node, verb, arguments),))).observations

    def vehicle(self, state: str, span: Span = 2 * SECOND) -> None:
        self.seen += self.world.execute(Do((Stimulate("vehicle", float("ABCD".index(state))),))).observations
        self.run(span)

    def stimulate(self, name: str, value: float, span: Span = 2 * SECOND) -> None:
        self.seen += self.world.execute(Do((Stimulate(name, value),))).observations
        self.run(span)

    def ask(self, line: str, span: Span = SECOND, check: Check = Check.XOR) -> str:
        """The answer without id and checksum; empty when none came."""
        name, *parameters = line.split(" ")
        count = len(self.notes(f"reply {name}"))
        self.tell("client", "request", name=name, parameters=parameters, check=str(check))
        self.run(span)
        replies = self.notes(f"reply {name}")[count:]
        return _bare(str(replies[0].details["text"])) if replies else ""

    def raw(self, data: bytes, span: Span = SECOND) -> bytes:
        """What the console sends within a span after these bytes."""
        start = len(self.seen)
        self.tell("client", "send", data=data.hex())
        self.run(span)
        return b"".join(
            each.data for each in self.seen[start:] if isinstance(each, BytesSeen) and each.sender == "charger"
        )

    def notes(self, what: str) -> list[Note]:
        return [each for each in self.seen if isinstance(each, Note) and each.kind == "rapi" and each.what == what]

    def notified(self) -> list[str]:
        return [_bare(str(each.details["text"])) for each in self.notes("notification AT")]


def _bare(text: str) -> str:
    return text.lstrip("$").partition("^")[0].partition(" :")[0]


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def make() -> type[Bench]:
    return Bench
