"""What the server promises, one id per promise; ``@requirement(id)`` ties a test to it.

``test_requirements.py`` fails when a promise has no test, or when a flow test names no promise.
"""

from __future__ import annotations

import pytest

__all__ = ["REQUIREMENTS", "requirement"]

REQUIREMENTS: dict[str, str] = {
    # Discovery and manifests
    "discovery:bundle": "A folder with plugin.toml and a module side by side is found.",
    "discovery:two-roots": "A manifest in one folder finds its module in the plugins folder.",
    "discovery:lone-module": "A .wasm file without a manifest is found, with no rights and tools from its exports.",
    "discovery:missing-folder": "A folder that is named and missing, or cannot be read, is a clear error.",
    "discovery:bad-plugin-listed": "A bad plugin is listed with its reason and hides no other plugin's tools.",
    "manifest:unknown-key": "An unknown key is refused with a suggestion.",
    "manifest:wrong-type": "A value of the wrong type is refused by file and key.",
    "manifest:all-problems": "All problems of a file are reported at once.",
    "manifest:missing-wasm": "A manifest whose module is missing says where it looked.",
    "manifest:wrong-sha256": "A module that is not the pinned one is not loaded.",
    "manifest:path-containment": "A module path leaves the manifest's folder only into a plugin folder.",
    # Modules
    "module:truncated": "A truncated module is refused before any engine sees it.",
    "module:one-byte": "A file of one byte is refused before any engine sees it.",
    "module:nul-in-import": "An import name with a NUL is refused before any engine sees it.",
    "module:foreign-format": "A component, a text module or another file gets an error that says what it is.",
    "module:lazy": "No module is compiled before it is called.",
    # Tools
    "tools:names": "A tool is named <plugin id>__<function>, or by the manifest's own second half.",
    "tools:name-collision": "Two plugins that would show one name are refused, and both are named.",
    "tools:list": "The tools are listed with title, description, schemas and annotations.",
    "tools:not-found": "Calling a tool that does not exist is an error of the protocol.",
    "tools:function-missing": "A manifest that names a function the module does not export is refused.",
    "arguments:not-an-object": "Arguments that are not an object are refused.",
    "arguments:unknown-key": "An argument the schema does not know is refused before the plugin runs.",
    "arguments:missing-key": "A missing argument is refused before the plugin runs.",
    "arguments:too-large": "Ten megabytes of arguments are refused by the input limit.",
    "result:object": "A JSON object becomes structured content and text.",
    "result:scalar-or-array": "A JSON scalar or array is wrapped for clients that know objects only.",
    "result:text": "Text stays text.",
    "result:content": 'A tool with result = "content" may return MCP content blocks.',
    "result:schema-checked": "A result that does not match the output schema is a tool error.",
    "result:garbage": "Output that is no text, no JSON where JSON is due, or too deep is a tool error that says so.",
    "result:too-large": "Output over the limit is a tool error that says so.",
    # Calls and their walls
    "call:trap": "A plugin that traps is one failed call.",
    "call:loop": "A plugin that loops for ever is stopped at its deadline.",
    "call:memory": "A plugin that exhausts its memory is stopped at its limit.",
    "call:start-loop": "A module whose start function loops is stopped at the load deadline.",
    "call:worker-death": "The death of a worker is one typed error, and the next call works.",
    "call:plugin-error": "An error that the plugin reports is a tool error with the plugin's text.",
    "call:next-answered": "After each failure the server answers the next call.",
    "capability:log": "A plugin logs through the host, within its limits.",
    "capability:get-config": "A plugin reads its own configuration through the host.",
    "capability:missing-grant": "A plugin that requires what it was not granted is held back with the line to add.",
    "capability:undeclared-import": "A module that imports what its manifest does not declare is held back.",
    # stdio
    "stdio:eras": "Clients of both protocol eras are served, back to 2024-11-05.",
    "stdio:probe-then-initialize": "A client may probe for the modern era and then initialize, on one pipe.",
    "stdio:stdout-clean": "stdout carries JSON-RPC alone, whatever a plugin or a library prints.",
    "stdio:stderr-unread": "A stderr that nobody reads never blocks the server.",
    "stdio:bad-frame-answered": "Each bad frame is answered, and the next good one too.",
    "stdio:eof": "At the end of its input the server finishes its calls and exits with 0.",
    "stdio:sigterm": "At SIGTERM the server finishes its calls and exits with 0.",
}


def requirement(name: str) -> pytest.MarkDecorator:
    """Tie a test to the promise ``name``.

    Raises:
        KeyError: There is no such promise.
    """
    if name not in REQUIREMENTS:
        raise KeyError(f"{name} is not in tests/requirements.py")
    return pytest.mark.requirement(name)
