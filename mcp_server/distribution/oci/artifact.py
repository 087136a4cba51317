"""A package as an artifact: the module is the first layer and the only ``application/wasm``; each file is a layer.

Tools that know WebAssembly artifacts find the module and need nothing else. The other layers have the names of their
files as titles, so that ``oras pull`` gives the folder of the package. The same package is the same artifact.
https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.distribution.errors import IndexInvalid
from mcp_server.distribution.package import Package
from mcp_server.problems import problems_of
from mcp_server.registry.bundle import MOST_BYTES
from mcp_server.registry.bundle_names import check_names
from mcp_server.registry.discovery import MANIFEST_NAME

__all__ = ["CONFIG_TYPE", "MANIFEST_TYPE", "WASM_TYPE", "Artifact", "Blob", "Layer", "artifact_of", "layers_in"]

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.wasm.config.v0+json"
WASM_TYPE = "application/wasm"
_TITLE = "org.opencontainers.image.title"
_TYPES = {".toml": "application/toml", ".json": "application/json", ".md": "text/markdown", ".wasm": WASM_TYPE}
_EPOCH = "1970-01-01T00:00:00Z"
"""The layout wants a time; one that is always the same keeps the digest the same."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes to be kept by a registry."""

    data: bytes

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is pushed: the blobs first, the manifest last."""

    blobs: tuple[Blob, ...]
    manifest: Blob


class _Descriptor(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    media_type: str = Field(alias="mediaType", max_length=255)
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    size: int = Field(ge=0)
    annotations: dict[str, str] = Field(default_factory=dict)


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    schema_version: int = Field(alias="schemaVersion")
    config: _Descriptor
    layers: list[_Descriptor] = Field(min_length=1, max_length=64)


@dataclass(frozen=True, slots=True)
class Layer:
    """One file of a package: its name, its sha256 in hexadecimal, its bytes."""

    name: str
    sha256: str
    size: int


def artifact_of(package: Package) -> Artifact:
    """The artifact of ``package``."""
    about = package.manifest.plugin
    names = sorted(package.files, key=lambda name: (not name.endswith(".wasm"), name))
    layers = [Blob(package.files[name]) for name in names]
    config = Blob(
        _json(
            {
                "created": _EPOCH,
                "author": about.author or None,
                "architecture": "wasm",
                "os": "wasip1",  # what the layout says of a core module, whether or not it uses WASI
                "layerDigests": [layer.digest for layer in layers],
            }
        )
    )
    described = [
        {**_described(layer, _type_of(name)), "annotations": {_TITLE: name}}
        for name, layer in zip(names, layers, strict=True)
    ]
    annotations = {_TITLE: about.id, "org.opencontainers.image.version": about.version}
    if about.description:
        annotations["org.opencontainers.image.description"] = about.description
    if about.author:
        annotations["org.opencontainers.image.authors"] = about.author
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _described(config, CONFIG_TYPE),
        "layers": described,
        "annotations": annotations,
    }
    return Artifact((*layers, config), Blob(_json(manifest)))


def layers_in(manifest: bytes, where: str) -> list[Layer]:
    """The files that the manifest of an artifact names.

    Raises:
        IndexInvalid: It is no artifact of a package.
        BundleInvalid: Its files have not the names of a bundle's.
    """
    try:
        read = _Manifest.model_validate_json(manifest)
    except ValidationError as error:
        raise IndexInvalid(
            f"{where} is no manifest of an artifact: {'; '.join(problems_of(error, _Manifest)[:3])}"
        ) from None
    modules = [layer for layer in read.layers if layer.media_type == WASM_TYPE]
    if read.config.media_type != CONFIG_TYPE or len(modules) != 1:
        raise IndexInvalid(
            f"{where} is no WebAssembly artifact with one module, but {read.config.media_type}",
            fix="look at the name; a component or a container image is no plugin",
        )
    names = [layer.annotations.get(_TITLE, "") for layer in read.layers]
    if MANIFEST_NAME not in names:
        raise IndexInvalid(
            f"{where} holds a module and no {MANIFEST_NAME}",
            fix="it was not published by agentmem-mcp; pull the module, and write a manifest for it",
        )
    check_names(names)
    if sum(layer.size for layer in read.layers) > MOST_BYTES:
        raise IndexInvalid(f"{where} is larger than {MOST_BYTES} bytes")
    return [
        Layer(name, layer.digest.removeprefix("sha256:"), layer.size)
        for name, layer in zip(names, read.layers, strict=True)
    ]


def _described(blob: Blob, kind: str) -> dict[str, Any]:
    return {"mediaType": kind, "digest": blob.digest, "size": len(blob.data)}


def _type_of(name: str) -> str:
    if name.endswith(".cdx.json"):
        return "application/vnd.cyclonedx+json"
    return next((kind for ending, kind in _TYPES.items() if name.endswith(ending)), "text/plain")


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
