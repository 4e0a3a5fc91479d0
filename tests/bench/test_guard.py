"""No set-point beyond the rig's envelope goes out, whatever it is written in."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import can
import pytest

from hil.bench.guard import Guard, held_back
from hil.bench.guard.modbus_reader import RegisterReader
from hil.bench.guard.readers import ConsoleReader
from hil.bench.guard.scpi_reader import InstrumentReader
from hil.bench.modbus_places import Places
from hil.bus.bytefaults import CorruptBytes
from hil.bus.can import VirtualCan
from hil.bus.faults import Corrupt
from hil.bus.tcp import VirtualTcp
from hil.codec.frame import CanFrame
from hil.codec.map_file import find_map
from hil.codec.set_points import set_points
from hil.protocol.gbt27930 import edition
from hil.safety.envelope import Envelope
from hil.transport.can_line import LiveCan
from hil.transport.live import LiveWorld
from hil.units import s
from hil.world.observation import BytesSeen, Note
from hil.world.plan import Advance, Close
from hil.world.virtual import VirtualWorld

ENVELOPE = Envelope(max_voltage=500, max_current=150, max_power=50_000)
MESSAGES = edition("2015")
BCL, BHM = 0x181056F4, 0x182756F4


def told(world: VirtualWorld | LiveWorld) -> list[Note]:
    return [seen for seen in world.observations if isinstance(seen, Note) and seen.kind == "envelope"]


# --- BCL ------------------------------------------------------------------------------------------


def demand(volts: float, amperes: float) -> CanFrame:
    """BCL by hand: 0.1 V a bit, 0.1 A a bit from -400 A, constant current (sheet 3.9)."""
    current = round((400 - amperes) * 10)
    return CanFrame(BCL, round(volts * 10).to_bytes(2, "little") + current.to_bytes(2, "little") + b"\x02")


class Bus:
    """A guarded virtual bus; what a node on it heard."""

    def __init__(self) -> None:
        self.world = VirtualWorld(0, MESSAGES)
        self.gone: list[CanFrame] = []
        bus = VirtualCan(self.world.queue, name="can0", sink=self.world.see)
        Guard(self.world, ENVELOPE).guard_can(bus, MESSAGES)
        bus.attach("charger", lambda frame, now: self.gone.append(frame))
        self.port = bus.attach("vehicle", lambda frame, now: None)

    def send(self, frame: CanFrame) -> None:
        self.port.send(frame)
        self.world.queue.run(self.world.queue.now + s(1))


@pytest.mark.parametrize(
    "frame",
    [
        *(demand(400, 100), demand(500, 100), demand(300, 150), demand(0, 0), demand(500, -10)),
        *(CanFrame(BHM, b"\xff\xff"), CanFrame(BCL, b"\xff"), CanFrame(0x181056F5, demand(900, 10).data)),
    ],
)
def test_what_the_envelope_allows_goes_out(frame: CanFrame) -> None:
    """The last three demand nothing: another message, one too short to hold a demand, one of another address."""
    bus = Bus()
    bus.send(frame)
    assert bus.gone == [frame]
    assert told(bus.world) == []


@pytest.mark.parametrize(
    ("frame", "demanded", "most", "unit"),
    [
        (demand(500.1, 10), 500.1, 500, "V"),
        (demand(300, 150.1), 150.1, 150, "A"),
        (demand(400, 130), 52_000, 50_000, "W"),
    ],
)
def test_what_is_beyond_it_is_held_back_and_told(frame: CanFrame, demanded: float, most: float, unit: str) -> None:
    bus = Bus()
    bus.send(frame)
    assert bus.gone == []
    (note,) = told(bus.world)
    assert (note.t, note.what, note.details["most"], note.details["unit"]) == (0, "BCL", most, unit)
    assert note.details["demand"] == pytest.approx(demanded)
    assert held_back(
        [note]
    ) == f"a demand of {note.details['demand']} {unit} was not sent: the rig's envelope allows " + (f"{most} {unit}")


def test_a_demand_that_a_fault_has_raised_is_held_back_too() -> None:
    """400.0 V is 0FA0h steps; with the next bit inverted it is 1FA0h, 809.6 V."""
    world = LiveWorld(0, MESSAGES)
    with can.Bus(interface="virtual", channel="guard") as driver, can.Bus(interface="virtual", channel="guard") as peer:
        line = LiveCan(world.queue, driver, name="can0", sink=world.see)
        Guard(world, ENVELOPE).guard_can(line, MESSAGES)
        port = line.attach("vehicle", lambda frame, now: None)
        line.inject(Corrupt(name="raised", sender="vehicle", invert="00 10"))
        port.send(demand(400, 100))
        line.undo_all()
        port.send(demand(400, 90))
        gone = peer.recv(10)
        assert gone is not None
        assert bytes(gone.data) == demand(400, 90).data
        line.close()
    (note,) = told(world)
    assert note.details["demand"] == pytest.approx(809.6)
    world.execute(Close())


# --- registers ------------------------------------------------------------------------------------

KEBA, CHARX, ALFEN, HYC = (
    find_map(name) for name in ("keba-p30", "phoenix-charx-sec", "alfen-ng9xx", "alpitronic-hyc")
)


def tcp(pdu: str, length: int | None = None) -> bytes:
    """By hand: transaction 1, protocol 0, length, unit 255."""
    body = bytes.fromhex(pdu)
    return (
        bytes.fromhex("0001 0000") + (1 + len(body) if length is None else length).to_bytes(2, "big") + b"\xff" + body
    )


def asked(registers: Any, data: bytes, *, over_tcp: bool = True) -> list[tuple[str, float, float, float]]:
    reader = RegisterReader(registers, lambda current: 3 * 230 * current, tcp=over_tcp)
    return [(each.name, each.voltage, each.current, each.power) for each in reader.read(data).points]


def both(current: float) -> list[tuple[str, float, float, float]]:
    """Two sockets have their registers at one address, on units of their own."""
    return [(f"socket{number}.set_current", 0, current, 690 * current) for number in (1, 2)]


@pytest.mark.parametrize(
    ("registers", "data", "found"),
    [
        pytest.param(KEBA, tcp("06 138C 3E80"), [("set_current", 0, 16, 11_040)], id="06: 5004 = 16000 mA"),
        pytest.param(KEBA, tcp("10 138C 0001 02 3E80"), [("set_current", 0, 16, 11_040)], id="10"),
        pytest.param(KEBA, tcp("17 03E8 0002 138C 0001 02 3E80"), [("set_current", 0, 16, 11_040)], id="17"),
        pytest.param(KEBA, tcp("16 138C 00FF 0001"), [("set_current", 0, inf, inf)], id="16: by a mask"),
        pytest.param(KEBA, tcp("06 1398 2710"), [("failsafe_current", 0, 10, 6900)], id="5016: what it falls back to"),
        pytest.param(KEBA, tcp("06 138C 3E80", length=4), [("set_current", 0, 16, 11_040)], id="wrong length"),
        pytest.param(KEBA, tcp("10 138C 0009 12 3E80"), [("set_current", 0, 16, 11_040)], id="wrong count"),
        pytest.param(KEBA, tcp("06 1396 0001"), [("enable", 0, 0, 0)], id="5014 enables, and sets nothing"),
        pytest.param(KEBA, tcp("03 138C 0001"), [], id="a read"),
        pytest.param(CHARX, tcp("06 08FD 0010"), [("point2.set_current", 0, 16, 11_040)], id="another of its group"),
        pytest.param(ALFEN, tcp("10 04BA 0002 04 41800000"), both(16), id="a float"),
        pytest.param(ALFEN, tcp("06 04BA 4180"), both(inf), id="half of it"),
        pytest.param(ALFEN, tcp("10 04BA 0002 04 7FC00000"), both(inf), id="no number"),
        pytest.param(HYC, tcp("10 0064 0002 04 000186A0"), [("connector1.set_power", 0, 0, 100_000)], id="a power"),
    ],
)  # fmt: skip
def test_what_is_written_to_a_set_point_is_found(registers: Any, data: bytes, found: list[Any]) -> None:
    assert asked(registers, data) == found


@pytest.mark.parametrize(("value", "energises"), [("0000", False), ("0001", True), ("0002", True)])
def test_a_release_energises_and_is_no_set_point(value: str, energises: bool) -> None:
    reader = RegisterReader(KEBA, lambda current: 0.0, tcp=True)
    (point,) = reader.read(tcp(f"06 1396 {value}")).points
    assert (point.energises, Envelope(max_current=1).excess(point)) == (energises, None)


def test_what_is_written_releases_nothing_and_limits_nothing_where_it_need_not() -> None:
    places = Places(find_map("tinkerforge-warp"))
    assert (places.wide().name, places.register("coil").name) == ("led_duration", "autostart_button")


RTU = bytes.fromhex("01 06 0105 00A0 984F")
"""To the Heidelberg's register 261: 160 tenths of an ampere (its check by pymodbus)."""


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([RTU], id="whole"),
        pytest.param([RTU[:-1] + b"\x00"], id="its check is wrong"),
        pytest.param([b"\x00\xff" + RTU], id="behind junk"),
        pytest.param([RTU[:5], RTU[5:]], id="in two"),
    ],
)
def test_a_set_point_on_a_serial_line_is_found(chunks: list[bytes]) -> None:
    reader = RegisterReader(find_map("heidelberg-energy-control"), lambda current: 0.0, tcp=False)
    found = [reader.read(chunk) for chunk in chunks]
    assert [(point.name, point.current) for point in found[-1].points if point.current < inf][:1] == [
        ("set_current", 16.0)
    ]
    assert found[-1].begun is (len(chunks) > 1)


def test_meters_have_no_set_points() -> None:
    assert set_points(find_map("eastron-sdm630")) == ()
    assert set_points(find_map("bender-isocha425hv")) == (), "its thresholds are no set-points"


# --- consoles and instruments -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"$SC 16\r", [16]),
        (b"$SC 16 V^00\r$SC 20\r", [16, 20]),
        (b"$SC abc\r", [inf]),
        (b"$SC\r", [inf]),
        (b"$GE\r$FE\r", []),
    ],
)
def test_a_current_for_a_console_is_found(data: bytes, found: list[float]) -> None:
    assert [each.current for each in ConsoleReader(lambda current: 0.0).read(data).points] == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"CURR 10\n", [("A", 10)]),
        (b"VOLT 0.4 KV;CURR 10MA\n", [("V", 400), ("A", 0.01)]),
        (b"SOUR:VOLT:LEV:IMM:AMPL 400\r\n", [("V", 400)]),
        (b"SOUR:VOLT 400;CURR 5\n", [("V", 400), ("A", 5)]),
        (b"LIST:CURR 1,2,300\n", [("A", 1), ("A", 2), ("A", 300)]),
        (b"CURR:STAT:L1 20\n", [("A", 20)]),
        (b"SINK:POW -5000\n", [("W", 5000)]),
        (b"APPL 400,10\n", [("V", 400), ("A", 10)]),
        (b"CURR MAX\n", [("A", inf)]),
        (b"CURR UP\n", [("A", inf)]),
        (b"CURR?;:MEAS:VOLT?\n", []),
        (b"VOLT:PROT 900;:CURR:RANG 500;:CURR:MODE LIST\n", []),
        (b"*RST;OUTP ON\n", []),
    ],
)
def test_a_level_of_an_instrument_is_found(line: bytes, found: list[tuple[str, float]]) -> None:
    points = InstrumentReader().read(line).points
    levels = [[("V", each.voltage), ("A", each.current), ("W", each.power)] for each in points]
    assert [next(filter(lambda level: level[1], each)) for each in levels] == found


# --- lines ----------------------------------------------------------------------------------------


class Peer:
    """A server that keeps what it heard, or a client."""

    def __init__(self) -> None:
        self.heard = b""

    def on_opened(self, channel: int) -> None: ...

    def on_data(self, channel: int, data: bytes) -> None:
        self.heard += data

    def on_ended(self, channel: int, kind: str) -> None: ...


@pytest.fixture
def link() -> tuple[VirtualWorld, VirtualTcp, Peer, Callable[[bytes], bytes]]:
    world = VirtualWorld(0)
    line = VirtualTcp(world.queue, name="tcp0", sink=world.see)
    device = Peer()
    line.attach("device", device, server=True)
    line.attach("client", Peer())
    envelope = Envelope(max_current=32, max_power=11_100, phases=3, nominal_voltage=230)
    power_of = lambda current: envelope.power_of(current, 1)  # noqa: E731 - one line of the fixture
    Guard(world, envelope).guard_bytes(line, lambda: RegisterReader(KEBA, power_of, tcp=True))
    channel = line.open("client")

    def send(data: bytes) -> bytes:
        """What the device has of it."""
        device.heard = b""
        world.execute(Advance(world.queue.now + s(1)))
        line.send("client", channel, data)
        world.queue.run(world.queue.now + s(1))
        return device.heard

    return world, line, device, send


WRITE = tcp("06 138C 3E80")
"""16 A."""


def test_a_current_each_phase_is_a_power_where_the_rig_says_so(link: Any) -> None:
    world, _, _, send = link
    assert send(WRITE) == WRITE
    assert send(tcp("06 138C 3F7A")) == b"", "16.25 A in three phases at 230 V"
    (note,) = told(world)
    assert (note.what, note.details) == ("set_current", {"demand": 11_212.5, "most": 11_100, "unit": "W"})
    assert held_back([note]) == "set_current of 11212.5 W was not sent: the rig's envelope allows 11100 W"
    assert send(WRITE) == WRITE, "the connection is as good as before"


def test_what_a_fault_makes_of_a_write_is_judged(link: Any) -> None:
    world, line, _, send = link
    line.inject(CorruptBytes(name="raised", sender="client", at=10, invert="40"))
    assert send(WRITE) == b"", "7E80h, 32.384 A"
    assert [note.details["unit"] for note in told(world)] == ["A"]


def test_no_rest_reaches_a_device_that_has_the_begin(link: Any) -> None:
    """The begin of a write of 32.768 A has gone out. The rest does not, and nothing that it could take for that."""
    world, _, _, send = link
    begin, rest = tcp("06 138C 8000")[:9], tcp("06 138C 8000")[9:]
    assert send(begin) == begin
    assert send(rest) == b""
    assert send(WRITE) == b""
    assert len([seen for seen in world.observations if isinstance(seen, BytesSeen)]) == 0
