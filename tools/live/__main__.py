"""``python -m tools.live``: the GB/T suites against the served reference charger, in real time, over a real transport.

    python -m tools.live                                 # what CI runs, on every transport, in a minute
    python -m tools.live --transport slcan --all         # the whole of both suites, in sessions beside each other
    python -m tools.live --transport vcan --case DN.3006

``udp`` is python-can's udp_multicast in a network namespace of its own, ``slcan`` an adapter on a pty, ``vcan`` the
kernel's, on this machine or in the guest of ``tools/vcan``. With a selection, and after the whole, a charger with a
seeded fault is served too, which its case has to catch. Exit code 0: as expected; 1: not; 77: none of these transports
can be had here.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.live.parts import again, beside, split, virtual_durations
from tools.live.rigs import TRANSPORTS, has_vcan, network_of_its_own, write_rig
from tools.live.session import judge, name_of
from tools.vcan import guest

UNAVAILABLE = guest.UNAVAILABLE
SELECTION = ("DP.1001", "DN.3002", "LL.08", "D0.3101")
"""Good course, error handling, transport protocol, what is measured on pins: short ones."""
FAULTS = {
    "udp": ("lost-bcl-late", "DN.3006"),
    "slcan": ("no-precharge", "D0.3101"),
    "vcan": ("ccs-at-70-ms", "DP.3001"),
}
"""A defect of the served charger, and the case that has to catch it."""
LONGEST_CASE = {"selection": 60, "named": 1500}
"""s of real time that one run may take; the longest there is takes 660."""
LONGEST = 3 * 3600
"""s after which a guest with named cases hangs."""


def main(arguments: list[str] | None = None) -> int:
    """Find where the transports can be had, and run there."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--transport", choices=TRANSPORTS, action="append", help="repeatable (default: every one)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--selection", action="store_true", help="what CI runs (the default)")
    which.add_argument("--all", action="store_true", help="the whole of both suites")
    which.add_argument("--case", action="append", default=[], help="only this case; repeatable")
    processors = len(os.sched_getaffinity(0))
    parser.add_argument(
        "--beside",
        type=int,
        default=processors,
        metavar="N",
        help=f"sessions at a time (default: one a processor, here {processors})",
    )
    parser.add_argument("--out", type=Path, help="keep traces and reports there (default: nowhere)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # where the transport is known to be
    options = parser.parse_args(arguments)
    if options.beside < 1:
        parser.error(f"--beside {options.beside}: at least 1")
    if options.out is None:
        with tempfile.TemporaryDirectory() as folder:
            options.out = Path(folder)
            return _run(options)
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    transports = options.transport or TRANSPORTS
    if options.here:
        return _judge(transports[0], options.case, options.out)
    parts = split(virtual_durations(), options.beside) if options.all else [options.case]
    codes: list[int] = []
    # A guest keeps the kernel's own threads from running, which other transports need.
    alone = [transport for transport in transports if transport == "vcan" and not has_vcan()]
    for group in ([transport for transport in transports if transport not in alone], alone):
        codes += _judge_beside(group, parts, options)
    if set(codes) <= {UNAVAILABLE}:
        return UNAVAILABLE
    return 0 if set(codes) <= {0, UNAVAILABLE} else 1


def _judge_beside(transports: list[str], parts: Sequence[Sequence[str]], options: argparse.Namespace) -> list[int]:
    """Exit codes of sessions beside each other."""
    codes: list[int] = []
    commands: dict[str, list[str]] = {}
    for transport in transports:
        for number, cases in enumerate([*parts, []] if options.all else parts):  # at last the selection with its fault
            label = f"{transport} {number + 1}" if options.all else transport
            out = options.out / transport / str(number + 1) if options.all else options.out / transport
            try:
                commands[label] = _command(transport, cases, out, number)
            except guest.UnavailableError as error:
                print(f"{transport}: skipped: {error}", file=sys.stderr)
                codes.append(UNAVAILABLE)
                break
    return codes + list(beside(commands, options.beside).values())


def _command(transport: str, cases: Sequence[str], out: Path, number: int) -> list[str]:
    """The words that judge a transport where it can be had; raises :class:`guest.UnavailableError` where nowhere."""
    out.mkdir(parents=True, exist_ok=True)
    words = again(
        "--here", "--transport", transport, "--out", str(out), *(each for case in cases for each in ("--case", case))
    )
    if transport == "udp":
        network = network_of_its_own()
        if network is None:
            reason = "nobody may make a network namespace here (`unshare -n`), and frames would leave this machine"
            raise guest.UnavailableError(reason)
        return [*network, *words]
    if transport == "vcan" and not has_vcan():
        guest.kernel()
        longest = str(LONGEST if cases else guest.LONGEST)
        every = sorted(os.sched_getaffinity(0))  # a guest takes one processor, and shares it badly
        one = ["taskset", "-c", str(every[number % len(every)])]
        return [*one, sys.executable, "-m", "tools.vcan.guest", "--writable", str(out), "--longest", longest, *words]
    return words


def _judge(transport: str, named: list[str], out: Path) -> int:
    """Both processes here."""
    cases = [word for case in named or SELECTION for word in ("--case", case)]
    longest = LONGEST_CASE["named" if named else "selection"]
    with tempfile.TemporaryDirectory() as folder:
        rig = write_rig(transport, Path(folder))
        print("the charger as it is", flush=True)
        good = judge(rig, out / "good", [*cases, "--max-real-time", str(longest)])
        good.tell()
        met = good.code == 0 and bool(good.judged)
        if not named:
            fault, case = FAULTS[transport]
            print(f"the charger with {fault}", flush=True)
            bad = judge(rig, out / "fault", ["--case", case], fault=fault)
            bad.tell()
            caught = [name_of(each) for each in bad.judged if each["verdict"] == "fail"] == [case]
            print(f"  {fault} {'is caught' if caught else 'IS NOT CAUGHT'} by {case}", flush=True)
            met &= caught
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
