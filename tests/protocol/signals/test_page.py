"""The pages about the signals port: what they show is what the example box and our own end of a box do."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hil.protocol.signals import MAX_LINE, ClientSettings, Server, Signal
from hil.rig import load_rig
from hil.tester.signals import RESOLUTIONS, BridgeSettings
from hil.units import ms, s

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "reference" / "signals_port.md").read_text("utf-8")
HOW_TO = (ROOT / "docs" / "how-to" / "connect-a-dio-box.md").read_text("utf-8")

Box = Callable[[bytes], list[bytes]]


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("signals_box", ROOT / "examples" / "signals_box.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def example_box() -> Box:
    module = example()
    box = module.Box(module.Board())
    sent: list[bytes] = []

    def say(line: bytes) -> list[bytes]:
        sent.clear()
        box.receive("bench", line, sent.append)
        box.poll()
        return list(sent)

    return say


def our_box() -> Box:
    """Our end of a box, with the example's signals and its wires from outputs to inputs."""
    server = Server(
        {name: Signal(**signal) for name, signal in example().SIGNALS.items()},
        box="example box",
    )

    def say(line: bytes) -> list[bytes]:
        server.receive(1, line, s(1))
        answers = server.take_output(s(1))
        for name, value in server.values.copy().items():
            wired = name.replace("relay", "input").replace("dac", "adc")
            if wired != name:
                server.report(wired, value, s(1))
        return [answer for _, answer in answers + server.take_output(s(1))]

    return say


def dialogue() -> list[tuple[str, str]]:
    [block] = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    return [(line[0], line[2:]) for line in block.splitlines()]


@pytest.mark.parametrize("box", [example_box, our_box])
def test_a_box_answers_as_the_page_shows(box: Callable[[], Box]) -> None:
    say, waiting = box(), list[bytes]()
    for way, line in dialogue():
        if way == ">":
            assert not waiting, "more was answered than is shown"
            waiting = say(line.encode() + b"\n")
        else:
            answer = tidy(waiting.pop(0).decode())
            # Three dots at the end stand for the rest; the two of a range are its own.
            assert answer.startswith(line.removesuffix("...")) if line.endswith("...") else answer == line, answer


def tidy(answer: str) -> str:
    """Without spaces, whole numbers without a point, id and t at the end."""
    plain: dict[str, Any] = json.loads(re.sub(r"(\d)\.0(?=[,}])", r"\1", answer.strip()))
    plain |= {key: plain.pop(key) for key in ("id", "t") if key in plain}
    return json.dumps(plain, separators=(",", ":"))


def test_the_spans_and_sizes_of_the_page_are_those_of_the_code() -> None:
    port, bridge = ClientSettings(), BridgeSettings()
    assert f"has {MAX_LINE} bytes at most" in PAGE
    assert port.silence == s(1)
    assert "announces 1 s" in PAGE
    assert "answered nothing for 1 s is lost" in PAGE
    assert port.ping == ms(250)
    assert "every 250 ms" in PAGE
    assert port.patience == ms(300)
    assert "for 300 ms is repeated" in PAGE
    assert port.every == ms(500)
    assert "`every`, 500 ms" in PAGE
    assert bridge.retry == ms(500)
    assert "again every 500 ms" in PAGE
    assert bridge.period == ms(10)
    assert "every 10 ms" in PAGE
    assert (RESOLUTIONS["V"], RESOLUTIONS["A"], RESOLUTIONS["ohm"]) == (0.01, 0.01, 1)
    assert "0.01 V, 0.01 A, 1 ohm" in PAGE


def test_the_rig_of_the_how_to_is_one(tmp_path: Path) -> None:
    [shown] = re.findall(r"```toml\n(.*?)```", HOW_TO, re.DOTALL)
    shown = re.sub(r"^ {3}", "", shown, flags=re.MULTILINE)
    head = 'schema = 1\nname = "desk"\nkind = "live"\n[dut]\nname = "mine"\n'
    bus = '[ports.can0]\ntype = "can"\ninterface = "udp_multicast"\nchannel = "239.0.0.1"\nbitrate = 250000\n'
    path = tmp_path / "desk.toml"
    path.write_text(head + bus + shown.replace("[roles]\n", '[roles]\ncan = "can0"\n'), "utf-8")
    rig = load_rig(path)
    assert rig.signals == {"k1k2_command": "input_1", "k1k2_closed": "relay_1", "cc1_voltage": "dac_1"}
    assert rig.ports["io"].type == "signals"
