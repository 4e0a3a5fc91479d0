"""Seeded faults of the end of charging and of recovery: CSD, BSD, replug, reconnection."""

from __future__ import annotations

from hil.dut.gbt27930.fault import Fault, gbt27930, gbt34657, gbt34658
from hil.units import ms, s

_NO_BSD = gbt34658("DN.4001", "DN.4002", "DN.4003", "DN.4004")
_UNUSED_PGN, _BSD_PGN = 0x2800, 0x1C00
_WRONG_SOURCE = 0xF5

FAULTS = (
    # statistics
    Fault("csd-missing", gbt34658("DP.4001"), "sends no CSD", "sequence", lambda c: c.wired("CSD", limit=0)),
    Fault(
        "csd-late",
        gbt34658("DP.4001"),
        "sends the first CSD 11 s after BSD",
        "timing",
        lambda c: c.timing(statistics=s(14)).wired("CSD", quiet=s(11)),
    ),
    Fault("csd-at-330-ms", gbt34658("DP.4001"), "sends CSD every 330 ms", "timing", lambda c: c.timing(CSD=ms(330))),
    Fault(
        "csd-of-2011",
        gbt34658("DP.4001"),
        "sends CSD of 5 bytes, as in 2011",
        "content",
        lambda c: c.wired("CSD", length=5),
    ),
    Fault(
        "csd-other-number",
        (*gbt34658("DP.4001"), *gbt27930("LL.13")),
        "adds 1 to the charger number in CSD",
        "content",
        lambda c: c.saying("CSD", charger_number=c.number + 1),
    ),
    Fault(
        "csd-for-ever",
        gbt34658("DP.4001"),
        "goes on with CSD for 15 s",
        "sequence",
        lambda c: c.timing(statistics=s(15)),
    ),
    Fault(
        "csd-wrong-priority",
        gbt34658("DP.4001"),
        "sends CSD with priority 7",
        "content",
        lambda c: c.wired("CSD", priority=7),
    ),
    Fault(
        "aux-stays-on",
        (*gbt34658("DP.4001"), *gbt34657("D0.4503", "D0.5001")),
        "leaves the auxiliary supply on at the end",
        "electrical",
        lambda c: c.powered(release_aux=False),
    ),
    # class b fault
    Fault(
        "no-replug-needed",
        gbt34658("DP.4002"),
        "takes a new session after a class b fault without replugging",
        "recovery",
        lambda c: c.with_row("error", "cem", "closed_down", "reconnections_used"),
    ),
    Fault(
        "replug-not-noticed",
        gbt34658("DP.4002"),
        "stays blocked after replugging",
        "recovery",
        lambda c: c.without_rows(trigger="unplugged"),
    ),
    Fault(
        "reconnects-twice-only",
        (*gbt34658("DP.4002"), *gbt34657("D0.4501")),
        "gives up one reconnection too early",
        "recovery",
        lambda c: c.but(reconnections=c.reconnections - 1),
    ),
    Fault(
        "reconnects-once-more",
        (*gbt34658("DP.4002"), *gbt34657("D0.4501")),
        "makes one reconnection too many",
        "recovery",
        lambda c: c.but(reconnections=c.reconnections + 1),
    ),
    Fault(
        "reconnects-for-ever",
        gbt34658("DP.4002"),
        "never stops reconnecting",
        "recovery",
        lambda c: c.but(reconnections=1000),
    ),
    Fault(
        "reconnects-in-the-end-phase",
        gbt34658("DN.3009"),
        "reconnects after CEM of the end phase",
        "recovery",
        lambda c: c.with_row("error_end", "cem_end", "recognise").timing(cem_end=ms(200)),
    ),
    Fault(
        "reconnects-too-late",
        gbt27930("RG.04"),
        "sends CRM(00) 32 s after CEM",
        "recovery",
        lambda c: c.timing(cem=s(32)),
    ),
    Fault(
        "bem-not-heeded",
        gbt27930("LL.14"),
        "does not heed BEM and waits for BCL itself for ever",
        "recovery",
        lambda c: c.without_rows(trigger="BEM").without_rows(trigger="T8").without_rows(trigger="T9"),
    ),
    Fault(
        "bem-keeps-power-on",
        gbt27930("LL.14"),
        "begins anew after BEM with its contactors closed",
        "recovery",
        lambda c: c.powered(release_k1k2=False),
    ),
    # time-out T11
    Fault("no-bsd-early", _NO_BSD, "reports a missing BSD after 8 s", "timing", lambda c: c.timing(T11=s(8))),
    Fault("no-bsd-as-printed", _NO_BSD, "reports a missing BSD after 5 s", "timing", lambda c: c.timing(T11=s(5))),
    Fault("no-bsd-late", _NO_BSD, "reports a missing BSD after 14 s", "timing", lambda c: c.timing(T11=s(14))),
    Fault("no-bsd-never", _NO_BSD, "waits for BSD for ever", "sequence", lambda c: c.without_rows(trigger="T11")),
    Fault(
        "no-bsd-wrong-spn",
        _NO_BSD,
        "reports SPN 3926 for a missing BSD",
        "content",
        lambda c: c.with_row(("stopping", "answered"), "T11", "error_end", "", ("report:bst",)),
    ),
    Fault(
        "cst-stops-at-bst",
        gbt34658("DN.4003"),
        "stops CST as soon as BST has come",
        "sequence",
        lambda c: c.stating("answered", sends=()),
    ),
    Fault(
        "csd-without-bsd",
        gbt34658("DN.4001", "DN.4003"),
        "goes on to CSD without BSD",
        "sequence",
        lambda c: c.timing(poll=ms(5)).with_row("answered", "T11", "statistics"),
    ),
    Fault(
        "bsd-by-unused-pf",
        gbt34658("DN.4002", "DN.4004"),
        "takes frames with PF 0x28 for BSD",
        "robustness",
        lambda c: c.but(accept_pgns={_UNUSED_PGN: _BSD_PGN}),
    ),
    Fault(
        "bsd-short",
        gbt34658("DN.4002", "DN.4004"),
        "takes a BSD of 6 bytes",
        "robustness",
        lambda c: c.but(accept_lengths={"BSD": 6}),
    ),
    Fault(
        "bsd-from-anyone",
        gbt34658("DN.4002", "DN.4004"),
        "takes BSD from a wrong source address",
        "robustness",
        lambda c: c.but(accept_sources=(_WRONG_SOURCE,)),
    ),
)
