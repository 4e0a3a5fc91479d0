"""A small session as a bench would have seen it, and results that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hil.codec.message import Message
from hil.conformance.verdict import CaseResult, Finding, Measurement, Verdict
from hil.evidence.run import RunInfo
from hil.evidence.trace import TraceWriter
from hil.protocol.gbt27930 import BCL, BCP, BCS, BRO, BST, CCS, CEM, CML, CRO, CST, MessageSet, edition
from hil.units import Instant, Span, ms, s
from hil.world.observation import BusErrorSeen, FrameSeen, Note, Observation, Sample

LAST_BCL = s(4)
FIRST_CEM = LAST_BCL + ms(1002)


class Session:
    """Writes down frames, in any order; :meth:`observations` sorts them."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []

    def send(self, t: Instant, message: Message) -> None:
        """A single frame."""
        assert message.can_id is not None
        sender = "charger" if message.sender == "charger" else "vehicle"
        self.seen.append(FrameSeen(t, "can0", message.can_id, message.encode(), sender))

    def repeat(self, message: Message, start: Instant, end: Instant, period: Span) -> None:
        """Frames at a period from ``start`` up to and without ``end``."""
        for t in range(start, end, period):
            self.send(t, message)

    def frame(self, t: Instant, identifier: int, data: str, sender: str = "vehicle") -> None:
        """Any frame, its bytes in hex."""
        self.seen.append(FrameSeen(t, "can0", identifier, bytes.fromhex(data), sender))

    def transfer(self, t: Instant, message: Message, *, packets: int | None = None) -> None:
        """A long message from the vehicle, RTS at ``t``; only so many packets, then nothing more."""
        data = message.encode()
        count = -(-len(data) // 7)
        pgn = message.pgn.to_bytes(3, "little").hex()
        size = len(data).to_bytes(2, "little").hex()
        self.frame(t, 0x1CEC56F4, f"10{size}{count:02x}ff{pgn}")
        self.frame(t + ms(2), 0x1CECF456, f"11{count:02x}01ffff{pgn}", "charger")
        for number in range(count if packets is None else packets):
            part = data[7 * number : 7 * number + 7].ljust(7, b"\xff")
            self.frame(t + ms(4 + 10 * number), 0x1CEB56F4, f"{number + 1:02x}{part.hex()}")
        if packets is None:
            self.frame(t + ms(4 + 10 * count), 0x1CECF456, f"13{size}{count:02x}ff{pgn}", "charger")

    def observations(self) -> list[Observation]:
        """All, in order of time."""
        return sorted(self.seen, key=lambda observation: observation.t)


@pytest.fixture
def messages() -> MessageSet:
    return edition("2015")


@pytest.fixture
def new_session() -> Callable[[], Session]:
    return Session


@pytest.fixture
def observations() -> list[Observation]:
    """A charger that loses BCL at 4 s, reports it 1.002 s later and cuts its output."""
    session = Session()
    session.transfer(
        ms(10),
        BCP(
            max_cell_voltage=3.65,
            max_current=-250.0,
            nominal_energy=186.0,
            max_total_voltage=700.0,
            max_temperature=55,
            soc=45.5,
            present_voltage=610.5,
        ),
    )
    cml = CML(max_voltage=750.0, min_voltage=200.0, max_current=-250.0, min_current=0.0)
    session.repeat(cml, ms(100), ms(400), ms(250))
    session.repeat(BRO(ready=0xAA), ms(300), ms(1000), ms(250))
    session.repeat(CRO(ready=0xAA), ms(800), ms(1000), ms(250))
    session.repeat(BCL(voltage_demand=650.0, current_demand=-120.0, mode=2), s(1), LAST_BCL + 1, ms(50))
    ccs = CCS(voltage=612.0, current=-119.0, charging_time=0)
    session.repeat(ccs, ms(1010), FIRST_CEM, ms(50))
    for t in range(ms(1020), s(6), ms(250)):
        session.transfer(
            t,
            BCS(voltage=612.3, current=-118.5, max_cell_voltage=3.42, max_cell_group=3, soc=46, remaining_time=75),
        )
    session.repeat(CEM(bcl=1), FIRST_CEM, s(6), ms(250))
    session.seen.append(Note(LAST_BCL + ms(1), "stimulus", "1: silence BCL"))
    session.seen.append(Sample(0, "k1k2_closed", 0.0, 0.0, 0.0))
    session.seen.append(Sample(ms(900), "k1k2_closed", 1.0, 0.0, 1.0))
    session.seen.append(Sample(FIRST_CEM + ms(40), "k1k2_closed", 0.0, 0.0, 1.0))
    for t in range(0, s(6), ms(20)):
        charging = s(1) < t < FIRST_CEM
        current, voltage = (119.0, 612.0) if charging else (0.0, 0.0)
        session.seen.append(Sample(t, "output_current", current, current - 1.0, current + 1.0))
        session.seen.append(Sample(t, "output_voltage", voltage, voltage - 2.0, voltage + 2.0))
    session.seen.append(BusErrorSeen(ms(500), "can0", "charger", "ack", 8, 0))
    return session.observations()


@pytest.fixture
def stopped(new_session: Callable[[], Session]) -> list[Observation]:
    """A charger that answers BST with CST."""
    session = new_session()
    session.repeat(CCS(voltage=612.0, current=-119.0, charging_time=3), 0, s(1), ms(50))
    session.repeat(BST(soc_reached=1), s(1), ms(1500), ms(10))
    session.repeat(CST(bms_stopped=1), ms(1020), ms(2000), ms(10))
    return session.observations()


def make_result(**values: Any) -> CaseResult:
    """A result that passed, with other values where given."""
    given: dict[str, Any] = {
        "id": "DN.3006",
        "suite": "gbt27930",
        "requirement": "GBT34658-2017/DN.3006",
        "source": "gbt27930.md 5.3, 5.7",
        "basis": "S2",
        "purpose": "A charger that no longer receives BCL reports it with CEM in time.",
        "verdict": Verdict.PASS,
        "reason": "",
        "measurements": [
            Measurement("time to the first CEM", 1.002, "s", 0.99, 1.2, Verdict.PASS, FIRST_CEM),
            Measurement("CEM length", 4.0, "bytes", 4.0, 4.0, Verdict.PASS, FIRST_CEM),
        ],
        "faults_fired": ["1: silence BCL"],
        "findings": [
            Finding("PERIOD.CCS", s(2), "charger", "45 .. 55 ms", "70 ms", Verdict.FAIL, "gbt27930.md 2.1"),
            Finding(
                "PERIOD.BCL", LAST_BCL, "bms", "45 .. 55 ms", "nothing more", Verdict.FAIL, "gbt27930.md 2.1", True
            ),
        ],
        "duration_s": 6.0,
        "decisive": FIRST_CEM,
        "repeat": "hil run --case DN.3006 --seed 0",
    }
    return CaseResult(**{**given, **values})


def late(**values: Any) -> CaseResult:
    """A result that failed by a late CEM."""
    measured = [
        Measurement("time to the first CEM", 1.402, "s", 0.99, 1.2, Verdict.FAIL, FIRST_CEM),
        Measurement("CEM length", 4.0, "bytes", 4.0, 4.0, Verdict.PASS, FIRST_CEM),
    ]
    reason = "time to the first CEM: 1.402 s, 0.99 .. 1.2 required, at 5.002000 s"
    return make_result(**{"verdict": Verdict.FAIL, "reason": reason, "measurements": measured, **values})


@pytest.fixture
def result() -> Callable[..., CaseResult]:
    return make_result


@pytest.fixture
def failed() -> Callable[..., CaseResult]:
    return late


@pytest.fixture
def info() -> RunInfo:
    return RunInfo(
        tool={
            "name": "hil",
            "version": "0.1.0",
            "python": "3.11.7",
            "platform": "Linux x86_64",
            "commit": None,
            "source": "5ab1e0",
            "dependencies": {"python-can": "4.6.1"},
        },
        rig={"name": "virtual", "sha256": "ab" * 32, "virtual": True},
        dut={"name": "reference charger", "maker": "hil"},
        edition={"gbt27930": "2015"},
        readings={"dn2007-2009": "amendment1"},
        seed=0,
        command="hil run --seed 0",
        operator="Li Wei",
        started="2026-03-01T10:00:00+00:00",
        finished="2026-03-01T11:00:00+00:00",
        host="bench-3",
    )


@pytest.fixture
def results(tmp_path: Path, observations: list[Observation], stopped: list[Observation]) -> list[CaseResult]:
    """One run of every verdict, with saved traces under ``tmp_path``."""

    def saved(stem: str, seen: list[Observation]) -> dict[str, str]:
        with TraceWriter(tmp_path / "traces", stem) as writer:
            writer.write(seen)
        return {
            "trace": writer.log_path.relative_to(tmp_path).as_posix(),
            "stream": writer.stream_path.relative_to(tmp_path).as_posix(),
        }

    unreached = "phase charging was not reached by 140.000000 s"
    return [
        make_result(**saved("DN.3006", observations)),
        late(
            id="DN.3008", variant="short", requirement="GBT34658-2017/DN.3008", **saved("DN.3008-short", observations)
        ),
        make_result(
            id="DP.3006",
            requirement="GBT34658-2017/DP.3006",
            purpose="BST ends the charge.",
            measurements=[Measurement("CST cause (SPN 3521)", "bms_stopped", "", None, None, Verdict.PASS, ms(1020))],
            decisive=ms(1020),
            **saved("DP.3006", stopped),
        ),
        make_result(
            id="DN.2009",
            requirement="GBT34658-2017/DN.2009",
            reading="dn2007-2009=print",
            verdict=Verdict.INCONCLUSIVE,
            reason=unreached,
            measurements=[],
            decisive=None,
        ),
        make_result(
            id="DP.1001",
            requirement="GBT34658-2017/DP.1001",
            verdict=Verdict.ERROR,
            reason="WorldError: the world is closed",
        ),
        make_result(
            id="DP.3002",
            requirement="GBT34658-2017/DP.3002",
            verdict=Verdict.NOT_APPLICABLE,
            reason="the rig has no <script>alert(1)</script> & meter",
            measurements=[],
            faults_fired=[],
            decisive=None,
            duration_s=0.0,
        ),
        late(
            id="LL.1",
            requirement="hil/LL.1",
            basis="DER",
            advisory=True,
            purpose="Padding is 1.",
            **saved("LL.1", stopped),
        ),
    ]
