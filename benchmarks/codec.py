"""Decoding and encoding beside cantools, on the same messages in the same run.

``python -m benchmarks.codec`` prints the table. Payloads vary, as those of CCS and BCS do while a
battery is charged: the hot paths of the bench keep the last message of an unchanged payload anyway.
Both sides are called through their usual doors: ``MessageSet.decode`` (which never raises) and
``Message.encode`` here, ``Database.decode_message`` and ``Database.encode_message`` there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import cantools

from hil.codec.dbc import to_dbc
from hil.protocol.gbt27930 import BCS, BSM, CCS, edition

COUNT = 2_000
REPEATS = 9
DECODE_GOAL = 5.0
ENCODE_GOAL = 3.0


def measures(*, quick: bool = False) -> list[dict[str, Any]]:
    """One entry a message and direction; rates are messages per second, the best of interleaved repeats.

    ``quick`` repeats less.
    """
    repeats = 3 if quick else REPEATS
    messages = edition("2015")
    database: Any = cantools.database.load_string(to_dbc(messages), "dbc")
    found = []
    for declared, samples in _samples().items():
        pgn = declared.pgn
        (identifier,) = messages.ids(declared).values()
        payloads = [each.encode() for each in samples]
        values = [database.decode_message(identifier, each) for each in payloads]

        def decode(payloads: Sequence[bytes] = payloads, pgn: int = pgn) -> None:
            for payload in payloads:
                messages.decode(pgn, payload)

        def peer_decode(payloads: Sequence[bytes] = payloads, identifier: int = identifier) -> None:
            for payload in payloads:
                database.decode_message(identifier, payload)

        def encode(samples: Sequence[Any] = samples) -> None:
            for sample in samples:
                sample.encode()

        def peer_encode(values: Sequence[Any] = values, identifier: int = identifier) -> None:
            for each in values:
                database.encode_message(identifier, each)

        found.append(_compare(f"decode {declared.name}", decode, peer_decode, DECODE_GOAL, repeats))
        found.append(_compare(f"encode {declared.name}", encode, peer_encode, ENCODE_GOAL, repeats))
    return found


def _samples() -> dict[type[Any], list[Any]]:
    """Messages of a charge, each payload different from the one before."""
    steps = range(COUNT)
    return {
        CCS: [
            CCS(voltage=550.0 + step / 10, current=-120.0 - step / 100, charging_time=step * 600 // COUNT)
            for step in steps
        ],
        BCS: [
            BCS(
                voltage=550.0 + step / 10,
                current=-120.0 - step / 100,
                max_cell_voltage=3.2 + step / 10_000,
                max_cell_group=step % 16,
                soc=step * 100 // COUNT,
                remaining_time=600 - step * 600 // COUNT,
            )
            for step in steps
        ],
        BSM: [
            BSM(
                max_cell_number=step % 256 + 1,
                max_temperature=20 + step % 20,
                max_temperature_sensor=step % 128 + 1,
                min_temperature=10 + step % 10,
                min_temperature_sensor=step % 64 + 1,
            )
            for step in steps
        ],
    }


def _compare(
    name: str, ours: Callable[[], None], peer: Callable[[], None], goal: float, repeats: int
) -> dict[str, Any]:
    value, peer_value = (COUNT / seconds for seconds in _best(repeats, ours, peer))
    ratio = value / peer_value
    return {
        "name": name,
        "value": round(value),
        "unit": "messages/s",
        "peer": f"cantools {cantools.__version__}",
        "peer_value": round(peer_value),
        "ratio": round(ratio, 2),
        "goal": goal,
        "met": ratio >= goal,
    }


def _best(repeats: int, *calls: Callable[[], None]) -> list[float]:
    """Seconds of each call, the best of repeats that take turns."""
    best = [float("inf")] * len(calls)
    for _ in range(repeats):
        for index, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[index] = min(best[index], time.perf_counter() - start)
    return best


if __name__ == "__main__":
    print(f"{'':14}{'messages/s':>12}{'cantools':>12}{'ratio':>8}{'goal':>6}")
    for each in measures():
        rates = f"{each['name']:14}{each['value']:12,}{each['peer_value']:12,}"
        print(f"{rates}{each['ratio']:8.1f}{each['goal']:6.1f}  {'met' if each['met'] else 'missed'}")
