"""The values of secrets: the environment's ``AGENTMEM_SECRET_<NAME>``, else, where it is on, the OS keyring's.

Nothing here says who may use one: grants and configurations name secrets, and what asks has looked there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from mcp_server.policy.plugin_config import merged, named_secrets
from mcp_server.settings.model import Settings
from mcp_server.settings.variables import environment_of, secret_variable

__all__ = ["KEYRING_SERVICE", "Secrets", "secret_names"]

logger = logging.getLogger(__name__)
KEYRING_SERVICE = "agentmem-mcp"


class Secrets:
    """Looks secrets up by name.

    Args:
        keyring: Whether the OS keyring is asked, too. It may wait for a person who unlocks it, so it is asked by
            :meth:`fetch` alone, away from the event loop.
        environment: In place of the process's own.
    """

    def __init__(self, *, keyring: bool = False, environment: Mapping[str, str] | None = None) -> None:
        self._keyring = keyring
        self._environment = environment_of(environment)
        self._fetched: dict[str, str] = {}

    def value(self, name: str) -> str | None:
        """The value of secret ``name``, None where there is none."""
        return self._environment.get(secret_variable(name)) or self._fetched.get(name)

    def of_plugin(self, plugin: str, name: str) -> str | None:
        """As :meth:`value`; all plugins' secrets have one name space, and the grant says who may use which."""
        del plugin
        return self.value(name)

    def fetch(self, settings: Settings) -> None:
        """Ask the keyring, if it is on, for each secret that ``settings`` name and the environment lacks; may block."""
        wanted = sorted({name for name in secret_names(settings) if secret_variable(name) not in self._environment})
        if not self._keyring or not wanted:
            return
        try:
            import keyring  # noqa: PLC0415  # an extra, and 60 ms to import
            from keyring.errors import KeyringError  # noqa: PLC0415
        except ImportError:
            logger.warning("secrets.keyring is on, but keyring is not installed: pip install 'agentmem-mcp[keyring]'")
            return
        found: dict[str, str] = {}
        for name in wanted:
            try:
                value = keyring.get_password(KEYRING_SERVICE, name)
            except KeyringError as error:
                logger.warning("the keyring does not give secret %s: %s", name, type(error).__name__)
                continue
            if value:
                found[name] = value
        self._fetched = found


def secret_names(settings: Settings) -> Iterator[str]:
    """Every secret that a configuration names: grants, providers, embeddings, registries, plugins' configurations."""
    for grant in settings.grants.values():
        yield from grant.network.secrets
    for provider in settings.llm.providers.values():
        if provider.key:
            yield provider.key
    if settings.memory.embeddings.key:
        yield settings.memory.embeddings.key
    yield from settings.sharing.credentials.values()
    for config in settings.config.values():
        for _, name in named_secrets(merged({}, config)):
            yield name
