"""Programs of python-can and of others on the virtual bus, as their makers ship them."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import can
import can.logger
import can.player
import isotp
import j1939
import j1939.j1939_21
import pytest

from hil.bench.door import HilBus
from hil.codec.message import Message
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, edition
from hil.transport.logs import LogReader
from hil.units import s

GUARD = 30.0
"""s after which a test that hangs fails."""
SESSION = "gbt27930?bms=stand-in&soc=50"


def hil_bus(channel: str, **options: object) -> HilBus:
    """By the entry point, as any program does."""
    bus = can.Bus(interface="hil", channel=channel, **options)  # type: ignore[arg-type]  # options of a test
    assert isinstance(bus, HilBus)
    return bus


# --- python-can -------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".asc", ".log", ".blf", ".csv", ".trc"])
def test_loggers_write_what_is_received(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"session{suffix}"
    with hil_bus(SESSION) as bus, can.Logger(path) as logger:
        received = []
        while bus.now < 12:
            got = bus.recv(1.0)
            if got is not None:
                received.append(got)
                logger(got)
    assert len(received) > 300
    with can.LogReader(path) as reader:
        read = [(each.arbitration_id, bytes(each.data)) for each in reader]
    assert read == [(each.arbitration_id, bytes(each.data)) for each in received]
    if suffix in (".asc", ".log", ".blf"):
        instants = [seen.t for seen in LogReader(path)]
        offset = instants[0] - round(received[0].timestamp * 1e9)
        assert [each - offset for each in instants] == pytest.approx(
            [each.timestamp * 1e9 for each in received], abs=2e4
        )


def test_a_printer_prints(tmp_path: Path) -> None:
    path = tmp_path / "printed.txt"
    with hil_bus("gbt27930") as bus, can.Printer(path) as printer:
        got = bus.recv()
        assert got is not None
        printer(got)
    assert "ID: 1826f456" in path.read_text("utf-8")


def interrupt() -> None:
    raise KeyboardInterrupt


def test_the_logger_program_logs_until_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "session.asc"
    words = ["can_logger", "-i", "hil", "-c", SESSION, "-f", str(path), "--filter", "1826F456:1FFFFFFF"]
    monkeypatch.setattr(sys, "argv", words)
    with hil_bus(SESSION) as bus:
        bus.door.schedule(interrupt, s(5))
        can.logger.main()
    identifiers = [seen.id for seen in LogReader(path) if not hasattr(seen, "kind")]
    assert identifiers
    assert set(identifiers) == {0x1826F456}


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot interrupt one process alone")
@pytest.mark.parametrize("pace", ["lockstep", "wall"])
def test_the_logger_program_from_the_command_line(pace: str) -> None:
    # As ``python -m can.logger``, but never deaf to Ctrl-C, as what a shell starts in the background is.
    start = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "runpy.run_module('can.logger', run_name='__main__', alter_sys=True)"
    )
    words = [sys.executable, "-u", "-c", start, "-i", "hil", "-c", "gbt27930?start=0", "--bus-kwargs", f"pace={pace}"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(4)]
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait(GUARD) == 0, rest
        finally:
            process.kill()
    assert lines[0] == "Connected to HilBus: hil channel gbt27930?start=0, bus can0\n"
    assert "ID: 1826f456" in lines[2]


def test_a_recorded_log_is_played_onto_the_bus(tmp_path: Path) -> None:
    path = tmp_path / "short.log"
    with can.Logger(path) as logger:
        for number in range(5):
            logger(can.Message(timestamp=number, arbitration_id=number, data=bytes((number,)), is_extended_id=False))
    with hil_bus("bus") as player, hil_bus("bus") as receiver, can.LogReader(path) as log:
        for message in can.MessageSync(log, timestamps=False, gap=0):
            player.send(message)
        assert [got.arbitration_id for got in receiver] == list(range(5))


def test_what_there_is_is_detected() -> None:
    with hil_bus("bus#mine"):
        found = [each["channel"] for each in can.detect_available_configs("hil")]
    assert found == ["bus", "bus#mine", "gbt27930"]


# --- can-isotp --------------------------------------------------------------------------------------


@pytest.fixture
def patient() -> dict[str, object]:
    """Its time-outs are of the wall clock, of which a busy machine has little."""
    return {"rx_flowcontrol_timeout": 30_000, "rx_consecutive_frame_timeout": 30_000}


def addresses() -> tuple[isotp.Address, isotp.Address]:
    mode = isotp.AddressingMode.Normal_11bits
    return isotp.Address(mode, rxid=0x123, txid=0x456), isotp.Address(mode, rxid=0x456, txid=0x123)


def test_isotp_without_threads_is_in_lockstep(patient: dict[str, object]) -> None:
    def transfer() -> tuple[bytes | bytearray | None, float, str]:
        with hil_bus("bus") as here, hil_bus("bus") as there:
            near, far = addresses()
            sender = isotp.CanStack(here, address=near, params=patient)
            receiver = isotp.CanStack(there, address=far, params=patient)
            sender.send(bytes(range(200)))
            for _ in range(200):
                if receiver.available():
                    break
                sender.process(0.001)
                receiver.process(0.001)
            return receiver.recv(), here.now, here.pace

    got, now, pace = transfer()
    assert got == bytes(range(200))
    assert pace == "lockstep"
    assert transfer() == (got, now, pace)


def test_isotp_with_threads_is_paced_by_the_wall_clock(patient: dict[str, object]) -> None:
    with hil_bus("bus") as here, hil_bus("bus") as there:
        near, far = addresses()
        with can.Notifier(here, [], timeout=0.05) as first, can.Notifier(there, [], timeout=0.05) as second:
            sender = isotp.NotifierBasedCanStack(here, first, address=near, params=patient)
            receiver = isotp.NotifierBasedCanStack(there, second, address=far, params=patient)
            sender.start()
            receiver.start()
            sender.send(bytes(range(200)))
            assert bytes(receiver.recv(block=True, timeout=GUARD) or b"") == bytes(range(200))
            assert here.pace == "wall"
            sender.stop()
            receiver.stop()


# --- can-j1939 --------------------------------------------------------------------------------------


def test_a_control_unit_of_can_j1939_joins_by_itself() -> None:
    told: queue.Queue[tuple[int, bytes]] = queue.Queue()
    sender, receiver = j1939.ElectronicControlUnit(), j1939.ElectronicControlUnit()
    receiver.subscribe(lambda priority, pgn, source, stamp, data: told.put((pgn, bytes(data))))
    buses = [unit.connect(interface="hil", channel="bus#units") for unit in (sender, receiver)]
    try:
        sender.send_pgn(0, 0xFE, 0xF6, 6, 0x21, [1, 2, 3])
        assert told.get(timeout=GUARD) == (0xFEF6, b"\1\2\3")
        assert {bus.pace for bus in buses} == {"wall"}
    finally:
        for unit in (sender, receiver):
            unit.disconnect()
            unit.stop()


class ForeignBms:
    """A BMS as somebody may write it: python-can for frames, can-j1939 for what is longer."""

    def __init__(self, bus: HilBus, clock: SimpleNamespace) -> None:
        self.bus = bus
        self.clock = clock
        self.messages = edition("2015").by_name
        self.long = j1939.j1939_21.J1939_21(
            self._send, lambda: None, lambda *_: None, 255, None, None, lambda address: address == BMS_ADDRESS
        )
        self.heard: set[str] = set()

    def _send(self, identifier: int, extended: bool, data: list[int]) -> None:
        self.bus.send(can.Message(arbitration_id=identifier, is_extended_id=extended, data=bytes(data)))

    def say(self, name: str, **values: object) -> None:
        declared: type[Message] = self.messages[name]
        data = declared(**values).encode()
        if declared.can_id is not None:
            self._send(declared.can_id, True, list(data))
            return
        place = (0, declared.pgn >> 8, CHARGER_ADDRESS, declared.priority, BMS_ADDRESS)
        while self.long.send_pgn(*place, list(data), 0, 0) is False:  # the one before has not been acknowledged yet
            self.step()

    def step(self) -> can.Message | None:
        """Receive a message, show it to the transport and let that work."""
        got = self.bus.recv(0.01)
        self.clock.now = self.bus.now
        if got is not None and not got.is_error_frame:
            self.long.notify(got.arbitration_id, got.data, got.timestamp)
        self.long.async_job_thread(self.clock.now)
        return got

    def until(self, name: str, first_byte: int | None = None, within: float = 10.0) -> can.Message:
        """Work until a message of the charger; what comes by the way is told to the transport."""
        wanted = self.messages[name].can_id
        end = self.bus.now + within
        while self.bus.now < end:
            got = self.step()
            if got is not None and got.arbitration_id == wanted and first_byte in (None, got.data[0]):
                return got
        raise AssertionError(f"no {name} within {within} s")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(j1939.j1939_21, "time", SimpleNamespace(time=lambda: clock.now))
    return clock


def charge(bms: ForeignBms) -> can.Message:
    """A session up to the charger's first CCS under load."""
    pack = bms.bus.door.sense
    bms.until("CHM")
    bms.say("BHM", max_total_voltage=450.0)
    bms.until("CRM", 0x00)
    bms.say("BRM", version=0x000101, battery_type=3, rated_capacity=100.0, rated_voltage=350.0)
    bms.until("CRM", 0xAA)
    bms.say(
        "BCP",
        max_cell_voltage=3.65,
        max_current=-100.0,
        max_total_voltage=450.0,
        max_temperature=55.0,
        soc=50.0,
        present_voltage=pack("pack_voltage"),
    )
    bms.until("CML")
    bms.say("BRO", ready=0x00)
    bms.until("CML")
    bms.say("BRO", ready=0xAA)
    bms.until("CRO", 0xAA)
    while True:
        bms.say("BCL", voltage_demand=400.0, current_demand=-20.0, mode=2)
        bms.say("BCS", voltage=360.0, current=0.0, max_cell_voltage=3.3, max_cell_group=0, soc=50, remaining_time=60)
        got = bms.until("CCS", within=1.0)
        if pack("output_current") > 19.0:
            return got


def test_a_foreign_bms_charges_at_the_reference_charger(clock: SimpleNamespace) -> None:
    with hil_bus("gbt27930?soc=50") as bus:
        ccs = charge(ForeignBms(bus, clock))
        told = edition("2015").by_name["CCS"].decode(bytes(ccs.data))
        assert told.current == pytest.approx(-20.0, abs=1.0)  # type: ignore[attr-defined]  # a CCS has it
        assert bus.door.sense("k5k6_closed") == 1
        assert bus.pace == "lockstep"


def test_contactors_of_a_foreign_bms_open_without_current_only(clock: SimpleNamespace) -> None:
    with hil_bus("gbt27930?soc=50") as bus:
        bms = ForeignBms(bus, clock)
        charge(bms)
        statistics = {"soc": 50, "min_cell_voltage": 3.3, "max_cell_voltage": 3.3}
        bms.say("BSD", **statistics, min_temperature=25, max_temperature=25)
        bms.until("CCS")
        assert (bus.door.sense("k5k6_closed"), bus.door.sense("output_current") > 5) == (1, True)
        bms.say("BST", soc_reached=1)
        bms.until("CST")
        end = bus.now + 1
        while bus.now < end:
            bms.step()
        assert bus.door.sense("k5k6_closed") == 0


def test_a_foreign_bms_sees_the_same_each_time(clock: SimpleNamespace) -> None:
    def once() -> tuple[float, bytes]:
        with hil_bus("gbt27930?soc=50") as bus:
            ccs = charge(ForeignBms(bus, clock))
            return ccs.timestamp, bytes(ccs.data)

    assert once() == once()
