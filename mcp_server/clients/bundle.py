"""What Claude Desktop installs with a double click: an ``.mcpb`` file, and what the MCP registry knows a server by.

A bundle holds this package, some plugins, and a project file from which Claude Desktop's own ``uv`` fetches the rest.
Where the parts come from is not known here.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Listing", "Product", "archive", "bundle_files", "registry_entry"]

MANIFEST_VERSION = "0.4"
"""The first with the runtime ``uv``, without which a bundle would have to hold compiled packages for each system."""
REGISTRY_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
EPOCH = (1980, 1, 1, 0, 0, 0)
MAX_DESCRIPTION = 100
"""Of the registry."""
_ENTRY_POINT = "server/main.py"
_MAIN = '''\
"""Serves the plugins of this bundle over MCP, on stdin and stdout."""

import sys
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))

from mcp_server.__main__ import main  # noqa: E402

sys.argv[1:] = ["serve", "--plugins", str(here.parent / "plugins"), *sys.argv[1:]]
main()
'''


@dataclass(frozen=True, slots=True)
class Product:
    """What is bundled.

    Attributes:
        version: Of this package.
        description: In one sentence.
        licence: Its SPDX identifier.
        python: Which versions of Python it runs on.
        requirements: The packages that it needs.
    """

    version: str
    description: str
    licence: str
    python: str
    requirements: Sequence[str]


@dataclass(frozen=True, slots=True)
class Listing:
    """What an entry of the registry says beside what the package says of itself.

    Attributes:
        name: In reverse-DNS form, as ``io.github.somebody/agentmem``.
        repository: Its address; empty for none.
        bundle: Address and SHA-256 of an ``.mcpb`` file, or None.
        remote: Where it is served over HTTP; empty for nowhere.
    """

    name: str
    repository: str = ""
    bundle: tuple[str, str] | None = None
    remote: str = ""


def bundle_files(
    product: Product, code: Mapping[str, bytes], plugins: Mapping[str, bytes], tools: Mapping[str, str]
) -> dict[str, bytes]:
    """The files of a bundle by name.

    Args:
        product: What is bundled.
        code: The files of the package, below its folder.
        plugins: Those of the plugins, as ``serve --plugins`` wants them.
        tools: Their names and descriptions.
    """
    manifest = json.dumps(_manifest(product, tools), indent=2, ensure_ascii=False) + "\n"
    texts = {"manifest.json": manifest, "pyproject.toml": _project(product), _ENTRY_POINT: _MAIN}
    return {
        **{name: text.encode("utf-8") for name, text in texts.items()},
        **{f"server/mcp_server/{name}": data for name, data in code.items()},
        **{f"plugins/{name}": data for name, data in plugins.items()},
    }


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip with ``files``, the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, files[name])
    return out.getvalue()


def registry_entry(product: Product, listing: Listing) -> dict[str, Any]:
    """The ``server.json`` of the MCP registry."""
    variable = {"name": "AGENTMEM_LOG__LEVEL", "description": "How much is logged to stderr.", "default": "info"}
    packages: list[dict[str, Any]] = [
        {
            "registryType": "pypi",
            "registryBaseUrl": "https://pypi.org",
            "identifier": "agentmem-mcp",
            "version": product.version,
            "runtimeHint": "uvx",
            "transport": {"type": "stdio"},
            "packageArguments": [{"type": "positional", "value": "serve"}],
            "environmentVariables": [{**variable, "choices": ["debug", "info", "warning", "error"]}],
        }
    ]
    if listing.bundle is not None:
        address, digest = listing.bundle
        stdio = {"transport": {"type": "stdio"}}
        packages.append({"registryType": "mcpb", "identifier": address, "fileSha256": digest, **stdio})
    described: dict[str, Any] = {
        "$schema": REGISTRY_SCHEMA,
        "name": listing.name,
        "title": "AgentMem plugins",
        "description": "WebAssembly plugins as MCP tools, in a sandbox with enforced rights and limits",
        "version": product.version,
        "packages": packages,
    }
    if listing.repository:
        source = "gitlab" if "gitlab" in listing.repository else "github"
        described["repository"] = {"url": listing.repository, "source": source}
    if listing.remote:
        header = {"name": "Authorization", "description": "Bearer and a token", "isRequired": True, "isSecret": True}
        described["remotes"] = [{"type": "streamable-http", "url": listing.remote, "headers": [header]}]
    return described


def _manifest(product: Product, tools: Mapping[str, str]) -> dict[str, Any]:
    command = ["run", "--directory", "${__dirname}", "--no-dev", _ENTRY_POINT]
    return {
        "manifest_version": MANIFEST_VERSION,
        "name": "agentmem-mcp",
        "display_name": "AgentMem plugins",
        "version": product.version,
        "description": product.description,
        "author": {"name": "The authors of agentmem-mcp"},
        "license": product.licence,
        "keywords": ["webassembly", "plugins", "sandbox", "memory"],
        "server": {
            "type": "uv",
            "entry_point": _ENTRY_POINT,
            "mcp_config": {
                "command": "uv",
                "args": command,
                "env": {"AGENTMEM_LOG__LEVEL": "${user_config.log_level}"},
            },
        },
        "tools": [{"name": name, "description": description} for name, description in sorted(tools.items())],
        "tools_generated": True,
        "compatibility": {"platforms": ["darwin", "linux"], "runtimes": {"python": product.python}},
        "user_config": {
            "log_level": {
                "type": "string",
                "title": "Log level",
                "description": "debug, info, warning or error",
                "default": "info",
                "required": False,
            }
        },
    }


def _project(product: Product) -> str:
    """A project that ``uv run`` installs: the code is in the bundle, what it needs is fetched."""
    requirements = "".join(f"  {json.dumps(text)},\n" for text in product.requirements)
    return (
        '[build-system]\nrequires = ["hatchling>=1.27"]\nbuild-backend = "hatchling.build"\n\n'
        f'[project]\nname = "agentmem-mcp"\nversion = {json.dumps(product.version)}\n'
        f"requires-python = {json.dumps(product.python)}\ndependencies = [\n{requirements}]\n\n"
        '[tool.hatch.build.targets.wheel]\npackages = ["server/mcp_server"]\n'
    )
