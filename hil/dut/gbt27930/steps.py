"""What the reference DC charger's transition table may ask and do: its guards and actions, by name.

They read sensors, drive the power control and remember what the session is about; messages come and
go in :mod:`hil.dut.gbt27930.charger`. Sections are those of the fact sheet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hil.codec.frame import CanFrame
from hil.dut.gbt27930.power import PowerControl
from hil.dut.gbt27930.quirks import QuirkyPower
from hil.dut.gbt27930.spec import ChargerSpec
from hil.native import mypyc_attr
from hil.protocol.table import TableMachine
from hil.units import Instant
from hil.world.node import Sense


@mypyc_attr(allow_interpreted_subclasses=True)
class ChargerSteps(TableMachine):
    """A table machine that knows the charger's guards (``guard_x``) and actions (``do_x``)."""

    def __init__(self, spec: ChargerSpec, sense: Sense) -> None:
        self.spec = spec
        self.sense = sense
        self.out: list[CanFrame] = []
        """Frames to send."""
        self.actuations: list[tuple[str, float]] = []
        self.bhm: Any = None
        self.bcp: Any = None
        self.bcl: Any = None
        self._offered: Any = None
        self.cause: Mapping[str, int] = {}
        self.cem: dict[str, int] = {}
        self.reconnects = 0
        self.blocked = False
        self.permitted = True
        self.fast_cut = False
        self.seen_bcl = self.seen_bcs = False
        self._entered: Instant = 0
        self.power = PowerControl(self) if spec.power.quirks is None else QuirkyPower(self, spec.power.quirks)
        super().__init__(spec.states, spec.rows, spec.spans, "idle")

    def trigger(self, name: str, now: Instant) -> None:
        """Give a trigger to the table."""
        self.fire(name, now)

    # --- guards -----------------------------------------------------------------------------------

    def guard_may_start(self, now: Instant) -> bool:
        power = self.spec.power
        cc1 = power.start_cc1_low <= self.sense("cc1_voltage", now) <= power.start_cc1_high
        healthy = self.sense("pe_ok", now) and self.sense("ac_present", now) and not self.sense("emergency_stop", now)
        return cc1 and bool(healthy) and not self.blocked

    def guard_locked(self, now: Instant) -> bool:
        return bool(self.sense("lock_engaged", now))

    def guard_aux_closed(self, now: Instant) -> bool:
        return bool(self.sense("k3k4_closed", now))

    def guard_k1k2_closed(self, now: Instant) -> bool:
        return bool(self.sense("k1k2_closed", now)) or not self.spec.power.close_k1k2

    def guard_k1k2_open(self, now: Instant) -> bool:
        return not self.sense("k1k2_closed", now)

    def guard_identifies_without_bhm(self, now: Instant) -> bool:
        return self.spec.readings.get("bhm-silence") == "identify-after-5s"

    def guard_bhm_too_low(self, now: Instant) -> bool:
        return bool(self.bhm.max_total_voltage < self.spec.power.min_voltage)

    def guard_outside_dead(self, now: Instant) -> bool:
        power = self.spec.power
        return not power.check_outside or self.sense("battery_side_voltage", now) < power.outside_voltage_limit

    def guard_test_voltage_reached(self, now: Instant) -> bool:
        return self.power.reached(now, self.spec.power.test_voltage_factor)

    def guard_insulation_bad(self, now: Instant) -> bool:
        return self.power.insulation_bad(now)

    def guard_discharged(self, now: Instant) -> bool:
        return not self.spec.power.discharge or self.sense("output_voltage", now) < self.spec.power.discharge_below

    def guard_battery_voltage_fits(self, now: Instant) -> bool:
        return self.power.battery_fits(now)

    def guard_precharged(self, now: Instant) -> bool:
        return self.power.precharged(now)

    def guard_ends_on_bro00(self, now: Instant) -> bool:
        return self.spec.readings.get("dn2007-2009", "amd1") == "print"

    def guard_bcl_seen(self, now: Instant) -> bool:
        return self.seen_bcl

    def guard_bcs_seen(self, now: Instant) -> bool:
        return self.seen_bcs

    def guard_reconnections_used(self, now: Instant) -> bool:
        return self.reconnects >= self.spec.reconnections

    def guard_at_rest(self, now: Instant) -> bool:
        return self.guard_k1k2_open(now) and self.guard_discharged(now)

    def guard_shut(self, now: Instant) -> bool:
        aux = not self.sense("k3k4_closed", now) or not self.spec.power.release_aux
        return aux and self.guard_at_rest(now)

    # --- actions: session -------------------------------------------------------------------------

    def do_new_session(self, now: Instant) -> None:
        self.reconnects = 0
        self.permitted = True
        self.fast_cut = False
        self.bcp = self.bhm = self.bcl = None
        self.cause = {}
        self.power.session_begins(now)

    def do_unblock(self, now: Instant) -> None:
        self.blocked = False

    def do_block(self, now: Instant) -> None:
        self.blocked = True

    def do_take_bhm(self, now: Instant) -> None:
        self.bhm = self._offered

    def do_take_brm(self, now: Instant) -> None:
        """BRM needs no keeping: the reference charges every battery type."""

    def do_take_bcp(self, now: Instant) -> None:
        self.bcp = self._offered

    def do_stop_t3(self, now: Instant) -> None:
        """T3 waits for any valid BRO (register: t3-bro)."""
        self.stop_timer("T3")
        if self.spec.readings.get("t3-bro") == "restart":
            self.start_timer("T3", now)

    def do_restart(self, timer: str, now: Instant) -> None:
        self.start_timer(timer, now)

    def do_clear_seen(self, now: Instant) -> None:
        self.seen_bcl = self.seen_bcs = False
        self.stop_timer("T8")
        self.stop_timer("T9")

    def do_saw_bcl(self, now: Instant) -> None:
        self.seen_bcl = True
        self.stop_timer("T6")
        self.start_timer("T8", now)

    def do_saw_bcs(self, now: Instant) -> None:
        self.seen_bcs = True
        self.stop_timer("T7")
        self.start_timer("T9", now)

    def do_take_bcl(self, now: Instant) -> None:
        self.start_timer("T8", now)
        if self.state == "charging":
            self.power.follow(self.bcl, now)

    def do_take_bcs(self, now: Instant) -> None:
        self.start_timer("T9", now)

    def do_reconnect(self, now: Instant) -> None:
        self.power.end_discharge()
        self.reconnects += 1
        self.permitted = True

    def do_wait_statistics(self, now: Instant) -> None:
        """The output is not at rest yet: CSD goes on."""
        self.start_timer("statistics", now)

    def do_say(self, name: str, now: Instant) -> None:
        """A seeded fault: a message out of turn."""
        self.send(name, now)

    # --- actions: causes and reports --------------------------------------------------------------

    def do_cause(self, cause: str, now: Instant) -> None:
        """Remember why the charge stops: the content of CST (register: cst-cause)."""
        self.cause = self.spec.stop_causes[cause]
        if cause in self.spec.power.fast_causes:
            self.fast_cut = True

    def do_report(self, awaited: str, now: Instant) -> None:
        """Remember which message did not come in time: the content of CEM."""
        self.cem = {awaited: 1}

    # --- actions: plant ---------------------------------------------------------------------------

    def act(self, name: str, value: float) -> None:
        """Set a declared actuator."""
        self.actuations.append((name, value))

    def do_lock(self, now: Instant) -> None:
        self.act("lock_command", 1)

    def do_unlock(self, now: Instant) -> None:
        self.act("lock_command", 0)

    def do_close_aux(self, now: Instant) -> None:
        self.act("k3k4_command", 1)

    def do_release_aux(self, now: Instant) -> None:
        """Whatever the feedback tells: that of a plant that has gone tells nothing."""
        if self.spec.power.release_aux:
            self.act("k3k4_command", 0)

    def do_close_k1k2(self, now: Instant) -> None:
        if self.spec.power.close_k1k2:
            self.act("k1k2_command", 1)

    def do_open_k1k2(self, now: Instant) -> None:
        self.act("k1k2_command", 0)

    def do_start_test_voltage(self, now: Instant) -> None:
        self.power.test(now)

    def do_output_off(self, now: Instant) -> None:
        self.power.off()

    def do_discharge(self, now: Instant) -> None:
        self.power.discharge()

    def do_end_discharge(self, now: Instant) -> None:
        self.power.end_discharge()

    def do_start_precharge(self, now: Instant) -> None:
        self.power.precharge(now)

    def do_begin_charging(self, now: Instant) -> None:
        self.permitted = True
        self.reconnects = 0
        self.power.charge(now)

    def do_pause(self, now: Instant) -> None:
        self.permitted = False
        self.power.pause()

    def do_cut(self, now: Instant) -> None:
        self.power.cut(now, fast=self.fast_cut)

    def do_cut_at_once(self, now: Instant) -> None:
        """A danger while the current is coming down already: no ramp any more."""
        self.fast_cut = True
        self.power.cut(now, fast=True)

    def do_ramp_and_open(self, now: Instant) -> None:
        self.power.ramp_and_open(now)

    def do_shut_down(self, now: Instant) -> None:
        power = self.spec.power
        self.power.ramp_and_open(now)
        if power.release_aux and self.guard_k1k2_open(now) and now >= self._entered + power.aux_after:
            self.act("k3k4_command", 0)

    def do_slew(self, now: Instant) -> None:
        self.power.slew(now)
