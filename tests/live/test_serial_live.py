"""Console and meter on ptys: the bench against the served device, and pyserial against it.

The frames that pyserial sends and expects are those written down in the serial sheet, or summed up here by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import serial

from tests.live.conftest import PATIENCE, Bay

CONSOLE = "baud = 115200"
ATTEMPTS = 30
METER = 'baud = 2400\nparity = "E"'


@contextmanager
def port(place: str) -> Iterator[serial.Serial]:
    with serial.Serial(place, timeout=PATIENCE) as opened:
        yield opened


# --- console ------------------------------------------------------------------------------------------


def test_a_console_with_signals_passes(bay: Bay) -> None:
    with bay.pty("console", CONSOLE).signals().served():
        found = bay.verdicts("rapi", "AG.02", "SC.02[below]")
    assert found == {"AG.02": "pass", "SC.02[below]": "pass"}


def test_a_fault_of_the_console_fails_its_case_alone(bay: Bay) -> None:
    with bay.pty("console", CONSOLE).signals().served("--fault", "rapi-sets-4A"):
        found = bay.verdicts("rapi", "FR.01", "SC.02[below]")
    assert found == {"FR.01": "pass", "SC.02[below]": "fail"}


def asked(console: serial.Serial, command: bytes) -> bytes:
    """The next reply; text and notifications before it are passed over. While it boots a console hears nothing."""
    for _ in range(ATTEMPTS):
        console.write(command)
        while line := console.read_until(b"\r"):
            if line.startswith((b"$OK", b"$NK")):
                return bytes(line)
    raise AssertionError(f"no answer to {command!r}")


def test_pyserial_speaks_to_the_console(bay: Bay) -> None:
    with bay.pty("console", CONSOLE).served("--standalone", "--device", "rapi"), port(bay.places["console"]) as console:
        console.timeout = 2
        assert asked(console, b"$GV^35\r") == b"$OK 8.2.3 5.2.1^2F\r"
        assert asked(console, b"$GV\r") == b"$OK 8.2.3 5.2.1^2F\r"
        # 24 + 47 + 56 are C1.
        assert asked(console, b"$GV*C1\r") == b"$OK 8.2.3 5.2.1^2F\r"
        assert asked(console, b"$SC 16^13\r") == b"$OK 16^07\r"
        assert asked(console, b"$GV^36\r") == b"$NK^21\r"
        assert asked(console, b"$QQ\r") == b"$NK^21\r"
        # 2F of the reply without it, with 20, 3A, 37 and 41 of it.
        assert asked(console, b"$GV :7A^59\r") == b"$OK 8.2.3 5.2.1 :7A^43\r"


# --- meter --------------------------------------------------------------------------------------------


def test_a_meter_passes(bay: Bay) -> None:
    with bay.pty("meter", METER).served():
        found = bay.verdicts("dlt645", "FR.01", "FR.02[4]", "AD.01", "ER.01")
    assert found == {"FR.01": "pass", "FR.02[4]": "pass", "AD.01": "pass", "ER.01": "pass"}


def test_a_fault_of_the_meter_fails_its_case_alone(bay: Bay) -> None:
    with bay.pty("meter", METER).served("--fault", "dlt645-unknown-is-nil"):
        found = bay.verdicts("dlt645", "AD.01", "ER.01")
    assert found == {"AD.01": "pass", "ER.01": "fail"}


def frame(address: bytes, control: int, data: bytes = b"") -> bytes:
    """By hand: the address low byte first, each byte of data plus 33, the sum over all of it."""
    body = b"\x68" + address + b"\x68" + bytes((control, len(data))) + bytes(each + 0x33 & 0xFF for each in data)
    return body + bytes((sum(body) & 0xFF, 0x16))


def answer(meter: serial.Serial, question: bytes) -> tuple[bytes, int, bytes]:
    """Address, control and data of the answer, its sum checked."""
    meter.write(question)
    head: bytes = meter.read_until(b"\x68")
    assert head.lstrip(b"\xfe") == b"\x68", head
    rest: bytes = meter.read(9)
    data: bytes = meter.read(rest[8] + 2)
    whole = b"\x68" + rest + data
    assert (sum(whole[:-2]) & 0xFF, 0x16) == tuple(whole[-2:])
    assert rest[6] == 0x68
    return rest[:6], rest[7], bytes(each - 0x33 & 0xFF for each in data[:-2])


def test_pyserial_speaks_to_the_meter(bay: Bay) -> None:
    with bay.pty("meter", METER).served("--standalone"), port(bay.places["meter"]) as meter:
        # Sheet 2.4: read address, by the wildcard.
        own, control, told = answer(meter, bytes.fromhex("FE FE FE FE 68 AA AA AA AA AA AA 68 13 00 DF 16"))
        assert (control, told) == (0x93, own)
        voltage = answer(meter, frame(own, 0x11, bytes.fromhex("00 01 01 02")))
        energy = answer(meter, b"\xfe\xfe" + frame(own, 0x11, bytes.fromhex("00 00 01 00")))
        unknown = answer(meter, frame(own, 0x11, bytes.fromhex("FF EE DD CC")))
    assert voltage[:2] == energy[:2] == (own, 0x91)
    assert voltage[2][:4] == bytes.fromhex("00 01 01 02")
    # 230.0 V, as 2300 in BCD with the low byte first.
    assert voltage[2][4:] == bytes.fromhex("00 23")
    assert len(energy[2]) == 8
    assert unknown[:2] == (own, 0xD1)
