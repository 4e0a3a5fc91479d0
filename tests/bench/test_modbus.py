"""The bench for Modbus devices: what is told of an answer, and maps of real devices, which it must not blame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hil.bench.judge import Inconclusive, Judge
from hil.bench.kinds.modbus import KIND
from hil.bench.modbus import ModbusBench
from hil.bench.modbus_places import FEATURES, Places, allowed, refused
from hil.bench.setup import Setup
from hil.codec.map_file import map_names
from hil.conformance.catalogue import MAP_FEATURES, requirements
from hil.conformance.verdict import Verdict
from hil.dut.faults import all_faults
from hil.dut.modbus import ILLEGAL_ADDRESS, Data, DeviceSpec, Refused, reference_map
from hil.dut.modbus.fault import reading
from hil.pytest_plugin.options import Options
from hil.pytest_plugin.plan import make_plan
from hil.qualify.suite import suite_cases
from hil.units import Instant, Span, s

MAPS = map_names()
WRONG_BIT = (
    "wrong error bit in the function code, the exception's function code is 49, due is C1: 00 01 00 00 00 03 11 49 01"
)
WRONG_COUNT = (
    "wrong byte count, the byte count is 8, due is 16; 16 bytes follow: "
    "00 01 00 00 00 13 11 03 08 1F 79 1F 87 1F 95 1F A3 1F B1 1F BF 1F CD 1F DB"
)


Edit = Callable[[DeviceSpec], DeviceSpec]


def opened(edit: Edit | None = None, **chosen: Any) -> ModbusBench:
    setup = Setup(**chosen)
    edits = {} if edit is None else {"modbus": edit}
    bench = KIND.bench(KIND.build(setup, edits), setup, Judge(), lambda observations: None)
    assert isinstance(bench, ModbusBench)
    return bench


def whole_values_only(name: str) -> Edit:
    """A device that refuses a read which cuts a value, as WR.06 lets it."""
    registers = reference_map(name)

    def read(data: Data, unit: int, function: int, address: int, count: int, now: Instant) -> Sequence[int] | Refused:
        held = registers.at(unit, registers.table_of(function) or "")
        cut = any(each.address < at < each.end for each in held for at in (address, address + count))
        return ILLEGAL_ADDRESS if cut else data.read(unit, function, address, count, now)

    return reading(read)


class Kept:
    """An edit that lets a test look into the device beside the line."""

    def __init__(self, edit: Edit | None) -> None:
        self._edit = edit
        self._data: Data | None = None

    def __call__(self, device: DeviceSpec) -> DeviceSpec:
        made = device if self._edit is None else self._edit(device)
        return made.but(data=lambda data: made.data(self._keep(data)))

    def _keep(self, data: Data) -> Data:
        self._data = data
        return data

    def settings(self, name: str) -> dict[str, object]:
        """What the device holds in all that can be written."""
        assert self._data is not None
        registers = reference_map(name)
        codes = {"holding": 3, "coil": 1}
        both = [each for each in registers.registers.values() if each.readable and each.writable]
        return {
            each.name: self._data.read(each.unit_id, codes[each.table], each.address, each.size, 0) for each in both
        }


@pytest.mark.parametrize(
    ("fault", "case", "told", "due"),
    [
        (
            "modbus-error-bit-3",
            "EX.01",
            WRONG_BIT,
            "exception 01",
        ),
        (
            "modbus-byte-count-in-registers",
            "FC.03",
            WRONG_COUNT,
            f"00 01 00 00 00 13 11 03 10 {'?? ' * 16}or 00 01 00 00 00 03 11 83 ??",
        ),
        ("modbus-unknown-function-silent", "EX.01", "no answer", "exception 01"),
    ],
)
def test_an_answer_is_shown_as_it_came_beside_what_was_due(fault: str, case: str, told: str, due: str) -> None:
    bench = opened(faults=(fault,))
    suite_cases()[f"MODBUS/{case}"](bench, "tcp")
    decisive = bench.judge.decisive
    assert decisive is not None
    assert decisive.verdict is Verdict.FAIL
    assert decisive.value == told
    assert decisive.note.startswith(f"due {due}; asked ")


@pytest.mark.parametrize("halves", ["served", "refused"])
@pytest.mark.parametrize("name", ["", *MAPS])
def test_no_device_is_blamed_for_what_its_map_says(name: str, halves: str) -> None:
    kept = Kept(whole_values_only(name) if halves == "refused" else None)
    verdicts: Counter[str] = Counter()
    for identifier, case in suite_cases().items():
        requirement = requirements()[identifier]
        if requirement.suite != "modbus":
            continue
        for variant in requirement.variants or (None,):
            assert KIND.unfit is not None
            if KIND.unfit(Setup(map=name), requirement, variant) is not None:
                verdicts["not applicable"] += 1
                continue
            bench = opened(kept, map=name)
            held = kept.settings(name)
            case(bench, variant)
            assert kept.settings(name) == held, f"{identifier} {variant} leaves other settings than it found"
            assert bench.judge.verdict is Verdict.PASS, f"{identifier} {variant}: {bench.judge.decisive}"
            verdicts["pass"] += 1
    assert verdicts["pass"] > 20, verdicts


@pytest.mark.parametrize(
    ("case", "variant"), [("TC.05", "bytes"), ("QT.03", "rtu"), ("EX.01", "rtu"), ("FC.16", "tcp")]
)
@pytest.mark.parametrize("latency", [s(0.9), s(2.5)])
def test_how_long_an_answer_takes_is_judged_by_one_case_alone(case: str, variant: str, latency: Span) -> None:
    bench = opened(lambda device: device.serving(latency=latency))
    suite_cases()[f"MODBUS/{case}"](bench, variant)
    assert bench.judge.verdict is Verdict.PASS, bench.judge.decisive
    suite_cases()["MODBUS/RS.01"](bench, "tcp")
    assert bench.judge.verdict is (Verdict.PASS if latency < s(1) else Verdict.FAIL)


def test_a_device_of_one_client_is_not_blamed_for_the_second() -> None:
    bench = opened(lambda device: device.but(clients=1), map="bender-cc613")
    with pytest.raises(Inconclusive, match="the device serves one client at a time"):
        suite_cases()["MODBUS/TC.10"](bench, None)
    told = opened(lambda device: device.but(clients=1))  # its map says three
    suite_cases()["MODBUS/TC.10"](told, None)
    assert told.judge.verdict is Verdict.FAIL


def test_a_device_is_asked_no_more_often_than_its_map_allows() -> None:
    bench = opened(map="keba-p40")
    for case in ("QT.03", "EX.01", "RS.01"):
        suite_cases()[f"MODBUS/{case}"](bench, "tcp")
    sent = [each.t for each in bench.record.bytes_on("tcp0", sender="master")]
    assert len(sent) > 20
    assert min(later - earlier for earlier, later in pairwise(sent)) >= s(0.5)


def test_what_the_stimulus_did_not_reach_is_told_as_trouble() -> None:
    bench = opened()
    bench.spoil_parity()
    assert bench.trouble() == "the parity error did not come about"
    bench.line("rtu").ask(bench.places.any_run().one())
    assert bench.trouble() == ""


def test_places_keep_what_they_promise() -> None:
    for name in ("", *MAPS):
        registers = reference_map(name)
        places = Places(registers)
        run = places.any_run()
        declared = registers.at(places.unit, registers.table_of(run.function) or "")
        held = {at for each in declared if each.readable for at in range(each.address, each.end)}
        assert set(range(run.address, run.end)) <= held, name
        assert places.gap(run) not in {at for each in declared for at in range(each.address, each.end)}, name
        assert places.foreign not in registers.unit_ids
        assert places.unknown_function not in registers.all_functions
        for each in declared:
            for words in allowed(each):
                assert each.encode(each.decode(words)) == words
            wrong = refused(each)
            assert wrong is None or wrong not in allowed(each)


@pytest.mark.parametrize(("name", "verdict"), [("", Verdict.FAIL), ("phoenix-charx-sec", Verdict.PASS)])
def test_a_device_that_looks_at_addresses_first_is_blamed_only_where_they_are_right(
    name: str, verdict: Verdict
) -> None:
    """Asked for 126 registers, it looks at 125: it serves them, or finds that they are not all there."""
    bench = opened(map=name, faults=("modbus-126-holding",))
    suite_cases()["MODBUS/QT.03"](bench, "tcp")
    assert bench.judge.verdict is verdict
    if verdict is Verdict.PASS:
        told = [each.value for each in bench.judge.measurements if each.name == "126 values"]
        assert told == ["exception 02 illegal data address"]


def test_every_feature_of_a_map_is_looked_for_and_needed() -> None:
    assert set(FEATURES) == set(MAP_FEATURES)
    needed = {each for requirement in requirements().values() for row in requirement.offers.values() for each in row}
    assert needed == set(MAP_FEATURES)


def test_the_map_of_the_reference_device_offers_everything() -> None:
    assert KIND.unfit is not None
    for requirement in requirements().values():
        for variant in requirement.variants or (None,):
            assert KIND.unfit(Setup(), requirement, variant) is None


def test_what_a_map_does_not_offer_is_not_applicable_with_the_reason(tmp_path: Path) -> None:
    rig = tmp_path / "box.toml"
    rig.write_text('schema = 1\nname = "box"\nkind = "virtual"\n\n[dut]\nname = "box"\nmap = "keba-p30"\n')
    plan = make_plan(Options(rig=str(rig)))
    told = {
        run.requirement.case + run.label: run.not_applicable
        for case in ("FC.01", "FC.03", "WR.05")
        for run in plan.runs(requirements()[f"MODBUS/{case}"])
    }
    assert told == {
        "FC.01tcp": "the map keba-p30 has no function 1",
        "FC.01rtu": "the map keba-p30 has no function 1",
        "FC.03tcp": None,
        "FC.03rtu": "the map keba-p30 is not of a device on RTU",
        "WR.05": "the map keba-p30 has no function 16",
    }
    assert plan.setup(plan.runs(requirements()["MODBUS/FC.03"])[0]).map == "keba-p30"


def test_a_map_without_what_a_case_needs_says_so() -> None:
    with pytest.raises(Inconclusive, match="the map keba-p30 has no function 1"):
        Places(reference_map("keba-p30")).run(1)
    with pytest.raises(Inconclusive, match="is not of a device on RTU"):
        opened(map="keba-p30").line("rtu")


def test_a_device_that_ignores_broadcasts_is_not_asked_to_obey_one() -> None:
    """As the Heidelberg's sheet says of it."""
    assert KIND.unfit is not None
    ignoring = Setup(map="heidelberg-energy-control")
    told = KIND.unfit(ignoring, requirements()["MODBUS/RT.02"], None)
    assert told == "the device of map heidelberg-energy-control ignores broadcasts"
    bench = opened(map=ignoring.map)
    bench.line("rtu").expect_broadcast_written()
    assert bench.judge.verdict is Verdict.FAIL


def test_faults_name_cases_of_their_own_suite() -> None:
    names = {each for fault in all_faults().values() if fault.dut == "modbus" for each in fault.breaks}
    assert names == {each for each in requirements() if each.startswith("MODBUS/")}
