"""One example for each command, shown at the end of its ``--help``; tests read every one as the command would."""

from __future__ import annotations

from collections.abc import Mapping

from typer import Typer

__all__ = ["EXAMPLES", "add_examples"]

PROGRAM = "agentmem-mcp"
EXAMPLES: Mapping[str, str] = {
    "serve": "serve --plugins ./my-plugins --watch",
    "demo": "demo",
    "version": "version --json",
    "doctor": "doctor --plugins ./my-plugins",
    "install": "install claude-desktop --plugins ./my-plugins --dry-run",
    "uninstall": "uninstall claude-desktop --dry-run",
    "mcpb": "mcpb hello memory-processor --output agentmem.mcpb",
    "server-json": "server-json --name io.github.somebody/agentmem",
    "completion": "completion bash",
    "new": "new my-plugin --lang c",
    "build": "build ./my-plugin",
    "test": "test ./my-plugin --junit results.xml",
    "check": "check ./my-plugin --strict",
    "inspect": "inspect my-plugin.wasm --write",
    "dev": "dev ./my-plugin",
    "bench": "bench ./my-plugin hello",
    "package": "package ./my-plugin",
    "sign": "sign my-plugin-0.1.0.zip",
    "verify": "verify my-plugin-0.1.0.zip",
    "publish": "publish my-plugin-0.1.0.zip oci://registry.example.com/me/my-plugin",
    "add": "add ./my-plugin-0.1.0.zip",
    "update": "update my-plugin",
    "remove": "remove my-plugin",
    "search": "search weather",
    "index build": "index build ./public",
    "key generate": "key generate",
    "key trust": "key trust ann RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
    "key forget": "key forget ann",
    "key list": "key list",
    "plugin list": "plugin list --plugins ./my-plugins",
    "plugin show": "plugin show hello --json",
    "plugin approve": "plugin approve hello",
    "plugin pending": "plugin pending --locked",
    "plugin stats": "plugin stats hello",
    "plugin logs": "plugin logs hello -n 20 --follow",
    "plugin enable": "plugin enable hello",
    "plugin disable": "plugin disable hello",
    "plugin start": "plugin start hello",
    "plugin stop": "plugin stop hello",
    "plugin restart": "plugin restart hello",
    "plugin reload": "plugin reload hello",
    "plugin grant": 'plugin grant fetcher --host "GET https://api.example.com/v1/*"',
    "plugin revoke": "plugin revoke fetcher NetworkAccess",
    "plugin grants": "plugin grants fetcher",
    "tool list": "tool list --json",
    "tool call": "tool call hello__hello message=World",
    "config show": "config show --origin",
    "config path": "config path",
    "config check": "config check --config ./agentmem.toml",
    "config set": "config set runtime.max_workers=2 log.level=debug",
    "config unset": "config unset log.level",
    "config trust": "config trust .",
    "cache info": "cache info --json",
    "cache clear": "cache clear",
    "audit show": "audit show --plugin fetcher --since 2h",
    "audit verify": "audit verify",
    "memory search": 'memory search "green tea" --limit 3',
    "memory add": 'memory add "Ann drinks green tea" --type semantic',
    "memory export": "memory export memories.jsonl",
    "memory import": "memory import memories.jsonl",
    "memory stats": "memory stats --user bob",
    "memory history": "memory history 0b6f2a9c41d34c1f8a53",
    "memory delete": "memory delete 0b6f2a9c41d34c1f8a53",
    "memory delete-all": "memory delete-all --agent writer --confirm 12",
    "memory reindex": "memory reindex",
    "token create": "token create laptop --scope tools:list --scope tools:call --expires 30d",
    "token list": "token list --json",
    "token revoke": "token revoke laptop",
}
"""The words of a command -> the rest of a line that uses it."""


def add_examples(app: Typer, words: tuple[str, ...] = ()) -> None:
    """Put the examples under the help of the commands of ``app``, and of the groups in it."""
    for command in app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "").replace("_", "-")
        example = EXAMPLES.get(" ".join((*words, name)))
        if example is not None:
            command.epilog = f"\b\nExample:\n  {PROGRAM} {example}"
    for group in app.registered_groups:
        if group.typer_instance is not None and group.name:
            add_examples(group.typer_instance, (*words, str(group.name)))
