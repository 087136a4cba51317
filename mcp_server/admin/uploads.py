"""``POST /plugins``: a bundle that is sent, or named by its path, becomes a plugin, or nothing of it does."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.json_schema import SkipJsonSchema
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from mcp_server.admin.access import Admin
from mcp_server.admin.bodies import StrictRoute
from mcp_server.admin.desk import AtDesk, Desk
from mcp_server.admin.plugins import details_of
from mcp_server.admin.shapes import PluginDetails, Shape
from mcp_server.distribution.adding import Allowed, sent_origin
from mcp_server.distribution.signing import BUNDLE_NAME, SIGNATURE_NAME, SUMS_NAME, Trust
from mcp_server.errors import InvalidArguments
from mcp_server.problems import problems_of
from mcp_server.registry.bundle import MOST_BYTES, write_part
from mcp_server.registry.bundle_names import check_names
from mcp_server.registry.discovery import MANIFEST_NAME
from mcp_server.registry.errors import BundleInvalid

__all__ = ["UPLOAD_TYPES", "router"]

router = APIRouter(tags=["plugins"], route_class=StrictRoute)

ZIP, FORM, JSON = "application/zip", "multipart/form-data", "application/json"
UPLOAD_TYPES = (ZIP, FORM, JSON)
_MODULE, _MANIFEST = "module", "manifest"
_BESIDE = {"sums": SUMS_NAME, "signature": SIGNATURE_NAME, "sigstore": BUNDLE_NAME}
"""Files that a form may have beside them -> what they are called in a bundle."""


class ByPath(Shape):
    """A bundle on the server's machine."""

    path: str = Field(max_length=4_096, description="A folder or a zip, below one of `[http] plugin_roots`.")


class _Parts(Shape):
    module: str = Field(description="The `.wasm`.", json_schema_extra={"format": "binary"})
    manifest: str = Field(description="The `plugin.toml`.", json_schema_extra={"format": "binary"})
    sums: str | SkipJsonSchema[None] = Field(
        default=None,
        description=f"`{SUMS_NAME}`: the digests of the two, under the names that they have in a bundle.",
        json_schema_extra={"format": "binary"},
    )
    signature: str | SkipJsonSchema[None] = Field(
        default=None, description=f"`{SIGNATURE_NAME}`: signs that list.", json_schema_extra={"format": "binary"}
    )
    sigstore: str | SkipJsonSchema[None] = Field(
        default=None, description=f"`{BUNDLE_NAME}`: signs that list, too.", json_schema_extra={"format": "binary"}
    )


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            ZIP: {
                "schema": {"type": "string", "format": "binary", "description": "A zip with a plugin.toml at its root."}
            },
            FORM: {"schema": _Parts.model_json_schema()},
            JSON: {"schema": ByPath.model_json_schema()},
        },
    }
}


@router.post("/plugins", status_code=201, openapi_extra=_BODY)
async def register_plugin(
    request: Request,
    desk: AtDesk,
    admin: Admin,
    approve: Annotated[
        bool | None, Query(description="Approve it at once; for the machine's own user that goes without saying.")
    ] = None,
    allow_downgrade: Annotated[bool, Query(description="Also a version older than one before.")] = False,
    allow_other_signer: Annotated[
        bool, Query(description="Also when who signed the installed version did not sign this one.")
    ] = False,
) -> PluginDetails:
    """Register a plugin, or a new version of one; it waits for an approval unless that is given with it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    installed = desk.registration.installed
    with installed.staging() as staged:
        match kind:
            case "application/zip":
                await _take_zip(request, desk, staged)
            case "multipart/form-data":
                await _take_parts(request, staged)
            case _:
                path = await _path_in(request)
                await anyio.to_thread.run_sync(desk.registration.from_path, path, staged)
        foreign = frozenset(plugin for plugin in desk.host.registry.records if not installed.has(plugin))
        origin = partial(sent_origin, installed, _allowed(desk, allow_downgrade, allow_other_signer))
        plugin = await anyio.to_thread.run_sync(desk.registration.install, staged, foreign, origin)
    desk.record(admin.principal, plugin, "register")
    desk.take_up()
    if approve or (approve is None and admin.scopes is None):
        _approve(desk, plugin, admin.principal)
    return details_of(desk, plugin)


def _allowed(desk: Desk, downgrade: bool, other_signer: bool) -> Allowed:
    sharing = desk.host.settings.sharing
    return Allowed(Trust.of(sharing), sharing.require_signature, downgrade, other_signer)


def _approve(desk: Desk, plugin: str, by: str) -> None:
    verdict = desk.host.registry.get(plugin).approval
    if verdict is not None and not verdict.may_run:  # else it was approved before, or rights are missing first
        desk.approve(plugin, by)


async def _take_zip(request: Request, desk: Desk, staged: Path) -> None:
    """Stream the body to disk, beside the folder of its files, and unpack it."""
    archive = staged.with_name(f"{staged.name}.zip")
    try:
        async with await anyio.open_file(archive, "xb") as file:
            async for chunk in request.stream():
                await file.write(chunk)
        await anyio.to_thread.run_sync(desk.registration.from_archive, archive, staged)
    finally:
        archive.unlink(missing_ok=True)


async def _take_parts(request: Request, staged: Path) -> None:
    """A module, its manifest and what signs them; the parser keeps what is larger than a MiB on disk."""
    try:
        async with request.form(max_files=2 + len(_BESIDE), max_fields=0) as form:
            sent = form.multi_items()
            parts = {name: part for name, part in sent if isinstance(part, UploadFile)}
            if parts.keys() - _BESIDE.keys() != {_MODULE, _MANIFEST} or len(sent) != len(parts):
                raise BundleInvalid(
                    f"the form has the files {', '.join(name for name, _ in sent)[:500] or 'none'}; send one "
                    "'manifest' and one 'module', and where they are signed one 'sums' and one 'signature' or "
                    "'sigstore'"
                )
            names = {_MANIFEST: MANIFEST_NAME, _MODULE: _module_name(parts[_MODULE]), **_BESIDE}
            names = {part: names[part] for part in parts}
            check_names(names.values())  # before the disk is asked whether it could have such a name
            for name, part in parts.items():
                await anyio.to_thread.run_sync(write_part, staged / names[name], part.file, MOST_BYTES)
    except MultiPartException as error:
        raise BundleInvalid(f"the form cannot be read: {error.message}") from None


def _module_name(part: UploadFile) -> str:
    """The name that the manifest may know the module by, as long as it is one of a file."""
    name = part.filename or ""
    if not name.endswith(".wasm") or "/" in name or "\0" in name:
        raise BundleInvalid(f"the module is called {name[:100]!r}; give the file the name that the manifest has")
    return name


async def _path_in(request: Request) -> str:
    try:
        return TypeAdapter(ByPath).validate_python(await request.json()).path
    except ValidationError as error:
        raise InvalidArguments("; ".join(problems_of(error, ByPath))) from None
