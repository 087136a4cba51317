"""What a client sees: the catalogue of tools, the call from top to bottom, and the shape of its result.

Everything here works on plain values, so that the command line, a library user, the MCP SDK's adapter and a faster
wire share one path.
"""
