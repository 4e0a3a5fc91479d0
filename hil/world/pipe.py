"""A world behind a pipe: the same commands and replies, as bytes, to and from another process.

The serving end runs a world until it is told to close or the pipe ends; the near end looks like a
world. Only plain values cross: nothing that arrives is ever executed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import msgspec

from hil.errors import CatalogueError, CodecError, HilError, RigError, UsageError, WorldError
from hil.world.observation import Observation
from hil.world.plan import Answer, Close, Command, Failure, Reply


class World(Protocol):
    """What the bench talks to, near or far."""

    def execute(self, command: Command) -> Reply:
        """Carry out one command; raises what the command's misuse raises."""


class Pipe(Protocol):
    """The part of ``multiprocessing``'s connections that is needed."""

    def send_bytes(self, data: bytes, /) -> None: ...

    def recv_bytes(self) -> bytes: ...

    def close(self) -> None: ...


_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_KINDS: dict[str, type[HilError]] = {
    each.__name__: each for each in (UsageError, RigError, CodecError, CatalogueError, WorldError)
}
_GONE = (EOFError, OSError)


def serve(pipe: Pipe, build: Callable[[], World]) -> None:
    """Run a world for the other end of ``pipe`` until that closes it.

    However this ends (the pipe does, or the world breaks), the world has been closed, which is its safe
    state, and so has the pipe. What is no command is answered as such and changes nothing.
    """
    world = build()
    closed = False
    try:
        while not closed:
            answer, closed = answer_to(world, pipe.recv_bytes())
            pipe.send_bytes(encoded(answer))
    except _GONE:
        pass  # nobody is there any more to tell it to
    finally:
        if not closed:
            world.execute(Close())
        pipe.close()


def encoded(answer: Answer) -> bytes:
    """An answer as the bytes that cross."""
    return _encoder.encode(answer)


def failure(error: HilError) -> Failure:
    """An error of ours as the answer that raises it again on the other side."""
    return Failure(type(error).__name__, str(error))


def answer_to(world: World, data: bytes) -> tuple[Answer, bool]:
    """The answer to what was received, and whether that has closed the world."""
    try:
        command = _commands.decode(data)
    except msgspec.DecodeError as error:
        return Failure("WorldError", f"not a command: {error}"), False
    try:
        return world.execute(command), isinstance(command, Close)
    except HilError as error:
        return failure(error), False


class GoneError(WorldError):
    """The pipe has ended: nobody is there any more."""


class RemoteWorld:
    """The near end of :func:`serve`."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._owed = 0
        """Commands whose answer has not come: more than one where a wait was broken off, as by Ctrl-C."""
        self._missed: list[Observation] = []
        """What the answers brought that nobody waited for any more."""

    def execute(self, command: Command) -> Reply:
        """Send the command and wait for its answer; raises :class:`GoneError` when the pipe ends.

        After a wait that was broken off the reply has what that one would have brought, too. A world that was told
        to end by others has left its last words in the pipe: they are the reply.
        """
        with suppress(*_GONE):  # what is still to be read tells more
            self._pipe.send_bytes(_encoder.encode(command))
        self._owed += 1
        while self._owed > 1:
            late = self._next()
            self._missed += late.observations if isinstance(late, Reply) else []
            self._owed -= 1
        answer = self._next()
        self._owed -= 1
        reply = _raised(answer)
        missed, self._missed = self._missed, []
        return Reply(reply.now, reply.stopped_by, missed + reply.observations) if missed else reply

    def next_answer(self) -> Reply:
        """Wait for an answer; raises what the other end failed by, :class:`GoneError` when the pipe ends."""
        return _raised(self._next())

    def _next(self) -> Answer:
        try:
            return _answers.decode(self._pipe.recv_bytes())
        except _GONE as error:
            raise GoneError("the process that runs the world has gone") from error


def _raised(answer: Answer) -> Reply:
    if isinstance(answer, Failure):
        raise _KINDS.get(answer.kind, WorldError)(answer.text)
    return answer
