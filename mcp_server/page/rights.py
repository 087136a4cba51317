"""What a plugin asks for beside what it is granted, a row each, and the buttons that grant or take away one of them.

A button changes the operator's configuration as ``plugin grant`` and ``plugin revoke`` do; what may be
granted at all is judged there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mcp_server.admin.rights import change_grants
from mcp_server.errors import InvalidArguments
from mcp_server.manifest.model import PLUGIN_ID
from mcp_server.page.room import Form, asking, form_in, go, room_of
from mcp_server.policy.rights import CAPABILITIES, DEFAULT_GRANTS, Rights
from mcp_server.policy.scopes import ADMIN
from mcp_server.problems import problems_of
from mcp_server.settings import FolderSection
from mcp_server.settings.document import Document
from mcp_server.settings.grants import Wanted, grant, revoke, withdraw

__all__ = ["ROUTES", "Row", "rows_of"]

Kind = Literal["capability", "host", "folder", "alias"]
Change = Callable[[Document], list[str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One right.

    Attributes:
        kind: What it is.
        name: The capability, the URL pattern, the folder's name.
        requested: What the manifest says of it; empty where it does not ask.
        granted: What the operator says of it; empty where nothing.
        in_force: Whether the plugin has it.
        does: What the button does; empty where there is none.
        mode: Of a folder.
    """

    kind: Kind
    name: str
    requested: str
    granted: str
    in_force: bool
    does: Literal["grant", "revoke", ""] = ""
    mode: str = ""


def rows_of(shown: Mapping[str, Any], rights: Rights | None) -> list[Row]:
    """The rights of a plugin, as :func:`~mcp_server.policy.shown.rights_as_json` has them; none without a manifest."""
    if rights is None:
        return []
    return [*_capabilities(rights), *_hosts(shown["network"]), *_folders(shown["filesystem"]), *_aliases(rights)]


def _capabilities(rights: Rights) -> list[Row]:
    asked = rights.required | rights.optional
    rows: list[Row] = []
    for name in CAPABILITIES:
        if name not in asked | rights.denied | (rights.granted - DEFAULT_GRANTS):
            continue
        requested = "required" if name in rights.required else "optional" if name in rights.optional else ""
        has = name in rights.granted
        standing = "by default" if name in DEFAULT_GRANTS else "granted"
        granted = "denied" if name in rights.denied else standing if has else ""
        rows.append(Row("capability", name, requested, granted, name in rights.effective, "revoke" if has else "grant"))
    return rows


def _hosts(network: Mapping[str, Any]) -> list[Row]:
    granted, effective = network["granted"], set(network["effective"])
    rows = [Row("host", text, "", "denied", in_force=False) for text in network["denied"]]
    for text in dict.fromkeys([*network["requested"], *granted]):
        requested = "requested" if text in network["requested"] else ""
        has = text in granted
        rows.append(
            Row("host", text, requested, "granted" if has else "", text in effective, "revoke" if has else "grant")
        )
    return rows


def _folders(filesystem: Mapping[str, Any]) -> list[Row]:
    roots = {root["name"]: root for root in filesystem["granted"]}
    effective = {path["path"].partition("/")[0] for path in filesystem["effective"]}
    modes: dict[str, str] = {}
    for path in filesystem["requested"]:
        name = path["path"].partition("/")[0]
        modes[name] = "write" if "write" in (path["mode"], modes.get(name)) else "read"
    rows: list[Row] = []
    for name in dict.fromkeys([*modes, *roots]):
        root, asked = roots.get(name), modes.get(name, "")
        told = f"{root['folder']} ({root['mode']})" if root else ""
        does = "revoke" if root else "grant"
        rows.append(Row("folder", name, asked, told, name in effective, does, asked or "read"))
    return rows


def _aliases(rights: Rights) -> list[Row]:
    in_force = "LLMAccess" in rights.effective
    return [Row("alias", name, "", "granted", in_force) for name in rights.llm.aliases]


async def _change(request: Request) -> Response:
    room, me = room_of(request), asking(request, ADMIN)
    plugin, form = request.path_params["plugin"], await form_in(request)
    if not re.fullmatch(PLUGIN_ID, plugin):
        raise InvalidArguments(f"'{plugin:.100}' is no plugin id", fix="at most 48 of a-z, 0-9 and '-'")
    room.desk.host.registry.get(plugin)
    change = _wish(plugin, form, room.desk.host.registry.rights(plugin))
    what = "revoke" if form.get("does") == "revoke" else "grant"
    done = change_grants(room.desk, me, plugin, change, what, f"{form.get('kind')} {form.get('name')}"[:256])
    return go(f"/page/plugins/{plugin}", what if done.changes else "unchanged")


def _wish(plugin: str, form: Form, rights: Rights | None) -> Change:
    """What one button changes in the configuration.

    Raises:
        InvalidArguments: There is no such right.
    """
    kind, name = form.get("kind", ""), form.get("name", "")
    if form.get("does") == "revoke":
        return _less(plugin, kind, name)
    return partial(grant, plugin=plugin, wanted=_more(kind, name, form, rights))


def _less(plugin: str, kind: str, name: str) -> Change:
    match kind:
        case "capability" if name in DEFAULT_GRANTS:
            return partial(grant, plugin=plugin, wanted=Wanted((name,), deny=True))
        case "capability" if name in CAPABILITIES:
            return partial(revoke, plugin=plugin, capabilities=[name])
        case "host":
            return partial(withdraw, plugin=plugin, hosts=[name])
        case "folder":
            return partial(withdraw, plugin=plugin, folders=[name])
        case _:
            raise _nothing(kind, name)


def _more(kind: str, name: str, form: Form, rights: Rights | None) -> Wanted:
    match kind:
        case "capability" if name in CAPABILITIES:
            asked = [rule.text for rule in rights.network.ceiling] if rights and name == "NetworkAccess" else []
            return Wanted((name,), hosts=tuple(asked))
        case "host" if name:
            return Wanted(hosts=(name,))
        case "folder":
            return Wanted(folders=(_folder(name, form.get("folder", ""), form.get("mode", "read")),))
        case "alias" if name:
            return Wanted(aliases=(name,))
        case _:
            raise _nothing(kind, name)


def _folder(name: str, path: str, mode: str) -> FolderSection:
    place = Path(path).expanduser()
    if not path or not place.is_absolute() or not place.is_dir():
        raise InvalidArguments(
            f"the folder for '{name:.64}' is none: {path[:200]!r}",
            fix="name a folder of this machine by its whole path",
        )
    try:
        return FolderSection.model_validate({"name": name, "folder": place, "mode": mode})
    except ValidationError as error:
        raise InvalidArguments("; ".join(problems_of(error, FolderSection))) from None


def _nothing(kind: str, name: str) -> InvalidArguments:
    return InvalidArguments(f"there is no {kind or 'right'} {name[:100]!r} to change", fix="use the plugin's page")


ROUTES = (Route("/plugins/{plugin}/rights", _change, methods=["POST"]),)
