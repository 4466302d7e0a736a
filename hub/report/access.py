"""The access list for a reception: who may come in, into which rooms, from when to when, for whom, who approved it; and
who may not any more. As a document, and as a table for spreadsheets. Pure.
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.model.access import AccessList, Guest, NoLonger, Pass
from hub.model.people import Classification, Language
from hub.people.exchange.table import harmless
from hub.report.access_words import WORDS
from hub.report.document import Document, Named, Paragraph, Row, Section, Table
from hub.report.known import Known
from hub.report.words import CLASSIFICATIONS, banner, named, told
from hub.report.words import WORDS as COMMON

SEPARATOR = ";"  # as spreadsheets read it where a comma stands before decimals


def access_document(listed: AccessList, known: Known, language: Language, sees: Classification) -> Document:
    """Those who may not come in any more first: they are whom somebody at the door remembers."""
    return _Making(listed, known, language).document(sees)


def access_table(listed: AccessList, known: Known, language: Language) -> bytes:
    """CSV (RFC 4180), UTF-8 with a mark that spreadsheets look for; a row for each person and request. No cell is a
    formula, whatever was typed."""
    return _Making(listed, known, language).table()


class _Making:
    def __init__(self, listed: AccessList, known: Known, language: Language) -> None:
        self._listed, self._known, self._language = listed, known, language
        self._words, self._common = WORDS[language], COMMON[language]
        self._banner = banner(listed.status, language)

    def document(self, sees: Classification) -> Document:
        w, at = self._words, told(self._listed.at, self._known.zone, self._language, True)
        classification = CLASSIFICATIONS[self._language][sees]
        return Document(
            title=w.title,
            language=self._language,
            head=(
                Named(self._common.at, f"{at}, {self._common.made_by} {self._known.hub}"),
                Named(self._common.classification, classification),
            ),
            short=f"{self._common.at} {at}",
            classification=classification,
            banner=self._banner,
            sections=(
                Section(title="", blocks=(Paragraph(text=w.replaces, marked=True),)),
                *self._gone(),
                Section(title=w.admitted.format(count=len(self._listed.admitted)), blocks=tuple(self._admitted())),
            ),
        )

    def _gone(self) -> Iterator[Section]:
        w, gone = self._words, self._listed.gone
        if not gone:
            return
        rows = tuple(
            Row(cells=(self._person(one.guest), self._told(one.at), f"{w.gone.get(one.why, one.why)}\n{one.incident}"))
            for one in gone
        )
        table = Table(heads=(w.name, w.since, w.why), rows=rows, widths=(7, 5, 8))
        yield Section(title=w.no_longer.format(count=len(gone)), blocks=(Paragraph(text=w.stop, leads=True), table))

    def _admitted(self) -> Iterator[Paragraph | Table]:
        w = self._words
        if not self._listed.admitted:
            yield Paragraph(text=w.nobody, marked=True)
            return
        rows: list[Row] = []
        for person in self._listed.admitted:
            name = self._person(person.guest)
            for one in person.passes:
                times = f"{self._told(one.start) if one.start else w.at_once}\n→ {self._told(one.until)}"
                rows.append(Row(cells=(name, self._rooms(one), times, self._behind(one))))
                name = ""
        heads = (w.name, w.rooms, f"{w.begins} → {w.ends}", w.request)
        yield Table(heads=heads, rows=tuple(rows), widths=(6, 4, 5, 9))

    def table(self) -> bytes:
        w = self._words
        out = io.StringIO()
        write = csv.writer(out, delimiter=SEPARATOR, lineterminator="\r\n").writerow
        heads = (
            w.state,
            w.name,
            w.service,
            w.function,
            w.rooms,
            w.begins,
            w.ends,
            w.whom,
            w.approved,
            w.request,
            w.why,
        )
        write([*heads, self._common.at, w.remark])
        at = self._stamp(self._listed.at)
        rows = [self._row(p.guest, one) for p in self._listed.admitted for one in p.passes]
        rows += [self._left(one) for one in self._listed.gone]
        for row in rows:
            write([harmless(cell) for cell in (*row, at, self._banner)])
        return out.getvalue().encode("utf-8-sig")

    def _row(self, guest: Guest | None, one: Pass) -> tuple[str, ...]:
        begins = self._stamp(one.start) if one.start else ""
        approved = ", ".join(map(self._named, one.approved))
        by = f"{self._words.by_hand} {self._named(one.by)}" if one.by else ""
        until, whom = self._stamp(one.until), self._whom(one.whom)
        rooms = self._rooms(one, ", ")
        return (
            self._words.may, *self._parts(guest), rooms, begins, until, whom, approved, one.incident, by
        )  # fmt: skip

    def _left(self, one: NoLonger) -> tuple[str, ...]:
        why = self._words.gone.get(one.why, one.why)
        return (
            self._words.may_not, *self._parts(one.guest), "", "", self._stamp(one.at), "", "", one.incident, why
        )  # fmt: skip

    def _parts(self, guest: Guest | None) -> tuple[str, str, str]:
        return (self._words.erased, "", "") if guest is None else (guest.name, guest.service, guest.function)

    def _person(self, guest: Guest | None) -> str:
        name, *rest = self._parts(guest)
        return "\n".join(part for part in (name, ", ".join(part for part in rest if part)) if part)

    def _rooms(self, one: Pass, between: str = "\n") -> str:
        rooms = self._known.rooms
        return between.join(named(rooms[id_].names, self._language, id_) if id_ in rooms else id_ for id_ in one.rooms)

    def _behind(self, one: Pass) -> str:
        w = self._words
        said = [self._whom(one.whom)]
        said += [f"{w.approved} {', '.join(map(self._named, one.approved))}"] if one.approved else []
        said += [f"{w.by_hand} {self._named(one.by)}"] if one.by else []
        return "\n".join(part for part in (*said, one.incident) if part)

    def _whom(self, whom: str) -> str:
        known = self._known.directory.organisations.get(whom)
        return whom if known is None else named(known.names, self._language, known.id)

    def _named(self, person: str) -> str:
        known = self._known.directory.person(person)
        return person if known is None else known.name

    def _told(self, at: datetime) -> str:
        return told(at, self._known.zone, self._language)

    def _stamp(self, at: datetime) -> str:
        """`2026-11-27 06:00`; in the hour that the clocks show twice, with its offset."""
        here = at.astimezone(ZoneInfo(self._known.zone))
        twice = here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset()
        return f"{here:%Y-%m-%d %H:%M}" + (f" ({here:%z})" if twice else "")
