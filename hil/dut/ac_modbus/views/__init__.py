"""What stands behind the registers of each map that the reference AC charger answers to."""

from hil.dut.ac_modbus.views.alfen import AlfenView
from hil.dut.ac_modbus.views.basis import View
from hil.dut.ac_modbus.views.charx import CharxView
from hil.dut.ac_modbus.views.keba import KebaView

VIEWS: dict[str, type[View]] = {"alfen-ng9xx": AlfenView, "keba-p30": KebaView, "phoenix-charx-sec": CharxView}
"""By the name of the map."""

__all__ = ["VIEWS", "View"]
