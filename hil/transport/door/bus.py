"""python-can's side of the door: a bus class that joins a channel as a node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import can
from can.broadcastmanager import CyclicSendTaskABC
from can.typechecking import AutoDetectedConfig, CanFilters

from hil.errors import UsageError, WorldError
from hil.transport.door import registry
from hil.transport.door.cyclic import CyclicTask
from hil.transport.door.door import Door
from hil.transport.door.guest import Guest
from hil.transport.door.messages import frame_of
from hil.transport.door.passing import NothingMore, Pace
from hil.units import SECOND, s

_IGNORED = {"single_handle", "timing"}
"""What python-can's own programs and configuration files add for other interfaces."""
_STATES = {
    "error_active": can.BusState.ACTIVE,
    "error_passive": can.BusState.PASSIVE,
    "bus_off": can.BusState.ERROR,
}


class DoorBus(can.BusABC):
    """A node on a virtual bus.

    ``channel`` is a :class:`Door` or the name of one that is open in this process. ``pace`` is ``auto``, ``lockstep``
    or ``wall``; ``node`` the node's name in traces; ``rx_queue_size`` how many messages may wait to be fetched.
    :class:`can.CanInitializationError` for a channel that there is not, and for anything that contradicts it.
    """

    def __init__(
        self,
        channel: Door | str,
        can_filters: CanFilters | None = None,
        *,
        pace: Pace = "auto",
        receive_own_messages: bool = False,
        ignore_rx_error_frames: bool = False,
        node: str = "",
        rx_queue_size: int = 100_000,
        bitrate: int | None = None,
        fd: bool = False,
        **others: Any,
    ) -> None:
        unknown = set(others) - _IGNORED
        if unknown:
            raise can.CanInitializationError(
                f"{', '.join(sorted(unknown))}: no option of interface hil; there are pace, receive_own_messages, "
                "ignore_rx_error_frames, node, rx_queue_size, can_filters and bitrate"
            )
        if fd:
            raise can.CanInitializationError("CAN FD is not modelled; buses of interface hil are classic CAN")
        if rx_queue_size < 1:
            raise can.CanInitializationError(f"rx_queue_size {rx_queue_size}: 1 or more is allowed")
        self._filters: CanFilters | None = None
        try:
            door = channel if isinstance(channel, Door) else registry.find_or_publish(str(channel), self._make)
            self._door = door
            self._guest = self._join(
                node, bitrate, receive_own_messages, not ignore_rx_error_frames, rx_queue_size, pace
            )
        except (UsageError, WorldError) as error:
            raise can.CanInitializationError(str(error)) from error
        self.channel_info = f"hil channel {door.name}, bus {door.line.name}"
        super().__init__(channel=door.name, can_filters=can_filters)

    @staticmethod
    def _make(name: str) -> Door:
        """A channel of that name that is not open; :class:`UsageError` where there is no such thing."""
        raise UsageError(f"no channel {name!r} is open; open are {', '.join(registry.names()) or 'none'}")

    def _join(self, node: str, bitrate: int | None, own: bool, errors: bool, most: int, pace: Pace) -> Guest:
        door = self._door
        try:
            actual = SECOND // door.line.bit
            if bitrate is not None and bitrate != actual:
                raise UsageError(f"bit rate {bitrate}: channel {door.name!r} has {actual}")
            return door.join(name=node, wants=self._matches_filters, own=own, errors=errors, most=most, pace=pace)
        except UsageError:
            door.end_unused()
            raise

    # --- what the world shows -------------------------------------------------------------------------

    @property
    def door(self) -> Door:
        """The bus's other side: commands of the world, sensors of its plant."""
        return self._door

    @property
    def pace(self) -> str:
        """What time follows now: ``lockstep`` or ``wall``."""
        return self._door.pace

    @property
    def now(self) -> float:
        """The world's time in seconds from its start, as time stamps of messages count it."""
        return self._door.now / SECOND

    @property
    def state(self) -> can.BusState:
        """Of this node's controller: ``ACTIVE`` (error-active), ``PASSIVE`` (error-passive) or ``ERROR`` (bus-off)."""
        return _STATES[self._guest.port.state]

    @state.setter
    def state(self, new_state: can.BusState) -> None:
        # Only what it is already: the model decides on the state, and knows no node that only listens.
        if new_state is not self.state:
            raise can.CanOperationError(f"state {new_state.name}: the virtual controller is {self.state.name}")

    # --- python-can -----------------------------------------------------------------------------------

    def recv(self, timeout: float | None = None) -> can.Message | None:
        """The next message, or None after the time-out in s, of the world's time in lockstep.

        Without a time-out, in lockstep, :class:`~hil.transport.door.NothingMore` tells that nothing more will come.
        """
        return self._door.receive(self._guest, None if timeout is None else s(timeout))

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        """Hand a frame to the controller; waits only while that is full, at most for the time-out.

        :class:`can.CanOperationError` for what is no data frame of classic CAN, and when no room came about.
        """
        self._door.send(self._guest, frame_of(msg), None if timeout is None else s(timeout))

    def __iter__(self) -> Iterator[can.Message]:
        """Messages as they come; in lockstep this ends when nothing more will come."""
        while True:
            try:
                message = self.recv(None)
            except NothingMore:
                return
            if message is not None:
                yield message

    def _send_periodic_internal(
        self,
        msgs: Sequence[can.Message] | can.Message,
        period: float,
        duration: float | None = None,
        autostart: bool = True,
        modifier_callback: Callable[[can.Message], None] | None = None,
    ) -> CyclicSendTaskABC:
        task = CyclicTask(self._door, self._guest, msgs, period, duration, modifier_callback)
        if autostart:
            task.start()
        return task

    def flush_tx_buffer(self) -> None:
        """Take back what was handed over and has not begun on the bus."""
        self._door.discard(self._guest)

    def shutdown(self) -> None:
        """Leave the bus when what was sent has gone out; with the last guest a channel that was made for it ends."""
        if self._is_shutdown:
            return
        super().shutdown()
        self._door.leave(self._guest)

    @staticmethod
    def _detect_available_configs() -> Sequence[AutoDetectedConfig]:
        """The channels that are open."""
        return [{"interface": "hil", "channel": name} for name in registry.names()]
