"""GB/T 34658-2017, family 3: charging, charger under test (sheet 5.3, 5.7)."""

from __future__ import annotations

from hil.bench.steps import (
    check_cause,
    demanded,
    expect_error_report,
    expect_stop_report,
    is_ready,
    resume_time,
    saying,
)
from hil.cases import (
    Bench,
    MessageSeen,
    Phase,
    adjustment_time,
    answer_stop,
    first,
    hold,
    limit,
    malform,
    ms,
    partner,
    period,
    quantity,
    requirement,
    s,
    silence,
    stimulate,
    tail,
    timeout,
)
from hil.protocol.gbt27930 import BCL, BCS, BMT, BMV, BSM, BSP, BST, CCS, CEM, CRO, CST

ABNORMAL = {
    "cell-voltage-high": {"cell_voltage_state": 1},
    "cell-voltage-low": {"cell_voltage_state": 2},
    "soc-high": {"soc_state": 1},
    "soc-low": {"soc_state": 2},
    "overcurrent": {"overcurrent": 1},
    "overtemperature": {"overtemperature": 1},
    "insulation": {"insulation": 1},
    "connector": {"connector": 1},
}
UNTRUSTED = {
    "overcurrent": {"overcurrent": 2},
    "overtemperature": {"overtemperature": 2},
    "insulation": {"insulation": 2},
    "connector": {"connector": 2},
}
OPTIONAL = {"bmv": (BMV, bytes(range(1, 101))), "bmt": (BMT, bytes(range(60, 76))), "bsp": (BSP, bytes(16))}


@requirement("GBT34658-2017/DP.3001")
def test_DP_3001(bench: Bench) -> None:
    """TP: on BCL and BCS the charger changes from CRO(AA) to CCS."""
    bench.reach(Phase.READY)
    bcl = bench.collect(BCL, 1, within=s(1))[0]
    bcs = bench.collect(BCS, 1, after=bcl.t - ms(60), within=s(1))[0]

    ccs = bench.expect(CCS, after=max(bcl.t, bcs.received), within=partner("T18"), name="BCL and BCS to first CCS")
    bench.expect_stop(CRO, is_ready, after=ccs, tail=tail(CRO))
    seen = bench.collect(CCS, 20, after=ccs, within=s(2))

    bench.check_period(seen, period(CCS))
    bench.check_format(seen, CCS)
    bench.check_fields(seen[-1], charging_permitted=1)


@requirement("GBT34658-2017/DP.3002")
def test_DP_3002(bench: Bench, variant: str) -> None:
    """TP: an optional long message is received, or its connection refused; CCS goes on meanwhile."""
    message, data = OPTIONAL[variant]
    bench.reach(Phase.CHARGING)
    bcs = bench.collect(BCS, 1, within=s(1))[0]
    bench.vehicle.silence(BCS)
    begin = bench.now
    bench.vehicle.transfer(message, data)

    bench.expect_transfer_answered(message, after=begin, within=limit("tp-answer"))
    bench.vehicle.resume(BCS)
    bench.let(s(3))

    bench.expect_through(CCS, after=begin, until=begin + s(3), period=period(CCS))
    bench.expect_none(CEM, after=bcs, during=bench.now - bcs.t)


@requirement("GBT34658-2017/DP.3003")
def test_DP_3003(bench: Bench, variant: str) -> None:
    """TP: an abnormal item of BSM makes the charger stop: CST instead of CCS, no power."""
    bench.do(answer_stop(after=ms(500)))
    bench.reach(Phase.CHARGING)
    bench.vehicle.alter(BSM, **ABNORMAL[variant])
    abnormal = bench.collect(BSM, 1, where=saying(**ABNORMAL[variant]), within=s(1))[0]

    cst = expect_stop_report(bench, after=abnormal, within=limit("reaction"), cause=("fault_stop",))

    bench.report_window("first abnormal BSM to first CST", cst.t - abnormal.t, limit("reaction-told"), at=cst)
    bench.expect_stop(CCS, after=cst, tail=tail(CCS))
    bench.expect_no_power(after=cst)


@requirement("GBT34658-2017/DP.3004")
def test_DP_3004(bench: Bench, variant: str) -> None:
    """TP: an untrusted item of BSM changes nothing."""
    bench.reach(Phase.CHARGING)
    bench.let(adjustment_time(demanded(bench)).high)
    before = bench.collect(CCS, 1, within=s(1))[0]
    bench.vehicle.alter(BSM, **UNTRUSTED[variant])
    untrusted = bench.collect(BSM, 1, where=saying(**UNTRUSTED[variant]), within=s(1))[0]

    bench.let(s(10))

    bench.expect_through(CCS, after=untrusted, until=untrusted.t + s(10), period=period(CCS))
    bench.expect_none(CST, after=untrusted, during=s(10))
    bench.check_steady(CCS, "current", like=before, after=untrusted, tolerance=0.05)
    told = {each.charging_permitted for each in bench.matching(CCS, None, untrusted.t)}
    bench.check_values_allowed("CCS charging_permitted other than 1", told, {1}, at=untrusted)


def _paused(seen: MessageSeen) -> bool:
    return bool(seen.charging_permitted == 0)


def _allowed(seen: MessageSeen) -> bool:
    return bool(seen.charging_permitted == 1)


@requirement("GBT34658-2017/DP.3005")
def test_DP_3005(bench: Bench) -> None:
    """TP: forbidden charging pauses the output and ends it after 10 min; allowed again, it resumes."""
    bench.reach(Phase.CHARGING)
    before = bench.collect(CCS, 1, within=s(1))[0]
    reaction = limit("reaction")
    bench.vehicle.alter(BSM, charging_permission=0)
    forbidden = bench.collect(BSM, 1, where=saying(charging_permission=0), within=s(1))[0]
    bench.expect(CCS, _paused, after=forbidden, within=reaction, name="time to pause")
    bench.expect_ccs_current(high=5.0, after=forbidden, within=reaction, name="time to at most 5 A")
    bench.until(forbidden.t + s(30))
    bench.vehicle.restore(BSM)
    allowed = bench.collect(BSM, 1, where=saying(charging_permission=1), within=s(1))[0]
    resumed = bench.expect(CCS, _allowed, after=allowed, within=reaction, name="time to resume")
    bench.expect_ccs_current(
        low=0.9 * -before.current, after=allowed, within=resume_time(before), name="time to the demand"
    )
    bench.expect_none(CST, after=forbidden, during=bench.now - forbidden.t)
    if bench.shows("output_current"):
        highest = max(demanded(bench), quantity("inrush").high or 0.0)
        bench.expect_at_no_instant(
            "output_current", "inrush on resuming", high=1.02 * highest, after=allowed, until=resumed
        )

    bench.vehicle.alter(BSM, charging_permission=0)
    forbidden = bench.collect(BSM, 1, where=saying(charging_permission=0), within=s(1))[0]
    cst = bench.expect(CST, after=forbidden, within=limit("pause"), name="pause to CST")

    seen = bench.collect(CST, 10, after=cst, within=s(1))
    bench.expect_through(CCS, after=forbidden, until=cst, period=period(CCS))
    bench.check_period(seen, period(CST))
    bench.check_format(seen, CST)
    bench.expect_no_power(after=cst)


@requirement("GBT34658-2017/DP.3006")
def test_DP_3006(bench: Bench, variant: str) -> None:
    """TP: on BST, for whatever reason, the charger stops: CST instead of CCS, no power."""
    bench.do(answer_stop(after=ms(500)))
    bench.reach(Phase.CHARGING)
    bench.vehicle.stop(variant.replace("-", "_"))
    bst = bench.collect(BST, 1, within=s(1))[0]

    cst = expect_stop_report(bench, after=bst, within=partner("T19"), cause=("bms_stopped",))

    bench.expect_stop(CCS, after=cst, tail=tail(CCS))
    bench.expect_no_power(after=cst)


@requirement("GBT34658-2017/DP.3007")
def test_DP_3007(bench: Bench) -> None:
    """TP: a charger that is stopped by its operator sends CST and takes the power off."""
    bench.do(answer_stop(after=ms(500)))
    bench.reach(Phase.CHARGING)
    pressed = bench.now
    bench.do(stimulate("stop_press", 1))

    cst = expect_stop_report(bench, after=pressed, within=limit("reaction"), cause=("manual_stop",))

    bench.expect_stop(CCS, after=cst, tail=tail(CCS))
    bench.expect_no_power(after=cst)


@requirement("GBT34658-2017/DN.3001")
def test_DN_3001(bench: Bench) -> None:
    """TP: BCL without BCS leaves the charger at CRO(AA) for 5 s, then SPN 3924."""
    bench.vehicle.silence(BCS)
    cro = bench.reach(Phase.READY)

    expect_error_report(bench, "bcs", after=cro, within=timeout("T7"), waiting=CRO, where=is_ready)


@requirement("GBT34658-2017/DN.3002")
def test_DN_3002(bench: Bench) -> None:
    """TP: BCS without BCL leaves the charger at CRO(AA) for 1 s, then SPN 3925."""
    bench.vehicle.silence(BCL)
    cro = bench.reach(Phase.READY)

    cem = expect_error_report(bench, "bcl", after=cro, within=timeout("T6"), waiting=CRO, where=is_ready)

    bench.check_transfers_served(BCS, after=cro, until=cem)


@requirement("GBT34658-2017/DN.3003")
def test_DN_3003(bench: Bench, variant: str) -> None:
    """TP: BCS's content without the transport protocol is no BCS."""
    bench.vehicle.malform(BCS, variant)
    cro = bench.reach(Phase.READY)

    cem = expect_error_report(bench, "bcs", after=cro, within=timeout("T7"), waiting=CRO, where=is_ready)

    bench.check_no_transport_answer(BCS, after=cro, until=cem)


@requirement("GBT34658-2017/DN.3004")
def test_DN_3004(bench: Bench, variant: str) -> None:
    """TP: frames that do not match BCL's definition are no BCL."""
    bench.vehicle.malform(BCL, variant)
    cro = bench.reach(Phase.READY)

    expect_error_report(bench, "bcl", after=cro, within=timeout("T6"), waiting=CRO, where=is_ready)


@requirement("GBT34658-2017/DN.3005")
def test_DN_3005(bench: Bench) -> None:
    """TP: a charger in the charging phase that no longer receives BCS reports it after 5 s."""
    bench.reach(Phase.CHARGING)

    last = bench.vehicle.silence(BCS)

    expect_error_report(bench, "bcs", after=last, within=timeout("T9"), waiting=CCS)


@requirement("GBT34658-2017/DN.3006")
def test_DN_3006(bench: Bench) -> None:
    """TP: a charger in the charging phase that no longer receives BCL reports it after 1 s."""
    bench.reach(Phase.CHARGING)

    last = bench.vehicle.silence(BCL)

    expect_error_report(bench, "bcl", after=last, within=timeout("T8"), waiting=CCS)


@requirement("GBT34658-2017/DN.3007")
def test_DN_3007(bench: Bench, variant: str) -> None:
    """TP: while charging, BCS's content without the transport protocol is no BCS."""
    bench.reach(Phase.CHARGING)

    last = bench.vehicle.malform(BCS, variant)

    cem = expect_error_report(bench, "bcs", after=last, within=timeout("T9"), waiting=CCS)
    bench.check_no_transport_answer(BCS, after=last, until=cem)


@requirement("GBT34658-2017/DN.3008")
def test_DN_3008(bench: Bench, variant: str) -> None:
    """TP: while charging, frames that do not match BCL's definition are no BCL."""
    bench.reach(Phase.CHARGING)

    last = bench.vehicle.malform(BCL, variant)

    expect_error_report(bench, "bcl", after=last, within=timeout("T8"), waiting=CCS)


@requirement("GBT34658-2017/DN.3009")
def test_DN_3009(bench: Bench) -> None:
    """TP: a charger that has stopped and receives no BST sends CST for 5 s, then SPN 3926."""
    bench.reach(Phase.CHARGING)
    bench.on(first(CST), silence())
    bench.do(stimulate("stop_press", 1))
    cst = bench.reach(Phase.STOPPING)

    check_cause(bench, cst, "manual_stop")
    expect_error_report(bench, "bst", after=cst, within=timeout("T10"), waiting=CST)


@requirement("GBT34658-2017/DN.3010")
def test_DN_3010(bench: Bench, variant: str) -> None:
    """TP: frames that do not match BST's definition are no BST.

    The vehicle sends nothing else: a BSD would tell of a BST, too.
    """
    bench.reach(Phase.CHARGING)
    bench.do(malform(BST, variant), hold("stop"))
    bench.do(stimulate("stop_press", 1))
    cst = bench.reach(Phase.STOPPING)

    check_cause(bench, cst, "manual_stop")
    expect_error_report(bench, "bst", after=cst, within=timeout("T10"), waiting=CST)
