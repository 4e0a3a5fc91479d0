"""Random legal sessions of the reference charger: nothing in them may be blamed on anybody."""

from hil.soak.draw import draw
from hil.soak.drive import Outcome, run_session
from hil.soak.plan import Plan
from hil.soak.run import session_seeds, soak

__all__ = ["Outcome", "Plan", "draw", "run_session", "session_seeds", "soak"]
