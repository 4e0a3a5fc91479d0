"""Jobs in parallel processes: what a job comes to depends on the job alone, never on their number."""

from __future__ import annotations

import multiprocessing
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from typing import Any, Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")
_AHEAD = 4
"""Jobs handed out for each worker: enough to keep all of them busy."""


class WorkerDiedError(Exception):
    """The process that had the job ended before the job did."""


class _Worker(Generic[Job, Result]):
    """What a worker process does with a job; set when the process begins."""

    work: Callable[[Any], Any] | None = None


def _begin(work: Callable[[Any], Any]) -> None:
    _Worker.work = staticmethod(work)


def _do(job: Any) -> Any:
    assert _Worker.work is not None, "the pool begins its workers"
    return _Worker.work(job)


def run_jobs(
    work: Callable[[Job], Result], jobs: Sequence[Job], workers: int
) -> Iterator[tuple[int, Result | WorkerDiedError]]:
    """Each job's index with its result, as they come; with one worker, in this process and in order.

    A worker that dies costs the job it had, and that job only. What ``work`` raises is raised here.
    Where processes cannot be forked, ``work`` must be one that can be pickled.
    """
    if workers <= 1:
        for index, job in enumerate(jobs):
            yield index, work(job)
        return
    left = dict(enumerate(jobs))
    while left:
        suspects: list[int] = []
        for index, result in _run_pool(work, left, min(workers, len(left)), suspects):
            del left[index]
            yield index, result
        for index in suspects:
            # One of these killed its worker: alone in a process, it shows which.
            alone: list[int] = []
            yield from _run_pool(work, {index: left[index]}, 1, alone)
            if alone:
                yield index, WorkerDiedError("the process that ran it ended")
            del left[index]


def _run_pool(
    work: Callable[[Job], Result], jobs: dict[int, Job], workers: int, suspects: list[int]
) -> Iterator[tuple[int, Result]]:
    """Results up to the death of a worker; ``suspects`` are then the jobs that were handed out."""
    waiting = iter(list(jobs.items()))
    running: dict[Future[Any], int] = {}
    pool = ProcessPoolExecutor(workers, mp_context=_context(), initializer=_begin, initargs=(work,))
    try:
        _hand_out(pool, waiting, running, _AHEAD * workers)
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                yield running.pop(future), result
            _hand_out(pool, waiting, running, _AHEAD * workers - len(running))
    except BrokenProcessPool:
        suspects.extend(running.values())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _hand_out(
    pool: ProcessPoolExecutor, waiting: Iterator[tuple[int, Any]], running: dict[Future[Any], int], count: int
) -> None:
    for _ in range(count):
        index, job = next(waiting, (-1, None))
        if index < 0:
            return
        with warnings.catch_warnings():
            # Python 3.12 warns of threads when it forks: ours begin after the workers, and a test runner's are idle.
            warnings.simplefilter("ignore", DeprecationWarning)
            running[pool.submit(_do, job)] = index


def _context() -> BaseContext:
    """Forked workers know what was given to them, whatever it is, and have everything imported."""
    forks = sys.platform.startswith("linux")
    return multiprocessing.get_context("fork" if forks else "spawn")
