"""How often sheets were activated, as the annual report counts it. Reads a journal; decides nothing.

What counts: incidents that were opened in earnest, by a signal or by hand; exercises apart; what was in shadow, tests
and what was opened again not at all. By the answer to one of a form's questions (`kind`, say) where that is wanted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from hub.model import events as e
from hub.model import records as r
from hub.model.signal import Signal, Status
from hub.why import Reading, decisions

ERASED, NOT_SAID = "(erased)", "(not said)"
_PAGE = 500
_signal = msgspec.json.Decoder(Signal)


class Activation(Struct, frozen=True, kw_only=True):
    """One incident. `about`: the signal that began it, or what was said in its place, by hand."""

    incident: str
    sheet: str
    at: datetime
    by_hand: bool
    exercise: bool
    about: str


class Count(Struct, frozen=True, kw_only=True):
    """Of one sheet, and one answer where that was asked for. `months`: in earnest, January first."""

    sheet: str
    kind: str
    activations: int
    by_hand: int
    exercises: int
    months: tuple[int, ...]


def activations(reading: Reading, first: date, last: date, zone: ZoneInfo) -> Iterator[Activation]:
    """Of these days (both included), local time, in the order they came."""
    for decision in decisions(reading):
        if not first <= decision.at.astimezone(zone).date() <= last:
            continue
        for event in decision.events:
            if isinstance(event, e.Opened) and not event.shadow and event.status in (Status.ACTUAL, Status.EXERCISE):
                yield Activation(
                    incident=event.incident,
                    sheet=event.playbook,
                    at=decision.at,
                    by_hand=event.by_hand,
                    exercise=event.status is Status.EXERCISE,
                    about=event.by,
                )


def counted(found: Iterable[Activation], zone: ZoneInfo, kinds: dict[str, str] | None = None) -> list[Count]:
    """By sheet, and by `kinds` (incident → answer); the most first."""
    groups: dict[tuple[str, str], list[Activation]] = {}
    for one in found:
        groups.setdefault((one.sheet, (kinds or {}).get(one.incident, "")), []).append(one)
    counts = [_count(sheet, kind, those, zone) for (sheet, kind), those in groups.items()]
    return sorted(counts, key=lambda c: (-c.activations, c.sheet, c.kind))


def kinds_of(reading: Reading, found: Sequence[Activation], field: str) -> dict[str, str]:
    """Incident → what was answered to that question; where the signal was erased, or says nothing of it, that."""
    said: dict[str, str] = {}
    for start in range(0, len(found), _PAGE):
        part = found[start : start + _PAGE]
        facts = reading.get([one.about for one in part])
        entries = reading.vault([fact.vault if isinstance(fact, r.Fact) else "" for fact in facts])
        for one, entry in zip(part, entries, strict=True):
            said[one.incident] = ERASED if entry is None else _said(entry.payload, field)
    return said


def _said(payload: bytes, field: str) -> str:
    try:
        signal = _signal.decode(payload)
    except msgspec.MsgspecError:
        return NOT_SAID
    told = [p.value for info in signal.infos for p in info.parameters if p.name == field and p.value.strip()]
    return " ".join(told[-1].split()) if told else NOT_SAID


def _count(sheet: str, kind: str, those: Sequence[Activation], zone: ZoneInfo) -> Count:
    real = [one for one in those if not one.exercise]
    months = Counter(one.at.astimezone(zone).month for one in real)
    return Count(
        sheet=sheet,
        kind=kind,
        activations=len(real),
        by_hand=sum(one.by_hand for one in real),
        exercises=len(those) - len(real),
        months=tuple(months[month] for month in range(1, 13)),
    )
