"""Frames and errors of a virtual bus as python-can's messages, and back."""

from __future__ import annotations

import can

from hil.bus.observe import BusErrorSeen
from hil.bus.socketcan import error_frame
from hil.codec.frame import CanFrame
from hil.units import SECOND, Instant


def message_of(frame: CanFrame, t: Instant, channel: str, *, received: bool = True) -> can.Message:
    """A frame that has ended at an instant; the time stamp is that of the world, in seconds from its start."""
    return can.Message(
        timestamp=t / SECOND,
        arbitration_id=frame.id,
        is_extended_id=frame.extended,
        data=frame.data,
        channel=channel,
        is_rx=received,
    )


def error_message(seen: BusErrorSeen) -> can.Message:
    """What a controller tells of itself, as an error frame of SocketCAN."""
    classes, data = error_frame(seen)
    return can.Message(
        timestamp=seen.t / SECOND,
        arbitration_id=classes,
        is_extended_id=True,
        is_error_frame=True,
        data=data,
        channel=seen.port,
    )


def frame_of(message: can.Message) -> CanFrame:
    """A message to be sent; :class:`can.CanOperationError` for what is no data frame of classic CAN."""
    wrong = [
        name
        for name, given in (
            ("a CAN FD frame", message.is_fd),
            ("a remote frame", message.is_remote_frame),
            ("an error frame", message.is_error_frame),
        )
        if given
    ]
    if wrong:
        raise can.CanOperationError(f"{wrong[0]} cannot be sent: data frames of classic CAN can")
    limit = 0x1FFFFFFF if message.is_extended_id else 0x7FF
    if not 0 <= message.arbitration_id <= limit:
        raise can.CanOperationError(f"identifier 0x{message.arbitration_id:X}: 0..0x{limit:X} is allowed")
    data = bytes(message.data)
    if len(data) > 8:
        raise can.CanOperationError(f"{len(data)} bytes of data: a frame has at most 8")
    return CanFrame(message.arbitration_id, data, message.is_extended_id)
