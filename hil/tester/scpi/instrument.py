"""A simulated load or source that behaves: SCPI in, the plant moved, errors and status as real ones have them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from hil.errors import UsageError
from hil.protocol.scpi import ErrorQueue, LineReader, ScpiError, Status, Unit, parse_unit, split_quoted
from hil.protocol.scpi.status import OPC, OPER_WAITING
from hil.tester.orders import need
from hil.tester.scpi.commands import COMMON, COMPLETE_QUERY, TREE, WAIT, Session, run
from hil.tester.scpi.power import Power, Sense
from hil.tester.scpi.spec import InstrumentSpec
from hil.units import FAR, Instant
from hil.world.bytenode import Send, Wish
from hil.world.observation import Note

KIND = "scpi"
_FLAWS = {"parity": -361}
_MOST_WAITING = 64
"""Lines that wait behind ``*WAI`` or ``*OPC?``; then the input buffer overruns."""


class Instrument:
    """An instrument on ``line``; ``sense`` reads the plant.

    Orders (arguments): ``mute`` (``on``: it takes lines and answers nothing), ``fail`` (``code``: an error
    happens inside). Notes of kind ``scpi``: ``error`` (``code``), ``tripped`` (``bits``), ``watchdog``,
    ``list ended``.
    """

    def __init__(self, name: str, line: str, sense: Sense, spec: InstrumentSpec | None = None) -> None:
        self.name = name
        self.spec = spec or InstrumentSpec()
        self.power = Power(self.spec, sense)
        self.status = Status(ErrorQueue(self.spec.depth))
        self.wishes: list[Wish] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self._session = Session(self.spec, self.power, self.status)
        self._line = line
        self._reader = LineReader()
        self._waiting: deque[tuple[int, list[str], list[str], tuple[str, ...]]] = deque()
        self._outbox: deque[tuple[Instant, bytes, int]] = deque()
        self._heard: Instant | None = None
        self._mute = False
        self._driven: Instant = 0

    # --- for the world ------------------------------------------------------------------------------

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        """Bytes have come."""
        self.wake(now)
        self._heard = now
        if flaw:
            self._error(_FLAWS.get(flaw, -360), now)
            self._reader.spoil(data)
            return
        for text in self._reader.feed(data):
            if text is None or len(self._waiting) >= _MOST_WAITING:
                self._error(-363, now)
            elif text.strip():
                self._take(text, channel, now)
        self._after(now)

    def opened(self, line: str, channel: int, now: Instant) -> None:
        """Connections need nothing: an answer goes back where its question came from."""

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        """As for :meth:`opened`."""
        self._reader.drop()

    def signal(self, name: str, value: float, now: Instant) -> None:
        """Sensors are read when they are needed."""

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """See the class; an unknown verb raises :class:`UsageError`."""
        if verb == "mute":
            self._mute = need(arguments, "on", bool)
        elif verb == "fail":
            self._error(need(arguments, "code", int), now)
        else:
            raise UsageError(f"{self.name} cannot {verb}; it knows mute, fail")

    def wake(self, now: Instant) -> None:
        """The deadline has come."""
        self._drive(now)
        watched = self.spec.watchdog and self._heard is not None and self.power.on
        if watched and self._heard is not None and now >= self._heard + self.spec.watchdog:
            self.power.switch(False, now)
            self._drive(now)
            self._heard = None
            self.notes.append(Note(now, KIND, "watchdog"))
        self._after(now)

    def next_deadline(self) -> Instant | None:
        """When to wake next."""
        nearest = self._outbox[0][0] if self._outbox else FAR
        nearest = min(nearest, self.power.next_deadline(self._driven))
        if self.spec.watchdog and self._heard is not None and self.power.on:
            nearest = min(nearest, self._heard + self.spec.watchdog)
        return None if nearest == FAR else nearest

    # --- lines --------------------------------------------------------------------------------------

    def _take(self, text: str, channel: int, now: Instant) -> None:
        try:
            units = split_quoted(text, ";")
        except ScpiError as error:
            self._error(error.code, now)
            return
        self._waiting.append((channel, [each for each in units if each.strip()], [], ()))
        self._work(now)

    def _work(self, now: Instant) -> None:
        """Carry out what waits, up to a unit that waits for the end of an operation."""
        while self._waiting:
            channel, units, answers, path = self._waiting[0]
            while units:
                text = units.pop(0)
                try:
                    unit = parse_unit(text)
                    if self.power.running is not None and _waits(unit):
                        self._waiting[0] = (channel, [text, *units], answers, path)
                        return
                    path = self._unit(unit, path, answers, now)
                except ScpiError as error:
                    self._error(error.code, now)
                    if error.code > -200:  # a command error discards the rest of the line
                        units.clear()
            self._waiting.popleft()
            self._say(answers, channel, now)

    def _unit(self, unit: Unit, path: tuple[str, ...], answers: list[str], now: Instant) -> tuple[str, ...]:
        session = self._session
        session.now, session.answering = now, bool(answers or self._outbox)
        if unit.common:
            command = COMMON.get(unit.nodes[0])
        else:
            command, path = TREE.find(unit, path)
        if command is None:
            raise ScpiError(-113)
        answer = run(session, command, query=unit.query, parameters=unit.parameters)
        self._drive(now)
        if answer is not None:
            answers.append(answer)
        return path

    def _say(self, answers: list[str], channel: int, now: Instant) -> None:
        if answers and not self._mute:
            data = ";".join(answers).encode("latin-1", "replace") + (b"\r\n" if self.spec.crlf else b"\n")
            at = now + self.spec.answer_delay + self._session.slow
            at = max(at, self._outbox[-1][0]) if self._outbox else at
            self._outbox.append((at, data, channel))
        self._session.slow = 0

    def _error(self, code: int, now: Instant) -> None:
        self.status.error(code)
        self.notes.append(Note(now, KIND, "error", {"code": code}))

    # --- power --------------------------------------------------------------------------------------

    def _drive(self, now: Instant) -> None:
        tripped = self.power.tripped
        self._driven = now
        if self.power.drive(now):
            self.notes.append(Note(now, KIND, "list ended"))
        if self.power.tripped & ~tripped:
            self.notes.append(Note(now, KIND, "tripped", {"bits": self.power.tripped}))
        self.actuations += self.power.actuations
        self.power.actuations.clear()
        self.status.questionable.set(self.power.tripped)
        self.status.operation.set(OPER_WAITING if self._session.setup.waiting else 0)

    def _after(self, now: Instant) -> None:
        """What the end of an operation allows, and what is due to be said."""
        session = self._session
        if session.complete_due and not session.busy:
            session.complete_due = False
            self.status.events |= OPC
        self._work(now)
        while self._outbox and self._outbox[0][0] <= now:
            _, data, channel = self._outbox.popleft()
            self.wishes.append(Send(self._line, data, channel))


def _waits(unit: Unit) -> bool:
    """``*WAI`` and ``*OPC?`` wait for the end of a list that runs.

    One that only waits for its trigger does not hold up the line on which that trigger may come.
    """
    return unit.common and (unit.nodes[0] == WAIT or (unit.nodes[0] == COMPLETE_QUERY and unit.query))
