"""How seeded faults of the reference Modbus device are written, and what they are made of."""

from __future__ import annotations

from pymodbus.framer import FramerRTU

from hil.dut.faults import SeededFault
from hil.dut.modbus.device import RTU, DeviceSpec


class Fault(SeededFault[DeviceSpec]):
    """One defect of the reference Modbus device."""

    dut = "modbus"


def cases(*names: str) -> tuple[str, ...]:
    """Requirement ids of the Modbus suite."""
    return tuple(f"MODBUS/{name}" for name in names)


def pdu_of(line: str, frame: bytes) -> bytes:
    """The PDU in a frame."""
    return frame[1:-2] if line == RTU else frame[7:]


def with_pdu(line: str, frame: bytes, pdu: bytes) -> bytes:
    """A frame with another PDU, right in all else."""
    if line == RTU:
        return checked(frame[:1] + pdu)
    return frame[:4] + (1 + len(pdu)).to_bytes(2, "big") + frame[6:7] + pdu


def checked(body: bytes) -> bytes:
    """Address and PDU with their CRC."""
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")
