"""Every monitor bites: a session with one deviation gives exactly that finding, on that side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.conformance.monitors import monitors
from hil.conformance.verdict import Verdict

Make = Callable[[Any], Any]


def padded(data: bytes) -> bytes:
    return data + b"\x00"


def masked(index: int, clear: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:index] + bytes([data[index] & ~clear]) + data[index + 1 :]


def put(index: int, *values: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:index] + bytes(values) + data[index + len(values) :]


def foreign_pgn(m: Any) -> Any:
    return m.nominal().frame(4000, 0x1828F456, b"\x00" * 8)


def wrong_priority(m: Any) -> Any:
    return m.nominal().frame(4000.7, 0x0812F456, m.CCS.encode())


def untransported(m: Any) -> Any:
    return m.nominal().frame(4000.7, 0x1C1156F4, m.BCS.encode()[:8])


def other_side(m: Any) -> Any:
    return m.nominal().frame(4000.7, 0x18125600 | 0xF4, m.CCS.encode())


def second_request(m: Any) -> Any:
    script = m.charging()
    script.frame(4141.5, 0x1CEC56F4, bytes.fromhex("1010000300001700")[:8], "BSP.rts")
    return script


def late_answer(m: Any) -> Any:
    script = m.charging().drop("BCS", after=7000)
    late = m.Script().transfer("BCS", m.BCS, 7340)
    for item in late.items:
        script.frame(item.t - 210 if item.name == "BCS.rts" else item.t, item.id, item.data, item.name)
    return script


def pause(m: Any, ccs: Any) -> Any:
    script = m.charging(4000).stream("BSM", m.BSM.replace(charging_permission=0), 4175, 12000, 250)
    script.stream("BCL", m.BCL, 4035, 12000, 50).transfers("BCS", m.BCS, 4140, 11990, 250)
    return script.stream("CCS", ccs, 4020, 12000, 50)


def abnormal(m: Any) -> Any:
    script = m.charging(4000).stream("BSM", m.BSM.replace(insulation=1), 4175, 12000, 250)
    script.stream("BCL", m.BCL, 4035, 12000, 50).transfers("BCS", m.BCS, 4140, 11990, 250)
    return script.stream("CCS", m.CCS, 4020, 12000, 50)


def stopped(m: Any, cst: Any, *, bst: Any = None) -> Any:
    """The charger stops first."""
    script = m.charging(8000).stream("CST", cst, 8003, 8420, 10)
    script.stream("BST", bst or m.BST.replace(soc_reached=0, charger_stopped=1), 8020, 8410, 10)
    return script.stream("BSD", m.BSD, 8412, 8700, 250).stream("CSD", m.CSD, 8700, 9600, 250)


def failed(m: Any, *, report: float = 9000, until: float = 11000) -> Any:
    """BCL is lost at 7985, CEM reports it at ``report``."""
    script = m.charging(8000).stream("CCS", m.CCS, 8020, report, 50).stream("BSM", m.BSM, 8175, report, 250)
    script.transfers("BCS", m.BCS, 8140, report - 30, 250)
    return script.stream("CEM", m.g.CEM(bcl=1), report, until, 250)


def reconnected(m: Any, count: int) -> Any:
    """``count`` attempts, each of which ends with CEM 3921."""
    script = m.identified().drop("BRM")
    script.stream("CRM00", m.CRM00, 2010, 6750, 250)
    start = 6762.0
    for _ in range(count):
        script.stream("CEM", m.g.CEM(brm=1), start, start + 2000, 250)
        script.stream("CRM00", m.CRM00, start + 2100, start + 7090, 250)
        start += 7102
    return script.stream("CEM", m.g.CEM(brm=1), start, start + 2000, 250)


def handshake_again(m: Any) -> Any:
    script = failed(m, until=10900)
    script.stream("BEM", m.g.BEM(ccs=1), 10060, 11100, 250)
    return script.stream("CHM", m.CHM, 11150, 12000, 250)


def end_reconnection(m: Any) -> Any:
    script = m.charging(8000).stream("CST", m.CST.replace(bms_stopped=0, manual_stop=1), 8003, 13010, 10)
    script.stream("CEM", m.g.CEM(bst=1), 13010, 14500, 250)
    return script.send(15000, "CRM00", m.CRM00)


def bem_ignored(m: Any) -> Any:
    script = m.charging(4000).stream("BEM", m.g.BEM(ccs=1), 5000, 14000, 250)
    script.stream("BCL", m.BCL, 4035, 5000, 50).stream("BSM", m.BSM, 4175, 5000, 250)
    script.transfers("BCS", m.BCS, 4140, 4960, 250)
    return script.drop("CCS", after=3990).stream("CCS", m.CCS, 6000, 14000, 50)


def contactors(m: Any, current: float) -> Any:
    script = m.nominal().sample(0, "k1k2_closed", 0).sample(2850, "k1k2_closed", 1).sample(2850, "output_current", 100)
    script.sample(2851, "output_current", 100).sample(8100, "output_current", current)
    return script.sample(8110, "output_current", current).sample(8110.1, "k1k2_closed", 0)


def accuracy(m: Any) -> Any:
    script = m.nominal().sample(2850, "k1k2_closed", 1)
    for t in range(2860, 8000, 100):
        script.sample(t, "output_current", 90.0).sample(t, "output_voltage", 361.0)
    return script


def still_closed(m: Any) -> Any:
    return failed(m).sample(2850, "k1k2_closed", 1)


def no_reconnection(m: Any) -> Any:
    return failed(m)


CASES: list[tuple[str, str, Make, dict[str, Any]]] = [
    ("FORMAT.identifier", "charger", foreign_pgn, {}),
    ("FORMAT.identifier", "bms", untransported, {}),
    ("FORMAT.identifier", "bms", other_side, {}),
    ("FORMAT.priority", "charger", wrong_priority, {}),
    ("FORMAT.length", "charger", lambda m: m.nominal().edit("CML", lambda d: d[:8]).edit("CHM", padded, 3), {}),
    ("FORMAT.length", "bms", lambda m: m.nominal().edit("BSM", padded, 4), {}),
    ("FORMAT.reserved", "charger", lambda m: m.nominal().edit("CCS", masked(6, 0x80), 9), {}),
    ("FORMAT.reserved", "charger", lambda m: m.nominal().edit("CCS", padded), {}),
    ("FORMAT.reserved", "bms", lambda m: m.nominal().edit("BSM", masked(6, 0xC0)), {}),
    ("FORMAT.value", "bms", lambda m: m.nominal().edit("BCL", put(4, 3), 9), {}),
    ("FORMAT.value", "charger", lambda m: m.nominal().edit("CCS", put(4, 0x59, 0x02), 9), {}),
    ("FORMAT.value", "charger", lambda m: m.nominal().edit("CTS", put(0, 0x5A), 0), {}),
    ("PERIOD.CHM", "charger", lambda m: m.nominal().move("CHM", 3, 30), {}),
    ("PERIOD.BHM", "bms", lambda m: m.nominal().move("BHM", 3, 30), {}),
    ("PERIOD.CRM", "charger", lambda m: reconnected(m, 0).move("CRM00", 4, 30), {}),
    ("PERIOD.BRM", "bms", lambda m: m.identified().transfer("BRM", m.BRM, 2060), {}),
    ("PERIOD.BCP", "bms", lambda m: m.configured().transfer("BCP", m.BCP, 2440), {"end": 2500}),
    ("PERIOD.CTS", "charger", lambda m: m.nominal().move("CTS", 1, -60), {}),
    ("PERIOD.CML", "charger", lambda m: m.nominal().move("CML", 1, -60), {}),
    ("PERIOD.BRO", "bms", lambda m: m.nominal().move("BROAA", 1, -60), {}),
    ("PERIOD.CRO", "charger", lambda m: m.nominal().move("CRO00", 1, -60), {}),
    ("PERIOD.BCL", "bms", lambda m: m.nominal().lose("BCL", 40), {}),
    ("PERIOD.BCS", "bms", lambda m: m.nominal().drop("BCS", after=4000, before=4250), {}),
    ("PERIOD.CCS", "charger", lambda m: m.nominal().move("CCS", 40, 8), {}),
    ("PERIOD.BSM", "bms", lambda m: m.nominal().lose("BSM", 4), {}),
    ("PERIOD.BST", "bms", lambda m: m.nominal().lose("BST", 4), {}),
    ("PERIOD.CST", "charger", lambda m: m.nominal().lose("CST", 4), {}),
    ("PERIOD.BSD", "bms", lambda m: m.nominal().move("BSD", 1, 40), {}),
    ("PERIOD.CSD", "charger", lambda m: m.nominal().move("CSD", 1, 40), {}),
    ("PERIOD.CEM", "charger", lambda m: failed(m).move("CEM", 1, 40), {"sides": ("charger",)}),
    ("PERIOD.BEM", "bms", lambda m: m.charging(5000).drop("CCS", after=3990).drop("BCL", "BCS", "BSM", after=4970)
     .stream("BEM", m.g.BEM(ccs=1), 4980, 6000, 250).move("BEM", 1, 40), {"sides": ("bms",)}),
    ("SILENCE.CCS", "charger", lambda m: m.nominal().drop("CCS", after=7500), {}),
    ("SILENCE.CCS", "charger", lambda m: m.charging(9000).drop("CCS", after=7500), {"sides": ("charger",)}),
    ("SILENCE.CST", "charger", lambda m: m.nominal().drop("BSD").drop("CSD").stream("BST", m.BST, 8203, 10500, 10),
     {"sides": ("charger",)}),
    ("SILENCE.CML", "charger", lambda m: m.nominal().drop("CML", "CTS", after=1900), {}),
    ("SILENCE.CRM", "charger", lambda m: reconnected(m, 0).drop("CRM00", after=3000), {}),
    ("SILENCE.CRO", "charger", lambda m: m.ready().drop("CRO00", after=2400).stream("BROAA", m.BROAA, 3125, 5000, 250),
     {"sides": ("charger",)}),
    ("SILENCE.BHM", "bms", lambda m: m.nominal().drop("BHM", after=700), {}),
    ("SILENCE.BRM", "bms", lambda m: m.identified().stream("CRM00", m.CRM00, 2010, 3400, 250), {"sides": ("bms",)}),
    ("SILENCE.BCP", "bms", lambda m: m.configured().stream("CRMAA", m.CRMAA, 2086, 4700, 250), {"sides": ("bms",)}),
    ("SILENCE.BRO", "bms", lambda m: m.nominal().drop("BROAA", after=2400), {}),
    ("SILENCE.BCL", "bms", lambda m: m.nominal().drop("BCL", after=7500), {}),
    ("SILENCE.BCS", "bms", lambda m: m.nominal().drop("BCS", after=7300), {}),
    ("SILENCE.BSM", "bms", lambda m: m.nominal().drop("BSM", after=7300), {}),
    ("SILENCE.BST", "bms",
     lambda m: m.charging(8000).stream("BST", m.BST, 8003, 8100, 10).stream("CCS", m.CCS, 8020, 10500, 50),
     {"sides": ("bms",)}),
    ("TP.request", "bms", lambda m: m.nominal().edit("BCS.rts", put(3, 3), 3).lose("BCS.cts", 3), {"only": True}),
    ("TP.request", "bms", second_request, {"only": True}),
    ("TP.answer", "charger",
     lambda m: m.charging().drop("BCS", after=7000).transfer("BCS", m.BCS, 7140, upto="rts"), {"sides": ("charger",)}),
    ("TP.answer", "charger", late_answer, {}),
    ("TP.clear", "charger", lambda m: m.nominal().edit("BCS.cts", put(1, 3), 3), {}),
    ("TP.clear", "charger", lambda m: m.nominal().frame(3500, 0x1CECF456, bytes.fromhex("110201FFFF001100")), {}),
    ("TP.packets", "bms", lambda m: m.nominal().edit("BCS.dt", put(0, 2), 6), {"only": True}),
    ("TP.packets", "bms", lambda m: m.nominal().frame(3500, 0x1CEB56F4, b"\x01" * 8), {}),
    ("TP.gap", "bms", lambda m: m.charging().drop("BCS", after=7000).transfer("BCS", m.BCS, 7140, upto="cts"),
     {"sides": ("bms",), "only": True}),
    ("TP.acknowledge", "charger", lambda m: m.nominal().edit("BCS.ack", put(1, 10), 3), {}),
    ("TP.acknowledge", "charger",
     lambda m: m.charging().drop("BCS", after=7000).transfer("BCS", m.BCS, 7140, upto="dt"), {"sides": ("charger",)}),
    ("TP.abort", "charger",
     lambda m: m.charging().drop("BCS", after=7000).transfer("BCS", m.BCS, 7140, upto="rts")
     .frame(7141, 0x1CECF456, bytes.fromhex("FF02FFFFFF001100")), {"sides": ("charger",)}),
    ("TP.padding", "bms", lambda m: m.nominal().edit("BCS.dt", put(7, 0), 7), {}),
    ("STOP.BHM", "bms", lambda m: m.nominal().stream("BHM", m.BHM, 2030, 2300, 250), {}),
    ("STOP.CRM00", "charger", lambda m: m.identified().stream("CRM00", m.CRM00, 2010, 2300, 250), {"only": True}),
    ("STOP.BRM", "bms", lambda m: m.nominal().transfer("BRM", m.BRM, 2150), {"only": True}),
    ("STOP.CRMAA", "charger", lambda m: m.configured().stream("CRMAA", m.CRMAA, 2086, 2400, 250), {}),
    ("STOP.BCP", "bms", lambda m: m.nominal().transfer("BCP", m.BCP, 2340).transfer("BCP", m.BCP, 2840),
     {"only": True}),
    ("STOP.CML", "charger", lambda m: m.nominal().stream("CML", m.CML, 2620, 2880, 250), {}),
    ("STOP.CTS", "charger", lambda m: m.nominal().stream("CTS", m.CTS, 2871, 3400, 500), {}),
    ("STOP.BROAA", "bms", lambda m: m.nominal().stream("BROAA", m.BROAA, 3125, 3400, 250), {}),
    ("STOP.CROAA", "charger", lambda m: m.nominal().stream("CROAA", m.CROAA, 3130, 3400, 250), {}),
    ("STOP.BCL", "bms", lambda m: m.nominal().stream("BCL", m.BCL, 8035, 8100, 50), {}),
    ("STOP.BCS", "bms", lambda m: m.nominal().transfer("BCS", m.BCS, 8140).transfer("BCS", m.BCS, 8390), {}),
    ("STOP.BSM", "bms", lambda m: m.nominal().stream("BSM", m.BSM, 8175, 8430, 250), {}),
    ("STOP.CCS", "charger", lambda m: m.nominal().stream("CCS", m.CCS, 8020, 8080, 50), {}),
    ("STOP.BST", "bms", lambda m: m.nominal().stream("BST", m.BST, 8213, 8250, 10), {}),
    ("STOP.CST", "charger", lambda m: m.nominal().stream("CST", m.CST, 8222, 8250, 10), {}),
    ("STOP.BEM", "bms",
     lambda m: failed(m).stream("BEM", m.g.BEM(ccs=1), 10050, 12500, 250).send(11500, "CRM00", m.CRM00),
     {"sides": ("bms",), "only": True}),
    ("STOP.error", "charger", lambda m: failed(m).stream("CCS", m.CCS, 9020, 9200, 50), {"sides": ("charger",)}),
    ("STOP.reconnect", "bms",
     lambda m: failed(m).stream("BSM", m.BSM, 9175, 12500, 250).send(11500, "CRM00", m.CRM00), {"only": True}),
    ("STOP.CSD", "charger", lambda m: m.nominal().stream("CSD", m.CSD, 9750, 19800, 250), {}),
    ("SEQUENCE.BHM", "bms", lambda m: m.nominal().drop("CHM", before=1700).drop("CHM", after=1700)
     .send(-2500, "CRM00", m.CRM00), {"only": True}),
    ("SEQUENCE.CRM00", "charger", lambda m: m.charging().send(8100, "CRM00", m.CRM00), {"sides": ("charger",)}),
    ("SEQUENCE.CRMAA", "charger", lambda m: m.identified().drop("BRM").send(1836, "CRMAA", m.CRMAA), {}),
    ("SEQUENCE.BRM", "bms", lambda m: m.identified().transfer("BRM", m.BRM, 1500).drop("BRM", after=1700),
     {"only": True}),
    ("SEQUENCE.BCP", "bms", lambda m: m.configured().drop("CRMAA"), {"only": True}),
    ("SEQUENCE.CML", "charger", lambda m: m.configured().drop("BCP").send(1870, "CML", m.CML), {}),
    ("SEQUENCE.BRO", "bms", lambda m: m.configured().send(1875, "BRO00", m.BRO00), {"only": True}),
    ("SEQUENCE.CRO", "charger", lambda m: m.ready().drop("BROAA"), {"sides": ("charger",)}),
    ("SEQUENCE.BCL", "bms", lambda m: m.charging(4000).drop("CROAA"), {"sides": ("bms",), "only": True}),
    ("SEQUENCE.CCS", "charger", lambda m: m.charging(4000).drop("BCS"), {"sides": ("charger",)}),
    ("SEQUENCE.BSM", "bms", lambda m: m.charging(4000).send(2889, "BSM", m.BSM).drop("BSM", after=2900),
     {"only": True}),
    ("SEQUENCE.BSD", "bms", lambda m: m.nominal().send(7990, "BSD", m.BSD), {"only": True}),
    ("SEQUENCE.CSD", "charger", lambda m: m.nominal().drop("BSD"), {"sides": ("charger",)}),
    ("SEQUENCE.back", "charger", lambda m: m.charging(4000).send(3990.7, "CHM", m.CHM).drop("CHM", after=3900)
     .send(3990, "CML", m.CML), {"only": True}),
    ("ERROR.cause", "charger", lambda m: m.charging(5000).send(4990, "CEM", m.g.CEM(brm=1)), {}),
    ("ERROR.cause", "charger", lambda m: m.charging(5000).send(4990, "CEM", m.g.CEM()), {}),
    ("ERROR.cause", "bms", lambda m: m.charging(5000).send(4990, "BEM", m.g.BEM(csd=1)), {}),
    ("ERROR.reconnect", "charger", no_reconnection, {"sides": ("charger",), "end": 41_000}),
    ("ERROR.handshake", "charger", handshake_again, {"sides": ("charger",)}),
    ("ERROR.attempts", "charger", lambda m: reconnected(m, 4), {"sides": ("charger",)}),
    ("ERROR.attempts", "charger", lambda m: reconnected(m, 1), {"readings": {"reconnections": "none"}}),
    ("ERROR.end", "charger", end_reconnection, {"sides": ("charger",)}),
    ("ERROR.heard", "charger", bem_ignored, {"sides": ("charger",), "only": True}),
    ("ERROR.off", "charger", still_closed, {"sides": ("charger",), "end": 20_000}),
    ("CONTENT.number", "charger", lambda m: m.nominal().edit("CSD", put(4, 8)), {}),
    ("CONTENT.cst-reason", "charger", lambda m: stopped(m, m.CST.replace(bms_stopped=0)), {}),
    ("CONTENT.cst-bms", "charger", lambda m: stopped(m, m.CST), {}),
    ("CONTENT.cst-bms", "charger", lambda m: m.nominal().drop("CST", before=8150).edit("CST", put(0, 4)),
     {"sides": ("charger",)}),
    ("CONTENT.bst-reason", "bms", lambda m: m.nominal().edit("BST", put(0, 0)), {}),
    ("CONTENT.demand", "bms", lambda m: m.nominal().edit("BCL", put(0, 0x70, 0x0F), 30), {}),
    ("CONTENT.demand", "bms", lambda m: m.nominal().edit("BCL", put(2, 0x00, 0x04), 30), {}),
    ("CONTENT.output", "charger", lambda m: m.nominal().edit("CCS", put(2, 0x00, 0x04), 30), {}),
    ("CONTENT.output", "charger", lambda m: m.nominal().edit("CCS", put(0, 0xA0, 0x0F), 30), {}),
    ("CONTENT.pause", "charger", lambda m: pause(m, m.CCS), {"end": 11_900}),
    ("CONTENT.abnormal", "charger", abnormal, {"end": 11_900}),
    ("CONTENT.bhm", "bms", lambda m: m.nominal().edit("BHM", put(0, 0x10, 0x0E)), {}),
    ("OUTPUT.accuracy", "charger", accuracy, {}),
    ("OUTPUT.contactors", "charger", lambda m: contactors(m, 20.0), {}),
    ("FOLLOW.CRMAA", "charger", lambda m: m.identified().transfers("BRM", m.BRM, 2020, 7500, 250),
     {"sides": ("charger",), "end": 7500}),
    ("FOLLOW.CML", "charger", lambda m: m.configured().transfers("BCP", m.BCP, 2340, 7500, 500),
     {"sides": ("charger",), "end": 7500}),
    ("FOLLOW.CRO", "charger", lambda m: m.ready().drop("CRO00").stream("BROAA", m.BROAA, 3125, 8000, 250),
     {"sides": ("charger",), "end": 8000}),
    ("FOLLOW.CCS", "charger", lambda m: m.charging(4500).drop("CCS", "BSM"), {"sides": ("charger",), "only": True}),
    ("FOLLOW.CST", "charger",
     lambda m: m.charging().stream("BST", m.BST, 8003, 13500, 10), {"sides": ("charger",), "only": True}),
    ("FOLLOW.CSD", "charger", lambda m: m.nominal().drop("CSD").stream("BSD", m.BSD, 8710, 18800, 250),
     {"sides": ("charger",)}),
]  # fmt: skip
"""Monitor, side, session, options of the judge. ``only``: the deviation brings others of the same side about."""


MAY_HAVE_ENDED = ("SILENCE.CML", "SILENCE.CRM", "SILENCE.CRO", "SILENCE.BRM", "SILENCE.BCP", "FOLLOW.CML", "FOLLOW.CRO")
"""Before the charging phase a side that falls silent may have ended the session for a reason that does not show."""


@pytest.mark.parametrize(
    ("name", "side", "session", "options"), CASES, ids=[f"{name}-{side}" for name, side, *_ in CASES]
)
def test_one_deviation_gives_that_finding(
    make: Any, name: str, side: str, session: Make, options: dict[str, Any]
) -> None:
    options = dict(options)
    brings_others = options.pop("only", False)
    found = make.judge(session(make), **options)
    if brings_others:
        assert (name, side) in make.kinds(found), found
    else:
        assert make.kinds(found) == {(name, side)}, found
    verdicts = {each.verdict for each in found if each.requirement == f"MON/{name}" and each.side == side}
    assert verdicts == {Verdict.FAIL} or (name in MAY_HAVE_ENDED and verdicts == {Verdict.INCONCLUSIVE})


def test_every_monitor_has_a_session_that_it_bites() -> None:
    named = {f"MON/{name}" for name, *_ in CASES}
    timeouts = {identifier for identifier in monitors() if identifier.startswith("MON/TIMEOUT.")}
    assert set(monitors()) - named - timeouts == set()
