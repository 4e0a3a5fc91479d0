"""What a run comes to before anything runs: rig, edition, readings, faults, and which cases in which forms."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from hil.bench.ac_profiles import AcOutcome
from hil.bench.opening import kind_of
from hil.bench.setup import MeterPlace, Setup
from hil.bench.twin import Pool
from hil.conformance.catalogue import Requirement, requirements
from hil.conformance.register import PRESETS, register, resolve
from hil.dut.ac_modbus.spec import ONE_OUTLET
from hil.dut.faults import AnyFault, all_faults
from hil.errors import UsageError
from hil.protocol.gbt27930 import EDITIONS
from hil.pytest_plugin.battery import beyond_envelope, lacks_battery
from hil.pytest_plugin.dut import DutKeeper
from hil.pytest_plugin.near import known_name
from hil.pytest_plugin.options import Options, join_words
from hil.pytest_plugin.suites import Suites, choose
from hil.rig import Rig, applicability, find_rig, lacks_besides, lacks_transport, load_rig, told_claims

STANDARD = "gbt27930"
_DAY = 86_400
_FORM = re.compile(r"(?P<case>[^\[\]]+)(?P<labels>(\[[^\[\]]+\])+)$")


@cache
def _shared_cases() -> frozenset[str]:
    """Names of cases that several shipped suites have: only the suite tells which is meant."""
    counted = Counter(requirement.case for requirement in requirements().values())
    return frozenset(case for case, count in counted.items() if count > 1)


@dataclass(frozen=True)
class Run:
    """One run of one case: one variant under one reading."""

    requirement: Requirement
    variant: str | None = None
    reading: str | None = None
    """``name=choice`` where the requirement depends on a reading whose choices exclude each other."""
    advisory: bool = False
    not_applicable: str | None = None
    purpose: str = ""
    nodeid: str = ""

    @property
    def label(self) -> str:
        """What tells runs of one case apart: ``short``, ``dn2007-2009=print``; empty for an only one."""
        return "-".join(part for part in (self.variant, self.reading) if part)

    @property
    def stem(self) -> str:
        """Name of its trace files."""
        case = self.requirement.case
        name = f"{self.requirement.suite}-{case}" if case in _shared_cases() else case
        return f"{name}-{self.label}" if self.label else name


@dataclass(frozen=True)
class RunPlan:
    """Everything that is decided before the first world is built."""

    options: Options
    rig: Rig
    edition: str
    seed: int
    explicit: Mapping[str, str]
    """Readings that somebody chose, on the command line or in the rig file."""
    readings: Mapping[str, str]
    """A choice for every entry of the register."""
    faults: tuple[AnyFault, ...]
    out: Path
    suites: Suites = field(default_factory=Suites)
    """What can be judged, shipped or a user's own."""
    pools: dict[str, Pool] = field(default_factory=dict, compare=False, repr=False)
    """Generated load profiles and what came of them, shared by the cases that judge them."""
    ac_pools: dict[str, list[AcOutcome]] = field(default_factory=dict, compare=False, repr=False)
    """The same of AC profiles."""
    dut: DutKeeper | None = field(default=None, compare=False, repr=False)
    """The DUT as a process, where the rig starts it."""

    @property
    def register_map(self) -> str:
        """The map of the Modbus device; empty for that of the reference device.

        Where a live rig names none, registers beside pins are those of the reference AC charger, in every suite.
        """
        roles = set() if self.rig.virtual else set(self.rig.roles)
        is_charger = {"modbus", "signals"} <= roles and not roles & {"can", "console"}
        return self.rig.dut.map or (next(iter(ONE_OUTLET)) if is_charger else "")

    def runs(self, requirement: Requirement) -> list[Run]:
        """Every run of a requirement on this rig, in the catalogue's order."""
        reason = applicability(requirement, self.rig, self.edition)
        counted = requirement.basis in self.rig.opt_in
        runs = [
            Run(
                requirement,
                variant,
                reading,
                advisory=(requirement.advisory and not counted) or _is_advisory(requirement, variant, reading),
                not_applicable=reason,
            )
            for reading in self._choices(requirement)
            for variant in (*requirement.variants, *requirement.advisory_variants) or (None,)
        ]
        return [self._unless_unfit(self._unless_moot(run)) for run in runs]

    def _unless_unfit(self, run: Run) -> Run:
        lack = lacks_transport(run.requirement, run.variant, self.rig)
        lack = lack or lacks_besides(run.requirement, run.variant, self.rig)
        lack = lack or lacks_battery(run.requirement.vehicle(run.variant), self.rig)
        if run.requirement.bench == STANDARD:
            lack = lack or beyond_envelope(run.requirement.vehicle(run.variant) or self.rig.bench.vehicle, self.rig)
        if lack is not None and run.not_applicable is None:
            return replace(run, not_applicable=lack)
        # On ports there is one device; on a virtual bench without a map of the rig, each run has its own.
        unfit = kind_of(run.requirement.bench).unfit if self.rig.dut.map or not self.rig.virtual else None
        reason = None if unfit is None else unfit(self.setup(run), run.requirement, run.variant)
        return run if reason is None or run.not_applicable is not None else replace(run, not_applicable=reason)

    def _unless_moot(self, run: Run) -> Run:
        moot = run.requirement.moot_by(run.variant, self.readings_of(run))
        if moot is None or run.not_applicable is not None:
            return run
        return replace(run, not_applicable=f"means nothing under the reading {moot}")

    def _choices(self, requirement: Requirement) -> list[str | None]:
        name = requirement.reading
        if name is None:
            return [None]
        # A real DUT is built to one reading, and nothing can be said of the others.
        if name in self.explicit or not self.rig.virtual:
            return [f"{name}={self.readings[name]}"]
        return [f"{name}={choice}" for choice in register()[name].choices]

    def readings_of(self, run: Run) -> dict[str, str]:
        """The readings under which a run is judged, and to which the reference charger is built."""
        chosen = dict(self.readings)
        if run.reading is not None:
            name, _, choice = run.reading.partition("=")
            chosen[name] = choice
        return chosen

    def setup(self, run: Run) -> Setup:
        """The virtual bench of a run."""
        bench, vehicle = self.rig.bench, run.requirement.vehicle(run.variant)
        return Setup(
            seed=seed_of(self.seed, run),
            edition=self.edition,
            vehicle=vehicle or bench.vehicle,
            soc=None if vehicle else bench.soc,
            temperature=bench.temperature,
            readings=self.readings_of(run),
            validity=bench.validity,
            safe_current=bench.safe_current,
            model=run.requirement.model(run.variant) if self.rig.virtual else "",
            claims={} if self.rig.virtual else told_claims(self.rig.dut),
            map=self.register_map,
            transport=self.rig.modbus_transport,
            instruments=tuple(self.rig.instruments.values()),
            meter=MeterPlace.of(self.rig),
            faults=tuple(fault.name for fault in self.faults),
        )

    def selects(self, run: Run) -> bool:
        """Whether the options ask for a run: the suites given, and of these the cases and requirements given."""
        options = self.options
        if options.suite and run.requirement.suite not in options.suite:
            return False
        if not options.case and not options.requirement:
            return True
        return run.requirement.id in options.requirement or any(_names(case, run) for case in options.case)

    def repeat(self, run: Run) -> str:
        """The command line that runs exactly this again."""
        case = f"{run.requirement.case}[{run.variant}]" if run.variant else run.requirement.case
        words = ["hil", "run", "--case", case, "--seed", str(self.seed)]
        folder = self.suites.folders.get(run.requirement.suite)
        if folder is None and run.requirement.case in _shared_cases():
            folder = run.requirement.suite
        words += [] if folder is None else ["--suite", folder]
        options = self.options
        words += self._rig_words()
        if self.edition != self.rig.edition:
            words += ["--edition", f"{STANDARD}={self.edition}"]
        readings = [each for each in options.reading if each.partition("=")[0] != (run.requirement.reading or "")]
        for each in (*readings, *((run.reading,) if run.reading else ())):
            words += ["--reading", each]
        return join_words([*words, *self._fault_words()])

    def replay(self, run: Run, profile: Path) -> str:
        """The command line that replays a load profile as this run did."""
        here = Path.cwd()
        path = profile.relative_to(here) if profile.is_relative_to(here) else profile
        words = ["hil", "profile", "replay", path.as_posix()]
        words += self._rig_words()
        for each in (*self.options.reading, *((run.reading,) if run.reading else ())):
            words += ["--reading", each]
        return join_words([*words, *self._fault_words()])

    def _rig_words(self) -> list[str]:
        words = ["--rig", self.options.rig] if self.options.rig != Options.rig else []
        return words + (["--interlocks-checked"] if self.options.interlocks_checked else [])

    def refuse_unchecked(self) -> None:
        """Raise :class:`UsageError` where a live rig has interlocks that nobody answers for: no signal tells them, and
        the operator has not said that they are closed."""
        unwatched = self.rig.unwatched
        if unwatched and not self.rig.virtual and not self.options.interlocks_checked:
            raise UsageError(
                f"rig {self.rig.name} has interlocks that no signal tells of: {', '.join(unwatched)}; "
                "check by hand and give --interlocks-checked, or bind each in [signals] to what the box calls it"
            )

    def _fault_words(self) -> list[str]:
        return [word for fault in self.faults for word in ("--fault", fault.name)]


def _is_advisory(requirement: Requirement, variant: str | None, reading: str | None) -> bool:
    choice = (reading or "").partition("=")[2]
    return variant in requirement.advisory_variants or choice in requirement.advisory_choices


def seed_of(seed: int, run: Run) -> int:
    """The seed of one run: of its own, so that neither order nor neighbours change a trace."""
    parts = (str(seed), run.requirement.id, run.variant or "", run.reading or "")
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:7], "big")


def _names(case: str, run: Run) -> bool:
    name, labels = _parts(case)
    return name == run.requirement.case and all(label in (run.label, run.variant, run.reading) for label in labels)


def _parts(case: str) -> tuple[str, list[str]]:
    """``DN.2004[short]`` as case and labels."""
    form = _FORM.match(case)
    return (form["case"], form["labels"][1:-1].split("][")) if form else (case, [])


def make_plan(options: Options, *, serving: bool = False) -> RunPlan:
    """The plan of a run; everything wrong with the options raises :class:`UsageError` with what is allowed.

    ``serving``: the reference devices are to be put on the rig's ports, where faults may be seeded into them.
    """
    rig = load_rig(find_rig(options.rig))
    edition = _edition(options.edition, rig)
    preset, chosen = _readings(options.reading)
    faults = _faults(options.fault)
    if faults and not (rig.virtual or serving):
        raise UsageError(
            f"--fault: rig {rig.name} is no virtual one; faults are seeded into the reference charger only"
        )
    seed = rig.bench.seed if options.seed is None else options.seed
    if seed < 0:
        raise UsageError(f"--seed {seed}: allowed is 0 and more")
    if options.max_real_time is not None and not 0 < options.max_real_time <= _DAY:
        raise UsageError(
            f"--max-real-time {options.max_real_time:g}: allowed is more than 0 seconds and up to {_DAY}, a day"
        )
    chosen_suites = choose(options.suite)
    for identifier in options.requirement:
        known_name("requirement", identifier, chosen_suites.catalogue)
    explicit = {**rig.readings, **chosen}
    readings = resolve(explicit, preset or rig.preset)
    cases = tuple(_case(case, chosen_suites.catalogue) for case in options.case)
    limit = rig.bench.max_real_time if options.max_real_time is None else options.max_real_time
    options = replace(options, case=cases, suite=chosen_suites.asked, max_real_time=limit)
    keeper = None if rig.process is None or serving else DutKeeper(rig.process, Path(options.out))
    out = Path(options.out)
    return RunPlan(options, rig, edition, seed, explicit, readings, faults, out, suites=chosen_suites, dut=keeper)


def _case(text: str, catalogue: Mapping[str, Requirement]) -> str:
    """A case id as the standard writes it; pytest's underscores and small letters are taken too."""
    case, labels = _parts(text)
    known = {requirement.case: requirement for requirement in catalogue.values()}
    upper = case.removeprefix("test_").upper().replace("_", ".")
    found = known_name("case", upper if upper in known else case, known)
    return found + "".join(f"[{label}]" for label in labels)


def _edition(given: tuple[str, ...], rig: Rig) -> str:
    edition = rig.edition
    for each in given:
        standard, equals, edition = each.partition("=")
        if not equals or standard != STANDARD or edition not in EDITIONS:
            allowed = " or ".join(f"{STANDARD}={name}" for name in EDITIONS)
            raise UsageError(f"--edition {each!r}: allowed is {allowed}")
    return edition


def _readings(given: tuple[str, ...]) -> tuple[str | None, dict[str, str]]:
    """Preset and single choices."""
    preset: str | None = None
    chosen: dict[str, str] = {}
    for each in given:
        name, equals, choice = each.partition("=")
        if equals:
            chosen[name] = choice
        elif name in PRESETS:
            preset = name
        else:
            raise UsageError(f"--reading {each!r}: allowed is NAME=CHOICE, {' or '.join(PRESETS)}; see `hil readings`")
    return preset, chosen


def _faults(names: tuple[str, ...]) -> tuple[AnyFault, ...]:
    if not names:
        return ()
    faults = all_faults()
    if not faults:
        raise UsageError("--fault: no seeded faults are declared")
    return tuple(faults[known_name("seeded fault", name.replace("_", "-"), faults)] for name in names)
