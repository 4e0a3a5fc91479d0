"""``hil profile generate`` for AC charging points."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from hil.profile.ac.files import save
from hil.profile.ac.generate import THEMES, generated
from hil.profile.files import SUFFIX


def generate_ac(folder: Path, count: int, seed: int, interface: str) -> list[Path]:
    """Write so many AC profiles over an interface, of each theme in turn; returns their files."""
    share = -(-count // len(THEMES))
    made = {theme: generated(theme, share, seed) for theme in THEMES}
    order = [(theme, number) for number in range(share) for theme in THEMES][:count]
    paths = []
    for index, (theme, number) in enumerate(order, 1):
        path = folder / f"ac-{seed}-{index:04d}{SUFFIX}"
        named = {"name": f"generated {index}", "note": f"theme {theme}", "seed": seed, "interface": interface}
        save(replace(made[theme][number], **named), path)
        paths.append(path)
    return paths
