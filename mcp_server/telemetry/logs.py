"""Log lines to stderr: one line each, redacted and cut. Who reads them or not is :mod:`.stderr`'s business."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import time
from typing import Any

from mcp_server.telemetry.levels import PYTHON_LEVELS

__all__ = ["LineFormatter", "clean", "names_a_secret", "set_up_logging"]

MAX_VALUE_CHARS = 200
_SECRET_KEY = re.compile(
    r"pass(word|phrase)?|secret|token|credential|authorization|cookie|api[-_]?key|private[-_]?key", re.I
)
# Tokens of a language model are counted; a budget that nobody may read could not be kept.
_AMOUNT_KEY = re.compile(r"(\w+_)?tokens_per_(call|day)|max(_completion)?_tokens|token_limit", re.I)
_SECRET_VALUE = re.compile(
    r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}|\b(sk|pk|ghp|gho|xox[bp])[-_][\w-]{12,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"
)
# Text that says "password=…" itself: another program's message, a table that was printed, a URL with a user in it.
_SAID_SECRET = re.compile(
    r"""(?i)(?!tokens\s*[:=]\s*\d{1,13}(?:[\s`,;)}\]]|$))((?:passw(?:or)?d|passphrase|secret|token|credential|api[-_]?key|private[-_]?key)s?["']?\s*[:=]\s*["']?)"""
    r"""[^\s"',;&}\]]+|(://[^/\s:@]*:)[^/\s@]+(?=@)"""
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_WORD = re.compile(r"[^\s\"=]+")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class LineFormatter(logging.Formatter):
    """One record as one line of text or JSON, with secrets replaced and long values cut."""

    def __init__(self, style: str) -> None:
        super().__init__()
        self._json = style == "json"

    def format(self, record: logging.LogRecord) -> str:
        extra = {key: _redact(key, value) for key, value in record.__dict__.items() if key not in _STANDARD}
        message = clean(record.getMessage())
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        if record.exc_info and record.exc_info[0] is not None:
            # the kind of fault and its place, not its text: a message may quote what a caller sent
            extra["exception"] = record.exc_info[0].__name__
            extra["at"] = _place(record.exc_info[2])
        if self._json:
            line = {"time": moment, "level": record.levelname.lower(), "logger": record.name, "message": message}
            return json.dumps({**line, **extra}, default=str)
        pairs = "".join(f" {_quoted(key)}={_quoted(value)}" for key, value in extra.items())
        return f"{moment} {record.levelname.lower():7} {message}{pairs}"


def set_up_logging(level: str, style: str) -> None:
    """Send all of Python's logging to stderr in one shape; warnings come as lines too."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(style))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(PYTHON_LEVELS[level])
    logging.getLogger("mcp").setLevel(logging.ERROR)  # its warnings repeat what the wire already answers
    for library in ("httpx2", "httpcore2"):
        logging.getLogger(library).setLevel(logging.WARNING)  # they tell URLs and headers of every request
    logging.captureWarnings(True)


def _redact(key: str, value: Any) -> Any:
    if names_a_secret(key):
        return "[redacted]"
    if isinstance(value, int | float | bool | None) and (not isinstance(value, float) or math.isfinite(value)):
        return value
    text = clean(str(value))
    return text if len(text) <= MAX_VALUE_CHARS else text[:MAX_VALUE_CHARS] + "…"


def names_a_secret(key: str) -> bool:
    """Whether what stands under ``key`` is to be kept out of sight."""
    return _SECRET_KEY.search(key) is not None and _AMOUNT_KEY.fullmatch(key) is None


def clean(text: str) -> str:
    """``text`` with what looks like a secret replaced, and without line breaks or escape sequences."""
    shown = _SECRET_VALUE.sub("[redacted]", text)
    shown = _SAID_SECRET.sub(lambda found: f"{found[1] or found[2]}[redacted]", shown)
    return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", shown).replace("\n", "\\n")


def _quoted(value: Any) -> str:
    """``value`` as one word, so that no value looks like another field."""
    text = str(value)
    return text if _WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _place(trace: Any) -> str:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace is not None else "?"  # noqa: PTH119  # a code object's file name, not a path
