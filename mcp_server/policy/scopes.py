"""What a bearer token may be used for: the scope words, and what an operation needs of them. Values only.

No word widens what a plugin may do; scopes narrow who may call it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from mcp_server.problems import did_you_mean

__all__ = [
    "ADMIN",
    "BASIC",
    "MEMORY_READ",
    "MEMORY_WRITE",
    "NOTHING",
    "TOOLS_CALL",
    "TOOLS_LIST",
    "WORDS",
    "Need",
    "any_call",
    "needed_for_tool",
    "plugin_scope",
    "scope_problem",
    "unmet",
]

TOOLS_LIST = "tools:list"
TOOLS_CALL = "tools:call"
MEMORY_READ = "memory:read"
MEMORY_WRITE = "memory:write"
ADMIN = "admin:plugins"
WORDS = (TOOLS_LIST, TOOLS_CALL, MEMORY_READ, MEMORY_WRITE, ADMIN)
BASIC = (TOOLS_LIST, TOOLS_CALL)
"""What a client without a token is told to ask for."""
_PLUGIN = re.compile(r"plugin:[a-z0-9-]{1,48}:call")

Need = tuple[tuple[str, ...], ...]
"""Every group must be met, by any word of it; the first word of a group gives the least away."""
NOTHING: Need = ()


def plugin_scope(plugin: str) -> str:
    """The scope for the tools of one plugin."""
    return f"plugin:{plugin}:call"


def scope_problem(word: str) -> str:
    """Why ``word`` is no scope; empty when it is one."""
    if word in WORDS or _PLUGIN.fullmatch(word):
        return ""
    return f"'{word}' is no scope{did_you_mean(word, WORDS)}; there are {', '.join(WORDS)} and plugin:<id>:call"


def needed_for_tool(plugin: str, *, own: bool, read_only: bool) -> Need:
    """What calling a tool needs.

    Args:
        plugin: The plugin's id.
        own: Whether it is one of the host's own memory tools; ``tools:call`` is for those of plugins alone.
        read_only: Whether it changes nothing.
    """
    if own:
        return ((MEMORY_READ if read_only else MEMORY_WRITE,),)
    return ((plugin_scope(plugin), TOOLS_CALL),)


def any_call(scopes: Collection[str]) -> Need:
    """What calling a tool that does not exist needs: the right to call any, so that names cannot be guessed."""
    held = (word for word in scopes if word not in (TOOLS_LIST, ADMIN))
    return ((TOOLS_CALL, *held),)


def unmet(scopes: Collection[str] | None, need: Need) -> tuple[str, ...]:
    """All scopes that an operation needs, where ``scopes`` do not meet them; empty where they do.

    Args:
        scopes: Those of the token; None for the local user, who may do everything.
        need: Of the operation.
    """
    if scopes is None or all(any(word in scopes for word in group) for group in need):
        return ()
    return _least(need)


def _least(need: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(group[0] for group in need))
