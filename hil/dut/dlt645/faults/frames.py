"""Faults in frames, addresses and times."""

from __future__ import annotations

from hil.dut.dlt645.fault import Fault, cases
from hil.protocol.dlt645 import Function
from hil.units import ms, s

FAULTS = (
    Fault(
        "dlt645-checksum-off",
        cases("FR.01"),
        "counts one too many in the checksum of an answer",
        "content",
        lambda m: m.but(check_offset=1),
    ),
    Fault("dlt645-end-missing", cases("FR.01"), "ends an answer with 17", "content", lambda m: m.but(end=0x17)),
    Fault(
        "dlt645-answer-bit-missing",
        cases("FR.01"),
        "leaves bit 7 of the control code out",
        "content",
        lambda m: m.but(answer_bit=False),
    ),
    Fault(
        "dlt645-needs-waking",
        cases("FR.02"),
        "does not hear a request without wake-up bytes",
        "robustness",
        lambda m: m.but(wakes=1),
    ),
    Fault(
        "dlt645-needs-four",
        cases("FR.02"),
        "hears a request after four wake-up bytes only",
        "robustness",
        lambda m: m.but(wakes=4),
    ),
    Fault("dlt645-wakes-long", cases("FR.02"), "sends six wake-up bytes", "content", lambda m: m.but(wake=6)),
    Fault("dlt645-plain-data", cases("FR.03"), "does not add 0x33", "content", lambda m: m.but(shift=0)),
    Fault("dlt645-adds-32", cases("FR.01", "FR.03"), "adds 0x32", "content", lambda m: m.but(shift=0x32)),
    Fault(
        "dlt645-checksum-unread",
        cases("FR.04"),
        "answers a request with a wrong checksum",
        "robustness",
        lambda m: m.but(verify=False),
    ),
    Fault(
        "dlt645-answers-others",
        cases("FR.05"),
        "answers whatever the address",
        "robustness",
        lambda m: m.but(answers_strangers=True),
    ),
    Fault(
        "dlt645-parity-unread",
        cases("FR.06"),
        "answers a request with a parity error",
        "robustness",
        lambda m: m.but(believes_flaws=True),
    ),
    Fault(
        "dlt645-needs-quiet",
        cases("FR.08"),
        "does not find a request behind noise",
        "recovery",
        lambda m: m.but(needs_quiet=s(1)),
    ),
    Fault(
        "dlt645-begins-anew",
        cases("FR.09"),
        "takes a 68 among the data for the begin of a frame",
        "robustness",
        lambda m: m.but(begins_anew=True),
    ),
    Fault(
        "dlt645-answers-answers",
        cases("FR.10"),
        "takes an answer for a request",
        "robustness",
        lambda m: m.but(answers_answers=True),
    ),
    Fault("dlt645-hasty", cases("FR.07"), "drops a frame after 100 ms", "timing", lambda m: m.but(gap=ms(100))),
    Fault(
        "dlt645-never-drops",
        cases("FR.07"),
        "waits 10 s for the rest of a frame",
        "recovery",
        lambda m: m.but(gap=s(10)),
    ),
    Fault(
        "dlt645-no-wildcard",
        cases("AD.01", "AD.02"),
        "answers to its whole address only",
        "content",
        lambda m: m.but(wildcard=False),
    ),
    Fault(
        "dlt645-address-untold",
        cases("AD.01"),
        "does not tell its address",
        "content",
        lambda m: m.without(Function.READ_ADDRESS),
    ),
    Fault("dlt645-too-fast", cases("TM.01"), "answers after 5 ms", "timing", lambda m: m.but(answer_delay=ms(5))),
    Fault("dlt645-too-slow", cases("TM.01"), "answers after 700 ms", "timing", lambda m: m.but(answer_delay=ms(700))),
)
