"""What is made of the frames that a CAN port heard, and listening itself on a bus of this process."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import can
import pytest

from hil.rig.ports import CanPortSettings
from hil.transport.probe_can import Listened, bitrate_told, listen, probes_of
from hil.units import SECOND, ms, s

PORT = CanPortSettings("can0", "socketcan", "can0", 250_000, clock="kernel", uncertainty=ms(0.5))
HEARD = Listened(frames=300, bits=37_500, senders=Counter(charger=200, vehicle=100), delays=[0.001, 0.0011, 0.0012])


def states(heard: Listened, configured: int | None = None) -> dict[str, tuple[str, str]]:
    return {each.what: (each.state, each.told) for each in probes_of(heard, s(3), PORT, configured)}


def test_a_bus_that_lives() -> None:
    told = states(HEARD)
    assert told["bus"] == ("ok", "100 frames a second (200 by charger, 100 by vehicle)")
    assert told["bit rate"] == ("ok", "250000 bit/s is plausible: frames come whole, 5% of it in use")
    assert told["clock"] == (
        "ok",
        "read 1.000 ms after the stamp at best, jitter 0.200 ms over 3 frames; declared: kernel clock, 500 us",
    )


def test_silence_is_no_fault_and_nothing_is_measured() -> None:
    told = states(Listened())
    assert {state for state, _ in told.values()} == {"quiet"}
    assert told["bus"][1] == "no frame in 3 s; a charger is silent until it is plugged and started"


def test_only_error_frames_are_another_bit_rate() -> None:
    told = states(Listened(errors=40))
    assert told["bus"] == ("fault", "40 error frames and no other in 3 s")
    assert told["bit rate"][0] == "fault"
    assert states(replace(HEARD, errors=2))["bus"][0] == "fault"


def test_the_kernel_knows_the_bit_rate() -> None:
    assert states(HEARD, 125_000)["bit rate"] == ("fault", "the interface runs at 125000 bit/s, the rig says 250000")
    assert states(Listened(), 250_000)["bit rate"][0] == "ok"
    shown = '[{"ifname":"can0","linkinfo":{"info_kind":"can","info_data":{"bittiming":{"bitrate":125000}}}}]'
    assert bitrate_told(shown) == 125_000
    for none in ("", "[]", "{}", '[{"linkinfo":{"info_kind":"vcan"}}]', "[1]"):
        assert bitrate_told(none) is None


def test_an_interface_without_a_bit_rate_is_not_asked_about_it() -> None:
    port = replace(PORT, interface="udp_multicast", channel="239.74.163.2")
    assert [each.what for each in probes_of(Listened(), s(3), port, None)] == ["bus", "clock"]


def test_more_than_a_bus_can_carry_is_not_that_bit_rate() -> None:
    assert states(replace(HEARD, bits=900_000))["bit rate"] == (
        "fault",
        "120% of what 250000 bit/s can carry was heard",
    )


def test_stamps_of_the_future_are_a_fault() -> None:
    state, told = states(replace(HEARD, delays=[-0.010, -0.009]))["clock"]
    assert (state, told.partition(";")[0]) == ("fault", "stamps are 10.000 ms ahead of this machine's clock")


def test_frames_without_stamps_belie_a_kernel_clock() -> None:
    assert states(Listened(frames=2, unstamped=2))["clock"][0] == "fault"


def test_an_adapter_may_count_from_its_own_start() -> None:
    state, told = states(replace(HEARD, own_clock=True))["clock"]
    assert state == "ok"
    assert told.startswith("stamped by a clock of the adapter's own, jitter 0.200 ms")


class Bus:
    """Gives frames as they are due by a clock of its own, then nothing."""

    def __init__(self, messages: list[can.Message]) -> None:
        self.now = 0
        self._messages = messages

    def clock(self) -> int:
        return self.now

    def recv(self, timeout: float) -> can.Message | None:
        if self._messages:
            self.now += ms(10)
            return self._messages.pop(0)
        self.now += round(timeout * SECOND)
        return None


def test_what_comes_within_the_time_is_counted() -> None:
    charger = can.Message(arbitration_id=0x1801F456, data=bytes(8), timestamp=1000 * 365 * 24 * 3600.0)
    vehicle = can.Message(arbitration_id=0x182756F4, data=bytes(2), timestamp=0)
    error = can.Message(is_error_frame=True)
    plain = can.Message(arbitration_id=0x123, is_extended_id=False, data=b"", timestamp=5.0)
    bus = Bus([charger, charger, vehicle, error, plain])
    heard = listen(bus, s(1), bus.clock, lambda: 1000 * 365 * 24 * 3600 * SECOND + ms(2))  # type: ignore[arg-type]  # what a bus does
    assert (heard.frames, heard.errors, heard.unstamped) == (4, 1, 1)
    assert heard.senders == {"charger": 2, "vehicle": 1, "11-bit frames": 1}
    assert heard.delays[:2] == pytest.approx([0.002, 0.002], abs=1e-4)
    assert heard.own_clock, "a stamp of 5 s is not of 1970"
    assert bus.now == s(1)
