"""The words for severity, those of MCP (RFC 5424), and where they stand in Python's logging."""

from typing import Literal

__all__ = ["PYTHON_LEVELS", "LogLevel"]

LogLevel = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
PYTHON_LEVELS: dict[str, int] = {
    "debug": 10,
    "info": 20,
    "notice": 20,
    "warning": 30,
    "error": 40,
    "critical": 50,
    "alert": 50,
    "emergency": 50,
}
