"""Where a plugin may send a request: rules of method, scheme, host, port and path over a URL already taken apart.

Values only: URLs are read in :mod:`mcp_server.capabilities.network.urls`, and the addresses behind a name are judged
when they are dialled, in :mod:`mcp_server.capabilities.network.addresses`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn

from mcp_server.policy.denied import NetworkDenied
from mcp_server.policy.http_limits import HTTP_NUMBERS, NetworkLimits
from mcp_server.policy.numbers import Bounds, bounds_of

__all__ = [
    "METHODS",
    "PORTS",
    "Address",
    "Network",
    "NetworkDenied",
    "NetworkGrant",
    "NetworkLimits",
    "NetworkRules",
    "Rule",
    "Target",
    "intersect",
    "parse_rule",
    "rule_problems",
]

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")
PORTS = {"https": 443, "http": 80}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_RULE = re.compile(
    r"(?:([A-Z]+(?:,[A-Z]+)*) +)?(?:(https?)://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.*-]+)(?::([0-9]{1,5}|\*))?(/[!-~]*)?"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart.

    Attributes:
        scheme: ``https`` or ``http``.
        host: A name in its ASCII form, or an address in its shortest form without brackets.
        port: Never left out.
        path: Percent-encoded, at least ``/``.
        query: With its question mark, or empty.
        address: The host, where it is an address.
        readings: Every way a server may read the path: decoded, decoded twice, slashes collapsed.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str
    address: Address | None
    readings: frozenset[str]

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """As in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}{self.query}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern: ``[METHOD[,METHOD…] ][scheme://]host[:port][/path]``, where ``*`` stands for any text.

    Attributes:
        text: As written.
        methods: Those it is about.
        schemes: Those it is about.
        host: A name, an address, ``*``, or a name with stars; a leading ``*.`` stands for one label or more.
        port: None for any.
        path: A glob over the whole path; its star also takes slashes.
    """

    text: str
    methods: frozenset[str]
    schemes: frozenset[str]
    host: str
    port: int | None
    path: str

    def fits_host(self, target: Target) -> bool:
        if self.host in {"*", target.host}:
            return True
        if "*" not in self.host or target.address is not None:
            return False
        wanted, labels = self.host.split("."), target.host.split(".")
        if wanted[0] == "*" and len(labels) >= len(wanted):
            wanted, labels = wanted[1:], labels[len(labels) - len(wanted) + 1 :]
        return len(wanted) == len(labels) and all(map(_glob, wanted, labels))

    def fits_path(self, target: Target) -> bool:
        """Whether every reading of the path is inside, for a rule that allows."""
        return all(_glob(self.path, reading) for reading in target.readings)

    def forbids(self, method: str, target: Target) -> bool:
        """Whether any reading of the request is meant, for a rule that denies."""
        if method not in self.methods or target.scheme not in self.schemes or self.port not in {None, target.port}:
            return False
        if not self.fits_host(target):
            return False
        wanted = self.path.casefold()
        plain = {re.sub(";[^/]*", "", reading) for reading in target.readings}
        views = {view.casefold() for reading in plain | target.readings for view in (reading, reading.rstrip("/"))}
        return any(_glob(wanted, view) or _glob(wanted.rstrip("/") + "/*", view) for view in views)


def _glob(pattern: str, text: str) -> bool:
    # Linear where a regular expression would backtrack: the patterns of a manifest are a stranger's.
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    if not text.startswith(first):
        return False
    position = len(first)
    for part in middle:
        position = text.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return len(text) - len(last) >= position and text.endswith(last)


def parse_rule(text: str, *, deny: bool = False) -> Rule:
    """Read one pattern. Where scheme and port are left out, denying means any, allowing means https on 443.

    Raises:
        ValueError: Says what is wrong with it.
    """
    parts = _RULE.fullmatch(text)
    if parts is None:
        raise ValueError(f"'{text}' is no pattern like 'GET,POST https://*.example.com:443/v1/*'")
    methods = frozenset(parts[1].split(",")) if parts[1] else frozenset(METHODS)
    if not methods <= set(METHODS):
        raise ValueError(f"'{text}': {', '.join(sorted(methods - set(METHODS)))} is none of {', '.join(METHODS)}")
    schemes = frozenset({parts[2]} if parts[2] else PORTS if deny else {"https"})
    port = None if parts[4] == "*" or (deny and not parts[4]) else int(parts[4] or PORTS[min(schemes)])
    if port is not None and not 1 <= port <= 65_535:
        raise ValueError(f"'{text}': the port must be a number from 1 to 65535, or *")
    return Rule(text, methods, schemes, _rule_host(text, parts[3].lower()), port, _rule_path(text, parts[5] or "/*"))


def _rule_host(text: str, host: str) -> str:
    numeric = host.replace(".", "").isdigit()
    if not (host.startswith("[") or numeric):
        if host.startswith(".") or host.endswith(".") or ".." in host:
            raise ValueError(f"'{text}': the host must be a domain name, with or without stars, or an address")
        return host
    try:
        return ipaddress.ip_address(host.strip("[]")).compressed
    except ValueError:
        raise ValueError(f"'{text}': the host is no address") from None


def _rule_path(text: str, path: str) -> str:
    if set("?#\\") & set(path) or {".", ".."} & set(path.split("/")):
        raise ValueError(f"'{text}': a path pattern holds no query, fragment, backslash, '.' or '..'")
    return path


def rule_problems(texts: Iterable[str], *, deny: bool = False) -> list[str]:
    """What is wrong with each of ``texts``, for whoever checks a manifest or a configuration."""
    problems: list[str] = []
    for text in texts:
        try:
            parse_rule(text, deny=deny)
        except ValueError as error:
            problems.append(str(error))
    return problems


@dataclass(frozen=True, slots=True)
class NetworkGrant:
    """What the operator allows one plugin, as written.

    Attributes:
        allow: Patterns of :func:`parse_rule`.
        deny: Patterns that beat every allow.
        ranges: CIDR ranges of addresses that are else refused. A metadata service opens only to its very address.
        secrets: Name of a secret -> the patterns of the URLs it may be sent to.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()
    secrets: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


@dataclass(frozen=True, slots=True)
class NetworkRules:
    """The rules in force for one plugin; without any, nothing is allowed."""

    ceiling: tuple[Rule, ...] = ()
    grant: tuple[Rule, ...] = ()
    deny: tuple[Rule, ...] = ()
    ranges: tuple[Network, ...] = ()
    secrets: Mapping[str, Sequence[Rule]] = field(default_factory=dict[str, Sequence[Rule]])
    bounds: Bounds[NetworkLimits] = Bounds(NetworkLimits(), NetworkLimits())  # frozen

    @property
    def limits(self) -> NetworkLimits:
        """The numbers in force."""
        return self.bounds.effective

    def judge(self, method: str, target: Target) -> None:
        """Refuse what a rule denies, and what the ceiling and the grant do not both allow.

        Raises:
            NetworkDenied: Names the bound that said no (deny, host, scheme, port, method or path) and whose it is.
        """
        if self.denying(method, target) is not None:
            _refuse("deny", "grant", method, target)
        for rules, owner in ((self.ceiling, "manifest"), (self.grant, "grant")):
            bound = _missing_bound(rules, method, target)
            if bound:
                _refuse(bound, owner, method, target)

    def denying(self, method: str, target: Target) -> Rule | None:
        """The first rule that denies the request."""
        return next((rule for rule in self.deny if rule.forbids(method, target)), None)

    def secret_fits(self, name: str, method: str, target: Target) -> bool:
        """Whether secret ``name`` may be sent there."""
        return not _missing_bound(self.secrets.get(name, ()), method, target)


def _missing_bound(rules: Sequence[Rule], method: str, target: Target) -> str:
    # Narrowed in this order, so that the bound that is named is the first one a wider rule would have to change.
    tests: tuple[tuple[str, Callable[[Rule], bool]], ...] = (
        ("host", lambda rule: rule.fits_host(target)),
        ("scheme", lambda rule: target.scheme in rule.schemes),
        ("port", lambda rule: rule.port in {None, target.port}),
        ("method", lambda rule: method in rule.methods),
        ("path", lambda rule: rule.fits_path(target)),
    )
    for bound, fits in tests:
        rules = [rule for rule in rules if fits(rule)]
        if not rules:
            return bound
    return ""


def _refuse(bound: str, owner: str, method: str, target: Target) -> NoReturn:
    origin = f"{target.scheme}://{target.authority}"
    whose = "the plugin's manifest" if owner == "manifest" else "the grant"
    told = f"a deny rule of {whose} forbids it" if bound == "deny" else f"{whose} allows no such {bound}"
    data = {"capability": "NetworkAccess", "bound": bound, "owner": owner, "method": method, "origin": origin}
    raise NetworkDenied("network_denied", f"{method} {origin} is not allowed: {told}", data)


def intersect(
    asked: Iterable[str],
    granted: NetworkGrant,
    limits: NetworkLimits | None = None,
    numbers: Mapping[str, float] = MappingProxyType({}),
) -> NetworkRules:
    """The manifest's ``[network]`` and the operator's grant, side by side; a request must pass both.

    Args:
        asked: The manifest's ``allow``.
        granted: The operator's patterns, ranges and secrets.
        limits: The operator's numbers.
        numbers: The manifest's, by key.

    Raises:
        ValueError: A pattern or a range that cannot be read; :func:`rule_problems` finds the patterns earlier.
    """
    return NetworkRules(
        ceiling=tuple(parse_rule(text) for text in asked),
        grant=tuple(parse_rule(text) for text in granted.allow),
        deny=tuple(parse_rule(text, deny=True) for text in granted.deny),
        ranges=tuple(ipaddress.ip_network(text) for text in granted.ranges),
        secrets=MappingProxyType(
            {name: tuple(parse_rule(text) for text in texts) for name, texts in granted.secrets.items()}
        ),
        bounds=bounds_of(limits or NetworkLimits(), numbers, HTTP_NUMBERS),
    )
