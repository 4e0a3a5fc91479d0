"""``hil profile`` and rigs with a real charger: written profiles only, and none beyond the envelope."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.tester.gbt27930 import VEHICLES

RIG = """
schema = 1
name = "bay 3"
kind = "live"

[dut]
name = "charger of bay 3"

[ports.can0]
type = "can"
interface = "udp_multicast"
channel = "239.74.163.77"

[ports.io]
type = "signals"
url = "tcp://127.0.0.1:{port}"

[roles]
can = "can0"
signals = "io"
"""
ENVELOPE = """
[envelope]
max_voltage = 500.0
max_current = 150.0
max_power = 40000.0
max_duration = 60.0
interlocks = ["door"]
"""
CHECKED = "--interlocks-checked"
HEAD = '{"format": "hil-load-profile", "version": 1, "name": "%s", "segments": [%s]}'


def segment(amperes: float, seconds: float, events: str = "[]") -> str:
    return f'{{"duration_s": {seconds}, "current_a": {amperes}, "voltage_v": 394.2, "events": {events}}}'


def write(folder: Path, name: str, *segments: str) -> str:
    (folder / f"{name}.json").write_text(HEAD % (name, ", ".join(segments)), "utf-8")
    return f"{name}.json"


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture
def rig(shell: Any) -> str:
    """A live rig with an envelope. Nobody is at its other end."""
    (shell.path / "bay.toml").write_text(RIG.format(port=free_port()) + ENVELOPE, "utf-8")
    return "bay.toml"


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ((160.0, 5.0), "leaves the envelope 2 s after the first CCS: current 160 A, allowed is 150 A"),
        ((120.0, 5.0), "leaves the envelope 2 s after the first CCS: power 47304 W, allowed is 40000 W"),
        ((50.0, 90.0), "leaves the envelope 60 s after the first CCS: duration 92 s, allowed is 60 s"),
    ],
)
def test_a_set_with_one_profile_beyond_the_envelope_is_refused_whole(
    shell: Any, rig: str, last: tuple[float, float], told: str
) -> None:
    good = write(shell.path, "good", segment(50.0, 3.0))
    bad = write(shell.path, "bad", segment(50.0, 2.0), segment(*last))

    refused = shell.hil("profile", "replay", good, bad, "--rig", rig, "--out", "kept")

    assert refused.returncode == 2
    assert f"profile 'bad' {told}" in refused.stderr
    assert "in real time" not in refused.stdout, "the good one was not started either"
    assert not (shell.path / "kept").exists()


def test_a_live_rig_whose_interlocks_nobody_answers_for_is_refused(shell: Any, rig: str) -> None:
    refused = shell.hil("profile", "replay", write(shell.path, "good", segment(50.0, 3.0)), "--rig", rig)
    assert refused.returncode == 2
    assert "rig bay 3 has interlocks that no signal tells of: door; check by hand and give" in refused.stderr


def test_a_limit_given_narrows_the_envelope_and_never_widens_it(shell: Any, rig: str) -> None:
    profile = write(shell.path, "one", segment(100.0, 2.0))
    narrower = shell.hil("profile", "replay", profile, "--rig", rig, "--max-current", "80")
    assert "current 100 A, allowed is 80 A" in narrower.stderr

    profile = write(shell.path, "two", segment(160.0, 2.0))
    wider = shell.hil("profile", "replay", profile, "--rig", rig, "--max-current", "300")
    assert "current 160 A, allowed is 150 A" in wider.stderr


TRUCK = '{"format": "hil-load-profile", "version": 1, "name": "truck", "vehicle": "%s", "segments": [%s]}'


def test_a_vehicle_that_allows_more_than_the_envelope_is_refused(shell: Any, rig: str) -> None:
    (shell.path / "truck.json").write_text(TRUCK % ("truck-lfp-800v", segment(1.0, 2.0)), "utf-8")

    refused = shell.hil("profile", "replay", "truck.json", "--rig", rig)

    assert refused.returncode == 2
    assert "BHM and BCP of vehicle truck-lfp-800v allow 876 V, allowed is 500 V" in refused.stderr


def test_a_profile_for_another_battery_than_the_rig_s_is_refused(shell: Any, rig: str) -> None:
    text = (shell.path / rig).read_text("utf-8").replace("500.0", "1000.0")
    (shell.path / rig).write_text(text + '[plant]\nsource = "hardware"\n', "utf-8")
    (shell.path / "truck.json").write_text(TRUCK % ("truck-lfp-800v", segment(1.0, 2.0)), "utf-8")

    refused = shell.hil("profile", "replay", "truck.json", "--rig", rig)

    assert refused.returncode == 2
    assert "is made for vehicle truck-lfp-800v, and the battery of rig bay 3 is that of car-400v" in refused.stderr


@pytest.mark.parametrize(
    "words", [("shrink", "one.json"), ("search", "corpus", "--for", "overshoot", "--minutes", "0.01")]
)
def test_nothing_is_generated_or_made_small_on_a_live_rig(shell: Any, rig: str, words: tuple[str, ...]) -> None:
    write(shell.path, "one", segment(100.0, 2.0))

    refused = shell.hil("profile", *words, "--rig", rig)

    assert refused.returncode == 2
    assert "rig bay 3 has a real charger: it only replays profiles that were written before" in refused.stderr
    assert not (shell.path / "corpus").exists()


def test_what_is_done_to_a_model_cannot_be_done_to_a_real_plant(shell: Any, rig: str) -> None:
    (shell.path / rig).write_text((shell.path / rig).read_text("utf-8") + '[plant]\nsource = "hardware"\n', "utf-8")
    profile = write(shell.path, "cc1", segment(50.0, 3.0, '[{"at_s": 1, "do": "cc1", "broken": true}]'))

    refused = shell.hil("profile", "replay", profile, "--rig", rig)

    assert refused.returncode == 2
    assert "profile 'cc1', segments[0].events[0]: cc1 is done to the bench's model of the plant" in refused.stderr


def test_a_rig_without_the_charger_s_can_is_refused_with_the_reason(shell: Any) -> None:
    profile = write(shell.path, "one", segment(50.0, 3.0))

    refused = shell.hil("profile", "replay", profile, "--rig", "modbus-wallbox")

    assert refused.returncode == 2
    assert "has no port" in refused.stderr


# --- a charger in another process -----------------------------------------------------------------


@pytest.fixture
def served(shell: Any, rig: str) -> Iterator[str]:
    """The reference charger at the other end of the rig's ports."""
    command = [sys.executable, "-u", "-m", "hil.cli", "serve", "--rig", rig]
    with subprocess.Popen(command, cwd=shell.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as peer:
        try:
            assert peer.stdout is not None
            told = []
            for line in peer.stdout:
                told.append(line)
                if "ready" in line:
                    break
            else:
                pytest.skip(f"no multicast here: {''.join(told)}")
            yield rig
        finally:
            peer.terminate()


def test_a_written_profile_is_replayed_against_a_charger_in_another_process(shell: Any, served: str) -> None:
    events = '[{"at_s": 1, "do": "pause", "for_s": 0.5}]'
    profile = write(shell.path, "short", segment(60.0, 2.0, events))

    replayed = shell.hil("profile", "replay", profile, "--rig", served, "--out", "kept", CHECKED)

    assert replayed.returncode in (0, 1), replayed.stderr  # 1: a charger on a busy machine is late, which is its own
    assert "short.json: 2 s from the first CCS, in real time" in replayed.stdout
    for case in ("LP.01", "LP.02", "LP.07", "LP.11", "LP.15"):
        assert f"{case}  pass" in replayed.stdout, replayed.stdout
    assert (shell.path / "kept" / "short.svg").exists()
    assert (shell.path / "kept" / "traces" / "LP.20-short.log").stat().st_size > 1000


def test_a_live_vehicle_is_the_one_of_the_profile(shell: Any, served: str) -> None:
    text = (shell.path / served).read_text("utf-8").replace("max_voltage = 500.0", "max_voltage = 900.0")
    (shell.path / served).write_text(text, "utf-8")
    (shell.path / "truck.json").write_text(
        TRUCK.replace('"segments"', '"soc_percent": 42, "segments"')
        % ("truck-lfp-600v", segment(20.0, 1.0).replace("394.2", "600.0")),
        "utf-8",
    )

    replayed = shell.hil("profile", "replay", "truck.json", "--rig", served, "--out", "kept", CHECKED)

    assert "in real time" in replayed.stdout, replayed.stderr
    stream = (shell.path / "kept" / "traces" / "LP.20-truck.log").read_text("utf-8")
    most = round(VEHICLES["truck-lfp-600v"].max_total_voltage * 10)
    bhm = f"182756F4#{most & 0xFF:02X}{most >> 8:02X}"
    assert bhm in stream, "BHM tells the profile's vehicle"
