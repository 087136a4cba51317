"""The providers of the configuration, each opened by the first request that needs it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mcp_server.backends.llm.anthropic import AnthropicDialect
from mcp_server.backends.llm.base import Provider
from mcp_server.backends.llm.client import HttpProvider
from mcp_server.backends.llm.openai import OpenAiDialect
from mcp_server.capabilities.llm.extractive import ExtractiveProvider
from mcp_server.policy.llm import LlmSettings, ProviderSection

__all__ = ["KeySource", "Providers"]

KeySource = Callable[[str], str | None]
"""The value of a secret by its name, None where there is none; asked anew for each request."""


class Providers:
    """Those of ``[llm.providers]``.

    Args:
        settings: Who there is.
        keys: Where their keys are.
    """

    def __init__(self, settings: LlmSettings, keys: KeySource) -> None:
        self._sections, self._keys = settings.providers, keys
        self._open: dict[str, Provider] = {}

    def get(self, name: str) -> Provider:
        """The provider of that name, which the settings have been checked to hold."""
        provider = self._open.get(name)
        if provider is None:
            provider = self._open[name] = self._opened(name, self._sections[name])
        return provider

    def seconds(self, name: str) -> float:
        """How long one answer of it may take."""
        return self._sections[name].timeout_seconds

    def secrets(self, name: str) -> dict[str, str]:
        """Its key by name, to be taken out of what it says."""
        secret = self._sections[name].key
        value = self._keys(secret) if secret else None
        return {secret: value} if secret and value else {}

    async def aclose(self) -> None:
        """Close every connection."""
        while self._open:
            _, provider = self._open.popitem()
            await provider.aclose()

    def _opened(self, name: str, section: ProviderSection) -> Provider:
        if section.base_url is None:
            return ExtractiveProvider()
        dialect = AnthropicDialect() if section.dialect == "anthropic" else OpenAiDialect(section.token_limit)
        key = partial(self._keys, section.key) if section.key else None
        return HttpProvider(name, section.base_url, dialect, key=key, attempts=section.attempts)
