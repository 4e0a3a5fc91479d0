"""Judging what messages hold, how long they are and how transfers went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hil.bench.actions import MessageType
from hil.bench.core import Moment, instant_of
from hil.bench.judge import Inconclusive
from hil.bench.messages import MessageWaits
from hil.bench.record import MessageSeen
from hil.conformance.catalogue import Limit, period
from hil.conformance.checks import check_window
from hil.conformance.verdict import Measurement, Verdict
from hil.protocol.gbt27930 import CCS, CHARGER_ADDRESS, CRM
from hil.units import Instant, Span, ms, show_instant, show_span

_LONGEST = 8
_TP_CM = 0xEC
_RTS = b"\x10"
_ANSWERS = (0x11, 0x13)
"""TP.CTS and EndOfMsgACK."""
_NUMBER_IN_CRM = slice(1, 5)
_NUMBER_IN_CSD = slice(4, 8)
_TRANSFER_LIMIT: Span = ms(200)
"""A transfer that began this shortly before the end of a check may still be under way."""


class ContentChecks(MessageWaits):
    """The part of a bench that judges contents."""

    def check_findings(self, side: str) -> None:
        """The monitors saw no deviation of that side (``charger`` or ``bms``) that binds."""
        found = [finding for finding in self.findings() if finding.side == side and not finding.advisory]
        moved = self.judge.moved
        for finding in found:
            name, note = f"{finding.requirement}: {finding.expected}", finding.source
            verdict = finding.verdict if moved is None or finding.at < moved else Verdict.INCONCLUSIVE
            self.judge.add(Measurement(name, finding.seen, "", None, None, verdict, finding.at, note))
        if not found:
            self.check("deviations seen by the monitors", 0.0, high=0.0, at=self.now)

    def lengths(self, message: MessageType) -> tuple[int, ...]:
        """Data lengths that the reading ``dlc`` allows for a message of one frame."""
        if self.reading("dlc") == "padded":
            return tuple(range(message.length, _LONGEST + 1))
        return message.lengths

    def check_format(self, seen: Sequence[MessageSeen], message: MessageType) -> None:
        """Every one of these messages has its identifier and a length that is allowed (a CCS of 8 ends in FF, D2)."""
        allowed = self.lengths(message)
        bad = [each for each in seen if len(each.data) not in allowed or not _surplus_ok(message, each.data)]
        each = (bad or seen)[0]
        verdict = Verdict.FAIL if bad else Verdict.PASS
        padded = message is CCS and len(each.data) > message.length
        note = "" if not padded else "byte 8 is not FF" if bad else "8 bytes where 7 are defined (D2)"
        low, high = float(min(allowed)), float(max(allowed))
        name = f"{message.name} length"
        self.judge.add(Measurement(name, float(len(each.data)), "bytes", low, high, verdict, each.t, note))
        if message.can_id is not None:
            odd = [each for each in seen if each.id != message.can_id]
            each = (odd or seen)[0]
            self.check(f"{message.name} identifier", f"{each.id:08X}", equals=f"{message.can_id:08X}", at=each)

    def check_fields(self, seen: MessageSeen, **expected: Any) -> None:
        """Signals of a message have these values."""
        for name, value in expected.items():
            self.check(f"{seen.name}.{name}", getattr(seen.message, name, None), equals=value, at=seen)

    def check_steady(
        self, message: MessageType, signal: str, *, like: MessageSeen, after: Moment, tolerance: float
    ) -> None:
        """A signal stays within a relative tolerance of what it was."""
        before = float(getattr(like, signal))
        width = abs(before) * tolerance
        values = [(float(getattr(each, signal)), each) for each in self.matching(message, None, instant_of(after))]
        if not values:
            raise Inconclusive(f"no {message.name} after {show_instant(instant_of(after))} whose {signal} could stay")
        worst, at = max(values, key=lambda pair: abs(pair[0] - before))
        unit = message.signals[signal].unit
        self.check(f"{message.name}.{signal} stays", worst, low=before - width, high=before + width, unit=unit, at=at)

    def check_optional(self, message: MessageType, *, after: Moment) -> None:
        """A message that need not be sent has its period and length where it is sent."""
        seen = self.matching(message, None, instant_of(after))
        self.report(f"{message.name} sent", bool(seen), at=seen[0] if seen else None)
        if seen:
            self.check_period(seen, period(message))
            self.check_format(seen, message)

    def check_same_charger_number(self, csd: MessageSeen) -> None:
        """CSD carries the same raw charger number as CRM (sheet 3.17, D6)."""
        crm = self.record.last(CRM.name)
        if crm is None:
            raise Inconclusive("no CRM has told a charger number")
        expected = crm.data[_NUMBER_IN_CRM].hex(" ")
        self.check("charger number in CSD", csd.data[_NUMBER_IN_CSD].hex(" "), equals=expected, at=csd)

    def expect_ccs_current(
        self, *, low: float = float("-inf"), high: float = float("inf"), after: Moment, within: Limit, name: str
    ) -> None:
        """CCS shows a charging current in the range (A, positive charges) inside the limit after a moment."""
        self.expect(CCS, lambda seen: low <= -seen.current <= high, after=after, within=within, name=name)

    # --- transport protocol -------------------------------------------------------------------------

    def check_no_transport_answer(self, message: MessageType, *, after: Moment, until: Moment) -> None:
        """Nobody who opened no connection for a message is answered with TP.CTS or EndOfMsgACK."""
        pgn = message.pgn.to_bytes(3, "little")
        found = [
            frame
            for frame in self.record.charger_frames(instant_of(after), instant_of(until))
            if frame.id >> 16 & 0xFF == _TP_CM and frame.data[:1] and frame.data[0] in _ANSWERS
            if frame.data[5:8] == pgn
        ]
        at = found[0] if found else until
        self.check("transport answers without a connection", float(len(found)), high=0.0, unit="frames", at=at)

    def check_transfers_served(self, message: MessageType, *, after: Moment, until: Moment) -> None:
        """Every transfer of the message that began in the window went up to EndOfMsgACK."""
        start, end = instant_of(after), instant_of(until) - _TRANSFER_LIMIT
        transfers = [each for each in self.record.transfers(message.pgn) if start < each.started <= end]
        broken = [each for each in transfers if not each.complete]
        note = broken[0].reason if broken else ""
        at = broken[0].ended if broken else end
        if not transfers:
            raise Inconclusive(f"the vehicle began no {message.name} from {show_instant(start)} to {show_instant(end)}")
        self.report(f"{message.name} transfers seen", float(len(transfers)), at=end)
        self.check(f"{message.name} transfers not completed", float(len(broken)), high=0.0, at=at, note=note)

    def expect_transfer_answered(self, message: MessageType, *, after: Moment, within: Limit) -> None:
        """A transfer begun after the moment ends with EndOfMsgACK, or is refused, inside the limit."""
        start, within = instant_of(after), self.under(within)
        self.until(start + within.high + ms(500))
        name = f"{message.name} accepted or refused"
        for each in self.record.transfers(message.pgn):
            if each.started > start and (each.complete or each.aborted_by == CHARGER_ADDRESS):
                span = each.ended - each.started
                note = "accepted" if each.complete else "refused"
                self.judge.add(check_window(name, span, within, self.judge.stamps, at=each.ended, note=note))
                return
        if not self._announced(message, start):
            raise Inconclusive(f"the vehicle announced no {message.name} after {show_instant(start)}")
        self.judge.add(self.missing(name, within, start))

    def _announced(self, message: MessageType, after: Instant) -> bool:
        pgn = message.pgn.to_bytes(3, "little")
        frames = self.record.frames(_TP_CM, after, self.now)
        return any(each.data[:1] == _RTS and each.data[5:8] == pgn for each in frames)

    def check_values_allowed(self, name: str, values: set[Any], allowed: set[Any], *, at: Moment) -> None:
        """Nothing else than the allowed values was seen."""
        odd = sorted(str(value) for value in values - allowed)
        told = ", ".join(odd) or "none other"
        self.check(name, told, equals="none other", at=at)

    def expect_none_of_charger(self, *, after: Moment, during: Span, name: str) -> None:
        """The charger sends nothing at all for a while after a moment."""
        start = instant_of(after)
        self.until(start + during)
        frames = self.record.charger_frames(start, start + during)
        at = frames[0] if frames else start
        label = f"{name} in {show_span(during)}"
        self.check(label, float(len(frames)), high=0.0, unit="frames", at=at)


def _surplus_ok(message: MessageType, data: bytes) -> bool:
    return message is not CCS or all(byte == 0xFF for byte in data[message.length :])
