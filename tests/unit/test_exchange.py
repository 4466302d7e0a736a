"""People from and to spreadsheets and address books: what their files look like, and what is wrong in them."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.binding import bind
from hub.config.forms import PeopleForm
from hub.config.groups import Areas
from hub.config.people import Ways, people_of
from hub.config.writing import people_yaml
from hub.model.people import Address, Discipline, Language, Organisation, Person
from hub.people.directory import Directory, normalise
from hub.people.exchange import Known, Reading, csv_of, read, vcards_of
from hub.yaml import read as read_yaml

L = Language
SIAMU = Organisation(
    id="siamu", names={L.FR: "Pompiers; SIAMU", L.NL: "Brandweer", L.DE: "Feuerwehr", L.EN: "Fire"}, kind="fire"
)
ANNE = Person(
    id="anne",
    name="Anne Inventée",
    language=L.FR,
    speaks=(L.NL,),
    organisation="siamu",
    discipline=Discipline.D1,
    competences=("spokesperson", "drone, small"),
    addresses=(
        Address("sms", "+32450000001"),
        Address("sms", "+32450000002", live_only=True),
        Address("voice", "+32450000001"),
        Address("email", "anne@example.org"),
        Address("matrix", "@anne:example.org"),
    ),
    exercises=False,
)
DIRECTORY = Directory([], organisations=[SIAMU])
CHANNELS = ("sms", "voice", "email", "matrix")
KNOWN = Known(directory=DIRECTORY, channels=CHANNELS, phones=("sms", "voice"), mails=("email",), region="BE")


def reads(text: str, file: str = "guests.csv") -> Reading:
    return read(text.encode(), file, KNOWN)


def told(reading: Reading) -> list[str]:
    return [f"{f.line} {f.rule}{' (warning)' if f.warning else ''}" for f in reading.findings]


def names(reading: Reading) -> list[str]:
    return [person.name for person in reading.people]


def ways(person: Person) -> list[tuple[str, str]]:
    return [(way.channel, way.address) for way in person.addresses]


# --- there and back ----------------------------------------------------------------------------------------

WORDS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=30).map(
    lambda text: " ".join(text.split())
)
TRICKY = st.sampled_from(
    ["=1+1", "'t Hooft", "''", "'=x", "+", "@", "#REF!", "####", "-5", "a;b", "a,b", 'say "x"', "\\", "a\\", "no",
     "a #b", "yes", "0450", "1.0", "null", "~", "[x]", "{x}", "- x", "a: b", "!x", "&x", "*x", "%x", "|", ">", "?",
     "`x", "＝x"]
)  # fmt: skip
TEXT = (WORDS | TRICKY).filter(bool)
NUMBER = st.integers(0, 99).map(lambda n: f"+324500000{n:02}")
WAY = st.one_of(
    st.builds(Address, st.sampled_from(["sms", "voice"]), NUMBER, st.booleans()),
    st.builds(Address, st.just("email"), st.sampled_from(["a@example.org", "b.c+d@example.org"]), st.booleans()),
    st.builds(Address, st.just("matrix"), TEXT.map(normalise).filter(bool), st.booleans()),
)


@st.composite
def persons(draw: st.DrawFn, number: int) -> Person:
    own, *others = draw(st.lists(st.sampled_from(Language), min_size=1, unique=True))
    found = draw(st.lists(WAY, max_size=8, unique_by=lambda way: (way.channel, way.address)))
    return Person(
        id=f"p-{number}",
        name=draw(TEXT),
        language=own,
        speaks=tuple(others),
        organisation=draw(st.just("siamu") | st.just("") | TEXT.filter(lambda t: not DIRECTORY.organisation_named(t))),
        discipline=draw(st.none() | st.sampled_from(Discipline)),
        competences=tuple(draw(st.lists(TEXT, max_size=3, unique=True))),
        addresses=tuple(sorted(found, key=lambda way: CHANNELS.index(way.channel))),
        exercises=draw(st.booleans()),
    )


PEOPLE = st.integers(1, 4).flatmap(lambda n: st.tuples(*(persons(number) for number in range(n))))


@given(people=PEOPLE, separator=st.sampled_from(";,\t"))
@example(people=(ANNE,), separator=";")
def test_a_table_comes_back_as_it_went(people: Sequence[Person], separator: str) -> None:
    reading = read(csv_of(people, separator).encode(), "all.csv", KNOWN)
    assert reading.people == tuple(people)
    assert {finding.rule for finding in reading.findings} <= {"unknown-organisation"}


@given(people=PEOPLE)
@example(people=(ANNE,))
def test_vcards_come_back_as_they_went(people: Sequence[Person]) -> None:
    text = vcards_of(people, DIRECTORY)
    reading = read(text.encode(), "all.vcf", KNOWN)
    assert [by_channel(person) for person in reading.people] == [by_channel(person) for person in people]
    assert {finding.rule for finding in reading.findings} <= {"unknown-organisation"}
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n")), "RFC 6350, section 3.2"


def by_channel(person: Person) -> tuple[Person, dict[str, list[Address]]]:
    """The order of channels among one another is no part of a card; that within each is."""
    ways: dict[str, list[Address]] = {}
    for way in person.addresses:
        ways.setdefault(way.channel, []).append(way)
    whole = Person(**{name: getattr(person, name) for name in person.__struct_fields__ if name != "addresses"})
    return whole, ways


@given(people=PEOPLE)
@example(people=(ANNE,))
@example(people=(Person(id="p", name="?x", organisation="?y", competences=("?>", "-", "? a")),))
def test_what_import_prints_is_read_as_the_same_people(people: Sequence[Person]) -> None:
    document = read_yaml(people_yaml(people), "config/people/all.yaml")
    form = bind(document, document.root, PeopleForm)
    assert form is not None, document.findings
    known = Ways(CHANNELS, KNOWN.phones, KNOWN.mails, "BE")
    found, _ = people_of(document, form, known, {}, Areas(None))
    assert found == list(people)
    assert {finding.rule for finding in document.findings} <= {"unreachable"}


@given(st.binary(max_size=300))
@example(b'name\n"')
@example(b"name;sms\nx;\xff")
@example(b"sep=;")
@example(b"sep=\r\nname\nx")
@example(b'sep="\nname\nx')
@example(b"BEGIN:VCARD\nBEGIN:VCARD\n")
def test_no_file_makes_reading_fail(data: bytes) -> None:
    for kind in ("", "csv", "vcard"):
        read(data, "file", KNOWN, kind)


@given(
    st.lists(st.sampled_from(["BEGIN:VCARD", "END:VCARD", "VERSION:4.0", "FN:A", " x", "TEL;:1", "TEL;TYPE=", "X", ""]))
)
def test_no_order_of_lines_makes_reading_fail(lines: list[str]) -> None:
    assert all(person.name for person in reads("\n".join(lines), "file.vcf").people)


# --- tables ------------------------------------------------------------------------------------------------


def test_a_table_is_written_for_a_spreadsheet() -> None:
    text = csv_of([ANNE])
    assert text.startswith("\ufeffid;name;"), "Excel takes a file for UTF-8 by its mark"
    head, row = csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";")
    assert head[8:] == ["sms", "sms 2", "call", "email", "matrix"]
    assert row[8:] == ["+32 450 00 00 01", "+32 450 00 00 02 (live only)", "+32 450 00 00 01", "anne@example.org",
                       "'@anne:example.org"]  # fmt: skip


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+x", "-x", "@x", "\tx", "＝x"])
def test_no_cell_that_goes_out_is_a_formula(name: str) -> None:
    (_, row) = csv.reader(io.StringIO(csv_of([Person(id="x", name=name)])), delimiter=";")
    assert row[1] == "'" + name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_tables_of_any_program_are_read(encoding: str, separator: str, end: str) -> None:
    rows = [["Nom", "GSM", "Langue", "E-mail"], ["Éric Dupré", "0450/00.00.01", "Français", "eric@example.org"]]
    text = "".join(separator.join(row) + end for row in rows)
    (person,) = read(text.encode(encoding), "file.csv", KNOWN).people
    assert (person.id, person.name, person.language) == ("eric-dupre", "Éric Dupré", L.FR)
    assert ways(person) == [("sms", "+32450000001"), ("voice", "+32450000001"), ("email", "eric@example.org")]


def test_columns_are_known_in_the_four_languages() -> None:
    for head in ("nom;langue;téléphone", "Naam;Taal;Telefoon", "Name;Sprache;Telefon", "Full name;Language;Phone"):
        (person,) = reads(f"{head}\nAnne;nl-BE;0450 00 00 01\n").people
        assert (person.language, ways(person)) == (L.NL, [("voice", "+32450000001")])


@pytest.mark.parametrize(
    "cell", ["450000001", "32450000001", '"=""0450000001"""', "=+32450000001", "'+32450000001", "0032 450 00 00 01",
             "+32 (0)450 00 00 01", "tel:+32450000001", " 0450 00 00 01 "]
)  # fmt: skip
def test_what_spreadsheets_make_of_a_number_is_understood(cell: str) -> None:
    (person,) = reads(f"name;sms;language\nAnne;{cell};fr\n").people
    assert ways(person) == [("sms", "+32450000001")]


@pytest.mark.parametrize("cell", ["3,245E+10", "3.245e+10", "3E10"])
def test_a_number_that_was_rounded_is_no_number(cell: str) -> None:
    reading = reads(f"name;sms;language\nAnne;{cell};fr\n")
    assert told(reading) == ["2 not-an-address"]
    assert "rounded" in reading.findings[0].message
    assert reading.findings[0].remedy.startswith("make its column text")


def test_several_addresses_of_a_channel() -> None:
    text = "name;language;sms;sms 2;call\nAnne;fr;0450000001;0450000002 (Live only);0450000003 | 0450000004\n"
    (person,) = reads(text).people
    assert person.addresses == (
        Address("sms", "+32450000001"),
        Address("sms", "+32450000002", live_only=True),
        Address("voice", "+32450000003"),
        Address("voice", "+32450000004"),
    )


def test_an_organisation_is_meant_by_its_name_in_any_language() -> None:
    reading = reads("name;language;organisation\nAnne;fr;brandweer\nBart;nl;Brandwer\n")
    assert [person.organisation for person in reading.people] == ["siamu", "Brandwer"]
    assert told(reading) == ["3 unknown-organisation (warning)"]
    assert 'Did you mean "Brandweer"?' in reading.findings[0].remedy


def test_rows_with_a_fault_are_told_and_the_others_read() -> None:
    text = (
        "name;language;sms;discipline\n"
        "Anne;fr;0450 00 00 01;\n"
        "Bart;nl;12;\n"  # 3
        ";nl;0450 00 00 03;\n"
        "Carl;xx;0450 00 00 04;\n"
        "Dora;de;0450 00 00 05;D6\n"
        "=cmd|' /C calc'!A0;de;0450 00 00 06;\n"  # 7
        "#REF!;de;0450 00 00 07;\n"
        'Eva "x";de;0450 00 00 08;\n'
        '"Fred" x;de;0450 00 00 09;\n'  # 10
        "Gust;de;0450 00 00 10;D1;too;much\n"
        "Anne;fr;0450 00 00 11;\n"
        "\n"
        '"Hilde\nHermans";de;0450 00 00 12\n'  # 14, on two lines
        "中文;de;0450 00 00 13\n"
        "Ilse;de;0450 00 00 14\n"
    )
    reading = reads(text)
    assert names(reading) == ["Anne", 'Eva "x"', "Hilde Hermans", "Ilse"]
    assert told(reading) == [
        "3 not-an-address", "4 no-name", "5 unknown-language", "6 unknown-discipline", "7 a-formula", "8 a-formula",
        "10 not-csv", "11 too-many-cells", "12 key-twice", "16 not-an-id",
    ]  # fmt: skip
    assert all(finding.remedy for finding in reading.findings)
    assert '"anne" is in line 2 too' in reading.findings[8].message


def test_a_quote_that_is_never_closed_costs_its_own_row_only() -> None:
    rows = "".join(f"P{n};fr;0450 00 00 {n:02}\n" for n in range(40))
    reading = reads('name;language;sms\n"Anne;fr;0450 00 00 50\n' + rows)
    assert told(reading) == ["2 not-csv"]
    assert len(reading.people) == 40


def test_what_a_table_holds_besides_is_said() -> None:
    reading = reads("name;langauge;street;name\nAnne;nl;Rue X;other\n")
    assert told(reading) == ["1 unknown-column (warning)", "1 unknown-column (warning)", "1 column-twice (warning)",
                             "2 no-language (warning)"]  # fmt: skip
    assert 'Did you mean "language"?' in reading.findings[0].remedy
    assert names(reading) == ["Anne"]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "empty"),
        (b"a;b\n1;2\n", "no-name"),
        (b"PK\x03\x04\x14\x00\x06\x00", "not-text"),
        (b"\xff\xfe\x00", "not-text"),
        (b"name\n\x81\x8d", "not-text"),
        (b"name;sms\n" + b"x" * 8_000_001, "too-large"),
    ],
)
def test_files_that_cannot_be_read_at_all(data: bytes, rule: str) -> None:
    reading = read(data, "guests.csv", KNOWN)
    assert [finding.rule for finding in reading.findings if not finding.warning] == [rule]
    assert reading.people == ()


def test_who_is_in_the_directory_already_is_told() -> None:
    directory = Directory([ANNE])
    known = Known(directory=directory, channels=CHANNELS, phones=(), mails=(), region="BE")
    reading = read(b"id;name;language\nanne;Anne;fr\n", "guests.csv", known)
    assert told(reading) == ["2 known-person (warning)"]


# --- vCards ------------------------------------------------------------------------------------------------

PHONE = """BEGIN:VCARD
VERSION:3.0
PRODID:-//A phone//EN
N:Inventée;Anne;;;
FN:Anne Inventée
ORG:Brandweer;Dispatching
TEL;type=HOME;type=VOICE:02 555 01 00
item1.TEL;type=CELL;type=VOICE;type=pref:+32 450 00 00 01
TEL;type=WORK,FAX:02 555 01 01
EMAIL;type=INTERNET;type=WORK:anne@example.org
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD
 /2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBw
END:VCARD
"""


def test_a_card_of_a_telephone() -> None:
    reading = reads(PHONE, "anne.vcf")
    (person,) = reading.people
    assert (person.id, person.name, person.organisation) == ("anne-inventee", "Anne Inventée", "siamu")
    assert ways(person) == [
        ("sms", "+32450000001"), ("voice", "+32450000001"), ("voice", "+3225550100"), ("email", "anne@example.org"),
    ]  # fmt: skip
    assert told(reading) == ["1 not-read (warning)", "1 no-language (warning)", "9 not-a-telephone (warning)"]
    assert "PHOTO" in reading.findings[0].message


def test_a_card_of_version_4() -> None:
    text = (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Bart\\, the\r\n  second\r\nLANG;PREF=2:fr\r\nLANG;PREF=1:nl-BE\r\n"
        'TEL;VALUE=uri;PREF=2;TYPE="text":tel:+32-450-00-00-02\r\nTEL;VALUE=uri;PREF=1;TYPE=text:tel:+32450000001\r\n'
        "TEL:0450000003\r\nEXPERTISE;LEVEL=expert:drone-pilot\r\nEND:VCARD\r\n"
    )
    (person,) = reads(text, "bart.vcf").people
    assert person.name == "Bart, the second"
    assert (person.language, person.speaks, person.competences) == (L.NL, (L.FR,), ("drone-pilot",))
    assert ways(person) == [("sms", "+32450000001"), ("sms", "+32450000002"), ("sms", "+32450000003"),
                            ("voice", "+32450000003")]  # fmt: skip


def test_a_card_goes_out_as_the_standard_has_it() -> None:
    assert vcards_of([ANNE], DIRECTORY).split("\r\n") == [
        "BEGIN:VCARD",
        "VERSION:4.0",
        "KIND:individual",
        "UID;VALUE=text:anne",
        "FN:Anne Inventée",
        "LANG;PREF=1:fr",
        "LANG;PREF=2:nl",
        "ORG:Pompiers\\; SIAMU",
        "EXPERTISE:spokesperson",
        "EXPERTISE:drone\\, small",
        "TEL;VALUE=uri;TYPE=text;PREF=1:tel:+32450000001",
        "TEL;VALUE=uri;TYPE=text;PREF=2;X-LIVE-ONLY=yes:tel:+32450000002",
        "TEL;VALUE=uri;TYPE=voice;PREF=1:tel:+32450000001",
        "EMAIL;PREF=1:anne@example.org",
        "X-VIGIE-REACH;X-CHANNEL=matrix;PREF=1:@anne:example.org",
        "X-VIGIE-ID:anne",
        "X-VIGIE-DISCIPLINE:D1",
        "X-VIGIE-EXERCISES:no",
        "END:VCARD",
        "",
    ]


def card(*lines: str, version: str = "4.0") -> str:
    return "\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


GOOD = card("FN:Anne", "LANG:fr", "TEL;TYPE=cell:0450 00 00 01")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (card("FN:X", version="2.1"), ["1 wrong-version"]),
        ("BEGIN:VCARD\nFN:X\nEND:VCARD\n", ["1 wrong-version"]),
        (card("KIND:group", "FN:The cell"), ["1 not-a-person (warning)"]),
        (card("FN:X", "LANG:fr", "TEL:12"), ["1 not-an-address"]),
        (card("FN:X", "LANG:fr", "TEL;CELL:0450000001"), ["5 not-a-property"]),
        (card("FN:X", "LANG:fr", "no colon here"), ["1 not-read (warning)"]),
        (card("LANG:fr"), ["1 no-name"]),
        (card("FN:X", "LANG:fr", "X-VIGIE-ID:Not An Id"), ["1 not-an-id"]),
        ("BEGIN:VCARD\nVERSION:4.0\nFN:X\n", ["1 not-closed"]),
        ("FN:X\nFN:Y\n", ["1 no-card"]),
    ],
)
def test_a_card_with_a_fault_is_told_and_the_others_read(text: str, found: list[str]) -> None:
    reading = read((text + GOOD).encode(), "cards.vcf", KNOWN, "vcard")
    assert [line for line in told(reading) if "(warning)" not in line or len(found) == 1] == found
    assert names(reading)[-1] == "Anne"
