"""The plugin ``fetcher``, loaded as a server loads it."""

from __future__ import annotations

import pytest

from mcp_server.testing import Plugin, ToolFailed, local_site, open_plugin
from mcp_server.testing.fixtures import LoadPlugin
from mcp_server.testing.servers import Reply

pytestmark = pytest.mark.plugin("manifests/fetcher")
EVERY_SITE = {"capabilities": ["NetworkAccess"], "network": {"allow": ["https://*/*"]}}


def test_it_reads_nothing_without_a_grant(plugin: Plugin) -> None:
    with pytest.raises(ToolFailed, match="NetworkAccess, which is not granted to 'fetcher'"):
        plugin.call("fetch", url="https://example.com/")
    assert [(call.function, call.outcome) for call in plugin.host_calls] == [("http_request", "capability_denied")]


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        ("https://127.0.0.1/", "network_denied"),
        ("http://example.com/", "network_denied"),
        ("ftp://example.com/", "invalid_url"),
        ("nothing", "invalid_url"),
    ],
)
def test_it_reads_nothing_beyond_its_grant(load_plugin: LoadPlugin, url: str, outcome: str) -> None:
    plugin = load_plugin("manifests/fetcher", grants=EVERY_SITE)
    with pytest.raises(ToolFailed) as caught:
        plugin.call("fetch", url=url)
    assert caught.value.code == "plugin_error"
    assert [(call.request["url"], call.outcome) for call in plugin.host_calls] == [(url, outcome)]


def test_a_grant_is_no_more_than_the_manifest_asks_for() -> None:
    with (
        local_site(lambda request: Reply("hello")) as site,
        open_plugin("manifests/fetcher", grants=site.grant) as plugin,
        pytest.raises(ToolFailed, match="manifest allows no such scheme"),
    ):
        plugin.call("fetch", url=f"{site.url}/page")
    assert site.requests == []
