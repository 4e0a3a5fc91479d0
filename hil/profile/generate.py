"""Examples of a strategy as a list: the same for the same seed, without an example database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

_T = TypeVar("_T")


@contextmanager
def _no_numbers_of_the_source() -> Iterator[None]:
    """Hypothesis also draws numbers that it finds in the source of modules outside of site-packages, and keeps
    them in the folder one stands in: without them equal seeds give equal profiles wherever hil is installed. What it
    has found is also kept from one use to the next, so that a property tested before would count."""
    known = getattr(providers, "_get_local_constants", None)
    if known is None:
        yield
        return
    nothing, kept = Constants(), getattr(providers, "CONSTANTS_CACHE", None)
    setattr(providers, known.__name__, lambda: nothing)
    try:
        if kept is not None:
            kept.cache.clear()
        yield
    finally:
        setattr(providers, known.__name__, known)
        if kept is not None:
            kept.cache.clear()


def examples(strategy: st.SearchStrategy[_T], count: int, seed: int) -> list[_T]:
    """``count`` examples, or fewer where the strategy has not that many."""
    found: list[_T] = []
    each(strategy, count, seed, found.append)
    return found


def each(strategy: st.SearchStrategy[_T], count: int, seed: int, see: Callable[[_T], object]) -> None:
    """Show examples one after the other; what ``see`` raises ends it.

    ``see`` may call :func:`hypothesis.target`.
    """

    with _no_numbers_of_the_source():
        _show_each(strategy, count, seed, see)


def _show_each(strategy: st.SearchStrategy[_T], count: int, seed: int, see: Callable[[_T], object]) -> None:
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
