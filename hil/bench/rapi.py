"""What cases for a charger's console talk to: a client on the console's line, beside the charging point.

Debug text, notifications between a command and its reply, and late replies are what a console may do: nothing
here takes them for an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hil.bench.ac import AcBench
from hil.bench.judge import Inconclusive
from hil.protocol.rapi import COMMANDS, Check, Frame, Framer, decode_fields, encode, parse
from hil.units import SECOND, Instant, Span, ms, s
from hil.world.observation import Note, Scalar
from hil.world.plan import OnNote, Tell

CLIENT, LINE = "client", "console"
"""The bench's node and its line."""
KIND = "rapi"
"""Of the client's notes."""
_BOOT: Span = SECOND
_PATIENCE: Span = s(12)
"""A little more than the client's own."""
_SLICE: Span = ms(50)
_SILENCE: Span = s(2)
_BOOTED: Span = s(30)
_SETTLED: Span = s(5)
"""A state is told by then."""
_NONE = "no reply"
_ENDED = re.compile(rb"\$(?:OK|NK)[^$\r]*\r(?P<lf>\n?)(?P<text>[^$]*)")


@dataclass(frozen=True)
class Answered:
    """What a command came to; without a reply ``text`` says so."""

    text: str
    ok: bool
    values: dict[str, Scalar]
    wrong: tuple[str, ...]
    """What does not fit the sheet's fields, in words."""
    asked: Instant
    at: Instant

    @property
    def bare(self) -> str:
        """``OK`` or ``NK`` with its fields, without sequence id and checksum."""
        return (
            self.text
            if self.text == _NONE
            else " ".join(each for each in parse(self.text.encode("latin-1")).tokens if each)
        )

    def number(self, name: str) -> int:
        """A field's value; -1 where the reply has none."""
        value = self.values.get(name)
        return value if isinstance(value, int) else -1


class RapiBench(AcBench):
    """Everything a case for the console of an AC charger may do."""

    _tickets = 0

    # --- asking -----------------------------------------------------------------------------------

    def _tell(self, verb: str, **arguments: object) -> Instant:
        if self.now < _BOOT:
            self.until(_BOOT)
        self.do(Tell(CLIENT, verb, arguments))
        return self.now

    def ask(self, name: str, *parameters: str | int) -> Answered:
        """Ask a command as any client does, and wait for its reply.

        A query that is not answered is asked once more: a console may lose one while it switches.
        """
        answer = self._ask(name, *parameters)
        if answer.text == _NONE and not COMMANDS[name].changes:
            answer = self._ask(name, *parameters)
        return answer

    def _ask(self, name: str, *parameters: str | int) -> Answered:
        asked = self._tell("request", name=name, parameters=[str(each) for each in parameters])
        self._tickets += 1
        self.wait(OnNote(KIND, f"reply {name}"), _PATIENCE)
        note = self._reply(self._tickets)
        if note is None:
            return Answered(_NONE, False, {}, (_NONE,), asked, self.now)
        text, ok = str(note.details["text"]), note.details["ok"] is True
        tokens = parse(text.encode("latin-1")).tokens[1:]
        wrong = decode_fields(COMMANDS[name].reply, tokens)[1] if ok or tokens else []
        return Answered(text, ok, dict(note.details), tuple(wrong), asked, note.t)

    def _reply(self, ticket: int) -> Note | None:
        for note in reversed(self.record.notes):
            if note.kind == KIND and note.what.startswith("reply ") and note.details["ticket"] == ticket:
                return note
        return None

    def send(self, data: bytes) -> Instant:
        """Put bytes on the line as they are."""
        return self._tell("send", data=data.hex())

    def say(self, data: bytes) -> Frame | None:
        """Put bytes on the line and wait for the reply to them; None without one."""
        start = self.send(data)
        while not self.replies(start) and self.now < start + _PATIENCE:
            self.let(_SLICE)
        return next(iter(self.replies(start)), None)

    def bytes_said(self, after: Instant = 0) -> bytes:
        """All that the console has sent since an instant."""
        return b"".join(each.data for each in self.record.heard_on(LINE, after, but=(CLIENT,)))

    def said(self, after: Instant) -> list[Frame]:
        """Whole frames of the console since an instant, in order."""
        return [item for item in Framer().feed(self.bytes_said(after)) if isinstance(item, Frame)]

    def replies(self, after: Instant) -> list[Frame]:
        """Those of them that answer something."""
        return [each for each in self.said(after) if each.name in ("OK", "NK")]

    # --- judging frames ---------------------------------------------------------------------------

    def expect_reply(self, label: str, data: bytes, due: str) -> Frame | None:
        """These bytes are answered by exactly that text, checksum included."""
        frame = self.say(data)
        self.check(label, _NONE if frame is None else frame.text, equals=due, at=self.now)
        return frame

    def expect_right(self, label: str, data: bytes, *, ok: bool = True) -> Frame | None:
        """These bytes are answered OK (or NK), with the right checksum in upper case."""
        frame = self.say(data)
        self.check(label, _NONE if frame is None else frame.name, equals="OK" if ok else "NK", at=self.now)
        if frame is not None:
            due = f"{Check.XOR}{frame.due:02X}" if frame.check is Check.XOR else f"{Check.XOR} and two digits"
            self.check(f"{label}, checksum", frame.text[-3:], equals=due, at=self.now, note=frame.text)
        return frame

    def expect_unanswered(self, label: str, data: bytes) -> None:
        """These bytes are not answered, and the next command is."""
        start = self.send(data)
        self.until(start + _SILENCE)
        said = "; ".join(each.text for each in self.replies(start)) or _NONE
        self.check(label, said, equals=_NONE, at=self.now)
        self.expect_right(f"{label}: the next command", encode("GV"))

    def expect_no_lf(self, label: str) -> None:
        """None of the replies so far has an LF behind its CR.

        An LF with text behind may begin a line of debug text: that reply is not judged; where all are so, inconclusive.
        """
        self.let(_SLICE)  # what stands behind the last one
        found = list(_ENDED.finditer(self.bytes_said()))
        judged = [each for each in found if not (each["lf"] and each["text"].strip())]
        self.assume(bool(judged), "an LF behind every reply, and text behind that: the LF may be the text's")
        for number, each in enumerate(judged, 1):
            told = each.group().hex(" ").upper() if each["lf"] else _NONE
            self.check(f"{label}, {number}", told, equals=_NONE, at=self.now)

    def expect_echo(self, label: str, *, on: bool) -> None:
        """A command is repeated before its reply, or is not; the reply is right either way."""
        data = encode("GV")
        start = self.now
        self.expect_right(label, data)
        repeated = data.rstrip(b"\r") in self.bytes_said(start)
        self.check(f"{label}, repeated", repeated, equals=on, at=self.now)

    # --- judging commands -------------------------------------------------------------------------

    def expect(self, label: str, due: str, name: str, *parameters: str | int) -> Answered:
        """A command is answered by ``OK`` or ``NK`` and these fields."""
        answer = self.ask(name, *parameters)
        self.check(label, answer.bare, equals=due, at=answer.at)
        return answer

    def get(self, name: str) -> Answered:
        """Ask a command whose reply has to have the sheet's fields."""
        answer = self.ask(name)
        note = "; ".join(answer.wrong) or answer.text
        self.check(f"fields of {name}", answer.ok and not answer.wrong, equals=True, at=answer.at, note=note)
        return answer

    def restart(self) -> None:
        """Restart the console and wait until it answers again; inconclusive when it does not."""
        self.ask("FR")  # its reply may or may not arrive
        until = self.now + _BOOTED
        while self.ask("GV").text == _NONE:
            if self.now >= until:
                raise Inconclusive("the console does not answer after a restart")

    def expect_state(self, label: str, state: int) -> None:
        """``GS`` comes to tell a state."""
        until = self.now + _SETTLED
        answer = self.ask("GS")
        while answer.number("state") != state and self.now < until:
            self.let(ms(250))
            answer = self.ask("GS")
        self.check(label, f"{answer.number('state'):02x}", equals=f"{state:02x}", at=answer.at, note=answer.text)

    # --- judging notifications --------------------------------------------------------------------

    def notified(self, *names: str, after: Instant = 0, **fields: Scalar) -> Note | None:
        """The first notification of one of these names since an instant that has these values."""
        kinds = {f"notification {name}" for name in names}
        told = [each for each in self.record.notes if each.kind == KIND and each.what in kinds and each.t >= after]
        wanted = fields.items()
        return next((each for each in told if wanted <= each.details.items()), None)

    def notified_flag(self, flag: int, *, after: Instant, within: Span) -> Note | None:
        """The first ``$AT`` since an instant that has a volatile flag; waits a span for it."""
        while True:
            for note in self.record.notes:
                flags = note.details.get("flags", 0)
                told = note.kind == KIND and note.what == "notification AT" and note.t >= after
                if told and isinstance(flags, int) and flags & flag:
                    return note
            if self.now >= after + within:
                return None
            self.let(_SLICE)

    def expect_notified(self, label: str, *names: str, after: Instant, within: Span, **fields: Scalar) -> Note | None:
        """Such a notification comes within a span."""
        note = self.notified(*names, after=after, **fields)
        while note is None and self.now < after + within:
            self.let(_SLICE)
            note = self.notified(*names, after=after, **fields)
        self.check(label, note is not None, equals=True, at=self.now, note="" if note else "no such notification")
        return note
