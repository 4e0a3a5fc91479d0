"""A live rig with every table there is."""

from __future__ import annotations

from pathlib import Path

import pytest

LIVE = """\
schema = 1
name = "bay 3"
kind = "live"

[dut]
name = "charger"

[dut.process]
command = ["./charger", "--can", "vcan0"]
folder = "."
environment = { KEY = "value" }
ready = "listen(ing)?"
ready_within = 2.5
alive = "^tick"
alive_within = 0.5
stop_within = 1

[ports.can0]
type = "can"
interface = "socketcan"
channel = "vcan0"
bitrate = 250000
options = { receive_own_messages = true }
clock = "hardware"
uncertainty = 0.00002

[ports.modbus]
type = "tcp"
host = "192.168.1.50"
port = 502

[ports.rs485]
type = "serial"
url = "/dev/ttyUSB0"
baud = 19200
bits = 8
parity = "E"
stop = 1

[ports.io]
type = "signals"
url = "tcp://127.0.0.1:9100"

[roles]
can = "can0"
modbus = "modbus"
console = "rs485"
meter = "rs485"
signals = "io"

[signals]
k1k2_command = "relay_1"
door = "di_3"

[plant]
source = "model"

[instruments.meter]
kind = "modbus"
port = "rs485"
map = "eastron-sdm630"
address = 1
serial = "12345"
calibrated = "2026-03-01"

[instruments.meter.measures]
voltage = { absolute = 0.2, relative = 0.001 }
current = { relative = 0.002 }

[envelope]
max_voltage = 750.0
max_current = 250.0
max_power = 120000.0
max_duration = 3600.0
interlocks = ["door", "mat"]

[capabilities]
overvoltage = false
"""


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """The file of a live rig with every table."""
    path = tmp_path / "live.toml"
    path.write_text(LIVE, encoding="utf-8")
    return path
