"""The directory, rosters and chains."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.model.people import Address, Asked, Chain, Contact, Group, Language, Person, Roster, Shift, Tier
from hub.people.chains import Problem, resolve, who
from hub.people.directory import Directory, normalise, phone_problem
from hub.people.rosters import gaps, on_duty, span

NIGHT = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)


def person(id: str, *ways: tuple[str, str], language: Language = Language.FR) -> Person:
    return Person(id=id, name=f"Invented {id}", language=language, addresses=tuple(Address(c, a) for c, a in ways))


ANNE = person("anne", ("sms", "0450/00.00.01"), ("call", "+32 450 00 00 01"), ("email", "Anne@Example.org"))
BERT = person("bert", ("sms", "0032 450 00 00 02"), language=Language.NL)
CARL = person("carl", ("email", "carl@example.org"))
SHARED = person("desk", ("sms", "+32450000003")), person("desk-two", ("call", "0450 00 00 03"))
DIRECTORY = Directory([ANNE, BERT, CARL, *SHARED], [Group(id="cell", members=("bert", "anne", "bert"))])


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0450 00 00 01", "+32450000001"),
        ("0450/00.00.01", "+32450000001"),
        ("+32 (0)450 00 00 01", "+32450000001"),
        ("0032450000001", "+32450000001"),
        ("tel:+32450000001", "+32450000001"),
        ("02 555 01 00", "+3225550100"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("1789", "1789"),
        ("112", "112"),
        ("Anne@Example.ORG ", "anne@example.org"),
        ("mailto:a@b.be", "a@b.be"),
        ("@anne:example.org", "@anne:example.org"),
        ("ASTRID-4711", "ASTRID-4711"),
        ("", ""),
    ],
)
def test_an_address_has_one_written_form(written: str, kept: str) -> None:
    assert normalise(written) == kept
    assert normalise(kept) == kept


@pytest.mark.parametrize(
    "number",
    [
        "",
        "hello",
        "12",
        "+32 450 00 00",
        "+32 450 00 00 00 00 00",
        "+999 123456",
        "0400000001",
        "0450 00 00 01 (home)",
        "0450 00 00 01 ext. 5",
    ],
)
def test_what_is_no_number_is_said_with_what_would_be(number: str) -> None:
    assert ":" in phone_problem(number)


def test_a_number_of_the_plan_has_no_problem() -> None:
    assert phone_problem("0450 00 00 01") == phone_problem("+33 6 12 34 56 78") == ""


def test_whose_answer_it_is() -> None:
    assert DIRECTORY.find("+32450000001") == "anne"
    assert DIRECTORY.find("0450 000 002") == "bert"
    assert DIRECTORY.find("CARL@example.org") == "carl"
    assert DIRECTORY.find("+32450999999") == ""


def test_nobody_answers_from_a_shared_number() -> None:
    assert DIRECTORY.find("+32450000003") == ""
    assert DIRECTORY.owners("+32450000003") == ("desk", "desk-two")
    assert DIRECTORY.shared() == {"+32450000003": ("desk", "desk-two")}


def test_addresses_languages_and_groups() -> None:
    assert DIRECTORY.address("anne", "call") == "+32450000001"
    assert DIRECTORY.address("bert", "call") == DIRECTORY.address("nobody", "sms") == ""
    assert DIRECTORY.language("bert") is Language.NL
    assert DIRECTORY.language("nobody") is Language.FR
    assert DIRECTORY.members("cell") == ("bert", "anne")
    assert DIRECTORY.members("none") == ()


# --- rosters -----------------------------------------------------------------------------------------------

WEEK = Roster(
    id="on-call",
    shifts=(
        Shift(("anne",), "2026-07-13T06:00:00+00:00", "2026-07-14T06:00:00+00:00"),
        Shift(("bert", "anne"), "2026-07-14T08:00:00+02:00", "2026-07-15T06:00:00+00:00"),
    ),
)


def test_a_shift_begins_with_its_first_instant_and_ends_before_its_last() -> None:
    handover = datetime(2026, 7, 14, 6, tzinfo=UTC)
    assert on_duty(WEEK, handover - timedelta(microseconds=1)) == ("anne",)
    assert on_duty(WEEK, handover) == ("bert", "anne")
    assert on_duty(WEEK, datetime(2026, 7, 15, 6, tzinfo=UTC)) == ()


def test_overlapping_shifts_name_each_person_once() -> None:
    roster = Roster(id="r", shifts=(Shift(("anne",)), Shift(("bert", "anne"), "2026-07-01T00:00:00Z", "")))
    assert on_duty(roster, NIGHT) == ("anne", "bert")
    assert on_duty(roster, datetime(2026, 6, 30, tzinfo=UTC)) == ("anne",)


def test_gaps_in_a_roster_are_found() -> None:
    start, end = datetime(2026, 7, 13, tzinfo=UTC), datetime(2026, 7, 16, tzinfo=UTC)
    assert gaps(WEEK, start, end) == (
        (start, datetime(2026, 7, 13, 6, tzinfo=UTC)),
        (datetime(2026, 7, 15, 6, tzinfo=UTC), end),
    )
    assert gaps(Roster(id="r", shifts=(Shift(("anne",)),)), start, end) == ()
    assert gaps(Roster(id="r", shifts=(Shift(()),)), start, end) == ((start, end),)
    assert span(WEEK) == (datetime(2026, 7, 13, 6, tzinfo=UTC), datetime(2026, 7, 15, 6, tzinfo=UTC))
    assert span(Roster(id="r", shifts=(Shift(("anne",)),))) is None


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="no offset"):
        on_duty(Roster(id="r", shifts=(Shift(("anne",), "2026-07-01T00:00:00", ""),)), NIGHT)


# --- chains ------------------------------------------------------------------------------------------------


def tier(*ask: Contact, by: tuple[str, ...] = ("sms", "call"), **more: float) -> Tier:
    return Tier(ask=ask, by=by, **more)  # type: ignore[arg-type]


def test_a_tier_asks_each_person_once_in_order() -> None:
    asked = tier(Contact(Asked.PERSON, "anne"), Contact(Asked.GROUP, "cell"), Contact(Asked.ROSTER, "on-call"))
    found = resolve(asked, NIGHT, DIRECTORY, {"on-call": WEEK})
    assert found.people == ("anne", "bert")
    assert found.problems == (Problem(about="person bert", what="has no address for call"),)


def test_what_stands_in_the_way_is_said() -> None:
    asked = tier(
        Contact(Asked.ROSTER, "on-call"),
        Contact(Asked.ROSTER, "none"),
        Contact(Asked.GROUP, "none"),
        Contact(Asked.PERSON, "ghost"),
        Contact(Asked.PERSON, "carl"),
    )
    found = resolve(asked, datetime(2030, 1, 1, tzinfo=UTC), DIRECTORY, {"on-call": WEEK})
    assert found.people == ("carl",)
    assert [f"{p.about} {p.what}" for p in found.problems] == [
        "roster on-call nobody is on duty",
        "roster none there is no such roster",
        "group none there is no such group",
        "person ghost is not in the directory",
        "person carl cannot be reached over any of the tier's channels",
    ]


def test_the_plan_follows_the_roster_through_the_night() -> None:
    chain = Chain(
        id="duty",
        tiers=(
            tier(Contact(Asked.ROSTER, "on-call"), between_s=90, answer_s=240),
            tier(Contact(Asked.ROSTER, "nobody")),
            tier(Contact(Asked.ROSTER, "on-call"), answer_s=240, times=2),
        ),
        need=3,
        exhausted="directors",
    )
    plan = who(chain, datetime(2026, 7, 14, 5, 58, tzinfo=UTC), DIRECTORY, {"on-call": WEEK})
    assert [[p.id for p in t.people] for t in plan.tiers] == [["anne"], [], ["bert", "anne"]]
    assert [t.starts_s for t in plan.tiers] == [0, 240, 240]
    assert [(w.channel, w.after_s) for w in plan.tiers[0].people[0].ways] == [("sms", 0), ("call", 90)]
    assert plan.lasts_s == 720
    assert plan.exhausted == "directors"
    assert plan.problems == (Problem(about="chain duty", what="needs 3 to accept and reaches 2"),)
