"""AgentMem plugins over MCP: WebAssembly modules run as tools, behind walls.

The way of a call, and the folders that own each step::

    client      Claude Desktop, an SDK, the command line
    transport/  reads its bytes, answers in its protocol era         (stdio, http)
    tools/      finds the tool, checks the arguments, shapes the result
    policy/     says what the plugin may do and where each limit stands
    registry/   knows every discovered plugin and the state it is in
    runtime/    carries the call to a worker process, and the worker's questions back
    wasm/       has read the module's sections before any engine saw them
    capabilities/  answer what the guest asks of the host            (log, get_config …)

Imports point down that list only; ``app`` alone knows everyone. Guest code never runs in this process.
"""

__version__ = "0.1.0"
