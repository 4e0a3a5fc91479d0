"""Example databases that machines share: what one of them found, another one tries first."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    InMemoryExampleDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)

from hil.profile import LoadProfile
from hil.profile.settings import register
from hil.profile.strategies import load_profiles

LIMIT = 150.0


def search(database: ExampleDatabase, most: int) -> list[float]:
    """The highest current of each example, in order, until one is beyond the limit."""
    seen: list[float] = []
    register()

    @settings(settings.get_profile("dev"), max_examples=most, database=database, print_blob=False)
    @given(load_profiles())
    def never_high(profile: LoadProfile) -> None:
        seen.append(max(each.current for each in profile.segments))
        assert seen[-1] < LIMIT

    with pytest.raises(AssertionError):
        never_high()
    return seen


def joined(shared: ExampleDatabase) -> ExampleDatabase:
    """What the documentation tells to put into a conftest.py: the local one first, the shared one only read."""
    return MultiplexedDatabase(InMemoryExampleDatabase(), ReadOnlyDatabase(shared))


def test_what_this_machine_found_is_tried_first(tmp_path: Path) -> None:
    local = DirectoryBasedExampleDatabase(tmp_path / "examples")
    assert search(local, 200)[0] < LIMIT
    assert search(local, 1)[0] >= LIMIT


def test_what_another_machine_found_is_tried_first_and_stays_its_own(tmp_path: Path) -> None:
    shared = DirectoryBasedExampleDatabase(tmp_path / "examples")
    search(shared, 200)
    before = sorted(path.name for path in tmp_path.rglob("*"))

    assert search(joined(shared), 1)[0] >= LIMIT
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_what_ci_found_is_tried_first(tmp_path: Path) -> None:
    """The artifact as CI uploads it, the folder of examples in a zip, and as it lies on this machine once fetched.

    Fetching it over the network is not tested. The name is the artifact's date, which has not come yet.
    """
    search(DirectoryBasedExampleDatabase(tmp_path / "examples"), 200)
    cache = tmp_path / "artifacts"
    cache.mkdir()
    with zipfile.ZipFile(cache / "9999-01-01T00_00_00+00_00.zip", "w") as artifact:
        for path in (tmp_path / "examples").rglob("*"):
            if path.is_file():
                artifact.write(path, path.relative_to(tmp_path / "examples"))

    assert search(joined(GitHubArtifactDatabase("somebody", "charger", path=cache)), 1)[0] >= LIMIT


class Redis:
    """Sets of a Redis server, as far as the database asks for them."""

    def __init__(self) -> None:
        self.sets: dict[bytes, set[bytes]] = {}
        self.told: list[str] = []

    def pipeline(self) -> Pipeline:
        return Pipeline(self)

    def publish(self, channel: str, message: str) -> None:
        self.told.append(channel)


class Pipeline:
    """Everything happens when it is executed."""

    def __init__(self, server: Redis) -> None:
        self._server = server
        self._orders: list[Callable[[], Any]] = []

    def _members(self, key: bytes) -> set[bytes]:
        return self._server.sets.setdefault(key, set())

    def smembers(self, key: bytes) -> None:
        self._orders.append(lambda: set(self._members(key)))

    def sadd(self, key: bytes, value: bytes) -> None:
        def add() -> int:
            known = value in self._members(key)
            self._members(key).add(value)
            return int(not known)

        self._orders.append(add)

    def srem(self, key: bytes, value: bytes) -> None:
        def remove() -> int:
            known = value in self._members(key)
            self._members(key).discard(value)
            return int(known)

        self._orders.append(remove)

    def expire(self, key: bytes, after: timedelta) -> None:
        self._orders.append(lambda: int(key in self._server.sets))

    def execute(self) -> list[Any]:
        orders, self._orders = self._orders, []
        return [order() for order in orders]


@contextmanager
def client_of_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hypothesis imports the client by its name, and asks for an instance of its class."""
    module = ModuleType("redis")
    module.Redis = Redis  # type: ignore[attr-defined]  # a module made here
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "redis", module)
        patched.delitem(sys.modules, "hypothesis.extra.redis", raising=False)
        yield
        sys.modules.pop("hypothesis.extra.redis", None)


def test_what_lies_in_redis_is_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a stand-in of the client; no server and no network."""
    with client_of_redis(monkeypatch):
        from hypothesis.extra.redis import RedisExampleDatabase

        server = Redis()
        shared = RedisExampleDatabase(server)
        assert search(shared, 200)[0] < LIMIT
        assert any(server.sets.values())
        found = search(joined(RedisExampleDatabase(server)), 1)
    assert found[0] >= LIMIT
