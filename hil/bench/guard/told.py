"""What the notes of a guard say, for verdicts."""

from __future__ import annotations

from collections.abc import Iterable

from hil.bench.guard.guard import KIND, UNKNOWN
from hil.bench.guard.readers import DEMAND
from hil.world.base import ENDED
from hil.world.observation import Note


def held_back(notes: Iterable[Note]) -> str:
    """The first set-point that was not sent, with the reason; empty when all were."""
    return next((_held_back(note) for note in notes if note.kind == KIND), "")


def _held_back(note: Note) -> str:
    told = note.details
    what = "a demand" if note.what == DEMAND else note.what
    much = "an unknown value" if told["demand"] == UNKNOWN else f"{told['demand']} {told['unit']}".rstrip()
    text = f"{what} of {much} was not sent"
    return (
        f"{text}: {told['why']}"
        if "why" in told
        else f"{text}: the rig's envelope allows {told['most']} {told['unit']}"
    )


def spoilt_by(notes: Iterable[Note]) -> str:
    """Why a session was none of what it was meant to be: it was ended, or something was held back; empty if neither."""
    told = list(notes)
    return ended_by(told) or held_back(told)


def ended_by(notes: Iterable[Note]) -> str:
    """Why the world went to its safe state by itself; empty when it did not."""
    return next((note.what for note in notes if note.kind == ENDED), "")
