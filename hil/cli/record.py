"""``hil record``: everything that the ports of a rig show, to files, without taking part."""

from __future__ import annotations

import contextlib
from functools import partial
from pathlib import Path
from typing import Annotated

import can
import typer
from rich.console import Console

from hil.bench.recording import Listening, build_listening, deaf
from hil.cli.ending import ending
from hil.cli.errors import NOT_PASSED, OK, telling
from hil.cli.paths import out_path
from hil.errors import UsageError
from hil.evidence.trace import TraceWriter
from hil.pytest_plugin.table import console
from hil.rig import Rig, find_rig, load_rig
from hil.rig.ports import PortSettings
from hil.transport.clock import wall_seconds
from hil.transport.process import LiveProcess
from hil.units import Instant, Span, ms, s, seconds
from hil.world.observation import BytesSeen, FrameSeen, Note, Observation
from hil.world.plan import Advance, Close

EXAMPLES = """
[bold]Examples[/]

  hil record --rig my-bus.toml
  [dim]    until Ctrl-C: report/record.log (candump), report/record.jsonl (all)[/]

  hil record --rig my-bus.toml --seconds 60 --format blf --out logs
  [dim]    a minute, and the CAN frames as Vector's BLF besides[/]

[bold]Exit code[/]: 0 recorded, 1 a port was lost or nothing came, 2 usage or rig error, 3 an error on our side.
"""
FORMATS = ("asc", "blf", "csv", "log", "trc")
"""Endings that python-can writes whole (its SQLite writer loses frames when it is stopped)."""
_STEP: Span = ms(250)


@telling
def record_command(
    rig: Annotated[str, typer.Option(metavar="FILE", help="Rig file whose ports are recorded.")],
    port: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this port; repeatable.", show_default="all that can be listened to"),
    ] = None,
    seconds_: Annotated[
        float | None,
        typer.Option("--seconds", metavar="S", help="Stop after so long.", min=0.1, show_default="at Ctrl-C"),
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="ENDING",
            help=f"CAN frames in this format too: {', '.join(FORMATS)}.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option(parser=out_path, metavar="DIR", help="Folder for the files.")] = Path("report"),
) -> None:
    """Record every port of a rig to standard files, until Ctrl-C, without sending anything."""
    if log_format is not None and log_format not in FORMATS:
        raise UsageError(f"--format {log_format!r}: allowed is {', '.join(FORMATS)}")
    shown = console()
    ports = _ports(load_rig(find_rig(rig)), tuple(port or ()), shown)
    recording = _Recording(ports, out, log_format)
    for settings in ports:
        shown.print(f"recording {settings.name}: {settings.place}", markup=False, soft_wrap=True)
    shown.print("ready", soft_wrap=True)
    shown.file.flush()
    try:
        with ending() as end, contextlib.suppress(KeyboardInterrupt):
            while seconds_ is None or recording.now < s(seconds_):
                with end.whole():
                    recording.step()
    finally:
        recording.close()
    counts = ", ".join(f"{name} {count}" for name, count in recording.counts.items())
    shown.print(f"{seconds(recording.now):.1f} s recorded; frames and chunks: {counts}", soft_wrap=True)
    for path in recording.files:
        shown.print(f"  {path}", soft_wrap=True)
    for lost in recording.lost:
        shown.print(f"port {lost}", style="bold red", markup=False, soft_wrap=True)
    raise typer.Exit(NOT_PASSED if recording.lost or not any(recording.counts.values()) else OK)


def _ports(rig: Rig, wanted: tuple[str, ...], shown: Console) -> tuple[PortSettings, ...]:
    """The ports to listen on; :class:`UsageError` where there is none."""
    if rig.virtual:
        raise UsageError(f"rig {rig.name} is virtual: it has no ports to record; give a rig of kind live")
    for name in wanted:
        if name not in rig.ports:
            raise UsageError(f"--port {name}: rig {rig.name} has {', '.join(rig.ports)}")
    chosen = [rig.ports[name] for name in wanted or rig.ports]
    reasons = {each.name: deaf(each) for each in chosen}
    refused = [f"{name}: {why}" for name, why in reasons.items() if why is not None]
    left = tuple(each for each in chosen if reasons[each.name] is None)
    if refused and (wanted or not left):
        raise UsageError(f"cannot be recorded: {'; '.join(refused)}")
    for each in refused:
        shown.print(f"left out {each}", markup=False, soft_wrap=True)
    return left


class _Recording:
    """The world in its process, and the files."""

    def __init__(self, ports: tuple[PortSettings, ...], out: Path, log_format: str | None) -> None:
        self.now: Instant = 0
        self.lost: list[str] = []
        self.counts = {each.name: 0 for each in ports}
        self._writer = TraceWriter(out, "record")
        self.files = [self._writer.log_path, self._writer.stream_path]
        self._began = wall_seconds()
        self._logger = None
        if log_format is not None:
            path = out / f"record-can.{log_format}"
            self._logger = can.Logger(path)
            self.files.append(path)
        self._channels = {each.name: index for index, each in enumerate(ports)}
        self._process = LiveProcess(partial(build_listening, Listening(ports)))

    def step(self) -> None:
        """Take in what has come for a moment."""
        reply = self._process.execute(Advance(self.now + _STEP))
        self.now = reply.now
        self._take(reply.observations)

    def _take(self, observations: list[Observation]) -> None:
        self._writer.write(observations)
        for seen in observations:
            if isinstance(seen, FrameSeen | BytesSeen):
                self.counts[seen.port] += 1
            elif isinstance(seen, Note) and seen.kind == "port_lost":
                self.lost.append(f"{seen.what} was lost: {seen.details.get('why', '')}")
            if isinstance(seen, FrameSeen) and self._logger is not None:
                self._logger.on_message_received(
                    can.Message(
                        timestamp=self._began + seconds(seen.t),
                        arbitration_id=seen.id,
                        is_extended_id=seen.extended,
                        data=seen.data,
                        channel=self._channels[seen.port],
                    )
                )

    def close(self) -> None:
        """Let go of the ports, and write what is left."""
        try:
            self._take(self._process.execute(Close()).observations)
        finally:
            self._writer.close()
            if self._logger is not None:
                self._logger.stop()
