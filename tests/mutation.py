"""What goes wrong with bytes on a line, drawn cheaply, and how much a machine holds that hears it."""

from __future__ import annotations

import gc
import random
import sys
from types import FunctionType, MethodType, ModuleType

COUNT = 100_000
"""Pieces of bytes that every machine is given."""
_EDGES = b"\x00\x01\x7f\x80\xff"


def mutated(draw: random.Random, data: bytes, least: int = 0) -> bytes:
    """From ``least`` to three edits: flipped, set, cut off, cut out, stretched, doubled."""
    chance = draw.random
    found = bytearray(data)
    for _ in range(least + int(chance() * (4 - least))):
        at, how = int(chance() * (len(found) + 1)), int(chance() * 6)
        if how < 2:
            value = 1 << int(chance() * 8)
            if at < len(found):
                found[at] = found[at] ^ value if how else _EDGES[value % 5]
        elif how == 2:
            del found[at:]
        elif how == 3:
            del found[at : at + 1 + int(chance() * 4)]
        elif how == 4:
            found[at:at] = draw.randbytes(1 + int(chance() * 8))
        else:
            found += found[: min(at, 300)]
    return bytes(found)


def size(machine: object) -> int:
    """Bytes of a machine and of all that it holds."""
    found, seen, waiting = 0, set[int](), [machine]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type | ModuleType | FunctionType | MethodType):
            continue
        seen.add(id(each))
        found += sys.getsizeof(each)
        waiting += gc.get_referents(each)
    return found
