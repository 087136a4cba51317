"""What runs in the child: the process that loads one plugin's WebAssembly and runs its functions.

Nothing secret is imported here: no settings, no capabilities, no back ends, no MCP. A worker knows one
module, one channel to the server process, and how to wall itself in. The parent's half is ``runtime/``.
"""
