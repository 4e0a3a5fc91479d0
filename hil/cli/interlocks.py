"""The option by which an operator answers for what no signal tells."""

from __future__ import annotations

from typing import Annotated

import typer

InterlocksChecked = Annotated[
    bool,
    typer.Option(
        "--interlocks-checked", help="I have checked the interlocks of the rig that no signal tells: they are closed."
    ),
]
