"""Every code that a host function can put into ``metadata.code`` of a refusal, and what it means. A list, no behaviour.

``docs/errors.md`` is written from it, and a test holds it against every place in the code that refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["HOST_CODES"]

_EVERY = {
    "capability_denied": "the capability of the function is not granted; nothing was done",
    "internal": "a fault of the server; its log has more under the id of the call",
    "invalid_request": "the request is no JSON object in UTF-8, or a field is missing, unknown or wrong; the error "
    "names every problem",
    "limit_host_calls": "more host calls in one call than `max_host_calls`",
    "not_offered": "this server does not have the function",
    "request_too_large": "the request is longer than what goes from a worker to the server in one piece",
}
_STORE = {
    "store_busy": "another process was writing for five seconds; try again",
    "store_damaged": "the file is not what was written; restore it from a copy",
    "store_failed": "the database said no for another reason; the server's log has it",
    "store_full": "no space is left; reading works, and writing works again when there is space",
    "store_too_new": "a newer version of this program wrote the file",
    "version_conflict": "`if_version` is not the version that is stored; `actual` is",
}
_MEMORY = {
    "confirmation_needed": "many memories would be deleted (`memory delete-all`), not told their number",
    "cursor_invalid": "the cursor is not one that this caller, plugin and listing was given",
    "hook_failed": "a hook that must not be passed by failed, so nothing was done",
    "hook_vetoed": "a hook refused; its reason is in the error",
    "limit_memory_bytes": "the quota of the caller's memories of this plugin is used up",
    "memory_not_found": "there is none of that id in the caller's scope",
}
_STORAGE = {
    "limit_kv_bytes": "the quota of the caller's values of this plugin is used up",
    "limit_kv_value": "one value is longer than 1 MiB as JSON",
}
_SEARCH = {
    "embeddings_not_configured": "search by meaning was asked for, and no model is configured",
    "embeddings_unavailable": "a model is configured, and cannot be loaded or does not answer",
}
_LLM = {
    "limit_llm_answer": "the answer is longer than 1 MiB",
    "limit_llm_at_once": "more requests under way at one time than the grant allows",
    "limit_llm_calls": "more than `max_llm_calls` in one call",
    "limit_llm_cost": "a budget of costs has no room; `bound` says which",
    "limit_llm_tokens": "a budget of tokens has no room; `bound` says which",
    "llm_alias_denied": "the alias is not granted, or does not exist",
    "llm_answer_invalid": "what came is no answer of the dialect, or only a part of one",
    "llm_failed": "the provider gave up while it answered, or the connection was lost",
    "llm_not_configured": "there is no alias, or the provider's key is not set",
    "llm_rejected": "the provider refused the request, for instance its key or its model",
    "llm_schema_mismatch": "the answer does not fit `json_schema`",
    "llm_timeout": "no whole answer in time",
    "llm_unavailable": "the provider was not reached, or stayed busy",
    "llm_unsupported": "the provider cannot do that",
}
_NETWORK = {
    "http_failed": "the request was sent or tried, and failed; `reason` says at what",
    "http_timeout": "no whole answer in time",
    "invalid_url": "the URL, or the location of a redirect, is refused as one that can be read in two ways",
    "limit_http_at_once": "more requests of one call open at one time than allowed",
    "limit_http_header_bytes": "one header of the request is too long",
    "limit_http_headers": "the request or the answer has too many headers, or the answer a too long one",
    "limit_http_redirects": "more redirects than are followed",
    "limit_http_request_bytes": "the body of the request is too long",
    "limit_http_requests": "more requests in one call than allowed",
    "limit_http_response": "the answer is too long, counted after decompression",
    "network_denied": "no rule allows the request; `bound` says what of it",
    "rate_limited": "more requests a second than allowed; `retry_after` says when",
    "secret_denied": "the grant does not let that secret go there",
    "secret_unavailable": "the secret has no usable value",
}
_FILES = {
    "file_exists": "it exists already, and `if_exists` is `fail`",
    "file_failed": "the file system failed; nothing was changed",
    "file_not_found": "there is no such file, folder, or root on this machine",
    "invalid_path": "the path is one that nobody may name",
    "limit_file_bytes_read": "one call would read more than allowed",
    "limit_file_bytes_written": "one call would write more than allowed",
    "limit_file_operations": "one call would use more file operations than allowed",
    "limit_file_scan": "the folder has more entries than are listed",
    "not_a_file": "the path is a folder",
    "path_denied": "no rule allows it, or a link or no plain file is in the way; `bound` says which",
    "storage_full": "no space is left; nothing was changed",
}
_LOGGING = {
    "limit_log_bytes": "more text in one call than `max_log_bytes`; the line was dropped",
    "limit_log_lines": "more lines in one call than `max_log_lines`; the line was dropped",
}

HOST_CODES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Every host function": _EVERY,
        "MemoryAccess, StorageAccess and the budgets of LLMAccess": _STORE,
        "MemoryAccess, and the cursor of StorageAccess": _MEMORY,
        "StorageAccess": _STORAGE,
        "SearchAccess and MemoryAccess": _SEARCH,
        "LLMAccess": _LLM,
        "NetworkAccess; ConfigAccess for secrets": _NETWORK,
        "FileSystemAccess": _FILES,
        "LoggingAccess": _LOGGING,
    }
)
"""Who answers -> code -> what it means."""
