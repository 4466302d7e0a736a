"""Findings for other programs: GitHub's workflow commands, and SARIF 2.1.0 for code scanners and editors."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hub.findings import Finding
from hub.rulebook import RULES
from hub.version import VERSION

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

Where = Callable[[str], Path]
"""From the file of a finding to where it lies, seen from the working directory."""


def github(findings: Sequence[Finding], where: Where) -> list[str]:
    """One workflow command a finding: an annotation at its line. (Columns are left out where the width is unknown.)"""
    return [_annotation(finding, where) for finding in findings]


def _annotation(finding: Finding, where: Where) -> str:
    place = {
        "file": where(finding.file).as_posix(),
        "line": str(finding.line),
        "col": str(finding.column),
        "endColumn": str(finding.column + finding.width),
        "title": f"vigie {finding.rule}",
    }
    properties = ",".join(f"{key}={_escaped(value, ',:')}" for key, value in place.items())
    return f"::{_level(finding)} {properties}::{_escaped(_said(finding))}"


def _escaped(text: str, more: str = "") -> str:
    """As a workflow command wants it; `more`: within a property, what would end it."""
    for char in ("%", "\r", "\n", *more):
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def sarif(findings: Sequence[Finding], where: Where) -> str:
    """One run with all rules that were broken. Columns count characters, as everywhere here."""
    rules = sorted({finding.rule for finding in findings})
    run = {
        "tool": {"driver": {"name": "vigie", "version": VERSION, "rules": [_rule(rule) for rule in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules.index(finding.rule), where) for finding in findings],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(name: str) -> dict[str, Any]:
    known = RULES.get(name)
    described = {"shortDescription": {"text": known.meaning}} if known is not None else {}
    level = "warning" if known is not None and known.warns else "error"
    return {"id": name, "name": name, **described, "defaultConfiguration": {"level": level}}


def _result(finding: Finding, rule: int, where: Where) -> dict[str, Any]:
    path = where(finding.file)
    artifact = {"uri": quote(path.as_posix())} | ({} if path.is_absolute() else {"uriBaseId": "%SRCROOT%"})
    region: dict[str, Any] = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endColumn": finding.column + finding.width,
    }
    if finding.source:
        region["snippet"] = {"text": finding.source}
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _level(finding),
        "message": {"text": _said(finding)},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }


def _level(finding: Finding) -> str:
    return "warning" if finding.warning else "error"


def _said(finding: Finding) -> str:
    return f"{finding.message}: {finding.remedy}" if finding.remedy else finding.message
