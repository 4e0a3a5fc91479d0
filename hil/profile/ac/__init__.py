"""Profiles of AC charging points: limits over time, over whatever interface, and what happens meanwhile."""

from hil.profile.ac.model import AcProfile, AcSegment

__all__ = ["AcProfile", "AcSegment"]
