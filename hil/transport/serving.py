"""The ports of a rig from the device's side: where a bench connects, this side listens.

A CAN port is the same bus from both sides, except an slcan adapter's serial line, whose adapter this side is. A
serial port whose url names no device that exists becomes a pty, reachable under that name. One that another process
serves already is refused: this side would join it as a client.
"""

from __future__ import annotations

import socket
from pathlib import Path

import can
import serial

from hil.bus.lines import ByteLine, FrameLine, StreamLine
from hil.errors import RigError
from hil.rig.ports import CanPortSettings, PortSettings, SerialPortSettings, SignalsPortSettings, TcpPortSettings
from hil.transport.byte_lines import LiveDatagrams, LiveSerial
from hil.transport.can_line import LiveCan
from hil.transport.live import LiveWorld
from hil.transport.opening import SERVE_ON, is_pty, open_can, open_serial, open_udp, refused
from hil.transport.ports import can_line, format_of
from hil.transport.pty_port import PtyPort, PtySerial, is_served
from hil.transport.slcan_server import SlcanServer
from hil.transport.tcp_line import LiveTcp


def serve_line(world: LiveWorld, settings: PortSettings) -> FrameLine | ByteLine | StreamLine:
    """Serve a port, make it a line of the world, and give it back at the world's end.

    Raises :class:`hil.errors.RigError` with the cause where the system refuses.
    """
    line: LiveCan | LiveTcp | LiveDatagrams | LiveSerial
    if isinstance(settings, CanPortSettings):
        line = can_line(world, settings, _bus(settings))
    elif isinstance(settings, TcpPortSettings):
        line = _listening(world, settings, settings.host, settings.port)
    elif isinstance(settings, SignalsPortSettings) and settings.transport == "tcp":
        line = _listening(world, settings, *settings.address)
    elif isinstance(settings, SignalsPortSettings) and settings.transport == "udp":
        box = open_udp(settings, bind=True)
        line = LiveDatagrams(world.queue, box, name=settings.name, sink=world.see, uncertainty=settings.uncertainty)
    else:
        opened = _serial(settings)
        line = LiveSerial(
            world.queue,
            opened,
            name=settings.name,
            sink=world.see,
            line_format=format_of(settings),
            clock=settings.clock,
            uncertainty=settings.uncertainty,
            # A pty of this side's own making echoes nothing.
            echo=isinstance(settings, SerialPortSettings) and settings.echo and not isinstance(opened, PtySerial),
        )
    world.add_line(line)
    world.at_end(line.shut if isinstance(line, LiveTcp) else line.close)
    return line


def _bus(settings: CanPortSettings) -> can.BusABC:
    place = Path(settings.channel.partition("@")[0])
    if settings.interface == "slcan" and not place.is_char_device():
        return SlcanServer(_pty(settings, place))
    if settings.interface == "slcan":
        _refuse_served(settings, place)
    return open_can(settings)


def _serial(settings: SerialPortSettings | SignalsPortSettings) -> serial.SerialBase | PtySerial:
    place = Path(settings.url)
    if "://" in settings.url:
        return open_serial(settings)
    if place.is_char_device():
        _refuse_served(settings, place)
        return open_serial(settings)
    return PtySerial(_pty(settings, place))


def _refuse_served(settings: PortSettings, place: Path) -> None:
    if is_pty(str(place)) and is_served(place):
        raise RigError(
            f"port {settings.name} ({settings.place}) is served already, by another process: "
            f"end that one, or give {place} another name"
        )


def _pty(settings: PortSettings, place: Path) -> PtyPort:
    try:
        return PtyPort(place)
    except (OSError, AttributeError) as error:
        raise refused(settings, error, "on a system without ptys give a serial port that exists") from error


def _listening(world: LiveWorld, settings: PortSettings, host: str, port: int) -> LiveTcp:
    try:
        listener = socket.create_server((host, port), backlog=16)
    except OSError as error:
        raise refused(settings, error, SERVE_ON) from error
    return LiveTcp(world.queue, name=settings.name, sink=world.see, listener=listener, uncertainty=settings.uncertainty)
