"""Whatever a box says, actuators of the plant are driven by numbers, and nothing raises or grows."""

from __future__ import annotations

import json
import random
from math import isfinite

from hil.plant.signals import SAFE_STATE, SIGNALS
from hil.tester.signals import PlantBridge
from hil.units import ms, s
from hil.world.bytenode import Send
from tests.mutation import COUNT, mutated, size
from tests.tester.signals.conftest import CHARGER

FEWER = COUNT // 4
"""As the client inside hears as many by itself (tests/protocol/signals)."""
ROOM = 20_000
ACTUATORS = [each.name for each in SIGNALS if each.side == "charger" and each.kind == "actuator"]
VALUES = ("0", "1", "-1", "1e999", "-1e300", "NaN", "null", "true", '"1"', "[1]", "1e-320", str(10**400))


def line(draw: random.Random, hello: bytes) -> bytes:
    """What a box may say, with an edit in most lines."""
    how = draw.random()
    if how < 0.02:
        said = hello
    elif how < 0.3:
        said = b'{"ok":"set","id":%d}' % draw.randrange(9)
    else:
        names = draw.sample([*ACTUATORS, "k9_command", "dc_voltage"], 2)
        values = ",".join(f'"{name}":{draw.choice(VALUES)}' for name in names)
        said = f'{{"{draw.choice(("event", "values"))}":{{{values}}},"id":3,"t":{draw.choice(VALUES)}}}'.encode()
    return (said if draw.random() < 0.4 else mutated(draw, said)) + b"\n"


def test_a_hostile_box() -> None:
    draw = random.Random("box")
    bridge = PlantBridge("bridge", "io", lambda name, at: 1.0, SIGNALS, safe=SAFE_STATE)
    now, early, up, driven = s(1), 0, 0, 0
    hello = json.dumps({"hello": 1, "box": "b", "signals": CHARGER}).encode()
    for number in range(FEWER):
        now += draw.choice((ms(1), ms(20), ms(300)))
        bridge.wake(now)
        for wish in reversed(bridge.wishes):
            if isinstance(wish, Send) and b'"hello"' in wish.data:  # its greeting is answered rightly
                told = {"hello": 1, "box": "b", "signals": CHARGER, "id": json.loads(wish.data)["id"]}
                bridge.received("io", 0, json.dumps(told).encode() + b"\n", "", now)
                break
        bridge.received("io", 0, line(draw, hello), "framing" if number % 50 == 0 else "", now)
        for name, value in bridge.actuations:
            assert name in ACTUATORS
            assert isfinite(value), name
        driven += len(bridge.actuations)
        up += sum(note.what == "up" for note in bridge.notes)
        for each in (bridge.wishes, bridge.actuations, bridge.notes):
            each.clear()
        if number == FEWER // 2:
            early = size(bridge)
    assert up > 10
    assert driven > FEWER // 10
    assert size(bridge) < early + ROOM
