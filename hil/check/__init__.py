"""Judging a recorded log by the passive monitors: the engine, and what is shown of its outcome."""

from hil.check.engine import Check, check_log

__all__ = ["Check", "check_log"]
