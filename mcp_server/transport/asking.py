"""How a question reaches the client's user in each protocol era; what is asked, and what follows, is ``tools``'.

Handshake eras (to 2025-11-25): a request ``elicitation/create`` on the way back. 2026-07-28: the call is answered
``input_required``, and the client comes again with the answer (multi round-trip requests).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from mcp_server.errors import ConsentDenied, ConsentNeeded
from mcp_server.tools.consent import Ask, Question, nobody_to_ask
from mcp_server.tools.json_text import JsonProblem, write
from mcp_server.transport.tickets import TicketRefused, Tickets

__all__ = ["Rounds", "ask_in_session", "input_required"]

PATIENCE = 600.0
"""Seconds that a user of a session may think; a ticket is good for as long."""
KEY = "consent"
ANSWER = "answer"


async def ask_in_session(ctx: ServerRequestContext[Any, Any], question: Question) -> str:
    """Ask over the session of a handshake era; ``ask`` of a caller.

    Raises:
        ConsentDenied: The client did not declare elicitation, or nobody answered in time.
    """
    if not _can_show_forms(ctx) or not ctx.session.can_send_request:
        return await nobody_to_ask(question)
    with anyio.move_on_after(PATIENCE):
        result = await ctx.session.elicit_form(question.message, _schema(question), ctx.request_id)
        return _choice(result.action, result.content)
    raise ConsentDenied(
        f"nobody answered within {PATIENCE:.0f} s whether '{question.tool}' may run",
        data={"plugin": question.plugin, "tool": question.tool},
    )


class Rounds:
    """The questions of 2026-07-28 that wait for their second round.

    A request state is a signed ticket: good for one call of one principal with the very same tool and arguments, once,
    for ten minutes.

    Args:
        tickets: Common to the processes of one server; of this one alone when omitted.
    """

    def __init__(self, tickets: Tickets | None = None) -> None:
        self._tickets = tickets or Tickets()

    def asker(self, ctx: ServerRequestContext[Any, Any], params: types.CallToolRequestParams, principal: str) -> Ask:
        """The ``ask`` of one call.

        Raises:
            MCPError: INVALID_PARAMS; the request state is not one that was given out for this call.
        """
        if params.request_state is not None:
            self._redeem(params.request_state, params, principal)
            answer = (params.input_responses or {}).get(KEY)
            chosen = _choice(answer.action, answer.content) if isinstance(answer, types.ElicitResult) else ""
        else:
            chosen = None

        async def ask(question: Question) -> str:
            if chosen is not None:
                return chosen
            if not _can_show_forms(ctx):
                return await nobody_to_ask(question)
            ticket = self._tickets.issue(_identity(params, principal))
            raise ConsentNeeded(question.message, state=ticket, choices=question.choices)

        return ask

    def _redeem(self, ticket: str, params: types.CallToolRequestParams, principal: str) -> None:
        try:
            self._tickets.redeem(ticket, _identity(params, principal))
        except (TicketRefused, JsonProblem):  # arguments that are no JSON (``1e999``) got no ticket either
            raise MCPError(
                types.INVALID_PARAMS, "the requestState is not one of this call, was used, or is too old"
            ) from None


def input_required(needed: ConsentNeeded) -> dict[str, Any]:
    """The ``InputRequiredResult`` that sends the client to its user."""
    question = Question("", "", needed.message, needed.choices)
    form = {"mode": "form", "message": question.message, "requestedSchema": _schema(question)}
    return {
        "resultType": "input_required",
        "inputRequests": {KEY: {"method": "elicitation/create", "params": form}},
        "requestState": needed.state,
    }


def _can_show_forms(ctx: ServerRequestContext[Any, Any]) -> bool:
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.elicitation is None:
        return False
    offered = capabilities.elicitation
    return offered.form is not None or offered.url is None  # ``{}`` means forms (2025-06-18)


def _schema(question: Question) -> dict[str, Any]:
    options = [{"const": word, "title": title} for word, title in question.choices.items()]
    answer = {"type": "string", "title": "May it run?", "oneOf": options}
    return {"type": "object", "properties": {ANSWER: answer}, "required": [ANSWER]}


def _choice(action: str, content: Mapping[str, Any] | None) -> str:
    """The chosen word; empty, which is no, for a dialogue that was declined or closed."""
    chosen = (content or {}).get(ANSWER) if action == "accept" else None
    return chosen if isinstance(chosen, str) else ""


def _identity(params: types.CallToolRequestParams, principal: str) -> str:
    call = write({"principal": principal, "tool": params.name, "arguments": params.arguments})
    return hashlib.sha256(call).hexdigest()
