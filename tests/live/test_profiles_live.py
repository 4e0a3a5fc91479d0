"""AC profiles on real ports: written ones, on the real clock, against the served charger, inside the rig's envelope."""

from __future__ import annotations

from hil.evidence.trace import read_stream
from hil.plant.ac_signals import limit_of
from hil.profile.ac.files import save
from hil.profile.ac.model import AcProfile, AcSegment
from hil.units import SECOND
from hil.world.observation import BytesSeen, Note, Sample
from tests.live.conftest import Bay

LIMITS = {"max_voltage": 250.0, "max_current": 20.0, "max_power": 13_800.0, "max_duration": 60.0}
TWO_LIMITS = AcProfile(
    name="two limits", segments=(AcSegment(duration=1.0, limit=16.0), AcSegment(duration=1.0, limit=10.0))
)
BEYOND = AcProfile(name="beyond", segments=(AcSegment(duration=1.0, limit=16.0), AcSegment(duration=1.0, limit=25.0)))


def test_a_written_profile_is_replayed_over_modbus_on_the_real_clock(bay: Bay) -> None:
    save(TWO_LIMITS, bay.folder / "profiles" / "two.json")
    with bay.tcp().signals().envelope(**LIMITS).served():
        replayed = bay.hil("profile", "replay", "profiles", "--out", "kept")

    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    head, verdict, count = replayed.stdout.splitlines()
    assert head == "profiles/two.json: 2 s from the authorisation, in real time"
    assert verdict.split() == ["pass", "profiles/two.json", "two", "limits"]
    assert count == "1 profile: 1 pass"
    seen = list(read_stream(bay.folder / "kept" / "traces" / "AP.01-two.jsonl"))
    asked = [(each.t, limit_of(each.what)[1]) for each in seen if isinstance(each, Note) and limit_of(each.what)[0]]
    assert [limit for _, limit in asked] == [16.0, 10.0]
    assert asked[1][0] - asked[0][0] >= SECOND
    assert any(isinstance(each, BytesSeen) and each.port == "tcp0" for each in seen), "written over the port"
    told = [each.value for each in seen if isinstance(each, Sample) and each.name == "cp_duty" and each.t > asked[1][0]]
    assert 10 in [round(duty * 0.6) for duty in told], "the charger has told the vehicle the last limit, in A"
    assert (bay.folder / "kept" / "two.svg").exists()


def test_a_live_rig_replays_nothing_beyond_its_envelope_and_makes_nothing_small(bay: Bay) -> None:
    save(TWO_LIMITS, bay.folder / "profiles" / "two.json")
    save(BEYOND, bay.folder / "profiles" / "beyond.json")
    bay.tcp().signals().envelope(**LIMITS)  # nobody is at the other end: none of this comes so far

    refused = bay.hil("profile", "replay", "profiles", "--out", "kept")
    shrunk = bay.hil("profile", "shrink", "profiles/beyond.json")

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "'beyond' leaves the envelope 1 s after the authorisation: current 25 A, allowed is 20 A" in refused.stderr
    assert shrunk.returncode == 2
    assert "rig bay has a real charger: it only replays profiles that were written before" in shrunk.stderr
    assert not (bay.folder / "kept").exists()
