"""What is changed while running: laid over the files, taken back, read as `vigie check` reads, written back, erased."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.binding import bind
from hub.config import load
from hub.config.editing import read_person
from hub.config.forms import RosterForm
from hub.config.rosters import rosters_of
from hub.config.writing import form_of, overrides_yaml
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.people import Address, Asked, Chain, Contact, Edited, Group, Layer, Override, Person, Roster, Shift, Tier
from hub.people.consequences import Centre, consequences
from hub.people.directory import Directory
from hub.people.erasing import entries_of, telling, without
from hub.people.layers import Layers, version_of
from hub.people.rosters import NotOnDuty, on_duty, taken_over
from hub.yaml import read
from tests.conftest import ROOT

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


def acts_of(wanted: list[tuple[str, str, str | None]]) -> list[tuple[r.Fact, Edited | None]]:
    made: list[tuple[r.Fact, Edited | None]] = []
    for kind, about, what in wanted:
        if kind == "person":
            person = None if what is None else officer(about, f"+3245000009{what}")
            body: Any = r.PersonChanged(person=about, by="z", why="y", removed=person is None)
            made.append((fact(body), Edited(person=person)))
        else:
            override = Override(people=(str(what),), start=NOW.isoformat(), end=(NOW + timedelta(hours=8)).isoformat())
            made.append((fact(r.RosterChanged(roster=about, overrides=(override,), by="z", why="y")), None))
    return made


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(edits, moves), max_size=12), st.randoms())
def test_what_is_changed_and_taken_back_is_as_the_files_say(wanted: list[Any], chance: random.Random) -> None:
    layers = Layers()
    made = acts_of(wanted)
    for one, edited in made:
        layers.take(one, edited)
        body = one.body
        if isinstance(body, r.PersonChanged):
            assert edited is not None
            assert layers.directory(FILES).person(body.person) == edited.person, "the newest act wins"
        elif isinstance(body, r.RosterChanged):
            assert on_duty(layers.over(ROSTERS)[body.roster], NOW) == body.overrides[0].people
    chance.shuffle(made)
    for one, _ in made:
        layers.take(fact(r.ChangeReverted(change=one.id, by="z", why="y")), None)
    assert layers.directory(FILES) is FILES
    assert layers.over(ROSTERS) == ROSTERS
    assert layers.said_by(FILES, ROSTERS) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(edits, moves), max_size=12))
def test_what_the_files_say_by_now_is_no_change_any_more(wanted: list[Any]) -> None:
    layers = Layers()
    for one, edited in acts_of(wanted):
        layers.take(one, edited)
    directory, rosters = layers.directory(FILES), layers.over(ROSTERS)
    said = layers.said_by(directory, rosters)
    assert set(said) == {*(change for change, _ in layers.people.values()), *layers.rosters}
    for change in said:
        layers.revert(change)
    assert (layers.people, layers.rosters) == ({}, {})


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
    config, _ = load(ROOT / "config")
    directory = config.directory()
    for person in config.people:
        organisation = directory.organisations.get(person.organisation)
        form = form_of(person, organisation)
        assert "discipline" not in form or organisation is None or organisation.discipline is None
        read_back, findings = read_person(config, directory, {}, person.id, form)
        assert read_back == person
        assert [f for f in findings if not f.warning] == []


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
