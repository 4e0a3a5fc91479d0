"""Listening to a CAN port: whether the bus lives, at the bit rate that is said, and how well its frames are stamped."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import can

from hil.bus.timing import frame_bits
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS
from hil.rig.ports import CanPortSettings
from hil.transport.clock import monotonic, wall_nanoseconds
from hil.transport.probe import Probe
from hil.units import SECOND, Instant, Span, s, seconds, show_span

_EPOCH_S = 365 * 24 * 3600
_FULL = 1.02
"""A bus carries no more than all of its time; so much is left to the clock."""
_UNRATED = ("udp_multicast",)
"""Interfaces that have no bit rate."""


@dataclass
class Listened:
    """What was heard."""

    frames: int = 0
    errors: int = 0
    bits: int = 0
    senders: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)
    """s from the stamp of a frame to its being read; of an adapter with a clock of its own, less a constant."""
    own_clock: bool = False
    """The stamps count from somewhere else than 1970."""
    unstamped: int = 0


def listen(
    bus: can.BusABC,
    span: Span,
    clock: Callable[[], Instant] = monotonic,
    wall: Callable[[], int] = wall_nanoseconds,
) -> Listened:
    """Take in what comes within the span, and send nothing."""
    heard, due = Listened(), clock() + span
    while (left := due - clock()) > 0:
        message = bus.recv(seconds(left))
        if message is not None:
            _take(heard, message, clock(), wall())
    return heard


def _take(heard: Listened, message: can.Message, real: Instant, wall: int) -> None:
    if message.is_error_frame:
        heard.errors += 1
        return
    heard.frames += 1
    data = bytes(message.data)
    if not message.is_fd and len(data) <= 8:
        heard.bits += frame_bits(message.arbitration_id, data, message.is_extended_id)
    heard.senders[_sender(message)] += 1
    if message.timestamp <= 0:
        heard.unstamped += 1
        return
    heard.own_clock = message.timestamp < _EPOCH_S
    now = real if heard.own_clock else wall
    heard.delays.append(now / SECOND - message.timestamp)


def _sender(message: can.Message) -> str:
    if not message.is_extended_id:
        return "11-bit frames"
    names = {CHARGER_ADDRESS: "charger", BMS_ADDRESS: "vehicle"}
    source = message.arbitration_id & 0xFF
    return names.get(source, f"address {source:02X}")


def probes_of(heard: Listened, span: Span, settings: CanPortSettings, configured: int | None) -> list[Probe]:
    """What was heard within a span, judged; ``configured`` is the bit rate that the system tells, if it does."""
    rated = [] if settings.interface in _UNRATED else [_bitrate(heard, span, settings, configured)]
    return [_alive(heard, span), *rated, _stamps(heard, settings)]


def _alive(heard: Listened, span: Span) -> Probe:
    if heard.errors and not heard.frames:
        return Probe("bus", "fault", f"{heard.errors} error frames and no other in {show_span(span)}")
    if not heard.frames:
        told = f"no frame in {show_span(span)}; a charger is silent until it is plugged and started"
        return Probe("bus", "quiet", told)
    senders = ", ".join(f"{count} by {name}" for name, count in heard.senders.most_common(5))
    errors = f"; {heard.errors} error frames" if heard.errors else ""
    rate = heard.frames / seconds(span)
    return Probe("bus", "fault" if heard.errors else "ok", f"{rate:.0f} frames a second ({senders}){errors}")


def _bitrate(heard: Listened, span: Span, settings: CanPortSettings, configured: int | None) -> Probe:
    said = settings.bitrate
    if configured is not None and configured != said:
        return Probe("bit rate", "fault", f"the interface runs at {configured} bit/s, the rig says {said}")
    if heard.errors and not heard.frames:
        return Probe("bit rate", "fault", f"only error frames: the bus does not run at {said} bit/s, or is not wired")
    load = heard.bits / (said * seconds(span))
    if load > _FULL:
        return Probe("bit rate", "fault", f"{load:.0%} of what {said} bit/s can carry was heard")
    if configured is not None:
        return Probe("bit rate", "ok", f"{configured} bit/s, as the system tells; {load:.0%} of it in use")
    if not heard.frames:
        return Probe("bit rate", "quiet", f"nothing tells whether {said} bit/s is right")
    return Probe("bit rate", "ok", f"{said} bit/s is plausible: frames come whole, {load:.0%} of it in use")


def _stamps(heard: Listened, settings: CanPortSettings) -> Probe:
    declared = f"declared: {settings.clock} clock, {show_span(settings.uncertainty)}"
    if heard.frames and heard.unstamped == heard.frames:
        return Probe("clock", "fault" if settings.clock != "user" else "ok", f"frames come without stamps; {declared}")
    if not heard.delays:
        return Probe("clock", "quiet", f"not measured, as no frame came; {declared}")
    delays = sorted(heard.delays)
    offset, jitter = delays[0], delays[int(len(delays) * 0.99)] - delays[0]
    if heard.own_clock:
        told = "stamped by a clock of the adapter's own"
    elif offset < -seconds(settings.uncertainty):
        return Probe("clock", "fault", f"stamps are {-offset * 1e3:.3f} ms ahead of this machine's clock; {declared}")
    else:
        told = f"read {offset * 1e3:.3f} ms after the stamp at best"
    return Probe("clock", "ok", f"{told}, jitter {jitter * 1e3:.3f} ms over {len(delays)} frames; {declared}")


def configured_bitrate(settings: CanPortSettings) -> int | None:
    """The bit rate that the kernel tells of a SocketCAN interface; None where it tells none."""
    tool = shutil.which("ip")
    if settings.interface != "socketcan" or tool is None:
        return None
    command = [tool, "-details", "-json", "link", "show", settings.channel]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds(s(10)))  # noqa: S603 - no shell
    return bitrate_told(done.stdout)


def bitrate_told(text: str) -> int | None:
    """The bit rate in what ``ip -details -json link show`` prints; None where there is none."""
    try:
        rate = json.loads(text)[0]["linkinfo"]["info_data"]["bittiming"]["bitrate"]
    except (ValueError, LookupError, TypeError):
        return None
    return rate if isinstance(rate, int) else None
