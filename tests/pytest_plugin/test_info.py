"""Which program judged: a commit, whether files differ from it, or a digest of what is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hil.native import digest
from hil.pytest_plugin.info import commit

MESSAGE = ("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "first")


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_commit_tells_whether_files_differ_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit(tmp_path) is None
    for words in (("init", "-q"), ("config", "core.autocrlf", "false")):
        git(tmp_path, *words)
    (tmp_path / "a.py").write_text("a = 1\n", "utf-8")
    git(tmp_path, "add", "a.py")
    git(tmp_path, *MESSAGE)
    git(tmp_path, "tag", "v1")  # the commit is told, not a name that may be moved
    head = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "report").write_text("not under version control", "utf-8")
    assert commit(tmp_path) == head
    (tmp_path / "a.py").write_text("a = 2\n", "utf-8")
    assert commit(tmp_path) == f"{head}-dirty"
    monkeypatch.setenv("PATH", "")
    assert commit(tmp_path) == f"{head}-unchecked"


def test_what_a_package_reads_is_part_of_its_digest(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"a = 1\n")
    (tmp_path / "limits.toml").write_bytes(b"a = 1\n")
    modules, whole = digest(tmp_path), digest(tmp_path, (".py", ".toml"))
    (tmp_path / "limits.toml").write_bytes(b"a = 2\n")
    assert digest(tmp_path) == modules
    assert digest(tmp_path, (".py", ".toml")) != whole
