"""SCPI over byte lines (sheet serial 3)."""

from hil.protocol.scpi.client import Answer, Event, Line, NoAnswer, ScpiClient, ScpiSettings, Unasked
from hil.protocol.scpi.dialect import DIALECTS, Dialect
from hil.protocol.scpi.errors import TEXTS, ErrorQueue, ScpiError, show
from hil.protocol.scpi.message import (
    LineReader,
    Unit,
    answer_number,
    boolean,
    number,
    parse_unit,
    split_quoted,
    units_of,
)
from hil.protocol.scpi.status import Register, Status
from hil.protocol.scpi.tree import Tree

__all__ = [
    "DIALECTS",
    "TEXTS",
    "Answer",
    "Dialect",
    "ErrorQueue",
    "Event",
    "Line",
    "LineReader",
    "NoAnswer",
    "Register",
    "ScpiClient",
    "ScpiError",
    "ScpiSettings",
    "Status",
    "Tree",
    "Unasked",
    "Unit",
    "answer_number",
    "boolean",
    "number",
    "parse_unit",
    "show",
    "split_quoted",
    "units_of",
]
