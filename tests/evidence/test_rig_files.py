"""The rig file and the register maps that it names lie beside the report, as they were read."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest

from hil.codec import map_file
from hil.errors import HilError
from hil.evidence.document import schema
from hil.evidence.report import write_reports
from hil.evidence.rig_files import FOLDER, digests_of, keep_files
from hil.evidence.run import RunInfo
from hil.rig import load_rig

RIG = """\
schema = 1
name = "bay 3"
kind = "virtual"

[dut]
name = "charger"

[instruments.mains]
kind = "modbus"
map = "eastron-sdm630"

[instruments.mains.measures]
power = { absolute = 1 }

[instruments.meter]
kind = "modbus"
map = "maps/bay 3.toml"

[instruments.meter.measures]
power = { absolute = 1 }
"""


def test_the_rig_and_a_map_of_its_own_are_kept_as_they_were_read(tmp_path: Path, info: RunInfo) -> None:
    shipped = Path(map_file.__file__).with_name("maps") / "eastron-sdm630.toml"
    rig, own, out = tmp_path / "bay 3.toml", tmp_path / "maps" / "bay 3.toml", tmp_path / "report"
    own.parent.mkdir()
    own.write_bytes(shipped.read_bytes() + b"# ours\n")
    rig.write_bytes(RIG.encode())
    read = load_rig(rig)
    rig.write_bytes(b"edited meanwhile")
    keep_files(tmp_path / "nothing", {})
    out.mkdir()
    keep_files(out, {"of/an/earlier run.toml": b"old"})
    keep_files(out, read.files)

    files = digests_of(read.files)
    assert [(out / place).read_bytes() for place in files] == [RIG.encode(), own.read_bytes()]
    assert next(iter(files.values())) == read.sha256
    assert {path.relative_to(out).as_posix() for path in (out / FOLDER).iterdir()} == set(files)
    assert [hashlib.sha256((out / place).read_bytes()).hexdigest() for place in files] == list(files.values())

    write_reports(out, msgspec.structs.replace(info, rig_files=files), [])
    document = json.loads((out / "conformance.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["rig"]["files"] == files
    links = re.findall(rf'href="\./({FOLDER}/[^"]+)"', (out / "index.html").read_text("utf-8"))
    assert links == list(files)


def test_a_folder_that_takes_no_rig_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_bytes(b"in the way")
    with pytest.raises(HilError, match=f"cannot keep the rig file in .*{FOLDER}"):
        keep_files(tmp_path, {"a.toml": b""})
