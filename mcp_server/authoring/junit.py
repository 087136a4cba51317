"""Outcomes of golden cases as JUnit's XML, which every CI reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mcp_server.authoring.golden import Outcome

__all__ = ["as_junit"]

# What XML 1.0 has no words for, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(plugin: str, outcomes: Sequence[Outcome]) -> bytes:
    """The document; a suite for each file, times in seconds."""
    root = Element("testsuites", {"name": _text(plugin), **_counts(outcomes)})
    for file in dict.fromkeys(outcome.located.file for outcome in outcomes):
        inside = [outcome for outcome in outcomes if outcome.located.file == file]
        suite = SubElement(root, "testsuite", {"name": _text(file.stem), "file": _text(str(file)), **_counts(inside)})
        for outcome in inside:
            _add_case(suite, file.stem, outcome)
    indent(root)
    return tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _add_case(suite: Element, stem: str, outcome: Outcome) -> None:
    located = outcome.located
    case = SubElement(
        suite,
        "testcase",
        classname=_text(stem),
        name=_text(located.case.name),
        file=_text(str(located.file)),
        line=str(located.line),
        time=_seconds(outcome.milliseconds),
    )
    if not outcome.passed:
        failure = SubElement(case, "failure", message=_text(outcome.problem))
        failure.text = _text(outcome.error or repr(outcome.value))


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    failed = sum(not outcome.passed for outcome in outcomes)
    took = sum(outcome.milliseconds for outcome in outcomes)
    return {"tests": str(len(outcomes)), "failures": str(failed), "errors": "0", "time": _seconds(took)}


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1e3:.6f}"


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
