"""Whole sessions on the virtual world: what a case may do comes about on the wire and in the plant."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hil.bench.actions import at_signal, disturb, first, impatient, nth, send_raw, silence, stimulate, stop_charging
from hil.bench.bench import Bench
from hil.bench.judge import Judge
from hil.bench.phases import Phase
from hil.bench.setup import Setup, build
from hil.bus.faults import Drop
from hil.conformance.monitors import MonitorSet
from hil.conformance.register import resolve
from hil.dut.gbt27930.spec import ChargerSpec
from hil.errors import UsageError, WorldError
from hil.protocol.gbt27930 import BCL, BEM, BSD, BST, CCS, CEM, CHM, CRM, CSD, edition
from hil.units import ms, s
from hil.world.observation import Note, Sample
from hil.world.virtual import VirtualWorld

Open = Callable[..., Bench]


@pytest.fixture
def opened() -> Iterator[Open]:
    benches: list[Bench] = []

    def make(edit: Callable[[ChargerSpec], ChargerSpec] | None = None) -> Bench:
        world = build(Setup(seed=3), edit)
        benches.append(Bench(world, edition("2015"), Judge(), resolve({})))
        return benches[-1]

    yield make
    for bench in benches:
        bench.close()


def test_phases_are_reached_in_their_order(opened: Open) -> None:
    bench = opened()
    times = [bench.reach(phase).t for phase in Phase if phase not in (Phase.STOPPING, Phase.END)]
    assert times == sorted(times)
    bench.vehicle.stop("soc_reached")
    assert bench.reach(Phase.STOPPING).t < bench.reach(Phase.END).t
    assert 95.0 <= max(each.value for each in bench.record.samples("output_current")) <= 105.0


def test_a_session_ends_in_order_and_another_one_follows_a_replug(opened: Open) -> None:
    bench = opened()
    bench.reach(Phase.CHARGING)
    bench.end()
    assert bench.record.last(BSD.name) is not None
    assert bench.record.last(CSD.name) is not None
    assert (bench.signal("k3k4_closed"), bench.signal("lock_engaged")) == (0.0, 0.0)
    bench.replug()
    bench.start()
    begin = bench.now
    ccs = bench.reach(Phase.CHARGING)
    assert bench.matching(CHM, after=begin)
    assert bench.signal("output_current") > 90.0, "the demand is there again"
    assert ccs.charging_time == 0


def test_a_plan_acts_on_the_message_it_names(opened: Open) -> None:
    bench = opened()
    bench.on(nth(10, CCS), stop_charging("soc_reached"), name="stop")
    bench.on(first(CSD), silence(BSD), name="quiet")
    bench.on(at_signal("k3k4_closed", 0, 0), stimulate("plugged", 0), name="pull")
    bench.reach(Phase.CHARGING)
    bench.let(s(10))
    tenth = bench.matching(CCS)[9].t
    assert bench.fired("stop").t == tenth
    assert tenth < bench.matching(BST)[0].t <= tenth + ms(15)
    assert bench.fired("pull").t == max(t for t, closed in bench.changes("k3k4_closed") if not closed)
    assert bench.unfired() == []


def test_a_wait_counts_for_as_long_as_it_lasts(opened: Open) -> None:
    """CCS comes every 50 ms: so many take 12.5 s."""
    bench = opened()
    bench.reach(Phase.CHARGING)
    begin = bench.now
    assert bench.wait(nth(250, CCS), s(13))
    assert len(bench.matching(CCS, after=begin)) == 250


def test_a_link_fault_is_put_on_and_its_firing_is_on_record(opened: Open) -> None:
    bench = opened()
    bench.reach(Phase.CHARGING)
    begin = bench.now
    bench.do(disturb(Drop(name="lost", sender="vehicle", id=BCL.can_id or 0, id_mask=0x1FFFFFFF, count=30)))
    bench.let(s(3))
    assert bench.record.fired("fault_fired", "lost")
    assert next(each.bcl for each in bench.matching(CEM, after=begin)) == 1


def test_an_impatient_vehicle_reports_what_it_misses(opened: Open) -> None:
    def stays(spec: ChargerSpec) -> ChargerSpec:
        return spec.wired("CCS", limit=20)

    bench = opened(stays)
    bench.do(impatient())
    bench.reach(Phase.CHARGING)
    bench.let(s(3))
    report = bench.matching(BEM)[0]
    assert report.ccs == 1
    last = bench.record.last_before(CCS.name, report.t)
    assert last is not None
    assert s(1) <= report.t - last.t <= s(1) + ms(2)
    bench.let(s(5))
    assert [each for each in bench.matching(CRM, after=report.t) if each.result == 0], "and the charger begins anew"


def test_a_port_that_overflows_is_the_benchs_own_trouble(opened: Open) -> None:
    bench = opened()
    bench.reach(Phase.CHARGING)
    assert bench.trouble() == ""
    bench.do(*(send_raw(0x18FF0000, bytes(8)) for _ in range(5000)))
    bench.let(ms(1))
    assert "the bench's own port had overflow" in bench.trouble()


def test_closing_brings_the_safe_state_and_monitors_do_not_see_it() -> None:
    readings = resolve({})
    bench = Bench(
        build(Setup(seed=3)), edition("2015"), Judge(), readings, monitors=MonitorSet(edition="2015", readings=readings)
    )
    bench.reach(Phase.CHARGING)
    assert bench.signal("output_current") > 90.0
    ended = bench.now
    bench.close()
    assert bench.now == ended
    levels = {
        name: bench.record.value(name) for name in ("output_current", "k1k2_closed", "k5k6_closed", "k3k4_closed")
    }
    assert set(levels.values()) == {0.0}
    assert bench.findings() == []
    assert isinstance(bench.record.observations[-1], Note)
    assert any(isinstance(each, Sample) and each.t > ended for each in bench.record.observations)
    bench.close()
    with pytest.raises(WorldError, match="closed"):
        bench.let(s(1))


def test_only_a_fresh_bench_takes_another_world(opened: Open) -> None:
    bench = opened()
    other: VirtualWorld = build(Setup(seed=4))
    bench.adopt(other)
    bench.reach(Phase.HANDSHAKE)
    with pytest.raises(UsageError, match="its world cannot be exchanged any more"):
        bench.adopt(build(Setup(seed=5)))
