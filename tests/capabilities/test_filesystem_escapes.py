"""Links, devices and pipes in a granted folder, put there before or while the host looks: none leads out of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_server.capabilities.base import HostRefusal
from mcp_server.capabilities.filesystem import beneath
from mcp_server.policy.paths import FileLimits
from tests.capabilities.test_filesystem import caller_for, names_in

FUNCTIONS = ("read_file", "write_file", "delete_file", "list_files")


@pytest.fixture(params=["kernel", "walk"])
def walked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways down a path: ``openat2``, and one component after another."""
    if request.param == "kernel" and not beneath.kernel_walks():
        pytest.skip("this kernel has no openat2")
    if request.param == "walk":
        monkeypatch.setattr(beneath, "kernel_walks", lambda: False)
    return str(request.param)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """A granted folder; beside it a folder and a file that are not."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "inner").mkdir()
    (folder / "inner" / "secret.txt").write_text("harmless")
    return folder


def absolute_link(notes: Path) -> str:
    (notes / "trap").symlink_to(notes.parent / "outside" / "secret.txt")
    return "notes/trap"


def relative_link(notes: Path) -> str:
    (notes / "trap").symlink_to("../outside/secret.txt")
    return "notes/trap"


def link_inside(notes: Path) -> str:
    (notes / "trap").symlink_to("inner/secret.txt")
    return "notes/trap"


def link_to_folder(notes: Path) -> str:
    (notes / "trap").symlink_to("../outside")
    return "notes/trap/secret.txt"


def link_to_folder_inside(notes: Path) -> str:
    (notes / "trap").symlink_to("inner")
    return "notes/trap/secret.txt"


def link_deep_down(notes: Path) -> str:
    (notes / "inner" / "trap").symlink_to("/")
    return f"notes/inner/trap{notes.parent}/outside/secret.txt"


def dangling_link(notes: Path) -> str:
    (notes / "trap").symlink_to("../outside/new.txt")
    return "notes/trap"


def looping_link(notes: Path) -> str:
    (notes / "trap").symlink_to("trap")
    return "notes/trap/secret.txt"


def magic_link(notes: Path) -> str:
    (notes / "trap").symlink_to("/proc/self/root")
    return "notes/trap/etc/passwd"


def hard_link(notes: Path) -> str:
    (notes / "trap").hardlink_to(notes.parent / "outside" / "secret.txt")
    return "notes/trap"


def fifo(notes: Path) -> str:
    os.mkfifo(notes / "trap")
    return "notes/trap"


def unix_socket(notes: Path) -> str:
    folder = os.open(notes, os.O_RDONLY | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(
            f"/proc/self/fd/{folder}/trap"
        )  # bind takes 107 bytes at most, and the folder's path may have more
    os.close(folder)
    return "notes/trap"


def device(notes: Path) -> str:
    try:
        os.mknod(notes / "trap", 0o20666, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        pytest.skip("making a device needs root")
    return "notes/trap"


FILE_TRAPS = (absolute_link, relative_link, link_inside, dangling_link, hard_link, fifo, unix_socket, device)
FOLDER_TRAPS = (link_to_folder, link_to_folder_inside, link_deep_down, looping_link, magic_link)


def tree(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("trap", FILE_TRAPS + FOLDER_TRAPS)
async def test_no_function_goes_through_a_link_or_opens_what_is_no_plain_file(
    notes: Path, walked: str, function: str, trap: Callable[[Path], str]
) -> None:
    path = trap(notes)
    before = tree(notes.parent)
    more: dict[str, Any] = {"content": "overwritten"} if function == "write_file" else {}
    refusal = await caller_for(notes).refusal(function, path, **more)
    assert refusal.code == "path_denied"
    assert str(notes.parent) not in refusal.message.replace(path, "")
    assert tree(notes.parent) == before


@pytest.mark.parametrize("create", [False, True])
async def test_a_write_makes_no_folder_through_a_link(notes: Path, walked: str, create: bool) -> None:
    (notes / "trap").symlink_to("../outside")
    before = tree(notes.parent)
    caller = caller_for(notes)
    assert (
        await caller.refusal("write_file", "notes/trap/a/b", content="x", create_folders=create)
    ).code == "path_denied"
    assert tree(notes.parent) == before


async def test_a_file_with_two_names_is_read_where_the_operator_says_so_and_never_written(notes: Path) -> None:
    path = hard_link(notes)
    caller = caller_for(notes, hard_links=True)
    assert (await caller("read_file", path))["content"] == "secret"
    for function, more in (("write_file", {"content": "x"}), ("delete_file", {})):
        assert (await caller.refusal(function, path, **more)).data["bound"] == "hard_link"


async def test_the_root_itself_may_be_reached_through_the_operators_own_link(notes: Path, walked: str) -> None:
    (notes.parent / "link").symlink_to(notes)
    answer = await caller_for(notes.parent / "link")("read_file", "notes/inner/secret.txt")
    assert answer["content"] == "harmless"


SWAPPER = """
import os, sys
notes, outside = sys.argv[1:]
os.chdir(notes)
os.symlink(outside, "spare")          # "inner" is a folder, "spare" a link to the outside
os.symlink(os.path.join(outside, "secret.txt"), "spare.txt")
import ctypes
libc = ctypes.CDLL(None)
print("ready", flush=True)
while True:                           # RENAME_EXCHANGE: neither name is ever missing
    libc.renameat2(-100, b"inner", -100, b"spare", 2)
    libc.renameat2(-100, b"plain.txt", -100, b"spare.txt", 2)
"""


@contextmanager
def swapping(notes: Path) -> Generator[None]:
    """Another process that swaps a folder and a file of ``notes`` for links to the outside, as fast as it can."""
    (notes / "plain.txt").write_text("harmless")
    command = [sys.executable, "-c", SWAPPER, notes, notes.parent / "outside"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as swapper:
        try:
            assert swapper.stdout is not None
            assert swapper.stdout.readline() == b"ready\n"
            yield
        finally:
            swapper.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="swaps with renameat2")
@pytest.mark.parametrize(("function", "tries"), [("read_file", 5_000), ("list_files", 3_000), ("write_file", 600)])
async def test_a_link_swapped_in_while_the_host_looks_leads_nowhere(
    notes: Path, walked: str, function: str, tries: int
) -> None:
    before = tree(notes.parent / "outside")
    caller = caller_for(notes, limits=FileLimits(operations=tries))
    more: dict[str, Any] = {"content": "harmless"} if function == "write_file" else {}
    paths = ["notes/inner"] if function == "list_files" else ["notes/inner/secret.txt", "notes/plain.txt"]
    answered = refused = 0
    with swapping(notes):
        for number in range(tries):
            try:
                answer = await caller(function, paths[number % len(paths)], **more)
            except HostRefusal as refusal:
                assert refusal.code in {"path_denied", "file_not_found"}
                refused += 1
            else:
                answered += 1
                assert answer.get("content", "harmless") == "harmless"
                assert [entry["size"] for entry in answer.get("entries", [])] in ([], [len("harmless")])
    assert tree(notes.parent / "outside") == before
    assert min(answered, refused) > 0


@pytest.mark.skipif(sys.platform != "linux", reason="swaps with renameat2")
def test_the_swapped_links_lead_out_where_nobody_looks_after_them(notes: Path) -> None:
    """The control of the test above: a check and then an open, by path, reads the secret."""
    with swapping(notes):
        for _ in range(200_000):
            path = notes / "plain.txt"
            if not path.is_symlink() and path.read_text() == "secret":
                return
    raise AssertionError("the race was never won, so the test above shows nothing")


@pytest.mark.parametrize("function", ["read_file", "write_file", "delete_file"])
@pytest.mark.parametrize("trap", FILE_TRAPS)
async def test_what_takes_a_files_place_right_after_the_first_look_is_not_opened(
    notes: Path, monkeypatch: pytest.MonkeyPatch, function: str, trap: Callable[[Path], str]
) -> None:
    trap(notes)  # skips where it cannot be made
    (notes / "trap").rename(notes / "spare")
    (notes / "plain").write_text("harmless")
    before = tree(notes.parent / "outside")
    real = os.stat

    def stat_then_swap(*arguments: Any, **options: Any) -> os.stat_result:
        seen = real(*arguments, **options)
        if arguments[0] == "plain" and os.path.lexists(notes / "spare"):
            (notes / "spare").rename(notes / "plain")
        return seen

    more: dict[str, Any] = {"content": "new"} if function == "write_file" else {}
    caller = caller_for(notes)
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", stat_then_swap)
        if function == "read_file":
            assert (await caller.refusal(function, "notes/plain")).code == "path_denied"
        else:
            await caller(function, "notes/plain", **more)  # touches the name, never what it stood for
    assert "spare" not in names_in(notes)
    assert tree(notes.parent / "outside") == before
    if function == "write_file":
        assert ((notes / "plain").is_symlink(), (notes / "plain").read_text()) == (False, "new")


async def test_a_listing_follows_no_link_and_tells_nothing_of_where_it_leads(notes: Path, walked: str) -> None:
    absolute_link(notes)
    answer = await caller_for(notes)("list_files", "notes")
    (entry,) = (entry for entry in answer["entries"] if entry["name"] == "trap")
    assert (entry["type"], entry["size"]) == ("other", None)
