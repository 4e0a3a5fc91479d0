"""The listener pairs what was asked and what was answered."""

from __future__ import annotations

from hil.protocol.rapi import Broken, Exchange, Listener, encode
from hil.units import ms, s


def exchanges(items: list[Exchange | Broken]) -> list[tuple[str, str, int]]:
    return [
        (item.frame.name, "" if item.command is None else item.command.name, item.latency if item.command else 0)
        for item in items
        if isinstance(item, Exchange)
    ]


def test_replies_belong_to_commands_and_notifications_to_none() -> None:
    listener = Listener()
    listener.client(encode("GS", sequence=1), ms(1))
    listener.client(encode("FD", sequence=2), ms(2))
    found = listener.console(encode("AT", "ff", "01", "24", "0000") + encode("OK", sequence=2), ms(9))
    found += listener.console(b"text\r\n" + encode("OK", "01", "0", "01", "0000", sequence=1), ms(11))
    assert exchanges(found) == [("AT", "", 0), ("OK", "FD", ms(7)), ("OK", "GS", ms(10))]
    assert [item.why for item in found if isinstance(item, Broken)] == ["text"]
    assert isinstance(found[0], Exchange)
    assert found[0].is_notification


def test_without_an_id_the_latest_command_is_meant() -> None:
    listener = Listener()
    listener.client(encode("G4"), ms(1))
    listener.client(encode("GV"), s(11))
    assert exchanges(listener.console(encode("OK", "8.2.3", "5.2.1"), s(11) + ms(5))) == [("OK", "GV", ms(5))]


def test_a_reply_to_nothing_and_a_flood_of_commands() -> None:
    listener = Listener()
    assert exchanges(listener.console(b"$OK^20\r", 0)) == [("OK", "", 0)]
    for number in range(1, 101):
        listener.client(encode("G4", sequence=number), number)
    found = listener.console(encode("OK", "0", sequence=1) + encode("OK", "0", sequence=100), 200)
    assert exchanges(found) == [("OK", "", 0), ("OK", "G4", 100)]
