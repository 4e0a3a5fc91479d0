"""Error types. The wire never raises; these are for our own misuse and for bad files."""

from __future__ import annotations


class HilError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(HilError):
    """A command line, an option or an API call that cannot be carried out; exit code 2."""


class RigError(UsageError):
    """A rig file or a rig that cannot be used; names file, line or field, value and what is allowed."""


class MapError(UsageError):
    """A register map file that cannot be used; names file, line, field, value and what is allowed."""


class CodecError(HilError, ValueError):
    """A message that cannot be encoded or decoded; names message, signal, value and range."""


class CatalogueError(HilError):
    """A requirement catalogue, register or fault list that contradicts itself."""


class WorldError(HilError):
    """The world was used against its contract, or ended while something was asked of it."""
