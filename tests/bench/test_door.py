"""Channels that bring a world of their own, and the door of a bench."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import can
import pytest

from hil.bench.actions import first
from hil.bench.bench import Bench
from hil.bench.door import HilBus, open_door
from hil.bench.judge import Judge
from hil.bench.phases import Phase
from hil.bench.setup import Setup, build
from hil.conformance.register import resolve
from hil.errors import UsageError
from hil.evidence.trace import TraceWriter, read_stream
from hil.protocol.gbt27930 import BCL, BHM, BRO, BSD, CCS, CEM, CRM, edition
from hil.units import ms, s
from hil.world.observation import FrameSeen, Note, Observation
from hil.world.plan import Do, Stimulate
from tests.bench.conftest import Replay

GUARD = 30.0
"""s after which a test that hangs fails."""
LISTEN = "gbt27930?bms=stand-in"


def frames(bus: HilBus, until: float) -> list[tuple[float, int, bytes]]:
    """What is received up to an instant."""
    got = []
    while bus.now < until:
        one = bus.recv(until - bus.now)
        if one is not None:
            got.append((one.timestamp, one.arbitration_id, bytes(one.data)))
    return got


# --- channels ---------------------------------------------------------------------------------------


def test_a_channel_is_one_world_for_its_guests_and_ends_with_the_last() -> None:
    with HilBus("gbt27930") as first_guest, HilBus("gbt27930") as second:
        assert first_guest.recv(2.0) is not None
        assert second.now == first_guest.now
        with HilBus("gbt27930#other") as apart:
            assert apart.now == 0
    with HilBus("gbt27930") as again:
        assert again.now == 0


def test_equal_channels_tell_the_same() -> None:
    def once() -> list[tuple[float, int, bytes]]:
        with HilBus(LISTEN) as bus:
            return frames(bus, 15)

    told = once()
    assert {identifier for _, identifier, _ in told} >= {BCL.can_id, CCS.can_id}
    assert once() == told


@pytest.mark.parametrize(("fault", "after"), [("", 5.0), ("&fault=no-brm-late", 6.0), ("&fault=no-brm-never", None)])
def test_a_seeded_fault_shows(fault: str, after: float | None) -> None:
    with HilBus(f"gbt27930?seed=1{fault}") as bus:
        frames(bus, 2)
        say(bus, BHM.can_id, b"\x94\x11")
        told = frames(bus, 12)
        asked = next(t for t, identifier, _ in told if identifier == CRM.can_id)
        missed = next((t for t, identifier, _ in told if identifier == CEM.can_id), None)
    assert (None if missed is None else missed - asked) == (None if after is None else pytest.approx(after, abs=0.05))


def test_options_are_those_of_a_setup() -> None:
    with HilBus("gbt27930?soc=80&vehicle=truck-lfp-600v&temperature=5&start=2.5") as bus:
        assert bus.door.sense("soc") == pytest.approx(80)
        assert bus.door.sense("temperature_min") < 5 < bus.door.sense("temperature_max") < 10
        got = bus.recv()
        assert got is not None
        assert got.timestamp > 2.5
    with HilBus("bus?bitrate=500000", bitrate=500_000) as fast:
        assert fast.door.line.bit == 2000


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ("can0", "no channel 'can0': .* made when asked for are bus, gbt27930"),
        ("gbt27930?sock=1", "no option 'sock'; there are bms, vehicle"),
        ("gbt27930?soc=full", "soc"),
        ("gbt27930?soc=101", "101"),
        ("gbt27930?soc=1&soc=2", "'soc' is given twice"),
        ("gbt27930?fault=none-such", "none-such"),
        ("gbt27930?vehicle=none-such", "none-such"),
        ("gbt27930?edition=1999", "1999"),
        ("gbt27930?bms=me", "bms"),
        ("gbt27930?start=-1", "start=-1.0: 0 s or more"),
        ("bus?bitrate=3", "bit rate 3"),
    ],
)
def test_a_channel_that_cannot_be_is_refused(channel: str, said: str) -> None:
    with pytest.raises(can.CanInitializationError, match=said):
        HilBus(channel)


def test_a_bus_that_did_not_come_about_leaves_no_channel() -> None:
    with pytest.raises(can.CanInitializationError, match="has 250000"):
        HilBus("bus#fresh", bitrate=125_000)
    assert {"interface": "hil", "channel": "bus#fresh"} not in can.detect_available_configs("hil")


def test_a_channel_that_was_opened_stays_and_leaves_its_trace(tmp_path: Path) -> None:
    with TraceWriter(tmp_path, "session") as trace:
        with open_door("gbt27930#kept", sink=trace.write):
            with can.Bus(interface="hil", channel="gbt27930#kept", node="mine") as bus:
                assert bus.recv(2.0) is not None
            with can.Bus(interface="hil", channel="gbt27930#kept", pace="wall") as bus:
                assert bus.recv(0) is None
            with pytest.raises(UsageError, match="open already"):
                open_door("gbt27930#kept")
        seen = list(read_stream(trace.stream_path))
    told = [(each.kind, each.what) for each in seen if isinstance(each, Note) and each.kind in ("guest", "paced")]
    assert told == [
        ("guest", "mine joined can0"),
        ("guest", "mine left can0"),
        ("paced", "by the wall clock, not deterministic"),
        ("guest", "guest-2 joined can0"),
        ("guest", "guest-2 left can0"),
    ]
    assert [each.sender for each in seen if isinstance(each, FrameSeen)] == ["charger"]
    assert isinstance(seen[-1], Note)
    assert seen[-1].kind == "closed"


# --- a vehicle's contactors -------------------------------------------------------------------------


def closed(bus: HilBus, span: float = 0.1) -> float:
    frames(bus, bus.now + span)
    return bus.door.sense("k5k6_closed")


def say(bus: HilBus, identifier: int | None, data: bytes) -> None:
    assert identifier is not None
    bus.send(can.Message(arbitration_id=identifier, data=data))


@pytest.fixture
def supplied() -> Iterator[HilBus]:
    """A program at a charger that has switched the auxiliary supply on."""
    with HilBus("gbt27930?soc=50") as bus:
        frames(bus, 1.5)
        assert bus.door.sense("aux_voltage") == 12
        yield bus


def test_the_contactors_follow_what_the_bms_says(supplied: HilBus) -> None:
    assert closed(supplied) == 0
    say(supplied, BRO.can_id, b"\0")
    assert closed(supplied) == 1
    say(supplied, BSD.can_id, bytes(7))
    assert closed(supplied) == 0


def test_the_contactors_stay_open_without_their_supply() -> None:
    with HilBus("gbt27930?start=5") as bus:
        say(bus, BRO.can_id, b"\0")
        assert closed(bus) == 0


def test_the_contactors_heed_nobody_else(supplied: HilBus) -> None:
    assert BRO.can_id is not None
    say(supplied, BRO.can_id ^ 0x01, b"\0")
    assert closed(supplied) == 0


def test_the_contactors_drop_out_without_their_supply(supplied: HilBus) -> None:
    say(supplied, BRO.can_id, b"\0")
    assert closed(supplied) == 1
    supplied.door.execute(Do((Stimulate("plugged", 0),)))
    assert closed(supplied) == 0


# --- a bench's door ---------------------------------------------------------------------------------


@pytest.fixture
def kept() -> list[Observation]:
    return []


@pytest.fixture
def bench(kept: list[Observation]) -> Iterator[Bench]:
    bench = Bench(build(Setup(seed=3)), edition("2015"), Judge(), resolve({}), kept.extend)
    yield bench
    bench.close()


def test_a_guest_hears_what_the_bench_brings_about(bench: Bench) -> None:
    bench.open_door("under-test")
    with can.Bus(interface="hil", channel="under-test") as bus:
        bench.reach(Phase.CHARGING)
        heard = []
        while (got := bus.recv(0)) is not None:
            heard.append((got.arbitration_id, bytes(got.data)))
    seen = [(each.id, each.data) for each in bench.record.observations if isinstance(each, FrameSeen)]
    assert heard == seen


def test_time_that_a_guest_waits_passes_for_the_bench(bench: Bench, kept: list[Observation]) -> None:
    bench.open_door("under-test")
    with can.Bus(interface="hil", channel="under-test") as bus:
        bench.plug_in()
        bench.start()
        got = bus.recv(5.0)
        assert got is not None
        assert bench.now == round(got.timestamp * 1e9)
        frame = [each for each in kept if isinstance(each, FrameSeen)][-1]
        assert (frame.t, frame.id) == (bench.now, got.arbitration_id), "it is on record at once"


def test_what_a_guest_sends_is_judged_like_any_frame(bench: Bench) -> None:
    bench.open_door("under-test")
    with can.Bus(interface="hil", channel="under-test", receive_own_messages=True, node="sniffer") as bus:
        bus.send(can.Message(arbitration_id=0x123, is_extended_id=False, data=b"\1"))
        bench.let(s(1))
        own = bus.recv(0)
        assert own is not None
        assert own.arbitration_id == 0x123
    senders = [each.sender for each in bench.record.observations if isinstance(each, FrameSeen) and each.id == 0x123]
    assert senders == ["sniffer"]
    told = [each.what for each in bench.record.notes if each.kind == "guest"]
    assert told == ["sniffer joined can0"]


@pytest.fixture
def untouched() -> list[Observation]:
    """What the bench's session tells without a guest."""
    kept: list[Observation] = []
    bench = Bench(build(Setup(seed=3)), edition("2015"), Judge(), resolve({}), kept.extend)
    bench.reach(Phase.CHARGING)
    bench.until(s(20))
    return kept


def test_a_listening_guest_changes_nothing(bench: Bench, kept: list[Observation], untouched: list[Observation]) -> None:
    with HilBus(bench.open_door("quiet")) as bus:
        bench.reach(Phase.CHARGING)
        assert bus.recv(0) is not None
    bench.until(s(20))
    assert [each for each in kept if not (isinstance(each, Note) and each.kind == "guest")] == untouched


def test_a_stimulus_of_the_bench_comes_about_while_a_guest_waits(bench: Bench) -> None:
    with HilBus(bench.open_door("under-test")) as bus:
        bench.reach(Phase.CHARGING)
        name = bench.on(first(CCS), delay=ms(1))
        assert bus.recv(0.2) is not None
        frames(bus, bus.now + 0.2)
        assert bench.fired(name).kind == "stimulus"


def test_a_door_ends_with_its_bench(bench: Bench) -> None:
    bench.open_door("under-test")
    bus = can.Bus(interface="hil", channel="under-test")
    bench.close()
    with pytest.raises(can.CanOperationError, match="closed"):
        bus.recv(1.0)
    bus.shutdown()
    with pytest.raises(can.CanInitializationError, match="no channel 'under-test'"):
        can.Bus(interface="hil", channel="under-test")


def test_only_the_thread_of_a_bench_may_use_its_door(bench: Bench) -> None:
    told: list[Exception] = []

    def elsewhere() -> None:
        try:
            HilBus(door)
        except can.CanError as error:
            told.append(error)

    door = bench.open_door("under-test")
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(GUARD)
    assert "belongs to a bench" in str(told[0])
    with pytest.raises(can.CanInitializationError, match="no wall clock"):
        can.Bus(interface="hil", channel="under-test", pace="wall")


def test_a_bench_has_one_door(bench: Bench) -> None:
    bench.open_door("under-test")
    with pytest.raises(UsageError, match="has a door already: channel 'under-test'"):
        bench.open_door("another")


def test_two_benches_need_two_names(bench: Bench) -> None:
    bench.open_door("under-test")
    other = Bench(build(Setup()), edition("2015"), Judge(), resolve({}))
    with pytest.raises(UsageError, match="open already"):
        other.open_door("under-test")
    other.open_door("other")
    other.close()


def test_a_world_elsewhere_has_no_door() -> None:
    bench = Bench(Replay([]), edition("2015"), Judge(), resolve({}))
    with pytest.raises(UsageError, match="virtual world in this process"):
        bench.open_door()
