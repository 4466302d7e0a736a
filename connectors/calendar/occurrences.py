"""From iCalendar files (RFC 5545) to occurrences: each event as often as it comes within a time. Pure.

An occurrence is known by its event's UID and, of a series, by when it would have been (RECURRENCE-ID), so that it stays
the same when it moves. Whatever is in a file, this raises nothing: what cannot be used is a fault, and what may only
seem to be missing because of one is said to be unsure. It may take long where somebody means it to: it is run in a
worker.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar.timezone
import recurring_ical_events
from icalendar import Calendar, vBroken, vDDDTypes
from msgspec import Struct

from connectors.calendar.rules import beyond_reason
from connectors.text import digest

EVENTS_MAX = 20_000
OCCURRENCES_MAX = 2_000
_DAY = timedelta(days=1)
_NEEDED = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_TEXT_MAX = 20_000  # characters
_PROPERTIES_MAX = 60
_GEO_URI = re.compile(r"^geo:(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)")


class Occurrence(Struct, frozen=True, kw_only=True):
    """An event as it takes place once. `name`: a digest by which it is known, `series` that of its event (an UID may be
    somebody's address). `start`, `end`: instants, the end excluded; `endless`: it says no end. `alone`: it is not
    worked out from a series. `original`: the event as the calendar has it. `properties`: those named X-..."""

    name: str
    series: str
    start: datetime
    end: datetime
    endless: bool = False
    alone: bool = False
    all_day: bool = False
    cancelled: bool = False
    tentative: bool = False
    summary: str = ""
    description: str = ""
    location: str = ""
    position: tuple[float, float] | None = None
    categories: tuple[str, ...] = ()
    web: str = ""
    organiser: str = ""
    calendar: str = ""
    properties: dict[str, str] = {}
    original: bytes = b""


class Fault(Struct, frozen=True, kw_only=True):
    """What could not be read. `series`: of which event, where that is known; else anything may be missing."""

    reason: str
    place: str
    original: bytes = b""
    series: str = ""


class Found(Struct, frozen=True, kw_only=True):
    """`occurrences`: those within the time, the earliest first. `elsewhere`: those asked for that have moved out of it.
    `whole`: nothing but the `unsure` series can be missing because of a fault."""

    occurrences: tuple[Occurrence, ...] = ()
    elsewhere: tuple[Occurrence, ...] = ()
    faults: tuple[Fault, ...] = ()
    unsure: frozenset[str] = frozenset()
    whole: bool = True


class Span(Struct, frozen=True, kw_only=True):
    """From when to when (instants, the end excluded), and how what says no time zone or no end is to be read."""

    start: datetime
    end: datetime
    zone: str
    lasts_s: float


def find_occurrences(files: Sequence[tuple[str, bytes]], span: Span, known: Collection[str] = ()) -> Found:
    """What calendars (name, bytes) have within a time, read as one: the same event in several is the newest. `known`:
    names of occurrences that are wanted wherever they have moved to."""
    reading = _Reading(span, frozenset(known))
    for name, data in files:
        reading.add(name, data)
    return reading.found()


class _Event(Struct, frozen=True):
    """A VEVENT with where it stands."""

    component: Any
    place: str
    calendar: str
    rank: tuple[int, str, int]  # SEQUENCE, DTSTAMP, order: the highest holds


class _Reading:
    def __init__(self, span: Span, known: frozenset[str]) -> None:
        self._span = span
        self._known = known
        self._zone = ZoneInfo(span.zone)
        self._events: dict[str, dict[str, _Event]] = {}  # UID → RECURRENCE-ID ("": the event itself) → event
        self._cancels: dict[str, dict[str, int]] = {}  # the same → SEQUENCE, of METHOD:CANCEL
        self._faults: list[Fault] = []
        self._whole = True
        self._order = 0

    def found(self) -> Found:
        within: list[Occurrence] = []
        elsewhere: list[Occurrence] = []
        for uid, events in self._events.items():
            try:
                all_of_it = self._occurrences(uid, events)
            except Exception as error:  # whatever a library makes of whatever somebody wrote
                first = next(iter(events.values()))
                self._fault(first, f"its repetitions cannot be worked out ({_told(error)})", uid)
                continue
            for one in all_of_it:
                if one.end > self._span.start and one.start < self._span.end:
                    within.append(one)
                elif one.name in self._known:
                    elsewhere.append(one)
        within.sort(key=lambda one: (one.start, one.end, one.name))
        if len(within) > OCCURRENCES_MAX:
            reason = f"{len(within)} occurrences within the horizon: the first {OCCURRENCES_MAX} are told"
            self._faults.append(Fault(reason=f"{reason}, set a shorter horizon", place=""))
            self._whole = False
        return Found(
            occurrences=tuple(within[:OCCURRENCES_MAX]),
            elsewhere=tuple(elsewhere[:OCCURRENCES_MAX]),
            faults=tuple(self._faults),
            unsure=frozenset(fault.series for fault in self._faults if fault.series),
            whole=self._whole,
        )

    # --- the files -----------------------------------------------------------------------------------------

    def add(self, file: str, data: bytes) -> None:
        """Reads a file. One that is cut off, or no calendar, says nothing of what is not in it."""
        try:
            text = _decoded(data)
            lines = [text.count("\n", 0, m.start()) + 1 for m in re.finditer(r"(?im)^BEGIN:VEVENT[ \t]*\r?$", text)]
            if problem := _no_calendar(text, len(lines)):
                return self._lost(file, data, problem)
            icalendar.timezone.tzp.use_default()  # or it remembers the time zones of other people's calendars
            calendars = [one for one in Calendar.from_ical(text, multiple=True) if one.name == "VCALENDAR"]
        except Exception as error:  # as above
            return self._lost(file, data, f"cannot be read as iCalendar ({_told(error)}): export it again as .ics")
        events = [(calendar, event) for calendar in calendars for event in calendar.walk("VEVENT")]
        if len(events) != len(lines):
            lines = [0] * len(events)
        for (calendar, event), line in zip(events, lines, strict=True):
            self._add_event(calendar, event, f"{file}:{line}" if line else file)
        return None

    def _lost(self, file: str, data: bytes, reason: str) -> None:
        self._whole = False
        self._faults.append(Fault(reason=reason, place=file, original=data))

    def _add_event(self, calendar: Any, component: Any, place: str) -> None:
        self._order += 1
        uid = str(component.get("uid", "")).strip()
        event = _Event(component, place, _text(calendar, "x-wr-calname", "name"), self._rank(component))
        if not uid:
            self._fault(event, "has no UID: without it it is not known again", "")
            return
        try:
            recurrence = self._recurrence_id(component)
            problem = self._problem(component)
        except Exception as error:  # a property that the library read as something else than it should be
            recurrence, problem = "", f"cannot be read ({_told(error)})"
        cancels = str(calendar.get("method", "")).upper() == "CANCEL"
        if cancels:
            before = self._cancels.setdefault(uid, {}).get(recurrence, -1)
            self._cancels[uid][recurrence] = max(before, event.rank[0])
        elif problem:
            self._fault(event, problem, uid)
        else:
            held = self._events.setdefault(uid, {})
            if recurrence not in held or held[recurrence].rank < event.rank:
                held[recurrence] = event

    def _fault(self, event: _Event, reason: str, uid: str) -> None:
        title = " ".join(_text(event.component, "summary").split())[:60]
        told = f'"{title}"' if title else "an event without a title"
        series = digest(uid)[:16] if uid else ""
        self._whole = self._whole and bool(series)
        self._faults.append(
            Fault(reason=f"{told} {reason}", place=event.place, original=_original(event.component), series=series)
        )

    def _rank(self, component: Any) -> tuple[int, str, int]:
        try:
            sequence = int(component.get("sequence", 0))
        except (TypeError, ValueError):
            sequence = 0
        stamp = component.get("dtstamp")
        at = getattr(stamp, "dt", None)
        return sequence, self._instant(at).isoformat() if isinstance(at, date) else "", self._order

    def _problem(self, component: Any) -> str:
        """Why an event cannot be used; `""` where it can."""
        broken = [name for name in _NEEDED if any(isinstance(one, vBroken) for one in _several(component.get(name)))]
        if broken:
            return f"{', '.join(broken)} cannot be read: correct it"
        begins = component.get("dtstart")
        if not isinstance(begins, vDDDTypes) or not isinstance(begins.dt, date):
            return "has no beginning that can be read: give it a DTSTART"
        start = self._instant(begins.dt)
        if not 1900 <= start.year < 9000:
            return f"begins in the year {start.year}: correct DTSTART"
        dates = sum(len(getattr(one, "dts", ())) for one in _several(component.get("rdate")))
        if dates > OCCURRENCES_MAX:
            return f"has {dates} further dates: at most {OCCURRENCES_MAX}"
        for rule in _several(component.get("rrule")):
            if problem := beyond_reason(rule, start, self._span.start, self._span.end):
                return problem
        return ""

    def _recurrence_id(self, component: Any) -> str:
        value = component.get("recurrence-id")
        return "" if value is None else self._key(value.dt)

    # --- repetitions ---------------------------------------------------------------------------------------

    def _occurrences(self, uid: str, events: dict[str, _Event]) -> list[Occurrence]:
        """All of an event that touches the time, and what of it stands alone wherever it is."""
        master = events.get("")
        alone = [self._alone(uid, key, event) for key, event in events.items() if key or not _repeats(event)]
        if master is None or not _repeats(master):
            return alone
        calendar = Calendar()
        for event in events.values():
            calendar.add_component(event.component)
        query = recurring_ical_events.of(calendar)
        found = query.between(self._span.start - _DAY, self._span.end + _DAY)
        out = {one.name: one for one in alone}
        for number, component in enumerate(found):
            if number > OCCURRENCES_MAX * 2:
                raise ValueError(f"more than {OCCURRENCES_MAX * 2} within the horizon")
            key = self._key(component["recurrence-id"].dt)
            if key in events:
                moved_to = self._key(component["dtstart"].dt)
                if moved_to == self._key(events[key].component["dtstart"].dt):
                    continue  # it stands alone
                key = moved_to  # one of all that follow (RANGE=THISANDFUTURE): only when it is now is known
            one = self._occurrence(uid, key, events.get(key, master), component)
            out[one.name] = one
        return list(out.values())

    def _alone(self, uid: str, key: str, event: _Event) -> Occurrence:
        return self._occurrence(uid, key, event, event.component)

    def _occurrence(self, uid: str, key: str, event: _Event, component: Any) -> Occurrence:
        """`component`: with its own beginning and end; `event`: what it was made of."""
        begins = component["dtstart"].dt
        start = self._instant(begins)
        end = self._end(event.component, component, begins, start)
        cancels = self._cancels.get(uid, {})
        withdrawn = max(cancels.get(key, -1), cancels.get("", -1)) >= event.rank[0]
        status = str(component.get("status", "")).upper()
        return Occurrence(
            name=digest(uid, key)[:16],
            series=digest(uid)[:16],
            start=start,
            end=end if end is not None else start + timedelta(seconds=self._span.lasts_s),
            endless=end is None,
            alone=component is event.component,
            all_day=not isinstance(begins, datetime),
            cancelled=withdrawn or status == "CANCELLED",
            tentative=status == "TENTATIVE",
            summary=_text(component, "summary"),
            description=_text(component, "description"),
            location=_text(component, "location"),
            position=_position(component),
            categories=_categories(component),
            web=_text(component, "url"),
            organiser=_organiser(component),
            calendar=event.calendar,
            properties=_own_properties(component),
            original=_original(event.component),
        )

    def _end(self, event: Any, component: Any, begins: date, start: datetime) -> datetime | None:
        """None where it says none. Of a DURATION days are days of the calendar, hours are hours (RFC 5545, 3.3.6), also
        where clocks change in between; an end that was written down is kept on the clock."""
        lasts = getattr(event.get("duration"), "dt", None)
        if isinstance(lasts, timedelta):
            days, rest = timedelta(days=lasts.days), timedelta(seconds=lasts.seconds)
            end = self._instant(begins + days) + rest
        elif event.get("dtend") is not None:
            end = self._instant(component["dtend"].dt)
        elif not isinstance(begins, datetime):
            end = self._instant(begins + _DAY)
        else:
            return None
        return end if end > start else None

    def _instant(self, at: date | datetime) -> datetime:
        if not isinstance(at, datetime):
            at = datetime(at.year, at.month, at.day)  # noqa: DTZ001 # the zone follows
        return (at if at.tzinfo is not None else at.replace(tzinfo=self._zone)).astimezone(UTC)

    def _key(self, at: date | datetime) -> str:
        """By which one of a series is known: a day, or an instant, so that the zone it is written in does not count."""
        return f"{self._instant(at):%Y%m%dT%H%M%SZ}" if isinstance(at, datetime) else f"{at:%Y%m%d}"


# --- what stands in an event -------------------------------------------------------------------------------


def _no_calendar(text: str, events: int) -> str:
    if not re.search(r"(?im)^BEGIN:VCALENDAR[ \t]*\r?$", text):
        return "there is no calendar in it: give the address of an iCalendar file (.ics)"
    if not re.search(r"(?im)^END:VCALENDAR\s*\Z", text):
        return "it is cut off: END:VCALENDAR is missing"
    return f"it has {events} events: at most {EVENTS_MAX}" if events > EVENTS_MAX else ""


def _decoded(data: bytes) -> str:
    """UTF-8 (RFC 5545, 3.1.4), else what old programs write."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("windows-1252", "replace")


def _repeats(event: _Event) -> bool:
    return any(event.component.get(name) is not None for name in ("rrule", "rdate"))


def _several(value: Any) -> list[Any]:
    """A property that may be there not at all, once or more often."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(component: Any, *names: str) -> str:
    for name in names:
        for value in _several(component.get(name)):
            if text := str(value).strip():
                return text[:_TEXT_MAX]
    return ""


def _categories(component: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in _several(component.get("categories")):
        for one in getattr(value, "cats", None) or [value]:
            if text := " ".join(str(one).split()):
                found[text[:100]] = None
    return tuple(found)[:20]


def _organiser(component: Any) -> str:
    value = next(iter(_several(component.get("organizer"))), None)
    if value is None:
        return ""
    name = str(getattr(value, "params", {}).get("CN", "")).strip()
    address = re.sub(r"(?i)^mailto:", "", str(value)).strip()
    return f"{name} <{address}>" if name and "@" in address else name or address


def _position(component: Any) -> tuple[float, float] | None:
    """GEO (RFC 5545, 3.8.1.6: latitude, longitude), or what Apple's calendar writes."""
    geo = next(iter(_several(component.get("geo"))), None)
    try:
        if geo is not None:
            lat, lon = float(geo.latitude), float(geo.longitude)
        elif found := _GEO_URI.match(_text(component, "x-apple-structured-location")):
            lat, lon = float(found[1]), float(found[2])
        else:
            return None
    except (AttributeError, TypeError, ValueError):
        return None
    return (lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else None


def _own_properties(component: Any) -> dict[str, str]:
    names = [name for name in component if name.upper().startswith("X-")][:_PROPERTIES_MAX]
    return {name.upper(): _text(component, name)[:400] for name in names}


def _original(component: Any) -> bytes:
    try:
        return bytes(component.to_ical())
    except Exception:  # what was read wrongly may not be written again
        return b""


def _told(error: object) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def written(data: bytes) -> tuple[datetime | None, datetime | None]:
    """When a file was written, by its newest DTSTAMP, and when its first event begins, to the day: for looking into one
    without a clock."""
    text = re.sub(r"(?ims)^BEGIN:VTIMEZONE\b.*?^END:VTIMEZONE\b", "", _decoded(data))
    return max(_days(text, "DTSTAMP"), default=None), min(_days(text, "DTSTART"), default=None)


def _days(text: str, name: str) -> Iterable[datetime]:
    for found in re.finditer(rf"(?im)^{name}[^:\r\n]{{0,200}}:(\d{{8}})", text):
        try:
            yield datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC)
        except ValueError:
            continue
