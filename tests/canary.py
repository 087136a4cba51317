"""A secret in every place for one, and a watch over everything that the suite produces: no secret may turn up there.

A pytest plugin. ``slot("llm key")`` gives a test the secret to put into that place; every process that a test starts
has more of them in its environment. What is watched: what tests and their servers print and log, what child processes
write to pipes and to files without a name, and at the end of the run every file below the temporary folders:
databases, audit logs, figures, lock files. A test that leaks fails, and so does the run.

What an upstream server is sent is not watched: there a secret is meant to arrive. Tests say that it does.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import stat
import subprocess
from asyncio.subprocess import SubprocessStreamProtocol
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

__all__ = ["ENVIRONMENT", "SLOTS", "leaks_in", "placed", "slot"]

SLOTS = (
    "llm key",  # [llm.providers.<name>] key
    "network secret",  # [grants.<id>.network] secrets
    "embeddings key",  # [memory.embeddings] key
    "config secret",  # [config.<id>] key = { secret = "NAME" }, handed to a plugin
    "collector header",  # OTEL_EXPORTER_OTLP_HEADERS
    "config value",  # [config.<id>], written where an operator should not write one
    "access token",  # of an authorization server, in the header of a request
    "registry password",  # [sharing.credentials]
    "identity token",  # SIGSTORE_ID_TOKEN
    "client configuration",  # of other servers, in the file of a client
    "sign-in",  # in the token that somebody signed in to the page with
    "environment",  # what else an operator's shell holds
)
"""Every place for a secret. One joins here; a test fails until another one takes its secret from :func:`slot`."""

# Every process of a run under xdist must make the same one: secrets stand in the parameters of tests.
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex()  # noqa: TID251  # the test runner's
NONCE = hashlib.sha256(_RUN.encode()).hexdigest()[:24]
_LONGEST = 64
_PIECE = 1024 * 1024


def slot(name: str) -> str:
    """The secret for the place ``name``.

    Raises:
        ValueError: There is no such place.
    """
    if name not in SLOTS:
        raise ValueError(f"{name!r} is not in SLOTS")
    return f"canary-{name.replace(' ', '-')}-{NONCE}"


ENVIRONMENT = {
    name: slot("environment")
    for name in ("AGENTMEM_SECRET_CANARY", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HF_TOKEN")
}


def _spellings(word: str) -> Iterable[bytes]:
    """``word``, in hexadecimal, and in base64 wherever it begins in a longer text."""
    raw = word.encode()
    yield raw
    yield raw.hex().encode()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        yield coded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]


# Searched one by one, in lower case throughout: twenty times as fast as one regular expression that ignores case, with
# which the last watch over a run's files took more than a minute.
_FINDS = [spelling.lower() for spelling in _spellings(NONCE)]
_found: list[str] = []
_placed: set[Path] = set()
_unnamed: list[int] = []
_tails: WeakKeyDictionary[SubprocessStreamProtocol, dict[int, bytes]] = WeakKeyDictionary()


def placed(path: Path) -> Path:
    """``path``, a file that a test wrote a secret into on purpose."""
    _placed.add(path.resolve())
    return path


def leaks_in(folder: Path) -> list[str]:
    """The files below ``folder`` that hold a secret, other than those that were :func:`placed`."""
    files = (path for path in sorted(folder.rglob("*")) if not path.is_symlink() and path.is_file())
    return [f"the file {path}" for path in files if path.resolve() not in _placed and _in_file(path)]


def _in_file(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            tail = b""
            while piece := file.read(_PIECE):
                if _holds_secret(tail + piece):
                    return True
                tail = piece[-_LONGEST:]
    except OSError:  # it went away meanwhile, or a test took the right to read it
        return False
    return False


def _holds_secret(data: bytes) -> bool:
    lowered = data.lower()
    return any(spelling in lowered for spelling in _FINDS)


def _watch(where: str, data: bytes | str | None) -> None:
    raw = data.encode(errors="replace") if isinstance(data, str) else data or b""
    if _holds_secret(raw):
        _found.append(where)


def _with_environment(given: dict[str, str] | None) -> dict[str, str] | None:
    """Secrets for what is started as from a shell; a worker's environment is empty, which is a promise of its own."""
    return {**ENVIRONMENT, **given} if given and "PATH" in given else given


def _keep_unnamed(stream: Any) -> None:
    """A duplicate of a temporary file that a child writes to, since nobody finds it afterwards."""
    try:
        number = stream if isinstance(stream, int) else stream.fileno()
        facts = os.fstat(number)
    except (AttributeError, OSError, ValueError):  # none, a pipe to be made, closed
        return
    if number > 2 and stat.S_ISREG(facts.st_mode) and facts.st_nlink == 0:
        _unnamed.append(os.dup(number))


def _wrap_processes(patch: pytest.MonkeyPatch) -> None:
    """Every child process of this one, however it is started."""
    popen: Any = subprocess.Popen
    start, communicate = popen.__init__, popen.communicate
    receive = SubprocessStreamProtocol.pipe_data_received

    def started(self: Any, *arguments: Any, **options: Any) -> None:
        options["env"] = _with_environment(options.get("env"))
        for name in ("stdout", "stderr"):
            _keep_unnamed(options.get(name))
        start(self, *arguments, **options)

    def communicated(self: Any, *arguments: Any, **options: Any) -> Any:
        streams = communicate(self, *arguments, **options)
        for name, data in zip(("stdout", "stderr"), streams, strict=True):
            _watch(f"the {name} of a child process", data)
        return streams

    def received(self: SubprocessStreamProtocol, fd: int, data: bytes) -> None:
        tails = _tails.setdefault(self, {})
        _watch(f"descriptor {fd} of a child process", tails.get(fd, b"") + data)
        tails[fd] = data[-_LONGEST:]
        receive(self, fd, data)

    patch.setattr(popen, "__init__", started)
    patch.setattr(popen, "communicate", communicated)
    patch.setattr(SubprocessStreamProtocol, "pipe_data_received", received)


def _in_unnamed() -> list[str]:
    found: list[str] = []
    while _unnamed:
        number = _unnamed.pop()
        if _in_file(Path(f"/proc/self/fd/{number}")):
            found.append("a temporary file that a child process wrote to")
        os.close(number)
    return found


@pytest.fixture(scope="session", autouse=True)
def canary(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """The watch, from before the first server to after the last one."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        _wrap_processes(patch)
        yield
    found = leaks_in(tmp_path_factory.getbasetemp()) + _in_unnamed()
    if found:
        pytest.fail(_told(found), pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """The last watch grows with the suite and belongs to no test: the last test's time does not run out over it."""
    if nextitem is None:
        item.config.hook.pytest_timeout_cancel_timer(item=item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fails the test after which a secret was seen in what it, or a child process, printed or logged."""
    report = yield
    for title, text in report.sections:
        if title.endswith(report.when or ""):  # those of earlier phases are in it again
            _watch(title, text)
    if _found:
        report.outcome = "failed"
        report.longrepr = _told(_found)
        _found.clear()
    return report


def _told(found: list[str]) -> str:
    return f"a secret is in {', '.join(dict.fromkeys(found))}"
