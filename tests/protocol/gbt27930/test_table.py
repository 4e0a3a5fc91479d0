"""The message tables of sheet 2.1 and 2.2, typed a second time."""

from __future__ import annotations

from typing import Any

import pytest

from hil.codec import ListMessage
from hil.errors import CodecError, UsageError
from hil.protocol.gbt27930 import MessageSet, edition, split_id
from hil.units import ms, s

TP = True
CHARGER, BMS, BOTH = "charger", "bms", None
# name, PGN, priority, sender, length (a list: the most elements), period, id (nominal for TP; the charger's for both)
TABLE_2015 = [
    ("CHM", 9728, 6, CHARGER, 3, ms(250), 0x1826F456, False),
    ("BHM", 9984, 6, BMS, 2, ms(250), 0x182756F4, False),
    ("CRM", 256, 6, CHARGER, 8, ms(250), 0x1801F456, False),
    ("BRM", 512, 7, BMS, 49, ms(250), 0x1C0256F4, TP),
    ("BCP", 1536, 7, BMS, 13, ms(500), 0x1C0656F4, TP),
    ("CTS", 1792, 6, CHARGER, 7, ms(500), 0x1807F456, False),
    ("CML", 2048, 6, CHARGER, 8, ms(250), 0x1808F456, False),
    ("BRO", 2304, 4, BMS, 1, ms(250), 0x100956F4, False),
    ("CRO", 2560, 4, CHARGER, 1, ms(250), 0x100AF456, False),
    ("BCL", 4096, 6, BMS, 5, ms(50), 0x181056F4, False),
    ("BCS", 4352, 7, BMS, 9, ms(250), 0x1C1156F4, TP),
    ("CCS", 4608, 6, CHARGER, 7, ms(50), 0x1812F456, False),
    ("BSM", 4864, 6, BMS, 7, ms(250), 0x181356F4, False),
    ("BMV", 5376, 7, BMS, 256, s(10), 0x1C1556F4, TP),
    ("BMT", 5632, 7, BMS, 128, s(10), 0x1C1656F4, TP),
    ("BSP", 5888, 7, BMS, 16, s(10), 0x1C1756F4, TP),
    ("BST", 6400, 4, BMS, 4, ms(10), 0x101956F4, False),
    ("CST", 6656, 4, CHARGER, 4, ms(10), 0x101AF456, False),
    ("BSD", 7168, 6, BMS, 7, ms(250), 0x181C56F4, False),
    ("CSD", 7424, 6, CHARGER, 8, ms(250), 0x181DF456, False),
    ("BEM", 7680, 2, BMS, 4, ms(250), 0x081E56F4, False),
    ("CEM", 7936, 2, CHARGER, 4, ms(250), 0x081FF456, False),
    ("DM1", 8192, 6, BOTH, 446, None, 0x1820F456, False),
    ("DM2", 8448, 6, BOTH, 446, None, 0x1821F456, False),
    ("DM3", 8704, 6, BOTH, 2, None, 0x1822F456, False),
    ("DM4", 8960, 6, BOTH, 0, None, 0x1823F456, False),
    ("DM5", 9216, 6, BOTH, 0, None, 0x1824F456, False),
    ("DM6", 9472, 6, BOTH, 357, None, 0x1825F456, False),
]
CHANGED_2011 = {
    "BRM": ("BRM", 512, 6, BMS, 41, ms(250), 0x180256F4, TP),
    "BCP": ("BCP", 1536, 6, BMS, 13, ms(500), 0x180656F4, TP),
    "CML": ("CML", 2048, 6, CHARGER, 6, ms(250), 0x1808F456, False),
    "BCS": ("BCS", 4352, 6, BMS, 9, ms(250), 0x181156F4, TP),
    "CCS": ("CCS", 4608, 6, CHARGER, 6, ms(50), 0x1812F456, False),
    "BMV": ("BMV", 5376, 6, BMS, 256, s(1), 0x181556F4, TP),
    "BMT": ("BMT", 5632, 6, BMS, 128, s(1), 0x181656F4, TP),
    "BSP": ("BSP", 5888, 6, BMS, 16, s(1), 0x181756F4, TP),
    "CSD": ("CSD", 7424, 6, CHARGER, 5, ms(250), 0x181DF456, False),
}
TABLE_2011 = [CHANGED_2011.get(row[0], row) for row in TABLE_2015 if row[0] not in ("CHM", "BHM")]


def rows(messages: MessageSet) -> list[tuple[object, ...]]:
    return [
        (
            each.name,
            each.pgn,
            each.priority,
            each.sender,
            getattr(each, "most", each.length),
            each.period,
            messages.ids(each)[each.sender or "charger"],
            each.transport,
        )
        for each in messages.messages
    ]


@pytest.mark.parametrize(("name", "table"), [("2015", TABLE_2015), ("2011", TABLE_2011)])
def test_the_message_table(name: str, table: list[tuple[object, ...]]) -> None:
    assert rows(edition(name)) == table


@pytest.mark.parametrize("name", ["2015", "2011"])
def test_what_travels_in_its_own_frame_is_found_by_identifier(name: str) -> None:
    messages = edition(name)
    for declared in messages.messages:
        if declared.sender is None or declared.transport:
            assert declared.can_id is None
        else:
            assert declared.can_id == messages.ids(declared)[declared.sender]
            assert messages.by_id[declared.can_id] is declared
        assert messages.by_pgn[declared.pgn] is declared
        assert messages.by_name[declared.name] is declared


def test_identifiers_of_either_side() -> None:
    messages = edition("2015")
    assert messages.ids(messages.by_name["DM2"]) == {"charger": 0x1821F456, "bms": 0x182156F4}
    assert split_id(0x182156F4) == (6, 0x2100, 0x56, 0xF4)


def test_lengths_that_a_sender_may_use() -> None:
    new, old = edition("2015"), edition("2011")
    assert new.lengths(new.by_name["CCS"]) == (7, 8)  # D2
    assert new.lengths(new.by_name["BRO"]) == (1,)
    assert old.lengths(old.by_name["CCS"]) == (6, 8)
    assert old.lengths(old.by_name["BRO"]) == (1, 8)
    assert old.lengths(old.by_name["CRM"]) == (8,)
    assert old.lengths(old.by_name["BCS"]) == (9,)


# sheet 3; SPN 0 where the sheet gives none (3.20)
SPNS = {
    "CHM": [2600],
    "BHM": [2601],
    "CRM": [2560, 2561, 2562],
    "BRM": [2565, 2566, 2567, 2568, 2569, 2570, 2571, 2571, 2571, 2572, 2573, 2575, 2576, 2576, 2576, 2576],
    "BCP": [2816, 2817, 2818, 2819, 2820, 2821, 2822],
    "CTS": [2823] * 6,
    "CML": [2824, 2825, 2826, 2827],
    "BRO": [2829],
    "CRO": [2830],
    "BCL": [3072, 3073, 3074],
    "BCS": [3075, 3076, 3077, 3077, 3078, 3079],
    "CCS": [3081, 3082, 3083, 3929],
    "BSM": [3085, 3086, 3087, 3088, 3089, 3090, 3091, 3092, 3093, 3094, 3095, 3096],
    "BST": [3511] * 4 + [3512] * 8 + [3513] * 2,
    "CST": [3521] * 4 + [3522] * 6 + [3523] * 2,
    "BSD": [3601, 3602, 3603, 3604, 3605],
    "CSD": [3611, 3612, 3613],
    "BEM": [3901, 3902, 3903, 3904, 3905, 3906, 3907],
    "CEM": [3921, 3922, 3923, 3924, 3925, 3926, 3927],
}


@pytest.mark.parametrize("name", SPNS)
def test_every_signal_has_its_spn(name: str) -> None:
    assert [each.spn for each in edition("2015").by_name[name].signals.values()] == SPNS[name]


def test_signals_that_2011_lacks() -> None:
    lacking = {
        name: set(edition("2015").by_name[name].signals) - set(edition("2011").by_name[name].signals)
        for name in edition("2011").by_name
    }
    assert {name: signals for name, signals in lacking.items() if signals} == {
        "BRM": {"software_number", "software_day", "software_month", "software_year"},
        "CML": {"min_current"},
        "CCS": {"charging_permitted"},
        "BST": {"charger_stopped", "hv_relay_fault", "cc2_voltage_fault"},
        "CST": {"bms_stopped"},
    }


@pytest.mark.parametrize("name", ["BCP", "BCL", "BMT", "BSP"])
def test_what_2011_changes_in_ranges_alone(name: str) -> None:
    def layout(messages: MessageSet) -> list[tuple[object, ...]]:
        declared = messages.by_name[name]
        signals = declared.element if issubclass(declared, ListMessage) else declared.signals
        return [
            (key, each.spn, each.start, each.length, each.scale, each.offset, each.unit, each.choices)
            for key, each in signals.items()
        ]

    assert layout(edition("2011")) == layout(edition("2015"))


def test_ranges_of_2011() -> None:
    """Sheet 1.3 and 2.2: 0..750 V, -400..0 A."""
    messages = edition("2011")
    bcl: Any = messages.by_name["BCL"]  # its signals are known at run time only
    demand = bcl(voltage_demand=750.0, current_demand=0.0, mode=1)
    assert demand.encode() == bytes.fromhex("4C1D A00F 01")
    with pytest.raises(CodecError, match=r"BCL\.voltage_demand: 750\.1 V .*allowed is 0\.0 \.\. 750\.0 V"):
        demand.replace(voltage_demand=750.1).encode()
    with pytest.raises(CodecError, match=r"BCL\.current_demand: 0\.1 A .*allowed is -400\.0 \.\. 0\.0 A"):
        demand.replace(current_demand=0.1).encode()


def test_an_unknown_edition_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no edition '2016' of GB/T 27930; there are 2011, 2015"):
        edition("2016")
