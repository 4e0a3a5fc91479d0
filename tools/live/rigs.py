"""The rigs of the live runs: one a transport, made for this machine and this moment."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

TRANSPORTS = ("udp", "slcan", "vcan")
_ROUTE = "ip link set lo up && ip route add 239.0.0.0/8 dev lo"
"""python-can sends multicast on whatever interface the route names."""

_CAN: Mapping[str, str] = {
    "udp": """\
interface = "udp_multicast"
channel = "239.74.163.2"
""",
    # The adapter stamps in whole milliseconds: what a pty holds up, as a USB port does, is no matter.
    "slcan": """\
interface = "slcan"
channel = "{folder}/adapter"
clock = "hardware"
uncertainty = 0.001
options = {{ sleep_after_open = 0.0 }}
""",
    "vcan": """\
interface = "socketcan"
channel = "vcan0"
options = {{ receive_own_messages = true }}
""",
}
_RIG = """\
schema = 1
name = "live-{transport}"
description = "The reference charger in a process of its own"
kind = "live"

[dut]
name = "reference charger"

[dut.claims]
output_voltage = [150, 950]

[ports.can0]
type = "can"
{can}
[ports.io]
type = "signals"
url = "tcp://127.0.0.1:{port}"

[roles]
can = "can0"
signals = "io"

[plant]
source = "model"
"""


def write_rig(transport: str, folder: Path) -> Path:
    """The rig file of a transport in a folder, with a TCP port that is free at present."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    path = folder / f"live-{transport}.toml"
    path.write_text(_RIG.format(transport=transport, can=_CAN[transport].format(folder=folder), port=port), "utf-8")
    return path


def has_vcan() -> bool:
    """Whether this machine has vcan0 itself."""
    return Path("/sys/class/net/vcan0").exists()


def network_of_its_own() -> list[str] | None:
    """The words before a command that give it a network with nothing but a loopback; None where nobody may have one."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return None
    for flags in ("-n", "-rn"):  # the second where one is not root but may have namespaces of one's own
        words = ["unshare", flags, "sh", "-c", f'{_ROUTE} && exec "$@"', "sh"]
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:  # noqa: S603 - fixed words
            return words
    return None
