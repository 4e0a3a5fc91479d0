"""The bench of a DL/T 645 meter: what it makes of answers, and that it blames no meter for its habits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from hil.bench.dlt645 import LINE, READER, MeterBench
from hil.bench.judge import Inconclusive, Judge
from hil.bench.opening import kind_of
from hil.bench.setup import MeterPlace, Setup
from hil.bus.serial import SerialFormat
from hil.conformance.catalogue import requirements
from hil.conformance.register import resolve
from hil.conformance.verdict import Measurement, Verdict
from hil.dut.dlt645 import SINGLE_PHASE, reference
from hil.dut.faults import Edit
from hil.errors import RigError, UsageError
from hil.protocol.dlt645 import Access, ErrorWord, Frame, Function, di_bytes
from hil.qualify.suite import suite_cases
from hil.rig import load_rig
from hil.units import Instant, ms
from hil.world.observation import BytesSeen, Observation
from hil.world.plan import Advance, Command, Do, Reply, Tell

RUNS = [
    (requirement, variant)
    for requirement in requirements().values()
    if requirement.suite == "dlt645"
    for variant in requirement.variants or (None,)
]
ENERGY, VOLTAGE = 0x00010000, 0x02010100


def opened(edit: Edit = lambda spec: spec, model: str = "") -> MeterBench:
    kind, setup = kind_of("dlt645"), Setup(seed=1, readings=resolve({}), model=model)
    bench = kind.bench(kind.build(setup, {"dlt645": edit}), setup, Judge(), lambda seen: None)
    assert isinstance(bench, MeterBench)
    return bench


def last(bench: MeterBench) -> Measurement:
    return bench.judge.measurements[-1]


# --- where a rig's meter is ---------------------------------------------------------------------------

RIG = """
schema = 1
name = "meter"
kind = "live"
[dut]
name = "meter"
address = "123456789012"
password = "246810"
password_level = 4
operator = "00000042"
[ports.rs485]
type = "serial"
url = "loop://"
baud = 9600
parity = "N"
[roles]
meter = "rs485"
"""


def test_a_rigs_meter_is_asked_by_its_address_with_its_password_in_its_format(tmp_path: Path) -> None:
    path = tmp_path / "meter.toml"
    path.write_text(RIG, encoding="utf-8")
    place = MeterPlace.of(load_rig(path))
    assert place.format == SerialFormat(9600, parity="N")
    kind, setup = kind_of("dlt645"), Setup(seed=1, readings=resolve({}), meter=replace(place, format=None))
    bench = kind.bench(kind.build(setup, {}), setup, Judge(), lambda seen: None)
    assert isinstance(bench, MeterBench)

    assert bench.address == "123456789012"
    assert bench.access.block.hex() == "0410682442000000"
    asked = bench.order(Function.CLEAR_DEMAND, bench.access.block)
    bench.expect_done("cleared", asked, Function.CLEAR_DEMAND)
    assert bench.judge.verdict is Verdict.PASS
    wrong = bench.order(Function.CLEAR_DEMAND, Access().block)
    assert wrong.frame is not None
    assert wrong.frame.is_error


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('password = "12345"', '[dut] password = "12345": allowed is six digits'),
        ('operator = "x"', '[dut] operator = "x": allowed is eight digits'),
        ("password_level = 256", "[dut] password_level = 256: allowed is an integer from 0 to 255"),
    ],
)
def test_a_password_that_no_meter_has_is_refused(line: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "meter.toml"
    key = line.partition(" ")[0]
    rows = [row for row in RIG.splitlines() if not row.startswith(f"{key} ")]
    path.write_text("\n".join(rows).replace("[dut]", f"[dut]\n{line}"), encoding="utf-8")
    with pytest.raises(RigError, match=re.escape(told)):
        load_rig(path)


# --- meters that do what real ones do -----------------------------------------------------------------

HABITS: dict[str, Edit] = {
    "sends no wake-up bytes": lambda m: m.but(wake=0),
    "is slow": lambda m: m.but(answer_delay=ms(450)),
    "fills with FF what it lacks": lambda m: m.but(lacking=frozenset({0x02800002, 0x02030100}), fills=True),
    "lacks items": lambda m: m.but(lacking=frozenset({0x00020000, 0x02060000, 0x04000402})),
    "has one phase": lambda m: m.but(measured=SINGLE_PHASE),
    "has a fixed baud rate": lambda m: m.refusing(Function.CHANGE_BAUD, ErrorWord.BAUD_FIXED),
    "has few tariffs": lambda m: m.but(tariffs=2),
    "keeps its address": lambda m: m.without(Function.WRITE_ADDRESS),
    "neither freezes nor has an output": lambda m: m.refusing(Function.FREEZE, ErrorWord.OTHER).refusing(
        Function.OUTPUT, ErrorWord.OTHER
    ),
    "has another number and address": lambda m: m.but(number="000000012345", address="123456789012"),
    "puts little into a frame": lambda m: m.but(room=60),
}


@pytest.mark.parametrize("habit", HABITS)
def test_no_meter_is_blamed_for_its_habits(habit: str) -> None:
    blamed: list[str] = []
    for requirement, variant in RUNS:
        bench = opened(HABITS[habit], requirement.model(variant))
        bench.address = HABITS[habit](reference()).address
        try:
            suite_cases()[requirement.id](bench, variant)
        except Inconclusive:
            continue
        if bench.judge.verdict is not Verdict.PASS:
            blamed.append(f"{requirement.id}[{variant}] {bench.judge.decisive}")
    assert blamed == []


def test_another_baud_rate_than_the_lines_is_asked_for() -> None:
    bench = opened(lambda m: m.refusing(Function.CHANGE_BAUD, ErrorWord.BAUD_FIXED))
    bench.line_format = SerialFormat(4800, parity="E")
    suite_cases()["DLT645/BR.01"](bench, None)
    asked = b"".join(each.data for each in bench.record.bytes_on(LINE, sender=READER))
    assert bytes.fromhex("68 17 01 53") in asked, "9600 baud, as 4800 are spoken already"


# --- asking -------------------------------------------------------------------------------------------


def test_an_answer_is_told_with_its_bytes_and_its_delay() -> None:
    asked = opened().read(VOLTAGE)
    assert asked.control == "91"
    assert asked.data == di_bytes(VOLTAGE) + bytes.fromhex("00 23")
    assert (asked.wake, asked.delay, asked.lacks) == (4, ms(50), False)
    assert asked.raw.hex(" ").upper().endswith(asked.text[-2:])


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda m: m.silent_on(Function.READ), "no answer"),
        (lambda m: m.but(check_offset=1), "checksum FE FE FE FE 68"),
        (lambda m: m.but(end=0x17), "end FE FE FE FE 68"),
    ],
)
def test_what_is_no_frame_is_told_as_what_it_is(edit: Edit, told: str) -> None:
    asked = opened(edit).read(VOLTAGE)
    assert asked.frame is None
    assert asked.control.startswith(told)
    assert (asked.data, asked.lacks) == (b"", False)


def test_a_meter_may_lack_an_item_in_two_ways() -> None:
    for fills in (False, True):
        bench = opened(lambda m, fills=fills: m.but(lacking=frozenset({VOLTAGE}), fills=fills))  # type: ignore[misc]  # binds the loop's value
        assert bench.read(VOLTAGE).lacks
        assert bench.expect_values("voltage", VOLTAGE) == []
        assert bench.judge.verdict is Verdict.NONE, "nothing is judged"
        with pytest.raises(Inconclusive, match="the meter does not tell 02010100"):
            suite_cases()["DLT645/RD.01"](bench, f"{VOLTAGE:08X}")


# --- judging ------------------------------------------------------------------------------------------


def test_a_value_out_of_its_format_is_a_failure_with_the_reason() -> None:
    bench = opened(lambda m: m.saying(VOLTAGE, b"\x0e\x22"))
    bench.expect_values("voltage", VOLTAGE)
    assert (last(bench).verdict, last(bench).note) == (Verdict.FAIL, "220E is no BCD")


def test_an_answer_of_another_meter_is_a_failure() -> None:
    bench = opened(lambda m: m.but(address="000000000999", answers_strangers=True))
    assert not bench.expect_answer("answer", bench.read(ENERGY), Function.READ)
    assert (last(bench).value, last(bench).verdict) == ("000000000999", Verdict.FAIL)


def test_an_error_word_is_judged_by_its_bit() -> None:
    for error, verdict in ((ErrorWord.OTHER, Verdict.FAIL), (ErrorWord.NO_SUCH_DATA, Verdict.PASS)):
        bench = opened(lambda m, error=error: m.refusing(Function.READ, error))  # type: ignore[misc]  # binds the loop's value
        bench.expect_refusal("refused", bench.read(ENERGY), Function.READ, ErrorWord.NO_SUCH_DATA)
        assert last(bench).verdict is verdict


def test_silence_is_silence() -> None:
    bench = opened()
    bench.expect_silence("a good request", bench.request(Function.READ, di_bytes(ENERGY)).encode())
    assert bench.judge.measurements[0].verdict is Verdict.FAIL
    assert str(bench.judge.measurements[0].value).startswith("FE FE FE FE 68 61 01")


def test_models_are_known_by_name() -> None:
    with pytest.raises(UsageError, match="'huge' of the reference meter; there are tariffs"):
        opened(model="huge")


# --- a live line --------------------------------------------------------------------------------------


class LiveLine:
    """A world behind a two-wire adapter that hears itself: no chunk but the bench's own has a sender."""

    def __init__(self, *chunks: bytes) -> None:
        self.now: Instant = ms(1)
        self.chunks = chunks

    def execute(self, command: Command) -> Reply:
        if isinstance(command, Advance):
            self.now = command.until
            return Reply(self.now, None, [])
        assert isinstance(command, Do)
        [order] = command.actions
        assert isinstance(order, Tell)
        data = bytes.fromhex(str(order.arguments["data"]))
        seen: list[Observation] = [BytesSeen(self.now + ms(90), LINE, READER, data, self.now)]
        at = self.now + ms(91)
        for chunk in (data[:5], data[5:], *self.chunks):
            seen.append(BytesSeen(at + ms(5), LINE, "", chunk, at))
            at += ms(40)
        return Reply(self.now, None, seen)


def test_the_echo_of_an_adapter_is_no_answer() -> None:
    right = Frame("000000000161", 0x91, bytes.fromhex("0000010026000000")).encode()
    for chunks, control in (((), "no answer"), ((right,), "91"), ((right[:7], right[7:]), "91")):
        line_format = SerialFormat(2400, parity="E")
        bench = MeterBench(LiveLine(*chunks), Judge(), {}, address="000000000161", line_format=line_format)
        asked = bench.read(ENERGY)
        assert asked.control == control
        assert asked.raw == b"".join(chunks)
        assert asked.delay == (ms(81) if chunks else None)
