"""The command ``agentmem-mcp``, also as ``python -m mcp_server``; a client on pipes is answered before it is loaded."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    opened = None
    if sys.argv[1:2] == ["serve"]:
        import os  # noqa: PLC0415  # imports here are what a start waits for

        from mcp_server.opening.front import open_pipes  # noqa: PLC0415  # as above

        opened = open_pipes(sys.argv[2:], os.environ, 0, 1)  # noqa: TID251  # settings are imported later
        if opened is not None and opened.over:
            return
    if opened is not None and opened.options:
        from mcp_server.cli.serve import serve_again  # noqa: PLC0415  # as above

        serve_again(opened)
    else:
        from mcp_server.cli.main import main as run  # noqa: PLC0415  # as above

        run(opened)


if __name__ == "__main__":
    main()
