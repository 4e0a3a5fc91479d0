"""The pytest plugin: cases tied to requirements are judged and reported; any other run is left alone.

Loaded for every pytest run where this package is installed, so nothing heavy is imported before a case
or an option of ours turns up, and nothing is printed or written without one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from hil.errors import UsageError
from hil.marks import requirement_of
from hil.pytest_plugin.controller import NAME, VERDICT, Controller
from hil.pytest_plugin.handle import SESSION, session_of
from hil.pytest_plugin.options import Options, add_options, options_of

# --- options and fixtures -------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark, load the fixtures, and check the options that were given."""
    if config.getoption("--hypothesis-profile", None):
        from hil.profile.settings import register

        register()  # before Hypothesis's own plugin looks for the profile
    config.addinivalue_line("markers", "requirement(id): the case judges a requirement of the catalogue")
    _load_fixtures(config)
    given = options_of(config)
    if any(getattr(given, name) != getattr(Options(), name) for name in Options.__dataclass_fields__ if name != "out"):
        rig = session_of(config).plan.rig
        if not rig.virtual and config.getoption("numprocesses", None):
            raise pytest.UsageError(f"rig {rig.name} has its ports once only: run it in one process, without -n")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Controller(config), NAME)


def _load_fixtures(config: pytest.Config) -> None:
    from hil.resources import fixture_modules

    for path in fixture_modules():
        name = f"hil.fixtures.{path.stem}"
        if not config.pluginmanager.has_plugin(name):
            config.pluginmanager.register(_module(name, path), name)


def _module(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "the resolver lists Python files only"
    assert spec.loader is not None, "a file has a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the DUT that the rig has started."""
    session = config.stash.get(SESSION, None)
    if session is not None and session.plan.dut is not None:
        session.plan.dut.close()


# --- collecting -----------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A case runs once for each variant and reading of its requirement."""
    if requirement_of(metafunc.function) is None:
        return
    try:
        runs = session_of(metafunc.config).runs_of(metafunc.definition.nodeid, metafunc.function)
    except UsageError as error:
        raise pytest.Collector.CollectError(str(error)) from error
    if any(run.label for run in runs) and "hil_run" in metafunc.fixturenames:
        metafunc.parametrize("hil_run", runs, indirect=True, ids=[run.label for run in runs])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tie items to their requirements; take out those that were not asked for."""
    if SESSION not in config.stash and not any(requirement_of(getattr(item, "function", None)) for item in items):
        return
    items[:], dropped = session_of(config).collect(items)
    if dropped:
        config.hook.pytest_deselected(items=dropped)


# --- running --------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A case that never ends by itself is ended where a run has a limit."""
    session = pyfuncitem.config.stash.get(SESSION, None)
    if session is None:
        return (yield)
    with session.watching(pyfuncitem):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The verdict takes the place of what pytest would say of a case."""
    report = yield
    session = item.config.stash.get(SESSION, None)
    if session is not None:
        from hil.pytest_plugin.judging import judge_report

        judge_report(session, item, call, report)
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str | tuple[str, dict[str, bool]]] | None:
    """Letters and words of verdicts that pytest does not have."""
    return _STATUS.get(getattr(report, VERDICT, ""))


_STATUS = {
    "error": ("error", "E", ("ERROR", {"red": True})),
    "inconclusive": ("failed", "I", ("INCONCLUSIVE", {"red": True})),
    "advisory": ("advisory", "a", ("ADVISORY", {"yellow": True})),
}
