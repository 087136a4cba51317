"""The four file functions on a real folder: what works, what is counted, what every answer leaves out."""

from __future__ import annotations

import base64
import os
import resource
import stat
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_server.capabilities.base import CallContext, HostRefusal
from mcp_server.capabilities.filesystem import file_functions, files
from mcp_server.policy.file_limits import MOST_OF_FILES, MOST_OF_ONE_READ, FileLimits
from mcp_server.policy.limits import Limits
from mcp_server.policy.paths import FileGrant, FileRules, Mode, intersect
from mcp_server.policy.rights import decide_rights


@dataclass
class Used:
    file_operations: int = 0
    file_bytes_read: int = 0
    file_bytes_written: int = 0


class Caller:
    """A plugin's side of the file functions."""

    def __init__(self, rules: FileRules) -> None:
        self.used = Used()
        self._functions = {function.name: function.answer for function in file_functions(lambda _: rules, self._usage)}
        self._context = CallContext(
            plugin="caller",
            principal="local",
            session="s",
            call_id="c1",
            rights=decide_rights(["FileSystemAccess"], [], ["FileSystemAccess"]),
            limits=Limits(),
            config={},
            depth=0,
            deadline=time.monotonic() + 10,
            log=lambda line: None,
        )

    def _usage(self, context: CallContext) -> Used:
        return self.used

    async def __call__(self, function: str, path: str, **more: Any) -> Any:
        with anyio.fail_after(20):
            answer: Any = self._functions[function](self._context, {"path": path, **more})
            return await answer

    async def refusal(self, function: str, path: str, **more: Any) -> HostRefusal:
        """The refusal that this request gets; an answer is a failure of the test."""
        try:
            answer = await self(function, path, **more)
        except HostRefusal as refusal:
            return refusal
        raise AssertionError(f"answered {answer}")


def caller_for(folder: Path, mode: Mode = "write", limits: FileLimits | None = None, **grant: Any) -> Caller:
    return Caller(intersect([("notes", mode)], [FileGrant("notes", str(folder), mode, **grant)], limits=limits))


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """The folder that is granted as ``notes``, with a secret beside it."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_what_is_written_is_read_and_listed_and_deleted(notes: Path) -> None:
    caller = caller_for(notes)
    assert await caller("write_file", "notes/a.txt", content="héllo") == {"bytes": 6, "created": True}
    assert await caller("write_file", "notes/a.txt", content="hi") == {"bytes": 2, "created": False}
    answer = await caller("read_file", "notes/a.txt")
    modified = answer.pop("modified")
    assert answer == {"content": "hi", "offset": 0, "size": 2, "eof": True}
    assert (await caller("list_files", "notes"))["entries"] == [
        {"name": "a.txt", "type": "file", "size": 2, "modified": modified}
    ]
    assert await caller("delete_file", "notes/a.txt") is None
    assert names_in(notes) == []


async def test_bytes_that_are_no_text_travel_as_base64(notes: Path) -> None:
    data = bytes(range(256))
    caller = caller_for(notes)
    await caller("write_file", "notes/a.bin", content_base64=base64.b64encode(data).decode())
    assert (notes / "a.bin").read_bytes() == data
    answer = await caller("read_file", "notes/a.bin")
    assert base64.b64decode(answer["content_base64"]) == data
    assert "content" not in answer
    (notes / "a.txt").write_text("text")
    assert (await caller("read_file", "notes/a.txt", encoding="base64"))["content_base64"] == "dGV4dA=="


@pytest.mark.parametrize(
    ("offset", "limit", "content", "eof"),
    [(0, None, "0123456789", True), (3, None, "3456789", True), (3, 4, "3456", False), (8, 5, "89", True)]
    + [(10, 1, "", True), (99, 1, "", True), (0, 0, "", False)],
)
async def test_a_part_of_a_file_is_read(notes: Path, offset: int, limit: int | None, content: str, eof: bool) -> None:
    (notes / "a").write_text("0123456789")
    answer = await caller_for(notes)("read_file", "notes/a", offset=offset, limit=limit)
    assert (answer["content"], answer["size"], answer["eof"]) == (content, 10, eof)


async def test_a_write_makes_folders_only_when_it_is_asked_to(notes: Path) -> None:
    caller = caller_for(notes)
    refusal = await caller.refusal("write_file", "notes/a/b/c.txt", content="x")
    assert refusal.code == "file_not_found"
    await caller("write_file", "notes/a/b/c.txt", content="x", create_folders=True)
    await caller("write_file", "notes/a/b/d.txt", content="y", create_folders=True)
    assert (notes / "a/b/c.txt").read_text() + (notes / "a/b/d.txt").read_text() == "xy"


async def test_a_write_that_must_not_replace_leaves_the_file(notes: Path) -> None:
    caller = caller_for(notes)
    assert (await caller("write_file", "notes/a", content="1", if_exists="fail"))["created"]
    assert (await caller.refusal("write_file", "notes/a", content="2", if_exists="fail")).code == "file_exists"
    assert (notes / "a").read_text() == "1"
    assert (notes / "a").stat().st_nlink == 1


async def test_a_write_keeps_the_permissions_of_the_file_it_replaces(notes: Path) -> None:
    (notes / "a").write_text("old")
    (notes / "a").chmod(0o640)
    await caller_for(notes)("write_file", "notes/a", content="new")
    assert stat.S_IMODE((notes / "a").stat().st_mode) == 0o640


async def test_a_reader_sees_the_old_file_or_the_new_one_and_never_a_part(notes: Path) -> None:
    size, rounds = 200_000, 100
    (notes / "a").write_bytes(b"0" * size)
    caller, done, seen = caller_for(notes, limits=FileLimits(bytes_written=rounds * size)), anyio.Event(), 0

    async def write() -> None:
        for number in range(rounds):
            await caller("write_file", "notes/a", content=str(number % 10) * size)
        done.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        while not done.is_set():
            data = await anyio.to_thread.run_sync((notes / "a").read_bytes)
            assert len(data) == size
            assert len(set(data)) == 1
            seen += 1
    assert seen
    assert names_in(notes) == ["a"]


async def test_a_listing_is_in_the_order_of_names_and_goes_on_where_it_stopped(notes: Path) -> None:
    for number in range(7):
        (notes / f"{number}").touch()
    (notes / "3").unlink()
    (notes / "3").mkdir()
    (notes / "4").unlink()
    os.mkfifo(notes / "4")
    caller = caller_for(notes, limits=FileLimits(list_entries=3))
    names: list[str] = []
    kinds: list[str] = []
    after = ""
    while after is not None:
        answer = await caller("list_files", "notes", after=after, limit=99)
        assert len(answer["entries"]) <= 3
        names += [entry["name"] for entry in answer["entries"]]
        kinds += [entry["type"] for entry in answer["entries"]]
        after = answer["next"]
    assert names == list("0123456")
    assert kinds == ["file"] * 3 + ["directory", "other"] + ["file"] * 2


async def test_names_that_cannot_be_told_and_files_half_written_are_not_listed(notes: Path) -> None:
    for name in (b"\xff\xfe", b"new\nline", b".agentmem-0.tmp", b"plain"):
        os.close(os.open(os.path.join(os.fsencode(notes), name), os.O_CREAT | os.O_WRONLY))  # noqa: PTH118  # bytes
    answer = await caller_for(notes)("list_files", "notes")
    assert [entry["name"] for entry in answer["entries"]] == ["plain"]


async def test_a_listing_without_a_path_names_the_roots(notes: Path) -> None:
    rules = intersect(
        [("b", "read"), ("a/x", "read")], [FileGrant(name, str(notes)) for name in ("b", "a", "not-asked-for")]
    )
    answer = await Caller(rules)("list_files", "")
    assert [entry["name"] for entry in answer["entries"]] == ["b", "a"]


@pytest.mark.parametrize("function", ["write_file", "delete_file"])
async def test_a_grant_for_reading_writes_and_deletes_nothing(notes: Path, function: str) -> None:
    (notes / "a").write_text("old")
    more = {"content": "new"} if function == "write_file" else {}
    refusal = await caller_for(notes, "read").refusal(function, "notes/a", **more)
    assert (refusal.code, refusal.data["bound"]) == ("path_denied", "mode")
    assert (notes / "a").read_text() == "old"


@pytest.mark.parametrize(
    ("function", "request_", "said"),
    [
        ("read_file", {"path": 1}, "path"),
        ("read_file", {"path": "notes/a", "offset": -1}, "offset"),
        ("read_file", {"path": "notes/a", "offset": 2**70}, "offset"),
        ("read_file", {"path": "notes/a", "limit": "1"}, "limit"),
        ("read_file", {"path": "notes/a", "encoding": "utf-16"}, "encoding"),
        ("read_file", {"path": "notes/a", "ofset": 1}, "did you mean 'offset'"),
        ("write_file", {"path": "notes/a"}, "content"),
        ("write_file", {"path": "notes/a", "content": "a", "content_base64": "YQ=="}, "content"),
        ("write_file", {"path": "notes/a", "content": 1}, "content"),
        ("write_file", {"path": "notes/a", "content": "\ud800"}, "surrogate"),
        ("write_file", {"path": "notes/a", "content_base64": "?"}, "base64"),
        ("write_file", {"path": "notes/a", "content": "", "if_exists": "append"}, "if_exists"),
        ("list_files", {"path": "notes", "limit": 0}, "limit"),
        ("delete_file", {"path": None}, "path"),
    ],
)
async def test_a_malformed_request_is_told_what_is_wrong(
    notes: Path, function: str, request_: dict[str, Any], said: str
) -> None:
    caller = caller_for(notes)
    refusal = await caller.refusal(function, **request_)
    assert refusal.code == "invalid_request"
    assert said in refusal.message
    assert caller.used == Used()


@pytest.mark.parametrize(
    ("function", "path", "code"),
    [
        ("read_file", "notes/none", "file_not_found"),
        ("read_file", "notes/none/a", "file_not_found"),
        ("read_file", "notes/file/a", "path_denied"),
        ("read_file", "notes/folder", "not_a_file"),
        ("read_file", "notes", "file_not_found"),
        ("list_files", "notes/none", "file_not_found"),
        ("list_files", "notes/file", "path_denied"),
        ("delete_file", "notes/folder", "not_a_file"),
        ("delete_file", "notes/none", "file_not_found"),
        ("write_file", "notes/folder", "not_a_file"),
        ("write_file", "notes", "file_not_found"),
        ("write_file", "notes/file/a", "path_denied"),
    ],
)
async def test_what_the_file_system_refuses_has_a_code_and_no_host_path(
    notes: Path, function: str, path: str, code: str
) -> None:
    (notes / "folder").mkdir()
    (notes / "file").write_text("text")
    more = {"content": "x"} if function == "write_file" else {}
    refusal = await caller_for(notes).refusal(function, path, **more)
    assert refusal.code == code
    assert f"'{path}'" in refusal.message
    assert str(notes.parent) not in repr((refusal.message, refusal.data))
    assert names_in(notes) == ["file", "folder"]


async def test_a_root_that_is_gone_is_a_refusal_without_its_place(tmp_path: Path) -> None:
    refusal = await caller_for(tmp_path / "gone").refusal("read_file", "notes/a")
    assert refusal.code == "file_not_found"
    assert "gone" not in refusal.message


async def test_the_thousand_and_first_operation_of_a_call_is_refused(notes: Path) -> None:
    caller = caller_for(notes)
    caller.used.file_operations = 999
    await caller("list_files", "notes")
    refusal = await caller.refusal("list_files", "notes")
    assert (refusal.code, refusal.data) == (
        "limit_file_operations",
        {"limit": "file_operations", "allowed": 1_000, "used": 1_001},
    )


async def test_bytes_are_counted_over_the_call_up_to_the_very_last(notes: Path) -> None:
    caller = caller_for(notes, limits=FileLimits(bytes_read=10, bytes_written=10))
    await caller("write_file", "notes/a", content="123456")
    assert (await caller.refusal("write_file", "notes/b", content="12345")).code == "limit_file_bytes_written"
    await caller("write_file", "notes/b", content="1234")
    await caller("read_file", "notes/a")
    assert (await caller.refusal("read_file", "notes/a")).code == "limit_file_bytes_read"
    assert (await caller("read_file", "notes/a", limit=4))["content"] == "1234"
    assert names_in(notes) == ["a", "b"]
    assert (caller.used.file_bytes_read, caller.used.file_bytes_written) == (10, 10)


async def test_one_read_gives_no_more_than_goes_to_a_worker_in_one_piece(notes: Path) -> None:
    caller = caller_for(notes, limits=MOST_OF_FILES)
    (notes / "a").write_bytes(b"x" * (MOST_OF_ONE_READ + 1))
    refusal = await caller.refusal("read_file", "notes/a")
    assert (refusal.code, refusal.data["allowed"]) == ("limit_file_bytes_read", MOST_OF_ONE_READ)
    assert "in parts, with offset and limit" in refusal.message
    assert caller.used.file_bytes_read == 0
    part = await caller("read_file", "notes/a", limit=MOST_OF_ONE_READ)
    assert (len(part["content"]), part["eof"]) == (MOST_OF_ONE_READ, False)


@contextmanager
def small_files_only(size: int) -> Generator[None]:
    """As on a full disk: the kernel refuses to write past ``size``."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


async def test_a_full_disk_leaves_the_old_file_and_heals(notes: Path) -> None:
    caller = caller_for(notes)
    await caller("write_file", "notes/a", content="old")
    with small_files_only(8_192):
        refusal = await caller.refusal("write_file", "notes/a", content="x" * 10_000)
    assert refusal.code == "storage_full"
    assert names_in(notes) == ["a"]
    assert (notes / "a").read_text() == "old"
    await caller("write_file", "notes/a", content="x" * 10_000)
    assert (notes / "a").stat().st_size == 10_000


FAILING: tuple[str, ...] = ("open", "write", "fchmod", "fsync", "rename", "close")


@pytest.mark.parametrize("call", FAILING)
async def test_a_write_that_fails_at_any_step_leaves_the_old_file_and_no_other(
    notes: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (notes / "a").write_text("old")
    caller = caller_for(notes)
    real: Callable[..., Any] = getattr(os, call)
    state = {"armed": True}

    def failing(*arguments: Any, **options: Any) -> Any:
        temporary = call != "open" or str(arguments[0]).startswith(".agentmem-")
        if call == "close":
            real(*arguments, **options)
        if state["armed"] and temporary:
            state["armed"] = False
            raise OSError(5, "EIO", str(notes))
        return None if call == "close" else real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        refusal = await caller.refusal("write_file", "notes/a", content="new")
    assert refusal.code == "file_failed"
    assert str(notes) not in refusal.message
    assert names_in(notes) == ["a"]
    assert (notes / "a").read_text() == "old"
    await caller("write_file", "notes/a", content="new")
    assert (notes / "a").read_text() == "new"


async def test_a_folder_of_too_many_entries_is_not_listed(notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_SCANNED", 3)
    for number in range(3):
        (notes / f"{number}").touch()
    caller = caller_for(notes)
    assert len((await caller("list_files", "notes"))["entries"]) == 3
    (notes / "3").touch()
    refusal = await caller.refusal("list_files", "notes")
    assert (refusal.code, refusal.data) == ("limit_file_scan", {"limit": "file_scan", "allowed": 3})


async def test_a_time_outside_our_calendar_is_no_fault(notes: Path) -> None:
    (notes / "a").touch()
    try:
        os.utime(notes / "a", (2**40, 2**40))
    except OSError:
        pytest.skip("this file system knows no such time")
    if (notes / "a").stat().st_mtime < 2**39:
        pytest.skip("this file system knows no such time")
    assert (await caller_for(notes)("read_file", "notes/a"))["modified"] is None


async def test_a_file_cut_short_while_it_is_read_ends_where_it_ends(
    notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (notes / "a").write_text("0123456789")
    real = os.pread

    def cut(file: int, size: int, offset: int) -> bytes:
        os.truncate(notes / "a", 4)
        return real(file, size, offset)

    monkeypatch.setattr(os, "pread", cut)
    answer = await caller_for(notes)("read_file", "notes/a")
    assert (answer["content"], answer["eof"]) == ("0123", False)
