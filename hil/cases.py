"""Everything a conformance case imports: one door, so that a case never knows what is behind it."""

from __future__ import annotations

from hil.bench.ac import AcBench, AcPhase
from hil.bench.ac_modbus import AcModbusBench
from hil.bench.ac_profiles import judge_ac_profiles
from hil.bench.actions import (
    alter,
    answer_stop,
    at_signal,
    break_line,
    demand,
    disturb,
    first,
    go,
    hold,
    impatient,
    malform,
    mend_line,
    nth,
    release,
    restore,
    resume,
    send_raw,
    short_line,
    silence,
    stimulate,
    stop_charging,
    transfer,
    transport,
    vehicle_contactors,
)
from hil.bench.bench import Bench
from hil.bench.dlt645 import MeterBench
from hil.bench.load import put_load, take_load_away
from hil.bench.modbus import ModbusBench, ModbusLine
from hil.bench.phases import Phase
from hil.bench.profile_cases import judge_family, judge_generated
from hil.bench.rapi import RapiBench
from hil.bench.record import MessageSeen
from hil.conformance.catalogue import Limit, adjustment_time, limit, partner, period, quantity, tail, timeout, window
from hil.conformance.duty import apart_from, current_of
from hil.marks import requirement
from hil.units import minutes, ms, s, seconds

__all__ = [
    "AcBench",
    "AcModbusBench",
    "AcPhase",
    "Bench",
    "Limit",
    "MessageSeen",
    "MeterBench",
    "ModbusBench",
    "ModbusLine",
    "Phase",
    "RapiBench",
    "adjustment_time",
    "alter",
    "answer_stop",
    "apart_from",
    "at_signal",
    "break_line",
    "current_of",
    "demand",
    "disturb",
    "first",
    "go",
    "hold",
    "impatient",
    "judge_ac_profiles",
    "judge_family",
    "judge_generated",
    "limit",
    "malform",
    "mend_line",
    "minutes",
    "ms",
    "nth",
    "partner",
    "period",
    "put_load",
    "quantity",
    "release",
    "requirement",
    "restore",
    "resume",
    "s",
    "seconds",
    "send_raw",
    "short_line",
    "silence",
    "stimulate",
    "stop_charging",
    "tail",
    "take_load_away",
    "timeout",
    "transfer",
    "transport",
    "vehicle_contactors",
    "window",
]
