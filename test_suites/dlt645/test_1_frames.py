"""Frames and addresses of a meter (sheet serial, 2.1 and 2.2)."""

from __future__ import annotations

from hil.cases import MeterBench, limit, ms, requirement, s
from hil.protocol.dlt645 import ANSWER, WILDCARD, Frame, Function, di_bytes

ENERGY, ENERGY_BLOCK = 0x00010000, 0x0001FF00
PAUSES = {"short": ms(400), "long": ms(1000)}
HALF, PARITY_AT = 12, 18
"""Bytes, wake-up included."""
NOISE = {
    # No 68 of the request stands seven bytes behind one of these: that would be the begin of a frame, for whose end a
    # meter has to wait.
    "68": bytes.fromhex("00 68 11 68 22 33 44"),
    "698": bytes.fromhex("68170043 45AAAAAAAAAAAA00 5B4F 050100400102 0000 ED03 16"),
}
WITH_68 = 0x00353500
"""35 is 68 on the wire."""
LONG = 200
"""Data bytes."""
WAKES = 4


def _read(bench: MeterBench, di: int = ENERGY, *, address: str = "") -> Frame:
    return bench.request(Function.READ, di_bytes(di), address=address)


@requirement("DLT645/FR.01")
def test_FR_01(bench: MeterBench) -> None:
    """TP: a read is answered by a whole frame with the meter's address, control code 91 and the identifier."""
    asked = bench.ask(_read(bench))
    bench.expect_answer("answer", asked, Function.READ, di_bytes(ENERGY))
    bench.check("data bytes", len(asked.data), equals=8, at=asked.at, note=asked.text)


@requirement("DLT645/FR.02")
def test_FR_02(bench: MeterBench, variant: str) -> None:
    """TP: a request is answered after any number of wake-up bytes; before the answer stand four at most."""
    asked = bench.ask(_read(bench), wake=int(variant))
    bench.expect_answer("answer", asked, Function.READ, di_bytes(ENERGY))
    bench.check("wake-up bytes of the answer", asked.wake, low=0, high=WAKES, at=asked.at, note=asked.text)


@requirement("DLT645/FR.03")
def test_FR_03(bench: MeterBench) -> None:
    """TP: 0x33 is added to every data byte modulo 256: FF is 32 on the wire."""
    asked = bench.ask(_read(bench, ENERGY_BLOCK))
    wire = bytes.fromhex("33323433")
    bench.check("identifier on the wire", wire in asked.raw, equals=True, at=asked.at, note=asked.text)
    bench.expect_answer("answer", asked, Function.READ, di_bytes(ENERGY_BLOCK))


@requirement("DLT645/FR.04")
def test_FR_04(bench: MeterBench) -> None:
    """TP: a request with a wrong checksum is not answered."""
    right = _read(bench).encode()
    bench.expect_silence("wrong checksum", right[:-2] + bytes((right[-2] ^ 0x01, right[-1])))


@requirement("DLT645/FR.05")
def test_FR_05(bench: MeterBench) -> None:
    """TP: a request to another address is not answered."""
    other = f"{(int(bench.address) + 1) % 10**12:012d}"
    bench.expect_silence("another address", _read(bench, address=other).encode())


@requirement("DLT645/FR.06")
def test_FR_06(bench: MeterBench) -> None:
    """TP: a request with a parity error is not answered."""
    bench.assume(bench.line_format.parity != "N", "the line has no parity")
    bench.spoil_parity(PARITY_AT)
    bench.expect_silence("parity error", _read(bench).encode())


@requirement("DLT645/FR.07")
def test_FR_07(bench: MeterBench, variant: str) -> None:
    """TP: a pause of less than 500 ms inside a frame changes nothing, and after a longer one a frame begins anew."""
    frame = _read(bench).encode()
    begun = frame[:HALF] if variant == "short" else bench.request(Function.READ, bytes(LONG)).encode()[: HALF + 4]
    rest = frame[HALF:] if variant == "short" else frame
    left = bench.sent_until(bench.send(begun))
    bench.until(left + PAUSES[variant])
    asked = bench.put(rest)
    bench.expect_answer(f"answer after a {variant} pause", asked, Function.READ, di_bytes(ENERGY))


@requirement("DLT645/FR.08")
def test_FR_08(bench: MeterBench, variant: str) -> None:
    """TP: a request is found behind noise: bytes with a 68 among them, or a frame of another protocol."""
    asked = bench.put(NOISE[variant] + _read(bench).encode())
    if variant == "698":  # a meter that speaks both protocols may answer that frame as well
        asked = bench.ask(_read(bench))
    bench.expect_answer("answer", asked, Function.READ, di_bytes(ENERGY))


@requirement("DLT645/FR.09")
def test_FR_09(bench: MeterBench) -> None:
    """TP: a 68 among the data of a request begins no frame."""
    asked = bench.read(WITH_68)
    bench.check("answered", asked.frame is not None, equals=True, at=asked.at, note=asked.text)
    bench.expect_served("the next request")


@requirement("DLT645/FR.10")
def test_FR_10(bench: MeterBench) -> None:
    """TP: an answer with the meter's own address, as another master's line may carry it, is not answered."""
    answer = Frame(bench.address, Function.READ | ANSWER, di_bytes(ENERGY) + bytes(4))
    bench.expect_silence("an answer", answer.encode())


@requirement("DLT645/AD.01")
def test_AD_01(bench: MeterBench) -> None:
    """TP: a single meter tells its address to a request that leaves it open."""
    asked = bench.ask(bench.request(Function.READ_ADDRESS, address=WILDCARD))
    bench.expect_answer("answer", asked, Function.READ_ADDRESS, bytes.fromhex(bench.address)[::-1])


@requirement("DLT645/AD.02")
def test_AD_02(bench: MeterBench) -> None:
    """TP: a meter answers to a shortened address, filled up with AA at the high end."""
    asked = bench.ask(_read(bench, address="A" * 6 + bench.address[6:]))
    bench.expect_answer("answer", asked, Function.READ, di_bytes(ENERGY))


@requirement("DLT645/TM.01")
def test_TM_01(bench: MeterBench) -> None:
    """TP: an answer begins 20 to 500 ms after its request."""
    for number in range(1, 4):
        asked = bench.ask(_read(bench))
        bench.assume(asked.delay is not None, "the meter does not answer")
        bench.assume((asked.delay or 0) >= 0, "the line carries bytes faster than its baud rate says")
        bench.check_window(f"delay of answer {number}", asked.delay or 0, limit("dlt645-delay"), at=asked.at)
        bench.let(s(1))
