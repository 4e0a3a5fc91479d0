"""Data of requests that change a meter, against the order of bytes that the sheet gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from hil.errors import CodecError
from hil.protocol.dlt645 import (
    Access,
    RelayCommand,
    freeze_data,
    password_data,
    read_time,
    relay_data,
    write_data,
)

KNOWN = Access("123456", 0x04, "87654321")


def test_a_block_is_level_password_operator_each_low_byte_first() -> None:
    assert KNOWN.block.hex(" ") == "04 56 34 12 21 43 65 87"
    assert Access().block == bytes.fromhex("02 000000 00000000")


def test_a_write_and_a_change_of_password() -> None:
    assert write_data(0x04000402, KNOWN, b"\x01\x02") == bytes.fromhex("02040004 04563412 21436587 0102")
    assert password_data(0x01020304, Access(), KNOWN) == bytes.fromhex("04030201 02000000 04563412")


def test_a_freeze_is_mm_hh_DD_MM() -> None:
    assert freeze_data() == bytes.fromhex("99999999")
    assert freeze_data(minute=30, hour=5) == bytes.fromhex("30059999")
    assert freeze_data(1, 2, 13, 12) == bytes.fromhex("01021312")


def test_a_relay_command_is_block_N1_N2_and_its_expiry() -> None:
    moment = datetime(2031, 5, 17, 23, 4, 9)
    data = relay_data(RelayCommand.TRIP, KNOWN, moment)
    assert data[:10] == KNOWN.block + b"\x1a\x00"
    assert data[10:] == bytes.fromhex("09 04 23 17 05 31")
    assert read_time(data[10:]) == moment


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Access("12345"), "password '12345': 6 digits are due"),
        (lambda: Access(operator="x" * 8), "operator's code 'xxxxxxxx': 8 digits are due"),
        (lambda: Access(level=256), "level 256: 0..255 is allowed"),
        (lambda: freeze_data(hour=24), "hour 24 of a freeze: 0..23 or EVERY is allowed"),
        (lambda: relay_data(256, KNOWN, datetime(2030, 1, 1)), "relay command 256: TRIP, "),
    ],
)
def test_what_fits_no_request_is_refused(make: Callable[[], object], told: str) -> None:
    with pytest.raises(CodecError, match=told):
        make()
