"""Order of messages (sheet 4.1, 4.2) and what follows an error message (sheet 4.4)."""

from __future__ import annotations

from functools import partial

from hil.conformance.catalogue import limit
from hil.conformance.monitors.session import NEVER, Side
from hil.conformance.monitors.timeouts import Common
from hil.units import Instant, Span, ms, s, seconds, show_span

_BEFORE: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    # monitor's name, side, messages judged, what must have come in this attempt
    ("BHM", "bms", ("BHM",), ("CHM",)),
    ("BRM", "bms", ("BRM",), ("CRM00",)),
    ("CRMAA", "charger", ("CRMAA",), ("BRM complete",)),
    ("BCP", "bms", ("BCP",), ("CRMAA",)),
    ("CML", "charger", ("CML", "CTS"), ("BCP complete",)),
    ("BRO", "bms", ("BRO00", "BROAA"), ("CML",)),
    ("CRO", "charger", ("CRO00", "CROAA"), ("BROAA",)),
    ("BCL", "bms", ("BCL", "BCS"), ("CROAA",)),
    ("CCS", "charger", ("CCS",), ("BCL", "BCS complete")),
    ("BSM", "bms", ("BSM",), ("CCS",)),
    ("BSD", "bms", ("BSD",), ("CST", "BST")),
    ("CSD", "charger", ("CSD",), ("BSD",)),
)
_ORDER = {
    "charger": ("CHM", "CRM00", "CRMAA", "CML", "CRO00", "CROAA", "CCS", "CST", "CSD", "CEM"),
    "bms": ("BHM", "BRM", "BCP", "BRO00", "BROAA", "BCL", "BST", "BSD", "BEM"),
}
_END_PHASE = ("CST", "CSD", "BST", "BSD")
_ALLOWED = {"three": 3, "two": 2, "none": 0}
_ONE_SUPPLY: Span = ms(500)
"""A vehicle that spoke so shortly before was not without its auxiliary supply in between."""
_REACTION_PERIODS = s(1)


class SequenceMonitor:
    """Each message after what must precede it, in attempts whose beginning was seen."""

    def __init__(self, common: Common) -> None:
        self._session = common.session
        self._ledger = common.ledger
        self._highest = {"charger": -1, "bms": -1}
        for name, side, judged, needed in _BEFORE:
            for message in judged:
                common.session.on([message], partial(self._judge, name, side, message, needed))
        common.session.on_enter(self._enter)
        common.session.on_restart(lambda how, t: self._forget())

    def _judge(self, name: str, side: str, message: str, needed: tuple[str, ...], t: Instant) -> None:
        if not self._session.observed or "CRM00" in self._session.vague:
            return  # what came before may have gone unseen
        missing = [each for each in needed if not self._came(each)]
        if missing:
            self._ledger.add(f"SEQUENCE.{name}", side, t, f"{message} after {' and '.join(needed)}", _without(missing))

    def _came(self, name: str) -> bool:
        if name in self._session.first:
            return True
        message, _, complete = name.partition(" ")
        return bool(complete) and bool(getattr(self._session.streams.get(message), "complete", False))

    def _enter(self, side: Side, state: str, t: Instant) -> None:
        order = _ORDER[side.name]
        if state not in order:
            return
        rank, highest = order.index(state), self._highest[side.name]
        if rank < highest and self._session.observed:
            expected = f"no {state} once {order[highest]} was sent"
            self._ledger.add("SEQUENCE.back", side.name, t, expected, f"{state} after {side.state}")
        self._highest[side.name] = max(rank, highest)

    def _forget(self) -> None:
        self._highest = {"charger": -1, "bms": -1}


class ErrorMonitor:
    """What a charger does after an error message of either side."""

    def __init__(self, common: Common) -> None:
        self._session = common.session
        self._ledger = common.ledger
        self._allowed = _ALLOWED[common.readings["reconnections"]]
        self._edition = common.edition
        self._reconnections = 0
        self._powered_samples = False
        self._limit = limit("reconnect").high
        self._reaction = limit("reaction").high
        common.session.on(["CEM", "BEM"], self._error)
        common.session.on(["BEM"], self._heard)
        common.session.on(["CCS"], lambda t: self._charging())
        common.session.on_restart(self._restart)

    def supply_is_sampled(self) -> None:
        """K3/K4 are observed: a replug shows."""
        self._powered_samples = True

    def _charging(self) -> None:
        self._reconnections = 0

    def _error(self, t: Instant) -> None:
        if len([name for name in ("CEM", "BEM") if name in self._session.first]) == 1:
            self._session.at(t + self._limit + self._ledger.resolution, partial(self._no_reconnection, t))

    def _no_reconnection(self, since: Instant, now: Instant) -> None:
        session = self._session
        used = self._reconnections >= self._allowed
        if used or self._in_end_phase() or not session.powered:
            return
        expected = f"CRM(00) within {seconds(self._limit):g} s of the first {session.error}"
        self._ledger.add("ERROR.reconnect", "charger", since + self._limit, expected, "none")

    def _in_end_phase(self) -> bool:
        return any(name in self._session.first for name in _END_PHASE)

    def _heard(self, t: Instant) -> None:
        self._session.at(t + self._reaction, partial(self._unmoved, t))

    def _unmoved(self, since: Instant, now: Instant) -> None:
        side = self._session.sides["charger"]
        last = side.state_last()
        if side.state not in ("CEM", "CHM", "CSD", "") and last > since + self._reaction - _REACTION_PERIODS:
            expected = f"no {side.state} later than {seconds(self._reaction):g} s after the first BEM"
            self._ledger.add("ERROR.heard", "charger", last, expected, f"still sent after {show_span(last - since)}")

    def _restart(self, how: str, t: Instant) -> None:
        session = self._session
        if how == "CHM":
            self._handshake(t)
            self._reconnections = 0
        elif session.error:
            self._reconnect(t)
        elif how == "CRM00" and session.observed and self._edition != "2011":
            state = session.sides["charger"].state
            expected = "CRM(00) after CHM, or after an error message"
            self._ledger.add("SEQUENCE.CRM00", "charger", t, expected, f"CRM(00) after {state}")
        else:
            self._reconnections = 0

    def _reconnect(self, t: Instant) -> None:
        self._reconnections += 1
        if self._in_end_phase():
            self._ledger.add(
                "ERROR.end", "charger", t, f"no CRM(00) after {self._session.error} in the end phase", "CRM(00)"
            )
        elif self._reconnections > self._allowed:
            expected = f"at most {self._allowed} reconnections"
            self._ledger.add("ERROR.attempts", "charger", t, expected, f"reconnection {self._reconnections}")

    def _handshake(self, t: Instant) -> None:
        session = self._session
        if not session.error or not session.powered:
            return
        vehicle = session.sides["bms"].last_seen()
        if self._powered_samples or (vehicle != NEVER and t - vehicle <= _ONE_SUPPLY):
            expected = f"CRM(00) after {session.error}, as K3/K4 stayed closed"
            self._ledger.add("ERROR.handshake", "charger", t, expected, "CHM")


def _without(missing: list[str]) -> str:
    return f"no {' and no '.join(missing)} in this attempt"
