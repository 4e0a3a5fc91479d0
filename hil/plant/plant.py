"""The one plant: battery, power stage, contactors, connector, insulation, supply and meter.

Everything runs in closed form from one event to the next (see :mod:`hil.plant.curve`); there is no
step size. Controllers meet it through :data:`hil.plant.signals.SIGNALS` only.
"""

from __future__ import annotations

from math import isfinite

from hil.errors import UsageError
from hil.native import mypyc_attr
from hil.plant.circuit import Circuit
from hil.plant.connector import AUXILIARY, Connector
from hil.plant.observe import Sample
from hil.plant.pack import Pack, PackSpec
from hil.plant.record import Change, Recorder
from hil.plant.signals import SAFE_STATE, PlantSignal, declared
from hil.plant.switch import Switch
from hil.units import FAR, SECOND, Instant, Span, ms, show_instant

_PRESS: Span = ms(500)
"""How long a button stays pressed."""
_BUTTONS = {"stop_press": "stop_button", "start_press": "start_request"}
_CONNECTOR = frozenset({"plugged", "switch_s_closed", "cc1_broken", "cc1_forced"})
_AMBIENT = 25.0
_INSULATION = 10e6
"""ohm at the start."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Plant:
    """One vehicle's pack at one charger's output, from the world's instant 0 on.

    ``soc`` in percent, ``temperature`` of the pack in °C. Instants must not run backwards; a signal
    that is not declared, a value that is no finite number and a stimulus out of its range raise
    :class:`UsageError`.
    """

    def __init__(self, spec: PackSpec, *, soc: float, temperature: float) -> None:
        _check(declared("pack_soc", "stimulus"), soc)
        _check(declared("pack_temperature", "stimulus"), temperature)
        self._recorder = Recorder()
        self.circuit = Circuit(Pack(spec, soc / 100.0, temperature), self._recorder)
        """Physics behind the interface, for balances; controllers and cases have no business here."""
        self._connector = Connector()
        self._switches = {
            "k1k2_command": Switch("k1k2_closed", closing=ms(30), opening=ms(20)),
            "k3k4_command": Switch("k3k4_closed", closing=ms(25), opening=ms(20)),
            "k5k6_command": Switch("k5k6_closed", closing=ms(30), opening=ms(25)),
            "lock_command": Switch("lock_engaged", closing=ms(100), opening=ms(60)),
        }
        self._pressed: dict[str, Instant] = {}
        self._settings: dict[str, float] = {}
        self._now: Instant = 0
        self._due: Instant = FAR
        self._levels = self._recorder.levels
        for name, value in (
            ("charger_temperature", _AMBIENT),
            ("cell_number_max", float(1 + spec.cells // 3)),
            ("insulation_resistance", _INSULATION),
            ("ac_present", 1.0),
            ("pe_ok", 1.0),
            ("emergency_stop", 0.0),
            ("stop_button", 0.0),
            ("start_request", 0.0),
        ):
            self._recorder.level(0, name, value)
        self._tell_contacts(0)
        self._schedule()

    # --- the interface ------------------------------------------------------------------------------

    def sense(self, name: str, now: Instant) -> float:
        """Read a declared sensor at an instant; booleans are 0.0 and 1.0. Free of ripple."""
        if now >= self._due:
            self.wake(now)
        circuit = self.circuit
        read = circuit.reads.get(name)
        if read is None:
            level = self._levels.get(name)
            if level is None:
                raise UsageError(f"{declared(name, 'sensor').name} is declared but not modelled")
            return level
        passed = now - circuit.since
        if passed < 0:
            raise _backwards(name, now, circuit.since)
        return read(passed / SECOND)

    def actuate(self, name: str, value: float, now: Instant) -> None:
        """Set a declared actuator, clamped to its range as hardware would."""
        signal = declared(name, "actuator")
        if not isfinite(value):
            raise UsageError(f"{name}: {value} is not a number")
        value = min(max(float(value), signal.low), signal.high)
        self._visit(name, now)
        if self._settings.get(name) == value:
            return
        self._settings[name] = value
        switch = self._switches.get(name)
        if switch is None:
            self.circuit.commit(now)
            self._set_stage(name, value)
            self.circuit.begin(now)
        else:
            switch.command(_on(value) and (name != "lock_command" or bool(self._connector.plugged)), now)
        self._schedule()

    def stimulate(self, name: str, value: float, now: Instant) -> None:
        """Apply a declared stimulus; a value out of its range raises :class:`UsageError`."""
        self.check_stimulus(name, value)
        value = float(value)
        self._visit(name, now)
        level = self._recorder.level
        if name in _BUTTONS:
            self._press(name, value, now)
        elif name in _CONNECTOR:
            self._connect(name, value, now)
        elif name == "emergency_press":
            level(now, "emergency_stop", float(_on(value)))
        elif name == "pe_broken":
            level(now, "pe_ok", float(not _on(value)))
        elif name == "insulation":
            level(now, "insulation_resistance", value)
        else:
            self._disturb(name, value, now)
        self._schedule()

    @staticmethod
    def check_stimulus(name: str, value: float) -> None:
        """Raise :class:`UsageError` for a stimulus that is not declared, or a value out of its range."""
        _check(declared(name, "stimulus"), value)

    def go_safe(self, now: Instant) -> None:
        """Set every actuator as :data:`hil.plant.signals.SAFE_STATE` has it."""
        for name, value in SAFE_STATE:
            self.actuate(name, value, now)

    def wake(self, now: Instant) -> None:
        """Run every internal event up to now; too early does no harm and leaves no trace."""
        while self._due <= now:
            self._serve(self._due)
            self._schedule()
        self._now = max(self._now, now)

    def next_deadline(self) -> Instant | None:
        """The next internal event; None while nothing happens by itself."""
        return None if self._due == FAR else self._due

    def take_samples(self) -> list[Sample]:
        """Samples since the last call, in order of time.

        They are breakpoints: between two of them a straight line is within 0.1 V and 0.1 A, and a step
        is two samples at one instant. Analogue ones are ``output_voltage``, ``output_current``,
        ``battery_side_voltage`` and ``pack_voltage`` (at every event while they move, each second at
        the latest), ``soc``, ``temperature_max`` and ``meter_energy`` (each ten seconds and when the
        current ends). Everything else is a level, told at the start and when it changes; so is the
        stimulus ``plugged``.
        """
        return self._recorder.take_samples()

    def take_changes(self) -> list[Change]:
        """``(instant, name, value)`` of changed levels that controllers subscribe to, since the last call."""
        return self._recorder.take_changes()

    # --- events -------------------------------------------------------------------------------------

    def _visit(self, name: str, now: Instant) -> None:
        if now < self._now:
            raise _backwards(name, now, self._now)
        self.wake(now)

    def _schedule(self) -> None:
        dues = [switch.due for switch in self._switches.values() if switch.due is not None]
        dues.extend(self._pressed.values())
        if self.circuit.due is not None:
            dues.append(self.circuit.due)
        self._due = min(dues, default=FAR)

    def _serve(self, now: Instant) -> None:
        self._now = now
        for name in [name for name, until in self._pressed.items() if until <= now]:
            self._press(name, 0.0, now)
        arrived = [switch for switch in self._switches.values() if switch.due is not None and switch.due <= now]
        for switch in arrived:
            switch.move()
        if arrived:
            self._rearrange(now)
        elif self.circuit.due is not None and self.circuit.due <= now:
            self.circuit.commit(now)
            self.circuit.begin(now)

    def _rearrange(self, now: Instant) -> None:
        """Contacts have moved: the circuit goes on in its new shape."""
        circuit = self.circuit
        circuit.commit(now)
        circuit.k1k2 = self._switches["k1k2_command"].closed
        circuit.k5k6 = self._switches["k5k6_command"].closed
        circuit.plugged = bool(self._connector.plugged)
        circuit.begin(now)
        self._tell_contacts(now)

    def _tell_contacts(self, now: Instant) -> None:
        level, connector = self._recorder.level, self._connector
        for switch in self._switches.values():
            level(now, switch.feedback, float(switch.closed))
        self._recorder.drift(now, "plugged", connector.plugged)  # what the rig did; no sensor shows it
        level(now, "cc1_voltage", connector.cc1)
        level(now, "cc2_voltage", connector.cc2)
        supplied = self._switches["k3k4_command"].closed and connector.plugged
        level(now, "aux_voltage", AUXILIARY if supplied else 0.0)

    # --- actuators and stimuli ------------------------------------------------------------------------

    def _set_stage(self, name: str, value: float) -> None:
        stage = self.circuit.stage
        if name == "voltage_setpoint":
            stage.voltage_limit = value
        elif name == "current_setpoint":
            stage.current_limit = value
        elif name == "output_enable":
            stage.enabled = _on(value)
        else:
            stage.discharging = _on(value)

    def _press(self, name: str, value: float, now: Instant) -> None:
        if _on(value):
            self._pressed[name] = now + _PRESS
        else:
            self._pressed.pop(name, None)
        self._recorder.level(now, _BUTTONS[name], float(_on(value)))

    def _connect(self, name: str, value: float, now: Instant) -> None:
        setattr(self._connector, name, value if name == "cc1_forced" else float(_on(value)))
        if not self._connector.plugged:
            self._switches["lock_command"].release()
        self._rearrange(now)

    def _disturb(self, name: str, value: float, now: Instant) -> None:
        circuit = self.circuit
        circuit.commit(now)
        pack, stage = circuit.pack, circuit.stage
        if name == "ac_supply":
            stage.supplied = _on(value)
            self._recorder.level(now, "ac_present", float(stage.supplied))
        elif name == "over_voltage_fault":
            stage.fault = value
        elif name == "heating_power":
            pack.heater = value
        elif name == "pack_soc":
            pack.soc = value / 100.0
        else:
            pack.celsius = value
            pack.refresh()
        circuit.tell_drift(now)
        circuit.begin(now)


def _on(value: float) -> bool:
    return value >= 0.5


def _check(signal: PlantSignal, value: float) -> None:
    if not signal.low <= value <= signal.high:
        raise UsageError(
            f"{signal.name}: {value:g} is not within {signal.low:g}..{signal.high:g} {signal.unit}".rstrip()
        )


def _backwards(name: str, now: Instant, reached: Instant) -> UsageError:
    return UsageError(f"{name} at {show_instant(now)}: the plant is at {show_instant(reached)} already")
