"""The bench's side of a RAPI console."""

from hil.tester.rapi.client import ConsoleClient

__all__ = ["ConsoleClient"]
