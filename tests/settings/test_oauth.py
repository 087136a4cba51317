"""``[http.oauth]``: what is refused before a server starts."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mcp_server.backends.oauth.discovery import metadata_urls
from mcp_server.settings.oauth import OAuthSettings
from tests.requirements import requirement

GOOD = {"issuer": "https://login.example.com", "jwks_url": "https://login.example.com/keys"}
RESOURCE = "https://mcp.example.com/mcp"


def oauth(resource: str | None = RESOURCE, **issuer: Any) -> OAuthSettings:
    return OAuthSettings.model_validate({"resource": resource, "issuers": {"a": {**GOOD, **issuer}}})


@requirement("http:oauth")
@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost", "[::1]:80"])
def test_keys_come_over_https_or_from_this_machine(host: str) -> None:
    assert oauth(jwks_url=f"http://{host}/keys").issuers["a"].jwks_url == f"http://{host}/keys"


@requirement("http:oauth-discovery")
def test_where_the_keys_are_need_not_be_said() -> None:
    assert oauth(jwks_url=None).issuers["a"].jwks_url is None


@requirement("http:oauth-discovery")
@pytest.mark.parametrize(
    ("issuer", "urls"),
    [
        (
            "https://login.example.com",
            [
                "https://login.example.com/.well-known/oauth-authorization-server",
                "https://login.example.com/.well-known/openid-configuration",
            ],
        ),
        (
            "https://login.example.com/tenant/",
            [
                "https://login.example.com/.well-known/oauth-authorization-server/tenant",
                "https://login.example.com/.well-known/openid-configuration/tenant",
                "https://login.example.com/tenant/.well-known/openid-configuration",
            ],
        ),
    ],
)
def test_an_issuer_is_asked_in_the_order_that_mcp_gives_clients(issuer: str, urls: list[str]) -> None:
    assert metadata_urls(issuer) == urls


@requirement("http:oauth")
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"jwks_url": "http://login.example.com/keys"}, "must be https"),
        ({"jwks_url": "http://127.0.0.1.example.com/keys"}, "must be https"),
        ({"jwks_url": "file:///etc/keys"}, "must be a URL"),
        ({"issuer": "http://login.example.com"}, "must be https"),
        ({"issuer": "https://login.example.com|ann"}, "must be a URL"),
        ({"issuer": "https://me:secret@login.example.com"}, "must be a URL"),
        ({"issuer": "https://login.example.com/?a=1"}, "no query"),
        ({"resource": "http://mcp.example.com"}, "must be https"),
        ({"resource": "https://mcp.example.com/#x"}, "no fragment"),
        ({"resource": None}, "resource is required"),
        ({"algorithms": ["none"]}, "Input should be"),
        ({"algorithms": ["HS256"]}, "Input should be"),
        ({"algorithms": []}, "at least 1"),
        ({"types": []}, "at least 1"),
        ({"scopes": {"all": ["tools:*"]}}, "is no scope"),
    ],
)
def test_what_would_let_in_too_many_is_no_setting(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        oauth(**said)


@requirement("http:oauth")
def test_one_issuer_has_one_table() -> None:
    with pytest.raises(ValidationError, match="the same URL"):
        OAuthSettings.model_validate({"resource": RESOURCE, "issuers": {"a": GOOD, "b": GOOD}})
