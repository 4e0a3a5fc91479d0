"""The commands of the simulated instrument (sheet serial 3.2 to 3.5): SCPI-99 names, EA's and ITECH's habits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hil.protocol.scpi import ScpiError, Status, Tree, boolean, number, show
from hil.protocol.scpi.status import MASK, OPC, Register
from hil.tester.scpi.power import ListRun, Power
from hil.tester.scpi.spec import UNITS, InstrumentSpec
from hil.units import Instant, Span


@dataclass
class ListSetup:
    """A list as it was entered."""

    values: list[float] = field(default_factory=list)
    dwells: list[float] = field(default_factory=lambda: [1.0])
    count: int = 1
    enabled: bool = False
    waiting: bool = False
    """Armed: the trigger starts it."""


@dataclass
class Session:
    """All that a command may see and change."""

    spec: InstrumentSpec
    power: Power
    status: Status
    setup: ListSetup = field(default_factory=ListSetup)
    remote: bool = False
    complete_due: bool = False
    """``*OPC`` waits for the end of what is under way."""
    answering: bool = False
    """An answer is there that has not gone out."""
    slow: Span = 0
    """Extra time of the answer that is being made."""
    now: Instant = 0
    saved: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """An operation is under way."""
        return self.power.running is not None or self.setup.waiting

    def figure(self, value: float, unit: str = "") -> str:
        """A number as this instrument writes it."""
        return f"{value:.{self.spec.decimals}f}{unit if self.spec.units else ''}"

    def flag(self, on: bool) -> str:
        """A boolean as this instrument writes it."""
        return ("ON" if on else "OFF") if self.spec.onoff else str(int(on))


Parameters = tuple[str, ...]
Set = Callable[[Session, Parameters], None]
Get = Callable[[Session, Parameters], str]


@dataclass(frozen=True)
class Command:
    """What a header does as a command and as a query; how many parameters a command takes."""

    set: Set | None = None
    get: Get | None = None
    least: int = 1
    most: int = 1
    power: bool = False
    """Needs remote control where the instrument asks for it."""


_ANY = 1 << 30


def run(s: Session, command: Command, *, query: bool, parameters: Parameters) -> str | None:
    """Carry out one unit; its answer. Raises :class:`ScpiError`."""
    if query:
        if command.get is None:
            raise ScpiError(-113)
        if len(parameters) > 1:
            raise ScpiError(-108)
        return command.get(s, parameters)
    if command.set is None:
        raise ScpiError(-113)
    if len(parameters) < command.least:
        raise ScpiError(-109)
    if len(parameters) > command.most:
        raise ScpiError(-108)
    if command.power and s.spec.needs_remote and not s.remote:
        raise ScpiError(-200)
    command.set(s, parameters)
    return None


def _value(s: Session, name: str, text: str, *, least: float | None = None) -> float:
    """A number of a quantity inside its range."""
    low, high = s.spec.ranges[name]
    low = low if least is None else least
    value = number(text, UNITS[name])
    if isinstance(value, str):
        ends = {"MIN": low, "MAX": high, "DEF": low}
        if value not in ends:
            raise ScpiError(-222)
        return ends[value]
    if not low <= value <= high:
        raise ScpiError(-222)
    return value


def _integer(text: str, low: int, high: int) -> int:
    value = number(text, "")
    if isinstance(value, str) or not low <= round(value) <= high:
        raise ScpiError(-222)
    return round(value)


# --- levels ---------------------------------------------------------------------------------------------


def _level(name: str) -> Command:
    def put(s: Session, p: Parameters) -> None:
        value = _value(s, name, p[0])
        if name in s.power.protection and value > s.power.protection[name]:
            raise ScpiError(-221)
        s.power.level[name] = value

    def get(s: Session, p: Parameters) -> str:
        return s.figure(_value(s, name, p[0]) if p else s.power.level[name], UNITS[name])

    return Command(put, get, power=True)


def _protection(name: str) -> Command:
    def put(s: Session, p: Parameters) -> None:
        low, high = s.spec.ranges[name]
        value = number(p[0], UNITS[name])
        value = {"MIN": low, "MAX": high * 1.1, "DEF": high * 1.1}.get(value, -1.0) if isinstance(value, str) else value
        if not low <= value <= high * 1.1:
            raise ScpiError(-222)
        if value < s.power.level[name] and name != "power":
            raise ScpiError(-221)
        s.power.protection[name] = value

    return Command(put, lambda s, _: s.figure(s.power.protection[name], UNITS[name]), power=True)


def _measure(name: str, *, slow: bool) -> Command:
    def get(s: Session, _: Parameters) -> str:
        if slow:
            s.slow += s.spec.measure_delay
        return s.figure(s.power.measure(name, s.now), UNITS[name])

    return Command(get=get)


def _slew(s: Session, p: Parameters) -> None:
    s.power.slew = _value(s, "slew", p[0])


def _turn_on(s: Session, p: Parameters) -> None:
    s.power.turn_on = _value(s, "voltage", p[0])


def _mode(s: Session, p: Parameters) -> None:
    forms = {"CURR": "current", "VOLT": "voltage", "POW": "power", "RES": "resistance"}
    long = {"CURRENT": "current", "VOLTAGE": "voltage", "POWER": "power", "RESISTANCE": "resistance"}
    mode = {**forms, **long}.get(p[0].upper())
    if mode is None:
        raise ScpiError(-224)
    s.power.mode = mode


_SHORT = {"current": "CURR", "voltage": "VOLT", "power": "POW", "resistance": "RES"}


def _switch(s: Session, p: Parameters) -> None:
    if not s.power.switch(boolean(p[0]), s.now):
        raise ScpiError(-221)


def _clear_protection(s: Session, _: Parameters) -> None:
    if not s.power.clear_protection(s.now):
        raise ScpiError(-221)


def _short(s: Session, p: Parameters) -> None:
    s.power.short = boolean(p[0])


# --- list -----------------------------------------------------------------------------------------------


def _steps(s: Session, name: str, p: Parameters) -> list[float]:
    if len(p) > s.spec.steps:
        raise ScpiError(-108)
    return [_value(s, name, each) for each in p]


def _list_values(s: Session, p: Parameters) -> None:
    s.setup.values = _steps(s, "current", p)


def _list_dwells(s: Session, p: Parameters) -> None:
    s.setup.dwells = _steps(s, "dwell", p)


def _list_count(s: Session, p: Parameters) -> None:
    s.setup.count = _integer(p[0], 1, 1_000_000)


def _list_mode(s: Session, p: Parameters) -> None:
    mode = p[0].upper()
    if mode not in ("LIST", "FIX", "FIXED"):
        raise ScpiError(-224)
    s.setup.enabled = mode == "LIST"


def _initiate(s: Session, _: Parameters) -> None:
    setup = s.setup
    if not setup.enabled or not setup.values or len(setup.dwells) not in (1, len(setup.values)) or s.busy:
        raise ScpiError(-221)
    setup.waiting = True


def trigger(s: Session, _: Parameters = ()) -> None:
    """``*TRG``: an armed list starts."""
    setup = s.setup
    if not setup.waiting:
        raise ScpiError(-200)
    setup.waiting = False
    s.power.running = ListRun(setup.values, setup.dwells, setup.count, s.now)


def _abort(s: Session, _: Parameters) -> None:
    s.setup.waiting = False
    s.power.running = None


# --- system, status, common -----------------------------------------------------------------------------


def _remote(on: bool) -> Set:
    def put(s: Session, _: Parameters) -> None:
        s.remote = on

    return put


def _lock(s: Session, p: Parameters) -> None:
    s.remote = boolean(p[0])


def _all_errors(s: Session, _: Parameters) -> str:
    codes = [s.status.errors.pop() for _ in range(max(1, len(s.status.errors)))]
    return ",".join(show(code, plus=s.spec.plus) for code in codes)


def _register(name: str, what: str) -> Command:
    def register(s: Session) -> Register:
        return s.status.operation if name == "operation" else s.status.questionable

    def put(s: Session, p: Parameters) -> None:
        setattr(register(s), what, _integer(p[0], 0, 0xFFFF) & MASK)

    if what == "event":
        return Command(get=lambda s, _: str(register(s).take()))
    if what == "condition":
        return Command(get=lambda s, _: str(register(s).condition))
    return Command(put, lambda s, _: str(getattr(register(s), what)))


def _preset(s: Session, _: Parameters) -> None:
    s.status.operation.preset()
    s.status.questionable.preset()


def _reset(s: Session, _: Parameters) -> None:
    s.power.reset()
    s.power.drive(s.now)
    s.setup = ListSetup()
    s.complete_due = False
    if s.spec.reset_clears:
        s.status.errors.clear()


def _clear(s: Session, _: Parameters) -> None:
    s.status.clear()
    s.complete_due = False


def _event_enable(s: Session, p: Parameters) -> None:
    s.status.event_enable = _integer(p[0], 0, 255)


def _service_enable(s: Session, p: Parameters) -> None:
    s.status.service_enable = _integer(p[0], 0, 255)


def _complete(s: Session, _: Parameters) -> None:
    if s.busy:
        s.complete_due = True
    else:
        s.status.events |= OPC


def _save(s: Session, p: Parameters) -> None:
    s.saved[_integer(p[0], 0, 9)] = dict(s.power.level)


def _recall(s: Session, p: Parameters) -> None:
    kept = s.saved.get(_integer(p[0], 0, 9))
    if kept is None:
        raise ScpiError(-200)
    s.power.level = dict(kept)


def _nothing(_: Session, __: Parameters) -> None:
    return


WAIT, COMPLETE_QUERY = "WAI", "OPC"

COMMON: dict[str, Command] = {
    "IDN": Command(get=lambda s, _: s.spec.identity),
    "RST": Command(_reset, least=0, most=0),
    "CLS": Command(_clear, least=0, most=0),
    "ESR": Command(get=lambda s, _: str(s.status.take_events())),
    "ESE": Command(_event_enable, lambda s, _: str(s.status.event_enable)),
    "STB": Command(get=lambda s, _: str(s.status.byte(message=s.answering))),
    "SRE": Command(_service_enable, lambda s, _: str(s.status.service_enable)),
    COMPLETE_QUERY: Command(_complete, lambda _, __: "1", least=0, most=0),
    WAIT: Command(_nothing, least=0, most=0),
    "TRG": Command(trigger, least=0, most=0),
    "SAV": Command(_save),
    "RCL": Command(_recall),
    "TST": Command(get=lambda _, __: "0"),
}


_SWITCH = Command(_switch, lambda s, _: s.flag(s.power.on), power=True)
_CLEAR_TRIP = Command(_clear_protection, least=0, most=0, power=True)
_SUBSYSTEMS: dict[str, Command] = {
    "[SOURce:]VOLTage[:LEVel][:IMMediate][:AMPLitude]": _level("voltage"),
    "[SOURce:]CURRent[:LEVel][:IMMediate][:AMPLitude]": _level("current"),
    "[SOURce:]POWer[:LEVel][:IMMediate][:AMPLitude]": _level("power"),
    "[SOURce:]RESistance[:LEVel][:IMMediate][:AMPLitude]": _level("resistance"),
    "[SOURce:]VOLTage:PROTection[:LEVel]": _protection("voltage"),
    "[SOURce:]CURRent:PROTection[:LEVel]": _protection("current"),
    "[SOURce:]POWer:PROTection[:LEVel]": _protection("power"),
    "[SOURce:]VOLTage:ON": Command(_turn_on, lambda s, _: s.figure(s.power.turn_on, "V"), power=True),
    "[SOURce:]CURRent:SLEW": Command(_slew, lambda s, _: s.figure(s.power.slew), power=True),
    "[SOURce:]CURRent:MODE": Command(_list_mode, lambda s, _: "LIST" if s.setup.enabled else "FIX", power=True),
    "[SOURce:]FUNCtion": Command(_mode, lambda s, _: _SHORT[s.power.mode], power=True),
    "OUTPut[:STATe]": _SWITCH,
    "INPut[:STATe]": _SWITCH,
    "OUTPut:PROTection:CLEar": _CLEAR_TRIP,
    "INPut:PROTection:CLEar": _CLEAR_TRIP,
    "INPut:SHORt": Command(_short, lambda s, _: s.flag(s.power.short), power=True),
    "[SOURce:]LIST:CURRent": Command(
        _list_values, lambda s, _: ",".join(s.figure(each) for each in s.setup.values), most=_ANY, power=True
    ),
    "[SOURce:]LIST:DWELl": Command(
        _list_dwells, lambda s, _: ",".join(s.figure(each) for each in s.setup.dwells), most=_ANY, power=True
    ),
    "[SOURce:]LIST:COUNt": Command(_list_count, lambda s, _: str(s.setup.count), power=True),
    "INITiate[:IMMediate]": Command(_initiate, least=0, most=0, power=True),
    "ABORt": Command(_abort, least=0, most=0, power=True),
    "SYSTem:ERRor[:NEXT]": Command(get=lambda s, _: show(s.status.errors.pop(), plus=s.spec.plus)),
    "SYSTem:ERRor:COUNt": Command(get=lambda s, _: str(len(s.status.errors))),
    "SYSTem:ERRor:ALL": Command(get=_all_errors),
    "SYSTem:REMote": Command(_remote(True), least=0, most=0),
    "SYSTem:LOCal": Command(_remote(False), least=0, most=0),
    "SYSTem:LOCK": Command(_lock),
    "SYSTem:LOCK:OWNer": Command(get=lambda s, _: "REMOTE" if s.remote else "NONE"),
    "STATus:PRESet": Command(_preset, least=0, most=0),
}


def _build() -> Tree[Command]:
    tree: Tree[Command] = Tree()
    for pattern, command in _SUBSYSTEMS.items():
        tree.add(pattern, command)
    for name, node in (("voltage", "VOLTage"), ("current", "CURRent"), ("power", "POWer")):
        tree.add(f"MEASure[:SCALar]:{node}", _measure(name, slow=True))
        tree.add(f"FETCh[:SCALar]:{node}", _measure(name, slow=False))
    for name, node in (("operation", "OPERation"), ("questionable", "QUEStionable")):
        tree.add(f"STATus:{node}[:EVENt]", _register(name, "event"))
        tree.add(f"STATus:{node}:CONDition", _register(name, "condition"))
        for what, end in (("enable", "ENABle"), ("positive", "PTRansition"), ("negative", "NTRansition")):
            tree.add(f"STATus:{node}:{end}", _register(name, what))
    return tree


TREE = _build()
"""Every command but the common ones."""
