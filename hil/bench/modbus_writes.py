"""What every request that writes must come to: what is taken is kept, what is refused has changed nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hil.bench.judge import Inconclusive
from hil.bench.modbus_checks import ILLEGAL_ADDRESS, ILLEGAL_VALUE, too_many
from hil.bench.modbus_line import Line, values_of
from hil.bench.modbus_places import Words, allowed, refused
from hil.codec.register import Register
from hil.protocol.modbus import (
    BROADCAST,
    MAX_PDU,
    QUANTITIES,
    READ_WRITE_WRITES,
    Function,
    MaskWrite,
    Read,
    ReadWrite,
    Request,
    WriteCoils,
    WriteRegisters,
    WriteSingle,
)

_ROW = 20
"""Values written at once."""
_PATTERNS = ((3, 5), (7, 2))
"""Factor and offset of the values that are written."""
_AND, _OR = 0xF0F0, 0x2525
_CHECKED = 8
"""Values read back after a long write."""
_NO_COIL = 0x1234
_COILS = (Function.WRITE_MULTIPLE_COILS, Function.WRITE_SINGLE_COIL)


class WriteChecks(Line):
    """Checks that write. Each puts values that the map allows, and gives back those that were there before."""

    @contextmanager
    def _lent(self, register: Register) -> Iterator[None]:
        """What a register holds is written to it again afterwards, where it can be read."""
        before = values_of(self.ask(self.bench.places.read(register)).reply)
        yield
        if before is not None:
            self.ask(self.bench.places.write(register, before))

    @contextmanager
    def _lent_row(self, function: int, address: int, count: int) -> Iterator[None]:
        """The same of a row of coils or registers."""
        before = values_of(self.ask(self._back(function, address, count)).reply)
        yield
        if before is not None:
            coils = function in _COILS
            self.ask(WriteCoils(address, tuple(map(bool, before))) if coils else WriteRegisters(address, before))

    # --- functions --------------------------------------------------------------------------------

    def expect_written(self, function: int) -> None:
        """A value goes out by a function for one value, and reads as it was written; so does another."""
        places = self.bench.places
        places.knows(function)
        register = places.register("coil" if function in _COILS else "holding")
        with self._lent(register):
            for words in allowed(register):
                value = words[0] if function not in _COILS else 0xFF00 * words[0]
                self.expect_reply(WriteSingle(function, register.address, value), f"write of {words[0]}")
                self.expect_kept(register, words, f"{words[0]} read back")

    def expect_row_written(self, function: int) -> None:
        """A row of values goes out at once, and reads as it was written; so does another."""
        address, count = self.bench.places.row(function, _ROW)
        with self._lent_row(function, address, count):
            for factor, offset in _PATTERNS:
                request, words = self._row(function, address, count, factor, offset)
                self.expect_reply(request, f"write of {count} values")
                self.expect_values(self._back(function, address, count), words, "read back")

    def _row(self, function: int, address: int, count: int, factor: int, offset: int) -> tuple[Request, Words]:
        words = tuple((factor * index + offset) % 251 for index in range(count))
        if function in _COILS:
            bits = tuple(word % 2 == 1 for word in words)
            return WriteCoils(address, bits), tuple(map(int, bits))
        return WriteRegisters(address, words), words

    def _back(self, function: int, address: int, count: int) -> Read:
        known = self.bench.map.all_functions
        wanted = (
            (Function.READ_COILS,)
            if function in _COILS
            else (Function.READ_HOLDING_REGISTERS, Function.READ_INPUT_REGISTERS)
        )
        return Read(next(code for code in wanted if code in known), address, count)

    def expect_masked(self) -> None:
        """Function 22 is answered by the request, and changes what it says."""
        places = self.bench.places
        places.knows(Function.MASK_WRITE_REGISTER)
        address, _ = places.row(Function.WRITE_MULTIPLE_REGISTERS, 1)
        before = values_of(self.ask(Read(Function.READ_HOLDING_REGISTERS, address, 1)).reply)
        if before is None:
            raise Inconclusive(f"the register at {address} cannot be read")
        self.expect_reply(MaskWrite(address, _AND, _OR), "mask write")
        wanted = (before[0] & _AND) | (_OR & ~_AND & 0xFFFF)
        self.expect_values(Read(Function.READ_HOLDING_REGISTERS, address, 1), (wanted,), "masked value")
        self.ask(WriteRegisters(address, before))

    def expect_read_write(self) -> None:
        """Function 23 reads what it has just written."""
        self.bench.places.knows(Function.READ_WRITE_MULTIPLE_REGISTERS)
        address, count = self.bench.places.row(Function.WRITE_MULTIPLE_REGISTERS, _ROW)
        with self._lent_row(Function.WRITE_MULTIPLE_REGISTERS, address, count):
            for factor, offset in _PATTERNS:
                _, words = self._row(Function.WRITE_MULTIPLE_REGISTERS, address, count, factor, offset)
                self.expect_values(ReadWrite(address, count, address, words), words, "read as written")

    # --- quantities -------------------------------------------------------------------------------

    def expect_write_quantities(self, function: int) -> None:
        """1 and the most values are written, 0 and one more are refused with 03, nothing of them taken.

        Where the map's longest row is shorter, the most is not tried: what lies behind it may refuse it.
        """
        address, count = self.bench.places.row(function, QUANTITIES[function] + 1)
        with self._lent_row(function, address, min(count, QUANTITIES[function])):
            self._write_quantities(function, address, count)

    def _write_quantities(self, function: int, address: int, count: int) -> None:
        most = QUANTITIES[function]
        limits = self.bench.map.limits
        one, _ = self._row(function, address, 1, *_PATTERNS[0])
        self.expect_reply(one, "1 value")
        request, words = self._row(function, address, most, *_PATTERNS[1])
        if count < most or (limits.write_bits if function in _COILS else limits.write) < most:
            self.bench.report("the most", "the map allows less than the protocol")
        else:
            self.expect_reply(request, f"{most} values")
            end = address + most - min(most, _CHECKED)
            self.expect_values(self._back(function, end, address + most - end), words[end - address :], "the last")
        none = WriteCoils(address, ()) if function in _COILS else WriteRegisters(address, ())
        self.expect_exception(none, ILLEGAL_VALUE, label="0 values")
        more, _ = self._row(function, address, most + 1, *_PATTERNS[0])
        self._expect_too_many(more, f"{most + 1} values", declared=count > most)

    def _expect_too_many(self, request: Request, label: str, *, declared: bool) -> None:
        """What does not fit a frame of the serial line is not sent there."""
        if len(request.encode()) <= MAX_PDU or not self.serial:
            self.expect_exception(request, *too_many(declared), label=label)

    def expect_read_write_quantities(self) -> None:
        """Quantities of function 23, those to be read and those to be written."""
        function, writes = Function.READ_WRITE_MULTIPLE_REGISTERS, Function.WRITE_MULTIPLE_REGISTERS
        self.bench.places.knows(function)
        most = QUANTITIES[function]
        address, count = self.bench.places.row(writes, most + 1)
        with self._lent_row(writes, address, min(count, QUANTITIES[writes])):
            self._read_write_quantities(address, count, most)

    def _read_write_quantities(self, address: int, count: int, most: int) -> None:
        _, words = self._row(Function.WRITE_MULTIPLE_REGISTERS, address, READ_WRITE_WRITES + 1, *_PATTERNS[0])
        if count >= most:
            self.expect_reply(ReadWrite(address, most, address, words[:1]), f"{most} read")
            self.expect_reply(ReadWrite(address, 1, address, words[:READ_WRITE_WRITES]), f"{READ_WRITE_WRITES} written")
        self.expect_exception(ReadWrite(address, 0, address, words[:1]), ILLEGAL_VALUE, label="0 read")
        more = ReadWrite(address, most + 1, address, words[:1])
        self.expect_exception(more, *too_many(count > most), label=f"{most + 1} read")
        self.expect_exception(ReadWrite(address, 1, address, ()), ILLEGAL_VALUE, label="0 written")
        many = ReadWrite(address, 1, address, words)
        self._expect_too_many(many, f"{len(words)} written", declared=count >= len(words))

    def expect_byte_count_refused(self, function: int) -> None:
        """A byte count of one byte or register too few or too many is refused with 03; the values are kept."""
        address, count = self.bench.places.row(function, 2)
        before = values_of(self.ask(self._back(function, address, count)).reply)
        if before is None:
            raise Inconclusive(f"what is at {address} cannot be read")
        for factor in (0, 2):
            if function in _COILS:
                bits = tuple(not value for value in before)
                request: WriteCoils | WriteRegisters = WriteCoils(address, bits, byte_count=factor)
            else:
                words = tuple(value ^ 1 for value in before)
                request = WriteRegisters(address, words, byte_count=factor * 2 * count)
            self.expect_exception(request, ILLEGAL_VALUE, label=f"byte count {request.byte_count}")
        self.expect_values(self._back(function, address, count), before, "values kept")

    def expect_coil_values_refused(self) -> None:
        """Function 05 with a value that is neither on nor off is refused with 03, and the coil is kept."""
        places = self.bench.places
        places.knows(Function.WRITE_SINGLE_COIL)
        coil = places.register("coil")
        with self._lent(coil):
            for words in allowed(coil):
                self.expect_reply(places.write(coil, words), f"write of {words[0]}")
                for value in (1, 0xFF, _NO_COIL):
                    request = WriteSingle(Function.WRITE_SINGLE_COIL, coil.address, value)
                    self.expect_exception(request, ILLEGAL_VALUE, label=f"value {value:04X}")
                self.expect_kept(coil, words, "coil kept")

    # --- what is refused --------------------------------------------------------------------------

    def expect_read_only(self) -> None:
        """A write to what can only be read is refused, whatever the code, and it reads as before."""
        places = self.bench.places
        register = places.read_only()
        before = self.words_of(register)
        self.expect_exception(places.write(register, (before[0] ^ 1,)), label=f"write to {register.name}")
        self.expect_values(places.read(register), before, "value kept")

    def expect_range(self, *, several: bool) -> None:
        """A value outside a range is refused, whatever the code; the value before is kept."""
        places = self.bench.places
        register = places.register("holding", ranged=True)
        wrong = refused(register) or ()
        good = allowed(register)[-1]
        with self._lent(register):
            self.expect_reply(self._write(register, good, several=several), "write within the range")
            self.expect_exception(self._write(register, wrong, several=several), label=f"write of {wrong[0]}")
            self.expect_kept(register, good)

    def _write(self, register: Register, words: Words, *, several: bool) -> Request:
        if several:
            self.bench.places.knows(Function.WRITE_MULTIPLE_REGISTERS)
            return WriteRegisters(register.address, words)
        return self.bench.places.write(register, words)

    def expect_all_or_nothing(self, *, beyond: bool) -> None:
        """A write whose last part is refused (for its range, or for lying beyond the map) changes no other part."""
        places = self.bench.places
        places.knows(Function.WRITE_MULTIPLE_REGISTERS)
        first, words = places.before_gap() if beyond else self._couple()
        before = self.words_of(first)
        self.expect_exception(WriteRegisters(first.address, words), label="write of both")
        self.expect_kept(first, before, "the first value kept")

    def _couple(self) -> tuple[Register, Words]:
        first, second = self.bench.places.couple()
        before = self.words_of(first)
        other = next(words for words in allowed(first) if words != before)
        return first, other + (refused(second) or ())

    def expect_wide_written(self) -> None:
        """A value of several registers reads as it was written."""
        self.bench.places.knows(Function.WRITE_MULTIPLE_REGISTERS)
        register = self.bench.places.wide()
        with self._lent(register):
            for words in allowed(register):
                self.expect_reply(WriteRegisters(register.address, words), f"write of {len(words)} registers")
                self.expect_kept(register, words, "read back")

    def expect_half_written(self) -> None:
        """Half of a wide value: refused and kept, or taken, as the map says (as it does, where it does not say)."""
        places = self.bench.places
        register = places.wide()
        before = self.words_of(register)
        half = WriteRegisters(register.address, (before[0] ^ 1,))
        said = self.bench.map.behaviour.partial_write
        outcome = self.ask(half)
        taken = outcome.kind == "reply" and not outcome.refused
        right = outcome.kind == "reply" and (not said or taken is (said == "accepted"))
        self.judge("write of a half", right, outcome, "a reply" if said == "accepted" else "an exception")
        self.expect_kept(register, (before[0] ^ 1, *before[1:]) if taken else before, "value afterwards")
        if taken:
            self.ask(places.write(register, before))

    def expect_half_read(self) -> None:
        """The last register of a wide value reads as in the whole, or is refused."""
        places = self.bench.places
        register = places.wide()
        words = self.words_of(register)
        request = Read(places.read(register).function, register.end - 1, 1)
        outcome = self.ask(request)
        right = outcome.refused or values_of(outcome.reply) == words[-1:]
        self.judge("the last part alone", right, outcome, f"{words[-1]:04X}, or an exception")

    def expect_unread_unwritten(self) -> None:
        """Function 23 that cannot read has not written."""
        places = self.bench.places
        places.knows(Function.READ_WRITE_MULTIPLE_REGISTERS)
        register = places.register("holding")
        before = self.words_of(register)
        other = next(words for words in allowed(register) if words != before)
        gap = places.gap(places.run(Function.READ_HOLDING_REGISTERS))
        request = ReadWrite(gap, 1, register.address, other)
        self.expect_exception(request, ILLEGAL_ADDRESS, label="read where nothing is")
        self.expect_kept(register, before)

    # --- broadcast --------------------------------------------------------------------------------

    def expect_broadcast_written(self) -> None:
        """A write to all stations is not answered, and the value reads as written."""
        places = self.bench.places
        register = places.register("holding")
        with self._lent(register):
            for words in allowed(register):
                self.expect_silence(places.write(register, words), "answer to a broadcast", unit=BROADCAST)
                self.expect_kept(register, words, "read back")
