"""``junit.xml``: one test case per run, for the servers that read this format."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from xml.etree import ElementTree

from hil.conformance.verdict import CaseResult, Verdict
from hil.evidence.explain import is_finding, run_name
from hil.evidence.run import RunInfo

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(info: RunInfo, results: Sequence[CaseResult], texts: Mapping[int, str]) -> bytes:
    """The document. ``texts`` has the failure text of results by their index."""
    root = ElementTree.Element("testsuites", name="hil")
    indexed = sorted(enumerate(results), key=lambda entry: entry[1].suite)
    suites = [
        _suite(info, suite, list(members), texts)
        for suite, members in groupby(indexed, key=lambda entry: entry[1].suite)
    ]
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.set("time", _time(sum(result.duration_s for result in results)))
    root.extend(suites)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _suite(
    info: RunInfo, name: str, members: list[tuple[int, CaseResult]], texts: Mapping[int, str]
) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=_clean(name))
    if info.started is not None:
        suite.set("timestamp", _clean(info.started))
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in _properties(info).items():
        ElementTree.SubElement(properties, "property", name=key, value=_clean(value))
    cases = [_case(result, texts.get(index, result.reason)) for index, result in members]
    suite.set("tests", str(len(cases)))
    for count, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(element) is not None for case in cases)))
    suite.set("time", _time(sum(result.duration_s for _, result in members)))
    suite.extend(cases)
    return suite


def _properties(info: RunInfo) -> dict[str, str]:
    found = {
        "tool": f"{info.tool.get('name', 'hil')} {info.tool.get('version', '')}".strip(),
        "rig": str(info.rig.get("name", "")),
        "rig.sha256": str(info.rig.get("sha256", "")),
        "seed": str(info.seed),
        "command": info.command,
        **({"operator": info.operator} if info.operator else {}),
    }
    found.update({f"edition.{key}": value for key, value in info.edition.items()})
    found.update({f"reading.{key}": value for key, value in info.readings.items()})
    return found


def _case(result: CaseResult, text: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=_clean(result.suite), name=_clean(run_name(result)))
    case.set("time", _time(result.duration_s))
    message = _clean(result.reason)
    if is_finding(result):
        output = ElementTree.SubElement(case, "system-out")
        output.text = _clean(f"advisory finding ({result.verdict.value}), does not fail the run\n{text}")
    elif result.verdict is Verdict.FAIL:
        ElementTree.SubElement(case, "failure", type="fail", message=message).text = _clean(text)
    elif result.verdict in (Verdict.INCONCLUSIVE, Verdict.NONE):
        ElementTree.SubElement(case, "failure", type="inconclusive", message=message).text = _clean(text)
    elif result.verdict is Verdict.ERROR:
        ElementTree.SubElement(case, "error", type="error", message=message).text = _clean(text)
    elif result.verdict is Verdict.NOT_APPLICABLE:
        ElementTree.SubElement(case, "skipped", message=message)
    return case


def _clean(text: str) -> str:
    """Without the characters that no XML document may hold."""
    return _NOT_XML.sub("\ufffd", text)


def _time(span: float) -> str:
    return f"{span:.3f}"
