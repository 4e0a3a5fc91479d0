"""The cases of the shipped suites, found without pytest: the same functions that ``hil run`` collects."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from hil.bench.core import Core
from hil.conformance.catalogue import requirements
from hil.errors import CatalogueError
from hil.marks import requirement_of
from hil.resources import resource, suite_names

_FIXTURES = {"bench", "variant"}


class SuiteCase:
    """The function that judges one requirement."""

    def __init__(self, requirement: str, function: Callable[..., None], path: Path) -> None:
        """Raises :class:`CatalogueError` for a function that asks for more than the bench and its variant."""
        self.requirement = requirement
        self.path = path
        self._function = function
        wanted = set(inspect.signature(function).parameters)
        if not wanted <= _FIXTURES:
            unknown = ", ".join(sorted(wanted - _FIXTURES))
            raise CatalogueError(f"{path}: the case of {requirement} asks for {unknown}; allowed are bench and variant")
        self._takes_variant = "variant" in wanted

    @property
    def name(self) -> str:
        """The name of the function."""
        return self._function.__name__

    def __call__(self, bench: Core[Any], variant: str | None) -> None:
        """Run the case on a bench; raises what the case raises."""
        if self._takes_variant:
            self._function(bench, variant=variant)
        else:
            self._function(bench)


@cache
def suite_cases() -> Mapping[str, SuiteCase]:
    """Every case of the shipped suites by requirement, in catalogue order.

    Raises :class:`CatalogueError` for a requirement that has two cases, or that the catalogue does not know.
    """
    found: dict[str, SuiteCase] = {}
    for suite in suite_names():
        for path in sorted(resource(f"test_suites/{suite}").rglob("test_*.py")):
            for function in vars(_module(path)).values():
                requirement = requirement_of(function)
                if requirement is None:
                    continue
                if requirement in found:
                    raise CatalogueError(f"{requirement} has two cases: in {found[requirement].path} and {path}")
                found[requirement] = SuiteCase(requirement, function, path)
    unknown = found.keys() - requirements().keys()
    if unknown:
        raise CatalogueError(f"the catalogue has no requirement {', '.join(sorted(unknown))}")
    return MappingProxyType({name: found[name] for name in requirements() if name in found})


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"hil_suite_{path.parent.name}_{path.stem}", path)
    assert spec is not None, "a Python file"
    assert spec.loader is not None, "a file has a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
