"""Names that were misspelt."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

from hil.errors import UsageError

_FEW = 12


def near_matches(name: str, known: Iterable[str]) -> list[str]:
    """Up to three names that may have been meant, likeliest first: swapped letters before changed ones."""
    near = get_close_matches(name, known, n=20, cutoff=0.5)
    ratios = {each: SequenceMatcher(None, name, each).ratio() for each in near}
    return sorted(near, key=lambda each: (sorted(each) != sorted(name), -ratios[each], each))[:3]


def known_name(what: str, name: str, known: Iterable[str]) -> str:
    """A name that is known; any other raises :class:`UsageError` with those that may have been meant."""
    known = list(known)
    if name in known:
        return name
    near = near_matches(name, known)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    shown = "hil faults" if what == "seeded fault" else "hil run --list"
    there = f"there are {', '.join(known)}" if len(known) <= _FEW else f"`{shown}` shows them all"
    raise UsageError(f"no {what} {name!r}: {hint}{there}")
