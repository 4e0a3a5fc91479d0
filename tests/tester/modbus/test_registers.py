"""A client by register map against a meter of the bench: reads, writes, repeats, polls, and what goes wrong."""

from __future__ import annotations

import pytest

from hil.bus.bytefaults import SplitBytes
from hil.bus.serial import SerialFormat, VirtualSerial
from hil.bus.tcp import VirtualTcp
from hil.codec.map_file import shipped_map
from hil.dut.ac import AcCharger
from hil.dut.ac import reference as ac_reference
from hil.dut.ac_modbus import modbus_front, reference
from hil.errors import UsageError
from hil.plant.ac import AcPlant
from hil.protocol.modbus import RtuTiming
from hil.tester.modbus import ModbusMeter, RegisterClient
from hil.units import Instant, Span, ms, s
from hil.world.observation import BytesSeen, Note, Observation
from hil.world.plan import Advance, Do, Tell
from hil.world.virtual import VirtualWorld

TIMING = RtuTiming.of(9600, 10)


class Bench:
    """A client on a serial line with a meter, or on a TCP link with a charger."""

    def __init__(self, name: str) -> None:
        self.world = VirtualWorld(0)
        self.map = shipped_map(name)
        self.seen: list[Observation] = []
        self.value = 400.0
        if self.map.transports == ("tcp",):
            self.world.add_plant(AcPlant())
            link = VirtualTcp(self.world.queue, name="line", sink=self.world.see)
            charger = AcCharger(ac_reference(), self.world.sense, [modbus_front("line", reference(name))])
            self.world.add_byte_node(charger, serves=link)
            self.world.add_byte_node(RegisterClient("client", "line", self.map), link)
            return
        self.line = line = VirtualSerial(
            self.world.queue, name="line", sink=self.world.see, line_format=SerialFormat(9600), shared=True
        )
        values = {"voltage": ("volts", 1.0), "power": ("volts", 10.0)}
        meter = ModbusMeter("meter", "line", self.map, self.sense, values, timing=TIMING)
        self.world.add_byte_node(meter, line)
        self.world.add_byte_node(RegisterClient("client", "line", self.map, TIMING), line)

    def sense(self, name: str, now: Instant) -> float:
        assert name == "volts"
        return self.value

    def tell(self, verb: str, node: str = "client", **arguments: object) -> None:
        self.seen += self.world.execute(Do((Tell(node, verb, arguments),))).observations

    def let(self, span: Span) -> list[Note]:
        self.seen += self.world.execute(Advance(self.world.queue.now + span)).observations
        return [each for each in self.seen if isinstance(each, Note)]


def test_values_are_read_by_name_over_a_serial_line() -> None:
    bench = Bench("acrel-djsf1352")
    bench.tell("read", ticket=1, names=["voltage", "power"])
    [note] = bench.let(s(1))
    assert (note.kind, note.what) == ("registers", "done 1")
    assert (note.details["voltage"], note.details["power"]) == (400.0, 4000.0)
    assert 0 < int(note.details["at"]) - int(note.details["sent"]) < ms(150)


def test_a_poll_measures_again_and_again_with_unit_and_instants() -> None:
    bench = Bench("acrel-djsf1352")
    bench.tell("poll", every=ms(200), quantities=[["voltage", "voltage", 1.0, "V"]])
    bench.let(s(1))
    bench.value = 500.0
    notes = [each for each in bench.let(s(1)) if each.kind == "measured"]
    values = [each.details["value"] for each in notes]
    assert values == [400.0] * 5 + [500.0] * (len(values) - 5)
    assert len(values) in (10, 11)
    assert all(ms(20) < each.t - int(each.details["asked"]) < ms(120) for each in notes)
    bench.tell("stop")
    count = len(bench.let(s(1)))
    assert len(bench.let(s(5))) == count


def test_an_answer_that_an_adapter_hands_over_in_pieces_is_read() -> None:
    bench = Bench("acrel-djsf1352")
    # Far beyond t3.5 at 9600 baud, as the buffer of an USB adapter makes it.
    in_pieces = SplitBytes(name="adapter", sender="meter", at=4, gap=ms(16))
    bench.line.inject(in_pieces)
    bench.tell("read", ticket=1, names=["voltage", "power"])
    [note] = [each for each in bench.let(s(2)) if each.kind == "registers"]
    assert (note.what, note.details.get("voltage")) == ("done 1", 400.0)


def test_a_silent_meter_is_told_and_asked_again() -> None:
    bench = Bench("acrel-djsf1352")
    bench.tell("mute", "meter", on=True)
    bench.tell("poll", every=ms(200), quantities=[["voltage", "voltage", 1.0, "V"]])
    notes = bench.let(s(5))
    assert {(each.kind, each.what, each.details["text"]) for each in notes} == {("registers", "failed 0", "no answer")}
    asked = [each for each in bench.seen if isinstance(each, BytesSeen)]
    assert len(asked) <= len(notes) + 1, "the next question waits for the end of the one before"
    bench.tell("mute", "meter", on=False)
    assert any(each.kind == "measured" for each in bench.let(s(5)))


def test_a_meter_answers_only_its_own_unit_and_what_it_has() -> None:
    bench = Bench("acrel-djsf1352")
    elsewhere = bench.map.on_unit(9)
    assert {each.unit_id for each in elsewhere.registers.values()} == {9}
    bench.world.add_byte_node(RegisterClient("other", "line", elsewhere, TIMING), bench.line)
    bench.tell("read", "other", ticket=1, names=["voltage"])
    assert [each.what for each in bench.let(s(5))] == ["failed 1"]


def test_a_limit_is_kept_over_tcp_and_refusals_are_told() -> None:
    bench = Bench("keba-p30")
    bench.tell("keep", name="set_current", value=16.0, every=s(10))
    assert [each.what for each in bench.let(s(35))] == ["kept 0"] * 4
    bench.tell("release", name="set_current")
    bench.tell("write", ticket=5, name="set_current", words=[100])
    told = bench.let(s(30))[-1]
    assert (told.what, told.details["code"]) == ("refused 5", 3)


def test_words_are_written_that_the_map_does_not_allow_whatever_it_does() -> None:
    """Neither a 0 nor anything else than 1 and 3 are phases."""
    bench = Bench("alfen-ng9xx")
    bench.tell("write", ticket=6, name="socket1.phases", words=[7])
    told = bench.let(s(1))[-1]
    assert (told.what, told.details["code"]) == ("refused 6", 3)


def test_misuse_is_named() -> None:
    bench = Bench("keba-p30")
    with pytest.raises(UsageError, match="client cannot sing; it knows read, write, keep"):
        bench.tell("sing")
    with pytest.raises(UsageError, match=r"set_current: 100\.0 A is out of range"):
        bench.tell("write", ticket=1, name="set_current", value=100.0)
    with pytest.raises(UsageError, match="no register 'volts'"):
        bench.tell("read", ticket=1, names=["volts"])
