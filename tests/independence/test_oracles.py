"""Which outside oracle holds the layout of each message: nothing that only our two sides agree on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hil.codec import ListMessage, Message
from hil.protocol.gbt27930 import EDITIONS, edition

SHARED = Path(os.environ.get("HIL_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
VECTORS = SHARED / "gbt27930" / "vectors.json"


def layout(message: type[Message]) -> list[tuple[object, ...]]:
    signals = message.element if issubclass(message, ListMessage) else message.signals
    return [(each.spn, each.start, each.length, each.scale, each.offset, each.kind) for each in signals.values()]


@pytest.mark.skipif(not VECTORS.is_file(), reason=f"golden vectors not found at {VECTORS}")
def test_every_message_has_vectors_or_the_layout_of_one_that_has() -> None:
    """``test_every_wrong_field_is_caught_by_a_vector`` makes each field of a message with vectors wrong."""
    vectors = json.loads(VECTORS.read_text("utf-8"))["vectors"]
    covered = {(each["edition"], each["message"]) for each in vectors}
    for name in EDITIONS:
        for message in edition(name).messages:
            if (name, message.name) not in covered:
                twin = edition("2015").by_name[message.name]
                assert ("2015", message.name) in covered
                assert (layout(message), message.length) == (layout(twin), twin.length), f"{message.name} of {name}"
