"""Runs a command in a small Linux that has CAN, on a machine whose own kernel has none.

    python tools/vcan/guest.py python -m pytest tests/vcan

The guest is Debian's user-mode-linux: one ordinary process, without privileges of its own. It sees the host's files
read-only, has an interface ``vcan0`` and the kernel's J1939, and gives the command's exit code back. Exit code 77:
there can be no guest here, with the reason on standard error. The package is downloaded and unpacked once, into
``$XDG_CACHE_HOME/hil-vcan``; nothing is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hil-vcan"
PACKAGE = "user-mode-linux"
MODULES = (
    *("net/can/can.ko", "drivers/net/can/dev/can-dev.ko", "drivers/net/can/vcan.ko"),
    *("net/can/can-raw.ko", "net/can/j1939/can-j1939.ko"),
)
"""In the order of what they need."""
MEMORY = "384M"
LONGEST = 300
"""Seconds after which a guest hangs."""
UNAVAILABLE = 77


class UnavailableError(Exception):
    """There can be no guest here, for this reason."""


def kernel() -> Path:
    """The unpacked package, downloaded if that has not been done yet."""
    place = CACHE / "root"
    if (place / "usr/bin/linux.uml").is_file():
        return place
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise UnavailableError(f"{PACKAGE} runs on Linux on x86_64 only")
    for program in ("apt-get", "dpkg", "ip"):
        if shutil.which(program, path=_path()) is None:
            raise UnavailableError(f"there is no {program}, as Debian has it")
    try:
        CACHE.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"nothing can be kept in {CACHE}: {error}") from error
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command
                ["apt-get", "download", "-q", PACKAGE],  # noqa: S607 - whichever there is
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=LONGEST,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(f"{PACKAGE} did not come within {LONGEST} s") from error
        packages = list(Path(folder).glob("*.deb"))
        if done.returncode or not packages:
            raise UnavailableError(f"{PACKAGE} cannot be downloaded: {done.stderr.strip()[-200:]}")
        unpacked = Path(folder) / "root"
        subprocess.run(["dpkg", "-x", packages[0], unpacked], check=True)  # noqa: S603, S607 - a file just downloaded
        unpacked.rename(place)
    return place


def run(command: list[str], *, writable: Path | None = None, longest: int = LONGEST) -> int:
    """Run a command in a guest, in this folder and with this Python first on the path; its exit code.

    The guest may write into ``writable``. After ``longest`` seconds it hangs: :class:`UnavailableError`.
    """
    place = kernel()
    modules = next((place / "usr/lib/uml/modules").iterdir()) / "kernel"
    with tempfile.TemporaryDirectory(dir=CACHE) as folder, tempfile.TemporaryDirectory(dir=_quick()) as written:
        job = Path(folder)
        (job / "job.json").write_text(
            json.dumps(
                {
                    "command": command,
                    "folder": str(Path.cwd()),
                    "modules": [str(modules / name) for name in MODULES],
                    "path": _path(),
                    "shared_data": os.environ.get("HIL_SHARED_DATA", ""),
                    "writable": "" if writable is None else str(writable.resolve()),
                    "written": written,
                }
            )
        )
        init = job / "init"
        inside = Path(__file__).with_name("inside.py")
        init.write_text(f"#!/bin/sh\nexec {sys.executable} {inside} {job}\n")
        init.chmod(0o755)
        words = [
            str(place / "usr/bin/linux.uml"),
            *(f"mem={MEMORY}", "root=/dev/root", "rootfstype=hostfs", "hostfs=/", "ro", f"init={init}"),
            *("con0=fd:0,fd:1", "con=null", "initcall_blacklist=raid6_select_algo", "quiet", "loglevel=0"),
        ]
        try:
            _boot(words, longest)
        finally:
            if writable is not None:
                shutil.copytree(written, writable, dirs_exist_ok=True)
        code = job / "code"
        if not code.is_file():
            raise UnavailableError("the guest did not run the command")
        return int(code.read_text())


def _quick() -> Path | None:
    """A folder in memory: while the host's disk keeps a page or a file waiting, all of the guest stands still."""
    memory = Path("/dev/shm")  # noqa: S108 - the files in it have names of their own
    try:
        found = os.statvfs(memory)
    except OSError:
        return None
    roomy = found.f_bavail * found.f_frsize >= 2 * int(MEMORY.removesuffix("M")) << 20
    return memory if roomy and not found.f_flag & os.ST_NOEXEC and os.access(memory, os.W_OK) else None


def _boot(words: list[str], longest: int) -> None:
    # On two processors it is four times slower.
    one = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if shutil.which("taskset") else []
    # What is real-time inside is so only where the guest is, which takes a right as root has it.
    first = ["chrt", "-f", "1"]
    if shutil.which("chrt") and not subprocess.run([*first, "true"], capture_output=True, check=False).returncode:  # noqa: S603 - fixed words
        one = [*first, *one]
    environment = {"PATH": _path(), "HOME": str(CACHE), "TMPDIR": str(_quick() or CACHE)}
    try:
        subprocess.run([*one, *words], stdin=subprocess.DEVNULL, env=environment, timeout=longest, check=False)  # noqa: S603 - built above
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"the guest did not end within {longest} s") from error
    except OSError as error:
        raise UnavailableError(f"the guest does not start: {error}") from error


def _path() -> str:
    own = str(Path(sys.executable).parent)
    return os.pathsep.join([own, os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/bin", "/bin"])


def main(arguments: list[str]) -> int:
    """Exit code of the command, or 77."""
    parser = argparse.ArgumentParser(
        prog="guest.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--writable", type=Path, metavar="FOLDER", help="the guest may write into this one")
    parser.add_argument(
        "--longest", type=int, default=LONGEST, metavar="SECONDS", help=f"after which it hangs (default: {LONGEST})"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    if not options.command:
        parser.error("a command to run is missing")
    try:
        return run(options.command, writable=options.writable, longest=options.longest)
    except UnavailableError as error:
        sys.stderr.write(f"no guest with CAN: {error}\n")
        return UNAVAILABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
