"""Contents against each other: demand, limits, output, permission, reasons, charger number."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from hil.conformance.catalogue import limit, quantity
from hil.conformance.monitors.session import Session
from hil.conformance.monitors.timeouts import Common
from hil.conformance.monitors.track import Track
from hil.conformance.monitors.transport import Meter
from hil.units import Instant, Span, ms, show_span

_ZERO_AMPERE = 4000
"""Raw current of 0 A: 0.1 A per step, offset -400 A (sheet 1.3)."""
_UNSUPPLIED = 0xFFFF
_NO_LIMIT = 1 << 17
_RACE: Span = ms(100)
"""A CST so shortly after the first BST may have been decided before it."""
_ABNORMAL = (
    ("cell voltage", 40, (1, 2)),
    ("SOC", 42, (1, 2)),
    ("overcurrent", 44, (1,)),
    ("overtemperature", 46, (1,)),
    ("insulation", 48, (1,)),
    ("connector", 50, (1,)),
)
"""Items of BSM, first bit and the values that end the charge (sheet 3.12)."""
_ITEMS, _ALL_ITEMS = 40, 0xFFF
_PERMISSION = 52
_CCS_PERMISSION = 48
_OWN_REASONS = 0b0001_0101
_BMS_STOPPED = 0b0100_0000


class ContentMonitor:
    """Keeps the last raw contents and judges each change against the others."""

    def __init__(self, common: Common, streams: Mapping[str, Track | Meter]) -> None:
        self._session: Session = common.session
        self._ledger = common.ledger
        self._new = common.edition != "2011"
        self._voltage_error = 1 + (quantity("voltage-error").high or 0.0) / 100
        self._current_error = 1 + (quantity("current-error").high or 0.0) / 100
        self._small_error = (quantity("current-error-small").high or 0.0) * 10
        self._no_power = round((quantity("no-power").high or 0.0) * 10)
        self._reaction = limit("reaction").high
        self._streams = streams
        self._number: int | None = None
        self._bhm: int | None = None
        self._limits: dict[str, tuple[int, int]] = {}
        """Highest voltage (0.1 V) and current (0.1 A) that BCP and CML allow."""
        self._voltage_bound: float = _NO_LIMIT
        self._current_floor: float = -1
        """Least raw current of CCS: the raw value falls as the current rises."""
        self._bsm = self._ccs = 0
        for name, hook in (
            ("BHM", self._on_bhm),
            ("CRM", self._on_crm),
            ("BCP", self._on_bcp),
            ("CML", self._on_cml),
            ("BCL", self._on_bcl),
            ("CCS", self._on_ccs),
            ("BSM", self._on_bsm),
            ("CSD", self._on_csd),
        ):
            if name in streams:
                streams[name].on_change.append(hook)
        common.session.on(["CST"], self._first_cst)
        common.session.on(["BST"], self._first_bst)

    # --- identity and limits ------------------------------------------------------------------------

    def _on_crm(self, t: Instant, raw: int) -> None:
        self._number = raw >> 8 & (0xFFFFFFFF if self._new else 0xFF)

    def _on_csd(self, t: Instant, raw: int) -> None:
        number = raw >> 32
        if self._number is not None and number != self._number:
            expected = f"charger number 0x{self._number:X} as in CRM"
            self._ledger.add("CONTENT.number", "charger", t, expected, f"0x{number:X}")

    def _on_bhm(self, t: Instant, raw: int) -> None:
        self._bhm = raw

    def _on_bcp(self, t: Instant, raw: int) -> None:
        self._limit("BCP", raw >> 48 & 0xFFFF, raw >> 16 & 0xFFFF)
        voltage = raw >> 48 & 0xFFFF
        if self._bhm is not None and "BHM" in self._session.first and self._bhm < voltage != _UNSUPPLIED:
            expected = f"BHM of at least the {voltage / 10} V of BCP"
            self._ledger.add("CONTENT.bhm", "bms", t, expected, f"{self._bhm / 10} V")

    def _on_cml(self, t: Instant, raw: int) -> None:
        self._limit("CML", raw & 0xFFFF, raw >> 32 & 0xFFFF)

    def _limit(self, name: str, voltage: int, current: int) -> None:
        highest = _NO_LIMIT if voltage == _UNSUPPLIED else voltage
        strongest = _NO_LIMIT if current in (_UNSUPPLIED, 0) else _ZERO_AMPERE - current
        self._limits[name] = (highest, strongest)
        voltages, currents = zip(*self._limits.values(), strict=True)
        self._voltage_bound = min(voltages) * self._voltage_error + 1
        self._current_floor = _ZERO_AMPERE - max(
            min(currents) * self._current_error + 1, min(currents) + self._small_error + 1
        )

    # --- demand and output --------------------------------------------------------------------------

    def _on_bcl(self, t: Instant, raw: int) -> None:
        voltage, current = raw & 0xFFFF, _ZERO_AMPERE - (raw >> 16 & 0xFFFF)
        for name, (highest, strongest) in self._limits.items():
            if voltage > highest:
                expected = f"voltage demand of at most the {highest / 10} V of {name}"
                self._ledger.add("CONTENT.demand", "bms", t, expected, f"{voltage / 10} V")
            if current > strongest:
                expected = f"current demand of at most the {strongest / 10} A of {name}"
                self._ledger.add("CONTENT.demand", "bms", t, expected, f"{current / 10} A")

    def _on_ccs(self, t: Instant, raw: int) -> None:
        self._ccs = raw
        if raw & 0xFFFF > self._voltage_bound:
            expected = f"output of at most {min(each[0] for each in self._limits.values()) / 10} V by BCP and CML"
            self._ledger.add("CONTENT.output", "charger", t, expected, f"{(raw & 0xFFFF) / 10} V")
        if raw >> 16 & 0xFFFF < self._current_floor:
            expected = f"output of at most {min(each[1] for each in self._limits.values()) / 10} A by BCP and CML"
            seen = f"{(_ZERO_AMPERE - (raw >> 16 & 0xFFFF)) / 10} A"
            self._ledger.add("CONTENT.output", "charger", t, expected, seen)

    # --- BSM ----------------------------------------------------------------------------------------

    def _on_bsm(self, t: Instant, raw: int) -> None:
        before, self._bsm = self._bsm, raw
        item = _abnormal(raw)
        if item and item != _abnormal(before):
            self._session.at(t + self._patience, partial(self._unstopped, item, t))
        elif _pauses(raw) and not _pauses(before):
            self._session.at(t + self._patience, partial(self._unpaused, t))

    @property
    def _patience(self) -> Span:
        return self._reaction + self._ledger.resolution

    def _supplies(self) -> bool:
        session = self._session
        stopped = "CST" in session.first or "BST" in session.first
        return session.sides["charger"].state == "CCS" and not session.error and not stopped and session.powered

    def _unstopped(self, item: str, since: Instant, now: Instant) -> None:
        if self._supplies():
            expected = f"CST within {show_span(self._reaction)} of BSM with {item} abnormal"
            self._ledger.add("CONTENT.abnormal", "charger", since + self._reaction, expected, "CCS goes on")

    def _unpaused(self, since: Instant, now: Instant) -> None:
        if not self._supplies() or not _pauses(self._bsm):
            return
        at, within = since + self._reaction, show_span(self._reaction)
        if self._new and self._ccs >> _CCS_PERMISSION & 3:
            self._ledger.add("CONTENT.pause", "charger", at, f"CCS says paused within {within}", "it says allowed")
        current = _ZERO_AMPERE - (self._ccs >> 16 & 0xFFFF)
        if current > self._no_power:
            expected = f"at most {self._no_power / 10} A within {within} of the pause"
            self._ledger.add("CONTENT.pause", "charger", at, expected, f"{current / 10} A in CCS")

    # --- reasons ------------------------------------------------------------------------------------

    def _first_cst(self, t: Instant) -> None:
        track = self._streams["CST"]
        data = track.data if isinstance(track, Track) else None
        if not data:
            return
        bst = self._session.first.get("BST")
        if self._new and bst is None and data[0] >> 6 == 1 and self._session.observed:
            expected = "BMS stopped (bits 7-8) only after BST"
            self._ledger.add("CONTENT.cst-bms", "charger", t, expected, data.hex(" ").upper())
        elif self._new and bst is not None and t - bst > _RACE and data[0] >> 6 != 1:
            expected = "BMS stopped (bits 7-8) in the answer to BST"
            self._ledger.add("CONTENT.cst-bms", "charger", t, expected, data.hex(" ").upper())
        elif not data[0] & (_OWN_REASONS | _BMS_STOPPED):
            self._ledger.add("CONTENT.cst-reason", "charger", t, "a reason in SPN 3521", data.hex(" ").upper())

    def _first_bst(self, t: Instant) -> None:
        track = self._streams["BST"]
        if not isinstance(track, Track) or not track.data:
            return
        raw = int.from_bytes(track.data[: track.declared.length], "little")
        if not any(raw >> signal.start & signal.mask == 1 for signal in track.declared.signals.values()):
            self._ledger.add("CONTENT.bst-reason", "bms", t, "a reason", track.data.hex(" ").upper())


def _pauses(raw: int) -> bool:
    """Forbidden, and every item normal: with one untrusted, nothing is laid down (sheet 3.12)."""
    return not raw >> _ITEMS & _ALL_ITEMS and not raw >> _PERMISSION & 3


def _abnormal(raw: int) -> str:
    """The first item that ends the charge."""
    return next((name for name, bit, values in _ABNORMAL if raw >> bit & 3 in values), "")
