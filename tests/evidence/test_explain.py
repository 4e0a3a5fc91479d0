"""The failure text has all that an engineer asks for."""

from __future__ import annotations

from collections.abc import Callable

from hil.conformance.verdict import CaseResult, Measurement, Verdict
from hil.evidence.explain import failure_text, run_name
from hil.protocol.gbt27930 import MessageSet
from hil.world.observation import Observation


def test_story_of_a_late_report(
    failed: Callable[..., CaseResult], observations: list[Observation], messages: MessageSet
) -> None:
    result = failed(variant="short", reading="dn2007-2009=print", clause="7.5.4", trace="traces/DN.3006.log")
    text = failure_text(result, observations, messages)
    for part in (
        "FAIL  DN.3006[short][dn2007-2009=print]",
        "GBT34658-2017/DN.3006, clause 7.5.4",
        "gbt27930.md 5.3, 5.7; basis S2 (two or more independent sources agree)",
        "A charger that no longer receives BCL",
        "1.402 s",
        "0.99 .. 1.2 s",
        "5.002000 s",
        "traces/DN.3006.log",
        "Repeat with:  hil run --case DN.3006 --seed 0",
    ):
        assert part in text
    (decisive,) = [line for line in text.splitlines() if line.startswith(">>") and "charger → BMS" in line]
    assert "bcl: timeout (01)" in decisive
    assert all(len(line) <= 120 for line in text.splitlines())


def test_what_monitors_saw_of_the_charger_is_told(failed: Callable[..., CaseResult], messages: MessageSet) -> None:
    found = failed().findings
    text = failure_text(failed(findings=[*found, *found[:1] * 9]), [], messages)
    assert "2.000000 s  PERIOD.CCS: 70 ms; expected 45 .. 55 ms" in text
    assert "and 5 more" in text
    assert "PERIOD.BCL" not in text


def test_long_texts_are_wrapped(failed: Callable[..., CaseResult], messages: MessageSet) -> None:
    measured = [
        Measurement("n" * 90, "v" * 90, "V", None, None, Verdict.FAIL, 1, "remark " * 40),
        Measurement("x", 1.0, "V", 2.0, 3.0, Verdict.FAIL, 1, "remark " * 40),
    ]
    result = failed(reason="word " * 100 + "\n" + "y" * 300, purpose="p " * 200, measurements=measured, repeat="")
    lines = failure_text(result, [], messages).splitlines()
    assert all(len(line) <= 120 for line in lines)
    assert sum("remark" in line for line in lines) >= 3


def test_the_repeat_line_is_never_broken(failed: Callable[..., CaseResult], messages: MessageSet) -> None:
    command = "hil run --rig " + "/long/path" * 20 + " --case DN.3006"
    assert command in failure_text(failed(repeat=command), [], messages).splitlines()[-1]


def test_without_a_decisive_instant_the_end_is_shown(
    result: Callable[..., CaseResult], observations: list[Observation], messages: MessageSet
) -> None:
    told = result(verdict=Verdict.INCONCLUSIVE, reason="not reached", measurements=[], decisive=None)
    text = failure_text(told, observations, messages)
    assert "INCONCLUSIVE  DN.3006" in text
    assert "Trace up to the end" in text


def test_advisory_runs_say_so(failed: Callable[..., CaseResult], messages: MessageSet) -> None:
    text = failure_text(failed(advisory=True, basis="DER"), [], messages)
    assert "advisory" in text.splitlines()[0]
    assert "DER (derived by reasoning" in text


def test_names_of_runs(result: Callable[..., CaseResult]) -> None:
    assert run_name(result()) == "DN.3006"
    assert run_name(result(variant="a", reading="b=c")) == "DN.3006[a][b=c]"


def test_a_value_that_is_unsure_says_by_how_much(failed: Callable[..., CaseResult], messages: MessageSet) -> None:
    measured = [
        Measurement("time to CEM", 1.0005, "s", 0.99, 1.2, Verdict.INCONCLUSIVE, 1, uncertainty=0.01092),
        Measurement("voltage error", 0.6, "%", None, 0.5, Verdict.INCONCLUSIVE, 1, "± 0.2 % by meter", 0.2),
        Measurement("CEM length", 4.0, "bytes", 4.0, 4.0, Verdict.PASS, 1),
    ]
    text = failure_text(failed(measurements=measured), [], messages)
    assert "1.0005 s ± 0.0109 s" in text
    assert text.count("±") == 2, "a note that tells it is enough, and an exact value has none"
