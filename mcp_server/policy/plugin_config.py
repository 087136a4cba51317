"""A plugin's configuration: the operator's values over the author's, and which of them are secrets told by name.

``{ secret = "NAME" }`` stands where a secret's value belongs. Only the operator hands one out: an author who writes
such a reference asks for it, and gets null until ``[config.<plugin id>]`` sets the key. No value is here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

__all__ = ["MissingSecret", "SecretName", "merged", "named_secrets", "reference_problems", "resolved", "unnamed"]

SECRET_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SecretName:
    """Stands in a configuration where a secret's value belongs."""

    name: str


class MissingSecret(LookupError):
    """A secret that a configuration names has no value; ``name`` is its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def merged(author: Mapping[str, Any], operator: Mapping[str, Any], allowed: Collection[str] | None = None) -> Values:
    """The operator's values over the author's, key by key, with a :class:`SecretName` for each of the operator's
    references and null for each of the author's.

    Args:
        author: ``[config]`` of the manifest.
        operator: ``[config.<plugin id>]``, checked by :func:`reference_problems`.
        allowed: Names of secrets beyond which references are null; None: all of the operator's count.
    """

    def trusted(name: str) -> SecretName | None:
        return SecretName(name) if allowed is None or name in allowed else None

    values = {key: _each(value, lambda _: None) for key, value in author.items()}
    return values | {key: _each(value, trusted) for key, value in operator.items()}


def named_secrets(config: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every secret that a merged configuration names, with the path of its key: ``("api.key", "WEATHER")``."""
    if isinstance(config, SecretName):
        yield path, config.name
    elif isinstance(config, Mapping):
        for key, value in cast("Mapping[str, object]", config).items():
            yield from named_secrets(value, f"{path}.{key}" if path else key)
    elif isinstance(config, list | tuple):
        for index, value in enumerate(cast("list[object]", config)):
            yield from named_secrets(value, f"{path}[{index}]")


def unnamed(config: Mapping[str, Any]) -> Values:
    """A merged configuration as JSON, with null where a secret belongs: what may lie in a worker."""
    return {key: _replaced(value, lambda _: None) for key, value in config.items()}


def resolved(value: Any, lookup: Callable[[str], str | None]) -> Any:
    """A value of a merged configuration as JSON, its secrets filled in.

    Raises:
        MissingSecret: One has no value.
    """

    def found(name: SecretName) -> str:
        secret = lookup(name.name)
        if not secret:
            raise MissingSecret(name.name)
        return secret

    return _replaced(value, found)


def reference_problems(config: Mapping[str, Any], path: str) -> list[str]:
    """What is wrong with the references in ``config`` as it was written; ``path`` leads to it."""
    problems: list[str] = []

    def look(name: str) -> None:
        if not SECRET_NAME.fullmatch(name):
            problems.append(f"{path}: '{name}' cannot be the name of a secret: letters, digits and _.- up to 64")

    for value in config.values():
        _each(value, look)
    return problems


def _each(value: Any, reference: Callable[[str], Any]) -> Any:
    """``value`` with each ``{"secret": "NAME"}`` replaced."""
    if isinstance(value, Mapping):
        table = cast("Mapping[str, Any]", value)
        if len(table) == 1 and "secret" in table and isinstance(table["secret"], str):
            return reference(table["secret"])
        return {key: _each(item, reference) for key, item in table.items()}
    if isinstance(value, list | tuple):
        return [_each(item, reference) for item in cast("list[Any]", value)]
    return value


def _replaced(value: Any, fill: Callable[[SecretName], Any]) -> Any:
    if isinstance(value, SecretName):
        return fill(value)
    if isinstance(value, Mapping):
        return {key: _replaced(item, fill) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_replaced(item, fill) for item in cast("list[Any]", value)]
    return value
