"""Language models over HTTP: one client, and a module for each dialect that providers speak."""

from mcp_server.backends.llm.anthropic import AnthropicDialect
from mcp_server.backends.llm.base import Completion, Dialect, Message, Prompt, Provider, Tokens
from mcp_server.backends.llm.client import HttpProvider
from mcp_server.backends.llm.errors import LlmError
from mcp_server.backends.llm.openai import OpenAiDialect

__all__ = [
    "AnthropicDialect",
    "Completion",
    "Dialect",
    "HttpProvider",
    "LlmError",
    "Message",
    "OpenAiDialect",
    "Prompt",
    "Provider",
    "Tokens",
]
