"""The command ``agentmem-mcp``, also as ``python -m mcp_server``; a client on pipes is answered before it is loaded."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_server.opening.front import Opened

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    # It would look for plugins of its own in everything that is installed, a tenth of what our imports take.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")  # noqa: TID251  # pydantic reads it there
    opened = _opened() if sys.argv[1:2] == ["serve"] else None
    if opened is not None and opened.over:
        return
    if opened is not None and opened.options:
        from mcp_server.cli.serve import serve_again  # noqa: PLC0415  # imports here are what a start waits for

        serve_again(opened)
    else:
        from mcp_server.cli.main import main as run  # noqa: PLC0415  # as above

        run(opened)


def _opened() -> Opened | None:
    """Answer a client on pipes for as long as that is possible without a server, which then starts in haste."""
    import gc  # noqa: PLC0415  # as above

    from mcp_server.opening.front import open_pipes  # noqa: PLC0415  # as above

    opened = open_pipes(sys.argv[2:], os.environ, 0, 1)  # noqa: TID251  # settings are imported later
    if opened is None:
        return None
    gc.disable()  # until all is there: what is imported stays, and would be looked at again and again
    if b'"tools/call"' in opened.unread:
        from mcp_server.worker.ahead import start_ahead  # noqa: PLC0415  # as above

        start_ahead()
    return opened


if __name__ == "__main__":
    main()
