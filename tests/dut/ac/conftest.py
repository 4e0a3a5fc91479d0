"""The reference AC charger on its plant, without a bench: inputs are stimuli, time is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from hil.dut.ac import AcCharger, AcSpec, reference
from hil.dut.ac.control import FrontMaker
from hil.plant.ac import AcPlant
from hil.units import Instant, Span
from hil.world.observation import Sample
from hil.world.plan import Advance, Do, Stimulate
from hil.world.virtual import VirtualWorld


class OnPlant:
    """A charger and its plant in a world; the vehicle is the test."""

    def __init__(self, spec: AcSpec | None = None, fronts: Iterable[FrontMaker] = ()) -> None:
        self.world = VirtualWorld(0)
        self.plant = AcPlant()
        self.world.add_plant(self.plant)
        self.charger = AcCharger(spec or reference(), self.world.sense, fronts)
        self._runner = self.world.add_byte_node(self.charger)
        self.samples: list[Sample] = []
        self.let(0)

    @property
    def now(self) -> Instant:
        return self.world.queue.now

    def let(self, span: Span) -> OnPlant:
        reply = self.world.execute(Advance(self.now + span))
        self.samples += [each for each in reply.observations if isinstance(each, Sample)]
        return self

    def do(self, **stimuli: float) -> OnPlant:
        reply = self.world.execute(Do(tuple(Stimulate(name, value) for name, value in stimuli.items())))
        self.samples += [each for each in reply.observations if isinstance(each, Sample)]
        return self

    def s2(self, closed: bool) -> OnPlant:
        """The vehicle's switch: stuck open or closed takes the place of a vehicle."""
        return self.do(s2_stuck=1 if closed else 2)

    def ask(self, what: str, *arguments: float) -> OnPlant:
        """Use the control surface, as a front does."""
        getattr(self.charger, what)(*arguments, self.now)
        self._runner.settle()
        return self

    def __getitem__(self, name: str) -> float:
        return self.plant.sense(name, self.now)

    def since(self, name: str, after: Instant) -> list[tuple[Span, float]]:
        return [(each.t - after, each.value) for each in self.samples if each.name == name and each.t > after]


@pytest.fixture
def on_plant() -> Callable[..., OnPlant]:
    return OnPlant
