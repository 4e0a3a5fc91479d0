"""Exit codes, and errors in one clear line."""

from __future__ import annotations

import errno
import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer
from rich.markup import escape

from hil.errors import HilError, UsageError
from hil.pytest_plugin.table import console, let_go

OK, NOT_PASSED, USAGE, INTERNAL = 0, 1, 2, 3
EXITS = (
    "0 all pass (advisory findings aside), 1 something fails or is inconclusive, "
    "2 usage or rig error, 3 an error on our side; the highest wins."
)
FULL = (errno.ENOSPC, errno.EFBIG, errno.EIO)
"""What a system says when it takes no more of an output."""
_P = ParamSpec("_P")
_R = TypeVar("_R")


def complain(text: str) -> None:
    """One line on standard error."""
    console(stderr=True).print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)


def telling(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Tell our own errors in one line, without a traceback, and leave with the code for them."""

    @functools.wraps(command)
    def told(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except HilError as error:
            complain(str(error))
            raise typer.Exit(USAGE if isinstance(error, UsageError) else INTERNAL) from error
        except (typer.Exit, typer.Abort):
            raise
        except BrokenPipeError:
            # The reader of our output has left, and so may we.
            let_go(sys.stdout)
            raise typer.Exit(OK) from None
        except OSError as error:
            if error.filename is not None or error.errno not in FULL:
                raise _unforeseen(error) from error
            # What we write into files names them, so it is our output that a disk has no room for.
            let_go(sys.stdout)
            complain(f"standard output cannot be written: {error.strerror}")
            raise typer.Exit(INTERNAL) from error
        except Exception as error:
            raise _unforeseen(error) from error

    return told


def _unforeseen(error: Exception) -> typer.Exit:
    """A defect of ours is shown whole."""
    console(stderr=True).print_exception()
    complain(f"{type(error).__name__}: {error}")
    return typer.Exit(INTERNAL)
