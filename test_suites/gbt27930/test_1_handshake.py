"""GB/T 34658-2017, family 1: auxiliary supply and handshake, charger under test (sheet 5.3, 5.7)."""

from __future__ import annotations

from hil.bench.steps import expect_error_report, is_crm00, is_crmaa
from hil.cases import Bench, Phase, limit, partner, period, requirement, s, seconds, tail, timeout
from hil.protocol.gbt27930 import BCP, BHM, BRM, CHM, CRM


@requirement("GBT34658-2017/DP.1001")
def test_DP_1001(bench: Bench) -> None:
    """TP: after the start the charger sends CHM at its period, with its length and version V1.1.

    The first CHM must come at all; the time to it is told, not judged (register: chm-start).
    """
    bench.vehicle.silence(BHM)
    bench.plug_in()
    bench.let(s(1))
    bench.start()
    authorised = bench.now

    start = bench.collect(CHM, 1, after=authorised, within=s(60))[0]
    seen = bench.collect(CHM, 5, after=start, within=s(4.5))

    bench.report("time from authorisation to the first CHM", seconds(start.t - authorised), "s", at=start)
    bench.check_period(seen, period(CHM))
    bench.check_format(seen, CHM)
    bench.check_fields(seen[0], version=0x000101)


@requirement("GBT34658-2017/DP.1002")
def test_DP_1002(bench: Bench) -> None:
    """TP: on BHM the charger tests the insulation while sending CHM, then changes to CRM(00)."""
    bench.vehicle.silence(BRM)
    start = bench.reach(Phase.HANDSHAKE)

    crm = bench.expect(CRM, after=start, within=limit("insulation-test"), name="first CHM to first CRM")
    seen = bench.collect(CRM, 5, after=crm, within=s(2))

    bench.expect_through(CHM, after=start, until=crm, period=period(CHM))
    others = {frame.id for frame in bench.record.charger_frames(start.t, crm.t - 1)} - {CHM.can_id}
    bench.check("other messages before the first CRM", float(len(others)), high=0.0, at=crm)
    bench.expect_stop(CHM, after=crm, tail=tail(CHM))
    bench.check_fields(crm, result=0x00)
    bench.check_period(seen, period(CRM))
    bench.check_format(seen, CRM)


@requirement("GBT34658-2017/DP.1003")
def test_DP_1003(bench: Bench) -> None:
    """TP: the charger takes BRM by the transport protocol and answers with CRM(AA) instead of CRM(00)."""
    bench.vehicle.silence(BCP)
    bench.reach(Phase.IDENTIFICATION)
    brm = bench.collect(BRM, 1, within=s(5))[0]

    crm = bench.expect(CRM, is_crmaa, after=brm.received, within=partner("T14"), name="BRM to first CRM(AA)")
    seen = bench.collect(CRM, 5, where=is_crmaa, after=crm, within=s(2))

    bench.expect_stop(CRM, is_crm00, after=crm, tail=tail(CRM))
    bench.check_period(seen, period(CRM))
    bench.check_format(seen, CRM)


@requirement("GBT34658-2017/DN.1001")
def test_DN_1001(bench: Bench) -> None:
    """TP: a charger that receives no BRM sends CRM(00) for 5 s, then CEM with SPN 3921."""
    bench.vehicle.silence(BRM)
    crm = bench.reach(Phase.IDENTIFICATION)

    expect_error_report(bench, "brm", after=crm, within=timeout("T1"), waiting=CRM, where=is_crm00)


@requirement("GBT34658-2017/DN.1002")
def test_DN_1002(bench: Bench, variant: str) -> None:
    """TP: BRM's content without the transport protocol is no BRM."""
    bench.vehicle.malform(BRM, variant)
    crm = bench.reach(Phase.IDENTIFICATION)

    cem = expect_error_report(bench, "brm", after=crm, within=timeout("T1"), waiting=CRM, where=is_crm00)

    bench.check_no_transport_answer(BRM, after=crm, until=cem)


@requirement("GBT34658-2017/DN.1003")
def test_DN_1003(bench: Bench) -> None:
    """TP: a vehicle that goes on with BHM is not recognised."""
    bench.vehicle.hold("handshake")
    crm = bench.reach(Phase.IDENTIFICATION)

    expect_error_report(bench, "brm", after=crm, within=timeout("T1"), waiting=CRM, where=is_crm00)


@requirement("GBT34658-2017/DN.1004")
def test_DN_1004(bench: Bench) -> None:
    """TP: a vehicle that goes on with BRM is served, but its missing BCP is reported after 5 s."""
    bench.vehicle.hold("identify")
    crm = bench.reach(Phase.RECOGNISED)

    cem = expect_error_report(bench, "bcp", after=crm, within=timeout("T2"), waiting=CRM, where=is_crmaa)

    bench.check_transfers_served(BRM, after=crm, until=cem)
