"""``check``: a plugin's manifest against its module, its rights and its clients, each finding with file and line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_server import __version__
from mcp_server.authoring.check_rights import check_rights
from mcp_server.authoring.check_tools import check_tools
from mcp_server.authoring.findings import Finding, Findings, key_path
from mcp_server.authoring.inspection import Inspection
from mcp_server.authoring.loading import modules_beside
from mcp_server.authoring.places import Places, toml_places
from mcp_server.errors import AgentMemError, ConfigInvalid, LimitExceeded, ManifestError, SettingsError
from mcp_server.manifest.load import LoadedManifest, load_manifest
from mcp_server.policy.limits import LIMITS
from mcp_server.policy.rights import CAPABILITIES
from mcp_server.registry.discovery import MANIFEST_NAME
from mcp_server.registry.version import OperatorWord, read_version
from mcp_server.wasm import read_module

__all__ = ["Report", "check_plugin", "manifest_at"]

_GRANTED = OperatorWord(granted=frozenset(CAPABILITIES))
"""What a plugin is judged under: an operator who grants all, so that only the author's part is left."""
_TOML_LINE = re.compile(r"at line (\d+)")
_LIMIT_KEYS = {spec.name: spec.key for spec in LIMITS}


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Attributes:
        plugin: The id; empty where the manifest has none.
        manifest: The file.
        findings: Sorted by file and line.
    """

    plugin: str
    manifest: Path
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        return sum(finding.level == "error" for finding in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "plugin": self.plugin,
            "manifest": str(self.manifest),
            "errors": self.errors,
            "warnings": self.warnings,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def manifest_at(place: Path) -> Path:
    """The ``plugin.toml`` of ``place``, a folder or the file itself.

    Raises:
        SettingsError: There is none.
    """
    path = place / MANIFEST_NAME if place.is_dir() else place
    if path.name != MANIFEST_NAME or not path.is_file():
        raise SettingsError(f"there is no {MANIFEST_NAME} at {place}", fix="agentmem-mcp new ID --lang c begins one")
    return path


def check_plugin(place: Path) -> Report:
    """Check the plugin at ``place``; nothing of it is run.

    Raises:
        SettingsError: There is no manifest.
    """
    path = manifest_at(place)
    findings = Findings(path, Places({}, ()))
    plugin = ""
    try:
        findings.places = toml_places(path.read_text(encoding="utf-8"))
        beside = modules_beside(path)
        source = load_manifest(path, roots=(beside,) if beside else (), host_version=__version__)
        plugin = source.manifest.plugin.id
        _check_loaded(source, findings)
    except ManifestError as error:
        _add_problems(error, findings)
    except UnicodeDecodeError as error:
        findings.error("manifest_invalid", f"is not UTF-8 (byte {error.start})", "save it as UTF-8")
    found = sorted(findings.found, key=lambda finding: (finding.file, finding.line))
    return Report(plugin, path, tuple(dict.fromkeys(found)))


def _check_loaded(source: LoadedManifest, findings: Findings) -> None:
    check_tools(source, findings)
    data = source.wasm.read_bytes()
    try:
        inspection = Inspection(source.wasm, read_module(data), ())
    except AgentMemError as error:
        findings.error(error.error_code, f"{source.wasm.name}: {error.message}", error.fix, ("plugin", "wasm"))
        return
    check_rights(source.manifest, inspection, findings)
    _check_weight(inspection, findings)
    _check_as_a_server(source, findings)


def _check_weight(inspection: Inspection, findings: Findings) -> None:
    symbols = {name: size for name, size in inspection.module.custom_sections if name.startswith(".debug_")}
    if symbols:
        text = f"{inspection.path.name} carries {sum(symbols.values()):,} bytes for a debugger"
        findings.warning("debug_information", text, "build it in release mode, stripped", ("plugin",))


def _check_as_a_server(source: LoadedManifest, findings: Findings) -> None:
    """Whatever the checks above do not know, a server that loads the plugin does."""
    told = {finding.code for finding in findings.found}
    try:
        read_version(source, _GRANTED)
    except ManifestError as error:
        _add_problems(error, findings, code="function_missing")
    except ConfigInvalid as error:
        text = f"{error.message}; it waits for an operator who sets that"
        findings.warning(error.error_code, text, "give defaults under [config]", ("config",))
    except LimitExceeded as error:
        key = ("limits", _LIMIT_KEYS.get(error.limit, error.limit))
        findings.error(error.error_code, error.message, "build a smaller module, or raise the limit", key)
    except AgentMemError as error:
        if not told & {"import_unknown", "import_undeclared", "wasi_undeclared"}:
            findings.error(error.error_code, error.message, error.fix, ("plugin",))


def _add_problems(error: ManifestError, findings: Findings, code: str = "manifest_invalid") -> None:
    for problem in error.problems:
        key, separator, _ = problem.partition(": ")
        path = key_path(key) if separator else ()
        line = _TOML_LINE.search(problem) if "is not TOML" in problem else None
        if line:
            numbered = findings.elsewhere(findings.file, Places({("syntax",): int(line[1])}, ()))
            numbered.error(code, problem, "correct the syntax there", ("syntax",))
        else:
            missing = problem.startswith("plugin.wasm: no module found")
            fix = "agentmem-mcp build" if missing else _FIXES.get(code, "see docs/manifest.md")
            findings.error(code, problem, fix, path)


_FIXES: Mapping[str, str] = {"function_missing": "export it, or correct the name"}
