"""Exit codes of the command line; ``docs/errors.md`` says what each means. 0 is success."""

from enum import IntEnum

__all__ = ["Exit"]


class Exit(IntEnum):
    """Why a command did not succeed."""

    UNEXPECTED = 1
    USAGE = 2
    DENIED = 3
    UNREACHABLE = 4
    TOOL_ERROR = 5
    PLUGIN_INVALID = 6
