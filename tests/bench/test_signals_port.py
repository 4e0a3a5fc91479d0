"""A charger that meets its plant through a signals port only: whole sessions and cases, in virtual time.

The charger lives in a world of its own, beside that of the bench. The two share a clock, the vehicle's bus and the
line of the port, and nothing else, as the two processes of a live bench do.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import suppress

import pytest

from hil.bench.bench import Bench
from hil.bench.judge import CheckFailed, Judge
from hil.bench.opening import Lines, kind_of
from hil.bench.phases import Phase
from hil.bench.setup import Setup
from hil.bus.can import VirtualCan
from hil.bus.serial import SerialFormat, VirtualSerial
from hil.bus.tcp import VirtualTcp
from hil.conformance.register import resolve
from hil.conformance.verdict import Verdict
from hil.dut.remote import RemotePlant
from hil.errors import UsageError
from hil.protocol.gbt27930 import edition
from hil.resources import resource
from hil.tester.signals import PlantBridge
from hil.units import ms, s
from hil.world.base import BaseWorld
from hil.world.observation import BytesSeen, Note
from hil.world.virtual import VirtualWorld

LINES = ["tcp", "serial"]
CASES = {
    "gbt34657/test_2_charging.py": ["test_D0_4001"],
    "gbt34657/test_3_faults.py": ["test_D0_4502", "test_D0_4503", "test_D0_4505"],
    "gbt27930/test_3_charging.py": ["test_DN_3006", "test_DP_3005"],
}
"""Charging, the vehicle's contactors, emergency stop, stop button, and two of the bus."""


class Coupled:
    """The bench's world and the charger's."""

    def __init__(self, line: str, setup: Setup) -> None:
        sides = kind_of("gbt27930").live
        assert sides is not None
        assert sides.plant is not None
        assert sides.carried is not None
        messages = edition(setup.edition)
        self.world = VirtualWorld(setup.seed, messages)
        self.device = BaseWorld(setup.seed, messages, self.world.queue)
        queue, see = self.world.queue, self.world.see
        bus = VirtualCan(queue, bitrate=250_000, name="can0", sink=see, rng=self.world.rng("can0"))
        self.world.add_line(bus)
        self.world.add_plant(sides.plant(self.world, setup))
        self.remote = RemotePlant("box", "io", sides.carried.signals, safe=sides.carried.safe)
        self.bridge = PlantBridge(
            "bridge",
            "io",
            self.world.sense,
            sides.carried.signals,
            safe=sides.carried.safe,
            tcp=line == "tcp",
        )
        self.device.add_plant(self.remote)
        self._join(line)
        lines = Lines({"can": bus})
        sides.device(self.device, setup, lines)
        sides.surround(self.world, setup, lines)
        self.bench = Bench(self.world, messages, Judge(), resolve({}))

    def _join(self, line: str) -> None:
        self.link: VirtualTcp | VirtualSerial
        if line == "tcp":
            self.link = VirtualTcp(self.world.queue, name="io", sink=self.world.see)
            self.device.add_byte_node(self.remote, serves=self.link)
        else:
            form = SerialFormat(115_200)
            self.link = VirtualSerial(self.world.queue, name="io", sink=self.world.see, line_format=form)
            self.device.add_byte_node(self.remote, self.link)
        self.world.add_line(self.link)
        self.world.add_byte_node(self.bridge, self.link)


def case_of(path: str, name: str) -> Callable[[Bench], None]:
    """A case as the suite has it."""
    spec = importlib.util.spec_from_file_location(f"case_{name}", resource(f"test_suites/{path}"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[Bench], None] = getattr(module, name)
    return found


@pytest.mark.parametrize("line", LINES)
def test_a_session_is_charged_through_the_port(line: str) -> None:
    coupled = Coupled(line, Setup(seed=3))
    bench = coupled.bench
    times = [bench.reach(phase).t for phase in Phase if phase not in (Phase.STOPPING, Phase.END)]
    assert times == sorted(times)
    bench.let(s(5))
    assert 95.0 <= bench.signal("output_current") <= 105.0
    assert coupled.device.sense("output_current", bench.now) == pytest.approx(bench.signal("output_current"), abs=0.05)
    bench.end()
    bench.let(s(5))
    assert (bench.signal("k1k2_closed"), bench.signal("k3k4_closed"), bench.signal("lock_engaged")) == (0, 0, 0)
    assert bench.signal("output_voltage") < 60
    assert {each.sender for each in bench.record.observations if isinstance(each, BytesSeen)} == {"box", "bridge"}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in CASES.items() for name in names])
def test_the_reference_charger_passes_the_case(path: str, name: str, line: str) -> None:
    bench = Coupled(line, Setup(seed=1)).bench
    case_of(path, name)(bench)
    assert bench.judge.verdict is Verdict.PASS
    assert not bench.unfired()


@pytest.mark.parametrize(
    ("fault", "path", "name"),
    [
        ("lost-bcl-late", "gbt27930/test_3_charging.py", "test_DN_3006"),
        ("earth-slow", "gbt34657/test_3_faults.py", "test_D0_4505"),
        ("switch-s-not-watched", "gbt34657/test_3_faults.py", "test_D0_4502"),
        ("ccs-current-sign", "gbt34657/test_2_charging.py", "test_D0_4001"),
    ],
)
def test_a_seeded_fault_is_caught_through_the_port(fault: str, path: str, name: str) -> None:
    bench = Coupled("tcp", Setup(seed=1, faults=(fault,))).bench
    with suppress(CheckFailed):
        case_of(path, name)(bench)
    assert bench.judge.verdict is Verdict.FAIL


def test_a_lost_port_stops_the_session_on_both_sides() -> None:
    coupled = Coupled("tcp", Setup(seed=3))
    bench = coupled.bench
    bench.reach(Phase.CHARGING)
    assert bench.signal("k1k2_closed") == 1
    assert isinstance(coupled.link, VirtualTcp)
    coupled.link.reset("box", 1)
    coupled.link.latency = s(30)  # nobody comes through any more
    bench.let(s(1) + ms(500))
    assert bench.signal("k1k2_closed") == 0
    assert bench.signal("output_current") == 0
    notes = [each.what for each in bench.record.observations if isinstance(each, Note) and each.kind == "signals"]
    assert notes[-2:] == ["lost", "safe state"]
    assert coupled.device.sense("pe_ok", bench.now) == 0, "the charger senses that nobody is there"
    bench.let(s(30))
    assert coupled.remote.server.values["k3k4_command"] == 0, "nor does it keep the supply up for whoever comes next"


def test_the_same_seed_gives_the_same_trace_through_the_port() -> None:
    def trace() -> list[object]:
        bench = Coupled("serial", Setup(seed=5)).bench
        bench.reach(Phase.READY)
        return list(bench.record.observations)

    assert trace() == trace()


def test_the_charger_s_world_takes_no_stimuli() -> None:
    coupled = Coupled("tcp", Setup(seed=3))
    with pytest.raises(UsageError, match="the plant is the bench's"):
        coupled.remote.check_stimulus("plugged", 1)
