"""The first process of the guest: mounts, modules, interface, the command, the end."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
FINIT_MODULE = 313
POWER_OFF = 0x4321FEDC


def mount(kind: str, where: str, options: str = "") -> None:
    """Mount something that has no device; an error raises."""
    if LIBC.mount(b"none", where.encode(), kind.encode(), 0, options.encode()):
        raise OSError(ctypes.get_errno(), f"mounting {kind} at {where}")


def load(module: str) -> None:
    """Load one kernel module; an error raises."""
    with Path(module).open("rb") as file:
        if LIBC.syscall(FINIT_MODULE, file.fileno(), b"", 0):
            raise OSError(ctypes.get_errno(), f"loading {module}")


def carry_out(folder: str) -> int:
    """Set the guest up and run what the host has asked for."""
    mount("proc", "/proc")
    mount("sysfs", "/sys")
    mount("tmpfs", "/run")
    mount("hostfs", folder, folder)  # writable, for the exit code; all else is the host's, read-only
    job = json.loads(Path(folder, "job.json").read_text("utf-8"))
    if job["writable"]:
        mount("hostfs", job["writable"], job["written"])
    for module in job["modules"]:
        load(module)
    environment = {
        "PATH": job["path"],
        "HOME": "/run",
        "TMPDIR": "/run",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HIL_SHARED_DATA": job["shared_data"],
        "TERM": "dumb",  # what it prints may go to a file
    }
    for words in ("link add vcan0 type vcan", "link set vcan0 mtu 72 up", "link set lo up"):
        subprocess.run(["ip", *words.split()], env=environment, check=True)  # noqa: S603, S607 - fixed words
    return subprocess.run(job["command"], cwd=job["folder"], env=environment, check=False).returncode  # noqa: S603 - the user's command


def main(folder: str) -> None:
    """Whatever happens, the guest ends."""
    try:
        Path(folder, "code").write_text(str(carry_out(folder)))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.sync()
        LIBC.reboot(POWER_OFF)


if __name__ == "__main__":
    main(sys.argv[1])
