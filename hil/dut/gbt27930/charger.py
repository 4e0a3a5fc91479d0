"""The reference DC charger: a controller that meets the plant only through sensors and actuators.

It runs the table of :mod:`hil.dut.gbt27930.table`, takes frames and instants, and leaves frames and
actuations behind. Section and rule numbers in comments are those of the fact sheet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.dut.gbt27930.compose import Composer
from hil.dut.gbt27930.spec import ChargerSpec
from hil.dut.gbt27930.steps import ChargerSteps
from hil.errors import UsageError
from hil.native import mypyc_attr
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, MessageSet, split_id
from hil.protocol.j1939 import Ignored, Received, Transport
from hil.units import FAR, Instant
from hil.world.node import Sense
from hil.world.observation import Note

_TP_TO_CHARGER = (0x00EC56F4, 0x00EB56F4)
_ANY_PRIORITY = 0x03FFFFFF
_UNPLUGGED = 5.2
"""CC1 above this shows no plug: 6 V with switch S closed, 12 V with it open, each less 0.8 V (sheet 4.8)."""


_Heard = tuple[bytes, Any, str]
"""Payload, message and the trigger that it is."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Charger(ChargerSteps):
    """A :class:`hil.world.node.Node`: the charger side of GB/T 27930-2015."""

    name = "charger"

    def __init__(self, spec: ChargerSpec, sense: Sense, messages: MessageSet) -> None:
        self.messages = messages
        self.notes: list[Note] = []
        self.compose = Composer(self)
        self.tp = Transport(CHARGER_ADDRESS, BMS_ADDRESS, timing=spec.tp_timing, behaviour=spec.tp)
        self._accepted: dict[int, type[Message] | None] = {}
        self._heard: dict[int, _Heard] = {}
        """What was last heard in single frames, by identifier: most frames repeat it."""
        self._last: dict[int, _Heard] = {}
        """The same for long messages, by PGN."""
        self._edits = dict(spec.wire)
        self._sent_in_state: dict[str, int] = {}
        self._odd = {spec.crashes_on, *spec.slow_to} - {""}
        self._noticed: list[tuple[Instant, str]] = []
        """Triggers that a slow controller has still to take notice of."""
        self._deaf = {(state, messages.by_name[name].pgn) for state, names in spec.tp_deaf.items() for name in names}
        super().__init__(spec, sense)
        jitter = {name: (-edit.jitter, edit.jitter) for name, edit in spec.wire.items() if edit.jitter}
        self.wander = {**spec.wander, **jitter}

    # --- node -------------------------------------------------------------------------------------

    def receive(self, frame: CanFrame, now: Instant) -> bool:
        """Take one frame: transport protocol, a single message, or nothing of ours."""
        identifier, data = frame.id, frame.data
        if self.repeated(identifier, data, now):
            return True
        heard = self._heard.get(identifier)
        if heard is None or heard[0] != data:
            heard = self._hear(frame, now)
        if heard is not None:
            self._keep(heard)
            if heard[2] in self._odd:
                self._take_oddly(heard[2], now)
            else:
                self.take(heard[2], identifier, heard[1].name, data, now)
        return False

    def signal(self, name: str, value: float, now: Instant) -> None:
        """A digital sensor changed."""
        if self.state == "dead":
            return
        if name == "start_request" and value:
            self.trigger("start", now)
        elif name == "stop_button" and value:
            self.trigger("stop_button", now)
        elif name == "emergency_stop" and value:
            self.trigger("emergency", now)
        elif name == "cc1_voltage":
            self._cc1_changed(value, now)
        elif name == "pe_ok" and not value:
            self.trigger("pe_lost", now)
        elif name == "ac_present":
            self.trigger("ac_back" if value else "ac_lost", now)

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """A charger takes no orders of the bench: it is the device under test."""
        raise UsageError(f"the charger takes no orders, {verb!r} was given")

    def wake(self, now: Instant) -> None:
        """Run what is due."""
        if self.state == "dead":
            return
        if self.also_due <= now:
            self.tp.wake(now)
            self._drain_transport(now)
            while self._noticed and self._noticed[0][0] <= now:
                self.fire(self._noticed.pop(0)[1], now)
                self._set_also_due()
        self.run_due(now)

    # --- receiving --------------------------------------------------------------------------------

    def _classify(self, frame: CanFrame) -> type[Message] | None:
        """Which single-frame message an identifier is for us; remembered."""
        declared: type[Message] | None = None
        if frame.extended:
            priority, pgn, destination, source = split_id(frame.id)
            pgn = self.spec.accept_pgns.get(pgn, pgn)
            ours = destination == CHARGER_ADDRESS or self.spec.any_address
            known = source == BMS_ADDRESS or source in self.spec.accept_sources or self.spec.any_address
            candidate = self.messages.by_pgn.get(pgn)
            theirs = candidate is not None and candidate.sender != "charger" and self._takes(candidate, priority)
            if ours and known and theirs:
                declared = candidate
        if len(self._accepted) < 4096:  # a flood of foreign identifiers must not grow memory
            self._accepted[frame.id] = declared
        return declared

    def _takes(self, candidate: type[Message], priority: int) -> bool:
        spec = self.spec
        if candidate.name in spec.deaf_to or (candidate.transport and candidate.name not in spec.accept_untransported):
            return False
        return priority == candidate.priority or spec.accept_priorities

    def _hear(self, frame: CanFrame, now: Instant) -> _Heard | None:
        """A frame that does not repeat the one before it: what it says, where it is a message to us."""
        identifier = frame.id
        try:
            declared = self._accepted[identifier]
        except KeyError:
            declared = self._classify(frame)
        if declared is None:
            if self.spec.crashes_on_foreign and identifier & _ANY_PRIORITY not in _TP_TO_CHARGER:
                self._hang()
            elif identifier & _ANY_PRIORITY in _TP_TO_CHARGER and frame.extended and self.state != "dead":
                self._receive_transport(frame, now)
            return None
        heard = self._understand(declared, frame.data)
        if heard is not None and identifier in self._accepted:
            self._heard[identifier] = heard
        return heard

    def _understand(self, declared: type[Message], data: bytes) -> _Heard | None:
        """The message in some bytes and the trigger that it is."""
        message, name = self._decode(declared, data), declared.name
        if message is None and name in self.spec.crashes_on_malformed:
            self._hang()
        if message is None or self._ignores(name, message):
            return None
        if name == "BRO":
            name = "BROAA" if message.ready == 0xAA else "BRO00" if message.ready == 0 else "BRO"
        elif name == "BSM":
            name = self._judge_bsm(message)
        return data, message, name

    def _decode(self, declared: type[Message], data: bytes) -> Any:
        name = declared.name
        if len(data) < declared.length:
            shortest = self.spec.accept_lengths.get(name, declared.length)
            if name in self.spec.accept_untransported:
                shortest = 0
            if len(data) < shortest:
                return None
            data = data.ljust(declared.length, b"\0")
        elif len(data) > declared.length and not (self.spec.accept_longer or declared.transport):
            return None
        message = self.messages.decode(declared.pgn, data)
        if not isinstance(message, Message):
            return None
        wrong = not declared.transport and not self.spec.accept_values and message.out_of_range()
        return None if wrong else message

    def _keep(self, heard: _Heard) -> None:
        _, message, name = heard
        if name == "BCL":
            self.bcl = message
        else:
            self._offered = message

    def _ignores(self, name: str, message: Any) -> bool:
        """A seeded fault: reasons of BST or a version of BRM that this charger does not know."""
        if name == "BST" and self.spec.ignored_reasons:
            return not any(value == 1 for key, value in message.items() if key not in self.spec.ignored_reasons)
        return name == "BRM" and self.spec.own_version_only and message.version != self.spec.version

    def _judge_bsm(self, bsm: Any) -> str:
        """Sheet 3.12: abnormal stops; forbidden pauses; "untrusted" is no reason to act."""
        for item, values in self.spec.abnormal.items():
            if getattr(bsm, item) in values:
                return "BSM_abnormal"
        if bsm.charging_permission == 0:
            items = ("cell_voltage_state", "soc_state", "overcurrent", "overtemperature", "insulation", "connector")
            return "BSM_forbidden" if not any(getattr(bsm, item) for item in items) else "BSM_untrusted"
        return "BSM_allowed"

    def _receive_transport(self, frame: CanFrame, now: Instant) -> None:
        data = frame.data
        if self._deaf and data[:1] == b"\x10" and len(data) == 8:
            pgn = int.from_bytes(data[5:8], "little")
            if ("*", pgn) in self._deaf or (self.state, pgn) in self._deaf:
                return
        if self.spec.crashes_on_short and len(data) < 8:
            self._hang()
            return
        self.tp.receive(frame, now)
        self._drain_transport(now)

    def _drain_transport(self, now: Instant) -> None:
        tp = self.tp
        if tp.out:
            self.out.extend(tp.out)
            tp.out.clear()
        self._set_also_due()
        if tp.events:
            events = list(tp.events)
            tp.events.clear()
            for event in events:
                if isinstance(event, Received):
                    self._receive_long(event, now)
                elif self.spec.crashes_on_stray and isinstance(event, Ignored):
                    self._hang()

    def _set_also_due(self) -> None:
        due = self.tp.next_deadline()
        if due is None:
            due = FAR
        if self._noticed:
            due = min(due, self._noticed[0][0])
        self.set_also_due(due)

    def _receive_long(self, event: Received, now: Instant) -> None:
        declared = self.messages.by_pgn.get(event.pgn)
        if declared is None or declared.sender == "charger" or declared.name in self.spec.deaf_to:
            return
        heard = self._last.get(event.pgn)
        if heard is None or heard[0] != event.data:
            heard = self._understand(declared, event.data)
        if heard is not None:
            self._last[event.pgn] = heard
            self._keep(heard)
            self.trigger(heard[2], now)

    def _cc1_changed(self, volts: float, now: Instant) -> None:
        power = self.spec.power
        if volts > _UNPLUGGED:
            self.fire("unplugged", now)
        if not power.cc1_low <= volts <= power.cc1_high:
            self.trigger("cc1_fault", now)

    def trigger(self, name: str, now: Instant) -> None:
        """Give a trigger to the table, unless it is one that hangs this charger or that it is slow to notice."""
        if name in self._odd:
            self._take_oddly(name, now)
        else:
            self.fire(name, now)

    def _take_oddly(self, name: str, now: Instant) -> None:
        """A seeded fault: hang, or put the trigger on the list of those to be noticed later."""
        if name == self.spec.crashes_on:
            self._hang()
        else:
            self._noticed.append((now + self.spec.slow_to[name], name))
            self._noticed.sort()
            self._set_also_due()

    def _hang(self) -> None:
        """Fall silent for good, as a crashed controller does; the plant keeps what was last set."""
        self.state = "dead"
        self.halt()

    # --- sending ----------------------------------------------------------------------------------

    def send(self, name: str, now: Instant) -> None:
        """Compose and queue the message that a state lists as ``name``."""
        edit = self._edits.get(name)
        if edit is not None:
            count = self._sent_in_state.get(name, 0)
            self._sent_in_state[name] = count + 1
            if count % edit.every or (edit.limit is not None and count >= edit.limit):
                return
            if now < self._entered + edit.quiet:
                return
        self.out.append(self.compose.frame(name, now))
        if name == "CCS":
            self.power.watch(now)

    def entered(self, state: str, now: Instant) -> None:
        """A new state counts its frames anew."""
        self._sent_in_state.clear()
        self._entered = now
