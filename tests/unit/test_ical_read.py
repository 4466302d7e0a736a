"""Calendars of other programs: who is on duty when, by their events. We wrote the samples, in the manner of each
program."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.binding import bind
from hub.config.forms import RosterForm
from hub.config.rosters import rosters_of
from hub.config.writing import roster_yaml
from hub.model.people import Address, Layer, Override, Person, Roster, Shift
from hub.people.directory import Directory
from hub.people.ical import calendar_of
from hub.people.ical_read import OCCURRENCES_MAX, Read, Wanted, read_calendar
from hub.people.rosters import timeline
from hub.yaml import read

ZONE = "Europe/Brussels"
BRUSSELS = ZoneInfo(ZONE)
PEOPLE = [
    Person(id="anna", name="Anna Un", addresses=(Address("email", "anna.un@example.org"),)),
    Person(id="bea", name="Béa Twee", addresses=(Address("email", "bea@example.org"),)),
    Person(id="officer-c", name="Carl van den Drei", addresses=(Address("email", "carl@example.org"),)),
    Person(id="officer-d", name="Carl van den", addresses=(Address("email", "carl@example.org"),)),
    Person(id="twin-1", name="Ed Twin"),
    Person(id="twin-2", name="Ed Twin"),
    Person(id="desk", name="Desk"),
]
DIRECTORY = Directory(PEOPLE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BRUSSELS)


def ics(*lines: str) -> bytes:
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", *lines, "END:VCALENDAR", "")).encode()


def event(summary: str, *lines: str, start: str = "20261123T080000", end: str = "20261123T200000") -> tuple[str, ...]:
    times = () if any(line.startswith("DTSTART") for line in lines) else (f"DTSTART:{start}", f"DTEND:{end}")
    uid = f"UID:{abs(hash((summary, lines, start)))}"
    own = () if any(line.startswith("UID") for line in lines) else (uid,)
    return ("BEGIN:VEVENT", *own, "DTSTAMP:20261101T000000Z", *times, f"SUMMARY:{summary}", *lines, "END:VEVENT")


def taken(data: bytes, start: str = "2026-11-20", end: str = "2027-05-20", day_begins: str = "00:00") -> Read:
    wanted = Wanted(start=at(start), end=at(end), zone=ZONE, day_begins=day_begins)
    return read_calendar(data, "duty.ics", DIRECTORY, wanted)


def shifts(found: Read) -> list[tuple[str, str, str]]:
    """In local time, as people say it."""
    assert [str(f) for f in found.findings] == []
    return [
        (
            " ".join(s.people),
            f"{datetime.fromisoformat(s.start).astimezone(BRUSSELS):%m-%d %H:%M}",
            f"{datetime.fromisoformat(s.end).astimezone(BRUSSELS):%m-%d %H:%M}",
        )
        for s in found.shifts
    ]


def told(data: bytes) -> list[str]:
    return [str(f) for f in taken(data).findings]


# --- as programs write -------------------------------------------------------------------------------------

GOOGLE = ics(
    "METHOD:PUBLISH",
    "X-WR-CALNAME:Permanence SITCEN",
    "X-WR-TIMEZONE:Europe/Brussels",
    "BEGIN:VEVENT",
    "DTSTART;TZID=Europe/Brussels:20261123T080000",
    "DTEND;TZID=Europe/Brussels:20261123T200000",
    "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20261208T225959Z",
    "EXDATE;TZID=Europe/Brussels:20261124T080000",
    "UID:week@google.com",
    "DTSTAMP:20261101T000000Z",
    "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=anna",
    " .un@example.org;X-NUM-GUESTS=0:mailto:Anna.Un@example.org",
    "ATTENDEE;CUTYPE=RESOURCE;CN=Room 3:mailto:room@resource.example.org",
    "ATTENDEE;PARTSTAT=DECLINED:mailto:bea@example.org",
    "SUMMARY:Garde",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "DTSTART;TZID=Europe/Brussels:20261201T100000",
    "DTEND;TZID=Europe/Brussels:20261201T180000",
    "UID:week@google.com",
    "RECURRENCE-ID;TZID=Europe/Brussels:20261201T080000",
    "DTSTAMP:20261101T000000Z",
    "ATTENDEE:mailto:bea@example.org",
    "SUMMARY:Garde",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "DTSTART;TZID=Europe/Brussels:20261207T080000",
    "DTEND;TZID=Europe/Brussels:20261207T200000",
    "UID:week@google.com",
    "RECURRENCE-ID;TZID=Europe/Brussels:20261207T080000",
    "STATUS:CANCELLED",
    "DTSTAMP:20261101T000000Z",
    "SUMMARY:Garde",
    "END:VEVENT",
)


def test_a_series_with_exceptions_moved_and_cancelled_days() -> None:
    found = taken(GOOGLE)
    assert found.name == "Permanence SITCEN"
    assert shifts(found) == [
        ("anna", "11-23 08:00", "11-23 20:00"),
        ("anna", "11-30 08:00", "11-30 20:00"),
        ("bea", "12-01 10:00", "12-01 18:00"),
        ("anna", "12-08 08:00", "12-08 20:00"),
    ]


OUTLOOK = ics(
    "METHOD:PUBLISH",
    "BEGIN:VTIMEZONE",
    "TZID:Bureau (Bruxelles)",
    "BEGIN:STANDARD",
    "DTSTART:16010101T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:16010101T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
    *event(
        "Wacht: Un\\, Anna",
        "DTSTART;TZID=Bureau (Bruxelles):20270327T200000",
        "DTEND;TZID=Bureau (Bruxelles):20270328T080000",
        "RRULE:FREQ=DAILY;COUNT=2",
        "X-MICROSOFT-CDO-BUSYSTATUS:FREE",
    ),
    *event(
        "Bea Twee",
        "DTSTART;TZID=Romance Standard Time:20270329T080000",
        "DTEND;TZID=Romance Standard Time:20270329T200000",
    ),
)


def test_outlook_brings_its_own_time_zones_and_the_clocks_change_in_them() -> None:
    found = taken(OUTLOOK)
    assert shifts(found) == [
        ("anna", "03-27 20:00", "03-28 08:00"),
        ("anna", "03-28 20:00", "03-29 08:00"),
        ("bea", "03-29 08:00", "03-29 20:00"),
    ]
    night = found.shifts[0]
    assert datetime.fromisoformat(night.end) - datetime.fromisoformat(night.start) == timedelta(hours=11)


def test_apple_writes_whole_days_and_floating_times() -> None:
    found = ics(
        *event("On call: Carl van den Drei", "DTSTART;VALUE=DATE:20261128", "DTEND;VALUE=DATE:20261130"),
        *event("béa twee", "DTSTART;VALUE=DATE:20261130"),
        *event("officer-c", start="20261201T080000", end="20261201T203000"),
    )
    assert shifts(taken(found)) == [
        ("officer-c", "11-28 00:00", "11-30 00:00"),
        ("bea", "11-30 00:00", "12-01 00:00"),
        ("officer-c", "12-01 08:00", "12-01 20:30"),
    ]
    assert shifts(taken(found, day_begins="08:00"))[:2] == [
        ("officer-c", "11-28 08:00", "11-30 08:00"),
        ("bea", "11-30 08:00", "12-01 08:00"),
    ]


def test_an_on_call_service_names_people_in_the_title_or_as_attendees() -> None:
    found = ics(
        "X-WR-CALNAME:On Call Schedule for SITCEN",
        *event("On Call - Anna Un - SITCEN primary", start="20261123T070000Z", end="20261130T070000Z"),
        *event("SITCEN primary", "ATTENDEE:mailto:bea@example.org", start="20261130T070000Z", end="20261207T070000Z"),
        *event("anna.un@example.org is on call", start="20261207T070000Z", end="20261214T070000Z"),
        *event("Bea Twee & Anna Un", start="20261214T070000Z", end="20261221T070000Z"),
    )
    assert [people for people, _, _ in shifts(taken(found))] == ["anna", "bea", "anna", "bea anna"]


@pytest.mark.parametrize(
    ("summary", "lines", "said"),
    [
        ("Garde Anna", (), 'write first and last name, or the id; near are anna (Anna Un)'),
        ("Garde: Anna Unn", (), "near are anna (Anna Un)"),
        ("Garde", (), '"Garde" names nobody of the directory: write first and last name, as in config/people.yaml'),
        ("Ed Twin", (), '"Ed Twin" may be twin-1 or twin-2: write the id in its place'),
        ("Garde", ("ATTENDEE:mailto:x@example.org",), "nobody has the address mailto:x@example.org: give it to"),
        ("Garde", ("ATTENDEE:mailto:carl@example.org",), "officer-c and officer-d have the address"),
        ("Anna Un", ("ATTENDEE:mailto:bea@example.org",), '"Anna Un" names anna, and invited are bea: let both say'),
        ("x", ("X-VIGIE-PEOPLE:anna,bee",), '"bee" is nobody: it can be: anna, bea'),
        ("Anna Un", ("DTSTART:20261123T080000",), '"Anna Un" does not last: it is no shift'),
        ("Anna Un", ("DTSTART:20261123T080000", "DTEND:20261123T080000"), "does not last"),
        ("Anna Un", ("DTSTART:20261123T080000", "DTEND:20290101T080000"), "lasts more than 400 days"),
        ("Anna Un", ("DTSTART:tomorrow", "DTEND:20261123T080000"), '"Anna Un": DTSTART cannot be read: correct it'),
        ("Anna Un", ("DTSTART:20261123T080000", "DTEND:later"), '"Anna Un": DTEND cannot be read: correct it'),
        ("Anna Un", ("RRULE:FREQ=FORTNIGHTLY",), '"Anna Un": RRULE cannot be read'),
        ("Anna Un", ("RRULE:FREQ=DAILY;INTERVAL=0",), '"Anna Un": RRULE cannot be read'),
        ("Anna Un", ("RRULE:FREQ=DAILY;BYMONTHDAY=-40",), '"Anna Un": RRULE cannot be read'),
        ("Anna Un", ("RRULE:FREQ=SECONDLY",), '"Anna Un" comes too often for a shift'),
        ("Anna Un", ("RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7;BYMINUTE=0,10,20,30,40,50;BYSECOND=0,20,40",), "too often"),
        ("Anna Un", ("DTSTART;TZID=Mars/Base:20261123T080000", "DTEND;TZID=Mars/Base:20261123T200000"),
         "warning: \"Anna Un\": Mars/Base is no time zone known here; it is read as Europe/Brussels"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_with_its_line_and_the_rest_is_read(
    summary: str, lines: tuple[str, ...], said: str
) -> None:
    data = ics(*event("Anna Un", start="20261201T080000", end="20261201T200000"), *event(summary, *lines))
    found = taken(data)
    (finding,) = [str(f) for f in found.findings]
    assert finding.startswith("duty.ics:11:1: "), "the line in which its event begins"
    assert said in finding
    assert Shift(("anna",), "2026-12-01T07:00:00+00:00", "2026-12-01T19:00:00+00:00") in found.shifts


def test_a_series_with_somebody_unknown_is_told_once() -> None:
    (finding,) = told(ics(*event("Nobody Here", "RRULE:FREQ=DAILY")))
    assert "names nobody" in finding


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02",
        b"BEGIN:VCALENDAR\r\n",
        b"BEGIN:VEVENT\r\nEND:VEVENT\r\n",
        b"name;phone\r\nAnna;1\r\n",
        b"<html>Sign in</html>",
        b"END:VCALENDAR\r\nBEGIN:VCALENDAR\r\n",
    ],
)
def test_what_is_no_calendar_is_told(data: bytes) -> None:
    found = taken(data)
    assert found.shifts == ()
    assert [f.rule for f in found.findings] in (["not-a-calendar"], ["not-text"])


def test_a_calendar_that_takes_its_events_back_has_none() -> None:
    assert taken(ics("METHOD:CANCEL", *event("Anna Un"))).shifts == ()
    assert taken(ics(*event("Anna Un", "STATUS:CANCELLED", "RRULE:FREQ=DAILY"))).shifts == ()


def test_many_events_that_repeat_have_a_common_limit() -> None:
    many: list[str] = []
    for n in range(10):
        many += event(
            "Anna Un", f"UID:{n}", "RRULE:FREQ=HOURLY", start=f"20261123T0800{n:02}Z", end=f"20261123T0900{n:02}Z"
        )
    found = taken(ics(*many))
    assert [f.rule for f in found.findings] == ["too-often"] * 6
    assert OCCURRENCES_MAX / 2 < len(found.shifts) <= OCCURRENCES_MAX


# --- there and back ----------------------------------------------------------------------------------------

people = st.lists(st.sampled_from(["anna", "bea", "officer-c", "twin-1", "desk"]), min_size=1, max_size=2, unique=True)
rosters = st.builds(
    Roster,
    id=st.just("on-call"),
    layers=st.lists(
        st.builds(
            Layer,
            turns=st.lists(people.map(tuple), min_size=1, max_size=3).map(tuple),
            first=st.sampled_from(["2026-10-20", "2027-03-20", "2028-02-25"]),
            days=st.sampled_from([1, 2, 7]),
            at=st.sampled_from(["00:00", "02:30", "08:00"]),
            hours=st.sampled_from([None, ("20:00", "08:00"), ("01:00", "02:30")]),
        ),
        min_size=1,
        max_size=2,
    ).map(tuple),
    overrides=st.sampled_from(
        [(), (Override(people=("bea",), start="2026-10-25T00:30:00+00:00", end="2026-10-25T01:30:00+00:00"),)]
    ),
    zone=st.just(ZONE),
)


@settings(max_examples=60, deadline=None)
@given(rosters, st.sampled_from(["2026-10-21", "2027-03-21", "2028-02-26"]))
def test_what_was_exported_is_imported_as_it_was(roster: Roster, start: str) -> None:
    """Through the calendar, the YAML that the import prints, and the configuration that reads it."""
    begin = at(start).astimezone(UTC)
    end = begin + timedelta(days=10)
    names = {person.id: person.name for person in PEOPLE}
    exported = calendar_of(roster, names, begin, end, begin)
    found = read_calendar(exported, "x.ics", DIRECTORY, Wanted(start=begin, end=end, zone=ZONE))
    assert found.findings == ()
    expected = [s for s in timeline(roster, begin - timedelta(days=35), end) if s.people and s.end > begin]
    assert [(s.people, s.start, s.end) for s in found.shifts] == [
        (s.people, s.start.isoformat(), s.end.isoformat()) for s in expected
    ]
    if expected:
        document = read(roster_yaml("on-call", found.shifts, ZONE).encode(), "config/rosters.yaml")
        forms = bind(document, document.root, dict[str, RosterForm])
        again = rosters_of(document, forms or {}, DIRECTORY.people, ZONE)
        assert [f for f in document.findings if f.rule != "gap"] == []
        assert again["on-call"].shifts == found.shifts


# --- whatever comes ----------------------------------------------------------------------------------------

PIECES = r"""
BEGIN:VEVENT END:VEVENT BEGIN:VCALENDAR END:VCALENDAR BEGIN:VTIMEZONE END:VTIMEZONE DTSTART: DTEND: DURATION:P1D
DURATION:-P1D RRULE:FREQ=DAILY ;COUNT=3 ;UNTIL=2026 ;INTERVAL=0 RDATE:20261124T080000 EXDATE:x UID:1 SUMMARY:x
RECURRENCE-ID:20261123T080000 ;TZID=Nowhere 20261123T080000Z 20261123 00000000T000000 99991231T235959Z ATTENDEE:mailto:
STATUS:CANCELLED X-WR-TIMEZONE:Mars TZOFFSETFROM:+9999 ;VALUE=DATE ;BYDAY=9XX ;BYMONTHDAY=-40 SEQUENCE:x é : ; = , "
"""
pieces = st.sampled_from([*PIECES.split(), "\r\n", "\n ", "\\", " ", "\x00"])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(pieces, max_size=40), st.integers(0, 1_000_000))
def test_nothing_that_comes_is_an_exception(several: list[str], place: int) -> None:
    text = GOOGLE.decode()
    cut = place % len(text)
    taken((text[:cut] + "".join(several) + text[cut:]).encode("utf-8", "surrogatepass"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=6), st.integers(0, 1_000_000), st.integers(0, 30))
def test_nothing_that_is_broken_on_the_way_is_an_exception(noise: bytes, place: int, lost: int) -> None:
    for data in (GOOGLE, OUTLOOK):
        cut = place % len(data)
        taken(data[:cut] + noise + data[cut + lost :])
