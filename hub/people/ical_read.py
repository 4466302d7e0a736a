"""Reading calendars of other programs (RFC 5545): who is on duty when, by their events. Pure: bytes → shifts.

Whatever is in the file, this raises nothing: what cannot be used is a finding, with its line. It may take long where
somebody means it to (a rule that never comes true); whoever calls it with foreign input does so in a worker process.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, vBroken, vDDDTypes
from msgspec import Struct

from hub.findings import Finding
from hub.model.people import Shift
from hub.people.directory import Directory
from hub.people.exchange.reading import decoded
from hub.people.ical import PEOPLE
from hub.people.ical_naming import Naming, Unclear

CHARACTERS_MAX = 8_000_000
EVENTS_MAX = 20_000
OCCURRENCES_MAX = 20_000
SHIFT_MOST = timedelta(days=400)  # a longer one is a mistake, or no shift
_LINE = "x-vigie-line"  # where an event stands; carried along while repetitions are worked out
_DAYS = {"HOURLY": 1 / 24, "DAILY": 1.0, "WEEKLY": 7.0, "MONTHLY": 28.0, "YEARLY": 365.0}
_IN_A_TURN = {"HOURLY": 1, "DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
_BY_DAY = ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH")
_BEGIN = re.compile(r"(?im)^BEGIN:VEVENT[ \t]*\r?$")


class Read(Struct, frozen=True, kw_only=True):
    """`name`: what the calendar calls itself. `shifts`: by their beginning, each once."""

    name: str
    shifts: tuple[Shift, ...]
    findings: tuple[Finding, ...]
    events: int = 0


class Wanted(Struct, frozen=True, kw_only=True):
    """From when to when; the zone of times that have none; when a day begins, for events of whole days (HH:MM)."""

    start: datetime
    end: datetime
    zone: str
    day_begins: str = "00:00"


def read_calendar(data: bytes, file: str, directory: Directory, wanted: Wanted) -> Read:
    """The shifts of a calendar file."""
    return _Reading(file, directory, wanted).read(data)


class _Reading:
    def __init__(self, file: str, directory: Directory, wanted: Wanted) -> None:
        self._file = file
        self._wanted = wanted
        self._zone = ZoneInfo(wanted.zone)
        self._naming = Naming(directory)
        self._findings: dict[tuple[int, str], Finding] = {}  # an event that repeats is told once
        self._people: dict[tuple[str, ...], tuple[str, ...] | Unclear] = {}

    def read(self, data: bytes) -> Read:
        calendars = self._calendars(data)
        events = sum(len(list(calendar.walk("VEVENT"))) for calendar in calendars)
        shifts: dict[Shift, None] = {}
        for calendar in calendars:
            for occurrence in self._occurrences(calendar):
                if (shift := self._shift(occurrence)) is not None:
                    shifts[shift] = None
        name = next((str(c.get(k)) for c in calendars for k in ("x-wr-calname", "name") if c.get(k)), "")
        return Read(
            name=name,
            shifts=tuple(sorted(shifts, key=lambda shift: (shift.start, shift.end, shift.people))),
            findings=tuple(sorted(self._findings.values(), key=lambda f: f.line)),
            events=events,
        )

    def _note(self, line: int, rule: str, message: str, remedy: str, *, warning: bool = False) -> None:
        self._findings.setdefault(
            (line, rule),
            Finding(file=self._file, line=line, column=1, rule=rule, message=message, remedy=remedy, warning=warning),
        )

    # --- the file ------------------------------------------------------------------------------------------

    def _calendars(self, data: bytes) -> list[Calendar]:
        """The calendars in it; each event knows the line it begins in."""
        text = decoded(data)
        if text is None:
            self._note(1, "not-text", "this is no text", "export the calendar as iCalendar (.ics)")
            return []
        if len(text) > CHARACTERS_MAX:
            self._note(
                1, "too-large", f"the file has {len(text)} characters", f"at most {CHARACTERS_MAX}: cut it in two"
            )
            return []
        lines = [text.count("\n", 0, begin.start()) + 1 for begin in _beginnings(text)]
        if len(lines) > EVENTS_MAX:
            self._note(1, "too-large", f"the file has {len(lines)} events", f"at most {EVENTS_MAX}: cut it in two")
            return []
        try:
            found = Calendar.from_ical(text, multiple=True)
        except Exception as error:  # whatever a library makes of whatever somebody sent
            self._note(1, "not-a-calendar", f"this is no iCalendar file ({_one_line(error)})", "export it as .ics")
            return []
        calendars = [calendar for calendar in found if calendar.name == "VCALENDAR"]
        if not calendars:
            self._note(1, "not-a-calendar", "there is no calendar in this file", "export it as iCalendar (.ics)")
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
        for event, line in zip(events, lines, strict=False):
            event.add(_LINE, str(line))
        return calendars

    # --- repetitions ---------------------------------------------------------------------------------------

    def _occurrences(self, calendar: Calendar) -> Iterator[Any]:
        """Each event as often as it comes between the two instants, but those that were cancelled."""
        if str(calendar.get("method", "")).upper() == "CANCEL":
            return
        left = OCCURRENCES_MAX
        kept = []
        for part in calendar.subcomponents:
            if part.name == "VEVENT":
                times = self._times_read(part)
                if times > left:
                    remedy = f"at most {OCCURRENCES_MAX} in a file: mend RRULE, or take a shorter time (--until)"
                    self._note(_line(part), "too-often", f"{_title(part)} comes too often for a shift", remedy)
                    times = 0
                left -= times
                if not times:
                    continue
            kept.append(part)
        calendar.subcomponents = kept
        try:
            query = recurring_ical_events.of(calendar, skip_bad_series=True)
            found = query.between(self._wanted.start, self._wanted.end)
        except Exception as error:  # as above
            remedy = "take the event out that repeats in an odd way"
            self._note(1, "cannot-be-read", f"its repetitions cannot be worked out ({_one_line(error)})", remedy)
            return
        yield from (event for event in found if str(event.get("status", "")).upper() != "CANCELLED")

    def _times_read(self, event: Any) -> int:
        try:
            return self._times(event)
        except Exception as error:  # a property that the library read as something else than it should be
            told = f"{_title(event)} cannot be read ({_one_line(error)})"
            self._note(_line(event), "cannot-be-read", told, "correct it")
            return 0

    def _times(self, event: Any) -> int:
        """How often it can come at most; 0: it cannot be read, which is told."""
        line, title = _line(event), _title(event)
        broken = [name for name in _NEEDED if any(isinstance(one, vBroken) for one in _several(event.get(name)))]
        if not broken and not all(map(_possible, _several(event.get("rrule")))):
            broken = ["RRULE"]
        if broken:
            self._note(line, "cannot-be-read", f"{title}: {', '.join(broken)} cannot be read", "correct it")
            return 0
        begins = event.get("dtstart")
        if not isinstance(begins, vDDDTypes) or not isinstance(begins.dt, date):
            self._note(line, "no-beginning", f"{title} has no beginning that can be read", "give it a DTSTART")
            return 0
        zone = begins.params.get("TZID", "")
        if zone and isinstance(begins.dt, datetime) and begins.dt.tzinfo is None:
            told = f"{title}: {_short(zone)} is no time zone known here; it is read as {self._wanted.zone}"
            self._note(line, "unknown-zone", told, "export it with its VTIMEZONE", warning=True)
        dates = sum(len(getattr(one, "dts", ())) for one in _several(event.get("rdate")))
        return 1 + dates + sum(map(self._times_of_rule, _several(event.get("rrule"))))

    def _times_of_rule(self, rule: Any) -> int:
        """An upper bound, without working the rule out."""
        kind = str((rule.get("FREQ") or ["?"])[0]).upper()
        if kind not in _DAYS:  # every minute, every second: no shift, and it would take for ever
            return OCCURRENCES_MAX + 1
        interval = int((rule.get("INTERVAL") or [1])[0])
        span = (self._wanted.end - self._wanted.start) / timedelta(days=1)
        turns = int(span / (_DAYS[kind] * interval)) + 2
        days = _IN_A_TURN[kind] if any(rule.get(by) for by in _BY_DAY) else 1
        hours, minutes, seconds = (max(1, len(rule.get(by) or ())) for by in ("BYHOUR", "BYMINUTE", "BYSECOND"))
        return turns * days * hours * minutes * seconds

    # --- one shift -----------------------------------------------------------------------------------------

    def _shift(self, event: Any) -> Shift | None:
        line, title = _line(event), _title(event)
        try:
            start, end = self._instant(event["dtstart"].dt), self._instant(event["dtend"].dt)
        except (KeyError, AttributeError, ValueError, OverflowError):
            self._note(line, "no-end", f"{title} has no beginning or no end that can be read", "give it an end")
            return None
        if not timedelta() < end - start <= SHIFT_MOST:
            told = "does not last" if end <= start else f"lasts more than {SHIFT_MOST.days} days"
            self._note(line, "no-shift", f"{title} {told}: it is no shift", "give it the end it should have")
            return None
        people = self._who(event)
        if isinstance(people, Unclear):
            self._note(line, "unknown-person", people.message, people.remedy)
            return None
        return Shift(people, start.isoformat(), end.isoformat())

    def _instant(self, at: date | datetime) -> datetime:
        if not isinstance(at, datetime):
            at = datetime.combine(at, time.fromisoformat(self._wanted.day_begins))
        return (at if at.tzinfo is not None else at.replace(tzinfo=self._zone)).astimezone(UTC)

    def _who(self, event: Any) -> tuple[str, ...] | Unclear:
        """Worked out once for each text there is."""
        attendees = [one for one in _several(event.get("attendee")) if not isinstance(one, vBroken)]
        invited = tuple(str(one) for one in attendees if _takes_part(getattr(one, "params", {})))
        said = (str(event.get(PEOPLE, "")), str(event.get("summary", "")), *invited)
        if said not in self._people:
            try:
                self._people[said] = self._naming.people(said[0], invited, said[1])
            except Unclear as unclear:
                self._people[said] = unclear
        return self._people[said]


_NEEDED = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")


_BOUNDS = {
    "BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366,
    "BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 59,
}  # fmt: skip


def _possible(rule: Any) -> bool:
    """Whether a rule's numbers can come true at all: one that cannot is searched for until the year 9999."""
    within = all(abs(int(number)) <= most for by, most in _BOUNDS.items() for number in rule.get(by) or ())
    return within and all(int(number) >= 1 for by in ("INTERVAL", "COUNT") for number in rule.get(by) or ())


def _takes_part(params: Any) -> bool:
    """Whether an attendee is somebody who comes: no room, nobody who declined or is only told."""
    return (
        str(params.get("CUTYPE", "INDIVIDUAL")).upper() not in ("ROOM", "RESOURCE")
        and str(params.get("PARTSTAT", "")).upper() != "DECLINED"
        and str(params.get("ROLE", "")).upper() != "NON-PARTICIPANT"
    )


def _several(value: Any) -> list[Any]:
    """A property that may be there not at all, once or more often."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _beginnings(text: str) -> Iterable[re.Match[str]]:
    return list(_BEGIN.finditer(text))


def _line(event: Any) -> int:
    return int(str(event.get(_LINE, "1")))


def _title(event: Any) -> str:
    summary = _short(str(event.get("summary", "")))
    return f'"{summary}"' if summary else "an event without a title"


def _short(text: str) -> str:
    plain = _one_line(text)
    return plain if len(plain) <= 60 else f"{plain[:57]}..."


def _one_line(text: object) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:200]
