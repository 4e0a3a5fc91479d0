"""Seeded faults of robustness: what a bad frame, a bad transfer or a stray message does to a charger."""

from __future__ import annotations

from collections.abc import Mapping

from hil.dut.gbt27930.fault import Fault, gbt27930, gbt34658
from hil.protocol.j1939 import TpBehaviour, TpTiming
from hil.units import ms, s

_MALFORMED: Mapping[str, tuple[str, ...]] = {
    "BRO": gbt34658("DN.2004", "DN.2008"),
    "BCL": gbt34658("DN.3004", "DN.3008"),
    "BST": gbt34658("DN.3010"),
    "BSD": gbt34658("DN.4002", "DN.4004"),
}
_READYING = ("verify", "precharge", "closing")

FAULTS = (
    *(
        Fault(
            f"malformed-{message.lower()}-hangs",
            breaks,
            f"hangs at a {message} that is too short",
            "robustness",
            lambda c, message=message: c.but(crashes_on_malformed=(message,)),  # type: ignore[misc]  # binds
        )
        for message, breaks in _MALFORMED.items()
    ),
    Fault(
        "stray-packet-hangs",
        (*gbt34658("DN.1002", "DN.2002", "DN.3003", "DN.3007"), *gbt27930("LL.03", "LL.15")),
        "hangs at a transport frame that belongs to no connection",
        "robustness",
        lambda c: c.but(crashes_on_stray=True),
    ),
    Fault(
        "early-bcl-hangs",
        gbt27930("LL.10"),
        "hangs at a BCL before BRM",
        "robustness",
        lambda c: c.but(crashes_on="BCL"),
    ),
    Fault(
        "early-bro-restarts",
        gbt27930("LL.10"),
        "begins anew with CHM at a BRO(AA) before BRM",
        "sequence",
        lambda c: c.with_row("recognise", "BROAA", "handshake"),
    ),
    Fault(
        "abnormal-bsm-hangs",
        (*gbt34658("DP.3003"), *gbt27930("LL.10")),
        "hangs at an abnormal BSM",
        "robustness",
        lambda c: c.but(crashes_on="BSM_abnormal"),
    ),
    Fault(
        "repeated-brm-hangs",
        gbt34658("DN.1004"),
        "hangs at a BRM that comes again",
        "robustness",
        lambda c: c.with_row("recognised", "BRM", "dead"),
    ),
    Fault(
        "repeated-bcp-hangs",
        gbt34658("DN.2006"),
        "hangs at a BCP that comes again",
        "robustness",
        lambda c: c.with_row("configure", "BCP", "dead"),
    ),
    Fault(
        "fallen-bro-hangs",
        gbt34658("DN.2009"),
        "hangs when BRO falls back to 00",
        "robustness",
        lambda c: c.with_row(_READYING, "BRO00", "dead"),
    ),
    Fault(
        "emergency-stop-hangs",
        gbt34658("DP.3007"),
        "hangs when its stop button is pressed",
        "robustness",
        lambda c: c.but(crashes_on="stop_button"),
    ),
    # transport protocol
    Fault(
        "tp-answers-after-1-s",
        gbt27930("LL.07"),
        "answers by the transport protocol after 1 s",
        "timing",
        lambda c: c.but(tp=TpBehaviour(answer_after=s(1))),
    ),
    Fault(
        "tp-answers-a-little-late",
        gbt27930("LL.07"),
        "answers by the transport protocol after 220 ms",
        "timing",
        lambda c: c.but(tp=TpBehaviour(answer_after=ms(220))),
    ),
    Fault(
        "tp-t2-early",
        gbt27930("LL.02"),
        "aborts 1 s after TP.CTS",
        "timing",
        lambda c: c.but(tp_timing=TpTiming(t2=s(1))),
    ),
    Fault(
        "tp-t1-just-late",
        gbt27930("LL.02"),
        "aborts 0.97 s after the last packet",
        "timing",
        lambda c: c.but(tp_timing=TpTiming(t1=ms(970))),
    ),
    Fault(
        "wrong-counts-acknowledged",
        gbt27930("LL.03"),
        "acknowledges a transfer whose packet count does not fit its size, and drops it",
        "transport",
        lambda c: c.but(tp=TpBehaviour(accept_bad_counts=True), deaf_to=("BRM",)),
    ),
    Fault(
        "abort-ends-service",
        gbt27930("LL.04"),
        "takes no BRM any more once a transfer of it was aborted",
        "recovery",
        lambda c: c.but(tp=TpBehaviour(ignore_abort=True, ignore_new_rts=True), tp_timing=TpTiming(t1=s(8))),
    ),
    Fault(
        "packets-wait-for-ever",
        gbt27930("LL.02", "LL.05"),
        "waits for the packets of a transfer that stopped, and takes no other",
        "recovery",
        lambda c: c.but(tp=TpBehaviour(ignore_new_rts=True), tp_timing=TpTiming(t1=s(30), t2=s(30))),
    ),
    Fault(
        "short-loss-of-bcs-ends-charge",
        gbt27930("LL.12"),
        "reports a lost BCS after 400 ms",
        "timing",
        lambda c: c.timing(T9=ms(400)),
    ),
    Fault(
        "bmv-answered-late",
        gbt34658("DP.3002"),
        "answers each RTS and last packet after 1.3 s while it charges",
        "timing",
        lambda c: c.but(tp_deaf={"charging": ("BMV", "BMT", "BSP", "BCS")}),
    ),
)
