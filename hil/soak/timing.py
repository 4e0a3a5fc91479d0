"""Legal timing: intervals inside the catalogue's tolerance, transfers inside Tr."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from hil.conformance.catalogue import limit, period
from hil.protocol.gbt27930 import BCP, BCS, BRM, MessageSet
from hil.protocol.j1939 import TpBehaviour, TpTiming
from hil.units import Span, ms, s, us

_SENDS: Mapping[str, tuple[str, ...]] = {
    "charger": ("CHM", "CRM00", "CRMAA", "CML", "CTS", "CRO00", "CROAA", "CCS", "CST", "CSD", "CEM"),
    "bms": ("BHM", "BRM", "BCP", "BRO00", "BROAA", "BCL", "BCS", "BSM", "BMV", "BMT", "BSP", "BST", "BSD", "BEM"),
}
"""Names under which the sides send; their first three letters are the message."""
_FAST = ms(10)
_LONG = ("BRM", "BCP", "BCS", "BMV", "BMT", "BSP")
_ARBITRATION: Mapping[str, Span] = {"fast": us(1600), "single": ms(2), "long": ms(5)}
"""Margin inside the tolerance: the longest wait for the bus. Transport frames have the lowest priority."""
_FRAME = us(1500)
"""Bus time of one transport frame, with what may go before it."""
_SLOWEST = s(2)
"""A transfer that takes this long leaves room for the time-outs of 5 s."""
_OPTIONAL: Mapping[str, tuple[int, int, int]] = {"BMV": (5, 256, 2), "BMT": (9, 128, 1), "BSP": (9, 16, 1)}
"""Fewest and most elements that go by transport protocol, and bytes of each (sheet 3.13)."""


@dataclass(frozen=True)
class Intervals:
    """Of one side: the period of each message, and by how much its intervals are longer, in turn."""

    periods: dict[str, Span]
    wander: dict[str, tuple[Span, ...]]

    def shortest(self, send: str) -> Span:
        """The shortest interval."""
        return self.periods[send] + min(self.wander.get(send, (0,)))


def draw_intervals(rng: random.Random, side: str, messages: MessageSet, readings: Mapping[str, str]) -> Intervals:
    """Each message nominal, shifted, wandering, or both."""
    found = Intervals({}, {})
    for send in _SENDS[side]:
        message = messages.by_name[send[:3]]
        allowed = period(message).under(readings)
        nominal = message.period
        assert nominal is not None, f"{send} has a period"
        kind = "fast" if nominal <= _FAST else "long" if message.transport else "single"
        low, high = allowed.low + _ARBITRATION[kind], allowed.high - _ARBITRATION[kind]
        found.periods[send] = base = rng.choice((nominal, rng.randint(low, high)))
        if rng.random() < 0.6:
            count = rng.randint(2, 24)
            found.wander[send] = tuple(rng.randint(low, high) - base for _ in range(count))
    return found


@dataclass(frozen=True)
class Transfers:
    """How long messages go: behaviour and timers of both ends, and which optional ones there are."""

    sender: TpTiming
    allows: TpBehaviour
    receiver: TpTiming
    answers: TpBehaviour
    optional: dict[str, int]

    @property
    def features(self) -> tuple[str, ...]:
        """In words, for counting."""
        slow = self.answers.answer_after > ms(30) or self.sender.first_packet > ms(30)
        return (
            *(f"{name} sent" for name in self.optional),
            *(("hold CTS",) if self.answers.holds else ()),
            *(("packets per CTS",) if self.answers.packets_per_cts or self.allows.most_per_cts < 7 else ()),
            *(("slow answers",) if slow else ()),
        )

    def lasts(self, size: int) -> Span:
        """The longest time that a transfer of so many bytes takes."""
        packets = -(-size // 7)
        at_once = min(self.answers.packets_per_cts or packets, self.allows.most_per_cts, packets)
        rounds = -(-packets // at_once)
        gap = max((*(max(gaps) for gaps in self.sender.packet_gaps.values()), self.sender.packet_gap))
        answers = (rounds + 1) * self.answers.answer_after + rounds * self.sender.first_packet
        frames = (2 + packets + rounds + self.answers.holds) * _FRAME
        return answers + (packets - rounds) * gap + self.answers.holds * self.receiver.th + frames


def draw_transfers(rng: random.Random, intervals: Intervals, cells: int) -> Transfers:
    """Response times and gaps inside Tr, so short that every long message keeps its period."""
    longest = limit("tp-response").high - ms(10)
    if rng.random() < 0.15:
        return _slow(rng, _draw_transfers(rng, longest), cells)
    while True:
        found = _draw_transfers(rng, longest)
        room = {message.name: intervals.shortest(message.name) - ms(10) for message in (BRM, BCP, BCS)}
        if all(found.lasts(message.length) <= room[message.name] for message in (BRM, BCP, BCS)):
            break
        longest = longest * 3 // 4
    _draw_optional(rng, found, room["BCS"] - found.lasts(BCS.length), cells)
    return found


def _slow(rng: random.Random, found: Transfers, cells: int) -> Transfers:
    """So slow that messages have to wait for each other: legal, as long as each of them comes before its time-out."""
    if found.lasts(BRM.length) < _SLOWEST:
        _draw_optional(rng, found, _SLOWEST, cells)
        return found
    return _slow(rng, _draw_transfers(rng, limit("tp-response").high // 2), cells)


def _draw_optional(rng: random.Random, found: Transfers, left: Span, cells: int) -> None:
    """Optional messages of as many elements as go in the time that is left."""
    for name, (fewest, most, size) in _OPTIONAL.items():
        count = rng.randint(fewest, min(most, cells) if name == "BMV" else most)
        while count >= fewest and found.lasts(count * size) > left:
            count -= 1
        if count >= fewest and rng.random() < 0.4:
            found.optional[name] = count


def _draw_transfers(rng: random.Random, longest: Span) -> Transfers:
    def span(most: Span) -> Span:
        return rng.choice((0, rng.randint(0, min(most, ms(30))), rng.randint(0, most)))

    gaps = tuple(rng.randint(ms(1), max(min(longest, ms(20)), ms(2))) for _ in range(rng.randint(1, 8)))
    wide = rng.random() < 0.5
    sender = TpTiming(
        packet_gap=rng.choice((min(longest, ms(10)), gaps[0])),
        packet_gaps={message.pgn: gaps for message in (BRM, BCP, BCS)} if wide else {},
        first_packet=span(longest),
    )
    holds = rng.choice((0, 0, 0, 0, 1, 2))
    receiver = TpTiming(th=rng.randint(ms(20), ms(490)))
    answers = TpBehaviour(answer_after=span(longest), packets_per_cts=rng.choice((0, 0, 0, 1, 2, 3)), holds=holds)
    allows = TpBehaviour(most_per_cts=rng.choice((0xFF, 0xFF, 0xFF, 1, 2, 7)))
    return Transfers(sender, allows, receiver, answers, {})
