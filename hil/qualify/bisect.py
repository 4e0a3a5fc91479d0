"""The smallest deviation that is caught."""

from __future__ import annotations

from collections.abc import Callable


def smallest_caught(caught: Callable[[int], bool], *, least: int, most: int, guess: int) -> int | None:
    """The smallest whole number of ``least .. most`` for which ``caught`` holds; None where it does not for ``most``.

    ``caught`` must hold for every number above one for which it holds. The search begins at ``guess``
    and doubles its steps away from it, so that a good guess costs few calls, and a bad one no wrong result.
    """
    if not caught(most):
        return None
    if caught(least):
        return least
    low, high = least, most
    at, step = min(max(guess, low + 1), high - 1), 1
    while low < at < high:
        if caught(at):
            high, at = at, at - step
            falling = True
        else:
            low, at = at, at + step
            falling = False
        step *= 2
        if (falling and low != least) or (not falling and high != most):
            break
    while high - low > 1:
        middle = (low + high) // 2
        if caught(middle):
            high = middle
        else:
            low = middle
    return high
