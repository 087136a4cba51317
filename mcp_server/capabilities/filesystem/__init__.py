"""FileSystemAccess: ``read_file``, ``write_file``, ``list_files``, ``delete_file``.

Which paths are allowed is in ``policy.paths``; ``beneath`` sees to it that a path stays below its root on disk, and
``files`` touches plain files only.
"""

from __future__ import annotations

from collections.abc import Callable

from mcp_server.capabilities.base import CallContext, HostFunction
from mcp_server.capabilities.filesystem.access import FileAccess, FileUsage
from mcp_server.policy.paths import FileRules

__all__ = ["FileUsage", "file_functions"]


def file_functions(
    rules_of: Callable[[CallContext], FileRules], usage_of: Callable[[CallContext], FileUsage]
) -> tuple[HostFunction, ...]:
    """The host functions of FileSystemAccess; the arguments are those of :class:`.access.FileAccess`."""
    access = FileAccess(rules_of, usage_of)
    return (
        HostFunction("read_file", access.read_file, waits=True),
        HostFunction("write_file", access.write_file, waits=True),
        HostFunction("list_files", access.list_files, waits=True),
        HostFunction("delete_file", access.delete_file, waits=True),
    )
