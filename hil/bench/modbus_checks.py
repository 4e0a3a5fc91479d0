"""What every request that reads must come to: values, exceptions, quantities, units, times."""

from __future__ import annotations

from hil.bench.core import beyond
from hil.bench.modbus_line import SILENCE, Line, values_of
from hil.conformance.catalogue import Limit
from hil.protocol.modbus import (
    QUANTITIES,
    RawPdu,
    Read,
    Request,
    encode_tcp,
)
from hil.units import SECOND, Span

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_TARGET = 0x01, 0x02, 0x03, 0x0B
LAST = 0xFFFF
_ERROR_BIT = 0x80
_FILLS = {"zero": 0, "ones": LAST}
_PART = 8
"""Values read for a comparison."""
_ROW = 20
"""Requests that response times are taken of."""
_PIPELINE = 4
_HALF = 5
"""Bytes of the half of a request."""
_CHARACTERS = 3.5


def too_many(declared: bool) -> tuple[int, ...]:
    """What refuses a count that is too high. Where the addresses are not all declared either, the order of the
    device's checks decides, which many devices have swapped (standards map, section 8): both are taken."""
    return (ILLEGAL_VALUE,) if declared else (ILLEGAL_VALUE, ILLEGAL_ADDRESS)


class ReadChecks(Line):
    """Checks that leave the device as it is."""

    # --- functions --------------------------------------------------------------------------------

    def expect_unknown(self, function: int) -> None:
        """A function that the map does not claim is refused, or passed over where the map says so."""
        request = RawPdu(bytes((function, 0, 0, 0, 1)))
        if self.bench.map.behaviour.unknown_function == "silent":
            self.expect_silence(request, f"answer to function {function}")
        else:
            self.expect_exception(request, ILLEGAL_FUNCTION, label=f"function {function}")

    def expect_error_bit_refused(self) -> None:
        """A function code with the error bit is not answered, or refused with 01."""
        run = self.bench.places.any_run()
        request = RawPdu(bytes((run.function | _ERROR_BIT,)) + run.read(1).encode()[1:])
        outcome = self.ask(request, timeout=SILENCE)
        pdu = outcome.data[1:-2] if self.serial else outcome.data[7:]
        fine = outcome.kind in ("silence", "lost") or pdu == bytes((request.function, ILLEGAL_FUNCTION))
        self.judge(f"function {request.function}", fine, outcome, "no answer, or exception 01")

    def expect_parts(self, function: int) -> None:
        """A run reads as what its first and its last value read alone."""
        places = self.bench.places
        run = places.run(function)
        block = run.block(min(places.most(function), _PART))
        outcome = self.ask(block.read(block.count))
        values = values_of(outcome.reply)
        self.judge(f"{block.count} values", values is not None and len(values) == block.count, outcome, outcome.due)
        if values is not None and self.bench.map.limits.blocks:
            for name, part in (("first", block.value(0)), ("last", block.value(-1))):
                begin = part.address - block.address
                self.expect_values(part, values[begin : begin + part.count], f"the {name} alone")

    # --- exceptions -------------------------------------------------------------------------------

    def expect_end_of_run(self) -> None:
        """The end of a run is read; the next undeclared address, and both together, are answered as the map says."""
        places, behaviour = self.bench.places, self.bench.map.behaviour
        run = places.any_run()
        gap = places.gap(run)
        last = run.value(-1)
        beyond = Read(run.function, gap, 1 if self.bench.map.limits.blocks else last.count)
        self.expect_reply(last, f"address {run.end - 1}")
        if behaviour.unlisted in _FILLS:
            fill = _FILLS[behaviour.unlisted]
            self.expect_values(beyond, (fill,) * beyond.count, f"address {gap}")
            return
        self.expect_exception(beyond, ILLEGAL_ADDRESS, label=f"address {gap}")
        both = Read(run.function, last.address, gap + 1 - last.address)
        self.expect_exception(both, ILLEGAL_ADDRESS, label=f"addresses {last.address} to {gap}")

    def expect_wrap_refused(self) -> None:
        """A span beyond the last address is refused with 02."""
        run = self.bench.places.any_run()
        self.expect_exception(Read(run.function, LAST, 2), ILLEGAL_ADDRESS, label="2 from address 65535 on")

    # --- quantities -------------------------------------------------------------------------------

    def expect_read_quantities(self, function: int) -> None:
        """1 and the most values are read, 0 and one more are refused with exception 03.

        Where the map's longest run is shorter, or so many registers cut a value, the most may be refused for the
        address (02), not for the count, or be answered, with what stands for undeclared addresses. Of a device that
        reads whole values alone, 0 of them may be another length than its value's, which it refuses with 02.
        """
        places, most = self.bench.places, QUANTITIES[function]
        run = places.run(function)
        self.expect_reply(run.one(), "the least")
        if places.most(function) < most or not self.bench.map.limits.blocks:
            self.bench.report("the most", "the map allows less than the protocol")
        elif run.whole(most):
            self.expect_reply(run.read(most), f"{most} values")
        else:
            outcome = self.ask(run.read(most))
            fine = outcome.kind == "reply" and (not outcome.refused or outcome.refusal == ILLEGAL_ADDRESS)
            self.judge(f"{most} values, beyond the map", fine, outcome, f"{outcome.due}, no exception but 02")
        self.expect_exception(run.read(0), *too_many(self.bench.map.limits.blocks), label="0 values")
        self.expect_exception(run.read(most + 1), *too_many(run.whole(most + 1)), label=f"{most + 1} values")

    # --- units and times --------------------------------------------------------------------------

    def expect_foreign_unit(self) -> None:
        """A request for another unit: silence on a serial line; on TCP what the map says, or any of its choices."""
        places, said = self.bench.places, self.bench.map.behaviour.foreign_unit
        request, unit = places.any_run().one(), places.foreign
        if self.serial or said == "silent":
            self.expect_silence(request, f"answer for unit {unit}", unit=unit)
        elif said == "gateway":
            self.expect_exception(request, NO_TARGET, label=f"unit {unit}", unit=unit)
        else:
            outcome = self.ask(request, unit=unit, timeout=SILENCE)
            fine = outcome.kind != "malformed" and (said != "answered" or values_of(outcome.reply) is not None)
            self.judge(f"unit {unit}", fine, outcome, outcome.due)

    def expect_prompt(self, within: Limit) -> None:
        """A row of requests is answered, the slowest reply inside the limit; the times are told."""
        request = self.bench.places.any_run().one()
        outcomes = [self.ask(request, timeout=within.high + beyond(within)) for _ in range(_ROW)]
        for each in outcomes:
            if each.kind != "reply":
                self.judge("reply", holds=False, outcome=each, due=each.due)
                return
        slowest = max(outcomes, key=lambda each: each.took)
        self.bench.check_window(f"the slowest of {_ROW} replies", slowest.took, within, at=slowest.at)
        self.bench.report_times(outcomes)

    # --- TCP --------------------------------------------------------------------------------------

    def expect_transactions(self, identifiers: tuple[int, ...]) -> None:
        """Each transaction id comes back."""
        request = self.bench.places.any_run().one()
        for identifier in identifiers:
            self.expect_reply(request, f"reply to transaction {identifier}", transaction=identifier)

    def expect_pipelined(self, *, one_segment: bool) -> None:
        """Several requests without waiting: each gets the values that it gets alone."""
        run = self.bench.places.any_run()
        requests: list[Request] = [run.value(index) for index in range(min(_PIPELINE, len(run.edges) - 1))]
        requests *= 1 if len(requests) > 1 else _PIPELINE
        alone = [values_of(self.ask(request).reply) for request in requests]
        if one_segment:
            outcomes = self.ask_at_once(requests)
        else:
            begun = [self.begin(request) for request in requests]
            outcomes = [self.outcome(*each) for each in begun]
        for index, (outcome, values) in enumerate(zip(outcomes, alone, strict=True), 1):
            right = values is not None and values_of(outcome.reply) == values
            self.judge(f"reply {index} of {len(outcomes)}", right, outcome, outcome.due)

    def expect_idle_served(self, idle: Span) -> None:
        """Idle for half of a span, the connection still stands; a device that says so has closed it after the whole.

        One that does not say has closed it, or serves.
        """
        self.expect_served("a good request at first")
        self.bench.let(idle // 2)
        self.bench.check(f"connection after {idle // 2 // SECOND} s", self.open, equals=True, at=self.bench.now)
        self.expect_served("a good request on it")
        self.bench.let(idle * 3 // 2)
        if self.bench.map.behaviour.idle_close:
            self.bench.check("closed when idle for longer", not self.open, equals=True, at=self.bench.now)
        self.expect_served("a good request when it was idle for longer")

    def send_half(self, request: Request) -> None:
        """Send the begin of a request."""
        self.send(encode_tcp(1, self.bench.places.unit, request.encode())[:_HALF])

    # --- the serial line --------------------------------------------------------------------------

    def expect_served_after(self, gap: Span) -> None:
        """A request that follows a frame to another station after a gap is answered."""
        request = self.bench.places.any_run().one()
        self.expect_reply(request, "reply", before=self.bench.foreign_frame(request).hex(), pause=gap)

    def expect_silences_kept(self) -> None:
        """An answer begins no sooner than t3.5 after its request, and is whole."""
        run = self.bench.places.any_run()
        outcome = self.ask(run.read(run.block(_PART).count))
        self.judge("reply without gaps", outcome.kind == "reply", outcome, outcome.due)
        silence = self.bench.silence_before(outcome)
        characters = None if silence is None else round(silence / self.bench.timing.character, 3)
        least = round(self.bench.timing.between / self.bench.timing.character, 3)
        self.bench.check("silence before it", characters, low=least, unit="characters", at=outcome.at)
