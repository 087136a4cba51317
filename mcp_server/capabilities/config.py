"""ConfigAccess: ``get_config``. The plugin's own values, and the secrets that the operator put there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from mcp_server.capabilities.base import CallContext, HostFunction, HostRefusal
from mcp_server.policy.advice import secret_value_fix
from mcp_server.policy.plugin_config import MissingSecret, resolved

__all__ = ["SecretOf", "functions"]

SecretOf = Callable[[str, str], str | None]
"""The value of a secret for a plugin, by the ids of both; None where there is none."""


def functions(secret_of: SecretOf) -> tuple[HostFunction, ...]:
    """The host functions of ConfigAccess.

    Args:
        secret_of: Where the values of secrets are; asked anew for each call, so that none lies in a configuration.
    """
    return (HostFunction("get_config", partial(_get_config, secret_of)),)


def _get_config(secret_of: SecretOf, context: CallContext, request: dict[str, Any]) -> Any:
    """``{"key": "name"}`` gives that value, null when it is not set; ``{}`` gives the whole configuration."""
    key = request.get("key")
    if "key" in request and not isinstance(key, str):
        raise HostRefusal("invalid_request", f"get_config: 'key' must be a string, got {type(key).__name__}")
    wanted = dict(context.config) if key is None else context.config.get(key)
    try:
        return resolved(wanted, partial(secret_of, context.plugin))
    except MissingSecret as missing:
        raise HostRefusal(
            "secret_unavailable",
            f"get_config: the secret {missing.name} has no value",
            {"secret": missing.name},
            fix=secret_value_fix(f"AGENTMEM_SECRET_{missing.name}"),
        ) from None
