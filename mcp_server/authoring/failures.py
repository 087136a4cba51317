"""What a test catches: a plugin that was not loaded, a call that failed. Both carry the code that a client sees."""

from __future__ import annotations

from mcp_server.errors import AgentMemError

__all__ = ["PluginRefused", "ToolFailed"]


class _Failure(Exception):
    """What both have in common.

    Attributes:
        code: A code of ``docs/errors.md``, such as ``plugin_error``.
        text: What a model reads; for ``plugin_error`` the plugin's own words.
        fix: What an operator is told to do; empty where there is nothing.
        data: More facts, by name.
    """

    def __init__(self, code: str, text: str, fix: str = "", data: dict[str, object] | None = None) -> None:
        super().__init__(f"{code}: {text}" + (f" (fix: {fix})" if fix else ""))
        self.code = code
        self.text = text
        self.fix = fix
        self.data = data or {}

    def as_error(self) -> AgentMemError:
        """The server's own error that this stands for."""
        cause = self.__cause__
        return cause if isinstance(cause, AgentMemError) else AgentMemError(str(self), fix=self.fix)


class ToolFailed(_Failure):
    """A call ended in an error: the plugin's own, a refusal of its arguments, a trap, a limit."""

    @classmethod
    def of(cls, error: AgentMemError) -> ToolFailed:
        """The failure that ``error`` is."""
        return cls(error.error_code, error.message, error.fix, error.data)


class PluginRefused(_Failure):
    """The plugin was not loaded: its manifest, its module or its grants do not allow it."""

    @classmethod
    def of(cls, error: AgentMemError) -> PluginRefused:
        """The refusal that ``error`` is."""
        return cls(error.error_code, error.message, error.fix, error.data)
