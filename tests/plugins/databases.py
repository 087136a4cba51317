"""Databases over HTTP, for tests: Hrana version 2 as libSQL's servers speak it, and PostgREST's reading of a table.

Both answer from a real SQLite database, so that a query that is wrong fails as it would there.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import apsw
import apsw.ext

from mcp_server.testing import Reply
from mcp_server.testing.servers import WebRequest

__all__ = ["Hrana", "Postgrest", "notes"]

query_info: Any = vars(apsw.ext)["query_info"]
"""As ``Any``, and connections too: half of apsw's types are of newer Pythons."""


def notes(count: int) -> Any:
    """A database with a table of ``count`` notes."""
    database: Any = apsw.Connection(":memory:")
    database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, stars REAL, picture BLOB, gone TEXT)")
    for number in range(1, count + 1):
        database.execute(
            "INSERT INTO notes VALUES (?, ?, ?, ?, NULL)", (number, f"Note {number}", number / 2, b"\0\xff")
        )
    return database


class Hrana:
    """``POST /v2/pipeline``; each pipeline is a stream of its own.

    Attributes:
        executed: The SQL that was run, not only described.
    """

    def __init__(self, database: Any, token: str | None = None) -> None:
        self.executed: list[str] = []
        self._database = database
        self._token = token

    def answer(self, request: WebRequest) -> Reply:
        """What the site answers."""
        if self._token is not None and request.headers.get("authorization") != f"Bearer {self._token}":
            return Reply({"error": "Unauthorized: no valid token"}, status=401)
        if (request.method, request.path) != ("POST", "/v2/pipeline"):
            return Reply("", status=404)
        asked = json.loads(request.body)["requests"]
        return Reply({"baton": None, "base_url": None, "results": [self._result(one) for one in asked]})

    def _result(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"type": "ok", "response": {"type": asked["type"], **self._response(asked)}}
        except (apsw.Error, ValueError) as failed:
            return {"type": "error", "error": {"message": str(failed), "code": "SQLITE_ERROR"}}

    def _response(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["type"] == "close":
            return {}
        sql = asked["sql"] if asked["type"] == "describe" else asked["stmt"]["sql"]
        facts = query_info(self._database, sql)
        if facts.query_remaining:
            raise ValueError("SQL string contains more than one statement")
        if asked["type"] == "describe":
            columns = [{"name": name, "decltype": kind} for name, kind in facts.description]
            explained = {"is_explain": bool(facts.is_explain), "is_readonly": facts.is_readonly}
            return {"result": {"params": [], "cols": columns, **explained}}
        self.executed.append(sql)
        values = [_from_hrana(value) for value in asked["stmt"].get("args", [])]
        rows = [[_to_hrana(value) for value in row] for row in self._database.execute(sql, values)]
        columns = [{"name": name, "decltype": kind} for name, kind in facts.description]
        return {"result": {"cols": columns, "rows": rows, "affected_row_count": 0, "last_insert_rowid": None}}


class Postgrest:
    """``GET /<table>`` with ``select``, ``order``, ``limit``, ``offset``, conditions ``eq.`` and a count.

    A page has at most ``most`` rows, as with PostgREST's setting ``db-max-rows``.
    """

    def __init__(self, database: Any, most: int = 1000) -> None:
        self._database = database
        self._most = most

    def answer(self, request: WebRequest) -> Reply:
        """What the site answers."""
        url = urlsplit(request.path)
        query = dict(parse_qsl(url.query))
        columns, order = query.pop("select", "*"), query.pop("order").replace(".", " ")
        limit, offset = min(int(query.pop("limit")), self._most), int(query.pop("offset"))
        where = " AND ".join(f'"{column}" = ?' for column in query) or "1"
        table, values = unquote(url.path).removeprefix("/"), [value.removeprefix("eq.") for value in query.values()]
        source = f'FROM "{table}" WHERE {where}'
        try:
            total = int(self._database.execute(f"SELECT count(*) {source}", values).get)
            found = self._database.execute(
                f"SELECT {columns} {source} ORDER BY {order} LIMIT {limit} OFFSET {offset}", values
            )
            names = [name for name, _ in found.get_description()] if total > offset else []
            rows = [dict(zip(names, map(_plain, row), strict=True)) for row in found]
        except apsw.SQLError as failed:
            told = {"code": "42P01", "details": None, "hint": None, "message": str(failed)}
            return Reply(told, status=404)
        if offset > total:
            return Reply({"code": "PGRST103", "message": "Requested range not satisfiable"}, status=416)
        told = total if request.headers.get("prefer") == "count=estimated" else "*"
        place = f"{offset}-{offset + len(rows) - 1}" if rows else "*"
        return Reply(
            rows, status=200 if offset + len(rows) == total else 206, headers={"content-range": f"{place}/{told}"}
        )


def _plain(value: Any) -> Any:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value


def _to_hrana(value: Any) -> dict[str, Any]:
    if value is None:
        return {"type": "null"}
    if isinstance(value, bytes):
        return {"type": "blob", "base64": base64.b64encode(value).decode().rstrip("=")}
    if isinstance(value, int):
        return {"type": "integer", "value": str(value)}
    return {"type": "float" if isinstance(value, float) else "text", "value": value}


def _from_hrana(value: dict[str, Any]) -> Any:
    return {"null": lambda: None, "integer": lambda: int(value["value"])}.get(value["type"], lambda: value["value"])()
