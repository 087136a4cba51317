"""The configuration files of MCP clients: where they are, what stands in them for us, and how that is changed.

What this server does is not known here, and no client is ever started.
"""
