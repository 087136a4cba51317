"""The pytest plugin: the marker ``plugin``, the fixtures ``plugin`` and ``load_plugin``.

A plugin is loaded once per run for each set of options; every test is a new principal, so that it finds no memories,
values or log lines of another test.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from mcp_server.authoring.loading import open_plugin
from mcp_server.authoring.subject import Plugin

__all__ = ["LoadPlugin", "load_plugin_fixture", "plugin", "pytest_configure", "pytest_runtest_setup"]

LoadPlugin = Callable[..., Plugin]
MARKER = "plugin(path, **options): the plugin that the fixture 'plugin' loads, and the options of load_plugin"
_loaded_key = pytest.StashKey[dict[str, Plugin]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)
    config.stash[_loaded_key] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin each test as a new principal."""
    for loaded in item.config.stash[_loaded_key].values():
        loaded.renew()


@pytest.fixture(scope="session", name="load_plugin")
def load_plugin_fixture(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[LoadPlugin]:
    """``load_plugin(path, **options)``: see :func:`open_plugin`. Relative paths are taken from pytest's root folder."""
    loaded = request.config.stash[_loaded_key]
    cache = _cache_folder(request.config, tmp_path_factory)
    with ExitStack() as stack:
        stack.callback(loaded.clear)

        def load(path: str | Path, **options: Any) -> Plugin:
            place = request.config.rootpath / path
            key = repr((place, sorted(options.items())))
            if key not in loaded:
                loaded[key] = stack.enter_context(open_plugin(place, **{"cache": cache, **options}))
            return loaded[key]

        yield load


@pytest.fixture(scope="module")
def plugin(request: pytest.FixtureRequest, load_plugin: LoadPlugin) -> Plugin:
    """The plugin that the module's mark names: ``pytestmark = pytest.mark.plugin("path", **options)``."""
    marker = request.node.get_closest_marker("plugin")
    if marker is None:
        pytest.fail("say which plugin: pytestmark = pytest.mark.plugin('path of the plugin') in the test module")
    return load_plugin(*marker.args, **marker.kwargs)


def _cache_folder(config: pytest.Config, folders: pytest.TempPathFactory) -> Path:
    """Where compiled code is kept from run to run; for this run alone where pytest keeps no cache."""
    cache = getattr(config, "cache", None)
    return cache.mkdir("agentmem-mcp") if isinstance(cache, pytest.Cache) else folders.mktemp("agentmem-mcp")
