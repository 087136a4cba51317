"""Where remembered answers lie: one file for each way to start the server."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence

from mcp_server import __version__

__all__ = ["HOME_VARIABLE", "cache_folder", "file_for", "home_of"]

HOME_VARIABLE = "AGENTMEM_HOME"
FORMAT = 1
_SECRET = "AGENTMEM_SECRET_"  # noqa: S105  # the beginning of names; what such a variable holds is shown to nobody
_COUNTING = ("AGENTMEM_", "OTEL_", "XDG_")
_NAMES = ("HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONHOME")


def home_of(environment: Mapping[str, str]) -> str | None:
    """The one folder that holds everything, where the environment names one."""
    home = environment.get(HOME_VARIABLE)
    return os.path.abspath(os.path.expanduser(home)) if home else None  # noqa: PTH100, PTH111  # pathlib is slow to import


def cache_folder(environment: Mapping[str, str]) -> str:
    """The user's cache folder."""
    home = home_of(environment)
    if home:
        return os.path.join(home, "cache")  # noqa: PTH118  # as above
    from platformdirs import PlatformDirs  # noqa: PLC0415  # takes longer to import than the rest

    return PlatformDirs("agentmem-mcp", appauthor=False).user_cache_dir


def file_for(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """The file for a command line: everything counts that settings and folders are found by.

    Raises:
        OSError: The working directory is gone.
    """
    counting = sorted(
        (name, value)
        for name, value in environment.items()
        if (name.startswith(_COUNTING) or name in _NAMES) and not name.startswith(_SECRET)
    )
    start = (FORMAT, __version__, sys.version, sys.executable, os.getcwd(), os.geteuid(), list(words), counting)  # noqa: PTH109  # as above
    name = hashlib.sha256(repr(start).encode("utf-8", "surrogateescape")).hexdigest()
    return os.path.join(cache_folder(environment), "answers", f"{name}.json")  # noqa: PTH118  # as above
