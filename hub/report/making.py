"""Making the document that goes along with an order, for one language: its file, and what it says in a few words."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

import structlog
from msgspec.structs import replace

from hub.connector import Attachment
from hub.model.access import AccessList
from hub.model.enclosure import AccessSheet, CallList, Enclosure, Report
from hub.model.people import Classification, Language
from hub.model.signal import Status
from hub.model.situation import Sitrep
from hub.report.access import access_document, access_table
from hub.report.call_list import call_list
from hub.report.contacts import document_of, sheet_of, short_text
from hub.report.document import Document, Paragraph, Section
from hub.report.html import html_of
from hub.report.known import Known
from hub.report.pdf import CannotTypeset
from hub.report.sitrep import WORDS as SITREPS
from hub.report.sitrep import sitrep_document
from hub.report.sitrep_edxl import sitrep_xml
from hub.report.text import text_of
from hub.report.words import WORDS, told

log = structlog.get_logger(__name__)

T = TypeVar("T")

Typeset = Callable[[Document], Awaitable[bytes]]
Values = tuple[tuple[str, str], ...]


Access = Callable[[Status], Awaitable[AccessList]]
"""Who may come in, in earnest or in an exercise."""

Reports = Callable[[str], Awaitable[Sitrep | None]]
"""The version of a report that lies with a fact; None where it was erased."""


class Aside(Protocol):
    """Calls something that takes a while: in a thread, so that timers go on (5,000 people take 0.3 s)."""

    async def __call__(self, work: Callable[[], T], /) -> T: ...


class Maker:
    """`known` gives what is in force, `now` hub time, `access` who may come in. Where a PDF cannot be made, the same
    goes out as a web page."""

    def __init__(
        self,
        known: Callable[[Status], Known],
        now: Callable[[], datetime],
        typeset: Typeset,
        aside: Aside,
        access: Access | None = None,
        reports: Reports | None = None,
    ) -> None:
        self._access = access
        self._reports = reports
        self._known = known
        self._now = now
        self._typeset = typeset
        self._aside = aside

    async def enclose(
        self, enclosed: Enclosure, language: Language, status: Status, attach: bool
    ) -> tuple[Values, tuple[Attachment, ...]]:
        """What fills the message's `{contacts}` and `{until}` (of the access list `{at}` and `{count}`); the files,
        where they can go along."""
        if isinstance(enclosed, AccessSheet):
            return await self.access_list(language, status, enclosed.sees)
        if isinstance(enclosed, Report):
            return await self.report(enclosed.report, language, enclosed.sees)
        known, at = self._known(status), self._now()
        if isinstance(enclosed, CallList):
            until = told(at + timedelta(hours=enclosed.hours), known.zone, language, True)
            values: Values = (("until", until),)
            if not attach:
                return values, ()
            return values, (await self.call_list(language, status, enclosed.hours, enclosed.sees),)
        contacts, sees = enclosed.contacts, enclosed.sees
        sheet = await self._aside(lambda: sheet_of(known, contacts, at, language, sees))
        values = (("contacts", short_text(sheet, language)),)
        if not attach:
            return values, ()
        document = document_of(sheet, known, at, language, sees)
        return values, (await self._attachment(document, "contacts", at, known.zone),)

    async def call_list(
        self, language: Language, status: Status, hours: int, sees: Classification = Classification.INTERNAL
    ) -> Attachment:
        """The call list from now on."""
        known, at = self._known(status), self._now()
        document = await self._aside(lambda: call_list(known, at, language, hours=hours, sees=sees))
        return await self._attachment(document, "call-list", at, known.zone)

    async def access_list(
        self, language: Language, status: Status, sees: Classification
    ) -> tuple[Values, tuple[Attachment, ...]]:
        """The access list as it is now: to read, and for a spreadsheet."""
        known = self._known(status)
        listed = AccessList(status=status, at=self._now()) if self._access is None else await self._access(status)
        document = await self._aside(lambda: access_document(listed, known, language, sees))
        read = await self._attachment(document, "access-list", listed.at, known.zone)
        name = f"{read.name.rpartition('.')[0]}.csv"
        table = Attachment(name=name, media_type="text/csv", content=access_table(listed, known, language))
        values: Values = (("at", listed.at.isoformat()), ("count", str(len(listed.admitted))))
        return values, (read, table)

    async def report(
        self, report: str, language: Language, sees: Classification
    ) -> tuple[Values, tuple[Attachment, ...]]:
        """A situation report as it was written: as a page that is the mail itself, as PDF, and as EDXL-SitRep. What
        fills the message's `{number}` and `{report}`; of one that was erased meanwhile, nothing but that."""
        sitrep = None if self._reports is None else await self._reports(report)
        if sitrep is None:
            return (("number", "?"), ("report", SITREPS[language].erased)), ()
        known = self._known(sitrep.situation.status)
        document = await self._aside(lambda: sitrep_document(sitrep, known, language, sees))
        page = html_of(document).encode()
        read = await self._attachment(document, f"sitrep-{sitrep.number}", sitrep.situation.at, known.zone)
        stem = read.name.rpartition(".")[0]
        xml = sitrep_xml(sitrep, document, known, sees)
        files = (
            Attachment(name=f"{stem}.html", media_type="text/html", content=page, shown=True),
            read,
            Attachment(name=f"{stem}.xml", media_type="application/xml", content=xml),
        )
        values: Values = (
            ("sheet", sitrep.situation.playbook),
            ("number", str(sitrep.number)),
            ("report", text_of(document)),
        )
        return values, files

    async def _attachment(self, document: Document, name: str, at: datetime, zone: str) -> Attachment:
        """`call-list-2026-11-27-0600-FR.pdf`."""
        stem = f"{name}-{at.astimezone(ZoneInfo(zone)):%Y-%m-%d-%H%M}-{document.language.upper()}"
        try:
            pdf = await self._typeset(document)
        except (CannotTypeset, OSError) as error:
            log.error("a document cannot be typeset: it goes out as a web page", document=name, error=str(error))
            return Attachment(name=f"{stem}.html", media_type="text/html", content=_as_page(document).encode())
        return Attachment(name=f"{stem}.pdf", media_type="application/pdf", content=pdf)


def _as_page(document: Document) -> str:
    note = Section(title="", blocks=(Paragraph(text=WORDS[document.language].instead),))
    return html_of(replace(document, sections=(note, *document.sections)))
