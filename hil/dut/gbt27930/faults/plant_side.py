"""Seeded faults at the power side, at several magnitudes: control, protection, contactors, lock, end."""

from __future__ import annotations

from hil.dut.gbt27930.fault import Fault, gbt27930, gbt34657, gbt34658
from hil.protocol.table import State
from hil.units import ms, s

_READYING = ("verify", "precharge", "closing")
_SUPPLYING = ("charging", "paused")

FAULTS = (
    # connection, self-check, insulation
    Fault(
        "starts-after-35-s",
        gbt34657("D0.1001"),
        "sends the first CHM 35 s after the start",
        "timing",
        lambda c: c.but(slow_to={"start": s(35)}),
    ),
    Fault(
        "starts-before-the-aux-supply",
        gbt34657("D0.6001"),
        "sends CHM before the auxiliary supply is on",
        "sequence",
        lambda c: c.with_row("locking", "poll", "handshake", "locked", ("close_aux",)).stating(
            "locking", enter=("lock",)
        ),
    ),
    Fault(
        "test-voltage-half",
        gbt34657("D0.2001"),
        "tests the insulation at half the voltage",
        "electrical",
        lambda c: c.powered(test_voltage_factor=0.5),
    ),
    Fault(
        "test-voltage-3-percent-low",
        gbt34657("D0.2001"),
        "tests the insulation at 97 % of the voltage",
        "electrical",
        lambda c: c.powered(test_voltage_factor=0.97),
    ),
    Fault(
        "test-voltage-1.5-percent-high",
        gbt34657("D0.2001"),
        "tests the insulation at 101.5 % of BHM's voltage",
        "electrical",
        lambda c: c.powered(test_voltage_factor=1.015),
    ),
    Fault(
        "insulation-test-behind-open-contacts",
        gbt34657("D0.2001"),
        "tests the insulation with its contactors open",
        "electrical",
        lambda c: c.with_row("ins_rise", "poll", "ins_measure", "test_voltage_reached"),
    ),
    Fault(
        "contactors-closed-after-the-test",
        gbt34657("D0.2001"),
        "leaves its contactors closed after the insulation test",
        "electrical",
        lambda c: c.with_row("ins_fall", "poll", "recognise", "discharged", ("end_discharge",)),
    ),
    Fault(
        "insulation-limit-85",
        gbt34657("D0.2501"),
        "takes 85 ohm per volt for the limit",
        "electrical",
        lambda c: c.powered(insulation_fault_ohm_per_volt=85.0),
    ),
    Fault(
        "insulation-limit-350",
        gbt34657("D0.2501"),
        "refuses up to 350 ohm per volt",
        "electrical",
        lambda c: c.powered(insulation_fault_ohm_per_volt=350.0),
    ),
    # readiness and inrush
    Fault(
        "battery-tolerance-6.5-percent",
        gbt34657("D0.3001"),
        "accepts a battery voltage 6.5 % off BCP",
        "electrical",
        lambda c: c.powered(battery_tolerance=0.065),
    ),
    Fault(
        "battery-tolerance-huge",
        gbt34657("D0.3001"),
        "accepts a battery of half or of twice the voltage of BCP",
        "electrical",
        lambda c: c.powered(battery_tolerance=1.0),
    ),
    Fault(
        "battery-check-given-up-after-4.8-s",
        gbt34657("D0.3001"),
        "goes on with any battery voltage 4.8 s after BRO(AA)",
        "electrical",
        lambda c: (
            c.stating("verify", timers=("T5", "extra")).timing(extra=s(4.8)).with_row("verify", "extra", "precharge")
        ),
    ),
    Fault(
        "ready-before-the-battery-is-checked",
        gbt34657("D0.3001"),
        "says ready when BRO(AA) comes",
        "sequence",
        lambda c: c.with_row("configure", "BROAA", "ready"),
    ),
    Fault(
        "precharge-12-below",
        gbt34657("D0.3101"),
        "precharges to 12 V below the battery",
        "electrical",
        lambda c: c.powered(precharge_below=12.0),
    ),
    Fault(
        "precharge-to-the-battery",
        gbt34657("D0.3101"),
        "precharges to the battery voltage",
        "electrical",
        lambda c: c.powered(precharge_below=0.0),
    ),
    Fault(
        "closes-during-precharge",
        gbt34657("D0.3101"),
        "closes its contactors while the output still rises",
        "electrical",
        lambda c: c.powered(precharge_window=150.0),
    ),
    # regulation
    Fault(
        "voltage-0.7-percent-high",
        gbt34657("D0.4101"),
        "puts out 0.7 % more voltage than demanded",
        "electrical",
        lambda c: c.powered(set_voltage_gain=1.007),
    ),
    Fault(
        "voltage-0.7-percent-low",
        gbt34657("D0.4101"),
        "puts out 0.7 % less voltage than demanded",
        "electrical",
        lambda c: c.powered(set_voltage_gain=0.993),
    ),
    Fault(
        "voltage-3-percent-low",
        gbt34657("D0.4101"),
        "puts out 3 % less voltage than demanded",
        "electrical",
        lambda c: c.powered(set_voltage_gain=0.97),
    ),
    Fault(
        "current-1.2-percent-high",
        gbt34657("D0.4001", "D0.4102"),
        "puts out 1.2 % more current than demanded",
        "electrical",
        lambda c: c.powered(set_current_gain=1.012),
    ),
    Fault(
        "current-1.2-percent-low",
        gbt34657("D0.4001", "D0.4102"),
        "puts out 1.2 % less current than demanded",
        "electrical",
        lambda c: c.powered(set_current_gain=0.988),
    ),
    Fault(
        "current-0.4-ampere-low",
        gbt34657("D0.4102"),
        "puts out 0.4 A less than demanded",
        "electrical",
        lambda c: c.powered(set_current_offset=-0.4),
    ),
    Fault(
        "current-falls-by-18-a-per-s",
        gbt34657("D0.4103"),
        "lowers its current by 18 A/s",
        "electrical",
        lambda c: c.powered(fall_ramp=18.0),
    ),
    Fault(
        "current-hardly-falls",
        gbt34657("D0.4001", "D0.4103"),
        "lowers its current by 2 A/s",
        "electrical",
        lambda c: c.powered(fall_ramp=2.0),
    ),
    Fault(
        "current-hardly-rises",
        gbt34657("D0.4001", "D0.4103"),
        "raises its current by 3 A/s",
        "electrical",
        lambda c: c.powered(rise_ramp=3.0),
    ),
    Fault(
        "demand-kept",
        gbt34657("D0.4103"),
        "keeps the first demand of each charge",
        "electrical",
        lambda c: c.powered(follow_demand=False),
    ),
    Fault(
        "minimum-output-5-ampere-high",
        gbt27930("RG.01"),
        "puts out 5 A more than demanded",
        "electrical",
        lambda c: c.powered(set_current_offset=5.0),
    ),
    Fault(
        "demand-zero-other-reading",
        gbt27930("RG.01"),
        "handles a demand of 0 as the other reading has it",
        "electrical",
        lambda c: c.but(
            readings={
                **c.readings,
                "demand-zero": "zero-output"
                if c.readings.get("demand-zero", "minimum-output") == "minimum-output"
                else "minimum-output",
            }
        ),
    ),
    Fault(
        "demand-zero-ends-charge",
        gbt27930("RG.01"),
        "stops 8 s after charging began, whatever is demanded",
        "sequence",
        lambda c: c.doing("charging", s(8), "cause:manual", "cut"),
    ),
    Fault(
        "current-limit-6-percent-high",
        gbt27930("RG.07"),
        "exceeds BCP's maximum current by 6 %",
        "electrical",
        lambda c: c.powered(set_current_gain=1.06),
    ),
    Fault(
        "voltage-limit-2-percent-high",
        gbt27930("RG.07"),
        "exceeds BCP's maximum voltage by 2 %",
        "electrical",
        lambda c: c.powered(set_voltage_gain=1.02, overvoltage_watch=False),
    ),
    # protection
    Fault(
        "switch-s-60-ms",
        gbt34657("D0.4502"),
        "notices an open switch S after 60 ms",
        "timing",
        lambda c: c.but(slow_to={"cc1_fault": ms(60)}),
    ),
    Fault(
        "cc1-120-ms",
        gbt34657("D0.4502", "D0.4503", "D0.6002"),
        "notices a broken CC1 after 120 ms",
        "timing",
        lambda c: c.but(slow_to={"cc1_fault": ms(120)}),
    ),
    Fault(
        "contactors-open-150-ms-late",
        gbt34657("D0.4503", "D0.6002"),
        "opens its contactors 150 ms after a fault",
        "electrical",
        lambda c: c.powered(open_after=ms(150)),
    ),
    Fault(
        "contactors-open-1.5-s-late",
        gbt34657("D0.4503", "D0.4504", "D0.4506", "D0.6002"),
        "opens its contactors 1.5 s after a fault",
        "electrical",
        lambda c: c.powered(open_after=s(1.5)),
    ),
    Fault(
        "contactors-open-14-s-late",
        gbt34657("D0.4501", "D0.5001"),
        "opens its contactors 14 s after the charge has ended",
        "electrical",
        lambda c: c.powered(open_after=s(14)).timing(cem=s(20), bem_pause=s(20), cem_end=s(20)),
    ),
    Fault(
        "overvoltage-1.2-s",
        gbt34657("D0.4504"),
        "stops 1.2 s after an overvoltage",
        "timing",
        lambda c: c.but(slow_to={"overvoltage": s(1.2)}),
    ),
    Fault(
        "overvoltage-pauses",
        gbt34657("D0.4504"),
        "pauses at an overvoltage and leaves its contactors closed",
        "electrical",
        lambda c: c.with_row(_SUPPLYING, "overvoltage", "paused"),
    ),
    Fault(
        "aux-on-after-overvoltage",
        gbt34657("D0.4504"),
        "leaves K3/K4 closed for 30 s after the end",
        "electrical",
        lambda c: c.powered(aux_after=s(30)).timing(T23=s(60)),
    ),
    Fault(
        "earth-150-ms",
        gbt34657("D0.4505"),
        "notices a lost earth after 150 ms",
        "timing",
        lambda c: c.but(slow_to={"pe_lost": ms(150)}),
    ),
    Fault(
        "earth-2-s",
        gbt34657("D0.4505"),
        "notices a lost earth after 2 s",
        "timing",
        lambda c: c.but(slow_to={"pe_lost": s(2)}),
    ),
    Fault(
        "earth-ends-with-a-ramp",
        gbt34657("D0.4505"),
        "takes the current down by 200 A/s when earth is lost",
        "electrical",
        lambda c: c.powered(fast_causes=("emergency", "connector", "supply", "voltage"), stop_ramp=200.0),
    ),
    Fault(
        "emergency-stop-150-ms",
        gbt34657("D0.4506"),
        "notices its emergency stop after 150 ms",
        "timing",
        lambda c: c.but(slow_to={"emergency": ms(150)}),
    ),
    Fault(
        "ac-loss-1.5-s",
        gbt34657("D0.4506"),
        "notices a lost AC supply after 1.5 s",
        "timing",
        lambda c: c.but(slow_to={"ac_lost": s(1.5)}),
    ),
    Fault(
        "cc1-from-3.0-v",
        gbt34657("D0.6002"),
        "charges from 3.0 V on CC1",
        "electrical",
        lambda c: c.powered(cc1_low=3.0),
    ),
    Fault(
        "cc1-up-to-5.0-v",
        gbt34657("D0.6002"),
        "charges up to 5.0 V on CC1",
        "electrical",
        lambda c: c.powered(cc1_high=5.0),
    ),
    Fault(
        "cc1-stops-at-4.3-v",
        gbt34657("D0.6002"),
        "stops above 4.3 V on CC1",
        "electrical",
        lambda c: c.powered(cc1_high=4.3),
    ),
    # recovery
    Fault(
        "reconnects-after-35-s",
        (*gbt27930("RG.04", "LL.14"), *gbt34657("D0.4501")),
        "begins a reconnection 35 s after the first CEM or BEM",
        "recovery",
        lambda c: c.timing(cem=s(35), bem_pause=s(35)),
    ),
    Fault(
        "stays-bus-off",
        gbt34657("D0.4501"),
        "never comes back from bus-off, as after a shorted line",
        "recovery",
        lambda c: c.but(leaves_bus_off=False),
    ),
    Fault(
        "never-reconnects",
        (*gbt27930("RG.04"), *gbt34657("D0.4501")),
        "goes on with CEM for ever",
        "recovery",
        lambda c: c.without_rows(state="error", trigger="cem"),
    ),
    Fault(
        "reconnects-to-chm",
        gbt27930("RG.04", "LL.14"),
        "begins each reconnection with CHM, after BEM too",
        "recovery",
        lambda c: c.with_row("error", "cem", "handshake", do=("reconnect",)).with_row(
            "error_heard", "bem_pause", "handshake", do=("reconnect",)
        ),
    ),
    Fault(
        "reconnects-as-recognised",
        gbt27930("RG.04", "LL.14"),
        "begins a reconnection with CRM(AA)",
        "recovery",
        lambda c: c.with_row("error", "cem", "recognised", do=("reconnect",)).with_row(
            "error_heard", "bem_pause", "recognised", do=("reconnect",)
        ),
    ),
    Fault(
        "bem-ends-the-session",
        gbt27930("LL.14"),
        "ends the session at the first BEM",
        "recovery",
        lambda c: c.with_row("error_heard", "bem_pause", "closed_down", do=("block",)),
    ),
    # rules with several readings
    Fault(
        "bhm-silence-late",
        gbt27930("RG.02"),
        "gives up a missing BHM after 15 s",
        "timing",
        lambda c: c.timing(bhm_silence=s(15)),
    ),
    Fault(
        "bhm-silence-other-reading",
        gbt27930("RG.02"),
        "goes on without BHM, or ends, as the other reading has it",
        "sequence",
        lambda c: c.but(
            readings={
                **c.readings,
                "bhm-silence": "identify-after-5s"
                if c.readings.get("bhm-silence") != "identify-after-5s"
                else "end-after-10s",
            }
        ),
    ),
    Fault(
        "bhm-silence-recognised",
        gbt27930("RG.02"),
        "says AA in CRM when no BHM came",
        "sequence",
        lambda c: c.with_row("handshake", "bhm_silence", "recognised"),
    ),
    Fault(
        "bro00-silence-6-s",
        gbt27930("RG.03"),
        "reports BRO 6 s after the last BRO(00), whatever the reading",
        "timing",
        lambda c: c.timing(T3=s(6)).but(readings={**c.readings, "t3-bro": "restart"}),
    ),
    Fault(
        "not-ready-after-70-s",
        gbt27930("RG.03"),
        "gives up a vehicle that is not ready after 70 s, and never one that fell silent",
        "timing",
        lambda c: c.timing(T4=s(70)).without_rows(trigger="T3"),
    ),
    Fault(
        "fallen-bro-ends-late",
        gbt34658("DN.2009"),
        "ends 2 s after BRO fell back, where it claims to end",
        "timing",
        lambda c: (
            c.but(states={**c.states, "ending": State(sends=("CRO00",), timers=("extra",))})
            .timing(extra=s(2))
            .with_row("ending", "extra", "closed_down", do=("block",))
            .with_row(_READYING, "BRO00", "ending", "ends_on_bro00")
        ),
    ),
    Fault(
        "fallen-bro-reported",
        gbt34658("DN.2009"),
        "reports BRO at once when it falls back, where it claims to end",
        "sequence",
        lambda c: c.with_row(_READYING, "BRO00", "error", "ends_on_bro00", ("report:bro",)),
    ),
    # end
    Fault(
        "stops-by-90-a-per-s",
        gbt34657("D0.5101"),
        "takes the current down by 90 A/s",
        "electrical",
        lambda c: c.powered(stop_ramp=90.0),
    ),
    Fault(
        "stops-by-20-a-per-s",
        gbt34657("D0.5101"),
        "takes the current down by 20 A/s",
        "electrical",
        lambda c: c.powered(stop_ramp=20.0),
    ),
    Fault(
        "does-not-stop",
        (*gbt34657("D0.5001", "D0.5101"), *gbt34658("DP.3003", "DP.3006", "DP.3007")),
        "says CST and gives current as before",
        "electrical",
        lambda c: c.powered(stop_output=False),
    ),
    Fault(
        "discharges-late",
        gbt34657("D0.5001"),
        "begins to discharge its output 4 s after the charge has ended",
        "timing",
        lambda c: c.powered(discharge_after=s(4)),
    ),
    Fault(
        "aux-off-after-15-s",
        gbt34658("DP.4001", "DP.4002"),
        "switches the auxiliary supply off 15 s after the session",
        "timing",
        lambda c: c.powered(aux_after=s(15)).timing(T23=s(60)),
    ),
    Fault(
        "never-locks",
        gbt34657("D0.6001"),
        "never locks the plug",
        "electrical",
        lambda c: c.stating("locking", enter=()).with_row("locking", "poll", "aux_on"),
    ),
    Fault(
        "unlocks-with-closed-contacts",
        gbt34657("D0.6001"),
        "unlocks the plug when it stops",
        "sequence",
        lambda c: c.stating("stopping", enter=("unlock", "cut")).stating("answered", enter=("unlock", "cut")),
    ),
    Fault(
        "pause-after-7-s",
        gbt34658("DP.3005"),
        "notices a forbidden charge after 7 s",
        "timing",
        lambda c: c.but(slow_to={"BSM_forbidden": s(7)}),
    ),
    Fault(
        "abnormal-bsm-7-s",
        gbt34658("DP.3003"),
        "stops 7 s after an abnormal BSM",
        "timing",
        lambda c: c.but(slow_to={"BSM_abnormal": s(7)}),
    ),
    Fault(
        "stop-button-7-s",
        gbt34658("DP.3007"),
        "stops 7 s after its button was pressed",
        "timing",
        lambda c: c.but(slow_to={"stop_button": s(7)}),
    ),
    Fault(
        "bst-7-s",
        gbt34658("DP.3006"),
        "stops 7 s after BST",
        "timing",
        lambda c: c.but(slow_to={"BST": s(7)}).timing(T8=s(30), T9=s(30)),
    ),
    Fault(
        "untrusted-bsm-stops",
        gbt34658("DP.3004"),
        "stops at anything but normal in BSM",
        "sequence",
        lambda c: c.but(abnormal=dict.fromkeys(c.abnormal, (1, 2, 3))),
    ),
)
