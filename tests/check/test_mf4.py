"""MF4 logs are read through asammdf, which is an extra; where it is not installed, the test says so."""

from __future__ import annotations

from pathlib import Path

import can
import pytest

from hil.check import check_log

CHM = bytes.fromhex("010100")
LENGTH = 5


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_mf4_log_is_read_as_any_other(tmp_path: Path) -> None:
    pytest.importorskip("asammdf", reason="the extra mf4 is not installed")
    path = tmp_path / "session.mf4"
    writer = can.MF4Writer(str(path))
    for number in range(LENGTH):
        writer(can.Message(timestamp=1.0 + number / 4, arbitration_id=0x1826F456, data=CHM, is_extended_id=True))
    writer.stop()

    found = check_log(path)

    assert found.frames == LENGTH
