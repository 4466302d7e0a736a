"""What is wrong with a text somebody wrote, and where: `file:line:column: what is wrong: what would be right`.

Lines and columns count from 1, columns in characters. Everything that checks a playbook or a configuration gives
findings, all at once rather than the first only. `rule` is a short stable word (`unknown-key`) an author can look
up (`vigie check --explain RULE`, hub/rulebook.py). A warning may be waived in the file itself (hub/waivers.py).
"""

import difflib
import re
from collections.abc import Collection, Iterable

from msgspec import Struct


class Finding(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing that is wrong. `source` is the line it stands in, `width` how many characters of it are meant.

    `warning`: worth a look, but what was read is used all the same. `names`: what else it is about, by name; a waiver
    has to name it too.
    """

    file: str
    line: int
    column: int
    rule: str
    message: str
    remedy: str = ""
    source: str = ""
    width: int = 1
    warning: bool = False
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        """On one line, for programs and logs."""
        remedy = f": {self.remedy}" if self.remedy else ""
        level = "warning: " if self.warning else ""
        return f"{self.file}:{self.line}:{self.column}: {level}{self.message}{remedy} [{self.rule}]"

    def render(self) -> str:
        """For a person: the place, the line with a caret under what is meant, and what would be right."""
        level = "warning: " if self.warning else ""
        out = [f"{self.file}:{self.line}:{self.column}: {level}{self.message}"]
        if self.source:
            # A tab stays a tab, so that the caret stands below its character in any terminal.
            lead = "".join("\t" if c == "\t" else " " for c in self.source[: self.column - 1])
            out.append(f"{self.line:>5} | {self.source}")
            out.append(f"      | {lead}{'^' * max(1, self.width)}")
        out.append(f"   {self.remedy + '   ' if self.remedy else ''}[{self.rule}]")
        return "\n".join(out)


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that are no mere warnings."""
    return [f for f in findings if not f.warning]


def tally(findings: Collection[Finding]) -> str:
    """`1 error, 0 warnings`."""
    wrong = len(errors(findings))
    warnings = len(findings) - wrong
    return f"{wrong} error{'s' * (wrong != 1)}, {warnings} warning{'s' * (warnings != 1)}"


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or `""`."""
    by_folded = {k.casefold(): k for k in known}
    exact = by_folded.get(word.casefold())
    if exact is not None:
        return exact
    folded = word.casefold()
    part = [k for k in by_folded if folded in re.split("[- ]", k)]
    close = difflib.get_close_matches(folded, part, n=1, cutoff=0) or difflib.get_close_matches(folded, by_folded, n=1)
    return by_folded[close[0]] if close else ""


def choice(word: str, known: Iterable[str], what: str = "it can be") -> str:
    """The remedy for a word that is none of the known: the nearest one, and the list where it is short."""
    words = list(dict.fromkeys(known))
    if not words:
        return "there are none"
    near = nearest(word, words)
    if near and len(words) > 12:
        return f'did you mean "{near}"?'
    shown = ", ".join(words[:40]) + (" ..." if len(words) > 40 else "")
    return f'{what}: {shown}. Did you mean "{near}"?' if near else f"{what}: {shown}"
