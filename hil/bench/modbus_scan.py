"""Reading a device against its register map: what every register holds, or what came instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from hil.bench.modbus import ModbusBench
from hil.bench.modbus_line import RTU, Line, Outcome, values_of
from hil.codec.register import Register, Value
from hil.codec.registers import ReadBlock, RegisterMap
from hil.protocol.modbus import Read, show_bytes
from hil.units import Span, s, show_span

State = Literal["ok", "undeclared", "refused", "malformed", "silent", "lost", "unasked"]
_GIVE_UP = 3
"""Requests in a row to a unit that bring nothing at all; then it is asked no more."""
_SLOW: Span = s(2)
"""A reply on a serial line may take so long, and is waited for as long again before the next request: nothing but their
order tells there which request a reply belongs to, and a late one would be taken for the value of another register."""
_TCP = "scan"
"""Name of the connection."""


@dataclass(frozen=True)
class Scanned:
    """What became of one register.

    ``undeclared``: it was read, and the map does not have such a value. ``refused``, ``malformed``, ``silent``,
    ``lost``: what came instead of a value. ``unasked``: the device, or the unit of it, had stopped answering.
    """

    register: Register
    function: int
    """Code that reads it."""
    state: State
    words: tuple[int, ...] = ()
    """As they came, by address; bits of a coil or a discrete input as 0 and 1."""
    value: Value = None
    """None also where the device tells that there is none."""
    told: str = ""
    """What is wrong, in words; empty where nothing is."""
    came: str = ""
    """Bytes that were no value, as hexadecimal text."""
    due: str = ""
    """Bytes that were due beside them, ``??`` for one that may be anything."""

    @property
    def fine(self) -> bool:
        """Whether a value of the map was read."""
        return self.state == "ok"


def scan(bench: ModbusBench, registers: RegisterMap, *, tcp: bool) -> Iterator[Scanned]:
    """Read all that is readable, block by block as the map has it; what a block does not bring is asked for one by one.

    ``tcp``: over a connection, else over the serial line. Nothing is written.
    """
    reader = _Reader(bench, registers, Line(bench, _TCP if tcp else RTU))
    for block in registers.plan():
        yield from reader.read(block)


class _Reader:
    """Asks a device that does not answer not for ever."""

    def __init__(self, bench: ModbusBench, registers: RegisterMap, line: Line) -> None:
        self._bench = bench
        self._map = registers
        self._line = line
        self._mute: Counter[int] = Counter()
        """By unit id, requests in a row that brought nothing."""
        self._gone = False
        """No connection can be had."""

    def read(self, block: ReadBlock) -> Iterator[Scanned]:
        """What becomes of every register of a block."""
        outcome = self._ask(block)
        words = None if outcome is None else values_of(outcome.reply)
        if words is not None and outcome is not None and not outcome.beside:
            for name in block.names:
                register = self._map[name]
                start = register.address - block.address
                yield _value(register, block.function, words[start : start + register.size])
        elif len(block.names) == 1:
            yield _failure(self._map[block.names[0]], block.function, outcome)
        else:
            for name in block.names:
                yield from self.read(self._alone(name, block))

    def _alone(self, name: str, block: ReadBlock) -> ReadBlock:
        register = self._map[name]
        return ReadBlock(block.unit_id, block.function, register.address, register.size, (name,))

    def _ask(self, block: ReadBlock) -> Outcome | None:
        """What comes of one request; None where the device, or the unit of it, has stopped answering."""
        unit = block.unit_id
        self._gone = self._gone or (self._mute[unit] < _GIVE_UP and not self._line.connect())
        if self._gone or self._mute[unit] >= _GIVE_UP:
            return None
        request = Read(block.function, block.address, block.count)
        outcome = self._ask_patiently(request, unit) if self._line.serial else self._line.ask(request, unit=unit)
        nothing = outcome.kind in ("silence", "lost") and not outcome.beside
        self._mute[unit] = self._mute[unit] + 1 if nothing else 0
        return outcome

    def _ask_patiently(self, request: Read, unit: int) -> Outcome:
        """What comes of a request on the serial line, the line free of late replies afterwards."""
        outcome = self._line.ask(request, unit=unit, timeout=_SLOW)
        if outcome.kind != "silence":
            return outcome
        self._bench.let(_SLOW)
        late = b"".join(each.data for each in self._bench.said(self._line, outcome.at))
        if not late:
            return outcome
        return replace(outcome, text=f"no answer within {show_span(_SLOW)}, and this later", beside=(show_bytes(late),))


def _value(register: Register, function: int, words: tuple[int, ...]) -> Scanned:
    value = register.decode(words)
    if register.in_range(value):
        return Scanned(register, function, "ok", words, value)
    return Scanned(register, function, "undeclared", words, value, register.range_text())


def _failure(register: Register, function: int, outcome: Outcome | None) -> Scanned:
    if outcome is None:
        return Scanned(register, function, "unasked", told="not asked: the unit does not answer any more")
    beside = " ".join(outcome.beside)
    if outcome.refused:
        value = outcome.due.partition(" or ")[0]
        return Scanned(register, function, "refused", told=outcome.show(), came=show_bytes(outcome.data), due=value)
    if outcome.kind == "lost":
        told = "; ".join(filter(None, (outcome.text, "the connection ended")))
        return Scanned(register, function, "lost", told=told, came=beside, due=outcome.due)
    if outcome.kind == "silence" and not beside:
        return Scanned(register, function, "silent", told=outcome.show(), due=outcome.due)
    came = " ".join(filter(None, (show_bytes(outcome.data) if outcome.data else "", beside)))
    told = outcome.text or ("stray bytes beside the reply" if outcome.data else "bytes that are no reply")
    return Scanned(register, function, "malformed", told=told, came=came, due=outcome.due)
