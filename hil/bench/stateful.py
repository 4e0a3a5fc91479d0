"""A stateful model for user suites: vehicle, operator, link and plant act in any order on one bench.

Subclass :class:`ProfileMachine`, say how a bench is opened, and let Hypothesis find the order of things
that breaks an invariant::

    class TestCharger(ProfileMachine.TestCase):
        settings = settings(max_examples=20, stateful_step_count=15)

Every example runs in a fresh world; when it ends, the session is ended in order and every invariant is
judged over all that was seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from hil.bench import actions
from hil.bench.driver import Driver
from hil.bench.phases import Phase
from hil.bench.profiles import AFTERWARDS, judged
from hil.bench.setup import Setup, highest_voltage
from hil.bench.twin import Twin
from hil.conformance.catalogue import requirements
from hil.conformance.register import resolve
from hil.conformance.verdict import Verdict
from hil.profile.invariants import INVARIANTS
from hil.profile.model import LoadProfile, Segment
from hil.protocol.gbt27930 import BCL, BCS, BSM, CST
from hil.units import s

_SPANS = (0.1, 0.5, 2.0, 6.0, 11.0)
OpenBench = Callable[[], Driver]


def open_virtual(vehicle: str = "car-400v", faults: tuple[str, ...] = ()) -> Driver:
    """A fresh virtual bench with the reference charger."""
    ordinary = Segment(duration=1.0, current=50.0, voltage=highest_voltage(vehicle))
    twin = Twin(Setup(vehicle=vehicle, readings=resolve({}), faults=faults))
    return twin.open(LoadProfile(name="stateful", vehicle=vehicle, segments=(ordinary,)))


class ProfileMachine(RuleBasedStateMachine):
    """What vehicle, operator, link and plant may do while a charger charges."""

    open_bench: ClassVar[OpenBench] = staticmethod(open_virtual)
    """Opens a fresh bench for each example; a session-scoped factory may be put here."""
    vehicle: ClassVar[str] = "car-400v"

    def __init__(self) -> None:
        super().__init__()
        self.bench = type(self).open_bench()
        self.paused = self.silent = False

    @initialize()
    def charge(self) -> None:
        """Bring the session to the charging phase."""
        self.bench.reach(Phase.CHARGING)

    # --- vehicle ----------------------------------------------------------------------------------

    @rule(amperes=st.integers(0, 200), held=st.booleans())
    def demand(self, amperes: int, held: bool) -> None:
        """Another demand, in either mode."""
        volts = highest_voltage(self.vehicle)
        self.bench.do(actions.demand(voltage=volts, current=float(amperes), mode=1 if held else 2))

    @precondition(lambda self: not self.paused)
    @rule()
    def pause(self) -> None:
        """BSM forbids charging."""
        self.bench.do(actions.alter(BSM, charging_permission=0))
        self.paused = True

    @precondition(lambda self: self.paused)
    @rule()
    def resume(self) -> None:
        """BSM allows it again."""
        self.bench.do(actions.alter(BSM, charging_permission=1))
        self.paused = False

    @precondition(lambda self: self.bench.record.last(CST.name) is None)
    @rule(reason=st.sampled_from(("soc_reached", "insulation_fault")))
    def stop(self, reason: str) -> None:
        """The vehicle ends the charge."""
        self.bench.do(actions.stop_charging(reason))

    # --- operator, plant, link ----------------------------------------------------------------------

    @rule()
    def stop_button(self) -> None:
        """Somebody presses stop."""
        self.bench.do(actions.stimulate("stop_press", 1))

    @rule(name=st.sampled_from(("cc1_broken", "pe_broken", "emergency_press")))
    def line(self, name: str) -> None:
        """A line breaks, or the emergency stop is pressed."""
        self.bench.do(actions.stimulate(name, 1))

    @rule(soc=st.integers(20, 90))
    def pack(self, soc: int) -> None:
        """Another SOC."""
        self.bench.do(actions.stimulate("pack_soc", float(soc)))

    @precondition(lambda self: not self.silent)
    @rule(message=st.sampled_from((BCL, BCS)))
    def lose(self, message: actions.MessageType) -> None:
        """A message no longer comes."""
        self.bench.do(actions.silence(message))
        self.silent = True

    @precondition(lambda self: self.silent)
    @rule()
    def find(self) -> None:
        """Every message comes again."""
        self.bench.do(actions.resume())
        self.silent = False

    @rule(seconds=st.sampled_from(_SPANS))
    def let(self, seconds: float) -> None:
        """Time passes."""
        self.bench.let(s(seconds))

    # --- judging ------------------------------------------------------------------------------------

    def teardown(self) -> None:
        """End the session in order and judge every invariant that binds; a broken one is an assertion."""
        bench = self.bench
        bench.do(actions.resume(), actions.alter(BSM, charging_permission=1), actions.stop_charging("soc_reached"))
        bench.let(AFTERWARDS)
        measured = judged(bench)
        bench.close()
        broken = [
            f"{INVARIANTS[case].requirement}: {each.name} {each.value} {each.unit}, at {each.at} ns"
            for case, values in measured.items()
            for each in values
            if each.verdict is Verdict.FAIL and not requirements()[INVARIANTS[case].requirement].advisory
        ]
        assert not broken, "; ".join(broken)
