"""The ports of a rig as lines of a live world."""

from __future__ import annotations

from functools import partial

import can

from hil.bus.lines import ByteLine, FrameLine, StreamLine
from hil.bus.serial import SerialFormat
from hil.rig.ports import CanPortSettings, PortSettings, SerialPortSettings, SignalsPortSettings, TcpPortSettings
from hil.transport.byte_lines import LiveDatagrams, LiveSerial
from hil.transport.can_line import LiveCan
from hil.transport.live import LiveWorld
from hil.transport.opening import open_can, open_serial, open_tcp, open_udp
from hil.transport.tcp_line import LiveTcp

LiveLine = LiveCan | LiveSerial | LiveDatagrams | LiveTcp

_HEARS_ITSELF = ("udp_multicast",)
"""Interfaces that always show a sender its own frames."""


def open_line(world: LiveWorld, settings: PortSettings) -> FrameLine | ByteLine | StreamLine:
    """Open a port, make it a line of the world, and give it back at the world's end.

    Raises :class:`hil.errors.RigError` with the cause where the system refuses. A TCP server need not be there
    yet: connections are opened by the nodes.
    """
    line = _opened(world, settings)
    world.add_line(line)
    world.at_end(line.shut if isinstance(line, LiveTcp) else line.close)
    return line


def _opened(world: LiveWorld, settings: PortSettings) -> LiveLine:
    queue, name, sink, uncertainty = world.queue, settings.name, world.see, settings.uncertainty
    if isinstance(settings, CanPortSettings):
        return can_line(world, settings, open_can(settings))
    if isinstance(settings, TcpPortSettings):
        return _tcp(world, settings)
    if isinstance(settings, SignalsPortSettings):
        if settings.transport == "tcp":
            return _tcp(world, settings)
        if settings.transport == "udp":
            return LiveDatagrams(queue, open_udp(settings), name=name, sink=sink, uncertainty=uncertainty)
    return LiveSerial(
        queue,
        open_serial(settings),
        name=name,
        sink=sink,
        line_format=format_of(settings),
        clock=settings.clock,
        uncertainty=uncertainty,
        echo=isinstance(settings, SerialPortSettings) and settings.echo,
    )


def can_line(world: LiveWorld, settings: CanPortSettings, bus: can.BusABC) -> LiveCan:
    """An open bus as a line of the world."""
    return LiveCan(
        world.queue,
        bus,
        name=settings.name,
        sink=world.see,
        echoes=settings.interface in _HEARS_ITSELF or bool(settings.options.get("receive_own_messages")),
        clock=settings.clock,
        uncertainty=settings.uncertainty,
        rng=world.rng(settings.name),
    )


def _tcp(world: LiveWorld, settings: TcpPortSettings | SignalsPortSettings) -> LiveTcp:
    connect = partial(open_tcp, settings)
    return LiveTcp(world.queue, name=settings.name, sink=world.see, connect=connect, uncertainty=settings.uncertainty)


def format_of(settings: SerialPortSettings | SignalsPortSettings) -> SerialFormat:
    """The format of a serial port."""
    if isinstance(settings, SignalsPortSettings):
        return SerialFormat(settings.baud)
    return SerialFormat(settings.baud, settings.bits, settings.parity, int(settings.stop))
