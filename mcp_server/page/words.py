"""Sentences of the page that are not in a template: what was done, and the next step after a refusal."""

from __future__ import annotations

__all__ = ["FIXES", "SAID"]

SAID: dict[str, str] = {
    "start": "The plugin was started.",
    "stop": "The plugin was stopped; calls under way ended first.",
    "restart": "The plugin was loaded anew, and its crashes are forgotten.",
    "reload": "Configuration and plugin folders were read again.",
    "approve": "Approved, and served from now on.",
    "grant": "Granted, and written into your configuration.",
    "revoke": "Taken away, and written into your configuration.",
    "unchanged": "Nothing had to be changed.",
    "added": "The memory was stored.",
    "duplicate": "That memory was there already; it is stored once.",
    "deleted": "The memory was deleted.",
    "signed-out": "You are signed out.",
}
"""By the word in an address; no text of an address is ever shown."""

FIXES: dict[str, str] = {
    "foreign_host": "Open the page under the name that the server was started with, or add this name to [http] hosts.",
    "foreign_origin": "Use the server's own page; only pages of this server may send it forms.",
    "form_refused": "Go back, load the page again and repeat what you did.",
    "insufficient_scope": "Sign out, and sign in with a token that has the scopes named above; "
    "`agentmem-mcp token create NAME --scope …` makes one.",
    "too_many_requests": "Wait for the seconds named above and load the page again.",
    "body_too_large": "Send less; [http] max_body_kb bounds what programs send.",
    "request_timeout": "Try again on a better line; [http] body_seconds bounds how long a form may take.",
    "not_found": "Go to the start page and find it from there.",
    "method_not_allowed": "Go to the start page; this address is for a form of it.",
    "plugin_not_found": "Go to the start page: it lists every plugin that was found.",
    "memory_not_found": "Go to the memories: it was deleted, or has ended.",
    "function_missing": "Look at the plugin's page: it shows its tools while it serves.",
    "tokens_unreadable": "The operator of this server finds the reason in its log.",
    "ending": "The server is ending; load the page again when it has been started.",
    "invalid_arguments": "Go back and correct what is named above.",
    "internal": "The server's log says what failed; the request can be tried again.",
    "otherwise": "Go back and try again; the operator of this server finds more in its log.",
}
"""By the code of a refusal that names no step of its own."""
