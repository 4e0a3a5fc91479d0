"""Many soak sessions, in this process or in several; the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from multiprocessing import get_context

from hil.errors import UsageError
from hil.soak.draw import draw
from hil.soak.drive import Outcome, run_session

_BITS = 40


def session_seeds(seed: int, count: int) -> list[int]:
    """The seeds of the first ``count`` sessions of a soak run; a longer run begins with the same ones."""
    if count < 1 or seed < 0:
        raise UsageError(f"{count} sessions of seed {seed}: allowed is 1 and more, of 0 and more")
    rng = random.Random(f"soak run:{seed}")  # noqa: S311 - repeatable on purpose
    return [rng.getrandbits(_BITS) for _ in range(count)]


def soak(seeds: Sequence[int], workers: int = 1) -> Iterator[Outcome]:
    """Outcomes in the order of the seeds, as they come; ``workers`` processes share the work."""
    if workers < 1:
        raise UsageError(f"{workers} workers: allowed is 1 and more")
    if workers == 1:
        yield from map(_run, seeds)
        return
    with get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_run, seeds)


def _run(seed: int) -> Outcome:
    return run_session(draw(seed))
