"""Sessions written frame by frame, so that one deviation at a time can be put into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from hil.conformance.monitors import MonitorSet
from hil.conformance.verdict import Finding
from hil.protocol import gbt27930 as g
from hil.units import ms
from hil.world.observation import FrameSeen, Observation, Sample

TO_CHARGER, TO_BMS = 0x56F4, 0xF456
START = 10_000
"""Start of the session in ms; the log begins before it."""

CHM = g.CHM(version=0x000101)
BHM = g.BHM(max_total_voltage=394.2)
CRM00 = g.CRM(result=0x00, charger_number=7, region="310")
CRMAA = CRM00.replace(result=0xAA)
BRM = g.BRM(version=0x000101, battery_type=3, rated_capacity=226.0, rated_voltage=345.6)
BCP = g.BCP(
    max_cell_voltage=3.65,
    max_current=-226.0,
    nominal_energy=78.1,
    max_total_voltage=394.2,
    max_temperature=55,
    soc=45.0,
    present_voltage=360.0,
)
CTS = g.CTS(second=30, minute=5, hour=14, day=9, month=3, year=2024)
CML = g.CML(max_voltage=950.0, min_voltage=150.0, max_current=-300.0, min_current=-2.0)
BRO00, BROAA = g.BRO(ready=0x00), g.BRO(ready=0xAA)
CRO00, CROAA = g.CRO(ready=0x00), g.CRO(ready=0xAA)
BCL = g.BCL(voltage_demand=394.2, current_demand=-100.0, mode=2)
BCS = g.BCS(voltage=360.0, current=-100.0, max_cell_voltage=3.4, max_cell_group=0, soc=45, remaining_time=60)
CCS = g.CCS(voltage=361.0, current=-100.0, charging_time=1)
BSM = g.BSM(
    max_cell_number=3, max_temperature=25, max_temperature_sensor=1, min_temperature=24, min_temperature_sensor=2
)
BST = g.BST(soc_reached=1)
CST = g.CST(bms_stopped=1)
BSD = g.BSD(soc=46, min_cell_voltage=3.3, max_cell_voltage=3.4, min_temperature=24, max_temperature=25)
CSD = g.CSD(charging_time=1, energy=1.2, charger_number=7)


@dataclass(frozen=True)
class Item:
    """One frame: when (ms), under which name, identifier and data."""

    t: float
    name: str
    id: int
    data: bytes


class Script:
    """A session as a list of frames, in milliseconds from its start."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self.items = list(items)
        self.samples: list[tuple[float, str, float]] = []

    def send(self, t: float, name: str, message: Any) -> Script:
        """A message in one frame."""
        self.items.append(Item(t, name, type(message).can_id, message.encode()))
        return self

    def frame(self, t: float, identifier: int, data: bytes, name: str = "raw") -> Script:
        """Any frame."""
        self.items.append(Item(t, name, identifier, data))
        return self

    def stream(self, name: str, message: Any, start: float, stop: float, period: float) -> Script:
        """A message at its period, from ``start`` up to but not at ``stop``."""
        count = 0
        while start + count * period < stop:
            self.send(start + count * period, name, message)
            count += 1
        return self

    def transfer(self, name: str, message: Any, t: float, *, upto: str = "ack") -> Script:
        """A long message; ``upto`` is the last frame of it: rts, cts, dt or ack."""
        data, pgn = message.encode(), type(message).pgn.to_bytes(3, "little")
        count = -(-len(data) // 7)
        size = len(data).to_bytes(2, "little")
        self.frame(t, 0x1CEC0000 | TO_CHARGER, b"\x10" + size + bytes([count, 0xFF]) + pgn, f"{name}.rts")
        if upto == "rts":
            return self
        self.frame(t + 1, 0x1CEC0000 | TO_BMS, bytes([0x11, count, 1, 0xFF, 0xFF]) + pgn, f"{name}.cts")
        if upto == "cts":
            return self
        for number in range(count):
            part = data[7 * number : 7 * number + 7].ljust(7, b"\xff")
            self.frame(t + 2 + 10 * number, 0x1CEB0000 | TO_CHARGER, bytes([number + 1]) + part, f"{name}.dt")
        if upto == "ack":
            ack = b"\x13" + size + bytes([count, 0xFF]) + pgn
            self.frame(t + 3 + 10 * (count - 1), 0x1CEC0000 | TO_BMS, ack, f"{name}.ack")
        return self

    def transfers(self, name: str, message: Any, start: float, stop: float, period: float) -> Script:
        """A long message at its period."""
        count = 0
        while start + count * period < stop:
            self.transfer(name, message, start + count * period)
            count += 1
        return self

    def sample(self, t: float, name: str, value: float) -> Script:
        """A signal of the plant."""
        self.samples.append((t, name, value))
        return self

    # --- deviations -------------------------------------------------------------------------------

    def named(self, name: str) -> list[Item]:
        """Frames of that name in order of time."""
        return sorted((item for item in self.items if item.name == name), key=lambda item: item.t)

    def drop(self, *names: str, after: float = -1, before: float = 1e9) -> Script:
        """Without frames of these names (all parts of a long message) in ``after <= t < before``."""
        self.items = [
            item for item in self.items if not (item.name.split(".")[0] in names and after <= item.t < before)
        ]
        return self

    def lose(self, name: str, index: int) -> Script:
        """Without one frame."""
        self.items.remove(self.named(name)[index])
        return self

    def move(self, name: str, index: int, by: float) -> Script:
        """One frame earlier or later."""
        item = self.named(name)[index]
        self.items[self.items.index(item)] = replace(item, t=item.t + by)
        return self

    def edit(self, name: str, change: Callable[[bytes], bytes], index: int | None = None) -> Script:
        """Other data in one frame of that name, or in all."""
        chosen = self.named(name) if index is None else [self.named(name)[index]]
        for item in chosen:
            self.items[self.items.index(item)] = replace(item, data=change(item.data))
        return self

    def cut(self, t: float) -> Script:
        """Nothing from ``t`` on."""
        self.items = [item for item in self.items if item.t < t]
        return self

    def observations(self) -> list[Observation]:
        """What a bus and a plant would have told."""
        seen: list[Observation] = [FrameSeen(0, "can0", 0x18FEE900, b"\x00" * 8)]
        seen += [FrameSeen(ms(START + item.t), "can0", item.id, item.data) for item in self.items]
        seen += [Sample(ms(START + t), name, value, value, value) for t, name, value in self.samples]
        return sorted(seen, key=lambda each: each.t)


def identified() -> Script:
    """Up to the first CRM(AA)'s trigger: handshake and a complete BRM."""
    script = Script().stream("CHM", CHM, 0, 1751, 250).stream("BHM", BHM, 30, 1800, 250)
    return script.send(1760, "CRM00", CRM00).transfer("BRM", BRM, 1770)


def configured() -> Script:
    """Up to a complete BCP."""
    return identified().send(1836, "CRMAA", CRMAA).transfer("BCP", BCP, 1840)


def ready() -> Script:
    """Up to CRO(00)."""
    script = configured().stream("CML", CML, 1870, 2400, 250).stream("CTS", CTS, 1871, 2400, 500)
    script.stream("BRO00", BRO00, 1875, 2200, 250).stream("BROAA", BROAA, 2375, 2900, 250)
    return script.stream("CRO00", CRO00, 2380, 2800, 250)


def charging(stop: float = 8000) -> Script:
    """Up to ``stop`` in the charging phase."""
    script = ready().send(2880, "CROAA", CROAA)
    script.stream("BCL", BCL, 2885, stop, 50).transfers("BCS", BCS, 2890, stop - 20, 250)
    return script.stream("CCS", CCS, 2920, stop, 50).stream("BSM", BSM, 2925, stop, 250)


def nominal() -> Script:
    """A whole session that the vehicle ends."""
    script = charging()
    script.stream("BST", BST, 8003, 8205, 10).stream("CST", CST, 8012, 8220, 10)
    script.stream("BSD", BSD, 8210, 8500, 250).stream("CSD", CSD, 8500, 9600, 250)
    return script


def judge(script: Script, *, end: float | None = None, edition: str = "2015", **options: Any) -> list[Finding]:
    """Findings of a script; ``end`` is how long the log goes on, in ms."""
    readings = options.pop("readings", {})
    monitors = MonitorSet(edition, readings, **options)
    observations = script.observations()
    monitors.feed(observations)
    last = observations[-1].t
    return monitors.finish(last if end is None else max(last, ms(START + end)))


def kinds(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    """Requirement (without its prefix) and side."""
    return {(finding.requirement.removeprefix("MON/"), finding.side) for finding in findings}


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Everything above: test modules cannot import each other."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if not name.startswith("_")})
