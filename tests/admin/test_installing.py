"""Installing at every point where the disk says no, or the process dies: the old bundle is there, or the new one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server import __version__
from mcp_server.errors import AgentMemError
from mcp_server.registry.discovery import Found, PluginFolders, discover
from mcp_server.registry.errors import InstallFailed, NotInstalled
from mcp_server.registry.installed import InstalledPlugins
from mcp_server.registry.registration import Registration
from mcp_server.registry.version import OperatorWord, read_manifest, read_version
from tests.admin.conftest import manifest, zipped
from tests.guests import ECHO, module
from tests.requirements import requirement

OPERATIONS = (
    "open",
    "mkdir",
    "rename",
    "replace",
    "symlink",
    "chmod",
    "fsync",
    "unlink",
    "rmdir",
    "scandir",
    "readlink",
)
MOST = 200


def install(data: Path, content: bytes) -> str:
    """Install a zip as an upload would."""
    registration = Registration(InstalledPlugins(data), __version__)
    archive = data / "sent.zip"
    with registration.installed.staging() as staged:
        registration.from_archive(archive.with_name(content.hex()[-8:]), staged)
        return registration.install(staged, frozenset())


def given(data: Path, version: str) -> bytes:
    """A bundle with a folder in it, whose zip lies in ``data``, written before anything fails."""
    files = {"plugin.toml": manifest("sent", version), "sent.wasm": module(ECHO), "schemas/in/a.json": "{}"}
    content = zipped(files)
    (data / content.hex()[-8:]).write_bytes(content)
    return content


def version_of(data: Path) -> str | None:
    """The version that a scan would find; it is whole, or this fails."""
    found = discover(PluginFolders(plugins=(data / "plugins",))) if (data / "plugins").is_dir() else []
    if not found:
        return None
    assert found == [Found(data / "plugins" / "sent" / "plugin.toml", "manifest")]
    source = read_manifest(found[0], (), __version__)
    assert read_version(source, OperatorWord()).runnable.exports == ("echo",)
    return source.manifest.plugin.version


class Failing:
    """Counts operations of the file system, and does something in the place of the n-th."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int, act: Callable[[], object]) -> None:
        self.seen, self._at, self._act = 0, at, act
        for name in OPERATIONS:
            patch.setattr(os, name, self._counted(getattr(os, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.seen += 1
            if self.seen == self._at:
                self._act()
            return real(*args, **kwargs)

        return counted


def full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@requirement("api:uploads")
@pytest.mark.parametrize("old", [None, "0.1.0"])
def test_whichever_operation_fails_the_old_bundle_is_installed_or_the_new(tmp_path: Path, old: str | None) -> None:
    outcomes: set[str | None] = set()
    for at in range(1, MOST):
        data = tmp_path / str(at)
        data.mkdir()
        if old:
            install(data, given(data, old))
        fresh, failed = given(data, "0.2.0"), False
        with pytest.MonkeyPatch.context() as patch:
            failing = Failing(patch, at, full)
            try:
                install(data, fresh)
            except InstallFailed:
                failed = True
        assert version_of(data) == (old if failed else "0.2.0"), at
        outcomes.add(old if failed else "0.2.0")
        if failing.seen < at:
            break
        assert install(data, fresh) == "sent"  # and it can be done again
        assert version_of(data) == "0.2.0"
    else:
        pytest.fail("it never came to an end")
    assert outcomes == {old, "0.2.0"}


@requirement("api:uploads")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the child does nothing but files
@pytest.mark.parametrize("old", [None, "0.1.0"])
def test_wherever_the_process_dies_the_old_bundle_is_installed_or_the_new(tmp_path: Path, old: str | None) -> None:
    for at in range(1, MOST):
        data = tmp_path / str(at)
        data.mkdir()
        if old:
            install(data, given(data, old))
        fresh = given(data, "0.2.0")
        child = os.fork()
        if not child:
            Failing(pytest.MonkeyPatch(), at, lambda: os._exit(9))
            try:
                install(data, fresh)
            finally:
                os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert version_of(data) in (old, "0.2.0"), at
        if status == 0:
            assert version_of(data) == "0.2.0"
            break
        assert install(data, fresh) == "sent"
        assert version_of(data) == "0.2.0"
    else:
        pytest.fail("it never came to an end")


def test_a_plugin_that_lies_there_by_hand_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "plugins" / "sent").mkdir(parents=True)
    (tmp_path / "plugins" / "sent" / "mine").write_text("mine")
    with pytest.raises(NotInstalled):
        install(tmp_path, given(tmp_path, "0.1.0"))
    with pytest.raises(AgentMemError):
        InstalledPlugins(tmp_path).remove("sent")
    assert (tmp_path / "plugins" / "sent" / "mine").read_text() == "mine"
    assert list((tmp_path / "bundles").iterdir()) == []


def test_installed_files_are_read_only_and_named_by_what_is_in_them(tmp_path: Path) -> None:
    install(tmp_path, given(tmp_path, "0.1.0"))
    home = (tmp_path / "plugins" / "sent").resolve()
    assert home.parent == (tmp_path / "bundles").resolve()
    assert len(home.name) == 64
    files = [path for path in home.rglob("*") if path.is_file()]
    assert [path.stat().st_mode & 0o777 for path in files] == [0o400] * 3
    assert home.stat().st_mode & 0o777 == 0o700
