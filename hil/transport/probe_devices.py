"""One question for each kind of device: a Modbus server, a console, a meter, an instrument, a signals box."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from hil.codec.map_file import find_map
from hil.protocol.dlt645 import WILDCARD
from hil.protocol.dlt645 import Frame as MeterFrame
from hil.protocol.dlt645 import Framer as MeterFramer
from hil.protocol.dlt645 import Function as MeterFunction
from hil.protocol.modbus import (
    ExceptionReply,
    Malformed,
    Read,
    TcpFrame,
    TcpStream,
    crc_right,
    decode_reply,
    encode_rtu,
    encode_tcp,
)
from hil.protocol.rapi import Frame as ConsoleFrame
from hil.protocol.rapi import Framer as ConsoleFramer
from hil.protocol.rapi import encode as encode_console
from hil.protocol.signals.messages import Done, Get, Hello, Refused, Set, Values, Welcome, encode, read_answer
from hil.tester.signals import CLOSED
from hil.transport.probe import Heard, Probe, Stream, ask, took, unanswered
from hil.units import Span

_TIMES = 5
"""Questions whose answers are timed."""
_USUAL_UNIT = 1
_TRANSACTION = 0x5A5A
_GET = 1000
"""Id of a question for one signal."""


def probe_modbus(stream: Stream, register_map: str, unit: int | None, *, tcp: bool) -> Probe:
    """Read the first registers of the map; an exception is an answer too."""
    what = "Modbus device"
    unit, request = _first_read(register_map, unit)
    asked = encode_tcp(_TRANSACTION, unit, request.encode()) if tcp else encode_rtu(unit, request.encode())
    read = _tcp_pdu if tcp else partial(_rtu_pdu, asked, unit)
    pdu, heard = ask(stream, asked, read)
    if pdu is None:
        return unanswered(what, heard)
    reply, spans = decode_reply(request, pdu), [heard.took]
    while len(spans) < _TIMES:
        pdu, heard = ask(stream, asked, read)
        if pdu is None:
            return unanswered(what, heard)
        spans.append(heard.took)
    where = f"unit {unit}, function {request.function}, address {request.address}, {request.count} registers"
    if isinstance(reply, Malformed):
        return Probe(what, "fault", f"its answer is wrong ({where}): {reply}")
    told = f"refuses with exception {reply.code:02X}" if isinstance(reply, ExceptionReply) else "reads"
    return Probe(what, "ok", f"{told} ({where}), answers in {took(spans)}")


def _first_read(name: str, unit: int | None) -> tuple[int, Read]:
    if not name:
        return unit or _USUAL_UNIT, Read(3, 0, 1)
    block = find_map(name).plan()[0]
    return block.unit_id if unit is None else unit, Read(block.function, block.address, block.count)


def _tcp_pdu(data: bytes) -> bytes | None:
    frames = [each for each in TcpStream().feed(data) if isinstance(each, TcpFrame)]
    return next((each.pdu for each in frames if each.transaction == _TRANSACTION), None)


def _rtu_pdu(asked: bytes, unit: int, data: bytes) -> bytes | None:
    # An adapter for RS-485 may hear what it sends.
    frame = data.removeprefix(asked)
    whole = len(frame) > 4 and frame[0] == unit and crc_right(frame)
    return frame[1:-2] if whole else None


def probe_console(stream: Stream) -> Probe:
    """Ask a RAPI console for its version."""
    what = "console"
    answer, heard = ask(stream, encode_console("GV"), _console_answer)
    if answer is None:
        return unanswered(what, heard)
    if answer.name != "OK" or len(answer.tokens) < 3:
        return Probe(what, "fault", f"answers the question for its version with {answer.text!r}")
    return Probe(
        what, "ok", f"firmware {answer.tokens[1]}, protocol {answer.tokens[2]}, answers in {took([heard.took])}"
    )


def _console_answer(data: bytes) -> ConsoleFrame | None:
    frames = [each for each in ConsoleFramer().feed(data) if isinstance(each, ConsoleFrame)]
    return next((each for each in frames if each.valid and each.name in ("OK", "NK")), None)


def probe_meter(stream: Stream) -> Probe:
    """Ask the one DL/T 645 meter on the line for its address."""
    what = "meter"
    asked = MeterFrame(WILDCARD, MeterFunction.READ_ADDRESS).encode()
    answer, heard = ask(stream, asked, _meter_answer)
    if answer is None:
        return unanswered(what, heard)
    return Probe(what, "ok", f"DL/T 645 meter {answer.address}, answers in {took([heard.took])}")


def _meter_answer(data: bytes) -> MeterFrame | None:
    frames = [each for each in MeterFramer().feed(data) if isinstance(each, MeterFrame)]
    return next((each for each in frames if each.from_meter), None)


def probe_scpi(stream: Stream) -> Probe:
    """Ask an instrument what it is."""
    what = "instrument"
    line, heard = ask(stream, b"*IDN?\n", lambda data: data if data.endswith(b"\n") else None)
    text = (line or b"").decode("ascii", "replace").strip()
    if not text or not text.isprintable():
        return unanswered(what, heard)
    return Probe(what, "ok", f"{text}, answers in {took([heard.took])}")


def probe_signals(
    stream: Stream, needed: Mapping[str, str], interlocks: Mapping[str, str] | None = None
) -> list[Probe]:
    """Greet a signals box, compare its signals with those that are needed (name to kind), and time its answers.

    ``interlocks`` (name to name on the box) are asked for: an open one is no fault, it keeps the rig from energising.
    """
    welcome: Welcome | Refused | None
    welcome, heard = ask(stream, b"\n" + encode(Hello(version=1, id=1)), _welcome)
    if welcome is None:
        return [unanswered("box", heard)]
    if isinstance(welcome, Refused):
        return [Probe("box", "fault", f"refuses the greeting: {welcome.error}")]
    probes = [_compared(welcome, needed)]
    spans: list[Span] = []
    for number in range(2, 2 + _TIMES):
        done, heard = ask(stream, encode(Set(values={}, id=number)), partial(_done, number))
        if done is None:
            return [*probes, unanswered("delay", heard)]
        spans.append(heard.took)
    delay = Probe("delay", "ok", f"answers in {took(spans)}: half of it counts as uncertainty of every pin")
    return [*probes, delay, *(_interlock(stream, name, on, welcome) for name, on in (interlocks or {}).items())]


def _interlock(stream: Stream, name: str, on: str, welcome: Welcome) -> Probe:
    what = f"interlock {name}"
    signal = welcome.signals.get(on)
    if signal is None or signal.kind != "actuator":
        return Probe(what, "fault", f"the box has no actuator {on} (what it tells the bench of): it counts as open")
    values, heard = ask(stream, encode(Get(names=[on], id=_GET)), _values)
    if values is None or on not in values.values:
        return unanswered(what, heard)
    if values.values[on] >= CLOSED:
        return Probe(what, "ok", f"closed ({on})")
    return Probe(what, "quiet", f"open ({on}): the rig does not energise")


def _compared(welcome: Welcome, needed: Mapping[str, str]) -> Probe:
    name = welcome.box or "a box without a name"
    missing = [each for each in needed if each not in welcome.signals]
    swapped = [
        f"{each} is {welcome.signals[each].kind}, {kind} is due"
        for each, kind in needed.items()
        if each in welcome.signals and welcome.signals[each].kind != kind
    ]
    if swapped:
        return Probe("box", "fault", f"{name}: {'; '.join(swapped)}")
    there = f"{name}: {len(needed) - len(missing)} of {len(needed)} signals"
    if missing:
        return Probe("box", "quiet", f"{there}; it has no {', '.join(missing)} (nothing can depend on these)")
    return Probe("box", "ok", there)


def _answers(data: bytes) -> list[object]:
    return [read_answer(line) for line in data.split(b"\n")[:-1] if line.strip()]


def _welcome(data: bytes) -> Welcome | Refused | None:
    return next((each for each in _answers(data) if isinstance(each, Welcome | Refused)), None)


def _values(data: bytes) -> Values | None:
    return next((each for each in _answers(data) if isinstance(each, Values) and each.id == _GET), None)


def _done(number: int, data: bytes) -> Done | None:
    return next((each for each in _answers(data) if isinstance(each, Done) and each.id == number), None)


__all__ = ["Heard", "probe_console", "probe_meter", "probe_modbus", "probe_scpi", "probe_signals"]
