"""One request in, one reply out, by pymodbus; the data is met through callbacks.

pymodbus' server answers some bad requests in a way that no device should: a quantity of 0 gets
exception 01 to function 0, a coil value of 1 counts as on, a coil write of 2000 is taken. Those are
refused here, before it sees them.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any

from pymodbus.constants import ExcCodes
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import ReadWriteMultipleRegistersRequest

from hil.dut.modbus.spec import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, NO_TARGET, Data, Refused, ServerSpec
from hil.errors import WorldError
from hil.units import Instant

_SIZES = {0x01: 5, 0x02: 5, 0x03: 5, 0x04: 5, 0x05: 5, 0x06: 5, 0x16: 7}
"""Requests of one size; pymodbus ignores what stands behind it."""
_COUNT_AT = 3
"""Where the quantity of a request stands; that of 0x17 to be read stands there too."""
_WRITTEN_AT, _MOST_WRITTEN = 7, 121
"""Where the quantity to be written by 0x17 stands, and the most that it may be."""
_COIL_VALUES = (b"\xff\x00", b"\x00\x00")


class _Context:
    """What pymodbus takes for its datastore."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self.now: Instant = 0
        self._written: Sequence[int] = ()

    def refuses(self, unit: int, address: int, count: int) -> Refused | None:
        """Whether registers to be read by 0x17 cannot be."""
        if address + count > 1 << 16:
            return ILLEGAL_ADDRESS
        found = self._data.read(unit, 0x17, address, count, self.now)
        return found if isinstance(found, Refused) else None

    async def async_getValues(  # noqa: N802 - pymodbus' name
        self, unit: int, function: int, address: int, count: int = 1
    ) -> list[int] | ExcCodes:
        """The values, or the exception."""
        if function in (0x05, 0x06):
            # It asks for what it has just written, to echo it; a device echoes the request.
            return list(self._written)
        if address + count > 1 << 16:
            return ExcCodes(ILLEGAL_ADDRESS.code)
        found = self._data.read(unit, function, address, count, self.now)
        return ExcCodes(found.code) if isinstance(found, Refused) else list(found)

    async def async_setValues(  # noqa: N802 - pymodbus' name
        self, unit: int, function: int, address: int, values: Sequence[int]
    ) -> ExcCodes | None:
        """None, or the exception."""
        if address + len(values) > 1 << 16:
            return ExcCodes(ILLEGAL_ADDRESS.code)
        self._written = values
        refused = self._data.write(unit, function, address, values, self.now)
        return None if refused is None else ExcCodes(refused.code)


class Responder:
    """A device behind any number of lines and connections."""

    def __init__(self, spec: ServerSpec, data: Data) -> None:
        self.spec = spec
        self._context = _Context(data)
        self._decoder = DecodePDU(is_server=True)

    def answer(self, unit: int, pdu: bytes, now: Instant) -> ModbusPDU | None:
        """The reply of the device at an instant; None for silence."""
        spec = self.spec
        function = pdu[0]
        if spec.units is not None and unit not in spec.units:
            return None if spec.foreign == "silent" else _exception(function, NO_TARGET)
        if function & 0x80:
            return None
        if function not in spec.functions:
            return _exception(function, ILLEGAL_FUNCTION) if spec.unknown_function == "exception" else None
        request = None if self._wrong(pdu) else self._decoder.decode(pdu)
        if request is None:
            return _exception(function, ILLEGAL_VALUE)
        self._context.now = now
        if spec.checks_read_first and isinstance(request, ReadWriteMultipleRegistersRequest):
            # It writes before it finds that it cannot read; a refused request must have changed nothing.
            refused = self._context.refuses(unit, request.read_address, request.read_count)
            if refused is not None:
                return _exception(function, refused)
        context: Any = self._context  # it asks for no more than these two methods of its own class
        return _at_once(request.datastore_update(context, unit))

    def _wrong(self, pdu: bytes) -> bool:
        """Whether a request is malformed in a way that pymodbus lets pass."""
        function = pdu[0]
        if len(pdu) != _SIZES.get(function, len(pdu)):
            return True
        if function == 0x05:
            return pdu[3:5] not in _COIL_VALUES
        if function == 0x17 and not 1 <= int.from_bytes(pdu[_WRITTEN_AT : _WRITTEN_AT + 2], "big") <= _MOST_WRITTEN:
            return True
        most = self.spec.quantities.get(function)
        return most is not None and not 1 <= int.from_bytes(pdu[_COUNT_AT : _COUNT_AT + 2], "big") <= most


def _exception(function: int, refused: Refused) -> ModbusPDU:
    return ExceptionResponse(function, refused.code)


def _at_once(coroutine: Coroutine[Any, Any, ModbusPDU]) -> ModbusPDU:
    """Run a coroutine that waits for nothing, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        reply: ModbusPDU = done.value
        return reply
    coroutine.close()
    raise WorldError("pymodbus waited for something while it answered a request")
