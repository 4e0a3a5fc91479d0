"""Runs one soak session and says what is wrong with it; nothing should be."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hil.bench.actions import answer_stop, at_signal, break_line, first, mend_line, restore, short_line
from hil.bench.bench import Bench, Sink, ignore
from hil.bench.judge import Judge
from hil.bench.phases import Phase
from hil.bench.setup import build
from hil.codec.message import Message
from hil.conformance.monitors import MonitorSet
from hil.protocol.gbt27930 import BEM, BRO, BSD, BSM, BST, CCS, CEM, CRM, CSD, CST, edition
from hil.soak.plan import Loss, Plan, Step, Visit
from hil.units import Instant, Span, s, show_instant
from hil.world.observation import BusErrorSeen, FrameSeen

_REACHING = s(120)
"""From the start, or a mended line, to the first CCS."""
_ENDING = s(30)
_OPEN: tuple[tuple[str, float, str], ...] = (
    ("k1k2_closed", 0.5, "K1/K2"),
    ("k3k4_closed", 0.5, "K3/K4"),
    ("k5k6_closed", 0.5, "K5/K6"),
    ("lock_engaged", 0.5, "the plug's lock"),
    ("output_voltage", 60.0, "the output"),
    ("output_current", 0.5, "the current"),
)
"""Signals of a charger at rest, and what they are below (sheet 4.7, 4.8)."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of one session."""

    seed: int
    problems: tuple[str, ...]
    """Findings of the monitors, and expectations that were not met; empty for a session as it should be."""
    frames: int
    simulated: Span
    features: tuple[str, ...]


def run_session(plan: Plan, sink: Sink = ignore) -> Outcome:
    """Run a plan on a virtual bench; ``sink`` is shown every observation."""
    world = build(plan.setup, lambda _: plan.charger, lambda _: plan.vehicle)
    messages, readings = edition(plan.setup.edition), plan.setup.readings
    bench = Bench(world, messages, Judge(), readings, sink, MonitorSet(plan.setup.edition, readings))
    bench.do(answer_stop(csd=plan.csd))
    problems: list[str] = []
    for number, visit in enumerate(plan.visits, start=1):
        found = [f"charge {number}: {problem}" for problem in _Charge(bench, visit).problems()]
        problems += found
        if found:
            break
    bench.close()
    findings = [
        f"{show_instant(each.at)} {each.requirement} ({each.side}): expected {each.expected}, seen {each.seen}"
        for each in bench.findings()
    ]
    frames = sum(type(observation) is FrameSeen for observation in bench.record.observations)
    return Outcome(plan.seed, (*findings, *problems), frames, bench.now, plan.features)


class _Charge:
    """One visit of a plan."""

    def __init__(self, bench: Bench, visit: Visit) -> None:
        self._bench = bench
        self._visit = visit
        self._begin: Instant = bench.now
        self._seen = len(bench.record.observations)
        self._reconnects = 0

    def problems(self) -> Iterator[str]:
        """Run it; what is not as it should be."""
        bench, visit = self._bench, self._visit
        if visit.replug:
            bench.unplug()
            bench.let(s(1))
            bench.plug_in()
        bench.let(visit.rest)
        self._begin = bench.now
        bench.start()
        if visit.length == 0:
            bench.wait(first(BRO, ready=0x00), _REACHING)
        elif not self._charging():
            yield "charging was not reached"
            return
        else:
            yield from self._happen()
        if not self._came(CST):
            bench.do(*visit.stop.actions)
        if not self._came(CSD) and not bench.wait(first(CSD), _ENDING + visit.stop.within):
            yield "no CSD"
            return
        if bench.record.value("lock_engaged"):
            bench.wait(at_signal("lock_engaged", 0, 0), _ENDING)
        bench.let(s(1))
        yield from self._judge()
        bench.do(restore(BSM), *visit.stop.undo)

    def _charging(self) -> bool:
        return self._bench.wait(Phase.CHARGING.trigger, _REACHING)

    def _recharging(self) -> bool:
        """Beyond a new CRO(AA): CCS that were queued while the line was open come first."""
        return self._bench.wait(Phase.READY.trigger, _REACHING) and self._charging()

    def _happen(self) -> Iterator[str]:
        bench, visit = self._bench, self._visit
        start = bench.now
        happenings: list[Step | Loss] = sorted([*visit.steps, *visit.losses], key=lambda each: each.at)
        for each in happenings:
            bench.until(start + each.at)
            if self._came(CST):
                return
            if isinstance(each, Step):
                bench.do(*each.actions)
                continue
            bench.do(short_line() if each.shorted else break_line())
            bench.let(each.lasts)
            bench.do(mend_line(shorted=each.shorted))
            self._reconnects += each.reconnects
            if each.reconnects and not self._recharging():
                how = "shorted" if each.shorted else "open"
                yield f"no charging after the line was {how} for {each.lasts / 1e9:.3f} s"
                return
        bench.until(start + visit.length)

    def _came(self, message: type[Message]) -> bool:
        """Whether it was seen in this charge."""
        last = self._bench.record.last(message.name)
        return last is not None and last.t > self._begin

    def _judge(self) -> Iterator[str]:
        yield from self._messages()
        for name, limit, what in _OPEN:
            value = self._bench.record.value(name)
            if value is None or value > limit:
                yield f"at the end {what} shows {value}"
        if not self._visit.losses:
            yield from self._bus_errors()

    def _messages(self) -> Iterator[str]:
        bench, visit = self._bench, self._visit
        for message in (CCS, CST, BST, BSD, CSD) if visit.length else (CST, BST, BSD, CSD):
            if not bench.record.all(message.name, self._begin):
                yield f"no {message.name}"
        reconnects = self._reconnects
        if bench.record.all(BEM.name, self._begin):
            yield "BEM"
        if bool(bench.record.all(CEM.name, self._begin)) != bool(reconnects):
            yield f"{'no ' if reconnects else ''}CEM"
        crm, csd = bench.record.last(CRM.name), bench.record.last(CSD.name)
        if crm is not None and csd is not None and crm.charger_number != csd.charger_number:
            yield f"CSD of charger {csd.charger_number}, CRM of {crm.charger_number}"

    def _bus_errors(self) -> Iterator[str]:
        for seen in self._bench.record.observations[self._seen :]:
            if isinstance(seen, BusErrorSeen):
                yield f"{show_instant(seen.t)} bus error {seen.kind} of {seen.node} ({seen.tec}, {seen.rec})"
                return
