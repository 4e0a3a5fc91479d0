"""Registers as one of several interfaces of the reference AC charger: all of them show the same charger.

pymodbus answers, as for the reference Modbus device; the map says what is refused.
"""

from __future__ import annotations

from dataclasses import replace

from hil.codec.registers import RegisterMap, frozen
from hil.dut.ac.control import Control, Front, FrontMaker
from hil.dut.ac_modbus.spec import FrontSpec, reference
from hil.dut.ac_modbus.views import VIEWS
from hil.dut.modbus import Responder, ServedMap, TcpServer, spec_of
from hil.units import SECOND, Instant
from hil.world.bytenode import Send, Shut, Wish


class ModbusFront:
    """A Modbus TCP server on one line of the reference AC charger."""

    def __init__(self, control: Control, line: str, spec: FrontSpec) -> None:
        self.lines: tuple[str, ...] = (line,)
        self.wishes: list[Wish] = []
        self.view = VIEWS[spec.registers.name](control, spec)
        self._line = line
        self._spec = spec
        self._control = control
        served = ServedMap(_served(spec), self.view)
        self._responder = Responder(spec_of(spec.registers, latency=spec.latency), served)
        self._connections: dict[int, TcpServer] = {}
        self._heard: dict[int, Instant] = {}
        self._idle = round(spec.registers.behaviour.idle_close * SECOND)
        self._started = False

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come."""
        connection = self._connections.get(channel)
        if connection is None:
            return
        self._heard[channel] = now
        connection.receive(data, now)
        if self._spec.feed == "anything":
            self._control.heartbeat(now)
        self._settle()

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """A client has come; one too many is turned away."""
        if len(self._connections) >= (self._spec.registers.behaviour.clients or self._spec.clients):
            self.wishes.append(Shut(line, channel))
            return
        self._connections[channel] = TcpServer(self._responder)
        self._heard[channel] = now

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """A client has gone."""
        self._connections.pop(channel, None)
        self._heard.pop(channel, None)

    def changed(self, now: Instant) -> None:
        """The charger's state, fault or current may have changed."""
        self.view.changed(now)

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        if not self._started:
            self._started = True
            self.view.start(now)
        for channel, connection in self._connections.items():
            connection.wake(now)
            if self._idle and now >= self._heard[channel] + self._idle:
                connection.closing = True
        self._settle()

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        if not self._started:
            return 0
        dues = [each.next_deadline() for each in self._connections.values()]
        if self._idle:
            dues += [heard + self._idle for heard in self._heard.values()]
        return min((each for each in dues if each is not None), default=None)

    def _settle(self) -> None:
        for channel, connection in list(self._connections.items()):
            self.wishes += [Send(self._line, piece, channel) for piece in connection.bytes_to_send()]
            if connection.closing:
                del self._connections[channel], self._heard[channel]
                self.wishes.append(Shut(self._line, channel))


def _served(spec: FrontSpec) -> RegisterMap:
    """The map by which values are refused."""
    registers = spec.registers
    if spec.checks_range and not spec.obeys_refused:
        return registers
    free = (replace(each, low=None, high=None) for each in registers.registers.values())
    return replace(registers, registers=frozen(free))


def modbus_front(line: str, spec: FrontSpec | None = None) -> FrontMaker:
    """A maker of registers for :class:`hil.dut.ac.AcCharger`."""

    def make(control: Control) -> Front:
        return ModbusFront(control, line, spec or reference())

    return make
