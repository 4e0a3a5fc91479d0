"""Faults in what the meter lets itself be told."""

from __future__ import annotations

from hil.dut.dlt645.fault import Fault, cases
from hil.protocol.dlt645 import ErrorWord, Function

FAULTS = (
    Fault(
        "dlt645-write-forgotten",
        cases("WR.01", "AD.03"),
        "answers for what it is told and does not keep it",
        "content",
        lambda m: m.but(stores=False),
    ),
    Fault(
        "dlt645-writes-refused",
        cases("WR.01", "WR.02"),
        "answers every write by bit 0 of the error word",
        "content",
        lambda m: m.refusing(Function.WRITE, ErrorWord.OTHER),
    ),
    Fault(
        "dlt645-freeze-mute",
        cases("FZ.01"),
        "does not answer a freeze",
        "robustness",
        lambda m: m.silent_on(Function.FREEZE),
    ),
    Fault(
        "dlt645-output-untold",
        cases("MF.01"),
        "leaves the byte out of the answer for an output",
        "content",
        lambda m: m.but(empty=frozenset({Function.OUTPUT})),
    ),
    Fault(
        "dlt645-security-mute",
        cases("SE.01"),
        "does not answer a security authentication",
        "robustness",
        lambda m: m.without(Function.SECURITY),
    ),
    Fault(
        "dlt645-any-baud",
        cases("BR.02"),
        "answers for a baud rate that does not exist",
        "robustness",
        lambda m: m.but(any_baud=True),
    ),
    Fault(
        "dlt645-clear-refused",
        cases("CL.02", "CL.03"),
        "refuses to be cleared with the right password",
        "content",
        lambda m: (
            m.refusing(Function.CLEAR_DEMAND, ErrorWord.NOT_AUTHORISED)
            .refusing(Function.CLEAR_METER, ErrorWord.NOT_AUTHORISED)
            .refusing(Function.CLEAR_EVENTS, ErrorWord.NOT_AUTHORISED)
        ),
    ),
    Fault(
        "dlt645-clear-idle",
        cases("CL.03"),
        "answers for being cleared and counts on",
        "content",
        lambda m: m.but(clears=False),
    ),
    Fault(
        "dlt645-operator-first",
        cases("WR.01", "CL.02", "RL.01"),
        "looks for the password behind the operator's code",
        "content",
        lambda m: m.but(password_first=False),
    ),
    Fault(
        "dlt645-relay-mute",
        cases("RL.01", "RL.02"),
        "does not answer relay commands",
        "robustness",
        lambda m: m.silent_on(Function.RELAY),
    ),
    Fault(
        "dlt645-relay-any",
        cases("RL.03"),
        "carries out relay commands that have expired",
        "robustness",
        lambda m: m.but(any_relay=True),
    ),
)
