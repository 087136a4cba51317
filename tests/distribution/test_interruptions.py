"""`add` and `update` of two plugins, broken off at every file operation: all as before, or all new, never between.

Each round is a forked process with an audit hook that counts what is done to files below the home, and at the n-th
either ends the process at once or says that the disk is full.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server import __version__
from mcp_server.cli.adding import How, add_plugins, update_plugins
from mcp_server.errors import AgentMemError
from mcp_server.registry.discovery import Found
from mcp_server.registry.installed import InstalledPlugins
from mcp_server.registry.version import OperatorWord, read_manifest, read_version
from tests.distribution.commands import answer
from tests.distribution.making import plugin
from tests.requirements import requirement

MOST = 1_000
EVENTS = ("open", "os.", "shutil.", "tempfile.")
DIED, FAILED, IN_SPITE, DONE = 9, 3, 4, 0
OLD, NEW = {"first": "0.1.0", "second": "0.1.0"}, {"first": "0.2.0", "second": "0.2.0"}


def die() -> None:
    os._exit(DIED)


def full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def written(_handle: int) -> None:
    """For ``os.fsync``, which is half of the time: what a dead process wrote is there all the same."""


def interrupted(home: Path, work: Callable[[], None], at: int, act: Callable[[], None]) -> int:
    """Run ``work`` in a child whose ``at``-th file operation below ``home`` is ``act``; how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seen, ours = 0, str(home)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event.startswith(EVENTS) and any(str(word).startswith(ours) for word in arguments):
            seen += 1
            if seen == at:
                act()

    def fsync(_handle: int) -> None:  # nothing audits it
        hook("os.fsync", (ours,))

    try:
        os.fsync = fsync
        sys.addaudithook(hook)
        work()
        os._exit(DONE if seen < at else IN_SPITE)
    except (AgentMemError, OSError):
        os._exit(FAILED)
    finally:
        os._exit(1)


def there(data: Path) -> dict[str, str]:
    """What is installed, for whoever comes next; each plugin is whole, and the lock says the same."""
    installed = InstalledPlugins(data)
    origins = installed.origins()
    found: dict[str, str] = {}
    for path in sorted(installed.folder.iterdir()) if installed.folder.is_dir() else ():
        source = read_manifest(Found(path / "plugin.toml", "manifest"), (), __version__)
        assert read_version(source, OperatorWord()).runnable.exports == ("echo",)
        found[path.name] = source.manifest.plugin.version
    assert {name: origin.version for name, origin in origins.items()} == found
    assert not (data / "bundles" / "change.json").exists()
    return found


@requirement("share:atomic")
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the child ends by itself
@pytest.mark.parametrize("act", [die, full])
@pytest.mark.parametrize("old", [{}, OLD], ids=["add", "update"])
def test_wherever_it_breaks_off_all_is_old_or_all_is_new(
    home: Path, stock: Path, monkeypatch: pytest.MonkeyPatch, old: dict[str, str], act: Callable[[], None]
) -> None:
    sources = [plugin(stock, name) for name in OLD]
    monkeypatch.setenv("AGENTMEM_HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(home))
    monkeypatch.setattr("os.fsync", written)
    how = How(quiet=True)

    def work() -> None:
        if old:
            update_plugins([], how)
        else:
            add_plugins([str(source) for source in sources], how)

    if old:
        add_plugins([str(source) for source in sources], how)
    for name in OLD:
        plugin(stock, name, "0.2.0")
    before = home.with_name("before")
    shutil.copytree(home, before, symlinks=True)
    ends: set[tuple[int, bool]] = set()
    for at in range(1, MOST):
        shutil.rmtree(home)
        shutil.copytree(before, home, symlinks=True)
        ended = interrupted(home, work, at, act)
        assert ended in (DIED, FAILED, DONE, IN_SPITE), at
        found = there(home / "data")
        assert found in (old, NEW), (at, found)
        assert ended != IN_SPITE or found == NEW, at
        ends.add((ended, found == NEW))
        if ended == DONE:
            assert found == NEW
            break
        work()  # and it can be done again
        assert there(home / "data") == NEW
    else:
        pytest.fail("it never came to an end")
    assert {new for _, new in ends} == {False, True}


@requirement("share:atomic")
@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_server_finishes_what_a_command_that_died_between_two_plugins_had_decided(home: Path, stock: Path) -> None:
    sources = [plugin(stock, name) for name in OLD]
    answer(home, "add", *sources)
    for name in OLD:
        plugin(stock, name, "0.2.0")
    child = os.fork()
    if not child:
        try:
            os.replace = dying_the_second_time(os.replace, home / "data" / "plugins")
            answer(home, "update")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED
    folder = home / "data" / "plugins"
    assert len({(folder / name).readlink() for name in OLD}) == len(OLD)
    texts = [(folder / name / "plugin.toml").read_text() for name in OLD]
    assert sorted("0.2.0" in text for text in texts) == [False, True]  # here is the moment between
    assert answer(home, "plugin", "list")["plugins"]  # which no reader sees
    assert there(home / "data") == NEW


def dying_the_second_time(real: Callable[..., None], folder: Path) -> Callable[..., None]:
    """``os.replace`` that ends the process when a second link in ``folder`` is to be replaced."""
    seen = 0

    def replace(source: str | Path, target: str | Path) -> None:
        nonlocal seen
        seen += Path(target).parent == folder
        if seen == 2:
            die()
        real(source, target)

    return replace
