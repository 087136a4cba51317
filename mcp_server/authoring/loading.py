"""Loads one plugin for tests, with an operator's word on it, into a host whose data lie in a temporary folder."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from anyio.from_thread import start_blocking_portal
from pydantic import ValidationError

from mcp_server import __version__
from mcp_server.authoring.failures import PluginRefused
from mcp_server.authoring.subject import AsyncPlugin, Plugin
from mcp_server.errors import AgentMemError, SettingsError
from mcp_server.host import PluginHost
from mcp_server.manifest.load import load_manifest, lone_module_manifest
from mcp_server.problems import problems_of
from mcp_server.registry.discovery import MANIFEST_NAME, PluginFolders
from mcp_server.registry.governed import Launch
from mcp_server.settings import Settings

__all__ = ["Table", "modules_beside", "open_plugin", "open_plugin_async"]

Table = Mapping[str, Any] | str
"""A table of the configuration, as a dictionary or as TOML."""


@asynccontextmanager
async def open_plugin_async(
    path: str | Path,
    *,
    grants: Table | None = None,
    config: Table | None = None,
    limits: Table | None = None,
    settings: Table | None = None,
    modules: str | Path | None = None,
    cache: Path | None = None,
) -> AsyncGenerator[AsyncPlugin]:
    """Load the plugin at ``path`` as a server would, for as long as the context lasts.

    Args:
        path: A bundle folder, a ``plugin.toml`` or a ``.wasm``.
        grants: What ``[grants.<id>]`` would hold; an operator's defaults when omitted.
        config: What ``[config.<id>]`` would hold.
        limits: What ``[plugins.<id>.limits]`` would hold.
        settings: The rest of the configuration, such as ``{"llm": {…}}``; the machine's own is never read.
        modules: Holds ``<id>/<id>.wasm``; the folder ``plugins`` beside the manifest's parent when omitted.
        cache: For compiled code; the user's cache folder when omitted.

    Raises:
        PluginRefused: It cannot be loaded, or the configuration is not in order.
    """
    place = Path(path)
    beside = Path(modules) if modules is not None else modules_beside(place)
    folders = PluginFolders(single=(place,), modules=(beside,) if beside is not None else ())
    with TemporaryDirectory(prefix="agentmem-test-") as data:
        try:
            plugin = _id_of(place, folders)
            word = _settings(plugin, grants or {}, config or {}, limits or {}, settings or {})
        except AgentMemError as error:
            raise PluginRefused.of(error) from error
        async with PluginHost(word, folders, cache=cache, data=Path(data), launch=Launch(alone=True)) as host:
            yield await _loaded(host, plugin)


@contextmanager
def open_plugin(path: str | Path, **options: Any) -> Generator[Plugin]:
    """As :func:`open_plugin_async`, for plain functions; takes the same options.

    Raises:
        PluginRefused: It cannot be loaded, or the configuration is not in order.
    """
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(open_plugin_async(path, **options)) as plugin,
    ):
        yield Plugin(portal, plugin)


async def _loaded(host: PluginHost, plugin: str) -> AsyncPlugin:
    """The plugin, once its worker has loaded its module.

    Raises:
        PluginRefused: It is held back, or the module cannot be loaded.
    """
    record = host.registry.get(plugin)
    if record.error is not None:
        raise PluginRefused.of(record.error) from record.error
    if record.version is None or record.runner is None:
        raise PluginRefused("plugin_unavailable", f"plugin '{plugin}' is {record.state}")
    try:
        await host.warm(plugin)
    except AgentMemError as error:
        raise PluginRefused.of(error) from error
    return AsyncPlugin(host, record.version, record.runner)


def modules_beside(path: Path) -> Path | None:
    """``plugins`` beside ``manifests``, where a project keeps manifests and modules apart."""
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    beside = folder.parent.parent / "plugins"
    return beside if beside.is_dir() else None


def _id_of(path: Path, folders: PluginFolders) -> str:
    manifest = path / MANIFEST_NAME if path.is_dir() else path
    if not manifest.is_file():
        raise SettingsError(f"there is no plugin at {path}", fix="name a bundle folder, a plugin.toml or a .wasm")
    if manifest.suffix == ".wasm":
        return lone_module_manifest(manifest).manifest.plugin.id
    return load_manifest(manifest, roots=folders.roots, host_version=__version__).manifest.plugin.id


def _settings(plugin: str, grants: Table, config: Table, limits: Table, more: Table) -> Settings:
    """The configuration of an operator who says this and nothing else."""
    whole = {"approval": {"mode": "off"}, **_table(more)}
    own: dict[str, Any] = {"grants": _table(grants), "config": _table(config)}
    own["plugins"] = {"limits": _table(limits)}
    for section, table in own.items():
        if table:
            whole[section] = {**whole.get(section, {}), plugin: table}
    try:
        return Settings.model_validate(whole)
    except ValidationError as error:
        raise SettingsError("; ".join(problems_of(error, Settings))) from None


def _table(table: Table) -> dict[str, Any]:
    try:
        return tomllib.loads(table) if isinstance(table, str) else dict(table)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"not TOML: {error}") from None
