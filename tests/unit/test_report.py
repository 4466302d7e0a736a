"""The call list and the contact sheet: what they say, to whom, and that no name in them is ever markup."""

import io
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from lxml import html as lxml_html
from msgspec.structs import replace
from pypdf import PdfReader

from hub.model.people import (
    Address,
    Asked,
    Chain,
    Classification,
    Contact,
    Group,
    Language,
    Layer,
    Organisation,
    Person,
    Roster,
    Shift,
    Tier,
)
from hub.model.signal import Status
from hub.people.directory import Directory
from hub.report.call_list import call_list
from hub.report.contacts import document_of, sheet_of, short_text
from hub.report.document import Document, Paragraph, Row, Table
from hub.report.html import html_of
from hub.report.known import Known
from hub.report.pdf import pdf_of
from hub.report.text import text_of
from hub.report.words import NO_BREAK, told

ZONE = "Europe/Brussels"
PUBLIC, PARTNERS, INTERNAL = Classification
ANNA, BEA, CARL, DESK = "anna", "bea", "carl", "desk"


def person(name: str, *addresses: Address, seen_by: Classification = INTERNAL, **more: object) -> Person:
    return Person(id=name.split()[0].lower(), name=name, addresses=addresses, seen_by=seen_by, **more)  # type: ignore[arg-type] # any field


def sms(number: str, seen_by: Classification = INTERNAL, live_only: bool = False) -> Address:
    return Address("sms", number, live_only, seen_by)


PEOPLE = (
    person("Anna Éclair", sms("+32450000001"), Address("voice", "+32450000001")),
    person("Bea Zonder", Address("email", "bea@example.org")),
    person("Carl Partner", sms("+32450000003", PARTNERS), sms("+33142685300"), seen_by=PARTNERS, organisation="fire"),
    person("Desk of the fire service", sms("+32450000004", PUBLIC), seen_by=PUBLIC, organisation="fire", desk=True),
)
FIRE = Organisation(id="fire", kind="fire", sees=PARTNERS, names={lang: f"Fire {lang.upper()}" for lang in Language})


def nightly(*people: str, **more: object) -> Roster:
    layer = Layer(turns=tuple((p,) for p in people), first="2026-03-01", days=1, at="08:00", **more)  # type: ignore[arg-type] # any field
    return Roster(id="nights", layers=(layer,), zone=ZONE)


def known(
    *rosters: Roster, people: tuple[Person, ...] = PEOPLE, chains: tuple[Chain, ...] = (), **more: object
) -> Known:
    return Known(
        directory=Directory(people, [Group(id="all", members=tuple(p.id for p in people))], "BE", [FIRE]),
        rosters={r.id: r for r in rosters},
        chains={c.id: c for c in chains},
        phones=frozenset({"sms", "voice"}),
        mails=frozenset({"email"}),
        zone=ZONE,
        region="BE",
        hub="sitcen-1",
        **more,  # type: ignore[arg-type] # any field
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def section(document: Document, title: str) -> list[Row]:
    (found,) = [s for s in document.sections if s.title == title]
    return [row for block in found.blocks if isinstance(block, Table) for row in block.rows]


def paragraphs(document: Document) -> list[str]:
    return [b.text for s in document.sections for b in s.blocks if isinstance(b, Paragraph)]


def plain(text: str) -> str:
    return text.replace(NO_BREAK, " ")


# --- the call list -----------------------------------------------------------------------------------------


def test_who_is_on_duty_with_times_of_the_place_and_numbers_as_one_dials_them() -> None:
    made = call_list(known(nightly(ANNA, CARL)), at("2026-11-27 06:00"), Language.EN)
    rows = [tuple(map(plain, row.cells)) for row in section(made, "nights")]
    assert rows == [
        ("Fri 27 Nov 06:00\n→ Fri 27 Nov 08:00", "Anna Éclair", "0450 00 00 01"),
        ("Fri 27 Nov 08:00\n→ Sat 28 Nov 08:00", "Carl Partner\nFire EN", "0450 00 00 03\n00 33 1 42 68 53 00"),
        ("Sat 28 Nov 08:00\n→ Sun 29 Nov 08:00", "Anna Éclair", "0450 00 00 01"),
        ("Sun 29 Nov 08:00\n→ Mon 30 Nov 06:00", "Carl Partner\nFire EN", "0450 00 00 03\n00 33 1 42 68 53 00"),
    ]
    assert [line.value for line in made.head] == [
        "Friday 27 November 2026, 06:00, by sitcen-1",
        "Monday 30 November 2026, 06:00",
        "INTERNAL",
    ]


def test_a_gap_stands_in_words_and_is_marked() -> None:
    made = call_list(known(nightly(ANNA, hours=("20:00", "08:00"))), at("2026-11-27 06:00"), Language.FR, hours=24)
    rows = section(made, "nights")
    assert [(row.cells[1], row.marked) for row in rows] == [
        ("Anna Éclair", False),
        ("▶ PERSONNE DE GARDE", True),
        ("Anna Éclair", False),
    ]


def test_the_night_with_an_hour_twice_says_which_of_the_two() -> None:
    roster = nightly(ANNA, BEA, hours=("20:00", "02:30"))
    made = call_list(known(roster), at("2026-10-24 18:00"), Language.EN, hours=24)
    whens = [row.cells[0] for row in section(made, "nights")]
    assert "Sat 24 Oct 20:00\n→ Sun 25 Oct 02:30 (summer time)" in whens
    assert "The clocks change on Sunday 25 October: at 03:00 they go back to 02:00." in paragraphs(made)
    assert made.head[1].value == "Sunday 25 October 2026, 17:00", "24 hours on, the clocks show one less"
    assert told(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), ZONE, Language.DE) == "So., 25. Okt. 02:30 (Winterzeit)"


def test_the_night_without_an_hour() -> None:
    roster = nightly(ANNA, BEA, hours=("20:00", "02:30"))
    made = call_list(known(roster), at("2027-03-27 18:00"), Language.NL, hours=24)
    whens = [row.cells[0] for row in section(made, "nights")]
    assert "za 27 mrt 20:00\n→ zo 28 mrt 03:30" in whens
    assert "De klok verandert op zondag 28 maart: om 02:00 gaat ze vooruit naar 03:00." in paragraphs(made)


def test_every_tier_of_a_chain_with_its_people_over_the_whole_time() -> None:
    tiers = (
        Tier(ask=(Contact(Asked.ROSTER, "nights"),), by=("sms", "voice"), answer_s=240),
        Tier(ask=(Contact(Asked.PERSON, BEA), Contact(Asked.ORGANISATION, "fire")), by=("voice",), in_turn=True),
        Tier(ask=(Contact(Asked.COMPETENCE, "diver"),), by=("sms",), times=2),
    )
    chain = Chain(id="duty", tiers=tiers, exhausted="directors")
    made = call_list(known(nightly(ANNA, CARL), chains=(chain,)), at("2026-11-27 06:00"), Language.EN, hours=24)
    (found,) = [s for s in made.sections if s.title == "duty"]
    texts = [b.text for b in found.blocks if isinstance(b, Paragraph)]
    assert texts == [
        "1 must accept.",
        "Tier 1: Roster nights. By SMS, call; 4 min to answer.",
        "Tier 2: Bea Zonder, Fire EN. By call; 4 min to answer, one after the other.",
        "Tier 3: Competence diver. By SMS; 4 min to answer, 2 times.",
        "If nobody accepts: chain directors.",
    ]
    first, second, third = [b for b in found.blocks if isinstance(b, Table)]
    assert [row.cells[1] for row in first.rows] == ["Anna Éclair", "Carl Partner\nFire EN"]
    assert [plain(row.cells[1]) for row in second.rows] == [
        "no number",
        "0450 00 00 03\n00 33 1 42 68 53 00",
        "0450 00 00 04",
    ]
    assert third.rows == (Row(cells=("▶ Nobody", ""), marked=True),)


def test_all_numbers_in_the_order_of_the_alphabet_and_the_desks() -> None:
    made = call_list(known(), at("2026-11-27 06:00"), Language.EN)
    assert [row.cells[0] for row in section(made, "All numbers, A to Z")] == [p.name for p in PEOPLE]
    assert [row.cells[:2] for row in section(made, "Desks")] == [("Fire EN", "Desk of the fire service")]
    assert "There is no roster." in paragraphs(made)


def test_an_exercise_says_so_and_never_shows_a_number_kept_for_what_is_in_earnest() -> None:
    people = (replace(PEOPLE[0], addresses=(sms("+32450000001"), sms("+32450000009", live_only=True))),)
    made = call_list(known(people=people, status=Status.EXERCISE), at("2026-11-27 06:00"), Language.NL)
    assert made.banner == "OEFENING"
    assert "0450 00 00 09" not in plain(text_of(made))
    assert "0450 00 00 01" in plain(text_of(made))


def test_who_may_see_less_gets_less_of_the_call_list_too() -> None:
    made = call_list(known(nightly(ANNA)), at("2026-11-27 06:00"), Language.EN, sees=PARTNERS)
    text = plain(text_of(made))
    assert "Anna" not in text
    assert "0450 00 00 01" not in text
    assert "Carl Partner" in text
    assert paragraphs(made)[-1] == (
        "Left out as the permitted distribution demands: 2 people or desks, 1 numbers or addresses."
    )


# --- the contact sheet -------------------------------------------------------------------------------------

ASKED = (Contact(Asked.ROSTER, "nights"), Contact(Asked.GROUP, "all"), Contact(Asked.ORGANISATION, "fire"))


@pytest.mark.parametrize(
    ("sees", "names", "numbers", "left"),
    [
        (INTERNAL, {"Anna Éclair", "Bea Zonder", "Carl Partner", "Desk of the fire service"}, 4, (0, 0)),
        (PARTNERS, {"Carl Partner", "Desk of the fire service"}, 2, (2, 1)),
        (PUBLIC, {"Desk of the fire service"}, 1, (3, 0)),
    ],
)
def test_nothing_above_what_the_reader_may_see(
    sees: Classification, names: set[str], numbers: int, left: tuple[int, int]
) -> None:
    k = known(nightly(ANNA, CARL))
    sheet = sheet_of(k, ASKED, at("2026-11-27 06:00"), Language.EN, sees)
    assert {line.name for part in sheet.parts for line in part.people} == names
    assert len({n for part in sheet.parts for line in part.people for n in line.numbers}) == numbers
    assert (sheet.people, sheet.addresses) == left
    document = document_of(sheet, k, at("2026-11-27 06:00"), Language.EN, sees)
    for text in (text_of(document), html_of(document), short_text(sheet, Language.EN), pdf_text(document)):
        for hidden in {p.name for p in PEOPLE} - names:
            assert hidden.split()[0] not in text, "not even by name"
        if sees is not INTERNAL:
            assert not re.search(r"450.?00.?00.?01|142.?68|42.?68.?53|bea@", text)


def test_a_number_that_two_channels_have_is_seen_by_those_who_may_see_both() -> None:
    both = person("Carl X", sms("+32450000003", PUBLIC), Address("voice", "+32450000003"), seen_by=PUBLIC)
    sheet = sheet_of(
        known(people=(both,)), (Contact(Asked.PERSON, "carl"),), at("2026-11-27 06:00"), Language.EN, PUBLIC
    )
    (line,) = sheet.parts[0].people
    assert line.numbers == ()
    assert sheet.addresses == 1


def test_until_when_and_who_comes_then() -> None:
    k = known(nightly(ANNA, CARL))
    sheet = sheet_of(k, ASKED[:1], at("2026-11-27 06:00"), Language.FR, INTERNAL)
    assert short_text(sheet, Language.FR) == "Garde nights: Anna Éclair +32450000001 (jusqu’au ven. 27 nov. 08:00)"
    assert "jusqu’au ven. 27 nov. 08:00; puis, dès le ven. 27 nov. 08:00 : Carl Partner" in paragraphs(
        document_of(sheet, k, at("2026-11-27 06:00"), Language.FR, INTERNAL)
    )
    hidden = sheet_of(k, ASKED[:1], at("2026-11-28 06:00"), Language.FR, PARTNERS)
    assert hidden.parts[0].then.endswith("1 non montré(s) ici")


def test_nobody_on_duty_is_said_and_is_not_taken_for_somebody_hidden() -> None:
    gap = Roster(id="nights", shifts=(Shift((ANNA,), "2026-11-27T08:00:00+00:00", "2026-11-27T12:00:00+00:00"),))
    sheet = sheet_of(known(gap), ASKED[:1], at("2026-11-27 06:00"), Language.DE, PARTNERS)
    assert (sheet.parts[0].nobody, sheet.parts[0].hidden) == ("NIEMAND HAT BEREITSCHAFT", 0)
    on = sheet_of(known(gap), ASKED[:1], at("2026-11-27 10:00"), Language.DE, PARTNERS)
    assert (on.parts[0].nobody, on.parts[0].hidden) == ("", 1)


def test_who_is_on_duty_and_in_the_directory_no_more_is_told() -> None:
    sheet = sheet_of(known(nightly("gone")), ASKED[:1], at("2026-11-27 06:00"), Language.EN, INTERNAL)
    assert sheet.parts[0].people[0].name == "gone (is not in the directory)"


@pytest.mark.parametrize("language", Language)
def test_all_of_it_in_every_language(language: Language) -> None:
    chain = Chain(id="duty", tiers=(Tier(ask=(Contact(Asked.ROSTER, "nights"),), by=("sms",)),))
    k = known(nightly(ANNA, hours=("20:00", "02:30")), chains=(chain,))
    start = at("2026-10-24 12:00")
    for document in (
        call_list(k, start, language),
        document_of(sheet_of(k, ASKED, start, language, PARTNERS), k, start, language, PARTNERS, "STIB"),
    ):
        text = text_of(document)
        assert "{" not in text
        assert pdf_text(document).count(document.classification) >= 1


# --- on paper, as a page -----------------------------------------------------------------------------------

NASTY = (
    '#import "@preview/x": * #panic()',
    "<script>alert(1)</script>",
    "*bold* _it_ $x$ `raw` = head",
    '{{ 7 * 7 }} \\u{41} "; drop',
    "عالية 值班 Žofie",
)


def pdf_text(document: Document) -> str:
    reader = PdfReader(io.BytesIO(pdf_of(document)))
    return "\n".join(page.extract_text() for page in reader.pages)


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_text_whatever_it_looks_like(name: str) -> None:
    made = call_list(
        known(people=(Person(id="x", name=name, organisation=name, addresses=(sms("+32450000001"),)),)),
        at("2026-11-27 06:00"),
        Language.FR,
    )
    page = lxml_html.fromstring(html_of(made))
    assert name in [cell.text_content() for cell in page.iter("td")]
    assert not list(page.iter("script"))
    if name.isascii():
        squeezed = re.sub(r"\s", "", pdf_text(made))
        assert re.sub(r"\s", "", name).replace('"', "") in squeezed.replace('"', "").replace("“", "").replace("”", "")


def test_each_page_says_what_it_is_how_long_it_holds_and_which_it_is() -> None:
    many = tuple(person(f"P{n:03} Somebody", sms(f"+324500001{n:02}")) for n in range(100))
    made = call_list(known(people=many, status=Status.EXERCISE), at("2026-11-27 06:00"), Language.EN)
    pages = PdfReader(io.BytesIO(pdf_of(made))).pages
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        text = page.extract_text()
        assert f"{number} / {len(pages)}" in text
        assert "Valid until Monday 30 November 2026, 06:00" in text
        assert re.sub(r"\s", "", text).count("EXERCISE") == 1
        assert "INTERNAL" in text
    numbers = re.findall(r"0450 00 01 (\d\d)", plain("\n".join(p.extract_text() for p in pages)))
    assert numbers == [f"{n:02}" for n in range(100)], "nobody is lost between two pages"
