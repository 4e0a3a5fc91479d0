"""The stand-in vehicle's transition table (sheet 4.2 to 4.4 and 4.6), as data.

States B0..BE of the sheet. The time-outs T12..T20, and opening K5/K6 under current, are for an impatient
vehicle only: while a charger is judged, the judge measures and the vehicle waits.
"""

from __future__ import annotations

from collections.abc import Mapping

from hil.protocol.table import Row, State

STATES: Mapping[str, State] = {
    "asleep": State(enter=("fall_asleep",)),
    "awake": State(timers=("T12",)),
    "handshake": State(sends=("BHM",), timers=("T13",)),
    "identify": State(sends=("BRM",), timers=("T14",)),
    "configure": State(sends=("BCP",), timers=("T15",)),
    "prepare": State(sends=("BRO00",), timers=("self_test",), enter=("close_k5k6",)),
    "ready": State(sends=("BROAA",), timers=("T16", "T17")),
    "charging": State(sends=("BCL", "BCS"), timers=("T18",)),
    "supplied": State(sends=("BCL", "BCS", "BSM"), timers=("T18",)),
    "stop": State(sends=("BST",), timers=("T19", "T20"), enter=("stop_answer",)),
    "stopped": State(timers=("T20", "early_end")),
    "statistics": State(sends=("BSD",), timers=("T20", "contactors"), enter=("count_no_csd",)),
    "done": State(timers=("contactors",)),
    "error": State(sends=("BEM",), timers=("T21", "contactors", "contactors_limit")),
    "waiting": State(timers=("T21", "contactors", "contactors_limit")),
    "over": State(timers=("contactors",)),
}

_BEFORE_CHARGING = ("handshake", "identify", "configure", "prepare", "ready")
CHARGING = ("charging", "supplied")
"""States in which a vehicle may send its optional messages."""
_AWAKE = tuple(name for name in STATES if name != "asleep")

ROWS: tuple[Row, ...] = (
    Row(("asleep",), "aux_on", "awake"),
    Row(_AWAKE, "aux_off", "asleep"),
    Row(("awake", "done", "over"), "CHM", "handshake"),
    Row(("awake", "handshake", "error", "waiting"), "CRM00", "identify"),
    # A charger that begins anew, as after an error of its own that went unheard.
    Row(("configure", "prepare", "ready", *CHARGING), "CRM00", "identify"),
    Row(("identify",), "CRMAA", "configure"),
    Row(("configure",), "CML", "prepare", "", ("take_cml",)),
    Row(("prepare",), "self_test", "ready", "k5k6_settled"),
    Row(("prepare",), "self_test", "", "", ("wait_self_test",)),
    Row(("ready",), "CROAA", "charging"),
    Row(("ready",), "CRO00", "", "", ("stop_t16",)),
    Row(CHARGING, "CCS", "stop", "soc_reached", ("stop_for_soc",)),
    Row(("charging",), "CCS", "supplied", "", ("take_ccs",)),
    Row(("supplied",), "CCS", "", "", ("take_ccs",), ("T18",)),
    # stop
    Row((*_BEFORE_CHARGING, *CHARGING), "own_stop", "stop", "", ("await_cst",)),
    Row(CHARGING, "CST", "stop", "", ("charger_stopped",)),
    Row(("stop",), "CST", "", "", ("take_cst",)),
    Row(("stop",), "stop_answered", "stopped", "stops_early"),
    Row(("stop",), "stop_answered", "statistics"),
    Row(("stopped",), "early_end", "statistics"),
    Row(("statistics",), "CSD", "done", "last_csd"),
    Row(("statistics",), "CSD", "", "", ("count_csd",)),
    Row(("statistics", "done", "error", "waiting", "over"), "contactors", "", "", ("open_when_dead",)),
    # time-outs of an impatient vehicle
    Row(("awake",), "T12", "error", "impatient", ("report:crm_00",)),
    Row(("handshake",), "T13", "error", "impatient", ("report:crm_00",)),
    Row(("identify",), "T14", "error", "impatient", ("report:crm_aa",)),
    Row(("configure",), "T15", "error", "impatient", ("report:cts_cml",)),
    Row(("ready",), "T16", "error", "impatient", ("report:cro",)),
    Row(("ready",), "T17", "error", "impatient", ("report:cro",)),
    Row(CHARGING, "T18", "error", "impatient", ("report:ccs",)),
    Row(("stop",), "T19", "error", "impatient", ("report:cst",)),
    Row(("stop", "stopped", "statistics"), "T20", "error", "impatient", ("report:csd",)),
    Row(("error", "waiting"), "contactors_limit", "", "impatient", ("open_k5k6",)),
    Row(("error", "waiting"), "T21", "over"),
    # error of the charger
    Row((*_BEFORE_CHARGING, *CHARGING), "CEM", "waiting"),
)
