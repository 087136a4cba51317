"""What a module says of itself, held against its manifest; it is asked in a worker, with every right denied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from mcp_server import __version__
from mcp_server.authoring.check import Report
from mcp_server.authoring.findings import Findings
from mcp_server.authoring.inspection import inspect_module
from mcp_server.authoring.loading import modules_beside
from mcp_server.authoring.places import toml_places
from mcp_server.authoring.telling import ask_module
from mcp_server.errors import AgentMemError
from mcp_server.manifest.load import LoadedManifest, load_manifest
from mcp_server.manifest.model import Manifest

__all__ = ["with_what_it_says"]

_CODE = "metadata_differs"


async def with_what_it_says(report: Report, *, cache: Path | None = None) -> Report:
    """``report`` with a finding for each thing that the module says otherwise than its manifest.

    Args:
        report: Of a check in which nothing ran; one with errors comes back as it is.
        cache: For compiled code; the user's cache folder when omitted.
    """
    source = _loadable(report)
    if source is None:
        return report
    inspection = await ask_module(inspect_module(source.wasm), cache=cache)
    findings = Findings(report.manifest, toml_places(report.manifest.read_text(encoding="utf-8")))
    if inspection.silence:
        text = f"the module's own answer about itself fails: {inspection.silence}"
        findings.warning("metadata_fails", text, "let it answer whatever it was granted", ("plugin",))
    if inspection.metadata is not None:
        _compare(source.manifest, inspection.metadata, findings)
    found = sorted((*report.findings, *findings.found), key=lambda finding: (finding.file, finding.line))
    return replace(report, findings=tuple(found))


def _loadable(report: Report) -> LoadedManifest | None:
    if report.errors:
        return None
    beside = modules_beside(report.manifest)
    try:
        return load_manifest(report.manifest, roots=(beside,) if beside else (), host_version=__version__)
    except AgentMemError:  # changed since
        return None


def _compare(manifest: Manifest, said: Mapping[str, Any], findings: Findings) -> None:
    plugin = manifest.plugin
    for key, there, known in (
        ("id", plugin.id, (plugin.id,)),
        ("name", plugin.name, (plugin.name, plugin.id)),
        ("version", plugin.version, (plugin.version,)),
        ("plugin_type", plugin.type, (plugin.type,)),
    ):
        if key in said and said[key] not in known:
            place = ("plugin", "type" if key == "plugin_type" else key)
            _differs(
                findings, place, f"{place[1]} is '{there}' here, and the module's metadata says {said[key]!r:.100}"
            )
    if "required_capabilities" in said:
        asked = (*manifest.capabilities.required, *manifest.capabilities.optional)
        _compare_names(findings, ("capabilities",), "asks for", asked, said["required_capabilities"], both=False)
    for key in ("functions", "tools"):
        if key in said and manifest.tools:
            served = [name for tool in manifest.tools for name in (tool.function or tool.operation, tool.word) if name]
            _compare_names(findings, ("tools",), "offers", served, said[key], both=True, words=len(manifest.tools))


def _compare_names(
    findings: Findings,
    place: tuple[str, ...],
    verb: str,
    here: Iterable[str],
    said: object,
    *,
    both: bool,
    words: int = 0,
) -> None:
    """What the module names and the manifest does not; with ``both``, also that it names fewer."""
    names = _names(said)
    more = [name for name in names if name not in set(here)]
    if more:
        _differs(findings, place, f"the module's metadata {verb} {', '.join(more)!r:.200}, which does not stand here")
    if both and not more and len(set(names)) < words:
        _differs(
            findings, place, f"{words} tools stand here, and the module's metadata {verb} {', '.join(names)!r:.200}"
        )


def _names(said: object) -> list[str]:
    """Of a list of names, or of objects that have one."""
    items = cast("list[object]", said) if isinstance(said, list) else []
    found = [cast("dict[str, object]", item).get("name") if isinstance(item, dict) else item for item in items]
    return [name for name in found if isinstance(name, str)]


def _differs(findings: Findings, place: tuple[str, ...], text: str) -> None:
    findings.warning(_CODE, text, "correct the one that is wrong: people and other hosts read both", place)
