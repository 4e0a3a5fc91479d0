"""Results as they come, one JSON line each: what a run reached is on disk if the process dies."""

from __future__ import annotations

from io import FileIO
from pathlib import Path

import msgspec

from hil.conformance.verdict import CaseResult
from hil.errors import HilError

FILE_NAME = "results.jsonl"


class ResultLog:
    """Writes ``out/results.jsonl`` anew; each :meth:`append` has reached the operating system when it returns.

    Raises :class:`HilError` naming the path when the folder or the disk refuses.
    """

    def __init__(self, out: Path) -> None:
        self.path = out / FILE_NAME
        self._encoder = msgspec.json.Encoder()
        try:
            out.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(self.path, "w")
        except OSError as error:
            why = error.strerror or error
            raise HilError(f"cannot write evidence to {self.path}: {why}; choose another folder with --out") from error

    def append(self, result: CaseResult) -> None:
        """Keep one result."""
        rest = memoryview(self._encoder.encode(result) + b"\n")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except (OSError, ValueError) as error:
            raise HilError(f"cannot write evidence to {self.path}: {error}") from error

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        self._file.close()

    def __enter__(self) -> ResultLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def read_results(out: Path) -> list[CaseResult]:
    """What ``out/results.jsonl`` holds, in order; a last line cut off by a kill is left out.

    Raises :class:`HilError` for a file that is missing or is no result log.
    """
    path = out / FILE_NAME
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
        results: list[CaseResult] = msgspec.json.Decoder(CaseResult).decode_lines(whole)
    except OSError as error:
        raise HilError(f"cannot read results from {path}: {error.strerror or error}") from error
    except msgspec.MsgspecError as error:
        raise HilError(f"{path} is no result log: {error}") from error
    return results
