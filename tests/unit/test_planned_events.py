"""Planned events: what a calendar's files hold within a time, what they mean, what is told of what becomes of them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.calendar.changes import Change, Known, Setting, changes, in_order
from connectors.calendar.config import CalendarConfig
from connectors.calendar.meaning import number_in
from connectors.calendar.occurrences import Found, Occurrence, Span, find_occurrences
from connectors.calendar.source import CalendarSource
from hub.connector import BadItem, SignalItem
from hub.model.signal import Certainty, Hazard, Info, MsgType, Severity, Urgency

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = datetime(2026, 10, 20, 8, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def config(**settings_: Any) -> CalendarConfig:
    return msgspec.convert({"url": "https://agenda.example/a.ics"} | settings_, CalendarConfig, strict=False)


CONFIG = config(sender="city")


CONCERT = ":20261024T180000Z"


def event(uid: str = "a", start: str = CONCERT, *lines: str, summary: str = "Concert") -> str:
    made = [f"UID:{uid}", "DTSTAMP:20261001T000000Z", f"DTSTART{start}", f"SUMMARY:{summary}", *lines]
    return "\n".join(["BEGIN:VEVENT", *made, "END:VEVENT"])


def calendar(*events: str, head: str = "") -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", *head.splitlines(), *events, "END:VCALENDAR", ""]).encode()


def span(now: datetime = NOW, days: float = 14, zone: str = "Europe/Brussels") -> Span:
    return Span(start=now, end=now + days * DAY, zone=zone, lasts_s=7200)


def find(*files: bytes, at: Span | None = None, known: Sequence[str] = ()) -> Found:
    return find_occurrences([(f"{n}.ics", data) for n, data in enumerate(files)], at or span(), known)


def times(found: Found) -> list[str]:
    """Beginnings on the clock of Brussels."""
    return [f"{one.start.astimezone(BRUSSELS):%m-%d %H:%M}" for one in found.occurrences if not one.cancelled]


LOCAL = ";TZID=Europe/Brussels:20261024"

# --- occurrences -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "lines", "begins", "ends"),
    [
        (f"{LOCAL}T200000", [f"DTEND{LOCAL}T233000"], "10-24 20:00", "10-24 23:30"),
        (":20261024T180000Z", ["DURATION:PT90M"], "10-24 20:00", "10-24 21:30"),
        (":20261024T200000", [], "10-24 20:00", "10-24 22:00"),  # floating, and no end: two hours
        (";VALUE=DATE:20261024", [], "10-24 00:00", "10-25 00:00"),
        (";VALUE=DATE:20261024", ["DTEND;VALUE=DATE:20261026"], "10-24 00:00", "10-26 00:00"),
        (";TZID=America/New_York:20261024T200000", ["DURATION:PT1H"], "10-25 02:00", "10-25 02:00"),  # clocks go back
        (";TZID=Romance Standard Time:20261024T200000", ["DURATION:PT1H"], "10-24 20:00", "10-24 21:00"),
        (f"{LOCAL}T200000", [f"DTEND{LOCAL}T200000"], "10-24 20:00", "10-24 22:00"),
    ],
)
def test_when_an_event_is(start: str, lines: list[str], begins: str, ends: str) -> None:
    [one] = find(calendar(event("a", start, *lines))).occurrences
    assert f"{one.start.astimezone(BRUSSELS):%m-%d %H:%M}" == begins
    assert f"{one.end.astimezone(BRUSSELS):%m-%d %H:%M}" == ends


ZONE = """BEGIN:VTIMEZONE
TZID:Town
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:OFFSET
TZOFFSETTO:OFFSET
END:STANDARD
END:VTIMEZONE"""


def test_a_calendars_own_time_zone_is_used_and_forgotten_with_it() -> None:
    for offset, hour in (("+0300", 17), ("-0500", 25)):
        head = ZONE.replace(":OFFSET", f":{offset}")
        [one] = find(calendar(event("a", ";TZID=Town:20261024T200000"), head=head)).occurrences
        assert one.start == datetime(2026, 10, 24, tzinfo=UTC) + hour * HOUR


def test_a_series_with_exceptions_moves_and_further_dates() -> None:
    found = find(
        calendar(
            event(
                "a",
                ";TZID=Europe/Brussels:20261001T180000",
                "RRULE:FREQ=DAILY",
                "EXDATE;TZID=Europe/Brussels:20261021T180000",
                "RDATE;TZID=Europe/Brussels:20261022T090000",
            ),
            event(
                "a",
                ";TZID=Europe/Brussels:20261023T203000",
                "RECURRENCE-ID;TZID=Europe/Brussels:20261022T180000",
            ),
            event("a", ":20261024T160000Z", "RECURRENCE-ID:20261024T160000Z", "STATUS:CANCELLED"),
        ),
        at=span(days=6),
    )
    expected = ["10-20 18:00", "10-22 09:00", "10-23 18:00", "10-23 20:30", "10-25 18:00"]
    assert times(found) == expected
    assert [one.cancelled for one in found.occurrences].count(True) == 1
    assert len({one.name for one in found.occurrences}) == 6
    assert len({one.series for one in found.occurrences}) == 1
    assert found.whole


def test_all_that_follow_may_be_moved_at_once() -> None:
    found = find(
        calendar(
            event("a", ":20261020T180000Z", "RRULE:FREQ=DAILY;COUNT=4"),
            event("a", ":20261022T190000Z", "RECURRENCE-ID;RANGE=THISANDFUTURE:20261022T180000Z"),
        )
    )
    assert [f"{one.start:%d %H}" for one in found.occurrences] == ["20 18", "21 18", "22 19", "23 19"]
    assert len({one.name for one in found.occurrences}) == 4


def test_the_newest_of_the_same_event_counts_wherever_it_lies() -> None:
    old = calendar(event("a", ":20261024T180000Z", "SEQUENCE:1"))
    new = calendar(event("a", ":20261025T180000Z", "SEQUENCE:2"))
    for files in ((old, new), (new, old)):
        assert [one.start.day for one in find(*files).occurrences] == [25]


def test_a_cancellation_that_is_sent_withdraws_one_or_all() -> None:
    series = calendar(event("a", ":20261024T180000Z", "RRULE:FREQ=DAILY;COUNT=3", "SEQUENCE:1"))
    one = calendar(
        event("a", ":20261025T180000Z", "RECURRENCE-ID:20261025T180000Z", "SEQUENCE:1"), head="METHOD:CANCEL"
    )
    whole = calendar(event("a", ":20261024T180000Z", "SEQUENCE:2"), head="METHOD:CANCEL")
    stale = calendar(event("a", ":20261024T180000Z", "SEQUENCE:0"), head="METHOD:CANCEL")
    cancelled = [[o.cancelled for o in find(series, other).occurrences] for other in (one, whole, stale)]
    assert cancelled == [[False, True, False], [True, True, True], [False, False, False]]


# --- clocks ------------------------------------------------------------------------------------------------


def test_a_series_keeps_its_time_on_the_clock_when_clocks_change() -> None:
    daily = event("a", ";TZID=Europe/Brussels:20260101T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY")
    for now, hours in (
        (datetime(2026, 3, 28, tzinfo=UTC), [8, 7, 7]),  # forward on the 29th
        (datetime(2026, 10, 24, tzinfo=UTC), [7, 8, 8]),  # back on the 25th
    ):
        found = find(calendar(daily), at=span(now, 3))
        assert [one.start.hour for one in found.occurrences] == hours
        assert {one.end - one.start for one in found.occurrences} == {HOUR}


@pytest.mark.parametrize(
    ("at", "lines", "start", "end"),
    [
        # At half past two on the day clocks go forward, which there is not: by the offset of before (RFC 5545, 3.3.5).
        ("20260329T023000", ["DURATION:PT1H"], "2026-03-29T01:30", "2026-03-29T02:30"),
        # At half past two on the day clocks go back, which comes twice: the first.
        ("20261025T023000", ["DURATION:PT1H"], "2026-10-25T00:30", "2026-10-25T01:30"),
        # Over the change: eight hours are eight hours, a day is a day, and a written end stands on the clock.
        ("20261024T220000", ["DURATION:PT8H"], "2026-10-24T20:00", "2026-10-25T04:00"),
        ("20261024T220000", ["DURATION:P1D"], "2026-10-24T20:00", "2026-10-25T21:00"),
        ("20261024T220000", ["DTEND;TZID=Europe/Brussels:20261025T060000"], "2026-10-24T20:00", "2026-10-25T05:00"),
        ("20260328T220000", ["DTEND;TZID=Europe/Brussels:20260329T060000"], "2026-03-28T21:00", "2026-03-29T04:00"),
    ],
)
def test_events_around_a_change_of_clocks(at: str, lines: list[str], start: str, end: str) -> None:
    now = datetime.fromisoformat(start + "+00:00") - DAY
    [one] = find(calendar(event("a", f";TZID=Europe/Brussels:{at}", *lines)), at=span(now)).occurrences
    assert (f"{one.start:%Y-%m-%dT%H:%M}", f"{one.end:%Y-%m-%dT%H:%M}") == (start, end)


def test_a_whole_day_has_23_or_25_hours_when_clocks_change() -> None:
    for day, hours in (("20260329", 23), ("20261025", 25)):
        now = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) - DAY
        [one] = find(calendar(event("a", f";VALUE=DATE:{day}")), at=span(now)).occurrences
        assert one.end - one.start == hours * HOUR


# --- series, held against counting on the calendar ---------------------------------------------------------

DATES = st.dates(date(2026, 10, 20), date(2026, 11, 1))


@st.composite
def series(draw: st.DrawFn) -> tuple[str, set[datetime]]:
    """A series as it is written, and when it is to come on the clock of Brussels (naive)."""
    first = draw(st.dates(date(2026, 9, 1), date(2026, 10, 25)))
    hour = draw(st.sampled_from([0, 1, 4, 9, 18, 23]))  # hours that every day has once
    every = draw(st.integers(1, 5))
    weekly = draw(st.booleans())
    step = timedelta(weeks=every) if weekly else timedelta(days=every)
    count = draw(st.none() | st.integers(1, 40))
    rule = f"RRULE:FREQ={'WEEKLY' if weekly else 'DAILY'};INTERVAL={every}" + (f";COUNT={count}" if count else "")
    at = [datetime.combine(first, time(hour)) + n * step for n in range(count or 80)]
    left_out = draw(st.lists(st.sampled_from(at), max_size=4, unique=True))
    moved = draw(st.lists(st.sampled_from(at), max_size=3, unique=True))
    lines = [rule, "DURATION:PT1H"]
    lines += [f"EXDATE;TZID=Europe/Brussels:{one:%Y%m%dT%H%M%S}" for one in left_out]
    master = event("s", f";TZID=Europe/Brussels:{at[0]:%Y%m%dT%H%M%S}", *lines)
    expected = set(at) - set(left_out)
    events = [master]
    for one in set(moved) - set(left_out):
        to = datetime.combine(draw(DATES), one.time()) + 2 * HOUR + timedelta(minutes=len(events))
        expected = expected - {one} | {to}
        recurrence = f"RECURRENCE-ID;TZID=Europe/Brussels:{one:%Y%m%dT%H%M%S}"
        events.append(event("s", f";TZID=Europe/Brussels:{to:%Y%m%dT%H%M%S}", recurrence, "DURATION:PT1H"))
    return "\n".join(events), expected


@settings(max_examples=150, deadline=None)
@given(series(), st.integers(0, 40))
def test_a_series_comes_when_the_calendar_says(made: tuple[str, set[datetime]], later: int) -> None:
    text, expected = made
    now = datetime(2026, 9, 20, 3, tzinfo=UTC) + later * DAY
    found = find(calendar(text), at=span(now))
    instants = {one.replace(tzinfo=BRUSSELS).astimezone(UTC) for one in expected}
    wanted = sorted(one for one in instants if now < one + HOUR and one < now + 14 * DAY)
    assert [one.start for one in found.occurrences] == wanted
    assert len({one.name for one in found.occurrences}) == len(wanted)
    assert not found.faults


@settings(max_examples=40, deadline=None)
@given(series(), st.integers(0, 20))
def test_an_occurrence_has_one_name_from_whenever_one_looks(made: tuple[str, set[datetime]], later: int) -> None:
    data = calendar(made[0])
    early, late = (find(data, at=span(datetime(2026, 10, 1, tzinfo=UTC) + n * DAY)) for n in (0, later))
    by_start = {one.start: one.name for one in early.occurrences}
    for one in late.occurrences:
        assert by_start.get(one.start, one.name) == one.name


# --- what cannot be used -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<html>502 Bad Gateway</html>", "there is no calendar in it"),
        (calendar(event())[:-20], "it is cut off"),
        (b"", "there is no calendar in it"),
    ],
)
def test_a_file_that_is_no_calendar_says_nothing_of_what_is_missing(data: bytes, reason: str) -> None:
    found = find(data)
    assert not found.whole
    assert reason in found.faults[0].reason


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["RRULE:FREQ=SECONDLY"], "nobody plans that"),
        (["RRULE:FREQ=MINUTELY;INTERVAL=5"], "nobody plans that"),
        (["RRULE:FREQ=DAILY;INTERVAL=0"], "below 1"),
        (["RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"], "a day that its months do not have"),
        (["RRULE:FREQ=DAILY;BYSETPOS=3"], "a BYSETPOS of nothing"),
        (["RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=0,10,20,30,40,50"], "30 times a day"),
        (["RRULE:FREQ=NEVER"], "RRULE"),
        (["DURATION:soon"], "DURATION cannot be read"),
        (["EXDATE:yesterday"], "EXDATE cannot be read"),
    ],
)
def test_an_event_that_cannot_be_used_is_told_and_the_others_stand(lines: list[str], reason: str) -> None:
    found = find(calendar(event("bad", ":20261024T180000Z", *lines), event("good", ":20261024T180000Z")))
    [fault] = found.faults
    assert reason in fault.reason
    assert fault.place == "0.ics:2"
    assert b"UID:bad" in fault.original
    assert [one.start.day for one in found.occurrences] == [24]
    assert found.whole
    assert found.unsure == {fault.series}


def test_an_event_without_uid_makes_unsure_what_is_missing() -> None:
    found = find(calendar(event("").replace("UID:\n", ""), event("b")))
    assert "has no UID" in found.faults[0].reason
    assert not found.whole
    assert len(found.occurrences) == 1


def test_an_hourly_series_since_1970_is_refused_and_a_daily_one_is_not() -> None:
    assert "since 1970" in find(calendar(event("a", ":19700101T000000Z", "RRULE:FREQ=HOURLY"))).faults[0].reason
    assert len(find(calendar(event("a", ":19700101T120000Z", "RRULE:FREQ=DAILY"))).occurrences) == 14


def test_too_many_are_cut_and_told() -> None:
    events = [event(str(n), ":20261021T000000Z", "RRULE:FREQ=HOURLY", "DURATION:PT1H") for n in range(8)]
    found = find(calendar(*events))
    assert len(found.occurrences) == 2_000
    assert "set a shorter horizon" in found.faults[-1].reason
    assert not found.whole


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3000), st.sampled_from([b"\xff", b"\x00", b":", b";", b"\r\n", b"=", b"9"]), st.data())
def test_reading_what_is_nearly_right_raises_nothing(at: int, junk: bytes, data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from(["RRULE:FREQ=WEEKLY;BYDAY=MO", "RDATE:20261022T090000Z", "STATUS:CANCELLED"]))
    whole = calendar(event("a", ";TZID=Europe/Brussels:20261020T180000", rule, "GEO:50.8;4.3"), head=ZONE)
    at %= len(whole)
    for item in CalendarSource.read(whole[:at] + junk + whole[at + 1 :], "a.ics"):
        assert isinstance(item, SignalItem | BadItem)
        msgspec.json.encode(item)


# --- what is told ------------------------------------------------------------------------------------------


class Room:
    """A calendar and what is known of it: each look tells, and is remembered."""

    def __init__(self, by: CalendarConfig = CONFIG) -> None:
        self.config = by
        self.known: dict[str, Known] = {}
        self.now = NOW
        self.standing: dict[str, Info] = {}  # identifier → what a reader who heard everything takes for planned
        self.keys: set[str] = set()

    def look(self, *files: bytes) -> list[Change]:
        end = self.now + timedelta(seconds=self.config.horizon)
        at = Span(start=self.now, end=end, zone=self.config.zone, lasts_s=self.config.lasts)
        found = find(*files, at=at, known=tuple(self.known))
        setting = Setting(sender="city", now=self.now, horizon=end)
        out = in_order(changes(self.known, found, self.config, setting))
        for change in out:
            if change.known is None:
                self.known.pop(change.name, None)
            else:
                self.known[change.name] = change.known
            if change.item is not None:
                self._hear(change.item)
        return [change for change in out if change.item is not None]

    def _hear(self, item: SignalItem) -> None:
        signal = item.signal
        assert item.key not in self.keys, "the journal would take it for a repetition"
        self.keys.add(item.key)
        assert (signal.msg_type is MsgType.ALERT) == (not signal.references)
        for reference in signal.references:
            assert reference.sender == signal.sender == "city"
            assert reference.identifier in self.standing, "it refers to what nobody has heard of"
            del self.standing[reference.identifier]
        if signal.msg_type is not MsgType.CANCEL:
            over = [name for name, info in self.standing.items() if info.expires and info.expires <= self.now]
            assert signal.identifier not in self.standing or signal.identifier in over
            [self.standing[signal.identifier]] = signal.infos

    def told(self, *files: bytes) -> list[tuple[str, str]]:
        return [
            (change.item.signal.msg_type.value, " ".join(change.item.signal.notes))
            for change in self.look(*files)
            if change.item is not None
        ]


def test_it_is_told_when_it_comes_within_the_horizon_and_again_when_it_is_near() -> None:
    room, data = Room(), calendar(event("a", ":20261104T180000Z"))
    assert room.told(data) == [], "more than two weeks ahead"
    room.now += 2 * DAY
    assert room.told(data) == [("Alert", "")]
    [info] = room.standing.values()
    assert (info.hazard, info.urgency, info.certainty) == (Hazard.PLANNED_EVENT, Urgency.FUTURE, Certainty.LIKELY)
    assert room.told(data) == []
    room.now = datetime(2026, 11, 4, 6, tzinfo=UTC)
    assert room.told(data) == [("Update", "it has come near")]
    [info] = room.standing.values()
    assert info.urgency is Urgency.EXPECTED
    room.now += 3 * DAY
    assert room.told(data) == []
    assert room.known == {}, "what is over is forgotten"


def test_what_is_near_when_it_is_first_seen_is_told_once() -> None:
    room = Room()
    assert room.told(calendar(event("a", ":20261020T120000Z"))) == [("Alert", "")]
    assert next(iter(room.standing.values())).urgency is Urgency.EXPECTED
    assert room.told(calendar(event("a", ":20261020T120000Z"))) == []


def test_moved_changed_cancelled_and_back() -> None:
    room = Room()
    room.look(calendar(event("a", CONCERT)))
    assert room.told(calendar(event("a", ":20261025T180000Z"))) == [
        ("Update", "moved: it was 2026-10-24 18:00 to 2026-10-24 20:00 UTC")
    ]
    moved = event("a", ":20261025T180000Z", summary="Concert et feu")
    assert room.told(calendar(moved)) == [("Update", "what the calendar says of it has changed")]
    stamped = moved.replace("20261001T000000Z", "20261002T000000Z")
    assert room.told(calendar(stamped)) == [], "a new stamp is nothing new"
    assert room.told(calendar(event("a", CONCERT, "STATUS:CANCELLED"))) == [("Cancel", "cancelled in the calendar")]
    assert room.told(calendar(event("a", CONCERT, "STATUS:CANCELLED"))) == []
    assert room.told(calendar(event("a", CONCERT))) == [("Alert", "")], "on again"
    assert room.told(calendar(event("a", CONCERT, "STATUS:TENTATIVE")))[0][0] == "Update"


def test_moved_beyond_the_horizon_is_an_update_and_no_cancellation() -> None:
    room = Room()
    room.look(calendar(event("a", CONCERT)))
    assert room.told(calendar(event("a", ":20270601T180000Z")))[0][0] == "Update"
    assert room.told(calendar(event("a", ":20270601T180000Z"))) == []
    assert room.told(calendar(event("a", CONCERT)))[0][0] == "Update"


def test_what_is_missing_twice_is_withdrawn_once() -> None:
    room = Room()
    room.look(calendar(event("a", CONCERT), event("b", CONCERT)))
    assert room.told(calendar(event("b", CONCERT))) == []
    assert room.told(calendar(event("b", CONCERT))) == [("Cancel", "no longer in the calendar")]
    assert room.told(calendar(event("b", CONCERT))) == []
    assert room.told(calendar(event("a", CONCERT), event("b", CONCERT))) == [("Alert", "")]


def test_what_was_missing_once_and_is_back_is_no_news() -> None:
    room = Room()
    room.look(calendar(event("a", CONCERT)))
    for data in (calendar(), calendar(event("a", CONCERT)), calendar(), calendar(event("a", CONCERT))):
        assert room.told(data) == []


def test_nothing_is_withdrawn_because_of_a_fault() -> None:
    room = Room()
    whole = calendar(event("a", CONCERT), event("b", CONCERT))
    room.look(whole)
    broken = whole.replace(b"UID:a", b"UID:a\r\nRRULE:FREQ=SECONDLY")
    for data in (whole[:-30], b"<html/>", broken):
        for _ in range(3):
            assert room.told(data) == []
    only_b_broken = calendar(event("b", CONCERT, "DURATION:x"))
    room.look(only_b_broken)
    assert room.told(only_b_broken) == [("Cancel", "no longer in the calendar")], "of a it is known that it is gone"


def test_what_is_over_is_not_withdrawn_when_it_is_taken_out() -> None:
    room = Room()
    room.look(calendar(event("a", ":20261020T120000Z")))
    room.now += DAY
    assert room.told(calendar()) == room.told(calendar()) == []


def test_one_of_a_series_that_is_taken_out_is_withdrawn_alone() -> None:
    room = Room()
    weekly = ["RRULE:FREQ=WEEKLY"]
    room.look(calendar(event("a", ":20261022T180000Z", *weekly)))
    assert len(room.standing) == 2
    without = calendar(event("a", ":20261022T180000Z", *weekly, "EXDATE:20261029T180000Z"))
    room.look(without)
    assert room.told(without) == [("Cancel", "no longer in the calendar")]
    assert [info.onset and info.onset.day for info in room.standing.values()] == [22]


def test_a_series_that_moves_as_a_whole_is_updated() -> None:
    room = Room()
    room.look(calendar(event("a", ":20261022T180000Z", "RRULE:FREQ=WEEKLY")))
    for start in (":20261022T190000Z", ":20261023T190000Z", ":20261022T180000Z"):  # by an hour, by a day, and back
        told = room.told(calendar(event("a", start, "RRULE:FREQ=WEEKLY")))
        assert [kind for kind, _ in told] == ["Update", "Update"]
        assert all(note.startswith("moved") for _, note in told)
    assert len(room.standing) == 2


def test_what_a_rule_ignores_is_none_and_is_withdrawn_when_it_becomes_so() -> None:
    by = config(sender="city", rules=[{"categories": "Privé", "ignore": True}])
    room = Room(by)
    assert room.told(calendar(event("a", CONCERT, "CATEGORIES:privé,x"))) == []
    room.look(calendar(event("b", CONCERT)))
    assert room.told(calendar(event("b", CONCERT, "CATEGORIES:Privé")))[0][0] == "Cancel"


def test_names_in_the_cursor_tell_nothing() -> None:
    room = Room()
    room.look(calendar(event("anne@example.org", CONCERT, summary="Secret visit")))
    kept = msgspec.json.encode(room.known)
    assert b"anne" not in kept
    assert b"Secret" not in kept


# What happens to a calendar between two looks: each event is there with a start and words, cancelled, or gone.
STATES = st.none() | st.tuples(st.integers(0, 500), st.sampled_from(["Concert", "Match"]), st.booleans())
LOOKS = st.lists(st.tuples(st.lists(STATES, min_size=3, max_size=3), st.integers(0, 30)), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(LOOKS)
def test_whoever_hears_everything_knows_what_is_planned(looks: list[tuple[list[Any], int]]) -> None:
    """Whatever is done to a calendar, what stands after two looks is what is in it, and a third tells nothing."""
    room = Room()
    for states, hours in looks:
        room.now += hours * HOUR
        events, wanted = [], []
        for uid, state in enumerate(states):
            if state is None:
                continue
            offset, words, cancelled = state
            start = NOW + offset * HOUR
            lines = ["STATUS:CANCELLED"] if cancelled else []
            events.append(event(str(uid), f":{start:%Y%m%dT%H%M%SZ}", *lines, summary=words))
            if not cancelled and room.now < start + 2 * HOUR:
                wanted.append((start, words))
        data = calendar(*events)
        room.look(data)
        room.look(data)
        assert room.told(data) == []
        still = [
            (i.onset, i.headline) for i in room.standing.values() if i.expires is not None and i.expires > room.now
        ]
        near = [one for one in wanted if one[0] < room.now + 14 * DAY]
        assert set(still) <= set(wanted)
        assert [one for one in sorted(still) if one in near] == sorted(near)


@settings(max_examples=60, deadline=None)
@given(st.lists(series(), min_size=1, max_size=3))
def test_a_series_that_is_edited_is_told_as_it_stands(edits: list[tuple[str, set[datetime]]]) -> None:
    room = Room()
    for text, expected in edits:
        data = calendar(text)
        room.look(data)
        room.look(data)
        assert room.told(data) == []
        instants = {one.replace(tzinfo=BRUSSELS).astimezone(UTC) for one in expected}
        wanted = sorted(one for one in instants if room.now < one + HOUR and one < room.now + 14 * DAY)
        ahead = [i for i in room.standing.values() if i.expires and i.expires > room.now]
        within = [i.onset for i in ahead if i.onset and i.onset < room.now + 14 * DAY]
        assert sorted(within) == wanted


# --- what it means -----------------------------------------------------------------------------------------

MEANING = config(
    sender="city",
    properties={"attendance": "X-ATTENDANCE", "risk": "X-RISK"},
    find=[r"(?i)(?P<attendance>\d[\d .]*) personnes", r"(?i)organisateur : (?P<organiser>.+)"],
    levels={"Moderate": 5000, "Severe": 50000},
    risks={"élevé": "Severe"},
    rules=[
        {"categories": ["Manifestation", "Betoging"], "hazard": "demonstration", "category": "Security"},
        {"text": "(?i)heysel|heizel", "area": "Laeken", "severity": "Moderate"},
    ],
    event="Événement planifié",
)


def info_of(*lines: str, **more: Any) -> Info:
    room = Room(MEANING)
    room.look(calendar(event("a", CONCERT, *lines, **more)))
    [info] = room.standing.values()
    return info


def test_rules_properties_and_words_say_what_an_event_means() -> None:
    info = info_of(
        "CATEGORIES:betoging",
        "X-ATTENDANCE:12 000",
        "X-RISK:Élevé",
        "DESCRIPTION:De la gare du Nord au Parc.\\nOrganisateur : FGTB",
        "LOCATION:Gare du Nord\\, 1030 Schaerbeek",
        "GEO:50.8605;4.3610",
        "ORGANIZER;CN=Ville:mailto:events@city.example",
        summary="Manifestation nationale",
    )
    named = {one.name: one.value for one in info.parameters}
    assert (info.hazard, info.categories[0].value) == (Hazard.DEMONSTRATION, "Security")
    assert info.severity is Severity.SEVERE
    assert named == {
        "attendance": "12 000", "risk": "Élevé", "organiser": "FGTB", "categories": "betoging", "end": "not said"
    }  # fmt: skip
    [area] = info.areas
    assert [(code.system, code.code) for code in area.geocodes] == [("NIS", "21015")]
    assert area.circles[0].radius_km == 0.5
    assert info.contact == "Ville <events@city.example>"
    assert info.event == "Événement planifié"


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        ([], Severity.UNKNOWN),
        (["DESCRIPTION:4 999 personnes"], Severity.UNKNOWN),
        (["DESCRIPTION:5.000 personnes"], Severity.MODERATE),
        (["DESCRIPTION:60000 personnes"], Severity.SEVERE),
        (["LOCATION:Stade du Heysel"], Severity.MODERATE),
        (["LOCATION:Stade du Heysel", "X-RISK:élevé"], Severity.SEVERE),
        (["X-RISK:inconnu"], Severity.UNKNOWN),
    ],
)
def test_the_gravest_that_is_said_counts(lines: list[str], severity: Severity) -> None:
    assert info_of(*lines).severity is severity


@pytest.mark.parametrize(
    ("text", "number"),
    [("12000", 12000), ("12.000", 12000), ("env. 12 000 pers.", 12000), ("1'500", 1500), ("10-15", 10), ("x", None)],
)
def test_numbers_of_people(text: str, number: int | None) -> None:
    assert number_in(text) == number


def test_a_file_is_read_as_it_was_when_it_was_written() -> None:
    data = calendar(event("a", ":20261010T180000Z"), event("b", ":20261224T180000Z"))
    items = CalendarSource.read(data, "a.ics", CONFIG)
    assert [item.signal.infos[0].onset for item in items if isinstance(item, SignalItem)] == [
        datetime(2026, 10, 10, 18, tzinfo=UTC)
    ]
    later = CalendarSource.read(calendar(event("b", ":20261224T180000Z"), head=ZONE), "a.ics", CONFIG)
    assert len(later) == 1, "nothing within two weeks of its stamp: from its first event on"


@pytest.mark.parametrize(
    ("settings_", "wrong"),
    [
        ({"url": ""}, "give one of them"),
        ({"folder": "/srv"}, "give one of them"),
        ({"url": "", "folder": "calendars"}, "matching regex"),
        ({"zone": "Mars"}, "no time zone"),
        ({"find": ["("]}, "no pattern"),
        ({"levels": {"Grave": 1}}, "severity is never 'Grave'"),
        ({"near": 30 * 86400}, "not nearer than horizon"),
        ({"rules": [{"hazard": "riot"}]}, "for which events is it"),
        ({"rules": [{"text": "("}]}, "no pattern"),
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_explained(settings_: dict[str, Any], wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        config(**settings_)
    assert wrong in str(error.value)


def occurrence_names(found: Found) -> list[str]:
    return [one.name for one in found.occurrences if isinstance(one, Occurrence)]


def test_a_single_event_keeps_its_name_and_one_of_a_series_its_place_in_it() -> None:
    single = [occurrence_names(find(calendar(event("a", at))))[0] for at in (CONCERT, ":20261025T180000Z")]
    assert single[0] == single[1]
    zoned = event("a", ";TZID=Europe/Brussels:20261024T200000", "RRULE:FREQ=DAILY;COUNT=2")
    utc = event("a", CONCERT, "RRULE:FREQ=DAILY;COUNT=2")
    assert occurrence_names(find(calendar(zoned)))[0] == occurrence_names(find(calendar(utc)))[0]
