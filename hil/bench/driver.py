"""Driving a session of GB/T 27930 for one case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hil.bench.core import AtInstant, Moment, Monitors, Sink, ignore, instant_of
from hil.bench.judge import Inconclusive, Judge
from hil.bench.phases import Phase
from hil.bench.record import MessageSeen, Record
from hil.bench.signals import SignalChecks
from hil.bench.vehicle import VehicleHandle
from hil.plant.signals import BY_NAME
from hil.protocol.gbt27930 import MessageSet
from hil.units import Span, s, show_instant
from hil.world.observation import BusErrorSeen
from hil.world.pipe import World
from hil.world.plan import OnMessage, Stimulate

if TYPE_CHECKING:
    from hil.bench.twin import Twin

_SETTLE: Span = s(3)
"""From the first CCS until the output follows the demand (a rise by 20 A/s would take longer: see cases)."""
_LOSING = ("bus_off", "overflow")
"""Errors of a port by which frames are lost. Those without acknowledge are none: a DUT that died gives none."""


class Driver(SignalChecks[Record]):
    """Synchronous access to a world with a session of GB/T 27930."""

    def __init__(
        self,
        world: World,
        messages: MessageSet,
        judge: Judge,
        readings: Mapping[str, str],
        sink: Sink = ignore,
        monitors: Monitors | None = None,
    ) -> None:
        super().__init__(world, judge, readings, record=Record(messages), signals=BY_NAME, sink=sink, monitors=monitors)
        self._started = False
        self.messages = messages
        """Of the edition that the bench speaks."""
        self.twin: Twin | None = None
        """Makes fresh virtual benches like this one, where there is such a thing."""
        self.vehicle = VehicleHandle(self)

    def trouble(self) -> str:
        """The bus of the stand-in failed although the case had put no fault on it: frames of the bench were lost."""
        if self._disturbed:
            return ""
        for seen in self.record.observations:
            if isinstance(seen, BusErrorSeen) and seen.node == self.vehicle.node and seen.kind in _LOSING:
                counts = f"transmit errors {seen.tec}, receive errors {seen.rec}"
                return f"the bench's own port had {seen.kind} at {show_instant(seen.t)} ({counts})"
        return ""

    # --- sessions ---------------------------------------------------------------------------------

    def plug_in(self) -> None:
        """Insert the plug fully."""
        self.do(Stimulate("plugged", 1, setup=True))

    def unplug(self) -> None:
        """Pull the plug."""
        self.do(Stimulate("plugged", 0, setup=True))

    def start(self) -> None:
        """Authorise a session, as by card or app."""
        self._started = True
        self.do(Stimulate("start_press", 1, setup=True))

    def reach(self, phase: Phase, *, within: Span | None = None) -> MessageSeen:
        """Bring the session to a phase and return the message that shows it.

        Starts a session when none was. Not reached in time: :class:`Inconclusive`. In the charging
        phase the output has followed the demand for some seconds.
        """
        if not self._started:
            self.plug_in()
            self.let(s(1))
            self.start()
        known = len(self._shown(phase.trigger))
        if not self.wait(phase.trigger, within or phase.limit):
            raise Inconclusive(f"phase {phase.value} was not reached by {show_instant(self.now)}")
        # A world that goes on by itself may have brought more of them in the meantime.
        seen = self._shown(phase.trigger)[known]
        if phase is Phase.CHARGING:
            self.let(_SETTLE)
        return seen

    def _shown(self, trigger: OnMessage) -> list[MessageSeen]:
        """Messages seen so far that are what a trigger waits for."""
        wanted = trigger.fields.items()
        return [
            seen
            for seen in self.record.all(trigger.message)
            if all(getattr(seen.message, name, None) == value for name, value in wanted)
        ]


__all__ = ["AtInstant", "Driver", "Moment", "Monitors", "Sink", "ignore", "instant_of"]
