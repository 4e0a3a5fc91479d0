"""GB/T 34658-2017, family 2: parameter configuration, charger under test (sheet 5.3, 5.7)."""

from __future__ import annotations

from hil.bench.steps import expect_error_report, is_crmaa, is_not_ready, is_ready
from hil.cases import (
    Bench,
    MessageSeen,
    Phase,
    first,
    go,
    hold,
    limit,
    malform,
    ms,
    partner,
    period,
    requirement,
    s,
    silence,
    tail,
    timeout,
    vehicle_contactors,
)
from hil.protocol.gbt27930 import BCL, BCP, BCS, BRO, CCS, CEM, CML, CRM, CRO, CTS

OTHER_VALUES = {"bro-ff": 0xFF, "bro-55": 0x55}


@requirement("GBT34658-2017/DP.2001")
def test_DP_2001(bench: Bench) -> None:
    """TP: the charger takes BCP by the transport protocol and answers with CML, and CTS if it likes."""
    bench.vehicle.silence(BRO)
    bench.reach(Phase.RECOGNISED)
    bcp = bench.collect(BCP, 1, within=s(5))[0]

    cml = bench.expect(CML, after=bcp.received, within=partner("T15"), name="BCP to first CML")
    seen = bench.collect(CML, 5, after=cml, within=s(2))

    bench.expect_stop(CRM, is_crmaa, after=cml, tail=tail(CRM))
    bench.check_period(seen, period(CML))
    bench.check_format(seen, CML)
    bench.until(cml.t + s(3))
    bench.check_optional(CTS, after=bcp.received)


@requirement("GBT34658-2017/DP.2002")
def test_DP_2002(bench: Bench) -> None:
    """TP: while the vehicle is not ready the charger goes on with CML."""
    bench.vehicle.hold("prepare")
    bench.reach(Phase.CONFIGURATION)
    bro = bench.collect(BRO, 1, where=is_not_ready, within=s(5))[0]

    bench.let(s(5))

    bench.expect_through(CML, after=bro, until=bro.t + s(5), period=period(CML))
    bench.expect_none(CRO, after=bro, during=s(5))


@requirement("GBT34658-2017/DP.2003")
def test_DP_2003(bench: Bench) -> None:
    """TP: on BRO(AA) the charger changes from CML to CRO(00), and to CRO(AA) when it is ready.

    A charger that sends no CRO(00) is told so, and passes (register: cro00).
    """
    bench.vehicle.hold("prepare")
    bench.vehicle.silence(BCL, BCS)
    bench.reach(Phase.CONFIGURATION)
    bench.let(s(1))
    bench.vehicle.release("prepare")
    bro = bench.collect(BRO, 1, where=is_ready, within=s(5))[0]

    cro = bench.expect(CRO, after=bro, within=partner("T16"), name="BRO(AA) to first CRO")
    ready = bench.expect(CRO, is_ready, after=bro, within=partner("T17"), name="BRO(AA) to first CRO(AA)")
    waiting = bench.record.all("CRO", cro.t - 1, ready.t - 1)
    seen = bench.collect(CRO, 4, where=is_ready, after=ready, within=s(0.85))

    bench.expect_stop(CML, after=cro, tail=tail(CML))
    bench.report("CRO(00) before CRO(AA)", float(len(waiting)), "messages", at=ready)
    values = {each.ready for each in [*waiting, *seen]}
    bench.check_values_allowed("CRO values other than 00 and AA", values, {0x00, 0xAA}, at=ready)
    if len(waiting) > 1:
        bench.check_period(waiting, period(CRO), name="CRO(00) period")
    bench.check_period(seen, period(CRO), name="CRO(AA) period")
    bench.check_format([*waiting, *seen], CRO)


@requirement("GBT34658-2017/DN.2001")
def test_DN_2001(bench: Bench) -> None:
    """TP: a charger that receives no BCP sends CRM(AA) for 5 s, then CEM with SPN 3922."""
    bench.vehicle.silence(BCP)
    crm = bench.reach(Phase.RECOGNISED)

    expect_error_report(bench, "bcp", after=crm, within=timeout("T2"), waiting=CRM, where=is_crmaa)


@requirement("GBT34658-2017/DN.2002")
def test_DN_2002(bench: Bench, variant: str) -> None:
    """TP: BCP's content without the transport protocol is no BCP."""
    bench.vehicle.malform(BCP, variant)
    crm = bench.reach(Phase.RECOGNISED)

    cem = expect_error_report(bench, "bcp", after=crm, within=timeout("T2"), waiting=CRM, where=is_crmaa)

    bench.check_no_transport_answer(BCP, after=crm, until=cem)


@requirement("GBT34658-2017/DN.2003")
def test_DN_2003(bench: Bench) -> None:
    """TP: a charger that receives no BRO sends CML for 5 s, then CEM with SPN 3923."""
    bench.vehicle.silence(BRO)
    cml = bench.reach(Phase.CONFIGURATION)

    expect_error_report(bench, "bro", after=cml, within=timeout("T3"), waiting=CML)


@requirement("GBT34658-2017/DN.2004")
def test_DN_2004(bench: Bench, variant: str) -> None:
    """TP: frames that do not match BRO's definition are no BRO."""
    bench.vehicle.malform(BRO, variant)
    cml = bench.reach(Phase.CONFIGURATION)

    expect_error_report(bench, "bro", after=cml, within=timeout("T3"), waiting=CML)


@requirement("GBT34658-2017/DN.2005")
def test_DN_2005(bench: Bench, variant: str) -> None:
    """TP: a vehicle whose BRO never becomes AA is reported: after 60 s for 00, after 5 s or 60 s for other values."""
    if variant != "bro-00":
        bench.vehicle.alter(BRO, ready=OTHER_VALUES[variant])
    bench.vehicle.hold("prepare")
    cml = bench.reach(Phase.CONFIGURATION)

    within = timeout("T4")
    if variant != "bro-00" and bench.look_for(CEM, after=cml, within=timeout("T3").high) is not None:
        within = timeout("T3")
    expect_error_report(bench, "bro", after=cml, within=within, waiting=CML)


@requirement("GBT34658-2017/DN.2006")
def test_DN_2006(bench: Bench) -> None:
    """TP: a vehicle that goes on with BCP is served, but its missing BRO is reported after 5 s."""
    bench.vehicle.hold("configure")
    cml = bench.reach(Phase.CONFIGURATION)

    cem = expect_error_report(bench, "bro", after=cml, within=timeout("T3"), waiting=CML)

    bench.check_transfers_served(BCP, after=cml, until=cem)


def _judge_lost_bro(bench: Bench, cro: MessageSeen) -> None:
    """DN.2007 to DN.2009: two passing branches (sheet 5.7): CEM after T5, or ready before it."""
    bench.let(ms(5))
    bro = bench.matching(BRO, is_ready)[-1]
    ready = bench.look_for(CRO, is_ready, after=bro, within=s(5))
    if ready is None:
        expect_error_report(bench, "bro", after=bro, within=timeout("T5"), waiting=CRO, since=cro)
        return
    bench.report("became ready", True, at=ready)
    bench.vehicle.resume()
    bench.vehicle.go("charging")
    bench.expect(CCS, after=ready, within=partner("T18"), name="CRO(AA) to first CCS")


@requirement("GBT34658-2017/DN.2007")
def test_DN_2007(bench: Bench, variant: str) -> None:
    """TP: after BRO(AA) has ended the charger gets ready within 5 s, or reports SPN 3923."""
    bench.do(vehicle_contactors(close=variant == "can-get-ready"))
    bench.on(first(CRO, ready=0x00), silence(BRO))
    cro = bench.reach(Phase.PRECHARGE)

    _judge_lost_bro(bench, cro)


@requirement("GBT34658-2017/DN.2008")
def test_DN_2008(bench: Bench, variant: str) -> None:
    """TP: frames that do not match BRO's definition do not stand for BRO(AA)."""
    bench.do(vehicle_contactors(close=False))
    bench.on(first(CRO, ready=0x00), malform(BRO, variant))
    cro = bench.reach(Phase.PRECHARGE)

    _judge_lost_bro(bench, cro)


def _tell_of_print(bench: Bench, fallen: MessageSeen) -> None:
    """A charger built to the print is silent in the second after its limit (sheet 5.7: reported)."""
    quiet = limit("DN.2009-silence").high
    if bench.look_for(CRO, is_ready, after=fallen, within=quiet + s(1)) is None:
        silent = not bench.record.charger_frames(fallen.t + quiet, bench.now)
        bench.report("silent as dn2007-2009=print has it", silent, at=fallen)


def _tell_of_amendment(bench: Bench, fallen: MessageSeen) -> None:
    """A charger built to Amendment 1 reports by T5 (sheet 5.7: reported)."""
    bro, window = bench.matching(BRO, is_ready)[-1], timeout("T5")
    cem = bench.look_for(CEM, after=bro, within=window.high)
    reported = cem is not None and cem.t >= bro.t + window.low
    bench.report("CEM as dn2007-2009=amd1 has it", reported, at=fallen if cem is None else cem)


@requirement("GBT34658-2017/DN.2009")
def test_DN_2009(bench: Bench) -> None:
    """TP: BRO falling back to 00 ends the preparation, as the reading taken has it.

    What the other reading asks for is told, not judged.
    """
    bench.do(vehicle_contactors(close=False))
    bench.on(first(CRO, ready=0x00), hold("prepare"), go("prepare"))
    cro = bench.reach(Phase.PRECHARGE)

    fallen = bench.collect(BRO, 1, where=is_not_ready, after=cro, within=s(1))[0]
    if bench.reading("dn2007-2009") == "amd1":
        _tell_of_print(bench, fallen)
        _judge_lost_bro(bench, cro)
    else:
        bench.expect_silence(after=fallen, within=limit("DN.2009-silence"), during=s(6))
        _tell_of_amendment(bench, fallen)
        bench.expect_open("k3k4_closed", "K3/K4 open", after=fallen, within=limit("shutdown"))


@requirement("GBT34658-2017/DN.2010")
def test_DN_2010(bench: Bench) -> None:
    """TP: a vehicle that goes on with BRO(AA) after CRO(AA) is reported by SPN 3925 after 1 s."""
    bench.vehicle.hold("ready")
    cro = bench.reach(Phase.READY)

    expect_error_report(bench, "bcl", after=cro, within=timeout("T6"), waiting=CRO, where=is_ready)
