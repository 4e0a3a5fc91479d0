"""What the console does and answers, one function a command (sheet serial 1.3 to 1.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hil.dut.rapi.charger import FAULTS, Charger
from hil.dut.rapi.memory import ACKNOWLEDGE, ACKNOWLEDGED, MISSED, NEVER_MISSED, Memory, level_of
from hil.dut.rapi.spec import ConsoleSpec
from hil.protocol.rapi import FEATURES, Setting, State
from hil.units import SECOND, Instant

_IN_SESSION = (State.CONNECTED, State.CHARGING)
_BIT_32 = 0xFFFF_FFFF
ABSENT = -2560
"""What a temperature sensor tells that is not there."""


class Answer(NamedTuple):
    """``OK`` or ``NK`` and what follows it."""

    ok: bool = True
    text: str = ""


class Context(NamedTuple):
    """What a command may see and change."""

    spec: ConsoleSpec
    memory: Memory
    charger: Charger
    flags: Callable[[], int]
    press: Callable[[], None]
    restart: Callable[[], None]
    now: Instant

    def sensed(self, sensor: str) -> float:
        """A sensor as this console reports it."""
        return self.charger.measure(sensor, self.now) * self.spec.gains.get(sensor, 1.0)

    @property
    def hardware_max(self) -> int:
        """Of the active service level."""
        if level_of(self.charger.settings) == 1:
            return self.spec.max_level1
        return self.memory.maximum or self.spec.max_level2

    @property
    def stored(self) -> int:
        """Stored limit of the active service level."""
        return self.memory.stored[level_of(self.charger.settings)]


Handler = Callable[[Context, list[str]], Answer]
OK, NK = Answer(), Answer(False)


def number(token: str) -> int:
    """Digits as the firmware reads them: no check, 32 bits, no minus sign."""
    value = 0
    for character in token[:32]:
        value = value * 10 + ord(character) - 0x30 & _BIT_32
    return value


def byte(token: str) -> int:
    """The same, cut to 8 bits."""
    return number(token) & 0xFF


# --- functions -----------------------------------------------------------------------------------------


def _accept(_: Context, __: list[str]) -> Answer:
    return OK


def _press(c: Context, _: list[str]) -> Answer:
    c.press()
    return OK


def _disable(c: Context, _: list[str]) -> Answer:
    c.charger.mode = "disabled"
    return OK


def _enable(c: Context, _: list[str]) -> Answer:
    c.charger.mode = "enabled"
    c.memory.limit_sleep = c.memory.time_limit_hit = c.memory.energy_limit_hit = False
    return OK


def _sleep(c: Context, _: list[str]) -> Answer:
    c.charger.mode = "sleeping"
    return OK


def _feature(c: Context, p: list[str]) -> Answer:
    letter, on = p[0][:1], p[1][:1] != "0"
    if letter == "E":
        c.memory.echo = c.spec.echoes  # only a restart ends it: the firmware compares a number with a character
        return OK
    if letter not in FEATURES:
        return NK
    flag, on = int(FEATURES[letter]), on != c.spec.features_turned
    c.charger.settings = c.charger.settings & ~flag if on else c.charger.settings | flag
    return OK


def _display(c: Context, p: list[str]) -> Answer:
    c.memory.display[byte(p[1]) % 2] = " ".join(p[2:]).replace("\x11", " ")
    return OK


def _restart(c: Context, _: list[str]) -> Answer:
    c.restart()
    return OK


# --- set -----------------------------------------------------------------------------------------------


def _set_clock(c: Context, p: list[str]) -> Answer:
    c.memory.clock.set([byte(token) for token in p], c.now)
    return OK


def _time_limit(c: Context, p: list[str]) -> Answer:
    if not _in_session(c):
        return NK
    session, quarters = c.memory.session, byte(p[0])
    session.time_limit = quarters
    session.time_end = session.charged + quarters * 900 * SECOND + c.spec.limit_error
    return OK


def _energy_limit(c: Context, p: list[str]) -> Answer:
    if not _in_session(c):
        return NK
    c.memory.session.energy_limit = number(p[0])
    return OK


def _in_session(c: Context) -> bool:
    return c.spec.limits_anywhere or c.charger.status(c.now).state in _IN_SESSION


def _lock(c: Context, p: list[str]) -> Answer:
    c.charger.locked = p[0][:1] == "1"
    return OK


def _mennekes(c: Context, p: list[str]) -> Answer:
    memory, mode = c.memory, p[0][:1]
    if mode in ("A", "M"):
        memory.mennekes = mode
        return OK
    if mode not in ("0", "1") or memory.mennekes != "M":
        return NK
    memory.mennekes_locked = mode == "1"
    return OK


def _ammeter(c: Context, p: list[str]) -> Answer:
    c.memory.ammeter = (number(p[0]), number(p[1]))
    return OK


def _voltmeter(c: Context, p: list[str]) -> Answer:
    c.memory.voltmeter = (number(p[0]), number(p[1]))
    return OK


def _boot_unlock(c: Context, _: list[str]) -> Answer:
    if c.charger.status(c.now).state in FAULTS:
        return Answer(text="1")
    c.memory.boot_locked = False
    return Answer(text="0")


def _current(c: Context, p: list[str]) -> Answer:
    """Sheet serial 1.4."""
    amps, kind = byte(p[0]), p[1][:1] if len(p) > 1 else ""
    if kind == "M":
        return _maximum(c, amps)
    volatile = bool(kind)
    most = c.stored if volatile and c.spec.volatile_max else c.hardware_max
    present = c.charger.capacity
    if amps > present and c.charger.status(c.now).state == State.OVER_TEMPERATURE:
        return Answer(False, str(present))
    within = min(max(amps, c.spec.min_current), most)
    if within != amps and not c.spec.clamp:
        return Answer(c.spec.clamp_ok, str(present))
    c.charger.capacity = within
    if not volatile:
        c.memory.stored[level_of(c.charger.settings)] = within
    return Answer(within == amps or c.spec.clamp_ok, str(within))


def _maximum(c: Context, amps: int) -> Answer:
    possible = c.spec.min_current <= amps <= c.spec.max_level2
    if possible and (c.memory.maximum is None or not c.spec.maximum_once):
        c.memory.maximum = amps
        c.memory.stored[2] = min(c.memory.stored[2], amps)
        c.charger.capacity = min(c.charger.capacity, c.hardware_max)
        return Answer(text=str(amps))
    return Answer(False, str(c.memory.maximum or c.spec.max_level2))


def _accumulated(c: Context, p: list[str]) -> Answer:
    c.memory.lifetime_offset = number(p[0]) - c.charger.measure("energy", c.now) * 1000
    return OK


def _service_level(c: Context, p: list[str]) -> Answer:
    letter = p[0][:1]
    if letter not in ("1", "2", "A"):
        return OK if c.spec.any_level else NK
    settings = c.charger.settings
    if letter == "A":
        settings &= ~Setting.AUTO_LEVEL_OFF
    else:
        settings |= Setting.AUTO_LEVEL_OFF
        settings = settings | Setting.LEVEL_2 if letter == "2" else settings & ~Setting.LEVEL_2
    if level_of(settings) != level_of(c.charger.settings):
        c.charger.capacity = c.memory.stored[level_of(settings)]
    c.charger.settings = int(settings)
    return OK


def _timer(c: Context, p: list[str]) -> Answer:
    h1, m1, h2, m2 = (byte(token) for token in p)
    c.memory.timer = (h1, m1, h2, m2)
    c.memory.timer_inside = None
    if not any(c.memory.timer) and c.charger.mode == "sleeping" and not c.memory.limit_sleep:
        c.charger.mode = "enabled"
    return OK


def _assumed(c: Context, p: list[str]) -> Answer:
    if c.spec.voltmeter:
        return NK
    c.memory.assumed_mv = number(p[0])
    return OK


def _beat(c: Context, p: list[str]) -> Answer:
    """Sheet serial 1.5."""
    beat = c.memory.heartbeat
    if len(p) == 2:
        if not byte(p[0]) and not c.spec.beat_ends:
            return Answer(text=f"0 {byte(p[1])} {NEVER_MISSED}")
        beat.interval, beat.amps, beat.trigger, beat.beaten = byte(p[0]), byte(p[1]), NEVER_MISSED, c.now
        if not beat.interval:
            _give_back(c)
        return Answer(text=beat.show())
    if not p:
        beat.beaten = c.now
        return Answer(beat.trigger != MISSED, beat.show())
    if byte(p[0]) != ACKNOWLEDGE:
        return Answer(False, beat.show())
    beat.beaten = c.now
    given = _give_back(c)
    if beat.trigger == MISSED:
        beat.trigger = ACKNOWLEDGED
    return Answer(given, beat.show())


def _give_back(c: Context) -> bool:
    """Restore the current that a missed heartbeat took."""
    beat = c.memory.heartbeat
    if beat.restore is not None and c.spec.beat_restores:
        c.charger.capacity = min(beat.restore, c.hardware_max)
    beat.restore = None
    return True


# --- get -----------------------------------------------------------------------------------------------


def _connected(c: Context, _: list[str]) -> Answer:
    status = c.charger.status(c.now)
    if not status.pilot_on:
        return Answer(text="2")
    return Answer(text="1" if status.pilot in (2, 3, 4) else "0")


def _get_beat(c: Context, _: list[str]) -> Answer:
    return Answer(text=c.memory.heartbeat.show())


def _limits(c: Context, _: list[str]) -> Answer:
    return Answer(text=f"{c.spec.min_current} {c.hardware_max} {c.charger.capacity} {c.stored}")


def _settings(c: Context, _: list[str]) -> Answer:
    return Answer(text=f"{c.charger.capacity} {c.charger.settings:04x}")


def _counters(c: Context, _: list[str]) -> Answer:
    trips = c.charger.trips
    counts = [trips.get(each, 0) for each in (State.GFI, State.NO_GROUND, State.STUCK_RELAY)]
    return Answer(text=" ".join(f"{min(count, 0xFF):x}" for count in counts))


def _measured(c: Context, _: list[str]) -> Answer:
    current = round(c.sensed("current") * 1000) if c.spec.ammeter else -1
    voltage = round(c.sensed("voltage") * 1000) if c.spec.voltmeter else c.memory.assumed_mv
    return Answer(text=f"{current} {voltage}")


def _temperatures(c: Context, _: list[str]) -> Answer:
    first = round(c.sensed("temperature") * 10) if c.charger.has("temperature") else ABSENT
    return Answer(text=f"{first} {ABSENT} {ABSENT}")


def _thresholds(c: Context, _: list[str]) -> Answer:
    limit = round(c.spec.over_temperature * 10)
    return Answer(text=f"{limit} {limit}")


def _state(c: Context, _: list[str]) -> Answer:
    status = c.charger.status(c.now)
    elapsed = c.memory.session.charged // SECOND
    return Answer(text=f"{status.state:02x} {elapsed} {status.pilot:02x} {c.flags():04x}")


def _clock(c: Context, _: list[str]) -> Answer:
    at = c.memory.clock.now(c.now)
    return Answer(text=f"{at.year % 100} {at.month} {at.day} {at.hour} {at.minute} {at.second}")


def _energy(c: Context, _: list[str]) -> Answer:
    kwh = c.charger.measure("energy", c.now)
    gain = c.spec.gains.get("energy", 1.0)
    session = round((kwh - c.memory.session.energy_at_start) * gain * 3_600_000)
    return Answer(text=f"{max(0, session)} {max(0, round(kwh * gain * 1000 + c.memory.lifetime_offset))}")


def _texts(read: Callable[[Context], str]) -> Handler:
    return lambda c, _: Answer(text=read(c))


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(("F0", "FB", "S0", "S2", "T0", "Z0"), _accept),
    "F1": _press,
    "FD": _disable,
    "FE": _enable,
    "FF": _feature,
    "FP": _display,
    "FR": _restart,
    "FS": _sleep,
    "S1": _set_clock,
    "S3": _time_limit,
    "S4": _lock,
    "S5": _mennekes,
    "SA": _ammeter,
    "SB": _boot_unlock,
    "SC": _current,
    "SH": _energy_limit,
    "SK": _accumulated,
    "SL": _service_level,
    "SM": _voltmeter,
    "ST": _timer,
    "SV": _assumed,
    "SY": _beat,
    "G0": _connected,
    "G3": _texts(lambda c: str(c.memory.session.time_limit)),
    "G4": _texts(lambda c: str(int(c.charger.locked))),
    "G5": _texts(lambda c: f"{int(c.memory.mennekes_locked)} {c.memory.mennekes}"),
    "GA": _texts(lambda c: "{} {}".format(*c.memory.ammeter)),
    "GC": _limits,
    "GD": _texts(lambda c: "{} {} {} {}".format(*c.memory.timer)),
    "GE": _settings,
    "GF": _counters,
    "GG": _measured,
    "GH": _texts(lambda c: str(c.memory.session.energy_limit)),
    "GI": _texts(lambda c: f" {c.spec.identity}"),  # with an extra blank in front, as the firmware does
    "GM": _texts(lambda c: "{} {}".format(*c.memory.voltmeter)),
    "GO": _thresholds,
    "GP": _temperatures,
    "GS": _state,
    "GT": _clock,
    "GU": _energy,
    "GV": _texts(lambda c: f"{c.spec.firmware} {c.spec.rapi}"),
    "GY": _get_beat,
}
"""By the command's two characters."""
