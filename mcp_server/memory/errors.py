"""What the engine refuses, beside what a store fails with (``backends.errors``)."""

from __future__ import annotations

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

__all__ = ["EmbeddingsNotConfigured", "EmbeddingsUnavailable", "HookFailed", "HookVetoed", "InvalidRequest"]


class InvalidRequest(AgentMemError):
    """A filter, a time or a line that says nothing we understand."""

    code = "invalid_request"
    exit_code = Exit.USAGE


class EmbeddingsNotConfigured(AgentMemError):
    """A search asked for meaning, and no embedding model is configured."""

    code = "embeddings_not_configured"
    exit_code = Exit.USAGE

    def __init__(self) -> None:
        super().__init__(
            "no embedding model is configured, so there is no semantic search; use mode 'auto' or 'lexical'",
            fix="configure [memory.embeddings] in the server's configuration",
        )


class EmbeddingsUnavailable(AgentMemError):
    """An embedding model is configured and cannot be used: not installed, not there, or not answering."""

    code = "embeddings_unavailable"
    exit_code = Exit.UNREACHABLE


class HookVetoed(AgentMemError):
    """A before-hook said no; the reason is the plugin's text."""

    code = "hook_vetoed"
    exit_code = Exit.DENIED

    def __init__(self, plugin: str, point: str, reason: str) -> None:
        super().__init__(
            f"plugin '{plugin}' refused this ({point}): {reason}",
            fix=f"take hooks = true out of [grants.{plugin}] to go on without that plugin's word",
            data={"plugin": plugin, "hook": point},
        )


class HookFailed(AgentMemError):
    """A hook that must not be passed by did not do its work, so the operation was not done."""

    code = "hook_failed"
    exit_code = Exit.TOOL_ERROR

    def __init__(self, plugin: str, point: str, why: str) -> None:
        super().__init__(
            f"the hook {point} of plugin '{plugin}' failed and nothing may pass it by: {why}",
            fix=f"look at the plugin's log; take hooks = true out of [grants.{plugin}] to go on without it",
            data={"plugin": plugin, "hook": point},
        )
