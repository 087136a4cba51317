"""Changes a configuration file and leaves the rest of it as it was: comments, order, spacing, permissions.

The one place that knows ``tomlkit``. A change is a function over a document; it runs twice, on plain data and on the
text, and the file is written only where both come to the same.
"""

from __future__ import annotations

import fcntl
import os
import tomllib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from mcp_server.errors import SettingsError
from mcp_server.settings.document import Document, problems_in, read_document
from mcp_server.whole_file import replace_file

__all__ = ["edit_file"]

Change = Callable[[Document], list[str]]


def edit_file(path: Path, change: Change) -> list[str]:
    """Apply ``change`` to the file, which is made (mode 0600) when it is missing and replaced as a whole.

    Args:
        path: A configuration file; where it is a link, the file it leads to is changed.
        change: Changes a document in place and says what it did, one line each; nothing to say means nothing to write.

    Returns:
        What ``change`` said.

    Raises:
        SettingsError: The file is no TOML, has problems before or after the change, or cannot be written.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path.parent):
            return _edited(path, change)
    except OSError as error:
        told = f"{path} cannot be written: {error.strerror or error}"
        raise SettingsError(told, fix=f"look at the permissions of {path.parent}") from None


def _edited(path: Path, change: Change) -> list[str]:
    document = read_document(path) or {}
    _check(path, document, "")
    said = change(document)
    if not said:
        return []
    _check(path, document, "after this change it would not be in order: ")
    text = _changed_text(path.read_text(encoding="utf-8") if path.exists() else "", change)
    if _parsed(text) != document:
        raise SettingsError(
            f"{path} is written in a way that cannot be changed safely: {'; '.join(said)}",
            fix=f"make the change by hand in {path}, or write the tables it is about as [tables] of their own",
        )
    replace_file(
        path, text.encode("utf-8"), mode=path.stat().st_mode & 0o7777 if path.exists() else 0o600, durable=True
    )
    return said


def _check(path: Path, document: Document, when: str) -> None:
    problems = problems_in(document)
    if problems:
        raise SettingsError(f"{path}: {when}{'; '.join(problems)}", fix=f"edit {path}", data={"problems": problems})


def _changed_text(text: str, change: Change) -> str:
    import tomlkit  # noqa: PLC0415  # 40 ms that only a command that edits has to spend
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        document = tomlkit.parse(text)
        change(cast("Document", document))
        return document.as_string()
    except (TOMLKitError, ValueError, KeyError, TypeError, AttributeError):  # its faults over odd forms of tables
        return ""


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except ValueError:
        return None


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """One editor at a time, so that of two grants none is lost; a lock on the folder leaves no file behind."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
