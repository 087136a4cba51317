"""Secrets by name: put into headers after the rules said yes, and taken out of everything that comes back.

A plugin writes ``Bearer {{secret:NAME}}`` and never sees the value. The operator binds each name to the URLs it may
be sent to. What a server echoes is scrubbed in the usual spellings; a server that disguises a secret on purpose can
hand it over, which is why a secret is bound to hosts that are trusted with it.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote, quote_plus

from mcp_server.capabilities.base import HostRefusal
from mcp_server.capabilities.network.asked import SECRET_MARK, Asked
from mcp_server.policy.advice import secret_fix, secret_value_fix
from mcp_server.policy.network import NetworkRules

__all__ = ["NoSecrets", "Scrubber", "SecretSource", "usable", "usable_secrets", "with_secrets"]

MIN_SECRET = 8
_TEMPLATE = re.compile(r"\{\{secret:([A-Za-z0-9_.-]{1,64})\}\}")
_SENDABLE = re.compile("[!-~]+(?: +[!-~]+)*")


class SecretSource(Protocol):
    """Where the values are: the operator's configuration, environment or keyring."""

    def __call__(self, plugin: str, name: str) -> str | None:
        """The value of secret ``name`` for ``plugin``; None when there is none."""
        ...


class NoSecrets:
    """A source without secrets."""

    def __call__(self, plugin: str, name: str) -> str | None:
        return None


def with_secrets(
    plugin: str, asked: Asked, rules: NetworkRules, values: Mapping[str, str], *, first: bool
) -> list[tuple[str, str]]:
    """The headers of ``asked`` with every secret filled in.

    Args:
        plugin: Whose request it is.
        asked: A request that the rules allow.
        rules: They say where each secret may go.
        values: Every usable secret of the plugin.
        first: False after a redirect; then a header whose secret may not go there is left out, not refused.

    Raises:
        HostRefusal: ``secret_denied`` or ``secret_unavailable``.
    """
    headers: list[tuple[str, str]] = []
    for name, template in asked.headers:
        if SECRET_MARK not in template:
            headers.append((name, template))
            continue
        words = _names(name, template)
        if first:
            for word in words:
                _check(plugin, word, asked, rules, values)
        elif not all(rules.secret_fits(word, asked.method, asked.target) and word in values for word in words):
            continue
        headers.append((name, _TEMPLATE.sub(lambda found: values[found[1]], template)))
    return headers


def _names(header: str, template: str) -> list[str]:
    words = _TEMPLATE.findall(template)
    if len(words) != template.count(SECRET_MARK):
        raise HostRefusal(
            "invalid_request", f"http_request: headers: '{header}' must name a secret as {{{{secret:NAME}}}}"
        )
    return words


def _check(plugin: str, word: str, asked: Asked, rules: NetworkRules, values: Mapping[str, str]) -> None:
    if not rules.secret_fits(word, asked.method, asked.target):
        origin = f"{asked.target.scheme}://{asked.target.authority}"
        raise HostRefusal(
            "secret_denied",
            f"the grant does not let the secret {word} go to {asked.method} {origin}",
            {"capability": "NetworkAccess", "bound": "secret", "secret": word, "origin": origin},
            fix=secret_fix(plugin, word, asked.method, origin),
        )
    if word not in values:
        raise HostRefusal(
            "secret_unavailable",
            f"the secret {word} has no usable value",
            {"secret": word},
            fix=secret_value_fix(f"AGENTMEM_SECRET_{word}"),
        )


def usable_secrets(source: SecretSource, plugin: str, rules: NetworkRules) -> dict[str, str]:
    """Every granted secret that has a value which fits a header and is long enough to be found again in an answer."""
    return usable({name: source(plugin, name) for name in rules.secrets})


def usable(values: Mapping[str, str | None]) -> dict[str, str]:
    """Those of ``values`` that fit a header and are long enough to be found again in an answer."""
    return {
        name: value
        for name, value in values.items()
        if value is not None and len(value) >= MIN_SECRET and _SENDABLE.fullmatch(value)
    }


class Scrubber:
    """Takes secrets out of what a plugin gets to see.

    Args:
        values: Every secret granted to the plugin, not only those of this request: a server may store one and echo
            it later.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        spellings = {spelling: name for name, value in values.items() for spelling in _spellings(value)}
        self._names = {spelling.casefold(): f"[secret {name}]" for spelling, name in spellings.items()}
        ordered = sorted(spellings, key=len, reverse=True)
        self._bytes = [(spelling.encode(), self._names[spelling.casefold()].encode()) for spelling in ordered]
        self._text = re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None

    def text(self, text: str) -> str:
        """``text`` without secrets, in whatever case: host names come back in lower case."""
        if self._text is None:
            return text
        return self._text.sub(lambda found: self._names.get(found[0].casefold(), "[secret]"), text)

    def body(self, body: bytes) -> bytes:
        for spelling, name in self._bytes:
            body = body.replace(spelling, name)
        return body

    def refusal(self, refusal: HostRefusal) -> HostRefusal:
        data: dict[str, Any] = {
            key: self.text(value) if isinstance(value, str) else value for key, value in refusal.data.items()
        }
        return HostRefusal(refusal.code, self.text(refusal.message), data, fix=self.text(refusal.fix))


def _spellings(value: str) -> set[str]:
    raw = value.encode()
    escaped = json.dumps(value)[1:-1]
    spellings = {value, quote(value, safe=""), quote_plus(value), quote(value), escaped, escaped.replace("/", "\\/")}
    spellings |= {html.escape(value), raw.hex(), raw.hex().upper()}
    for shift in range(3):
        # Base64 of a longer text that holds the secret: the characters that its neighbours have no part in.
        coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inside = coded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        spellings |= {inside, inside.replace("+", "-").replace("/", "_")}
    return spellings
