"""The reference console as a node on a byte line: frames in, replies and notifications out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from hil.dut.rapi.answers import HANDLERS, NK, Answer, Context
from hil.dut.rapi.charger import FAULTS, Charger, Status
from hil.dut.rapi.memory import fresh, level_of
from hil.dut.rapi.spec import ConsoleSpec
from hil.dut.rapi.watch import Watch
from hil.errors import UsageError
from hil.protocol.rapi import COMMANDS, NOTIFIED, Broken, Check, Frame, Framer, Setting, encode
from hil.protocol.rapi.frame import START
from hil.units import FAR, Instant, Span
from hil.world.bytenode import Send, Wish
from hil.world.observation import Note

_NOTIFIED = int(NOTIFIED)
_INBOX = 256
"""Bytes that wait while the console is busy; more are lost, as in a UART's buffer."""
_PRESSES = {"short": "$AN 0", "long": "$AN 1", "very_long": "$WF 02"}


class _View(NamedTuple):
    """What a notification tells."""

    state: int
    pilot: int
    capacity: int
    flags: int


class Console:
    """A console on ``line`` for a charger. On a TCP link it serves any number of connections with one stream.

    Orders: ``press`` (``kind`` short, long or very_long: the front button), ``say`` (``text``: a debug
    line), ``busy`` (``span``: it looks at the line that much later), ``restart``.
    """

    def __init__(self, name: str, line: str, charger: Charger, spec: ConsoleSpec | None = None) -> None:
        self.name = name
        self.spec = spec or ConsoleSpec()
        self.charger = charger
        self.memory = fresh(self.spec)
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._line = line
        self._channels: set[int] = set()
        self._serial = True
        self._framer = Framer(self.spec.buffer)
        self._inside = self._spoilt = False
        self._inbox: deque[tuple[bytes, str]] = deque()
        self._waiting = 0
        self._outbox: deque[tuple[Instant, bytes]] = deque()
        self._busy_until: Instant = 0
        self._boots_at: Instant | None = self.spec.boot
        self._told: _View | None = None
        self._chatter = 0
        self._mutters_at: Instant = self.spec.boot + self.spec.mutter
        self._watch = Watch(self.spec, self.memory, charger)
        self._was: Status | None = None

    # --- for the world ------------------------------------------------------------------------------

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come: looked at now, or when the console is free again."""
        if now < self._busy_until or self._boots_at is not None:
            if not self.spec.deaf and self._boots_at is None and self._waiting + len(data) <= _INBOX:
                self._inbox.append((data, flaw))
                self._waiting += len(data)
            return
        self._look(data, flaw, now)

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """Another client of the same stream."""
        self._serial = False
        self._channels.add(channel)

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """One client fewer."""
        self._channels.discard(channel)

    def signal(self, name: str, value: float, now: Instant) -> None:
        """A sensor has changed: look at once."""
        if self._boots_at is None:
            self.charger.wake(now)
            self._follow(now)

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb raises :class:`UsageError`."""
        if verb == "press" and arguments.get("kind") in _PRESSES:
            self._button(str(arguments["kind"]), now)
        elif verb == "say":
            self._put(str(arguments["text"]).encode("latin-1", "replace") + b"\r\n", now)
        elif verb == "busy":
            self._occupy(int(arguments["span"]), now)
        elif verb == "restart":
            self._restart(now)
        else:
            known = "press (short, long, very_long), say, busy, restart"
            raise UsageError(f"{self.name} cannot {verb} {dict(arguments)}; it knows {known}")
        self._flush(now)

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        if self._boots_at is not None and now >= self._boots_at:
            self._booted(now)
        if self._boots_at is None:
            if now >= self.charger.next_deadline():
                self.charger.wake(now)
            self._follow(now)
            while self._inbox and now >= self._busy_until:
                data, flaw = self._inbox.popleft()
                self._waiting -= len(data)
                self._look(data, flaw, now)
            if self.spec.mutter and now >= self._mutters_at:
                self._mutters_at = now + self.spec.mutter
                self._talk(now)
        self._flush(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        nearest = self._outbox[0][0] if self._outbox else FAR
        if self._boots_at is not None:
            return min(nearest, self._boots_at)
        if self._inbox:
            nearest = min(nearest, self._busy_until)
        beat = self.memory.heartbeat.due(self.spec)
        if self.spec.mutter:
            nearest = min(nearest, self._mutters_at)
        return min(nearest, self.charger.next_deadline(), FAR if beat is None else beat)

    # --- commands -----------------------------------------------------------------------------------

    def _look(self, data: bytes, flaw: str, now: Instant) -> None:
        if self.memory.echo:
            self._put(data, now)
        for item in self._framer.spoil(data, flaw) if flaw else self._framer.feed(self._heard(data)):
            if isinstance(item, Broken):
                self._spoilt = self.spec.text_spoils and item.why == "text"
            elif self._spoilt:
                self._spoilt = False
                self._reply(NK, item.sequence, now)
            else:
                self._command(item, now)
        self._flush(now)

    def _heard(self, data: bytes) -> bytes:
        """A console that does not begin anew at ``$`` takes it for any other character."""
        if self.spec.resync:
            return data
        heard = bytearray(data)
        for index, byte in enumerate(data):
            if byte == START and self._inside:
                heard[index] = 0x25
            self._inside = (self._inside or byte == START) and byte != 0x0D
        return bytes(heard)

    def _command(self, frame: Frame, now: Instant) -> None:
        spec = self.spec
        if self.memory.echo:
            self._put(b"\n", now)
        tokens = len(frame.tokens) + (frame.sequence is not None)
        wrong = (not frame.valid and spec.verify) or (spec.exact_check and not _is_exact(frame))
        if wrong or frame.check not in spec.checks or tokens > spec.max_tokens:
            self._reply(NK, frame.sequence if spec.id_with_bad_check else None, now)
            return
        name, parameters = frame.tokens[0], list(frame.tokens[1:])
        if not spec.whole_names:
            name = name[:2]
        answer = self._carry_out(name, parameters, now)
        self.actuations.extend(self._taken())
        if spec.notify_first:
            self._notice(now)
        begin = len(self._outbox)
        if name not in spec.mute:
            self._reply(answer, frame.sequence, now, spec.forced.get(name))
        self._follow(now)
        if spec.splits and len(self._outbox) == begin + 2:
            (_, told), (at, reply) = self._outbox.pop(), self._outbox.pop()
            self._outbox.append((at, reply[:3] + told + reply[3:]))

    def _carry_out(self, name: str, parameters: list[str], now: Instant) -> Answer:
        command = COMMANDS.get(name)
        spec = self.spec
        if command is None or name in spec.missing:
            return NK
        if not command.takes(len(parameters)):
            if not spec.any_count:
                return NK
            parameters = (parameters + ["0"] * len(command.parameters))[: len(command.parameters)]
        if name in spec.idle:
            return Answer()
        context = Context(
            spec,
            self.memory,
            self.charger,
            lambda: self._watch.flags(self.charger.status(now)),
            lambda: self._button("short", now),
            lambda: self._restart(now),
            now,
        )
        answer = HANDLERS[name](context, parameters)
        if command.changes and self._boots_at is None:
            self.charger.wake(now)
        return answer

    def _reply(self, answer: Answer, sequence: int | None, now: Instant, forced: str | None = None) -> None:
        spec = self.spec
        text = forced if forced is not None else f"{'OK' if answer.ok else 'NK'} {answer.text}".rstrip(" ")
        self._talk(now)
        if spec.tells_first and self._boots_at is None:
            self._put(self._encode(self._told_as(self._view(now))), now)
        self._put(self._encode(text, sequence if spec.ids else None), now)

    def _talk(self, now: Instant) -> None:
        """The next debug line, between two frames."""
        spec = self.spec
        if spec.chatter:
            line = spec.chatter[self._chatter % len(spec.chatter)] + spec.chatter_end
            self._chatter += 1
            self._put(line.encode("latin-1", "replace"), now)

    def _encode(self, text: str, sequence: int | None = None) -> bytes:
        spec = self.spec
        data = encode(*text.split(" "), sequence=sequence, check=spec.reply_check, end=b"")
        if spec.reply_check is not Check.NONE:
            body, digits = data[:-2], int(data[-2:], 16) + spec.check_offset & 0xFF
            data = body + (f"{digits:02x}" if spec.lower_case else f"{digits:02X}").encode()
        return data + (b"\r\n" if self.memory.echo else spec.line_end.encode())

    def _button(self, kind: str, now: Instant) -> None:
        """A press ends or begins sleep; a disabled button tells of the press instead (sheet serial 1.6)."""
        if kind == "very_long" or self.charger.settings & Setting.BUTTON_OFF:
            self._put(self._encode(_PRESSES[kind][1:]), now)
        elif kind == "short":
            self.charger.mode = "sleeping" if self.charger.mode == "enabled" else "enabled"
            if self._boots_at is None:
                self.charger.wake(now)
            self._notice(now)  # it may come before the reply
        else:
            self._restart(now)

    def _restart(self, now: Instant) -> None:
        self.memory.restart(self.spec)
        self.charger.restart(now)
        self.charger.capacity = self.memory.stored[level_of(self.charger.settings)]
        self.actuations.extend(self._taken())
        self._was = None
        self._inbox.clear()
        self._waiting = 0
        self._framer = Framer(self.spec.buffer)
        self._boots_at = now + self.spec.boot

    def _booted(self, now: Instant) -> None:
        self._boots_at = None
        self.charger.wake(now)
        self._told = self._view(now)
        self._watch.begin(now)
        self.memory.heartbeat.beaten = now
        if self.spec.announces_boot:
            self._put(self._encode(f"AB {self._told.state:02x} {self.spec.firmware}"), now)

    # --- what happens by itself ---------------------------------------------------------------------

    def _follow(self, now: Instant) -> None:
        """Session, limits, heartbeat, timer; then tell of what has changed."""
        if self._boots_at is not None:
            return
        self.actuations.extend(self._taken())
        status = self.charger.status(now)
        if self._was is not None and status.closed != self._was.closed:
            self._occupy(self.spec.busy, now)
        if self._was is not None and (status.state in FAULTS) != (self._was.state in FAULTS):
            self._occupy(self.spec.busy_fault, now)
        self._was = status
        self._watch.look(status, now)
        self.actuations.extend(self._taken())
        self._notice(now)
        self._flush(now)

    def _taken(self) -> list[tuple[str, float]]:
        taken, self.charger.actuations = self.charger.actuations, []
        return taken

    def _occupy(self, span: Span, now: Instant) -> None:
        self._busy_until = max(self._busy_until, now + span)

    def _view(self, now: Instant) -> _View:
        status = self.charger.status(now)
        return _View(status.state, status.pilot, self.charger.capacity, self._watch.flags(status))

    def _notice(self, now: Instant) -> None:
        """Tell of a change that makes a notification (sheet serial 1.6)."""
        view, told = self._view(now), self._told
        self._told = view
        if told is None or not self.spec.notifies or self._boots_at is not None:
            return
        if view == told:
            return
        changed = {
            "state": view.state != told.state,
            "pilot": view.pilot != told.pilot,
            "capacity": view.capacity != told.capacity,
            "flags": bool((view.flags ^ told.flags) & _NOTIFIED),
        }
        if self.spec.generation == 4:
            if changed["state"]:
                self._put(self._encode(self._told_as(view)), now)
        elif any(changed[each] for each in self.spec.notified):
            self._put(self._encode(self._told_as(view)), now)

    def _told_as(self, view: _View) -> str:
        """The notification of a view in the form of the console's generation."""
        if self.spec.generation == 4:
            return f"ST {view.state:02x}"
        return f"AT {view.state:02x} {view.pilot:02x} {view.capacity} {view.flags:04x}"

    # --- output -------------------------------------------------------------------------------------

    def _put(self, data: bytes, now: Instant) -> None:
        """Send after the console's delay, never before what was put earlier."""
        at = max(now + self.spec.answer_delay, self._outbox[-1][0] if self._outbox else 0)
        self._outbox.append((at, data))

    def _flush(self, now: Instant) -> None:
        while self._outbox and self._outbox[0][0] <= now:
            _, data = self._outbox.popleft()
            if self._serial:
                self.wishes.append(Send(self._line, data))
            else:
                self.wishes.extend(Send(self._line, data, channel) for channel in sorted(self._channels))


def _is_exact(frame: Frame) -> bool:
    """Whether nothing stands behind the digits of the checksum."""
    return frame.check is Check.NONE or frame.raw[-3:-2] == frame.check.value.encode()
