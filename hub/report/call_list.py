"""The call list: who is on duty when in the coming hours, every chain, and all numbers, for the night on which
everything else is down. Pure.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from hub.model.people import Asked, Chain, Classification, Contact, Language, Roster, Tier
from hub.people.rosters import OnDuty, timeline
from hub.report.document import Document, Named, Paragraph, Row, Section, Table
from hub.report.known import Eyes, Known, Line
from hub.report.words import CHANNELS, CLASSIFICATIONS, WORDS, banner, by_name, clock_changes, to_dial, told

HOURS = 72
_NUMBERS = 2  # the column that holds them, in every table here


def call_list(
    known: Known,
    start: datetime,
    language: Language,
    *,
    hours: int = HOURS,
    sees: Classification = Classification.INTERNAL,
) -> Document:
    """The list from the aware instant `start` on. Numbers are written as one dials them in the hub's region."""
    return _Making(known, start, start + timedelta(hours=hours), language, sees).document()


class _Making:
    def __init__(self, known: Known, start: datetime, end: datetime, language: Language, sees: Classification) -> None:
        self._known, self._start, self._end = known, start, end
        self._language, self._sees = language, sees
        self._words = WORDS[language]
        self._eyes = Eyes(known, sees, language, lambda address: to_dial(address, known.region))

    def document(self) -> Document:
        w = self._words
        made, until = (told(at, self._known.zone, self._language, True) for at in (self._start, self._end))
        classification = CLASSIFICATIONS[self._language][self._sees]
        sections = (*self._rosters(), *self._chains(), *self._desks(), *self._phone_list())
        return Document(
            title=w.call_list,
            language=self._language,
            head=(
                Named(w.made, f"{made}, {w.made_by} {self._known.hub}"),
                Named(w.valid, until),
                Named(w.classification, classification),
            ),
            short=f"{w.made} {made} · {w.valid} {until}",
            classification=classification,
            banner=banner(self._known.status, self._language),
            sections=(*sections, *self._left_out()),
        )

    # -- who is on duty --

    def _rosters(self) -> Iterator[Section]:
        w = self._words
        notes = clock_changes(self._start, self._end, self._known.zone, self._language)
        if not self._known.rosters:
            notes.append(w.no_rosters)
        yield Section(title=w.on_duty, blocks=tuple(Paragraph(text=note, marked=True) for note in notes))
        for roster in self._known.rosters.values():
            rows = [row for span in self._spans(roster) for row in self._of_span(span)]
            yield Section(title=roster.id, blocks=(self._table((w.when, w.name, w.number), rows),), level=2)

    def _spans(self, roster: Roster) -> tuple[OnDuty, ...]:
        return timeline(roster, self._start, self._end)

    def _when(self, span: OnDuty) -> str:
        if (span.start, span.end) == (self._start, self._end):
            return self._words.all_the_time
        begins, ends = (told(at, self._known.zone, self._language) for at in (span.start, span.end))
        return f"{begins}\n→ {ends}"

    def _of_span(self, span: OnDuty, what: str = "") -> Iterator[Row]:
        """`what`: stands before the time."""
        when = "\n".join(part for part in (what, self._when(span)) if part)
        if not span.people:
            yield Row(cells=(when, f"▶ {self._words.nobody}", ""), marked=True)
            return
        yield from self._rows(when, span.people)

    def _rows(self, before: str, people: tuple[str, ...]) -> Iterator[Row]:
        lines, hidden = self._eyes.lines(people)
        for line in lines:
            yield Row(cells=(before, _whose(line), self._numbers(line)))
            before = ""
        if hidden:
            yield Row(cells=(before, self._words.hidden_here.format(count=hidden), ""))

    def _numbers(self, line: Line) -> str:
        return "\n".join(line.numbers) or self._words.no_number

    def _table(self, heads: tuple[str, str, str], rows: Iterable[Row]) -> Table:
        """Where nothing stands in the first column, it is left out."""
        found = tuple(rows)
        if any(row.cells[0] for row in found):
            return Table(heads=heads, rows=found, widths=(5, 7, 5), large=(_NUMBERS,))
        found = tuple(replace(row, cells=row.cells[1:]) for row in found)
        return Table(heads=heads[1:], rows=found, widths=(12, 5), large=(_NUMBERS - 1,))

    # -- chains --

    def _chains(self) -> Iterator[Section]:
        for nth, chain in enumerate(self._known.chains.values()):
            if not nth:
                yield Section(title=self._words.chains, new_page=True)
            yield Section(title=chain.id, blocks=tuple(self._chain(chain)), level=2)

    def _chain(self, chain: Chain) -> Iterator[Paragraph | Table]:
        w = self._words
        roles = ", ".join(w.need_role.format(count=role.count, role=str(role)) for role in chain.roles)
        yield Paragraph(text=f"{w.needs.format(count=chain.need)}{roles and f', {roles}'}.")
        for number, tier in enumerate(chain.tiers, 1):
            yield Paragraph(text=self._tier(number, tier), leads=True)
            rows = [row for contact in tier.ask for row in self._asked(contact)]
            yield self._table(("", w.name, w.number), rows)
        if chain.exhausted:
            yield Paragraph(text=w.exhausted.format(chain=chain.exhausted))

    def _tier(self, number: int, tier: Tier) -> str:
        w = self._words
        who = ", ".join(self._named(contact) for contact in tier.ask)
        by = ", ".join(CHANNELS[self._language].get(channel, channel) for channel in tier.by)
        text = w.tier.format(number=number, who=who, by=by, minutes=f"{tier.answer_s / 60:g}")
        more = [w.in_turn] * tier.in_turn + [w.times.format(count=tier.times)] * (tier.times > 1)
        return ", ".join((text, *more)) + "."

    def _named(self, contact: Contact) -> str:
        return contact_named(self._known, contact, self._language, self._eyes)

    def _asked(self, contact: Contact) -> Iterator[Row]:
        """Who that is: for a roster, over the whole time."""
        directory = self._known.directory
        match contact.kind:
            case Asked.ROSTER:
                roster = self._known.rosters.get(contact.id)
                for span in self._spans(roster) if roster is not None else ():
                    yield from self._of_span(span)
                return
            case Asked.PERSON:
                people: tuple[str, ...] = (contact.id,)
            case Asked.GROUP:
                people = directory.members(contact.id)
            case Asked.COMPETENCE:
                people = directory.competent(contact.id)
            case Asked.ORGANISATION:
                people = directory.working_for(contact.id)
        if not people:
            yield Row(cells=("", f"▶ {self._words.empty}", ""), marked=True)
        yield from self._rows("", people)

    # -- numbers --

    def _desks(self) -> Iterator[Section]:
        w = self._words
        desks = [line for p in self._known.directory.people.values() if p.desk and (line := self._eyes.line(p.id))]
        if desks:
            desks.sort(key=lambda line: (by_name(line.organisation), by_name(line.name)))
            rows = [Row(cells=(line.organisation, line.name, self._numbers(line))) for line in desks]
            yield Section(title=w.desks, blocks=(self._table((w.organisation, w.name, w.number), rows),))

    def _phone_list(self) -> Iterator[Section]:
        w = self._words
        lines = [line for person in self._known.directory.people if (line := self._eyes.line(person))]
        lines.sort(key=lambda line: by_name(line.name))
        rows = [Row(cells=(line.name, line.organisation, self._numbers(line))) for line in lines]
        table = Table(heads=(w.name, w.organisation, w.number), rows=tuple(rows), widths=(6, 6, 5), large=(_NUMBERS,))
        yield Section(title=w.phone_list, blocks=(table,), new_page=True)

    def _left_out(self) -> Iterator[Section]:
        people, addresses = len(self._eyes.people), len(self._eyes.addresses)
        if people or addresses:
            text = self._words.left_out.format(people=people, addresses=addresses)
            yield Section(title="", blocks=(Paragraph(text=text),))


def contact_named(known: Known, contact: Contact, language: Language, eyes: Eyes) -> str:
    """A contact as a reader knows it; a person only where they may be seen."""
    words = WORDS[language]
    match contact.kind:
        case Asked.ROSTER:
            return words.roster.format(name=contact.id)
        case Asked.GROUP:
            return words.group.format(name=contact.id)
        case Asked.COMPETENCE:
            return words.competence.format(name=contact.id)
        case Asked.ORGANISATION:
            organisation = known.directory.organisations.get(contact.id)
            return contact.id if organisation is None else organisation.names.get(language, contact.id)
        case Asked.PERSON:
            line = eyes.line(contact.id)
            return words.hidden_here.format(count=1) if line is None else line.name


def _whose(line: Line) -> str:
    return f"{line.name}\n{line.organisation}" if line.organisation else line.name
