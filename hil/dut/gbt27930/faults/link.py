"""Seeded faults of the link layer: transport protocol, foreign frames, order of messages."""

from __future__ import annotations

from hil.dut.gbt27930.fault import Fault, gbt27930
from hil.protocol.j1939 import TpBehaviour, TpTiming
from hil.units import ms, s

_FOREIGN_PGN, _BST_PGN = 0x4200, 0x1900

FAULTS = (
    Fault(
        "half-message-taken",
        gbt27930("LL.01", "LL.06"),
        "takes a message of which a packet is missing",
        "transport",
        lambda c: c.but(tp=TpBehaviour(accept_incomplete=True)),
    ),
    Fault(
        "lost-packet-silence",
        gbt27930("LL.01"),
        "neither asks for a lost packet nor aborts",
        "transport",
        lambda c: c.but(tp=TpBehaviour(retries=0, abort_on_timeout=False)),
    ),
    Fault(
        "tp-t1-late",
        gbt27930("LL.02"),
        "aborts 1.5 s after the last packet",
        "timing",
        lambda c: c.but(tp_timing=TpTiming(t1=ms(1500))),
    ),
    Fault(
        "tp-t1-early",
        gbt27930("LL.02"),
        "aborts 200 ms after the last packet",
        "timing",
        lambda c: c.but(tp_timing=TpTiming(t1=ms(200))),
    ),
    Fault(
        "tp-t2-late",
        gbt27930("LL.02"),
        "aborts 2 s after TP.CTS",
        "timing",
        lambda c: c.but(tp_timing=TpTiming(t2=s(2))),
    ),
    Fault(
        "tp-no-abort",
        gbt27930("LL.02"),
        "drops a transfer that stops without an abort",
        "transport",
        lambda c: c.but(tp=TpBehaviour(abort_on_timeout=False)),
    ),
    Fault(
        "tp-abort-reason",
        gbt27930("LL.02"),
        "gives reason 1 in the abort after a time-out",
        "content",
        lambda c: c.but(tp=TpBehaviour(timeout_reason=1)),
    ),
    Fault(
        "wrong-counts-accepted",
        gbt27930("LL.03"),
        "accepts an RTS whose packet count does not fit its size",
        "transport",
        lambda c: c.but(tp=TpBehaviour(accept_bad_counts=True)),
    ),
    Fault(
        "abort-ignored",
        gbt27930("LL.04"),
        "keeps a transfer open that the vehicle aborted",
        "transport",
        lambda c: c.but(
            tp=TpBehaviour(ignore_abort=True, ignore_new_rts=True, abort_on_timeout=False), tp_timing=TpTiming(t1=s(20))
        ),
    ),
    Fault(
        "new-rts-ignored",
        gbt27930("LL.05"),
        "ignores a new RTS while a connection is open",
        "transport",
        lambda c: c.but(tp=TpBehaviour(ignore_new_rts=True)),
    ),
    Fault(
        "new-rts-refused",
        gbt27930("LL.05", "LL.06", "LL.07"),
        "refuses every connection",
        "transport",
        lambda c: c.but(tp=TpBehaviour(refuse=1)),
    ),
    Fault(
        "sequence-ignored",
        gbt27930("LL.06"),
        "takes packets in whatever order they come",
        "transport",
        lambda c: c.but(tp=TpBehaviour(ignore_sequence=True)),
    ),
    Fault(
        "tp-answers-late",
        gbt27930("LL.07"),
        "answers RTS and the last packet after 300 ms",
        "timing",
        lambda c: c.but(tp=TpBehaviour(answer_after=ms(300))),
    ),
    Fault(
        "tp-wrong-ack-size",
        gbt27930("LL.07", "LL.13"),
        "acknowledges one byte too many",
        "content",
        lambda c: c.but(tp=TpBehaviour(wrong_ack_size=True)),
    ),
    Fault(
        "tp-limit-ignored",
        gbt27930("LL.08"),
        "releases all packets although the RTS allows two",
        "transport",
        lambda c: c.but(tp=TpBehaviour(ignore_limit=True)),
    ),
    Fault(
        "foreign-pf-taken",
        gbt27930("LL.09"),
        "takes frames with PF 0x42 for BST",
        "robustness",
        lambda c: c.but(
            accept_pgns={_FOREIGN_PGN: _BST_PGN}, accept_longer=True, accept_priorities=True, accept_values=True
        ),
    ),
    Fault(
        "foreign-address-taken",
        gbt27930("LL.09"),
        "takes frames of and for other nodes",
        "robustness",
        lambda c: c.but(any_address=True, accept_longer=True, accept_values=True),
    ),
    Fault(
        "foreign-frame-crashes",
        gbt27930("LL.09"),
        "hangs when a frame comes that it does not know",
        "robustness",
        lambda c: c.but(crashes_on_foreign=True),
    ),
    Fault(
        "bro-jumps-ahead",
        gbt27930("LL.10"),
        "says AA in CRM at a BRO(AA) before BRM",
        "sequence",
        lambda c: c.with_row("recognise", "BROAA", "recognised"),
    ),
    Fault(
        "bcl-jumps-ahead",
        gbt27930("LL.10"),
        "sends CCS at a BCL before BRM",
        "sequence",
        lambda c: c.also_sending("recognised", "CCS").with_row("recognise", "BCL", "recognised"),
    ),
    Fault(
        "bsm-stops-early",
        gbt27930("LL.10"),
        "stops at an abnormal BSM before BRM",
        "sequence",
        lambda c: c.with_row("recognise", "BSM_abnormal", "stopping", "", ("cause:bsm",)),
    ),
    Fault(
        "bsd-jumps-ahead",
        gbt27930("LL.10"),
        "sends CSD at a BSD before BRM",
        "sequence",
        lambda c: c.with_row("recognise", "BSD", "statistics"),
    ),
    Fault(
        "higher-version-refused",
        gbt27930("LL.11"),
        "does not recognise a vehicle of a higher version",
        "sequence",
        lambda c: c.but(own_version_only=True),
    ),
    Fault(
        "short-loss-ends-charge",
        gbt27930("LL.12"),
        "reports a lost BCL after 300 ms",
        "timing",
        lambda c: c.timing(T8=ms(300)),
    ),
    Fault(
        "ccs-reserved-zero",
        gbt27930("LL.13"),
        "leaves the undefined bits of CCS at 0",
        "content",
        lambda c: c.wired("CCS", clear_bits=bytes(6) + b"\xfc"),
    ),
    Fault(
        "cst-reserved-zero",
        gbt27930("LL.13"),
        "leaves the undefined bits of CST at 0",
        "content",
        lambda c: c.wired("CST", clear_bits=bytes.fromhex("0000F0F0")),
    ),
    Fault(
        "csd-too-early",
        gbt27930("LL.13"),
        "sends CSD beside CST, before any BSD",
        "sequence",
        lambda c: c.also_sending("answered", "CSD"),
    ),
    Fault(
        "stray-packets-taken",
        gbt27930("LL.15"),
        "answers data packets that no RTS announced",
        "transport",
        lambda c: c.but(tp=TpBehaviour(accept_without_rts=True, assume_pgn=0x0200, assume_size=9)),
    ),
    Fault(
        "short-tp-frame-crashes",
        gbt27930("LL.15"),
        "hangs at a transport frame of less than 8 bytes",
        "robustness",
        lambda c: c.but(crashes_on_short=True),
    ),
    Fault(
        "chm-for-ever",
        gbt27930("RG.02"),
        "goes on with CHM for ever when BHM never comes",
        "sequence",
        lambda c: c.without_rows(trigger="bhm_silence"),
    ),
    Fault(
        "bro00-silence-not-seen",
        gbt27930("RG.03"),
        "does not notice that BRO(00) has ended",
        "sequence",
        lambda c: c.without_rows(trigger="T4").without_rows(trigger="T3"),
    ),
)
