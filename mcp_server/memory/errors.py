"""What the engine refuses, beside what a store fails with (``backends.errors``)."""

from __future__ import annotations

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

__all__ = ["EmbeddingsNotConfigured", "InvalidRequest"]


class InvalidRequest(AgentMemError):
    """A filter, a time or a line that says nothing we understand."""

    code = "invalid_request"
    exit_code = Exit.USAGE


class EmbeddingsNotConfigured(AgentMemError):
    """A search asked for meaning, and no embedding model is configured."""

    code = "embeddings_not_configured"

    def __init__(self) -> None:
        super().__init__(
            "no embedding model is configured, so there is no semantic search; use mode 'auto' or 'lexical'",
            fix="configure [embeddings] in the server's configuration",
        )
