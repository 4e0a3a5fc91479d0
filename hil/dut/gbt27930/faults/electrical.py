"""Seeded faults that show in the plant: contactors, current, insulation, protection."""

from __future__ import annotations

from hil.dut.gbt27930.fault import Fault, gbt27930, gbt34657
from hil.units import s

_FAST = ("emergency", "connector", "earth", "supply", "voltage")
_SUPPLYING = ("charging", "paused", "ready")

FAULTS = (
    # connection, self-check, insulation
    Fault(
        "starts-without-plug",
        gbt34657("D0.1001"),
        "starts a session whatever CC1 shows",
        "electrical",
        lambda c: c.powered(start_cc1_low=0.0, start_cc1_high=15.0, cc1_low=0.0, cc1_high=15.0),
    ),
    Fault(
        "starts-with-switch-s-open",
        gbt34657("D0.1001"),
        "starts a session at 6 V on CC1",
        "electrical",
        lambda c: c.powered(start_cc1_high=6.8, cc1_high=6.8),
    ),
    Fault(
        "never-starts",
        gbt34657("D0.1001"),
        "does not take 4 V on CC1 for plugged",
        "electrical",
        lambda c: c.powered(start_cc1_low=4.5),
    ),
    Fault(
        "test-voltage-low",
        gbt34657("D0.2001"),
        "tests the insulation at 80 % of the voltage",
        "electrical",
        lambda c: c.powered(test_voltage_factor=0.8),
    ),
    Fault(
        "test-voltage-high",
        gbt34657("D0.2001"),
        "tests the insulation at 110 % of BHM's voltage",
        "electrical",
        lambda c: c.powered(test_voltage_factor=1.1),
    ),
    Fault(
        "test-voltage-beyond-rating",
        gbt34657("D0.2001"),
        "tests the insulation at BHM's voltage although its own rated voltage is lower",
        "electrical",
        lambda c: c.powered(test_beyond_rating=True),
    ),
    Fault(
        "low-bhm-accepted",
        gbt34657("D0.2001"),
        "does not refuse a BHM below its own range",
        "electrical",
        lambda c: c.without_rows(guard="bhm_too_low"),
    ),
    Fault(
        "outside-voltage-not-checked",
        gbt34657("D0.2001"),
        "tests the insulation although voltage lies outside its contactors",
        "electrical",
        lambda c: c.powered(check_outside=False),
    ),
    Fault(
        "no-discharge",
        gbt34657("D0.2001", "D0.5001"),
        "does not discharge its output",
        "electrical",
        lambda c: c.powered(discharge=False),
    ),
    Fault(
        "insulation-test-skipped",
        gbt34657("D0.2001", "D0.2501"),
        "goes on to CRM without an insulation test",
        "sequence",
        lambda c: c.with_row("handshake", "BHM", "recognise", "", ("take_bhm",)),
    ),
    Fault(
        "leakage-not-seen",
        gbt34657("D0.2501"),
        "does not judge the insulation it measures",
        "electrical",
        lambda c: c.powered(measure_insulation=False),
    ),
    Fault(
        "insulation-limit-low",
        gbt34657("D0.2501"),
        "takes 50 ohm per volt for the limit",
        "electrical",
        lambda c: c.powered(insulation_fault_ohm_per_volt=50.0),
    ),
    Fault(
        "insulation-limit-excluded",
        gbt34657("D0.2501"),
        "accepts an insulation of just 100 ohm per volt",
        "electrical",
        lambda c: c.powered(insulation_fault_ohm_per_volt=99.0),
    ),
    Fault(
        "insulation-limit-high",
        gbt34657("D0.2501"),
        "refuses what deserves a warning only",
        "electrical",
        lambda c: c.powered(insulation_fault_ohm_per_volt=500.0),
    ),
    # readiness and inrush
    Fault(
        "battery-voltage-not-checked",
        gbt34657("D0.3001"),
        "does not compare the battery voltage with BCP",
        "electrical",
        lambda c: c.powered(battery_tolerance=1.0),
    ),
    Fault(
        "battery-tolerance-wide",
        gbt34657("D0.3001"),
        "accepts a battery voltage 7 % off BCP",
        "electrical",
        lambda c: c.powered(battery_tolerance=0.07),
    ),
    Fault(
        "battery-tolerance-tight",
        gbt34657("D0.3001"),
        "refuses a battery voltage that differs from BCP by the rounding",
        "electrical",
        lambda c: c.powered(battery_tolerance=0.0),
    ),
    Fault(
        "output-range-not-checked",
        gbt34657("D0.3001"),
        "gets ready for a battery outside its own output range",
        "electrical",
        lambda c: c.powered(check_range=False),
    ),
    Fault(
        "no-precharge",
        gbt34657("D0.3101"),
        "closes its contactors with the output 60 V below the battery",
        "electrical",
        lambda c: c.powered(precharge_below=60.0),
    ),
    Fault(
        "precharge-above-battery",
        gbt34657("D0.3101"),
        "precharges to 5 V above the battery",
        "electrical",
        lambda c: c.powered(precharge_below=-5.0),
    ),
    Fault(
        "precharge-15-below",
        gbt34657("D0.3101"),
        "precharges to 15 V below the battery",
        "electrical",
        lambda c: c.powered(precharge_below=15.0),
    ),
    # regulation
    Fault(
        "demand-not-followed",
        gbt34657("D0.4001"),
        "keeps the first demand",
        "electrical",
        lambda c: c.powered(follow_demand=False),
    ),
    Fault(
        "voltage-one-percent-high",
        gbt34657("D0.4101"),
        "puts out 1 % more voltage than demanded",
        "electrical",
        lambda c: c.powered(set_voltage_gain=1.01),
    ),
    Fault(
        "voltage-one-percent-low",
        gbt34657("D0.4101"),
        "puts out 1 % less voltage than demanded",
        "electrical",
        lambda c: c.powered(set_voltage_gain=0.99),
    ),
    Fault(
        "current-two-percent-high",
        gbt34657("D0.4102"),
        "puts out 2 % more current than demanded",
        "electrical",
        lambda c: c.powered(set_current_gain=1.02),
    ),
    Fault(
        "current-half-an-ampere-high",
        gbt34657("D0.4102"),
        "puts out 0.5 A more than demanded",
        "electrical",
        lambda c: c.powered(set_current_offset=0.5),
    ),
    Fault(
        "current-falls-slowly",
        gbt34657("D0.4103"),
        "lowers its current by 10 A/s",
        "electrical",
        lambda c: c.powered(fall_ramp=10.0),
    ),
    Fault(
        "current-overshoots",
        (*gbt34657("D0.4001", "D0.4102"), *gbt27930("RG.07")),
        "puts out 5 % more current than demanded",
        "electrical",
        lambda c: c.powered(set_current_gain=1.05),
    ),
    # protection
    Fault(
        "recovery-with-chm",
        gbt34657("D0.4501"),
        "begins a reconnection with CHM",
        "recovery",
        lambda c: c.with_row("error", "cem", "handshake", "", ("reconnect",)),
    ),
    Fault(
        "recovery-without-current",
        gbt34657("D0.4501"),
        "gives no current after a reconnection",
        "recovery",
        lambda c: (
            c.without_rows(trigger="BEM")
            .with_row("error", "cem", "recognise", "", ("reconnect", "block"))
            .powered(resume_output=False)
        ),
    ),
    Fault(
        "contactors-stay-closed",
        gbt34657("D0.4501", "D0.4503", "D0.4504", "D0.4506", "D0.5001"),
        "leaves its contactors closed",
        "electrical",
        lambda c: c.powered(release_k1k2=False),
    ),
    Fault(
        "switch-s-not-watched",
        gbt34657("D0.4502", "D0.4503", "D0.6002"),
        "does not watch CC1 while charging",
        "electrical",
        lambda c: c.powered(cc1_low=0.0, cc1_high=15.0),
    ),
    Fault(
        "switch-s-slow",
        gbt34657("D0.4502", "D0.4503"),
        "takes the current down by 400 A/s when CC1 fails",
        "electrical",
        lambda c: c.powered(fast_ramp=400.0),
    ),
    Fault(
        "cc1-cause-wrong",
        gbt34657("D0.4502", "D0.4503"),
        "says manual stop in CST when CC1 fails",
        "content",
        lambda c: c.causing("connector", manual_stop=1),
    ),
    Fault(
        "cst-late-at-faults",
        gbt34657("D0.4503", "D0.4506"),
        "sends CST 300 ms after a fault",
        "timing",
        lambda c: c.wired("CST", quiet=s(0.3)),
    ),
    Fault(
        "aux-off-before-statistics",
        gbt34657("D0.4503"),
        "opens K3/K4 before the statistics when CC1 fails",
        "sequence",
        lambda c: c.with_row(_SUPPLYING, "cc1_fault", "closed_down", "", ("cause:connector",)),
    ),
    Fault(
        "overvoltage-not-watched",
        gbt34657("D0.4504"),
        "does not watch its output against the vehicle's maximum",
        "electrical",
        lambda c: c.powered(overvoltage_watch=False),
    ),
    Fault(
        "earth-not-watched",
        gbt34657("D0.4505"),
        "charges on without protective earth",
        "electrical",
        lambda c: c.without_rows(trigger="pe_lost"),
    ),
    Fault(
        "earth-slow",
        gbt34657("D0.4505"),
        "takes the current down by 300 A/s when earth is lost",
        "electrical",
        lambda c: c.powered(fast_ramp=300.0),
    ),
    Fault(
        "emergency-stop-ignored",
        gbt34657("D0.4506"),
        "charges on when its emergency stop is pressed",
        "electrical",
        lambda c: c.without_rows(trigger="emergency"),
    ),
    Fault(
        "ac-loss-ignored",
        gbt34657("D0.4506"),
        "leaves its contactors closed when the AC supply is lost",
        "electrical",
        lambda c: c.without_rows(trigger="ac_lost"),
    ),
    Fault(
        "resumes-after-ac-loss",
        gbt34657("D0.4506"),
        "waits for the AC supply and goes on charging",
        "recovery",
        lambda c: c.with_row("charging", "ac_lost", "paused").with_row("paused", "ac_back", "charging"),
    ),
    # end
    Fault(
        "opens-under-load",
        (*gbt34657("D0.5001"), *gbt27930("LL.13")),
        "opens its contactors at once, under load",
        "electrical",
        lambda c: c.powered(open_unconditionally=True),
    ),
    Fault(
        "stop-cause-exchanged",
        gbt34657("D0.5001"),
        "exchanges manual stop and BMS stopped in CST",
        "content",
        lambda c: c.causing("manual", bms_stopped=1).causing("bst", manual_stop=1),
    ),
    Fault(
        "stops-slowly",
        gbt34657("D0.5101"),
        "takes the current down by 60 A/s",
        "electrical",
        lambda c: c.powered(stop_ramp=60.0),
    ),
    Fault(
        "aux-before-lock",
        gbt34657("D0.6001"),
        "switches the auxiliary supply on before the plug is locked",
        "sequence",
        lambda c: c.stating("locking", enter=("close_aux", "lock")),
    ),
    Fault(
        "unlocks-early",
        gbt34657("D0.6001"),
        "unlocks the plug while it charges",
        "sequence",
        lambda c: c.stating("charging", enter=(*c.states["charging"].enter, "unlock")),
    ),
    Fault(
        "contactors-late",
        gbt34657("D0.6001"),
        "says ready before it closes K1/K2",
        "sequence",
        lambda c: c.with_row("precharge", "poll", "ready", "precharged").stating(
            "charging", enter=("close_k1k2", *c.states["charging"].enter)
        ),
    ),
    Fault(
        "cc1-window-tight",
        gbt34657("D0.6002"),
        "stops at 3.7 V and at 4.3 V on CC1",
        "electrical",
        lambda c: c.powered(cc1_low=3.8, cc1_high=4.2),
    ),
    Fault(
        "cc1-window-wide",
        gbt34657("D0.6002"),
        "charges from 2 V to 5.5 V on CC1",
        "electrical",
        lambda c: c.powered(cc1_low=2.0, cc1_high=5.5),
    ),
    # rules
    Fault(
        "limits-not-kept",
        gbt27930("RG.07"),
        "follows a demand beyond BCP's limits",
        "electrical",
        lambda c: c.powered(follow_limits=False, overvoltage_watch=False),
    ),
    Fault(
        "ccs-voltage-off",
        (*gbt27930("RG.06"), *gbt34657("D0.4001")),
        "tells 5 % more voltage in CCS than it puts out",
        "content",
        lambda c: c.powered(voltage_gain=1.05),
    ),
    Fault(
        "ccs-current-off",
        (*gbt27930("RG.06"), *gbt34657("D0.4001")),
        "tells 5 % less current in CCS than it puts out",
        "content",
        lambda c: c.powered(current_gain=0.95),
    ),
    Fault(
        "ccs-tells-demand",
        gbt27930("RG.06"),
        "adds 2 A to the current it tells in CCS",
        "content",
        lambda c: c.powered(current_offset=2.0),
    ),
    Fault(
        "ccs-counts-seconds",
        gbt27930("RG.06"),
        "counts seconds instead of minutes in CCS",
        "content",
        lambda c: c.powered(time_gain=60),
    ),
    *(
        Fault(
            f"cst-{key}-not-told",
            gbt27930("RG.05"),
            f"gives no cause in CST {words}",
            "content",
            lambda c, cause=cause: c.causing(cause),  # type: ignore[misc]  # binds the loop's value
        )
        for key, cause, words in (
            ("emergency", "emergency", "after an emergency stop"),
            ("connector", "connector", "when CC1 fails"),
            ("supply", "supply", "when the AC supply is lost"),
            ("overvoltage", "voltage", "after an overvoltage"),
            ("pause", "pause", "after a pause of 10 minutes"),
        )
    ),
)
