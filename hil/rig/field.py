"""One key of a rig file, and tables whose names are the user's: what the declaration is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "texts": (list,),
    "range": (list,),
    "integer or text": (int, str),
    "map of texts": (dict,),
    "map of values": (dict,),
}
_ARTICLES = {
    "text": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "integer or text": "an integer or a text",
    "map of texts": 'a table of texts, as { KEY = "value" }',
    "map of values": "a table of texts, numbers, true and false, as { key = true }",
}


@dataclass(frozen=True)
class Field:
    """One key of a table. ``allowed`` lists the values there are, where they are not free."""

    type: str
    text: str
    required: bool = False
    default: Any = None
    allowed: Callable[[], Sequence[Any]] | None = None
    low: float | None = None
    high: float | None = None
    form: str = ""
    """Regular expression that a text as a whole has to match."""
    example: str = ""
    """What such a text looks like."""

    def wrong(self, value: Any) -> str | None:
        """What is wrong with a value, as "allowed is ..."; None when it is right."""
        if self.type == "texts":
            return self._wrong_texts(value)
        if self.type == "range":
            return (
                None if _is_range(value) else "allowed is [LOW, HIGH], two numbers of 0 and more, the lower one first"
            )
        if self.type.startswith("map"):
            return None if self._is_map(value) else f"allowed is {_ARTICLES[self.type]}"
        fits = isinstance(value, _TYPES[self.type]) and (self.type == "boolean") == isinstance(value, bool)
        if self.allowed is not None and not (fits and value in self.allowed()):
            return f"allowed is {listed(self.allowed())}"
        if not fits:
            return f"allowed is {_ARTICLES[self.type]}{self._range()}"
        if self.type in ("integer", "number") and not self._inside(value):
            return f"allowed is {_ARTICLES[self.type]}{self._range()}"
        if self.form and not re.fullmatch(self.form, value):
            return f"allowed is {self.example}"
        return None

    def _is_map(self, value: Any) -> bool:
        kinds = (str,) if self.type == "map of texts" else (str, int, float, bool)
        return isinstance(value, dict) and all(isinstance(each, kinds) for each in value.values())

    def _wrong_texts(self, value: Any) -> str | None:
        allowed = self.allowed() if self.allowed is not None else None
        texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
        if texts and self.low is not None and len(value) < self.low:
            return f"allowed is a list of at least {self.low:g} text"
        if texts and (allowed is None or all(each in allowed for each in value)):
            return None
        return "allowed is a list of " + (listed(allowed) if allowed is not None else "texts")

    def _inside(self, value: float) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _range(self) -> str:
        if self.example and self.form:
            return f", as {self.example}"
        if self.low is None:
            return ""
        if self.high is None:
            return f" of at least {_number(self.low)}"
        return f" from {_number(self.low)} to {_number(self.high)}"


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:g}"


def _is_range(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
    return numbers and 0 <= value[0] < value[1] < float("inf")


def listed(values: Sequence[Any]) -> str:
    return " or ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in values)


Table = Mapping[str, Field]


@dataclass(frozen=True)
class Named:
    """Tables below one whose names are the user's, all with the same keys, or with those that one key selects."""

    text: str
    variants: Mapping[str, Table]
    """Value of the key ``by`` to the keys of such a table; a single ``""`` where all have the same."""
    by: str = ""
    names: Callable[[], Sequence[str]] | None = None
    """The names there are, where they are not free."""
    below: Mapping[str, Named] = field(default_factory=dict)
    """Tables with names of their own in each of them."""

    @property
    def chooses(self) -> Field:
        """The key that selects what the others are."""
        return Field(
            "text", "Its kind, which tells what further keys there are.", True, allowed=lambda: [*self.variants]
        )
