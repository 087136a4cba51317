"""``plugin.toml``: what a plugin's author says and asks for. A manifest grants nothing."""

from mcp_server.manifest.load import load_manifest, lone_module_manifest
from mcp_server.manifest.model import Manifest, ToolEntry
from mcp_server.manifest.schema import JsonSchema

__all__ = ["JsonSchema", "Manifest", "ToolEntry", "load_manifest", "lone_module_manifest"]
