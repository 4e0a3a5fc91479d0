"""The reference AC charger: its course through the states, its control surface, its fronts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.dut.ac import AcCharger, reference
from hil.dut.ac.control import Control
from hil.dut.ac.spec import MODELS, AcSpec
from hil.errors import UsageError
from hil.plant.ac import AcPlant
from hil.protocol.table import Row
from hil.units import Instant, ms, s
from hil.world.bytenode import Send, Wish

Make = Callable[..., Any]


def charging(on_plant: Make, spec: AcSpec | None = None, **fronts: Any) -> Any:
    point = on_plant(spec, **fronts).do(plugged=1).s2(False).let(s(1)).s2(True).let(s(2))
    assert point.charger.mode3 == "C2"
    return point


def test_a_session_by_its_names(on_plant: Make) -> None:
    point = on_plant().s2(False).let(s(1))
    seen = [point.charger.mode3]

    def step(**stimuli: float) -> None:
        point.do(**stimuli).let(s(2))
        seen.append(point.charger.mode3)

    step(plugged=1)
    step(s2_stuck=1)
    step(limit_set=0)
    step(s2_stuck=2)
    step(limit_set=16)
    step(plugged=0)
    assert seen == ["A", "B2", "C2", "C1", "B1", "B2", "A"]


@pytest.mark.parametrize(("leak", "value"), [("leak_dc", 6.0), ("leak_ac", 30.0)])
def test_a_trip_shows_f_then_waits_for_the_vehicle_to_go(on_plant: Make, leak: str, value: float) -> None:
    point = charging(on_plant).do(**{leak: value}).let(s(3))
    assert (point.charger.mode3, point["cp_high"]) == ("F", -12.0)
    assert point.charger.fault.startswith("dc" if leak == "leak_dc" else "ac")
    point.do(**{leak: 0}).let(s(10))
    assert (point.charger.mode3, point["contactor_closed"]) == ("C1", 0.0)
    assert point["lock_engaged"] == 0.0, "unlocked some time after the fault (sheet 4)"
    point.do(plugged=0).let(s(1))
    assert (point.charger.mode3, point.charger.fault) == ("A", "")


def test_by_gbt_a_fault_shows_as_steady_12_v(on_plant: Make) -> None:
    point = charging(on_plant, reference({"pilot-standard": "gbt18487"})).do(leak_dc=200.0).let(s(1))
    assert (point["cp_high"] > 0, point["cp_frequency"], point["contactor_closed"]) == (True, 0.0, 0.0)


def test_a_vehicle_that_goes_during_a_fault_is_gone_afterwards(on_plant: Make) -> None:
    point = charging(on_plant, reference({"pilot-standard": "gbt18487"})).do(leak_dc=200.0).let(s(1))
    point.do(leak_dc=0, plugged=0).let(s(8)).s2(False).do(plugged=1).let(s(1))
    assert (point.charger.mode3, point.charger.fault) == ("B2", "")


@pytest.mark.parametrize("asks", [True, False])
def test_a_vehicle_that_is_back_before_the_pwm_has_ended_is_served(on_plant: Make, asks: bool) -> None:
    point = charging(on_plant).do(plugged=0).let(ms(200)).s2(asks).do(plugged=1).let(s(3))
    assert point.charger.mode3 == ("C2" if asks else "B2")


def test_a_fault_can_be_cleared(on_plant: Make) -> None:
    point = charging(on_plant).do(leak_dc=200.0).let(s(1)).do(leak_dc=0).let(s(8))
    point.ask("clear_fault")
    point.s2(False).let(s(1)).s2(True).let(s(2))
    assert (point.charger.mode3, point.charger.fault) == ("C2", "")


def test_a_shorted_pilot_is_e_and_gone_with_the_short(on_plant: Make) -> None:
    point = charging(on_plant).do(cp_shorted=1).let(s(1))
    assert (point.charger.mode3, point["contactor_closed"]) == ("E", 0.0)
    point.do(cp_shorted=0).let(s(2))
    assert point.charger.mode3 == "C2"


def test_a_stuck_contactor_keeps_it_in_f(on_plant: Make) -> None:
    point = on_plant().let(s(2)).do(contactor_welded=1).let(s(20))
    assert (point.charger.mode3, point.charger.fault) in [("F", "voltage"), ("F", "weld")]
    point.do(contactor_welded=0).let(s(10))
    assert point.charger.mode3 == "A"


def test_a_contactor_that_does_not_close_is_a_fault(on_plant: Make) -> None:
    point = on_plant().do(plugged=1, contactor_stuck=1).s2(False).let(s(1)).s2(True).let(s(2))
    assert (point.charger.mode3, point.charger.fault) == ("F", "contactor")


def test_ventilation_comes_before_the_output(on_plant: Make) -> None:
    point = on_plant(reference(model="ventilated")).do(plugged=1, r2=270.0).s2(False).let(s(1))
    begun = point.now
    point.s2(True).let(s(3))
    assert point.charger.mode3 == "D2"
    (aired,) = [t for t, value in point.since("ventilation_on", begun) if value]
    (closed,) = [t for t, value in point.since("contactor_closed", begun) if value]
    assert aired < closed < s(3)
    point.do(r2=1300.0).let(s(2))
    assert (point.charger.mode3, point["ventilation_on"]) == ("C2", 0.0)


def test_authorisation_may_be_needed_for_every_session(on_plant: Make) -> None:
    point = on_plant(reference().but(needs_authorisation=True)).do(plugged=1).s2(False).let(s(2))
    assert point.charger.mode3 == "B1"
    assert point.do(start_press=1).let(s(1)).charger.mode3 == "B2"
    assert point.do(stop_press=1).let(s(1)).charger.mode3 == "B1"
    point.do(start_press=1).let(s(1)).do(plugged=0).let(s(3)).do(plugged=1).let(s(1))
    assert point.charger.mode3 == "B1"


def test_mains_lost_is_e_and_a_vehicle_in_c_must_show_b_first(on_plant: Make) -> None:
    point = charging(on_plant).do(mains=0).let(s(1))
    assert (point.charger.mode3, point["cp_high"]) == ("E", 0.0)
    point.do(mains=1).let(s(20))
    assert point.charger.mode3 == "C1"
    point.s2(False).let(s(1)).s2(True).let(s(2))
    assert point.charger.mode3 == "C2"


@pytest.mark.parametrize("plugged", [0, 1])
def test_mains_lost_without_a_charge_leaves_nothing(on_plant: Make, plugged: int) -> None:
    point = on_plant().do(plugged=plugged).s2(False).let(s(2)).do(mains=0).let(s(3)).do(mains=1).let(s(3))
    assert point.charger.mode3 == ("B2" if plugged else "A")


# --- control surface ----------------------------------------------------------------------------------


def test_the_applied_current_is_the_least_limit(on_plant: Make) -> None:
    point = charging(on_plant)
    charger = point.charger
    assert (charger.applied_current(point.now), charger.rated_current, charger.cable_current) == (32.0, 32.0, 32.0)
    point.ask("request_current", 16.0)
    assert charger.applied_current(point.now) == 16.0
    point.let(ms(10))
    point.ask("enable", False)
    point.let(s(1))
    assert (charger.mode3, charger.applied_current(point.now)) == ("C1", 0.0)


def test_a_request_counts_for_the_validity_and_a_heartbeat_prolongs_it(on_plant: Make) -> None:
    point = charging(on_plant)
    charger = point.charger
    point.ask("request_current", 20.0)
    assert charger.remaining_validity(point.now) == s(60)
    point.let(s(50))
    assert charger.remaining_validity(point.now) == s(10)
    point.ask("heartbeat")
    point.let(s(59))
    assert charger.applied_current(point.now) == 20.0
    point.let(s(1))
    assert (charger.applied_current(point.now), charger.remaining_validity(point.now)) == (10.0, 0)
    assert point.let(ms(1))["cp_duty"] == pytest.approx(10 / 0.6)
    point.ask("set_safe_current", 8.0)
    point.let(s(1))
    assert point["cp_duty"] == pytest.approx(8 / 0.6)
    point.ask("request_current", 13.0)
    assert point.let(s(1))["cp_duty"] == pytest.approx(13 / 0.6)


def test_another_validity_begins_anew(on_plant: Make) -> None:
    point = charging(on_plant)
    point.ask("set_validity", s(5))
    assert point.let(s(5)).charger.applied_current(point.now) == 10.0


def test_what_it_measures_is_the_plants(on_plant: Make) -> None:
    point = charging(on_plant)
    assert point.charger.measure("output_voltage", point.now) == point["output_voltage"] == 230.0


def test_the_same_feedback_as_the_plant(on_plant: Make) -> None:
    point = charging(on_plant)
    assert (point.charger.output_on, point.charger.locked, point.charger.phases) == (True, True, 3)


@pytest.mark.parametrize("ampere", [-1.0, float("nan"), float("inf")])
def test_no_limit_at_all_is_refused(on_plant: Make, ampere: float) -> None:
    with pytest.raises(UsageError, match="allowed is 0 and more"):
        on_plant().charger.request_current(ampere, 0)


def test_a_device_under_test_takes_no_orders(on_plant: Make) -> None:
    with pytest.raises(UsageError, match="takes no orders"):
        on_plant().charger.order("stop", {}, 0)


# --- fronts -------------------------------------------------------------------------------------------


class Echo:
    """A front that tells every new state, and takes amperes as text."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.lines: tuple[str, ...] = ("console",)
        self.wishes: list[Wish] = []
        self.told = ""
        self.ticks: list[Instant] = []
        self.due: Instant | None = s(3)
        self.heard: list[tuple[str, int]] = []

    def received(self, line: str, channel: int, data: bytes, flaw: str, now: Instant) -> None:
        self.control.request_current(float(data), now)

    def opened(self, line: str, channel: int, now: Instant) -> None:
        self.heard.append(("opened", channel))

    def ended(self, line: str, channel: int, kind: str, now: Instant) -> None:
        self.heard.append((kind, channel))

    def changed(self, now: Instant) -> None:
        if self.control.mode3 != self.told:
            self.told = self.control.mode3
            self.wishes.append(Send("console", self.told.encode()))

    def wake(self, now: Instant) -> None:
        self.ticks.append(now)
        self.due = None

    def next_deadline(self) -> Instant | None:
        return self.due


def test_a_front_stands_on_the_control_surface() -> None:
    plant = AcPlant()
    charger = AcCharger(reference(), plant.sense, [Echo])
    (front,) = charger.fronts
    assert isinstance(front, Echo)
    assert charger.wishes == [Send("console", b"A")]
    charger.signal("cp_high", 8.98, ms(1))
    assert charger.next_deadline() == ms(21), "the debounce"
    charger.wake(ms(21))
    assert charger.wishes[-1] == Send("console", b"B2")
    charger.received("console", 0, b"16", "", ms(30))
    assert charger.applied_current(ms(30)) == 16.0
    assert dict(charger.actuations)["cp_duty_set"] == pytest.approx(16 / 0.6)
    charger.received("elsewhere", 0, b"nonsense", "", ms(40))
    charger.opened("console", 4, ms(50))
    charger.ended("console", 4, "closed", ms(60))
    assert front.heard == [("opened", 4), ("closed", 4)]
    charger.wake(s(3))
    assert front.ticks == [s(3)]


# --- table and spec -----------------------------------------------------------------------------------


WORDS = {
    "plug": ("plugged", 1.0),
    "unplug": ("plugged", 0.0),
    "close": ("s2_stuck", 1.0),
    "open": ("s2_stuck", 2.0),
    "air": ("r2", 270.0),
    "no-air": ("r2", 1300.0),
    "pause": ("limit_set", 0.0),
    "limit": ("limit_set", 16.0),
    "short": ("cp_shorted", 1.0),
    "whole": ("cp_shorted", 0.0),
    "leak": ("leak_dc", 200.0),
    "dry": ("leak_dc", 0.0),
    "dark": ("mains", 0.0),
    "light": ("mains", 1.0),
    "weld": ("contactor_welded", 1.0),
    "stuck": ("contactor_stuck", 1.0),
    "wait": ("cable", 1.0),
}
AIRED, DIGITAL = reference(model="ventilated"), reference(model="digital")
SESSIONS: tuple[tuple[str, AcSpec], ...] = (
    ("plug close open unplug", reference()),
    ("close plug unplug", reference()),
    ("close air plug no-air pause limit unplug", reference()),
    ("pause plug close open unplug", reference()),
    ("pause plug air close limit no-air", reference()),
    ("plug air close no-air air pause wait open", reference()),
    ("plug air close open", reference()),
    ("plug pause", reference()),
    ("plug close pause wait wait wait open", reference()),
    ("plug air close no-air air open unplug", AIRED),
    ("plug air close", AIRED.timing(ventilation_wait=ms(100))),
    ("plug air close/0.4 no-air", AIRED),
    ("plug close", reference().timing(lock_wait=ms(10))),
    ("plug stuck close", reference()),
    ("plug close short whole short open whole short unplug whole", reference()),
    ("plug air close short whole", reference()),
    ("plug close leak dry wait unplug weld wait wait", reference()),
    ("plug close dark light open dark light unplug", reference()),
    ("dark light/0.5 dark short light", reference()),
    ("plug wait wait wait wait wait wait", DIGITAL),
    ("plug pause unplug limit plug unplug/0.2 plug", DIGITAL),
    ("plug unplug/0.2 plug", reference()),
    ("plug unplug/0.2 close/0 plug", reference()),
    ("plug unplug/0.2 close/0 air/0 plug", reference()),
    ("plug close leak/1 unplug wait", reference({"pilot-standard": "gbt18487"})),
)
"""Sessions that between them take every row: what happens, 3 s apart or as long as it says."""


def test_every_row_can_be_taken(on_plant: Make) -> None:
    taken: set[Row] = set()
    for words, spec in SESSIONS:
        point = on_plant(spec).s2(False).let(s(1))
        for word in words.split():
            name, _, span = word.partition("/")
            stimulus, value = WORDS[name]
            point.do(**{stimulus: value}).let(s(float(span or 3)))
        taken |= point.charger.taken
    for closed in (True, False):
        point = charging(on_plant).do(leak_dc=200.0).let(s(1)).do(leak_dc=0).s2(closed).let(s(8))
        point.ask("clear_fault")
        taken |= point.charger.taken
    missed = [row for row in reference().rows if row not in taken]
    assert missed == []


def test_models_and_edits_are_named() -> None:
    with pytest.raises(UsageError, match="no model 'wallbox' of the reference AC charger; there are socket, cable"):
        reference(model="wallbox")
    with pytest.raises(UsageError, match="no span 'debounced'"):
        reference().timing(debounced=ms(1))
    with pytest.raises(UsageError, match="no protective function 'dc-7'"):
        reference().without_trips("dc-7")
    with pytest.raises(UsageError, match="no row has state 'idle'"):
        reference().without_rows(state="idle", trigger="Z")
    assert {"socket", "cable", "ventilated", "80A", "digital"} <= set(MODELS)
