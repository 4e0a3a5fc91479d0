"""What cases for a DL/T 645 meter talk to: a master on the meter's line, beside the charging point that it measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from hil.bench.ac import AcBench
from hil.bench.core import Sink, ignore
from hil.bench.judge import Judge
from hil.bus.bytefaults import ParityError
from hil.bus.observe import BytesSeen
from hil.bus.serial import SerialFormat
from hil.protocol.dlt645 import (
    ANSWER,
    ERROR,
    MISSING,
    WAKE,
    WAKE_BYTES,
    Access,
    Broken,
    ErrorWord,
    Frame,
    Framer,
    Function,
    Value,
    decode_values,
    di_bytes,
    item,
)
from hil.units import Instant, Span, ms, s
from hil.world.pipe import World
from hil.world.plan import Inject, Tell

READER, DUT, LINE = "reader", "meter", "rs485"
"""Nodes and their line."""
_PATIENCE: Span = s(2)
"""500 ms of the meter, and the longest answer at 2400 baud."""
_SLICE: Span = ms(50)
_NONE = "no answer"
_NO_DATA = "none"
_SECURITY = (Function.SECURITY, Function.RELAY)
_PARITY = "parity error"
_LACKING = {"F"}
"""Digits of a value of a block that the meter does not have, as those of phases that a load lacks."""


@dataclass(frozen=True)
class Asked:
    """What a request came to."""

    frame: Frame | None
    """The meter's first right frame."""
    raw: bytes
    """All that the meter sent."""
    sent: Instant
    at: Instant
    """When the meter's last byte ended; without an answer, when the bench gave up."""
    delay: Span | None
    """From the end of the request to the begin of the answer."""

    @property
    def text(self) -> str:
        """As a reader wants it."""
        if not self.raw:
            return _NONE
        broken = [each.why for each in Framer().feed(self.raw) if isinstance(each, Broken)]
        return f"{'' if self.frame else ''.join(broken[:1]) or 'short'} {self.raw.hex(' ').upper()}".strip()

    @property
    def control(self) -> str:
        """The answer's control code in hex; what came instead where that is no frame."""
        return self.text if self.frame is None else f"{self.frame.control:02X}"

    @property
    def data(self) -> bytes:
        """The answer's data; empty without one."""
        return b"" if self.frame is None else self.frame.data

    @property
    def lacks(self) -> bool:
        """Whether the meter says that it has no such item."""
        if self.frame is None:
            return False
        if self.frame.is_error:
            return len(self.data) == 1 and bool(self.data[0] & ErrorWord.NO_SUCH_DATA)
        return len(self.data) > 4 and all(byte == MISSING for byte in self.data[4:])

    @property
    def wake(self) -> int:
        """Wake-up bytes before the answer; -1 where something else stands there."""
        before = len(self.raw) - len(self.raw.lstrip(bytes((WAKE,))))
        return before if self.raw[before : before + 1] == b"\x68" else -1


class MeterBench(AcBench):
    """Everything a case for a meter may do. ``address`` has 12 digits, ``line_format`` is what the meter speaks."""

    def __init__(
        self,
        world: World,
        judge: Judge,
        readings: Mapping[str, str],
        sink: Sink = ignore,
        *,
        address: str,
        line_format: SerialFormat,
        access: Access | None = None,
    ) -> None:
        super().__init__(world, judge, readings, sink)
        self.address = address
        self.line_format = line_format
        self.access = access or Access()
        """Password and operator's code that the meter takes."""

    # --- asking -----------------------------------------------------------------------------------

    def request(self, function: int, data: bytes = b"", *, address: str = "") -> Frame:
        """A request to the meter, or to another address."""
        return Frame(address or self.address, function, data)

    def send(self, data: bytes) -> Instant:
        """Put bytes on the line as they are."""
        self.do(Tell(READER, "send", {"data": data.hex()}))
        return self.now

    def sent_until(self, after: Instant) -> Instant:
        """When the last byte that the bench sent since an instant had left."""
        while not self.record.bytes_on(LINE, after, sender=READER):
            self.let(_SLICE)
        return self.record.bytes_on(LINE, after, sender=READER)[-1].t

    def put(self, data: bytes) -> Asked:
        """Put bytes on the line and wait for what the meter says to them."""
        start = self.send(data)
        asked = self.sent_until(start)
        while self._first(start) is None and self.now < asked + _PATIENCE:
            self.let(_SLICE)
        chunks = self._heard(start)
        raw = b"".join(each.data for each in chunks)
        delay = chunks[0].started - asked if chunks else None
        return Asked(self._first(start), raw, start, chunks[-1].t if chunks else self.now, delay)

    def _first(self, after: Instant) -> Frame | None:
        raw = b"".join(each.data for each in self._heard(after))
        return next((each for each in Framer().feed(raw) if isinstance(each, Frame)), None)

    def _heard(self, after: Instant) -> list[BytesSeen]:
        """What the meter sent since an instant; what a two-wire adapter repeats of the bench's own is left out."""
        chunks = self.record.heard_on(LINE, after, but=(READER,))
        sent = b"".join(each.data for each in self.record.bytes_on(LINE, after, sender=READER))
        # A live port tells no sender: an echo is whole, and stands before everything else.
        if any(each.sender for each in chunks) or not b"".join(each.data for each in chunks).startswith(sent):
            return chunks
        while chunks and sent:
            repeated = len(chunks[0].data[: len(sent)])
            rest, sent = chunks[0].data[repeated:], sent[repeated:]
            chunks = [*([replace(chunks[0], data=rest)] if rest else []), *chunks[1:]]
        return chunks

    def ask(self, request: Frame, *, wake: int = WAKE_BYTES) -> Asked:
        """Send a request and wait for its answer."""
        return self.put(request.encode(wake))

    def order(self, function: int, data: bytes = b"") -> Asked:
        """Ask a function of the meter."""
        return self.ask(self.request(function, data))

    def read(self, di: int) -> Asked:
        """Read an item."""
        return self.ask(self.request(Function.READ, di_bytes(di)))

    def spoil_parity(self, at: int) -> None:
        """That byte of the next chunk of the bench gets a wrong parity bit."""
        self.do(Inject(ParityError(name=_PARITY, sender=READER, at=at, count=1), LINE))

    def speak(self, baud: int) -> None:
        """Go on at another baud rate."""
        self.do(Tell(READER, "format", {"baud": baud, "parity": self.line_format.parity}))

    # --- judging ----------------------------------------------------------------------------------

    def expect_answer(self, label: str, asked: Asked, function: int, begin: bytes = b"") -> bool:
        """A normal answer of the meter to a function, whose data begin so."""
        due = f"{function | ANSWER:02X}"
        note = "" if asked.control == due else asked.text
        right = self.check(label, asked.control, equals=due, at=asked.at, note=note)
        if asked.frame is None:
            return False
        right &= self.check(f"{label}, address", asked.frame.address, equals=self.address, at=asked.at)
        if begin:
            told = asked.data[: len(begin)].hex().upper()
            right &= self.check(f"{label}, data", told, equals=begin.hex().upper(), at=asked.at, note=asked.text)
        return right

    def expect_done(self, label: str, asked: Asked, function: int, data: bytes = b"") -> bool:
        """A normal answer of the meter to a function, with exactly these data."""
        right = self.expect_answer(label, asked, function)
        told = asked.data.hex().upper() or _NO_DATA
        due = data.hex().upper() or _NO_DATA
        return right & self.check(f"{label}, data", told, equals=due, at=asked.at, note=asked.text)

    def expect_not_done(self, label: str, asked: Asked) -> None:
        """An error answer, or none at all."""
        refused = not asked.raw or (asked.frame is not None and asked.frame.is_error)
        self.check(label, refused, equals=True, at=asked.at, note=asked.text)

    def expect_refusal(self, label: str, asked: Asked, function: int, bit: ErrorWord | None = None) -> None:
        """An error answer to a function with that bit of the error word, or any; security functions have two bytes."""
        self.check(label, asked.control, equals=f"{function | ANSWER | ERROR:02X}", at=asked.at, note=asked.text)
        word = asked.data.hex().upper()
        sizes = (1, 2) if function in _SECURITY else (1,)
        told = len(asked.data) in sizes and bool(asked.data[0] & (0xFF if bit is None else bit))
        due = "any bit" if bit is None else f"{bit:02X}"
        self.check(f"{label}, error word", told, equals=True, at=asked.at, note=f"{word} for {due}")

    def expect_silence(self, label: str, data: bytes) -> None:
        """These bytes are not answered, and the next request is."""
        self.expect_silence_of(label, data)
        self.expect_served(f"{label}: the next request")

    def expect_silence_of(self, label: str, data: bytes) -> None:
        """These bytes are not answered."""
        asked = self.put(data)
        self.check(label, asked.text, equals=_NONE, at=asked.at)

    def expect_served(self, label: str) -> None:
        """The meter tells its energy."""
        di = 0x00010000
        self.expect_answer(label, self.read(di), Function.READ, di_bytes(di))

    def expect_values(self, label: str, di: int) -> list[Value]:
        """An item is answered in its format; none, and nothing judged, where the meter says that it lacks it."""
        asked, known = self.read(di), item(di)
        assert known is not None, f"{di:08X} is an item of the sheet"
        if asked.lacks:
            self.report(f"{label} is not there", asked.text, at=asked.at)
            return []
        if not self.expect_answer(label, asked, Function.READ, di_bytes(di)):
            return []
        values = decode_values(known, asked.data[4:])
        flaws = "; ".join(each.flaw for each in values if each.flaw and set(each.text) != _LACKING)
        self.check(f"{label}, format", not flaws and bool(values), equals=True, at=asked.at, note=flaws or asked.text)
        return values
