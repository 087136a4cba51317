"""The settings as a person may see them: every value with its key, and nothing that looks like a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from mcp_server.settings.document import Key, dotted, leaves
from mcp_server.settings.layers import Configuration
from mcp_server.telemetry.logs import clean, names_a_secret

__all__ = ["ShownValue", "hidden_values", "shown_values"]

HIDDEN = "[hidden]"


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One value in force.

    Attributes:
        key: Dotted, as TOML writes it.
        value: JSON, with secrets replaced.
        origin: ``default``, a file with its key, a variable, or ``command line``.
    """

    key: str
    value: Any
    origin: str


def shown_values(configuration: Configuration) -> Iterator[ShownValue]:
    """Every value, section by section."""
    for key, value in leaves(configuration.settings.model_dump(mode="json")):
        yield ShownValue(dotted(key), _hidden(key, value), configuration.origin(key))


def hidden_values(key: Key, table: Mapping[str, Any]) -> dict[str, Any]:
    """The table at ``key`` with what looks like a secret replaced."""
    return {name: _hidden((*key, name), value) for name, value in table.items()}


def _hidden(key: Key, value: Any) -> Any:
    """A grant names its secrets, which is no secret; elsewhere a telling name or look hides a text."""
    if isinstance(value, list):
        return [_hidden(key, item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        return {name: _hidden((*key, name), item) for name, item in table.items()}
    named = key[0] != "grants" and any(map(names_a_secret, key[2:] if key[0] == "config" else key))
    if named and value not in (None, "") and not isinstance(value, bool):
        return HIDDEN
    return clean(value) if isinstance(value, str) else value
