"""What can be wrong with a client's configuration file; nothing was changed."""

from __future__ import annotations

from mcp_server.errors import AgentMemError
from mcp_server.exits import Exit

__all__ = ["ClientConfigError"]


class ClientConfigError(AgentMemError):
    """A client's configuration file cannot be found, read, understood, changed or written."""

    code = "client_config"
    exit_code = Exit.USAGE
