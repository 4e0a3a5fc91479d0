"""The interpreter of transition tables: timers and periodic messages by a table of its own, seen from outside."""

from __future__ import annotations

import pytest

from hil.errors import CatalogueError
from hil.protocol.table import Row, State, TableMachine
from hil.units import FAR, Instant, ms, s

STATES = {
    "idle": State(),
    "slow": State(sends=("A",), timers=("out",)),
    "both": State(sends=("A", "B"), timers=("out", "brief")),
    "polled": State(poll=True),
}
ROWS = (
    Row(("idle",), "start", "slow"),
    Row(("slow",), "more", "both"),
    Row(("slow", "both"), "again", "", "", ("restart",)),
    Row(("slow", "both"), "out", "idle"),
    Row(("both",), "brief", "slow", "allowed"),
    Row(("both",), "leave", "idle"),
    Row(("idle",), "poll_it", "polled"),
    Row(("polled",), "poll", "", "", ("look",)),
    Row(("slow", "both"), "told", "idle", "allowed_to_end"),
    Row(("slow",), "told", "", "", ("restart", "look"), ("out",)),
    Row(("both",), "told", "", "", ("restart", "look")),
)
SPANS = {"A": ms(50), "B": ms(250), "out": s(1), "brief": ms(120), "poll": ms(5)}


class Machine(TableMachine):
    """Notes what it sends and does."""

    def __init__(self) -> None:
        self.said: list[tuple[Instant, str]] = []
        self.allowed = True
        self.leaves_at: Instant | None = None
        self.ends = False
        super().__init__(STATES, ROWS, SPANS, "idle")

    def send(self, name: str, now: Instant) -> None:
        self.said.append((now, name))
        if self.leaves_at is not None and now >= self.leaves_at:
            self.fire("leave", now)

    def guard_allowed(self, now: Instant) -> bool:
        return self.allowed

    def guard_allowed_to_end(self, now: Instant) -> bool:
        return self.ends

    def do_restart(self, now: Instant) -> None:
        self.start_timer("out", now)

    def do_look(self, now: Instant) -> None:
        self.said.append((now, "look"))

    def run(self, until: Instant) -> None:
        """As a world does: to the next deadline, which must lie ahead after each step."""
        now = -1
        while self.next_deadline() <= until:
            assert self.next_deadline() > now, "a machine that asks for the same instant again hangs its world"
            now = self.next_deadline()
            self.run_due(now)


def test_messages_start_at_once_and_keep_their_period() -> None:
    machine = Machine()
    assert machine.next_deadline() == FAR
    machine.fire("start", ms(10))
    machine.run(ms(160))
    assert machine.said == [(ms(10), "A"), (ms(60), "A"), (ms(110), "A"), (ms(160), "A")]


def test_a_message_of_both_states_goes_on_undisturbed_and_a_new_one_starts() -> None:
    machine = Machine()
    machine.fire("start", 0)
    machine.run(ms(60))
    machine.fire("more", ms(60))
    machine.run(ms(100))
    assert machine.said == [(0, "A"), (ms(50), "A"), (ms(60), "B"), (ms(100), "A")]


def test_a_timer_runs_out_before_a_message_of_the_same_instant_is_sent() -> None:
    machine = Machine()
    machine.fire("start", 0)
    machine.run(s(2))
    assert machine.state == "idle"
    assert machine.said[-1] == (ms(950), "A"), "the one due at 1 s is not sent"
    assert machine.next_deadline() == FAR


def test_a_timer_that_is_restarted_in_time_never_runs_out() -> None:
    machine = Machine()
    machine.fire("start", 0)
    for step in range(1, 41):
        machine.run(ms(900) * step)
        machine.fire("again", ms(900) * step)
    assert machine.state == "slow"
    last = ms(900) * 40
    machine.run(last + s(1) - 1)
    assert machine.state == "slow"
    machine.run(last + s(1))
    assert machine.state == "idle"


def test_of_two_timers_the_earlier_one_acts_and_a_refused_one_is_over() -> None:
    machine = Machine()
    machine.fire("start", 0)
    machine.fire("more", 0)
    machine.allowed = False
    machine.run(ms(500))
    assert machine.state == "both"
    machine.allowed = True
    machine.run(ms(999))
    assert machine.state == "both", "it ran out once, and nobody has started it again"
    machine.run(s(1))
    assert machine.state == "idle"


def test_sending_that_changes_the_state_ends_what_the_new_state_does_not_send() -> None:
    machine = Machine()
    machine.fire("start", 0)
    machine.fire("more", 0)
    machine.leaves_at = 0
    machine.run(s(3))
    assert machine.said == [(0, "A")], "B was due at the same instant, but the state had gone"


def test_a_polled_state_is_looked_at_every_period() -> None:
    machine = Machine()
    machine.fire("poll_it", 0)
    machine.run(ms(20))
    assert machine.said == [(ms(5) * step, "look") for step in range(1, 5)]


def test_what_is_started_from_outside_is_a_deadline_at_once() -> None:
    machine = Machine()
    machine.start_timer("out", ms(3))
    assert machine.next_deadline() == s(1) + ms(3)
    machine.set_also_due(ms(7))
    assert machine.next_deadline() == ms(7)


def test_a_halted_machine_does_nothing_more() -> None:
    machine = Machine()
    machine.fire("start", 0)
    machine.set_also_due(ms(7))
    assert machine.next_deadline() == 0
    machine.run_due(0)
    assert machine.next_deadline() == ms(7), "what runs beside the table counts as well"
    machine.halt()
    assert machine.next_deadline() == FAR
    assert machine.said == [(0, "A")]


def test_what_was_taken_is_known() -> None:
    machine = Machine()
    machine.fire("start", 0)
    assert not machine.fire("leave", 0), "not in this state"
    assert machine.taken == {ROWS[0]}


@pytest.mark.parametrize(
    ("states", "rows"),
    [
        ({"idle": State()}, (Row(("idle",), "go", "nowhere"),)),
        ({"idle": State()}, (Row(("idle",), "go", "", "unheard_of"),)),
        ({"idle": State()}, (Row(("idle",), "go", "", "", ("unheard_of",)),)),
        ({"idle": State(timers=("unheard_of",))}, ()),
    ],
)
def test_a_table_that_names_what_does_not_exist_is_refused(states: dict[str, State], rows: tuple[Row, ...]) -> None:
    with pytest.raises(CatalogueError, match=r"nowhere|unheard_of"):
        TableMachine(states, rows, {}, "idle")


def told(machine: Machine, now: Instant, *, identifier: int = 1, data: bytes = b"x") -> bool:
    """Tell a message as a node does; whether it was a mere repetition."""
    if machine.repeated(identifier, data, now):
        return True
    machine.take("told", identifier, "TOLD", data, now)
    return False


def looks(machine: Machine) -> int:
    return sum(what == "look" for _, what in machine.said)


def test_a_message_that_comes_again_restarts_its_timers_and_does_nothing_else() -> None:
    machine = Machine()
    machine.fire("start", 0)
    assert [told(machine, ms(100 * number)) for number in range(1, 20)] == [False, *[True] * 18]
    assert looks(machine) == 1
    machine.run(ms(2899))
    assert machine.state == "slow", "the last one came at 1,900 ms"
    machine.run(ms(2900))
    assert machine.state == "idle"


def test_another_content_and_another_sender_of_the_message_are_no_repetition() -> None:
    machine = Machine()
    machine.fire("start", 0)
    contents = [(1, b"x"), (1, b"x"), (1, b"y"), (1, b"x"), (2, b"x"), (1, b"x"), (1, b"x")]
    again = [told(machine, ms(number), identifier=one, data=data) for number, (one, data) in enumerate(contents)]
    assert again == [False, True, False, False, False, False, True]


def test_a_repetition_is_taken_by_a_row_that_refused_it_before() -> None:
    machine = Machine()
    machine.fire("start", 0)
    assert (told(machine, ms(1)), told(machine, ms(2))) == (False, True)
    machine.ends = True
    assert not told(machine, ms(3))
    assert machine.state == "idle"


def test_a_new_state_and_a_row_that_does_not_say_so_know_no_repetition() -> None:
    machine = Machine()
    machine.fire("start", 0)
    assert (told(machine, ms(1)), told(machine, ms(2))) == (False, True)
    machine.fire("more", ms(3))
    assert [told(machine, ms(number)) for number in range(4, 7)] == [False] * 3
    assert looks(machine) == 4
    machine.fire("leave", ms(7))
    assert (told(machine, ms(8)), told(machine, ms(9))) == (False, True), "nobody takes it there, however often"
    machine.halt()
    assert not told(machine, ms(10))


def test_a_timer_that_was_stopped_is_started_by_the_row_as_before() -> None:
    machine = Machine()
    machine.fire("start", 0)
    assert (told(machine, ms(1)), told(machine, ms(2))) == (False, True)
    machine.stop_timer("out")
    assert not told(machine, ms(3))
    machine.run(ms(1003))
    assert machine.state == "idle"
