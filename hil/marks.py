"""How a case is tied to its requirement. Light, because every pytest run with the plugin installed loads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

_Case = TypeVar("_Case", bound=Callable[..., None])
_ATTRIBUTE = "__hil_requirement__"
"""Beside the mark: a mark of that name may be somebody else's, and is left alone."""


def requirement(identifier: str) -> Callable[[_Case], _Case]:
    """Tie a case to a requirement of the catalogue; variants of the requirement become its runs."""

    def mark(case: _Case) -> _Case:
        marked: _Case = pytest.mark.requirement(identifier)(case)
        setattr(marked, _ATTRIBUTE, identifier)
        return marked

    return mark


def requirement_of(function: Any) -> str | None:
    """The identifier that a function is tied to; None for a function that is no case."""
    found = getattr(function, _ATTRIBUTE, None)
    return found if isinstance(found, str) else None
