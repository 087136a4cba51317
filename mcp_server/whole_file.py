"""Files that are replaced as a whole: at any time the old one or the new one is there, never a half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["replace_file", "replacing"]


def replace_file(path: Path, data: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Put ``data`` in the place of ``path``, as :func:`replacing` does.

    Raises:
        OSError: It cannot be written.
    """
    with replacing(path, mode=mode, durable=durable) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, *, mode: int = 0o600, durable: bool = False) -> Generator[IO[bytes]]:
    """A file to write, which takes the place of ``path`` at the end of the block.

    When the block fails, nothing has changed and nothing is left behind.

    Args:
        path: Its folder must be there.
        mode: Permissions of the new file.
        durable: Whether it must be on the disk before the old one goes; costs an fsync.

    Raises:
        OSError: It cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(handle)
        fresh.chmod(mode)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
