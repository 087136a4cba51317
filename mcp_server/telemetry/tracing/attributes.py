"""What a host call's span says, in the words of OpenTelemetry's conventions (GenAI, HTTP). Never content or secrets.

No prompt, no path, no query, no key: of a request only what the operator granted by name, and sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

__all__ = ["Attributes", "host_call_attributes"]

Attributes = dict[str, str | int | tuple[str, ...]]
_PORTS = {"http": 80, "https": 443}
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"})


def host_call_attributes(function: str, arguments: Mapping[str, Any] | None, data: object) -> Attributes:
    """The attributes of a call of ``function``.

    Args:
        function: The host function.
        arguments: As the guest gave them, unchecked; None where they could not be read.
        data: What was answered; None for a refusal.
    """
    answered = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    if function == "http_request":
        return _http(arguments or {}, answered)
    if function == "call_llm":
        return _llm(answered)
    return {}


def _http(arguments: Mapping[str, Any], answered: Mapping[str, Any]) -> Attributes:
    found: Attributes = {}
    method = arguments.get("method", "GET")
    found["http.request.method"] = method if isinstance(method, str) and method in _METHODS else "_OTHER"
    try:
        parts = urlsplit(str(arguments.get("url", "")))
        port = parts.port
    except ValueError:
        return found
    if answered and parts.hostname and parts.scheme in _PORTS:  # answered: then the host is one that was granted
        found["url.scheme"] = parts.scheme
        found["server.address"] = parts.hostname
        found["server.port"] = port or _PORTS[parts.scheme]
    if isinstance(answered.get("status"), int):
        found["http.response.status_code"] = answered["status"]
    return found


def _llm(answered: Mapping[str, Any]) -> Attributes:
    """What it took, of a call that was answered; whom it asked says the capability, which knows."""
    found: Attributes = {"gen_ai.operation.name": "chat"}
    if not answered:
        return found
    found["gen_ai.response.finish_reasons"] = (str(answered["finish_reason"]),)
    usage = cast("dict[str, int]", answered["usage"] or {})
    return found | {f"gen_ai.usage.{key}_tokens": count for key, count in usage.items()}
