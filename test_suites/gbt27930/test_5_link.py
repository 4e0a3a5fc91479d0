"""Link layer of GB/T 27930-2015 that no GB/T 34658 case covers (sheet 1.4, 4.4, 5.6)."""

from __future__ import annotations

from hil.bench.link import expect_management, expect_release, last_packet, management_frames
from hil.bench.steps import is_crm00, is_crmaa
from hil.cases import (
    Bench,
    Phase,
    break_line,
    impatient,
    limit,
    mend_line,
    ms,
    partner,
    period,
    requirement,
    s,
    send_raw,
    transport,
    window,
)
from hil.protocol.gbt27930 import BCL, BEM, BMS_ADDRESS, BRM, BRO, BSD, BSM, CCS, CEM, CHARGER_ADDRESS, CRM, CST, can_id

TP_CTS, END_OF_MESSAGE, ABORT = 0x11, 0x13, 0xFF
TP_CM_PGN, TP_DT_PGN = 0xEC00, 0xEB00
REASON_TIMEOUT = 3
BRM_PACKETS = 7
HIGHER_VERSION = 0x000201
FOREIGN = {
    "other-pf": (can_id(6, 0x4200, CHARGER_ADDRESS, BMS_ADDRESS), True),
    "other-address": (can_id(4, 0x1900, 0x57, 0xF5), True),
    "standard-frame": (0x123, False),
}
EARLY = {
    "bcl-early": BCL(voltage_demand=400.0, current_demand=-50.0, mode=2),
    "bro-early": BRO(ready=0xAA),
    "bsd-early": BSD(soc=50, min_cell_voltage=3.3, max_cell_voltage=3.31, min_temperature=25.0, max_temperature=26.0),
    "bsm-early": BSM(
        max_cell_number=1,
        max_temperature=25.0,
        max_temperature_sensor=1,
        min_temperature=24.0,
        min_temperature_sensor=2,
        insulation=1,
    ),
}
STRAY = {
    "stray-dt": (TP_DT_PGN, ("0101020304050607", "0201020304050607")),
    "stray-ack": (TP_CM_PGN, ("13310007FF000200",)),
    "short-cm": (TP_CM_PGN, ("1031",)),
    "bam": (TP_CM_PGN, ("20310007FF000200",)),
}


@requirement("GBT27930-2015/LL.01")
def test_LL_01(bench: Bench) -> None:
    """TP: a lost packet of BRM is asked for again, or the transfer aborted; half a message is never taken."""
    bench.do(transport(drop_packets=[3]))
    crm = bench.reach(Phase.IDENTIFICATION)
    rts = expect_management(bench, 0x10, after=crm.t - 1, within=s(2), sender="bms")
    bench.vehicle.silence(BRM)

    released = expect_release(bench, after=rts, within=s(2))
    answer = expect_management(bench, (TP_CTS, ABORT), after=released, within=s(2), sender="charger")
    last = last_packet(bench, after=released, before=answer)
    bench.check_window("last packet to the answer", answer.t - last.t, limit("tp-lost"), at=answer)
    if answer.data[0] == TP_CTS:
        bench.check("packet asked for again", float(answer.data[2]), low=1.0, high=3.0, at=answer)
    bench.do(transport())
    bench.vehicle.resume(BRM)
    bench.expect(CRM, is_crmaa, after=crm, within=partner("T14"), name="first CRM(00) to CRM(AA)")


@requirement("GBT27930-2015/LL.02")
def test_LL_02(bench: Bench, variant: str) -> None:
    """TP: a transfer that stops is aborted with reason 3 after T2 (nothing came) or T1 (a packet came)."""
    stop_after = 3 if variant == "after-packet" else 0
    bench.do(transport(stop_after=stop_after))
    crm = bench.reach(Phase.IDENTIFICATION)
    rts = expect_management(bench, 0x10, after=crm.t - 1, within=s(2), sender="bms")
    cts = expect_management(bench, TP_CTS, after=rts, within=limit("tp-response").high, sender="charger")

    abort = expect_management(bench, ABORT, after=cts, within=s(4), sender="charger")
    asked = management_frames(bench, (TP_CTS,), after=rts, sender="charger", until=abort)[-1].t
    last = asked if variant == "after-rts" else last_packet(bench, after=cts, before=abort).t
    awaited = limit("tp-t1" if last > asked else "tp-t2")
    last = max(last, asked)
    bench.check_window("time to the abort", abort.t - last, awaited, at=abort)
    bench.check("reason of the abort", float(abort.data[1]), equals=float(REASON_TIMEOUT), at=abort)


@requirement("GBT27930-2015/LL.03")
def test_LL_03(bench: Bench) -> None:
    """TP: an RTS whose packet count does not fit its size is not accepted, a correct one after it is."""
    bench.do(transport(announce_packets=6))
    crm = bench.reach(Phase.IDENTIFICATION)
    rts = expect_management(bench, 0x10, after=crm.t - 1, within=s(2), sender="bms")
    bench.let(s(3))

    ends = management_frames(bench, (END_OF_MESSAGE,), after=rts, sender="charger")
    bench.check("transfers completed in spite of it", float(len(ends)), high=0.0, at=ends[0] if ends else rts)
    bench.expect_none(CRM, is_crmaa, after=crm, during=s(3), name="CRM(AA) for a BRM with wrong counts")
    bench.do(transport())
    bench.expect(CRM, is_crmaa, after=bench.now, within=partner("T14"), name="next BRM to CRM(AA)")


@requirement("GBT27930-2015/LL.04")
def test_LL_04(bench: Bench) -> None:
    """TP: a transfer that the vehicle aborts is dropped; the next one is taken."""
    bench.do(transport(abort_after=3))
    crm = bench.reach(Phase.IDENTIFICATION)
    abort = expect_management(bench, ABORT, after=crm.t - 1, within=s(2), sender="bms")

    bench.expect_none(CRM, is_crmaa, after=crm, during=s(2), name="CRM(AA) for an aborted BRM")
    late = management_frames(bench, (END_OF_MESSAGE,), after=abort, sender="charger")
    bench.check("EndOfMsgACK after an abort", float(len(late)), high=0.0, at=late[0] if late else abort)
    bench.do(transport())
    bench.expect(CRM, is_crmaa, after=bench.now, within=partner("T14"), name="next BRM to CRM(AA)")


@requirement("GBT27930-2015/LL.05")
def test_LL_05(bench: Bench) -> None:
    """TP: a new RTS for the same message replaces the open connection."""
    bench.do(transport(stop_after=2))
    crm = bench.reach(Phase.IDENTIFICATION)
    expect_management(bench, TP_CTS, after=crm, within=s(2), sender="charger")
    bench.let(ms(100))
    bench.do(transport())

    renewed = expect_management(bench, 0x10, after=bench.now, within=s(1), sender="bms")
    cts = expect_management(bench, (TP_CTS, ABORT), after=renewed, within=s(1), sender="charger")
    bench.check("the new RTS is answered with TP.CTS", cts.data[0] == TP_CTS, equals=True, at=cts)
    bench.expect(CRM, is_crmaa, after=renewed, within=partner("T14"), name="new RTS to CRM(AA)")


@requirement("GBT27930-2015/LL.06")
def test_LL_06(bench: Bench) -> None:
    """TP: packets out of order are not taken for a correct message."""
    bench.do(transport(swap_packets=True))
    crm = bench.reach(Phase.IDENTIFICATION)
    expect_management(bench, TP_CTS, after=crm.t - 1, within=s(2), sender="charger")
    bench.let(s(1))

    ends = management_frames(bench, (END_OF_MESSAGE,), after=crm, sender="charger")
    asked = management_frames(bench, (TP_CTS, ABORT), after=crm, sender="charger")
    fair = not ends or len(asked) > 1
    bench.check("a swapped transfer is repeated, aborted or dropped", fair, equals=True, at=ends[0] if ends else crm)
    bench.do(transport())
    bench.expect(CRM, is_crmaa, after=crm, within=partner("T14"), name="CRM(00) to CRM(AA)")


@requirement("GBT27930-2015/LL.07")
def test_LL_07(bench: Bench) -> None:
    """TP: TP.CTS and EndOfMsgACK come within Tr and name sizes, packets and message as announced."""
    crm = bench.reach(Phase.IDENTIFICATION)
    rts = expect_management(bench, 0x10, after=crm.t - 1, within=s(2), sender="bms")
    response = limit("tp-response")
    cts = expect_management(bench, (TP_CTS, ABORT), after=rts, within=s(2), sender="charger")
    released = expect_release(bench, after=rts, within=s(2))
    end = expect_management(bench, END_OF_MESSAGE, after=released, within=s(2), sender="charger")
    last = last_packet(bench, after=released, before=end)

    bench.check_window("RTS to TP.CTS", cts.t - rts.t, response, at=cts)
    bench.check("packets released", float(released.data[1]), low=1.0, high=float(BRM_PACKETS), at=released)
    bench.check("TP.CTS from byte 3", released.data[2:].hex(" ").upper(), equals="01 FF FF 00 02 00", at=released)
    bench.check_window("last packet to EndOfMsgACK", end.t - last.t, response, at=end)
    bench.check("EndOfMsgACK", end.data.hex(" ").upper(), equals="13 31 00 07 FF 00 02 00", at=end)


@requirement("GBT27930-2015/LL.08")
def test_LL_08(bench: Bench) -> None:
    """TP: TP.CTS never releases more packets than byte 5 of the RTS allows."""
    bench.do(transport(most_per_cts=2))
    crm = bench.reach(Phase.IDENTIFICATION)
    bench.expect(CRM, is_crmaa, after=crm, within=partner("T14"), name="CRM(00) to CRM(AA)")

    released = management_frames(bench, (TP_CTS,), after=crm.t - 1, sender="charger")
    most = max((frame.data[1] for frame in released), default=0)
    bench.check("packets released at once", float(most), low=1.0, high=2.0, at=crm)


@requirement("GBT27930-2015/LL.09")
def test_LL_09(bench: Bench, variant: str) -> None:
    """TP: frames that are none of ours change nothing."""
    identifier, extended = FOREIGN[variant]
    ccs = bench.reach(Phase.CHARGING)
    begin = bench.now
    for _ in range(20):
        bench.do(send_raw(identifier, bytes.fromhex("01010000FFFFFFFF"), extended=extended))
        bench.let(ms(50))

    bench.expect_none(CST, after=begin, during=s(2))
    bench.expect_none(CEM, after=begin, during=s(2))
    bench.expect_through(CCS, after=ccs, until=bench.now, period=period(CCS))


@requirement("GBT27930-2015/LL.10")
def test_LL_10(bench: Bench, variant: str) -> None:
    """TP: messages of a later phase do not change the state."""
    message = EARLY[variant]
    bench.vehicle.silence(BRM)
    crm = bench.reach(Phase.IDENTIFICATION)
    identifier = message.can_id
    assert identifier is not None, "a message of one frame"
    for _ in range(5):
        bench.do(send_raw(identifier, message.encode()))
        bench.let(ms(200))

    bench.expect_through(CRM, is_crm00, after=crm, until=bench.now, period=period(CRM))
    strange = {frame.id >> 16 & 0xFF for frame in bench.record.charger_frames(crm.t)} - {CRM.pgn >> 8}
    bench.check("other messages of the charger", len(strange), equals=0, at=bench.now)


@requirement("GBT27930-2015/LL.11")
def test_LL_11(bench: Bench) -> None:
    """TP: a BRM of a higher version is accepted, the charger stays with its own."""
    bench.vehicle.alter(BRM, version=HIGHER_VERSION)
    crm = bench.reach(Phase.IDENTIFICATION)

    bench.expect(CRM, is_crmaa, after=crm, within=partner("T14"), name="CRM(00) to CRM(AA)")
    bench.reach(Phase.CHARGING)
    bench.check_fields(bench.record.all("CHM")[-1], version=0x000101)


@requirement("GBT27930-2015/LL.12")
def test_LL_12(bench: Bench) -> None:
    """TP: a loss of the line shorter than the time-outs changes nothing, and what was stuck does no harm."""
    bench.reach(Phase.CHARGING)
    begin = bench.now
    bench.do(break_line())
    bench.let(ms(400))
    bench.do(mend_line())
    mended = bench.now
    bench.let(s(10))

    bench.expect_none(CEM, after=begin, during=s(10))
    bench.expect_none(CST, after=begin, during=s(10))
    bench.expect_through(CCS, after=mended + ms(100), until=mended + s(8), period=period(CCS))


@requirement("GBT27930-2015/LL.13")
def test_LL_13(bench: Bench) -> None:
    """TP: a nominal session from plug to unlock shows no deviation of the charger to any monitor or vehicle."""
    bench.do(impatient())
    chm = bench.reach(Phase.HANDSHAKE)
    bench.reach(Phase.CHARGING)
    bench.let(s(60))
    bench.vehicle.stop("soc_reached")
    bench.reach(Phase.END)
    bench.let(s(10))

    bench.expect_none(BEM, after=chm, during=bench.now - chm.t, name="time-outs that the vehicle reported")
    bench.check_findings("charger")


@requirement("GBT27930-2015/LL.14")
def test_LL_14(bench: Bench) -> None:
    """TP: a charger that receives BEM takes the power off and begins anew with CRM(00), where it reconnects at all."""
    bench.reach(Phase.CHARGING)
    bench.vehicle.report_error("ccs")
    bem = bench.collect(BEM, 1, within=s(1))[0]

    if bench.reading("reconnections") == "none":
        bench.expect_none(CRM, after=bem, during=limit("reconnect").high)
    else:
        bench.expect(CRM, is_crm00, after=bem, within=limit("reconnect"), name="BEM to CRM(00)")
    bench.expect_open("k1k2_closed", "K1/K2 open", after=bem, within=limit("shutdown"))


@requirement("GBT27930-2015/LL.15")
def test_LL_15(bench: Bench, variant: str) -> None:
    """TP: transport frames without a connection, too short or of a broadcast change nothing and are not answered."""
    pgn, frames = STRAY[variant]
    bench.vehicle.silence(BRM)
    crm = bench.reach(Phase.IDENTIFICATION)
    for _ in range(5):
        for data in frames:
            bench.do(send_raw(can_id(7, pgn, CHARGER_ADDRESS, BMS_ADDRESS), bytes.fromhex(data)))
            bench.let(ms(50))

    bench.check_no_transport_answer(BRM, after=crm, until=bench.now)
    bench.expect_through(CRM, is_crm00, after=crm, until=bench.now, period=period(CRM))
    bench.vehicle.resume(BRM)
    bench.expect(CRM, is_crmaa, after=bench.now, within=window("BRM", 0, s(4), "gbt27930.md 4.3"), name="CRM(AA)")
