"""Making the document that goes along with an order, for one language: its file, and what it says in a few words."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from msgspec.structs import replace

from hub.connector import Attachment
from hub.model.enclosure import CallList, Enclosure
from hub.model.people import Language
from hub.model.signal import Status
from hub.report.call_list import call_list
from hub.report.contacts import document_of, sheet_of, short_text
from hub.report.document import Document, Paragraph, Section
from hub.report.html import html_of
from hub.report.known import Known
from hub.report.pdf import CannotTypeset
from hub.report.words import WORDS, told

log = structlog.get_logger(__name__)

Typeset = Callable[[Document], Awaitable[bytes]]
Values = tuple[tuple[str, str], ...]


class Maker:
    """`known` gives what is in force, `now` hub time. Where a PDF cannot be made, the same goes out as a web page."""

    def __init__(self, known: Callable[[Status], Known], now: Callable[[], datetime], typeset: Typeset) -> None:
        self._known = known
        self._now = now
        self._typeset = typeset

    async def enclose(
        self, enclosed: Enclosure, language: Language, status: Status, attach: bool
    ) -> tuple[Values, tuple[Attachment, ...]]:
        """What fills the message's `{contacts}` and `{until}`; the file, where one can go along."""
        known, at = self._known(status), self._now()
        if isinstance(enclosed, CallList):
            until = told(at + timedelta(hours=enclosed.hours), known.zone, language, True)
            values: Values = (("until", until),)
            document = call_list(known, at, language, hours=enclosed.hours, sees=enclosed.sees)
        else:
            sheet = sheet_of(known, enclosed.contacts, at, language, enclosed.sees)
            values = (("contacts", short_text(sheet, language)),)
            document = document_of(sheet, known, at, language, enclosed.sees)
        name = "call-list" if isinstance(enclosed, CallList) else "contacts"
        return values, (await self.attachment(document, name, at, known.zone),) if attach else ()

    async def attachment(self, document: Document, name: str, at: datetime, zone: str) -> Attachment:
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
