"""Warnings that somebody has looked at and means to keep, said in the file itself and with the reason:

    # vigie: allow overlap with flood, because both have to run
    hazard: [rain, flood]

A waiver stands at the end of the line that is warned of, or on a line of its own above it, and is good for that line
alone. A rule that is about something else by name (`overlap`) needs that name, so that what comes later is told all
the same. Errors are never waived. A waiver that cannot be right is a finding itself: a warning, as nothing is run
differently for it.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from hub.findings import Finding, choice
from hub.rulebook import RULES
from hub.yaml import Document, read

_MARK = re.compile(r"#\s*vigie\s*:\s*(?P<said>.*)", re.IGNORECASE)
_NAMES = r"[^\s,]+(?:(?:, ?| and )(?!because\b)[^\s,]+)*"
_SAID = re.compile(rf"allow (?P<rule>[a-z0-9-]+)(?: with (?P<names>{_NAMES}))?(?P<rest>.*)")
_REASON = re.compile(r",? because (?P<reason>.*\w.*)")
_HOW = 'write "# vigie: allow RULE, because REASON"'


class Waiver(Struct, frozen=True):
    """`line`: the line it is good for. `place`: where it stands itself."""

    line: int
    rule: str
    names: frozenset[str]
    place: tuple[int, int]

    def covers(self, finding: Finding) -> bool:
        """Whether it means this warning."""
        return finding.line == self.line and finding.rule == self.rule and self.names >= frozenset(finding.names)


def settle(
    findings: Iterable[Finding], texts: Mapping[str, str], judged: Callable[[str], bool] = RULES.__contains__
) -> list[Finding]:
    """The findings that are left, and those on the waivers themselves, in order. `texts`: file (as findings name it) →
    its text. `judged`: whether all that there can be of a rule is among the findings, so that a waiver of it which
    waives nothing is one too many."""
    left = list(findings)
    for file, text in texts.items():
        if "vigie" not in text.casefold():
            continue
        document = read(text, file)
        document.findings.clear()  # these are told by whoever reads the file for what is in it
        for waiver in _waivers(document):
            kept = [f for f in left if f.file != file or f.warning is False or not waiver.covers(f)]
            if len(kept) == len(left) and judged(waiver.rule):
                _waives_nothing(document, waiver, [f for f in left if f.file == file])
            left = kept
        left += document.findings
    return sorted(left, key=lambda f: (f.file, f.line, f.column))


def waives(text: str, file: str, finding: Finding) -> bool:
    """Whether a text waives a finding that is made at this place."""
    return "vigie" in text.casefold() and any(waiver.covers(finding) for waiver in _waivers(read(text, file)))


def _waivers(document: Document) -> list[Waiver]:
    """Those that can be read; findings for the others."""
    found = []
    for line, column, comment in document.comments():
        mark = _MARK.match(comment)
        if mark is not None:
            waiver = _waiver(document, line, column, mark["said"].strip(), len(comment))
            if waiver is not None:
                found.append(waiver)
    return found


def _waiver(document: Document, line: int, column: int, text: str, width: int) -> Waiver | None:
    def wrong(rule: str, message: str, remedy: str) -> None:
        document.add_at(line, column, rule, message, remedy, width=width, warning=True)

    said = _SAID.fullmatch(text)
    if said is None:
        wrong("waiver-unclear", "this waiver cannot be read", _HOW)
        return None
    rule = said["rule"]
    if rule not in RULES:
        wrong("waiver-unclear", f'there is no rule "{rule}"', choice(rule, RULES, "a rule can be"))
        return None
    if not RULES[rule].warns:
        wrong("waiver-of-an-error", f"{rule} is an error: it cannot be waived", "mend it, and remove this comment")
        return None
    if not _REASON.fullmatch(said["rest"]):
        wrong("waiver-without-reason", f"{rule} is waived without a reason", f'add ", because ..." ({_HOW})')
        return None
    names = re.split(r", ?| and ", said["names"]) if said["names"] else []
    return Waiver(_meant(document, line, column), rule, frozenset(names), (line, column))


def _meant(document: Document, line: int, column: int) -> int:
    """The line a comment is good for: its own, where anything else stands on it; else the next with anything on it."""
    if document.line(line)[: column - 1].strip():
        return line
    comments = {number for number, at, _ in document.comments() if not document.line(number)[: at - 1].strip()}
    line += 1
    while line in comments or (not document.line(line).strip() and line <= document.lines):
        line += 1
    return line


def _waives_nothing(document: Document, waiver: Waiver, findings: list[Finding]) -> None:
    line, column = waiver.place
    near = [f for f in findings if f.rule == waiver.rule and f.names and f.line == waiver.line]
    if near:
        names = ", ".join(near[0].names)
        message = f"{waiver.rule} is not waived: it is with {names}"
        remedy = f'write "allow {waiver.rule} with {names}, because ..."'
    else:
        elsewhere = sorted({f.line for f in findings if f.rule == waiver.rule and f.warning})
        message = f"nothing is wrong here by the rule {waiver.rule}"
        remedy = f"it is on line {elsewhere[0]}: put it above that" if elsewhere else "remove this comment"
    document.add_at(
        line, column, "waives-nothing", message, remedy, width=len(document.line(line)) - column + 1, warning=True
    )
