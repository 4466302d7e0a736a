"""`vigie report`: situation reports read from the journal, beside a running hub or while none runs."""

from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from hub.cli import say
from hub.cli.access import ahead
from hub.cli.contacts import give
from hub.cli.look import instant, journal_of
from hub.clock import wall
from hub.config import Config
from hub.journal import JournalError
from hub.journal.reader import Reader
from hub.model import records as r
from hub.model.people import Classification, Language
from hub.model.situation import Sitrep, Topic
from hub.report.document import Document
from hub.report.sitrep import sitrep_document
from hub.report.sitrep_edxl import NotWellBuilt, sitrep_xml
from hub.reporting.gathering import NoIncident
from hub.reporting.reading import situation_in

_KINDS = ("report", "report-approved", "report-sent")
_sitrep = msgspec.json.Decoder(Sitrep)


def sitrep(
    config: Config,
    journal: Path,
    incident: str,
    language: Language,
    sees: Classification,
    at: str | None,
    output: Path | None,
) -> None:
    """As it is now, or was then: no number is given, nothing is kept."""
    with journal_of(journal) as reading:
        try:
            then = instant(at) if at else None
            now = then or wall() + ahead(reading)
            situation = situation_in(reading, incident, now, then)
            newest = _newest(_kept(reading, incident))
            before = _read(reading, newest) if newest is not None and newest.at < now else None
        except (NoIncident, JournalError) as error:
            say.could_not(str(error))
    previous = before.situation if before is not None else None
    number = before.number + 1 if before is not None else 0
    made = Sitrep(situation=situation, previous=previous)
    _give(config, made, language, sees, output, number_of_previous=number - 1 if number else 0)


def show(
    config: Config,
    journal: Path,
    incident: str,
    number: int | None,
    language: Language,
    sees: Classification,
    output: Path | None,
) -> None:
    """A report as it is kept: the newest version of it."""
    with journal_of(journal) as reading:
        facts = _kept(reading, incident)
        fact = _newest(facts, number)
        if fact is None:
            there = ", ".join(sorted({str(one.body.number) for one in facts if isinstance(one.body, r.ReportWritten)}))
            say.could_not(f"{incident} has no report{f' {number}' if number else ''}: there are {there or 'none'}")
        kept = _read(reading, fact)
    if kept is None:
        say.could_not(f"what report {number} of {incident} said was erased")
    approved = next((f for f in facts if isinstance(f.body, r.ReportApproved) and f.body.written == fact.id), None)
    if approved is not None and isinstance(approved.body, r.ReportApproved):
        kept = replace(kept, approved_by=approved.body.by, approved_at=approved.at)
    approval = isinstance(fact.body, r.ReportWritten) and fact.body.approval
    _give(config, kept, language, sees, output, approval=approval)


def listed(journal: Path, zone: str, incident: str, as_json: bool) -> None:
    """All that was written, approved and sent, in order."""
    with journal_of(journal) as reading:
        facts = _kept(reading, incident)
    if as_json:
        for fact in facts:
            say.json_line(fact)
        return
    rows = [(f"{fact.at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}", *_said(fact), fact.id) for fact in facts]
    if rows:
        say.table([("when", "report", "what", "who", "record"), *rows])
    else:
        say.line(f"there is no report on {incident}")


def _said(fact: r.Fact) -> tuple[str, str, str]:
    match fact.body:
        case r.ReportWritten(number=number, version=version, by=by, step=step, approval=approval):
            what = "drafted" if version == 1 else "edited"
            return (
                f"{number}, version {version}",
                f"{what}{', to be approved' if approval else ''}",
                by or f"step {step}",
            )
        case r.ReportApproved(number=number, by=by):
            return str(number), "approved", by
        case r.ReportSent(number=number, by=by, to=to, channels=channels):
            whom = ", ".join(f"{contact.kind} {contact.id}" for contact in to)
            return str(number), f"sent to {whom} by {', '.join(channels)}", by
        case _:
            return "", "", ""


def topics(written: list[str]) -> dict[str, str]:
    """`outlook=Rain until six` words as the API takes them. Ends the command where one is none."""
    found: dict[str, str] = {}
    for text in written:
        topic, there, words = text.partition("=")
        if not there or topic.strip() not in set(Topic):
            say.could_not(f"{text}: write HEADING=TEXT; headings are {', '.join(Topic)}")
        found[topic.strip()] = words
    return found


def number_of(config: Config, journal: Path, incident: str, number: int | None) -> int:
    """The report that is meant: the newest, where none is named."""
    if number is not None:
        return number
    with journal_of(journal) as reading:
        newest = _newest(_kept(reading, incident))
    if newest is None or not isinstance(newest.body, r.ReportWritten):
        say.could_not(f"there is no report on {incident}: `vigie report draft {incident} --by ME` writes one")
    return newest.body.number


def _kept(reading: Reader, incident: str) -> list[r.Fact]:
    try:
        facts = reading.about(_KINDS, incident)
    except JournalError as error:
        say.could_not(str(error))
    return facts


def _newest(facts: list[r.Fact], number: int | None = None) -> r.Fact | None:
    """The newest version of a report; of the newest, where no number is given."""
    written = [f for f in facts if isinstance(f.body, r.ReportWritten) and number in (None, f.body.number)]
    return written[-1] if written else None


def _read(reading: Reader, fact: r.Fact) -> Sitrep | None:
    (entry,) = reading.vault([fact.vault])
    return None if entry is None else _sitrep.decode(entry.payload)


def _give(
    config: Config,
    made: Sitrep,
    language: Language,
    sees: Classification,
    output: Path | None,
    approval: bool = False,
    number_of_previous: int = 0,
) -> None:
    known = config.known(made.situation.status)
    document = sitrep_document(made, known, language, sees, approval, number_of_previous)

    def xml(document: Document) -> bytes:
        try:
            return sitrep_xml(made, document, known, sees)
        except NotWellBuilt as error:
            say.could_not(f"the XML is not as EDXL-SitRep has it, and was not written: {error}")

    give(document, output, {".xml": xml})
