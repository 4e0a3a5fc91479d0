"""Settings profiles of Hypothesis for suites over load profiles: ``dev``, ``ci`` and ``nightly``.

``pytest --hypothesis-profile=nightly`` takes one. They hold for ``@given`` in user suites; what
``hil run`` generates is seeded by the run and never reads an example database.
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings

NAMES = ("dev", "ci", "nightly")
_WITHOUT_EXPLAIN = tuple(phase for phase in Phase if phase is not Phase.explain)
"""The explain phase costs twice the shrinking itself where an example is a whole session."""
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)
"""An example is a session: slow by Hypothesis's measure, and fresh whatever the fixture's scope."""


def register() -> None:
    """Make the profiles known to Hypothesis; a second call changes nothing."""
    common = {"deadline": None, "phases": _WITHOUT_EXPLAIN, "suppress_health_check": _SLOW}
    settings.register_profile("dev", settings(max_examples=50, **common))  # type: ignore[arg-type]  # one dict for three
    settings.register_profile("ci", settings(max_examples=100, derandomize=True, database=None, **common))  # type: ignore[arg-type]  # as above
    settings.register_profile("nightly", settings(max_examples=2000, print_blob=True, **common))  # type: ignore[arg-type]  # as above
