"""Tests of plugins: loads one into the real runtime and calls it. Beside the server, which knows nothing of this.

In the root ``conftest.py`` of a plugin's project::

    pytest_plugins = ["mcp_server.testing"]

and in a test module::

    import pytest

    pytestmark = pytest.mark.plugin("manifests/hello")

    def test_it_greets(plugin):
        assert plugin.call("hello", message="World") == {"greeting": "Hello, World!"}

``docs/testing-plugins.md`` has it all. Needs pytest: ``pip install agentmem-mcp[testing]``.
"""

from mcp_server.authoring.failures import PluginRefused, ToolFailed
from mcp_server.authoring.loading import open_plugin, open_plugin_async
from mcp_server.authoring.seen import HostCall, ToolFacts
from mcp_server.authoring.subject import AsyncPlugin, Plugin
from mcp_server.testing.fixtures import load_plugin_fixture, plugin, pytest_configure, pytest_runtest_setup
from mcp_server.testing.readme import Example, readme_examples, readme_options
from mcp_server.testing.servers import LocalModel, LocalSite, Reply, WebRequest, local_model, local_site

__all__ = [
    "AsyncPlugin",
    "Example",
    "HostCall",
    "LocalModel",
    "LocalSite",
    "Plugin",
    "PluginRefused",
    "Reply",
    "ToolFacts",
    "ToolFailed",
    "WebRequest",
    "load_plugin_fixture",
    "local_model",
    "local_site",
    "open_plugin",
    "open_plugin_async",
    "plugin",
    "pytest_configure",
    "pytest_runtest_setup",
    "readme_examples",
    "readme_options",
]
