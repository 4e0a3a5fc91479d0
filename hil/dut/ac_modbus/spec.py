"""What the registers of the reference AC charger do, as data: a seeded fault is a pure edit of this.

Sections are those of the sheet modbus_chargers.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from hil.codec.map_file import shipped_map
from hil.codec.registers import RegisterMap, frozen
from hil.errors import UsageError
from hil.units import MILLISECOND, Span

ONE_OUTLET: Mapping[str, str] = MappingProxyType(
    {"alfen-ng9xx": "socket", "keba-p30": "", "phoenix-charx-sec": "point"}
)
"""The maps that the reference AC charger answers to, and the group of which it has one member."""
Feed = Literal["as the map says", "anything", "nothing"]


def _as_it_is(value: float) -> float:
    return value


def _same_text(text: str) -> str:
    return text


@dataclass(frozen=True)
class FrontSpec:
    """Everything about the front; all but the first three fields are what seeded faults change."""

    registers: RegisterMap
    latency: Span = 5 * MILLISECOND
    clients: int = 4
    """Connections at a time, where the map names none."""
    gains: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """By what ``voltage``, ``current``, ``power`` or ``energy`` is told too high."""
    meter_period: Span = 0
    """The meter is read so often; 0 for at every request."""
    tells_state: Callable[[str], str] = _same_text
    """``A`` .. ``F`` with 1 or 2: what is told of it."""
    state_delay: Span = 0
    """A state is told so long after it has come."""
    tells_alarms: bool = True
    keeps_alarms: bool = False
    """Alarms stay when their cause has gone."""
    takes: Callable[[float], float] = _as_it_is
    """A limit in A that was written: what is made of it."""
    obeys: bool = True
    """Limits that are written reach the charger."""
    obeys_refused: bool = False
    """A limit that is refused reaches the charger all the same."""
    obeys_release: bool = True
    obeys_safe: bool = True
    """Safe currents that are written reach the charger."""
    validity_error: Span = 0
    """By how much longer than what is written a limit counts."""
    feed: Feed = "as the map says"
    """What restarts the validity of a limit."""
    checks_range: bool = True
    """Refuse what the map does not allow."""
    resumes: bool = True
    """Go on after a pause."""

    def but(self, **fields: Any) -> FrontSpec:
        """The same with other fields."""
        return replace(self, **fields)

    def telling(self, **gains: float) -> FrontSpec:
        """The same with other gains."""
        return replace(self, gains=MappingProxyType({**self.gains, **gains}))


def reference(name: str = "") -> FrontSpec:
    """The front that passes every case, with a register map of :data:`ONE_OUTLET` (the first one without a name).

    Another name raises :class:`UsageError`.
    """
    name = name or next(iter(ONE_OUTLET))
    if name not in ONE_OUTLET:
        raise UsageError(f"no reference AC charger with the map {name!r}; there are {', '.join(ONE_OUTLET)}")
    whole, group = shipped_map(name), ONE_OUTLET[name]
    own = (each for each in whole.registers.values() if not _of_another(each.name, group))
    return FrontSpec(replace(whole, registers=frozen(own)))


def _of_another(name: str, group: str) -> bool:
    """Whether a register is that of a second outlet, which this charger has not."""
    member, dot, _ = name.partition(".")
    return bool(dot) and member != f"{group}1"
