"""What README and documentation show is what happens.

``console`` blocks are run, page by page in a folder of their own, and must print what they show: a line of ``...``
stands for any lines, ``...`` within a line for any text, and numbers with a point may differ a little. Blocks with a
caption are files in that folder, ``python`` blocks are run there. With ``HIL_WRITE_SHOWN=1`` in the environment,
outputs without ``...`` are written into the pages instead of being compared.
"""

from __future__ import annotations

import difflib
import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from hil.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
WRITE = os.environ.get("HIL_WRITE_SHOWN") == "1"
FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
CAPTION = re.compile(r":caption: (\S+)\n")
DECIMAL = r"(?<![\w.])\d+\.\d+(?![\w.])"
SPLIT = re.compile(rf"({DECIMAL})")
TOLERANCE = 0.1
COMMANDS = ("hil", "pytest", "python")
CHECKOUT = ("test_suites", "fixtures", "rigs", "conftest.py")


@dataclass
class Block:
    """One fenced block of a page."""

    info: str
    body: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(found["info"].strip(), found["body"], text.count("\n", 0, found.start()) + 2)
        for found in FENCE.finditer(text)
    ]


def steps(body: str) -> Iterator[tuple[str, str]]:
    """Command and shown output of a console block."""
    parts = re.split(r"^\$ (.*)\n", body, flags=re.MULTILINE)
    assert not parts[0].strip(), "a console block begins with a command"
    yield from zip(parts[1::2], parts[2::2], strict=True)


def tidy(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())


def matches(shown: str, printed: str) -> bool:
    """Whether a text is the one shown; numbers with a point may differ by :data:`TOLERANCE`, columns in width."""
    lines = []
    for line in tidy(shown).splitlines():
        parts = (f"({DECIMAL})" if re.fullmatch(DECIMAL, part) else literal(part) for part in SPLIT.split(line))
        lines.append(r"(?:.*\n)*?" if line.strip() == "..." else "".join(parts) + r"\n")
    found = re.fullmatch("".join(lines), tidy(printed))
    if found is None:
        return False
    numbers = [float(number) for line in tidy(shown).splitlines() for number in re.findall(DECIMAL, line)]
    return all(
        math.isclose(number, float(other), rel_tol=TOLERANCE)
        for number, other in zip(numbers, found.groups(), strict=True)
    )


def literal(text: str) -> str:
    """The regular expression of a text, with ``...`` for any characters and any width between columns."""
    pieces = (re.sub(r"(\\ )+", " +", re.escape(piece)) for piece in text.split("..."))
    return ".*".join(pieces)


class Shell:
    """Runs the commands of one page, one after the other, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = 0
        bin_folder = Path(sys.executable).parent
        self.environment = {
            "PATH": os.pathsep.join([str(bin_folder), os.environ.get("PATH", "")]),
            "HOME": str(folder),
            "PYTHONIOENCODING": "utf-8",
            "COLUMNS": "100",
        }

    def run(self, command: str) -> str:
        words = shlex.split(command)
        if words == ["echo", "$?"]:
            return f"{self.code}\n"
        if words[0] == "ls":
            names = sorted(path.name for path in (self.folder / words[1]).iterdir())
            return "".join(f"{name}\n" for name in names)
        if words == ["make", "run"]:
            words = made_by("run")
        words[0] = words[0].removeprefix(".venv/bin/")
        assert words[0] in COMMANDS, f"the shell of this test does not know {words[0]!r}"
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        self.code = done.returncode
        return done.stdout.replace(str(self.folder), ".")


def made_by(target: str) -> list[str]:
    """The last command of a target of the Makefile, which the environment of this test is already set up for."""
    recipe = re.search(rf"^{target}:[^\n]*\n((?:\t[^\n]*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert recipe is not None, f"the Makefile has no target {target}"
    return shlex.split(recipe[1].splitlines()[-1].replace("$(BIN)/", "").replace("$(ARGS)", ""))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_what_happens(page: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    found = blocks(page)
    if any("$ pytest" in block.body for block in found):
        for name in CHECKOUT:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
        (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n")
    written = page.read_text("utf-8")
    for block in found:
        caption = CAPTION.search(block.body)
        if caption is not None:
            (tmp_path / caption[1]).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / caption[1]).write_text(block.body[caption.end() :], "utf-8")
        elif block.info == "python":
            printed = shell.run(shlex.join(["python", "-c", block.body]))
            assert shell.code == 0, f"{page}:{block.line}:\n{printed}"
        elif block.info == "console":
            written = written.replace(block.body, run_block(shell, block, page))
    if WRITE:
        page.write_text(written, "utf-8")


def run_block(shell: Shell, block: Block, page: Path) -> str:
    """The block with what its commands print; fails where that is not what it shows."""
    new = ""
    for command, shown in steps(block.body):
        printed = shell.run(command)
        if WRITE and "..." not in shown:
            shown = re.sub(r" in \d+\.\d+s\n", " in ...s\n", tidy(printed))
        elif not matches(shown, printed):
            differences = difflib.unified_diff(tidy(shown).splitlines(), tidy(printed).splitlines(), "shown", "printed")
            pytest.fail(f"{page}:{block.line}: $ {command}\n" + "\n".join(differences), pytrace=False)
        new += f"$ {command}\n{shown}"
    return new


def test_the_readme_names_every_command() -> None:
    group: Any = typer.main.get_command(app)
    named = re.findall(r"^\| `hil (\w+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(group.commands)


def test_a_local_link_leads_to_a_file() -> None:
    """Sphinx checks the pages among themselves; these are read on their own as well."""
    for page in PAGES[:2]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_a_shown_line_that_is_not_printed_is_noticed() -> None:
    assert matches("a\n...\nd 1... s\n", "a   \nb\nc\nd 1.25 s\n")
    assert matches("a\n...\nb\n", "a\nb\n")
    assert not matches("a\nb\n", "a\n")
    assert not matches("a\n...\nc\n", "a\nb\n")


def test_a_shown_number_may_differ_a_little() -> None:
    assert matches("x   pass  1.25 s\n", "x pass   1.20 s\n")
    assert not matches("x  pass  1.25 s\n", "x  pass  2.25 s\n")
    assert not matches("3 pass\n", "4 pass\n")
    assert not matches("D0.4502  pass\n", "D0.4503  pass\n")
