"""Frame lengths against a bit-by-bit oracle that shares nothing with the tables."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hil.bus.timing import arbitration_key, frame_bits, frame_shape
from hil.codec.frame import CanFrame
from hil.errors import UsageError


def bits_of(value: int, width: int) -> list[int]:
    return [int(digit) for digit in format(value, f"0{width}b")]


def crc15(bits: list[int]) -> list[int]:
    """Polynomial division, long hand: x^15 + x^14 + x^10 + x^8 + x^7 + x^4 + x^3 + 1."""
    divisor = [1 if power in (15, 14, 10, 8, 7, 4, 3, 0) else 0 for power in range(15, -1, -1)]
    work = bits + [0] * 15
    for index in range(len(bits)):
        if work[index]:
            for offset, bit in enumerate(divisor):
                work[index + offset] ^= bit
    return work[-15:]


def unstuffed(identifier: int, data: bytes, extended: bool) -> list[int]:
    """Start of frame to the end of the CRC sequence."""
    if extended:
        head = [0, *bits_of(identifier >> 18, 11), 1, 1, *bits_of(identifier & 0x3FFFF, 18), 0, 0, 0]
    else:
        head = [0, *bits_of(identifier, 11), 0, 0, 0]
    body = head + bits_of(len(data), 4) + [bit for byte in data for bit in bits_of(byte, 8)]
    return body + crc15(body)


def stuffed(bits: list[int]) -> list[int]:
    line: list[int] = []
    for bit in bits:
        line.append(bit)
        if len(line) >= 5 and len(set(line[-5:])) == 1:
            line.append(1 - bit)
    return line


def destuffed(line: list[int]) -> list[int]:
    """What a receiver makes of the line: the bit after five equal ones is dropped and must differ."""
    bits: list[int] = []
    run: list[int] = []
    for bit in line:
        if len(run) >= 5 and len(set(run[-5:])) == 1:
            assert bit != run[-1], "stuff error"
            run = [bit]
            continue
        run.append(bit)
        bits.append(bit)
    return bits


def oracle(identifier: int, data: bytes, extended: bool) -> int:
    # CRC delimiter, acknowledge slot, acknowledge delimiter, seven bits end of frame.
    return len(stuffed(unstuffed(identifier, data, extended))) + 1 + 1 + 1 + 7


identifiers = st.one_of(
    st.tuples(st.integers(0, (1 << 29) - 1), st.just(True)), st.tuples(st.integers(0, (1 << 11) - 1), st.just(False))
)
payloads = st.one_of(
    st.binary(max_size=8),
    st.lists(st.sampled_from([0x00, 0xFF, 0xF8, 0x1F, 0x78, 0x3C, 0x07, 0x0F]), max_size=8).map(bytes),
)


@given(identifiers, payloads)
@example((0, True), bytes(8))
@example((0x1FFFFFFF, True), b"\xff" * 8)
@example((0, False), b"")
@example((0x7FF, False), b"\xff" * 8)
def test_length_is_that_of_the_bits(identifier: tuple[int, bool], data: bytes) -> None:
    number, extended = identifier
    assert frame_bits(number, data, extended) == oracle(number, data, extended)
    line = stuffed(unstuffed(number, data, extended))
    assert destuffed(line) == unstuffed(number, data, extended)  # the oracle's own check


def test_crc_of_the_oracle_is_the_published_one() -> None:
    # CRC-15/CAN over the ASCII digits "123456789": check value 0x059E in the published catalogue of CRCs.
    bits = [bit for byte in b"123456789" for bit in bits_of(byte, 8)]
    assert crc15(bits) == bits_of(0x059E, 15)


def test_frames_counted_by_hand() -> None:
    # Standard identifier 0, no data. SOF, 11 identifier bits, RTR, IDE, r0, DLC and CRC are all 0:
    # 1 + 11 + 3 + 4 + 15 = 34 zeros. 00000 1 and then again every five zeros: the stuff bit is a 1, so
    # each group of five zeros costs one: 34 // 5 = 6 stuff bits, and 10 bits of tail.
    assert frame_bits(0, b"", extended=False) == 34 + 6 + 10
    # Alternating identifier 0x555 = 10101010101, no data. Behind it RTR, IDE, r0 and DLC 0000 are seven zeros,
    # where one stuff bit falls. The CRC is 110011101001100 (long division on paper), where the two zeros left
    # over stand before a 1: nothing more to stuff.
    assert frame_bits(0x555, b"", extended=False) == 34 + 1 + 10
    # The bounds of an extended frame with 8 bytes: 1 + 11 + 2 + 18 + 3 + 4 + 64 + 15 + 10 = 128 bits without
    # any stuff bit, and at most (118 - 1) // 4 = 29 of these.
    assert 128 <= frame_bits(0x18FF1234, bytes(range(8))) <= 128 + 29


def test_longest_stuffing() -> None:
    # 0 11110 0001 1110 ...: from the second stuff bit on, every fourth bit brings another one.
    assert frame_bits(0x1E1E1E1E & 0x1FFFFFFF, bytes([0x1E] * 8)) == oracle(0x1E1E1E1E & 0x1FFFFFFF, b"\x1e" * 8, True)
    assert frame_bits(0x078, bytes([0x3C] * 8), extended=False) - (1 + 11 + 3 + 4 + 64 + 15 + 10) >= 15


@pytest.mark.parametrize(
    ("identifier", "data", "extended"),
    [(1 << 29, b"", True), (1 << 11, b"", False), (-1, b"", True), (1, bytes(9), True)],
)
def test_what_no_frame_can_carry_is_refused(identifier: int, data: bytes, extended: bool) -> None:
    with pytest.raises(UsageError, match=r"allowed|at most"):
        frame_bits(identifier, data, extended)


@given(identifiers, identifiers)
def test_the_key_orders_as_the_line_does(first: tuple[int, bool], second: tuple[int, bool]) -> None:
    """The first differing bit decides, dominant (0) wins; a shorter arbitration field ends dominant."""

    def field(identifier: int, extended: bool) -> list[int]:
        if extended:
            return [*bits_of(identifier >> 18, 11), 1, 1, *bits_of(identifier & 0x3FFFF, 18)]
        return [*bits_of(identifier, 11), 0, 0]

    keys = arbitration_key(*first), arbitration_key(*second)
    lines = field(*first), field(*second)
    assert (keys[0] < keys[1]) == (lines[0] < lines[1])
    assert (keys[0] == keys[1]) == (first == second)


def test_shape_is_key_and_length() -> None:
    frame = CanFrame(0x1812F456, bytes.fromhex("E817FA0A0C00FD"))
    assert frame_shape(frame) == (arbitration_key(0x1812F456), frame_bits(0x1812F456, frame.data))
    short = CanFrame(0x123, b"\x01", extended=False)
    assert frame_shape(short) == (arbitration_key(0x123, extended=False), frame_bits(0x123, b"\x01", extended=False))
