"""The reference console as a node on a byte line: frames in, replies and notifications out."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from hil.dut.rapi.answers import HANDLERS, NK, Answer, Context
from hil.dut.rapi.charger import HARD_FAULTS, Charger, Status
from hil.dut.rapi.memory import ACKNOWLEDGED, MISSED, Session, fresh
from hil.dut.rapi.spec import ConsoleSpec
from hil.errors import UsageError
from hil.protocol.rapi import COMMANDS, NOTIFIED, Check, Frame, Framer, PilotState, Setting, State, Volatile, encode
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
        self._inside = False
        self._inbox: deque[tuple[bytes, str]] = deque()
        self._waiting = 0
        self._outbox: deque[tuple[Instant, bytes]] = deque()
        self._busy_until: Instant = 0
        self._boots_at: Instant | None = self.spec.boot
        self._told: _View | None = None
        self._looked: Instant = 0
        self._chatter = 0
        self._connected = False
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
        self._flush(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        nearest = self._outbox[0][0] if self._outbox else FAR
        if self._boots_at is not None:
            return min(nearest, self._boots_at)
        if self._inbox:
            nearest = min(nearest, self._busy_until)
        beat = self.memory.heartbeat.due(self.spec)
        return min(nearest, self.charger.next_deadline(), FAR if beat is None else beat)

    # --- commands -----------------------------------------------------------------------------------

    def _look(self, data: bytes, flaw: str, now: Instant) -> None:
        if self.memory.echo:
            self._put(data, now)
        for item in self._framer.spoil(data, flaw) if flaw else self._framer.feed(self._heard(data)):
            if isinstance(item, Frame):
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
        if (not frame.valid and spec.verify) or frame.check not in spec.checks or tokens > spec.max_tokens:
            self._reply(NK, frame.sequence if spec.id_with_bad_check else None, now)
            return
        name, parameters = frame.tokens[0][:2], list(frame.tokens[1:])
        answer = self._carry_out(name, parameters, now)
        self.actuations.extend(self._taken())
        if spec.notify_first:
            self._notice(now)
        if name not in spec.mute:
            self._reply(answer, frame.sequence, now, spec.forced.get(name))
        self._follow(now)

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
            lambda: self._flags(self.charger.status(now)),
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
        if spec.chatter:
            self._put(spec.chatter[self._chatter % len(spec.chatter)].encode("latin-1", "replace") + b"\r\n", now)
            self._chatter += 1
        self._put(self._encode(text, sequence if spec.ids else None), now)

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
        self.memory.restart(self.spec.boot_lock)
        self.charger.restart(now)
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
        self._connected = False
        self._looked = now
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
        self._account(status, now)
        self._was = status
        self._check_limits(now)
        self._check_heartbeat(now)
        self._check_timer(now)
        self.actuations.extend(self._taken())
        self._notice(now)
        self._flush(now)

    def _taken(self) -> list[tuple[str, float]]:
        taken, self.charger.actuations = self.charger.actuations, []
        return taken

    def _occupy(self, span: Span, now: Instant) -> None:
        self._busy_until = max(self._busy_until, now + span)

    def _account(self, status: Status, now: Instant) -> None:
        memory = self.memory
        connected = status.pilot in (PilotState.B, PilotState.C, PilotState.D)
        if connected and not self._connected:
            memory.session = Session(self.charger.measure("energy", now))
            memory.connected_before = True
        elif not connected and self._connected and memory.limit_sleep:
            memory.limit_sleep = memory.time_limit_hit = memory.energy_limit_hit = False
            self.charger.mode = "enabled"
        if not connected and self._connected:
            memory.session.ended = True
            memory.session.time_limit = memory.session.energy_limit = 0
        self._connected = connected
        if self._was is not None and self._was.closed:
            memory.session.charged += now - self._looked
        self._looked = now

    def _check_limits(self, now: Instant) -> None:
        memory, session = self.memory, self.memory.session
        over_time = bool(session.time_limit) and session.charged >= session.time_end
        used = self.charger.measure("energy", now) - session.energy_at_start if session.energy_limit else 0.0
        over_energy = bool(session.energy_limit) and used >= session.energy_limit
        if (over_time or over_energy) and not memory.limit_sleep and self.charger.mode == "enabled":
            memory.limit_sleep = True
            memory.time_limit_hit, memory.energy_limit_hit = over_time, over_energy
            session.time_limit = session.energy_limit = 0
            self.charger.mode = "sleeping"
            self.charger.wake(now)

    def _check_heartbeat(self, now: Instant) -> None:
        beat = self.memory.heartbeat
        due = beat.due(self.spec)
        if due is None or now < due:
            return
        beat.trigger = MISSED if self.spec.beat_latches else ACKNOWLEDGED
        beat.beaten = now
        if self.spec.beat_limits and self.charger.capacity > beat.amps:
            beat.restore = self.charger.capacity if beat.restore is None else beat.restore
            self.charger.capacity = beat.amps
            self.charger.wake(now)

    def _check_timer(self, now: Instant) -> None:
        if not any(self.memory.timer):
            return
        h1, m1, h2, m2 = self.memory.timer
        clock = self.memory.clock.now(now)
        start, stop, at = h1 * 60 + m1, h2 * 60 + m2, clock.hour * 60 + clock.minute
        inside = start <= at < stop if start <= stop else at >= start or at < stop
        if inside != self.memory.timer_inside:
            self.memory.timer_inside = inside
            self.charger.mode = "enabled" if inside else "sleeping"
            self.charger.wake(now)

    def _flags(self, status: Status) -> int:
        memory, v = self.memory, Volatile
        connected = status.pilot in (PilotState.B, PilotState.C, PilotState.D)
        pairs = (
            (v.HARD_FAULT, status.state in HARD_FAULTS),
            (v.LIMIT_SLEEP, memory.limit_sleep),
            (v.AUTH_LOCKED, self.charger.locked),
            (v.TIME_LIMIT, memory.session.time_limit > 0 or memory.time_limit_hit),
            (v.NO_GROUND_TRIPPED, self.charger.trips.get(State.NO_GROUND, 0) > 0),
            (v.CHARGING, status.closed),
            (v.GFI_TRIPPED, self.charger.trips.get(State.GFI, 0) > 0),
            (v.CONNECTED, connected),
            (v.SESSION_ENDED, memory.session.ended),
            (v.CONNECTED_BEFORE, memory.connected_before),
            (v.TIMER_ON, any(memory.timer)),
            (v.CHARGE_LIMIT, memory.session.energy_limit > 0 or memory.energy_limit_hit),
            (v.BOOT_LOCK, memory.boot_locked),
            (v.MENNEKES_MANUAL, memory.mennekes == "M"),
        )
        return sum(int(flag) for flag, holds in pairs if holds)

    def _view(self, now: Instant) -> _View:
        status = self.charger.status(now)
        return _View(status.state, status.pilot, self.charger.capacity, self._flags(status))

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
                self._put(self._encode(f"ST {view.state:02x}"), now)
        elif any(changed[each] for each in self.spec.notified):
            self._put(self._encode(f"AT {view.state:02x} {view.pilot:02x} {view.capacity} {view.flags:04x}"), now)

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
