"""The reference charger's transition table (sheet 4.2 to 4.5), as data.

States C0..CX of the sheet, with the steps of the insulation test, precharge and stop spelt out.
``sends`` are the names under which :class:`~hil.dut.gbt27930.charger.Charger` composes messages.
"""

from __future__ import annotations

from collections.abc import Mapping

from hil.protocol.table import Row, State

STATES: Mapping[str, State] = {
    "idle": State(),
    "locking": State(timers=("T23",), enter=("lock",), poll=True),
    "aux_on": State(timers=("T23",), enter=("restart:T23", "close_aux"), poll=True),
    "handshake": State(sends=("CHM",), timers=("bhm_silence",)),
    "ins_check": State(sends=("CHM",), timers=("T23",), poll=True),
    "ins_rise": State(sends=("CHM",), timers=("T23",), enter=("restart:T23", "start_test_voltage"), poll=True),
    "ins_close": State(sends=("CHM",), timers=("T23",), enter=("restart:T23", "close_k1k2"), poll=True),
    "ins_measure": State(sends=("CHM",), timers=("insulation",)),
    "ins_fall": State(sends=("CHM",), timers=("T23",), enter=("output_off", "discharge"), poll=True),
    "ins_open": State(sends=("CHM",), timers=("T23",), enter=("restart:T23", "open_k1k2"), poll=True),
    "recognise": State(sends=("CRM00",), timers=("T1",)),
    "recognised": State(sends=("CRMAA",), timers=("T2",)),
    "configure": State(sends=("CML", "CTS"), timers=("T3", "T4")),
    "verify": State(sends=("CRO00",), timers=("T5",), poll=True),
    "precharge": State(sends=("CRO00",), timers=("T5",), enter=("start_precharge",), poll=True),
    "closing": State(sends=("CRO00",), timers=("T5",), enter=("close_k1k2",), poll=True),
    "ready": State(sends=("CROAA",), timers=("T6", "T7", "T8", "T9"), enter=("clear_seen",)),
    "charging": State(sends=("CCS",), timers=("T8", "T9", "demand_poll"), enter=("begin_charging",)),
    "paused": State(sends=("CCS",), timers=("T8", "T9", "T22"), enter=("pause",)),
    "stopping": State(sends=("CST",), timers=("T10", "T11"), enter=("cut",), poll=True),
    "answered": State(sends=("CST",), timers=("T11",), enter=("cut",), poll=True),
    "statistics": State(sends=("CSD",), timers=("statistics",), enter=("cut",), poll=True),
    "error": State(sends=("CEM",), timers=("cem",), enter=("cut",), poll=True),
    "error_heard": State(timers=("bem_pause",), enter=("cut",), poll=True),
    "error_end": State(sends=("CEM",), timers=("cem_end",), enter=("cut",), poll=True),
    "closed_down": State(timers=("T23",), enter=("restart:T23", "cut"), poll=True),
    "dead": State(),
}

_INSULATION = ("ins_check", "ins_rise", "ins_close", "ins_measure", "ins_fall", "ins_open")
_OPEN = ("locking", "aux_on", "handshake", *_INSULATION)
_READYING = ("verify", "precharge", "closing")
_IDENTIFIED = ("recognise", "recognised", "configure", *_READYING, "ready")
_SUPPLYING = ("charging", "paused")
_OFF = ("stopping", "answered", "error", "error_heard", "error_end")
_REQUESTED = (*_IDENTIFIED, *_SUPPLYING)
_ENDING = ("stopping", "answered", "statistics", "error_end", "closed_down")
_DANGERS = ("emergency", "cc1_fault", "pe_lost", "ac_lost")

ROWS: tuple[Row, ...] = (
    # C0, C1: physical connection and auxiliary supply
    Row(("idle",), "start", "locking", "may_start", ("new_session",)),
    Row(("idle", "closed_down"), "unplugged", "", "", ("unblock",)),
    Row(("locking",), "poll", "aux_on", "locked"),
    Row(("aux_on",), "poll", "handshake", "aux_closed"),
    Row(("locking", "aux_on", *_INSULATION), "T23", "closed_down"),
    # C2, C3: handshake and insulation test
    Row(("handshake",), "BHM", "ins_check", "", ("take_bhm",)),
    Row(("handshake",), "bhm_silence", "recognise", "identifies_without_bhm"),
    Row(("handshake",), "bhm_silence", "closed_down"),
    Row(("ins_check",), "poll", "closed_down", "bhm_too_low"),
    Row(("ins_check",), "poll", "ins_rise", "outside_dead"),
    Row(("ins_rise",), "poll", "ins_close", "test_voltage_reached"),
    Row(("ins_close",), "poll", "ins_measure", "k1k2_closed"),
    Row(("ins_measure",), "insulation", "closed_down", "insulation_bad"),
    Row(("ins_measure",), "insulation", "ins_fall"),
    Row(("ins_fall",), "poll", "ins_open", "discharged", ("end_discharge",)),
    Row(("ins_open",), "poll", "recognise", "k1k2_open"),
    # C4, C5: identification
    Row(("recognise",), "BRM", "recognised", "", ("take_brm",)),
    Row(("recognise",), "T1", "error", "", ("report:brm",)),
    Row(("recognised",), "BCP", "configure", "", ("take_bcp",)),
    Row(("recognised",), "T2", "error", "", ("report:bcp",)),
    # C6: configuration
    Row(("configure",), "BRO00", "", "", ("stop_t3",)),
    Row(("configure",), "BROAA", "verify"),
    Row(("configure",), "T3", "error", "", ("report:bro",)),
    Row(("configure",), "T4", "error", "", ("report:bro",)),
    # C7: voltage check, precharge, contactors
    Row(_READYING, "BROAA", "", "", ("restart:T5",)),
    Row(_READYING, "BRO00", "closed_down", "ends_on_bro00", ("block",)),
    Row(("verify",), "poll", "precharge", "battery_voltage_fits"),
    Row(("precharge",), "poll", "closing", "precharged"),
    Row(("closing",), "poll", "ready", "k1k2_closed"),
    Row(_READYING, "T5", "error", "", ("report:bro",)),
    # C8: ready
    Row(("ready",), "BCL", "charging", "bcs_seen", ("saw_bcl",)),
    Row(("ready",), "BCL", "", "", ("saw_bcl",)),
    Row(("ready",), "BCS", "charging", "bcl_seen", ("saw_bcs",)),
    Row(("ready",), "BCS", "", "", ("saw_bcs",)),
    Row(("ready",), "T6", "error", "", ("report:bcl",)),
    Row(("ready",), "T7", "error", "", ("report:bcs",)),
    Row(("ready",), "T8", "error", "bcl_seen", ("report:bcl",)),
    Row(("ready",), "T9", "error", "bcs_seen", ("report:bcs",)),
    # C9: charging and pause
    Row(_SUPPLYING, "BCL", "", "", ("take_bcl",), ("T8",)),
    Row(_SUPPLYING, "BCS", "", "", ("take_bcs",)),
    Row(_SUPPLYING, "T8", "error", "", ("report:bcl",)),
    Row(_SUPPLYING, "T9", "error", "", ("report:bcs",)),
    Row(_SUPPLYING, "BSM_abnormal", "stopping", "", ("cause:bsm",)),
    Row(("charging",), "BSM_forbidden", "paused"),
    Row(("paused",), "BSM_allowed", "charging"),
    Row(("paused",), "T22", "stopping", "", ("cause:pause",)),
    Row(("charging",), "demand_poll", "", "", ("slew",)),
    # stop from any state with a partner (sheet 4.5, event priority)
    Row(_REQUESTED, "BST", "answered", "", ("cause:bst",)),
    Row((*_SUPPLYING, "ready"), "stop_button", "stopping", "", ("cause:manual",)),
    Row((*_SUPPLYING, "ready"), "emergency", "stopping", "", ("cause:emergency",)),
    Row((*_SUPPLYING, "ready"), "cc1_fault", "stopping", "", ("cause:connector",)),
    Row((*_SUPPLYING, "ready"), "pe_lost", "stopping", "", ("cause:earth",)),
    Row((*_SUPPLYING, "ready"), "ac_lost", "stopping", "", ("cause:supply",)),
    Row(_SUPPLYING, "overvoltage", "stopping", "", ("cause:voltage",)),
    Row((*_OPEN, "recognise", "recognised", "configure", *_READYING), "stop_button", "closed_down"),
    *(Row((*_OPEN, "recognise", "recognised", "configure", *_READYING), each, "closed_down") for each in _DANGERS),
    *(Row(_ENDING, each, "", "", ("cut_at_once",)) for each in _DANGERS),
    *(Row(("error", "error_heard"), each, "closed_down", "", ("cut_at_once",)) for each in _DANGERS),
    # C10: stop
    Row(_OFF, "poll", "", "", ("ramp_and_open",)),
    Row(("stopping",), "BST", "answered"),
    Row(("answered",), "BSD", "statistics"),
    Row(("stopping",), "T10", "error_end", "", ("report:bst",)),
    Row(("stopping", "answered"), "T11", "error_end", "", ("report:bsd",)),
    # C11: end
    Row(("statistics",), "poll", "", "", ("ramp_and_open",)),
    Row(("statistics",), "statistics", "closed_down", "at_rest"),
    Row(("statistics",), "statistics", "", "", ("wait_statistics",)),
    # CE: error and reconnection
    # Not while CRM(00) calls for a new beginning: the BEM that it ends may still be on its way.
    Row((*_IDENTIFIED[1:], *_SUPPLYING), "BEM", "error_heard"),
    Row(("stopping", "answered", "statistics"), "BEM", "closed_down"),
    Row(("error",), "cem", "closed_down", "reconnections_used", ("block",)),
    Row(("error",), "cem", "recognise", "", ("reconnect",)),
    Row(("error_heard",), "bem_pause", "closed_down", "reconnections_used", ("block",)),
    Row(("error_heard",), "bem_pause", "recognise", "", ("reconnect",)),
    Row(("error_end",), "cem_end", "closed_down"),
    # CX: everything open
    Row(("closed_down",), "poll", "idle", "shut", ("end_discharge", "release_aux", "unlock")),
    Row(("closed_down",), "poll", "", "", ("shut_down",)),
    Row(("closed_down",), "T23", "idle", "at_rest", ("end_discharge", "release_aux", "unlock")),
)
