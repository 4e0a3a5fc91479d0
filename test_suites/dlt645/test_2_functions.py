"""What a meter tells and does (sheet serial, 2.2 and 2.3)."""

from __future__ import annotations

from hil.cases import AcPhase, MeterBench, requirement, s
from hil.protocol.dlt645 import (
    BAUD_RATES,
    BROADCAST,
    MAX_DATA,
    MORE,
    ErrorWord,
    Function,
    decode_values,
    di_bytes,
    freeze_data,
    item,
)

CHARGED = s(60)
MEASURED = {
    "energy": (0x00010000, "meter_energy", 1.0),
    "combined": (0x00000000, "meter_energy", 1.0),
    "voltage": (0x02010100, "mains_voltage", 1.0),
    "current": (0x02020100, "line_current", 1.0),
    "power": (0x02030000, "meter_power", 1000.0),
}
"""Item, the plant's signal, and the item's unit in the signal's."""
BLOCKS = {
    "voltage": (0x0201FF00, 0x02010100, 3),
    "current": (0x0202FF00, 0x02020100, 3),
    "energy": (0x0001FF00, 0x00010000, None),
}
"""Block, its first item, and how many values it has; a meter has tariffs of its own."""
ENERGIES, NUMBER, DATE, TIME, UNKNOWN = 0x0001FF00, 0x04000402, 0x04000101, 0x04000102, 0x0F0F0F0F
WRONG_PASSWORD, OPERATOR = bytes.fromhex("02 98 76 54"), bytes.fromhex("01 00 00 00")
OTHER_NUMBER = bytes.fromhex("06 05 04 03 02 01")
MOMENT = bytes.fromhex("51 22 10 05 06 26")
"""2026-06-05 10:22:51."""
LATE = 5
"""Seconds that setting and reading the clock take at most."""
OTHER_BAUDS, NO_BAUD = (0x10, 0x20), 0x03
"""One that is not the line's is taken; two bits are no rate."""
ENERGY = 0x00010000
BROADCASTS = {
    "read": (Function.READ, di_bytes(ENERGY)),
    "freeze": (Function.FREEZE, freeze_data()),
    "output": (Function.OUTPUT, b"\x00"),
}
MORE_TO_READ = {"count": b"\x01", "moment": bytes.fromhex("01 22 10 05 06 26")}
"""Number of blocks, and mm hh DD MM YY."""


@requirement("DLT645/RD.01")
def test_RD_01(bench: MeterBench, variant: str) -> None:
    """TP: an item is answered in its format; one that the meter says it lacks is not judged."""
    bench.assume(bool(bench.expect_values(variant, int(variant, 16))), f"the meter does not tell {variant}")


@requirement("DLT645/RD.02")
def test_RD_02(bench: MeterBench, variant: str) -> None:
    """TP: energy, voltage, current and power are those of the load."""
    di, signal, factor = MEASURED[variant]
    bench.reach(AcPhase.CHARGING)
    bench.let(CHARGED)
    start = bench.now
    values = bench.expect_values(variant, di)
    known = item(di)
    number = values[0].number if values else None
    bench.assume(number is not None and known is not None, f"the meter does not tell {variant}")
    if number is not None and known is not None:
        step = factor / 10**known.decimals
        bench.expect_told(variant, number * factor, signal, after=start, until=bench.now, step=step)


@requirement("DLT645/RD.03")
def test_RD_03(bench: MeterBench, variant: str) -> None:
    """TP: a block has the values of its three phases, or the total and all tariffs, the first item's at its head."""
    block, single, count = BLOCKS[variant]
    bench.reach(AcPhase.CHARGING)
    if count is None:  # what is counted stands still while it is compared
        bench.vehicle.want(False)
        bench.let(s(5))
    values = bench.expect_values("block", block)
    first = bench.expect_values("first item", single)
    bench.assume(bool(values and first), f"the meter does not tell the block or the first item of {variant}")
    if count is not None:
        bench.check("values", len(values), equals=count, at=bench.now)
    bench.check("first value", values[0].text, equals=first[0].text, at=bench.now)


@requirement("DLT645/FF.01")
def test_FF_01(bench: MeterBench) -> None:
    """TP: what does not fit one frame is read with following frames, each with its number."""
    asked = bench.read(ENERGIES)
    if asked.frame is None:
        bench.check("first answer", asked.text, equals="a frame", at=asked.at)
        return
    bench.assume(asked.frame.more, "all that the meter has fits one frame")
    begin = asked.data[:4].hex()
    bench.check("first answer, identifier", begin, equals=di_bytes(ENERGIES).hex(), at=asked.at, note=asked.text)
    data, number, more = asked.data[4:], 0, True
    while more:
        number += 1
        due = di_bytes(ENERGIES) + bytes((number,))
        asked = bench.ask(bench.request(Function.READ_FOLLOWING, due))
        control = int(asked.control, 16) & ~MORE if asked.frame is not None else -1
        bench.check(f"answer {number}", control, equals=Function.READ_FOLLOWING | 0x80, at=asked.at, note=asked.text)
        told = asked.data[:4] + asked.data[-1:]
        bench.check(f"answer {number}, identifier and number", told.hex(), equals=due.hex(), at=asked.at)
        bench.check(f"answer {number}, data bytes", len(asked.data), low=6, high=MAX_DATA, at=asked.at)
        data += asked.data[4:-1]
        more = told == due and asked.frame is not None and asked.frame.more
    known = item(ENERGIES)
    values = [] if known is None else decode_values(known, data)
    flaws = [each.flaw for each in values if each.flaw]
    bench.check("values", len(values), low=2, at=bench.now)
    bench.check("values without a flaw", not flaws, equals=True, at=bench.now, note="; ".join(flaws[:2]))


@requirement("DLT645/ER.01")
def test_ER_01(bench: MeterBench) -> None:
    """TP: an item that the meter lacks is answered by the error word's bit 1, or filled with FF."""
    asked = bench.read(UNKNOWN)
    bench.check("no such data", asked.lacks, equals=True, at=asked.at, note=asked.text)
    bench.expect_served("the next request")


@requirement("DLT645/ER.02")
def test_ER_02(bench: MeterBench) -> None:
    """TP: a write with a wrong password is answered by the error word's bit 2, and changes nothing."""
    before = bench.read(NUMBER).data
    request = di_bytes(NUMBER) + WRONG_PASSWORD + OPERATOR + OTHER_NUMBER
    asked = bench.ask(bench.request(Function.WRITE, request))
    bench.expect_refusal("wrong password", asked, Function.WRITE, ErrorWord.NOT_AUTHORISED)
    bench.check("number kept", bench.read(NUMBER).data.hex(), equals=before.hex(), at=bench.now)


@requirement("DLT645/BC.01")
def test_BC_01(bench: MeterBench) -> None:
    """TP: a broadcast time, seconds first, sets the clock and is not answered."""
    data = bench.request(Function.BROADCAST_TIME, MOMENT, address=BROADCAST).encode()
    bench.expect_silence("broadcast", data)
    date, time = bench.read(DATE).data[4:], bench.read(TIME).data[4:]
    bench.check("date", date[1:].hex(), equals=MOMENT[3:].hex(), at=bench.now)
    told = _seconds(time)
    bench.check("time after the one that was set", told - _seconds(MOMENT[:3]), low=0, high=LATE, unit="s")


def _seconds(digits: bytes) -> int:
    """Seconds of the day in ``ss mm hh``; a day less where they are none."""
    if len(digits) != 3 or not digits.hex().isdigit():
        return -86_400
    second, minute, hour = (int(f"{byte:02x}") for byte in digits)
    return hour * 3600 + minute * 60 + second


@requirement("DLT645/BR.01")
def test_BR_01(bench: MeterBench) -> None:
    """TP: a meter repeats the byte of a baud rate and then speaks it, or says by bit 3 that its own is fixed."""
    other = next(code for code in OTHER_BAUDS if BAUD_RATES[code] != bench.line_format.baud)
    asked = bench.ask(bench.request(Function.CHANGE_BAUD, bytes((other,))))
    if asked.frame is not None and asked.frame.is_error:
        bench.expect_refusal("fixed", asked, Function.CHANGE_BAUD, ErrorWord.BAUD_FIXED)
        return
    bench.expect_answer("answer", asked, Function.CHANGE_BAUD, bytes((other,)))
    bench.speak(BAUD_RATES[other])
    bench.let(s(1))
    bench.expect_served(f"at {BAUD_RATES[other]} baud")
    usual = next((code for code, baud in BAUD_RATES.items() if baud == bench.line_format.baud), None)
    bench.assume(usual is not None, f"no code for the line's {bench.line_format.baud} baud")
    bench.order(Function.CHANGE_BAUD, bytes((usual or 0,)))
    bench.speak(bench.line_format.baud)


@requirement("DLT645/BR.02")
def test_BR_02(bench: MeterBench) -> None:
    """TP: a baud rate that does not exist is refused by bit 3, and the meter goes on at its own."""
    asked = bench.order(Function.CHANGE_BAUD, bytes((NO_BAUD,)))
    bench.expect_refusal("no such rate", asked, Function.CHANGE_BAUD, ErrorWord.BAUD_FIXED)
    bench.expect_served("at the same baud rate")


@requirement("DLT645/BC.02")
def test_BC_02(bench: MeterBench, variant: str) -> None:
    """TP: whatever the function, a broadcast is not answered."""
    function, data = BROADCASTS[variant]
    bench.expect_silence(variant, bench.request(function, data, address=BROADCAST).encode())


@requirement("DLT645/RD.04")
def test_RD_04(bench: MeterBench, variant: str) -> None:
    """TP: a read with a number of blocks, with a moment or without, is answered: by the item or by an error."""
    asked = bench.order(Function.READ, di_bytes(ENERGY) + MORE_TO_READ[variant])
    if asked.frame is not None and asked.frame.is_error:
        bench.expect_refusal("refused", asked, Function.READ)
        return
    bench.expect_answer("answer", asked, Function.READ, di_bytes(ENERGY))
