"""The JSON Schema of the signals port's messages, for those who write a box: derived from the messages.

``python -m hil.protocol.signals.schema`` writes the shipped file again after a message has changed.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from hil.protocol.signals.messages import ANSWERS, REQUESTS, VERSION

NAME = "signals_port.schema.json"


def shipped_schema() -> str:
    """The text of the schema that travels with the package."""
    return files("hil.protocol.signals").joinpath(NAME).read_text("utf-8")


def schema() -> dict[str, Any]:
    """The schema (2020-12) of one line: ``$defs`` has ``Request`` and ``Answer``, and each message by its name."""
    kinds = [*REQUESTS.values(), *ANSWERS.values()]
    references, definitions = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    for definition in definitions.values():
        definition["description"] = " ".join(definition["description"].split())
    of = dict(zip(kinds, references, strict=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of hil's signals port, version {VERSION}",
        "anyOf": [{"$ref": "#/$defs/Request"}, {"$ref": "#/$defs/Answer"}],
        "$defs": {
            "Request": {"description": "What the bench sends.", "anyOf": [of[kind] for kind in REQUESTS.values()]},
            "Answer": {"description": "What the box sends.", "anyOf": [of[kind] for kind in ANSWERS.values()]},
            **definitions,
        },
    }


def text() -> str:
    """The schema as the shipped file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name(NAME).write_text(text(), encoding="utf-8")
