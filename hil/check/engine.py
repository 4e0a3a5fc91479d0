"""A log in, deviations out: streaming, in constant memory, whatever the file holds."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from pathlib import Path

import msgspec

from hil.conformance.monitors import MonitorSet, Report, Run, Tally
from hil.conformance.register import resolve
from hil.conformance.verdict import Finding, Verdict
from hil.errors import HilError, UsageError
from hil.evidence.trace import STREAM_SUFFIX, read_stream
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS
from hil.transport.logs import LogReader
from hil.units import MICROSECOND, SECOND, Instant, Span, show_instant
from hil.world.observation import FrameSeen, Observation

_CHUNK = 4096
_FEW = 20
_EQUAL_SHARE = 50
"""More than one in so many consecutive stamps equal: frames on one bus cannot be, so the clock is coarse."""
_MOST_NOTES = 200
_PAIRS = (BMS_ADDRESS << 8 | CHARGER_ADDRESS, CHARGER_ADDRESS << 8 | BMS_ADDRESS)

Source = Iterable[Observation]


class Note(msgspec.Struct, frozen=True):
    """Something about the file itself."""

    where: str
    text: str


class Check(msgspec.Struct):
    """The outcome for one log. Instants are nanoseconds in the file's own time."""

    file: str
    sha256: str
    """Of the file; empty where it cannot be read."""
    format: str
    edition: str
    readings: dict[str, str]
    resolution: Span
    """Of the stamps, in nanoseconds."""
    resolution_from: str
    """``stamps``, or ``given``."""
    frames: int
    judged: int
    """Frames between a charger's and a vehicle's address."""
    start: Instant
    end: Instant
    findings: list[Finding]
    """The first ten of each kind that fail, the first of each kind that is not decidable, in order of time."""
    tallies: list[Tally]
    """How many there were of each kind."""
    runs: list[Run]
    reports: list[Report]
    notes: list[Note]
    show: Callable[[Instant], str] = show_instant
    """An instant as the file writes it."""

    @property
    def failed(self) -> list[Finding]:
        """Deviations that bind, of either side."""
        return [each for each in self.findings if each.verdict is Verdict.FAIL and not each.advisory]


def check_log(
    path: Path,
    *,
    edition: str = "2015",
    readings: Mapping[str, str] | None = None,
    preset: str | None = None,
    resolution: Span | None = None,
    mapping: Path | None = None,
) -> Check:
    """Judge a recorded log, or a saved stream of observations (``.jsonl``).

    ``resolution`` in nanoseconds; None takes the finest step that the stamps use. Raises
    :class:`UsageError` for what was asked wrongly (file, suffix, edition, reading, mapping), never
    for what the file holds.
    """
    chosen = resolve(readings or {}, preset)
    log = _Log(path, mapping)
    chunks = log.chunks()
    first = next(chunks, [])
    taken, how = resolution, "given"
    if taken is None:
        taken, how = (0 if log.exact else stamp_resolution([each.t for each in first])), "stamps"
    monitors = MonitorSet(edition, chosen, taken)
    end = start = first[0].t if first else 0
    judged = 0
    for chunk in _chain(first, chunks):
        judged += sum(type(each) is FrameSeen and each.id & 0xFFFF in _PAIRS for each in chunk)
        monitors.feed(chunk)
        end = max(end, chunk[-1].t)
    findings = sorted(monitors.close(end), key=lambda each: each.at)
    notes = [*log.notes(), *(Note(log.show(remark.at), remark.text) for remark in monitors.remarks)]
    if how == "stamps" and 0 < log.frames < _FEW and not log.exact:
        notes.append(Note("file", f"{log.frames} frames are few to tell the resolution of their stamps by"))
    return Check(
        file=os.fsencode(path.name).decode("utf-8", "replace"),
        sha256=_digest(path),
        format=log.format,
        edition=edition,
        readings=chosen,
        resolution=taken,
        resolution_from=how,
        frames=log.frames,
        judged=judged,
        start=start,
        end=end,
        findings=findings,
        tallies=monitors.tallies,
        runs=monitors.runs,
        reports=monitors.reports,
        notes=notes[:_MOST_NOTES],
        show=log.show,
    )


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def stamp_resolution(stamps: Sequence[Instant]) -> Span:
    """The finest step that stamps use, in nanoseconds: their digits, and more where many are equal."""
    step = SECOND
    for t in stamps:
        while t % step:
            step //= 10
    step = max(step, MICROSECOND)
    gaps = [after - before for before, after in pairwise(stamps)]
    positive = [gap for gap in gaps if gap > 0]
    if positive and gaps.count(0) * _EQUAL_SHARE > len(gaps):
        return max(step, min(positive))
    return step


def _chain(first: list[Observation], rest: Iterator[list[Observation]]) -> Iterator[list[Observation]]:
    if first:
        yield first
    yield from rest


class _Log:
    """A log file or a saved stream, in pieces of bounded size."""

    def __init__(self, path: Path, mapping: Path | None) -> None:
        self.exact = path.suffix.lower() == STREAM_SUFFIX
        """Stamps are the simulation's own."""
        self._path = path
        self._failure = ""
        self._port: str | None = None
        self._others: dict[str, int] = {}
        self.frames = 0
        self._reader: LogReader | None = None
        if not self.exact:
            self._reader = LogReader(path, mapping)
        elif path.is_dir():
            raise UsageError(f"{path}: is a folder; give one log in it")
        elif not path.is_file():
            raise UsageError(f"{path}: there is no such file")

    @property
    def format(self) -> str:
        return "observations" if self._reader is None else self._reader.format

    def show(self, t: Instant) -> str:
        """An instant as the file writes it."""
        return show_instant(t) if self._reader is None else self._reader.show(t)

    def chunks(self) -> Iterator[list[Observation]]:
        """Up to 4,096 observations at a time, of one bus."""
        source: Iterator[Observation] = iter(self._stream() if self._reader is None else self._reader)
        while chunk := list(islice(source, _CHUNK)):
            self.frames += sum(type(each) is FrameSeen for each in chunk)
            if self._reader is not None and len(self._reader.ports) > 1:
                chunk = self._one_bus(chunk)
            if chunk:
                yield chunk

    def _stream(self) -> Iterator[Observation]:
        try:
            yield from read_stream(self._path)
        except HilError as error:
            self._failure = str(error)

    def _one_bus(self, chunk: list[Observation]) -> list[Observation]:
        """Only the first bus on which a charger and a vehicle speak."""
        kept: list[Observation] = []
        for each in chunk:
            if isinstance(each, FrameSeen):
                speaks = each.id & 0xFFFF in _PAIRS
                if self._port is None and speaks:
                    self._port = each.port
                if each.port == self._port:
                    kept.append(each)
                elif speaks:
                    self._others[each.port] = self._others.get(each.port, 0) + 1
            elif getattr(each, "port", self._port) == self._port:
                kept.append(each)
        return kept

    def notes(self) -> list[Note]:
        """What was wrong with the file."""
        found = [Note("file", self._failure)] if self._failure else []
        for port, count in self._others.items():
            found.append(Note("file", f"{count} frames of another session on channel {port} are not judged"))
        if self._reader is not None:
            found += [Note(problem.where, problem.text) for problem in self._reader.problems]
            if self._reader.problems_lost:
                found.append(Note("file", f"{self._reader.problems_lost} further places could not be read"))
        return found
