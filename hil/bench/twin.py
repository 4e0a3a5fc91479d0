"""Fresh virtual benches, one for each load profile: where profiles are generated, searched and made small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec.structs import replace

from hil.bench.driver import Driver
from hil.bench.guard import spoilt_by
from hil.bench.judge import Inconclusive, Judge
from hil.bench.profiles import Outcome, judged, replay
from hil.bench.setup import Setup, build
from hil.conformance.verdict import Verdict
from hil.errors import WorldError
from hil.profile.coverage import Coverage
from hil.profile.model import LoadProfile
from hil.profile.reduce import reduced
from hil.protocol.gbt27930 import edition
from hil.safety.envelope import Envelope
from hil.world.pipe import World
from hil.world.plan import Describe

Build = Callable[[Setup], World]


class Pool:
    """Outcomes of generated profiles, made once and shared by the cases that judge them.

    ``coverage`` has what they have reached, under these readings.
    """

    def __init__(
        self, theme: str, outcomes: Iterable[Outcome], coverage: Coverage, readings: Mapping[str, str]
    ) -> None:
        self.theme = theme
        self.outcomes = list(outcomes)
        self.coverage = coverage
        self.readings = readings

    def failing(self, case: str) -> Iterator[Outcome]:
        """Outcomes that fail a case."""
        return (each for each in self.outcomes if each.verdict(case) is Verdict.FAIL)

    def judging(self, case: str) -> list[Outcome]:
        """Outcomes that gave this case something to judge."""
        return [each for each in self.outcomes if each.verdict(case) is not Verdict.NONE]


class Twin:
    """Builds a world for each profile from one setup: the same edition, readings and faults.

    ``build`` makes worlds; ``pools`` keeps what was generated, for whoever gives the same dictionary. ``envelope`` is
    that of the rig whose twin it is.
    """

    def __init__(
        self,
        base: Setup,
        build: Build = build,
        pools: dict[str, Pool] | None = None,
        seed: int = 0,
        envelope: Envelope | None = None,
    ) -> None:
        self.base = base
        self.seed = seed
        """Of generated profiles."""
        self.envelope = envelope
        """What they have to stay within, as far as they are legal ones."""
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
        bench = Driver(self.world(profile), edition(self.base.edition), Judge(), self.base.readings)
        bench.measure_with(self.base.instruments)
        return bench

    def run(self, profile: LoadProfile, cases: tuple[str, ...] = (), coverage: Coverage | None = None) -> Outcome:
        """Replay a profile in a world of its own and judge it by these cases, or by all.

        What it has reached is added to ``coverage``, where that is given. Where the envelope has held something back,
        or ended the session, nothing is judged.
        """
        bench = self.open(profile)
        problem = ""
        try:
            replay(bench, profile)
        except Inconclusive as error:
            problem = str(error)
        except WorldError:
            if not spoilt_by(bench.record.notes):
                raise
        spoilt = spoilt_by(bench.record.notes)
        if spoilt:
            bench.close()
            return Outcome(profile, {}, spoilt)
        outcome = Outcome(profile, judged(bench, cases), problem)
        if coverage is not None:
            bench.execute(Describe())
            coverage.add(profile, bench.record.notes)
        bench.close()
        return outcome

    def pool(self, name: str, profiles: Callable[[], Iterable[LoadProfile]]) -> Pool:
        """The outcomes of these profiles; run when first asked for."""
        key = f"{name} {sorted(self.base.readings.items())}"
        if key not in self._pools:
            coverage = Coverage()
            outcomes = [self.run(each, coverage=coverage) for each in profiles()]
            self._pools[key] = Pool(name, outcomes, coverage, self.base.readings)
        return self._pools[key]

    def smallest(self, profile: LoadProfile, case: str) -> LoadProfile:
        """The smallest profile found that fails a case, by whichever of its measurements.

        A profile that does not fail is given back as it is.
        """

        def fails(candidate: LoadProfile) -> bool:
            return self.run(candidate, (case,)).verdict(case) is Verdict.FAIL

        return reduced(profile, fails) if fails(profile) else profile
