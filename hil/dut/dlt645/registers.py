"""What the meter can be asked: items from the plant, its own data, and what was written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hil.dut.dlt645.spec import MeterSpec
from hil.errors import CodecError
from hil.protocol.dlt645 import ITEMS, MISSING, Item, encode_value, item
from hil.units import SECOND, Instant

Sense = Callable[[str, Instant], float]
DATE, TIME, ADDRESS, NUMBER, RATED = 0x04000101, 0x04000102, 0x04000401, 0x04000402, 0x04000404
_ENERGY_BLOCK, _ENERGY_TARIFF, _ENERGY_TOTAL = 0x0001FF00, 0x00010000, 0x00010000
_ENERGIES = (0x00000000, 0x00010000, 0x00020000)


class Registers:
    """The data of one meter. Its clock starts in 2020 and is set by broadcast or by writing."""

    def __init__(self, spec: MeterSpec, sense: Sense) -> None:
        self.spec = spec
        self.address = spec.address
        self.password = spec.password
        self.written: dict[int, bytes] = {}
        self.periods: dict[int, list[bytes]] = {}
        """Energies of past periods, the latest first."""
        self._sense = sense
        self._clock = datetime(2020, 1, 1)
        self._clock_at: Instant = 0
        self._cleared: dict[str, float] = {}
        """Sensor to its value when the meter was cleared."""

    # --- clock --------------------------------------------------------------------------------------

    def clock(self, now: Instant) -> datetime:
        """Date and time."""
        return self._clock + timedelta(seconds=(now - self._clock_at) // SECOND)

    def set_clock(self, moment: datetime, now: Instant) -> None:
        """Set date and time."""
        self._clock, self._clock_at = moment, now

    # --- items --------------------------------------------------------------------------------------

    def lookup(self, di: int, now: Instant) -> bytes | None:
        """The bytes of an item; None where the meter has no such data."""
        if di in self.spec.raw:
            return self.spec.raw[di]
        known = item(di)
        if known is None:
            return None
        data = None if di in self.spec.lacking else self._bytes(known, now)
        if data is None and self.spec.fills:
            return bytes((MISSING,)) * (known.size * max(1, known.repeats))
        return data

    def _bytes(self, known: Item, now: Instant) -> bytes | None:
        if known.di == _ENERGY_BLOCK:
            tariffs = [_ENERGY_TARIFF | tariff << 8 for tariff in range(1, self.spec.tariffs + 1)]
            return b"".join(self._one(di, now) or bytes(4) for di in (_ENERGY_TOTAL, *tariffs))
        if known.repeats == 3:
            phases = [known.di & 0xFFFF00FF | phase << 8 for phase in (1, 2, 3)]
            return b"".join(self._one(di, now) or bytes((MISSING,)) * known.size for di in phases)
        period = known.di & 0xFF
        if known.di & 0xFFFFFF00 in _ENERGIES and period:
            past = self.periods.get(known.di & 0xFFFFFF00, [])
            return past[period - 1] if period <= len(past) else bytes(known.size)
        return self._one(known.di, now)

    def _one(self, di: int, now: Instant) -> bytes | None:
        if di in self.written:
            return self.written[di]
        own = self._own(di, now)
        if own is not None:
            return own
        known, source = item(di), self.spec.measured.get(di)
        if known is None or di in self.spec.lacking:
            return None
        if source is None:
            return None if di not in self.spec.fixed else self._encode(known, self.spec.fixed[di])
        value = self._sense(source.sensor, now)
        if di & 0xFF000000 == 0:
            value -= self._cleared.get(source.sensor, 0.0)
        return self._encode(known, value * source.factor)

    def _encode(self, known: Item, value: float) -> bytes:
        """A value that the format cannot hold is told as missing."""
        value *= self.spec.gains.get(known.di, 1.0)
        try:
            data = encode_value(known, abs(value) if self.spec.unsigned else value)
        except CodecError:
            return bytes((MISSING,)) * known.size
        return data[::-1] if self.spec.high_first else data

    def _own(self, di: int, now: Instant) -> bytes | None:
        clock = self.clock(now)
        if di == DATE:
            return bytes.fromhex(f"{clock.isoweekday() % 7:02d}{clock:%d%m%y}")
        if di == TIME:
            return bytes.fromhex(f"{clock:%S%M%H}")
        if di in (ADDRESS, NUMBER):
            return bytes.fromhex(self.address if di == ADDRESS else self.spec.number)[::-1]
        return encode_value(ITEMS[RATED], "220V") if di == RATED else None

    # --- changes ------------------------------------------------------------------------------------

    def write(self, di: int, data: bytes, now: Instant) -> bool:
        """Store an item; False where there is none of that size, or where it is measured."""
        known = item(di)
        if known is None or len(data) != known.size or di in self.spec.measured or di in self.spec.fixed:
            return False
        if not self.spec.stores:
            return True
        if di in (DATE, TIME):
            return self._write_clock(di, data, now)
        if di == ADDRESS:
            self.address = data[::-1].hex()
        else:
            self.written[di] = data
        return True

    def _write_clock(self, di: int, data: bytes, now: Instant) -> bool:
        clock, digits = self.clock(now), data.hex()
        if not digits.isdigit():
            return False
        fields = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
        try:
            if di == DATE:
                clock = clock.replace(year=2000 + fields[3], month=fields[2], day=fields[1])
            else:
                clock = clock.replace(hour=fields[2], minute=fields[1], second=fields[0])
        except ValueError:
            return False
        self.set_clock(clock, now)
        return True

    def freeze(self, now: Instant) -> None:
        """Keep the energies as those of a past period."""
        for di in _ENERGIES:
            data = self._one(di, now)
            if data is not None:
                self.periods[di] = [data, *self.periods.get(di, [])][:12]

    def clear(self, now: Instant) -> None:
        """Count energies from 0."""
        for di, source in self.spec.measured.items():
            if di & 0xFF000000 == 0:
                self._cleared[source.sensor] = self._sense(source.sensor, now)
        self.periods.clear()
