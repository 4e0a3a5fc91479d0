"""What can be judged is decided before the run, and says why not."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import msgspec

from hil.conformance.catalogue import requirements
from hil.resources import resource
from hil.rig import applicability, load_rig

RIG = load_rig(resource("rigs/virtual.toml"))
CASE = next(iter(requirements().values()))


def test_the_virtual_rig_can_do_all_that_takes_no_person() -> None:
    missing = {each.case: applicability(each, RIG, "2015") for each in requirements().values()}
    assert {case for case, reason in missing.items() if reason} == {"D0.0001"}
    assert missing["D0.0001"] == "rig virtual has no inspection"


def test_another_edition_is_not_covered() -> None:
    reason = applicability(msgspec.structs.replace(CASE, editions=("2011", "2023")), RIG, "2015")
    assert reason == "covers edition 2011 and 2023 of GB/T 27930, this run is by 2015"


def test_a_claim_that_the_dut_does_not_make_is_no_failure() -> None:
    needing = msgspec.structs.replace(CASE, needs=("stop-button",))
    assert applicability(needing, RIG, "2015") is None
    silent = replace(RIG, dut=replace(RIG.dut, claims=MappingProxyType({"stop_button": False})))
    assert applicability(needing, silent, "2015") == "the DUT does not claim stop-button"
    assert applicability(CASE, silent, "2015") is None
