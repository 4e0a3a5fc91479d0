"""What cases for an AC charger's registers talk to: an energy management on Modbus, beside the charging point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hil.bench.ac import SUPPLY, AcBench
from hil.bench.core import Moment, Sink, ignore
from hil.bench.judge import Inconclusive, Judge
from hil.codec.register import Register
from hil.codec.registers import RegisterMap
from hil.conformance.catalogue import quantity
from hil.units import Instant, Span, s, show_instant
from hil.world.observation import Note, Scalar
from hil.world.pipe import World
from hil.world.plan import OnNote, Tell

CLIENT, LINE = "manager", "tcp0"
"""The bench's energy management, and its line."""
KIND = "registers"
"""Of the client's notes."""
_PATIENCE: Span = s(8)
_SETTLE: Span = s(3)
_MOST_REPEAT: Span = s(20)
_WATT_HOURS = 1000.0
_CABLE = 32.0
"""A of the cable at a socket, where a case prepares no other (220 ohm, sheet pilot, 4)."""
_SIGNALS = {"voltage": SUPPLY, "current": "line_current", "power": "meter_power", "energy": "meter_energy"}
_LEVELS = ((10.5, "A"), (7.5, "B"), (4.5, "C"), (1.5, "D"), (-1.5, "E"))
"""V from which a level shows a state: the middle of the gaps between the nominal levels (sheet pilot, 1)."""


@dataclass(frozen=True)
class Answer:
    """What became of a read or a write."""

    kind: str
    """``done``, ``refused`` or ``failed``."""
    values: Mapping[str, Scalar]
    sent: Instant
    at: Instant
    text: str = ""

    @property
    def done(self) -> bool:
        """Whether it was carried out."""
        return self.kind == "done"


class AcModbusBench(AcBench):
    """Everything a case for the registers of an AC charger may do; limits are asked for over Modbus."""

    def __init__(
        self,
        world: World,
        judge: Judge,
        readings: Mapping[str, str],
        sink: Sink = ignore,
        *,
        registers: RegisterMap,
        **claims: Any,
    ) -> None:
        """``claims`` as :class:`hil.bench.ac.AcBench` takes them; ``registers`` is the map of the charger."""
        super().__init__(world, judge, readings, sink, **claims)
        self.map = registers
        self.roles = registers.roles
        self._tickets = 0
        self._keeping: float | None = None

    # --- asking -----------------------------------------------------------------------------------

    def _order(self, verb: str, **arguments: Any) -> Answer:
        self._tickets += 1
        ticket, asked = self._tickets, self.now
        self.do(Tell(CLIENT, verb, {"ticket": ticket, **arguments}))
        note = self._answer(ticket)
        if note is None:
            ends = (OnNote(KIND, f"{kind} {ticket}") for kind in ("done", "refused", "failed"))
            self._advance(asked + _PATIENCE, *ends)
            note = self._answer(ticket)
        if note is None:
            return Answer("failed", {}, asked, self.now, f"nothing came up to {show_instant(self.now)}")
        details = dict(note.details)
        sent, at = int(details.pop("sent", asked)), int(details.pop("at", note.t))
        return Answer(note.what.partition(" ")[0], details, sent, at, str(details.get("text", "")))

    def _answer(self, ticket: int) -> Note | None:
        for note in reversed(self.record.notes):
            if note.kind == KIND and note.what.endswith(f" {ticket}"):
                return note
        return None

    def read(self, *names: str) -> Answer:
        """Registers by name; inconclusive where the charger does not tell them."""
        answer = self._order("read", names=[*names])
        if not answer.done:
            raise Inconclusive(f"{', '.join(names)} cannot be read: {answer.kind}, {answer.text}")
        return answer

    def write(self, name: str, value: float) -> Answer:
        """Write a value, whether the map allows it or not."""
        register = self.map[name]
        free: Register = replace(register, low=None, high=None, choices={})
        return self._order("write", name=name, words=[*free.encode(value)])

    def told(self, role: str) -> str:
        """The register that has a role; inconclusive where the map names none."""
        name = getattr(self.roles, role)
        if not name:
            raise Inconclusive(f"the map {self.map.name} names no register for {role.replace('_', ' ')}")
        return str(name)

    # --- limits over Modbus -----------------------------------------------------------------------

    @property
    def repeat(self) -> Span:
        """How often a limit is repeated: three times within its validity."""
        return min(self.validity // 3, _MOST_REPEAT)

    def ask_limit(self, current: float | None) -> Instant:
        """Set a limit in A each phase and repeat it, as an energy management does; None goes back to silence."""
        if current is None:
            return self.fall_silent()
        self._keeping = current
        self.do(Tell(CLIENT, "keep", {"name": self.told("set_current"), "value": current, "every": self.repeat}))
        self.wait(OnNote(KIND, "kept 0"), _PATIENCE)
        return self.now

    def fall_silent(self, on: bool = True) -> Instant:
        """Repeat the limit no more, or again."""
        if on:
            self.do(Tell(CLIENT, "release", {"name": self.told("set_current")}))
        elif self._keeping is not None:
            self.permit()
            self.ask_limit(self._keeping)
        return self.now

    @property
    def last_kept(self) -> Instant:
        """When the charger answered the last limit that was repeated."""
        for note in reversed(self.record.notes):
            if note.kind == KIND and note.what == "kept 0":
                return int(note.details["at"])
        raise Inconclusive("no limit was set")

    @property
    def pauses_by_limit(self) -> bool:
        """Whether a limit of 0 A may be written."""
        return self.map[self.told("set_current")].allows(0.0)

    def permit(self) -> None:
        """Permit charging where the map has a register for that."""
        if self.roles.release:
            self.write(self.roles.release, 1)

    def pause(self) -> Instant:
        """Pause the charge over Modbus: by a limit of 0 A, or without release where the map allows no 0 A."""
        if self.pauses_by_limit:
            return self.ask_limit(0.0)
        return self.write(self.told("release"), 0).at

    def resume(self, current: float) -> Instant:
        """End the pause with a limit in A."""
        self.permit()
        return self.ask_limit(current)

    # --- judging ----------------------------------------------------------------------------------

    def expect_meter(self, label: str, *quantities: str) -> None:
        """The registers of these quantities tell what the plant has, within the tolerance and the register's step."""
        for each in quantities:
            names = getattr(self.roles, each)
            for name in (names,) if isinstance(names, str) else names:
                if name:
                    self._expect_measured(f"{label}, {name}", each, name)

    def _expect_measured(self, label: str, measured: str, name: str) -> None:
        answer = self.read(name)
        value, register = answer.values[name], self.map[name]
        if not isinstance(value, int | float):
            self.check(label, str(value), equals="a number", at=answer.at)
            return
        value = value / _WATT_HOURS if measured == "energy" else value
        step = float(register.scale) / (_WATT_HOURS if measured == "energy" else 1.0)
        relative = quantity("register-accuracy").most / 100.0
        tolerance = relative * abs(self._at_most(measured, answer)) + (0.0 if "float" in register.type else step)
        signal = _SIGNALS[measured]
        self.expect_told(label, value, signal, after=answer.sent, until=answer.at, step=tolerance)

    def _at_most(self, measured: str, answer: Answer) -> float:
        return self.signal(_SIGNALS[measured], answer.at)

    def pilot_state(self, at: Moment) -> str:
        """``A``, ``B1`` .. ``D2``, ``E`` or ``F``, as the pilot shows it at a moment (sheet pilot, 1)."""
        level, frequency = self.signal("cp_high", at), self.signal("cp_frequency", at)
        letter = next((letter for least, letter in _LEVELS if level >= least), "F")
        return letter + ("2" if frequency else "1") if letter in "BCD" else letter

    def expect_state(self, label: str, *among: str) -> None:
        """The charger tells the state that its pilot shows; ``among``: what it has to be for the case to say so."""
        self.let(_SETTLE)
        name = self.told("state")
        answer = self.read(name)
        shown = self.pilot_state(answer.at)
        self.assume(not among or shown in among, f"{label}: the pilot shows {shown}, not {' or '.join(among)}")
        told = str(answer.values[name])
        self.check(
            label,
            shown in self.roles.states.get(told, ()),
            equals=True,
            at=answer.at,
            note=f"told {told}, shown {shown}",
        )

    def expect_limit(self, label: str, current: float) -> None:
        """Pilot and register tell a limit in A."""
        self.check_duty(f"{label}, duty cycle", current, at=self.now)
        name = self.roles.applied_current
        if name:
            answer = self.read(name)
            step = float(self.map[name].scale) if "float" not in self.map[name].type else 0.01
            value = answer.values[name]
            self.check(
                f"{label}, {name}",
                value if isinstance(value, int | float) else str(value),
                low=current - step,
                high=current + step,
                unit="A",
                at=answer.at,
            )

    def ask_often(self, until: Instant) -> None:
        """Read the charger's state every few seconds up to an instant: reads that keep no limit alive."""
        while self.now < until:
            self.read(self.told("state"))
            self.let(min(s(4), max(until - self.now, 0)))

    def expect_taken_or_refused(self, label: str, current: float, before: float) -> None:
        """A limit that may be out of range is refused, which changes nothing, or is clamped to what may be offered.

        At a socket that is the cable's ampacity too.
        """
        answer = self.write(self.told("set_current"), current)
        self.let(_SETTLE)
        duty = round(self.signal("cp_duty"), 3)
        self.report(f"{label}, answer", f"{answer.kind} {answer.text}".strip(), at=answer.at)
        clamped = min(current, self.rated_current)
        least, most = (min(clamped, _CABLE), clamped) if answer.done else (before, before)
        self.check_told_duty(f"{label}, duty cycle", duty, least=least, most=most, at=self.now)

    def expect_paused_or_refused(self, label: str, current: float, before: float) -> None:
        """A limit below what may be offered is refused, which changes nothing, or pauses, or is raised to the least."""
        since = self.now
        answer = self.write(self.told("set_current"), current)
        self.let(2 * _SETTLE)
        self.report(f"{label}, answer", f"{answer.kind} {answer.text}".strip(), at=answer.at)
        if answer.done:
            told = [value for value in self.duties(since, self.now) if value > 0.0]
            lowest, least = round(min(told, default=100.0), 3), quantity("least-offer").low
            self.check_told_duty(f"{label}, lowest duty cycle", lowest, least=least, at=self.now)
        else:
            self.check_duty(f"{label}, duty cycle", before, at=self.now)

    def expect_alarm(self, label: str, cause: str) -> None:
        """The register of alarms tells something, and the bit of the cause where the map has one."""
        if not self.roles.alarms:
            return
        answer = self.read(self.roles.alarms)
        value = answer.values[self.roles.alarms]
        told = int(value) if isinstance(value, int | float) else 0
        bit = self.roles.alarm_bits.get(cause)
        holds = told >> bit & 1 == 1 if bit is not None else told != 0
        self.check(label, holds, equals=True, at=answer.at, note=f"{self.roles.alarms} is {told:#x}")

    def expect_no_alarm(self, label: str) -> None:
        """The register of alarms tells nothing."""
        if self.roles.alarms:
            answer = self.read(self.roles.alarms)
            self.check(label, answer.values[self.roles.alarms], equals=0, at=answer.at)
