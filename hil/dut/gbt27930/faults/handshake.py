"""Seeded faults of the handshake: CHM, insulation test, identification."""

from __future__ import annotations

from hil.dut.gbt27930.fault import Fault, gbt27930, gbt34658
from hil.protocol.j1939 import TpBehaviour
from hil.units import ms, s

_INSULATION = ("ins_check", "ins_rise", "ins_close", "ins_measure", "ins_fall", "ins_open")
_NO_BRM = gbt34658("DN.1001", "DN.1002", "DN.1003")
_BRM = 0x0200

FAULTS = (
    # CHM
    Fault("chm-too-fast", gbt34658("DP.1001"), "sends CHM every 200 ms", "timing", lambda c: c.timing(CHM=ms(200))),
    Fault("chm-too-slow", gbt34658("DP.1001"), "sends CHM every 300 ms", "timing", lambda c: c.timing(CHM=ms(300))),
    Fault(
        "chm-jitter",
        (*gbt34658("DP.1001"), *gbt27930("LL.13")),
        "sends CHM alternately 40 ms early and late",
        "timing",
        lambda c: c.wired("CHM", jitter=ms(40)),
    ),
    Fault("chm-once", gbt34658("DP.1001"), "sends CHM once only", "sequence", lambda c: c.wired("CHM", limit=1)),
    Fault(
        "chm-every-other",
        gbt34658("DP.1001"),
        "leaves every other CHM out",
        "sequence",
        lambda c: c.wired("CHM", every=2),
    ),
    Fault("chm-padded", gbt34658("DP.1001"), "pads CHM to 8 bytes", "content", lambda c: c.wired("CHM", length=8)),
    Fault("chm-short", gbt34658("DP.1001"), "sends CHM of 2 bytes", "content", lambda c: c.wired("CHM", length=2)),
    Fault(
        "chm-wrong-priority",
        gbt34658("DP.1001"),
        "sends CHM with priority 4",
        "content",
        lambda c: c.wired("CHM", priority=4),
    ),
    Fault(
        "chm-version-1.0",
        gbt34658("DP.1001"),
        "announces version V1.0",
        "content",
        lambda c: c.saying("CHM", version=0x000100),
    ),
    Fault(
        "chm-version-swapped",
        gbt34658("DP.1001"),
        "swaps the bytes of the version",
        "content",
        lambda c: c.saying("CHM", version=0x010100),
    ),
    # insulation test and CRM(00)
    Fault(
        "chm-stops-at-bhm",
        gbt34658("DP.1002"),
        "stops CHM during the insulation test",
        "sequence",
        lambda c: c.but(states={**c.states, **{name: c.states[name]._replace(sends=()) for name in _INSULATION}}),
    ),
    Fault(
        "insulation-test-too-long",
        gbt34658("DP.1002"),
        "takes 35 s for the insulation test",
        "timing",
        lambda c: c.timing(insulation=s(35)),
    ),
    Fault(
        "chm-goes-on",
        gbt34658("DP.1002"),
        "goes on with CHM beside CRM(00)",
        "sequence",
        lambda c: c.also_sending("recognise", "CHM"),
    ),
    Fault(
        "crm00-too-slow",
        gbt34658("DP.1002", "DN.1001"),
        "sends CRM(00) every 300 ms",
        "timing",
        lambda c: c.timing(CRM00=ms(300)),
    ),
    Fault(
        "crm00-too-fast",
        gbt34658("DP.1002", "DN.1001"),
        "sends CRM(00) every 200 ms",
        "timing",
        lambda c: c.timing(CRM00=ms(200)),
    ),
    Fault("crm00-short", gbt34658("DP.1002"), "sends CRM of 5 bytes", "content", lambda c: c.wired("CRM00", length=5)),
    Fault(
        "crm00-says-recognised",
        gbt34658("DP.1002"),
        "says AA in CRM before any BRM",
        "content",
        lambda c: c.saying("CRM00", result=0xAA),
    ),
    Fault(
        "crm-skipped",
        gbt34658("DP.1002"),
        "begins with CML after the insulation test",
        "sequence",
        lambda c: c.with_row("ins_open", "poll", "configure", "k1k2_open"),
    ),
    # BRM and CRM(AA)
    Fault(
        "brm-not-taken",
        (*gbt34658("DP.1003"), *gbt27930("LL.01", "LL.04", "LL.05", "LL.06", "LL.08", "LL.11", "LL.15")),
        "never takes BRM in",
        "sequence",
        lambda c: c.but(deaf_to=("BRM",)),
    ),
    Fault(
        "brm-not-acknowledged",
        (*gbt34658("DP.1003"), *gbt27930("LL.07")),
        "sends no EndOfMsgACK",
        "transport",
        lambda c: c.but(tp=TpBehaviour(acknowledge=False)),
    ),
    Fault(
        "brm-not-answered",
        (*gbt34658("DP.1003"), *gbt27930("LL.05", "LL.07", "LL.08", "LL.11", "LL.15")),
        "answers no RTS",
        "transport",
        lambda c: c.but(tp=TpBehaviour(answer_rts=False)),
    ),
    Fault(
        "brm-refused",
        (*gbt34658("DP.1003"), *gbt27930("LL.01", "LL.05", "LL.06", "LL.07", "LL.08", "LL.11")),
        "refuses every connection with an abort",
        "transport",
        lambda c: c.but(tp=TpBehaviour(refuse=1)),
    ),
    Fault(
        "crmaa-late",
        (*gbt34658("DP.1003"), *gbt27930("LL.01", "LL.04", "LL.06", "LL.08")),
        "sends the first CRM(AA) 5.5 s after BRM",
        "timing",
        lambda c: c.timing(T2=s(10)).wired("CRMAA", quiet=s(5.5)),
    ),
    Fault(
        "crm00-goes-on",
        gbt34658("DP.1003"),
        "goes on with CRM(00) beside CRM(AA)",
        "sequence",
        lambda c: c.also_sending("recognised", "CRM00"),
    ),
    Fault(
        "crmaa-too-slow",
        gbt34658("DP.1003", "DN.2001"),
        "sends CRM(AA) every 320 ms",
        "timing",
        lambda c: c.timing(CRMAA=ms(320)),
    ),
    Fault(
        "crmaa-short", gbt34658("DP.1003"), "sends CRM(AA) of 2 bytes", "content", lambda c: c.wired("CRMAA", length=2)
    ),
    Fault(
        "crmaa-wrong-priority",
        gbt34658("DP.1003"),
        "sends CRM(AA) with priority 7",
        "content",
        lambda c: c.wired("CRMAA", priority=7),
    ),
    # time-out T1
    Fault("no-brm-early", _NO_BRM, "reports a missing BRM after 4.5 s", "timing", lambda c: c.timing(T1=s(4.5))),
    Fault("no-brm-late", _NO_BRM, "reports a missing BRM after 6 s", "timing", lambda c: c.timing(T1=s(6))),
    Fault("no-brm-never", _NO_BRM, "waits for BRM for ever", "sequence", lambda c: c.without_rows(trigger="T1")),
    Fault(
        "no-brm-wrong-spn",
        _NO_BRM,
        "reports SPN 3922 for a missing BRM",
        "content",
        lambda c: c.with_row("recognise", "T1", "error", "", ("report:bcp",)),
    ),
    Fault(
        "no-brm-untrusted",
        gbt34658("DN.1001"),
        "reports a missing BRM as untrusted (10) instead of time-out (01)",
        "content",
        lambda c: c.saying("CEM", brm=2),
    ),
    Fault(
        "crm00-beside-cem",
        gbt34658("DN.1001"),
        "goes on with CRM(00) beside CEM",
        "sequence",
        lambda c: c.also_sending("error", "CRM00"),
    ),
    Fault(
        "crm00-stops-before-cem",
        gbt34658("DN.1001"),
        "sends five CRM(00) only",
        "sequence",
        lambda c: c.wired("CRM00", limit=5),
    ),
    Fault("cem-padded", gbt34658("DN.1001"), "pads CEM to 8 bytes", "content", lambda c: c.wired("CEM", length=8)),
    Fault(
        "cem-wrong-priority",
        gbt34658("DN.1001"),
        "sends CEM with priority 4",
        "content",
        lambda c: c.wired("CEM", priority=4),
    ),
    Fault("cem-too-slow", gbt34658("DN.1001"), "sends CEM every 500 ms", "timing", lambda c: c.timing(CEM=ms(500))),
    Fault("cem-once", gbt34658("DN.1001"), "sends CEM once only", "sequence", lambda c: c.wired("CEM", limit=1)),
    Fault(
        "cem-zero-fill",
        gbt34658("DN.1001"),
        "leaves the undefined bits of CEM at 0",
        "content",
        lambda c: c.wired("CEM", clear_bits=bytes.fromhex("FCF0C0FC")),
    ),
    Fault(
        "cem-packed",
        gbt34658("DN.2001"),
        "packs the fields of CEM without gaps",
        "content",
        lambda c: c.wired("CEM", set_bits=b"\x04", clear_bits=b"\x08\x0f"),
    ),
    # BRM without the transport protocol, and what is no BRM
    Fault(
        "brm-by-nominal-id",
        gbt34658("DN.1002"),
        "takes a single frame with BRM's nominal id for BRM",
        "transport",
        lambda c: c.but(accept_untransported=("BRM",), accept_values=True),
    ),
    Fault(
        "brm-without-rts",
        gbt34658("DN.1002"),
        "takes data packets that no RTS announced for BRM",
        "transport",
        lambda c: c.but(tp=TpBehaviour(accept_without_rts=True, assume_pgn=_BRM, assume_size=49)),
    ),
    Fault(
        "bhm-taken-for-brm",
        gbt34658("DN.1003"),
        "recognises the vehicle by BHM",
        "sequence",
        lambda c: c.with_row("recognise", "BHM", "recognised"),
    ),
    Fault(
        "brm-restarts-t2",
        gbt34658("DN.1004"),
        "waits anew for BCP at every BRM",
        "timing",
        lambda c: c.with_row("recognised", "BRM", "", "", ("restart:T2",)),
    ),
    Fault(
        "repeated-brm-not-served",
        gbt34658("DN.1004"),
        "answers no further RTS of BRM after CRM(AA)",
        "transport",
        lambda c: c.but(tp_deaf={"recognised": ("BRM",)}),
    ),
    Fault(
        "repeated-brm-goes-back",
        gbt34658("DN.1004"),
        "falls back to CRM(00) at a repeated BRM",
        "sequence",
        lambda c: c.with_row("recognised", "BRM", "recognise"),
    ),
)
