"""Faults in items, errors, the clock and the baud rate."""

from __future__ import annotations

from hil.dut.dlt645.fault import Fault, cases
from hil.protocol.dlt645 import ErrorWord, Function

_UNKNOWN = 0x0F0F0F0F

FAULTS = (
    Fault(
        "dlt645-no-bcd",
        cases("RD.01"),
        "tells a voltage that is no BCD",
        "content",
        lambda m: m.saying(0x02010100, b"\x0e\x22"),
    ),
    Fault(
        "dlt645-current-4-bytes",
        cases("RD.01"),
        "tells a current in four bytes",
        "content",
        lambda m: m.saying(0x02020100, bytes(4)),
    ),
    Fault(
        "dlt645-date-cut",
        cases("RD.01"),
        "leaves the weekday out of the date",
        "content",
        lambda m: m.saying(0x04000101, bytes.fromhex("05 06 26")),
    ),
    Fault(
        "dlt645-energy-high",
        cases("RD.02"),
        "tells a tenth too much forward energy",
        "content",
        lambda m: m.misreading(0x00010000, 1.1),
    ),
    Fault(
        "dlt645-combined-nil",
        cases("RD.02"),
        "tells no combined energy",
        "content",
        lambda m: m.misreading(0x00000000, 0.0),
    ),
    Fault(
        "dlt645-voltage-high",
        cases("RD.02", "RD.03"),
        "tells 2 % too much voltage for L1",
        "content",
        lambda m: m.misreading(0x02010100, 1.02).saying(0x0201FF00, bytes.fromhex("00 23 00 23 00 23")),
    ),
    Fault(
        "dlt645-current-low",
        cases("RD.02"),
        "tells 2 % too little current",
        "content",
        lambda m: m.misreading(0x02020100, 0.98),
    ),
    Fault(
        "dlt645-power-watt",
        cases("RD.02"),
        "tells the power of one phase as that of all",
        "content",
        lambda m: m.misreading(0x02030000, 1 / 3),
    ),
    Fault(
        "dlt645-high-byte-first",
        cases("RD.02"),
        "sends the highest byte of a value first",
        "content",
        lambda m: m.but(high_first=True),
    ),
    Fault(
        "dlt645-block-of-two",
        cases("RD.03"),
        "leaves a phase out of a block",
        "content",
        lambda m: m.saying(0x0202FF00, bytes(6)),
    ),
    Fault(
        "dlt645-block-total-last",
        cases("RD.03"),
        "begins the block of energies with a tariff",
        "content",
        lambda m: m.saying(0x0001FF00, bytes(20)),
    ),
    Fault(
        "dlt645-reads-mute",
        cases("FR.01", "RD.01", "RD.04", "FR.08", "FR.09"),
        "does not answer reads",
        "robustness",
        lambda m: m.silent_on(Function.READ),
    ),
    Fault(
        "dlt645-no-following",
        cases("FF.01"),
        "does not answer for following frames",
        "sequence",
        lambda m: m.without(Function.READ_FOLLOWING),
    ),
    Fault(
        "dlt645-following-refused",
        cases("FF.01"),
        "says that more follows and then has none",
        "sequence",
        lambda m: m.refusing(Function.READ_FOLLOWING, ErrorWord.NO_SUCH_DATA),
    ),
    Fault(
        "dlt645-long-frames",
        cases("FF.01"),
        "puts 250 data bytes into a frame",
        "content",
        lambda m: m.but(room=250),
    ),
    Fault(
        "dlt645-unknown-is-nil",
        cases("ER.01"),
        "tells 0 for an item that it does not have",
        "content",
        lambda m: m.saying(_UNKNOWN, bytes(4)),
    ),
    Fault(
        "dlt645-reads-fail",
        cases("RD.01", "ER.01"),
        "answers every read by bit 0 of the error word",
        "content",
        lambda m: m.refusing(Function.READ, ErrorWord.OTHER),
    ),
    Fault(
        "dlt645-password-unread",
        cases("ER.02", "PW.01", "CL.01", "RL.02"),
        "asks for no password",
        "robustness",
        lambda m: m.but(checks_password=False),
    ),
    Fault(
        "dlt645-refuses-otherwise",
        cases("ER.02"),
        "answers a wrong password by bit 0 of the error word",
        "content",
        lambda m: m.refusing(Function.WRITE, ErrorWord.OTHER),
    ),
    Fault(
        "dlt645-answers-broadcast",
        cases("BC.01", "BC.02"),
        "answers a broadcast",
        "sequence",
        lambda m: m.but(answers_broadcast=True),
    ),
    Fault(
        "dlt645-year-first",
        cases("BC.01"),
        "reads the year first in a broadcast time",
        "content",
        lambda m: m.but(time_year_first=True),
    ),
    Fault(
        "dlt645-clock-unset",
        cases("BC.01"),
        "does not set its clock by a broadcast",
        "content",
        lambda m: m.but(sets_clock=False),
    ),
    Fault(
        "dlt645-baud-kept",
        cases("BR.01"),
        "answers for another baud rate and does not take it",
        "sequence",
        lambda m: m.but(retunes=False),
    ),
    Fault(
        "dlt645-baud-refused-otherwise",
        cases("BR.01", "BR.02"),
        "refuses another baud rate by bit 0 of the error word",
        "content",
        lambda m: m.refusing(Function.CHANGE_BAUD, ErrorWord.OTHER),
    ),
)
