"""``call_llm``, top to bottom: count, check, find the alias, reserve, ask, settle, scrub, answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import anyio.to_thread

from mcp_server.backends.llm.base import Completion, Provider, Tokens
from mcp_server.backends.llm.errors import NotConfigured, TimedOut
from mcp_server.capabilities.base import CallContext, HostRefusal
from mcp_server.capabilities.llm.asked import Asked
from mcp_server.capabilities.llm.budget import DayBudget
from mcp_server.capabilities.llm.providers import Providers
from mcp_server.capabilities.llm.structured import require_form
from mcp_server.capabilities.requests import checked, refusing
from mcp_server.policy.advice import alias_fix, at_start, enough, setting_fix
from mcp_server.policy.llm import MOST_ANSWER, MOST_AT_ONCE, Alias, LlmRules, LlmSettings

__all__ = ["LlmAccess"]


class LlmAccess:
    """Answers ``call_llm`` for every plugin, each within its own rules.

    Args:
        settings: Aliases.
        providers: Who answers.
        budget: What may be spent.
        scrub: Takes secrets by name out of a text.
        clock: Monotonic seconds, those of :attr:`CallContext.deadline`.
    """

    def __init__(
        self,
        settings: LlmSettings,
        providers: Providers,
        budget: DayBudget,
        *,
        scrub: Callable[[str, Mapping[str, str]], str],
        clock: Callable[[], float],
    ) -> None:
        self._settings, self._providers, self._budget = settings, providers, budget
        self._scrub, self._clock = scrub, clock
        self._open = Counter[str]()

    async def call_llm(self, context: CallContext, request: dict[str, Any]) -> dict[str, Any]:
        """``{prompt | messages, …}`` → ``{text, model, provider_kind, finish_reason, usage, cost?}``."""
        _count(context)
        asked = await _checked(context, request)
        rules = context.rights.llm
        name, alias = self._alias(asked, rules, context.plugin)
        max_tokens = _max_tokens(asked, name, alias)
        provider = self._provider(asked, name, alias)
        trace = self._traced(context, alias, alias.model or name, asked, max_tokens)
        with refusing("call_llm"), self._one_more_open(context.plugin, rules.calls_at_once):
            most = Tokens(asked.most_tokens_in, max_tokens)
            async with self._budget.reserved(context, most, alias.prices) as bill:
                seconds = self._seconds(context, asked, alias)
                completion = await provider.complete(alias.model or "", asked.as_prompt(max_tokens), seconds, trace)
                cost = bill.pay(completion.tokens)
        text = self._scrub(completion.text, self._providers.secrets(alias.provider))
        if asked.json_schema is not None:
            await anyio.to_thread.run_sync(require_form, text, asked.json_schema)
        return _shown(text, completion, name, provider, cost)

    def _traced(
        self, context: CallContext, alias: Alias, model: str, asked: Asked, max_tokens: int
    ) -> Mapping[str, str] | None:
        """Say on the span who is asked for what; the context to hand on, where the operator wants that."""
        if context.asking is None:
            return None
        section = self._settings.providers[alias.provider]
        context.asking.asks_model(section.dialect, model, max_tokens, asked.temperature)
        return context.asking.headers() if section.trace else None

    def _alias(self, asked: Asked, rules: LlmRules, plugin: str) -> tuple[str, Alias]:
        with refusing("call_llm"):
            if not self._settings.aliases:
                raise NotConfigured(
                    "no language model is configured",
                    fix="add [llm.providers.<name>] and [llm.aliases.<alias>] to the server's configuration",
                )
        known = self._settings.aliases
        name = asked.model if asked.model is not None else next(iter(rules.aliases), "")
        if name not in rules.aliases or name not in known:
            told = f"the alias '{name}' is not" if name else "no alias is"
            raise HostRefusal(
                "llm_alias_denied",
                f"call_llm: {told} granted to this plugin; granted: {', '.join(rules.aliases) or 'none'}",
                {"capability": "LLMAccess", "bound": "alias", "alias": name, "granted": list(rules.aliases)},
                fix=_alias_fix(plugin, name, rules.aliases, tuple(known)),
            )
        return name, known[name]

    def _provider(self, asked: Asked, name: str, alias: Alias) -> Provider:
        provider = self._providers.get(alias.provider)
        if asked.temperature is not None and asked.temperature > provider.most_temperature:
            raise HostRefusal(
                "invalid_request",
                f"call_llm: temperature: must be at most {provider.most_temperature:g} for '{name}'",
                {"allowed": provider.most_temperature},
            )
        return provider

    def _seconds(self, context: CallContext, asked: Asked, alias: Alias) -> float:
        left = context.deadline - self._clock()
        if left <= 0:
            raise TimedOut(0.0)
        own = left if asked.timeout_ms is None else asked.timeout_ms / 1_000
        return min(left, own, self._providers.seconds(alias.provider))

    @contextmanager
    def _one_more_open(self, plugin: str, at_once: int) -> Generator[None]:
        if self._open[plugin] >= at_once:
            raise HostRefusal(
                "limit_llm_at_once",
                f"call_llm: a plugin may have {at_once} under way at one time",
                {"limit": "llm_at_once", "allowed": at_once, "used": self._open[plugin] + 1},
                fix=setting_fix(enough(at_once, at_once + 1, MOST_AT_ONCE), "grants", plugin, "llm", "calls_at_once"),
            )
        self._open[plugin] += 1
        try:
            yield
        finally:
            self._open[plugin] -= 1
            if not self._open[plugin]:
                del self._open[plugin]


def _alias_fix(plugin: str, name: str, granted: tuple[str, ...], known: tuple[str, ...]) -> str:
    if name in granted:
        return "start the server again: [llm] is read when it starts, and the alias is younger"
    if name and name not in known:
        return f"no alias of that name is configured; there are {', '.join(known)}"
    return alias_fix(plugin, name or known[0])


async def _checked(context: CallContext, request: dict[str, Any]) -> Asked:
    if request.get("json_schema") is None:
        return checked(context, "call_llm", Asked, request)
    # a schema made to be slow takes 20 ms to compile, which is nobody else's time
    return await anyio.to_thread.run_sync(checked, context, "call_llm", Asked, request)


def _count(context: CallContext) -> None:
    usage, allowed = context.usage, context.limits.llm_calls
    usage.llm_calls += 1
    if usage.llm_calls > allowed:
        raise HostRefusal(
            "limit_llm_calls",
            f"call_llm: one call may make {allowed} LLM calls; this was number {usage.llm_calls}",
            {"limit": "llm_calls", "allowed": allowed, "used": usage.llm_calls},
            fix=context.narrowing.limit_fix(context.plugin, "llm_calls", context.limits),
        )


def _max_tokens(asked: Asked, name: str, alias: Alias) -> int:
    if asked.max_tokens is None:
        return alias.max_tokens
    if asked.max_tokens > alias.max_tokens:
        raise HostRefusal(
            "limit_llm_tokens",
            f"call_llm: an answer of '{name}' may have {alias.max_tokens} tokens, asked were {asked.max_tokens}",
            {"limit": "llm_tokens", "bound": "answer", "allowed": alias.max_tokens, "needed": asked.max_tokens},
            fix=at_start(
                setting_fix(
                    enough(alias.max_tokens, asked.max_tokens, MOST_ANSWER), "llm", "aliases", name, "max_tokens"
                )
            ),
        )
    return asked.max_tokens


def _shown(text: str, completion: Completion, name: str, provider: Provider, cost: int | None) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "text": text,
        "model": name,
        "provider_kind": provider.kind,
        "finish_reason": completion.finish_reason,
        "usage": completion.tokens._asdict() if completion.tokens else None,
    }
    if cost is not None:
        answer["cost"] = cost / 1_000_000
    return answer
