"""What benches of every kind keep: samples, bytes and changes of lines, by instant and sender."""

from __future__ import annotations

from hil.bench.stream import StreamRecord
from hil.units import Instant, ms
from hil.world.observation import BytesSeen, LineSeen, Note, Sample


def sent(t: Instant, sender: str, data: bytes, port: str = "rs485") -> BytesSeen:
    return BytesSeen(t, port, sender, data, t - ms(1))


def record() -> StreamRecord:
    kept = StreamRecord()
    kept.add([LineSeen(ms(1), "tcp", "master", "opened", 1), sent(ms(2), "master", b"ask")])
    kept.add(
        [
            sent(ms(5), "charger", b"answer"),
            Sample(ms(5), "cp_high", 9.0, 9.0, 12.0),
            sent(ms(6), "charger", b"other", "console"),
            Note(ms(7), "stimulus", "pull"),
            LineSeen(ms(8), "tcp", "master", "reset", 1),
            Sample(ms(9), "cp_high", 6.0, 6.0, 9.0),
        ]
    )
    return kept


def test_bytes_by_line_sender_and_instant() -> None:
    kept = record()
    assert [each.data for each in kept.bytes_on("rs485")] == [b"ask", b"answer"]
    assert [each.data for each in kept.bytes_on("rs485", sender="charger")] == [b"answer"]
    assert [each.data for each in kept.bytes_on("rs485", ms(2))] == [b"answer"], "after the instant, not at it"
    assert [each.data for each in kept.bytes_on("rs485", -1, ms(2))] == [b"ask"], "up to the instant"
    assert kept.bytes_on("elsewhere") == []


def test_bytes_that_come_out_of_order_are_kept_by_instant() -> None:
    kept = StreamRecord()
    kept.add([sent(ms(9), "master", b"ask"), sent(ms(5), "", b"answer"), sent(ms(12), "master", b"next")])
    assert [each.data for each in kept.bytes_on("rs485")] == [b"answer", b"ask", b"next"]
    assert [each.data for each in kept.bytes_on("rs485", ms(6))] == [b"ask", b"next"]


def test_what_others_than_the_bench_sent() -> None:
    kept = record()
    kept.add([sent(ms(11), "", b"unnamed")])
    assert [each.data for each in kept.heard_on("rs485", but=("master",))] == [b"answer", b"unnamed"]
    assert [each.data for each in kept.heard_on("rs485", ms(5), but=("master",))] == [b"unnamed"]
    assert [each.data for each in kept.heard_on("rs485", but=("master", "charger"))] == [b"unnamed"]


def test_changes_of_a_line() -> None:
    kept = record()
    assert [each.kind for each in kept.changes_of("tcp")] == ["opened", "reset"]
    assert [each.kind for each in kept.changes_of("tcp", ms(1))] == ["reset"]
    assert kept.changes_of("rs485") == []


def test_samples_and_notes() -> None:
    kept = record()
    assert (kept.value("cp_high", ms(4)), kept.value("cp_high", ms(5)), kept.value("cp_high")) == (None, 9.0, 6.0)
    before, after = kept.samples_around("cp_high", ms(6))
    assert (before and before.value, after and after.value) == (9.0, 6.0)
    assert kept.fired("stimulus", "pull")
    assert not kept.fired("stimulus", "push")


def test_what_comes_later_is_sorted_in_when_asked() -> None:
    kept = record()
    assert len(kept.bytes_on("rs485")) == 2
    kept.add([sent(ms(20), "master", b"again")])
    assert [each.data for each in kept.bytes_on("rs485")] == [b"ask", b"answer", b"again"]
