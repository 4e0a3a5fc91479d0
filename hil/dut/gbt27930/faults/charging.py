"""Seeded faults of charging: CCS, BCL, BCS, BSM, pause, BST and CST."""

from __future__ import annotations

from hil.dut.gbt27930.fault import Fault, gbt27930, gbt34658
from hil.protocol.j1939 import TpBehaviour
from hil.units import minutes, ms, s

_SUPPLYING = ("charging", "paused")
_NO_BCL_YET = gbt34658("DN.2010", "DN.3002", "DN.3004")
_NO_BCS_YET = gbt34658("DN.3001", "DN.3003")
_LOST_BCL = gbt34658("DN.3006", "DN.3008")
_LOST_BCS = gbt34658("DN.3005", "DN.3007")
_NO_BST = gbt34658("DN.3009", "DN.3010")
_BCS = 0x1100
_UNUSED_PGN, _BCL_PGN, _BST_PGN = 0x2800, 0x1000, 0x1900
_WRONG_SOURCE = 0xF5

_ABNORMAL = {
    "cell-voltage": ("cell_voltage_state", "a cell voltage that is too high or too low"),
    "soc": ("soc_state", "a SOC that is too high or too low"),
    "overcurrent": ("overcurrent", "overcurrent"),
    "overtemperature": ("overtemperature", "overtemperature"),
    "insulation": ("insulation", "an insulation fault"),
    "connector": ("connector", "a connector fault"),
}
_UNTRUSTED = ("overcurrent", "overtemperature", "insulation", "connector")
_REASONS = (
    "soc_reached",
    "total_voltage_reached",
    "cell_voltage_reached",
    "insulation_fault",
    "connector_overtemperature",
    "bms_element_overtemperature",
    "charging_connector_fault",
    "pack_overtemperature",
    "overcurrent",
    "voltage_abnormal",
    "other_fault",
)

_CCS = (
    Fault(
        "ccs-at-70-ms",
        (*gbt34658("DP.3001"), *gbt27930("LL.13")),
        "sends CCS every 70 ms",
        "timing",
        lambda c: c.timing(CCS=ms(70)),
    ),
    Fault("ccs-at-40-ms", gbt34658("DP.3001"), "sends CCS every 40 ms", "timing", lambda c: c.timing(CCS=ms(40))),
    Fault(
        "ccs-jitter",
        gbt34658("DP.3001"),
        "sends CCS alternately 8 ms early and late",
        "timing",
        lambda c: c.wired("CCS", jitter=ms(8)),
    ),
    Fault(
        "ccs-late",
        gbt34658("DP.3001"),
        "sends the first CCS 1.3 s after BCL and BCS",
        "timing",
        lambda c: c.wired("CCS", quiet=s(1.3)),
    ),
    Fault(
        "ccs-of-2011",
        gbt34658("DP.3001"),
        "sends CCS of 6 bytes, as in 2011",
        "content",
        lambda c: c.wired("CCS", length=6),
    ),
    Fault(
        "ccs-padded-with-0",
        (*gbt34658("DP.3001"), *gbt27930("LL.13")),
        "pads CCS to 8 bytes with 00",
        "content",
        lambda c: c.wired("CCS", length=8, clear_bits=bytes(7) + b"\xff"),
    ),
    Fault(
        "ccs-permission-reversed",
        gbt34658("DP.3001", "DP.3005"),
        "says paused in CCS while it charges",
        "content",
        lambda c: c.saying("CCS", charging_permitted=0),
    ),
    Fault(
        "ccs-wrong-priority",
        gbt34658("DP.3001"),
        "sends CCS with priority 4",
        "content",
        lambda c: c.wired("CCS", priority=4),
    ),
    Fault(
        "croaa-goes-on",
        gbt34658("DP.3001"),
        "goes on with CRO(AA) beside CCS",
        "sequence",
        lambda c: c.also_sending("charging", "CROAA"),
    ),
    Fault(
        "ccs-without-bcs",
        gbt34658("DN.3001", "DN.3003"),
        "goes on to charging without BCS",
        "sequence",
        lambda c: c.with_row("ready", "BCL", "charging", "", ("saw_bcl",)),
    ),
    Fault(
        "ccs-without-bcl",
        gbt34658("DN.3002", "DN.3004"),
        "goes on to charging without BCL",
        "sequence",
        lambda c: c.with_row("ready", "BCS", "charging", "", ("saw_bcs",)),
    ),
)

_OPTIONAL = (
    *(
        Fault(
            f"{name.lower()}-not-answered",
            gbt34658("DP.3002"),
            f"neither takes nor refuses {name}",
            "transport",
            lambda c, name=name: c.but(tp_deaf={"*": (name,)}),  # type: ignore[misc]  # binds the loop's value
        )
        for name in ("BMV", "BMT", "BSP")
    ),
    Fault("bmv-crashes", gbt34658("DP.3002"), "hangs when BMV comes", "robustness", lambda c: c.but(crashes_on="BMV")),
    Fault(
        "bmt-stops-charge",
        gbt34658("DP.3002"),
        "reports a time-out when BMT comes",
        "sequence",
        lambda c: c.with_row("charging", "BMT", "error", "", ("report:bcs",)),
    ),
)

_BSM = (
    *(
        Fault(
            f"bsm-{key}-not-heeded",
            gbt34658("DP.3003"),
            f"goes on at {words} in BSM",
            "sequence",
            lambda c, item=item: c.but(abnormal={k: v for k, v in c.abnormal.items() if k != item}),  # type: ignore[misc]  # binds the loop's value
        )
        for key, (item, words) in _ABNORMAL.items()
    ),
    *(
        Fault(
            f"bsm-{key}-low-taken-for-untrusted",
            gbt34658("DP.3003"),
            f"takes 'too low' of the {key} item for 'untrusted'",
            "content",
            lambda c, item=item: c.but(abnormal={**c.abnormal, item: (1,)}),  # type: ignore[misc]  # binds the loop's value
        )
        for key, item in (("cell-voltage", "cell_voltage_state"), ("soc", "soc_state"))
    ),
    *(
        Fault(
            f"bsm-{item}-untrusted-stops",
            gbt34658("DP.3004"),
            f"stops when BSM's {item} item is untrusted",
            "sequence",
            lambda c, item=item: c.but(abnormal={**c.abnormal, item: (1, 2)}),  # type: ignore[misc]  # binds the loop's value
        )
        for item in _UNTRUSTED
    ),
    Fault(
        "bsm-wrong-cause",
        gbt34658("DP.3003"),
        "says manual stop in CST after an abnormal BSM",
        "content",
        lambda c: c.causing("bsm", manual_stop=1),
    ),
    Fault(
        "bsm-bit-pairs-swapped",
        gbt34658("DP.3003"),
        "reads byte 6 of BSM from the wrong end, so that cell voltage and temperature change places",
        "content",
        lambda c: c.but(abnormal={**c.abnormal, "cell_voltage_state": (), "overtemperature": (1, 2)}),
    ),
    Fault(
        "ccs-beside-cst",
        gbt34658("DP.3003", "DP.3006", "DP.3007"),
        "goes on with CCS beside CST",
        "sequence",
        lambda c: c.also_sending("stopping", "CCS").also_sending("answered", "CCS"),
    ),
    Fault(
        "cst-too-late",
        gbt34658("DP.3003", "DP.3006", "DP.3007"),
        "sends the first CST 6 s after the reason to stop",
        "timing",
        lambda c: c.timing(T10=s(20), T11=s(30)).wired("CST", quiet=s(6)),
    ),
    Fault(
        "output-not-cut",
        gbt34658("DP.3003", "DP.3006", "DP.3007"),
        "keeps the power on after a stop",
        "electrical",
        lambda c: c.powered(stop_output=False),
    ),
    # pause
    Fault(
        "pause-not-heeded",
        gbt34658("DP.3005"),
        "charges on although BSM forbids it",
        "sequence",
        lambda c: c.without_rows(trigger="BSM_forbidden"),
    ),
    Fault(
        "pause-not-told",
        gbt34658("DP.3005"),
        "pauses the output but says allowed in CCS",
        "content",
        lambda c: c.saying("CCS", charging_permitted=1),
    ),
    Fault(
        "pause-with-current",
        gbt34658("DP.3005"),
        "says paused in CCS but leaves the current on",
        "electrical",
        lambda c: c.powered(pause_output=False),
    ),
    Fault(
        "pause-ends-charge",
        gbt34658("DP.3005"),
        "stops at once when BSM forbids charging",
        "sequence",
        lambda c: c.with_row("charging", "BSM_forbidden", "stopping", "", ("cause:bsm",)),
    ),
    Fault(
        "pause-for-ever",
        gbt34658("DP.3005"),
        "stays paused when BSM allows charging again",
        "sequence",
        lambda c: c.without_rows(trigger="BSM_allowed"),
    ),
    Fault(
        "resume-without-current",
        gbt34658("DP.3005"),
        "says allowed in CCS again but gives no current",
        "electrical",
        lambda c: c.powered(resume_output=False),
    ),
    Fault(
        "pause-too-short", gbt34658("DP.3005"), "ends a pause after 8 min", "timing", lambda c: c.timing(T22=minutes(8))
    ),
    Fault(
        "pause-too-long",
        gbt34658("DP.3005"),
        "ends a pause after 12 min",
        "timing",
        lambda c: c.timing(T22=minutes(12)),
    ),
)

_STOP = (
    *(
        Fault(
            f"bst-{reason.replace('_', '-')}-not-heeded",
            gbt34658("DP.3006"),
            f"does not know the reason {reason.replace('_', ' ')} of BST",
            "content",
            lambda c, reason=reason: c.but(ignored_reasons=(reason,)),  # type: ignore[misc]  # binds the loop's value
        )
        for reason in _REASONS
    ),
    Fault(
        "bst-wrong-cause",
        gbt34658("DP.3006", "DP.4001", "DN.4001", "DN.4002"),
        "says fault stop in CST after BST",
        "content",
        lambda c: c.causing("bst", fault_stop=1),
    ),
    Fault(
        "bst-of-2011",
        gbt34658("DP.3006"),
        "leaves the bits of BMS stopped in CST undefined, as in 2011",
        "content",
        lambda c: c.wired("CST", set_bits=b"\xc0"),
    ),
    Fault(
        "cst-padded",
        (*gbt34658("DP.3006"), *gbt27930("LL.13")),
        "pads CST to 8 bytes",
        "content",
        lambda c: c.wired("CST", length=8),
    ),
    Fault("cst-short", gbt34658("DP.3007"), "sends CST of 3 bytes", "content", lambda c: c.wired("CST", length=3)),
    Fault(
        "cst-at-14-ms",
        gbt34658("DP.3006", "DP.3007", "DN.3009"),
        "sends CST every 14 ms",
        "timing",
        lambda c: c.timing(CST=ms(14)),
    ),
    Fault(
        "cst-at-6-ms",
        gbt34658("DP.3006", "DP.3007"),
        "sends CST every 6 ms",
        "timing",
        lambda c: c.timing(CST=ms(6)),
    ),
    Fault(
        "cst-wrong-priority",
        gbt34658("DP.3007"),
        "sends CST with priority 6",
        "content",
        lambda c: c.wired("CST", priority=6),
    ),
    Fault(
        "stop-button-ignored",
        gbt34658("DP.3007"),
        "goes on when its stop button is pressed",
        "sequence",
        lambda c: c.without_rows(state="charging", trigger="stop_button"),
    ),
    Fault(
        "manual-stop-wrong-cause",
        gbt34658("DP.3007", "DN.3009", "DN.3010", "DN.4003", "DN.4004"),
        "says BMS stopped in CST after the stop button",
        "content",
        lambda c: c.causing("manual", bms_stopped=1),
    ),
    Fault(
        "manual-stop-without-cause",
        gbt34658("DP.3007"),
        "gives no cause in CST after the stop button",
        "content",
        lambda c: c.causing("manual"),
    ),
    Fault(
        "manual-stop-two-causes",
        gbt34658("DP.3007"),
        "says manual stop and fault stop in one CST",
        "content",
        lambda c: c.causing("manual", manual_stop=1, fault_stop=1),
    ),
)

_TIMEOUTS = (
    Fault("no-bcl-early", _NO_BCL_YET, "reports a missing BCL after 0.8 s", "timing", lambda c: c.timing(T6=s(0.8))),
    Fault("no-bcl-late", _NO_BCL_YET, "reports a missing BCL after 1.4 s", "timing", lambda c: c.timing(T6=s(1.4))),
    Fault(
        "no-bcl-never",
        _NO_BCL_YET,
        "waits for the first BCL for ever",
        "sequence",
        lambda c: c.without_rows(trigger="T6").without_rows(state="ready", trigger="T7"),
    ),
    Fault(
        "no-bcl-wrong-spn",
        _NO_BCL_YET,
        "reports SPN 3924 for a missing BCL",
        "content",
        lambda c: c.with_row("ready", "T6", "error", "", ("report:bcs",)),
    ),
    Fault("no-bcs-early", _NO_BCS_YET, "reports a missing BCS after 4.5 s", "timing", lambda c: c.timing(T7=s(4.5))),
    Fault("no-bcs-late", _NO_BCS_YET, "reports a missing BCS after 6 s", "timing", lambda c: c.timing(T7=s(6))),
    Fault(
        "no-bcs-never",
        _NO_BCS_YET,
        "waits for the first BCS for ever",
        "sequence",
        lambda c: c.without_rows(trigger="T7"),
    ),
    Fault(
        "no-bcs-wrong-spn",
        _NO_BCS_YET,
        "reports SPN 3925 for a missing BCS",
        "content",
        lambda c: c.with_row("ready", "T7", "error", "", ("report:bcl",)),
    ),
    Fault("lost-bcl-early", _LOST_BCL, "reports a lost BCL after 0.9 s", "timing", lambda c: c.timing(T8=s(0.9))),
    Fault("lost-bcl-late", _LOST_BCL, "notices a lost BCL only after 1.4 s", "timing", lambda c: c.timing(T8=s(1.4))),
    Fault(
        "lost-bcl-of-2011",
        _LOST_BCL,
        "reports a lost BCL after 100 ms, as in 2011",
        "timing",
        lambda c: c.timing(T8=ms(100)),
    ),
    Fault(
        "lost-bcl-never", _LOST_BCL, "does not notice a lost BCL", "sequence", lambda c: c.without_rows(trigger="T8")
    ),
    Fault(
        "lost-bcl-wrong-spn",
        _LOST_BCL,
        "reports SPN 3924 for a lost BCL",
        "content",
        lambda c: c.with_row(_SUPPLYING, "T8", "error", "", ("report:bcs",)),
    ),
    Fault(
        "ccs-beside-cem",
        gbt34658("DN.3005", "DN.3006"),
        "goes on with CCS beside CEM",
        "sequence",
        lambda c: c.also_sending("error", "CCS"),
    ),
    Fault(
        "ccs-stops-with-bcl",
        gbt34658("DN.3006"),
        "sends 65 CCS and no more",
        "sequence",
        lambda c: c.wired("CCS", limit=65),
    ),
    Fault("lost-bcs-early", _LOST_BCS, "reports a lost BCS after 4 s", "timing", lambda c: c.timing(T9=s(4))),
    Fault("lost-bcs-late", _LOST_BCS, "reports a lost BCS after 6 s", "timing", lambda c: c.timing(T9=s(6))),
    Fault("lost-bcs-as-bcl", _LOST_BCS, "reports a lost BCS after 1 s, as BCL", "timing", lambda c: c.timing(T9=s(1))),
    Fault(
        "lost-bcs-never", _LOST_BCS, "does not notice a lost BCS", "sequence", lambda c: c.without_rows(trigger="T9")
    ),
    Fault(
        "lost-bcs-wrong-spn",
        _LOST_BCS,
        "reports SPN 3925 for a lost BCS",
        "content",
        lambda c: c.with_row(_SUPPLYING, "T9", "error", "", ("report:bcl",)),
    ),
    Fault(
        "bcs-by-nominal-id",
        gbt34658("DN.3003", "DN.3007"),
        "takes a single frame with BCS's nominal id for BCS",
        "transport",
        lambda c: c.but(accept_untransported=("BCS",), accept_values=True),
    ),
    Fault(
        "bcs-without-rts",
        gbt34658("DN.3003", "DN.3007"),
        "takes data packets that no RTS announced for BCS",
        "transport",
        lambda c: c.but(tp=TpBehaviour(accept_without_rts=True, assume_pgn=_BCS, assume_size=9)),
    ),
    Fault(
        "bcl-by-unused-pf",
        gbt34658("DN.3004", "DN.3008"),
        "takes frames with PF 0x28 for BCL",
        "robustness",
        lambda c: c.but(accept_pgns={_UNUSED_PGN: _BCL_PGN}),
    ),
    Fault(
        "bcl-short",
        gbt34658("DN.3004", "DN.3008"),
        "takes a BCL of 4 bytes",
        "robustness",
        lambda c: c.but(accept_lengths={"BCL": 4}, accept_values=True),
    ),
    Fault(
        "bcl-from-anyone",
        gbt34658("DN.3004", "DN.3008"),
        "takes BCL from a wrong source address",
        "robustness",
        lambda c: c.but(accept_sources=(_WRONG_SOURCE,)),
    ),
    Fault("no-bst-early", _NO_BST, "reports a missing BST after 4 s", "timing", lambda c: c.timing(T10=s(4))),
    Fault("no-bst-late", _NO_BST, "reports a missing BST after 6 s", "timing", lambda c: c.timing(T10=s(6))),
    Fault(
        "no-bst-never",
        _NO_BST,
        "waits for BST until T11 reports BSD",
        "sequence",
        lambda c: c.without_rows(trigger="T10"),
    ),
    Fault(
        "no-bst-wrong-spn",
        _NO_BST,
        "reports SPN 3927 for a missing BST",
        "content",
        lambda c: c.with_row("stopping", "T10", "error_end", "", ("report:bsd",)),
    ),
    Fault(
        "cst-stops-early",
        gbt34658("DN.3009"),
        "sends a hundred CST and no more",
        "sequence",
        lambda c: c.wired("CST", limit=100),
    ),
    Fault(
        "cst-beside-cem",
        gbt34658("DN.3009", "DN.4001"),
        "goes on with CST beside CEM",
        "sequence",
        lambda c: c.also_sending("error_end", "CST"),
    ),
    Fault(
        "bst-by-unused-pf",
        gbt34658("DN.3010"),
        "takes frames with PF 0x28 for BST",
        "robustness",
        lambda c: c.but(accept_pgns={_UNUSED_PGN: _BST_PGN}),
    ),
    Fault(
        "bst-short",
        gbt34658("DN.3010"),
        "takes a BST of 3 bytes",
        "robustness",
        lambda c: c.but(accept_lengths={"BST": 3}),
    ),
    Fault(
        "bst-from-anyone",
        gbt34658("DN.3010"),
        "takes BST from a wrong source address",
        "robustness",
        lambda c: c.but(accept_sources=(_WRONG_SOURCE,)),
    ),
    Fault(
        "any-priority",
        gbt34658("DN.2004", "DN.2008", "DN.3004", "DN.3008", "DN.3010", "DN.4002", "DN.4004"),
        "takes messages of any priority",
        "robustness",
        lambda c: c.but(accept_priorities=True),
    ),
    Fault(
        "any-length",
        gbt34658("DN.2004", "DN.2008", "DN.3004", "DN.3008", "DN.3010", "DN.4002", "DN.4004"),
        "takes messages that are too long",
        "robustness",
        lambda c: c.but(accept_longer=True),
    ),
    Fault(
        "any-content",
        gbt34658("DN.3004", "DN.3008", "DN.3010"),
        "takes messages whose codes and values are not defined",
        "robustness",
        lambda c: c.but(accept_values=True),
    ),
    Fault(
        "demand-zero-not-heeded",
        gbt27930("RG.01"),
        "keeps its output at a demand of 0",
        "electrical",
        lambda c: c.powered(hold_at_zero=True),
    ),
)

FAULTS = (*_CCS, *_OPTIONAL, *_BSM, *_STOP, *_TIMEOUTS)
