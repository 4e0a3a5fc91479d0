"""What each map's sheet says of limits, their validity and what is refused, on the reference AC charger."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.bus.tcp import VirtualTcp
from hil.codec.map_file import shipped_map
from hil.dut.ac import AcCharger
from hil.dut.ac import reference as ac_reference
from hil.dut.ac_modbus import modbus_front, reference
from hil.dut.ac_modbus.spec import ONE_OUTLET
from hil.errors import UsageError
from hil.plant.ac import AcPlant
from hil.protocol.modbus import RtuTiming
from hil.tester.modbus import ModbusMaster, RegisterClient
from hil.units import Span, s
from hil.world.observation import Note, Observation
from hil.world.plan import Advance, Do, Stimulate, Tell
from hil.world.virtual import VirtualWorld

SAFE = 10.0
"""A of the reference charger."""
KEBA, ALFEN, CHARX = "keba-p30", "alfen-ng9xx", "phoenix-charx-sec"


class Opened:
    """A charger with registers, a vehicle plugged in that leaves S2 open, and a client."""

    def __init__(self, name: str) -> None:
        self.world = VirtualWorld(1)
        self.world.add_plant(AcPlant())
        self.link = VirtualTcp(self.world.queue, name="tcp0", sink=self.world.see)
        self.charger = AcCharger(ac_reference(), self.world.sense, [modbus_front("tcp0", reference(name))])
        self.world.add_byte_node(self.charger, serves=self.link)
        self.world.add_byte_node(RegisterClient("client", "tcp0", shipped_map(name)), self.link)
        self.seen: list[Observation] = []
        self.tickets = 0
        self.world.execute(Do((Stimulate("plugged", 1),)))
        self.let(s(1))

    def let(self, span: Span) -> None:
        self.seen += self.world.execute(Advance(self.world.queue.now + span)).observations

    def ask(self, verb: str, **arguments: object) -> Note:
        self.tickets += 1
        self.seen += self.world.execute(Do((Tell("client", verb, {"ticket": self.tickets, **arguments}),))).observations
        self.let(s(0.2))
        ends = [n for n in self.seen if isinstance(n, Note) and n.what.endswith(f" {self.tickets}")]
        return ends[-1]

    def write(self, name: str, value: float) -> str:
        note = self.ask("write", name=name, value=value)
        return note.what.split()[0] if "code" not in note.details else f"refused {note.details['code']}"

    def read(self, name: str) -> object:
        return self.ask("read", names=[name]).details[name]

    @property
    def offered(self) -> float:
        return self.charger.applied_current(self.world.queue.now)


@pytest.fixture
def opened() -> Callable[[str], Opened]:
    return Opened


def test_an_alfen_runs_on_the_safe_current_until_a_limit_is_written(opened: Callable[[str], Opened]) -> None:
    alfen = opened(ALFEN)
    assert (alfen.offered, alfen.read("socket1.valid_time"), alfen.read("socket1.set_current")) == (SAFE, 0, "None")
    assert alfen.write("socket1.set_current", 16.0) == "done"
    assert (alfen.offered, alfen.read("socket1.applied_current")) == (16.0, 16.0)
    alfen.let(s(20))
    left = alfen.read("socket1.valid_time")
    assert isinstance(left, int)
    assert 38 <= left <= 40
    alfen.let(s(41))
    assert (alfen.offered, alfen.read("socket1.valid_time")) == (SAFE, 0)


def test_an_alfen_has_one_socket_here_and_keeps_its_phases(opened: Callable[[str], Opened]) -> None:
    alfen = opened(ALFEN)
    assert alfen.read("sockets") == 1
    assert alfen.write("socket1.phases", 1) == "done"
    assert alfen.read("socket1.phases") == 3
    with pytest.raises(UsageError):
        alfen.write("socket1.state", 1)


def test_what_is_no_limit_is_refused(opened: Callable[[str], Opened]) -> None:
    alfen = opened(ALFEN)
    before = alfen.offered
    for words in ([0xBF80, 0], [0x7FC0, 0]):  # -1.0 and not a number
        note = alfen.ask("write", name="socket1.set_current", words=words)
        assert (note.what.split()[0], note.details["code"]) == ("refused", 3)
    assert alfen.offered == before


def test_a_keba_tells_one_value_a_request_and_refuses_others(opened: Callable[[str], Opened]) -> None:
    keba = opened(KEBA)
    assert keba.read("max_supported_current") == 32.0
    assert keba.read("state") == 2
    for milliampere, outcome in ((5000, 3), (64000, 3)):
        note = keba.ask("write", name="set_current", words=[milliampere])
        assert note.details.get("code") == outcome


def test_a_keba_wants_current_and_enable_after_a_failsafe(opened: Callable[[str], Opened]) -> None:
    keba = opened(KEBA)
    assert keba.write("failsafe_timeout", 20) == "done"
    assert keba.write("failsafe_current", 8.0) == "done"
    assert (keba.read("failsafe_timeout_now"), keba.read("failsafe_current_now")) == (20, 8.0)
    keba.write("set_current", 16.0)
    keba.let(s(25))
    assert keba.offered == 8.0
    keba.write("set_current", 16.0)
    assert keba.offered == 8.0
    keba.write("enable", 1)
    assert keba.offered == 16.0
    keba.let(s(15))
    keba.write("enable", 1)
    keba.let(s(15))
    assert keba.offered == 16.0


def test_a_keba_without_failsafe_keeps_its_limit(opened: Callable[[str], Opened]) -> None:
    keba = opened(KEBA)
    keba.write("failsafe_timeout", 0)
    keba.write("set_current", 16.0)
    keba.let(s(2000))
    assert (keba.offered, keba.read("failsafe_timeout_now")) == (16.0, 0)
    keba.write("enable", 0)
    assert (keba.offered, keba.read("state")) == (0.0, 5)


def test_any_write_to_its_control_registers_feeds_a_charx(opened: Callable[[str], Opened]) -> None:
    charx = opened(CHARX)
    charx.write("point1.watchdog_time", 20)
    charx.write("point1.fallback_current", 7)
    charx.write("point1.set_current", 16)
    for _ in range(3):
        charx.let(s(15))
        charx.write("point1.digital_outputs", 0)
        assert charx.offered == 16.0
    charx.let(s(21))
    assert charx.offered == 7.0
    charx.write("point1.digital_outputs", 0)
    assert charx.offered == 7.0
    assert charx.write("point1.watchdog_time", 65_535) == "done"
    assert charx.read("point1.watchdog_time") == 65_535


def test_a_charx_shows_state_duty_and_what_cannot_be_moved(opened: Callable[[str], Opened]) -> None:
    charx = opened(CHARX)
    charx.write("point1.set_current", 20)
    assert [charx.read(f"point1.{name}") for name in ("state", "duty", "setpoint")] == ["B2", 33, 20]
    assert charx.write("point1.lock", 1) == "refused 4"
    charx.let(s(10))
    connected = charx.read("point1.connection_time")
    assert isinstance(connected, int)
    assert 11 <= connected <= 12
    assert charx.write("point1.release", 0) == "done"
    charx.let(s(1))
    assert charx.read("point1.state") == "B1"


def test_one_client_more_than_an_alfen_takes_is_turned_away_and_idle_ones_are_closed() -> None:
    alfen = Opened(ALFEN)
    master = ModbusMaster("master", "tcp0", "none", RtuTiming.of(19_200))
    alfen.world.add_byte_node(master, alfen.link)
    alfen.read("sockets")
    for name in ("second", "third"):
        alfen.seen += alfen.world.execute(Do((Tell("master", "open", {"on": name}),))).observations
    alfen.let(s(1))
    told = [note.what for note in alfen.seen if isinstance(note, Note) and note.kind == "modbus"]
    assert "opened second" in told
    assert "closed third" in told
    alfen.let(s(61))
    told = [note.what for note in alfen.seen if isinstance(note, Note) and note.kind == "modbus"]
    assert "closed second" in told
    assert alfen.read("sockets") == 1, "the client comes again"


@pytest.mark.parametrize("name", ONE_OUTLET)
def test_every_register_that_is_declared_can_be_read(name: str) -> None:
    opened = Opened(name)
    own = [each.name for each in reference(name).registers.registers.values() if each.readable]
    for each in own:
        note = opened.ask("read", names=[each])
        assert note.what.startswith("done "), (each, note)


def test_an_unknown_map_is_named() -> None:
    with pytest.raises(UsageError, match=r"no reference AC charger with the map 'x'; there are alfen-ng9xx, keba-p30"):
        reference("x")
