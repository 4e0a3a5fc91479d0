"""Why a profile's file is refused, for whoever wrote it: the field, what stands there, and what may stand there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

_AT = " - at `$"
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_UNKNOWN = re.compile(r"bject contains unknown field `(.*)`$", re.DOTALL)


def reason_of(text: str, kind: type, values: Any) -> str:
    """What msgspec says of the values of a kind of profile that it refuses, with what is missing in it.

    ``Expected `float` <= 400.0 - at `$.segments[2].current_a``` becomes ``segments[2].current_a: expected `float` <=
    400.0; it is 500``. Of an unknown field and of a word that is none of those known it tells what is allowed.
    """
    reason, at, path = text.rpartition(_AT)
    if not at:
        reason, path = text, ""
    place = path.rstrip("`").lstrip(".")
    node, value = _found(kind, values, path)
    told = f"{reason[:1].lower()}{reason[1:]}" if place else reason
    return f"{f'{place}: ' if place else ''}{told}{_more(reason, node, value)}"


def _more(reason: str, node: Sequence[str] | inspect.Type | None, value: Any) -> str:
    unknown = _UNKNOWN.search(reason)
    if unknown is not None and isinstance(node, inspect.StructType):
        fields = [*([node.tag_field] if node.tag_field else []), *(each.encode_name for each in node.fields)]
        near = get_close_matches(unknown[1], fields, n=1)
        return f"; {f'did you mean {near[0]}? ' if near else ''}allowed are {', '.join(fields)}"
    if reason.startswith("Invalid"):
        words = node.values if isinstance(node, inspect.LiteralType) else node
        return f"; there are {', '.join(map(str, words))}" if isinstance(words, Sequence) else ""
    shown = value is not None and not isinstance(value, dict | list)
    return f"; it is {json.dumps(value, ensure_ascii=False)}" if shown and reason.startswith("Expected") else ""


def _found(kind: type, values: Any, path: str) -> tuple[Sequence[str] | inspect.Type | None, Any]:
    """The type at a place and the value there; for the tag of a union the tags there are; None where it cannot be
    told."""
    node: Sequence[str] | inspect.Type | None = inspect.type_info(kind)
    for name, number in _STEP.findall(path):
        if not isinstance(node, inspect.Type):
            break
        node = _below(node, name, values)
        try:
            values = values[name or int(number)]
        except (KeyError, IndexError, TypeError):
            values = None
    return (_chosen(node, values) if isinstance(node, inspect.Type) else node), values


def _below(node: inspect.Type, name: str, values: Any) -> Sequence[str] | inspect.Type | None:
    """What stands one step further: in a field, or in a list where no name is given."""
    node = _bare(node)
    if not name:
        return getattr(node, "item_type", None)
    tags = [str(each.tag) for each in _structs(node) if each.tag_field == name]
    struct = _chosen(node, values)
    if tags or not isinstance(struct, inspect.StructType):
        return tags
    return next((each.type for each in struct.fields if each.encode_name == name), None)


def _chosen(node: inspect.Type, values: Any) -> inspect.Type:
    """Of several structs the one whose tag the values bear, or the only one."""
    node = _bare(node)
    structs = list(_structs(node))
    if len(structs) == 1:
        return structs[0]
    given = values if isinstance(values, dict) else {}
    return next((each for each in structs if given.get(each.tag_field) == each.tag), node)


def _structs(node: inspect.Type) -> Iterator[inspect.StructType]:
    for each in node.types if isinstance(node, inspect.UnionType) else (node,):
        bare = _bare(each)
        if isinstance(bare, inspect.StructType):
            yield bare


def _bare(node: inspect.Type) -> inspect.Type:
    return node.type if isinstance(node, inspect.Metadata) else node
