"""What language models took, by day."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_server.backends.errors import BudgetReached
from mcp_server.backends.sqlite.database import Database
from mcp_server.backends.sqlite.typed import Connection
from mcp_server.backends.values import Budget, Spending

__all__ = ["SqliteBudgets"]

DAYS_KEPT = 400
"""For looking back; only the sums of today bound anything."""
_ADD = """INSERT INTO llm_spending (day, principal, plugin, tokens, cost)
  VALUES (:day, :principal, :plugin, :tokens, :cost) ON CONFLICT (day, plugin, principal)
  DO UPDATE SET tokens = max(tokens + excluded.tokens, 0), cost = max(cost + excluded.cost, 0)"""
_SUM = "SELECT COALESCE(sum(tokens), 0), COALESCE(sum(cost), 0) FROM llm_spending WHERE day = :day"
_SUMS = {
    "plugin": f"{_SUM} AND plugin = :plugin",
    "principal": f"{_SUM} AND principal = :principal",
    "server": _SUM,
}
_OWN = f"{_SUM} AND plugin = :plugin AND principal = :principal"


class SqliteBudgets:
    """The ``llm_spending`` table; the write lock makes reserving and comparing one step among all processes.

    Args:
        database: Where it lies.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(self, principal: str, plugin: str, day: int, most: Spending, budgets: Sequence[Budget]) -> None:
        """As the contract says."""
        owner = {"day": day, "principal": principal, "plugin": plugin}
        with self._database.write() as connection:
            for budget in budgets:
                _check(connection, owner, most, budget)
            connection.execute(_ADD, owner | most._asdict())

    def settle(self, principal: str, plugin: str, day: int, reserved: Spending, spent: Spending) -> None:
        """As the contract says."""
        tokens, cost = spent.tokens - reserved.tokens, spent.cost - reserved.cost
        owner = {"day": day, "principal": principal, "plugin": plugin}
        with self._database.write() as connection:
            # the reserve is in the row, so the INSERT of a difference below zero never happens
            connection.execute(_ADD, owner | {"tokens": tokens, "cost": cost})

    def spent(self, principal: str, plugin: str, day: int) -> Spending:
        """As the contract says."""
        ((tokens, cost),) = self._database.rows(_OWN, {"day": day, "principal": principal, "plugin": plugin})
        return Spending(tokens, cost)

    def sweep(self, today: int) -> int:
        """Drop days that nobody looks back to; how many rows that were."""
        with self._database.write() as connection:
            before = connection.total_changes()
            connection.execute("DELETE FROM llm_spending WHERE day < ?", (today - DAYS_KEPT,))
            return connection.total_changes() - before


def _check(connection: Connection, owner: dict[str, int | str], most: Spending, budget: Budget) -> None:
    tokens, cost = next(connection.execute(_SUMS[budget.of], owner))
    if budget.tokens is not None and tokens + most.tokens > budget.tokens:
        raise BudgetReached(budget.of, "tokens", allowed=budget.tokens, needed=most.tokens)
    if budget.cost is not None and cost + most.cost > budget.cost:
        raise BudgetReached(budget.of, "cost", allowed=budget.cost, needed=most.cost)
