"""Why a signal meets a sheet, or why not: every condition with what was asked and found. Slow beside matching, made
on request (`vigie match`, `vigie why`), and worked out condition by condition, without the matcher's tables.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any

from msgspec import Struct

from hub.model.signal import Info, MsgType, Signal
from hub.playbook.expression import BadExpression, Expression
from hub.playbook.language import Mode, Playbook, When
from hub.playbook.words import folded_fields, stems

YES, NO = "✓", "✗"


class Check(Struct, frozen=True):
    """One condition: its key in the sheet, what the sheet asks, what the signal says, whether that holds."""

    key: str
    asked: str
    found: str
    holds: bool

    def __str__(self) -> str:
        if self.holds:
            return f"{self.key} {self.found} {YES}"
        return f"{self.key} {self.found or 'nothing'} {NO} (asked: {self.asked})"


class Explanation(Struct, frozen=True, kw_only=True):
    """How a sheet stands to a signal: on the info block and by the `when` block that come nearest (the first that
    match, if any do). `info` and `when` are -1 where there is none to look at."""

    playbook: str
    version: str
    matched: bool
    info: int
    when: int
    checks: tuple[Check, ...]

    @property
    def first_failing(self) -> Check | None:
        """The first condition that does not hold, or None."""
        return next((c for c in self.checks if not c.holds), None)

    def __str__(self) -> str:
        verdict = "meets" if self.matched else "misses"
        return f"{verdict} {self.playbook} (version {self.version[:8]}): {'  '.join(map(str, self.checks))}"


def explain(signal: Signal, now: datetime, playbook: Playbook) -> Explanation:
    """Every condition of a sheet against a signal."""
    about_sheet = _about_sheet(signal, playbook)
    best: tuple[int, int, int, tuple[Check, ...]] | None = None
    if all(c.holds for c in about_sheet):
        for i, info in enumerate(signal.infos):
            for w, when in enumerate(playbook.when):
                checks = tuple(_checks(when, signal, info, now))
                failing = sum(not c.holds for c in checks)
                if best is None or failing < best[0]:
                    best = (failing, i, w, checks)
    failing, info_index, when_index, checks = best or (1, -1, -1, ())
    return Explanation(
        playbook=playbook.name,
        version=playbook.version,
        matched=failing == 0,
        info=info_index,
        when=when_index,
        checks=(*(c for c in about_sheet if not c.holds), *checks),
    )


def _about_sheet(signal: Signal, playbook: Playbook) -> list[Check]:
    return [
        Check("mode", "shadow or live", playbook.mode.value, playbook.mode is not Mode.DRAFT),
        Check("when", "a when block", "started by hand only" if not playbook.when else "", bool(playbook.when)),
        Check(
            "message type",
            "Alert, Update or Cancel",
            signal.msg_type.value,
            signal.msg_type not in (MsgType.ACK, MsgType.ERROR),
        ),
        Check("info blocks", "at least one", str(len(signal.infos)), bool(signal.infos)),
    ]


def _checks(when: When, signal: Signal, info: Info, now: datetime) -> Iterable[Check]:
    yield _one_of("status", when.status, (signal.status,))
    if when.sources:
        yield _one_of("source", when.sources, (signal.source,))
    if when.trust is not None or when.origins:
        reliability, credibility, origins = signal.graded
        found = f"{reliability}{credibility.value}" + (f" by {origins} origins" if origins > 1 else "")
        yield Check("trust", trust_in_words(when), found, when.believes(reliability, credibility, origins))
    if when.hazards:
        yield _hazard(when.hazards, info)
    if when.severity:
        yield _one_of("severity", when.severity, (info.severity,))
    if when.urgency:
        yield _one_of("urgency", when.urgency, (info.urgency,))
    if when.certainty:
        yield _one_of("certainty", when.certainty, (info.certainty,))
    if when.categories:
        yield _one_of("category", when.categories, info.categories)
    if when.areas:
        yield _area(when.areas, info)
    if when.event:
        yield _words("event", when.event, folded_fields(info.event), info.event)
    if when.words:
        text = folded_fields(info.event, info.headline, info.description)
        yield _words("words", when.words, text, info.headline or info.event)
    if when.where:
        yield _where(when.where, signal, info, now)


def trust_in_words(when: When) -> str:
    """`at least B2 or corroborated by 2 independent origins`."""
    parts = []
    if when.trust is not None:
        parts.append(f"at least {when.trust.reliability}{when.trust.credibility.value}")
    if when.origins:
        parts.append(f"corroborated by {when.origins} independent origins")
    return " or ".join(parts)


def _text(value: Any) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)


def _one_of(key: str, asked: tuple[Any, ...], found: tuple[Any, ...]) -> Check:
    common = [value for value in found if value in asked]
    return Check(key, ", ".join(map(_text, asked)), ", ".join(map(_text, common or found)), bool(common))


def _hazard(asked: tuple[Any, ...], info: Info) -> Check:
    if info.hazard is not None:
        return _one_of("hazard", asked, (info.hazard,))
    return Check("hazard", ", ".join(map(_text, asked)), f'none that is known (event "{info.event[:60]}")', False)


def _area(asked: tuple[str, ...], info: Info) -> Check:
    places = [p for area in info.areas for p in area.places]
    common = [p for p in dict.fromkeys(places) if p in asked]
    described = ", ".join(a.description for a in info.areas if a.description)[:120]
    if described and any(a.from_text for a in info.areas):
        described += " (read from the text)"
    shown = ", ".join(common or list(dict.fromkeys(places))[:5]) or "no area of ours"
    return Check("area", ", ".join(asked), f"{described} → {shown}" if described else shown, bool(common))


def _words(key: str, asked: tuple[str, ...], text: str, shown: str) -> Check:
    """Whole words in order, each stem equal: the definition the matcher's automaton has to agree with."""
    have = [" ".join(stems(part)) for part in text.split("\x01")]
    found = [a for a in asked if stems(a) and any(f" {' '.join(stems(a))} " in f" {part} " for part in have)]
    return Check(key, ", ".join(asked), ", ".join(found) if found else f'"{shown[:80]}"', bool(found))


def _where(text: str, signal: Signal, info: Info, now: datetime) -> Check:
    try:
        expression = Expression(text)
    except BadExpression as bad:
        return Check("where", text, bad.message, False)
    return Check("where", text, expression.why(signal, info, now), expression.holds(signal, info, now))
