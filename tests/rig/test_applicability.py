"""What can be judged is decided before the run, and says why not."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import msgspec
import pytest

from hil.conformance.catalogue import CAPABILITIES, requirements
from hil.resources import resource
from hil.rig import Rig, applicability, lacks_besides, lacks_transport, load_rig
from hil.rig.abilities import BY_CAN, BY_CONSENT, BY_DUT, BY_PERSON, BY_PLANT, BY_VIRTUAL, OF_AC
from hil.rig.roles import NEEDED_BY, ROLES

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


# --- live rigs ------------------------------------------------------------------------------------


def reasons(rig: str) -> dict[str, set[str]]:
    """By suite, why its cases are not applicable on a shipped rig."""
    found = load_rig(resource(f"rigs/{rig}.toml"))
    told: dict[str, set[str]] = {}
    for each in requirements().values():
        reason = applicability(each, found, "2015")
        told.setdefault(each.suite, set()).update(() if reason is None else (reason,))
    return told


def test_a_kind_of_bench_has_the_roles_that_it_needs() -> None:
    assert {each.bench for each in requirements().values()} <= set(NEEDED_BY)
    assert {role for roles in NEEDED_BY.values() for role in roles} == set(ROLES)


def test_every_capability_comes_from_one_source() -> None:
    groups = [*BY_PERSON, *BY_DUT, *BY_VIRTUAL, *BY_CAN, *BY_CONSENT, *BY_PLANT]
    assert sorted(groups) == sorted(CAPABILITIES)
    assert set(OF_AC) < set(BY_PLANT)


def test_a_console_beside_the_pins_of_a_dc_charger_has_no_ac_vehicle() -> None:
    found = load_rig(resource("rigs/udp-multicast.toml"))
    both = replace(found, roles={**found.roles, "console": "tty"})
    vehicle = msgspec.structs.replace(CASE, bench="rapi", needs=("vehicle",))
    assert "has the pins of a DC charger ([roles] can): nothing can stand in" in str(
        applicability(vehicle, both, "2015")
    )
    ac = replace(found, roles={"console": "tty", "signals": "io"})
    assert applicability(vehicle, ac, "2015") is None


def test_a_charger_behind_a_signals_port_is_judged_as_a_virtual_one() -> None:
    told = reasons("udp-multicast")
    assert told["gbt27930"] == set()
    assert told["gbt34657"] == {"rig udp-multicast has no inspection"}
    twin = "rig udp-multicast is live: generated load profiles are run on the virtual twin, a rig replays written ones"
    assert twin in told["load_profiles"]
    assert "rig udp-multicast has a DC charger ([roles] can)" in told["ac_charger"]
    assert told["rapi"] == {"rig udp-multicast has no port to the charger's console (RAPI) ([roles] console)"}
    assert told["modbus"] == {"rig udp-multicast has no port to the Modbus device ([roles] modbus)"}


def test_a_wallbox_on_modbus_is_judged_by_that_suite_only() -> None:
    told = reasons("modbus-wallbox")
    live = "rig modbus-wallbox is live: "
    assert told["modbus"] == {
        f"{live}nothing reaches into a real device",
        f"{live}a live port shows silences, parity and collisions not to the bit",
    }
    assert told["gbt27930"] == {"rig modbus-wallbox has no port to the charger's CAN to the vehicle ([roles] can)"}


def test_only_runs_over_the_transport_of_the_port_are_applicable() -> None:
    lan = load_rig(resource("rigs/modbus-wallbox.toml"))
    assert lacks_transport(requirements()["MODBUS/FC.03"], "tcp", lan) is None
    assert lacks_transport(requirements()["MODBUS/FC.03"], "rtu", lan) == (
        "port lan of rig modbus-wallbox is of type tcp: it carries no Modbus RTU"
    )
    assert lacks_transport(requirements()["MODBUS/RT.01"], None, lan) is not None


def test_a_real_plant_does_what_the_file_says() -> None:
    told = reasons("socketcan-rs485")["gbt34657"]
    assert "rig socketcan-rs485 has no signals port: nothing can observe output, contactors and lock" in told
    rig = load_rig(resource("rigs/socketcan-rs485.toml"))
    assert rig.lacks("start") is None
    assert not rig.can("emergency-stop")
    boxed = replace(rig, roles={**rig.roles, "signals": "io"})
    assert boxed.lacks("emergency-stop") == (
        "the plant of rig socketcan-rs485 is hardware: nothing can press the emergency stop, "
        "unless [capabilities] emergency_stop says so"
    )
    denied = replace(rig, capabilities={"raw-frames": False})
    assert (rig.lacks("raw-frames"), denied.lacks("raw-frames")) == (
        None,
        "[capabilities] of rig socketcan-rs485 denies raw-frames",
    )


def test_a_claimed_button_still_takes_somebody_to_press_it() -> None:
    rig = load_rig(resource("rigs/socketcan-rs485.toml"))
    needing = msgspec.structs.replace(CASE, needs=("stop-button",))
    assert applicability(needing, rig, "2015") == (
        "rig socketcan-rs485 has no signals port: nothing can stop the charge at the charger"
    )


def test_what_cannot_be_undone_is_done_on_request_only() -> None:
    rig = load_rig(resource("rigs/udp-multicast.toml"))
    assert rig.can("irreversible") is False
    assert replace(rig, capabilities={"irreversible": True}).can("irreversible")
    assert RIG.can("irreversible")


def claiming(**claims: bool | float) -> Rig:
    """A live rig with an AC charger that claims this besides."""
    found = load_rig(resource("rigs/ac-console.toml"))
    dut = replace(found.dut, claims=MappingProxyType({**found.dut.claims, **claims}))
    return replace(found, dut=dut, roles={**found.roles, "signals": "io"}, plant="model")


@pytest.mark.parametrize(
    ("case", "variant", "claims", "reason"),
    [
        ("ACCHARGER/AC.01", "32A", {}, None),
        ("ACCHARGER/AC.01", "40A", {}, "the DUT claims 32 A (rated_current): this takes 40 A"),
        ("ACCHARGER/AC.01", "40A", {"rated_current": 63}, None),
        ("ACCHARGER/AC.01", "20A", {"rated_current": 16}, "the DUT claims 16 A (rated_current): this takes 20 A"),
        ("IEC61851-1/CP.25", "63A-80", {}, "the DUT claims 32 A (rated_current): this takes 63 A"),
        ("IEC61851-1/CP.20", "with-ventilation", {}, "the DUT does not claim ventilation"),
        ("IEC61851-1/CP.20", "with-ventilation", {"ventilation": True}, None),
        ("IEC61851-1/CP.20", "at-start", {}, None),
        ("IEC61851-1/CP.20", "at-start", {"ventilation": True}, "means nothing where the DUT claims ventilation"),
    ],
)
def test_a_single_device_is_run_where_it_is_made_so(
    case: str, variant: str, claims: dict[str, bool | float], reason: str | None
) -> None:
    assert lacks_besides(requirements()[case], variant, claiming(**claims)) == reason
    # On a virtual bench each run has a device of its own.
    assert lacks_besides(requirements()[case], variant, RIG) is None


def test_what_a_rig_file_leaves_open_a_real_device_has_not() -> None:
    digital = requirements()["IEC61851-1/CP.29"]
    assert applicability(digital, claiming(), "2015") == "the DUT does not claim digital"
    assert applicability(digital, claiming(digital=True), "2015") is None
    assert applicability(digital, RIG, "2015") is None
