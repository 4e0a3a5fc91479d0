"""Who judges the judge: the suites against a reference charger that is right, and against every seeded fault.

A fault counts as killed only where each case that it names fails. What the suites let through is told, and the
smallest deviation that they still catch is measured for each timing limit.
"""

from hil.qualify.engine import Qualification, qualify
from hil.qualify.knob import Knob
from hil.qualify.knobs import KNOBS
from hil.qualify.request import Request, make_request
from hil.qualify.suite import suite_cases

__all__ = ["KNOBS", "Knob", "Qualification", "Request", "make_request", "qualify", "suite_cases"]
