"""The options of a run, as pytest and the command line give them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

DEFAULT_RIG = "virtual"
DEFAULT_OUT = "report"
EMPTY_OUT = "--out '': it names no place; allowed is a path, and . is the folder that you stand in"


@dataclass(frozen=True)
class Options:
    """What was asked for, unchecked; :func:`hil.pytest_plugin.plan.make_plan` checks it."""

    rig: str = DEFAULT_RIG
    """Path of a rig file, or the name of a shipped one."""
    seed: int | None = None
    edition: tuple[str, ...] = ()
    """``gbt27930=2015``."""
    reading: tuple[str, ...] = ()
    """``NAME=CHOICE``, or a preset."""
    requirement: tuple[str, ...] = ()
    case: tuple[str, ...] = ()
    suite: tuple[str, ...] = ()
    fault: tuple[str, ...] = ()
    out: str = DEFAULT_OUT
    max_real_time: float | None = None
    """Seconds of the wall clock that one run may take."""
    interlocks_checked: bool = False
    """The operator answers for the interlocks of the rig that no signal tells."""
    operator: str = ""
    """Who runs this, for the reports."""


_REPEATABLE = {
    "edition": ("STANDARD=EDITION", "edition of the standard to judge by, such as gbt27930=2015"),
    "reading": ("NAME=CHOICE", "choice in the interpretation register, or the preset strict or field"),
    "requirement": ("ID", "only this requirement, such as GBT34658-2017/DN.3006"),
    "case": ("CASE", "only this case, such as DN.3006 or DN.2004[short]"),
    "suite": ("NAME|DIR", "only this suite, shipped or the folder of one of your own"),
    "fault": ("NAME", "put this seeded fault into the reference charger"),
}


def option_name(field: str) -> str:
    """The pytest option of a field of :class:`Options`: prefixed, so that it clashes with nobody's."""
    return "--rig" if field == "rig" else f"--hil-{field.replace('_', '-')}"


def add_options(parser: pytest.Parser) -> None:
    """Declare the options to pytest."""
    group = parser.getgroup("hil", "conformance of EV chargers")
    group.addoption(
        "--rig", metavar="FILE", dest="hil_rig", help=f"rig file or name of a shipped rig (default: {DEFAULT_RIG})"
    )
    for field, (metavar, text) in _REPEATABLE.items():
        group.addoption(
            option_name(field), action="append", metavar=metavar, dest=f"hil_{field}", help=f"{text}; repeatable"
        )
    group.addoption("--hil-seed", type=int, metavar="N", dest="hil_seed", help="seed (default: the rig's)")
    group.addoption(
        "--hil-out", metavar="DIR", dest="hil_out", help=f"folder for traces and reports (default: {DEFAULT_OUT})"
    )
    group.addoption(
        "--hil-max-real-time",
        type=float,
        metavar="SECONDS",
        dest="hil_max_real_time",
        help="a run that takes longer by the wall clock is an error (default: no limit)",
    )
    group.addoption(
        "--hil-interlocks-checked",
        action="store_true",
        default=None,
        dest="hil_interlocks_checked",
        help="I answer for the interlocks of the rig that no signal tells",
    )
    group.addoption("--hil-operator", metavar="NAME", dest="hil_operator", help="who runs this, for the reports")


def options_of(config: pytest.Config) -> Options:
    """The options that pytest was given, defaults where there was none."""
    given: dict[str, Any] = {}
    for field in fields(Options):
        value = config.getoption(f"hil_{field.name}", None)
        if value is not None:
            given[field.name] = tuple(value) if isinstance(value, list) else value
    # Absolute, as a case may change the folder that it stands in.
    if not given.get("out", DEFAULT_OUT).strip():
        raise pytest.UsageError(EMPTY_OUT)
    given["out"] = str(config.invocation_params.dir / Path(given.get("out", DEFAULT_OUT)))
    return Options(**given)


def command_line(options: Options, pytest_args: Sequence[str]) -> str:
    """The same options as a line for ``hil run``; what is by default is left out."""
    words = ["hil", "run"]
    for field in fields(Options):
        value = getattr(options, field.name)
        if value != field.default:
            for each in value if isinstance(value, tuple) else (value,):
                words += [f"--{field.name.replace('_', '-')}", *([] if value is True else [str(each)])]
    return join_words([*words, *(["--", *pytest_args] if pytest_args else [])])


def join_words(words: Sequence[str]) -> str:
    """Words as a shell takes them. A name whose bytes are no text (a folder from a machine with another encoding) is
    written as ``$'...'``, as no report could hold it otherwise."""
    return " ".join(shlex.quote(word) if _is_text(word) else _escaped(word) for word in words)


def _is_text(word: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in word)


def _escaped(word: str) -> str:
    plain = {byte: chr(byte) for byte in range(32, 127) if chr(byte) not in "'\\"}
    return "$'" + "".join(plain.get(byte, f"\\x{byte:02x}") for byte in os.fsencode(word)) + "'"


def arguments(options: Options) -> list[str]:
    """The same options as arguments of pytest."""
    given: list[str] = []
    for field in fields(Options):
        value = getattr(options, field.name)
        if value is None or value is False:
            continue
        if value is True:
            given.append(option_name(field.name))
            continue
        values = value if isinstance(value, tuple) else (value,)
        given += [f"{option_name(field.name)}={each}" for each in values]
    return given
