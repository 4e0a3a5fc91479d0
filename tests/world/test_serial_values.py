"""Commands, replies and observations cross a pipe unchanged: every type, through JSON and msgpack."""

from __future__ import annotations

import contextlib
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.bus.bytefaults import LineFault
from hil.bus.faults import LinkFault
from hil.errors import UsageError
from hil.world.observation import Observation
from hil.world.plan import Answer, Command, Failure, Reply

quiet = settings(derandomize=True, database=None, deadline=None, max_examples=60)
_HEX = {"data", "data_mask", "invert", "starts"}
_LONGEST = 8
_FINITE = st.floats(allow_nan=False, allow_infinity=False)
"""Neither NaN nor infinity is in JSON, and none is observed."""
_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | _FINITE | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(0, 2**62),
    float: _FINITE,
    str: st.text(max_size=12),
    bool: st.booleans(),
    bytes: st.binary(max_size=_LONGEST),
    type(None): st.none(),
    Any: _PLAIN,
}


def values(declared: Any) -> st.SearchStrategy[Any]:
    """Values of a declared type, derived from it: a new command or observation is covered as it is declared."""
    if declared in _SIMPLE:
        return _SIMPLE[declared]
    origin, inner = get_origin(declared), get_args(declared)
    if origin in (Union, types.UnionType):
        return st.one_of([values(each) for each in inner])
    if origin is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=3)
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if origin is list:
        return st.lists(values(inner[0]), max_size=3)
    if origin is not None or not issubclass(declared, msgspec.Struct):
        raise TypeError(f"no values of {declared}")
    return structs(declared)


@st.composite
def structs(draw: st.DrawFn, declared: type[msgspec.Struct]) -> msgspec.Struct:
    hints = get_type_hints(declared)
    drawn: dict[str, Any] = {}
    for each in msgspec.structs.fields(declared):
        if each.name in _HEX and hints[each.name] is str:
            drawn[each.name] = draw(
                st.lists(st.integers(1, 255), min_size=1, max_size=_LONGEST).map(lambda each: bytes(each).hex())
            )
        elif hints[each.name] is int and each.name != "t":
            drawn[each.name] = draw(st.integers(1, 7))
        else:
            drawn[each.name] = draw(values(hints[each.name]))
    try:
        return declared(**drawn)
    except UsageError:  # a fault that nobody can make
        return plain(declared, drawn)


def plain(declared: type[msgspec.Struct], drawn: dict[str, Any]) -> msgspec.Struct:
    """A fault with only what it needs: a node where it hits one, a byte where the first one is none to hit."""
    needed = {each.name: drawn[each.name] for each in msgspec.structs.fields(declared) if each.required}
    for more in ({"sender": "vehicle"}, {}):
        with contextlib.suppress(UsageError):
            return declared(**{**needed, "name": "fault", **more})
    return declared(**{**needed, "name": "fault", "at": 1})


COMMANDS, OBSERVATIONS, ANSWERS = get_args(Command), get_args(Observation), (Reply, Failure)


def crosses(value: Any, union: Any) -> None:
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=union)
    assert (type(packed), packed) == (type(value), value)
    written = msgspec.json.decode(msgspec.json.encode(value), type=union)
    assert (type(written), written) == (type(value), value)


@pytest.mark.parametrize("declared", COMMANDS, ids=lambda each: each.__name__)
@quiet
@given(data=st.data())
def test_a_command_crosses(data: st.DataObject, declared: type[msgspec.Struct]) -> None:
    crosses(data.draw(structs(declared)), Command)


@pytest.mark.parametrize("declared", OBSERVATIONS, ids=lambda each: each.__name__)
@quiet
@given(data=st.data())
def test_an_observation_crosses(data: st.DataObject, declared: type[msgspec.Struct]) -> None:
    crosses(data.draw(structs(declared)), Observation)


@pytest.mark.parametrize("declared", ANSWERS, ids=lambda each: each.__name__)
@quiet
@given(data=st.data())
def test_an_answer_crosses(data: st.DataObject, declared: type[msgspec.Struct]) -> None:
    crosses(data.draw(structs(declared)), Answer)


def test_what_is_no_command_is_refused_where_it_arrives() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode({"type": "format_disk"}), type=Command)


@pytest.mark.parametrize("declared", [*get_args(LinkFault), *get_args(LineFault)], ids=lambda each: each.__name__)
@quiet
@given(data=st.data())
def test_every_fault_can_be_drawn(data: st.DataObject, declared: type[msgspec.Struct]) -> None:
    assert type(data.draw(structs(declared))) is declared
