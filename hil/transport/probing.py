"""Looking at every port of a rig: can it be opened, does something answer, how well is it stamped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.errors import RigError
from hil.plant import SIGNALS
from hil.plant.ac_signals import AC_SIGNALS
from hil.rig import Rig
from hil.rig.instruments import InstrumentClaim
from hil.rig.ports import (
    CanPortSettings,
    DutProcessSettings,
    PortSettings,
    SerialPortSettings,
    SignalsPortSettings,
    TcpPortSettings,
)
from hil.transport import probe_devices as devices
from hil.transport.clock import monotonic
from hil.transport.dut_process import DutError, DutProcess
from hil.transport.opening import open_can, open_serial, open_tcp, open_udp
from hil.transport.probe import Probe, SerialStream, SocketStream, Stream
from hil.transport.probe_can import configured_bitrate, listen, probes_of
from hil.units import Span, s, seconds

LISTEN: Span = s(3)
"""To a CAN bus."""


def check_process(settings: DutProcessSettings, process: DutProcess) -> Probe:
    """Start the rig's DUT and leave it running, for what is behind its ports to answer."""
    begin = monotonic()
    try:
        process.start()
    except DutError as error:
        return Probe("process", "fault", str(error))
    how = "ready" if settings.ready else "started (no ready line is declared)"
    return Probe("process", "ok", f"{how} after {seconds(monotonic() - begin):.1f} s")


@dataclass(frozen=True)
class PortCheck:
    """What became of one port."""

    port: PortSettings
    parts: tuple[str, ...]
    """Roles that it plays, and instruments that are read over it."""
    error: str = ""
    """Why it could not be opened; empty when it could."""
    probes: tuple[Probe, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether it could be opened and nothing was found wrong."""
        return not self.error and all(each.state != "fault" for each in self.probes)


def look(rig: Rig, span: Span = LISTEN) -> tuple[Probe | None, tuple[PortCheck, ...]]:
    """At the DUT as a process, where the rig starts it, and at every port; each CAN bus is listened to for the span.

    A DUT that was started is stopped again.
    """
    if rig.process is None:
        return None, tuple(check_port(rig, port, span) for port in rig.ports.values())
    process = DutProcess(rig.process)
    try:
        started = check_process(rig.process, process)
        return started, tuple(check_port(rig, port, span) for port in rig.ports.values())
    finally:
        process.close()


def check_port(rig: Rig, port: PortSettings, span: Span = LISTEN) -> PortCheck:
    """Open a port, ask what is there, and give it back."""
    roles = [role for role, name in rig.roles.items() if name == port.name]
    claims = [claim for claim in rig.instruments.values() if claim.port == port.name]
    parts = (*roles, *(f"instrument {claim.name}" for claim in claims))
    try:
        if isinstance(port, CanPortSettings):
            return PortCheck(port, parts, probes=tuple(_listened(port, span)))
        return PortCheck(port, parts, probes=tuple(_asked(rig, port, roles, claims)))
    except RigError as error:
        return PortCheck(port, parts, error=str(error))


def _listened(port: CanPortSettings, span: Span) -> list[Probe]:
    bus = open_can(port)
    try:
        heard = listen(bus, span)
    except Exception as error:  # a driver's own types
        return [Probe("bus", "fault", f"it was lost: {error}")]
    finally:
        bus.shutdown()
    return probes_of(heard, span, port, configured_bitrate(port))


def _asked(rig: Rig, port: PortSettings, roles: list[str], claims: list[InstrumentClaim]) -> list[Probe]:
    stream, close = _stream(port)
    try:
        probes = [probe for role in roles for probe in _of_role(rig, port, role, stream)]
        return [*probes, *(_of_instrument(port, claim, stream) for claim in claims)]
    finally:
        close()


def _stream(port: PortSettings) -> tuple[Stream, Callable[[], None]]:
    if isinstance(port, TcpPortSettings) or (isinstance(port, SignalsPortSettings) and port.transport == "tcp"):
        connected = open_tcp(port)
        return SocketStream(connected), connected.close
    if isinstance(port, SignalsPortSettings) and port.transport == "udp":
        connected = open_udp(port)
        return SocketStream(connected), connected.close
    assert isinstance(port, SerialPortSettings | SignalsPortSettings), "a CAN port is listened to"
    serial = open_serial(port)
    return SerialStream(serial), serial.close


def _of_role(rig: Rig, port: PortSettings, role: str, stream: Stream) -> list[Probe]:
    if role == "modbus":
        return [devices.probe_modbus(stream, rig.dut.map, None, tcp=port.type == "tcp")]
    if role == "console":
        return [devices.probe_console(stream)]
    if role == "meter":
        return [devices.probe_meter(stream)]
    return devices.probe_signals(stream, needed_signals(rig), rig.interlocks)


def _of_instrument(port: PortSettings, claim: InstrumentClaim, stream: Stream) -> Probe:
    if claim.kind == "modbus":
        unit = claim.address if isinstance(claim.address, int) else None
        return devices.probe_modbus(stream, claim.map, unit, tcp=port.type == "tcp")
    return devices.probe_meter(stream) if claim.kind == "dlt645" else devices.probe_scpi(stream)


def needed_signals(rig: Rig) -> dict[str, str]:
    """What a box is to have, by its own names: the charger's sensors and actuators of a DC charger where the rig has
    CAN, else of an AC charger. Name to kind."""
    signals = SIGNALS if "can" in rig.roles else AC_SIGNALS
    return {
        rig.signals.get(each.name, each.name): each.kind
        for each in signals
        if each.side == "charger" and each.kind != "stimulus"
    }
