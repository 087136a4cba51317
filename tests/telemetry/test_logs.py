"""Log lines: one each, nothing secret in them, nothing that forges another."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from mcp_server.telemetry.logs import LineFormatter

CANARY = "c4n4ry-7f3a9e"


def lines(message: str, *arguments: object, style: str = "json", **extra: Any) -> str:
    record = logging.getLogger("test").makeRecord(
        "test", logging.INFO, "file.py", 1, message, arguments, None, extra=extra
    )
    return LineFormatter(style).format(record)


def fields(message: str = "m", *arguments: object, **extra: Any) -> dict[str, Any]:
    return json.loads(lines(message, *arguments, **extra))


def test_a_json_line_has_time_level_logger_message_and_the_extra_fields() -> None:
    shown = fields("%s is %d", "x", 5, plugin="p", ms=1.5, ok=True, none=None)
    assert shown.pop("time").endswith("Z")
    assert shown == {
        "level": "info",
        "logger": "test",
        "message": "x is 5",
        "plugin": "p",
        "ms": 1.5,
        "ok": True,
        "none": None,
    }


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize(
    "breaker", ["\n", "\r", "\r\n", "\x00", "\x1b[2J", "\x85", "\u2028", "\u2029", "\x0b", "\x9b2J"]
)
def test_a_line_stays_one_line_and_no_terminal_obeys_it(style: str, breaker: str) -> None:
    shown = lines(f"a{breaker}b", style=style, key=f"a{breaker}b")
    assert len(shown.splitlines()) == 1
    assert not set("\x00\x1b\x9b\r\n") & set(shown)


@pytest.mark.parametrize(
    "key",
    ["password", "db_PASSWORD", "passphrase", "client_secret", "token", "access-token", "Authorization", "api_key",
     "apikey", "API-KEY", "cookie", "private_key", "plugin.api_key", "credentials"],
)  # fmt: skip
@pytest.mark.parametrize("style", ["json", "text"])
def test_a_value_under_a_telling_key_is_never_shown(style: str, key: str) -> None:
    for value in (CANARY, 12345678, [CANARY], {"inner": CANARY}):
        shown = lines("m", style=style, **{key: value})
        assert CANARY not in shown
        assert "12345678" not in shown
        assert "[redacted]" in shown


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"authorization: basic {CANARY}",
        f"sk-{CANARY}{CANARY}",
        f"ghp_{CANARY.replace('-', '')}",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + CANARY,
        f"password={CANARY}",
        f"api_key: {CANARY}",
        f"{{'token': '{CANARY}'}}",
        f'{{"client_secret": "{CANARY}"}}',
        f"https://user:{CANARY}@example.com/",
    ],
)
@pytest.mark.parametrize("style", ["json", "text"])
def test_a_secret_inside_a_text_is_never_shown(style: str, text: str) -> None:
    assert CANARY not in lines(text, style=style)
    assert CANARY not in lines("m", style=style, note=text)
    assert CANARY not in lines("%s", text, style=style)


def test_what_is_no_secret_is_shown() -> None:
    shown = fields("the tokenizer read 5 basic words", author="Ann", path="/a/b", note="the key point")
    assert shown["message"] == "the tokenizer read 5 basic words"
    assert (shown["author"], shown["path"], shown["note"]) == ("Ann", "/a/b", "the key point")


def test_a_long_value_is_cut() -> None:
    assert fields(note="x" * 10_000)["note"] == "x" * 200 + "…"


def test_a_text_line_shows_where_a_value_with_blanks_begins_and_ends() -> None:
    shown = lines("m", style="text", note="x principal=admin", plain="y")
    assert shown.endswith(' m note="x principal=admin" plain=y')


def test_a_fault_is_told_by_kind_and_place_and_not_by_its_words() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        record = logging.getLogger("test").makeRecord(
            "test", logging.ERROR, "f.py", 1, "failed", (), (ValueError, error, error.__traceback__)
        )
    for style in ("json", "text"):
        shown = LineFormatter(style).format(record)
        assert CANARY not in shown
        assert "ValueError" in shown
        assert "test_logs.py:" in shown


def test_numbers_that_json_does_not_have_do_not_break_the_line() -> None:
    def refuse(name: str) -> object:
        raise AssertionError(name)

    json.loads(lines("m", ratio=float("nan"), most=float("inf")), parse_constant=refuse)


@pytest.mark.parametrize(
    "text", ["set max_tokens=4096`, or", "[llm.aliases.fast] max_tokens = 4096; then", "tokens: 12", "(tokens=7)"]
)
def test_a_number_of_tokens_is_no_secret(text: str) -> None:
    assert lines(text, style="text").rstrip().endswith(text)
    shown = fields("m", max_tokens=5, tokens_per_day=6)
    assert (shown["max_tokens"], shown["tokens_per_day"]) == (5, 6)


@pytest.mark.parametrize("text", [f"tokens={CANARY}", "tokens=4711-secret", "token=4711", "tokens=12345678901234"])
def test_what_is_no_number_of_tokens_stays_hidden(text: str) -> None:
    assert lines(text, style="text").rstrip().endswith("[redacted]")
    assert CANARY not in lines("m", tokens=CANARY)
