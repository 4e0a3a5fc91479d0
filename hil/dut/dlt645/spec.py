"""What the reference meter is, as data: a seeded fault is a pure edit of this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from hil.bus.serial import SerialFormat
from hil.errors import UsageError
from hil.protocol.dlt645 import BYTE_GAP, MAX_DATA, Function, item
from hil.units import MILLISECOND, Span


class Source(NamedTuple):
    """Where an item's value comes from: a sensor of the plant, times a factor."""

    sensor: str
    factor: float = 1.0


_ENERGIES = dict.fromkeys((0x00000000, 0x00010000, 0x00010100), Source("meter_energy"))
SINGLE_PHASE: Mapping[int, Source] = MappingProxyType(
    {
        **_ENERGIES,
        0x02010100: Source("mains_voltage"),
        0x02020100: Source("line_current"),
        0x02030000: Source("meter_power", 0.001),
        0x02030100: Source("meter_power", 0.001),
    }
)
"""A meter of one phase at an AC charging point: kWh, V, A, and W as kW."""
THREE_PHASES: Mapping[int, Source] = MappingProxyType(
    {
        **_ENERGIES,
        **{0x02010000 | phase << 8: Source("mains_voltage") for phase in (1, 2, 3)},
        **{0x02020000 | phase << 8: Source("line_current") for phase in (1, 2, 3)},
        **{0x02030000 | phase << 8: Source("meter_power", 0.001 / 3) for phase in (1, 2, 3)},
        **{0x02050000 | phase << 8: Source("meter_power", 0.001 / 3) for phase in (1, 2, 3)},
        **dict.fromkeys((0x02030000, 0x02050000, 0x02800003), Source("meter_power", 0.001)),
    }
)
"""The same of three phases, which the AC plant loads alike: apparent power is active power, and its mean too."""

FIXED: Mapping[int, float] = MappingProxyType(
    {
        0x00020000: 0.0,
        **{0x02040000 | phase << 8: 0.0 for phase in range(4)},
        **{0x02060000 | phase << 8: 1.0 for phase in range(4)},
        **{0x02070000 | phase << 8: 0.0 for phase in (1, 2, 3)},
        0x02800001: 0.0,
        0x02800002: 50.0,
        0x02800007: 25.0,
        0x02800008: 3.6,
        0x02800009: 3.6,
    }
)
"""What the plant does not have: nothing flows back, no reactive power in any phase, no neutral current, 50 Hz; 25 degC
inside, and batteries of 3.6 V."""


@dataclass(frozen=True)
class MeterSpec:
    """Everything the reference meter is made of."""

    address: str = "000000000161"
    number: str = "000000000161"
    password: bytes = b"\x00\x00\x00"
    """P0 P1 P2 as on the wire."""
    level: int = 0x02
    """PA."""
    format: SerialFormat = field(default_factory=lambda: SerialFormat(2400, parity="E"))
    measured: Mapping[int, Source] = field(default_factory=lambda: THREE_PHASES)
    fixed: Mapping[int, float] = field(default_factory=lambda: FIXED)
    tariffs: int = 4
    """In the block of energies."""

    # --- habits of the line ---
    answer_delay: Span = 50 * MILLISECOND
    wake: int = 4
    wakes: int = 0
    """Does not hear a frame with fewer wake-up bytes."""
    gap: Span = BYTE_GAP
    """Drops a frame after a pause inside it of this length."""
    room: int = MAX_DATA
    """Data bytes of one answer."""
    check_offset: int = 0
    """Added to the sum of every answer."""
    end: int = 0x16
    shift: int = 0x33
    """Added to every data byte."""
    answer_bit: bool = True
    verify: bool = True
    """Looks at the sum of requests."""
    believes_flaws: bool = False
    """Takes bytes with a parity error."""
    answers_broadcast: bool = False
    answers_strangers: bool = False
    """Answers whatever the address."""
    answers_answers: bool = False
    """Takes another meter's answer for a request."""
    needs_quiet: Span = 0
    """Finds no request for so long behind noise."""
    begins_anew: bool = False
    """Takes every 68 for the begin of a frame."""
    wildcard: bool = True

    # --- habits of functions ---
    missing: frozenset[int] = frozenset()
    """Functions that it does not know."""
    mute: frozenset[int] = frozenset()
    """Functions that it carries out and does not answer."""
    lacking: frozenset[int] = frozenset()
    """Items that it does not have."""
    fills: bool = False
    """Answers an item that it lacks with FF bytes instead of an error."""
    gains: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    """By item: what it tells is this many times what is so."""
    raw: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))
    """By item: bytes that it answers whatever is so."""
    errors: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """By function: the error word that it answers whatever is asked."""
    high_first: bool = False
    """Sends the highest byte of a value first."""
    unsigned: bool = False
    """Forgets the sign of a negative value."""
    time_year_first: bool = False
    """Reads a broadcast time as YY MM DD hh mm ss."""
    empty: frozenset[int] = frozenset()
    """Functions that it answers without the data that are due."""
    any_baud: bool = False
    """Answers for a baud rate that does not exist."""
    any_relay: bool = False
    """Carries out relay commands that have expired or do not exist."""
    clears: bool = True
    """Counts energies from 0 when it is cleared."""
    sets_clock: bool = True
    checks_password: bool = True
    password_first: bool = True
    """Looks for the password before the operator's code."""
    stores: bool = True
    """Keeps what is written."""
    retunes: bool = True
    """Takes another baud rate after answering for it."""

    def __post_init__(self) -> None:
        """What no meter can be raises :class:`UsageError`."""
        if len(self.address) != 12 or not self.address.isdigit():
            raise UsageError(f"meter address {self.address!r}: 12 digits are due")
        functions = {int(each) for each in Function}
        for unknown in sorted((self.missing | self.mute | self.empty | set(self.errors)) - functions):
            raise UsageError(f"no DL/T 645 function {unknown:02X}")
        for di in [*self.measured, *self.fixed, *self.lacking, *self.gains]:
            if item(di) is None:
                raise UsageError(f"no DL/T 645 item {di:08X}")

    def but(self, **fields: Any) -> MeterSpec:
        """The same with other fields."""
        return replace(self, **fields)

    def without(self, *functions: int) -> MeterSpec:
        """The same without some functions."""
        return replace(self, missing=self.missing | set(functions))

    def silent_on(self, *functions: int) -> MeterSpec:
        """The same that does not answer some functions."""
        return replace(self, mute=self.mute | set(functions))

    def misreading(self, di: int, gain: float) -> MeterSpec:
        """The same that tells this many times an item's value."""
        return replace(self, gains=MappingProxyType({**self.gains, di: gain}))

    def saying(self, di: int, data: bytes) -> MeterSpec:
        """The same with fixed bytes for an item."""
        return replace(self, raw=MappingProxyType({**self.raw, di: data}))

    def refusing(self, function: int, error: int) -> MeterSpec:
        """The same that answers a function with an error."""
        return replace(self, errors=MappingProxyType({**self.errors, function: error}))


def reference() -> MeterSpec:
    """The meter that passes every case."""
    return MeterSpec()
