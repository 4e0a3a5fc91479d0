"""What a world tells: one stream of plain, serialisable values, in order of time.

Everything the judge sees is here: frames, bytes, errors, signal samples, notes of the bench. The
stream is what monitors judge, what a recorded log turns into, and what is saved as evidence.
"""

from __future__ import annotations

from hil.bus.observe import BusErrorSeen, BytesSeen, FrameSeen, LineSeen, Note, Scalar, Sent
from hil.plant.observe import Sample

Observation = FrameSeen | BusErrorSeen | Sample | Note | BytesSeen | LineSeen | Sent

__all__ = ["BusErrorSeen", "BytesSeen", "FrameSeen", "LineSeen", "Note", "Observation", "Sample", "Scalar", "Sent"]
