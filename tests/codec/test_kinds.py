"""Text, packed BCD and years, against values computed by hand."""

from __future__ import annotations

import pytest

from hil.codec.kinds import (
    put_ascii,
    put_bcd,
    put_bytes,
    put_year,
    take_ascii,
    take_bcd,
    take_bytes,
    take_year,
)


@pytest.mark.parametrize(
    ("raw", "size", "value"), [(0x59, 1, 59), (0x00, 1, 0), (0x2024, 2, 2024), (0x1999, 2, 1999), (0x20, 2, 20)]
)
def test_bcd(raw: int, size: int, value: int) -> None:
    assert take_bcd(raw, size) == value
    assert put_bcd(value, size) == raw


@pytest.mark.parametrize(("raw", "size"), [(0x5A, 1), (0xA5, 1), (0xFF, 1), (0xFFFF, 2), (0x20FA, 2)])
def test_what_is_not_bcd_is_not_supplied(raw: int, size: int) -> None:
    assert take_bcd(raw, size) is None


@pytest.mark.parametrize("value", [-1, 100, 5.5])
def test_bcd_refuses_what_has_no_two_digits(value: int) -> None:
    with pytest.raises((ValueError, TypeError)):
        put_bcd(value, 1)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (0x07E7, 2023),  # E7 07 on the wire
        (0xE707, 2023),  # 07 E7 on the wire
        (0x0834, 0x0834),  # 2100: neither order is plausible
        (0xFFFF, None),
    ],
)
def test_years_decode_in_the_plausible_order(raw: int, value: int | None) -> None:
    assert take_year(raw, 2) == value


def test_years_are_sent_low_byte_first() -> None:
    assert put_year(2023, 2) == 0x07E7
    assert put_year(None, 2) == 0xFFFF
    with pytest.raises(ValueError, match=r"^$"):
        put_year(0xFFFF, 2)
    with pytest.raises(TypeError):
        put_year(2020.5, 2)  # type: ignore[arg-type]  # the misuse that is tested


def test_text() -> None:
    assert take_ascii(b"AB\0\0") == "AB"
    assert take_ascii(b"\xff\xff") is None
    assert take_ascii(b"A\xe4") == r"A\xe4"
    assert put_ascii("AB", 4) == b"AB\0\0"
    assert put_ascii(None, 2) == b"\xff\xff"


def test_opaque_bytes() -> None:
    assert take_bytes(b"\0\1") == b"\0\1"
    assert take_bytes(b"\xff\xff") is None
    assert put_bytes(b"\0\1", 2) == b"\0\1"
    assert put_bytes(None, 2) == b"\xff\xff"
    for value in (b"\0", "ab", [1, 2]):
        with pytest.raises(ValueError, match=r"^$"):
            put_bytes(value, 2)
