"""What two URL patterns both allow, in words, for people who compare what was asked with what was granted.

No decision is made with it: a request is judged by both patterns themselves. Where it cannot tell, it shows more.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcp_server.policy.network import METHODS, PORTS, NetworkRules, Rule

__all__ = ["allowed_by_both"]

MOST_STEPS = 250_000


def allowed_by_both(rules: NetworkRules) -> list[str]:
    """The patterns that ceiling and grant have in common: one pattern, or ``one, and also other``."""
    found = (_common(asked, granted) for asked in rules.ceiling for granted in rules.grant)
    return list(dict.fromkeys(pattern for pattern in found if pattern))


def _common(one: Rule, other: Rule) -> str:
    methods, schemes = one.methods & other.methods, one.schemes & other.schemes
    ports = one.port is None or other.port is None or one.port == other.port
    if not (methods and schemes and ports and _meet(one.host, other.host) and _meet(one.path, other.path)):
        return ""
    host = next((narrow for wide, narrow in _both_ways(one.host, other.host) if _holds_host(wide, narrow)), None)
    path = next((narrow for wide, narrow in _both_ways(one.path, other.path) if _holds_path(wide, narrow)), None)
    if host is None or path is None:
        return f"{one.text}, and also {other.text}"
    return _written(methods, schemes, host, one.port or other.port, path)


def _both_ways(one: str, other: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (one, other), (other, one)


def _holds_host(wide: str, narrow: str) -> bool:
    """Whether every name that fits ``narrow`` fits ``wide``; False also where that is hard to tell."""
    return wide in {"*", narrow} or (wide.startswith("*.") and "*" not in wide[1:] and narrow.endswith(wide[1:]))


def _holds_path(wide: str, narrow: str) -> bool:
    return wide == narrow or (wide.endswith("*") and "*" not in wide[:-1] and narrow.startswith(wide[:-1]))


def _written(methods: frozenset[str], schemes: frozenset[str], host: str, port: int | None, path: str) -> str:
    which = "" if len(methods) == len(METHODS) else f"{','.join(name for name in METHODS if name in methods)} "
    scheme = min(schemes)
    shown = f"[{host}]" if ":" in host else host
    at = ":*" if port is None else "" if port == PORTS[scheme] else f":{port}"
    return f"{which}{scheme}://{shown}{at}{path}"


def _meet(one: str, other: str) -> bool:
    """Whether some text fits both patterns, a star standing for any text."""
    if len(one) * len(other) > MOST_STEPS:  # a manifest's patterns are a stranger's, and may be long
        return True
    reached = _after_stars({0}, other)
    for letter in one:
        if letter == "*":
            reached = set(range(min(reached), len(other) + 1)) if reached else reached
        else:
            reached = _stepped(reached, letter, other)
    return len(other) in _after_stars(reached, other)


def _stepped(reached: Iterable[int], letter: str, pattern: str) -> set[int]:
    """The places in ``pattern`` after it took one ``letter``."""
    after: set[int] = set()
    for place in reached:
        if place < len(pattern):
            if pattern[place] == "*":
                after.add(place)
            elif pattern[place] == letter:
                after.add(place + 1)
    return _after_stars(after, pattern)


def _after_stars(reached: Iterable[int], pattern: str) -> set[int]:
    """``reached``, and the places behind stars that stand for nothing."""
    places: set[int] = set()
    for place in reached:
        places.add(place)
        while place < len(pattern) and pattern[place] == "*":
            place += 1
            places.add(place)
    return places
