"""Rig files: what is right is taken as it stands, what is wrong is refused with its place and what is allowed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hil.codec import map_file
from hil.errors import RigError
from hil.resources import resource
from hil.rig import find_rig, load_rig
from hil.rig.rig import output_range

WHOLE = """\
schema = 1
name = "bay 3"
description = "left of the door"
kind = "virtual"

[dut]
name = "charger"
manufacturer = "maker"
model = "m"
serial = "s"
firmware = "f"

[dut.claims]
stop_button = false
optional_messages = ["CTS"]
digital = false
safe_current = true
socket = false

[edition]
gbt27930 = "2011"

[readings]
preset = "field"
reconnections = "two"

[bench]
vehicle = "truck-lfp-800v"
seed = 7
soc = 41
temperature = -5.5
validity = 300
safe_current = 6

[judging]
opt_in = ["DER", "K"]
"""
SMALLEST = 'schema = 1\nname = "small"\nkind = "virtual"\n\n[dut]\nname = "charger"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "bay.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    rig = load_rig(path)
    assert (rig.name, rig.description, rig.kind, rig.virtual) == ("bay 3", "left of the door", "virtual", True)
    assert (rig.dut.name, rig.dut.manufacturer, rig.dut.model, rig.dut.serial, rig.dut.firmware) == (
        *("charger", "maker", "m", "s", "f"),
    )
    assert dict(rig.dut.claims) == {
        "stop_button": False,
        "output_voltage": None,
        "optional_messages": ("CTS",),
        "digital": False,
        "safe_current": True,
        "socket": False,
        "ventilation": None,
        "rated_current": None,
        "at_notifications": True,
        "following_frames": None,
    }
    assert (rig.edition, rig.preset, dict(rig.readings)) == ("2011", "field", {"reconnections": "two"})
    assert (rig.bench.vehicle, rig.bench.seed, rig.bench.soc, rig.bench.temperature) == ("truck-lfp-800v", 7, 41, -5.5)
    assert (rig.bench.validity, rig.bench.safe_current) == (300, 6)
    assert rig.opt_in == ("DER", "K")
    assert rig.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_not_given_has_a_default(tmp_path: Path) -> None:
    rig = load_rig(written(tmp_path, SMALLEST))
    assert (rig.edition, rig.preset, dict(rig.readings), rig.opt_in) == ("2015", None, {}, ())
    assert rig.bench.soc is None
    assert rig.dut.claims["stop_button"] is True
    assert output_range(rig.dut) is None


def test_an_output_range_is_two_numbers(tmp_path: Path) -> None:
    with_range = SMALLEST + "[dut.claims]\noutput_voltage = "
    rig = load_rig(written(tmp_path, with_range + "[200, 1000.5]\n"))
    assert output_range(rig.dut) == (200.0, 1000.5)
    for wrong in ("200", "[]", "[200]", "[200, 300, 400]", "[300, 200]", "[-1, 200]", '["a", 200]', "[false, true]"):
        with pytest.raises(RigError, match=r"output_voltage = .*: allowed is \[LOW, HIGH\], two numbers"):
            load_rig(written(tmp_path, f"{with_range}{wrong}\n"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('vehicle = "truck-lfp-800v"', 'vehicel = "x"', "line 28: [bench] vehicel is unknown; did you mean vehicle? "),
        (
            'vehicle = "truck-lfp-800v"',
            'vehicle = "tank"',
            'line 28: [bench] vehicle = "tank": allowed is "car-400v" or ',
        ),
        ("seed = 7", "seed = -1", "line 29: [bench] seed = -1: allowed is an integer of at least 0"),
        ("seed = 7", "seed = true", "line 29: [bench] seed = true: allowed is an integer of at least 0"),
        ("seed = 7", "seed = 7.5", "line 29: [bench] seed = 7.5: allowed is an integer of at least 0"),
        ("soc = 41", "soc = 101", "line 30: [bench] soc = 101: allowed is a number from 0 to 100"),
        ('serial = "s"', "serial = 5", "line 10: [dut] serial = 5: allowed is a text"),
        (
            "stop_button = false",
            'stop_button = "no"',
            'line 14: [dut.claims] stop_button = "no": allowed is true or false',
        ),
        ('["CTS"]', '["CTS", "ABC"]', 'optional_messages = ["CTS", "ABC"]: allowed is a list of "CTS" or "BMV" or '),
        ('gbt27930 = "2011"', 'gbt27930 = "2023"', 'line 21: [edition] gbt27930 = "2023": allowed is "2011" or "2015"'),
        ('gbt27930 = "2011"', "gbt27930 = 2011", 'line 21: [edition] gbt27930 = 2011: allowed is "2011" or "2015"'),
        ('preset = "field"', 'preset = "lax"', 'line 24: [readings] preset = "lax": allowed is "strict" or "field"'),
        ('"two"', '"four"', 'line 25: [readings] reconnections = "four": allowed is "three" or "two" or "none"'),
        ('["DER", "K"]', '["D"]', 'line 36: [judging] opt_in = ["D"]: allowed is a list of "S2" or '),
        ('kind = "virtual"', 'kind = "real"', 'line 4: kind = "real": allowed is "virtual" or "live"'),
        ("schema = 1", "schema = 2", "line 1: schema = 2: allowed is 1"),
        ("schema = 1\n", "", "schema is missing"),
        ('name = "charger"\n', "", "line 6: [dut] name is missing: What is under test."),
        ("[judging]", "[juding]", "line 35: juding is unknown; did you mean judging? allowed are schema, name, "),
        ('name = "bay 3"', "name =", "not TOML: Invalid value (at line 2, column 7)"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = written(tmp_path, WHOLE.replace(old, new, 1))
    with pytest.raises(RigError) as caught:
        load_rig(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_rig_without_a_dut_is_refused(tmp_path: Path) -> None:
    told = r"\[dut\] is missing, a table with name; the file has "
    with pytest.raises(RigError, match=told + r"\[bench\]$"):
        load_rig(written(tmp_path, 'schema = 1\nname = "small"\nkind = "virtual"\n[bench]\n'))
    with pytest.raises(RigError, match=told + "no table$"):
        load_rig(written(tmp_path, ""))
    with pytest.raises(RigError, match=r"line 5: dutt is unknown; did you mean dut\? allowed are schema, "):
        load_rig(written(tmp_path, SMALLEST.replace("[dut]", "[dutt]")))


def test_a_value_in_the_place_of_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RigError, match=r"line 4: bench = 3: allowed is a table, \[bench\]"):
        load_rig(written(tmp_path, SMALLEST.replace("\n\n", "\nbench = 3\n\n")))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bay.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(RigError, match=r"bay\.toml: byte 8 is not UTF-8 text"):
        load_rig(path)
    with pytest.raises(RigError, match=r"gone\.toml: No such file"):
        load_rig(tmp_path / "gone.toml")


def test_rigs_are_found_by_path_and_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, SMALLEST)
    shipped = resource("rigs/virtual.toml")
    monkeypatch.chdir(tmp_path)
    assert find_rig(str(path)) == path
    assert find_rig("bay.toml") == Path("bay.toml")
    assert find_rig("virtual") == find_rig("virtual.toml") == find_rig("rigs/virtual.toml") == shipped
    with pytest.raises(RigError, match=r"no rig 'virtul': did you mean virtual\? give the path"):
        find_rig("virtul")
    with pytest.raises(RigError, match=r"rig '\.' is a folder with bay\.toml: give the path of a rig file or one of "):
        find_rig(".")
    with pytest.raises(RigError, match=r"no rig 'other/virtual\.toml'"):
        find_rig("other/virtual.toml")


def test_a_map_may_be_one_that_is_shipped(tmp_path: Path) -> None:
    assert load_rig(written(tmp_path, SMALLEST + 'map = "keba-p30"\n')).dut.map == "keba-p30"
    assert load_rig(written(tmp_path, SMALLEST)).dut.map == ""


def test_a_map_may_lie_beside_the_rig_file(tmp_path: Path) -> None:
    shipped = Path(map_file.__file__).parent / "maps" / "keba-p30.toml"
    (tmp_path / "mine.toml").write_bytes(shipped.read_bytes())
    rig = load_rig(written(tmp_path, SMALLEST + 'map = "mine.toml"\n'))
    assert rig.dut.map == str(tmp_path / "mine.toml")


def test_a_map_that_is_not_there_is_refused_with_near_matches(tmp_path: Path) -> None:
    with pytest.raises(RigError, match=r"bay\.toml, line 7: \[dut\] map = .*: did you mean keba-p30"):
        load_rig(written(tmp_path, SMALLEST + 'map = "keba-p3"\n'))
