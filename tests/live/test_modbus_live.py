"""Modbus on real sockets and ptys: the bench against the served device, and each against peers of other hands.

The peers are pymodbus and libmodbus, each as client and as server, and mbpoll, which stands on the latter.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

from tests.live import libmodbus
from tests.live.conftest import PATIENCE, Bay, null_modem, process

HERE = Path(__file__).parent
LINE = 'baud = 19200\nparity = "E"'
UNIT = 17
"""Of the reference device."""
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "rtu"])


def on(bay: Bay, transport: str) -> Bay:
    return bay.tcp() if transport == "tcp" else bay.pty("modbus", LINE)


# --- the bench against the served device -------------------------------------------------------------


@TRANSPORTS
def test_cases_pass_on_a_real_line(bay: Bay, transport: str) -> None:
    with on(bay, transport).served():
        found = bay.verdicts("modbus", *(f"{case}[{transport}]" for case in ("FC.03", "FC.16", "EX.02", "UN.01")))
    assert found == {f"{case}[{transport}]": "pass" for case in ("FC.03", "FC.16", "EX.02", "UN.01")}


@TRANSPORTS
@pytest.mark.parametrize(
    ("fault", "case"),
    [("modbus-masks-swapped", "FC.22"), ("modbus-error-bit-3", "EX.01"), ("modbus-any-unit", "UN.01")],
)
def test_a_fault_of_the_served_device_fails_its_case_alone(bay: Bay, transport: str, fault: str, case: str) -> None:
    with on(bay, transport).served("--fault", fault):
        found = bay.verdicts("modbus", f"{case}[{transport}]", f"FC.06[{transport}]")
    assert found == {f"{case}[{transport}]": "fail", f"FC.06[{transport}]": "pass"}


@pytest.mark.parametrize(("faults", "verdict"), [((), "pass"), (("--fault", "ac-limit-ignored"), "fail")])
def test_an_ac_charger_is_judged_by_registers_and_pins(bay: Bay, faults: tuple[str, ...], verdict: str) -> None:
    with bay.tcp().signals().served(*faults):
        found = bay.verdicts("ac_charger", "MB.03", "AC.01[10A]", "AC.01[40A]")
    assert found == {
        "MB.03[alfen-ng9xx]": verdict,
        "MB.03[keba-p30]": "not_applicable",
        "MB.03[phoenix-charx-sec]": "not_applicable",
        "AC.01[10A]": "pass",
        "AC.01[40A]": "not_applicable",
    }


def test_the_registers_of_an_ac_charger_are_judged_by_its_map(bay: Bay) -> None:
    with bay.tcp().signals().served():
        found = bay.verdicts("modbus", "FC.03[tcp]", "EX.02[tcp]", "UN.01[tcp]")
        scanned = bay.scan()
    assert found == {"FC.03[tcp]": "pass", "EX.02[tcp]": "pass", "UN.01[tcp]": "pass"}
    # The map's device has two outlets, the second one as unit 2; the reference has one.
    states = {each["state"] for each in scanned.values() if each["unit_id"] != 2}
    assert states == {"ok"}


def test_a_live_port_is_not_asked_for_silences_parity_and_collisions(bay: Bay) -> None:
    bay.pty("modbus", LINE)
    shown = bay.hil("run", "--list", "--suite", "modbus").stdout
    rows = {line.split()[0]: line for line in shown.splitlines() if line.startswith("RT.")}
    for case in ("RT.05", "RT.08", "RT.11", "RT.14"):
        assert "a live port shows silences, parity and collisions not to the bit" in rows[case], rows[case]
    assert " yes" in rows["RT.01"]


# --- pymodbus asks the served device -----------------------------------------------------------------


@contextmanager
def pymodbus_client(bay: Bay, transport: str) -> Iterator[Any]:
    client: ModbusTcpClient | ModbusSerialClient
    if transport == "tcp":
        client = ModbusTcpClient("127.0.0.1", port=bay.numbers["modbus"], timeout=10)
    else:
        client = ModbusSerialClient(bay.places["modbus"], framer=FramerType.RTU, baudrate=19200, timeout=10)
    try:
        assert client.connect()
        yield client
    finally:
        client.close()  # type: ignore[no-untyped-call]  # pymodbus has no types there


@TRANSPORTS
def test_pymodbus_reads_and_writes_the_served_device(bay: Bay, transport: str) -> None:
    with on(bay, transport).served(), pymodbus_client(bay, transport) as client:
        assert client.write_registers(3, [11, 22, 33], device_id=UNIT).isError() is False
        assert client.write_register(130, 16, device_id=UNIT).isError() is False
        assert client.read_holding_registers(3, count=3, device_id=UNIT).registers == [11, 22, 33]
        assert client.read_holding_registers(130, count=1, device_id=UNIT).registers == [16]
        assert client.write_coils(8, [True, False, True], device_id=UNIT).isError() is False
        assert client.read_coils(8, count=3, device_id=UNIT).bits[:3] == [True, False, True]
        assert client.write_register(130, 33, device_id=UNIT).exception_code == 3
        assert client.read_holding_registers(200, count=1, device_id=UNIT).exception_code == 2


# --- the bench asks a server of other hands ----------------------------------------------------------


@contextmanager
def server(bay: Bay, peer: str, transport: str) -> Iterator[None]:
    if peer == "libmodbus":
        installed_libmodbus()
    bay.dut(f'map = "{HERE / "modbus_map.toml"}"')
    script = str(HERE / f"{peer}.py")
    if transport == "tcp":
        place = str(bay.tcp().numbers["modbus"])
        with process(sys.executable, script, transport, place, folder=bay.folder):
            yield
    else:
        with null_modem(bay.folder) as (near, far):
            bay.pty("modbus", "baud = 9600", near)
            with process(sys.executable, script, transport, far, folder=bay.folder):
                yield


@TRANSPORTS
@pytest.mark.parametrize("peer", ["pymodbus_server", "libmodbus"])
def test_the_master_reads_a_server_of_other_hands(bay: Bay, peer: str, transport: str) -> None:
    with server(bay, peer, transport):
        found = bay.scan()
        cases = bay.verdicts("modbus", f"FC.06[{transport}]")
    assert {name: each["value"] for name, each in found.items()} == {
        "voltage": 230,
        "energy": 100.0,
        "limit": 6,
        "state": 0,
        "beyond": None,
    }
    assert found["state"]["in_words"] == "idle"
    assert found["beyond"]["state"] == "refused"
    assert "02" in found["beyond"]["told"]
    assert cases == {f"FC.06[{transport}]": "pass"}


def test_an_adapter_that_hears_itself_reads_and_writes_as_any_other(bay: Bay) -> None:
    bay.dut(f'map = "{HERE / "modbus_map.toml"}"')
    script = str(HERE / "pymodbus_server.py")
    with null_modem(bay.folder, echo=True) as (near, far):
        bay.pty("modbus", "baud = 9600\necho = true", near)
        with process(sys.executable, script, "rtu", far, folder=bay.folder):
            found = bay.verdicts("modbus", "FC.03[rtu]", "FC.06[rtu]")
    assert found == {"FC.03[rtu]": "pass", "FC.06[rtu]": "pass"}


# --- mbpoll asks the served device -------------------------------------------------------------------


def mbpoll(bay: Bay, transport: str, unit: int, kind: str, start: int, *more: str) -> str:
    """Its answer; addresses count from 0."""
    program = shutil.which("mbpoll")
    if program is None:
        pytest.skip("mbpoll is not installed (Debian: apt-get install mbpoll)")
    if transport == "tcp":
        way = ["-m", "tcp", "-p", str(bay.numbers["modbus"])]
        place = "127.0.0.1"
    else:
        # A pty has no parity, and libmodbus insists on what it is told.
        way = ["-m", "rtu", "-b", "19200", "-P", "none"]
        place = bay.places["modbus"]
    values = [word for word in more if word.isdigit()]
    options = [word for word in more if not word.isdigit()]
    command = [program, *way, "-a", str(unit), "-t", kind, "-r", str(start), "-0", "-1", "-o", "10", "-q", *options]
    done = subprocess.run(
        [*command, place, *values],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout + done.stderr


def values_in(answer: str) -> dict[int, str]:
    """Address to value, as mbpoll prints them."""
    return {int(at): value for at, value in re.findall(r"^\[(\d+)\]:\s+(\S+)", answer, re.MULTILINE)}


@TRANSPORTS
def test_mbpoll_reads_what_the_scan_tells(bay: Bay, transport: str) -> None:
    with on(bay, transport).dut('map = "abb-terra-ac"').served():
        scanned = bay.scan()
        read = {
            each["address"]: values_in(
                mbpoll(bay, transport, each["unit_id"], "4:hex", each["address"], f"-c{each['size']}")
            )
            for each in list(scanned.values())[:12]
        }
    for each in list(scanned.values())[:12]:
        assert each["state"] == "ok", each
        words = [int(value, 16) for value in read[each["address"]].values()]
        assert words == each["words"], each["name"]


@TRANSPORTS
def test_mbpoll_and_libmodbus_read_what_they_write(bay: Bay, transport: str) -> None:
    with on(bay, transport).served():
        assert "Written 2 references" in mbpoll(bay, transport, UNIT, "4", 5, "1234", "4321")
        assert values_in(mbpoll(bay, transport, UNIT, "4", 5, "-c2")) == {5: "1234", 6: "4321"}
        assert "Illegal data value" in mbpoll(bay, transport, UNIT, "4", 130, "40")
        with libmodbus_master(bay, transport, UNIT) as asks:
            assert asks.registers(5, 2) == [1234, 4321]
            assert (asks.write(3, 11, 22, 33), asks.write_one(130, 16), asks.write_one(0, 0x1234)) == (3, 1, 1)
            assert asks.registers(3, 3) + asks.registers(130, 1) == [11, 22, 33, 16]
            asks.mask(0, 0xFF00, 0x0056)
            assert asks.registers(0, 1) == [0x1256]
            assert asks.write_bits(8, [True, False, True]) == 3
            assert asks.bits(8, 3) == [True, False, True]
            assert refusal(asks.write_one, 130, 33) == libmodbus.ILLEGAL_VALUE
            assert refusal(asks.registers, 200, 1) == libmodbus.ILLEGAL_ADDRESS


# --- libmodbus asks the served chargers --------------------------------------------------------------


def installed_libmodbus() -> ctypes.CDLL:
    found = libmodbus.library()
    if found is None:
        pytest.skip(f"{libmodbus.NAME} is not installed (Debian: apt-get install libmodbus5)")
    return found


def libmodbus_master(bay: Bay, transport: str, unit: int) -> AbstractContextManager[libmodbus.Master]:
    place = str(bay.numbers["modbus"]) if transport == "tcp" else bay.places["modbus"]
    return libmodbus.master(installed_libmodbus(), transport, place, unit)


def refusal(ask: Callable[..., object], *args: int) -> int | None:
    """The errno that a request ends with; None where it is served."""
    try:
        ask(*args)
    except OSError as told:
        return told.errno
    return None


def test_libmodbus_reads_and_writes_the_served_ac_charger(bay: Bay) -> None:
    sixteen = [*struct.unpack(">HH", struct.pack(">f", 16.0))]
    bay.tcp().signals()
    with bay.served("--device", "ac_modbus", "--standalone"), libmodbus_master(bay, "tcp", 1) as asks:
        # The current and for how long it counts, as sheet 5.2 has them.
        assert asks.write(1210, *sixteen) == 2
        assert asks.registers(1210, 2) == sixteen
        assert 55 <= asks.registers(1208, 2)[1] <= 60
        assert refusal(asks.write, 1210, sixteen[0]) == libmodbus.ILLEGAL_ADDRESS
        assert refusal(asks.write, 1300, 1) == libmodbus.ILLEGAL_ADDRESS
        assert asks.registers(1210, 2) == sixteen


def test_libmodbus_reads_and_writes_a_served_wallbox_on_rtu(bay: Bay) -> None:
    bay.pty("modbus", LINE).dut('map = "heidelberg-energy-control"')
    with bay.served(), libmodbus_master(bay, "rtu", 1) as asks:
        # Tenths of an ampere, 6 .. 16 A, as sheet 14 has them.
        assert asks.write_one(261, 100) == 1
        assert asks.registers(261, 1) == [100]
        assert asks.registers(12, 1, table="input") == [57]
        assert refusal(asks.write_one, 261, 170) == libmodbus.ILLEGAL_VALUE
        assert refusal(asks.registers, 300, 1) == libmodbus.ILLEGAL_ADDRESS
        assert asks.registers(261, 1) == [100]
