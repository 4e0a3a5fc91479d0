"""The reference meter: what it answers, what it keeps silent about, what its faults change."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from hil.bus.bytefaults import ParityError
from hil.dut.dlt645 import SINGLE_PHASE, Meter, MeterSpec, Source
from hil.errors import UsageError
from hil.protocol.dlt645 import Frame, Framer, Function
from hil.units import Instant, ms, s
from hil.world.bytenode import Send
from hil.world.observation import BytesSeen, Note
from hil.world.plan import Inject, Tell

if TYPE_CHECKING:
    Bench = Any
    Make = Any

OTHER, NO_DATA, NOT_AUTHORISED, BAUD_FIXED = 1, 2, 4, 8
BLOCK = "02000000" + "01020304"
"""PA P0 P1 P2 and an operator's code."""


# --- reading -------------------------------------------------------------------------------------------


def test_the_sheets_frames_are_answered_as_in_the_sheet(bench: Bench) -> None:
    answer = bench.raw("68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16")
    assert answer == "FE FE FE FE 68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16"


def test_the_address_is_told_to_the_wildcard(bench: Bench) -> None:
    note = bench.ask(Function.READ_ADDRESS, address="A" * 12)
    assert (note.what, note.details["address"], note.details["data"]) == ("answer 13", "000000000161", "610100000000")


@pytest.mark.parametrize(
    ("di", "value"),
    [
        (0x00000000, 0.26),
        (0x00010000, 0.26),
        (0x00010100, 0.26),
        (0x00010200, "refused 00010200"),
        (0x02010100, 220.5),
        (0x02020100, 7.125),
        (0x02030000, 1.5711),
        (0x02800002, 50.0),
        (0x02010200, "refused 02010200"),
        (0x00010001, 0.0),
        (0x04000401, "000000000161"),
        (0x04000402, "000000000161"),
        (0x04000404, "220V"),
        (0x04000101, "20010103"),
        (0x0001FF00, 0.26),
        (0x0201FF00, 220.5),
        (0x12345678, "refused 12345678"),
    ],
)
def test_an_item_is_what_the_plant_is(bench: Bench, di: int, value: float | str) -> None:
    assert bench.read(di) == value


def test_a_negative_value_and_one_that_does_not_fit(bench: Bench) -> None:
    bench.values |= {"line_current": -7.125, "mains_voltage": 1000.0}
    assert bench.read(0x02020100) == -7.125
    assert bench.read(0x02010100) == "FFFF"


def test_phases_that_are_not_there_are_filled(bench: Bench) -> None:
    bench.read(0x0201FF00)
    assert bench.notes()[-1].details["values"] == "220.5 FFFF FFFF"


def test_three_phases_share_the_power(make: Make) -> None:
    bench = make(MeterSpec())
    bench.read(0x0201FF00)
    bench.read(0x0202FF00)
    assert [note.details["values"] for note in bench.notes()] == ["220.5 220.5 220.5", "7.125 7.125 7.125"]
    assert [bench.read(di) for di in (0x02030000, 0x02030100, 0x02030300)] == [1.5711, 0.5237, 0.5237]


def test_many_tariffs_take_several_frames(make: Make) -> None:
    bench = make(MeterSpec(tariffs=63))
    bench.read(0x0001FF00)
    note = bench.notes()[-1]
    assert (note.details["parts"], len(str(note.details["values"]).split())) == (2, 64)


def test_its_answer_begins_after_its_delay(bench: Bench) -> None:
    bench.read(0x02010100)
    request, answer = [each for each in bench.seen if isinstance(each, BytesSeen)]
    assert answer.started - request.t == ms(50)


def test_an_echo_on_the_line_disturbs_nobody(make: Make) -> None:
    bench = make(echo=True)
    assert bench.read(0x02010100) == 220.5
    assert bench.read(0x02020100) == 7.125


# --- silence -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        "68 61 01 00 00 00 00 68 11 04 33 33 34 33 15 16",
        "68 62 01 00 00 00 00 68 11 04 33 33 34 33 15 16",
        "68 61 01 00 00 00 00 68 91 04 33 33 34 33 94 16",
        "68 99 99 99 99 99 99 68 11 04 33 33 34 33 E8 16",
        "68 99 99 99 99 99 99 68 08 06 84 55 43 38 39 4A 4B 16",
        "68 61 01 00 00 00 00 68 1F 00 51 16",
        "68 61 01 00 00 00 00 68 13 00 45 16",
        "68 61 01 00",
        "FE FE FE FE",
    ],
)
def test_what_is_dropped_in_silence(bench: Bench, raw: str) -> None:
    assert bench.raw(raw) == ""
    assert bench.read(0x02010100) == 220.5


def test_a_parity_error_is_dropped_in_silence(bench: Bench) -> None:
    bench.do(Inject(ParityError(name="p", sender="reader", at=8, count=1), "rs485"))
    assert bench.read(0x02010100) == "no answer 02010100"
    assert bench.read(0x02010100) == 220.5


# --- writing and the rest ------------------------------------------------------------------------------


def test_a_broadcast_sets_the_clock(bench: Bench) -> None:
    bench.tell("time", moment="2017-06-05T10:22:51")
    bench.run(s(60))
    assert bench.notes() == []
    assert (bench.read(0x04000101), bench.read(0x04000102)) == ("17060501", "102353")


@pytest.mark.parametrize(
    ("function", "data", "what", "error"),
    [
        (Function.WRITE, "02040004" + BLOCK + "123456789012", "answer 14", None),
        (Function.WRITE, "02040004" + "02000001" + "01020304" + "123456789012", "refused 14", NOT_AUTHORISED),
        (Function.WRITE, "02040004" + BLOCK + "1234", "refused 14", NO_DATA),
        (Function.WRITE, "00010102" + BLOCK + "0522", "refused 14", NO_DATA),
        (Function.WRITE, "02040004", "refused 14", OTHER),
        (Function.WRITE, "02040004" + BLOCK + "00" * 40, "refused 14", OTHER),
        (Function.SECURITY, "00" * 8, "refused 03", OTHER),
        (Function.WRITE_ADDRESS, "123456789012", "answer 15", None),
        (Function.WRITE_ADDRESS, "1234567890AA", "refused 15", OTHER),
        (Function.FREEZE, "00300506", "answer 16", None),
        (Function.FREEZE, "00", "refused 16", OTHER),
        (Function.CHANGE_BAUD, "20", "answer 17", None),
        (Function.CHANGE_BAUD, "03", "refused 17", BAUD_FIXED),
        (Function.CHANGE_PASSWORD, "010C0004" + "02000000" + "02123456", "answer 18", None),
        (Function.CHANGE_PASSWORD, "010C0004" + "02000001" + "02123456", "refused 18", NOT_AUTHORISED),
        (Function.CLEAR_DEMAND, BLOCK, "answer 19", None),
        (Function.CLEAR_METER, "02" + "00" * 6, "refused 1A", NOT_AUTHORISED),
        (Function.CLEAR_EVENTS, BLOCK + "FFFFFFFF", "answer 1B", None),
        (Function.RELAY, BLOCK + "1A00" + "000000010130", "answer 1C", None),
        (Function.RELAY, BLOCK + "1A00" + "000000010119", "refused 1C", OTHER),
        (Function.RELAY, BLOCK + "1900" + "000000010130", "refused 1C", OTHER),
        (Function.OUTPUT, "02", "answer 1D", None),
        (Function.OUTPUT, "03", "refused 1D", OTHER),
    ],
)
def test_a_function_is_carried_out_or_refused(
    bench: Bench, function: int, data: str, what: str, error: int | None
) -> None:
    note = bench.ask(function, data)
    assert (note.what, note.details.get("error")) == (what, error)


def test_what_is_written_is_read(bench: Bench) -> None:
    bench.ask(Function.WRITE, "02040004" + BLOCK + "123456789012")
    assert bench.read(0x04000402) == "129078563412"
    bench.ask(Function.WRITE, "01010004" + BLOCK + "01050617")
    bench.ask(Function.WRITE, "02010004" + BLOCK + "002210")
    assert (bench.read(0x04000101), str(bench.read(0x04000102))[:4]) == ("17060501", "1022")


def test_a_new_address_counts_at_once(bench: Bench) -> None:
    note = bench.ask(Function.WRITE_ADDRESS, "123456789012")
    assert (note.what, note.details["address"]) == ("answer 15", "129078563412")
    assert bench.ask(Function.READ, "00000100", address="129078563412").what == "answer 00010000"


def test_a_new_password_is_needed_then(bench: Bench) -> None:
    bench.ask(Function.CHANGE_PASSWORD, "010C0004" + "02000000" + "02123456")
    assert bench.ask(Function.CLEAR_DEMAND, BLOCK).details["error"] == NOT_AUTHORISED
    assert bench.ask(Function.CLEAR_DEMAND, "0212345601020304").what == "answer 19"


def test_a_new_baud_rate_counts_after_the_answer(bench: Bench) -> None:
    assert bench.ask(Function.CHANGE_BAUD, "20").what == "answer 17"
    assert Note(bench.notes("meter")[0].t, "meter", "baud", {"baud": 9600}) in bench.seen
    assert bench.read(0x02010100) == "no answer 02010100"
    bench.tell("format", baud=9600)
    assert bench.read(0x02010100) == 220.5


def test_a_freeze_keeps_the_energies(bench: Bench) -> None:
    bench.ask(Function.FREEZE, "99999999")
    bench.values["meter_energy"] = 5.0
    assert (bench.read(0x00010000), bench.read(0x00010001)) == (5.0, 0.26)


def test_clearing_counts_from_0(bench: Bench) -> None:
    bench.values["meter_energy"] = 5.0
    bench.ask(Function.CLEAR_METER, BLOCK)
    bench.values["meter_energy"] = 7.5
    assert bench.read(0x00010000) == 2.5


def test_a_relay_command_reaches_the_plant_and_the_notes(bench: Bench) -> None:
    acted: list[tuple[str, float]] = []
    bench.runner._actuate = lambda name, value: acted.append((name, value))
    for command in ("1A", "1B", "1C"):
        bench.ask(Function.RELAY, BLOCK + command + "00" + "000000010130")
    assert acted == [("supply_relay", 0.0), ("supply_relay", 1.0)]
    assert [note.details["command"] for note in bench.notes("meter")] == ["TRIP", "ALLOW_CLOSE", "CLOSE"]


# --- seeded-fault hooks --------------------------------------------------------------------------------

READ = "68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16"
GOOD = "FE FE FE FE 68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16"


@pytest.mark.parametrize(
    ("edit", "sent", "answered"),
    [
        ({"wake": 0}, READ, GOOD[12:]),
        ({"check_offset": 1}, READ, GOOD[:-5] + "8B 16"),
        ({"end": 0x17}, READ, GOOD[:-2] + "17"),
        ({"shift": 0}, READ, "FE FE FE FE 68 61 01 00 00 00 00 68 91 08 00 00 01 00 26 00 00 00 F2 16"),
        ({"answer_bit": False}, READ, GOOD.replace("91", "11").replace("8A", "0A")),
        ({"verify": False}, READ.replace("14 16", "15 16"), GOOD),
        ({"wildcard": False}, "68 AA AA AA AA AA AA 68 13 00 DF 16", ""),
        ({"answers_strangers": True}, "68 62 01 00 00 00 00 68 11 04 33 33 34 33 15 16", GOOD),
        ({"missing": frozenset({0x11})}, READ, ""),
        ({"mute": frozenset({0x11})}, READ, ""),
        ({"high_first": True}, READ, "FE FE FE FE 68 61 01 00 00 00 00 68 91 08 33 33 34 33 33 33 33 59 8A 16"),
        ({"lacking": frozenset({0x00010000})}, READ, "FE FE FE FE 68 61 01 00 00 00 00 68 D1 01 35 39 16"),
    ],
)
def test_an_edit_of_the_spec_changes_this_meter(make: Make, edit: dict[str, Any], sent: str, answered: str) -> None:
    assert make(MeterSpec().but(**edit)).raw(sent) == answered


def test_other_edits(make: Make) -> None:
    spec = (
        MeterSpec(fills=True, unsigned=True, checks_password=False, stores=False, time_year_first=True)
        .but(measured=SINGLE_PHASE)
        .misreading(0x02010100, 1.02)
        .saying(0x02800002, b"\x0e\x50")
        .refusing(Function.FREEZE, 0x40)
        .without(Function.CLEAR_DEMAND)
        .silent_on(Function.OUTPUT)
    )
    bench = make(spec)
    bench.values["line_current"] = -7.125
    assert [bench.read(di) for di in (0x02010100, 0x02020100, 0x02800002, 0x02010200)] == [224.9, 7.125, "500E", "FFFF"]
    assert bench.ask(Function.FREEZE, "99999999").details["error"] == 0x40
    assert bench.ask(Function.CLEAR_DEMAND, BLOCK).what == "no answer 19"
    assert bench.ask(Function.OUTPUT, "00").what == "no answer 1D"
    assert bench.ask(Function.WRITE, "02040004" + "05111111" + "01020304" + "123456789012").what == "answer 14"
    assert bench.read(0x04000402) == "000000000161"


def test_a_meter_may_answer_what_none_may_answer(make: Make) -> None:
    bench = make(MeterSpec(answers_broadcast=True))
    assert bench.raw("68 99 99 99 99 99 99 68 08 06 84 55 43 38 39 4A 4B 16") != ""


def test_a_meter_may_believe_a_parity_error(make: Make) -> None:
    bench = make(MeterSpec(believes_flaws=True))
    bench.do(Inject(ParityError(name="p", sender="reader", at=8, count=1), "rs485"))
    assert bench.read(0x02010100) == 220.5


@pytest.mark.parametrize(
    "make_spec",
    [
        lambda: MeterSpec(address="12"),
        lambda: MeterSpec().without(0x1E),
        lambda: MeterSpec().misreading(0x12345678, 2),
        lambda: MeterSpec(measured={0x99999999: Source("mains_voltage")}),
    ],
)
def test_a_spec_that_means_nothing_is_refused(make_spec: Any) -> None:
    with pytest.raises(UsageError):
        make_spec()


def test_a_meter_takes_no_orders(bench: Bench) -> None:
    with pytest.raises(UsageError, match="takes no orders"):
        bench.do(Tell("meter", "sing", {}))


def test_a_hundred_thousand_mutated_requests_neither_stop_nor_grow_the_meter() -> None:
    rng = random.Random(13)

    def sense(name: str, now: Instant) -> float:
        return rng.choice((0.0, 1e9, -5.0, 12.3))

    meter, now, answers = Meter("meter", "rs485", sense), 0, 0
    functions = [int(each) for each in Function]
    for number in range(100_000):
        now += rng.choice((ms(1), ms(60), ms(600)))
        data = rng.choice((b"\x00\x00\x01\x00", b"\x00\x01\x01\x02", b"\x00\xff\x01\x00", b""))
        data += rng.choice((b"", b"\x02\x00\x00\x00\x01\x02\x03\x04", rng.randbytes(rng.randrange(20))))
        address = rng.choice(("000000000161", "A" * 12, "9" * 12, "000000000162"))
        raw = bytearray(Frame(address, rng.choice(functions), data).encode(rng.randrange(5)))
        for _ in range(rng.randrange(2)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        meter.received("rs485", 0, bytes(raw), "parity" if number % 40 == 0 else "", now)
        meter.wake(now)
        answers += len(meter.wishes)
        for wishes in (meter.wishes, meter.notes, meter.actuations):
            wishes.clear()
        assert len(meter.registers.written) < 10
    assert answers > 10_000
    meter.wake(now + s(1))
    meter.wishes.clear()
    meter.received("rs485", 0, Frame("A" * 12, 0x13).encode(), "", now + s(2))
    meter.wake(now + s(3))
    [sent] = [wish for wish in meter.wishes if isinstance(wish, Send)]
    [frame] = Framer().feed(sent.data)
    assert isinstance(frame, Frame)
    assert frame.control == 0x93
