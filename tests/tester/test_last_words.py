"""Nodes take back what they have switched on, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from hil.codec.map_file import find_map
from hil.codec.registers import RegisterMap
from hil.protocol.modbus import ExceptionReply, Registers, RtuTiming, decode_request
from hil.tester.modbus import ModbusMaster, RegisterClient
from hil.tester.modbus.stand_down import StandDown, frame_of
from hil.tester.rapi import ConsoleClient
from hil.tester.scpi import ScpiDriver
from hil.units import ms, s
from hil.world.bytenode import ByteNode, Open, Parting, Send

KEBA, CHARX, ALFEN = 255, 1, 1
OF = {"keba-p30": KEBA, "phoenix-charx-sec": CHARX, "alfen-ng9xx": ALFEN}


def sent(node: ByteNode) -> bytes:
    """What a node wishes to send; its wishes are gone then."""
    data = b"".join(wish.data for wish in node.wishes if isinstance(wish, Send))
    node.wishes.clear()
    return data


def last_words(node: ByteNode) -> bytes:
    """All of them, asked for until there is no more time."""
    assert isinstance(node, Parting)
    sent(node)
    for tick in range(200):
        if node.part(s(10) + ms(5) * tick, waited=tick > 100):
            break
    else:
        pytest.fail("it never came to an end")
    return sent(node)


# --- registers --------------------------------------------------------------------------------------


def off(registers: RegisterMap, *pdus: str, unit: int = 0) -> list[str]:
    """What is written in the end after these requests, as unit and PDU."""
    watched = StandDown(registers)
    for pdu in pdus:
        watched.asked(unit or OF[registers.name], decode_request(bytes.fromhex(pdu)))
    return [frame_of(block, tcp=False)[:-2].hex() for block in watched.words()]


@pytest.mark.parametrize(
    ("name", "pdu", "due"),
    [
        pytest.param("keba-p30", "06138c3e80", ["ff0613960000"], id="a limit ends by no release"),
        pytest.param("keba-p30", "0613960001", ["ff0613960000"], id="so does a release"),
        pytest.param("keba-p30", "0613960000", [], id="no release is none"),
        pytest.param("keba-p30", "0613981770", [], id="the current of a failsafe lets nobody charge"),
        pytest.param("alfen-ng9xx", "1004ba00020441800000", ["011004ba00020400000000"], id="no release: a limit of 0"),
        pytest.param("alfen-ng9xx", "1004ba00020400000000", [], id="a limit of 0 is one"),
        pytest.param("alfen-ng9xx", "06 04ba 4180", ["011004ba00020400000000"], id="half a limit is not known"),
        pytest.param("phoenix-charx-sec", "16051500ff0010", ["010605140000"], id="nor is one by a mask"),
    ],
)
def test_what_was_asked_of_a_charger_is_taken_back(name: str, pdu: str, due: list[str]) -> None:
    assert off(find_map(name), pdu.replace(" ", "")) == due


def test_each_outlet_has_its_own_end() -> None:
    limit = "1004ba00020441800000"
    assert off(find_map("alfen-ng9xx"), limit, unit=2) == ["021004ba00020400000000"]
    both = ["011004ba00020400000000", "021004ba00020400000000"]
    assert off(find_map("alfen-ng9xx"), limit, unit=99) == both, "a unit that may be anybody"


def test_a_map_that_allows_no_pause_gets_its_least() -> None:
    registers = find_map("keba-p30")
    limited = RegisterMap(**{**vars_of(registers), "roles": registers.roles.__class__(set_current="set_current")})
    assert off(limited, "06138c3e80") == ["ff06138c1770"]
    assert off(limited, "06138c1770") == []


def vars_of(registers: RegisterMap) -> dict[str, Any]:
    return {name: getattr(registers, name) for name in RegisterMap.__dataclass_fields__}


def test_what_was_put_back_or_refused_is_no_change() -> None:
    watched = StandDown(find_map("phoenix-charx-sec"))
    read, write, back = (decode_request(bytes.fromhex(pdu)) for pdu in ("0305150001", "0605150014", "0605150010"))
    watched.answered(CHARX, read, Registers(3, (16,)))
    watched.asked(CHARX, write)
    assert watched.words()
    watched.asked(CHARX, back)
    assert not watched.words()
    watched.asked(CHARX, write)
    watched.answered(CHARX, write, ExceptionReply(6, 3))
    assert not watched.words()


def test_a_connection_is_opened_for_them() -> None:
    client = RegisterClient("manager", "tcp0", find_map("keba-p30"))
    client.opened("tcp0", 1, 0)
    client.order("write", {"ticket": 1, "name": "set_current", "value": 16.0}, 0)
    client.ended("tcp0", 1, "closed", 0)
    sent(client)
    assert not client.part(s(1), waited=False)
    assert client.wishes == [Open("tcp0")]
    client.wishes.clear()
    client.opened("tcp0", 2, s(1))
    assert client.part(s(1), waited=False)
    assert [(each.channel, each.data[6:].hex()) for each in client.wishes if isinstance(each, Send)] == [
        (2, "ff0613960000")
    ]


def test_they_wait_for_an_answer_and_for_the_silence_behind_it() -> None:
    timing = RtuTiming.of(9600, 10)
    master = ModbusMaster("master", "tcp0", "rs485", timing, strict=False, registers=find_map("phoenix-charx-sec"))
    master.order("request", {"on": "rtu", "ticket": 1, "pdu": "0605150010", "unit": 1}, 0)
    request = sent(master)
    assert not master.part(ms(10), waited=False)
    master.received("rs485", 0, request, "", ms(20))
    assert not master.part(ms(21), waited=False)
    master.wake(ms(20) + timing.between)
    assert master.part(ms(20) + timing.between, waited=False)
    assert sent(master)[:-2].hex() == "010605140000"
    assert master.part(ms(100), waited=True)
    assert not sent(master), "once"


def test_a_charger_that_has_the_last_words_of_a_session_is_released_in_the_next() -> None:
    client = RegisterClient("manager", "tcp0", find_map("keba-p30"), permits=True)
    client.opened("tcp0", 1, 0)
    client.order("keep", {"name": "set_current", "value": 16.0, "every": s(60)}, 0)
    assert sent(client)[6:].hex() == "ff0613960001"


@pytest.mark.parametrize(
    ("node", "verb", "arguments"),
    [
        (RegisterClient("manager", "tcp0", find_map("keba-p30")), "write", {"ticket": 1, "name": "enable", "value": 1}),
        (ConsoleClient("client", "console"), "request", {"name": "FE"}),
    ],
    ids=["registers", "console"],
)
def test_a_bench_that_ends_in_order_may_leave_a_charger_as_it_is(
    node: ByteNode, verb: str, arguments: dict[str, Any]
) -> None:
    node.opened("tcp0", 1, 0)
    node.order(verb, arguments, 0)
    node.order("hold", {}, 0)
    assert last_words(node) == b""


# --- instruments and consoles -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "due"),
    [
        (("INP ON",), b"\nINP OFF\n"),
        ((":OUTP:STAT 1", "*CLS"), b"\nOUTP:STAT OFF\n"),
        (("CURR 5;:LOAD ON",), b"\nLOAD OFF\n"),
        (("OUTP ON,(@2)", "OUTP ON,(@1)", "OUTP OFF,(@2)"), b"\nOUTP OFF,(@1)\n"),
        (("INP ON", "INP OFF"), b""),
        (("OUTP ON", "*RST"), b""),
        (("INP?", "INP:PROT:CLE", "CURR 5"), b""),
    ],
)
def test_what_was_switched_on_is_switched_off(lines: tuple[str, ...], due: bytes) -> None:
    driver = ScpiDriver("load", "line")
    for each in lines:
        driver.order("send", {"text": each}, 0)
    assert last_words(driver) == due


@pytest.mark.parametrize(
    ("commands", "due"),
    [
        (("FE",), b"$FS^31\r"),
        (("FE", "FD", "FE", "SC"), b"$FS^31\r"),
        (("FE", "FS"), b""),
        (("FS", "FE"), b""),
        (("GS",), b""),
    ],
    ids=["enabled here", "again", "put to sleep again", "enabled as before", "nothing changed"],
)
@pytest.mark.parametrize("verb", ["request", "send"])
def test_a_console_sleeps_if_it_was_enabled(commands: tuple[str, ...], due: bytes, verb: str) -> None:
    client = ConsoleClient("client", "console")
    for name in commands:
        client.order(verb, {"name": name, "data": f"${name}\r".encode().hex()}, 0)
    assert last_words(client) == due
