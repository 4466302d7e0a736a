"""`vigie call-list` and `vigie contacts`: documents made of the configuration, without a running hub."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from hub.cli import say
from hub.config import Config
from hub.findings import choice
from hub.model.people import Asked, Classification, Contact, Language
from hub.model.signal import Status
from hub.people.directory import Directory
from hub.report.call_list import call_list as call_list_of
from hub.report.contacts import document_of, sheet_of
from hub.report.document import Document
from hub.report.html import html_of
from hub.report.pdf import pdf_of
from hub.report.text import text_of

_MAKERS: Mapping[str, Callable[[Document], bytes]] = {
    ".pdf": pdf_of,
    ".html": lambda document: html_of(document).encode(),
    ".txt": lambda document: text_of(document).encode(),
}


def call_list(
    config: Config, at: datetime, hours: int, language: Language, exercise: bool, output: Path | None
) -> None:
    known = config.known(Status.EXERCISE if exercise else Status.ACTUAL)
    give(call_list_of(known, at, language, hours=hours), output)


def contacts(
    config: Config,
    asked: Mapping[str, Sequence[str]],
    reader: str,
    at: datetime,
    language: Language | None,
    exercise: bool,
    output: Path | None,
) -> None:
    """`asked`: names by kind (roster, group, organisation)."""
    known = config.known(Status.EXERCISE if exercise else Status.ACTUAL)
    there = {
        "roster": known.rosters,
        "group": known.directory.groups,
        "organisation": known.directory.organisations,
    }
    wanted = [Contact(Asked(kind), name) for kind, names in asked.items() for name in names]
    if not wanted:
        say.could_not("whose contacts? name them with --roster, --group or --organisation")
    for contact in wanted:
        if contact.id not in there[contact.kind]:
            remedy = choice(contact.id, there[contact.kind], "there are")
            say.could_not(f'there is no {contact.kind} "{contact.id}": {remedy}')
    sees, own, name = _reader(known.directory, reader)
    language = language or own
    sheet = sheet_of(known, wanted, at, language, sees)
    give(document_of(sheet, known, at, language, sees, name(language)), output)


def _reader(directory: Directory, reader: str) -> tuple[Classification, Language, Callable[[Language], str]]:
    """What they may see, their language, their name in a language."""
    person = directory.person(reader)
    if person is not None:
        return directory.sees(reader), person.language, lambda language: person.name
    organisation = directory.organisations.get(directory.organisation_named(reader))
    if organisation is None:
        known = (*directory.organisations, *directory.people)
        say.could_not(f'--for "{reader}" is neither a person nor an organisation: {choice(reader, known, "there are")}')
    theirs = [directory.people[p].language for p in directory.working_for(organisation.id)]
    return organisation.sees, theirs[0] if theirs else Language.FR, lambda language: organisation.names[language]


def give(document: Document, output: Path | None, more: Mapping[str, Callable[[Document], bytes]] = {}) -> None:
    """On the terminal, or as the file's name ends. `more`: other kinds of file there can be of it."""
    makers = {**_MAKERS, **more}
    if output is None:
        say.text(text_of(document))
        return
    maker = makers.get(output.suffix.lower())
    if maker is None:
        say.could_not(f"{output}: what kind of file? end its name in {', '.join(makers)}")
    try:
        written = output.with_name(f".{output.name}.part")
        written.write_bytes(maker(document))
        os.replace(written, output)
    except OSError as error:
        say.could_not(f"{output}: {error.strerror}")
    say.line(f"{output}")
