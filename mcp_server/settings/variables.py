"""The environment: its one reader. ``AGENTMEM_SECTION__KEY`` sets ``[section] key``; ``secrets`` looks secrets up."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PREFIX", "Variable", "environment_of", "identity_token", "secret_variable", "variables_in"]

PREFIX = "AGENTMEM_"
SECRET_PREFIX = "AGENTMEM_SECRET_"  # noqa: S105  # the name of variables, not a secret
IDENTITY_TOKEN = "SIGSTORE_ID_TOKEN"  # noqa: S105  # as above; cosign and GitLab call it so


@dataclass(frozen=True, slots=True)
class Variable:
    """``AGENTMEM_RUNTIME__MAX_WORKERS=2`` as its name, ``("runtime", "max_workers")`` and ``2``."""

    name: str
    path: tuple[str, str]
    value: Any


def environment_of(given: Mapping[str, str] | None) -> Mapping[str, str]:
    """``given``, or the process's environment."""
    return os.environ if given is None else given


def variables_in(environment: Mapping[str, str]) -> list[Variable]:
    """Every variable that sets a key; its value is read as TOML, else taken as text."""
    found: list[Variable] = []
    for name, text in environment.items():
        section, separator, key = name.removeprefix(PREFIX).partition("__")
        if name.startswith(PREFIX) and separator and not name.startswith(SECRET_PREFIX):
            try:
                value: Any = tomllib.loads(f"value = {text}")["value"]
            except (ValueError, RecursionError):
                value = text
            found.append(Variable(name, (section.lower(), key.lower()), value))
    return found


def secret_variable(name: str) -> str:
    """The variable that holds secret ``name``."""
    return f"{SECRET_PREFIX}{name}"


def identity_token(given: Mapping[str, str] | None = None) -> str | None:
    """What an issuer says about who runs this, for a signature by Sigstore; None where there is nothing."""
    return environment_of(given).get(IDENTITY_TOKEN) or None
