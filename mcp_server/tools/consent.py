"""Asking the user before a plugin runs: what is asked, and which answers hold for how long.

How the question reaches a person is the transport's business (``Caller.ask``); who must be asked is the operator's
(``ask = true`` on a grant). A plugin that changed is another plugin: every answer is bound to the version's digest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp_server.errors import ConsentDenied
from mcp_server.registry.version import Asking
from mcp_server.tools.json_text import write
from mcp_server.tools.results import clean_text

__all__ = ["ONCE", "Ask", "Consents", "Question", "Subject", "nobody_to_ask"]

ONCE, SESSION, ALWAYS, NO = "once", "session", "always", "no"
NOBODY = "nobody"
"""The answer on record where the client cannot ask."""
MOST_REMEMBERED = 4_096
LONGEST_ARGUMENTS = 600
"""Characters of the arguments that a question shows."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked.

    Attributes:
        plugin: The plugin's id.
        tool: The tool's name.
        message: Text for a dialogue; nothing in it was written by the plugin but its id and version.
        choices: The answers that are offered, by their word.
    """

    plugin: str
    tool: str
    message: str
    choices: Mapping[str, str]


Record = Callable[[Mapping[str, Any]], None]
Ask = Callable[[Question], Awaitable[str]]
"""Put the question to the user: the chosen word; anything that was not offered counts as no.

Raises:
    ConsentDenied: The client cannot show a question.
    ConsentNeeded: The client must come again with the answer.
"""


async def nobody_to_ask(question: Question) -> str:
    """The default: nobody is there."""
    raise ConsentDenied(
        f"'{question.tool}' needs the user's consent, and there is nobody to ask: this client cannot show questions",
        fix=f"use a client with elicitation, or set ask = false under [grants.{question.plugin}]",
        data={"plugin": question.plugin, "tool": question.tool},
    )


@dataclass(frozen=True, slots=True)
class Subject:
    """What consent is for: one version of one plugin and one of its tools, for one caller."""

    plugin: str
    version: str
    digest: str
    tool: str
    asking: Asking
    principal: str
    session: str


class Consents:
    """The answers that users gave.

    Args:
        keep: Makes "always" last beyond this process, given the plugin's id; None: it is not offered.
        record: The audit log: takes a row for each answer, and for each question that nobody could be asked.
    """

    def __init__(self, keep: Callable[[str], None] | None = None, record: Record | None = None) -> None:
        self._keep = keep
        self._record = record
        self._given: OrderedDict[tuple[str, str, str, str], None] = OrderedDict()

    async def obtain(self, subject: Subject, arguments: Mapping[str, Any], ask: Ask) -> None:
        """Return when the user allows the call.

        Raises:
            ConsentDenied: The user said no, or cannot be asked.
            ConsentNeeded: See :data:`Ask`.
        """
        mine = (subject.plugin, subject.digest, subject.principal, subject.session)
        for_all = (subject.plugin, subject.digest, "", "")
        if mine in self._given or for_all in self._given:
            return
        question = self._question(subject, arguments)
        try:
            choice = await ask(question)
        except ConsentDenied:
            self._note(subject, NOBODY)
            raise
        allowed = choice in question.choices and choice != NO
        self._note(subject, choice if allowed else NO)
        if not allowed:
            raise ConsentDenied(
                f"the user did not allow '{subject.tool}'; do not try again unless the user asks for it",
                data={"plugin": subject.plugin, "tool": subject.tool},
            )
        if choice == SESSION:
            self._remember(mine)
        elif choice == ALWAYS and self._keep is not None:
            self._remember(for_all)
            self._keep(subject.plugin)

    def _question(self, subject: Subject, arguments: Mapping[str, Any]) -> Question:
        choices = {ONCE: "Allow this call"}
        if subject.session:
            choices[SESSION] = "Allow for this session"
        if subject.asking is Asking.MAY_KEEP and self._keep is not None:
            choices[ALWAYS] = "Always allow"
        choices[NO] = "Do not allow"
        shown = clean_text(write(arguments).decode("utf-8", "replace"))
        if len(shown) > LONGEST_ARGUMENTS:
            shown = f"{shown[:LONGEST_ARGUMENTS]}… ({len(shown)} characters)"
        message = f"Plugin '{subject.plugin}' {subject.version} wants to run '{subject.tool}' with {shown}"
        return Question(subject.plugin, subject.tool, message, choices)

    def _remember(self, key: tuple[str, str, str, str]) -> None:
        self._given[key] = None
        while len(self._given) > MOST_REMEMBERED:  # sessions come and go; nothing may pile up
            self._given.popitem(last=False)

    def _note(self, subject: Subject, answer: str) -> None:
        if self._record is not None:
            row = {"principal": subject.principal, "plugin": subject.plugin, "version": subject.digest}
            code = ConsentDenied.code if answer in (NO, NOBODY) else "ok"
            self._record({"event": "consent", **row, "tool": subject.tool, "answer": answer, "code": code})
