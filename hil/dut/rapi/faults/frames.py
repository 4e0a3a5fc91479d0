"""Faults in frames, checksums and sequence ids."""

from __future__ import annotations

from hil.dut.rapi.fault import Fault, cases
from hil.protocol.rapi import Check

FAULTS = (
    Fault(
        "rapi-checksum-off",
        cases("FR.01", "FR.02", "FR.03", "FR.05"),
        "counts one too many in the checksum of a reply",
        "content",
        lambda c: c.but(check_offset=1),
    ),
    Fault(
        "rapi-checksum-lower-case",
        cases("FR.01"),
        "writes a reply's checksum in lower case",
        "content",
        lambda c: c.but(lower_case=True),
    ),
    Fault(
        "rapi-checksum-additive-only",
        cases("FR.01"),
        "takes no XOR checksum",
        "content",
        lambda c: c.but(checks=(Check.SUM, Check.NONE)),
    ),
    Fault(
        "rapi-no-additive-checksum",
        cases("FR.02"),
        "takes no additive checksum",
        "content",
        lambda c: c.but(checks=(Check.XOR, Check.NONE)),
    ),
    Fault(
        "rapi-checksum-demanded",
        cases("FR.03"),
        "takes no command without a checksum",
        "content",
        lambda c: c.but(checks=(Check.XOR, Check.SUM)),
    ),
    Fault(
        "rapi-replies-unchecked",
        cases("FR.01"),
        "sends replies without a checksum",
        "content",
        lambda c: c.but(reply_check=Check.NONE),
    ),
    Fault("rapi-no-ids", cases("FR.04"), "leaves sequence ids out", "content", lambda c: c.but(ids=False)),
    Fault(
        "rapi-checksum-unread",
        cases("FR.05"),
        "carries out a command with a wrong checksum",
        "robustness",
        lambda c: c.but(verify=False),
    ),
    Fault(
        "rapi-id-of-broken-frame",
        cases("FR.05"),
        "repeats the sequence id of a frame with a wrong checksum",
        "content",
        lambda c: c.but(id_with_bad_check=True),
    ),
    Fault(
        "rapi-any-parameters",
        cases("FR.06"),
        "takes any number of parameters",
        "robustness",
        lambda c: c.but(any_count=True),
    ),
    Fault("rapi-long-buffer", cases("FR.07"), "answers an overlong frame", "robustness", lambda c: c.but(buffer=63)),
    Fault(
        "rapi-no-resync",
        cases("FR.08"),
        "takes a dollar sign inside a frame for one of its characters",
        "robustness",
        lambda c: c.but(resync=False),
    ),
    Fault(
        "rapi-many-tokens",
        cases("FR.09"),
        "takes a command of eleven tokens",
        "robustness",
        lambda c: c.but(max_tokens=16),
    ),
    Fault(
        "rapi-names-whole",
        cases("FR.11"),
        "knows commands by their whole first token",
        "robustness",
        lambda c: c.but(whole_names=True),
    ),
    Fault(
        "rapi-checksum-exact",
        cases("FR.11"),
        "refuses a frame with characters behind its checksum",
        "robustness",
        lambda c: c.but(exact_check=True),
    ),
    Fault(
        "rapi-text-spoils",
        cases("FR.12"),
        "refuses a frame that stands behind text",
        "recovery",
        lambda c: c.but(text_spoils=True),
    ),
    Fault("rapi-ends-with-lf", cases("FR.10"), "ends replies with CR LF", "content", lambda c: c.but(line_end="\r\n")),
    Fault(
        "rapi-silent-on-versions",
        cases("FR.04", "FR.08", "FR.10", "GT.01"),
        "does not answer GV",
        "robustness",
        lambda c: c.silent_on("GV"),
    ),
)
