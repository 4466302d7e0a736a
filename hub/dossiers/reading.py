"""All that is in a dossier, read from a journal: what a person looks at, and what a report is made of. Decides nothing.

One pass over the decisions; what signals said is read from the vault, and is missing where it was erased.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from hub.engine import dossiers as filing
from hub.journal.codec import Row, decode_fact
from hub.model import events as e
from hub.model import records as r
from hub.model.signal import Signal
from hub.model.trust import Credibility
from hub.why import Reading as Whole
from hub.why import Unknown, decisions

_PAGE = 500
_signal = msgspec.json.Decoder(Signal)
_note = msgspec.json.Decoder(dict[str, str])


class Reading(Whole, Protocol):
    """What of a journal's reader is needed (hub.journal.reader)."""

    def rows(self, after: int = 0, since: float | None = None, type_: str | None = None) -> Iterator[Row]: ...


class FiledSignal(Struct, frozen=True, kw_only=True):
    """A signal of a dossier. `at`: when it was filed; `day`: the local day it belongs to; `apart`: why it counts
    nothing, `""` where it counts. `headlines`: by language of the signal (`fr-BE`); none where it was erased. `grade`:
    as it is believed now (`B2`). `removed_by`, `removed_why`: who took it out; `cancelled`: its sender took it back."""

    signal: str
    story: str
    at: datetime
    day: date
    source: str = ""
    headlines: dict[str, str] = {}
    grade: str = ""
    apart: str = ""
    places: tuple[str, ...] = ()
    by: str = ""
    why: str = ""
    removed_by: str = ""
    removed_why: str = ""
    cancelled: bool = False
    erased: bool = False

    @property
    def counts(self) -> bool:
        return not self.apart and not self.removed_by


class Note(Struct, frozen=True, kw_only=True):
    """`id`: of its record. `text`: None where it was erased."""

    id: str
    at: datetime
    by: str
    text: str | None


class Linked(Struct, frozen=True, kw_only=True):
    """An incident of a dossier. `at`: when it was linked; `by`: by whom, `""` where a filed signal is in it."""

    incident: str
    at: datetime
    sheet: str = ""
    opened_at: datetime | None = None
    by: str = ""
    why: str = ""


class RiseSeen(Struct, frozen=True, kw_only=True):
    """`signal`: the one that told it; `over`: the local day on which that was found to be over."""

    day: date
    span: int
    count: int
    usual: float
    signal: str = ""
    over: date | None = None


class History(Struct, frozen=True, kw_only=True):
    """A dossier, from `since` on where only part was asked for. `begins`: the first day it was ever in force; `days`:
    local day → how many stories count on it; `places`: area → how many of these touch it, the most first."""

    name: str
    begins: date
    days: dict[date, int]
    places: dict[str, int]
    signals: tuple[FiledSignal, ...]
    notes: tuple[Note, ...]
    incidents: tuple[Linked, ...]
    rises: tuple[RiseSeen, ...]


def history(reading: Reading, name: str, zone: ZoneInfo, since: date | None = None) -> History:
    """All of a dossier, or what belongs to the local days from `since` on. Raises hub.why.Unknown where no dossier of
    that name was ever in force."""
    found = _Found(name, zone)
    for decision in decisions(reading):
        for event in decision.events:
            found.note(event, decision)
    if found.begins is None:
        raise Unknown(f'no dossier "{name}" was ever in force')
    signals = [one for one in found.signals if since is None or one.day >= since]
    counted = [one for one in signals if one.counts]
    days: dict[date, int] = {}
    places: dict[str, int] = {}
    for one in counted:
        days[one.day] = days.get(one.day, 0) + 1
        for place in one.places:
            places[place] = places.get(place, 0) + 1
    return History(
        name=name,
        begins=found.begins,
        days=dict(sorted(days.items())),
        places=dict(sorted(places.items(), key=lambda entry: (-entry[1], entry[0]))),
        signals=tuple(_told(reading, signals)),
        notes=tuple(_notes(reading, found.notes, zone, since)),
        incidents=tuple(one for one in found.linked() if since is None or one.at.astimezone(zone).date() >= since),
        rises=tuple(one for one in found.rises if since is None or one.day >= since),
    )


class _Found:
    """What decisions say of one dossier."""

    def __init__(self, name: str, zone: ZoneInfo) -> None:
        self.name, self.zone = name, zone
        self.begins: date | None = None
        self.signals: list[FiledSignal] = []
        self.notes: list[str] = []
        self.rises: list[RiseSeen] = []
        self._incidents: dict[str, Linked] = {}
        self._opened: dict[str, tuple[str, datetime]] = {}  # incident → its sheet, when

    def linked(self) -> list[Linked]:
        """The incidents, with what is known of them."""
        replace = msgspec.structs.replace
        return [
            replace(one, sheet=self._opened[id_][0], opened_at=self._opened[id_][1]) if id_ in self._opened else one
            for id_, one in self._incidents.items()
        ]

    def note(self, event: e.Event, decision: r.Decision) -> None:
        if isinstance(event, e.Opened) and not event.shadow:
            self._opened[event.incident] = (event.playbook, decision.at)
        if getattr(event, "dossier", None) != self.name:
            return
        replace = msgspec.structs.replace
        match event:
            case e.DossierOpened():
                self.begins = self.begins or decision.at.astimezone(self.zone).date()
            case e.Filed():
                self._filed(event, decision.at)
            case e.Unfiled():
                self._change(event.story, removed_by=event.by or "?", removed_why=event.why)
            case e.Recounted():
                first = next(
                    (one for one in self.signals if one.story == event.story and one.apart != filing.SAME), None
                )
                self._change(event.story, only=first, apart=event.apart)
            case e.FiledCancelled():
                self._change(event.story, cancelled=True)
            case e.DossierNoted():
                self.notes.append(event.note)
            case e.DossierLinked():
                self._incidents[event.incident] = Linked(
                    incident=event.incident, at=decision.at, by=event.by, why=event.why
                )
            case e.Rose():
                rise = RiseSeen(day=event.day, span=event.span, count=event.count, usual=event.usual)
                self.rises.append(rise)
            case e.RiseTold() if self.rises:
                self.rises[-1] = replace(self.rises[-1], signal=event.signal)
            case e.FellBack() if self.rises:
                self.rises[-1] = replace(self.rises[-1], over=event.day)
            case _:
                pass

    def _filed(self, event: e.Filed, at: datetime) -> None:
        if not event.apart:  # what was there of the story did not count, or was taken out: this one does
            self.signals = [
                msgspec.structs.replace(one, apart=one.apart or filing.SAME)
                if one.story == event.story and one.removed_by == ""
                else one
                for one in self.signals
            ]
        self.signals.append(
            FiledSignal(
                signal=event.signal,
                story=event.story,
                at=at,
                day=event.day,
                apart=event.apart,
                places=event.places,
                by=event.by,
                why=event.why,
            )
        )

    def _change(self, story: str, only: FiledSignal | None = None, **changes: object) -> None:
        self.signals = [
            msgspec.structs.replace(one, **changes)
            if one.story == story and not one.removed_by and (only is None or one is only)
            else one
            for one in self.signals
        ]


def _told(reading: Reading, filed: Sequence[FiledSignal]) -> Iterator[FiledSignal]:
    """The signals with what they said, and how far they are believed now."""
    grades = _grades(reading) if filed else {}
    for start in range(0, len(filed), _PAGE):
        part = filed[start : start + _PAGE]
        facts = [fact if isinstance(fact, r.Fact) else None for fact in reading.get([one.signal for one in part])]
        entries = reading.vault([fact.vault if fact is not None else "" for fact in facts])
        for one, entry in zip(part, entries, strict=True):
            signal = None if entry is None else _decoded(entry.payload)
            if signal is None:
                yield msgspec.structs.replace(one, erased=True)
                continue
            reliability, credibility, _ = signal.graded
            story = signal.backing.story if signal.backing is not None else one.signal
            credibility = grades.get(story, credibility)
            yield msgspec.structs.replace(
                one,
                source=signal.source,
                headlines={info.language: info.headline or info.event for info in signal.infos},
                grade=f"{reliability}{credibility.value}",
            )


def _grades(reading: Reading) -> Mapping[str, Credibility]:
    """Story → what officers said of it last, where that still holds."""
    found: dict[str, Credibility] = {}
    for row in reading.rows(type_="graded"):
        body = decode_fact(row.body).body
        if isinstance(body, r.SignalGraded):
            if body.credibility is None:
                found.pop(body.story, None)
            else:
                found[body.story] = body.credibility
    return found


def _notes(reading: Reading, ids: Sequence[str], zone: ZoneInfo, since: date | None) -> Iterator[Note]:
    for start in range(0, len(ids), _PAGE):
        facts = [fact for fact in reading.get(ids[start : start + _PAGE]) if isinstance(fact, r.Fact)]
        for fact, entry in zip(facts, reading.vault([fact.vault for fact in facts]), strict=True):
            if since is not None and fact.at.astimezone(zone).date() < since:
                continue
            by = fact.body.by if isinstance(fact.body, r.DossierNote) else ""
            text = None if entry is None else _note.decode(entry.payload).get("text", "")
            yield Note(id=fact.id, at=fact.at, by=by, text=text)


def _decoded(payload: bytes) -> Signal | None:
    try:
        return _signal.decode(payload)
    except msgspec.MsgspecError:
        return None
