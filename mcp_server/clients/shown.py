"""How a change of a client's file is shown: the lines that differ, without the values of anybody else's entries.

Such files hold keys and tokens of other servers, which have no business on a screen, in a log or in a recording.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from mcp_server.clients.files import ClientFile
from mcp_server.clients.jsonc import Node, read_jsonc

__all__ = ["shown_difference"]

HIDDEN = '"…"'
MAX_LINES = 200
_SECRET = re.compile("secret|token|key|passw", re.IGNORECASE)


def shown_difference(old: ClientFile, text: str, path: tuple[str, str]) -> str:
    """The unified difference between ``old`` and ``text``; what is at ``path`` is shown, but for secrets."""
    before, after = _hidden(old.text, path), _hidden(text, path)
    name = str(old.path)
    lines = [
        line.rstrip("\r\n")
        for line in difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), name, name, n=2
        )
    ]
    more = [f"… {len(lines) - MAX_LINES} more lines"] if len(lines) > MAX_LINES else []
    return "\n".join([*lines[:MAX_LINES], *more])


def _hidden(text: str, path: tuple[str, str]) -> str:
    if not text.strip():
        return text
    parts: list[str] = []
    done = 0
    for start, end in sorted(_texts(read_jsonc(text), path)):
        parts += [text[done:start], HIDDEN]
        done = end
    return "".join([*parts, text[done:]])


def _texts(node: Node, shown: tuple[str, ...] | None) -> Iterator[tuple[int, int]]:
    """The places of texts that are not below the path ``shown``, and of secrets that are."""
    if isinstance(node.value, str) and shown != ():
        yield node.start, node.end
    for key, member in node.members.items():
        below = shown if shown == () else shown[1:] if shown and shown[0] == key else None
        yield from _texts(member.node, None if below == () and _SECRET.search(key) else below)
    for item in node.items:
        yield from _texts(item, () if shown == () else None)
