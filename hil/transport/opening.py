"""Opening the ports of a rig. What the system refuses is told with the port, its words, and what to try."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import can
import serial

from hil.errors import RigError
from hil.rig.ports import CanPortSettings, PortSettings, SerialPortSettings, SignalsPortSettings, TcpPortSettings
from hil.transport.slcan_bus import SlcanBus
from hil.units import Span, s, seconds

SERVE_ON = "serve on an address of this machine that is free"
CONNECT_WITHIN: Span = s(5)


def open_can(settings: CanPortSettings) -> can.BusABC:
    """The bus of a CAN port, at its bit rate; raises :class:`RigError`.

    The caller shuts it down.
    """
    options: dict[str, Any] = {"bitrate": settings.bitrate, **settings.options}
    try:
        if settings.interface == "slcan":
            return SlcanBus(settings.channel, stamped=settings.clock == "hardware", **options)
        return can.Bus(interface=settings.interface, channel=settings.channel, **options)
    except Exception as error:  # backends raise their driver's own types, and ImportError without one
        raise refused(settings, error, _CAN_HINTS.get(settings.interface, "")) from error


def is_pty(url: str) -> bool:
    """Whether a serial port is a pseudo-terminal: it carries bytes, and refuses parity as no line has it."""
    return Path(url).resolve().parent == Path("/dev/pts")


def open_serial(settings: SerialPortSettings | SignalsPortSettings) -> serial.SerialBase:
    """A serial port in its format, reading without blocking; raises :class:`RigError`. The caller closes it."""
    given: dict[str, Any] = {"baudrate": settings.baud}
    if isinstance(settings, SerialPortSettings):
        parity = "N" if is_pty(settings.url) else settings.parity
        given |= {"bytesize": settings.bits, "parity": parity, "stopbits": settings.stop}
    elif settings.transport != "serial":
        raise RigError(f"[ports.{settings.name}] url {settings.url} is no serial port; open_tcp and open_udp take it")
    try:
        return serial.serial_for_url(settings.url, timeout=0, **given)
    except Exception as error:  # termios has an error type of its own, other systems others
        raise refused(settings, error, "") from error


def open_tcp(settings: TcpPortSettings | SignalsPortSettings, within: Span = CONNECT_WITHIN) -> socket.socket:
    """A blocking socket connected to the server, sending small pieces at once; raises :class:`RigError`.

    The caller closes it.
    """
    try:
        found = socket.create_connection(_address(settings), timeout=seconds(within))
    except OSError as error:
        raise refused(settings, error, "") from error
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.settimeout(None)
    return found


def open_udp(settings: SignalsPortSettings, *, bind: bool = False) -> socket.socket:
    """A blocking UDP socket that talks to the box only, or (``bind``) is the box's; raises :class:`RigError`.

    The caller closes it.
    """
    host, port = settings.address
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise refused(settings, error, "") from error
    try:
        if bind:
            found.bind(address)
        else:
            found.connect(address)
    except OSError as error:
        found.close()
        raise refused(settings, error, SERVE_ON if bind else "") from error
    return found


def _address(settings: TcpPortSettings | SignalsPortSettings) -> tuple[str, int]:
    return (settings.host, settings.port) if isinstance(settings, TcpPortSettings) else settings.address


def refused(settings: PortSettings, error: Exception, hint: str) -> RigError:
    """What is told of a port that cannot be opened: its name and place, what the system said, what to try."""
    said = " ".join(str(error).split()) or type(error).__name__
    hint = _by_cause(settings, error) or hint
    return RigError(f"port {settings.name} ({settings.place}) cannot be opened: {said}{f'; {hint}' if hint else ''}")


def _by_cause(settings: PortSettings, error: Exception) -> str:
    number = _errno(error)
    if isinstance(error, socket.gaierror):
        return "check the host's name, or give its address"
    if isinstance(error, TimeoutError):
        return "check that the device is on, and its address"
    if number is None:
        return ""
    return _HINTS.get((number, settings.type), _HINTS.get((number, ""), ""))


def _errno(error: BaseException) -> int | None:
    """The number of the system's error, where one is at the bottom of it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno is not None:
            return seen.errno
        seen = seen.__cause__ or seen.__context__
    return None


_NO_FILE = "check the cable and the url; `python -m serial.tools.list_ports` lists what there is"
_HINTS: Mapping[tuple[int, str], str] = {
    (errno.ENOENT, "serial"): _NO_FILE,
    (errno.ENOENT, "signals"): _NO_FILE,
    (errno.EACCES, ""): "join the group that owns the port (often dialout), then log in again",
    (errno.EBUSY, ""): "another program holds it",
    (errno.ECONNREFUSED, ""): "check that the device is on, its port number, and that nobody else is connected",
    (errno.EHOSTUNREACH, ""): "check cable and address",
    (errno.ENETUNREACH, ""): "no route leads there: check the address of this machine",
    (errno.ENODEV, "can"): "there is no such CAN interface: `ip link` lists what there is",
    (errno.ENETDOWN, "can"): "the CAN interface is down: `ip link set NAME up type can bitrate 250000`",
    (errno.EAFNOSUPPORT, "can"): "the kernel of this machine has no CAN",
    (errno.EPERM, ""): "the system forbids it to this user",
}
"""By the system's number and the type of port (empty: any)."""
_CAN_HINTS: Mapping[str, str] = {
    "pcan": "install the driver of the maker (PCAN-Basic), and check the channel's name, as PCAN_USBBUS1",
    "kvaser": "install the driver of the maker (CANlib)",
    "vector": "install the driver of the maker (XL Driver Library)",
    "ixxat": "install the driver of the maker (VCI)",
    "slcan": "check the serial port of the adapter, and that no other program holds it",
    "gs_usb": "install gs-usb and give this user the right to the USB device",
    "udp_multicast": "it takes `pip install python-can[multicast]` and a multicast route on the interface",
}
