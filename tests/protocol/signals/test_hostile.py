"""A hundred thousand broken lines to either end: events and no exceptions, and memory that does not grow."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Iterator
from itertools import islice

from hil.protocol.signals import Client, Down, Garbled, Reported, Server, Signal, Up
from hil.units import ms
from tests.mutation import COUNT as LINES
from tests.mutation import size

WATCHED = LINES // 5
"""The last of them: what is in use at a time is counted, which takes several times as long."""
SIGNALS = {"relay_1": Signal("sensor"), "dac_1": Signal("sensor", "V", -15, 15), "input_1": Signal("actuator")}
REQUESTS = [
    b'{"hello":1,"watchdog":1.0,"id":1,"t":0.5}',
    b'{"set":{"relay_1":1,"dac_1":-2.5},"id":2}',
    b'{"set":{}}',
    b'{"get":["*"],"id":3}',
    b'{"subscribe":["input_1"],"every":0.5}',
]
ANSWERS = [
    b'{"hello":1,"box":"b","signals":{"input_1":{"kind":"actuator"},"dac_1":{"kind":"sensor","unit":"V"}}}',
    b'{"ok":"set","id":2,"t":1.25}',
    b'{"values":{"input_1":1},"id":3}',
    b'{"event":{"input_1":0},"t":3.5}',
    b'{"error":"relay is stuck","id":2}',
]
PIECES = [
    b"1e999",
    b"null",
    b"[" * 2000,
    b'"',
    b"\\ud800",
    b"\xff",
    b"\x00",
    b"-",
    b"9" * 500,
    b"{",
    b"x" * 20_000,
    b"*",
]
LIMIT = 4_000_000
"""Bytes that may be in use at a time: some lines of the longest, and what is made of them."""
ROOM = 100_000
"""Bytes by which a machine may differ between two moments: one line of the longest, for each of three clients."""


def broken(lines: list[bytes]) -> Iterator[bytes]:
    """Lines with bytes changed, lost, doubled or put in."""
    draw = random.Random(27930)
    for _ in range(LINES):
        line = bytearray(draw.choice(lines))
        for _ in range(draw.randint(1, 3)):
            at = draw.randrange(len(line) + 1)
            how = draw.randrange(5)
            if how == 0:
                line[at : at + 1] = draw.randbytes(1)
            elif how == 1:
                del line[at : at + draw.randint(1, 8)]
            elif how == 2:
                line[at:at] = line[: draw.randint(1, 20)]
            elif how == 3 and draw.random() < 0.1:
                line[at:at] = draw.choice(PIECES)
            elif how == 4 and line:
                line[at % len(line)] ^= 1 << draw.randrange(8)
        yield bytes(line) + b"\n"


def peak(during: Iterator[None], machine: object) -> int:
    """The most that was in use at a time; the machine holds no more in the end than it did long before."""
    for _ in islice(during, LINES - WATCHED):
        pass
    early = size(machine)
    tracemalloc.start()
    for _ in during:
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size(machine) < early + ROOM
    return most


def test_a_box_survives_its_benches() -> None:
    server = Server(SIGNALS)
    garbled = answers = 0

    def flood() -> Iterator[None]:
        nonlocal garbled, answers
        for number, line in enumerate(broken(REQUESTS)):
            server.receive(number % 3, line, ms(number))
            server.wake(ms(number))
            answers += len(server.take_output(ms(number)))
            garbled += sum(isinstance(event, Garbled) for event in server.take_events())
            yield

    assert peak(flood(), server) < LIMIT
    assert LINES // 4 < garbled < LINES
    assert answers >= LINES // 2
    server.receive(9, b'{"set":{"relay_1":1},"id":7}\n', ms(LINES))
    [(channel, line)] = server.take_output(ms(LINES))
    assert (channel, json.loads(line)["ok"]) == (9, "set")


def test_a_bench_survives_its_box() -> None:
    client = Client()
    counts: dict[type[object], int] = dict.fromkeys((Garbled, Up, Reported, Down), 0)

    def flood() -> Iterator[None]:
        for number, line in enumerate(broken(ANSWERS)):
            now = ms(number)
            if client.state == "down":
                client.open(now)
            client.put({"relay_1": float(number % 2)}, now, urgent=number % 5 == 0)
            client.receive(line, now)
            client.wake(now)
            client.take_output()
            for event in client.take_events():
                if type(event) in counts:
                    counts[type(event)] += 1
            yield

    assert peak(flood(), client) < LIMIT
    assert LINES // 4 < counts[Garbled] < LINES
    assert counts[Reported] > 1000
    assert counts[Up] > 0


def test_a_stream_without_line_ends_is_not_kept() -> None:
    server = Server(SIGNALS)

    def flood() -> Iterator[None]:
        for _ in range(LINES):
            server.receive(1, b"x" * 4096, 0)
            server.take_output(0)
            server.take_events()
            yield

    assert peak(flood(), server) < 200_000
