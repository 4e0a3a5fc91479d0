"""The reference AC charger's transition table (sheet iec61851_control_pilot.md, section 3), as data.

``A`` .. ``F`` are what the pilot shows, as triggers once a level has stood for the debounce time. ``update``
comes after every change of an input, ``limit`` after the duty cycle has followed one (it changes no state),
``trip`` when a protective function has tripped.
"""

from __future__ import annotations

from collections.abc import Mapping

from hil.protocol.table import Row, State

STATES: Mapping[str, State] = {
    "idle": State(timers=("unlock",), enter=("open", "steady", "forget")),  # A1
    "plugged": State(enter=("open", "steady", "saw_b")),  # B1
    "matching": State(timers=("match",), enter=("open", "oscillate_digital")),  # B2 at 5 %
    "stepping": State(timers=("step",), enter=("show_fault",)),  # F between 5 % and nominal
    "offering": State(enter=("open", "oscillate")),  # B2
    "refused": State(enter=("open",)),  # D2 without ventilation
    "locking": State(timers=("lock_wait",), enter=("lock",)),  # C2, output not yet on
    "airing": State(timers=("ventilation_wait",), enter=("open", "air")),  # D2, with ventilation
    "delaying": State(timers=("supply_delay",)),
    "supplying": State(timers=("close_check",), enter=("close",)),  # C2 or D2
    "waiting": State(enter=("open", "steady")),  # C1 or D1: the vehicle is ready, the charger is not
    "stopping": State(timers=("forced_open",), enter=("steady",)),  # C1 after the charger's stop
    "unplugged": State(timers=("pwm_off",), enter=("open",)),  # A2
    "short": State(enter=("open", "steady", "stop_air")),  # E
    "fault": State(timers=("fault_hold",), enter=("open", "stop_air", "show_fault")),  # F
    "blocked": State(timers=("unlock",), enter=("open", "steady")),  # after a fault, until the vehicle has gone
    "dead": State(enter=("open", "stop_air", "dark")),  # without mains
    "reviving": State(timers=("restart_delay",), enter=("open", "steady", "await_sequence")),
}

PWM = ("offering", "refused", "locking", "airing", "delaying", "supplying")
"""States in which the limit is told by the duty cycle."""
_READY = ("locking", "airing", "delaying", "supplying")
_WITHOUT_PWM = ("plugged", "waiting", "stopping")
_DIGITAL = ("matching", "stepping")
_LIVE = ("idle", "unplugged", *_WITHOUT_PWM, *_DIGITAL, *PWM)

ROWS: tuple[Row, ...] = (
    # 1: the vehicle comes
    Row(("idle",), "B", "plugged"),
    Row(("idle", "plugged"), "C", "waiting"),
    Row(("idle", "plugged"), "D", "waiting"),
    Row(("waiting", "stopping"), "B", "plugged"),
    Row(("unplugged",), "B", "plugged"),
    Row(("unplugged",), "C", "waiting"),
    Row(("unplugged",), "D", "waiting"),
    # 3: power becomes available
    Row(("plugged",), "update", "matching", "may_match"),
    Row(("plugged",), "update", "offering", "may_offer"),
    Row(("waiting",), "update", "locking", "may_supply", ("oscillate",)),
    Row(("matching",), "match", "stepping"),
    Row(("stepping",), "step", "plugged", "", ("no_match",)),
    # 4: the vehicle is ready
    Row(("offering", "refused"), "C", "locking"),
    Row(("offering",), "D", "locking", "has_air"),
    Row(("offering",), "D", "refused"),
    Row(("locking",), "update", "airing", "locked_for_air"),
    Row(("locking",), "update", "delaying", "locked"),
    Row(("locking",), "lock_wait", "fault", "", ("blame:lock",)),
    Row(("airing",), "update", "delaying", "aired"),
    Row(("airing",), "C", "delaying", "", ("stop_air",)),
    Row(("airing",), "ventilation_wait", "fault", "", ("blame:ventilation",)),
    Row(("delaying",), "supply_delay", "supplying"),
    Row(("supplying",), "close_check", "", "closed"),
    Row(("supplying",), "close_check", "fault", "", ("blame:contactor",)),
    Row(("locking", "delaying", "supplying"), "D", "airing", "has_air"),
    Row(("locking", "delaying", "supplying"), "D", "refused"),
    Row(("supplying", "delaying"), "C", "", "", ("stop_air",)),
    # 8: the vehicle stops
    Row(("refused", *_READY), "B", "offering", "", ("stop_air",)),
    # 9: the charger stops
    Row(("offering", "matching"), "update", "plugged", "may_not_offer"),
    Row(("refused",), "update", "waiting", "may_not_offer"),
    Row(_READY, "update", "stopping", "may_not_offer"),
    # 10: the vehicle does not react
    Row(("stopping",), "forced_open", "waiting"),
    # 2: the vehicle goes
    Row((*_WITHOUT_PWM, "reviving"), "A", "idle"),
    Row((*PWM, *_DIGITAL), "A", "unplugged", "", ("stop_air",)),
    Row(("unplugged",), "pwm_off", "idle"),
    Row(("idle",), "unlock", "", "", ("unlock",)),
    # 12: faults
    Row(_LIVE, "E", "short"),
    Row(("short",), "A", "idle"),
    Row(("short",), "B", "plugged"),
    Row(("short",), "C", "waiting"),
    Row(("short",), "D", "waiting"),
    Row((*_LIVE, "short", "reviving", "blocked"), "trip", "fault"),
    Row(("fault",), "fault_hold", "", "welded", ("restart:fault_hold",)),
    Row(("fault",), "fault_hold", "idle", "sees_a"),
    Row(("fault",), "fault_hold", "blocked"),
    Row(("blocked",), "unlock", "", "", ("unlock",)),
    Row(("blocked",), "A", "idle"),
    Row(("blocked",), "cleared", "plugged", "sees_b", ("clear",)),
    Row(("blocked",), "cleared", "waiting", "", ("clear",)),
    # mains
    Row((*_LIVE, "short", "fault", "blocked", "reviving"), "mains_lost", "dead"),
    Row(("dead",), "mains_back", "reviving", "", ("clear",)),
    Row(("reviving",), "restart_delay", "plugged", "sees_b"),
    Row(("reviving",), "restart_delay", "short", "sees_e"),
    Row(("reviving",), "restart_delay", "waiting"),
)
