"""Examples of a strategy as a list: the same for the same seed, without an example database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

_T = TypeVar("_T")


def examples(strategy: st.SearchStrategy[_T], count: int, seed: int) -> list[_T]:
    """``count`` examples, or fewer where the strategy has not that many."""
    found: list[_T] = []
    each(strategy, count, seed, found.append)
    return found


def each(strategy: st.SearchStrategy[_T], count: int, seed: int, see: Callable[[_T], object]) -> None:
    """Show examples one after the other; what ``see`` raises ends it.

    ``see`` may call :func:`hypothesis.target`.
    """

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.target],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def show(example: _T) -> None:
        see(example)

    show()
