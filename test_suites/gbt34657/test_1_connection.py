"""GB/T 34657.1-2017: connection, self-check, readiness and inrush (sheet 5.4, 4.8)."""

from __future__ import annotations

from hil.bench.steps import is_ready, last_closing
from hil.cases import Bench, Phase, limit, partner, quantity, requirement, s, stimulate, vehicle_contactors
from hil.protocol.gbt27930 import BCP, BHM, BRM, CHM, CRM, CRO

FAULTY_OHM_PER_VOLT = 80.0
LIMIT_OHM_PER_VOLT = 100.0
WARNING_OHM_PER_VOLT = 300.0
TOLD = {"bhm-below-range": 50.0, "bhm-above-rating": 1200.0}
"""BHM's maximum in V where a variant has one of its own: below every DC charger's output, and above."""
VOLTAGE_OFF = {"above": 1.06, "below": 0.94}


@requirement("GBT34657.1-2017/D0.0001")
def test_D0_0001(bench: Bench) -> None:
    """TP: charging mode and connection type are as declared."""
    bench.report("charging mode and connection type", "to be seen by a person")


@requirement("GBT34657.1-2017/D0.1001")
def test_D0_1001(bench: Bench, variant: str) -> None:
    """TP: the charger communicates only when the plug is in fully and switch S is closed."""
    if variant != "unplugged":
        bench.plug_in()
    if variant == "switch-s-open":
        bench.do(stimulate("switch_s_closed", 0))
    bench.let(s(1))
    start = bench.now
    bench.start()

    if variant == "plugged":
        bench.expect(CHM, after=start, within=limit("restart"), name="start to first CHM")
    else:
        bench.expect_none_of_charger(after=start, during=s(10), name="frames before the plug is in fully")


@requirement("GBT34657.1-2017/D0.2001")
def test_D0_2001(bench: Bench, variant: str) -> None:
    """TP: insulation is tested at the lower of BHM's and the own voltage; a low BHM and live contacts are refused."""
    if variant in TOLD:
        bench.vehicle.alter(BHM, max_total_voltage=TOLD[variant])
    if variant == "voltage-outside":
        bench.do(vehicle_contactors(close=True, now=True))
    start = bench.reach(Phase.HANDSHAKE)
    if variant in ("bhm-below-range", "voltage-outside"):
        bench.expect_none(CRM, after=start, during=s(40), name="CRM although charging must be refused")
        bench.expect_at_no_instant("output_current", "output current", high=0.5, after=start, until=bench.now)
        return

    crm = bench.expect(CRM, after=start, within=limit("insulation-test"), name="first CHM to first CRM")
    bhm = bench.record.last("BHM")
    assert bhm is not None, "the answer to CHM"
    cml = bench.reach(Phase.CONFIGURATION)
    due = min(float(bhm.max_total_voltage), float(cml.max_voltage))
    _, highest = bench.extremes("output_voltage", start, crm)
    bench.check_quantity("test voltage, error", 100 * (highest / due - 1), quantity("voltage-error"), at=crm)
    closed = [t for t, value in bench.changes("k1k2_closed", start) if value and t < crm.t]
    opened = [t for t, value in bench.changes("k1k2_closed", start) if not value and t < crm.t]
    bench.check("K1/K2 closed for the test", float(len(closed)), low=1.0, at=crm)
    bench.check("K1/K2 open again before CRM", float(len(opened)), low=float(len(closed)), at=crm)
    bench.check_quantity(
        "output voltage at the first CRM", bench.signal("output_voltage", crm), quantity("discharged"), at=crm
    )


@requirement("GBT34657.1-2017/D0.2501")
def test_D0_2501(bench: Bench, variant: str) -> None:
    """TP: insulation of 100 ohm per volt and less ends the attempt, up to 500 ohm per volt only warns."""
    bench.vehicle.silence(BRM)
    start = bench.reach(Phase.HANDSHAKE)
    bhm = bench.collect(BHM, 1, within=s(2))[0]
    per_volt = {"fault": FAULTY_OHM_PER_VOLT, "at-the-limit": LIMIT_OHM_PER_VOLT, "warning": WARNING_OHM_PER_VOLT}[
        variant
    ]
    bench.do(stimulate("insulation", per_volt * float(bhm.max_total_voltage)))

    if variant == "warning":
        bench.expect(CRM, after=start, within=limit("insulation-test"), name="first CHM to first CRM")
    else:
        bench.expect_none(CRM, after=start, during=s(40), name="CRM although the insulation is bad")


@requirement("GBT34657.1-2017/D0.3001")
def test_D0_3001(bench: Bench, variant: str) -> None:
    """TP: the charger is ready only for a battery inside its range whose voltage is within 5 % of BCP's."""
    bench.reach(Phase.HANDSHAKE)
    if variant in VOLTAGE_OFF:  # long before BCP, which answers CRM(AA) at once
        seen = bench.signal("pack_voltage")
        bench.vehicle.alter(BCP, present_voltage=round(seen / VOLTAGE_OFF[variant], 1))
    crm = bench.reach(Phase.RECOGNISED)
    cro = bench.expect(CRO, after=crm, within=partner("T17"), name="CRM(AA) to first CRO")

    if variant == "in-tolerance":
        bench.expect(CRO, is_ready, after=cro, within=partner("T17"), name="first CRO to CRO(AA)")
    else:
        given = partner("T17").high  # longer no vehicle waits
        bench.expect_none(CRO, is_ready, after=cro, during=given, name="CRO(AA) although the battery does not fit")
        bench.expect_at_no_instant("output_current", "output current", high=1.0, after=cro, until=bench.now)


@requirement("GBT34657.1-2017/D0.3101")
def test_D0_3101(bench: Bench) -> None:
    """TP: K1/K2 close with the output 1 to 10 V below the battery, and the inrush stays at 20 A or less."""
    cro = bench.reach(Phase.READY)

    closing = last_closing(bench, "k1k2_closed", before=cro)
    battery = bench.signal_before("battery_side_voltage", closing)
    below = battery - bench.signal_before("output_voltage", closing)
    bench.check_quantity(
        "output below the battery when K1/K2 close", below, quantity("precharge-difference"), at=closing
    )
    bench.check_quantity("inrush peak", bench.signal("inrush_current", cro), quantity("inrush"), at=closing)
