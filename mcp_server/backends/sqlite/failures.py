"""From apsw's exceptions to the error tree of the stores."""

from __future__ import annotations

import apsw

from mcp_server.backends.errors import StoreBusy, StoreDamaged, StoreError, StoreFull

__all__ = ["failure"]

_FULL_FIX = "free space on the disk of the data folder; nothing needs a restart"
_WRITE_FAILED = frozenset({apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_SHMSIZE, apsw.SQLITE_IOERR_TRUNCATE})


def failure(error: apsw.Error) -> StoreError:
    """What ``error`` means to a caller; the text of SQLite stays on the operator's side."""
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return StoreBusy("the store is busy with another process's write; try again")
    if isinstance(error, apsw.FullError):
        return StoreFull("the store has no space left; nothing was written", fix=_FULL_FIX)
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return StoreDamaged("the store's file is damaged", fix=f"restore it from a backup ({error})")
    if isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) in _WRITE_FAILED:
        # SQLite says FULL for ENOSPC alone; a quota (EDQUOT) or a file size limit (EFBIG) ends here.
        return StoreFull("the store could not be written; nothing was written", fix=_FULL_FIX)
    return StoreError("the store failed", fix=f"{type(error).__name__}: {error}")
