"""The reference AC charger's transition table (sheet iec61851_control_pilot.md, section 3), as data.

``A`` .. ``F`` are what the pilot shows of the vehicle; triggers of these names come when a level has
stood for the debounce time.
"""

from __future__ import annotations

from collections.abc import Mapping

from hil.protocol.table import Row, State

STATES: Mapping[str, State] = {
    "idle": State(enter=("steady", "open", "unlock_soon")),  # A1
    "plugged": State(enter=("steady", "open"), poll=True),  # B1
    "offering": State(enter=("oscillate", "open"), poll=True),  # B2
    "locking": State(timers=("lock_wait",), enter=("lock",), poll=True),  # C2, output not yet on
    "airing": State(timers=("ventilation_wait",), enter=("air",), poll=True),  # D2, with ventilation
    "delaying": State(timers=("supply_delay",), poll=True),
    "supplying": State(enter=("close",), poll=True),  # C2
    "waiting": State(poll=True),  # C1: the vehicle is ready, the charger is not
    "stopping": State(timers=("forced_open",), enter=("steady",), poll=True),  # C1 after the charger's stop
    "unplugged": State(timers=("pwm_off",), enter=("open",)),  # A2
    "fault": State(enter=("open", "stop_air", "show_fault"), poll=True),  # F, until the vehicle has gone
    "short": State(enter=("open", "stop_air"), poll=True),  # E
}

_OSCILLATING = ("offering", "locking", "airing", "delaying", "supplying")
_READY = ("locking", "airing", "delaying", "supplying")
_ENERGISED = ("supplying", "stopping")
_WITH_VEHICLE = ("plugged", "waiting", "stopping", *_OSCILLATING)

ROWS: tuple[Row, ...] = (
    # 1: the vehicle comes
    Row(("idle",), "B", "plugged", "vehicle_fits"),
    Row(("idle",), "C", "waiting"),
    Row(("idle",), "D", "waiting"),
    Row(("waiting", "stopping"), "B", "plugged"),
    Row(("plugged",), "C", "waiting"),
    Row(("plugged",), "D", "waiting"),
    # 3: power becomes available
    Row(("plugged",), "poll", "offering", "may_offer"),
    Row(("waiting",), "poll", "locking", "may_supply", ("oscillate",)),
    # 4: the vehicle is ready
    Row(("offering",), "C", "locking", "diode_ok"),
    Row(("offering",), "D", "locking", "may_air"),
    Row(("offering",), "D", "", "", ("refuse",)),
    Row(("locking",), "poll", "airing", "locked_for_air"),
    Row(("locking",), "poll", "delaying", "locked"),
    Row(("locking",), "lock_wait", "fault"),
    Row(("airing",), "poll", "delaying", "aired"),
    Row(("airing",), "ventilation_wait", "fault"),
    Row(("delaying",), "supply_delay", "supplying", "diode_ok"),
    Row(("delaying",), "supply_delay", "fault"),
    # 6: the limit changes
    Row(_OSCILLATING, "limit", "", "may_offer", ("oscillate",)),
    Row(("offering",), "limit", "plugged"),
    Row(_READY, "limit", "stopping"),
    # 8: the vehicle stops
    Row(_READY, "B", "offering"),
    Row(("supplying",), "D", "fault", "no_air"),
    # 9: the charger stops
    Row(("offering",), "stop", "plugged"),
    Row(_READY, "stop", "stopping"),
    # 10: the vehicle does not react
    Row(("stopping",), "forced_open", "waiting", "", ("open",)),
    # 2: the vehicle goes
    Row(("plugged", "waiting", "stopping"), "A", "idle"),
    Row(_OSCILLATING, "A", "unplugged"),
    Row(("unplugged",), "pwm_off", "idle"),
    Row(("unplugged",), "B", "plugged", "vehicle_fits"),
    # 12: faults
    Row(_WITH_VEHICLE, "E", "short"),
    Row(("idle",), "E", "short"),
    Row(("short",), "A", "idle"),
    Row(("short",), "B", "plugged"),
    Row(("short",), "C", "waiting"),
    Row(_WITH_VEHICLE, "trip", "fault"),
    Row(("idle",), "weld", "fault"),
    Row((*_WITH_VEHICLE, "unplugged"), "weld", "fault"),
    Row(("fault",), "cleared", "idle"),
    # mains
    Row(_READY, "mains_lost", "waiting", "", ("open", "await_sequence")),
    Row(("supplying",), "poll", "", "", ("watch",)),
)
