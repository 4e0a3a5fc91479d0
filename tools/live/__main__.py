"""``python -m tools.live``: the GB/T suites against the served reference charger, in real time, over a real transport.

    python -m tools.live --transport udp --selection     # what CI runs, less than a minute
    python -m tools.live --transport slcan --all         # the whole of both suites, more than an hour
    python -m tools.live --transport vcan --case DN.3006

``udp`` is python-can's udp_multicast in a network namespace of its own, ``slcan`` an adapter on a pty, ``vcan`` the
kernel's, on this machine or in the guest of ``tools/vcan``. With a selection a charger with a seeded fault is served
too, which its case has to catch. Exit code 0: as expected; 1: not; 77: this transport cannot be had here.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.live.rigs import TRANSPORTS, has_vcan, network_of_its_own, write_rig
from tools.live.session import judge, name_of
from tools.vcan import guest

UNAVAILABLE = guest.UNAVAILABLE
ALL = ("--suite", "gbt27930", "--suite", "gbt34657")
SELECTION = ("DP.1001", "DN.3002", "LL.08", "D0.3101")
"""Good course, error handling, transport protocol, what is measured on pins: short ones."""
FAULTS = {
    "udp": ("lost-bcl-late", "DN.3006"),
    "slcan": ("no-precharge", "D0.3101"),
    "vcan": ("ccs-at-70-ms", "DP.3001"),
}
"""A defect of the served charger, and the case that has to catch it."""
LONGEST_CASE = {True: 900, False: 60}
"""s of real time that one run may take, with all of them and with a selection."""
LONGEST = 3 * 3600
"""s after which a guest with all of them hangs."""


def main(arguments: list[str] | None = None) -> int:
    """Find where the transport can be had, and run there."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.live", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--transport", choices=TRANSPORTS, required=True)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--selection", action="store_true", help="what CI runs (the default)")
    which.add_argument("--all", action="store_true", help="the whole of both suites")
    which.add_argument("--case", action="append", default=[], help="only this case; repeatable")
    parser.add_argument("--out", type=Path, help="keep traces and reports there (default: nowhere)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # where the transport is known to be
    options = parser.parse_args(arguments)
    if options.out is None:
        with tempfile.TemporaryDirectory() as folder:
            options.out = Path(folder)
            return _run(options)
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    if options.here or options.transport == "slcan" or (options.transport == "vcan" and has_vcan()):
        return _judge(options)
    command = [
        sys.executable,
        "-m",
        "tools.live",
        "--here",
        "--transport",
        options.transport,
        "--out",
        str(options.out),
    ]
    command += ["--all"] * options.all + [word for case in options.case for word in ("--case", case)]
    if options.transport == "vcan":
        try:
            return guest.run(command, writable=options.out, longest=LONGEST if options.all else guest.LONGEST)
        except guest.UnavailableError as error:
            return _cannot(f"no vcan0, and no guest with one: {error}")
    words = network_of_its_own()
    if words is None:
        return _cannot("nobody may make a network namespace here (`unshare -n`), and frames would leave this machine")
    return subprocess.run([*words, *command], check=False).returncode  # noqa: S603 - this program again


def _cannot(reason: str) -> int:
    print(f"skipped: {reason}", file=sys.stderr)
    return UNAVAILABLE


def _judge(options: argparse.Namespace) -> int:
    """Both processes here."""
    cases = [word for case in options.case or SELECTION for word in ("--case", case)]
    chosen = [*(ALL if options.all else cases), "--max-real-time", str(LONGEST_CASE[options.all])]
    with tempfile.TemporaryDirectory() as folder:
        rig = write_rig(options.transport, Path(folder))
        print(f"{options.transport}: the charger as it is", flush=True)
        good = judge(rig, options.out / "good", chosen)
        good.tell()
        met = good.code == 0 and bool(good.judged)
        if not options.case:
            fault, case = FAULTS[options.transport]
            print(f"{options.transport}: the charger with {fault}", flush=True)
            bad = judge(rig, options.out / "fault", ["--case", case], fault=fault)
            bad.tell()
            caught = [name_of(each) for each in bad.judged if each["verdict"] == "fail"] == [case]
            print(f"  {fault} {'is caught' if caught else 'IS NOT CAUGHT'} by {case}", flush=True)
            met &= caught
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
