"""An instrument of a live rig: read over a real port, and told as a measured value."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from hil.bench.instruments import map_of
from hil.bench.live import LiveSetup, build_live, live_setup
from hil.bench.setup import Setup
from hil.conformance.register import resolve
from hil.errors import RigError
from hil.protocol.modbus import RtuTiming
from hil.rig import find_rig, load_rig
from hil.rig.instruments import InstrumentClaim, Uncertainty
from hil.rig.ports import SerialPortSettings
from hil.tester.modbus import ModbusMeter
from hil.transport.live import LiveWorld
from hil.transport.process import LiveProcess
from hil.transport.serving import serve_line
from hil.units import Instant, s
from hil.world.observation import Note
from hil.world.plan import Advance, Close, OnNote

VOLTS = 412.5
METER = InstrumentClaim("meter", "modbus", {"voltage": Uncertainty(0.5)}, map="acrel-djsf1352", address=7, port="rs485")
pytestmark = pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="this system has no ptys")


def build_meter(place: str) -> LiveWorld:
    """A meter that always tells the same voltage, on a served serial port."""
    world = LiveWorld(0, None)
    line = serve_line(world, SerialPortSettings("rs485", place, 9600, 8, "N", 1))

    def sense(name: str, now: Instant) -> float:
        return VOLTS

    meter = ModbusMeter("meter", "rs485", map_of(METER), sense, {"voltage": ("v", 1.0)}, timing=RtuTiming.of(9600, 10))
    world.add_byte_node(meter, line)  # type: ignore[arg-type]  # a serial port is a byte line
    return world


def test_an_instrument_on_a_real_port_is_polled(tmp_path: Path) -> None:
    place = str(tmp_path / "meter")
    served = LiveProcess(partial(build_meter, place))
    port = SerialPortSettings("rs485", place, 9600, 8, "N", 1)
    setup = Setup(readings=resolve({}, None), instruments=(METER,))
    bench = LiveProcess(partial(build_live, LiveSetup("ac", setup, {}, {}, {"meter": port})))
    try:
        reply = bench.execute(Advance(s(20), (OnNote("measured", "voltage"),)))
        told = [each for each in reply.observations if isinstance(each, Note) and each.kind == "measured"]
        assert [each.details["value"] for each in told] == [VOLTS]
        assert told[0].details["by"] == "meter"
        bench.execute(Close())
    finally:
        bench.end()
        served.end()


def test_a_port_plays_a_role_or_is_an_instruments(tmp_path: Path) -> None:
    text = find_rig("socketcan-rs485").read_text("utf-8").replace('can = "can0"', 'can = "can0"\nmeter = "rs485"')
    path = tmp_path / "both.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(RigError, match="port rs485 plays a role and is an instrument's too"):
        live_setup("gbt27930", Setup(), load_rig(path))
