"""``hil profile`` for AC charging points."""

from __future__ import annotations

from typing import Any


def test_ac_profiles_are_generated_and_replayed(shell: Any) -> None:
    made = shell.hil("profile", "generate", "--bench", "ac", "--count", "4", "--seed", "3", "some")
    assert made.returncode == 0, made.stderr
    assert "4 profiles in some" in made.stdout
    files = sorted(str(path) for path in (shell.path / "some").glob("ac-3-*.json"))
    assert len(files) == 4
    sound = shell.hil("profile", "replay", *files)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert sound.stdout.count("AP.08") == 4
    faulty = shell.hil("profile", "replay", *files, "--fault", "ac-never-safe")
    assert faulty.returncode == 1
    assert "AP.05  fail" in faulty.stdout


def test_a_folder_lists_profiles_of_both_kinds(shell: Any) -> None:
    assert shell.hil("profile", "generate", "--bench", "ac", "--count", "2", "some").returncode == 0
    assert shell.hil("profile", "generate", "--family", "quick-steps", "some").returncode == 0
    listed = shell.hil("profile", "list", "some")
    assert listed.returncode == 0, listed.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == [
        "quick-steps.json",
        "ac-0-0001.json",
        "ac-0-0002.json",
        "3",
    ]
    assert "AC, registers" in listed.stdout


def test_an_unknown_bench_is_refused(shell: Any) -> None:
    wrong = shell.hil("profile", "generate", "--bench", "dc", "some")
    assert wrong.returncode == 2
    assert "--bench dc: allowed is gbt27930 or ac" in wrong.stderr


def test_what_ac_profiles_do_not_obey_is_refused(shell: Any) -> None:
    made = shell.hil("profile", "generate", "--bench", "ac", "--csv", "--max-power", "3", "--coverage", "some")
    assert made.returncode == 2
    assert "--max-power, --csv, --coverage: AC profiles know no such thing" in made.stderr
    assert not (shell.path / "some").exists()

    assert shell.hil("profile", "generate", "--bench", "ac", "--count", "1", "some").returncode == 0
    replayed = shell.hil("profile", "replay", "some/ac-0-0001.json", "--max-current", "1", "--out", "kept")
    assert replayed.returncode == 2
    assert "--max-current, --out: " in replayed.stderr


def test_none_is_replayed_where_another_file_cannot_be_read(shell: Any) -> None:
    assert shell.hil("profile", "generate", "--bench", "ac", "--count", "1", "some").returncode == 0

    refused = shell.hil("profile", "replay", "some/ac-0-0001.json", "none.json")

    assert refused.returncode == 2
    assert "cannot read none.json" in refused.stderr
    assert "AP.08" not in refused.stdout


def test_an_ac_profile_is_told_as_one_where_it_cannot_be_used(shell: Any) -> None:
    assert shell.hil("profile", "generate", "--bench", "ac", "--count", "1", "some").returncode == 0
    for command in ("show", "shrink"):
        refused = shell.hil("profile", command, "some/ac-0-0001.json")
        assert refused.returncode == 2
        assert "it is an AC profile, which can be replayed" in refused.stderr
