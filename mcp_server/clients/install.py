"""Puts this server into a client's file and takes it out again; every other entry stays as it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mcp_server.clients.entry import Entry, is_ours
from mcp_server.clients.errors import ClientConfigError
from mcp_server.clients.files import ClientFile, read_file, write_file
from mcp_server.clients.jsonc import JsoncError, Node, read_jsonc
from mcp_server.clients.places import Client
from mcp_server.clients.shown import shown_difference
from mcp_server.clients.splice import put, take

__all__ = ["Change", "installing", "servers_in", "uninstalling"]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a client's file that can be looked at before it is made.

    Attributes:
        file: As it is.
        text: As it will be.
        difference: Between the two, as lines to show; values of others are left out of it.
    """

    file: ClientFile
    text: str
    difference: str

    @property
    def any(self) -> bool:
        """Whether there is something to change."""
        return self.text != self.file.text

    def make(self) -> Path | None:
        """Write it; where the old file was kept, if there was one.

        Raises:
            ClientConfigError: See :func:`write_file`.
        """
        return write_file(self.file, self.text) if self.any else None


def installing(path: Path, client: Client, name: str, entry: Entry) -> Change:
    """What puts ``entry`` into the file under ``name``; an entry of ours is brought up to date.

    Raises:
        ClientConfigError: The file cannot be read or understood, or another server has the name.
    """
    file, servers = _read(path, client)
    old = servers.get(name)
    if old is None:
        return _change(file, client, name, entry.as_json(client))
    if not is_ours(old):
        raise ClientConfigError(
            f"{path}: another server is called '{name}' there", fix="choose another name: --name agentmem-plugins"
        )
    return _change(file, client, name, entry.over(old, client))


def uninstalling(path: Path, client: Client, name: str) -> Change:
    """What takes the entry ``name`` out of the file, if it is there and ours.

    Raises:
        ClientConfigError: The file cannot be read or understood, or another server has the name.
    """
    file, servers = _read(path, client)
    if name not in servers:
        return Change(file, file.text, "")
    if not is_ours(servers[name]):
        raise ClientConfigError(
            f"{path}: the server '{name}' there is not this one, so it is left alone",
            fix=f"look at the names in {path} and say --name NAME",
        )
    return _change(file, client, name, None)


def servers_in(path: Path, client: Client) -> dict[str, Any]:
    """The servers in the file of ``client``, by name.

    Raises:
        ClientConfigError: It cannot be read or understood.
    """
    return _read(path, client)[1]


def _read(path: Path, client: Client) -> tuple[ClientFile, dict[str, Any]]:
    file = read_file(path)
    document: object = _parsed(file, file.text).value
    whole = cast("dict[str, Any]", document) if isinstance(document, dict) else None
    servers: object = whole.get(client.key, {}) if whole is not None else None
    if not isinstance(servers, dict):
        where = "the document" if whole is None else json.dumps(client.key)
        raise ClientConfigError(f"{path}: {where} is no object", fix=f"put that right in {path}, or move it away")
    return file, cast("dict[str, Any]", servers)


def _parsed(file: ClientFile, text: str) -> Node:
    try:
        return read_jsonc(text if text.strip() else "{}")
    except JsoncError as error:
        raise ClientConfigError(
            f"{file.path} is no JSON: {error}; it is left as it is", fix=f"put that right in {file.path}"
        ) from None


def _change(file: ClientFile, client: Client, name: str, entry: Mapping[str, Any] | None) -> Change:
    wanted: dict[str, Any] = json.loads(json.dumps(_parsed(file, file.text).value))
    servers: dict[str, Any] = wanted.setdefault(client.key, {})
    old = servers.get(name)
    if entry is None:
        del servers[name]
    else:
        servers[name] = dict(entry)
    text = file.text if file.text.strip() else "{}\n"
    text = take(text, (client.key, name)) if entry is None else _with(text, (client.key, name), old, entry)
    if json.dumps(_parsed(file, text).value) != json.dumps(wanted):
        raise ClientConfigError(
            f"{file.path} is written in a way that cannot be changed safely", fix=f"make the change by hand: {entry}"
        )
    return Change(file, text, shown_difference(file, text, (client.key, name)))


def _with(text: str, path: tuple[str, str], old: Any, entry: Mapping[str, Any]) -> str:
    if old is None:
        return put(text, path, dict(entry))
    for key, value in entry.items():
        if old.get(key) != value:
            text = put(text, (*path, key), value)
    return text
