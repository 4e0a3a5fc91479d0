"""Ports of a live rig as values: where they are and how sure their stamps are. Plain data that crosses processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from hil.units import SECOND, Span, ms, us

Option = str | int | float | bool

CLOCKS: Mapping[str, Span] = MappingProxyType({"hardware": us(50), "kernel": ms(0.5), "user": ms(5)})
"""Kinds of clock that stamp what a port hears, with the uncertainty assumed where the rig declares none.

Set wide on purpose: a measured uncertainty replaces it where that is larger, and a declared one always counts.
"""
_STAMPED_BY: Mapping[str, str] = MappingProxyType(
    {
        "socketcan": "kernel",
        "udp_multicast": "kernel",
        **dict.fromkeys(("pcan", "kvaser", "vector", "ixxat", "neovi", "nixnet", "etas"), "hardware"),
    }
)


def clock_of(interface: str) -> str:
    """The kind of clock that stamps the frames of a python-can interface, as far as its driver says."""
    return _STAMPED_BY.get(interface, "user")


@dataclass(frozen=True)
class _Port:
    """What every port has."""

    name: str
    clock: str = field(default="user", kw_only=True)
    """One of :data:`CLOCKS`."""
    uncertainty: Span = field(default=CLOCKS["user"], kw_only=True)
    """Of its stamps."""


@dataclass(frozen=True)
class CanPortSettings(_Port):
    """A CAN port through python-can."""

    type: ClassVar[str] = "can"
    interface: str
    channel: str
    bitrate: int
    """bit/s. Interfaces whose system sets it (socketcan) or that have none (udp_multicast) take no notice."""
    options: Mapping[str, Option] = field(default_factory=dict)
    """Further arguments of ``can.Bus``."""

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.interface} {self.channel}".rstrip()


@dataclass(frozen=True)
class SerialPortSettings(_Port):
    """A serial port through pyserial."""

    type: ClassVar[str] = "serial"
    url: str
    """Anything that ``serial.serial_for_url`` takes."""
    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    """N, E, O, M or S."""
    stop: float = 1
    echo: bool = False
    """The adapter hears what it sends itself, as RS-485 ones may."""

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.url} {self.baud} {self.bits}{self.parity}{self.stop:g}"


@dataclass(frozen=True)
class TcpPortSettings(_Port):
    """A TCP server that the bench is the client of."""

    type: ClassVar[str] = "tcp"
    host: str
    port: int

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class SignalsPortSettings(_Port):
    """A box with the charger's sensors and actuators, which speaks the signals line protocol."""

    type: ClassVar[str] = "signals"
    url: str
    """``tcp://host:port``, ``udp://host:port``, or what ``serial.serial_for_url`` takes."""
    baud: int = 115_200
    """Where it is a serial port."""

    @property
    def transport(self) -> str:
        """``tcp``, ``udp`` or ``serial``."""
        scheme = self.url.partition("://")[0]
        return scheme if scheme in ("tcp", "udp") else "serial"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of a ``tcp`` or ``udp`` url."""
        host, _, port = self.url.partition("://")[2].rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self.url if self.transport != "serial" else f"{self.url} {self.baud}"


PortSettings = CanPortSettings | SerialPortSettings | TcpPortSettings | SignalsPortSettings
PORT_TYPES = ("can", "serial", "tcp", "signals")


@dataclass(frozen=True)
class DutProcessSettings:
    """A DUT that the rig starts and stops. Spans are nanoseconds."""

    command: tuple[str, ...]
    """Program and arguments, as they are: no shell takes part."""
    folder: str
    """Where it runs, absolute."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside the bench's own environment."""
    ready: str = ""
    """Regular expression over its output lines; empty: it is ready at once."""
    ready_within: Span = 10 * SECOND
    alive: str = ""
    """Regular expression of lines that show that it goes on; empty: nothing tells a hang."""
    alive_within: Span = 5 * SECOND
    """The longest time between two of them."""
    stop_within: Span = 5 * SECOND
    """Until it is killed."""
