"""What a case may ask of the bench, as values: orders to the vehicle, stimuli of the plant, link faults.

The same values serve at once (``bench.do(silence(BCL))``) and in a plan (``bench.on(first(CRO,
ready=0x00), silence(BRO))``).
"""

from __future__ import annotations

from typing import Any

from hil.bus.faults import Disconnect, LinkFault, Shorted
from hil.codec.message import Message
from hil.conformance.reading import plain
from hil.units import Span
from hil.world.plan import Inject, OnMessage, OnSignal, Stimulate, Tell, UndoFault

MessageType = type[Message]

_BROKEN, _SHORTED = "broken line", "shorted line"


def first(message: MessageType, **fields: Any) -> OnMessage:
    """The next message of that kind with these signal values."""
    return OnMessage(message.name, fields)


def nth(count: int, message: MessageType, **fields: Any) -> OnMessage:
    """The ``count``-th message of that kind from now."""
    return OnMessage(message.name, fields, count)


def at_signal(name: str, low: float, high: float) -> OnSignal:
    """The plant's signal comes into a range."""
    return OnSignal(name, low, high)


def _names(messages: tuple[MessageType, ...]) -> list[str]:
    return [message.name for message in messages]


def silence(*messages: MessageType) -> Tell:
    """The vehicle no longer sends these messages; without any, none at all."""
    return Tell("vehicle", "silence", {"messages": _names(messages)})


def resume(*messages: MessageType) -> Tell:
    """The vehicle sends these messages again, correctly; without any, all of them."""
    return Tell("vehicle", "resume", {"messages": _names(messages)})


def hold(*states: str) -> Tell:
    """The vehicle stays in these states, whatever it receives."""
    return Tell("vehicle", "hold", {"states": list(states)})


def release(*states: str) -> Tell:
    """The vehicle leaves these states again as it should."""
    return Tell("vehicle", "release", {"states": list(states)})


def go(state: str) -> Tell:
    """The vehicle goes to a state of its machine at once."""
    return Tell("vehicle", "go", {"state": state})


def alter(message: MessageType, **fields: Any) -> Tell:
    """Signals of a message get these values until restored."""
    return Tell(
        "vehicle", "alter", {"message": message.name, "fields": {key: plain(value) for key, value in fields.items()}}
    )


def restore(message: MessageType) -> Tell:
    """A message is composed correctly again."""
    return Tell("vehicle", "restore", {"message": message.name})


def malform(message: MessageType, variant: str) -> Tell:
    """Frames that do not match the message's definition take its place (see ``malform.VARIANTS``)."""
    return Tell("vehicle", "malform", {"message": message.name, "variant": variant})


def demand(*, voltage: float | None = None, current: float | None = None, mode: int | None = None) -> Tell:
    """BCL's content: V, A (positive charges), 1 = constant voltage, 2 = constant current."""
    values = {"voltage": voltage, "current": current, "mode": mode}
    return Tell("vehicle", "demand", {key: plain(value) for key, value in values.items() if value is not None})


def stop_charging(reason: str) -> Tell:
    """The vehicle ends the charge by BST with this signal set."""
    return Tell("vehicle", "stop", {"reason": reason})


def report_error(*awaited: str) -> Tell:
    """The vehicle enters its error state and sends BEM with these signals set."""
    return Tell("vehicle", "error", {"awaited": list(awaited)})


def transfer(message: MessageType, data: bytes) -> Tell:
    """The vehicle sends one long message through the transport protocol."""
    return Tell("vehicle", "transfer", {"message": message.name, "data": data.hex()})


def send_raw(identifier: int, data: bytes, *, extended: bool = True) -> Tell:
    """The vehicle's node sends one frame of any kind."""
    return Tell("vehicle", "send", {"id": identifier, "data": data.hex(), "extended": extended})


def answer_stop(*, after: Span | None = None, csd: int | None = None) -> Tell:
    """How long BST goes on before BSD, and how many CSD the vehicle wants to see."""
    values = {"after": after, "csd": csd}
    return Tell("vehicle", "answer_stop", {key: value for key, value in values.items() if value is not None})


def impatient() -> Tell:
    """The vehicle reports its own time-outs by BEM, as a real one does; otherwise it waits while the judge measures."""
    return Tell("vehicle", "patience", {"on": False})


def vehicle_contactors(*, close: bool, now: bool = False) -> Tell:
    """K5/K6 follow the session, or stay open; ``now`` moves them at once."""
    return Tell("vehicle", "contactors", {"close": close, "now": now})


def transport(**behaviour: Any) -> Tell:
    """How the vehicle's transport protocol misbehaves (fields of ``TpBehaviour``)."""
    return Tell("vehicle", "transport", behaviour)


def break_line() -> Inject:
    """Both wires of the vehicle's end of the bus are open."""
    return Inject(Disconnect(name=_BROKEN, sender="vehicle"))


def short_line() -> Inject:
    """The two wires of the bus are shorted."""
    return Inject(Shorted(name=_SHORTED))


def mend_line(*, shorted: bool = False) -> UndoFault:
    """The line that :func:`break_line` has broken, or :func:`short_line` has ``shorted``, is whole again."""
    return UndoFault(_SHORTED if shorted else _BROKEN)


def disturb(fault: LinkFault) -> Inject:
    """A link fault becomes active."""
    return Inject(fault)


def stimulate(name: str, value: float) -> Stimulate:
    """A declared stimulus of the plant: plug, buttons, broken lines, supply, insulation."""
    return Stimulate(name, plain(value))
