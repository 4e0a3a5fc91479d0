"""Seeded faults in the bytes of the charger's frames: order, codes, padding, address, what is said twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hil.dut.gbt27930.fault import Fault, gbt27930, gbt34657, gbt34658
from hil.dut.gbt27930.spec import ChargerSpec, WireEdit
from hil.units import ms

_WRONG_SOURCE = 0xF5
_BMS = 0xF4
_CASES = {
    "CHM": gbt34657("D0.1001"),
    "CRM00": gbt34658("DP.1002"),
    "CRMAA": gbt34658("DP.1003"),
    "CML": gbt34658("DP.2001"),
    "CROAA": gbt34658("DP.2003"),
    "CCS": gbt34658("DP.3001"),
    "CST": gbt34658("DP.3003", "DP.3006", "DP.3007"),
    "CSD": gbt34658("DP.4001"),
    "CEM": gbt34658("DN.1001", "DN.1003", "DN.2001", "DN.2003", "DN.3005", "DN.3006", "DN.4001"),
}
"""The cases of which each is the answer; for others it is the way to what they are about."""
_SHOWN = {"CRM00": "CRM(00)", "CRMAA": "CRM(AA)", "CRO00": "CRO(00)", "CROAA": "CRO(AA)"}
_REPORTS = {
    "brm": ("BRM", gbt34658("DN.1001", "DN.1002", "DN.1003"), 0, 0),
    "bcp": ("BCP", gbt34658("DN.1004", "DN.2001", "DN.2002"), 1, 0),
    "bro": ("BRO", gbt34658("DN.2003", "DN.2004", "DN.2006", "DN.2007"), 1, 2),
    "bcs": ("BCS", gbt34658("DN.3001", "DN.3003", "DN.3005", "DN.3007"), 2, 0),
    "bcl": ("BCL", gbt34658("DN.2010", "DN.3002", "DN.3004", "DN.3006", "DN.3008"), 2, 2),
    "bst": ("BST", gbt34658("DN.3009", "DN.3010"), 2, 4),
    "bsd": ("BSD", gbt34658("DN.4001", "DN.4002", "DN.4003", "DN.4004"), 3, 0),
}
"""Message, cases in which it is missing, its byte in CEM and its lower bit there, from 0 (sheet 3.19)."""


def _frames() -> Iterator[Fault]:
    for send, breaks in _CASES.items():
        shown, name = _SHOWN.get(send, send), send.lower()
        yield Fault(
            f"{name}-from-another-address",
            breaks,
            f"sends {shown} from address 0xF5",
            "content",
            lambda c, send=send: c.wired(send, source=_WRONG_SOURCE),  # type: ignore[misc]  # binds the loop's value
        )
        yield Fault(
            f"{name}-as-the-vehicle",
            breaks,
            f"sends {shown} from the vehicle's address",
            "content",
            lambda c, send=send: c.wired(send, source=_BMS),  # type: ignore[misc]  # binds the loop's value
        )


def _reporting(edit: WireEdit) -> Callable[[ChargerSpec], ChargerSpec]:
    return lambda spec: spec.but(wire={**spec.wire, "CEM": edit})


def _reports() -> Iterator[Fault]:
    for item, (message, breaks, byte, bit) in _REPORTS.items():
        only, before = ((item, 1),), bytes(byte)
        timeout, untrusted = before + bytes([1 << bit]), before + bytes([2 << bit])
        upper, not_upper = before + b"\x40", before + bytes([0x80 | 1 << bit])
        if item != "brm":
            yield Fault(
                f"cem-{item}-untrusted",
                breaks,
                f"reports a missing {message} as untrusted (10) instead of time-out (01)",
                "content",
                _reporting(WireEdit(set_bits=untrusted, clear_bits=timeout, only=only)),
            )
        yield Fault(
            f"cem-{item}-also-in-another-byte",
            breaks,
            f"reports a missing {message} and a second time-out",
            "content",
            _reporting(WireEdit(set_bits=bytes(0 if byte else 3) + b"\x01", only=only)),
        )
        yield Fault(
            f"cem-{item}-in-the-upper-bits",
            breaks,
            f"reports a missing {message} in bits 7 and 8 of its byte",
            "content",
            _reporting(WireEdit(set_bits=upper, clear_bits=not_upper, only=only)),
        )


FAULTS = (
    *_frames(),
    *_reports(),
    # codes
    Fault(
        "crm00-unknown-code",
        gbt34658("DP.1002"),
        "says 55 in CRM before any BRM",
        "content",
        lambda c: c.wired("CRM00", set_bits=b"\x55"),
    ),
    Fault(
        "crmaa-unknown-code",
        gbt34658("DP.1003"),
        "says FF in CRM when it has recognised the vehicle",
        "content",
        lambda c: c.wired("CRMAA", set_bits=b"\xff"),
    ),
    Fault(
        "croaa-unknown-code",
        gbt34658("DP.2003"),
        "says FF in CRO when it is ready",
        "content",
        lambda c: c.wired("CROAA", set_bits=b"\xff"),
    ),
    Fault(
        "cro00-unknown-code",
        gbt34658("DP.2003"),
        "says 01 in CRO while it is not ready",
        "content",
        lambda c: c.wired("CRO00", set_bits=b"\x01"),
    ),
    Fault(
        "ccs-permission-untrusted",
        gbt34658("DP.3001", "DP.3004", "DP.3005"),
        "says 11 for charging permitted in CCS",
        "content",
        lambda c: c.wired("CCS", set_bits=bytes(6) + b"\x03"),
    ),
    Fault(
        "ccs-permission-in-the-upper-bits",
        gbt34658("DP.3001", "DP.3004"),
        "tells the permission of CCS in bits 7 and 8",
        "content",
        lambda c: c.wired("CCS", set_bits=bytes(6) + b"\x40", clear_bits=bytes(6) + b"\x81"),
    ),
    Fault(
        "cst-all-causes",
        (*gbt34658("DP.3003", "DP.3006", "DP.3007", "DN.4001", "DN.4003"), *gbt34657("D0.5001")),
        "gives every cause in CST",
        "content",
        lambda c: c.wired("CST", set_bits=b"\x55", clear_bits=b"\xaa"),
    ),
    Fault(
        "cst-no-cause",
        (*gbt34658("DP.3003", "DP.3006", "DP.3007"), *gbt34657("D0.4502", "D0.4503", "D0.4506", "D0.5001")),
        "gives no cause in CST",
        "content",
        lambda c: c.wired("CST", clear_bits=b"\xff"),
    ),
    Fault(
        "cst-causes-untrusted",
        gbt34658("DP.3003", "DP.3006", "DP.3007"),
        "says untrusted (10) for every cause in CST",
        "content",
        lambda c: c.wired("CST", set_bits=b"\xaa", clear_bits=b"\x55"),
    ),
    Fault(
        "cst-bytes-turned",
        (*gbt34658("DP.3003", "DP.3006", "DP.3007"), *gbt34657("D0.5001")),
        "sends the bytes of CST in reverse order",
        "content",
        lambda c: c.wired("CST", swap=((1, 4), (2, 3))),
    ),
    # byte order, offset, sign
    Fault(
        "ccs-voltage-big-endian",
        gbt27930("RG.06"),
        "sends the voltage of CCS with the high byte first",
        "content",
        lambda c: c.wired("CCS", swap=((1, 2),)),
    ),
    Fault(
        "ccs-current-big-endian",
        (*gbt27930("RG.06"), *gbt34657("D0.4001")),
        "sends the current of CCS with the high byte first",
        "content",
        lambda c: c.wired("CCS", swap=((3, 4),)),
    ),
    Fault(
        "ccs-voltage-and-current-exchanged",
        (*gbt27930("RG.06"), *gbt34657("D0.4001")),
        "exchanges voltage and current in CCS",
        "content",
        lambda c: c.wired("CCS", swap=((1, 3), (2, 4))),
    ),
    Fault(
        "ccs-current-sign",
        (*gbt27930("RG.06"), *gbt34657("D0.4001")),
        "tells the current of CCS with the wrong sign",
        "content",
        lambda c: c.powered(current_gain=-1.0),
    ),
    Fault(
        "ccs-minutes-big-endian",
        gbt27930("RG.06"),
        "sends the minutes of CCS with the high byte first",
        "content",
        lambda c: c.wired("CCS", swap=((5, 6),)),
    ),
    Fault(
        "ccs-minutes-stand-still",
        gbt27930("RG.06"),
        "never counts the minutes of CCS",
        "content",
        lambda c: c.powered(time_gain=0),
    ),
    Fault(
        "ccs-voltage-rounded",
        gbt27930("RG.06"),
        "tells 4 V too little in CCS",
        "content",
        lambda c: c.powered(voltage_offset=-4.0),
    ),
    Fault(
        "ccs-stale",
        (*gbt27930("RG.06"), *gbt34657("D0.4001"), *gbt34658("DP.3005")),
        "repeats the content of its first CCS for ever",
        "content",
        lambda c: c.wired("CCS", stale=True),
    ),
    Fault(
        "csd-number-big-endian",
        gbt34658("DP.4001"),
        "sends the charger number of CSD with the high byte first",
        "content",
        lambda c: c.wired("CSD", swap=((5, 8), (6, 7))),
    ),
    Fault(
        "csd-number-one-byte-off",
        gbt34658("DP.4001"),
        "sends the charger number of CSD one byte too early",
        "content",
        lambda c: c.wired("CSD", swap=((4, 5), (5, 6), (6, 7), (7, 8))),
    ),
    Fault(
        "chm-version-one-byte-off",
        (*gbt34658("DP.1001"), *gbt27930("LL.11")),
        "sends the version of CHM one byte too late",
        "content",
        lambda c: c.wired("CHM", swap=((2, 1), (3, 2), (1, 3))),
    ),
    Fault(
        "chm-version-2.1",
        (*gbt34658("DP.1001"), *gbt27930("LL.11")),
        "announces version V2.1",
        "content",
        lambda c: c.saying("CHM", version=0x000201),
    ),
    # out of turn
    Fault(
        "chm-said-again",
        gbt34658("DP.1002"),
        "sends CHM once more half a second after CRM(00)",
        "sequence",
        lambda c: c.doing("recognise", ms(500), "say:CHM"),
    ),
    Fault(
        "crm00-said-again",
        gbt34658("DP.1003"),
        "sends CRM(00) once more half a second after CRM(AA)",
        "sequence",
        lambda c: c.doing("recognised", ms(500), "say:CRM00"),
    ),
    Fault(
        "crmaa-said-again",
        gbt34658("DP.2001"),
        "sends CRM(AA) once more half a second after CML",
        "sequence",
        lambda c: c.doing("configure", ms(500), "say:CRMAA"),
    ),
    Fault(
        "croaa-said-again",
        gbt34658("DP.3001"),
        "sends CRO(AA) once more half a second after CCS",
        "sequence",
        lambda c: c.doing("charging", ms(500), "say:CROAA"),
    ),
    Fault(
        "ccs-said-again",
        gbt34658("DP.3003", "DP.3006", "DP.3007"),
        "sends CCS once more 0.1 s after CST",
        "sequence",
        lambda c: c.doing(("stopping", "answered"), ms(100), "say:CCS"),
    ),
    Fault(
        "cro-beside-cml",
        gbt34658("DP.2002"),
        "sends CRO(00) beside CML",
        "sequence",
        lambda c: c.also_sending("configure", "CRO00"),
    ),
    Fault(
        "cem-said-while-charging",
        (*gbt34658("DP.3002"), *gbt27930("LL.12", "LL.13")),
        "sends one CEM six seconds after charging began",
        "sequence",
        lambda c: c.doing("charging", ms(6000), "say:CEM"),
    ),
)
