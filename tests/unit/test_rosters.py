"""Who is on duty when: turns, hours, days, overrides and swaps, on every night of the year."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from hub.binding import bind
from hub.config import load
from hub.config.forms import RosterForm
from hub.config.rosters import rosters_of
from hub.model.people import Layer, Override, Roster, Shift
from hub.people.ical import calendar_of
from hub.people.rosters import WEEKDAYS, double_bookings, gaps, handovers, is_holiday, on_duty, timeline, wall
from hub.yaml import read
from tests.conftest import ROOT

ZONE = "Europe/Brussels"
BRUSSELS = ZoneInfo(ZONE)
PEOPLE = ("anna", "bea", "carl", "dirk")


def at(text: str, fold: int = 0) -> datetime:
    """A wall-clock time in Brussels."""
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS, fold=fold)


def roster(*layers: Layer, overrides: tuple[Override, ...] = (), shifts: tuple[Shift, ...] = ()) -> Roster:
    return Roster(id="r", layers=layers, overrides=overrides, shifts=shifts, zone=ZONE)


def weekly(*people: str, **more: object) -> Layer:
    return Layer(turns=tuple((p,) for p in people), first="2026-03-02", **more)  # type: ignore[arg-type] # a Monday


# --- turns -------------------------------------------------------------------------------------------------


def test_a_week_each_from_monday_at_eight() -> None:
    r = roster(weekly("anna", "bea"))
    assert on_duty(r, at("2026-03-02 07:59")) == ()
    assert on_duty(r, at("2026-03-02 08:00")) == ("anna",)
    assert on_duty(r, at("2026-03-09 07:59")) == ("anna",)
    assert on_duty(r, at("2026-03-09 08:00")) == ("bea",)
    assert on_duty(r, at("2026-03-16 08:00")) == ("anna",)


def test_turns_go_on_over_the_leap_day_and_the_year() -> None:
    r = roster(Layer(turns=(("anna",), ("bea",)), first="2028-02-28", days=1))
    assert [on_duty(r, at(f"2028-02-{day} 12:00")) for day in (28, 29)] == [("anna",), ("bea",)]
    assert on_duty(r, at("2028-03-01 12:00")) == ("anna",)
    assert on_duty(r, at("2028-12-31 12:00")) != on_duty(r, at("2029-01-01 12:00"))


@pytest.mark.parametrize(
    ("sunday", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2027-03-28", 23), ("2027-10-31", 25)]
)
def test_the_day_on_which_the_clocks_change_is_an_hour_shorter_or_longer_and_handed_over_at_eight(
    sunday: str, hours: int
) -> None:
    day = date.fromisoformat(sunday)
    r = roster(Layer(turns=(("anna",), ("bea",)), first=(day - timedelta(days=1)).isoformat(), days=1))
    spans = timeline(r, at(f"{day - timedelta(days=1)} 08:00"), at(f"{day + timedelta(days=1)} 08:00"))
    assert [span.people for span in spans] == [("anna",), ("bea",)]
    assert (spans[0].end - spans[0].start) == timedelta(hours=hours)
    assert spans[1].start.astimezone(BRUSSELS).hour == 8


def test_a_time_that_comes_twice_means_the_first_and_is_handed_over_once() -> None:
    r = roster(Layer(turns=(("anna",), ("bea",)), first="2026-10-24", days=1, at="02:30"))
    assert on_duty(r, at("2026-10-25 02:29", fold=0)) == ("anna",)
    assert on_duty(r, at("2026-10-25 02:30", fold=0)) == ("bea",)
    assert on_duty(r, at("2026-10-25 02:10", fold=1)) == ("bea",), "the clock shows less, and time has gone on"
    assert [h.on for h in handovers(r, at("2026-10-24 12:00"), at("2026-10-25 12:00"))] == [("bea",)]


def test_a_time_that_never_comes_is_as_much_later() -> None:
    r = roster(Layer(turns=(("anna",), ("bea",)), first="2026-03-28", days=1, at="02:30"))
    (handover,) = handovers(r, at("2026-03-28 12:00"), at("2026-03-29 12:00"))
    assert handover.at == at("2026-03-29 03:30").astimezone(UTC)
    assert (handover.off, handover.on) == (("anna",), ("bea",))


# --- hours, days, precedence -------------------------------------------------------------------------------


def test_nights_and_weekends_have_layers_of_their_own() -> None:
    r = roster(
        weekly("anna", "bea"),
        weekly("carl", hours=("20:00", "08:00")),
        weekly("dirk", on=("sat", "sun", "holiday")),
    )
    assert on_duty(r, at("2026-03-03 12:00")) == ("anna",)
    assert on_duty(r, at("2026-03-03 20:00")) == ("carl",)
    assert on_duty(r, at("2026-03-04 07:59")) == ("carl",)
    assert on_duty(r, at("2026-03-04 08:00")) == ("anna",)
    assert on_duty(r, at("2026-03-07 22:00")) == ("dirk",), "the last layer that has somebody"
    assert on_duty(r, at("2026-04-06 12:00")) == ("dirk",), "Easter Monday"


def test_a_night_that_begins_on_friday_goes_on_into_saturday() -> None:
    r = roster(weekly("carl", hours=("22:00", "06:00"), on=("fri",)))
    assert on_duty(r, at("2026-03-06 23:00")) == ("carl",)
    assert on_duty(r, at("2026-03-07 05:59")) == ("carl",)
    assert on_duty(r, at("2026-03-07 23:00")) == ()
    assert on_duty(r, at("2026-03-06 05:00")) == ()


def test_overrides_come_before_everything_or_are_added() -> None:
    override = Override(people=("dirk",), start="2026-03-03T12:00:00+00:00", end="2026-03-03T14:00:00+00:00")
    besides = Override(
        people=("carl",), start="2026-03-03T13:00:00+00:00", end="2026-03-03T15:00:00+00:00", besides=True
    )
    r = roster(weekly("anna"), overrides=(override, besides))
    hours = [on_duty(r, datetime(2026, 3, 3, hour, 30, tzinfo=UTC)) for hour in (11, 12, 13, 14, 15)]
    assert hours == [("anna",), ("dirk",), ("dirk", "carl"), ("anna", "carl"), ("anna",)]


def test_where_no_layer_has_anybody_the_shifts_count() -> None:
    r = roster(weekly("anna", hours=("08:00", "18:00")), shifts=(Shift(("bea",)),))
    assert on_duty(r, at("2026-03-03 12:00")) == ("anna",)
    assert on_duty(r, at("2026-03-03 19:00")) == ("bea",)


def test_the_public_holidays() -> None:
    year = {date(2026, 1, 1) + timedelta(days=n) for n in range(365)}
    expected = "01-01 04-05 04-06 05-01 05-14 05-24 05-25 07-21 08-15 11-01 11-11 12-25"
    assert sorted(f"{day:%m-%d}" for day in year if is_holiday(day)) == expected.split()


# --- what goes wrong ---------------------------------------------------------------------------------------


def test_gaps_and_double_bookings_are_found_ahead() -> None:
    days = roster(weekly("anna", hours=("08:00", "20:00")))
    start, end = at("2026-03-03 00:00"), at("2026-03-05 00:00")
    assert [(g[0].astimezone(BRUSSELS).hour, g[1].astimezone(BRUSSELS).hour) for g in gaps(days, start, end)] == [
        (0, 8),
        (20, 8),
        (20, 0),
    ]
    other = Roster(id="other", shifts=(Shift(("anna",), "2026-03-03T06:00:00+00:00", "2026-03-03T09:00:00+00:00"),))
    (booking,) = double_bookings({"days": days, "other": other}, start, end)
    assert (booking.person, booking.rosters) == ("anna", ("days", "other"))
    assert (booking.start, booking.end) == (at("2026-03-03 08:00").astimezone(UTC), datetime(2026, 3, 3, 9, tzinfo=UTC))


layers = st.builds(
    Layer,
    turns=st.lists(st.sampled_from(PEOPLE).map(lambda p: (p,)), min_size=1, max_size=3).map(tuple),
    first=st.sampled_from(["2026-03-20", "2026-10-20", "2028-02-20"]),
    days=st.sampled_from([1, 2, 7]),
    at=st.sampled_from(["00:00", "02:30", "08:00", "23:59"]),
    hours=st.sampled_from([None, ("08:00", "20:00"), ("20:00", "08:00"), ("01:00", "02:30"), ("02:15", "02:45")]),
    on=st.sampled_from([(), ("sat", "sun"), ("holiday", "sun"), WEEKDAYS[:5]]),
)
starts = st.sampled_from(["2026-03-27", "2026-10-23", "2028-02-27"])


@settings(max_examples=60, deadline=None)
@given(st.lists(layers, min_size=1, max_size=3), starts)
def test_the_timeline_says_what_each_minute_says(several: list[Layer], start: str) -> None:
    r = roster(*several)
    begin, end = at(f"{start} 00:00").astimezone(UTC), at(f"{start} 00:00").astimezone(UTC) + timedelta(days=4)
    spans = timeline(r, begin, end)
    assert (spans[0].start, spans[-1].end) == (begin, end)
    for before, after in pairwise(spans):
        assert before.end == after.start
        assert before.people != after.people
    minute, place = begin, 0
    while minute < end:
        while minute >= spans[place].end:
            place += 1
        assert on_duty(r, minute) == spans[place].people, minute.astimezone(BRUSSELS)
        minute += timedelta(minutes=7)


@given(layers, st.integers(0, 400_000))
def test_turns_follow_one_another_day_by_day(layer: Layer, minutes: int) -> None:
    """Against a count of the days by hand: handovers passed since the first one, each at its wall-clock time."""
    instant = wall(date.fromisoformat(layer.first), layer.at, ZONE) + timedelta(minutes=minutes)
    day, passed = date.fromisoformat(layer.first), -1
    while wall(day, layer.at, ZONE) <= instant:
        day, passed = day + timedelta(days=1), passed + 1
    turn = layer.turns[passed // layer.days % len(layer.turns)]
    plain = Layer(turns=layer.turns, first=layer.first, days=layer.days, at=layer.at)
    assert on_duty(roster(plain), instant) == turn


# --- as it is written --------------------------------------------------------------------------------------


def written(text: str, today: str = "2026-11-20") -> tuple[dict[str, Roster], list[str]]:
    document = read(text.encode(), "config/rosters.yaml")
    forms = bind(document, document.root, dict[str, RosterForm])
    rosters = rosters_of(document, forms or {}, PEOPLE, ZONE, today)
    return rosters, [str(finding) for finding in document.findings]


WRITTEN = """
on-call:
  always: dirk
  layers:
    - people: [anna, bea, carl]
      from: 2026-11-23
      every: week
      at: 09:30
    - people: [[bea, carl]]
      from: 2026-11-23
      hours: 20:00-08:00
      on: [weekend, holiday]
  overrides:
    - people: dirk
      from: 2026-12-24 08:00
      until: 2026-12-26 08:00
  swaps:
    - anna: 2026-11-24 12:00
      bea: 2026-12-02 12:00
"""


def test_a_roster_as_it_is_written() -> None:
    rosters, findings = written(WRITTEN)
    assert findings == []
    r = rosters["on-call"]
    assert on_duty(r, at("2026-11-23 09:29")) == ("dirk",)
    assert on_duty(r, at("2026-11-25 12:00")) == ("bea",), "anna's first week is bea's now"
    assert on_duty(r, at("2026-12-03 12:00")) == ("anna",)
    assert on_duty(r, at("2026-12-08 12:00")) == ("carl",)
    assert on_duty(r, at("2026-11-28 21:00")) == ("bea", "carl")
    assert on_duty(r, at("2026-12-25 21:00")) == ("dirk",)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("every: week", "every: fortnight", '"fortnight" is no length of a turn: write "week", "2 weeks", "day"'),
        ("at: 09:30", "at: half past nine", '"half past nine" is no time of day: write it as "08:00"'),
        ("hours: 20:00-08:00", "hours: nights", '"nights" are no hours: write them as "20:00-08:00"'),
        ("[weekend, holiday]", "[saturdays]", '"saturdays" is no kind of day: it can be mon, tue'),
        ("people: [anna, bea, carl]", "people: [anna, eva, carl]", '"eva" is nobody'),
        ("until: 2026-12-26", "until: 2026-12-23", "this shift ends before it begins"),
        ("anna: 2026-11-24 12:00", "carl: 2026-11-24 12:00", "carl is not on duty then: anna is"),
        ("      bea: 2026-12-02 12:00\n", "", "a swap is between two people, here are 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(wrong: str, right: str, said: str) -> None:
    assert wrong in WRITTEN
    _, findings = written(WRITTEN.replace(wrong, right))
    assert any(said in finding for finding in findings), findings
    assert all(finding.startswith("config/rosters.yaml:") for finding in findings)


def test_gaps_and_double_bookings_of_the_coming_weeks_are_warned_of() -> None:
    _, findings = written(
        WRITTEN.replace("  always: dirk\n", "") + "second:\n  layers:\n    - {people: [bea], from: 2026-11-20}\n"
    )
    assert len(findings) == 3, findings
    assert "nobody is on duty from 2026-11-20 00:00 to 2026-11-23 09:30" in findings[0]
    assert "nobody is on duty from 2026-11-20 00:00 to 2026-11-20 08:00" in findings[1]
    assert "bea is on duty in on-call and second from 2026-11-23 09:30" in " ".join(findings)


def test_the_shipped_rosters_have_no_fault() -> None:
    _, findings = load(ROOT / "config", today="2026-11-20")
    assert [str(f) for f in findings if "rosters" in f.file] == []


def test_a_calendar_has_an_event_for_each_shift_and_no_numbers() -> None:
    r = written(WRITTEN)[0]["on-call"]
    start, end, now = at("2026-11-23 12:30"), at("2026-12-07 09:30"), datetime(2026, 11, 20, tzinfo=UTC)
    made = calendar_of(r, {"bea": "Bea; the second, of \\Böhmen"}, start, end, now)
    calendar = Calendar.from_ical(made)
    events = list(calendar.walk("VEVENT"))
    spans = [span for span in timeline(r, start - timedelta(days=35), end) if span.people and span.end > start]
    assert [(e.decoded("dtstart"), e.decoded("dtend")) for e in events] == [(s.start, s.end) for s in spans]
    assert str(events[0]["summary"]) == "on-call: Bea; the second, of \\Böhmen"
    again = calendar_of(r, {}, start, end, now + timedelta(days=1))
    assert [e["uid"] for e in Calendar.from_ical(again).walk("VEVENT")] == [e["uid"] for e in events]
    assert max(len(line) for line in made.split(b"\r\n")) <= 75  # RFC 5545 3.1
    assert calendar.errors == []


def test_the_rosters_of_the_guide_can_be_used() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/rosters.md").read_text("utf-8"), re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        for person, known in (("officer-a", "anna"), ("officer-b", "bea"), ("officer-c", "carl")):
            example = example.replace(person, known)
        example = re.sub(r"director-[ab]", "dirk", example)
        _, findings = written(example, "2026-11-23")
        assert [f for f in findings if "[gap]" not in f] == []
