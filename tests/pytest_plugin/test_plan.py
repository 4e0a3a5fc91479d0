"""What is decided before anything runs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hil.conformance.catalogue import requirements
from hil.conformance.register import register
from hil.errors import UsageError
from hil.pytest_plugin import plan as plans
from hil.pytest_plugin.info import run_info
from hil.pytest_plugin.near import near_matches
from hil.pytest_plugin.options import Options, arguments, command_line
from hil.pytest_plugin.plan import Run, make_plan, seed_of
from hil.rig import TcpPortSettings
from hil.safety.envelope import Envelope

BRO = requirements()["GBT34658-2017/DN.2009"]
FORMS = requirements()["GBT34658-2017/DN.2004"]


def test_a_virtual_rig_runs_every_reading_that_nobody_chose() -> None:
    every = make_plan(Options()).runs(BRO)
    assert [run.reading for run in every] == [f"dn2007-2009={choice}" for choice in register()["dn2007-2009"].choices]
    chosen = make_plan(Options(reading=("dn2007-2009=print",)))
    assert [run.reading for run in chosen.runs(BRO)] == ["dn2007-2009=print"]
    # A preset chooses nothing by name: what excludes each other is still run whole.
    assert len(make_plan(Options(reading=("field",))).runs(BRO)) == len(every)


def test_on_a_real_rig_only_the_claimed_reading_is_run() -> None:
    plan = make_plan(Options())
    live = replace(plan, rig=replace(plan.rig, kind="live"))
    assert [run.reading for run in live.runs(BRO)] == [f"dn2007-2009={register()['dn2007-2009'].default}"]


def test_only_a_virtual_bus_can_be_shorted() -> None:
    cut = requirements()["GBT34657.1-2017/D0.4501"]
    plan = make_plan(Options())
    roles = {"can": "bus", "signals": "box"}
    live = replace(plan, rig=replace(plan.rig, kind="live", roles=roles))
    assert {run.not_applicable for run in plan.runs(cut)} == {None}
    reasons = {run.variant: run.not_applicable for run in live.runs(cut)}
    shorted = "rig virtual is live: nothing shorts the wires of a real bus"
    assert (reasons["shorted-recovers"], reasons["shorted-interrupted"]) == (shorted, shorted)
    assert (reasons["broken-recovers"], reasons["silent-interrupted"]) == (None, None)


def test_a_fault_on_a_real_rig_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = make_plan(Options()).rig
    monkeypatch.setattr(plans, "load_rig", lambda path: replace(rig, kind="live"))
    monkeypatch.setattr(plans, "all_faults", lambda: {"late": object()})
    with pytest.raises(UsageError, match="--fault: rig virtual is no virtual one"):
        make_plan(Options(fault=("late",)))


def test_the_reference_is_built_to_the_reading_it_is_judged_by() -> None:
    plan = make_plan(Options())
    for run in plan.runs(BRO):
        assert f"dn2007-2009={plan.setup(run).readings['dn2007-2009']}" == run.reading
        assert plan.setup(run).readings == plan.readings_of(run)


def test_presets_and_choices_are_resolved() -> None:
    plan = make_plan(Options(reading=("field", "dlc=defined")))
    assert plan.readings["reserved-bits"] == register()["reserved-bits"].field
    assert plan.readings["dlc"] == "defined"


def test_the_rig_limits_the_real_time_of_a_run_unless_somebody_does(tmp_path: Path) -> None:
    rig = tmp_path / "slow.toml"
    text = 'schema = 1\nname = "slow"\nkind = "virtual"\n[dut]\nname = "c"\n[bench]\nmax_real_time = 90\n'
    rig.write_text(text, encoding="utf-8")
    assert make_plan(Options()).options.max_real_time is None
    assert make_plan(Options(rig=str(rig))).options.max_real_time == 90
    assert make_plan(Options(rig=str(rig), max_real_time=2.5)).options.max_real_time == 2.5


def test_a_live_rig_is_kept_to_one_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--rig", "modbus-wallbox", "-n", "2", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "rig modbus-wallbox has its ports once only: run it in one process, without -n" in done.stderr


def test_seeds_are_of_their_own() -> None:
    run = Run(FORMS, "short")
    known = seed_of(0, run)
    # Fixed for good: a trace that somebody keeps must come about again.
    assert known == 20911624408710059
    others = [seed_of(1, run), seed_of(0, Run(FORMS, "too-long")), seed_of(0, Run(BRO, "short"))]
    others.append(seed_of(0, Run(FORMS, "short", "dlc=padded")))
    assert len({known, *others}) == 5


def test_the_line_that_repeats_a_run_names_everything_that_matters() -> None:
    options = Options(seed=3, edition=("gbt27930=2011",), reading=("field", "dlc=padded", "dn2007-2009=amd1"))
    plan = make_plan(options)
    (run,) = plan.runs(BRO)
    assert plan.repeat(run) == (
        "hil run --case DN.2009 --seed 3 --edition gbt27930=2011 --reading field --reading dlc=padded "
        "--reading dn2007-2009=amd1"
    )


def test_no_two_runs_share_a_trace_or_the_line_that_repeats_them() -> None:
    plan = make_plan(Options())
    runs = [run for requirement in requirements().values() for run in plan.runs(requirement)]
    assert len({run.stem for run in runs}) == len(runs)
    assert len({plan.repeat(run) for run in runs}) == len(runs)


def test_near_matches_put_swapped_letters_first() -> None:
    assert near_matches("DN.3060", ["DN.3010", "DN.3009", "DN.3006"])[0] == "DN.3006"
    assert near_matches("zzz", ["DN.3010"]) == []


def test_interlocks_that_no_signal_tells_are_the_operators(tmp_path: Path) -> None:
    plan = make_plan(Options())
    envelope = Envelope(750, 100, 50_000, 60, ("door", "mat"))
    live = replace(plan, rig=replace(plan.rig, kind="live", envelope=envelope, interlocks={"door": "di_3"}))
    with pytest.raises(UsageError, match=r"interlocks that no signal tells of: mat; .* give --interlocks-checked, or"):
        live.refuse_unchecked()
    checked = replace(live, options=replace(live.options, interlocks_checked=True))
    checked.refuse_unchecked()
    assert "--interlocks-checked" in checked.repeat(checked.runs(FORMS)[0])
    told = run_info(checked, "", None).rig
    assert told["interlocks"] == {"watched": ["door"], "by_the_operator": ["mat"]}
    assert told["envelope"]["max_duration_s"] == 60
    replace(live, rig=replace(live.rig, interlocks={"door": "di_3", "mat": "di_4"})).refuse_unchecked()
    replace(plan, rig=replace(plan.rig, envelope=envelope)).refuse_unchecked()


def test_options_are_told_as_they_were_given() -> None:
    options = Options(case=("DN.3006",), max_real_time=2.5, interlocks_checked=True, operator="Li Wei", out="my report")
    assert command_line(options, ["-n", "2"]) == (
        "hil run --case DN.3006 --out 'my report' --max-real-time 2.5 --interlocks-checked --operator 'Li Wei' -- -n 2"
    )
    assert arguments(options) == [
        "--rig=virtual",
        "--hil-case=DN.3006",
        "--hil-out=my report",
        "--hil-max-real-time=2.5",
        "--hil-interlocks-checked",
        "--hil-operator=Li Wei",
    ]


def test_a_live_rig_has_one_device_whatever_model_a_run_takes_on_a_virtual_one() -> None:
    digital, registers = requirements()["IEC61851-1/CP.29"], requirements()["ACMODBUS/MB.03"]
    plan = make_plan(Options())
    roles = {"modbus": "plug", "signals": "box"}
    dut = replace(plan.rig.dut, claims={**plan.rig.dut.claims, "rated_current": 20})
    plug = TcpPortSettings("plug", "127.0.0.1", 502)
    live = replace(plan, rig=replace(plan.rig, kind="live", roles=roles, dut=dut, ports={"plug": plug}))
    assert [plan.setup(run).model for run in plan.runs(digital)] == ["digital"]
    (run,) = live.runs(digital)
    assert (live.setup(run).model, live.setup(run).claims["rated_current"]) == ("", 20)
    assert plan.setup(run).claims == {}
    reasons = {run.variant: run.not_applicable for run in live.runs(registers)}
    other = "the DUT's map is alfen-ng9xx"
    assert reasons == {"alfen-ng9xx": None, "keba-p30": other, "phoenix-charx-sec": other}
    keba = replace(live, rig=replace(live.rig, dut=replace(dut, map="keba-p30")))
    assert {run.variant for run in keba.runs(registers) if run.not_applicable is None} == {"keba-p30"}
