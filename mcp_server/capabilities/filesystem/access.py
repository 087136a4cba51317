"""The four file functions: check the request, judge the path, count, work in a thread, answer.

A file system can be slow, so nothing here touches one on the event loop. Each plugin has a few threads of its own,
so that a hanging network mount of one plugin holds up no other.
"""

from __future__ import annotations

import base64
import binascii
import errno
import threading
from collections.abc import Callable
from typing import Annotated, Any, Literal, Protocol, TypeVar

import anyio
import anyio.to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mcp_server.capabilities.base import CallContext, HostRefusal
from mcp_server.capabilities.filesystem.beneath import folder_beneath
from mcp_server.capabilities.filesystem.files import Part, delete, list_folder, read_part, write_whole
from mcp_server.policy.advice import file_fix, hard_link_fix
from mcp_server.policy.file_limits import FILE_NUMBERS, MOST_OF_FILES, MOST_OF_ONE_READ
from mcp_server.policy.paths import FileGrant, FileRules, Mode, PathDenied, parse_path
from mcp_server.problems import problems_of

__all__ = ["FileAccess", "FileUsage"]

THREADS_OF_A_PLUGIN = 4
_Answer = TypeVar("_Answer")
_Request = TypeVar("_Request", bound=BaseModel)


class FileUsage(Protocol):
    """What one call has used of the files."""

    file_operations: int
    file_bytes_read: int
    file_bytes_written: int


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)  # by the first call


class _Read(_Asked):
    path: str
    offset: Annotated[int, Field(ge=0, le=2**62)] = 0
    limit: Annotated[int, Field(ge=0, le=2**62)] | None = None
    encoding: Literal["auto", "base64"] = "auto"


class _Write(_Asked):
    path: str
    content: str | None = None
    content_base64: str | None = None
    if_exists: Literal["replace", "fail"] = "replace"
    create_folders: bool = False


class _List(_Asked):
    path: str = ""
    after: str = ""
    limit: Annotated[int, Field(ge=1)] | None = None


class _Delete(_Asked):
    path: str


class FileAccess:
    """Answers the file functions for every plugin, each within its own rules.

    Args:
        rules_of: The rules of the plugin that calls.
        usage_of: The counters of the call.
    """

    def __init__(
        self, rules_of: Callable[[CallContext], FileRules], usage_of: Callable[[CallContext], FileUsage]
    ) -> None:
        self._rules_of = rules_of
        self._usage_of = usage_of
        self._threads: dict[str, anyio.CapacityLimiter] = {}
        self._counting = threading.Lock()

    async def read_file(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        """``{path, offset?, limit?, encoding?}`` → ``{content | content_base64, offset, size, eof, modified}``."""
        asked = _checked("read_file", _Read, request)
        part = await self._run(context, asked.path, "read", self._reader(context, asked))
        data, end = part.data, asked.offset + len(part.data)
        answer: dict[str, Any] = {"offset": asked.offset, "size": part.size, "eof": end >= part.size}
        answer["modified"] = part.modified
        if asked.encoding == "auto":
            try:
                return {"content": data.decode("utf-8"), **answer}
            except UnicodeDecodeError:
                pass
        return {"content_base64": base64.b64encode(data).decode("ascii"), **answer}

    async def write_file(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        """``{path, content | content_base64, if_exists?, create_folders?}`` → ``{bytes, created}``."""
        asked = _checked("write_file", _Write, request)
        data = _content(asked)

        def write(root: FileGrant, folders: list[str], name: str) -> bool:
            self._take(context, "bytes_written", len(data))
            with folder_beneath(root.folder, folders, create=asked.create_folders) as folder:
                return write_whole(folder, name, data, replace=asked.if_exists == "replace")

        created = await self._run(context, asked.path, "write", write)
        return {"bytes": len(data), "created": created}

    async def list_files(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        """``{path?, after?, limit?}`` → ``{entries: [{name, type, size, modified}], next}``; or the roots."""
        asked = _checked("list_files", _List, request)
        rules = self._rules_of(context)
        if not asked.path:
            self._take(context, "operations", 1)
            kinds = {"type": "directory", "size": None, "modified": None}
            return {"entries": [{"name": name, **kinds} for name in rules.visible_roots()], "next": None}
        limit = min(asked.limit or rules.limits.list_entries, rules.limits.list_entries)

        def look(root: FileGrant, folders: list[str], name: str) -> tuple[list[dict[str, Any]], bool]:
            with folder_beneath(root.folder, [*folders, name] if name else []) as folder:
                return list_folder(folder, asked.after, limit)

        entries, more = await self._run(context, asked.path, "read", look)
        return {"entries": entries, "next": entries[-1]["name"] if more and entries else None}

    async def delete_file(self, context: CallContext, request: dict[str, Any]) -> None:
        """``{path}`` → null."""
        asked = _checked("delete_file", _Delete, request)

        def remove(root: FileGrant, folders: list[str], name: str) -> None:
            with folder_beneath(root.folder, folders) as folder:
                delete(folder, name)

        await self._run(context, asked.path, "write", remove)

    def _reader(self, context: CallContext, asked: _Read) -> Callable[[FileGrant, list[str], str], Part]:
        def read(root: FileGrant, folders: list[str], name: str) -> Part:
            def take(count: int) -> None:
                if MOST_OF_ONE_READ < count <= self._rules_of(context).limits.bytes_read:
                    raise HostRefusal(
                        "limit_file_bytes_read",
                        f"one read gives at most {MOST_OF_ONE_READ} bytes, this would be {count}; "
                        "read it in parts, with offset and limit",
                        {"limit": "file_bytes_read", "allowed": MOST_OF_ONE_READ, "used": count},
                    )
                self._take(context, "bytes_read", count)

            with folder_beneath(root.folder, folders) as folder:
                return read_part(folder, name, asked.offset, asked.limit, take, hard_links=root.hard_links)

        return read

    async def _run(
        self, context: CallContext, path: str, mode: Mode, work: Callable[[FileGrant, list[str], str], _Answer]
    ) -> _Answer:
        self._take(context, "operations", 1)
        try:
            segments = parse_path(path)
            root = self._judge(context, segments, mode)
        except PathDenied as denied:
            raise HostRefusal(denied.code, denied.message, denied.data) from None
        *folders, name = segments[1:] or ("",)
        threads = self._threads.setdefault(context.plugin, anyio.CapacityLimiter(THREADS_OF_A_PLUGIN))
        try:
            return await anyio.to_thread.run_sync(work, root, folders, name, limiter=threads)
        except OSError as error:
            raise _refusal(error, path) from None
        except HostRefusal as refusal:
            linked = mode == "read" and refusal.data.get("bound") == "hard_link"
            fix = hard_link_fix(context.plugin, root.name) if linked else refusal.fix
            raise HostRefusal(refusal.code, f"'{path}': {refusal.message}", refusal.data, fix=fix) from None

    def _judge(self, context: CallContext, segments: tuple[str, ...], mode: Mode) -> FileGrant:
        rules = self._rules_of(context)
        try:
            return rules.judge(segments, mode)
        except PathDenied as denied:
            root = rules.roots.get(segments[0]) if segments else None
            fix = file_fix(context.plugin, segments, mode, root.folder if root else "", denied.data)
            raise HostRefusal(denied.code, denied.message, denied.data, fix=fix) from None

    def _take(
        self, context: CallContext, what: Literal["operations", "bytes_read", "bytes_written"], more: int
    ) -> None:
        rules, usage = self._rules_of(context), self._usage_of(context)
        allowed: int = getattr(rules.limits, what)
        with self._counting:
            used = getattr(usage, f"file_{what}") + more
            if used <= allowed:
                setattr(usage, f"file_{what}", used)
                return
        raise HostRefusal(
            f"limit_file_{what}",
            f"one call may use {allowed} file {what.replace('_', ' ')}; this would make it {used}",
            {"limit": f"file_{what}", "allowed": allowed, "used": used},
            fix=rules.bounds.fix(_NUMBERS[what], MOST_OF_FILES, context.plugin, "filesystem"),
        )


_NUMBERS = {number.name: number for number in FILE_NUMBERS}


def _checked(function: str, model: type[_Request], request: dict[str, Any]) -> _Request:
    try:
        return model.model_validate(request)
    except ValidationError as error:
        problems = "; ".join(problems_of(error, model))
        raise HostRefusal("invalid_request", f"{function}: {problems}") from None


def _content(asked: _Write) -> bytes:
    if (asked.content is None) == (asked.content_base64 is None):
        raise HostRefusal("invalid_request", "write_file: give 'content' or 'content_base64'")
    try:
        if asked.content_base64 is not None:
            return base64.b64decode(asked.content_base64, validate=True)
        return (asked.content or "").encode("utf-8")
    except binascii.Error:
        raise HostRefusal("invalid_request", "write_file: content_base64: is not base64") from None
    except UnicodeEncodeError:
        raise HostRefusal("invalid_request", "write_file: content: holds a lone surrogate") from None


# Texts of our own: the system's would hold the path on this machine.
_TOLD: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("file_not_found", "there is no such file or folder"),
    errno.EEXIST: ("file_exists", "it exists already"),
    errno.EISDIR: ("not_a_file", "it is a folder"),
    errno.ENOTEMPTY: ("not_a_file", "it is a folder"),
    errno.ENOTDIR: ("path_denied", "a part of the path is no folder, or is a link"),
    errno.ELOOP: ("path_denied", "a part of the path is a link"),
    errno.ENXIO: ("path_denied", "it is no plain file"),  # a socket, opened
    errno.EXDEV: ("path_denied", "the path leaves its root"),
    errno.EACCES: ("file_failed", "the host may not do that"),
    errno.EPERM: ("file_failed", "the host may not do that"),
    errno.EROFS: ("file_failed", "the file system is read-only"),
    errno.ENAMETOOLONG: ("invalid_path", "a name is too long"),
    errno.ENOSPC: ("storage_full", "no space is left"),
    errno.EDQUOT: ("storage_full", "no space is left"),
    errno.EFBIG: ("storage_full", "the host may not write a file of that size"),
}


def _refusal(error: OSError, path: str) -> HostRefusal:
    code, told = _TOLD.get(error.errno or 0, ("file_failed", "the host's file system failed"))
    name = errno.errorcode.get(error.errno or 0, "unknown")
    return HostRefusal(code, f"'{path}': {told}", {"reason": name.lower()})
