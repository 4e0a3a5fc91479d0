"""Commands to a world and stimulus plans: plain, serialisable values.

What must happen at an instant on the wire is declared beforehand, as rules, and carried out inside
the world; the test plans, waits and judges. The same values cross a pipe to another process.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hil.bus.bytefaults import LineFault
from hil.bus.faults import LinkFault
from hil.units import Instant, Span
from hil.world.observation import Observation


class OnMessage(msgspec.Struct, frozen=True, tag="on_message"):
    """The ``count``-th message of that name on the wire whose fields have these values.

    A message of the transport protocol counts at its EndOfMsgACK. ``sender`` is ``charger`` or
    ``bms``; an empty one means whichever of the two sends that message. A frame from another address
    is none.
    """

    message: str
    fields: dict[str, Any] = {}
    count: int = 1
    sender: str = ""


class OnSignal(msgspec.Struct, frozen=True, tag="on_signal"):
    """A sample of the signal lies within ``low`` .. ``high`` (the first one that does)."""

    name: str
    low: float
    high: float


class OnNote(msgspec.Struct, frozen=True, tag="on_note"):
    """A note of that kind and text, such as the vehicle's arrival in a phase."""

    kind: str
    what: str


class OnBytes(msgspec.Struct, frozen=True, tag="on_bytes"):
    """The ``count``-th chunk of bytes on a line that begins with ``starts`` (hex); an empty ``sender`` means
    anybody's."""

    line: str
    sender: str = ""
    starts: str = ""
    count: int = 1


class AtInstant(msgspec.Struct, frozen=True, tag="at"):
    """An instant of the world, or at once when it has passed."""

    instant: Instant


Trigger = OnMessage | OnSignal | OnNote | OnBytes | AtInstant


class Tell(msgspec.Struct, frozen=True, tag="tell"):
    """An order to a node: a verb it knows and plain arguments."""

    node: str
    verb: str
    arguments: dict[str, Any] = {}


class Stimulate(msgspec.Struct, frozen=True, tag="stimulate"):
    """A declared stimulus of the plant gets a value. The world notes it as ``stimulus``, or as ``setup``
    where it only brings a session about."""

    name: str
    value: float
    setup: bool = False


class Inject(msgspec.Struct, frozen=True, tag="inject"):
    """A link fault becomes active on a bus, or a line fault on a byte line."""

    fault: LinkFault | LineFault
    bus: str = "can0"


class UndoFault(msgspec.Struct, frozen=True, tag="undo_fault"):
    """A link fault is taken back; an empty name takes all of them back."""

    name: str = ""
    bus: str = "can0"


Action = Tell | Stimulate | Inject | UndoFault


class Rule(msgspec.Struct, frozen=True, tag="rule"):
    """When the trigger comes, wait ``delay``, then carry out the actions, once.

    The world notes ``stimulus`` with the rule's name when it does: the proof of firing.
    """

    name: str
    trigger: Trigger
    actions: tuple[Action, ...]
    delay: Span = 0


class Plan(msgspec.Struct, frozen=True, tag="plan"):
    """Rules to add to those already waiting."""

    rules: tuple[Rule, ...]


class Do(msgspec.Struct, frozen=True, tag="do"):
    """Actions to carry out now."""

    actions: tuple[Action, ...]


class Advance(msgspec.Struct, frozen=True, tag="advance"):
    """Let the world run to an instant, or to the first of the triggers."""

    until: Instant
    stop_on: tuple[Trigger, ...] = ()


class Describe(msgspec.Struct, frozen=True, tag="describe"):
    """Tell what the nodes' tables have been through: one note of kind ``coverage`` for each, for statistics.

    Its details name every row and whether it was taken. A world without tables tells nothing.
    """


class Close(msgspec.Struct, frozen=True, tag="close"):
    """Safe state, then the end of the world."""


Command = Plan | Do | Advance | Describe | Close


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """What every command answers: the instant reached and what was seen since the last reply."""

    now: Instant
    stopped_by: int | None
    """Index into ``stop_on`` of the trigger that ended an advance; None at its end."""
    observations: list[Observation]


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """A command that could not be carried out: our own misuse, in words."""

    kind: str
    text: str
    observations: list[Observation] = []


Answer = Reply | Failure
