"""A world behind a pipe: the same trace as in this process, misuse that crosses, ends that are safe."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import msgspec
import pytest

import hil.pytest_plugin.run
from hil.bench.actions import break_line, first
from hil.bench.opening import Edits, kind_of
from hil.bench.setup import Setup, build
from hil.conformance.catalogue import requirements
from hil.conformance.verdict import CaseResult, Verdict
from hil.errors import CatalogueError, CodecError, HilError, RigError, UsageError, WorldError
from hil.protocol.gbt27930 import CCS
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import make_plan
from hil.pytest_plugin.run import CaseRun
from hil.qualify.suite import suite_cases
from hil.units import s
from hil.world.observation import Note
from hil.world.pipe import GoneError, RemoteWorld, serve
from hil.world.plan import Advance, Close, Command, Do, Plan, Reply, Rule, Stimulate
from hil.world.virtual import VirtualWorld

SPAWN = multiprocessing.get_context("spawn")
LONG = 30
"""Seconds within which a process or a thread has ended, or hangs."""


@contextmanager
def far_world(setup: Setup) -> Iterator[RemoteWorld]:
    """A world in a process of its own, which ends with the pipe."""
    near, far = SPAWN.Pipe()
    process = SPAWN.Process(target=serve, args=(far, partial(build, setup)))
    process.start()
    far.close()
    try:
        yield RemoteWorld(near)
    finally:
        near.close()
        process.join(LONG)
        assert process.exitcode == 0


# --- the same trace ---------------------------------------------------------------------------------


def run_case(case: str, out: Path) -> list[CaseResult]:
    """Every run of a case, with its traces."""
    plan = make_plan(Options(case=(case,), out=str(out)))
    results = []
    for requirement in requirements().values():
        for run in filter(plan.selects, plan.runs(requirement)):
            opened = CaseRun(run, plan)
            suite_cases()[requirement.id](opened.bench, run.variant)
            results.append(opened.conclude(None))
    return results


def traces(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (out / "traces").iterdir()}


@pytest.mark.parametrize(
    ("case", "runs", "shows"),
    [
        pytest.param("LL.13", 1, b'"vehicle","done"', id="nominal"),
        pytest.param("DN.2007", 2, b'"stimulus"', id="planned stimulus"),
        pytest.param("LL.12", 1, b'"fault_fired"', id="link fault"),
    ],
)
def test_a_case_through_a_pipe_leaves_the_same_trace(
    case: str, runs: int, shows: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = run_case(case, tmp_path / "here")
    with ExitStack() as worlds:
        opened: list[RemoteWorld] = []

        def build_far(setup: Setup, edits: Edits) -> RemoteWorld:
            assert not edits
            opened.append(worlds.enter_context(far_world(setup)))
            return opened[-1]

        monkeypatch.setattr(hil.pytest_plugin.run, "kind_of", lambda name: replace(kind_of(name), build=build_far))
        there = run_case(case, tmp_path / "there")
    assert len(here) == len(opened) == runs
    assert {result.verdict for result in here} == {Verdict.PASS}
    assert msgspec.json.encode(there) == msgspec.json.encode(here)
    kept = traces(tmp_path / "here")
    assert shows in b"".join(kept.values())
    assert traces(tmp_path / "there") == kept


# --- misuse crosses, and changes nothing ------------------------------------------------------------


@contextmanager
def served(build_world: Callable[[], VirtualWorld]) -> Iterator[tuple[RemoteWorld, Connection, VirtualWorld]]:
    """A world served by a thread, to look at when the pipe has ended."""
    near, far = multiprocessing.Pipe()
    world = build_world()
    thread = Thread(target=serve, args=(far, lambda: world))
    thread.start()
    try:
        yield RemoteWorld(near), near, world
    finally:
        near.close()
        thread.join(LONG)
        assert not thread.is_alive()


def charging() -> VirtualWorld:
    """A world in which current flows."""
    world = build(Setup())
    world.execute(Do((Stimulate("plugged", 1), Stimulate("start_press", 1))))
    reply = world.execute(Advance(s(60), (first(CCS),)))
    assert reply.stopped_by == 0
    world.execute(Advance(reply.now + s(5)))
    return world


@pytest.mark.parametrize(
    ("command", "told"),
    [
        pytest.param(Do((Stimulate("plugged", 7.0),)), "plugged", id="out of range"),
        pytest.param(Do((Stimulate("plugd", 1),)), "plugged", id="unknown"),
        pytest.param(
            Plan((Rule("x", first(CCS), (msgspec.structs.replace(break_line(), bus="can7"),)),)), "can7", id="bus"
        ),
    ],
)
def test_misuse_raises_here_what_it_raises_there(command: Command, told: str) -> None:
    with pytest.raises(UsageError) as near:
        build(Setup()).execute(command)
    assert told in str(near.value)
    with served(lambda: build(Setup())) as (remote, _, _):
        with pytest.raises(UsageError) as far:
            remote.execute(command)
        assert str(far.value) == str(near.value)
        assert remote.execute(Advance(s(1))).now == s(1)


class Refusing:
    """A world that raises what it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.closed = 0

    def execute(self, command: Command) -> Reply:
        if isinstance(command, Close):
            self.closed += 1
            return Reply(0, None, [])
        raise self.error


def refuse(error: Exception) -> tuple[Refusing, type[BaseException] | None]:
    """What arrives at the near end of a world that raises an error."""
    near, far = multiprocessing.Pipe()
    world = Refusing(error)
    arrived: type[BaseException] | None = None

    def run() -> None:
        with ExitStack() if isinstance(error, HilError) else pytest.raises(type(error)):
            serve(far, lambda: world)

    thread = Thread(target=run)
    thread.start()
    try:
        RemoteWorld(near).execute(Advance(1))
    except HilError as raised:
        arrived = type(raised)
    near.close()
    thread.join(LONG)
    assert not thread.is_alive()
    return world, arrived


@pytest.mark.parametrize("kind", [UsageError, RigError, CodecError, CatalogueError, WorldError])
def test_each_kind_of_error_arrives_as_itself(kind: type[HilError]) -> None:
    world, arrived = refuse(kind("why"))
    assert arrived is kind
    assert world.closed == 1


def test_a_world_that_breaks_is_closed_and_missed() -> None:
    world, arrived = refuse(ZeroDivisionError("a defect of the world"))
    assert arrived is GoneError
    assert world.closed == 1


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xc1\x00", b"no command", msgspec.msgpack.encode({"type": "reboot"})])
def test_bytes_that_are_no_command_are_answered_and_change_nothing(data: bytes) -> None:
    with served(lambda: build(Setup())) as (remote, pipe, _):
        now = remote.execute(Advance(s(1))).now
        pipe.send_bytes(data)
        answer = msgspec.msgpack.decode(pipe.recv_bytes())
        assert (answer["type"], answer["kind"]) == ("failure", "WorldError")
        assert answer["text"].startswith("not a command: ")
        assert remote.execute(Advance(s(2))).now == now + s(1)


# --- ends -------------------------------------------------------------------------------------------


def safe(world: VirtualWorld) -> bool:
    """Closed, and nothing joins the charger to the vehicle any more."""
    with pytest.raises(WorldError, match="closed"):
        world.execute(Advance(s(1000)))
    now = world.queue.now + s(1)
    return not any(world.sense(name, now) for name in ("output_current", "k1k2_closed", "k3k4_closed"))


def test_the_pipe_ends_and_the_world_is_safe() -> None:
    with served(charging) as (_, _, world):
        assert world.sense("output_current", world.queue.now) > 1
        assert world.sense("k1k2_closed", world.queue.now)
    assert safe(world)


def test_the_pipe_ends_before_the_answer_is_taken() -> None:
    with served(charging) as (_, pipe, world):
        pipe.send_bytes(msgspec.msgpack.encode(Advance(world.queue.now + s(600))))
    assert safe(world)


def test_an_orderly_close_ends_it_too() -> None:
    with served(charging) as (remote, _, world):
        told = remote.execute(Close()).observations
        assert [each.what for each in told if isinstance(each, Note)] == ["safe state"]
        assert safe(world)
        with pytest.raises(WorldError, match="gone"):
            remote.execute(Advance(s(1000)))


def test_a_process_that_has_gone_is_told_as_such() -> None:
    near, far = SPAWN.Pipe()
    process = SPAWN.Process(target=serve, args=(far, partial(build, Setup())))
    process.start()
    far.close()
    remote = RemoteWorld(near)
    remote.execute(Advance(s(1)))
    process.kill()
    process.join(LONG)
    with pytest.raises(WorldError, match="the process that runs the world has gone"):
        remote.execute(Advance(s(2)))
    near.close()
