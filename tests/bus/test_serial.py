"""The virtual serial line: byte times, both directions, RS-485 collisions and turnaround, formats, faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.bus.bytefaults import (
    CorruptBytes,
    CutLine,
    FramingError,
    InsertBytes,
    LineFault,
    LoseBytes,
    ParityError,
    RefuseLine,
    RepeatBytes,
    ResetLine,
    SplitBytes,
    StallBytes,
)
from hil.bus.observe import BytesSeen, Note
from hil.bus.serial import Heard, SerialFormat, SerialPort, VirtualSerial, read_as
from hil.errors import UsageError
from hil.units import SECOND, Instant, Span, ms
from hil.world.queue import EventQueue

F8N1 = SerialFormat(9600)
F8E1 = SerialFormat(2400, parity="E")


class Rig:
    """A line with named nodes, what it told and what each node heard."""

    def __init__(
        self,
        *names: str,
        line_format: SerialFormat = F8N1,
        shared: bool = False,
        echo: bool = False,
        turnaround: Span = 0,
    ) -> None:
        self.queue = EventQueue()
        self.told: list[BytesSeen | Note] = []
        self.line = VirtualSerial(
            self.queue,
            name="tty",
            sink=self.told.append,
            line_format=line_format,
            shared=shared,
            echo=echo,
            turnaround=turnaround,
        )
        self.heard: dict[str, list[Heard]] = {}
        self.ports: dict[str, SerialPort] = {}
        for name in names:
            self.attach(name)

    def attach(self, name: str, port_format: SerialFormat | None = None) -> SerialPort:
        self.heard[name] = []
        self.ports[name] = self.line.attach(name, self.heard[name].append, port_format)
        return self.ports[name]

    def write(self, name: str, data: bytes, at: Instant = 0) -> None:
        self.queue.at(at, lambda: self.ports[name].write(data))

    def run(self, until: Instant = 100 * SECOND) -> None:
        self.queue.run(until)

    def data(self, name: str) -> list[bytes]:
        return [heard.data for heard in self.heard[name]]

    @property
    def fired(self) -> list[str]:
        return [note.what for note in self.told if isinstance(note, Note)]

    @property
    def seen(self) -> list[BytesSeen]:
        return [seen for seen in self.told if isinstance(seen, BytesSeen)]


# --- byte times --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "baud", "bits", "parity", "stop", "per_byte"),
    [("9600 8N1", 9600, 8, "N", 1, 10), ("2400 8E1", 2400, 8, "E", 1, 11), ("1200 7O2", 1200, 7, "O", 2, 11)],
)
def test_a_byte_lasts_its_start_data_parity_and_stop_bits(
    text: str, baud: int, bits: int, parity: str, stop: int, per_byte: int
) -> None:
    line_format = SerialFormat(baud, bits, parity, stop)
    assert (str(line_format), line_format.bits_per_byte) == (text, per_byte)
    assert line_format.span(baud) == per_byte * SECOND


def test_a_chunk_is_heard_at_the_end_of_its_last_stop_bit() -> None:
    rig = Rig("master", "meter")
    rig.write("master", b"\x01\x03\x00", at=ms(5))
    rig.run()
    end = ms(5) + 30 * SECOND // 9600  # 3 bytes of 10 bits
    assert end == 8_125_000
    assert rig.told == [BytesSeen(end, "tty", "master", b"\x01\x03\x00", ms(5), 0, "")]
    assert rig.heard == {"master": [], "meter": [Heard(b"\x01\x03\x00", ms(5), end)]}


def test_what_is_written_while_sending_follows_without_a_gap_and_in_order() -> None:
    rig = Rig("a", "b", line_format=SerialFormat(1000))
    rig.write("a", b"12")
    rig.write("a", b"3", at=ms(5))
    rig.write("a", b"4", at=ms(40))
    rig.run()
    assert [(each.data, each.started, each.ended) for each in rig.heard["b"]] == [
        (b"12", 0, ms(20)),
        (b"3", ms(20), ms(30)),
        (b"4", ms(40), ms(50)),
    ]


def test_rs232_carries_both_directions_at_once() -> None:
    rig = Rig("a", "b")
    rig.write("a", b"ping")
    rig.write("b", b"pong")
    rig.run()
    assert (rig.data("b"), rig.data("a")) == ([b"ping"], [b"pong"])
    assert not any(seen.flaw for seen in rig.seen)


def test_nothing_written_is_nothing_sent() -> None:
    rig = Rig("a", "b")
    rig.write("a", b"")
    rig.run()
    assert not rig.told


# --- RS-485 --------------------------------------------------------------------------------------------


def test_on_rs485_everybody_else_hears_and_with_echo_the_sender_too() -> None:
    for echo in (False, True):
        rig = Rig("master", "one", "two", shared=True, echo=echo)
        rig.write("master", b"x")
        rig.run()
        assert [rig.data(name) for name in ("one", "two", "master")] == [[b"x"], [b"x"], [b"x"] if echo else []]


def test_a_driver_needs_its_turnaround_time_and_keeps_it_while_it_sends() -> None:
    rig = Rig("master", "meter", shared=True, turnaround=ms(2), line_format=SerialFormat(1000))
    rig.write("master", b"1")
    rig.write("master", b"2", at=ms(5))
    rig.write("master", b"3", at=ms(22))
    rig.run()
    assert [(each.data, each.started) for each in rig.heard["meter"]] == [(b"1", ms(2)), (b"2", ms(12)), (b"3", ms(24))]


def test_rs232_has_no_turnaround() -> None:
    rig = Rig("a", "b", turnaround=ms(2), line_format=SerialFormat(1000))
    rig.write("a", b"1", at=ms(5))
    rig.run()
    assert rig.heard["b"][0].started == ms(5)


def test_two_senders_destroy_the_bytes_that_meet_and_no_others() -> None:
    rig = Rig("a", "b", "c", shared=True, line_format=SerialFormat(1000))
    rig.write("a", b"\x11\x12\x13\x14")  # 0..40 ms
    rig.write("b", b"\x21\x22", at=ms(25))  # 25..45 ms
    rig.run()
    assert [(each.data, each.flaw, each.ended) for each in rig.heard["c"]] == [
        (b"\x11\x12\x00\x00", "collision", ms(40)),
        (b"\x00\x00", "collision", ms(45)),
    ]
    assert [seen.flaw for seen in rig.seen] == ["collision", "collision"]


def test_senders_that_follow_each_other_exactly_do_not_collide() -> None:
    rig = Rig("a", "b", "c", shared=True, line_format=SerialFormat(1000))
    rig.write("a", b"1")
    rig.write("b", b"2", at=ms(10))
    rig.run()
    assert [(each.data, each.flaw) for each in rig.heard["c"]] == [(b"1", ""), (b"2", "")]


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 80))
def test_chunks_collide_exactly_when_their_times_overlap(first: int, second: int, later: int) -> None:
    rig = Rig("a", "b", "c", shared=True, line_format=SerialFormat(1000))
    rig.write("a", b"a" * first)
    rig.write("b", b"b" * second, at=ms(later))
    rig.run()
    overlap = later < 10 * first
    assert {each.flaw for each in rig.heard["c"]} == {"collision" if overlap else ""}
    untouched = [at for at in range(0, 10 * first, 10) if at + 10 <= later or at >= later + 10 * second]
    assert sum(chunk.count(b"a") for chunk in rig.data("c")) == len(untouched)


# --- formats -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "flaw"),
    [
        (SerialFormat(2400, parity="O"), "parity"),
        (SerialFormat(1200, parity="E"), "framing"),
        (SerialFormat(9600, parity="E"), "framing"),
        (SerialFormat(2400, bits=7, parity="E"), "framing"),
    ],
)
def test_a_receiver_of_another_format_reads_with_an_error(wrong: SerialFormat, flaw: str) -> None:
    rig = Rig("master", line_format=F8E1)
    rig.attach("meter", wrong)
    rig.write("master", bytes.fromhex("68 AA 81"))
    rig.run()
    [heard] = rig.heard["meter"]
    assert heard.flaw == flaw
    assert (heard.data != bytes.fromhex("68 AA 81")) == (wrong.baud != 2400 or wrong.bits != 8)


def test_another_number_of_stop_bits_is_read_without_error() -> None:
    assert read_as(b"abc", SerialFormat(9600, stop=2), SerialFormat(9600)) == (b"abc", "")


def test_without_parity_a_parity_bit_is_read_as_the_stop_bit() -> None:
    even, none = SerialFormat(9600, parity="E"), SerialFormat(9600)
    assert read_as(b"\x01", even, none) == (b"\x01", "")  # an odd number of ones: the parity bit is 1
    assert read_as(b"\x03", even, none) == (b"\x03", "framing")


def test_with_parity_a_stop_bit_is_read_as_the_parity_bit() -> None:
    even, none = SerialFormat(9600, parity="E"), SerialFormat(9600)
    assert read_as(b"\x01", none, even) == (b"\x01", "")
    assert read_as(b"\x01\x01", none, even) == (b"\x01\x01", "framing")
    assert read_as(b"\x03", none, even) == (b"\x03", "parity")


@pytest.mark.parametrize("parity", ["E", "O"])
def test_the_parity_bit_makes_the_number_of_ones_even_or_odd(parity: str) -> None:
    with_parity, without = SerialFormat(9600, parity=parity), SerialFormat(9600)
    for byte in range(256):
        needed = (f"{byte:b}".count("1") % 2 == 1) == (parity == "E")
        data = bytes([byte])
        assert read_as(data, with_parity, without) == (data, "" if needed else "framing")
        assert read_as(data, without, with_parity) == (data, "" if needed else "parity")


@given(st.binary(min_size=1, max_size=300), st.sampled_from([1200, 4800, 19200]))
def test_every_byte_read_at_a_wrong_baud_rate_is_wrong(data: bytes, baud: int) -> None:
    garbage, flaw = read_as(data, F8N1, SerialFormat(baud))
    assert flaw == "framing"
    assert len(garbage) == max(1, len(data) * baud // 9600)
    assert all(garbage[i] != data[i % len(data)] for i in range(len(garbage)))


def test_a_node_may_take_another_format_for_what_comes() -> None:
    rig = Rig("master", "meter", line_format=SerialFormat(1000))
    rig.write("meter", b"old")
    rig.queue.at(ms(1), lambda: rig.ports["meter"].retune(SerialFormat(2000)))
    rig.queue.at(ms(2), lambda: rig.ports["master"].retune(SerialFormat(2000)))
    rig.write("meter", b"new", at=ms(30))
    rig.run()
    # What was under way keeps its format; its receiver has left it before the end.
    assert [(each.flaw, each.ended) for each in rig.heard["master"]] == [("framing", ms(30)), ("", ms(45))]
    assert rig.data("master")[1] == b"new"


# --- faults --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        (LoseBytes(name="f"), []),
        (LoseBytes(name="f", at=1, length=2), [(b"1456", "")]),
        (CorruptBytes(name="f", at=1, invert="0003"), [(b"12" + bytes([ord("3") ^ 3]) + b"456", "")]),
        (InsertBytes(name="f", data="FEFE"), [(b"\xfe\xfe123456", "")]),
        (InsertBytes(name="f", data="FEFE", before=False), [(b"123456\xfe\xfe", "")]),
        (SplitBytes(name="f", at=2, gap=ms(7)), [(b"12", ""), (b"3456", "")]),
        (RepeatBytes(name="f"), [(b"123456", ""), (b"123456", "")]),
        (StallBytes(name="f", span=ms(40)), [(b"123456", "")]),
        (ParityError(name="f", at=5), [(b"123456", "parity")]),
        (FramingError(name="f", at=5), [(b"123456", "framing")]),
        (CutLine(name="f"), []),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, LineFault) else "",
)
def test_a_fault_fires_is_noted_and_can_be_undone(fault: LineFault, heard: list[tuple[bytes, str]]) -> None:
    rig = Rig("a", "b", line_format=F8E1)
    rig.line.inject(fault)
    rig.write("a", b"123456")
    rig.run(SECOND)
    assert [(each.data, each.flaw) for each in rig.heard["b"]] == heard
    assert (rig.fired, rig.line.faults.fired("f")) == (["f"], 1)
    rig.line.undo("f")
    rig.write("a", b"ok", at=2 * SECOND)
    rig.run()
    assert rig.data("b")[-1] == b"ok"
    assert rig.line.faults.fired("f") == 1


def test_the_note_tells_what_the_fault_fell_on() -> None:
    rig = Rig("a", "b")
    rig.line.inject(CorruptBytes(name="flip", invert="01"))
    rig.write("a", b"\x68\x01", at=ms(3))
    rig.run()
    assert rig.told[0] == Note(ms(3), "fault_fired", "flip", {"fault": "CorruptBytes", "on": "68 01"})


@pytest.mark.parametrize(
    "fault",
    [
        LoseBytes(name="f", at=2, length=1),
        CorruptBytes(name="f", at=1, invert="0001"),
        SplitBytes(name="f", at=2, gap=1),
        ParityError(name="f", at=2),
        FramingError(name="f", at=9),
        RepeatBytes(name="f", starts="FF"),
        RepeatBytes(name="f", sender="b"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_fault_that_would_change_nothing_does_not_fire(fault: LineFault) -> None:
    rig = Rig("a", "b", line_format=F8E1)
    rig.line.inject(fault)
    rig.write("a", b"12")
    rig.run()
    assert (rig.data("b"), rig.fired) == ([b"12"], [])


def test_a_split_leaves_exactly_its_gap() -> None:
    rig = Rig("a", "b", line_format=SerialFormat(1000), shared=True, turnaround=ms(3))
    rig.line.inject(SplitBytes(name="f", at=1, gap=ms(7)))
    rig.write("a", b"12")
    rig.run()
    assert [(each.started, each.ended) for each in rig.heard["b"]] == [(ms(3), ms(13)), (ms(20), ms(30))]


def test_stalls_of_chunks_that_follow_do_not_add_up() -> None:
    rig = Rig("a", "b", line_format=SerialFormat(1000))
    rig.line.inject(StallBytes(name="f", span=ms(100)))
    for index in range(3):
        rig.write("a", b"x", at=ms(50 * index))
    rig.run()
    assert [each.started for each in rig.heard["b"]] == [ms(100), ms(150), ms(200)]


def test_skip_and_count_choose_which_chunks_are_hit() -> None:
    rig = Rig("a", "b")
    rig.line.inject(LoseBytes(name="f", skip=1, count=2))
    for index in range(5):
        rig.write("a", bytes([index]), at=index * SECOND)
    rig.run()
    assert rig.data("b") == [b"\x00", b"\x03", b"\x04"]
    assert rig.line.faults.fired("f") == 2


def test_a_cut_wire_loses_what_is_under_way_and_disturbs_nobody() -> None:
    rig = Rig("a", "b", "c", shared=True, line_format=SerialFormat(1000))
    rig.write("a", b"1234")
    rig.queue.at(ms(20), lambda: rig.line.inject(CutLine(name="wire", sender="a")))
    rig.write("a", b"56", at=ms(50))
    rig.write("b", b"78", at=ms(55))
    rig.run()
    assert [(each.data, each.flaw) for each in rig.heard["c"]] == [(b"78", "")]
    assert rig.fired == ["wire", "wire"]


def test_undo_all_takes_every_fault_back() -> None:
    rig = Rig("a", "b")
    rig.line.inject(LoseBytes(name="one"))
    rig.line.inject(RepeatBytes(name="two"))
    rig.line.undo_all()
    rig.write("a", b"x")
    rig.run()
    assert (rig.data("b"), rig.fired) == ([b"x"], [])


# --- misuse --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: LoseBytes(name=""), "a name is needed"),
        (lambda: LoseBytes(name="f", at=-1), "at -1: 0 or more"),
        (lambda: LoseBytes(name="f", length=-1), "length -1"),
        (lambda: CorruptBytes(name="f", invert="00"), "changes nothing"),
        (lambda: CorruptBytes(name="f", invert="xy"), "'xy' is not hexadecimal"),
        (lambda: InsertBytes(name="f", data=""), "data holds no bytes"),
        (lambda: SplitBytes(name="f", at=0, gap=1), "at 0: 1 or more"),
        (lambda: SplitBytes(name="f", at=1, gap=-1), "gap -1 ns"),
        (lambda: StallBytes(name="f", span=0), "span 0 ns: above 0"),
        (lambda: CutLine(name="f", count=1), "lasts until undone"),
        (lambda: RefuseLine(name="f", starts="68"), "lasts until undone"),
        (lambda: RepeatBytes(name="f", skip=-1), "skip -1"),
    ],
)
def test_a_fault_that_means_nothing_is_refused(make: Callable[[], object], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        make()


def test_misuse_of_a_line_is_refused() -> None:
    rig = Rig("a", "b")
    with pytest.raises(UsageError, match="joins two nodes, a and b"):
        rig.attach("c")
    with pytest.raises(UsageError, match="has a node 'a' already"):
        rig.attach("a")
    with pytest.raises(UsageError, match="knows no ResetLine"):
        rig.line.inject(ResetLine(name="f"))
    with pytest.raises(UsageError, match="no node 'x'; there are a, b"):
        rig.line.inject(LoseBytes(name="f", sender="x"))
    with pytest.raises(UsageError, match="sends no parity bit"):
        rig.line.inject(ParityError(name="f"))
    with pytest.raises(UsageError, match="no line fault 'f'"):
        rig.line.undo("f")
    rig.line.inject(LoseBytes(name="f"))
    with pytest.raises(UsageError, match="'f' already"):
        rig.line.inject(LoseBytes(name="f"))
    with pytest.raises(UsageError, match="baud rate 0"):
        SerialFormat(0)
    with pytest.raises(UsageError, match="parity N, E or O"):
        SerialFormat(9600, parity="X")
