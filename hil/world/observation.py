"""What a world tells: one stream of plain, serialisable values, in order of time.

Everything the judge sees is here: frames, bus errors, signal samples, notes of the bench. The
stream is what monitors judge, what a recorded log turns into, and what is saved as evidence.
"""

from __future__ import annotations

from hil.bus.observe import BusErrorSeen, FrameSeen, Note, Scalar
from hil.plant.observe import Sample

Observation = FrameSeen | BusErrorSeen | Sample | Note

__all__ = ["BusErrorSeen", "FrameSeen", "Note", "Observation", "Sample", "Scalar"]
