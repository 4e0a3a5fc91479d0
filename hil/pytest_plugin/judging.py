"""From what became of a case to what pytest reports of it."""

from __future__ import annotations

import msgspec
import pytest

from hil.conformance.verdict import CaseResult, Verdict
from hil.errors import HilError
from hil.evidence.explain import failure_text, is_finding
from hil.pytest_plugin.controller import RESULT, TEXT, VERDICT
from hil.pytest_plugin.session import CASE, RUN, Session


def judge_report(session: Session, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Conclude the run of a case and let the verdict stand in the report; other items are left alone."""
    run = item.stash.get(RUN, None)
    if run is None:
        return
    raised = call.excinfo.value if call.excinfo is not None else None
    if call.when == "setup" and run.not_applicable is not None:
        _attach(report, session.pass_over(run), "")
    elif call.when == "call" or (call.when == "setup" and report.failed):
        result = session.conclude(item, raised)
        _attach(report, result, _text(item, result))
        _grade(report, result, raised)


def _text(item: pytest.Item, result: CaseResult) -> str:
    if result.verdict is Verdict.PASS:
        return ""
    case = item.stash.get(CASE, None)
    if case is None:
        return f"ERROR  {result.id}  {result.reason}"
    return failure_text(result, case.bench.record.observations, case.messages)


def _attach(report: pytest.TestReport, result: CaseResult, text: str) -> None:
    """As plain values, which workers of xdist can send."""
    values = report.__dict__
    values[RESULT] = msgspec.to_builtins(result)
    values[VERDICT] = "advisory" if is_finding(result) else result.verdict.value
    values[TEXT] = text


def _grade(report: pytest.TestReport, result: CaseResult, raised: BaseException | None) -> None:
    text = getattr(report, TEXT)
    if result.verdict is Verdict.PASS or is_finding(result):
        report.outcome, report.longrepr = "passed", None
    elif result.verdict is Verdict.ERROR:
        report.outcome = "failed"
        if raised is None or isinstance(raised, HilError):
            report.longrepr = text
        else:
            # The traceback stays: something broke that is not meant to.
            report.sections.append(("verdict", text))
    else:
        report.outcome, report.longrepr = "failed", text
