"""Status registers of IEEE 488.2 and SCPI (sheet serial 3.2, 3.4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from hil.protocol.scpi.errors import ErrorQueue, event_bit

MASK = 0x7FFF
OPC, POWER_ON = 0x01, 0x80
STB_ERRORS, STB_QUES, STB_MESSAGE, STB_EVENT, STB_SUMMARY, STB_OPER = 0x04, 0x08, 0x10, 0x20, 0x40, 0x80
QUES_VOLTAGE, QUES_CURRENT, QUES_POWER, QUES_TEMPERATURE = 0x01, 0x02, 0x08, 0x10
OPER_WAITING = 0x20


@dataclass
class Register:
    """Condition, its transitions, events and their enable mask."""

    condition: int = 0
    event: int = 0
    enable: int = 0
    positive: int = MASK
    negative: int = 0

    def set(self, condition: int) -> None:
        """The condition is this now; what its filters let through becomes an event."""
        rising, falling = condition & ~self.condition, self.condition & ~condition
        self.event |= (rising & self.positive) | (falling & self.negative)
        self.condition = condition

    def take(self) -> int:
        """The events; reading clears them."""
        event, self.event = self.event, 0
        return event

    @property
    def summary(self) -> bool:
        """An enabled event is there."""
        return bool(self.event & self.enable)

    def preset(self) -> None:
        """``STAT:PRES``: nothing enabled, rising edges count."""
        self.enable, self.positive, self.negative = 0, MASK, 0


@dataclass
class Status:
    """All of an instrument's status."""

    errors: ErrorQueue = field(default_factory=ErrorQueue)
    events: int = POWER_ON
    event_enable: int = 0
    service_enable: int = 0
    operation: Register = field(default_factory=Register)
    questionable: Register = field(default_factory=Register)

    def error(self, code: int) -> None:
        """An error has happened."""
        self.errors.push(code)
        self.events |= 1 << event_bit(code)

    def take_events(self) -> int:
        """``*ESR?``: reading clears."""
        events, self.events = self.events, 0
        return events

    def byte(self, *, message: bool = False) -> int:
        """``*STB?``; ``message`` says that an answer waits."""
        bits = STB_ERRORS if len(self.errors) else 0
        bits |= STB_QUES if self.questionable.summary else 0
        bits |= STB_MESSAGE if message else 0
        bits |= STB_EVENT if self.events & self.event_enable else 0
        bits |= STB_OPER if self.operation.summary else 0
        return bits | (STB_SUMMARY if bits & self.service_enable & ~STB_SUMMARY else 0)

    def clear(self) -> None:
        """``*CLS``."""
        self.errors.clear()
        self.events = self.operation.event = self.questionable.event = 0
