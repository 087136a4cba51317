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
    # Consent
    "consent:asked": "With ask, the client's user is asked before the plugin runs, in both protocol eras.",
    "consent:denied": "Without a yes, or without a client that can ask, the plugin does not run.",
    "consent:remembered": "A yes lasts for the call, the session or for good, and only for the version it was given.",
    "consent:not-forged": "An answer counts once, for the call it was given for.",
    "log:to-client": "A plugin's log lines reach the client that called, from the level it wants.",
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
    # Hostile modules
    "hostile:typed-error": "Whatever a module does, its call ends with one typed error and harms no neighbour.",
    "hostile:deadline": "A loop, wherever it hides, ends at its deadline: in a call, a start function, the compiler.",
    "hostile:refused-unread": "A module that would abort or cheat the engine is refused before any engine sees it.",
    "hostile:memory-bound": "What the engine does not count is bounded by the worker's data limit.",
    "hostile:worker-death": "A guest that kills its worker costs its own calls a typed error, and nobody else's.",
    "hostile:host-answers": "Floods of, and absurd sizes in, host calls are refused with an envelope.",
    "hostile:output": "An output is read up to its limit, and never beyond.",
    "hostile:no-state": "In the default isolation no call finds anything of the one before.",
    "isolation:kept": "An instance is kept only where the manifest says so, and never after a failure.",
    # Limits
    "limits:pair": "What is exactly at a limit passes, and one past it gets the limit's own error.",
    "limits:words": "A limit's error names the limit, its value and the use; the operator reads where to raise it.",
    "limits:owner": "A manifest may lower a limit; only the operator raises one, and nobody past its hard value.",
    # Between server and worker
    "frames:exact": "Frames arrive whole, in order and at their call, however the bytes are cut.",
    "frames:hostile": "A worker that breaks the protocol loses its channel; nothing hangs, nothing else is raised.",
    # Workers
    "walls:environment": "A worker has an empty environment and stands in an empty folder.",
    "walls:descriptors": "A worker inherits no descriptor but its channel.",
    "walls:rlimits": "A worker's memory, processor time, files and core size are limited by the kernel.",
    "walls:kernel": "A worker has no privilege, can get none, and tells truthfully which walls stand.",
    "walls:enforced": "What a worker may not do fails when it is tried inside the walls.",
    "deaths:worker": "The death of a worker costs the calls in it a typed error, and nothing else.",
    "deaths:forkserver": "The death of the forkserver is survived in the same way.",
    "deaths:server": "When the server ends, by whatever means, its processes end.",
    "deaths:backoff": "A plugin whose workers keep dying is held back, then quarantined, until it is restarted.",
    "deaths:idle": "A worker that nobody uses ends; the plugin stays.",
    "deaths:spread": "More calls than one worker should have start another one.",
    "deaths:cache": "A cache folder that disappears does not take the server with it.",
    "concurrency:no-crosstalk": "A timeout, a cancel or a trap of one call never touches another call of the plugin.",
    "concurrency:right-answers": "However many calls run at once, each caller gets its own answer.",
    "concurrency:principal": "One principal's calls in flight are bounded, and so is its waiting line.",
    "cancel:nothing-left": "Calls cancelled at any moment leave no slot, descriptor, thread or process behind.",
    "cancel:stops-the-guest": "A call that nobody waits for any more stops, in the guest too.",
    "cancel:host-functions": "What a guest waits for at the host ends with its call.",
    # Lifecycle
    "lifecycle:order": "initialize, start, warmup and stop are called at the right moments of every instance.",
    "lifecycle:warm": "A plugin can be loaded before its first call.",
    "lifecycle:states": "A plugin's state changes along one table; stop, restart and errors end where they should.",
    # As a library
    "library:builder": "Plugins are added one by one or by folder before the host is entered.",
    "library:call": "Any function of a plugin can be called with JSON or bytes, and says why when it cannot.",
    "library:many": "A batch goes in one message; each item gets its own output or its own error, in order.",
    "library:look": "Plugins, figures and changes can be looked at while the host runs.",
    "library:end": "Leaving the host ends its calls and its processes, and nothing else.",
    # Reloading
    "reload:under-load": "Reloads under load fail no call, mix no answer and leave no old worker.",
    "reload:running-calls": "A running call ends on its version, within the drain time.",
    "reload:bad-version": "A version that cannot be taken leaves the old one serving and shows why.",
    "reload:swap": "The bytes that are loaded are the bytes that were read and hashed.",
    "watch:picked-up": "With --watch, changed, new and removed plugins are picked up while serving.",
    "watch:half-written": "A half-written file waits; the version before it serves.",
    "watch:heard": "A client of either era hears that the tool list changed.",
    "cache:private": "Modules and compiled code lie where nobody else can enter.",
    "cache:integrity": "A stored module is hashed again before it is loaded; one that is gone can be brought back.",
    "cache:bounded": "Compiled code is kept for the next start, bounded in size, and cleared on demand.",
    # stdio
    "stdio:eras": "Clients of both protocol eras are served, back to 2024-11-05.",
    "stdio:probe-then-initialize": "A client may probe for the modern era and then initialize, on one pipe.",
    "stdio:stdout-clean": "stdout carries JSON-RPC alone, whatever a plugin or a library prints.",
    "stdio:stderr-unread": "A stderr that nobody reads never blocks the server.",
    "stdio:bad-frame-answered": "Each bad frame is answered, and the next good one too.",
    "stdio:eof": "At the end of its input the server finishes its calls and exits with 0.",
    "stdio:sigterm": "At SIGTERM the server finishes its calls and exits with 0.",
    # The command, its documents and the clients
    "demo:shows-the-product": "The demo shows the tools, calls them, one refusal and one plugin held back.",
    "demo:fails-with-a-step": "The demo exits with 0 only when every step held, and says what was expected.",
    "commands:json": "Every command that reads answers one JSON object with --json, its errors included.",
    "commands:exit-codes": "The exit code tells usage, denial, a tool's error and an invalid plugin apart.",
    "commands:call": "A tool is called from the shell with words, with JSON, and with JSON from stdin.",
    "commands:folders": "Without folders the local ones are used, then the user's, then the examples.",
    "commands:home": "AGENTMEM_HOME moves everything that the commands read and write.",
    "commands:quick-help": "--help loads no protocol and no engine.",
    "package:wheel": "The wheel, installed without the checkout, serves the example plugins.",
    "package:sdist": "The source archive holds what a build needs and nothing that a build makes.",
    "package:locked": "What is installed is locked by digest, and the locks fit what is asked for.",
    "clients:claude-desktop": "The example for Claude Desktop works when its paths are filled in.",
    "interop:typescript": "The TypeScript SDKs list and call the tools, in both protocol eras.",
    "interop:inspector": "The MCP Inspector lists and calls the tools.",
    "docs:settings": "Every setting is documented with its default.",
    "docs:manifest": "Every key of plugin.toml is documented.",
    "docs:errors": "Every error code and every exit code is documented.",
    "docs:limits": "Every limit is documented.",
    "docs:capabilities": "Every capability and every host function is documented.",
    "docs:commands": "Every command and every option is documented.",
    "docs:generated": "The generated pages are those of the code.",
    "docs:readme-runs": "What the README tells a reader to do works.",
    "architecture:imports-point-down": "Imports point down the layers, and only there.",
    "architecture:small-parts": "Modules and functions stay small.",
    "architecture:public-names": "What a module calls public is there.",
    # Reload
    "reload:on-demand": "SIGHUP makes a running server take new, changed and removed plugins.",
    # Capabilities that need a grant or a store
    "capability:memory": "A plugin stores, finds, changes and deletes its principal's memories, and no other plugin's.",
    "capability:storage": "A granted plugin keeps values under keys, within its quotas.",
    "capability:search": "A granted plugin ranks candidates it brings; what needs embeddings says so.",
    "capability:files": "A granted plugin uses the folders it was given, and nothing beside them.",
    "capability:network": "A granted plugin reaches the URLs that its manifest and its grant both allow.",
    "capability:secret": "A secret is sent where its grant binds it, and shown to nobody.",
    "capability:llm": "A granted plugin asks a language model by an alias, and learns neither its key nor its place.",
    "capability:llm-budget": "What a plugin takes of a language model is reserved, settled and bounded.",
    "capability:not-granted": "What is optional and not granted answers capability_denied.",
    # Rights: configuration, grants and refusals
    "settings:layers": "Command line beats environment beats project file beats user file beats default, key by key.",
    "settings:origin": "Every value in force can be shown with the place it came from, and no secret is.",
    "settings:problems": "All problems of every configuration file are told at once, with file and key.",
    "settings:stranger": "A project file that is not trusted widens no right and no limit, and says what is ignored.",
    "settings:no-self-grant": "No plugin writes a configuration file that could grant it rights.",
    "grants:edit": "Granting and revoking change what they must, keep comments and order, and can be repeated.",
    "grants:refuse": "A file that cannot be read, or would not be in order afterwards, is left as it is.",
    "grants:reload": "A running server takes changed grants up as a new version, and a revoked right is not kept.",
    "grants:side-by-side": "What a plugin asks for, is granted and has in force is shown side by side.",
    "refusals:operator": "A refusal tells the operator the command and the line that would allow it.",
    "refusals:model": "What a model or a guest sees of a refusal holds nothing of the operator's part.",
    # Approval and audit
    "approval:first-use": "An installed plugin is recorded when it is first used, and served from then on.",
    "approval:pending": "A change of module, manifest, tool text or grant waits for approval, and the old one serves.",
    "approval:approve": "An approval names who and when, and makes the changed version serve.",
    "approval:fresh-start": "A fresh start serves the approved version from its copy, or nothing of that plugin.",
    "approval:narrowing": "A right that the operator takes away is gone at once, without an approval.",
    "approval:development": "Plugins in folders that the operator names or trusts never wait.",
    "approval:required": "With mode required nothing runs that nobody approved.",
    "approval:locked": "serve --locked starts only when every plugin is what was approved.",
    "approval:lock-file": "plugins.lock is private, survives several writers, and counts for nothing when damaged.",
    "audit:rows": "Each network, file and model call, each write and each refused right is on record with its outcome.",
    "audit:decisions": "What a plugin was granted, refused and approved for is on record.",
    "audit:no-secrets": "No argument and no secret is in the audit log.",
    "audit:verify": "A row that was altered, removed, re-ordered or cut off is found, with its file and line.",
    "audit:bounded": "The log rotates with its chain intact, and rows that cannot be taken are counted.",
    "audit:survives": "A killed process loses no written row, and leaves a log that holds.",
    "capability:deny-beats-allow": "A denied capability is not had, whatever else is granted.",
}


def requirement(name: str) -> pytest.MarkDecorator:
    """Tie a test to the promise ``name``.

    Raises:
        KeyError: There is no such promise.
    """
    if name not in REQUIREMENTS:
        raise KeyError(f"{name} is not in tests/requirements.py")
    return pytest.mark.requirement(name)
