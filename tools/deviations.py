"""Writes the table of smallest deviations of the documentation: ``deviations.py report/qualification.json``.

The file is that of a whole ``hil qualify``; of the page only the sentence before the table and the table change.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs/reference/qualification.md"
DOWN = ("early", "too short")
_FOUND = re.compile(
    r"`hil qualify` of \S+, seed \d+: .*? a smallest deviation caught for each of \d+ limits", re.DOTALL
)
_TABLE = re.compile(r"(\| Limit \| From \.\. to .*\n\|[-:|]+\|\n)(\|.*\n)+")


def signed(value: float, *, down: bool) -> str:
    """Milliseconds in the direction of the deviation, with a sign as readers print it."""
    number = round(-value if down else value)
    return "0" if number == 0 else f"{number:+d}".replace("-", "\N{MINUS SIGN}")


def row(each: dict[str, Any]) -> str:
    """A line of the table."""
    down = each["direction"] in DOWN
    case = each["requirement"].partition("/")[2]
    shown = signed(each["tolerance_ms"], down=down), signed(each["caught_ms"], down=down)
    return f"| {each['name']} | {each['limit']} | {round(each['nominal_ms'])} | {shown[0]} | {shown[1]} | {case} |\n"


def write(document: dict[str, Any], page: str) -> str:
    """The page with what a qualification has found."""
    counts, runs = document["summary"], document["reference"]["runs"]
    told = (
        f"`hil qualify` of {document['started'][:10]}, seed {document['seed']}: {counts['killed']} of "
        f"{counts['faults']} seeded faults killed, the reference not\nblamed in any of {runs} runs, "
        f"a smallest deviation caught for each of {counts['limits']} limits"
    )
    rows = "".join(row(each) for each in document["deviations"])
    return _TABLE.sub(lambda found: found[1] + rows, _FOUND.sub(told, page, count=1), count=1)


if __name__ == "__main__":
    PAGE.write_text(write(json.loads(Path(sys.argv[1]).read_text("utf-8")), PAGE.read_text("utf-8")), "utf-8")
