"""SCPI's wire layer: lines, units, numbers, the tree, status, the error queue, the client."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import CodecError, UsageError
from hil.protocol.scpi import (
    Answer,
    ErrorQueue,
    LineReader,
    NoAnswer,
    Register,
    ScpiClient,
    ScpiError,
    ScpiSettings,
    Status,
    Tree,
    Unasked,
    answer_number,
    boolean,
    number,
    parse_unit,
    show,
    split_quoted,
)
from hil.units import ms, s

# --- lines and units -----------------------------------------------------------------------------------


@given(st.data())
def test_it_does_not_matter_how_lines_are_cut(data: st.DataObject) -> None:
    stream = b"*IDN?\r\nVOLT 5\n\n" + b"x" * 40 + b"\nOK\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader, lines = LineReader(32), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        lines += reader.feed(stream[start:end])
    assert lines == ["*IDN?", "VOLT 5", "", None, "OK"]


@pytest.mark.parametrize(
    ("text", "nodes", "query", "parameters", "common", "rooted"),
    [
        ("volt 5", ("VOLT",), False, ("5",), False, False),
        (":Source:Voltage? MAX", ("SOURCE", "VOLTAGE"), True, ("MAX",), False, True),
        ("*ESE 32", ("ESE",), False, ("32",), True, False),
        ("LIST:CURR 1, 2,3 A", ("LIST", "CURR"), False, ("1", "2", "3 A"), False, False),
        ('DISP "a;b,c"', ("DISP",), False, ('"a;b,c"',), False, False),
    ],
)
def test_a_unit(
    text: str, nodes: tuple[str, ...], query: bool, parameters: tuple[str, ...], common: bool, rooted: bool
) -> None:
    unit = parse_unit(text)
    assert (unit.nodes, unit.query, unit.parameters, unit.common, unit.rooted) == (
        nodes,
        query,
        parameters,
        common,
        rooted,
    )


@pytest.mark.parametrize("text", ["VOLT,,5", "VOLT 1,,2", "VO::LT", "?", "VOLT 'open", "VÖLT 1", "VOLT 1,"])
def test_what_is_no_unit_is_a_syntax_error(text: str) -> None:
    with pytest.raises(ScpiError) as caught:
        parse_unit(text)
    assert caught.value.code == -102


def test_marks_inside_quotes_do_not_split() -> None:
    assert split_quoted("A 'x;y';B", ";") == ["A 'x;y'", "B"]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("5", "V", 5.0),
        ("5V", "V", 5.0),
        ("5 mV", "V", 0.005),
        ("1.5E+01", "A", 15.0),
        ("-2.5e-3 A", "A", -0.0025),
        ("2kohm", "OHM", 2000.0),
        ("10MS", "S", 0.01),
        ("max", "V", "MAX"),
        ("MINimum", "V", "MIN"),
        (".5", "", 0.5),
    ],
)
def test_a_number(text: str, unit: str, value: float | str) -> None:
    assert number(text, unit) == (value if isinstance(value, str) else pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "unit", "code"),
    [
        ("5A", "V", -131),
        ('"5"', "V", -104),
        ("five", "V", -104),
        ("1e99", "V", -222),
        ("5XV", "V", -131),
        ("5V", "", -131),
    ],
)
def test_what_is_no_number(text: str, unit: str, code: int) -> None:
    with pytest.raises(ScpiError) as caught:
        number(text, unit)
    assert caught.value.code == code


def test_booleans() -> None:
    assert [boolean(text) for text in ("on", "OFF", "1", "0", "2")] == [True, False, True, False, True]
    for text in ("yes", "nan", "inf", ""):
        with pytest.raises(ScpiError):
            boolean(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("48.00V", 48.0),
        ("20.00 A", 20.0),
        ("+1.5E+01", 15.0),
        ("-3", -3.0),
        ("1.2kW", 1.2),
        ("No error", None),
        ("", None),
        ("5 apples", None),
    ],
)
def test_a_number_in_an_answer(text: str, value: float | None) -> None:
    assert answer_number(text) == value


# --- tree ----------------------------------------------------------------------------------------------


@pytest.fixture
def tree() -> Tree[str]:
    tree: Tree[str] = Tree()
    tree.add("[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]", "volt")
    tree.add("[SOURce:]VOLTage:PROTection[:LEVel]", "prot")
    tree.add("[SOURce:]CURRent", "curr")
    tree.add("STATus:OPERation:ENABle", "enab")
    return tree


@pytest.mark.parametrize(
    ("header", "command"),
    [
        ("VOLT", "volt"),
        ("VOLTAGE", "volt"),
        ("SOUR:VOLT:LEV:IMM:AMPL", "volt"),
        (":SOURCE:VOLTAGE:AMPLITUDE", "volt"),
        ("volt:prot:lev", "prot"),
        ("VOLTA", None),
        ("VOL", None),
        ("SOUR", None),
        ("VOLT:LEV:PROT", None),
        ("STAT:OPER", None),
    ],
)
def test_only_the_short_and_the_long_form_count(tree: Tree[str], header: str, command: str | None) -> None:
    assert tree.find(parse_unit(header), ())[0] == command


def test_the_path_goes_on_from_the_last_node(tree: Tree[str]) -> None:
    _, path = tree.find(parse_unit("SOUR:VOLT:PROT"), ())
    assert path == ("SOUR", "VOLT")
    assert tree.find(parse_unit("LEV"), path)[0] == "volt"
    assert tree.find(parse_unit("CURR"), path)[0] is None
    assert tree.find(parse_unit(":CURR"), path)[0] == "curr"


def test_one_header_has_one_command(tree: Tree[str]) -> None:
    with pytest.raises(UsageError, match="has a command already"):
        tree.add("VOLTage", "other")


# --- status and errors ---------------------------------------------------------------------------------


def test_the_queue_is_first_in_first_out_and_its_last_entry_overflows() -> None:
    queue = ErrorQueue(3)
    for code in (-113, -222, -131, -104):
        queue.push(code)
    assert len(queue) == 3
    assert [queue.pop() for _ in range(4)] == [-113, -222, -350, 0]
    queue.push(-100)
    queue.clear()
    assert queue.pop() == 0


def test_how_errors_are_shown() -> None:
    assert show(-113) == '-113,"Undefined header"'
    assert (show(0), show(0, plus=True)) == ('0,"No error"', '+0,"No error"')
    assert show(42) == '42,"Device error"'


@pytest.mark.parametrize(("code", "bit"), [(-113, 5), (-222, 4), (-350, 3), (-410, 2), (77, 3)])
def test_an_error_sets_its_event(code: int, bit: int) -> None:
    status = Status(events=0)
    status.error(code)
    assert status.events == 1 << bit


def test_the_status_byte_sums_up() -> None:
    status = Status(events=0)
    assert status.byte() == 0
    status.error(-113)
    assert status.byte() == 0x04
    status.event_enable = 0x20
    assert status.byte() == 0x24
    status.service_enable = 0x20
    assert status.byte(message=True) == 0x74
    assert status.take_events() == 0x20
    assert status.byte() == 0x04
    status.questionable.enable = 1
    status.questionable.set(1)
    status.operation.enable = 0x20
    status.operation.set(0x20)
    assert status.byte() == 0x8C
    status.clear()
    assert status.byte() == 0
    assert status.questionable.condition == 1


def test_transitions_filter_events() -> None:
    register = Register(positive=0, negative=1)
    register.set(3)
    assert register.event == 0
    register.set(2)
    assert (register.take(), register.take()) == (1, 0)
    register.preset()
    assert (register.positive, register.negative, register.enable) == (0x7FFF, 0, 0)


# --- client --------------------------------------------------------------------------------------------


def test_a_query_waits_for_its_answer_and_a_command_does_not() -> None:
    client = ScpiClient(ScpiSettings(pause=ms(30)))
    client.send("VOLT 5;CURR 2", now=0)
    assert client.take_output() == b"VOLT 5;CURR 2\n"
    client.send("MEAS:VOLT?;CURR?", now=0)
    assert client.take_output() == b""
    client.wake(ms(30))
    assert client.take_output() == b"MEAS:VOLT?;CURR?\n"
    client.receive(b"48.00V;20.00 A\r", ms(60))
    client.receive(b"\n", ms(61))
    [answer] = client.take_events()
    assert isinstance(answer, Answer)
    assert (answer.parts, answer.number, answer.at) == (("48.00V", "20.00 A"), 48.0, ms(61))
    assert client.idle


def test_after_silence_the_error_is_asked() -> None:
    client = ScpiClient()
    client.send("FOO?", now=0)
    client.take_output()
    client.wake(client.next_deadline() or 0)
    [event] = client.take_events()
    assert isinstance(event, NoAnswer)
    assert client.take_output() == b"SYST:ERR?\n"
    client.wake(client.next_deadline() or 0)
    assert client.take_output() == b""
    assert client.idle


def test_lines_that_nobody_asked_for_are_told() -> None:
    client = ScpiClient()
    client.receive(b"hello\n" + b"x" * 2000 + b"\n", 0)
    assert client.take_events() == [Unasked("hello", 0), Unasked("", 0)]


def test_what_is_left_of_a_spoilt_line_is_no_answer() -> None:
    client = ScpiClient()
    client.send("MEAS:VOLT?", now=0)
    client.receive(b"4", ms(1), "parity")
    client.receive(b"8.00V\n", ms(2))
    assert client.take_events() == []
    client.receive(b"garb\n", ms(3), "parity")
    client.receive(b"48.00V\n", ms(4))
    [answer] = client.take_events()
    assert isinstance(answer, Answer)
    assert answer.number == 48.0


def test_a_late_answer_is_not_taken_for_that_to_the_next_query() -> None:
    client = ScpiClient()
    client.send("MEAS:VOLT?", now=0)
    client.send("MEAS:CURR?", now=0)
    client.wake(s(2))
    client.receive(b"48.00V\n", s(2) + ms(100))
    client.receive(b'0,"No error"\n', s(2) + ms(110))
    client.receive(b"2.00A\n", s(2) + ms(200))
    told = client.take_events()
    assert Unasked("48.00V", s(2) + ms(100)) in told
    answers = [(each.line.text, each.text) for each in told if isinstance(each, Answer)]
    assert answers == [("SYST:ERR?", '0,"No error"'), ("MEAS:CURR?", "2.00A")]


def test_an_instrument_that_was_silent_is_believed_once_its_error_queue_has_answered() -> None:
    client, now, told = ScpiClient(), 0, []
    client.send("MEAS:VOLT?", now=now)
    for _ in range(2):  # the query and the question after the error
        now = client.next_deadline() or 0
        client.wake(now)
    client.send("MEAS:CURR?", now=now + ms(50))
    client.receive(b"48.00V\n", now + ms(60))
    client.receive(b'0,"No error"\n', now + ms(70))
    client.receive(b"2.00A\n", now + ms(80))
    client.wake(client.next_deadline() or 0)
    client.receive(b'0,"No error"\n', now + s(3))
    client.send("MEAS:CURR?", now=now + s(4))
    client.receive(b'0,"No error"\n', now + s(4) + ms(10))
    client.receive(b"3.00A\n", now + s(4) + ms(20))
    told += [(each.line.text, each.text) for each in client.take_events() if isinstance(each, Answer)]
    assert told == [("SYST:ERR?", '0,"No error"'), ("MEAS:CURR?", "3.00A")]


def test_a_line_end_in_a_line_is_refused() -> None:
    with pytest.raises(CodecError):
        ScpiClient().send("VOLT 5\n", now=0)


def test_a_hundred_thousand_mutated_lines_neither_stop_nor_grow_the_client() -> None:
    rng = random.Random(2)
    client, now, answers = ScpiClient(), 0, 0
    for number_ in range(100_000):
        now += rng.choice((0, ms(5), ms(500)))
        if client.idle:
            client.send(rng.choice(("MEAS:VOLT?", "VOLT 5", "*IDN?")), now=now)
        line = bytearray(rng.choice((b"48.00V\n", b'0,"No error"\r\n', b"A,B,C\n", b"1;2;3\n")))
        for _ in range(rng.randrange(3)):
            line[rng.randrange(len(line))] = rng.randrange(256)
        client.receive(bytes(line), now, "parity" if number_ % 70 == 0 else "")
        client.take_output()
        for event in client.take_events():
            answers += isinstance(event, Answer) and event.number is not None
    assert answers > 1000
    client.receive(b"\n", now + s(10))
    client.wake(now + s(14))  # whatever was asked last has been given up
    client.send("SYST:ERR?", now=now + s(16))
    client.receive(b'0,"No error"\n', now + s(16) + ms(1))
    client.take_events()
    client.send("*IDN?", now=now + s(20))
    client.receive(b"A,B,C,D\n", now + s(20) + ms(1))
    assert any(isinstance(event, Answer) and event.text == "A,B,C,D" for event in client.take_events())
