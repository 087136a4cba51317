"""What goes wrong between sources and a tested module; what a plugin does wrong has the main tree's errors."""

from __future__ import annotations

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

__all__ = ["BuildFailed", "CasesInvalid", "FolderTaken", "ToolchainMissing"]


class ToolchainMissing(AgentMemError):
    """A program that the plugin's language needs is not on this machine; the fix says how to get it."""

    code = "toolchain_missing"
    exit_code = Exit.USAGE


class BuildFailed(AgentMemError):
    """The language's own tool said no; it has said why. The module that was there is the one from before."""

    code = "build_failed"
    exit_code = Exit.PLUGIN_INVALID


class FolderTaken(AgentMemError):
    """There is something where a new plugin should begin; nothing of it was touched."""

    code = "folder_taken"
    exit_code = Exit.USAGE


class CasesInvalid(AgentMemError):
    """A file of test cases has problems, all of them at once, or there is none."""

    code = "cases_invalid"
    exit_code = Exit.USAGE
