"""One configuration file or layer as a plain document: read, checked by itself, merged key by key.

Nothing here knows which layer wins or who wrote a file.
"""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from mcp_server.errors import SettingsError
from mcp_server.problems import problems_of
from mcp_server.settings.model import Settings

__all__ = ["Document", "Key", "Stamp", "dotted", "leaves", "merge", "problems_in", "read_document", "shown", "stamp_of"]

Document = dict[str, Any]
Key = tuple[str, ...]
Stamp = tuple[int, int, int] | None
"""Modification time in nanoseconds, size and inode of a file; None where there is none."""
MAX_FILE_BYTES = 8 * 1_048_576  # [config] may hold what a plugin reads, and that may be a table of its own
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def read_document(path: Path, *, required: bool = False) -> Document | None:
    """The TOML of ``path``; None when there is no such file.

    Args:
        path: A configuration file.
        required: A missing file is an error.

    Raises:
        SettingsError: It cannot be read, is no plain file, is too long, or is no TOML.
    """
    try:
        facts = path.stat()  # a pipe of that name, in a folder that somebody sent, would be read for ever
        if not stat.S_ISREG(facts.st_mode):
            raise SettingsError(f"the configuration file {path} cannot be read: it is no file", fix=f"look at {path}")
        if facts.st_size > MAX_FILE_BYTES:
            raise SettingsError(
                f"the configuration file {path} is {facts.st_size} bytes long; at most {MAX_FILE_BYTES} are read",
                fix=f"look at {path}",
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise SettingsError(f"the configuration file {path} does not exist", fix="correct --config") from None
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the configuration file {path} cannot be read: {error}", fix=f"look at {path}") from None
    except (ValueError, RecursionError) as error:  # ValueError: also an integer of more than 4 300 digits
        raise SettingsError(f"{path} is not TOML: {shown(str(error))}", fix=f"edit {path}") from None


def stamp_of(path: Path) -> Stamp:
    """The stamp of ``path`` now."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def problems_in(document: Document) -> list[str]:
    """Everything that is wrong with a layer, each ``dotted.key: what``; safe to print, whoever wrote the keys."""
    try:
        Settings.model_validate(document)
    except ValidationError as error:
        return [shown(problem) for problem in problems_of(error, Settings)]
    return []


def merge(below: Document, above: Mapping[str, Any], at: Key = ()) -> Document:
    """``above`` laid over ``below``: tables key by key, other values whole, except that denials add up."""
    merged = dict(below)
    for name, value in above.items():
        key, old = (*at, name), merged.get(name)
        if isinstance(value, Mapping):
            table = cast("Mapping[str, Any]", value)
            merged[name] = merge(cast("Document", old) if isinstance(old, dict) else {}, table, key)
        elif _adds_up(key) and isinstance(old, list) and isinstance(value, list):
            merged[name] = list(dict.fromkeys([*cast("list[str]", old), *cast("list[str]", value)]))
        else:
            merged[name] = value
    return merged


def _adds_up(key: Key) -> bool:
    """A denial beats every allow, also one of a layer above; so no layer takes back what another one denies."""
    return key[0] in ("grants", "principals") and key[-1] == "deny"


def leaves(document: Mapping[str, Any], at: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every value that is no table, with its path; an empty table is a value."""
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(cast("Mapping[str, Any]", value), (*at, name))
        else:
            yield (*at, name), value


def dotted(key: Key) -> str:
    """A path as TOML would have it, without characters that a terminal obeys."""
    return ".".join(word if _BARE.fullmatch(word) else json.dumps(word) for word in key)


def shown(text: str) -> str:
    """``text`` without the characters that a terminal obeys."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
