"""Seeded faults of parameter configuration: BCP, CML, CTS, BRO, CRO."""

from __future__ import annotations

from hil.dut.gbt27930.fault import Fault, gbt27930, gbt34658
from hil.protocol.j1939 import TpBehaviour
from hil.units import ms, s

_NO_BCP = gbt34658("DN.1004", "DN.2001", "DN.2002")
_NO_BRO = gbt34658("DN.2003", "DN.2004", "DN.2006")
_LOST_BRO = gbt34658("DN.2007", "DN.2008")
_READYING = ("verify", "precharge", "closing")
_BCP = 0x0600
_BRO_PGN = 0x0900
_UNUSED_PGN = 0x2800
_WRONG_SOURCE = 0xF5

FAULTS = (
    # BCP, CML, CTS
    Fault("bcp-not-taken", gbt34658("DP.2001"), "never takes BCP in", "sequence", lambda c: c.but(deaf_to=("BCP",))),
    Fault(
        "cml-late",
        gbt34658("DP.2001"),
        "sends the first CML 5.5 s after BCP",
        "timing",
        lambda c: c.timing(T3=s(12)).wired("CML", quiet=s(5.5)),
    ),
    Fault("cml-too-fast", gbt34658("DP.2001"), "sends CML every 210 ms", "timing", lambda c: c.timing(CML=ms(210))),
    Fault(
        "cml-too-slow",
        (*gbt34658("DP.2001", "DP.2002"), *gbt27930("LL.13")),
        "sends CML every 500 ms, as CTS",
        "timing",
        lambda c: c.timing(CML=ms(500)),
    ),
    Fault(
        "cml-of-2011",
        gbt34658("DP.2001"),
        "sends CML of 6 bytes, as in 2011",
        "content",
        lambda c: c.wired("CML", length=6),
    ),
    Fault(
        "cml-wrong-priority",
        gbt34658("DP.2001"),
        "sends CML with priority 3",
        "content",
        lambda c: c.wired("CML", priority=3),
    ),
    Fault(
        "crmaa-goes-on",
        gbt34658("DP.2001"),
        "goes on with CRM(AA) beside CML",
        "sequence",
        lambda c: c.also_sending("configure", "CRMAA"),
    ),
    Fault(
        "cts-padded",
        (*gbt34658("DP.2001"), *gbt27930("LL.13")),
        "pads CTS to 8 bytes",
        "content",
        lambda c: c.wired("CTS", length=8),
    ),
    Fault("cts-too-fast", gbt34658("DP.2001"), "sends CTS every 250 ms", "timing", lambda c: c.timing(CTS=ms(250))),
    # vehicle not ready
    Fault(
        "cml-gives-up",
        gbt34658("DP.2002", "DN.2005"),
        "sends ten CML and no more",
        "sequence",
        lambda c: c.wired("CML", limit=10),
    ),
    Fault(
        "bro00-taken-for-ready",
        gbt34658("DP.2002", "DN.2005"),
        "takes BRO(00) for ready",
        "sequence",
        lambda c: c.with_row("configure", "BRO00", "verify"),
    ),
    Fault(
        "bro00-taken-for-end",
        gbt34658("DP.2002"),
        "ends the session at BRO(00), as in 2011",
        "sequence",
        lambda c: c.with_row("configure", "BRO00", "closed_down"),
    ),
    # CRO
    Fault(
        "cro-padded", gbt34658("DP.2003"), "pads CRO(AA) to 8 bytes", "content", lambda c: c.wired("CROAA", length=8)
    ),
    Fault(
        "cml-beside-cro",
        gbt34658("DP.2003"),
        "goes on with CML beside CRO(00)",
        "sequence",
        lambda c: (
            c.also_sending("verify", "CML")
            .also_sending("precharge", "CML")
            .also_sending("closing", "CML")
            .also_sending("ready", "CML")
        ),
    ),
    Fault(
        "cro-undefined-value",
        gbt34658("DP.2003"),
        "says 01 in CRO while it prepares",
        "content",
        lambda c: c.saying("CRO00", ready=0x01),
    ),
    Fault(
        "croaa-too-slow",
        gbt34658("DP.2003"),
        "sends CRO(AA) every 280 ms",
        "timing",
        lambda c: c.timing(CROAA=ms(280)),
    ),
    Fault(
        "cro00-too-slow",
        gbt34658("DN.2007", "DN.2008"),
        "sends CRO(00) every 500 ms",
        "timing",
        lambda c: c.timing(CRO00=ms(500)),
    ),
    Fault(
        "never-ready",
        gbt34658("DP.2003"),
        "never comes to close its contactors",
        "sequence",
        lambda c: c.without_rows(state="precharge", trigger="poll"),
    ),
    Fault(
        "croaa-late",
        gbt34658("DP.2003"),
        "is ready only 61 s after BRO(AA)",
        "timing",
        lambda c: c.timing(T6=s(80), T7=s(80)).wired("CROAA", quiet=s(61)),
    ),
    Fault(
        "broaa-not-taken",
        gbt34658("DP.2003"),
        "does not notice BRO(AA)",
        "sequence",
        lambda c: c.without_rows(state="configure", trigger="BROAA"),
    ),
    Fault(
        "cro-wrong-priority",
        gbt34658("DP.2003"),
        "sends CRO with priority 6",
        "content",
        lambda c: c.wired("CROAA", priority=6),
    ),
    # time-out T2
    Fault("no-bcp-early", _NO_BCP, "reports a missing BCP after 4.5 s", "timing", lambda c: c.timing(T2=s(4.5))),
    Fault("no-bcp-late", _NO_BCP, "reports a missing BCP after 6 s", "timing", lambda c: c.timing(T2=s(6))),
    Fault("no-bcp-never", _NO_BCP, "waits for BCP for ever", "sequence", lambda c: c.without_rows(trigger="T2")),
    Fault(
        "no-bcp-wrong-spn",
        _NO_BCP,
        "reports SPN 3921 for a missing BCP",
        "content",
        lambda c: c.with_row("recognised", "T2", "error", "", ("report:brm",)),
    ),
    Fault(
        "bcp-by-nominal-id",
        gbt34658("DN.2002"),
        "takes a single frame with BCP's nominal id for BCP",
        "transport",
        lambda c: c.but(accept_untransported=("BCP",), accept_values=True),
    ),
    Fault(
        "bcp-without-rts",
        gbt34658("DN.2002"),
        "takes data packets that no RTS announced for BCP",
        "transport",
        lambda c: c.but(tp=TpBehaviour(accept_without_rts=True, assume_pgn=_BCP, assume_size=13)),
    ),
    # time-outs T3 and T4
    Fault("no-bro-early", _NO_BRO, "reports a missing BRO after 4.5 s", "timing", lambda c: c.timing(T3=s(4.5))),
    Fault("no-bro-late", _NO_BRO, "reports a missing BRO after 6 s", "timing", lambda c: c.timing(T3=s(6))),
    Fault("no-bro-never", _NO_BRO, "waits 60 s for any BRO", "sequence", lambda c: c.without_rows(trigger="T3")),
    Fault(
        "no-bro-wrong-spn",
        gbt34658("DN.2003", "DN.2004", "DN.2005", "DN.2006"),
        "reports SPN 3922 for a missing BRO",
        "content",
        lambda c: c.with_row("configure", "T3", "error", "", ("report:bcp",)).with_row(
            "configure", "T4", "error", "", ("report:bcp",)
        ),
    ),
    Fault(
        "cml-beside-cem",
        gbt34658("DN.2003"),
        "goes on with CML beside CEM",
        "sequence",
        lambda c: c.also_sending("error", "CML"),
    ),
    Fault(
        "bro-by-unused-pf",
        gbt34658("DN.2004"),
        "takes frames with PF 0x28 for BRO",
        "robustness",
        lambda c: c.but(accept_pgns={_UNUSED_PGN: _BRO_PGN}),
    ),
    Fault(
        "bro-empty",
        gbt34658("DN.2004"),
        "takes an empty frame for BRO(00)",
        "robustness",
        lambda c: c.but(accept_lengths={"BRO": 0}),
    ),
    Fault(
        "bro-from-anyone",
        gbt34658("DN.2004", "DN.2008"),
        "takes BRO from a wrong source address",
        "robustness",
        lambda c: c.but(accept_sources=(_WRONG_SOURCE,)),
    ),
    Fault(
        "not-ready-early",
        gbt34658("DN.2005"),
        "reports BRO(00) after 50 s",
        "timing",
        lambda c: c.timing(T4=s(50)),
    ),
    Fault(
        "not-ready-late",
        (*gbt34658("DN.2005"), *gbt27930("RG.03")),
        "reports BRO(00) after 65 s",
        "timing",
        lambda c: c.timing(T4=s(65), T3=s(7)),
    ),
    Fault(
        "not-ready-never",
        gbt34658("DN.2005"),
        "waits for BRO(AA) for ever",
        "sequence",
        lambda c: c.without_rows(trigger="T4"),
    ),
    Fault(
        "bro00-keeps-t3",
        gbt34658("DN.2005"),
        "lets T3 run on although BRO(00) comes",
        "timing",
        lambda c: c.without_rows(state="configure", trigger="BRO00"),
    ),
    Fault(
        "bcp-restarts-t3",
        gbt34658("DN.2006"),
        "waits anew for BRO at every BCP",
        "timing",
        lambda c: c.with_row("configure", "BCP", "", "", ("restart:T3",)),
    ),
    Fault(
        "repeated-bcp-not-served",
        gbt34658("DN.2006"),
        "answers no further RTS of BCP after CML",
        "transport",
        lambda c: c.but(tp_deaf={"configure": ("BCP",)}),
    ),
    # time-out T5 and BRO falling back
    Fault("lost-bro-early", _LOST_BRO, "reports a lost BRO(AA) after 4 s", "timing", lambda c: c.timing(T5=s(4))),
    Fault("lost-bro-late", _LOST_BRO, "reports a lost BRO(AA) after 6 s", "timing", lambda c: c.timing(T5=s(6))),
    Fault(
        "lost-bro-never",
        _LOST_BRO,
        "does not notice that BRO(AA) has ended",
        "sequence",
        lambda c: c.without_rows(trigger="T5"),
    ),
    Fault(
        "lost-bro-wrong-spn",
        _LOST_BRO,
        "reports SPN 3925 for a lost BRO",
        "content",
        lambda c: c.with_row(_READYING, "T5", "error", "", ("report:bcl",)),
    ),
    Fault(
        "cro-beside-cem",
        _LOST_BRO,
        "goes on with CRO(00) beside CEM",
        "sequence",
        lambda c: c.also_sending("error", "CRO00"),
    ),
    Fault(
        "bro-by-unused-pf-late",
        gbt34658("DN.2008"),
        "takes frames with PF 0x28 for BRO while it prepares",
        "robustness",
        lambda c: c.but(accept_pgns={_UNUSED_PGN: _BRO_PGN}),
    ),
    Fault(
        "bro00-ends-or-not",
        gbt34658("DN.2009"),
        "does at a BRO that falls back what the other reading asks for",
        "sequence",
        lambda c: c.but(
            readings={**c.readings, "dn2007-2009": "print" if c.readings.get("dn2007-2009") == "amd1" else "amd1"}
        ),
    ),
    Fault(
        "bro00-keeps-ready",
        gbt34658("DN.2009"),
        "takes BRO(00) for a further BRO(AA)",
        "timing",
        lambda c: c.with_row(_READYING, "BRO00", "", "", ("restart:T5",)),
    ),
    Fault(
        "bro00-goes-back",
        gbt34658("DN.2009"),
        "goes back to CML at BRO(00)",
        "sequence",
        lambda c: c.with_row(_READYING, "BRO00", "configure"),
    ),
    # time-out T6
    Fault(
        "broaa-restarts-t6",
        gbt34658("DN.2010"),
        "waits anew for BCL at every BRO(AA)",
        "timing",
        lambda c: c.with_row("ready", "BROAA", "", "", ("restart:T6",)),
    ),
    Fault(
        "broaa-taken-for-bcl",
        gbt34658("DN.2010"),
        "goes on to charging at BRO(AA)",
        "sequence",
        lambda c: c.with_row("ready", "BROAA", "charging"),
    ),
)
