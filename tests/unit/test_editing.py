"""What is changed while running: laid over the files, taken back, read as `vigie check` reads, written back, erased."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.binding import bind
from hub.config.editing import read_part, read_person
from hub.config.forms import RosterForm
from hub.config.rosters import rosters_of
from hub.config.writing import form_of, form_of_part, overrides_yaml, turns_yaml
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.people import (
    Address,
    Asked,
    Chain,
    Contact,
    Discipline,
    Edited,
    EditedPart,
    Group,
    Layer,
    Organisation,
    Override,
    Part,
    Person,
    Roster,
    Shift,
    Tier,
)
from hub.people.consequences import Centre, consequences
from hub.people.directory import Directory
from hub.people.erasing import entries_of, telling, without
from hub.people.layers import Layers, part_of, version_of
from hub.people.rosters import NotOnDuty, on_duty, taken_over
from hub.yaml import read
from tests.conftest import shipped

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
IDS = Ids(random.Random(1))


def officer(id_: str, number: str = "+32450000001", **more: Any) -> Person:
    return Person(id=id_, name=f"Name of {id_}", addresses=(Address("sms", number),), **more)


def fact(body: Any) -> r.Fact:
    return r.Fact(id=IDS.new(NOW), at=NOW, body=body)


# --- layers --------------------------------------------------------------------------------------------------

PEOPLE = ("a", "b", "c", "d")
FILES = Directory([officer(p, f"+3245000000{n}") for n, p in enumerate("abc")], [Group(id="all", members=("a", "b"))])
ROSTERS = {
    "on-call": Roster(id="on-call", shifts=(Shift(("a",)),)),
    "backup": Roster(id="backup", shifts=(Shift(("b",)),)),
}
edits = st.tuples(st.just("person"), st.sampled_from(PEOPLE), st.one_of(st.none(), st.sampled_from(["1", "2"])))
moves = st.tuples(st.just("roster"), st.sampled_from(list(ROSTERS)), st.sampled_from(PEOPLE))


groups = st.tuples(st.just("group"), st.sampled_from(["all", "some"]), st.one_of(st.none(), st.sampled_from("abc")))
turns = st.tuples(st.just("turns"), st.sampled_from([*ROSTERS, "new"]), st.one_of(st.none(), st.sampled_from("abc")))


def acts_of(wanted: list[tuple[str, str, str | None]]) -> list[tuple[r.Fact, Edited | EditedPart | None]]:
    made: list[tuple[r.Fact, Edited | EditedPart | None]] = []
    for kind, about, what in wanted:
        if kind == "group":
            group = None if what is None else Group(id=about, members=(what,))
            body: Any = r.PartChanged(part=Part.GROUP, name=about, by="z", why="y", removed=group is None)
            made.append((fact(body), EditedPart(group=group)))
            continue
        if kind == "turns":
            roster = None if what is None else Roster(id=about, shifts=(Shift((what,)),))
            body = r.PartChanged(part=Part.ROSTER, name=about, by="z", why="y", removed=roster is None)
            made.append((fact(body), EditedPart(roster=roster)))
            continue
        if kind == "person":
            person = None if what is None else officer(about, f"+3245000009{what}")
            body = r.PersonChanged(person=about, by="z", why="y", removed=person is None)
            made.append((fact(body), Edited(person=person)))
        else:
            override = Override(people=(str(what),), start=NOW.isoformat(), end=(NOW + timedelta(hours=8)).isoformat())
            made.append((fact(r.RosterChanged(roster=about, overrides=(override,), by="z", why="y")), None))
    return made


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(edits, moves, groups, turns), max_size=12), st.randoms())
def test_what_is_changed_and_taken_back_is_as_the_files_say(wanted: list[Any], chance: random.Random) -> None:
    layers = Layers()
    made = acts_of(wanted)
    for one, edited in made:
        layers.take(one, edited)
        body = one.body
        if isinstance(body, r.PersonChanged):
            assert isinstance(edited, Edited)
            assert layers.directory(FILES).person(body.person) == edited.person, "the newest act wins"
        elif isinstance(body, r.PartChanged):
            assert isinstance(edited, EditedPart)
            there = part_of(layers.directory(FILES), layers.turns(ROSTERS), body.part, body.name)
            assert there == edited.entry, "the newest act wins"
        elif isinstance(body, r.RosterChanged) and body.roster in layers.over(ROSTERS):
            assert on_duty(layers.over(ROSTERS)[body.roster], NOW) == body.overrides[0].people
    chance.shuffle(made)
    for one, _ in made:
        layers.take(fact(r.ChangeReverted(change=one.id, by="z", why="y")), None)
    assert layers.directory(FILES) is FILES
    assert layers.over(ROSTERS) == ROSTERS
    assert layers.said_by(FILES, ROSTERS) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(edits, moves, groups, turns), max_size=12))
def test_what_the_files_say_by_now_is_no_change_any_more(wanted: list[Any]) -> None:
    layers = Layers()
    for one, edited in acts_of(wanted):
        layers.take(one, edited)
    directory, rosters = layers.directory(FILES), layers.over(ROSTERS)
    said = layers.said_by(directory, rosters)
    gone = {change for change, (roster, _) in layers.rosters.items() if roster not in rosters}
    everything = {change for known in (layers.people, layers.parts) for change, _ in known.values()}
    assert set(said) == {*everything, *layers.rosters} - gone
    for change in said:
        layers.revert(change)
    assert (layers.people, layers.parts, set(layers.rosters)) == ({}, {}, gone)


def test_people_keep_their_place_and_who_is_new_comes_last() -> None:
    layers = Layers()
    for one, edited in acts_of([("person", "d", "1"), ("person", "a", "2"), ("person", "b", None)]):
        layers.take(one, edited)
    assert list(layers.directory(FILES).people) == ["a", "c", "d"]
    assert version_of(FILES.person("a")) != version_of(layers.directory(FILES).person("a"))
    assert version_of(None) == ""


def test_a_change_whose_words_were_erased_puts_nobody_in_force() -> None:
    layers = Layers()
    layers.take(fact(r.PersonChanged(person="a", by="z", why="y")), None)
    assert layers.directory(FILES).person("a") is None


def test_who_is_of_the_discipline_of_their_organisation_follows_it() -> None:
    police = Organisation(id="police", names={}, kind="police-zone", discipline=Discipline.D3)
    people = [
        officer("a", organisation="police", discipline=Discipline.D3),
        officer("b", organisation="police", discipline=Discipline.D5),
        officer("c", discipline=Discipline.D3),
    ]
    files, layers = Directory(people, organisations=[police]), Layers()
    moved = msgspec.structs.replace(police, discipline=Discipline.D4)
    change = fact(r.PartChanged(part=Part.ORGANISATION, name="police", by="z", why="y"))
    layers.take(change, EditedPart(organisation=moved))
    directory = layers.directory(files)
    assert [p.discipline for p in directory.people.values()] == [Discipline.D4, Discipline.D5, Discipline.D3]
    assert directory.organisations == {"police": moved}
    layers.revert(change.id)
    assert layers.directory(files) is files


def test_who_takes_turns_is_changed_and_tonights_replacement_stands() -> None:
    layers = Layers()
    for one, edited in acts_of([("roster", "on-call", "d"), ("turns", "on-call", "c")]):
        layers.take(one, edited)
    roster = layers.over(ROSTERS)["on-call"]
    assert on_duty(roster, NOW) == ("d",)
    assert on_duty(roster, NOW + timedelta(hours=9)) == ("c",)


def test_what_the_files_say_besides_is_not_lost_behind_changed_turns() -> None:
    """The overrides were copied into the files, the turns were not: what is in force stays the same."""
    layers = Layers()
    for one, edited in acts_of([("turns", "on-call", "c"), ("roster", "on-call", "d")]):
        layers.take(one, edited)
    before = layers.over(ROSTERS)["on-call"]
    files = ROSTERS | {"on-call": msgspec.structs.replace(ROSTERS["on-call"], overrides=before.overrides)}
    assert layers.said_by(FILES, files) == []
    assert layers.over(files)["on-call"] == before
    files |= {"on-call": before}
    for change in layers.said_by(FILES, files):
        layers.revert(change)
    assert (layers.parts, layers.rosters, layers.over(files)["on-call"]) == ({}, {}, before)


# --- swaps ---------------------------------------------------------------------------------------------------


def weekly(*people: str) -> Roster:
    return Roster(
        id="on-call",
        layers=(Layer(turns=tuple((p,) for p in people), first="2026-10-05", days=7),),
        zone="Europe/Brussels",
    )


def test_a_swap_across_the_clock_change_keeps_the_handovers_at_eight() -> None:
    roster = weekly("a", "b", "c")  # b has the week in which the clocks go back: 12 to 19 October is b's, 19 to 26 c's
    one = taken_over(roster, "c", datetime(2026, 10, 25, 12, tzinfo=UTC), "a")
    other = taken_over(roster, "a", datetime(2026, 10, 28, 12, tzinfo=UTC), "c")
    assert (one.people, one.start, one.end) == (("a",), "2026-10-19T06:00:00+00:00", "2026-10-26T07:00:00+00:00")
    assert (other.people, other.start, other.end) == (("c",), "2026-10-26T07:00:00+00:00", "2026-11-02T07:00:00+00:00")
    swapped = msgspec.structs.replace(roster, overrides=(one, other))
    for at in (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)):
        assert on_duty(swapped, at) == ("a",), "both times it is half past two"
    assert on_duty(swapped, datetime(2026, 10, 26, 6, 59, tzinfo=UTC)) == ("a",)
    assert on_duty(swapped, datetime(2026, 10, 26, 7, 0, tzinfo=UTC)) == ("c",)
    with pytest.raises(NotOnDuty, match="b is not on duty then: c is"):
        taken_over(roster, "b", datetime(2026, 10, 25, 12, tzinfo=UTC), "a")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-12-24T07:00:00+00:00", "2026-12-26T07:00:00+00:00"),
        ("2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"),  # half past two, both times
        ("2026-03-29T00:59:59+00:00", "2026-03-29T01:00:00+00:00"),  # the clocks go forward
    ],
)
def test_overrides_are_written_as_the_files_read_them(start: str, end: str) -> None:
    overrides = (
        Override(people=("a", "b"), start=start, end=end, besides=True),
        Override(people=("c",), start=start, end=end),
    )
    text = "on-call:\n  always: a\n" + overrides_yaml("on-call", overrides, "Europe/Brussels").partition("\n")[2]
    document = read(text, "rosters.yaml")
    forms: Any = bind(document, document.root, dict[str, RosterForm])
    read_back = rosters_of(document, forms, ("a", "b", "c"), "Europe/Brussels")
    assert document.findings == []
    assert read_back["on-call"].overrides == overrides


# --- consequences --------------------------------------------------------------------------------------------

CHAINS = {"duty": Chain(id="duty", tiers=(Tier(ask=(Contact(Asked.ROSTER, "on-call"),), by=("sms",)),))}


def test_what_a_change_leaves_open_is_told_and_what_was_so_before_is_not() -> None:
    before = Centre(FILES, ROSTERS, CHAINS)
    assert consequences(before, before, NOW) == ()
    layers = Layers()
    for one, edited in acts_of([("person", "a", None)]):
        layers.take(one, edited)
    gone = Centre(layers.directory(FILES), layers.over(ROSTERS), CHAINS)
    assert consequences(before, gone, NOW) == (
        "nobody is on duty in on-call from 2026-11-23 20:00 on",
        "tier 1 of chain duty asks nobody",
        "chain duty needs 1 to accept and reaches 0",
    )
    assert consequences(gone, gone, NOW) == ()
    assert consequences(gone, before, NOW) == ()
    layers = Layers()
    for one, edited in acts_of([("roster", "on-call", "b")]):
        layers.take(one, edited)
    (both,) = consequences(before, Centre(FILES, layers.over(ROSTERS), CHAINS), NOW)
    assert both == "b is on duty in on-call and backup from 2026-11-23 20:00 to 2026-11-24 04:00"


def test_a_night_with_nobody_who_can_be_reached_is_told_with_its_beginning() -> None:
    people = Directory([*FILES.people.values(), Person(id="e", name="E")])
    start, end = NOW + timedelta(days=3), NOW + timedelta(days=4)
    override = Override(people=("e",), start=start.isoformat(), end=end.isoformat())
    rosters = ROSTERS | {"on-call": msgspec.structs.replace(ROSTERS["on-call"], overrides=(override,))}
    told = consequences(Centre(people, ROSTERS, CHAINS), Centre(people, rosters, CHAINS), NOW)
    assert told == ("person e cannot be reached over any of the tier's channels",)


# --- reading -------------------------------------------------------------------------------------------------


def test_everybody_of_the_example_is_read_back_as_they_are_shown() -> None:
    config, _ = shipped()
    directory = config.directory()
    for person in config.people:
        organisation = directory.organisations.get(person.organisation)
        form = form_of(person, organisation)
        assert "discipline" not in form or organisation is None or organisation.discipline is None
        read_back, findings = read_person(config, directory, {}, person.id, form)
        assert read_back == person
        assert [f for f in findings if not f.warning] == []


def test_every_group_organisation_and_roster_of_the_example_is_read_back_as_it_is_shown() -> None:
    config, _ = shipped()
    directory, zone = config.directory(), config.hub.zone
    entries = [*directory.groups.items(), *directory.organisations.items(), *config.rosters.items()]
    assert len({type(entry) for _, entry in entries}) == 3
    for name, entry in entries:
        part = Part(type(entry).__name__.casefold())
        read_back, findings = read_part(config, directory, part, name, form_of_part(entry, zone))
        assert (read_back, [f for f in findings if not f.warning]) == (entry, [])


RICH = Roster(
    id="rich",
    shifts=(
        Shift(("officer-a", "officer-b")),
        Shift(("officer-c",), "2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"),
    ),
    layers=(
        Layer(turns=(("officer-a",), ("officer-b",)), first="2026-10-05", days=14, at="07:30"),
        Layer(
            turns=(("officer-a", "officer-b"), ("officer-c",)),
            first="2026-10-05",
            days=3,
            hours=("20:00", "08:00"),
            on=("mon", "holiday"),
        ),
    ),
    overrides=(
        Override(people=("officer-c",), start="2026-12-24T07:00:00+00:00", end="2026-12-26T07:00:00+00:00"),
        Override(
            people=("officer-a",), start="2026-12-31T07:00:00+00:00", end="2027-01-01T07:00:00+00:00", besides=True
        ),
    ),
    zone="Europe/Brussels",
    notice_s=5400.0,
    may_be_empty=True,
)


@pytest.mark.parametrize("notice_s", [0.0, 45.0, 5400.0])
def test_turns_are_written_as_the_files_read_them(notice_s: float) -> None:
    config, _ = shipped()
    roster = msgspec.structs.replace(RICH, notice_s=notice_s)
    document = read(turns_yaml(roster, "Europe/Brussels"), "rosters.yaml")
    forms: Any = bind(document, document.root, dict[str, RosterForm])
    assert rosters_of(document, forms, config.directory().people, "Europe/Brussels") == {"rich": roster}
    assert document.findings == []


@pytest.mark.parametrize(
    ("part", "form", "said"),
    [
        (Part.GROUP, ["officer-q"], 'x: "officer-q" is nobody'),
        (Part.GROUP, {"competence": "juggler"}, 'competence: nobody has the competence "juggler"'),
        (Part.GROUP, {"but not": ["officer-a"]}, "x: group x does not say what its people are"),
        (Part.ORGANISATION, {"fr": "A", "nl": "A", "en": "A", "kind": "fire"}, 'x: "x" lacks de'),
        (Part.ORGANISATION, {"fr": "A", "nl": "A", "de": "A", "en": "A", "kind": "fire", "communes": ["atlantis"]},
         'communes: "atlantis" is no area of areas.yaml'),
        (Part.ROSTER, {"always": ["officer-q"]}, 'always: "officer-q" is nobody'),
        (Part.ROSTER, {"layers": [{"people": "officer-a", "from": "2026-10-05", "every": "moon"}]}, "layers.every"),
        (Part.ROSTER, {"alwais": ["officer-a"]}, 'alwais: "alwais" is no key of'),
    ],
)  # fmt: skip
def test_what_is_sent_wrong_is_told_with_its_field(part: Part, form: Any, said: str) -> None:
    config, _ = shipped()
    entry, findings = read_part(config, config.directory(), part, "x", form)
    assert entry is None
    told = [f"{f.file}: {f.message}" for f in findings if not f.warning]
    assert any(said in one for one in told), told


# --- erasing -------------------------------------------------------------------------------------------------

TEXT = """\
# People.
people:
  officer-a:
    name: Aline Inventée
    reach:
      sms: +32 450 00 00 01

  # Bram, on Tuesdays
  officer-b:
    name: Bram Verzonnen
    reach:
      call:
        - 0450/00.00.02
        - address: 0450 00 00 92
          live only: yes
  officer-c:
    name: Carla Erfunden
groups:
  officers: [officer-a, officer-b]
"""


def test_a_text_is_written_without_somebody_and_the_comments_about_them() -> None:
    names, addresses = entries_of(TEXT, "officer-b")
    assert (names, addresses) == (["Bram Verzonnen"], ["0450/00.00.02", "0450 00 00 92"])
    kept, reached = telling(names, addresses, Directory([officer("officer-a")]))
    left = without(TEXT, "officer-b", (*kept, *reached))
    assert left is not None
    assert "Bram" not in left
    assert "92" not in left
    assert "  officer-c:\n    name: Carla Erfunden\ngroups:\n  officers: [officer-a, officer-b]\n" in left
    last = without(TEXT, "officer-c", ("Carla Erfunden",))
    assert last is not None
    assert "groups:\n  officers" in last
    assert "Bram Verzonnen" in last


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("# People.", "# Ask bram  verzonnen first."),
        TEXT.replace("Carla Erfunden", "Carla, Bram Verzonnen’s deputy"),
        "people: {officer-b: {name: Bram Verzonnen}, officer-c: {name: C}}\n",
        "people:\n  officer-b: [",
    ],
)
def test_a_text_that_names_somebody_elsewhere_goes_whole(text: str) -> None:
    assert without(text, "officer-b", ("Bram Verzonnen",)) is None


def test_what_others_have_too_is_not_theirs_alone() -> None:
    others = Directory([Person(id="desk", name="The Desk", addresses=(Address("sms", "+32450000002"),))])
    assert telling(["the desk", "Bo"], ["0450/00.00.02", "112"], others) == ((), ())
    assert telling(["Bram"], ["0450/00.00.03"], others) == (
        ("Bram",),
        ("0450/00.00.03", "+32450000003", "+32 450 00 00 03"),
    )
