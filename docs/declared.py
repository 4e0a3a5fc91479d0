"""Tables of the reference pages, made of the declarations themselves when the pages are built.

``{declared} requirements gbt27930`` in a page becomes the table that :data:`TABLES` gives under that
name, so that no page can say anything else than the program does.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import typer
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from hil.cli.app import app as command_line
from hil.codec.map_fields import GROUP, REGISTER, TABLES_OF_A_FILE, Key
from hil.codec.map_file import map_names, shipped_map
from hil.codec.message import Message
from hil.codec.signal import Signal
from hil.conformance import catalogue
from hil.conformance.monitors import monitors as all_monitors
from hil.conformance.register import register
from hil.dut.faults import all_faults
from hil.evidence.explain import BASIS
from hil.plant import SIGNALS, PlantSignal
from hil.plant.ac_signals import AC_SIGNALS
from hil.profile.events import KINDS
from hil.profile.families import families
from hil.profile.search import AC_GOALS, GOALS
from hil.protocol.gbt27930 import edition
from hil.resources import resource
from hil.rig.field import Field, Table
from hil.rig.fields import NAMED, tables
from hil.units import show_span

# --- forms ----------------------------------------------------------------------------------------


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    columns = list(columns)
    lines = [columns, ["---"] * len(columns), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(text: object) -> str:
    """A literal, or nothing where there is nothing to show."""
    return f"`{text}`" if text not in ("", None) else ""


def codes(texts: Iterable[object]) -> str:
    """Several literals."""
    return ", ".join(code(text) for text in texts)


# --- conformance ----------------------------------------------------------------------------------


def purposes(suite: str) -> dict[str, str]:
    """Requirement id to test purpose, as the cases of a suite state it."""
    found: dict[str, str] = {}
    for path in sorted(resource(f"test_suites/{suite}").glob("test_*.py")):
        for function in ast.parse(path.read_text("utf-8")).body:
            if isinstance(function, ast.FunctionDef) and function.decorator_list:
                mark = function.decorator_list[0]
                assert isinstance(mark, ast.Call), f"{path.name}: {function.name} is tied to no requirement"
                text = (ast.get_docstring(function) or "").split("\n\n")[0]
                purpose = " ".join(text.removeprefix("TP: ").split())
                found[ast.literal_eval(mark.args[0])] = purpose[:1].upper() + purpose[1:]
    return found


def requirements(suite: str) -> str:
    """Case, purpose with runs and needs, basis and source of every requirement of a suite."""
    told = purposes(suite)
    rows = []
    for each in catalogue.requirements().values():
        if each.suite == suite:
            runs = [*map(code, each.variants), *(f"{code(name)} (advisory)" for name in each.advisory_variants)]
            runs += [f"every choice of {code(each.reading)}"] if each.reading else []
            purpose = told[each.id]
            purpose += f" *Runs:* {', '.join(runs)}." if runs else ""
            purpose += f" *Needs:* {_needs(each)}." if each.needs else ""
            basis = f"{each.basis} (advisory)" if each.advisory else each.basis
            rows.append((code(each.case), purpose, basis, each.clause or each.source))
    return table(("Case", "Test purpose", "Basis", "Source"), rows)


def _needs(requirement: catalogue.Requirement) -> str:
    besides = (f"for {code(variant)} also {codes(needs)}" for variant, needs in requirement.variant_needs.items())
    return "; ".join([codes(requirement.needs), *besides])


def monitors() -> str:
    """What the passive monitors judge."""
    rows = []
    for each in all_monitors().values():
        basis = f"{each.basis} (advisory)" if each.advisory else each.basis
        rows.append((code(each.id), each.title, each.source, basis, code(each.reading) if each.reading else ""))
    return table(("Monitor", "Requires", "Source", "Basis", "Reading"), rows)


def bases() -> str:
    """The confidence marks."""
    rows = [(code(name), BASIS[name], "advisory" if name in ("DER", "K") else "counts") for name in catalogue.BASES]
    return table(("Basis", "Meaning", "In the exit code"), rows)


def capabilities() -> str:
    """What a bench may be able to do."""
    return table(("Capability", "Meaning"), ((code(name), text) for name, text in catalogue.CAPABILITIES.items()))


def readings() -> str:
    """The interpretation register, one definition an entry."""
    parts = []
    for name, entry in register().items():
        rows = []
        for choice, text in entry.choices.items():
            presets = {"default": entry.default, "strict": entry.strict, "field": entry.field}
            taken = [label for label, picked in presets.items() if picked == choice]
            rows.append((code(f"{name}={choice}"), text, ", ".join(taken)))
        advisory = " What depends on it is advisory." if entry.advisory else ""
        head = f"**{code(name)}** {entry.question}\n\n"
        parts.append(
            head + table(("Choice", "Meaning", "Taken by"), rows) + f"\n\n{entry.why}{advisory} *{entry.source}*"
        )
    return "\n\n".join(parts)


def timeouts() -> str:
    """Windows in which a charger reports a time-out."""
    return _limits("timeouts", catalogue.timeout)


def partners() -> str:
    """The vehicle's time-outs, which bound what has no limit of its own."""
    return _limits("partners", catalogue.partner)


def spans() -> str:
    """Named spans."""
    return _limits("spans", catalogue.limit)


def _limits(name: str, find: Callable[[str], catalogue.Limit]) -> str:
    rows = []
    for each in map(find, catalogue.names(name)):
        others = (
            f"{code(f'{reading}={choice}')}: {show_span(low)} to {show_span(high)}"
            + ("" if source == each.source else f" ({source})")
            for reading, choice, low, high, source in each.alternatives
        )
        rows.append((code(each.name), show_span(each.low), show_span(each.high), "; ".join(others), each.source))
    return table(("Limit", "From", "To", "By another reading", "Source"), rows)


def quantities() -> str:
    """Named ranges of measured quantities."""
    rows = []
    for each in map(catalogue.quantity, catalogue.names("quantities")):
        low, high = ("" if side is None else f"{side:g} {each.unit}" for side in (each.low, each.high))
        rows.append((code(each.name), low, high, each.source))
    return table(("Quantity", "At least", "At most", "Source"), rows)


def faults() -> str:
    """Seeded faults and what must catch each."""
    rows = ((code(each.name), each.summary, codes(each.breaks)) for each in all_faults().values())
    return table(("Fault", "What the charger does wrong", "Caught by"), rows)


def profile_families() -> str:
    """Named load profiles."""
    rows = []
    for each in families().values():
        always = f"; always {code(each.vehicle)}" if each.vehicle else ""
        rows.append((code(each.name), each.summary + always + ("" if each.legal else "; never for a rig")))
    return table(("Family", "What it is"), rows)


def profile_events() -> str:
    """Events that a load profile may have."""
    rows = []
    for name, kind in KINDS.items():
        names = [each.encode_name for each in msgspec.structs.fields(kind) if each.encode_name != "at_s"]
        rows.append((code(name), codes(names), (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")))
    return table(("`do`", "Further fields", "What happens"), rows)


def profile_goals() -> str:
    """What a search may look for."""
    return _goals(GOALS)


def profile_ac_goals() -> str:
    """What a search over AC profiles may look for."""
    return _goals(AC_GOALS)


def _goals(goals: Mapping[str, tuple[str, ...]]) -> str:
    return table(("Goal", "Judged by"), ((code(name), codes(cases)) for name, cases in goals.items()))


# --- messages and plant ---------------------------------------------------------------------------


def messages(name: str) -> str:
    """Every message of an edition with its signals."""
    found = edition(name)
    parts = []
    for declared in found.messages:
        parts.append(f"### {declared.name}\n\n{_head(declared, found.ids(declared))}\n")
        if declared.signals:
            rows = [_signal(key, signal) for key, signal in declared.signals.items()]
            parts.append(table(("Signal", "SPN", "Byte.bit", "Bits", "Value", "Range", "Choices"), rows))
    return "\n\n".join(parts)


def _head(declared: type[Message], ids: Mapping[str, int]) -> str:
    doc = (inspect.getdoc(declared) or "").split("\n\n")[0].replace("\n", " ")
    period = f"every {show_span(declared.period)}" if declared.period is not None else "once"
    identifiers = ", ".join(f"`0x{number:08X}` ({sender})" for sender, number in ids.items())
    how = "transport protocol" if declared.transport else "one frame"
    lengths = " or ".join(map(str, declared.lengths))
    return f"{doc} PGN `0x{declared.pgn:04X}`, {identifiers}, {lengths} bytes, {how}, {period}."


def _signal(key: str, signal: Signal) -> tuple[str, ...]:
    place = f"{signal.start // 8 + 1}.{signal.start % 8 + 1}"
    scaled = signal.kind if signal.kind != "uint" else f"{float(signal.scale):g} × raw"
    offset = float(signal.offset)
    value = f"{scaled}{f' {offset:+g}' if offset else ''} {signal.unit}".strip()
    given = signal.low is not None or signal.high is not None
    span = f"{_bound(signal.low)} .. {_bound(signal.high)}" if given else ""
    choices = ", ".join(f"{number} {text}" for number, text in signal.choices.items())
    return (code(key), str(signal.spn), place, str(signal.length), value, span, choices)


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def plant() -> str:
    """The declared sensors, actuators and stimuli."""
    return _signals(SIGNALS)


def ac_plant() -> str:
    """The same of an AC charging point."""
    return _signals(AC_SIGNALS)


def _signals(signals: Iterable[PlantSignal]) -> str:
    rows = (
        (code(each.name), each.kind, each.side, f"{each.low:g} .. {each.high:g} {each.unit}".strip(), each.doc)
        for each in signals
    )
    return table(("Signal", "Kind", "Side", "Range", "Meaning"), rows)


# --- rig files and command line -------------------------------------------------------------------


def rig() -> str:
    """Every table of a rig file with its keys."""
    parts = []
    for name, fields in tables().items():
        head = f"## `[{name}]`" if name else "## Top of the file"
        parts.append(head + "\n\n" + _keys(fields))
    for name, named in NAMED.items():
        parts.append(f"## `[{name}.NAME]`\n\n{named.text}")
        for variant, fields in named.variants.items():
            lead = f'With `{named.by} = "{variant}"`:\n\n' if named.by else ""
            parts.append(lead + _keys(fields))
        for key, each in named.below.items():
            names = f" Names: {codes(each.names())}." if each.names else ""
            parts.append(f"`[{name}.NAME.{key}]` {each.text}{names}\n\n{_keys(each.variants[''])}")
    return "\n\n".join(parts)


def _keys(fields: Table) -> str:
    rows = [(code(key), _field_type(field), _default(field), field.text) for key, field in fields.items()]
    return table(("Key", "Value", "Default", "Meaning"), rows)


def _field_type(field: Field) -> str:
    kind = {"texts": "list of texts", "range": "list of two numbers"}.get(field.type, field.type)
    if field.allowed is not None:
        return f"{'list of ' if field.type == 'texts' else ''}{codes(field.allowed())}"
    bounds = f" {_bound(field.low)} .. {_bound(field.high)}" if (field.low, field.high) != (None, None) else ""
    return kind + bounds


def _default(field: Field) -> str:
    if field.required:
        return "(required)"
    if isinstance(field.default, dict | list) and not field.default:
        return ""
    return (
        "" if field.default is None else code(str(field.default).lower() if field.type == "boolean" else field.default)
    )


def commands() -> str:
    """Every command with its options."""
    parts = []
    group: Any = typer.main.get_command(command_line)
    for name, command in _commands(group):
        rows = [_option(parameter) for parameter in command.params]
        head = f"## `hil {name}`\n\n{command.help}"
        parts.append("\n\n".join([head, *([table(("Option", "Default", "Meaning"), rows)] if rows else [])]))
    return "\n\n".join(parts)


def _commands(group: Any, before: str = "") -> Iterable[tuple[str, Any]]:
    """Every command with its name, those of groups with the name of their group."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _option(parameter: Any) -> tuple[str, ...]:
    argument = parameter.param_type_name == "argument"
    name = parameter.metavar if argument else " ".join([*parameter.opts, *filter(None, [parameter.metavar])])
    shown = parameter.show_default
    default = "" if parameter.default in (None, False) else code(parameter.default)
    default = shown if isinstance(shown, str) else "(required)" if parameter.required else default
    return (code(name), default, parameter.help.replace("\\[", "["))


# --- register maps --------------------------------------------------------------------------------


def register_maps() -> str:
    """The register maps that are shipped."""
    found = [shipped_map(name) for name in map_names()]
    rows = (
        (
            code(each.name),
            each.title,
            each.kind,
            codes(each.transports),
            len(each.registers),
            each.confidence,
            each.source,
        )
        for each in found
    )
    return table(("Map", "Device", "Kind", "Lines", "Registers", "Founded", "Source"), rows)


def register_map_keys() -> str:
    """Every table of a register map file with its keys."""
    named = {("Top of the file" if not name else f"`[{name}]`"): keys for name, keys in TABLES_OF_A_FILE.items()}
    named |= {"`registers`, one each": REGISTER, "`[groups.<name>]`": GROUP}
    parts = []
    for head, keys in named.items():
        rows = [(code(name), _key_form(key), _key_default(key), key.text) for name, key in keys.items()]
        parts.append(f"### {head}\n\n" + table(("Key", "Value", "Default", "Meaning"), rows))
    return "\n\n".join(parts)


def _key_form(key: Key) -> str:
    if key.allowed is not None:
        return f"{'list of ' if key.form.endswith('s') else ''}{codes(key.allowed)}"
    bounded = (key.low, key.high) != (None, None)
    return f"{key.form} {_bound(key.low)} .. {_bound(key.high)}" if bounded else key.form


def _key_default(key: Key) -> str:
    if key.required:
        return "(required)"
    empty = key.default in (None, "", (), {})
    return "" if empty else code(str(key.default).lower() if isinstance(key.default, bool) else key.default)


TABLES: Mapping[str, Callable[..., str]] = {
    each.__name__: each
    for each in (
        *(requirements, monitors, bases, capabilities, readings, timeouts, partners, spans, quantities, faults),
        *(messages, plant, ac_plant, rig, commands, register_maps, register_map_keys),
        *(profile_families, profile_events, profile_goals, profile_ac_goals),
    )
}


class Declared(SphinxDirective):
    """A table of :data:`TABLES`, with the arguments it takes."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The table's nodes."""
        name, *arguments = self.arguments
        return self.parse_text_to_nodes(TABLES[name](*arguments), allow_section_headings=True)


def bare_name(
    sphinx: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Docstrings name classes and functions without their module; a name that only one object has is that object."""
    if node.get("refdomain") != "py":
        return None
    python = env.domains.python_domain
    kinds = python.objtypes_for_role(node["reftype"]) or []
    found = {
        full: each
        for full, each in python.objects.items()
        if full.rpartition(".")[2] == node["reftarget"] and each.objtype in kinds
    }
    if len(found) != 1:
        return None
    [(full, target)] = found.items()
    return make_refnode(sphinx.builder, node["refdoc"], target.docname, target.node_id, [content], full)


def setup(sphinx: Sphinx) -> dict[str, bool]:
    """Make the directive known, and how docstrings name things."""
    sphinx.add_directive("declared", Declared)
    sphinx.connect("missing-reference", bare_name)
    return {"parallel_read_safe": True}
