"""The charger behind the console: what it drives and reports is what the plant is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hil.units import SECOND, Instant, ms, s

if TYPE_CHECKING:
    Bench = Any
    Make = Any


def switched(bench: Bench, name: str, since: Instant = 0) -> list[tuple[Instant, float]]:
    return [(at, value) for at, each, value in bench.outlet.history if each == name and at >= since]


@pytest.mark.parametrize(
    ("vehicle", "connected", "state"), [("A", "OK 0", "01"), ("B", "OK 1", "02"), ("C", "OK 1", "03")]
)
def test_the_state_is_that_of_the_pilot(bench: Bench, vehicle: str, connected: str, state: str) -> None:
    bench.vehicle(vehicle)
    assert bench.ask("G0") == connected
    assert bench.ask("GS").split()[1:4:2] == [state, state]


@pytest.mark.parametrize(("amps", "duty"), [(6, 10.0), (16, 26.667), (32, 53.333), (51, 85.0), (63, 89.2), (80, 96.0)])
def test_a_limit_changes_the_duty_cycle_at_once(bench: Bench, amps: int, duty: float) -> None:
    bench.vehicle("B")
    before = bench.now
    bench.ask(f"SC {amps}")
    [(at, value)] = switched(bench, "cp_duty_set", before)
    assert value == pytest.approx(duty, abs=0.001)
    assert at - before < ms(10)


def test_current_flows_and_is_counted(bench: Bench) -> None:
    bench.vehicle("B")
    bench.vehicle("C", ms(300))
    start = bench.now
    bench.run(s(100))
    assert bench.ask("GG") == "OK 16000 230000"
    charged = (bench.now - start) / SECOND
    _, session, lifetime = bench.ask("GU").split()
    assert int(session) == pytest.approx(16 * 230 * charged, rel=0.02)
    assert int(lifetime) == pytest.approx(int(session) / 3600, abs=1)
    assert int(bench.ask("GS").split()[2]) == pytest.approx(charged, abs=3)


def test_a_new_session_counts_anew(bench: Bench) -> None:
    bench.vehicle("C", s(60))
    bench.vehicle("A")
    bench.vehicle("B")
    assert bench.ask("GU").split()[1] == "0"
    assert bench.ask("GS").split()[2] == "0"


def test_the_contactor_follows_the_vehicle_after_the_debounce(bench: Bench) -> None:
    start = bench.now
    bench.vehicle("C")
    [(closed, _)] = switched(bench, "contactor_command", start)
    assert ms(250) <= closed - start <= ms(251)
    start = bench.now
    bench.vehicle("A")
    [(opened, _)] = switched(bench, "contactor_command", start)
    assert ms(25) <= opened - start <= ms(26)


def test_a_pulse_shorter_than_the_debounce_is_not_seen(bench: Bench) -> None:
    bench.vehicle("B")
    count = len(bench.notified())
    bench.vehicle("C", ms(200))
    bench.vehicle("B")
    assert len(bench.notified()) == count


@pytest.mark.parametrize(("command", "state", "mode", "connected"), [("FD", "ff", 2, "OK 2"), ("FS", "fe", 0, "OK 1")])
def test_disabled_and_asleep(bench: Bench, command: str, state: str, mode: int, connected: str) -> None:
    bench.vehicle("C")
    bench.ask(command)
    assert bench.outlet.values["contactor_command"] == 0
    assert bench.outlet.values["cp_mode"] == mode
    assert bench.ask("GS").split()[1] == state
    assert bench.ask("G0") == connected
    bench.ask("FE")
    assert bench.outlet.values["contactor_command"] == 1


def test_a_lock_keeps_from_charging(bench: Bench) -> None:
    bench.ask("S4 1")
    bench.vehicle("C")
    assert bench.ask("GS").split()[1:] == ["02", "0", "03", "0508"]
    assert bench.outlet.values["contactor_command"] == 0
    bench.ask("S4 0")
    assert bench.outlet.values["contactor_command"] == 1


@pytest.mark.parametrize(
    ("vehicle", "stimulus", "value", "state", "feature"),
    [
        ("C", "residual_dc", 6, "06", ""),
        ("C", "residual_ac", 30, "06", ""),
        ("C", "pe_ok", 0, "07", "G"),
        ("A", "welded", 1, "08", "R"),
        ("C", "charger_temperature", 70, "0a", "T"),
        ("B", "diode", 0, "05", "D"),
    ],
)
def test_a_fault_opens_is_told_and_can_be_left_unwatched(
    make: Make, vehicle: str, stimulus: str, value: float, state: str, feature: str
) -> None:
    bench = make()
    bench.vehicle(vehicle)
    bench.stimulate(stimulus, value, s(3))
    assert bench.ask("GS").split()[1] == state
    assert bench.outlet.values["contactor_command"] == 0
    assert bench.notified()[-1].split()[1] == state
    if feature:
        unwatched = make()
        unwatched.ask(f"FF {feature} 0")
        unwatched.vehicle(vehicle)
        unwatched.stimulate(stimulus, value, s(3))
        assert unwatched.ask("GS").split()[1] in ("01", "02", "03")


def test_a_stuck_relay_is_left_when_it_has_opened_and_the_vehicle_has_gone(bench: Bench) -> None:
    bench.vehicle("B")
    bench.stimulate("welded", 1)
    bench.vehicle("A")
    assert bench.ask("GS").split()[1] == "08"
    bench.vehicle("B")
    bench.stimulate("welded", 0)
    assert bench.ask("GS").split()[1] == "08"
    bench.vehicle("A")
    assert bench.ask("GS").split()[1] == "01"


def test_faults_are_counted(bench: Bench) -> None:
    bench.vehicle("C")
    bench.stimulate("pe_ok", 0)
    bench.stimulate("pe_ok", 1)
    assert bench.ask("GS").split()[1] == "03"
    assert bench.ask("GF") == "OK 0 1 0"


def test_after_a_leak_it_waits_five_minutes(bench: Bench) -> None:
    bench.vehicle("C")
    start = bench.now
    bench.stimulate("residual_ac", 30)
    bench.stimulate("residual_ac", 0, s(290))
    assert bench.ask("GS").split()[1] == "06"
    bench.run(s(20))
    assert bench.ask("GS").split()[1] == "03"
    assert s(299) < switched(bench, "contactor_command", start + s(1))[-1][0] - start < s(302)


def test_ventilation(bench: Bench) -> None:
    bench.vehicle("D")
    assert (bench.ask("GS").split()[1], bench.outlet.values["contactor_command"]) == ("04", 0)
    bench.ask("FF V 0")
    assert bench.outlet.values["contactor_command"] == 1


def test_a_time_limit_ends_in_sleep(bench: Bench) -> None:
    bench.vehicle("C")
    assert bench.ask("S3 1") == "OK"
    assert bench.ask("G3") == "OK 1"
    bench.run(s(890))
    assert bench.ask("GS").split()[1] == "03"
    bench.run(s(15))
    _, state, _, _, flags = bench.ask("GS").split()
    assert (state, int(flags, 16) & 0x14) == ("fe", 0x14)
    bench.vehicle("A")
    assert bench.ask("GS").split()[1] == "01"


def test_an_energy_limit_ends_in_sleep(bench: Bench) -> None:
    bench.vehicle("C")
    assert bench.ask("SH 1") == "OK"
    bench.run(s(1000))
    _, state, _, _, flags = bench.ask("GS").split()
    assert (state, int(flags, 16) & 0x2004) == ("fe", 0x2004)
    assert int(bench.ask("GU").split()[1]) == pytest.approx(3_600_000, rel=0.01)


def test_the_delay_timer_charges_in_its_window_only(bench: Bench) -> None:
    bench.vehicle("C")
    bench.ask("S1 25 6 5 9 59 0")
    bench.ask("ST 10 0 10 1")
    assert bench.ask("GS").split()[1] == "fe"
    bench.run(s(58))
    assert bench.ask("GS").split()[1] == "03"
    bench.run(s(60))
    assert bench.ask("GS").split()[1] == "fe"
    bench.ask("ST 0 0 0 0")
    assert bench.ask("GS").split()[1] == "03"


def test_the_delay_timer_may_run_over_midnight(bench: Bench) -> None:
    bench.vehicle("C")
    bench.ask("ST 22 0 6 30")
    for clock, state in (("21 59 0", "fe"), ("22 0 0", "03"), ("6 29 0", "03"), ("6 30 0", "fe")):
        bench.ask(f"S1 25 6 5 {clock}")
        bench.run(s(1))
        assert bench.ask("GS").split()[1] == state


def test_a_restart_forgets_sleep_and_lock(bench: Bench) -> None:
    bench.ask("S4 1")
    bench.ask("FS")
    bench.ask("FR")
    bench.run(s(2))
    assert bench.ask("G4") == "OK 0"
    assert bench.ask("GS").split()[1] == "01"


def test_a_restart_opens_and_comes_back(bench: Bench) -> None:
    bench.vehicle("C")
    bench.ask("SC 10 V")
    start = bench.now
    bench.ask("FR", ms(100))
    assert bench.outlet.values["contactor_command"] == 0
    bench.run(s(3))
    assert bench.ask("GS").split()[1] == "03"
    assert len(bench.notes("notification AB")) == 2
    assert switched(bench, "contactor_command", start)[-1][1] == 1
