"""``index.html``: one page that opens offline and can be read in a year, without this program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import msgspec
from jinja2 import DictLoader, Environment, StrictUndefined, Template

from hil.conformance.register import register
from hil.conformance.verdict import CaseResult, Measurement, Verdict
from hil.evidence.decode import TraceLine
from hil.evidence.document import left_by, summary, verdict_word
from hil.evidence.explain import (
    BASIS,
    decisive,
    is_finding,
    run_name,
    sentence,
    show_limits,
    show_uncertainty,
    show_value,
    title,
)
from hil.evidence.run import RunInfo
from hil.evidence.timing import Timing
from hil.protocol.gbt27930 import MessageSet
from hil.units import s, seconds, show_instant, show_span

FILE_NAME = "index.html"
_LONG = 300
"""Characters of a fact above which its card takes the page's whole width: in a narrow one it would be a tower."""
_INSTRUMENTS, _PORTS = "Instruments of the rig", "Ports and clocks"
"""Tables, which always take it."""
_WORDS = {
    "pass": ("✓", "pass", "The DUT met the requirement in this run."),
    "fail": (
        "✗",
        "fail",
        "The DUT broke the requirement: a measured value lies outside its limit, or a reaction is missing.",
    ),
    "inconclusive": (
        "?",
        "inconclusive",
        "No judgement: a precondition or a stimulus did not come about, or the value lies within the uncertainty.",
    ),
    "error": ("!", "error", "The bench, the rig or its start-up went wrong. Says nothing about the DUT."),
    "not_applicable": (
        "–",
        "not applicable",
        "Decided before the run, with the reason given: claims or abilities rule it out.",
    ),
    "finding": (
        "△",
        "advisory finding",
        "An advisory run that failed or came to no judgement. Reported; does not fail the whole.",
    ),
}
"""Sign, word and meaning of each outcome. The sign tells it without colour."""


class Story(msgspec.Struct):
    """What was read back from a saved stream for one run."""

    lines: Sequence[TraceLine] = ()
    plot: str = ""
    problem: str = ""
    """Why there is no trace, where there should be one."""
    timing: Timing = Timing()
    """Clocks of the ports, and the bench's own lateness."""


def render(
    info: RunInfo,
    results: Sequence[CaseResult],
    stories: Mapping[int, Story],
    messages: MessageSet,
    reached: Sequence[tuple[str, str]] = (),
    timing: Timing | None = None,
    digests: Mapping[str, str] = {},
) -> str:
    """The page. ``stories`` has the trace and the plot of results by their index, ``reached`` what generated load
    profiles have reached, as names and texts; ``timing`` is that of all runs together, ``digests`` the SHA-256 of files
    by their path."""
    runs = [_run(index, result, stories.get(index, Story()), digests) for index, result in enumerate(results)]
    counts = summary(results)
    tiles = [
        {"key": key, "count": counts["advisory_findings" if key == "finding" else key], "word": word, "sign": sign}
        for key, (sign, word, _) in _WORDS.items()
    ]
    facts = [*_facts(info), *_more_facts(reached, timing)]
    return _template().render(
        info=info,
        overall=_overall(counts),
        total=len(runs),
        tiles=tiles,
        facts=facts,
        rig_files=[(_link(path), digest) for path, digest in info.rig_files.items()],
        wide=[heading for heading, pairs in facts if _is_wide(heading, pairs)],
        readings=_readings(info),
        suites=_by_suite(runs),
        attention=[run for run in runs if run["outcome"] in ("error", "fail", "inconclusive", "finding")],
        words=_WORDS,
        basis=BASIS,
        declared=[(cls.name, _first_sentence(cls.__doc__ or ""), cls.sender or "both") for cls in messages.messages],
        protocol=messages.edition,
        show_instant=show_instant,
        show_span=show_span,
    )


def _is_wide(heading: str, pairs: Sequence[tuple[str, str]]) -> bool:
    return heading in (_INSTRUMENTS, _PORTS) or any(len(value) > _LONG for _, value in pairs)


def _more_facts(reached: Sequence[tuple[str, str]], timing: Timing | None) -> list[tuple[str, list[tuple[str, str]]]]:
    groups = [("Generated load profiles", list(reached))]
    if timing is not None:
        late = [("frames of the bench", timing.summary)] if timing.summary else []
        groups.append((_PORTS, [*timing.clocks, *late]))
    return [(name, rows) for name, rows in groups if rows]


@cache
def _template() -> Template:
    folder = files("hil.evidence").joinpath("templates")
    sources = {name: folder.joinpath(name).read_text("utf-8") for name in ("index.html.j2", "page.css", "page.js")}
    environment = Environment(
        loader=DictLoader(sources), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("index.html.j2")


def _by_suite(runs: Sequence[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Suites in the order of their first run."""
    suites: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        suites.setdefault(run["suite"], []).append(run)
    return list(suites.items())


def _overall(counts: Mapping[str, int]) -> tuple[str, str]:
    """Outcome of the whole, and what it means."""
    if counts["error"]:
        return "error", "At least one run went wrong on the side of the bench; the result is not complete."
    if counts["fail"]:
        return "fail", "The DUT broke at least one requirement."
    if counts["inconclusive"]:
        return "inconclusive", "At least one requirement could not be judged."
    if counts["pass"]:
        return "pass", "The DUT met every requirement that was judged."
    return "inconclusive", "Nothing was judged."


def _facts(info: RunInfo) -> list[tuple[str, list[tuple[str, str]]]]:
    tool = {key: value for key, value in info.tool.items() if key not in ("name", "version", "dependencies")}
    if tool.get("commit"):
        tool.pop("source", None)  # told where there is no commit alone
    versions: Mapping[str, Any] = info.tool.get("dependencies") or {}
    run: dict[str, Any] = {"started": info.started or "no clock was asked"}
    run |= {"finished": info.finished} if info.finished else {}
    run |= {"host": info.host} if info.host else {}
    run |= {"seed": info.seed, "command": info.command}
    run |= {"operator": info.operator or "not named", "edition": info.edition}
    name = f"{info.tool.get('name', 'hil')} {info.tool.get('version', '')}".strip()
    instruments = [(str(told["name"]), _instrument(told)) for told in info.rig.get("instruments", ())]
    stands_on = {"stands on": ", ".join(f"{key} {value}" for key, value in versions.items())} if versions else {}
    return [
        ("Device under test (DUT)", _pairs(info.dut)),
        ("Rig", _pairs({key: value for key, value in info.rig.items() if key != "instruments"})),
        ("Run", _pairs(run)),
        ("Tool", _pairs({"tool": name, **tool, **stands_on})),
        *([(_INSTRUMENTS, instruments)] if instruments else []),
    ]


def _instrument(told: Mapping[str, Any]) -> str:
    """What a third party needs to know of an instrument to believe what it told."""
    parts = [str(told["kind"])]
    parts += [f"register map {told['map']}"] if told["map"] else []
    parts.append(f"serial number {told['serial'] or 'not given'}")
    parts.append(f"calibrated {told['calibrated'] or 'not given'}")
    parts += [f"at port {told['port']}"] if told["port"] else []
    parts += [] if told["poll_s"] is None else [f"asked every {show_span(s(told['poll_s']))}"]
    parts += [f"{quantity} ± {_uncertainty(sure)}" for quantity, sure in told["measures"].items()]
    return "; ".join(parts)


def _uncertainty(sure: Mapping[str, Any]) -> str:
    absolute, percent = float(sure["absolute"]), 100.0 * float(sure["relative"])
    parts = [f"{absolute:g} {sure['unit']}"] if absolute or not percent else []
    parts += [f"{percent:g} % of the value"] if percent else []
    return f"({' + '.join(parts)})" if len(parts) > 1 else parts[0]


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(key.replace("_", " "), _plain(value)) for key, value in values.items()]


def _plain(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{str(key).replace('_', ' ')}: {_plain(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_plain(entry) for entry in value) or "none"
    return str(value) or "not given"


def _readings(info: RunInfo) -> list[dict[str, str]]:
    entries = register()
    rows = []
    for name, choice in info.readings.items():
        entry = entries.get(name)
        rows.append(
            {
                "name": name,
                "choice": choice,
                "question": entry.question if entry else "",
                "text": entry.choices.get(choice, "") if entry else "",
                "source": entry.source if entry else "",
            }
        )
    return rows


def _run(index: int, result: CaseResult, story: Story, digests: Mapping[str, str]) -> dict[str, Any]:
    measured = decisive(result)
    name = run_name(result)
    outcome = "finding" if is_finding(result) else verdict_word(result.verdict)
    return {
        "anchor": f"run-{index + 1}-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-"),
        "name": name,
        "title": sentence(title(result)),
        "purpose": sentence(result.purpose),
        "outcome": outcome,
        "suite": result.suite,
        "result": result,
        "glance": _glance(measured),
        "measurements": [_row(measurement) for measurement in result.measurements],
        "findings": sorted(result.findings, key=lambda finding: (finding.side != "charger", finding.at)),
        "deviations": sum(finding.side == "charger" for finding in result.findings),
        "story": story,
        "trace": _link(result.trace),
        "stream": _link(result.stream),
        "digests": [(path, digests[path]) for path in left_by(result) if path in digests],
        "open": outcome in ("fail", "error", "inconclusive", "finding"),
        "decisive": "" if result.decisive is None else show_instant(result.decisive),
    }


def _glance(measurement: Measurement | None) -> str:
    if measurement is None or measurement.verdict not in (Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE):
        return ""
    limits = show_limits(measurement)
    return f"{measurement.name}: {_with_unit(measurement)}" + (f" ({limits})" if limits else "")


def _with_unit(measurement: Measurement) -> str:
    unit = f" {measurement.unit}" if measurement.unit and measurement.value is not None else ""
    return show_value(measurement.value) + unit


def _row(measurement: Measurement) -> dict[str, Any]:
    return {
        "name": measurement.name,
        "value": _with_unit(measurement),
        "unsure": show_uncertainty(measurement),
        "limits": show_limits(measurement),
        "verdict": measurement.verdict.value,
        "at": "" if measurement.at is None else f"{seconds(measurement.at):.6f}",
        "note": measurement.note,
        "gauge": _gauge(measurement),
    }


def _gauge(measurement: Measurement) -> tuple[float, float, float] | None:
    """Where the allowed range begins and ends and where the value lies, in percent of a scale."""
    value, low, high = measurement.value, measurement.low, measurement.high
    if isinstance(value, bool) or not isinstance(value, int | float) or low is None or high is None or high <= low:
        return None
    margin = (high - low) / 2
    position = (value - (low - margin)) / (high - low + 2 * margin) * 100
    return 25.0, 75.0, round(min(max(position, 0.0), 100.0), 1)


def _link(path: str | None) -> tuple[str, str] | None:
    """Target and text of a link to a file beside the page; never to anywhere else."""
    if path is None or path.startswith(("/", "\\")) or ".." in path.split("/"):
        return None
    return "./" + quote(path), path


def _first_sentence(text: str) -> str:
    return re.sub(r"\s*\(sheet [^)]*\)", "", text.split("\n", 1)[0]).split(": ")[0].strip().rstrip(".")
