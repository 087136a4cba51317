"""``python -m mcp_server``: the same as the command ``agentmem-mcp``."""

from mcp_server.cli.main import main

if __name__ == "__main__":
    main()
