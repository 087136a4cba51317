"""What is in a package, as a CycloneDX 1.6 document: the plugin, its files, and the crates its module was built from.

Written out here and not by a library: it is one small object, and a library would add five packages to everybody who
runs a server. Crates are known where a ``Cargo.lock`` lies beside the manifest; of other languages the files are told
and nothing is guessed. An author's own ``sbom.cdx.json`` beside the manifest takes the place of this one.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
import uuid
from collections.abc import Mapping
from typing import Any

from mcp_server.manifest import Manifest

__all__ = ["SBOM_NAME", "sbom_of"]

SBOM_NAME = "sbom.cdx.json"
_NAMESPACE = uuid.UUID("6d1c5f1e-6c5b-5f0a-9d56-3d2a1f6f0c11")
"""Serial numbers are made from what is described: the same package has the same one."""


def sbom_of(manifest: Manifest, files: Mapping[str, bytes], cargo_lock: bytes | None = None) -> bytes:
    """The document about a package with ``files``.

    Args:
        manifest: Of the plugin.
        files: By name, without this document.
        cargo_lock: The crates of the module, where they are known.
    """
    about = manifest.plugin
    whole = "".join(f"{name}:{hashlib.sha256(data).hexdigest()}\n" for name, data in sorted(files.items()))
    component: dict[str, Any] = {
        "type": "application",
        "bom-ref": f"plugin:{about.id}@{about.version}",
        "name": about.id,
        "version": about.version,
        "description": about.description,
    }
    if about.author:
        component["authors"] = [{"name": about.author}]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, whole)}",
        "version": 1,
        "metadata": {"component": component},
        "components": [*(_file(name, files[name]) for name in sorted(files)), *_crates(cargo_lock)],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _file(name: str, data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}


def _crates(lock: bytes | None) -> list[dict[str, Any]]:
    try:
        packages: list[dict[str, Any]] = tomllib.loads((lock or b"").decode("utf-8")).get("package", [])
        crates = sorted((str(one["name"]), str(one["version"]), one.get("checksum")) for one in packages)
    except (ValueError, TypeError, KeyError, AttributeError):  # not a lock of Cargo's; then nothing is claimed
        return []
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:cargo/{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:cargo/{name}@{version}",
            **({"hashes": [{"alg": "SHA-256", "content": checksum}]} if checksum else {}),
        }
        for name, version, checksum in crates
    ]
