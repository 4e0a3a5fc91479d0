"""The stand-in vehicle: a correct BMS that can be told to be anything else.

Orders (see :meth:`Vehicle.order`) silence, alter and malform messages, hold states, change the
demand and stop the charge. The machine itself stays the one of the sheet, 4.6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from hil.codec.frame import CanFrame
from hil.codec.message import Message
from hil.errors import UsageError
from hil.native import mypyc_attr
from hil.protocol.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, MessageSet, split_id
from hil.protocol.j1939 import Aborted, Sent, TpBehaviour, Transport
from hil.protocol.table import State, TableMachine
from hil.tester.gbt27930.compose import Saying, VehicleComposer
from hil.tester.gbt27930.course import Course
from hil.tester.gbt27930.malform import VARIANTS, malformed
from hil.tester.gbt27930.spec import VehicleSpec
from hil.tester.gbt27930.table import CHARGING, ROWS, STATES
from hil.units import FAR, Instant
from hil.world.node import Sense, scalars
from hil.world.observation import Note

_MESSAGES = {"BRO00": "BRO", "BROAA": "BRO"}
_ANY_PRIORITY = 0x03FFFFFF
_TP_TO_BMS = (0x00ECF456, 0x00EBF456)
_WAKES_AT = 9.0
"""Auxiliary supply that wakes the BMS, V."""
_DEAD_CURRENT = 5.0
"""Contactors may open at or below this current, A (sheet 4.8)."""
_EVEN_HELD = ("aux_off", "own_stop", "contactors", "contactors_limit")

_Heard = tuple[bytes, Any, str]
"""Payload, message and the trigger that it is."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Vehicle(TableMachine):
    """A :class:`hil.world.node.Node`: the vehicle side of GB/T 27930-2015."""

    name = "vehicle"

    def __init__(self, spec: VehicleSpec, sense: Sense, messages: MessageSet) -> None:
        self.spec = spec
        self.sense = sense
        self.messages = messages
        self.out: list[CanFrame] = []
        self.actuations: list[tuple[str, float]] = []
        self.notes: list[Note] = []
        self.demand: tuple[float, float, int] = (spec.demand_voltage, -spec.demand_current, 2)
        self.course: Course | None = None
        """A demand over time, which takes the place of ``demand`` while it is followed."""
        self.cml: Any = None
        self.bem: dict[str, int] = {}
        self.bst: dict[str, int] = {}
        self.patient = True
        self.contactors_close = True
        self.answer_after = spec.spans["stop_answer"]
        self.cst_seen = False
        self.silent: set[str] = set()
        self.held: set[str] = set()
        self.altered: dict[str, dict[str, Any]] = {}
        self.variants: dict[str, str] = {}
        self.csd_wanted = 1
        self.csd_seen = 0
        self.compose = VehicleComposer(self)
        self.tp = Transport(BMS_ADDRESS, CHARGER_ADDRESS, timing=spec.tp_timing, behaviour=spec.tp)
        self._behind_bcs: list[str] = []
        """Optional messages that are due."""
        self._optional_pgn: int | None = None
        """The one that is on its way, or waits to be."""
        self._offered: Any = None
        self._known: dict[int, type[Message] | None] = {}
        self._heard: dict[int, _Heard] = {}
        """What was last heard, by identifier: most frames repeat it."""
        super().__init__(_with_optional(spec.optional), ROWS, {**spec.spans}, "asleep")
        self.wander = spec.wander

    # --- node -------------------------------------------------------------------------------------

    def receive(self, frame: CanFrame, now: Instant) -> bool:
        """Take one frame from the charger; a BMS without its supply hears nothing."""
        identifier, data = frame.id, frame.data
        if self.repeated(identifier, data, now):
            return True
        if self.state == "asleep":
            return False
        heard = self._heard.get(identifier)
        if heard is None or heard[0] != data:
            heard = self._hear(frame, now)
        if heard is not None:
            _, self._offered, name = heard
            if self.state not in self.held:
                self.take(name, identifier, heard[1].name, data, now)
        return False

    def signal(self, name: str, value: float, now: Instant) -> None:
        """The auxiliary supply wakes the BMS and puts it to sleep."""
        if name == "aux_voltage":
            self.fire("aux_on" if value >= _WAKES_AT else "aux_off", now)

    def wake(self, now: Instant) -> None:
        """Run what is due."""
        if self.also_due <= now:
            self.tp.wake(now)
            self._drain_transport()
        self.run_due(now)

    # --- orders -----------------------------------------------------------------------------------

    def order(self, verb: str, arguments: Mapping[str, Any], now: Instant) -> None:
        """Carry out an order; raises :class:`UsageError` for one that is not known.

        ``silence``/``resume`` (``messages``, none = all), ``hold``/``release`` (``states``),
        ``alter``/``restore`` (``message``, ``fields``), ``malform`` (``message``, ``variant``),
        ``demand`` (``voltage`` V, ``current`` A positive, ``mode``), ``follow`` (``points``, ``ends``,
        see :class:`~hil.tester.gbt27930.course.Course`), ``stop`` (``reason`` of BST),
        ``transfer`` (``message``, ``data`` hex), ``send`` (``id``, ``data`` hex, ``extended``),
        ``go`` (``state``), ``patience`` (``on``), ``contactors`` (``close``, ``now``),
        ``answer_stop`` (``after`` ns, ``csd`` count), ``transport`` (fields of TpBehaviour),
        ``error`` (``awaited`` signals of BEM).
        """
        known: dict[str, Callable[[Mapping[str, Any], Instant], None]] = {
            "silence": self._order_silence,
            "resume": self._order_resume,
            "hold": self._order_hold,
            "release": self._order_release,
            "alter": self._order_alter,
            "restore": self._order_restore,
            "malform": self._order_malform,
            "demand": self._order_demand,
            "follow": self._order_follow,
            "stop": self._order_stop,
            "transfer": self._order_transfer,
            "send": self._order_send,
            "go": self._order_go,
            "patience": self._order_patience,
            "contactors": self._order_contactors,
            "answer_stop": self._order_answer_stop,
            "transport": self._order_transport,
            "error": self._order_error,
        }
        carry_out = known.get(verb)
        if carry_out is None:
            raise UsageError(f"the vehicle does not know the order {verb!r}; it knows {', '.join(sorted(known))}")
        carry_out(arguments, now)
        self.forget_repetitions()
        self.notes.append(Note(now, "order", verb, scalars(arguments)))

    def _names(self, arguments: Mapping[str, Any]) -> set[str]:
        names = set(arguments.get("messages", ())) or {
            name for name, declared in self.messages.by_name.items() if declared.sender != "charger"
        }
        for name in names:
            self._check_message(name)
        return names

    def _check_message(self, name: str) -> None:
        if name not in self.messages.by_name:
            raise UsageError(f"no message {name!r} in GB/T 27930; there are {', '.join(self.messages.by_name)}")

    def _check_signals(self, message: str, names: Iterable[str]) -> None:
        declared = self.messages.by_name[message]
        for name in names:
            if name not in declared.signals:
                raise UsageError(f"{message} has no signal {name!r}; it has {', '.join(declared.signals)}")

    def _check_states(self, names: Any) -> set[str]:
        for name in names:
            if name not in self.states:
                raise UsageError(f"the vehicle has no state {name!r}; it has {', '.join(self.states)}")
        return set(names)

    def _order_silence(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self.silent |= self._names(arguments)

    def _order_resume(self, arguments: Mapping[str, Any], now: Instant) -> None:
        names = self._names(arguments)
        self.silent -= names
        for name in names:
            self.variants.pop(name, None)

    def _order_hold(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self.held |= self._check_states(arguments["states"])

    def _order_release(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self.held -= self._check_states(arguments["states"])
        if self.state == "prepare" and "self_test" not in self.timers:
            self.start_timer("self_test", now)

    def _order_alter(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._check_message(arguments["message"])
        self._check_signals(arguments["message"], arguments["fields"])
        declared = self.messages.by_name[arguments["message"]]
        for name, value in arguments["fields"].items():
            signal = declared.signals[name]
            if signal.kind == "uint" and value is not None:
                signal.to_raw(value)  # now, not when the message is due: the order is wrong, not the session
        self.altered.setdefault(arguments["message"], {}).update(arguments["fields"])

    def _order_restore(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self.altered.pop(arguments["message"], None)

    def _order_malform(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._check_message(arguments["message"])
        if arguments["variant"] not in VARIANTS:
            raise UsageError(f"no variant {arguments['variant']!r}; there are {', '.join(VARIANTS)}")
        self.variants[arguments["message"]] = arguments["variant"]

    def _order_demand(self, arguments: Mapping[str, Any], now: Instant) -> None:
        volts, amperes, mode = self.demand
        volts = float(arguments.get("voltage", volts))
        amperes = -float(arguments.get("current", -amperes))
        self.demand = (volts, amperes, int(arguments.get("mode", mode)))
        self.course = None

    def _order_follow(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self.course = Course(arguments["points"], now, arguments.get("ends"))

    def _order_stop(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._check_signals("BST", [arguments["reason"]])
        self.bst = {arguments["reason"]: 1}
        self.fire("own_stop", now)

    def _order_transfer(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._check_message(arguments["message"])
        declared = self.messages.by_name[arguments["message"]]
        self.tp.send(declared.pgn, bytes.fromhex(arguments["data"]), now)
        self._drain_transport()

    def _order_send(self, arguments: Mapping[str, Any], now: Instant) -> None:
        frame = CanFrame(arguments["id"], bytes.fromhex(arguments["data"]), arguments.get("extended", True))
        self.out.append(frame)

    def _order_go(self, arguments: Mapping[str, Any], now: Instant) -> None:
        (state,) = self._check_states([arguments["state"]])
        self.go(state, now)

    def _order_patience(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self.patient = bool(arguments["on"])

    def _order_contactors(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self.contactors_close = bool(arguments["close"])
        if not self.contactors_close:
            self.do_open_k5k6(now)
        elif arguments.get("now"):
            self.do_close_k5k6(now)

    def _order_answer_stop(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self.answer_after = int(arguments.get("after", self.answer_after))
        self.csd_wanted = int(arguments.get("csd", self.csd_wanted))

    def _order_transport(self, arguments: Mapping[str, Any], now: Instant) -> None:
        try:
            behaviour = msgspec.convert(dict(arguments), TpBehaviour)
        except msgspec.ValidationError as error:
            raise UsageError(f"transport: {error}") from error
        self.tp = Transport(BMS_ADDRESS, CHARGER_ADDRESS, timing=self.spec.tp_timing, behaviour=behaviour)
        self.set_also_due(FAR)

    def _order_error(self, arguments: Mapping[str, Any], now: Instant) -> None:
        self._check_signals("BEM", arguments["awaited"])
        self.bem = dict.fromkeys(arguments["awaited"], 1)
        self.go("error", now)

    # --- receiving --------------------------------------------------------------------------------

    def _classify(self, frame: CanFrame) -> type[Message] | None:
        declared: type[Message] | None = None
        if frame.extended:
            _, pgn, destination, source = split_id(frame.id)
            candidate = self.messages.by_pgn.get(pgn)
            to_us = (destination, source) == (BMS_ADDRESS, CHARGER_ADDRESS)
            if candidate is not None and candidate.sender != "bms" and to_us:
                declared = candidate
        if len(self._known) < 4096:  # a flood of foreign identifiers must not grow memory
            self._known[frame.id] = declared
        return declared

    def _hear(self, frame: CanFrame, now: Instant) -> _Heard | None:
        """A frame that does not repeat the one before it: what it says, where it is a message to us."""
        try:
            declared = self._known[frame.id]
        except KeyError:
            declared = self._classify(frame)
        if declared is None:
            if frame.id & _ANY_PRIORITY in _TP_TO_BMS and frame.extended:
                self.tp.receive(frame, now)
                self._drain_transport()
            return None
        decoded = self.messages.decode(declared.pgn, frame.data)
        if not isinstance(decoded, declared):
            return None
        message: Any = decoded
        name = declared.name
        if name == "CRM":
            name = {0x00: "CRM00", 0xAA: "CRMAA"}.get(message.result, name)
        elif name == "CRO":
            name = {0x00: "CRO00", 0xAA: "CROAA"}.get(message.ready, name)
        heard = frame.data, message, name
        if frame.id in self._known:
            self._heard[frame.id] = heard
        return heard

    # --- sending ----------------------------------------------------------------------------------

    def send(self, name: str, now: Instant) -> None:
        """Send what a state lists as ``name``, as silenced, altered or malformed as ordered."""
        message_name = name[:3]
        if self.silent and message_name in self.silent:
            return
        if self.variants and message_name in self.variants:
            saying = self.compose.saying(name, now)
            self.out.extend(malformed(self.variants[message_name], saying.declared, saying.data))
        elif name in self.spec.optional:
            self._behind_bcs.append(name)
        else:
            saying = self.compose.saying(name, now)
            if saying.frame is not None:
                self.out.append(saying.frame)
            else:
                self._send_long(name, saying, now)

    def _send_long(self, name: str, saying: Saying, now: Instant) -> None:
        self.tp.send(saying.declared.pgn, saying.data, now)
        if name == "BCS" and self._behind_bcs and self._optional_pgn is None:
            # One right behind a BCS, so that the connection is free again for the next one.
            optional = self.compose.saying(self._behind_bcs.pop(0), now)
            self._optional_pgn = optional.declared.pgn
            self.tp.send(optional.declared.pgn, optional.data, now)
        self._drain_transport()

    def _drain_transport(self) -> None:
        tp = self.tp
        if tp.out:
            self.out.extend(tp.out)
            tp.out.clear()
        if tp.events:
            if any(isinstance(event, Sent | Aborted) and event.pgn == self._optional_pgn for event in tp.events):
                self._optional_pgn = None
            tp.events.clear()
        due = tp.next_deadline()
        self.set_also_due(FAR if due is None else due)

    def entered(self, state: str, now: Instant) -> None:
        """Tell the bench where the vehicle is."""
        if state not in CHARGING:
            self._behind_bcs.clear()
            self._optional_pgn = None
        self.tp.keep({self.messages.by_name[_MESSAGES.get(name, name)].pgn for name in self.sends})
        self.notes.append(Note(now, "vehicle", state))

    def fire(self, trigger: str, now: Instant) -> bool:
        """A held state takes no trigger but those of the bench and of the supply."""
        if self.state in self.held and trigger not in _EVEN_HELD:
            return False
        return super().fire(trigger, now)

    # --- guards and actions -----------------------------------------------------------------------

    def guard_impatient(self, now: Instant) -> bool:
        return not self.patient

    def guard_k5k6_settled(self, now: Instant) -> bool:
        return not self.contactors_close or bool(self.sense("k5k6_closed", now))

    def guard_stops_early(self, now: Instant) -> bool:
        return self.spans["early_end"] > 0

    def guard_soc_reached(self, now: Instant) -> bool:
        course = self.course
        return self.sense("soc", now) >= self.spec.stop_soc or (course is not None and course.over(now))

    def guard_last_csd(self, now: Instant) -> bool:
        return self.csd_seen + 1 >= self.csd_wanted

    def do_fall_asleep(self, now: Instant) -> None:
        """Without supply the contactors drop out and nothing more is said."""
        self.do_open_k5k6(now)
        self.tp.reset()
        self.set_also_due(FAR)

    def do_wait_self_test(self, now: Instant) -> None:
        self.start_timer("self_test", now)

    def do_take_cml(self, now: Instant) -> None:
        self.cml = self._offered

    def do_stop_t16(self, now: Instant) -> None:
        self.stop_timer("T16")

    def do_take_ccs(self, now: Instant) -> None:
        self.start_timer("T18", now)

    def do_stop_for_soc(self, now: Instant) -> None:
        self.bst = {"soc_reached": 1}
        self.cst_seen = False

    def do_await_cst(self, now: Instant) -> None:
        self.cst_seen = False

    def do_charger_stopped(self, now: Instant) -> None:
        self.cst_seen = True
        self.bst = {"charger_stopped": 1}

    def do_take_cst(self, now: Instant) -> None:
        self.cst_seen = True
        self.stop_timer("T19")
        if "stop_answered" not in self.timers:
            self._start_answer(now)

    def do_stop_answer(self, now: Instant) -> None:
        if self.cst_seen:
            self.do_take_cst(now)

    def _start_answer(self, now: Instant) -> None:
        self.spans = {**self.spans, "stop_answered": self.answer_after}
        self.start_timer("stop_answered", now)

    def do_count_no_csd(self, now: Instant) -> None:
        self.csd_seen = 0

    def do_count_csd(self, now: Instant) -> None:
        self.csd_seen += 1
        self.stop_timer("T20")

    def do_report(self, awaited: str, now: Instant) -> None:
        self.bem = {awaited: 1}

    def do_close_k5k6(self, now: Instant) -> None:
        if self.contactors_close:
            self.actuations.append(("k5k6_command", 1))

    def do_open_k5k6(self, now: Instant) -> None:
        self.actuations.append(("k5k6_command", 0))

    def do_open_when_dead(self, now: Instant) -> None:
        """Open at low current; look again later while there is more."""
        if self.sense("pack_current", now) <= _DEAD_CURRENT:
            self.do_open_k5k6(now)
        else:
            self.start_timer("contactors", now)


def _with_optional(names: Iterable[str]) -> Mapping[str, State]:
    """The states, with the optional messages among those of charging."""
    more = tuple(names)
    return {
        name: state._replace(sends=(*state.sends, *more)) if name in CHARGING else state
        for name, state in STATES.items()
    }
