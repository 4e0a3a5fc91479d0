"""The command tree: short and long forms, optional nodes, the path that a line carries on (sheet serial 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hil.errors import UsageError
from hil.protocol.scpi.message import Unit

T = TypeVar("T")


@dataclass
class _Node(Generic[T]):
    children: dict[str, _Node[T]] = field(default_factory=dict)
    """By short and by long form, both in upper case."""
    command: T | None = None


class Tree(Generic[T]):
    """Patterns such as ``[SOURce:]VOLTage[:LEVel]`` and what stands behind each."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, pattern: str, command: T) -> None:
        """Two commands of one header raise :class:`UsageError`."""
        for nodes in _variants(pattern):
            at = self._root
            for node in nodes:
                at = _child(at, node)
            if at.command is not None and at.command is not command:
                raise UsageError(f"{pattern}: {':'.join(nodes)} has a command already")
            at.command = command

    def find(self, unit: Unit, path: tuple[str, ...]) -> tuple[T | None, tuple[str, ...]]:
        """The command of a unit behind a path, and the path that it leaves for the next unit."""
        nodes = unit.nodes if unit.rooted else (*path, *unit.nodes)
        at = self._root
        for node in nodes:
            found = at.children.get(node)
            if found is None:
                return None, path
            at = found
        return at.command, nodes[:-1]


def _child(at: _Node[T], node: str) -> _Node[T]:
    short = "".join(character for character in node if not character.islower())
    forms = {short.upper(), node.upper()}
    found = next((at.children[form] for form in forms if form in at.children), None)
    child: _Node[T] = found if found is not None else _Node()
    for form in forms:
        at.children.setdefault(form, child)
    return child


def _variants(pattern: str) -> Iterator[list[str]]:
    """Every header that a pattern allows, as nodes."""
    open_at = pattern.find("[")
    if open_at < 0:
        yield [node for node in pattern.split(":") if node]
        return
    close_at = pattern.index("]", open_at)
    head, inside, tail = pattern[:open_at], pattern[open_at + 1 : close_at], pattern[close_at + 1 :]
    yield from _variants(head + tail)
    yield from _variants(head + inside + tail)
