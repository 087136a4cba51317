"""What the shell offers for an argument: clients, plugins, tools. Never fails and never speaks: a prompt waits."""

from __future__ import annotations

__all__ = ["client_names"]


def client_names(incomplete: str) -> list[str]:
    """The clients that can be named."""
    from mcp_server.clients.places import CLIENTS

    return [name for name in (*CLIENTS, "json") if name.startswith(incomplete)]
