"""Those of the public who registered: how a register is read, and who lives where."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.config.groups import Areas
from hub.config.people import Ways
from hub.config.registered import TOLD, registered_of
from hub.intake.geography import load_areas, shape_files
from hub.model.people import Address, Language, Person, Registered
from hub.model.signal import Status
from hub.people.directory import Directory
from hub.people.zone import Street, Zone, polygon_problem, street, within
from tests.conftest import ROOT

CONFIG = ROOT / "config"
HEAD = "id;language;commune;street;number;latitude;longitude;sms;call;email\n"
GOOD = "r-1;fr;Ixelles;Rue Haute;7;50.8;4.3;+32 450 00 10 01;;\n"
WAYS = Ways(("sms", "voice", "email"), ("sms", "voice"), ("email",), "BE")


@pytest.fixture(scope="module")
def areas() -> Areas:
    text = (CONFIG / "areas.yaml").read_text()
    geography, _ = load_areas(text, "areas.yaml", {name: (CONFIG / name).read_text() for name in shape_files(text, "")})
    return Areas(geography)


def read(text: str, areas: Areas) -> tuple[list[Registered], list[str]]:
    found, findings = registered_of(text, "registered/x.csv", WAYS, areas)
    assert all(finding.warning for finding in findings), "a row nobody can read keeps no hub from starting"
    return found, [f"{finding.line} {finding.rule}" for finding in findings]


def test_the_example_is_read_whole(areas: Areas) -> None:
    found, findings = read((CONFIG / "registered" / "invented.csv").read_text(), areas)
    assert findings == []
    assert len(found) == 10
    assert found[1] == Registered(
        id="r-0002",
        language=Language.NL,
        commune="ixelles",
        street="Elsensesteenweg",
        number=20,
        at=(50.836, 4.365),
        addresses=(Address("sms", "+32450001002"), Address("voice", "+32450001002")),
    )
    assert found[8].at is None


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (";fr;Ixelles;;;;;+32 450 00 10 01;;", "incomplete"),
        ("r 2;fr;Ixelles;;;;;+32 450 00 10 01;;", "not-an-id"),
        ("r-1;fr;Ixelles;;;;;+32 450 00 10 01;;", "id-twice"),
        ("r-2;es;Ixelles;;;;;+32 450 00 10 01;;", "not-a-language"),
        ("r-2;fr;Gent;;;;;+32 450 00 10 01;;", "unknown-commune"),
        ("r-2;fr;police-zone-uccle-watermael-boitsfort-auderghem;;;;;+32 450 00 10 01;;", "unknown-commune"),
        ("r-2;fr;Ixelles;;;91;4;+32 450 00 10 01;;", "not-a-position"),
        ("r-2;fr;Ixelles;;;here;there;+32 450 00 10 01;;", "not-a-position"),
        ("r-2;fr;Ixelles;;;50.8;;+32 450 00 10 01;;", "not-a-position"),
        ("r-2;fr;Ixelles;;;;;12;;", "bad-address"),
        ("r-2;fr;Ixelles;;;;;;;nobody", "bad-address"),
        ("r-2;fr;Ixelles;;;;;;;", "unreachable"),
    ],
)
def test_a_row_that_cannot_be_read_is_left_out_and_told(row: str, rule: str, areas: Areas) -> None:
    found, findings = read(f"{HEAD}{GOOD}{row}\n", areas)
    assert [one.id for one in found] == ["r-1"]
    assert findings == [f"3 {rule}"]


def test_of_very_many_bad_rows_the_first_are_told(areas: Areas) -> None:
    found, findings = read(HEAD + "x;;;;;;;;;\n" * 500 + GOOD, areas)
    assert len(found) == 1
    assert len(findings) == TOLD + 1
    assert findings[-1] == f"{TOLD + 2} more"


def test_a_column_that_is_no_channel_and_several_numbers_in_a_cell(areas: Areas) -> None:
    found, findings = read("\ufeffID;Language;Commune;SMS;fax\nr-1;FR;21009;0450001001|0450 00 10 02;\n", areas)
    assert findings == []
    assert [way.address for way in found[0].addresses] == ["+32450001001", "+32450001002"]
    _, findings = read("id;language;commune;sms;fax\nr-1;fr;Ixelles;;123\n", areas)
    assert findings == ["2 unknown-channel"]


@given(st.text(max_size=200))
def test_no_file_upsets_it(text: str) -> None:
    registered_of(text, "x.csv", WAYS, Areas(None))
    registered_of(HEAD + text, "x.csv", WAYS, Areas(None))


# --- who lives where ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def town(areas: Areas) -> list[Registered]:
    found, _ = read((CONFIG / "registered" / "invented.csv").read_text(), areas)
    return found


AROUND_IXELLES = ((50.83, 4.36), (50.83, 4.38), (50.84, 4.38), (50.84, 4.36))


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (Zone(communes=("ixelles",)), "1234"),
        (Zone(communes=("ixelles", "uccle")), "12340"),
        (Zone(streets=(street("rue haute"),)), "57"),
        (Zone(streets=(street("RUE  HAUTE 1-99"),)), "5"),
        (Zone(streets=(street("Rue Haute 298"),)), "7"),
        (Zone(streets=(street("Rue Haute"), street("Hoogstraat 100-200"))), "567"),
        (Zone(streets=(street("chaussee d ixelles"), street("Chaussée d’Ixelles"))), "1"),
        (Zone(communes=("ixelles",), streets=(street("Rue Haute"),)), ""),
        (Zone(polygon=AROUND_IXELLES), "1234"),
        (Zone(polygon=AROUND_IXELLES[:3]), "3"),
        (Zone(communes=("uccle",), polygon=AROUND_IXELLES), ""),
        (Zone(), "1234567890"),
    ],
)
def test_all_that_is_given_must_hold_of_several_any_one(zone: Zone, expected: str, town: list[Registered]) -> None:
    assert "".join(one.id[-1] for one in within(town, zone)) == expected


def test_streets_as_people_write_them() -> None:
    assert street(" Rue Haute ") == Street(name="Rue Haute")
    assert street("Rue Haute 7") == Street(name="Rue Haute", first=7, last=7)
    assert street("Rue du 11 Novembre 1 - 9") == Street(name="Rue du 11 Novembre", first=1, last=9)


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (AROUND_IXELLES, ""),
        (AROUND_IXELLES[:2], "a polygon has three corners"),
        (((50.0, 4.0), (50.1, 4.1), (50.2, 4.2)), "it encloses nothing"),
        (((350.0, 4.0), (50.1, 4.1), (50.2, 4.9)), "that is nowhere on Earth"),
    ],
)
def test_a_polygon_has_to_enclose_something(points: tuple[tuple[float, float], ...], problem: str) -> None:
    assert polygon_problem(points).startswith(problem)
    assert bool(problem) == bool(polygon_problem(points))


# --- in the directory --------------------------------------------------------------------------------------

CITIZEN = Registered(id="r-1", language=Language.NL, commune="ixelles", addresses=(Address("sms", "+32450001001"),))
OFFICER = Person(id="officer-a", name="Anna", competences=("duty",), addresses=(Address("sms", "+32450000001"),))


def test_who_registered_is_reached_and_is_nobody_who_is_asked() -> None:
    directory = Directory([OFFICER], registered=[CITIZEN])
    assert directory.addresses("r-1", "sms") == ("+32450001001",)
    assert directory.addresses("r-1", "sms", Status.TEST) == ("+32450001001",)
    assert directory.addresses("r-1", "sms", Status.EXERCISE) == ()
    assert directory.language("r-1") is Language.NL
    assert directory.find("0450 00 10 01") == "r-1"
    assert directory.person("r-1") is None
    assert directory.competent("duty") == ("officer-a",)


def test_an_officer_who_registered_is_an_officer_when_they_answer() -> None:
    directory = Directory(
        [OFFICER], registered=[Registered(id="r-2", language=Language.FR, commune="x", addresses=OFFICER.addresses)]
    )
    assert directory.find("+32450000001") == "officer-a"
    assert directory.shared() == {}


def test_the_path_of_the_example_is_where_the_hub_looks() -> None:
    assert [path.parent.name for path in Path(CONFIG).glob("registered/*.csv")] == ["registered"]
