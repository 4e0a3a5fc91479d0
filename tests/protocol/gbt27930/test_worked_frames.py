"""The worked frames of sheet 1.5 and the fill patterns of sheet 3, byte by byte, in both directions."""

from __future__ import annotations

import pytest

from hil.codec import Message
from hil.protocol.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BEM,
    BHM,
    BRM,
    BRO,
    BSD,
    BSM,
    BST,
    CCS,
    CEM,
    CHM,
    CML,
    CRM,
    CRO,
    CSD,
    CST,
    CTS,
    edition,
)

BRM_BYTES = " ".join(
    [
        "01 01 00 03 B8 0B 38",
        "18 41 42 43 44 01 00",
        "00 00 23 06 0F 78 00",
        "00 01 FF 4C 54 45 53",
        "54 30 30 30 30 30 30",
        "30 30 30 30 30 30 01",
        "0F 06 E4 07 FF FF FF",
    ]
)
FRAMES: list[tuple[Message, str]] = [
    (CHM(version=0x000101), "01 01 00"),
    (BHM(max_total_voltage=750.0), "4C 1D"),
    (CRM(result=0x00, charger_number=1, region="010"), "00 01 00 00 00 30 31 30"),
    (CRM(result=0xAA, charger_number=1, region="010"), "AA 01 00 00 00 30 31 30"),
    (
        BRM(
            version=0x000101,
            battery_type=3,
            rated_capacity=300.0,
            rated_voltage=620.0,
            battery_maker="ABCD",
            pack_serial=bytes([1, 0, 0, 0]),
            production_year=2020,
            production_month=6,
            production_day=15,
            charge_count=120,
            ownership=1,
            vin="LTEST000000000000",
            software_number=1,
            software_day=15,
            software_month=6,
            software_year=2020,
        ),
        BRM_BYTES,
    ),
    (
        BCP(
            max_cell_voltage=3.65,
            max_current=-250.0,
            nominal_energy=186.0,
            max_total_voltage=700.0,
            max_temperature=55,
            soc=45.5,
            present_voltage=610.5,
        ),
        "6D 01 DC 05 44 07 58 1B 69 C7 01 D9 17",
    ),
    (CTS(second=30, minute=5, hour=14, day=9, month=3, year=2024), "30 05 14 09 03 24 20"),
    (CML(max_voltage=750.0, min_voltage=200.0, max_current=-250.0, min_current=0.0), "4C 1D D0 07 DC 05 A0 0F"),
    (BRO(ready=0x00), "00"),
    (BRO(ready=0xAA), "AA"),
    (CRO(ready=0x00), "00"),
    (CRO(ready=0xAA), "AA"),
    (BCL(voltage_demand=650.0, current_demand=-120.0, mode=2), "64 19 F0 0A 02"),
    (
        BCS(voltage=612.3, current=-118.5, max_cell_voltage=3.42, max_cell_group=3, soc=46, remaining_time=75),
        "EB 17 FF 0A 56 31 2E 4B 00",
    ),
    (CCS(voltage=612.0, current=-119.0, charging_time=12, charging_permitted=1), "E8 17 FA 0A 0C 00 FD"),
    (CCS(voltage=612.0, current=-119.0, charging_time=12, charging_permitted=0), "E8 17 FA 0A 0C 00 FC"),
    (
        BSM(
            max_cell_number=17,
            max_temperature=31,
            max_temperature_sensor=4,
            min_temperature=28,
            min_temperature_sensor=9,
        ),
        "10 51 03 4E 08 00 D0",
    ),
    (BST(soc_reached=1), "01 00 00 F0"),
    (BST(charger_stopped=1), "40 00 00 F0"),
    (CST(bms_stopped=1), "40 00 F0 F0"),
    (CST(fault_stop=1, emergency_stop=1), "10 00 F1 F0"),
    (CST(manual_stop=1), "04 00 F0 F0"),
    (CST(condition_reached=1), "01 00 F0 F0"),
    (
        BSD(soc=80, min_cell_voltage=3.38, max_cell_voltage=3.45, min_temperature=29, max_temperature=36),
        "50 52 01 59 01 4F 56",
    ),
    (CSD(charging_time=42, energy=31.5, charger_number=1), "2A 00 3B 01 01 00 00 00"),
    (CEM(), "FC F0 C0 FC"),
    (CEM(brm=1), "FD F0 C0 FC"),
    (CEM(bcp=1), "FC F1 C0 FC"),
    (CEM(bro=1), "FC F4 C0 FC"),
    (CEM(bcs=1), "FC F0 C1 FC"),
    (CEM(bcl=1), "FC F0 C4 FC"),
    (CEM(bst=1), "FC F0 D0 FC"),
    (CEM(bsd=1), "FC F0 C0 FD"),
    (BEM(), "F0 F0 F0 FC"),
    (BEM(crm_00=1), "F1 F0 F0 FC"),
    (BEM(crm_aa=1), "F4 F0 F0 FC"),
    (BEM(cts_cml=1), "F0 F1 F0 FC"),
    (BEM(cro=1), "F0 F4 F0 FC"),
    (BEM(ccs=1), "F0 F0 F1 FC"),
    (BEM(cst=1), "F0 F0 F4 FC"),
    (BEM(csd=1), "F0 F0 F0 FD"),
]


@pytest.mark.parametrize(("message", "data"), FRAMES, ids=[f"{type(each).name}-{data[:23]}" for each, data in FRAMES])
def test_worked_frame(message: Message, data: str) -> None:
    assert message.encode().hex(" ").upper() == data
    assert edition("2015").decode(type(message).pgn, bytes.fromhex(data)) == message


@pytest.mark.parametrize(
    ("raw", "amperes"),
    [(4000, 0.0), (1500, -250.0), (0, -400.0)],
)
def test_charging_current_is_negative(raw: int, amperes: float) -> None:
    """Sheet 1.3: 0 A is raw 4000, 250 A charging is raw 1500, 400 A charging is raw 0."""
    message = BCL(voltage_demand=0.0, current_demand=amperes, mode=1)
    assert message.raw("current_demand") == raw


def test_the_largest_date_of_2024_in_bcd() -> None:
    """Sheet 1.3: 2024 is sent as ``24 20``; the optional content of CTS is all ones when not supplied."""
    assert CTS(year=2024).encode().hex(" ").upper() == "FF FF FF FF FF 24 20"
    assert edition("2015").decode(CTS.pgn, bytes.fromhex("FF" * 7)) == CTS()


@pytest.mark.parametrize("wire", ["E7 07", "07 E7"])
def test_software_year_in_either_byte_order(wire: str) -> None:
    """Sheet 3.4, D8: the order that gives 2000..2099 is right."""
    data = bytes.fromhex("01 01 00 03 B8 0B 38 18" + "FF" * 36 + wire + "FFFFFF")
    decoded = BRM.decode(data)
    assert decoded.software_year == 2023
    assert decoded.vin is None
    assert decoded.replace(software_year=2023).encode()[44:46] == bytes.fromhex("E7 07")
