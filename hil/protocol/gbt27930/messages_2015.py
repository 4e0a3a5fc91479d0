"""Messages of GB/T 27930-2015, as in sheet sections 2.1 and 3."""

from __future__ import annotations

from hil.codec.lists import ListMessage
from hil.codec.message import Message
from hil.codec.signal import signal, status
from hil.units import ms, s

READY = {0x00: "not ready", 0xAA: "ready", 0xFF: "invalid"}
RECOGNITION = {0x00: "not recognised", 0xAA: "recognised"}
MODE = {1: "constant voltage", 2: "constant current"}
BATTERY = {
    1: "lead-acid",
    2: "NiMH",
    3: "LiFePO4",
    4: "LiMn2O4",
    5: "LiCoO2",
    6: "ternary",
    7: "polymer Li-ion",
    8: "lithium titanate",
    0xFF: "other",
}
OWNERSHIP = {0: "leased", 1: "owned"}
HIGH_LOW = {0: "normal", 1: "too high", 2: "too low"}
ABNORMAL = {0: "normal", 1: "abnormal", 2: "untrusted"}
PERMISSION = {0: "forbidden", 1: "allowed"}
PAUSE = {0: "paused", 1: "allowed"}
REACHED = {0: "not reached", 1: "reached", 2: "untrusted"}
OVERCURRENT = {0: "normal", 1: "overcurrent", 2: "untrusted"}
TOO_HIGH = {0: "normal", 1: "too high", 2: "untrusted"}
STOPPED = {0: "normal", 1: "stopped for this reason", 2: "untrusted"}
CHARGER_STOPPED = {0: "normal", 1: "charger stopped", 2: "untrusted"}
EXCEEDED = {0: "normal", 1: "current exceeds demand", 2: "untrusted"}
MISMATCH = {0: "matches", 1: "mismatch", 2: "untrusted"}
FAULT = {0: "normal", 1: "fault", 2: "untrusted"}
TIMEOUT = {0: "normal", 1: "timeout", 2: "untrusted"}


class CHM(Message, pgn=0x2600, length=3, sender="charger", period=ms(250), can_id=0x1826F456):
    """Charger handshake (sheet 3.1)."""

    version: int = signal(2600, start=0, length=24)


class BHM(Message, pgn=0x2700, length=2, sender="bms", period=ms(250), can_id=0x182756F4):
    """Vehicle handshake (sheet 3.2)."""

    max_total_voltage: float = signal(2601, start=0, length=16, scale="0.1", unit="V")


class CRM(Message, pgn=0x0100, length=8, sender="charger", period=ms(250), can_id=0x1801F456):
    """Charger recognition (sheet 3.3); another result than the two counts as not received (sheet 5.5, B-N4)."""

    result: int = signal(2560, start=0, length=8, choices=RECOGNITION, closed=True)
    charger_number: int = signal(2561, start=8, length=32)
    region: str | None = signal(2562, start=40, length=24, kind="ascii", optional=True, default=None)


class BRM(Message, pgn=0x0200, length=49, priority=7, sender="bms", period=ms(250), transport=True):
    """BMS and vehicle recognition (sheet 3.4; length: D1)."""

    version: int = signal(2565, start=0, length=24)
    battery_type: int = signal(2566, start=24, length=8, choices=BATTERY)
    rated_capacity: float = signal(2567, start=32, length=16, scale="0.1", unit="Ah", low=0, high=1000)
    rated_voltage: float = signal(2568, start=48, length=16, scale="0.1", unit="V")
    battery_maker: str | None = signal(2569, start=64, length=32, kind="ascii", optional=True, default=None)
    pack_serial: bytes | None = signal(2570, start=96, length=32, kind="bytes", optional=True, default=None)
    production_year: int | None = signal(
        2571, start=128, length=8, offset="1985", unit="year", low=1985, high=2235, optional=True, default=None
    )
    production_month: int | None = signal(
        2571, start=136, length=8, unit="month", low=1, high=12, optional=True, default=None
    )
    production_day: int | None = signal(
        2571, start=144, length=8, unit="day", low=1, high=31, optional=True, default=None
    )
    charge_count: int | None = signal(2572, start=152, length=24, optional=True, default=None)
    ownership: int | None = signal(2573, start=176, length=8, choices=OWNERSHIP, optional=True, default=None)
    vin: str | None = signal(2575, start=192, length=136, kind="ascii", optional=True, default=None)
    software_number: int | None = signal(2576, start=328, length=8, low=1, high=0xFE, optional=True, default=None)
    software_day: int | None = signal(
        2576, start=336, length=8, unit="day", low=1, high=31, optional=True, default=None
    )
    software_month: int | None = signal(
        2576, start=344, length=8, unit="month", low=1, high=12, optional=True, default=None
    )
    software_year: int | None = signal(
        2576, start=352, length=16, unit="year", kind="year", optional=True, default=None
    )


class BCP(Message, pgn=0x0600, length=13, priority=7, sender="bms", period=ms(500), transport=True):
    """Battery charging parameters (sheet 3.5)."""

    max_cell_voltage: float = signal(2816, start=0, length=16, scale="0.01", unit="V", low=0, high=24)
    max_current: float = signal(2817, start=16, length=16, scale="0.1", offset="-400", unit="A")
    nominal_energy: float | None = signal(
        2818, start=32, length=16, scale="0.1", unit="kWh", low=0, high=1000, optional=True, default=None
    )
    max_total_voltage: float = signal(2819, start=48, length=16, scale="0.1", unit="V")
    max_temperature: float = signal(2820, start=64, length=8, offset="-50", unit="°C", low=-50, high=200)
    soc: float = signal(2821, start=72, length=16, scale="0.1", unit="%", low=0, high=100)
    present_voltage: float = signal(2822, start=88, length=16, scale="0.1", unit="V")


class CTS(Message, pgn=0x0700, length=7, sender="charger", period=ms(500), can_id=0x1807F456):
    """Time synchronisation, optional (sheet 3.6): packed BCD, year low pair first."""

    second: int | None = signal(2823, start=0, length=8, unit="s", kind="bcd", optional=True, default=None)
    minute: int | None = signal(2823, start=8, length=8, unit="min", kind="bcd", optional=True, default=None)
    hour: int | None = signal(2823, start=16, length=8, unit="h", kind="bcd", optional=True, default=None)
    day: int | None = signal(2823, start=24, length=8, unit="day", kind="bcd", optional=True, default=None)
    month: int | None = signal(2823, start=32, length=8, unit="month", kind="bcd", optional=True, default=None)
    year: int | None = signal(2823, start=40, length=16, unit="year", kind="bcd", optional=True, default=None)


class CML(Message, pgn=0x0800, length=8, sender="charger", period=ms(250), can_id=0x1808F456):
    """Charger output limits (sheet 3.7)."""

    max_voltage: float = signal(2824, start=0, length=16, scale="0.1", unit="V")
    min_voltage: float = signal(2825, start=16, length=16, scale="0.1", unit="V")
    max_current: float = signal(2826, start=32, length=16, scale="0.1", offset="-400", unit="A")
    min_current: float = signal(2827, start=48, length=16, scale="0.1", offset="-400", unit="A")


class BRO(Message, pgn=0x0900, length=1, priority=4, sender="bms", period=ms(250), can_id=0x100956F4):
    """Battery ready (sheet 3.8)."""

    ready: int = signal(2829, start=0, length=8, choices=READY)


class CRO(Message, pgn=0x0A00, length=1, priority=4, sender="charger", period=ms(250), can_id=0x100AF456):
    """Charger ready (sheet 3.8)."""

    ready: int = signal(2830, start=0, length=8, choices=READY)


class BCL(Message, pgn=0x1000, length=5, sender="bms", period=ms(50), can_id=0x181056F4):
    """Charging demand (sheet 3.9)."""

    voltage_demand: float = signal(3072, start=0, length=16, scale="0.1", unit="V")
    current_demand: float = signal(3073, start=16, length=16, scale="0.1", offset="-400", unit="A")
    mode: int = signal(3074, start=32, length=8, choices=MODE)


class BCS(Message, pgn=0x1100, length=9, priority=7, sender="bms", period=ms(250), transport=True):
    """Battery charge status (sheet 3.10)."""

    voltage: float = signal(3075, start=0, length=16, scale="0.1", unit="V")
    current: float = signal(3076, start=16, length=16, scale="0.1", offset="-400", unit="A")
    max_cell_voltage: float = signal(3077, start=32, length=12, scale="0.01", unit="V", low=0, high=24)
    max_cell_group: int = signal(3077, start=44, length=4)
    soc: int = signal(3078, start=48, length=8, unit="%", low=0, high=100)
    remaining_time: int = signal(3079, start=56, length=16, unit="min", low=0, high=600)


class CCS(Message, pgn=0x1200, length=7, lengths=(7, 8), sender="charger", period=ms(50), can_id=0x1812F456):
    """Charger charging status (sheet 3.11; length: D2)."""

    voltage: float = signal(3081, start=0, length=16, scale="0.1", unit="V")
    current: float = signal(3082, start=16, length=16, scale="0.1", offset="-400", unit="A")
    charging_time: int = signal(3083, start=32, length=16, unit="min", low=0, high=600)
    charging_permitted: int = status(3929, start=48, choices=PAUSE, default=1)


class BSM(Message, pgn=0x1300, length=7, sender="bms", period=ms(250), can_id=0x181356F4):
    """Battery state (sheet 3.12)."""

    max_cell_number: int = signal(3085, start=0, length=8, offset="1")
    max_temperature: float = signal(3086, start=8, length=8, offset="-50", unit="°C", low=-50, high=200)
    max_temperature_sensor: int = signal(3087, start=16, length=8, offset="1", low=1, high=128)
    min_temperature: float = signal(3088, start=24, length=8, offset="-50", unit="°C", low=-50, high=200)
    min_temperature_sensor: int = signal(3089, start=32, length=8, offset="1", low=1, high=128)
    cell_voltage_state: int = status(3090, start=40, choices=HIGH_LOW, default=0)
    soc_state: int = status(3091, start=42, choices=HIGH_LOW, default=0)
    overcurrent: int = status(3092, start=44, choices=OVERCURRENT, default=0)
    overtemperature: int = status(3093, start=46, choices=TOO_HIGH, default=0)
    insulation: int = status(3094, start=48, choices=ABNORMAL, default=0)
    connector: int = status(3095, start=50, choices=ABNORMAL, default=0)
    charging_permission: int = status(3096, start=52, choices=PERMISSION, default=1)


class BMV(
    ListMessage,
    pgn=0x1500,
    priority=7,
    sender="bms",
    period=s(10),
    transport=True,
    size=2,
    most=256,
    element={
        "voltage": signal(3101, start=0, length=12, scale="0.01", unit="V", low=0, high=24),
        "group": signal(3101, start=12, length=4),
    },
):
    """Cell voltages, optional (sheet 3.13)."""


class BMT(
    ListMessage,
    pgn=0x1600,
    priority=7,
    sender="bms",
    period=s(10),
    transport=True,
    size=1,
    most=128,
    element={"temperature": signal(3361, start=0, length=8, offset="-50", unit="°C", low=-50, high=200)},
):
    """Battery temperatures, optional (sheet 3.13)."""


class BSP(
    ListMessage,
    pgn=0x1700,
    priority=7,
    sender="bms",
    period=s(10),
    transport=True,
    size=1,
    most=16,
    element={"byte": signal(3491, start=0, length=8)},
):
    """Reserved, optional (sheet 3.13)."""


class BST(Message, pgn=0x1900, length=4, priority=4, sender="bms", period=ms(10), can_id=0x101956F4):
    """BMS stops charging (sheet 3.14)."""

    soc_reached: int = status(3511, start=0, choices=REACHED, default=0)
    total_voltage_reached: int = status(3511, start=2, choices=REACHED, default=0)
    cell_voltage_reached: int = status(3511, start=4, choices=REACHED, default=0)
    charger_stopped: int = status(3511, start=6, choices=CHARGER_STOPPED, default=0)
    insulation_fault: int = status(3512, start=8, choices=FAULT, default=0)
    connector_overtemperature: int = status(3512, start=10, choices=FAULT, default=0)
    bms_element_overtemperature: int = status(3512, start=12, choices=FAULT, default=0)
    charging_connector_fault: int = status(3512, start=14, choices=FAULT, default=0)
    pack_overtemperature: int = status(3512, start=16, choices=FAULT, default=0)
    hv_relay_fault: int = status(3512, start=18, choices=FAULT, default=0)
    cc2_voltage_fault: int = status(3512, start=20, choices=FAULT, default=0)
    other_fault: int = status(3512, start=22, choices=FAULT, default=0)
    overcurrent: int = status(3513, start=24, choices=EXCEEDED, default=0)
    voltage_abnormal: int = status(3513, start=26, choices=ABNORMAL, default=0)


class CST(Message, pgn=0x1A00, length=4, priority=4, sender="charger", period=ms(10), can_id=0x101AF456):
    """Charger stops charging (sheet 3.15)."""

    condition_reached: int = status(3521, start=0, choices=STOPPED, default=0)
    manual_stop: int = status(3521, start=2, choices=STOPPED, default=0)
    fault_stop: int = status(3521, start=4, choices=STOPPED, default=0)
    bms_stopped: int = status(3521, start=6, choices=STOPPED, default=0)
    charger_overtemperature: int = status(3522, start=8, choices=FAULT, default=0)
    charging_connector_fault: int = status(3522, start=10, choices=FAULT, default=0)
    internal_overtemperature: int = status(3522, start=12, choices=FAULT, default=0)
    energy_not_deliverable: int = status(3522, start=14, choices=FAULT, default=0)
    emergency_stop: int = status(3522, start=16, choices=FAULT, default=0)
    other_fault: int = status(3522, start=18, choices=FAULT, default=0)
    current_mismatch: int = status(3523, start=24, choices=MISMATCH, default=0)
    voltage_abnormal: int = status(3523, start=26, choices=ABNORMAL, default=0)


class BSD(Message, pgn=0x1C00, length=7, sender="bms", period=ms(250), can_id=0x181C56F4):
    """BMS statistics (sheet 3.16)."""

    soc: int = signal(3601, start=0, length=8, unit="%")
    min_cell_voltage: float = signal(3602, start=8, length=16, scale="0.01", unit="V", low=0, high=24)
    max_cell_voltage: float = signal(3603, start=24, length=16, scale="0.01", unit="V", low=0, high=24)
    min_temperature: float = signal(3604, start=40, length=8, offset="-50", unit="°C", low=-50, high=200)
    max_temperature: float = signal(3605, start=48, length=8, offset="-50", unit="°C", low=-50, high=200)


class CSD(Message, pgn=0x1D00, length=8, sender="charger", period=ms(250), can_id=0x181DF456):
    """Charger statistics (sheet 3.17; charger number: D6)."""

    charging_time: int = signal(3611, start=0, length=16, unit="min", low=0, high=600)
    energy: float = signal(3612, start=16, length=16, scale="0.1", unit="kWh", low=0, high=1000)
    charger_number: int = signal(3613, start=32, length=32)


class BEM(Message, pgn=0x1E00, length=4, priority=2, sender="bms", period=ms(250), can_id=0x081E56F4):
    """BMS error (sheet 3.18): sparse layout (D3)."""

    crm_00: int = status(3901, start=0, choices=TIMEOUT, default=0)
    crm_aa: int = status(3902, start=2, choices=TIMEOUT, default=0)
    cts_cml: int = status(3903, start=8, choices=TIMEOUT, default=0)
    cro: int = status(3904, start=10, choices=TIMEOUT, default=0)
    ccs: int = status(3905, start=16, choices=TIMEOUT, default=0)
    cst: int = status(3906, start=18, choices=TIMEOUT, default=0)
    csd: int = status(3907, start=24, choices=TIMEOUT, default=0)


class CEM(Message, pgn=0x1F00, length=4, priority=2, sender="charger", period=ms(250), can_id=0x081FF456):
    """Charger error (sheet 3.19): sparse layout (D3), priority 2 (D7)."""

    brm: int = status(3921, start=0, choices=TIMEOUT, default=0)
    bcp: int = status(3922, start=8, choices=TIMEOUT, default=0)
    bro: int = status(3923, start=10, choices=TIMEOUT, default=0)
    bcs: int = status(3924, start=16, choices=TIMEOUT, default=0)
    bcl: int = status(3925, start=18, choices=TIMEOUT, default=0)
    bst: int = status(3926, start=20, choices=TIMEOUT, default=0)
    bsd: int = status(3927, start=24, choices=TIMEOUT, default=0)


FMI = {
    0: "battery voltage fault",
    1: "battery current fault",
    2: "battery temperature fault",
    3: "battery insulation fault",
    4: "battery output connector overtemperature",
    5: "BMS element or pack output connector overtemperature",
    6: "charger temperature fault",
    7: "charger connector fault",
    8: "charger internal temperature fault",
}
DTC = {
    "spn": signal(0, start=0, length=19),
    "fmi": signal(0, start=19, length=5, choices=FMI),
    "occurrence_count": signal(0, start=24, length=7, optional=True),
    "conversion_method": signal(0, start=31, length=1),
}
"""Sheet 3.20 (S1): differs from J1939-73. An occurrence count of all ones is unknown (None)."""
_LENGTH_AND_DTC = {
    "entry_length": signal(0, start=0, length=8),
    "spn": signal(0, start=8, length=19),
    "fmi": signal(0, start=27, length=5, choices=FMI),
    "occurrence_count": signal(0, start=32, length=7, optional=True),
    "conversion_method": signal(0, start=39, length=1),
}


class DM1(ListMessage, pgn=0x2000, size=4, most=446, element=DTC):
    """Active trouble codes (sheet 3.20)."""


class DM2(ListMessage, pgn=0x2100, size=4, most=446, element=DTC):
    """Stored trouble codes (sheet 3.20)."""


class DM3(Message, pgn=0x2200, length=2):
    """Diagnostic readiness (sheet 3.20)."""

    active_count: int = signal(0, start=0, length=8)
    stored_count: int = signal(0, start=8, length=8)


class DM4(Message, pgn=0x2300, length=0):
    """Clear active trouble codes (sheet 3.20; PGN: D11)."""


class DM5(Message, pgn=0x2400, length=0):
    """Clear stored trouble codes (sheet 3.20)."""


class DM6(ListMessage, pgn=0x2500, size=5, most=357, element=_LENGTH_AND_DTC):
    """Freeze frames (sheet 3.20): a length byte before each trouble code."""


MESSAGES: tuple[type[Message], ...] = (
    CHM,
    BHM,
    CRM,
    BRM,
    BCP,
    CTS,
    CML,
    BRO,
    CRO,
    BCL,
    BCS,
    CCS,
    BSM,
    BMV,
    BMT,
    BSP,
    BST,
    CST,
    BSD,
    CSD,
    BEM,
    CEM,
    DM1,
    DM2,
    DM3,
    DM4,
    DM5,
    DM6,
)
