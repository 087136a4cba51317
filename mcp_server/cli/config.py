"""``config show``, ``config path``, ``config trust``: what is set, where it stands, and whose files count."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcp_server.cli.output import print_json, print_table, say
from mcp_server.cli.serve import load
from mcp_server.errors import SettingsError
from mcp_server.settings import load_configuration
from mcp_server.settings.folders import project_file, user_file

__all__ = ["show_config", "show_paths", "trust_folder"]


def show_config(config: Path | None, sets: Sequence[str], *, origin: bool, json: bool) -> None:
    """Print every value in force, and on request where it came from."""
    from mcp_server.settings.shown import shown_values

    values = list(shown_values(load(config, sets)))
    if json:
        shown: list[dict[str, Any]] = [{"key": one.key, "value": one.value} for one in values]
        if origin:
            shown = [{**entry, "origin": one.origin} for entry, one in zip(shown, values, strict=True)]
        print_json({"values": shown})
        return
    rows = [[one.key, json_text.dumps(one.value, ensure_ascii=False), one.origin] for one in values]
    if origin:
        print_table(["KEY", "VALUE", "ORIGIN"], rows)
    else:
        print_table(["KEY", "VALUE"], [row[:2] for row in rows])


def show_paths(config: Path | None, *, json: bool) -> None:
    """Print the files that are looked at, the one that wins last; also when one of them is broken."""
    files = _files(config)
    if json:
        print_json({"files": files})
        return
    print_table(["LAYER", "FOUND", "COUNTS", "FILE"], [[file[key] for key in file] for file in files])


def _files(config: Path | None) -> list[dict[str, str]]:
    try:
        files = load_configuration(config).files
    except SettingsError:
        paths = (("user", user_file(config)), ("project", project_file(Path.cwd())))
        broken = "nothing: the configuration has problems"
        return [
            {"layer": layer, "found": _yes(path.exists()), "counts": broken, "file": str(path)} for layer, path in paths
        ]
    return [
        {
            "layer": file.layer,
            "found": _yes(file.exists),
            "counts": "all of it" if file.trusted else "what allows nothing more",
            "file": str(file.path),
        }
        for file in files
    ]


def trust_folder(folder: Path | None, config: Path | None, *, json: bool) -> None:
    """Add a folder to ``[trust]`` of the user's own file."""
    from mcp_server.settings.edit import edit_file
    from mcp_server.settings.grants import trust

    place = (folder or Path.cwd()).expanduser().resolve()
    if not place.is_dir():
        raise SettingsError(f"there is no folder {place}", fix="agentmem-mcp config trust DIR")
    path = user_file(config)
    said = edit_file(path, lambda document: trust(document, place))
    if json:
        print_json({"file": str(path), "changed": said, "trusted": str(place)})
        return
    say(f"{path}: {'; '.join(said) or 'nothing to change'}")
    say(f"{project_file(place)} now counts in full; that of a folder below does not.")


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"
