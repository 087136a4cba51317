"""LLMAccess: ``call_llm``. What may be asked is in ``policy.llm``; who answers, in which dialect, in ``backends.llm``.

The way of a request: ``asked`` checks it, ``access`` counts it and finds the alias, ``budget`` reserves what it may
take, one of ``providers`` answers, ``budget`` settles, ``structured`` checks an answer that was to be JSON.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from mcp_server.backends.base import Store
from mcp_server.capabilities.base import HostFunction
from mcp_server.capabilities.llm.access import LlmAccess
from mcp_server.capabilities.llm.budget import DayBudget
from mcp_server.capabilities.llm.providers import KeySource, Providers
from mcp_server.policy.llm import LlmSettings

__all__ = ["KeySource", "Providers", "llm_functions"]


def llm_functions(
    settings: LlmSettings,
    providers: Providers,
    store: Callable[[], Store],
    *,
    scrub: Callable[[str, Mapping[str, str]], str],
    clock: Callable[[], float] = time.monotonic,
    today: Callable[[], float] = time.time,
) -> tuple[HostFunction, ...]:
    """The host functions of LLMAccess.

    Args:
        settings: Aliases, prices, budgets.
        providers: Who answers.
        store: Where the budgets are; asked for at the first call that spends.
        scrub: Takes the values of a mapping, secrets by name, out of a text.
        clock: Monotonic seconds, those of :attr:`CallContext.deadline`.
        today: Seconds since 1970, for the days of the budgets.
    """
    access = LlmAccess(settings, providers, DayBudget(settings, store, today), scrub=scrub, clock=clock)
    return (HostFunction("call_llm", access.call_llm, waits=True),)
