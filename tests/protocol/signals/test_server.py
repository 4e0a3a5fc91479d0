"""The box's end of the signals port: what it answers and tells, and what it does when a bench has gone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hil.errors import UsageError
from hil.protocol.signals import Garbled, SensorsSet, Server, Signal
from hil.units import Instant, ms, s

SIGNALS = {
    "relay_1": Signal("sensor"),
    "dac_1": Signal("sensor", "V", -15, 15),
    "pressure": Signal("sensor", "bar", 1, 10),
    "input_1": Signal("actuator"),
    "adc_1": Signal("actuator", "V", 0, 10),
}


class Talk:
    """Says a thing to a server and gives what it answered."""

    def __init__(self) -> None:
        self.server = Server(SIGNALS, box="test box")
        self.now: Instant = s(1)

    def ask(self, request: object, channel: int = 1) -> list[dict[str, Any]]:
        return self.raw(json.dumps(request).encode() + b"\n", channel)

    def raw(self, data: bytes, channel: int = 1) -> list[dict[str, Any]]:
        self.server.receive(channel, data, self.now)
        return [answer for to, answer in self.heard() if to == channel]

    def heard(self) -> list[tuple[int, dict[str, Any]]]:
        return [(channel, json.loads(line)) for channel, line in self.server.take_output(self.now)]

    def pass_to(self, instant: Instant) -> list[tuple[Instant, dict[str, Any]]]:
        found = []
        while (due := self.server.next_deadline()) is not None and due <= instant:
            self.now = due
            self.server.wake(due)
            found += [(due, answer) for _, answer in self.heard()]
        self.now = instant
        return found


@pytest.fixture
def talk() -> Talk:
    return Talk()


def test_a_hello_is_answered_by_what_the_box_has(talk: Talk) -> None:
    [answer] = talk.ask({"hello": 7, "id": 5})
    assert (answer["hello"], answer["box"], answer["id"], answer["t"]) == (1, "test box", 5, 1.0)
    assert answer["signals"]["dac_1"] == {"kind": "sensor", "unit": "V", "low": -15, "high": 15}
    assert list(answer["signals"]) == list(SIGNALS)


def test_a_set_is_told_and_read_back(talk: Talk) -> None:
    assert talk.ask({"set": {"relay_1": True, "dac_1": -3.5}, "id": 1}) == [{"ok": "set", "id": 1, "t": 1.0}]
    assert talk.server.take_events() == [SensorsSet({"relay_1": 1.0, "dac_1": -3.5})]
    [answer] = talk.ask({"get": ["dac_1", "relay_1"]})
    assert answer["values"] == {"relay_1": 1, "dac_1": -3.5}


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"set": {"relay_1": 1, "relay_9": 1}}, "relay_9"),
        ({"set": {"relay_1": 1, "dac_1": 15.1}}, "dac_1: 15.1 is not within -15..15 V"),
        ({"set": {"relay_1": 1, "input_1": 1}}, "input_1 is an actuator"),
        ({"get": ["nobody"]}, "nobody"),
        ({"subscribe": ["relay_1"]}, "relay_1 is a sensor"),
        ({"subscribe": ["zz", "aa"]}, "zz"),
    ],
)
def test_what_cannot_be_done_says_why_and_is_not_done_in_part(talk: Talk, request_: Any, why: str) -> None:
    [answer] = talk.ask(request_ | {"id": 3})
    assert why in answer["error"]
    assert answer["id"] == 3
    assert talk.server.take_events() == []
    assert talk.server.values["relay_1"] == 0


def test_a_subscriber_is_told_of_changes_of_its_actuators(talk: Talk) -> None:
    talk.ask({"subscribe": ["input_1"]}, 1)
    talk.ask({"subscribe": ["*"]}, 2)
    talk.server.report("input_1", 1, s(2))
    talk.server.report("adc_1", 2.5, s(2))
    talk.now = s(2)
    assert talk.heard() == [
        (1, {"event": {"input_1": 1}, "t": 2.0}),
        (2, {"event": {"input_1": 1, "adc_1": 2.5}, "t": 2.0}),
    ]
    talk.server.report("input_1", 1, s(3))
    assert talk.heard() == []
    talk.ask({"subscribe": []}, 2)
    talk.server.report("adc_1", 3, s(3))
    assert talk.heard() == []


def test_both_edges_of_a_pulse_are_told(talk: Talk) -> None:
    talk.ask({"subscribe": ["input_1"]})
    for value in (1, 0):
        talk.server.report("input_1", value, talk.now)
    assert [answer["event"] for _, answer in talk.heard()] == [{"input_1": 1}, {"input_1": 0}]


def test_all_that_is_subscribed_is_told_as_often_as_is_asked_for(talk: Talk) -> None:
    talk.ask({"subscribe": ["*"], "every": 0.25})
    told = talk.pass_to(s(2))
    assert [t for t, _ in told] == [s(1) + ms(250) * n for n in (1, 2, 3, 4)]
    assert told[0][1] == {"event": {"input_1": 0, "adc_1": 0}, "t": 1.25}


@pytest.mark.parametrize("how", ["closed", "silent"])
def test_sensors_go_to_rest_when_the_bench_that_set_them_has_gone(talk: Talk, how: str) -> None:
    talk.ask({"hello": 1, "watchdog": 0.5})
    talk.ask({"set": {"relay_1": 1, "pressure": 3}})
    talk.server.take_events()
    talk.now = s(1) + ms(400)
    talk.ask({"set": {}})
    talk.pass_to(s(1) + ms(899))
    assert talk.server.take_events() == []
    if how == "closed":
        talk.server.close(1, talk.now)
    else:
        talk.pass_to(s(1) + ms(900))
    assert talk.server.take_events() == [SensorsSet({"relay_1": 0.0, "dac_1": 0.0, "pressure": 1.0}, how)]
    talk.pass_to(s(10))
    assert talk.server.take_events() == []


def test_a_bench_that_was_silent_for_too_long_has_to_greet_again(talk: Talk) -> None:
    talk.ask({"hello": 1, "watchdog": 0.5})
    talk.ask({"subscribe": ["*"], "every": 0.1})
    talk.ask({"set": {"relay_1": 1}})
    assert talk.pass_to(s(2))[-1][0] == s(1) + ms(400), "told nothing more"
    [answer] = talk.ask({"set": {"dac_1": 2}, "id": 4})
    assert (answer["code"], answer["id"]) == ("hello", 4)
    assert talk.server.values == {"relay_1": 0, "dac_1": 0, "pressure": 1, "input_1": 0, "adc_1": 0}
    talk.ask({"hello": 1, "watchdog": 0.5})
    [answer] = talk.ask({"set": {"dac_1": 2}})
    assert answer["ok"] == "set"


def test_a_hello_begins_anew(talk: Talk) -> None:
    talk.ask({"hello": 1, "watchdog": 0.5})
    talk.ask({"subscribe": ["*"], "every": 0.1})
    talk.ask({"hello": 1})
    assert talk.server.next_deadline() is None
    talk.server.report("input_1", 1, talk.now)
    assert talk.heard() == []


def test_a_bench_without_watchdog_may_be_silent(talk: Talk) -> None:
    talk.ask({"hello": 1})
    talk.ask({"set": {"relay_1": 1}})
    talk.pass_to(s(1000))
    assert talk.server.values["relay_1"] == 1


def test_an_onlooker_that_leaves_takes_nothing_with_it(talk: Talk) -> None:
    talk.ask({"hello": 1, "watchdog": 0.5}, 1)
    talk.ask({"set": {"relay_1": 1}}, 1)
    talk.ask({"set": {"dac_1": 2}}, 2)
    talk.server.take_events()
    talk.server.close(1, talk.now)
    assert talk.server.take_events() == [], "another bench has taken over"


def test_garbage_gets_one_error_however_much_of_it_comes_at_once(talk: Talk) -> None:
    [answer] = talk.raw(b"\n".join([b"garbage"] * 1000) + b"\n")
    assert "error" in answer
    assert len([each for each in talk.server.take_events() if isinstance(each, Garbled)]) == 1000
    assert talk.ask({"get": []})[0]["values"] == {}


def test_our_own_misuse_raises() -> None:
    with pytest.raises(UsageError, match=r"'r': 1\.\.1"):
        Server({"r": Signal("sensor", "V", 1, 1)})
    with pytest.raises(UsageError, match="no actuator 'relay_1'"):
        Server(SIGNALS).report("relay_1", 1, 0)
