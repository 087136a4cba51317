"""The numbers of a plugin's file operations: what holds where nobody says otherwise, and the most that may be set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mcp_server.policy.numbers import Number

__all__ = ["FILE_NUMBERS", "MOST_OF_FILES", "MOST_OF_ONE_READ", "FileLimits", "FileMegabytes", "Operations"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileLimits:
    """The numbers of one call's file operations."""

    operations: int = 1_000
    bytes_read: int = 10 * MIB
    bytes_written: int = 10 * MIB
    list_entries: int = 1_000


MOST_OF_FILES = FileLimits(operations=100_000, bytes_read=1_024 * MIB, bytes_written=1_024 * MIB)
"""What an operator may raise them to."""
MOST_OF_ONE_READ = 12 * MIB
"""Of an answer as JSON a byte takes six at most, and 80 MiB go to a worker."""

FILE_NUMBERS = (
    Number("operations_per_call", "operations"),
    Number("max_read_mb", "bytes_read", MIB),
    Number("max_write_mb", "bytes_written", MIB),
)
"""Those that a manifest and an operator may set."""

Operations = Annotated[int, Field(ge=1, le=MOST_OF_FILES.operations)]
FileMegabytes = Annotated[int, Field(ge=1, le=MOST_OF_FILES.bytes_read // MIB)]
