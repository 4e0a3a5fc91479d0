"""Rules of GB/T 27930-2015 whose reading is open: the interpretation register has an entry for each."""

from __future__ import annotations

from hil.bench.steps import check_ccs_accuracy, is_crm00, is_not_ready
from hil.cases import (
    Bench,
    Phase,
    answer_stop,
    limit,
    ms,
    quantity,
    requirement,
    s,
    seconds,
    stimulate,
    timeout,
    window,
)
from hil.protocol.gbt27930 import BCP, BHM, BRO, BSM, CCS, CEM, CML, CRM, CST

CAUSES = {
    "emergency-stop": ("emergency_press", 1.0, "emergency_stop"),
    "cc1-open": ("cc1_broken", 1.0, "charging_connector_fault"),
    "ac-lost": ("ac_supply", 0.0, "energy_not_deliverable"),
    "over-voltage": ("over_voltage_fault", 120.0, "voltage_abnormal"),
}
STOP_BITS = ("condition_reached", "manual_stop", "fault_stop", "bms_stopped")


@requirement("GBT27930-2015/RG.01")
def test_RG_01(bench: Bench) -> None:
    """TP: for a demand of 0 the charger puts out its minimum, or nothing, as the reading has it."""
    bench.reach(Phase.CHARGING)
    cml = bench.matching(CML)[-1]
    bench.vehicle.demand(current=0.0)
    bench.let(s(12))
    least, most = -float(cml.min_current), quantity("current-error-small").high or 0.0

    lowest, highest = bench.extremes("output_current", bench.now - s(2), bench.now)
    expected = least if bench.reading("demand-zero") == "minimum-output" else 0.0
    bench.check("output current, lowest", round(lowest, 3), low=expected - most, unit="A", at=bench.now)
    bench.check("output current, highest", round(highest, 3), high=expected + most, unit="A", at=bench.now)
    bench.expect_none(CST, after=bench.now - s(12), during=s(12))


@requirement("GBT27930-2015/RG.02")
def test_RG_02(bench: Bench) -> None:
    """TP: without BHM the attempt ends, or goes on as for a vehicle of 2011, as the reading has it."""
    bench.vehicle.silence(BHM)
    chm = bench.reach(Phase.HANDSHAKE)

    if bench.reading("bhm-silence") == "identify-after-5s":
        within = window("BHM", s(5) - ms(10), s(5.5), "gbt27930.md 4.3, 5.2")
        bench.expect(CRM, is_crm00, after=chm, within=within, name="first CHM to CRM(00)")
    else:
        within = window("BHM", 0, s(13), "gbt27930.md 4.3, 5.2")
        bench.expect_silence(after=chm, within=within, during=s(10))
        bench.expect_none(CRM, after=chm, during=s(20))


@requirement("GBT27930-2015/RG.03")
def test_RG_03(bench: Bench) -> None:
    """TP: when BRO(00) comes and then stops, T3 or T4 reports it, as the reading has it."""
    bench.vehicle.hold("prepare")
    cml = bench.reach(Phase.CONFIGURATION)
    bench.collect(BRO, 2, where=is_not_ready, within=s(5))
    last = bench.vehicle.silence(BRO)

    if bench.reading("t3-bro") == "restart":
        bench.expect(CEM, after=last, within=timeout("T3"), name="last BRO(00) to CEM")
    else:
        bench.expect(CEM, after=cml, within=timeout("T4"), name="first CML to CEM")


@requirement("GBT27930-2015/RG.04")
def test_RG_04(bench: Bench) -> None:
    """TP: CRM(00) follows CEM before a vehicle gives up."""
    bench.reach(Phase.CHARGING)
    bench.vehicle.silence()
    cem = bench.collect(CEM, 1, within=s(10))[0]

    bench.expect(CRM, is_crm00, after=cem, within=limit("reconnect"), name="first CEM to CRM(00)")


@requirement("GBT27930-2015/RG.05")
def test_RG_05(bench: Bench, variant: str) -> None:
    """TP: CST tells the cause of a stop for which only the register has a reading."""
    bench.do(answer_stop(after=ms(500)))
    bench.reach(Phase.CHARGING)
    if variant == "pause":
        bench.vehicle.alter(BSM, charging_permission=0)
        item, cst = "condition_reached", bench.reach(Phase.STOPPING, within=limit("pause").high + s(60))
    else:
        stimulus, value, item = CAUSES[variant]
        bench.do(stimulate(stimulus, value))
        cst = bench.reach(Phase.STOPPING)

    given = [name for name in STOP_BITS if getattr(cst, name) == 1]
    bench.check("causes in SPN 3521", float(len(given)), low=1.0, at=cst)
    if bench.reading("cst-cause") == "fault-and-item":
        if variant != "pause":
            bench.check("fault stop", cst.fault_stop, equals=1, at=cst)
        bench.check(f"CST.{item}", getattr(cst, item), equals=1, at=cst)


@requirement("GBT27930-2015/RG.06")
def test_RG_06(bench: Bench) -> None:
    """TP: CCS tells the output voltage and current, and counts the minutes."""
    first = bench.reach(Phase.CHARGING)
    for current in (20.0, 50.0, 100.0):
        bench.vehicle.demand(current=current)
        bench.let(s(8))
        check_ccs_accuracy(bench, bench.collect(CCS, 1, within=s(1))[0])
    bench.until(first.t + s(130))
    last = bench.collect(CCS, 1, within=s(1))[0]
    expected = seconds(last.t - first.t) / 60
    bench.check("CCS charging time", float(last.charging_time), low=expected - 1.0, high=expected + 1.0, unit="min")


@requirement("GBT27930-2015/RG.07")
def test_RG_07(bench: Bench, variant: str) -> None:
    """TP: a demand beyond BCP's limits does not take the output beyond them, at no instant."""
    if variant == "voltage":
        bench.reach(Phase.RECOGNISED)
        # Just above the pack, so that the demand would take the output beyond it.
        bench.vehicle.alter(BCP, max_total_voltage=round(bench.signal("pack_voltage") + 3.0, 1))
    bench.reach(Phase.CHARGING)
    bcp = bench.record.all("BCP")[-1]
    most, highest = -float(bcp.max_current), float(bcp.max_total_voltage)
    begin = bench.now
    if variant == "current":
        bench.vehicle.demand(current=most + 50.0)
    else:
        bench.vehicle.demand(voltage=highest + 50.0, current=most)
    bench.let(s(10))

    bench.expect_at_no_instant("output_current", "output current", high=1.01 * most, after=begin, until=bench.now)
    bench.expect_at_no_instant("output_voltage", "output voltage", high=1.005 * highest, after=begin, until=bench.now)
