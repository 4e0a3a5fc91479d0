"""Rig files of benches with ports: every table is taken as a value, and what cannot be is told with its place."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from hil.errors import RigError
from hil.rig import (
    CanPortSettings,
    DutProcessSettings,
    SerialPortSettings,
    SignalsPortSettings,
    TcpPortSettings,
    load_rig,
)
from hil.rig.instruments import InstrumentClaim, Uncertainty
from hil.safety.envelope import Envelope
from hil.units import ms, s, us


def test_every_table_is_taken(live: Path) -> None:
    rig = load_rig(live)
    assert not rig.virtual
    assert rig.ports == {
        "can0": CanPortSettings(
            *("can0", "socketcan", "vcan0", 250_000, {"receive_own_messages": True}),
            clock="hardware",
            uncertainty=us(20),
        ),
        "modbus": TcpPortSettings("modbus", "192.168.1.50", 502),
        "rs485": SerialPortSettings("rs485", "/dev/ttyUSB0", baud=19_200, parity="E"),
        "io": SignalsPortSettings("io", "tcp://127.0.0.1:9100"),
    }
    assert rig.roles == {"can": "can0", "modbus": "modbus", "console": "rs485", "meter": "rs485", "signals": "io"}
    assert (rig.signals, rig.plant, rig.capabilities) == ({"k1k2_command": "relay_1"}, "model", {"overvoltage": False})
    assert rig.instruments == {
        "meter": InstrumentClaim(
            "meter",
            "modbus",
            {"voltage": Uncertainty(0.2, 0.001), "current": Uncertainty(0.0, 0.002)},
            port="rs485",
            map="eastron-sdm630",
            address=1,
            serial="12345",
            calibrated="2026-03-01",
        )
    }
    assert rig.envelope == Envelope(750, 250, 120_000, 3600, ("door", "mat"))
    assert (rig.interlocks, rig.unwatched) == ({"door": "di_3"}, ("mat",))
    assert rig.process == DutProcessSettings(
        ("./charger", "--can", "vcan0"),
        str(live.parent),
        {"KEY": "value"},
        "listen(ing)?",
        s(2.5),
        "^tick",
        s(0.5),
        s(1),
    )
    assert rig.port_of("console") is rig.ports["rs485"]


def test_a_rig_goes_to_another_process(live: Path) -> None:
    rig = load_rig(live)
    assert pickle.loads(pickle.dumps(rig)) == rig


def test_a_clock_is_known_by_the_interface(live: Path) -> None:
    text = live.read_text("utf-8").replace('clock = "hardware"\nuncertainty = 0.00002\n', "")
    for interface, clock, uncertainty in (
        ("socketcan", "kernel", ms(0.5)),
        ("pcan", "hardware", us(50)),
        ("slcan", "user", ms(5)),
    ):
        live.write_text(text.replace('"socketcan"', f'"{interface}"'), encoding="utf-8")
        port = load_rig(live).ports["can0"]
        assert (port.clock, port.uncertainty) == (clock, uncertainty)


def test_without_a_signals_port_the_plant_is_hardware(live: Path) -> None:
    text = live.read_text("utf-8")
    for gone in (
        'signals = "io"\n',
        '[signals]\nk1k2_command = "relay_1"\ndoor = "di_3"\n',
        '[plant]\nsource = "model"\n',
    ):
        assert gone in text
        text = text.replace(gone, "")
    live.write_text(text, encoding="utf-8")
    assert load_rig(live).plant == "hardware"
    live.write_text(text.partition("[envelope]")[0], encoding="utf-8")
    with pytest.raises(RigError, match=r'\[roles\] can = "can0": it energises .* \[envelope\] is missing; give V, A'):
        load_rig(live)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('type = "can"', 'type = "canbus"', '[ports.can0] type = "canbus": allowed is "can" or "serial" or "tcp" or "'),
        ('type = "can"\n', "", "line 18: [ports.can0] type is missing: Its kind"),
        ('interface = "socketcan"', 'interface = "sockcan"', 'interface = "sockcan": did you mean socketcan? python-c'),
        ("bitrate = 250000", "bitrate = 250", "line 22: [ports.can0] bitrate = 250: allowed is an integer from 10000"),
        ("bitrate = 250000", "baud = 250000", "line 22: [ports.can0] baud is unknown; allowed are type, interface, ch"),
        ("receive_own_messages = true", "filters = [1]", "options = { filters = [1] }: allowed is a table of texts, n"),
        ("uncertainty = 0.00002", "uncertainty = 20", "uncertainty = 20: allowed is a number from 0 to 1"),
        ("port = 502", "port = 50200000", "line 30: [ports.modbus] port = 50200000: allowed is an integer from 1 to"),
        ("port = 502\n", "", "line 27: [ports.modbus] port is missing: Its port."),
        ("stop = 1\n\n[ports.io]", "stop = 3\n\n[ports.io]", "stop = 3: allowed is 1 or 1.5 or 2"),
        ('parity = "E"', 'parity = "even"', 'parity = "even": allowed is "N" or "E" or '),
        ("tcp://127.0.0.1:9100", "tcp://127.0.0.1", 'url = "tcp://127.0.0.1": allowed is tcp://127.0.0.1:9100, udp://'),
        ("tcp://127.0.0.1:9100", "udp://box:99999", 'url = "udp://box:99999": allowed is a port from 1 to 65535'),
        ("tcp://127.0.0.1:9100", "/dev/ttyUSB0", "[ports.io] is the same port as [ports.rs485]; one table a port"),
        ('can = "can0"', 'can = "can1"', '[roles] can = "can1": there is no [ports.can1]; allowed is a port of type c'),
        ('can = "can0"', 'can = "modbus"', '[roles] can = "modbus": it is of type tcp; allowed is a port of type can:'),
        ('console = "rs485"', 'consol = "rs485"', "[roles] consol is unknown; did you mean console? allowed are can, "),
        ('signals = "io"\n', "", "[signals] names signals on a signals port, and [roles] signals names none"),
        ("k1k2_command =", "k1k2_comand =", "[signals] k1k2_comand is unknown; did you mean k1k2_command?"),
        ('door = "di_3"', 'door = "relay_1"', '[signals] door = "relay_1": k1k2_command has that name on the box'),
        ('door = "di_3"', 'window = "di_3"', "[signals] window is unknown; "),
        ('"door", "mat"', '"door", "k1k2_command"', "[signals] k1k2_command is a signal of the plant and the name"),
        ('"door", "mat"', '"door", "door"', '[envelope] interlocks names "door" twice'),
        ('"door", "mat"]', '"door"]\nphases = 3', "[envelope] phases tells a power with nominal_voltage only, and"),
        ("[plant]", 'k3k4_command = "relay_1"\n[plant]', 'k3k4_command = "relay_1": k1k2_command has that name on the'),
        ('"model"', '"simulated"', '[plant] source = "simulated": allowed is "model" or "hardware"'),
        ('port = "rs485"', 'port = "can0"', '[instruments.meter] port = "can0": allowed is a port of type tcp or seri'),
        ('map = "eastron-sdm630"', 'map = "sdm630"', 'line 61: [instruments.meter] map = "sdm630": no register map'),
        ("address = 1", "address = 256", "address = 256: allowed is a unit id from 0 to 255"),
        ("2026-03-01", "2026-02-30", '[instruments.meter] calibrated = "2026-02-30": there is no such day'),
        ("2026-03-01", "1.3.2026", 'calibrated = "1.3.2026": allowed is a date as "2026-03-01"'),
        ("voltage = {", "volts = {", "[instruments.meter.measures] volts is unknown; did you mean voltage? allowed ar"),
        ("current = { rel", "insulation = { rel", "line 58: [instruments.meter] the map eastron-sdm630 names no"),
        ("relative = 0.001", "relative = 0.5", "line 67: [instruments.meter.measures.voltage] relative = 0.5: allowed"),
        ("max_voltage = 750.0", "max_voltage = 750000", "max_voltage = 750000: allowed is a number from 1 to 2000"),
        ("max_power = 120000.0", "max_power = 120", "max_power = 120: less than 1 % of max_voltage times max_current"),
        ("max_duration = 3600.0\n", "", "[envelope] max_duration is missing: s of one session."),
        ("overvoltage = false", "twin = true", "[capabilities] twin is unknown; "),
        ('["./charger", "--can", "vcan0"]', "[]", "command = []: allowed is a list of at least 1 text"),
        ('["./charger", "--can", "vcan0"]', '"./charger"', 'command = "./charger": allowed is a list of texts'),
        ('folder = "."', 'folder = "gone"', 'line 10: [dut.process] folder = "gone": no folder there'),
        ("listen(ing)?", "listen(ing", 'ready = "listen(ing": no regular expression: missing )'),
        ('"^tick"', '"^(tick"', 'alive = "^(tick": no regular expression: missing )'),
        ("ready_within = 2.5", "ready_within = 2500", "ready_within = 2500: allowed is a number from 0.1 to 600"),
        ('KEY = "value"', "KEY = 1", "environment = { KEY = 1 }: allowed is a table of texts"),
        ('kind = "live"', 'kind = "virtual"', '[ports] is for rigs of kind = "live" only; a virtual one'),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_with_its_place(live: Path, old: str, new: str, message: str) -> None:
    text = live.read_text("utf-8")
    assert old in text
    live.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RigError) as caught:
        load_rig(live)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(live))


def test_a_charger_on_can_needs_a_way_to_the_plant(live: Path) -> None:
    text = (
        live.read_text("utf-8").replace('signals = "io"\n', "").replace('k1k2_command = "relay_1"\ndoor = "di_3"\n', "")
    )
    live.write_text(text, encoding="utf-8")
    with pytest.raises(
        RigError, match=r'\[plant\] source = "model": a charger on CAN .*; allowed is "hardware", or give'
    ):
        load_rig(live)


def test_a_live_rig_without_ports_or_roles_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bare.toml"
    head = 'schema = 1\nname = "bare"\nkind = "live"\n[dut]\nname = "charger"\n'
    path.write_text(head, encoding="utf-8")
    with pytest.raises(RigError, match=r"\[ports.NAME\] is missing: a live rig names the ports"):
        load_rig(path)
    path.write_text(f'{head}[ports.a]\ntype = "tcp"\nhost = "h"\nport = 1\n', encoding="utf-8")
    with pytest.raises(RigError, match=r"\[roles\] is missing or empty: it gives a port to one of can, modbus, "):
        load_rig(path)
    path.write_text(f"{head}ports = 1\n".replace("[dut]", "ports = 1\n[dut]").replace("\nports = 1\n", "\n", 0))
    with pytest.raises(RigError, match=r"line 4: ports = 1: allowed is a table, \[ports\]"):
        load_rig(path)


def test_a_virtual_rig_makes_the_line_of_an_instrument_itself(tmp_path: Path) -> None:
    path = tmp_path / "virtual.toml"
    text = 'schema = 1\nname = "v"\nkind = "virtual"\n[dut]\nname = "c"\n[instruments.m]\nkind = "dlt645"\n'
    path.write_text(text, encoding="utf-8")
    assert load_rig(path).instruments["m"].port == ""
    path.write_text(f'{text}port = "rs485"\n', encoding="utf-8")
    with pytest.raises(
        RigError, match=r'line 8: \[instruments.m\] port = "rs485": a virtual rig makes the line itself'
    ):
        load_rig(path)
