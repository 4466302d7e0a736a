"""The contact sheet: who is on duty where and how they are reached, at an instant, for one reader: nothing that they
may not see, and how much that is. Pure.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from hub.model.people import Asked, Classification, Contact, Language
from hub.people.rosters import timeline
from hub.report.call_list import contact_named
from hub.report.document import Document, Named, Paragraph, Row, Section, Table
from hub.report.known import Eyes, Known, Line
from hub.report.words import CLASSIFICATIONS, NO_BREAK, WORDS, banner, clock_changes, to_dial_from_anywhere, told

AHEAD = timedelta(days=14)  # how far the next handover is looked for


class Part(Struct, frozen=True, kw_only=True):
    """One roster, group, organisation ... `hidden`: how many of its people the reader may not see. `nobody`: it has
    none. `until` and `then`: in words, of a roster that is handed over."""

    title: str
    people: tuple[Line, ...]
    hidden: int
    nobody: str = ""
    until: str = ""
    then: str = ""


class Sheet(Struct, frozen=True, kw_only=True):
    """`people` and `addresses`: how many were left out."""

    parts: tuple[Part, ...]
    people: int
    addresses: int


def sheet_of(
    known: Known, contacts: Sequence[Contact], at: datetime, language: Language, sees: Classification
) -> Sheet:
    """What a reader who may see `sees` is told of these contacts at the aware instant `at`."""
    eyes = Eyes(known, sees, language, to_dial_from_anywhere)
    parts = tuple(_part(known, contact, at, language, eyes) for contact in contacts)
    return Sheet(parts=parts, people=len(eyes.people), addresses=len(eyes.addresses))


def _part(known: Known, contact: Contact, at: datetime, language: Language, eyes: Eyes) -> Part:
    words, directory = WORDS[language], known.directory
    title = contact_named(known, contact, language, eyes)
    match contact.kind:
        case Asked.ROSTER:
            return _roster_part(known, contact.id, title, at, language, eyes)
        case Asked.PERSON:
            people: tuple[str, ...] = (contact.id,)
        case Asked.GROUP:
            people = directory.members(contact.id)
        case Asked.COMPETENCE:
            people = directory.competent(contact.id)
        case Asked.ORGANISATION:
            people = directory.working_for(contact.id)
    lines, hidden = eyes.lines(people)
    return Part(title=title, people=lines, hidden=hidden, nobody="" if people else words.empty)


def _roster_part(known: Known, roster: str, title: str, at: datetime, language: Language, eyes: Eyes) -> Part:
    words = WORDS[language]
    defined = known.rosters.get(roster)
    spans = () if defined is None else timeline(defined, at, at + AHEAD)
    lines, hidden = eyes.lines(spans[0].people) if spans else ((), 0)
    until = then = ""
    if len(spans) > 1:
        until = words.until.format(time=told(spans[0].end, known.zone, language))
        coming, unseen = eyes.lines(spans[1].people)
        names = [line.name for line in coming] + [words.hidden_here.format(count=unseen)] * bool(unseen)
        followers = ", ".join(names) or words.nobody
        then = words.then.format(time=told(spans[1].start, known.zone, language), people=followers)
    nobody = "" if spans and spans[0].people else words.nobody
    return Part(title=title, people=lines, hidden=hidden, nobody=nobody, until=until, then=then)


def document_of(
    sheet: Sheet, known: Known, at: datetime, language: Language, sees: Classification, recipient: str = ""
) -> Document:
    """The sheet as a document. `recipient`: whom it is for, as they are to be named on it."""
    words = WORDS[language]
    time = told(at, known.zone, language, True)
    classification = CLASSIFICATIONS[language][sees]
    head = [Named(words.at, f"{time}, {words.made_by} {known.hub}")]
    head += [Named(words.recipient, recipient)] if recipient else []
    changes = clock_changes(at, at + timedelta(days=3), known.zone, language)
    sections = [Section(title=part.title, blocks=tuple(_blocks(part, language))) for part in sheet.parts]
    last = tuple(Paragraph(text=text) for text in (*changes, _left_out(sheet, language)))
    return Document(
        title=words.contacts,
        language=language,
        head=(*head, Named(words.classification, classification)),
        short=f"{words.at} {time}",
        classification=classification,
        banner=banner(known.status, language),
        sections=(*sections, Section(title="", blocks=last)),
    )


def _blocks(part: Part, language: Language) -> Iterator[Paragraph | Table]:
    words = WORDS[language]
    if part.nobody:
        yield Paragraph(text=f"▶ {part.nobody}", marked=True)
    if part.people:
        rows = tuple(
            Row(cells=(line.name, line.organisation, "\n".join((*line.numbers, *line.mails)) or words.no_number))
            for line in part.people
        )
        yield Table(heads=(words.name, words.organisation, words.reached), rows=rows, widths=(6, 5, 6), large=(2,))
    if part.hidden:
        yield Paragraph(text=words.hidden_here.format(count=part.hidden))
    if part.until or part.then:
        yield Paragraph(text="; ".join(text for text in (part.until, part.then) if text))


def _left_out(sheet: Sheet, language: Language) -> str:
    words = WORDS[language]
    if not sheet.people and not sheet.addresses:
        return words.left_nothing
    return words.left_out.format(people=sheet.people, addresses=sheet.addresses)


def short_text(sheet: Sheet, language: Language) -> str:
    """The sheet for a text message: the names and numbers, a line for each part, the most important first."""
    words = WORDS[language]
    lines = []
    for part in sheet.parts:
        told_of = [" ".join((line.name, *(n.replace(NO_BREAK, "") for n in line.numbers))) for line in part.people]
        told_of += [words.hidden_here.format(count=part.hidden)] * bool(part.hidden) + [part.nobody] * bool(part.nobody)
        until = f" ({part.until})" if part.until else ""
        lines.append(f"{part.title}: {', '.join(told_of)}{until}")
    return "\n".join(lines)
