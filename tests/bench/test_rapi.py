"""The bench of a charger's console: what it makes of replies, and that it blames no console for its habits."""

from __future__ import annotations

import pytest

from hil.bench.judge import Inconclusive, Judge
from hil.bench.opening import kind_of
from hil.bench.rapi import RapiBench
from hil.bench.setup import Setup
from hil.conformance.catalogue import requirements
from hil.conformance.register import resolve
from hil.conformance.verdict import Measurement, Verdict
from hil.dut.faults import Edit
from hil.protocol.rapi import encode
from hil.qualify.suite import suite_cases
from hil.units import ms, s

RUNS = [
    (name, variant)
    for name, requirement in requirements().items()
    if requirement.suite == "rapi"
    for variant in (*requirement.variants, *requirement.advisory_variants) or (None,)
]


def opened(edit: Edit = lambda spec: spec) -> RapiBench:
    kind, setup = kind_of("rapi"), Setup(seed=1, readings=resolve({}))
    bench = kind.bench(kind.build(setup, {"rapi": edit}), setup, Judge(), lambda seen: None)
    assert isinstance(bench, RapiBench)
    return bench


def last(bench: RapiBench) -> Measurement:
    return bench.judge.measurements[-1]


# --- consoles that do what real ones do ---------------------------------------------------------------

HABITS: dict[str, Edit] = {
    "prints debug text": lambda c: c.but(chatter=("relay on", "ADC 512 $ is no frame", "")),
    "ends debug text with CR alone": lambda c: c.but(chatter=("relay on", "state B"), chatter_end="\r"),
    "begins debug text with LF": lambda c: c.but(chatter=("\nrelay on", "state B")),
    "does not end debug text": lambda c: c.but(chatter=("relay on", "$5"), chatter_end=""),
    "prints by itself, frames too": lambda c: c.but(chatter=("heap 3312", "$GV", "AT 02 03", "$OK?"), mutter=ms(700)),
    "notifies before it replies": lambda c: c.but(notify_first=True),
    "tells its state before every reply": lambda c: c.but(tells_first=True),
    "handles a fault for seconds": lambda c: c.but(busy_fault=s(4), busy=s(2)),
    "is deaf while it handles a fault": lambda c: c.but(busy_fault=s(4), busy=s(2), deaf=True),
    "answers after seconds": lambda c: c.but(answer_delay=s(4)),
    "looks late at the heartbeat": lambda c: c.but(beat_check=ms(1500)),
    "lets the heartbeat wrap": lambda c: c.but(beat_wraps=True),
    "tells of states by ST before every reply": lambda c: c.but(generation=4, tells_first=True),
    "answers late": lambda c: c.but(answer_delay=ms(900)),
    "is busy for seconds": lambda c: c.but(busy=s(4)),
    "loses what comes while it switches": lambda c: c.but(busy=s(1), deaf=True),
    "tells of states by ST": lambda c: c.but(generation=4),
    "has other limits and no meters": lambda c: c.but(start_level2=16, ammeter=False, voltmeter=False),
    "has counted all that it can": lambda c: c.answering("GF", "OK ff ff ff"),
    "lacks commands": lambda c: c.without("G5", "GO", "GI", "GM", "GP"),
}


@pytest.mark.parametrize("habit", HABITS)
def test_no_console_is_blamed_for_its_habits(habit: str) -> None:
    blamed: list[str] = []
    for name, variant in RUNS:
        if name == "RAPI/AG.03" and variant == "voltage" and habit.endswith("no meters"):
            continue  # it tells the voltage that it was told to assume
        if variant == "in-time" and habit.startswith("looks late"):
            continue  # that is what this one, which is advisory, judges
        bench = opened(HABITS[habit])
        try:
            suite_cases()[name](bench, variant)
        except Inconclusive:
            continue
        if bench.judge.verdict is not Verdict.PASS:
            blamed.append(f"{name}[{variant}] {bench.judge.decisive}")
    assert blamed == []


@pytest.mark.parametrize(("case", "variant"), [("FN.05", "clock"), ("ST.05", None)])
def test_a_console_gets_its_clock_back(case: str, variant: str | None) -> None:
    bench = opened()
    before = bench.get("GT").bare
    suite_cases()[f"RAPI/{case}"](bench, variant)
    assert bench.get("GT").bare.split()[:4] == before.split()[:4]


# --- asking -------------------------------------------------------------------------------------------


def test_a_reply_is_told_with_its_fields_and_what_is_wrong_with_them() -> None:
    answer = opened().ask("GC")
    assert (answer.bare, answer.ok, answer.wrong) == ("OK 6 32 24 24", True, ())
    assert (answer.number("hardware_max"), answer.number("nothing")) == (32, -1)
    short = opened(lambda c: c.answering("GC", "OK 6")).ask("GC")
    assert short.wrong == ("hardware_max is missing", "pilot is missing", "configured_max is missing")


def test_each_reply_has_to_end_with_cr_alone() -> None:
    bench = opened()
    bench.expect_right("as it should", encode("GV"))
    bench.ask("FF", "E", 1)  # an echoing console ends its replies with CR LF
    bench.expect_right("with LF", encode("GV"))
    bench.expect_no_lf("reply")
    ends = [each for each in bench.judge.measurements if each.name.startswith("reply, ")]
    assert ends[0].verdict is Verdict.PASS
    assert ends[-1].verdict is Verdict.FAIL


def test_what_a_console_says_it_has_not_is_not_judged() -> None:
    with pytest.raises(Inconclusive, match="GO is answered NK"):
        suite_cases()["RAPI/GT.01"](opened(lambda c: c.without("GO")), "GO")


def test_a_query_is_asked_twice_and_a_command_once() -> None:
    for name, times in (("GV", 2), ("FE", 1)):
        bench = opened(lambda c, name=name: c.silent_on(name))  # type: ignore[misc]  # binds the loop's value
        answer = bench.ask(name)
        assert (answer.text, answer.ok) == ("no reply", False)
        asked = b"".join(each.data for each in bench.record.bytes_on("console", sender="client"))
        assert asked.count(f"${name}".encode()) == times


def test_a_reply_to_an_earlier_command_is_not_taken_for_this_one() -> None:
    bench = opened(lambda c: c.but(answer_delay=s(11)))
    assert bench.ask("GC").bare == "OK 6 32 24 24"
    assert bench.ask("GV").bare == "OK 8.2.3 5.2.1"


def test_what_is_no_number_is_told_and_never_raises() -> None:
    answer = opened(lambda c: c.answering("GC", "OK 6 x \xe9 --")).ask("GC")
    assert len(answer.wrong) == 3
    for command, reply in (("GT", "OK 1 2 x"), ("GS", "OK"), ("GU", "NK"), ("GD", "OK a b c d"), ("SC", "OK OK")):
        for name, variant in RUNS:
            bench = opened(lambda c, command=command, reply=reply: c.answering(command, reply))  # type: ignore[misc]  # binds the loop's value
            try:
                suite_cases()[name](bench, variant)
            except Inconclusive:
                continue


# --- judging ------------------------------------------------------------------------------------------


def test_frames_are_judged_by_their_checksum() -> None:
    bench = opened(lambda c: c.but(check_offset=1))
    bench.expect_right("reply", encode("GV"))
    assert (last(bench).verdict, last(bench).value, last(bench).note) == (
        Verdict.FAIL,
        "^30",
        "$OK 8.2.3 5.2.1^30",
    )


def test_what_ought_to_be_unanswered_and_is_not_is_shown() -> None:
    bench = opened()
    bench.expect_unanswered("a good frame", encode("GV"))
    first = bench.judge.measurements[0]
    assert (first.verdict, first.value) == (Verdict.FAIL, "$OK 8.2.3 5.2.1^2F")


def test_a_notification_that_never_comes_is_a_failure() -> None:
    bench = opened()
    assert bench.expect_notified("boot", "AB", after=0, within=s(2))
    assert last(bench).verdict is Verdict.PASS
    assert not bench.expect_notified("button", "AN", after=0, within=s(2))
    assert last(bench).verdict is Verdict.FAIL


def test_a_told_value_is_held_against_the_signal() -> None:
    bench = opened()
    answer = bench.get("GG")
    for told, verdict in ((230.0, Verdict.PASS), (230.002, Verdict.FAIL), (229.998, Verdict.FAIL)):
        bench.expect_told("voltage", told, "mains_voltage", after=answer.asked, until=answer.at, step=0.001)
        assert last(bench).verdict is verdict
