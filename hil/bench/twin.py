"""Fresh virtual benches, one for each load profile: where profiles are generated, searched and made small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from hil.bench.driver import Driver
from hil.bench.judge import Inconclusive, Judge
from hil.bench.profiles import Outcome, judged, replay
from hil.bench.setup import Setup, build
from hil.conformance.verdict import Verdict
from hil.profile.model import LoadProfile
from hil.profile.reduce import reduced
from hil.protocol.gbt27930 import edition
from hil.world.pipe import World

Build = Callable[[Setup], World]


class Pool:
    """Outcomes of generated profiles, made once and shared by the cases that judge them."""

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        self.outcomes = list(outcomes)

    def failing(self, case: str) -> Iterator[Outcome]:
        """Outcomes that fail a case."""
        return (each for each in self.outcomes if each.verdict(case) is Verdict.FAIL)

    def judging(self, case: str) -> list[Outcome]:
        """Outcomes that gave this case something to judge."""
        return [each for each in self.outcomes if each.verdict(case) is not Verdict.NONE]


class Twin:
    """Builds a world for each profile from one setup: the same edition, readings and faults.

    ``build`` makes worlds; ``pools`` keeps what was generated, for whoever gives the same dictionary.
    """

    def __init__(self, base: Setup, build: Build = build, pools: dict[str, Pool] | None = None, seed: int = 0) -> None:
        self.base = base
        self.seed = seed
        """Of generated profiles."""
        self._build = build
        self._pools = {} if pools is None else pools

    def world(self, profile: LoadProfile) -> World:
        """A fresh world in which everything stands as the profile has it at its start."""
        setup = replace(
            self.base, vehicle=profile.vehicle, soc=profile.soc, temperature=profile.temperature, seed=profile.seed
        )
        return self._build(setup)

    def open(self, profile: LoadProfile) -> Driver:
        """A fresh bench for a profile; nothing has happened on it."""
        return Driver(self.world(profile), edition(self.base.edition), Judge(), self.base.readings)

    def run(self, profile: LoadProfile, cases: tuple[str, ...] = ()) -> Outcome:
        """Replay a profile in a world of its own and judge it by these cases, or by all."""
        bench = self.open(profile)
        problem = ""
        try:
            replay(bench, profile)
        except Inconclusive as error:
            problem = str(error)
        outcome = Outcome(profile, judged(bench, cases), problem)
        bench.close()
        return outcome

    def pool(self, name: str, profiles: Callable[[], Iterable[LoadProfile]]) -> Pool:
        """The outcomes of these profiles; run when first asked for."""
        key = f"{name} {sorted(self.base.readings.items())}"
        if key not in self._pools:
            self._pools[key] = Pool(map(self.run, profiles()))
        return self._pools[key]

    def smallest(self, profile: LoadProfile, case: str) -> LoadProfile:
        """The smallest profile found that fails a case, by whichever of its measurements.

        A profile that does not fail is given back as it is.
        """

        def fails(candidate: LoadProfile) -> bool:
            return self.run(candidate, (case,)).verdict(case) is Verdict.FAIL

        return reduced(profile, fails) if fails(profile) else profile
