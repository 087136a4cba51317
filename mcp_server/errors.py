"""The one error tree: everything this server can fail with, and what to do about it.

::

    AgentMemError                    internal
    ├── SettingsError                settings_invalid
    ├── ManifestError                manifest_invalid     all problems of one plugin.toml
    ├── ConfigInvalid                config_invalid       a plugin's configuration does not fit its schema
    ├── ModuleError                  module_invalid       bytes that are not a module we run
    ├── IntegrityError               integrity_failed     bytes that are not the approved ones
    ├── ApprovalPending              approval_pending     bytes, tools or grants nobody approved yet
    ├── LockDamaged                  lock_damaged         what was approved cannot be read
    ├── TokenProblem                 token_problem        a bearer token that cannot be given out, found or read
    ├── ToolNotFound                 tool_not_found
    ├── PluginNotFound               plugin_not_found
    ├── NameCollision                name_collision       two plugins show one tool name
    ├── CapabilityDenied             capability_denied
    ├── ConsentDenied                consent_denied       the user said no, or cannot be asked
    ├── ConsentNeeded                consent_needed       the client must ask its user and come again
    ├── InvalidArguments             invalid_arguments
    ├── LifecycleError               lifecycle_invalid    a move the state table does not have
    └── CallError                    call_failed
        ├── PluginFailed             plugin_error         the plugin itself said no
        ├── PluginTrapped            plugin_trapped       a WebAssembly trap
        ├── PluginCrashed            plugin_crashed       its worker process died
        ├── PluginUnavailable        plugin_unavailable   in Error, backing off or quarantined
        ├── FunctionMissing          function_missing
        ├── LoadFailed               load_failed          the engine refused the module
        ├── OutputInvalid            output_invalid
        ├── Cancelled                cancelled
        ├── Busy                     busy                 every slot and the queue are full
        └── LimitExceeded            limit_<name>         one code per limit, see policy/limits.py

An error says what failed with its ids, why (observed against expected) and the exact next step. ``message``
is safe for a model to read: no host paths, no secrets. ``fix`` speaks to the operator and stays on this side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from mcp_server.exits import Exit


class AgentMemError(Exception):
    """Base of the tree.

    Args:
        message: What failed and why, readable by a model or a user.
        fix: The operator's next step: a command or a configuration line. Never sent to a model.
        data: Values a program may want (limit, used, retry_after_ms …); JSON-serialisable.
    """

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = Exit.UNEXPECTED

    def __init__(self, message: str, *, fix: str = "", data: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.data: dict[str, object] = dict(data or {})

    @property
    def error_code(self) -> str:
        """The stable code of this very error; only limits vary it per instance."""
        return self.code

    def as_dict(self, *, for_operator: bool = False) -> dict[str, object]:
        """``{code, message, …data}``, with ``fix`` only for the operator."""
        shown: dict[str, object] = {"code": self.error_code, "message": self.message, **self.data}
        if for_operator and self.fix:
            shown["fix"] = self.fix
        return shown


class SettingsError(AgentMemError):
    """The server's own configuration is wrong; nothing was started."""

    code = "settings_invalid"
    exit_code = Exit.USAGE


class ManifestError(AgentMemError):
    """A ``plugin.toml`` with problems, all of them at once, each ``key: what is wrong``."""

    code = "manifest_invalid"
    exit_code = Exit.PLUGIN_INVALID

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        self.path = path
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"{path}: {count}: " + "; ".join(problems),
            fix=f"edit {path}",
            data={"problems": list(problems)},
        )


class ConfigInvalid(AgentMemError):
    """A plugin's configuration is not what its ``config_schema`` says; the plugin is held back."""

    code = "config_invalid"
    exit_code = Exit.PLUGIN_INVALID


class ModuleError(AgentMemError):
    """Bytes that are not a WebAssembly core module this host will run."""

    code = "module_invalid"
    exit_code = Exit.PLUGIN_INVALID


class IntegrityError(AgentMemError):
    """Bytes whose digest is not the one that was pinned or approved."""

    code = "integrity_failed"
    exit_code = Exit.DENIED


class ApprovalPending(AgentMemError):
    """A plugin, or a change of one, that the operator has not approved; what was approved keeps serving."""

    code = "approval_pending"
    exit_code = Exit.DENIED


class LockDamaged(AgentMemError):
    """``plugins.lock`` cannot be read or written, so nobody can tell what was approved."""

    code = "lock_damaged"
    exit_code = Exit.DENIED


class TokenProblem(AgentMemError):
    """A static bearer token cannot be given out or taken back, or the file of tokens cannot be read."""

    code = "token_problem"
    exit_code = Exit.USAGE


class ToolNotFound(AgentMemError):
    """No tool of that name is shown now."""

    code = "tool_not_found"
    exit_code = Exit.USAGE


class PluginNotFound(AgentMemError):
    """No plugin of that id was discovered."""

    code = "plugin_not_found"
    exit_code = Exit.USAGE


class NameCollision(AgentMemError):
    """Two plugins would show the same tool name, or two folders claim one plugin id."""

    code = "name_collision"
    exit_code = Exit.PLUGIN_INVALID


class CapabilityDenied(AgentMemError):
    """A right the plugin asks for, or uses, is not granted."""

    code = "capability_denied"
    exit_code = Exit.DENIED


class ConsentDenied(AgentMemError):
    """A call that the operator wants the user asked about was not allowed by the user."""

    code = "consent_denied"
    exit_code = Exit.DENIED


class ConsentNeeded(AgentMemError):
    """The client must put a question to its user and repeat the call with the answer; nothing ran.

    Args:
        message: The question.
        state: The ticket that the repeated call must show.
        choices: The answers that are offered, word and title.
    """

    code = "consent_needed"
    exit_code = Exit.DENIED

    def __init__(self, message: str, *, state: str, choices: Mapping[str, str]) -> None:
        super().__init__(message)
        self.state = state
        self.choices = choices


class InvalidArguments(AgentMemError):
    """Arguments that do not match the tool's input schema; the plugin did not run."""

    code = "invalid_arguments"
    exit_code = Exit.USAGE


class LifecycleError(AgentMemError):
    """A state change that the lifecycle table does not have."""

    code = "lifecycle_invalid"


class CallError(AgentMemError):
    """One call of a plugin function failed; the plugin may be fine."""

    code = "call_failed"
    exit_code = Exit.TOOL_ERROR


class PluginFailed(CallError):
    """The plugin returned an error of its own; the text is the plugin's."""

    code = "plugin_error"


class PluginTrapped(CallError):
    """The guest hit a WebAssembly trap (unreachable, out-of-bounds access, stack exhaustion …)."""

    code = "plugin_trapped"


class PluginCrashed(CallError):
    """The worker process of the plugin died during the call; the next call gets a new one."""

    code = "plugin_crashed"


class PluginUnavailable(CallError):
    """The plugin is in Error, backing off after a crash, quarantined or being stopped."""

    code = "plugin_unavailable"
    exit_code = Exit.PLUGIN_INVALID


class FunctionMissing(CallError):
    """The module has no callable export of that name."""

    code = "function_missing"
    exit_code = Exit.PLUGIN_INVALID


class LoadFailed(CallError):
    """The engine refused the module, or it failed while being instantiated."""

    code = "load_failed"
    exit_code = Exit.PLUGIN_INVALID


class OutputInvalid(CallError):
    """The plugin answered something that is not valid output for the tool."""

    code = "output_invalid"


class Cancelled(CallError):
    """The caller left or withdrew the call; the guest was stopped."""

    code = "cancelled"


class Busy(CallError):
    """No slot came free and the waiting line is full; retry later."""

    code = "busy"
    exit_code = Exit.UNREACHABLE


class LimitExceeded(CallError):
    """A declared limit was reached.

    Args:
        limit: The limit's name in :mod:`mcp_server.policy.limits`; the error code is ``limit_<name>``.
        message: Names the limit, its value, what was used.
        allowed: The value in force.
        used: What was observed, where it is known.
        fix: Where an operator raises it.
    """

    code = "limit_exceeded"

    def __init__(self, limit: str, message: str, *, allowed: int, used: int | None = None, fix: str = "") -> None:
        self.limit = limit
        data: dict[str, object] = {"limit": limit, "allowed": allowed}
        if used is not None:
            data["used"] = used
        super().__init__(message, fix=fix, data=data)

    @property
    def error_code(self) -> str:
        return f"limit_{self.limit}"
