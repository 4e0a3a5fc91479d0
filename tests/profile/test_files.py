"""Files: what is written is read again, and what is wrong is told with its field and reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import UsageError
from hil.profile import LoadProfile, Segment
from hil.profile.ac import AcProfile
from hil.profile.ac.files import load as load_ac
from hil.profile.events import KINDS
from hil.profile.families import families
from hil.profile.files import FORMAT, VERSION, dumps, load, loads, save
from hil.profile.schema import schema
from hil.profile.strategies import EVENTS, illegal_profiles, load_profiles
from hil.profile.table import columns_of, from_csv, import_table, to_csv
from hil.profile.upsets import upset_profiles

SHIPPED = Path(__file__).resolve().parents[2] / "hil" / "profile"
ANY = st.one_of(load_profiles(events=tuple(EVENTS)), illegal_profiles(), upset_profiles())


@settings(max_examples=60, deadline=None, database=None)
@given(ANY)
def test_what_is_written_is_read_again_and_fits_the_schema(profile: LoadProfile) -> None:
    text = dumps(profile)

    assert loads(text) == profile
    assert from_csv(to_csv(profile)) == profile
    jsonschema.Draft202012Validator(schema()).validate(json.loads(text))


@pytest.mark.parametrize(("kind", "name"), [(LoadProfile, "load_profile"), (AcProfile, "ac_profile")])
def test_the_shipped_schema_is_that_of_the_model(kind: type[LoadProfile | AcProfile], name: str) -> None:
    shipped = json.loads((SHIPPED / f"{name}.schema.json").read_text("utf-8"))
    assert shipped == json.loads(json.dumps(schema(kind)))


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    document = json.loads(dumps(families()["steps"].profile("car-400v")))
    validator = jsonschema.Draft202012Validator(schema())
    for wrong in ({"segments": [{"duration_s": -1, "current_a": 0, "voltage_v": 1}]}, {"version": 2}, {"more": 1}):
        assert not validator.is_valid({**document, **wrong})
        with pytest.raises(UsageError):
            loads(json.dumps({**document, **wrong}))


def test_every_kind_of_event_can_be_written() -> None:
    given_fields: dict[str, dict[str, Any]] = {
        "alarm": {"item": "overcurrent"},
        "lose": {"for_s": 1, "messages": ["BCL"]},
        "not_ready": {"for_s": 1},
        "say": {"message": "BCS", "signal": "soc", "value": 80},
        "switch_s": {"closed": False},
        "supply": {"on": False},
        "plug": {"inserted": False},
        "heat": {"power_w": 100},
        "insulation": {"ohm": 1e6},
        "excess": {"voltage_v": 20},
        "vehicle_contactors": {"closed": True},
    }
    for kind in KINDS:
        segment = {"duration_s": 1, "current_a": 1, "voltage_v": 390, "mode": "cc"}
        segment["events"] = [{"do": kind, **given_fields.get(kind, {})}]
        document = {"format": FORMAT, "version": VERSION, "name": kind, "segments": [segment]}

        (event,) = loads(json.dumps(document)).segments[0].events

        assert event.__struct_config__.tag == kind
        assert kind == "pack" or list(event.actions()), f"{kind} does nothing"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "x"}, "format: no 'hil-load-profile' file"),
        ({"version": 7}, "version: 7 is not known"),
        ({"vehicle": "boat"}, "vehicle: no 'boat'"),
        ({"segments": []}, "segments: 0; allowed are 1 to"),
        ({"segments": [{"duration_s": 0, "current_a": 1, "voltage_v": 3}]}, "segments[0].duration_s: expected"),
        (
            {"segments": [{"duration_s": 1, "current_a": 401, "voltage_v": 3}]},
            "segments[0].current_a: expected `float` <= 400.0; it is 401",
        ),
        ({"segments": [{"duration_s": 1, "current_a": "1", "voltage_v": 3}]}, "segments[0].current_a: expected"),
        ({"segments": [{"duration_s": 0.0005, "current_a": 1, "voltage_v": 3}]}, "segments[0].duration_s: 0.0005 s is"),
        (
            {"segments": [{"duration_s": 1e-30, "current_a": 1, "voltage_v": 3}]},
            "segments[0].duration_s: 1e-30 s is less than a millisecond",
        ),
        ({"segments": [{"duration_s": 1, "current_a": 1, "voltage_v": 3, "mor": 1}]}, "segments[0]: object contains"),
        ({"events": "rm"}, "object contains unknown field `events`; "),
        (
            {"soc_percnt": 50},
            "object contains unknown field `soc_percnt`; did you mean soc_percent? allowed are name, segments, note, ",
        ),
        ({"soc_percent": 101}, "soc_percent: expected `float` <= 100.0; it is 101"),
        (
            {"segments": [{"duration_s": 1, "current_a": 1, "voltage_v": 2, "mode": "dc"}]},
            "segments[0].mode: invalid enum value 'dc'; there are cc, cv",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_field_and_the_reason(change: dict[str, Any], told: str) -> None:
    document = json.loads(dumps(families()["steps"].profile("car-400v")))

    with pytest.raises(UsageError) as caught:
        loads(json.dumps({**document, **change}))

    assert told.lower() in str(caught.value).lower()


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"do": "dance"}, "do: invalid value 'dance'; there are "),
        ({"do": "stop", "reson": "x"}, "field `reson`; did you mean reason? allowed are do, at_s, reason"),
        ({"do": "pause", "for_s": "long"}, 'for_s: expected `float | null`, got `str`; it is "long"'),
        ({"do": "stop", "reason": "tired"}, "reason: no 'tired'"),
        ({"do": "lose", "for_s": 1, "messages": ["CCS"]}, "messages: no 'CCS'"),
        ({"do": "say", "message": "BCS", "signal": "mood", "value": 1}, "signal: no 'mood'"),
        ({"do": "say", "message": "BCS", "signal": "soc", "value": 300}, "value: soc"),
        ({"do": "pause", "at_s": 2}, "at_s: 2 s is after the segment's end, 1 s"),
        ({"do": "heat", "power_w": 1e9}, "1e+09 W is not within 0..20000"),
        ({"do": "alarm", "item": "noise"}, "item: no 'noise'"),
    ],
)
def test_a_bad_event_is_refused_with_its_place(event: dict[str, Any], told: str) -> None:
    segment = {"duration_s": 1, "current_a": 1, "voltage_v": 390, "events": [event]}

    with pytest.raises(UsageError) as caught:
        loads(json.dumps({"format": FORMAT, "version": VERSION, "name": "x", "segments": [segment]}))

    assert told in str(caught.value)
    assert "segments[0].events[0]" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00", "[" * 100_000, '{"format": "hil-load-profile", "version": 1}'])
def test_no_text_gets_further_than_a_clear_refusal(text: str) -> None:
    with pytest.raises(UsageError):
        loads(text)


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(UsageError, match=r"a\.json"):
        load(path)
    path.write_text("{}")
    with pytest.raises(UsageError, match=r"a\.json: format"):
        load(path)


def test_a_file_is_readable_and_one_segment_a_line(tmp_path: Path) -> None:
    path = tmp_path / "steps.json"
    profile = families()["steps"].profile("car-400v")

    save(profile, path)

    lines = path.read_text("utf-8").splitlines()
    assert sum('"duration_s"' in line for line in lines) == len(profile.segments)
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside it"


# --- tables from elsewhere ------------------------------------------------------------------------


def test_a_table_of_another_tool_becomes_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "drive.csv"
    path.write_text(
        "ts,batt_i,batt_u,soc\n0,20000,350,41\n10,20000,350,41\n20,-5000,351,42\n30,100000,352,42\n", "utf-8"
    )
    columns = columns_of({"time": "ts", "current": "batt_i", "current_scale": 0.001, "voltage": "batt_u", "soc": "soc"})

    profile = import_table(path, columns, vehicle="car-400v", voltage=394.2)

    assert [(each.duration, each.current, each.voltage) for each in profile.segments] == [
        (20.0, 20.0, 350.0),
        (10.0, 0.0, 351.0),
    ]
    assert profile.soc == 41.0


def test_rows_can_be_joined_by_straight_lines(tmp_path: Path) -> None:
    path = tmp_path / "ramp.csv"
    path.write_text("time,current\n0,10\n5,60\n", "utf-8")

    profile = import_table(path, columns_of({"ramp": True}), vehicle="car-400v", voltage=394.2)

    assert [(each.duration, each.current, each.ramp) for each in profile.segments] == [
        (0.001, 10.0, False),
        (5.0, 60.0, True),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time,current\n0,1\n0,2\n", "does not follow"),
        ("time,current\n0,1\nx,2\n", "line 3, time: 'x' is no number"),
        ("time,amps\n0,1\n1,2\n", "no column 'current'; there are time, amps"),
        ("time,current\n0,nan\n1,2\n", "line 2, current: nan is no finite number"),
        ("time,current\n0,1\n", "fewer than two rows"),
        ("time,current\n0,1\n5,900\n", "line 3, current: 900 A; allowed is 0 .. 400"),
        ("time,current\n0," + "5" * 200_000 + "\n5,9\n", "field larger than field limit"),
    ],
)
def test_a_bad_table_is_refused_with_line_and_column(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, "utf-8")

    with pytest.raises(UsageError) as caught:
        import_table(path, columns_of({}), vehicle="car-400v", voltage=394.2)

    assert told in str(caught.value)


def test_a_segment_of_a_csv_is_refused_with_its_line() -> None:
    lines = to_csv(LoadProfile(name="x", segments=(Segment(duration=1, current=1, voltage=2),))).splitlines()
    lines[2] = lines[2].replace("1,", "many,", 1)

    with pytest.raises(UsageError, match="line 3"):
        from_csv("\n".join(lines))


@pytest.mark.parametrize("reader", [load, load_ac], ids=["load profile", "AC profile"])
def test_a_file_that_no_profile_needs_is_not_read(reader: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as huge:
        huge.truncate(64 * 2**20 + 1)
    with pytest.raises(UsageError, match=r"huge\.json: more than 64 MiB"):
        reader(path)


HEAD = '# {"format": "hil-load-profile", "version": 1, "name": "x"}'
COLUMNS = "duration_s,voltage_v,current_a,mode,ramp,events"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (('# {"name":' + "[" * 100_000, COLUMNS), "line 1: no JSON"),
        (
            (HEAD.replace("}", ', "segments": []}'), COLUMNS, "1,2,3,cc,,"),
            "line 1: segments: they are the rows of a CSV",
        ),
        ((HEAD, COLUMNS.replace(",", ";"), "1;2;3;cc;;"), "line 2: columns duration_s;voltage_v;"),
        ((HEAD, COLUMNS, "1,2,3,cc,,,7"), "line 3: more than the 6 columns"),
        ((HEAD, COLUMNS, "1,2,3,cc,,", "1,2,3,cc,," + "[" * 50_000), "line 4, events: no JSON"),
        ((HEAD, COLUMNS, "1,2,3,cc,,", "1,2,3,cc,," + "[" * 200_000), "line 4: field larger than field limit"),
        (
            (HEAD, COLUMNS, "1,2,3,cc,,", "", "1,2,500,cc,,"),
            "line 5, current_a: expected `float` <= 400.0; it is 500.0",
        ),
        (
            (HEAD.replace('"x"', '"x", "sed": 1'), COLUMNS, "1,2,3,cc,,"),
            "line 1, Object contains unknown field `sed`; did",
        ),
        ((HEAD, COLUMNS, "1,2,3,cc,,", "", "1,2,many,cc,,"), "line 5, current_a: 'many' is no number"),
    ],
)
def test_a_bad_csv_is_refused_with_its_line(lines: tuple[str, ...], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_csv("\n".join(lines))

    assert told in str(caught.value)


def test_a_field_that_is_there_twice_is_refused() -> None:
    text = dumps(families()["steps"].profile("car-400v"))
    text = text.replace('"current_a": ', '"current_a": 5, "current_a": ', 1)

    with pytest.raises(UsageError, match="field 'current_a' is there twice: 5 and "):
        loads(text)


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), 0.0])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(UsageError, match=r"columns: time_scale .*; allowed is a finite number other than 0"):
        columns_of({"time_scale": scale})
