"""Opening a bench for a case: which world, which record and which checks belong to a kind.

Kinds are the modules of :mod:`hil.bench.kinds`, by name; only the one that is asked for is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from hil.bench import kinds
from hil.bench.core import Core, Sink
from hil.bench.judge import Judge
from hil.bench.setup import Setup
from hil.conformance.catalogue import Requirement
from hil.dut.faults import Edit
from hil.errors import UsageError
from hil.world.pipe import World

Edits = Mapping[str, Edit]
"""Changes of reference devices beyond their named faults, by the device (``SeededFault.dut``)."""


@dataclass(frozen=True)
class Kind:
    """How benches of one kind are made."""

    duts: tuple[str, ...]
    """The reference devices in its world: seeded faults of these take effect there."""
    build: Callable[[Setup, Edits], World]
    """The virtual world of a setup, with the setup's faults and the edits in the reference devices."""
    bench: Callable[[World, Setup, Judge, Sink], Core[Any]]
    """A bench on a world, judging by the setup's readings."""
    unfit: Callable[[Setup, Requirement, str | None], str | None] | None = None
    """Why a run (a requirement in a variant) is not applicable to the device of a setup; None when it is."""


def kind_names() -> tuple[str, ...]:
    """Every kind there is."""
    return tuple(sorted(module.name for module in iter_modules(kinds.__path__)))


def kind_of(name: str) -> Kind:
    """The kind of that name; :class:`UsageError` with those that there are."""
    if name not in kind_names():
        raise UsageError(f"no kind of bench {name!r}; there are {', '.join(kind_names())}")
    kind = import_module(f"{kinds.__name__}.{name}").KIND
    assert isinstance(kind, Kind), f"{name}: KIND is a Kind"
    return kind
