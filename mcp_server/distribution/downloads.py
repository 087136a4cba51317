"""One file from a URL, kept by its digest: taken up where it broke off, and found again without a network.

::

    cache/packages/<sha256>             a whole file
    cache/packages/urls/<sha256>.json   which one a URL gave, by the digest of the URL
    cache/packages/parts/<sha256>       what came of a URL before it broke off

What is in the cache is checked by its digest each time it is used.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ValidationError

from mcp_server.distribution.errors import DownloadFailed
from mcp_server.distribution.web import Answer, Web
from mcp_server.errors import IntegrityError
from mcp_server.whole_file import replace_file

__all__ = ["Downloads", "Progress", "cached_packages", "clear_packages", "sha256_of"]

ATTEMPTS = 3
_STRONG = re.compile(r'"[!#-~]{1,200}"')
Progress = Callable[[str, int, int | None], None]
"""Told the name of what comes, the bytes so far, and how many there will be, where that is known."""


class _Known(BaseModel):
    url: str
    sha256: str
    etag: str = ""


FOLDER = "packages"
"""Its name in the cache folder."""


class Downloads:
    """Files by URL.

    Args:
        cache: The user's cache folder.
        web: Asks servers.
        offline: Take what is in the cache, and ask nobody.
        progress: Told how far it is.
    """

    def __init__(self, cache: Path, web: Web, *, offline: bool = False, progress: Progress | None = None) -> None:
        self._folder = cache / FOLDER
        self._web = web
        self._offline = offline
        self._progress = progress

    async def get(
        self,
        url: str,
        most: int,
        *,
        sha256: str | None = None,
        headers: Mapping[str, str] | None = None,
        same_origin: bool = False,
    ) -> bytes:
        """The bytes behind ``url``.

        Args:
            url: Of the file.
            most: Bytes that are taken.
            sha256: What they must be; then the cache alone may do.
            headers: Sent along.
            same_origin: Refuse a redirect to another origin.

        Raises:
            IntegrityError: They are others.
            DownloadFailed: They do not come, or are too many, or this is offline and they were never here.
            DownloadRefused: They would come from a place that nothing is fetched from.
        """
        known = self._known(url)
        there = self._kept(sha256 or (known.sha256 if known else ""))
        if there is not None and (sha256 is not None or self._offline):
            return there
        if self._offline:
            raise DownloadFailed(f"{url} is not in the cache, and --offline was said", fix="run it without --offline")
        self._made("urls")
        self._made("parts")
        with self._part(url).open("a+b") as part:
            _alone(part, url)
            fresh = known.etag if known and there is not None else ""
            unchanged = await self._whole(url, part, most, fresh, dict(headers or {}), same_origin=same_origin)
            if unchanged and there is not None:
                self._forget_part(url)
                return there
            return self._take(url, part, sha256)

    async def _whole(
        self, url: str, part: IO[bytes], most: int, etag: str, headers: dict[str, str], *, same_origin: bool
    ) -> bool:
        """Ask until ``part`` is whole, as long as each try brings it further."""
        attempt = 1
        while True:
            before = part.seek(0, 2)
            try:
                fresh = "" if before else etag
                return await self._fetch(url, part, most, fresh, dict(headers), same_origin=same_origin)
            except DownloadFailed:
                if attempt == ATTEMPTS or part.seek(0, 2) <= before:
                    raise
                attempt += 1

    def kept(self, sha256: str) -> bytes | None:
        """The file of that digest, where it is in the cache and whole."""
        return self._kept(sha256)

    def keep(self, data: bytes) -> None:
        """Put what came by another way into the cache."""
        self._made("urls")
        replace_file(self._folder / sha256_of(data), data)

    @property
    def offline(self) -> bool:
        return self._offline

    async def _fetch(
        self, url: str, part: IO[bytes], most: int, etag: str, headers: dict[str, str], *, same_origin: bool
    ) -> bool:
        """Let ``part`` grow until it is whole; True when the server says that what is known is still it."""
        done, mark = part.seek(0, 2), self._mark(url)
        if done and mark:
            headers |= {"range": f"bytes={done}-", "if-range": mark}
        elif etag:
            headers |= {"if-none-match": etag}
        async with self._web.ask("GET", url, headers, same_origin=same_origin) as answer:
            if answer.status == 304 and etag:
                return True
            if answer.status != 206 or not _goes_on(answer, done):
                part.truncate(0)
                done = 0
            if answer.status not in (200, 206):
                raise DownloadFailed(
                    f"{url} answers {answer.status}",
                    fix="look at the URL" if answer.status == 404 else "try again later",
                )
            self._write_mark(url, answer.headers.get("etag", ""))
            await self._append(url, part, answer, done, most)
        return False

    async def _append(self, url: str, part: IO[bytes], answer: Answer, done: int, most: int) -> None:
        length = answer.headers.get("content-length", "")
        total = done + int(length) if length.isdecimal() else None
        if total is not None and total > most:
            raise DownloadFailed(f"{url} is {total} bytes long; at most {most} are taken")
        name = url.rsplit("/", 1)[-1][:60]
        async for chunk in answer.body:
            done += len(chunk)
            if done > most:
                part.truncate(0)
                raise DownloadFailed(f"{url} is longer than {most} bytes, which is what is taken")
            part.write(chunk)
            part.flush()
            if self._progress is not None:
                self._progress(name, done, total)

    def _take(self, url: str, part: IO[bytes], sha256: str | None) -> bytes:
        part.seek(0)
        data = part.read()
        found = sha256_of(data)
        if sha256 is None or found == sha256:
            replace_file(self._folder / found, data)
            known = _Known(url=url, sha256=found, etag=self._mark(url))
            replace_file(self._url(url), known.model_dump_json().encode())
        self._forget_part(url)
        if sha256 is not None and found != sha256:
            raise IntegrityError(
                f"{url} has the sha256 {found}; it must be {sha256}",
                fix="find out who changed it; nothing was installed",
                data={"url": url, "sha256": found, "expected": sha256},
            )
        return data

    def _known(self, url: str) -> _Known | None:
        try:
            known = _Known.model_validate_json(self._url(url).read_bytes())
        except (OSError, ValidationError):
            return None
        return known if known.url == url else None

    def _kept(self, sha256: str) -> bytes | None:
        try:
            data = (self._folder / sha256).read_bytes() if sha256 else b""
        except OSError:
            return None
        return data if sha256 and sha256_of(data) == sha256 else None

    def _mark(self, url: str) -> str:
        try:
            return self._part(url).with_suffix(".etag").read_text(encoding="ascii")
        except (OSError, ValueError):
            return ""

    def _write_mark(self, url: str, etag: str) -> None:
        """Only a strong one says that the bytes are the same; without one, nothing is taken up again."""
        replace_file(self._part(url).with_suffix(".etag"), etag.encode() if _STRONG.fullmatch(etag) else b"")

    def _forget_part(self, url: str) -> None:
        self._part(url).unlink(missing_ok=True)
        self._part(url).with_suffix(".etag").unlink(missing_ok=True)

    def _url(self, url: str) -> Path:
        return self._folder / "urls" / f"{sha256_of(url.encode())}.json"

    def _part(self, url: str) -> Path:
        return self._folder / "parts" / sha256_of(url.encode())

    def _made(self, name: str) -> None:
        (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)


def cached_packages(cache: Path) -> dict[str, int]:
    """What was fetched and is kept below ``cache``, also in part: the bytes of each file, by its name."""
    files = (path for path in (cache / FOLDER).rglob("*") if path.is_file() and path.suffix not in (".json", ".etag"))
    return {path.name: path.stat().st_size for path in files}


def clear_packages(cache: Path) -> int:
    """Remove what was fetched, but what is being fetched now; the bytes freed."""
    freed = 0
    for path in [path for path in (cache / FOLDER).rglob("*") if path.is_file()]:
        with path.open("rb") as file, suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = path.stat().st_size
            path.unlink()
            freed += size
    return freed


def sha256_of(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _goes_on(answer: Answer, done: int) -> bool:
    return bool(done) and answer.headers.get("content-range", "").startswith(f"bytes {done}-")


def _alone(part: IO[bytes], url: str) -> None:
    with suppress(BlockingIOError):
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    raise DownloadFailed(f"another process is fetching {url}", fix="try again when it is done")
