"""ConfigAccess: ``get_config``. The plugin's own values, nobody else's; secrets do not lie there."""

from __future__ import annotations

from typing import Any

from mcp_server.capabilities.base import CallContext, HostFunction, HostRefusal

__all__ = ["FUNCTIONS"]


def get_config(context: CallContext, request: dict[str, Any]) -> Any:
    """``{"key": "name"}`` gives that value, null when it is not set; ``{}`` gives the whole configuration."""
    if "key" not in request:
        return dict(context.config)
    key = request["key"]
    if not isinstance(key, str):
        raise HostRefusal("invalid_request", f"get_config: 'key' must be a string, got {type(key).__name__}")
    return context.config.get(key)


FUNCTIONS = (HostFunction("get_config", get_config),)
