"""The directory in full: organisations, groups by what people are, addresses in order, who is kept from exercises."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from hub.config import Config, load
from hub.config.groups import Areas
from hub.findings import errors
from hub.install import texts_of
from hub.intake.geography import load_areas
from hub.model.people import Address, Discipline, Group, Language, Organisation, Person, Query
from hub.model.signal import Status
from hub.people.directory import Directory, mail_problem, readable
from tests.conftest import ROOT, shipped

D, L = Discipline, Language


def organisation(id: str, kind: str, *communes: str) -> Organisation:
    return Organisation(id=id, names=dict.fromkeys(Language, id.upper()), kind=kind, communes=communes)


ORGANISATIONS = [
    organisation("siamu", "fire", "forest", "uccle"),
    organisation("zone-midi", "police-zone", "forest"),
    organisation("zone-marlow", "police-zone", "uccle"),
]
ANNE = Person(
    id="anne",
    name="Anne",
    language=L.FR,
    speaks=(L.NL,),
    organisation="siamu",
    discipline=D.D1,
    competences=("spokesperson", "drone-pilot"),
    addresses=(
        Address("sms", "0450 00 00 01"),
        Address("voice", "+32 450 00 00 01"),
        Address("sms", "0450 00 00 02", live_only=True),
        Address("sms", "+32450000003"),
        Address("sms", "0450/00.00.01"),
    ),
)
BART = Person(id="bart", name="Bart", language=L.NL, organisation="zone-midi", discipline=D.D3, exercises=False,
              addresses=(Address("sms", "0450 00 00 04"),))  # fmt: skip
CARL = Person(id="carl", name="Carl", language=L.DE, organisation="zone-marlow", discipline=D.D3,
              competences=("spokesperson",))  # fmt: skip
DORA = Person(id="dora", name="Dora", language=L.EN, organisation="Red Cross")
EVERYBODY = (ANNE, BART, CARL, DORA)


def members(people: Sequence[Person] = EVERYBODY, /, **query: Sequence[str]) -> tuple[str, ...]:
    asked = Query(**{key: tuple(values) for key, values in query.items()})  # type: ignore[arg-type] # words, as in YAML
    return Directory(people, [Group(id="g", query=asked)], organisations=ORGANISATIONS).members("g")


DIRECTORY = Directory(EVERYBODY, organisations=ORGANISATIONS)


# --- groups by query ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"competences": ["spokesperson"]}, ("anne", "carl")),
        ({"competences": ["drone-pilot", "spokesperson"]}, ("anne", "carl")),
        ({"disciplines": ["D3"]}, ("bart", "carl")),
        ({"organisations": ["Red Cross", "siamu"]}, ("anne", "dora")),
        ({"kinds": ["police-zone"]}, ("bart", "carl")),
        ({"languages": ["nl"]}, ("anne", "bart")),
        ({"communes": ["forest"]}, ("anne", "bart")),
        ({"communes": ["forest"], "languages": ["nl"], "disciplines": ["D3"]}, ("bart",)),
        ({"communes": ["forest"], "languages": ["de"]}, ()),
        ({"kinds": ["police-zone"], "also": ["dora", "bart"]}, ("bart", "carl", "dora")),
        ({"kinds": ["police-zone"], "but_not": ["carl"]}, ("bart",)),
        ({"kinds": ["fire"], "also": ["dora"], "but_not": ["dora"]}, ("anne",)),
    ],
)
def test_a_query_asks_for_all_it_says_and_any_of_its_values(
    query: dict[str, list[str]], found: tuple[str, ...]
) -> None:
    assert members(**query) == found


def test_a_query_that_says_nothing_is_met_by_nobody() -> None:
    assert members() == ()
    assert members(also=["dora"]) == ("dora",)


def test_whoever_joins_is_in_the_group_with_the_next_version_of_the_directory() -> None:
    eva = Person(id="eva", name="Eva", organisation="zone-midi")
    assert members(kinds=["police-zone"]) == ("bart", "carl")
    assert members((*EVERYBODY, eva), kinds=["police-zone"]) == ("bart", "carl", "eva")


def test_competences_and_languages_of_people() -> None:
    assert DIRECTORY.competent("spokesperson") == ("anne", "carl")
    assert DIRECTORY.competent("juggler") == ()
    assert DIRECTORY.speaks("anne", L.FR)
    assert DIRECTORY.speaks("anne", L.NL)
    assert not DIRECTORY.speaks("anne", L.DE)
    assert not DIRECTORY.speaks("nobody", L.FR)


def test_an_organisation_is_found_by_id_and_by_any_of_its_names_if_it_is_the_only_one() -> None:
    twins = [Organisation(id=i, names={L.FR: "Garde", L.NL: i}, kind="other") for i in ("one", "two")]
    directory = Directory((), organisations=[*ORGANISATIONS, *twins])
    assert directory.organisation_named("siamu") == directory.organisation_named(" Siamu") == "siamu"
    assert directory.organisation_named("two") == "two"
    assert directory.organisation_named("Garde") == directory.organisation_named("nothing") == ""


# --- addresses ---------------------------------------------------------------------------------------------


def test_addresses_come_in_order_each_once() -> None:
    assert DIRECTORY.addresses("anne", "sms") == ("+32450000001", "+32450000002", "+32450000003")
    assert DIRECTORY.address("anne", "sms") == "+32450000001"
    assert DIRECTORY.addresses("anne", "email") == DIRECTORY.addresses("nobody", "sms") == ()


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.ACTUAL])
def test_what_is_not_actual_never_gets_an_address_that_is_live_only(status: Status) -> None:
    assert DIRECTORY.addresses("anne", "sms", status) == ("+32450000001", "+32450000003")
    assert DIRECTORY.addresses("anne", "voice", status) == ("+32450000001",)


def test_a_number_that_is_live_only_is_so_over_every_channel_and_for_everybody() -> None:
    home = Address("sms", "0450 00 00 05", live_only=True)
    eva = Person(id="eva", name="Eva", addresses=(home, Address("voice", "+32450000005")))
    desk = Person(
        id="desk", name="Desk", addresses=(Address("voice", "+32450000005"), Address("voice", "+32450000006"))
    )
    directory = Directory([eva, desk])
    assert directory.addresses("eva", "voice") == ("+32450000005",)
    assert directory.addresses("eva", "voice", Status.EXERCISE) == ()
    assert directory.addresses("desk", "voice", Status.TEST) == ("+32450000006",)


def test_who_takes_no_part_in_exercises_has_no_address_in_one() -> None:
    assert DIRECTORY.addresses("bart", "sms", Status.EXERCISE) == ()
    assert DIRECTORY.addresses("bart", "sms") == DIRECTORY.addresses("bart", "sms", Status.TEST) == ("+32450000004",)
    assert not DIRECTORY.takes_part("bart", Status.EXERCISE)
    assert DIRECTORY.takes_part("anne", Status.EXERCISE)


def test_answers_from_any_of_the_addresses_are_theirs() -> None:
    assert DIRECTORY.find("0450 00 00 02") == DIRECTORY.find("+32450000003") == "anne"


def test_what_was_written_before_there_were_flags_is_read_as_it_was() -> None:
    assert msgspec.json.decode(b'["sms","+32450000001"]', type=Address) == Address("sms", "+32450000001")
    old = b'{"id":"anne","name":"Anne","addresses":[["sms","+32450000001"]]}'
    assert msgspec.json.decode(old, type=Person).exercises
    assert msgspec.json.decode(b'{"id":"g","members":["anne"]}', type=Group) == Group(id="g", members=("anne",))


@pytest.mark.parametrize("address", ["a@example.org", "A.B+c@sub.example.org", "jos.é@exämple.org", "mailto:a@b.be"])
def test_a_mail_address(address: str) -> None:
    assert mail_problem(address) == ""


@pytest.mark.parametrize(
    "address", ["", "a", "a@", "@b.org", "a@b", "a@@b.org", "a b@c.org", "a@b..org", "a@-b.org", "a@b.123",
                "a@b.org,c@d.org", "a@b.org\nBcc: c@d.org", "x" * 65 + "@b.org"]
)  # fmt: skip
def test_what_is_no_mail_address_is_said(address: str) -> None:
    assert ":" in mail_problem(address)


def test_numbers_are_shown_as_people_write_them() -> None:
    assert readable("+32450000001") == "+32 450 00 00 01"
    assert readable("1789") == "1789"
    assert readable("a@example.org") == "a@example.org"


# --- in config/ --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def example() -> Config:
    config, findings = shipped()
    assert not findings
    return config


def test_the_example_knows_the_communes_the_zones_and_the_services(example: Config) -> None:
    by_kind: dict[str, list[Organisation]] = {}
    for one in example.organisations:
        by_kind.setdefault(one.kind, []).append(one)
    assert len(by_kind["commune"]) == 19
    assert len(by_kind["police-zone"]) == 6
    assert {"siamu", "stib", "sitcen", "national-crisis-centre"} <= {one.id for one in example.organisations}
    nineteen = sorted(commune for zone in by_kind["police-zone"] for commune in zone.communes)
    assert len(set(nineteen)) == 19, "every commune is in one zone, none in two"
    assert nineteen == sorted(commune for one in by_kind["commune"] for commune in one.communes)
    assert all(set(one.names) == set(Language) for one in example.organisations)


def test_the_zones_of_the_example_are_those_of_its_areas(example: Config) -> None:
    assert example.geography is not None
    for zone in (one for one in example.organisations if one.kind == "police-zone"):
        code = ("POLICE_ZONE", zone.id.removeprefix("police-"))
        (area,) = [place for place in example.geography.places.values() if code in place.codes]
        assert set(zone.communes) == {p.id for p in example.geography.places.values() if area.id in p.within}


def test_who_has_no_discipline_has_that_of_the_organisation(example: Config) -> None:
    people = {person.id: person for person in example.people}
    assert people["zone-5341"].discipline is D.D3
    assert people["siamu-permanence"].discipline is D.D1
    assert people["cell-d5"].discipline is D.D5


@pytest.mark.parametrize("word", ["forest", "Forest", "vorst", "21007"])
def test_a_commune_is_known_by_id_name_and_nis_code(example: Config, word: str) -> None:
    assert Areas(example.geography).communes(word) == ("forest",)


def test_a_larger_area_stands_for_the_communes_in_it(example: Config) -> None:
    areas = Areas(example.geography)
    assert set(areas.communes("Politiezone Zuid")) == {"anderlecht", "forest", "saint-gilles"}
    assert len(areas.communes("brussels-capital-region")) == 19
    assert areas.communes("Ghent") == ()


def test_without_areas_any_commune_is_taken_as_written() -> None:
    geography, _ = load_areas("nonsense", "areas.yaml", {})
    assert Areas(geography).communes("Gent") == ("Gent",)


def test_the_examples_of_the_guide_can_be_used(folder: Path) -> None:
    """Each, put together with the others, in place of the example's own."""
    examples = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/people.md").read_text("utf-8"), re.DOTALL)
    assert len(examples) == 4
    own = YAML(typ="safe").load(folder / "people.yaml")
    for text in examples:
        for part, entries in as_written(text).items():
            own[part].update(entries)
    with (folder / "people.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(own, file)
    config, findings = load(folder)
    assert [str(finding) for finding in findings] == []
    directory = config.directory()
    assert directory.addresses("officer-b", "sms", Status.TEST) == ("+32450000002",)
    assert not directory.takes_part("director-b", Status.EXERCISE)
    assert directory.organisations["police-5341"].communes == ("anderlecht", "forest", "saint-gilles")
    assert directory.members("dutch-speaking-police-of-forest") == ("officer-b",)


def as_written(text: str) -> dict[str, dict[str, object]]:
    """YAML where every value is a text, as the hub reads it."""
    yaml = YAML(typ="base")
    whole: dict[str, dict[str, object]] = yaml.load(text)
    return whole


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


def test_a_mail_address_that_is_none_is_told_at_its_place(folder: Path) -> None:
    people = folder / "people.yaml"
    people.write_text(people.read_text("utf-8").replace("email: stib@example.org", "email: [a@example.org, stib@]"))
    _, findings = load(folder)
    (finding,) = errors(findings)
    assert finding.rule == "not-a-mail-address"
    assert finding.source[finding.column - 1 :].startswith("stib@]")


def test_an_organisation_of_one_file_serves_people_of_another(folder: Path) -> None:
    (folder / "people").mkdir()
    more = "people:\n  gus:\n    name: Gus\n    organisation: siamu\n    reach:\n      sms: 0450 00 00 99\n"
    (folder / "people" / "guests.yaml").write_text(more)
    config, findings = load(folder)
    assert findings == []
    assert config.directory().people["gus"].discipline is D.D1


def test_an_organisation_in_two_files_is_told(folder: Path) -> None:
    (folder / "people").mkdir()
    more = "organisations:\n  stib:\n    fr: a\n    nl: b\n    de: c\n    en: d\n    kind: transport\n"
    (folder / "people" / "more.yaml").write_text(more)
    _, findings = load(folder)
    assert [str(f) for f in findings] == [
        "config/people/more.yaml:3:5: stib is in another file too: keep one [key-twice]"
    ]


def test_every_file_that_names_people_is_private(folder: Path) -> None:
    (folder / "people").mkdir()
    (folder / "people" / "guests.yaml").write_text(
        "people:\n  gus:\n    name: Gus\n    reach:\n      sms: 0450000099\n"
    )
    private = {text.name for text in texts_of(load(folder)[0]) if text.private}
    assert private == {"people.yaml", "rosters.yaml", "people/guests.yaml", "registered/invented.csv"}


def test_a_channel_that_is_live_only_carries_no_exercise_and_no_test() -> None:
    officer = Person(id="a", name="A", addresses=(Address("siren", "1"), Address("sms", "+32450000001")))
    directory = Directory([officer], live_channels=["siren"])
    for status in Status:
        assert directory.addresses("a", "siren", status) == (("1",) if status is Status.ACTUAL else ())
        assert directory.addresses("a", "sms", status) == ("+32450000001",)


def test_a_channel_of_exercises_carries_nothing_actual() -> None:
    officer = Person(id="a", name="A", addresses=(Address("sms-trial", "+32450000001"),))
    directory = Directory([officer], exercise_channels=["sms-trial"])
    for status in Status:
        ways = directory.addresses("a", "sms-trial", status)
        assert ways == (() if status is Status.ACTUAL else ("+32450000001",))
