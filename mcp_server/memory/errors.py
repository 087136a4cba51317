"""What the engine refuses, beside what a store fails with (``backends.errors``)."""

from __future__ import annotations

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

__all__ = ["EmbeddingsNotConfigured", "EmbeddingsUnavailable", "InvalidRequest"]


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
