"""Access to the session's state without importing what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.pytest_plugin.session import Session

SESSION = pytest.StashKey["Session"]()
COMMAND = pytest.StashKey[str]()
"""The command line as the user gave it, where that was not pytest's own."""


def session_of(config: pytest.Config) -> Session:
    """What this pytest process knows of the run; made when first asked for.

    Options that cannot be carried out raise :class:`pytest.UsageError`.
    """
    found = config.stash.get(SESSION, None)
    if found is None:
        from hil.pytest_plugin.session import Session

        try:
            found = config.stash[SESSION] = Session(config)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from error
    return found
