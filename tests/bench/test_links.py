"""What becomes of a case on real ports when a clock is set, an echo stays away, or a port goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.bench import live
from hil.bench.judge import Judge
from hil.bench.links import LinkLostError
from hil.bench.live import LiveBenchWorld, LiveSetup
from hil.bench.setup import Setup
from hil.conformance.register import resolve
from hil.rig.ports import CanPortSettings
from hil.units import ms, s
from hil.world.observation import Note, Observation
from hil.world.plan import Advance, Close, Command, OnNote, Reply

UNSURE = ms(0.5)
PORT = CanPortSettings("can0", "virtual", "nobody", 250_000, clock="kernel", uncertainty=UNSURE)


class FarWorld:
    """Answers a wait by what it was given to tell: it ends at the first note that the wait has a trigger for."""

    def __init__(self) -> None:
        self.now = 0
        self.tells: list[Observation] = []
        self.closed = False

    def execute(self, command: Command) -> Reply:
        stopped: int | None = None
        told, self.tells = self.tells, []
        if isinstance(command, Advance):
            waited = [(each.kind, each.what) for each in command.stop_on if isinstance(each, OnNote)]
            hits = [note for note in told if isinstance(note, Note) and (note.kind, note.what) in waited]
            stopped = waited.index((hits[0].kind, hits[0].what)) if hits else None
            self.now = hits[0].t if hits else command.until
        self.closed = self.closed or isinstance(command, Close)
        return Reply(self.now, stopped, told)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> FarWorld:
    made = FarWorld()
    monkeypatch.setattr(live, "LiveProcess", lambda build, check: made)
    return made


@pytest.fixture
def judge() -> Judge:
    return Judge()


@pytest.fixture
def world(far: FarWorld, judge: Judge) -> LiveBenchWorld:
    return LiveBenchWorld(LiveSetup("gbt27930", Setup(readings=resolve({}, None)), {"can": PORT}, {}), judge)


Told = Callable[[Note], None]


@pytest.fixture
def told(far: FarWorld, world: LiveBenchWorld) -> Told:
    """Something that the world tells with its next answer."""

    def tell(note: Note) -> None:
        far.tells.append(note)
        world.execute(Advance(world.now + s(1)))

    return tell


def test_a_clock_that_was_set_makes_what_is_measured_from_then_on_as_unsure(
    world: LiveBenchWorld, judge: Judge, told: Told
) -> None:
    assert (judge.stamps, judge.signals, world.links.causes) == (UNSURE, UNSURE, "")
    told(Note(s(3), "clock_step", "can0", {"by_s": -0.25}))
    told(Note(s(4), "clock_step", "can0", {"by_s": 0.5}))
    assert judge.stamps == judge.signals == UNSURE + ms(750)
    assert world.links.causes == (
        "the clock that stamps port can0 was set by -0.25 s at 3.000000 s; "
        "the clock that stamps port can0 was set by +0.5 s at 4.000000 s"
    )
    assert not world.links.lost


def _missing(sent: int, *, shown: bool) -> Note:
    return Note(sent + ms(500), "no_echo", "can0", {"frame": "1826F456#01", "sent_s": sent / 1e9, "shown": shown})


def test_a_frame_that_the_driver_did_not_show_was_sent_nobody_knows_when(
    world: LiveBenchWorld, judge: Judge, told: Told
) -> None:
    told(_missing(s(5), shown=True))
    assert judge.unsure(s(5)) > s(1000)
    assert judge.unsure(s(5) + s(1)) == UNSURE, "others were shown"
    assert "never showed the bench's own frame 1826F456#01 of 5.000000 s" in world.links.causes
    assert not world.links.mute


def test_a_driver_that_shows_no_frame_at_all_leaves_the_case_open_until_it_does(
    world: LiveBenchWorld, told: Told
) -> None:
    told(_missing(s(5), shown=False))
    assert world.links.mute.startswith("port can0 showed no frame that the bench sent")
    told(Note(s(9), "echoes", "can0"))
    assert not world.links.mute


@pytest.mark.parametrize(
    ("note", "cause"),
    [
        (Note(s(7), "port_lost", "can0", {"why": "unplugged"}), "port can0 was lost at 7.000000 s: unplugged"),
        (
            Note(s(7), "signals", "lost", {"why": "silent"}),
            "the box on the signals port was lost at 7.000000 s: silent",
        ),
    ],
)
def test_a_port_that_goes_ends_the_wait_and_then_only_closing_is_left(
    far: FarWorld, world: LiveBenchWorld, note: Note, cause: str
) -> None:
    far.tells.append(note)
    reply = world.execute(Advance(s(3600), (OnNote("never", "comes"),)))
    assert (reply.now, reply.stopped_by, reply.observations) == (s(7), None, [note])
    with pytest.raises(LinkLostError, match=cause):
        world.execute(Advance(s(3600)))
    world.execute(Close())
    assert far.closed


def test_what_a_case_waits_for_comes_before_the_end_of_a_port(far: FarWorld, world: LiveBenchWorld) -> None:
    lost = OnNote("port_lost", "can0")
    far.tells.append(Note(s(7), "port_lost", "can0", {"why": "unplugged"}))
    assert world.execute(Advance(s(3600), (OnNote("never", "comes"), lost))).stopped_by == 1


def test_a_port_that_goes_when_all_is_over_is_nothing_to_the_case(far: FarWorld, world: LiveBenchWorld) -> None:
    far.tells.append(Note(s(7), "port_lost", "can0", {"why": "switched off"}))
    world.execute(Close())
    assert not world.links.lost


def test_a_port_that_goes_before_the_case_begins_is_told(far: FarWorld, judge: Judge) -> None:
    far.tells.append(Note(ms(5), "port_lost", "can0", {"why": "unplugged"}))
    seen: list[Observation] = []
    with pytest.raises(LinkLostError, match="port can0 was lost"):
        LiveBenchWorld(LiveSetup("gbt27930", Setup(readings=resolve({}, None)), {"can": PORT}, {}), judge, seen.extend)
    assert [each.kind for each in seen if isinstance(each, Note)] == ["port_lost"]
    assert far.closed
