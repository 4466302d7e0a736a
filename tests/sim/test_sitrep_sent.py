"""What is made of a kept report when it goes out: page, PDF and EDXL in the language of whoever gets it, as they may
see it; one that was erased meanwhile says so and sends nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from lxml import etree

from hub.model.edxl import SITREP
from hub.model.edxl_check import problems
from hub.model.enclosure import Report
from hub.model.people import Classification, Language
from hub.model.signal import Severity, Status
from hub.model.situation import Heard, Sitrep, Situation, Topic, Written
from hub.report.document import Document
from hub.report.making import Maker
from hub.report.pdf import CannotTypeset
from tests.conftest import shipped

T = TypeVar("T")
pytestmark = pytest.mark.trio

AT = datetime(2026, 11, 27, 5, tzinfo=UTC)
SITUATION = Situation(
    incident="01JINCIDENT",
    playbook="gas-leak",
    version="v",
    status=Status.EXERCISE,
    at=AT,
    opened_at=AT,
    records=("01JSIGNAL",),
    titles={Language.NL: "Gaslek", Language.FR: "Fuite de gaz"},
    heard=(
        Heard(
            signal="01JSIGNAL",
            at=AT,
            records=("01JSIGNAL",),
            source="siamu",
            headlines={"fr": "Odeur de gaz"},
            severity=Severity.SEVERE,
        ),
    ),
)
KEPT = Sitrep(
    situation=SITUATION,
    number=4,
    by="officer-a",
    written={Topic.OUTLOOK: Written(text="Straks beter", by="officer-a", at=AT)},
)


def maker(kept: Sitrep | None, broken: bool = False) -> Maker:
    async def read(written: str) -> Sitrep | None:
        assert written == "01JWRITTEN"
        return kept

    async def typeset(document: Document) -> bytes:
        if broken:
            raise CannotTypeset("no font")
        return b"%PDF " + document.title.encode()

    async def aside(work: Callable[[], T]) -> T:
        return work()

    return Maker(lambda status: shipped()[0].known(status), lambda: AT, typeset, aside, None, read)


async def test_page_pdf_and_xml_in_the_readers_language() -> None:
    wanted = Report(report="01JWRITTEN", sees=Classification.PUBLIC)
    values, files = await maker(KEPT).enclose(wanted, Language.NL, Status.EXERCISE, True)
    assert dict(values)["number"] == "4"
    assert "Straks beter" in dict(values)["report"]
    page, pdf, xml = files
    assert (page.shown, pdf.shown, xml.shown) == (True, False, False)
    assert [file.name for file in files] == [f"sitrep-4-2026-11-27-0600-NL.{kind}" for kind in ("html", "pdf", "xml")]
    assert "Situatierapport nr. 4: Gaslek" in page.content.decode()
    assert "OEFENING" in page.content.decode()
    assert "Aline" not in page.content.decode(), "the public does not read who wrote it"
    root = etree.fromstring(xml.content)
    assert root.findtext("{*}distributionStatus") == "Exercise"
    (element,) = root.iterfind(f".//{{{SITREP}}}sitRep")
    assert problems(element) == []
    assert "Aline" not in xml.content.decode()


async def test_where_no_pdf_can_be_made_the_page_goes_out_all_the_same() -> None:
    wanted = Report(report="01JWRITTEN", sees=Classification.INTERNAL)
    _, files = await maker(KEPT, broken=True).enclose(wanted, Language.FR, Status.EXERCISE, True)
    assert [file.media_type for file in files] == ["text/html", "text/html", "application/xml"]
    assert "Fuite de gaz" in files[1].content.decode()


async def test_of_one_that_was_erased_nothing_goes_out_but_that_it_was() -> None:
    wanted = Report(report="01JWRITTEN", sees=Classification.INTERNAL)
    values, files = await maker(None).enclose(wanted, Language.DE, Status.ACTUAL, True)
    assert dict(values)["report"] == "Text gelöscht"
    assert files == ()
