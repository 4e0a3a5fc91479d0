"""The passive listener: which transfers it sees, and how they ended."""

from __future__ import annotations

from hil.protocol.j1939 import Listener, Transfer

RTS = "1CEC56F4 10 09 00 02 FF 00 11 00"
CTS = "1CECF456 11 02 01 FF FF 00 11 00"
DT1 = "1CEB56F4 01 EB 17 FF 0A 56 31 2E"
DT2 = "1CEB56F4 02 4B 00 FF FF FF FF FF"
ACK = "1CECF456 13 09 00 02 FF 00 11 00"
CONTENT = bytes.fromhex("EB 17 FF 0A 56 31 2E 4B 00")


def hear(*lines: str) -> list[Transfer]:
    """Frames at 0, 1, 2, ...; what ended with them."""
    listener = Listener()
    found = []
    for t, line in enumerate(lines):
        identifier, _, data = line.partition(" ")
        transfer = listener.see(int(identifier, 16), bytes.fromhex(data), t)
        if transfer is not None:
            found.append(transfer)
    return found


def test_a_whole_transfer() -> None:
    assert hear(RTS, CTS, DT1, DT2, ACK) == [Transfer(0xF4, 0x56, 0x1100, CONTENT, 0, 4, True, received=3)]


def test_packets_sent_again_and_out_of_order_are_put_in_place() -> None:
    assert hear(RTS, CTS, DT2, CTS, DT1, DT2, ACK)[0].data == CONTENT


def test_an_acknowledge_with_packets_missing_is_not_complete() -> None:
    (transfer,) = hear(RTS, CTS, DT1, ACK)
    assert (transfer.complete, transfer.reason) == (False, "1 packets missing")


def test_a_new_rts_ends_the_open_transfer() -> None:
    first, second = hear(RTS, CTS, DT1, RTS, CTS, DT1, DT2, ACK)
    assert (first.complete, first.reason, first.started, first.ended) == (False, "replaced by a new RTS", 0, 3)
    assert (second.complete, second.started) == (True, 3)


def test_aborts_of_either_side() -> None:
    for abort, by in (("1CEC56F4", 0xF4), ("1CECF456", 0x56)):
        (transfer,) = hear(RTS, CTS, DT1, f"{abort} FF 03 FF FF FF 00 11 00")
        assert (transfer.complete, transfer.reason, transfer.aborted_by) == (False, "aborted, reason 3", by)


def test_what_belongs_to_nothing_is_left_alone() -> None:
    assert hear(DT1, CTS, ACK, "1CECF456 FF 03 FF FF FF 00 11 00", "1CEC56F4 10", "1CEB56F4", "181056F4 00") == []


def test_both_directions_are_kept_apart() -> None:
    other = "1CECF456 10 09 00 02 FF 00 33 00"
    found = hear(RTS, other, DT1, "1CEBF456 01 00 00 00 00 00 00 00", DT2, ACK)
    assert [(transfer.source, transfer.data) for transfer in found] == [(0xF4, CONTENT)]
