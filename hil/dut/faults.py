"""Seeded faults: pure edits of the reference charger's data, each naming what must catch it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from hil.dut.gbt27930.spec import ChargerSpec
from hil.errors import CatalogueError, UsageError

Edit = Callable[[ChargerSpec], ChargerSpec]

KINDS = ("timing", "sequence", "content", "transport", "electrical", "recovery", "robustness")
_PACKAGE = "hil.dut.gbt27930.faults"


@dataclass(frozen=True)
class SeededFault:
    """One defect that the reference charger can be given."""

    name: str
    breaks: tuple[str, ...]
    """Ids of the requirements whose cases must each catch it."""
    summary: str
    """What is wrong with this charger, as its tester would say it."""
    kind: str
    """One of :data:`KINDS`."""
    edit: Edit

    def __post_init__(self) -> None:
        """Raises :class:`CatalogueError` for a kind that does not exist or a fault that breaks nothing."""
        if self.kind not in KINDS:
            raise CatalogueError(f"seeded fault {self.name}: kind {self.kind!r}; there are {', '.join(KINDS)}")
        if not self.breaks:
            raise CatalogueError(f"seeded fault {self.name} names no requirement")


def gbt34658(*cases: str) -> tuple[str, ...]:
    """Requirement ids of GB/T 34658-2017."""
    return tuple(f"GBT34658-2017/{case}" for case in cases)


def gbt27930(*cases: str) -> tuple[str, ...]:
    """Requirement ids of the link layer and of rules without a case in GB/T 34658."""
    return tuple(f"GBT27930-2015/{case}" for case in cases)


def gbt34657(*cases: str) -> tuple[str, ...]:
    """Requirement ids of GB/T 34657.1-2017."""
    return tuple(f"GBT34657.1-2017/{case}" for case in cases)


@cache
def all_faults() -> Mapping[str, SeededFault]:
    """Every seeded fault by name; two of one name raise :class:`CatalogueError`."""
    found: dict[str, SeededFault] = {}
    package = import_module(_PACKAGE)
    for module in iter_modules(package.__path__, f"{_PACKAGE}."):
        for fault in getattr(import_module(module.name), "FAULTS", ()):
            if fault.name in found:
                raise CatalogueError(f"two seeded faults are called {fault.name!r}")
            found[fault.name] = fault
    return MappingProxyType(found)


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
