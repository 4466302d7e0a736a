"""Calendars that are large, damaged or meant to be slow: what is of use is read, and quickly."""

from datetime import UTC, datetime, timedelta

import icalendar
import pytest
import recurring_ical_events
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connectors.calendar.lines import DATES_MAX, Damaged, Line, read_lines
from connectors.calendar.occurrences import OCCURRENCES_MAX, Found, Span, find_occurrences
from tests.costs import cost

MIB = 1 << 20
SPAN = Span(
    start=datetime(2026, 7, 1, tzinfo=UTC), end=datetime(2026, 7, 15, tzinfo=UTC), zone="Europe/Brussels", lasts_s=7200
)


def event(uid: object, more: str = "", start: str = "20260703T090000") -> str:
    return (
        f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260601T080000Z\r\nDTSTART;TZID=Europe/Brussels:{start}\r\n"
        f"DURATION:PT1H\r\nSUMMARY:Match {uid}\r\n{more}END:VEVENT\r\n"
    )


def calendar(*events: str) -> bytes:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(events)}END:VCALENDAR\r\n".encode()


def read(data: bytes) -> Found:
    return find_occurrences((("agenda.ics", data),), SPAN)


def reasons(found: Found) -> str:
    return " ".join(fault.reason for fault in found.faults)


# --- what is large and real --------------------------------------------------------------------------------


def test_a_year_of_three_thousand_events_is_read() -> None:
    """1.7 MB: with attendees, alarms, own properties and a description each."""
    more = (
        'ATTENDEE;CN="A. B.";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:a@example.org\r\n'
        "X-ATTENDANCE:5000\r\nCATEGORIES:Sport\r\nLOCATION:Stade\\, Laeken\r\nDESCRIPTION:" + "Texte. " * 30 + "\r\n"
        "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n"
    )
    first = datetime(2026, 1, 1, 9)  # noqa: DTZ001 # on the clock
    days = [f"{first + timedelta(hours=2.92 * n):%Y%m%dT%H%M%S}" for n in range(3_000)]
    data = calendar(*(event(n, more, day) for n, day in enumerate(days)))
    assert len(data) > 1_700_000
    found = cost(read, data, 4.0)
    assert not found.faults
    assert 110 <= len(found.occurrences) <= 118, "of fourteen days"
    one = found.occurrences[0]
    assert one.location == "Stade, Laeken"
    assert one.properties == {"X-ATTENDANCE": "5000"}
    assert b"mailto:a@example.org" in one.original, "as it came"


def test_series_of_many_years_are_read() -> None:
    rules = ["DAILY", "WEEKLY;BYDAY=FR", "MONTHLY;BYDAY=1FR", "YEARLY"]
    events = [event(n, f"RRULE:FREQ={rules[n % 4]}\r\n", "19950703T090000") for n in range(400)]
    found = cost(read, calendar(*events))
    assert not found.faults
    assert len(found.occurrences) == 100 * (14 + 2 + 1 + 1)


# --- a series is worked out from not long before -----------------------------------------------------------

LIMITS = (
    "", "BYDAY=MO,FR", "BYMONTH=7", "BYMONTHDAY=3,10", "BYHOUR=9,18", "WKST=SU", "COUNT=9000",
    "UNTIL=20260707T120000Z", "UNTIL=20200707T120000Z", "BYMONTH=7;BYDAY=-1SU,2TU",
)  # fmt: skip
RULES = st.builds(
    lambda frequency, interval, more: f"FREQ={frequency};INTERVAL={interval}{more and f';{more}'}",
    st.sampled_from(("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")),
    st.integers(1, 5),
    st.sampled_from(LIMITS),
)


@settings(max_examples=50)
@given(RULES, st.datetimes(datetime(2018, 1, 1), datetime(2026, 7, 20)), st.sampled_from([1, 26, 400]))  # noqa: DTZ001
def test_it_comes_as_often_as_the_whole_series_says(rule: str, begins: datetime, hours: int) -> None:
    more = f"RRULE:{rule}\r\nEXDATE;TZID=Europe/Brussels:20260706T090000\r\n"
    data = calendar(event(1, more, f"{begins:%Y%m%dT%H%M%S}").replace("PT1H", f"PT{hours}H"))
    try:
        whole = recurring_ical_events.of(icalendar.Calendar.from_ical(data)).between(SPAN.start, SPAN.end)
    except recurring_ical_events.errors.BadRuleStringFormat:  # every third hour at an hour that never comes
        assume(False)
    expected = {one["DTSTART"].dt.astimezone(UTC) for one in whole}
    found = {one.start for one in read(data).occurrences}
    assert found == {at for at in expected if at < SPAN.end and at + timedelta(hours=hours) > SPAN.start}


# --- what is damaged ---------------------------------------------------------------------------------------


def test_a_missing_end_does_not_make_a_calendar_empty() -> None:
    """The library would find no event at all, and say nothing: everything told before would be withdrawn."""
    data = calendar(event("a").replace("END:VEVENT\r\n", ""), event("b"))
    found = read(data)
    assert not found.whole
    assert "line 9: an event begins within another: END:VEVENT is missing" in reasons(found)
    assert not read(calendar(event("a"), "END:VEVENT\r\n")).whole
    assert not read(b"BEGIN:VEVENT\r\nUID:a\r\nEND:VEVENT\r\n" + calendar(event("b"))).whole
    assert not read(calendar("BEGIN:A\r\n" * 50_000 + "END:A\r\n" * 50_000)).whole


def test_an_alarm_that_does_not_end_takes_nothing_along() -> None:
    found = read(calendar(event("a", "BEGIN:VALARM\r\nACTION:AUDIO\r\n"), event("b")))
    assert {one.summary for one in found.occurrences} == {"Match a", "Match b"}


def test_lines_are_unfolded_and_taken_apart_as_the_library_does() -> None:
    text = (
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\r\nSUMMARY:a\r\n  b\n\tc\r\n\r\n d\r\nuid : 1\r\nLOCATION;LANGUAGE=fr:x\\,y\r\n"
        'ORGANIZER;CN="A:B;C":mailto:a@b\r\nX-A;X=1;Y=2:z\r\nATTENDEE:mailto:c@d\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'
    )
    lines, [stands] = read_lines(text)
    assert stands.line == 2
    assert stands.source.startswith(b"BEGIN:VEVENT\r\nSUMMARY:a")
    assert stands.source.endswith(b"END:VEVENT\r\n")
    library = icalendar.parser.Contentlines.from_ical(text)
    kept = [line for line in library if line and "ATTENDEE" not in line]
    assert [str(line) for line in lines] == [str(line) for line in kept]
    for line, theirs in zip(lines, kept, strict=True):
        assert isinstance(line, Line)
        assert line.parts() == theirs.parts()


# --- what is too much --------------------------------------------------------------------------------------


def test_what_is_too_much_in_an_event_is_told_and_the_others_are_read() -> None:
    days = [f"EXDATE:{datetime(2026, 7, 3) + timedelta(minutes=n):%Y%m%dT%H%M%SZ}\r\n" for n in range(DATES_MAX + 1)]  # noqa: DTZ001
    found = read(
        calendar(
            event("a", "RRULE:FREQ=DAILY\r\n" + "".join(days)),
            event("b", "RRULE:FREQ=YEARLY;BYDAY=" + "MO," * 1_000 + "MO\r\n"),
            event(
                "c", "RRULE:FREQ=DAILY\r\n" + event("c").replace("DTSTAMP", "SUMMARY:x\r\n" * 10 + "DTSTAMP")[22:-12]
            ),
            event("d"),
        )
    )
    assert f"more than {DATES_MAX} dates in EXDATE and RDATE: make several events of it" in reasons(found)
    assert "has a RRULE of" in reasons(found)
    assert "Match d" in [one.summary for one in found.occurrences]
    assert found.whole, "only those series are unsure"
    assert len(found.unsure) == 3


def test_faults_beyond_the_bound_are_counted() -> None:
    found = read(calendar(*(event(n, start="x") for n in range(500)), event("good")))
    assert len(found.faults) == 201
    assert found.faults[-1].reason.startswith("300 more of its events cannot be used")
    assert len(found.unsure) == 500, "none of them is withdrawn"
    assert len(found.occurrences) == 1


def test_more_occurrences_than_are_told_withdraw_nothing() -> None:
    found = cost(read, calendar(*(event(n, "RRULE:FREQ=HOURLY\r\n") for n in range(3_000))))
    assert len(found.occurrences) == OCCURRENCES_MAX
    assert "set a shorter horizon" in reasons(found)
    assert not found.whole


def test_lines_without_end_are_refused() -> None:
    body = "BEGIN:VEVENT\r\n" + "UID:a\r\nURL:a\r\nX-A:a\r\nX-B:a\r\n" + "END:VEVENT\r\n"
    with pytest.raises(Damaged, match="lines of use in a MiB"):
        read_lines("BEGIN:VCALENDAR\r\n" + body * (MIB // len(body)) + "END:VCALENDAR\r\n")


HOSTILE = {
    "one rule a hundred thousand times": calendar(event(1, "RRULE:FREQ=SECONDLY\r\n" * 50_000)),
    "half an event over and over": calendar(
        "DTSTART;TZID=Europe/BruDTEND;TZID=Europe/Bru:20260703T090000\r\n" * 16_000
    ),
    "no event has an end": calendar("BEGIN:VEVENT\r\nUID:a\r\n" * 40_000),
    "events without anything": calendar("BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 19_000),
    "more series than are worked out": calendar(
        *(event(n, "RRULE:FREQ=WEEKLY\r\n", "19950703T090000") for n in range(1_700))
    ),
    "days that hardly ever come": calendar(
        *(event(n, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO\r\n") for n in range(1_000))
    ),
    "series that count": calendar(
        *(event(n, "RRULE:FREQ=DAILY;COUNT=9999\r\n", "20050703T090000") for n in range(1_000))
    ),
    "a category of a MiB": calendar(event(1, "CATEGORIES:" + "a," * 500_000 + "\r\n")),
    "time zones that are none": calendar(*(event(n).replace("Brussels", f"{n}") for n in range(6_000))),
    "a time zone of seven thousand changes": calendar(
        "BEGIN:VTIMEZONE\r\nTZID:z\r\n"
        + "BEGIN:STANDARD\r\nDTSTART:19010701T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
        "RRULE:FREQ=DAILY\r\nEND:STANDARD\r\n" * 7_000 + "END:VTIMEZONE\r\n"
    ),
    "a folded line of a quarter of a million": calendar(event(1, "DESCRIPTION:" + "\r\n a" * 250_000 + "\r\n")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_calendar_of_a_mebibyte_costs_little(name: str) -> None:
    assert len(HOSTILE[name]) < 1.3 * MIB
    cost(read, HOSTILE[name], 4.0)
