"""What a run on real ports comes to where its links, its clock or its user do not let it end as it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from hil.bench import live
from hil.conformance.catalogue import limit, requirements
from hil.conformance.verdict import CaseResult, Verdict
from hil.protocol.gbt27930 import CHM
from hil.pytest_plugin.dut import DutKeeper, End
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import RunPlan, make_plan
from hil.pytest_plugin.run import CaseRun
from hil.transport.dut_process import DutError
from hil.units import ms, s
from hil.world.observation import FrameSeen, Note, Observation
from hil.world.plan import Advance, Close, Command, Reply

CASE = requirements()["GBT34658-2017/DP.1001"]
RIG = """
schema = 1
name = "desk"
kind = "live"

[dut]
name = "charger"

[ports.can0]
type = "can"
interface = "virtual"
channel = "nobody"
bitrate = 250000
uncertainty = 0.001

[ports.io]
type = "signals"
url = "tcp://127.0.0.1:9"

[roles]
can = "can0"
signals = "io"

[plant]
source = "model"
"""
UP = Note(0, "signals", "up", {"box": "fake"})


class FarWorld:
    """Lets time pass, and tells what it was given to tell."""

    def __init__(self) -> None:
        self.now = 0
        self.tells: list[Observation] = [UP]
        self.closed = False
        self.check: Callable[[], None] = lambda: None

    def begun(self, check: Callable[[], None]) -> FarWorld:
        """As a process that asks, while it is waited for."""
        self.check = check
        return self

    def execute(self, command: Command) -> Reply:
        if not isinstance(command, Close):
            self.check()
        told, self.tells = self.tells, []
        self.now = command.until if isinstance(command, Advance) else self.now
        self.closed = self.closed or isinstance(command, Close)
        return Reply(self.now, None, told)


class Desk:
    """A live rig whose world is the test, and one run on it."""

    def __init__(self, plan: RunPlan) -> None:
        self.far = FarWorld()
        self.plan = plan

    def concludes(self, *told: Note, span: int | None = None, error: BaseException | None = None) -> CaseResult:
        """The result of a run in which the world told this, and a span was measured."""
        case = CaseRun(self.plan.runs(CASE)[0], self.plan, traced=False)
        self.far.tells += told
        case.bench.let(s(10))
        if span is not None:
            case.bench.check_window("K1/K2 open", span, limit("shutdown"), at=case.bench.now)
        return case.conclude(error)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    (tmp_path / "desk.toml").write_text(RIG, "utf-8")
    made = Desk(make_plan(Options(rig=str(tmp_path / "desk.toml"), out=str(tmp_path / "report"))))
    monkeypatch.setattr(live, "LiveProcess", lambda build, check=made.far.check: made.far.begun(check))
    return made


STEP = Note(s(12), "clock_step", "can0", {"by_s": 0.5})


def test_a_set_clock_leaves_open_what_lies_nearer_to_its_limit_and_is_the_cause(desk: Desk) -> None:
    high = limit("shutdown").high
    assert desk.concludes(span=high + s(0.3)).verdict is Verdict.FAIL
    desk.far.tells = [UP]
    near = desk.concludes(STEP, span=high + s(0.3))
    assert near.verdict is Verdict.INCONCLUSIVE
    assert near.reason.endswith("; the clock that stamps port can0 was set by +0.5 s at 12.000000 s")
    desk.far.tells = [UP]
    assert desk.concludes(STEP, span=high + s(0.7)).verdict is Verdict.FAIL, "however the clock went"


@pytest.mark.parametrize(
    ("period", "notes", "verdict"),
    [
        (ms(277), (), Verdict.FAIL),
        (ms(275.6), (), Verdict.INCONCLUSIVE),
        (ms(277), (STEP,), Verdict.INCONCLUSIVE),
    ],
)
def test_what_monitors_find_is_as_unsure_as_the_port_and_may_be_a_set_clock(
    desk: Desk, period: int, notes: tuple[Note, ...], verdict: Verdict
) -> None:
    """The port is sure to 1 ms, and CHM comes every 225 to 275 ms."""
    case = CaseRun(desk.plan.runs(CASE)[0], desk.plan, traced=False)
    frame = (CHM.can_id or 0, bytes.fromhex("010100"))
    desk.far.tells += [FrameSeen(s(10) + number * period, "can0", *frame, "", True) for number in range(8)]
    desk.far.tells[:0] = [msgspec.structs.replace(note, t=s(10)) for note in notes]
    case.bench.let(s(10))
    bench: Any = case.bench
    bench.check_findings("charger")
    assert case.conclude(None).verdict is verdict


def test_a_driver_that_shows_no_own_frame_leaves_the_case_open(desk: Desk) -> None:
    told = Note(s(12), "no_echo", "can0", {"frame": "1826F456#01", "sent_s": 11.5, "shown": False})
    result = desk.concludes(told, span=limit("shutdown").high * 2)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason.startswith("port can0 showed no frame that the bench sent")


def test_a_port_that_went_is_an_error_whatever_the_case_has_measured(desk: Desk) -> None:
    result = desk.concludes(Note(s(12), "port_lost", "can0", {"why": "unplugged"}), span=limit("shutdown").high * 2)
    assert (result.verdict, result.reason) == (Verdict.ERROR, "port can0 was lost at 12.000000 s: unplugged")


class Dut:
    """The rig's own process, which hangs, or has ended; tells how it was asked."""

    def __init__(self, far: FarWorld, end: End | None = None) -> None:
        self._far = far
        self._end = end
        self.asked: list[str] = []

    def prepare(self, stem: str) -> str:
        return f"{stem}.log"

    def check(self) -> None:
        if self._end is not None:
            raise DutError(str(self._end))

    def ended(self, within: int = 0) -> End | None:
        return self._end

    def judged(self) -> End:
        """Takes as long as the rig has it."""
        self.asked.append("after the safe state" if self._far.closed else "before the safe state")
        return End("hangs", "it said nothing")

    def release(self, *, passed: bool) -> None:
        self.asked.append("released")


def test_whoever_wants_an_end_need_not_wait_for_a_dut_that_hangs(desk: Desk) -> None:
    """The bench may be energised: its safe state comes first."""
    dut: Any = Dut(desk.far)
    desk.plan = replace(desk.plan, dut=cast("DutKeeper", dut))
    result = desk.concludes(error=KeyboardInterrupt("interrupted"))
    assert (result.verdict, dut.asked, desk.far.closed) == (Verdict.ERROR, ["released"], True)
    desk.far.tells, desk.far.closed, dut.asked = [UP], False, []
    assert desk.concludes().reason.startswith("the DUT hangs"), "else that is judged"
    assert dut.asked == ["before the safe state", "released"]


def test_a_dut_that_ends_while_the_bench_is_opened_is_an_error_told_once(desk: Desk) -> None:
    dut: Any = Dut(desk.far, End("exited with code 3", "its last words: boom"))
    desk.plan = replace(desk.plan, dut=cast("DutKeeper", dut))
    with pytest.raises(DutError) as raised:
        desk.concludes()
    assert str(raised.value) == "the DUT exited with code 3; its last words: boom, while the bench was opened"
