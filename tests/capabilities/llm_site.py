"""A provider of language models on loopback that speaks both dialects, a plugin's side of ``call_llm``, and a clock."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from mcp_server.backends.sqlite import SqliteStore
from mcp_server.capabilities.base import CallContext, HostRefusal
from mcp_server.capabilities.llm import Providers, llm_functions
from mcp_server.capabilities.network.secrets import Scrubber
from mcp_server.policy.limits import Limits
from mcp_server.policy.llm import LlmGrant, LlmSettings
from mcp_server.policy.rights import decide_rights
from tests.canary import slot

KEY = slot("llm key")
MODEL = "secret-model-7b"
TODAY = 20_780.5 * 86_400
Json = dict[str, Any]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n"


def event(data: Json | str, name: str = "") -> bytes:
    """One server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def openai(text: str, usage: tuple[int, int] | None = (11, 7), reason: str | None = "stop") -> bytes:
    """A whole chat completion, in two pieces of text."""
    half = len(text) // 2
    chunks: list[Json] = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}]
    chunks += [
        {"choices": [{"delta": {"content": part}, "finish_reason": None}]} for part in (text[:half], text[half:])
    ]
    chunks += [{"choices": [{"delta": {}, "finish_reason": reason}]}] if reason else []
    if usage:
        chunks.append({"choices": [], "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1]}})
    return HEAD + b": hello\n\n" + b"".join(map(event, chunks)) + event("[DONE]")


def anthropic(text: str, usage: tuple[int, int] = (11, 7), kind: str = "text_delta", reason: str = "end_turn") -> bytes:
    """A whole message, in two pieces of text."""
    half, key = len(text) // 2, "text" if kind == "text_delta" else "partial_json"
    started = {"usage": {"input_tokens": usage[0] - 1, "cache_read_input_tokens": 1, "output_tokens": 1}}
    parts = [{"type": kind, key: part} for part in (text[:half], text[half:])]
    events: list[Json] = [
        {"type": "message_start", "message": started},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": part} for part in parts),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": usage[1]}},
        {"type": "message_stop"},
    ]
    return HEAD + b"".join(event(one, one["type"]) for one in events)


def refused(status: str, body: bytes = b"", **headers: str) -> bytes:
    """An answer that is no stream."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def endless(first: bytes = b"") -> AsyncIterator[bytes]:
    """A stream that says something now and then and never ends."""
    yield HEAD + first
    while True:
        await anyio.sleep(0.01)
        yield b": still thinking\n\n"


def settings_for(port: int, dialect: str = "openai", *, provider: Json | None = None, **more: Any) -> LlmSettings:
    """One provider on ``port`` with the aliases ``fast`` (priced) and ``other``."""
    base = f"http://127.0.0.1:{port}" + ("/v1" if dialect == "openai" else "")
    return LlmSettings.model_validate(
        {
            "providers": {"stub": {"dialect": dialect, "base_url": base, "key": "KEY"} | (provider or {})},
            "aliases": {
                "fast": {"provider": "stub", "model": MODEL, "max_tokens": 100, "prices": {"input": 2, "output": 10}},
                "other": {"provider": "stub", "model": "other-model", "max_tokens": 50},
            },
        }
        | more
    )


def extractive(**more: Any) -> LlmSettings:
    """The provider that repeats sentences, as ``short``."""
    aliases = {"short": {"provider": "own", "max_tokens": 60}}
    return LlmSettings.model_validate({"providers": {"own": {"dialect": "extractive"}}, "aliases": aliases} | more)


def context_of(
    grant: Json | None = None, *, principal: str = "ann", plugin: str = "writer", **more: Any
) -> CallContext:
    """A call of a plugin that was granted this."""
    llm = LlmGrant.model_validate({"aliases": ["fast"]} | (grant or {})).rules()
    return CallContext(
        plugin=plugin,
        principal=principal,
        session="s",
        call_id="c1",
        rights=decide_rights(["LLMAccess"], [], ["LLMAccess"], llm=llm),
        limits=Limits(**({"llm_calls": 100} | more.get("limits", {}))),
        config={},
        depth=0,
        deadline=time.monotonic() + more.get("seconds", 20.0),
        log=lambda line: None,
    )


@dataclass
class Desk:
    """The capability on one store, asked as plugins ask."""

    settings: LlmSettings
    folder: Path
    keys: Mapping[str, str] = field(default_factory=lambda: {"KEY": KEY})
    now: Callable[[], float] = lambda: TODAY
    grant: Json = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        self.store = SqliteStore(self.folder / "store.db")
        self.providers = Providers(self.settings, self.keys.get)
        (self._function,) = llm_functions(
            self.settings,
            self.providers,
            lambda: self.store,
            scrub=lambda text, secrets: Scrubber(secrets).text(text),
            today=lambda: self.now(),
        )

    async def __call__(self, request: Json | None = None, context: CallContext | None = None, **more: Any) -> Json:
        """The data of the answer."""
        asked = {"prompt": "Say hello."} | more if request is None else request
        with anyio.fail_after(30):
            return await self._function.answer(context or context_of(self.grant), asked)

    async def refusal(
        self, request: Json | None = None, context: CallContext | None = None, **more: Any
    ) -> HostRefusal:
        """The refusal that this request gets; an answer is a failure of the test."""
        try:
            answer = await self(request, context, **more)
        except HostRefusal as refusal:
            return refusal
        raise AssertionError(f"it was answered: {answer}")

    def spent(self, principal: str = "ann", plugin: str = "writer") -> tuple[int, int]:
        """Tokens and millionths of a day's currency."""
        spent = self.store.budgets.spent(principal, plugin, int(self.now() // 86_400))
        return spent.tokens, spent.cost

    async def aclose(self) -> None:
        """Close connections and store."""
        await self.providers.aclose()
        self.store.close()
