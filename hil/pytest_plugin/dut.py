"""The rig's DUT as a process, seen from a run: it is there when a case begins, and what becomes of it is judged."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hil.rig.ports import DutProcessSettings
from hil.transport.dut_process import DutError, DutProcess
from hil.units import Span

FOLDER = "dut"
"""Of the outputs, in the folder of the reports."""


class End(NamedTuple):
    """What became of a DUT that does not go on."""

    how: str
    words: str
    """Its last ones."""

    def __str__(self) -> str:
        """As one sentence."""
        return f"the DUT {self.how}; {self.words}"


class DutKeeper:
    """One for a run. A DUT that has ended, hangs, or has not passed a case is started again before the next one."""

    def __init__(self, settings: DutProcessSettings, out: Path) -> None:
        self._process = DutProcess(settings)
        self._out = out

    def prepare(self, stem: str) -> str:
        """Have it run and ready for a case; returns where its output is kept, relative to the folder of the reports.

        Raises :class:`DutError` with its last words when it does not come up.
        """
        path = self._out / FOLDER / f"{stem}.log"
        self._process.log_to(path)
        try:
            self._process.start()
        except DutError as error:
            self._process.log_to(None)
            raise DutError(f"{error} (all of it: {path.relative_to(self._out).as_posix()})") from error
        return path.relative_to(self._out).as_posix()

    def ended(self, within: Span = 0) -> End | None:
        """How it ended since it was ready; None while it runs, and goes on to for so long."""
        return self._end(self._process.ended_within(within))

    def check(self) -> None:
        """Raise :class:`DutError` when it has ended: nothing more is to be waited for."""
        ended = self.ended()
        if ended is not None:
            raise DutError(str(ended))

    def judged(self) -> End | None:
        """The same after a case; a hang counts too, where the rig tells how one is known. May take that long."""
        return self._end(self._process.ended or self._process.hung())

    def _end(self, how: str | None) -> End | None:
        return None if how is None else End(how, self._process.last_words)

    def release(self, *, passed: bool) -> None:
        """The case is over. What did not pass may have left it in any state, so it is started afresh."""
        if not passed:
            self._process.stop()
        self._process.log_to(None)

    def close(self) -> None:
        """Stop it: the run is over."""
        self._process.close()
