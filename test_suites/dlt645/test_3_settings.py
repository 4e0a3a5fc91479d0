"""What a meter lets itself be told: writing, addresses, freezes, clearing, the relay (sheet serial, 2.2)."""

from __future__ import annotations

from hil.cases import AcPhase, MeterBench, requirement, s
from hil.protocol.dlt645 import (
    ALL_EVENTS,
    EARLIEST,
    LATEST,
    Access,
    ErrorWord,
    Function,
    RelayCommand,
    decode_values,
    di_bytes,
    freeze_data,
    item,
    password_data,
    relay_data,
    write_data,
)

WRONG, NEW = Access("987654"), Access("135790")
ENERGY, NUMBER, UNKNOWN = 0x00010000, 0x04000402, 0x0F0F0F0F
OTHER_NUMBER, OTHER_ADDRESS = "010203040506", "000000009871"
FREEZES = {"now": freeze_data(), "daily": freeze_data(0, 0)}
CLEARED = {"demand": Function.CLEAR_DEMAND, "meter": Function.CLEAR_METER, "events": Function.CLEAR_EVENTS}
NO_COMMAND = 0x55
RELAY = {
    "trip": RelayCommand.TRIP,
    "allow-close": RelayCommand.ALLOW_CLOSE,
    "close": RelayCommand.CLOSE,
    "alarm": RelayCommand.ALARM,
    "alarm-off": RelayCommand.ALARM_OFF,
    "hold": RelayCommand.HOLD,
    "hold-off": RelayCommand.HOLD_OFF,
}
ENDS = {"trip": RelayCommand.ALLOW_CLOSE, "alarm": RelayCommand.ALARM_OFF, "hold": RelayCommand.HOLD_OFF}
"""What takes a command back."""
CHARGED = s(60)


@requirement("DLT645/WR.01")
def test_WR_01(bench: MeterBench) -> None:
    """TP: an item that is written with the right password is answered without data, and read as it was written."""
    before = bench.expect_values("number before", NUMBER)
    bench.assume(bool(before), "the meter has no number")
    asked = bench.order(Function.WRITE, write_data(NUMBER, bench.access, _digits(OTHER_NUMBER)))
    bench.expect_done("written", asked, Function.WRITE)
    after = bench.expect_values("number after", NUMBER)
    bench.check("number", after[0].text if after else "", equals=OTHER_NUMBER, at=bench.now)
    bench.order(Function.WRITE, write_data(NUMBER, bench.access, _digits(before[0].text)))


def _digits(text: str) -> bytes:
    """Lowest byte first."""
    return bytes.fromhex(text)[::-1]


@requirement("DLT645/WR.02")
def test_WR_02(bench: MeterBench) -> None:
    """TP: a write to an item that does not exist is answered by the error word's bit 1."""
    asked = bench.order(Function.WRITE, write_data(UNKNOWN, bench.access, bytes(4)))
    bench.expect_refusal("no such item", asked, Function.WRITE, ErrorWord.NO_SUCH_DATA)


@requirement("DLT645/AD.03")
def test_AD_03(bench: MeterBench) -> None:
    """TP: a meter that takes another address answers to it, and no more to its old one."""
    asked = bench.order(Function.WRITE_ADDRESS, _digits(OTHER_ADDRESS))
    bench.assume(bool(asked.raw), "the meter takes no other address, which it does not have to tell")
    bench.check("answer", asked.control, equals=f"{Function.WRITE_ADDRESS | 0x80:02X}", at=asked.at, note=asked.text)
    bench.expect_silence_of("old address", bench.request(Function.READ, di_bytes(ENERGY)).encode())
    again = bench.ask(bench.request(Function.READ, di_bytes(ENERGY), address=OTHER_ADDRESS))
    told = "" if again.frame is None else again.frame.address
    bench.check("new address", told, equals=OTHER_ADDRESS, at=again.at, note=again.text)
    bench.ask(bench.request(Function.WRITE_ADDRESS, _digits(bench.address), address=OTHER_ADDRESS))
    bench.expect_served("old address given back")


@requirement("DLT645/FZ.01")
def test_FZ_01(bench: MeterBench, variant: str) -> None:
    """TP: a freeze is answered without data, or refused."""
    asked = bench.order(Function.FREEZE, FREEZES[variant])
    if asked.frame is not None and asked.frame.is_error:
        bench.expect_refusal("refused", asked, Function.FREEZE)
        return
    bench.expect_done("frozen", asked, Function.FREEZE)


@requirement("DLT645/MF.01")
def test_MF_01(bench: MeterBench, variant: str) -> None:
    """TP: the answer for an output's function repeats the byte."""
    data = bytes.fromhex(variant)
    asked = bench.order(Function.OUTPUT, data)
    if asked.frame is not None and asked.frame.is_error:
        bench.expect_refusal("refused", asked, Function.OUTPUT)
        return
    bench.expect_done(f"output {variant}", asked, Function.OUTPUT, data)


@requirement("DLT645/PW.01")
def test_PW_01(bench: MeterBench) -> None:
    """TP: a change of the password with a wrong old one is refused, and the right one stays right."""
    # No source names the item of a password, so a meter may refuse for that reason as well: any bit counts.
    asked = bench.order(Function.CHANGE_PASSWORD, password_data(UNKNOWN, WRONG, NEW))
    bench.expect_refusal("wrong password", asked, Function.CHANGE_PASSWORD)
    bench.expect_served("the next request")


@requirement("DLT645/SE.01")
def test_SE_01(bench: MeterBench) -> None:
    """TP: a security authentication that means nothing is refused by an error word of one or two bytes."""
    asked = bench.order(Function.SECURITY, di_bytes(UNKNOWN) + bytes(8))
    bench.expect_refusal("refused", asked, Function.SECURITY)
    bench.expect_served("the next request")


# --- clearing -------------------------------------------------------------------------------------------


@requirement("DLT645/CL.01")
def test_CL_01(bench: MeterBench, variant: str) -> None:
    """TP: clearing with a wrong password is answered by the error word's bit 2, and changes no energy."""
    before = bench.read(ENERGY).data
    function = CLEARED[variant]
    asked = bench.order(function, WRONG.block + (ALL_EVENTS if variant == "events" else b""))
    bench.expect_refusal("wrong password", asked, function, ErrorWord.NOT_AUTHORISED)
    after = bench.read(ENERGY)
    bench.check("energy kept", after.data.hex(), equals=before.hex(), at=after.at)


@requirement("DLT645/CL.02")
def test_CL_02(bench: MeterBench, variant: str) -> None:
    """TP: clearing the demand or the events with the right password is answered without data."""
    function = CLEARED[variant]
    asked = bench.order(function, bench.access.block + (ALL_EVENTS if variant == "events" else b""))
    bench.expect_done("cleared", asked, function)


@requirement("DLT645/CL.03")
def test_CL_03(bench: MeterBench) -> None:
    """TP: a meter that is cleared with the right password counts from 0."""
    bench.reach(AcPhase.CHARGING)
    bench.let(CHARGED)
    bench.vehicle.want(False)
    bench.let(s(5))
    before = _energy(bench)
    bench.assume(before > 0.0, "the meter has counted nothing")
    asked = bench.order(Function.CLEAR_METER, bench.access.block)
    bench.expect_done("cleared", asked, Function.CLEAR_METER)
    bench.check("energy afterwards", _energy(bench), equals=0.0, unit="kWh", at=bench.now)


def _energy(bench: MeterBench) -> float:
    known = item(ENERGY)
    values = [] if known is None else decode_values(known, bench.read(ENERGY).data[4:])
    return -1.0 if not values or values[0].number is None else values[0].number


# --- relay ----------------------------------------------------------------------------------------------


@requirement("DLT645/RL.01")
def test_RL_01(bench: MeterBench, variant: str) -> None:
    """TP: a relay command with the right password and time to go is answered without data."""
    asked = bench.order(Function.RELAY, relay_data(RELAY[variant], bench.access, LATEST))
    bench.expect_done(variant, asked, Function.RELAY)
    if variant in ENDS:
        bench.order(Function.RELAY, relay_data(ENDS[variant], bench.access, LATEST))


@requirement("DLT645/RL.02")
def test_RL_02(bench: MeterBench) -> None:
    """TP: a relay command with a wrong password is answered by the error word's bit 2."""
    asked = bench.order(Function.RELAY, relay_data(RelayCommand.ALLOW_CLOSE, WRONG, LATEST))
    bench.expect_refusal("wrong password", asked, Function.RELAY, ErrorWord.NOT_AUTHORISED)


@requirement("DLT645/RL.03")
def test_RL_03(bench: MeterBench, variant: str) -> None:
    """TP: a relay command that has expired, or that does not exist, is not carried out."""
    command, expires = (RelayCommand.ALLOW_CLOSE, EARLIEST) if variant == "expired" else (NO_COMMAND, LATEST)
    asked = bench.order(Function.RELAY, relay_data(command, bench.access, expires))
    bench.expect_not_done(variant, asked)
    bench.expect_served("the next request")
