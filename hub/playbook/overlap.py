"""Sheets beside one another: two that take the same signal, and those that are quiet while one another. Pure.

Whether two sheets overlap is decided from their conditions alone, block by block: nothing keeps the two apart, and
what the one is about (hazard, event, words) is asked by the other too, or not at all. Two that are about different
kinds of thing, a hazard here and words there, can meet one signal by chance: that is not told.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from hub.model.trust import at_least
from hub.playbook.language import Playbook, Trust, When
from hub.playbook.never import never_both
from hub.playbook.words import stems
from hub.yaml import Document, Node

_ABOUT = ("hazards", "event", "words")
_WRITTEN = {
    "categories": "category",
    "hazards": "hazard",
    "severity": "severity",
    "urgency": "urgency",
    "certainty": "certainty",
    "sources": "source",
    "areas": "area",
    "event": "event",
    "words": "words",
}


class Around(Struct, frozen=True, kw_only=True):
    """What is around sheets. `within`: area → those it lies in. `grades`: source → how far it is trusted."""

    within: Mapping[str, Collection[str]] = {}
    grades: Mapping[str, Trust] = {}


class Overlap(Struct, frozen=True, kw_only=True):
    """Two blocks that take the same signal: their sheets, their numbers, what they share in the author's words."""

    sheets: tuple[str, str]
    blocks: tuple[int, int]
    shared: str


def overlaps(playbooks: Sequence[Playbook], around: Around) -> list[Overlap]:
    """The first overlap of each two sheets, but for those of which one is quiet while the other is open."""
    found = []
    sheets = [(p, [_Block(number, when) for number, when in enumerate(p.when)]) for p in playbooks if p.when]
    for at, (one, mine) in enumerate(sheets):
        for other, theirs in sheets[at + 1 :]:
            first = next(_both(one, mine, other, theirs, around), None)
            if first is not None and not _knows(one, other) and not _knows(other, one):
                found.append(first)
    return found


def _knows(one: Playbook, other: Playbook) -> bool:
    return any(cause.sheet == other.name for cause in one.quiet_while)


def check_overlaps(
    documents: Mapping[str, Document],
    playbooks: Sequence[Playbook],
    around: Around,
    waived: Callable[[str, Node | None, str], bool],
) -> None:
    """Adds a finding for each two sheets that take the same signal, at the one that comes later, or where the first
    waives it. `documents`: by sheet. `waived`: sheet, place, the other sheet."""
    for overlap in overlaps(playbooks, around):
        (one, other), (here, there) = overlap.sheets, overlap.blocks
        place = documents[one].at("when", here)
        sheet, mine, by = (one, place, other) if waived(one, place, other) else (other, None, one)
        documents[sheet].add(
            mine or documents[other].at("when", there),
            "overlap",
            f"{sheet} and {by} both take signals of {overlap.shared}",
            f'part them, write "quiet while: {by}", or say why both: # vigie: allow overlap with {by}, because ...',
            warning=True,
            names=(by,),
        )


def check_quiet(documents: Mapping[str, Document], playbooks: Sequence[Playbook]) -> None:
    """Adds a finding for every circle of sheets that are quiet while one another, where it begins."""
    causes = {sheet.name: [cause.sheet for cause in sheet.quiet_while] for sheet in playbooks}
    told: set[frozenset[str]] = set()
    for name in causes:
        circle = _circle(name, causes)
        if not circle or frozenset(circle) in told:
            continue
        told.add(frozenset(circle))
        place = documents[name].at("quiet while", causes[name].index(circle[1]))
        documents[name].add(
            place, "quiet-circle", f"these are quiet while one another: {' → '.join([*circle, name])}",
            "let the graver one run whatever else is open", warning=True, names=tuple(circle[1:]),
        )  # fmt: skip


def _circle(start: str, causes: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest way from a sheet back to it, through others; none where there is no way."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for cause in causes.get(way[-1], ()):
            if cause == start and len(way) > 1:
                return way
            if cause not in seen:
                seen.add(cause)
                ways.append([*way, cause])
    return []


# --- two blocks --------------------------------------------------------------------------------------------


class _Block:
    """One `when` block, with what of it is compared with all others worked out once."""

    def __init__(self, number: int, when: When) -> None:
        self.number = number
        self.when = when
        self.about = frozenset(key for key in _ABOUT if getattr(when, key))
        self.hazards = frozenset(when.hazards)

    def apart(self, other: "_Block") -> bool:
        """Whether nothing more has to be looked at: most blocks are about something else."""
        if self.hazards and other.hazards and self.hazards.isdisjoint(other.hazards):
            return True
        return not (self.about <= other.about or other.about <= self.about)


def _both(
    one: Playbook, mine: Sequence[_Block], other: Playbook, theirs: Sequence[_Block], around: Around
) -> Iterator[Overlap]:
    for here in mine:
        for there in theirs:
            shared = None if here.apart(there) else _shared(here.when, there.when, around)
            if shared is not None:
                blocks = here.number, there.number
                yield Overlap(sheets=(one.name, other.name), blocks=blocks, shared=_in_words(shared))


def _shared(here: When, there: When, around: Around) -> dict[str, tuple[str, ...]] | None:
    """What both ask for, by its key; None where no signal meets both, or only by chance."""
    if not set(here.status) & set(there.status):
        return None
    out: dict[str, tuple[str, ...]] = {}
    for key, word in _WRITTEN.items():
        asked, also = getattr(here, key), getattr(there, key)
        common = _common(key, asked, also, around)
        if not common and asked and also:
            return None
        if common:
            out[word] = common
    if not _trusted(here, there, around) or never_both(here, there):
        return None
    return out


def _common(key: str, asked: tuple[Any, ...], also: tuple[Any, ...], around: Around) -> tuple[str, ...]:
    """What is in both; all of the one where the other does not ask."""
    if not (asked and also):
        return tuple(str(value) for value in asked or also)
    if key in ("event", "words"):
        roots = {stems(phrase) for phrase in also}
        return tuple(phrase for phrase in asked if stems(phrase) in roots)
    if key == "areas":
        inner = [a for a in asked if any(a == b or b in around.within.get(a, ()) for b in also)]
        return tuple(dict.fromkeys([*inner, *(b for b in also if any(a in around.within.get(b, ()) for a in asked))]))
    return tuple(str(value) for value in asked if value in also)


def _trusted(here: When, there: When, around: Around) -> bool:
    """Whether one of the sources that both take is trusted enough for both."""
    grades = [when.trust for when in (here, there) if when.trust is not None]
    asked = set(here.sources or around.grades) & set(there.sources or around.grades)
    if not asked or not grades:
        return True
    return any(
        all(at_least(own.reliability, own.credibility, g.reliability, g.credibility) for g in grades)
        for source in asked
        if (own := around.grades.get(source)) is not None
    )


def _in_words(shared: Mapping[str, tuple[str, ...]]) -> str:
    """`hazard heat, cold; area brussels-capital-region`."""
    parts = []
    for word, values in shared.items():
        more = f" and {len(values) - 4} more" if len(values) > 4 else ""
        parts.append(f"{word} {', '.join(values[:4])}{more}")
    return "; ".join(parts) or "any kind"
