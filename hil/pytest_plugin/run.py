"""One run of one case: its world, its evidence and its verdict."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from hil.bench.ac import AcBench
from hil.bench.ac_profiles import AcTwin
from hil.bench.bench import Bench
from hil.bench.core import Sink, ignore
from hil.bench.guard import ended_by, held_back
from hil.bench.judge import CheckFailed, Inconclusive, Judge
from hil.bench.measured import MeasuredChecks
from hil.bench.opening import Edits, kind_of
from hil.bench.setup import Setup
from hil.bench.twin import Twin
from hil.bench.virtual import build_virtual
from hil.conformance.verdict import CaseResult, Measurement, Verdict, worst
from hil.errors import HilError
from hil.evidence.explain import show_limits, show_measured_value
from hil.evidence.trace import TraceWriter
from hil.profile.ac import AcProfile
from hil.profile.ac.files import save as save_ac
from hil.profile.files import SUFFIX, save
from hil.profile.model import LoadProfile
from hil.profile.parts import keep_parts
from hil.protocol.gbt27930 import MessageSet, edition
from hil.pytest_plugin.dut import End
from hil.pytest_plugin.plan import Run, RunPlan
from hil.pytest_plugin.watchdog import WatchedWorld
from hil.transport.dut_process import DutError
from hil.units import ms, s, seconds, show_instant
from hil.world.observation import Sample
from hil.world.pipe import World

if TYPE_CHECKING:
    from hil.bench.live import LiveBenchWorld


def result_of(run: Run, plan: RunPlan, verdict: Verdict, reason: str) -> CaseResult:
    """The result of a run in which nothing was measured."""
    requirement = run.requirement
    return CaseResult(
        id=requirement.case,
        suite=requirement.suite,
        title=requirement.title,
        requirement=requirement.id,
        source=requirement.source,
        basis=requirement.basis,
        purpose=run.purpose,
        verdict=verdict,
        reason=reason,
        clause=requirement.clause,
        advisory=run.advisory,
        reading=run.reading,
        variant=run.variant,
        nodeid=run.nodeid,
        repeat=plan.repeat(run),
    )


_GOING = ms(500)
"""For a DUT whose ports went to be gone itself."""


class CaseRun:
    """Opened before the case, concluded after it; :attr:`result` is what it came to.

    ``edits`` change reference devices beyond the plan's faults. Without ``traced`` nothing is written.
    """

    def __init__(self, run: Run, plan: RunPlan, *, edits: Edits | None = None, traced: bool = True) -> None:
        self.run = run
        self.result: CaseResult | None = None
        self._plan = plan
        setup = plan.setup(run)
        self.messages: MessageSet = edition(setup.edition)
        self._kind = kind_of(run.requirement.bench)
        self._edits: Edits = edits or {}
        self._watched: WatchedWorld | None = None
        self._dut_end: End | None = None
        self._dut_output = None if plan.dut is None else plan.dut.prepare(run.stem)
        self._writer = TraceWriter(plan.out / "traces", run.stem) if traced else None
        sink = ignore if self._writer is None else self._writer.write
        judge = Judge()
        self._live = None if plan.rig.virtual else self._open(setup, judge, sink)
        world = self._watch(self._live) if self._live is not None else self._build(setup)
        self.bench = self._kind.bench(world, setup, judge, sink)
        if isinstance(self.bench, MeasuredChecks):
            self.bench.measure_with(setup.instruments)
        if self._live is not None:
            # A signal that has not changed since is known by what it was.
            self.bench.record.add([seen for seen in self._live.before if isinstance(seen, Sample)])
            self.bench.now = self._live.now
        elif isinstance(self.bench, Bench):
            kept = plan.pools if edits is None else None
            self.bench.twin = Twin(setup, self._build, kept, plan.seed, plan.rig.envelope)
        elif isinstance(self.bench, AcBench):
            pools = plan.ac_pools if edits is None else {}
            self.bench.twin = AcTwin(setup, self._build, pools, plan.seed, run.requirement.bench)

    def _open(self, setup: Setup, judge: Judge, sink: Sink) -> LiveBenchWorld:
        """The bench's side on the rig's ports; whatever it raises, the trace files are closed."""
        from hil.bench.live import LiveBenchWorld, live_setup  # python-can, pyserial: not for virtual runs

        try:
            live = live_setup(self.run.requirement.bench, setup, self._plan.rig)
            return LiveBenchWorld(live, judge, sink, *([] if self._plan.dut is None else [self._plan.dut.check]))
        except BaseException as error:
            if self._writer is not None:
                self._writer.close()
            ended = self._release_dut(passed=False)
            if ended is not None and isinstance(error, HilError):
                why = "" if isinstance(error, DutError) else f": {error}"
                raise DutError(f"{ended}, while the bench was opened{why}") from error
            raise

    def _release_dut(self, *, passed: bool) -> End | None:
        """Let go of the DUT; how it ended, if it did."""
        dut = self._plan.dut
        if dut is None:
            return None
        ended = dut.ended()
        dut.release(passed=passed and ended is None)
        return ended

    def _build(self, setup: Setup) -> World:
        return self._watch(build_virtual(self._kind, setup, self._edits, self._plan.rig.envelope))

    def _watch(self, world: World) -> World:
        if self._plan.options.max_real_time is not None:
            world = self._watched = WatchedWorld(world, s(self._plan.options.max_real_time))
        return world

    def watching(self) -> AbstractContextManager[None]:
        """Around the case itself: ends it when the time that a run may take is up."""
        return nullcontext() if self._watched is None else self._watched.interrupting()

    def conclude(self, error: BaseException | None) -> CaseResult:
        """Close the world and come to a verdict; ``error`` is what the case raised, if anything.

        Concluding again changes nothing. An error on the way is the verdict, and is not raised.
        """
        if self.result is None:
            # Before the world is closed, as its end may end the DUT too.
            self._dut_end = self._ask_dut(error)
            self.result = self._conclude(self._close(error))
            self._release_dut(passed=self.result.verdict is Verdict.PASS)
        return self.result

    def _ask_dut(self, error: BaseException | None) -> End | None:
        """What became of the rig's DUT in the case."""
        dut = self._plan.dut
        if dut is None:
            return None
        if error is not None and not isinstance(error, Exception):
            return dut.ended()  # somebody wants an end: safe state first, nothing is waited for
        if self._live is not None and self._live.links.lost:
            return dut.ended(_GOING)  # whose ports they may have been
        return dut.judged()

    def _close(self, error: BaseException | None) -> BaseException | None:
        try:
            self.bench.close()
            if self._watched is not None:
                self._watched.check()
        except Exception as failure:
            return failure if _verdict_of(error) is not Verdict.ERROR else error
        finally:
            if self._writer is not None:
                self._writer.close()
        return error

    def _conclude(self, error: BaseException | None) -> CaseResult:
        bench = self.bench
        if self._dut_end is not None:
            # Before what else came of it, at the instant where that showed.
            (how, words), shown = self._dut_end, bench.judge.decisive
            at = shown.at if shown is not None and shown.verdict is Verdict.FAIL else None
            told = Measurement("DUT", how, "", None, None, Verdict.FAIL, bench.now if at is None else at, words)
            bench.judge.measurements.insert(0, told)
        verdict, reason = self._verdict(error)
        result = result_of(self.run, self._plan, verdict, reason)
        result.dut_output = self._dut_output
        decisive = bench.judge.decisive
        result.measurements = list(bench.judge.measurements)
        result.findings = bench.findings()
        result.faults_fired = [note.what for note in bench.record.notes if note.kind in ("stimulus", "fault_fired")]
        if self._writer is not None:
            result.trace = self._writer.log_path.relative_to(self._plan.out).as_posix()
            result.stream = self._writer.stream_path.relative_to(self._plan.out).as_posix()
        if bench.profile is not None and self._writer is not None:
            self._keep(bench.profile, result)
        if self._writer is not None:
            keep_parts(self._plan.out, self._plan.pools.values(), self._plan.readings)
        result.duration_s = seconds(bench.now)
        result.decisive = bench.now if decisive is None or decisive.at is None else decisive.at
        return result

    def _keep(self, profile: LoadProfile | AcProfile, result: CaseResult) -> None:
        """Write the load profile that shows the verdict, and tell how to replay it."""
        path = self._plan.out / "profiles" / f"{self.run.stem}{SUFFIX}"
        if isinstance(profile, AcProfile):
            save_ac(profile, path)
        else:
            save(profile, path)
        result.profile = path.relative_to(self._plan.out).as_posix()
        result.replay = self._plan.replay(self.run, path)

    def _verdict(self, error: BaseException | None) -> tuple[Verdict, str]:
        if self._dut_end is not None:
            # Whatever else went wrong, this did before, and it is the DUT's.
            return Verdict.FAIL, str(self._dut_end)
        judged = self.bench.judge.verdict
        raised = _verdict_of(error)
        ended = ended_by(self.bench.record.notes)
        if ended and raised is not Verdict.ERROR:
            return Verdict.ERROR, ended
        links = None if self._live is None else self._live.links
        if links is not None and links.lost and raised is not Verdict.ERROR:
            return Verdict.ERROR, links.lost
        trouble = self.trouble()
        if trouble and raised is not Verdict.ERROR:
            return Verdict.INCONCLUSIVE, trouble
        unfired = self.bench.unfired()
        if unfired and Verdict.FAIL not in (judged, raised) and raised is not Verdict.ERROR:
            return Verdict.INCONCLUSIVE, f"the stimulus {unfired[0]!r} did not come about"
        verdict = worst((judged, raised))
        if verdict is Verdict.NONE:
            return Verdict.INCONCLUSIVE, "nothing was measured"
        measured = _explained(self.bench.judge.decisive)
        if verdict is judged and measured:
            unsure = links.causes if links is not None and verdict is Verdict.INCONCLUSIVE else ""
            return verdict, f"{measured}; {unsure}" if unsure else measured
        return verdict, _told(error)

    def trouble(self) -> str:
        """What went wrong on the bench's side, so that nothing can be said of the DUT; empty when nothing did."""
        live = self._live
        mute = "" if live is None else live.links.mute
        return held_back(self.bench.record.notes) or mute or self.bench.trouble()


def _verdict_of(error: BaseException | None) -> Verdict:
    """What a raised error says of the DUT: only a broken check is a fail, all else is our side's."""
    if error is None:
        return Verdict.NONE
    if isinstance(error, Inconclusive):
        return Verdict.INCONCLUSIVE
    return Verdict.FAIL if isinstance(error, CheckFailed | AssertionError) else Verdict.ERROR


def _told(error: BaseException | None) -> str:
    if error is None:
        return ""
    if isinstance(error, HilError | Inconclusive | CheckFailed):
        return str(error)
    if isinstance(error, AssertionError):
        # Below the first line pytest explains with addresses of objects, which differ from run to run.
        return str(error).partition("\n")[0] or "an assertion failed"
    return f"{type(error).__name__}: {error}"


def _explained(measurement: Measurement | None) -> str:
    """The measurement that decided, with limits, instant and note; empty for a pass."""
    if measurement is None or measurement.verdict in (Verdict.NONE, Verdict.PASS):
        return ""
    text = f"{measurement.name}: {show_measured_value(measurement)}"
    limits = show_limits(measurement)
    text += f", allowed is {limits}" if limits else ""
    text += f", at {show_instant(measurement.at)}" if measurement.at is not None else ""
    return text + (f" ({measurement.note})" if measurement.note else "")
