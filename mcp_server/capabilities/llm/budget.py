"""What a request may spend: reserved before anybody is asked, settled by what the provider says it took.

What was reserved is already counted as spent. So a request that is aborted, or whose server dies, has cost its
reserve without anybody having to do something about it, and no two callers, in whatever processes, share a rest.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio import CancelScope

from mcp_server.backends.base import Store
from mcp_server.backends.errors import BudgetReached, StoreError
from mcp_server.backends.llm.base import Tokens
from mcp_server.backends.llm.errors import LlmError
from mcp_server.backends.values import Budget, Spending
from mcp_server.capabilities.base import CallContext, HostRefusal
from mcp_server.policy.advice import at_start, enough, setting_fix
from mcp_server.policy.llm import MOST_COST, MOST_TOKENS, LlmSettings, Prices, micro

__all__ = ["Bill", "DayBudget"]

logger = logging.getLogger(__name__)
DAY = 86_400
MICRO = 1_000_000


@dataclass(slots=True)
class Bill:
    """What one request takes; stands at the reserve until somebody knows better."""

    prices: Prices | None
    reserved: Spending
    spent: Spending

    def pay(self, tokens: Tokens | None) -> int | None:
        """Take over what the provider said; the cost in millionths, None where it cannot be known."""
        if tokens is None:
            return None
        cost = self.prices.of(*tokens) if self.prices else 0
        self.spent = Spending(sum(tokens), cost)
        return cost if self.prices else None

    def forgive(self) -> None:
        """Nobody worked for it."""
        self.spent = Spending(0, 0)


class DayBudget:
    """The budgets of plugins, principals and the server, and of each call.

    Args:
        settings: The budgets that are not a plugin's own.
        store: Keeps what was spent, for every process.
        today: Seconds since 1970.
    """

    def __init__(self, settings: LlmSettings, store: Callable[[], Store], today: Callable[[], float]) -> None:
        self._store, self._today = store, today
        self._common = (
            Budget("principal", settings.principal_tokens_per_day, micro(settings.principal_cost_per_day)),
            Budget("server", settings.tokens_per_day, micro(settings.cost_per_day)),
        )

    @asynccontextmanager
    async def reserved(self, context: CallContext, most: Tokens, prices: Prices | None) -> AsyncGenerator[Bill]:
        """Hold what the block may spend; settled at its end by what its bill then says.

        Raises:
            HostRefusal: ``limit_llm_tokens`` or ``limit_llm_cost``, with the bound that has no room for it.
            StoreError: It cannot be counted, so it must not be spent.
        """
        reserved = Spending(sum(most), prices.of(*most) if prices else 0)
        bill = Bill(prices, reserved, reserved)
        self._take_of_call(context, reserved)
        day = int(self._today() // DAY)
        try:
            await self._take_of_day(context, day, reserved)
        except BaseException:
            self._count(context, Spending(-reserved.tokens, -reserved.cost))
            raise
        try:
            yield bill
        except LlmError as error:
            if not error.billed:
                bill.forgive()
            raise
        finally:
            self._count(context, Spending(bill.spent.tokens - reserved.tokens, bill.spent.cost - reserved.cost))
            if bill.spent != reserved:
                with CancelScope(shield=True):
                    await self._settle(context, day, bill)

    def _take_of_call(self, context: CallContext, most: Spending) -> None:
        usage, rules = context.usage, context.rights.llm
        for unit, used, more, allowed in (
            ("tokens", usage.llm_tokens, most.tokens, rules.tokens_per_call),
            ("cost", usage.llm_cost, most.cost, rules.cost_per_call),
        ):
            if allowed is not None and used + more > allowed:
                value = _raised(unit, allowed, used + more)
                fix = setting_fix(value, "grants", context.plugin, "llm", f"max_{unit}_per_call")
                raise _refusal(unit, "call", allowed, more, fix, used=used if unit == "tokens" else used / MICRO)
        self._count(context, most)

    def _count(self, context: CallContext, spent: Spending) -> None:
        context.usage.llm_tokens += spent.tokens
        context.usage.llm_cost += spent.cost

    async def _take_of_day(self, context: CallContext, day: int, most: Spending) -> None:
        rules, store = context.rights.llm, self._store()
        budgets = (Budget("plugin", rules.tokens_per_day, rules.cost_per_day), *self._common)
        try:
            await store.caller.soon(
                lambda: store.budgets.reserve(context.principal, context.plugin, day, most, budgets)
            )
        except BudgetReached as reached:
            logger.warning("call_llm of '%s' for '%s': %s", context.plugin, context.principal, reached.message)
            retry = math.ceil((day + 1) * DAY - self._today())
            bound = f"{reached.of}_day"
            fix = _day_fix(context.plugin, reached)
            raise _refusal(reached.unit, bound, reached.allowed, reached.needed, fix, retry_after=retry) from None

    async def _settle(self, context: CallContext, day: int, bill: Bill) -> None:
        store = self._store()
        try:
            await store.caller.soon(
                lambda: store.budgets.settle(context.principal, context.plugin, day, bill.reserved, bill.spent)
            )
        except StoreError as error:  # the answer is paid for; its reserve stays counted, which errs on the safe side
            logger.warning("call_llm of '%s' could not be settled: %s; %s", context.plugin, error.message, error.fix)


_WORDS = {
    "call": "one call of this plugin",
    "plugin_day": "this plugin for today",
    "principal_day": "this caller for today",
    "server_day": "everybody for today",
}


def _day_fix(plugin: str, reached: BudgetReached) -> str:
    key = f"{reached.unit}_per_day"
    value = _raised(reached.unit, reached.allowed, reached.allowed + reached.needed)
    if reached.of == "plugin":
        return setting_fix(value, "grants", plugin, "llm", key)
    return at_start(setting_fix(value, "llm", key if reached.of == "server" else f"principal_{key}"))


def _raised(unit: str, allowed: int, needed: int) -> float:
    """What a budget has to be, as the configuration has it: costs are counted in millionths."""
    if unit == "tokens":
        return enough(allowed, needed, MOST_TOKENS)
    return enough(allowed / MICRO, needed / MICRO, MOST_COST)


def _refusal(unit: str, bound: str, allowed: int, needed: int, fix: str, **more: float) -> HostRefusal:
    scale = 1 if unit == "tokens" else MICRO
    what = "tokens" if unit == "tokens" else "in cost"
    return HostRefusal(
        f"limit_llm_{unit}",
        f"call_llm: the budget of {_WORDS[bound]} is {allowed / scale:.12g} {what}, "
        f"and has no room for the {needed / scale:.12g} that this request may take; ask for fewer max_tokens",
        {"limit": f"llm_{unit}", "bound": bound, "allowed": allowed / scale if scale > 1 else allowed}
        | {"needed": needed / scale if scale > 1 else needed, **more},
        fix=fix,
    )
