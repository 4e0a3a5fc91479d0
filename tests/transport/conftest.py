"""A live queue that is closed again, and what a line tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hil.transport.queue import LiveQueue
from hil.units import s
from hil.world.observation import Observation

PATIENCE = s(20)
"""Nothing on this machine takes so long; a wait that comes to it has failed."""


@pytest.fixture
def live() -> Iterator[LiveQueue]:
    """A queue on the real clock."""
    queue = LiveQueue()
    yield queue
    queue.close()


@pytest.fixture
def told() -> list[Observation]:
    """What a line has told."""
    return []


@pytest.fixture
def until(live: LiveQueue) -> Callable[[Callable[[], bool]], None]:
    """Let the queue run until something holds; fails when it never does."""

    def run(holds: Callable[[], bool]) -> None:
        live.interrupted = holds
        if not holds():
            live.run(live.real() + PATIENCE)
        assert holds(), "it never came"

    return run
