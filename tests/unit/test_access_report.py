"""What the reception reads: on paper, on a page, in a spreadsheet, in its language; never markup, never a formula."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from lxml import html as lxml_html
from pypdf import PdfReader

from hub.config import load
from hub.model.access import AccessList, Admitted, Guest, NoLonger, Pass
from hub.model.people import Classification, Language
from hub.model.signal import Status
from hub.report.access import access_document, access_table
from hub.report.access_words import WORDS
from hub.report.html import html_of
from hub.report.pdf import pdf_of
from hub.report.text import text_of
from tests.conftest import ROOT

KNOWN = load(ROOT / "config")[0].known()
NOW = datetime(2026, 11, 27, 5, tzinfo=UTC)
PASS = Pass(
    id="P1",
    incident="01JINCIDENT",
    sheet="crisis-centre-request",
    rooms=("crisis-room", "a-room-of-before"),
    start=NOW,
    until=NOW + timedelta(hours=20),
    since=NOW,
    whom="police-5340",
    approved=("director-a",),
)
HAND = Pass(
    id="P2", incident="01JOTHER", sheet="x", rooms=("press-room",), until=NOW, since=NOW, whom="Krant", by="officer-b"
)
HOSTILE = "<img src=x onerror=alert(1)> #let x = 1 *bold* \\ $x$"


def listed(*people: Admitted, gone: tuple[NoLonger, ...] = (), status: Status = Status.ACTUAL) -> AccessList:
    return AccessList(status=status, at=NOW, admitted=people, gone=gone)


JAN = Admitted(guest=Guest(name="Jan Janssens", service="police-5340", function="officier"), passes=(PASS, HAND))
GONE = NoLonger(id="P9", incident="01JINCIDENT", guest=Guest(name="Piet Weg"), at=NOW, why="removed", by="officer-a")


@pytest.mark.parametrize("language", list(Language))
def test_it_says_who_where_when_for_whom_by_whom(language: Language) -> None:
    document = access_document(listed(JAN, gone=(GONE,)), KNOWN, language, Classification.INTERNAL)
    text, w = text_of(document), WORDS[language]
    room = KNOWN.rooms["crisis-room"].names[language]
    whom = KNOWN.directory.organisations["police-5340"].names[language]
    for said in (
        "Jan Janssens",
        "police-5340, officier",
        room,
        "a-room-of-before",
        whom,
        "Denis Fictif",
        "01JINCIDENT",
    ):
        assert said in text, said
    assert f"{w.by_hand} Bram Verzonnen" in text
    assert text.index("Piet Weg") < text.index("Jan Janssens"), "who may not come in any more stands first"
    assert w.gone["removed"] in text
    pdf = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf_of(document))).pages)
    assert "Jan Janssens" in pdf
    assert "Piet Weg" in pdf


def test_in_every_language_everything_is_said() -> None:
    for words in WORDS.values():
        assert set(words.gone) == {"ended", "over", "cancelled", "removed"}
        assert all(getattr(words, field) for field in words.__struct_fields__)
    assert len({words.replaces for words in WORDS.values()}) == len(Language)


def test_nobody_is_a_sentence_and_not_an_empty_page() -> None:
    document = access_document(listed(), KNOWN, Language.EN, Classification.INTERNAL)
    assert "Nobody may come in at the moment." in text_of(document)
    assert access_table(listed(), KNOWN, Language.EN).decode("utf-8-sig").count("\r\n") == 1


def test_an_exercise_says_so_on_every_page_and_in_every_row() -> None:
    exercise = listed(JAN, gone=(GONE,), status=Status.EXERCISE)
    document = access_document(exercise, KNOWN, Language.NL, Classification.INTERNAL)
    assert document.banner == "OEFENING"
    rows = list(
        csv.DictReader(io.StringIO(access_table(exercise, KNOWN, Language.NL).decode("utf-8-sig")), delimiter=";")
    )
    assert [row["Opmerking"] for row in rows] == ["OEFENING"] * 3


def test_names_are_never_markup() -> None:
    one = Admitted(guest=Guest(name=HOSTILE, service=HOSTILE), passes=(PASS,))
    document = access_document(listed(one), KNOWN, Language.EN, Classification.INTERNAL)
    page = lxml_html.fromstring(html_of(document))
    assert not page.xpath("//img")
    assert HOSTILE in page.text_content()
    pdf = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf_of(document))).pages)
    assert "*bold*" in pdf


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1+1", "#REF!", "'=1+1"])
def test_no_cell_is_a_formula(evil: str) -> None:
    one = Admitted(guest=Guest(name=evil, service=evil, function=evil), passes=(PASS,))
    table = access_table(listed(one), KNOWN, Language.EN).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(table), delimiter=";")
    for column in ("Name", "Service", "Function"):
        assert row[column] == f"'{evil}"


def test_separators_and_quotes_stay_within_their_cell() -> None:
    one = Admitted(guest=Guest(name='A;B "C"', service="D,E"), passes=(PASS,))
    (row,) = csv.DictReader(
        io.StringIO(access_table(listed(one), KNOWN, Language.EN).decode("utf-8-sig")), delimiter=";"
    )
    assert (row["Name"], row["Service"]) == ('A;B "C"', "D,E")


def test_who_was_erased_is_a_place_without_a_name() -> None:
    one = Admitted(guest=None, passes=(PASS,))
    assert "(name erased)" in text_of(access_document(listed(one), KNOWN, Language.EN, Classification.INTERNAL))
    assert "(name erased)" in access_table(listed(one), KNOWN, Language.EN).decode()


def test_three_hundred_people_fit_on_paper() -> None:
    many = [Admitted(guest=Guest(name=f"Naam {n}", service="dienst"), passes=(PASS,)) for n in range(300)]
    document = access_document(listed(*many), KNOWN, Language.DE, Classification.INTERNAL)
    assert len(PdfReader(io.BytesIO(pdf_of(document))).pages) > 5
