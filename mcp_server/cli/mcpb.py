"""``mcpb`` and ``server-json``: this server as a bundle for Claude Desktop, and as an entry of the MCP registry."""

from __future__ import annotations

import hashlib
import logging
import re
from importlib.metadata import distribution, metadata, requires
from pathlib import Path

import anyio

import mcp_server
from mcp_server.cli.output import print_json, say
from mcp_server.cli.serve import find_folders, launched, settings_of
from mcp_server.clients.bundle import Listing, Product, archive, bundle_files, registry_entry
from mcp_server.errors import PluginNotFound, SettingsError
from mcp_server.host import PluginHost
from mcp_server.manifest.load import LoadedManifest
from mcp_server.registry.record import PluginRecord
from mcp_server.registry.stamps import files_of
from mcp_server.whole_file import replace_file

__all__ = ["make_bundle", "print_registry_entry"]

PACKAGE = "agentmem-mcp"
NAME = re.compile(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+")
_LEFT_OUT = frozenset({"examples", "__pycache__", "testing"})
Paths = list[Path] | None
Parts = tuple[dict[str, bytes], dict[str, str]]


def make_bundle(
    output: Path, only: list[str], manifests: Paths, plugins: Paths, config: Path | None, *, json: bool
) -> None:
    """Write the bundle with the plugins that serve, or with those of them that are named.

    Raises:
        PluginNotFound: A named one is not there.
        AgentMemError: A named one does not load.
        SettingsError: A file cannot be read or written, or a plugin cannot be packed.
    """
    chosen, tools = _chosen(only, manifests, plugins, config)
    data = archive(bundle_files(_product(), _code(), chosen, tools))
    output = output.absolute()
    try:
        replace_file(output, data, mode=0o644, durable=True)
    except OSError as error:
        raise SettingsError(f"{output} cannot be written: {error.strerror}", fix="name another file") from None
    digest = hashlib.sha256(data).hexdigest()
    if json:
        print_json({"file": str(output), "bytes": len(data), "sha256": digest, "tools": sorted(tools)})
        return
    say(f"{output}: {len(tools)} tools, {len(data) / 1e6:.1f} MB, sha256 {digest}")
    say("open it with Claude Desktop; it says what it installs and asks first")


def print_registry_entry(name: str, repository: str, bundle: Path | None, address: str, remote: str) -> None:
    """Print the ``server.json``.

    Raises:
        SettingsError: The name is none, or a bundle has no address or cannot be read.
    """
    if not NAME.fullmatch(name):
        raise SettingsError(f"--name {name}: is not NAMESPACE/NAME", fix="--name io.github.YOU/agentmem")
    if (bundle is None) != (not address):
        raise SettingsError("--mcpb and --mcpb-url go together", fix="--mcpb FILE --mcpb-url https://…/FILE")
    known: tuple[str, str] | None = None
    if bundle is not None:
        try:
            known = address, hashlib.sha256(bundle.read_bytes()).hexdigest()
        except OSError as error:
            raise SettingsError(f"{bundle} cannot be read: {error.strerror}", fix="agentmem-mcp mcpb") from None
    print_json(registry_entry(_product(), Listing(name, repository, known, remote)))


def _product() -> Product:
    facts = metadata(PACKAGE)
    needed = [text for text in requires(PACKAGE) or () if "extra ==" not in text]
    licence = facts["License-Expression"]
    return Product(mcp_server.__version__, facts["Summary"], licence, facts["Requires-Python"], needed)


def _code() -> dict[str, bytes]:
    """The files of this package, but for the examples that come with it."""
    root = Path(mcp_server.__file__).resolve().parent
    paths = [path for path in root.rglob("*") if path.is_file() and not _LEFT_OUT & set(path.relative_to(root).parts)]
    licence = distribution(PACKAGE).read_text("licenses/LICENSE")
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
    return {**found, **({"LICENSE": licence.encode()} if licence else {})}


def _chosen(only: list[str], manifests: Paths, plugins: Paths, config: Path | None) -> Parts:
    """The files and the tools of the plugins that go into the bundle."""
    settings = settings_of(config)
    logging.disable(logging.WARNING)  # a plugin that is held back stays out; one that is named is told
    files: dict[str, bytes] = {}
    tools: dict[str, str] = {}

    async def run() -> None:
        launch = launched(manifests, plugins, config, looking=True)
        async with PluginHost(settings, find_folders(manifests, plugins), launch=launch) as host:
            records = [host.registry.get(plugin) for plugin in only] or host.list_plugins()
            for record in records:
                if only and record.error is not None:
                    raise record.error
                if record.version is not None and record.serving:
                    files.update(_plugin_files(record, record.version.source, record.version.module.sha256))
            ids = {record.id for record in records} | {"memory"}
            tools.update({name: tool.description for name, tool in host.catalog.tools.items() if tool.plugin in ids})

    anyio.run(run)
    if not files:
        raise PluginNotFound("no plugin loads that could go into the bundle", fix="agentmem-mcp plugin list")
    return files, tools


def _plugin_files(record: PluginRecord, source: LoadedManifest, digest: str) -> dict[str, bytes]:
    """The files of one plugin, side by side in a folder of its own."""
    found: dict[str, bytes] = {}
    folder = source.path.parent
    extra = source.manifest.config_schema
    for path in (*files_of(source), *([folder / extra] if isinstance(extra, str) else [])):
        inside = path.is_relative_to(folder) and ".." not in path.relative_to(folder).parts
        name = path.relative_to(folder).as_posix() if inside else path.name
        try:
            found[f"{record.id}/{name}"] = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}", fix=f"look at {path}") from None
    wasm = next(data for name, data in found.items() if name.endswith(f"/{source.wasm.name}"))
    named = source.manifest.plugin.wasm
    if hashlib.sha256(wasm).hexdigest() != digest or (named and not (folder / named).is_relative_to(folder)):
        raise SettingsError(
            f"plugin '{record.id}' cannot be packed: its module is not beside its manifest, or changed just now",
            fix=f"put the module beside {source.path}",
        )
    return found
