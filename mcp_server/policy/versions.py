"""Which versions of a plugin a requirement takes: ``>=1.2,<2``, ``^1.2``, ``~1.2.3``, ``1.2`` or ``*``.

Versions are ordered as Semantic Versioning says. A version before a release (``1.2.0-rc.1``) is taken only where the
requirement names one itself. ``^`` and ``~`` mean what they mean to Cargo and npm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from semver import Version

__all__ = ["VersionRange", "newer"]

_TERM = re.compile(
    r"(>=|<=|!=|==|=|>|<|\^|~)?\s*v?([0-9]{1,18})(?:\.([0-9]{1,18}))?(?:\.([0-9]{1,18}))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"
)


def newer(one: str, other: str) -> bool:
    """Whether version ``one`` comes after ``other``."""
    return Version.parse(one) > Version.parse(other)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """A requirement that was read.

    Attributes:
        text: As written.
        terms: Each of them holds for a version that fits.
        early: Whether it names a version before a release.
    """

    text: str
    terms: tuple[tuple[str, Version], ...]
    early: bool

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """Read ``text``.

        Raises:
            ValueError: It is no requirement.
        """
        terms: list[tuple[str, Version]] = []
        words = [word.strip() for word in text.split(",")]
        for word in words if words != ["*"] else ():
            found = _TERM.fullmatch(word)
            if found is None:
                raise ValueError(f"{text!r} is no version requirement such as '>=1.2,<2', '^1.2' or '1.2.3'")
            terms += _terms(found)
        return cls(text, tuple(terms), any(version.prerelease for _, version in terms))

    def fits(self, version: str) -> bool:
        """Whether ``version`` is one of those that are wanted."""
        read = Version.parse(version)
        if read.prerelease and not self.early:
            return False
        return all(_holds(read, operator, bound) for operator, bound in self.terms)

    def newest(self, versions: Iterable[str]) -> str | None:
        """The highest of ``versions`` that fits."""
        return max((one for one in versions if self.fits(one)), key=Version.parse, default=None)


def _terms(found: re.Match[str]) -> list[tuple[str, Version]]:
    operator, *numbers, early, _ = found.groups()
    stated = [int(number) for number in numbers if number is not None]
    low = Version(*stated, *[0] * (3 - len(stated)), prerelease=early[1:] if early else None)
    match operator:
        case "^":
            first = next((index for index, number in enumerate(stated) if number), len(stated) - 1)
            return [(">=", low), ("<", _above(stated[: first + 1]))]
        case "~":
            return [(">=", low), ("<", _above(stated[:2]))]
        case None | "=" | "==" if len(stated) < 3:
            return [(">=", low), ("<", _above(stated))]
        case ">" | "<=" if len(stated) < 3:
            return [(">=" if operator == ">" else "<", _above(stated))]
        case None | "=":
            return [("==", low)]
        case _:
            return [(operator, low)]


def _above(numbers: list[int]) -> Version:
    """The first version past all that begin with ``numbers``, those before its release left out."""
    raised = [*numbers[:-1], numbers[-1] + 1]
    return Version(*raised, *[0] * (3 - len(raised)), prerelease="0")


def _holds(version: Version, operator: str, bound: Version) -> bool:
    order = version.compare(bound)
    return {
        ">=": order >= 0,
        "<=": order <= 0,
        ">": order > 0,
        "<": order < 0,
        "==": order == 0,
        "!=": order != 0,
    }[operator]
