"""Seeded faults: pure edits of the reference charger's data, each naming what must catch it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules

from hil.dut.gbt27930 import faults as gbt27930_faults
from hil.dut.gbt27930.spec import ChargerSpec
from hil.errors import CatalogueError, UsageError

Edit = Callable[[ChargerSpec], ChargerSpec]


@dataclass(frozen=True)
class SeededFault:
    """One defect that the reference charger can be given."""

    name: str
    breaks: tuple[str, ...]
    """Ids of the requirements whose cases must each catch it."""
    summary: str
    edit: Edit
    readings: tuple[tuple[str, str], ...] = ()
    """Readings under which it is a fault, where that depends on one."""


_FAULTS: dict[str, SeededFault] = {}


def seeded_fault(
    *, breaks: str | tuple[str, ...], summary: str, readings: Mapping[str, str] | None = None
) -> Callable[[Edit], Edit]:
    """Declare a fault; its name is the function's, with dashes. Two of one name contradict each other."""

    def declare(edit: Edit) -> Edit:
        name = edit.__name__.strip("_").replace("_", "-")
        if name in _FAULTS:
            raise CatalogueError(f"two seeded faults are called {name!r}")
        names = (breaks,) if isinstance(breaks, str) else breaks
        _FAULTS[name] = SeededFault(name, names, summary, edit, tuple(sorted((readings or {}).items())))
        return edit

    return declare


def all_faults() -> dict[str, SeededFault]:
    """Every seeded fault by name, in order of declaration."""
    for module in iter_modules(gbt27930_faults.__path__, f"{gbt27930_faults.__name__}."):
        import_module(module.name)
    return dict(_FAULTS)


def apply_faults(spec: ChargerSpec, names: Iterable[str]) -> ChargerSpec:
    """The spec with the named faults; an unknown name raises :class:`UsageError` with near matches."""
    faults = all_faults()
    for name in names:
        if name not in faults:
            near = get_close_matches(name, faults, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else "; `hil faults` lists them"
            raise UsageError(f"no seeded fault {name!r}{hint}")
        spec = faults[name].edit(spec)
    return spec
