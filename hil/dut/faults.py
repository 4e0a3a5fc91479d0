"""Seeded faults: pure edits of a reference device's data, each naming what must catch it.

Each kind of device has its own subclass of :class:`SeededFault`, typed by what the edit takes, and its own
package ``hil.dut.<kind>.faults``, whose modules hold the rows as ``FAULTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

from hil.errors import CatalogueError, UsageError

Spec = TypeVar("Spec")
Edit = Callable[[Any], Any]
"""Takes the data of one kind of device, and gives it changed."""

KINDS = ("timing", "sequence", "content", "transport", "electrical", "recovery", "robustness")
"""What may be wrong with a device: its :attr:`SeededFault.kind`."""


@dataclass(frozen=True)
class SeededFault(Generic[Spec]):
    """One defect that a reference device can be given."""

    dut: ClassVar[str]
    """The kind of device, by its package in ``hil.dut``."""
    name: str
    breaks: tuple[str, ...]
    """Ids of the requirements whose cases must each catch it."""
    summary: str
    """What is wrong with this device, as its tester would say it."""
    kind: str
    """One of :data:`KINDS`."""
    edit: Callable[[Spec], Spec]

    def __post_init__(self) -> None:
        """Raises :class:`CatalogueError` for a kind that does not exist or a fault that breaks nothing."""
        if self.kind not in KINDS:
            raise CatalogueError(f"seeded fault {self.name}: kind {self.kind!r}; there are {', '.join(KINDS)}")
        if not self.breaks:
            raise CatalogueError(f"seeded fault {self.name} names no requirement")


AnyFault = SeededFault[Any]
"""A fault of a device of any kind."""


@cache
def all_faults() -> Mapping[str, AnyFault]:
    """Every seeded fault of every device by name; two of one name raise :class:`CatalogueError`."""
    found: dict[str, AnyFault] = {}
    for package in _packages():
        for module in iter_modules(import_module(package).__path__, f"{package}."):
            for fault in getattr(import_module(module.name), "FAULTS", ()):
                if fault.name in found:
                    raise CatalogueError(f"two seeded faults are called {fault.name!r}")
                found[fault.name] = fault
    return MappingProxyType(found)


def _packages() -> list[str]:
    """Packages of faults, that of the DC charger first; devices without faults are not imported."""
    duts = files("hil.dut")
    names = sorted(each.name for each in duts.iterdir() if each.joinpath("faults", "__init__.py").is_file())
    return [f"hil.dut.{name}.faults" for name in sorted(names, key=lambda name: name != "gbt27930")]


def apply_faults(dut: str, spec: Spec, names: Iterable[str]) -> Spec:
    """The data of a device with the named faults of its kind; those of other kinds change nothing.

    An unknown name raises :class:`UsageError` with near matches.
    """
    faults = all_faults()
    for name in names:
        if name not in faults:
            near = get_close_matches(name, faults, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else "; `hil faults` lists them"
            raise UsageError(f"no seeded fault {name!r}{hint}")
        if faults[name].dut == dut:
            spec = faults[name].edit(spec)
    return spec
