"""Hardware-in-the-loop test bench for EV chargers."""

from hil.native import use

use()
