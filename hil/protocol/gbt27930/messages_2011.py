"""Messages of GB/T 27930-2011 where they differ from 2015 (sheet 2.2).

Besides layouts these are the priority of long messages (6), charging voltages of 0..750 V (a rated
voltage is none) and currents of -400..0 A (sheet 1.3); the measured current alone may be slightly
positive (sheet 3.10).
"""

from __future__ import annotations

from hil.codec.lists import ListMessage
from hil.codec.message import Message
from hil.codec.signal import signal, status
from hil.protocol.gbt27930 import messages_2015 as m15
from hil.protocol.gbt27930.messages_2015 import (
    ABNORMAL,
    BATTERY,
    EXCEEDED,
    FAULT,
    MISMATCH,
    MODE,
    OWNERSHIP,
    REACHED,
    RECOGNITION,
    STOPPED,
)
from hil.units import ms, s


class CRM(Message, pgn=0x0100, length=8, sender="charger", period=ms(250), can_id=0x1801F456):
    """Charger recognition, 2011."""

    result: int = signal(2560, start=0, length=8, choices=RECOGNITION, closed=True)
    charger_number: int = signal(2561, start=8, length=8, offset="1", low=1, high=100)
    region: str | None = signal(2562, start=16, length=48, kind="ascii", optional=True, default=None)


class BRM(Message, pgn=0x0200, length=41, sender="bms", period=ms(250), transport=True):
    """BMS and vehicle recognition, 2011: without the software version."""

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


class BCP(Message, pgn=0x0600, length=13, sender="bms", period=ms(500), transport=True):
    """Battery charging parameters, 2011: nominal energy is mandatory (sheet 3.5)."""

    max_cell_voltage: float = signal(2816, start=0, length=16, scale="0.01", unit="V", low=0, high=24)
    max_current: float = signal(2817, start=16, length=16, scale="0.1", offset="-400", unit="A", low=-400, high=0)
    nominal_energy: float = signal(2818, start=32, length=16, scale="0.1", unit="kWh", low=0, high=1000)
    max_total_voltage: float = signal(2819, start=48, length=16, scale="0.1", unit="V", low=0, high=750)
    max_temperature: float = signal(2820, start=64, length=8, offset="-50", unit="°C", low=-50, high=200)
    soc: float = signal(2821, start=72, length=16, scale="0.1", unit="%", low=0, high=100)
    present_voltage: float = signal(2822, start=88, length=16, scale="0.1", unit="V", low=0, high=750)


class CML(Message, pgn=0x0800, length=6, sender="charger", period=ms(250), can_id=0x1808F456):
    """Charger output limits, 2011: no minimum current."""

    max_voltage: float = signal(2824, start=0, length=16, scale="0.1", unit="V", low=0, high=750)
    min_voltage: float = signal(2825, start=16, length=16, scale="0.1", unit="V", low=0, high=750)
    max_current: float = signal(2826, start=32, length=16, scale="0.1", offset="-400", unit="A", low=-400, high=0)


class BCL(Message, pgn=0x1000, length=5, sender="bms", period=ms(50), can_id=0x181056F4):
    """Charging demand, 2011."""

    voltage_demand: float = signal(3072, start=0, length=16, scale="0.1", unit="V", low=0, high=750)
    current_demand: float = signal(3073, start=16, length=16, scale="0.1", offset="-400", unit="A", low=-400, high=0)
    mode: int = signal(3074, start=32, length=8, choices=MODE)


class BCS(Message, pgn=0x1100, length=9, sender="bms", period=ms(250), transport=True):
    """Battery charge status, 2011: groups from 1."""

    voltage: float = signal(3075, start=0, length=16, scale="0.1", unit="V", low=0, high=750)
    current: float = signal(3076, start=16, length=16, scale="0.1", offset="-400", unit="A")
    max_cell_voltage: float = signal(3077, start=32, length=12, scale="0.01", unit="V", low=0, high=24)
    max_cell_group: int = signal(3077, start=44, length=4, offset="1")
    soc: int = signal(3078, start=48, length=8, unit="%", low=0, high=100)
    remaining_time: int = signal(3079, start=56, length=16, unit="min", low=0, high=600)


class CCS(Message, pgn=0x1200, length=6, sender="charger", period=ms(50), can_id=0x1812F456):
    """Charger charging status, 2011: no permission."""

    voltage: float = signal(3081, start=0, length=16, scale="0.1", unit="V", low=0, high=750)
    current: float = signal(3082, start=16, length=16, scale="0.1", offset="-400", unit="A", low=-400, high=0)
    charging_time: int = signal(3083, start=32, length=16, unit="min", low=0, high=600)


class BMV(
    ListMessage,
    pgn=0x1500,
    sender="bms",
    period=s(1),
    transport=True,
    size=2,
    most=256,
    element={
        "voltage": signal(3101, start=0, length=12, scale="0.01", unit="V", low=0, high=24),
        "group": signal(3101, start=12, length=4, offset="1"),
    },
):
    """Cell voltages, 2011: groups from 1, every second."""


class BMT(
    ListMessage,
    pgn=0x1600,
    sender="bms",
    period=s(1),
    transport=True,
    size=1,
    most=128,
    element={"temperature": signal(3361, start=0, length=8, offset="-50", unit="°C", low=-50, high=200)},
):
    """Battery temperatures, 2011: every second."""


class BSP(
    ListMessage,
    pgn=0x1700,
    sender="bms",
    period=s(1),
    transport=True,
    size=1,
    most=16,
    element={"byte": signal(3491, start=0, length=8)},
):
    """Reserved, 2011: every second."""


class BST(Message, pgn=0x1900, length=4, priority=4, sender="bms", period=ms(10), can_id=0x101956F4):
    """BMS stops charging, 2011: fewer reasons."""

    soc_reached: int = status(3511, start=0, choices=REACHED, default=0)
    total_voltage_reached: int = status(3511, start=2, choices=REACHED, default=0)
    cell_voltage_reached: int = status(3511, start=4, choices=REACHED, default=0)
    insulation_fault: int = status(3512, start=8, choices=FAULT, default=0)
    connector_overtemperature: int = status(3512, start=10, choices=FAULT, default=0)
    bms_element_overtemperature: int = status(3512, start=12, choices=FAULT, default=0)
    charging_connector_fault: int = status(3512, start=14, choices=FAULT, default=0)
    pack_overtemperature: int = status(3512, start=16, choices=FAULT, default=0)
    other_fault: int = status(3512, start=18, choices=FAULT, default=0)
    overcurrent: int = status(3513, start=24, choices=EXCEEDED, default=0)
    voltage_abnormal: int = status(3513, start=26, choices=ABNORMAL, default=0)


class CST(Message, pgn=0x1A00, length=4, priority=4, sender="charger", period=ms(10), can_id=0x101AF456):
    """Charger stops charging, 2011."""

    condition_reached: int = status(3521, start=0, choices=STOPPED, default=0)
    manual_stop: int = status(3521, start=2, choices=STOPPED, default=0)
    fault_stop: int = status(3521, start=4, choices=STOPPED, default=0)
    charger_overtemperature: int = status(3522, start=8, choices=FAULT, default=0)
    charging_connector_fault: int = status(3522, start=10, choices=FAULT, default=0)
    internal_overtemperature: int = status(3522, start=12, choices=FAULT, default=0)
    energy_not_deliverable: int = status(3522, start=14, choices=FAULT, default=0)
    emergency_stop: int = status(3522, start=16, choices=FAULT, default=0)
    other_fault: int = status(3522, start=18, choices=FAULT, default=0)
    current_mismatch: int = status(3523, start=24, choices=MISMATCH, default=0)
    voltage_abnormal: int = status(3523, start=26, choices=ABNORMAL, default=0)


class CSD(Message, pgn=0x1D00, length=5, sender="charger", period=ms(250), can_id=0x181DF456):
    """Charger statistics, 2011: charger number of one byte, offset as in CRM so that equal bytes are equal numbers."""

    charging_time: int = signal(3611, start=0, length=16, unit="min", low=0, high=600)
    energy: float = signal(3612, start=16, length=16, scale="0.1", unit="kWh", low=0, high=1000)
    charger_number: int = signal(3613, start=32, length=8, offset="1")


_CHANGED = {cls.name: cls for cls in (CRM, BRM, BCP, CML, BCL, BCS, CCS, BMV, BMT, BSP, BST, CST, CSD)}

MESSAGES: tuple[type[Message], ...] = tuple(
    _CHANGED.get(cls.name, cls) for cls in m15.MESSAGES if cls.name not in ("CHM", "BHM")
)
