"""From iCalendar files (RFC 5545) to occurrences: each event as often as it comes within a time. Pure.

An occurrence is known by its event's UID and, of a series, by when it would have been (RECURRENCE-ID), so that it stays
the same when it moves. Whatever is in a file, this raises nothing: what cannot be used is a fault, and what may only
seem to be missing because of one is said to be unsure. It may take long where somebody means it to: it is run in a
worker.
"""

import contextlib
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import icalendar.timezone
import recurring_ical_events
from icalendar import Calendar, vBroken, vDDDTypes
from msgspec import Struct

from connectors.calendar.lines import Damaged, Stands, read_lines
from connectors.calendar.properties import (
    categories_of,
    decoded,
    no_calendar,
    organiser_of,
    own_properties,
    position_of,
    several,
    text_of,
)
from connectors.calendar.rules import beyond_reason, effort, narrowed, over, times_within
from connectors.text import digest

EVENTS_MAX = 20_000
OCCURRENCES_MAX = 2_000
_EFFORTS_MAX = 120_000  # steps of a day, of all series in a MiB: a second
_EFFORT = 80  # of any series
_FAULTS_MAX = 200
_DAY = timedelta(days=1)
_EARLIER = timedelta(days=60)  # so long before the time looked at a series has to have ended to be left out
_NEEDED = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")


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
    return next(looks(files, [span], known))


def looks(files: Sequence[tuple[str, bytes]], spans: Sequence[Span], known: Collection[str] = ()) -> Iterator[Found]:
    """`find_occurrences` for one time after another; the files are read once."""
    reading = _Reading(max(spans, key=lambda span: span.end), frozenset(known))
    for name, data in files:
        reading.add(name, data)
    for span in spans:
        yield reading.found(span)


class _Event(Struct, frozen=True):
    """A VEVENT with where it stands."""

    component: Any
    stands: Stands
    file: str
    calendar: str
    rank: tuple[int, str, int]  # SEQUENCE, DTSTAMP, order: the highest holds

    @property
    def place(self) -> str:
        return f"{self.file}:{self.stands.line}"

    @property
    def original(self) -> bytes:
        """As the file has it."""
        return self.stands.source


class _Reading:
    def __init__(self, span: Span, known: frozenset[str]) -> None:
        self._span = span
        self._known = known
        self._zone = ZoneInfo(span.zone)
        self._events: dict[str, dict[str, _Event]] = {}  # UID → RECURRENCE-ID ("": the event itself) → event
        self._cancels: dict[str, dict[str, int]] = {}  # the same → SEQUENCE, of METHOD:CANCEL
        self._faults: list[Fault] = []
        self._more_faults = 0
        self._unsure: set[str] = set()
        self._efforts = 0.0
        self._whole = True
        self._order = 0
        self._bytes = 0

    def found(self, span: Span) -> Found:
        read = self._faults, self._more_faults, self._unsure, self._whole
        self._faults, self._unsure = [*self._faults], {*self._unsure}
        self._span, self._efforts = span, 0.0
        try:
            return self._found()
        finally:
            self._faults, self._more_faults, self._unsure, self._whole = read

    def _found(self) -> Found:
        within: list[Occurrence] = []
        elsewhere: list[Occurrence] = []
        for uid, events in self._events.items():
            if len(within) > OCCURRENCES_MAX * 2:
                break
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
            reason = f"{len(within)} occurrences or more within the horizon: the first {OCCURRENCES_MAX} are told"
            self._faults.append(Fault(reason=f"{reason}, set a shorter horizon", place=""))
            self._whole = False
        if self._more_faults:
            reason = f"{self._more_faults} more of its events cannot be used: mend those that are named first"
            self._faults.append(Fault(reason=reason, place=""))
        return Found(
            occurrences=tuple(within[:OCCURRENCES_MAX]),
            elsewhere=tuple(elsewhere[:OCCURRENCES_MAX]),
            faults=tuple(self._faults),
            unsure=frozenset(self._unsure),
            whole=self._whole,
        )

    # --- the files -----------------------------------------------------------------------------------------

    def add(self, file: str, data: bytes) -> None:
        """Reads a file. One that is cut off, or no calendar, says nothing of what is not in it."""
        self._bytes += len(data)
        try:
            text = decoded(data)
            if problem := no_calendar(text):
                return self._lost(file, data, problem)
            lines, stands = read_lines(text)
            if len(stands) > EVENTS_MAX:
                return self._lost(file, data, f"it has {len(stands)} events: at most {EVENTS_MAX}")
            icalendar.timezone.tzp.use_default()  # or it remembers the time zones of other people's calendars
            # It takes lines for a text as well, which its annotation does not say.
            calendars = [one for one in Calendar.from_ical(cast(Any, lines), multiple=True) if one.name == "VCALENDAR"]
        except Damaged as damage:
            return self._lost(file, data, f"it is damaged: {damage}: export it again as .ics")
        except Exception as error:  # as above
            return self._lost(file, data, f"cannot be read as iCalendar ({_told(error)}): export it again as .ics")
        events = [(calendar, event) for calendar in calendars for event in calendar.walk("VEVENT")]
        for (calendar, event), stand in zip(events, stands, strict=True):
            self._add_event(calendar, event, file, stand)
        return None

    def _lost(self, file: str, data: bytes, reason: str) -> None:
        self._whole = False
        self._faults.append(Fault(reason=reason, place=file, original=data))

    def _add_event(self, calendar: Any, component: Any, file: str, stands: Stands) -> None:
        self._order += 1
        uid = str(component.get("uid", "")).strip()
        calendar_name = text_of(calendar, "x-wr-calname", "name")
        event = _Event(component, stands, file, calendar_name, self._rank(component))
        if not uid:
            self._fault(event, "has no UID: without it it is not known again", "")
            return
        try:
            recurrence = self._recurrence_id(component)
            problem = stands.problem or self._problem(component)
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
        title = " ".join(text_of(event.component, "summary").split())[:60]
        told = f'"{title}"' if title else "an event without a title"
        series = digest(uid)[:16] if uid else ""
        self._whole = self._whole and bool(series)
        self._unsure |= {series} if series else set()
        if len(self._faults) >= _FAULTS_MAX:
            self._more_faults += 1
            return
        self._faults.append(Fault(reason=f"{told} {reason}", place=event.place, original=event.original, series=series))

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
        broken = [name for name in _NEEDED if any(isinstance(one, vBroken) for one in several(component.get(name)))]
        if broken:
            return f"{', '.join(broken)} cannot be read: correct it"
        begins = component.get("dtstart")
        if not isinstance(begins, vDDDTypes) or not isinstance(begins.dt, date):
            return "has no beginning that can be read: give it a DTSTART"
        start = self._instant(begins.dt)
        if not 1900 <= start.year < 9000:
            return f"begins in the year {start.year}: correct DTSTART"
        dates = sum(len(getattr(one, "dts", ())) for one in several(component.get("rdate")))
        if dates > OCCURRENCES_MAX:
            return f"has {dates} further dates: at most {OCCURRENCES_MAX}"
        for rule in several(component.get("rrule")):
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
        if master is None or not _repeats(master) or over(master.component, self._span.start - _EARLIER):
            return alone
        calendar = Calendar()
        for key, event in events.items():
            calendar.add_component(event.component if key else self._begun_late(event.component, events))
        query = recurring_ical_events.of(calendar)
        found = query.between(self._span.start - _DAY, self._span.end + _DAY)
        out = {one.name: one for one in alone}
        for number, component in enumerate(found):
            if number > OCCURRENCES_MAX * 2:
                raise ValueError(f"more than {OCCURRENCES_MAX * 2} within the horizon: set a shorter one")
            key = self._key(component["recurrence-id"].dt)
            if key in events:
                moved_to = self._key(component["dtstart"].dt)
                if moved_to == self._key(events[key].component["dtstart"].dt):
                    continue  # it stands alone
                key = moved_to  # one of all that follow (RANGE=THISANDFUTURE): only when it is now is known
            one = self._occurrence(uid, key, events.get(key, master), component)
            out[one.name] = one
        return list(out.values())

    def _begun_late(self, component: Any, events: dict[str, _Event]) -> Any:
        """A series as it is worked out, from not long before the time. Raises ValueError where that would take too
        long, or would give too many."""
        rules = several(component.get("rrule"))
        if len(rules) == 1 and not any("RANGE" in _recurrence_params(event.component) for event in events.values()):
            component = narrowed(component, rules[0], self._span.start - _DAY, self._span.end + _DAY)
        if len(events) > OCCURRENCES_MAX:
            raise ValueError(f"{len(events)} of them are changed: at most {OCCURRENCES_MAX}, make several events of it")
        self._efforts += _EFFORT + len(events)
        for rule in rules:
            self._efforts += effort(rule, self._instant(component["dtstart"].dt), self._span.end)
            if times_within(rule, self._span.end - self._span.start) > OCCURRENCES_MAX * 2:
                raise ValueError(f"more than {OCCURRENCES_MAX * 2} within the horizon: set a shorter one")
        if self._efforts > _EFFORTS_MAX * max(1.0, self._bytes / (1 << 20)):
            raise ValueError("with those of the others it takes too long: give it a newer DTSTART, or UNTIL for COUNT")
        return component

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
            summary=text_of(component, "summary"),
            description=text_of(component, "description"),
            location=text_of(component, "location"),
            position=position_of(component),
            categories=categories_of(component),
            web=text_of(component, "url"),
            organiser=organiser_of(component),
            calendar=event.calendar,
            properties=own_properties(component),
            original=event.original,
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


def _recurrence_params(component: Any) -> Any:
    return getattr(component.get("recurrence-id"), "params", {})


def _repeats(event: _Event) -> bool:
    return any(event.component.get(name) is not None for name in ("rrule", "rdate"))


def _told(error: object) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


_TIME = re.compile(r"(?im)^(?:(BEGIN|END):VTIMEZONE\b|(DTSTAMP|DTSTART)[^:\r\n]{0,200}:(\d{8}))")


def written(data: bytes) -> tuple[datetime | None, datetime | None]:
    """When a file was written, by its newest DTSTAMP, and when its first event begins, to the day: for looking into one
    without a clock."""
    times: dict[str, list[datetime]] = {"DTSTAMP": [], "DTSTART": []}
    in_zone = False
    for found in _TIME.finditer(decoded(data)):
        if found[1]:
            in_zone = found[1].upper() == "BEGIN"
        elif not in_zone:
            with contextlib.suppress(ValueError):
                times[found[2].upper()].append(datetime.strptime(found[3], "%Y%m%d").replace(tzinfo=UTC))
    return max(times["DTSTAMP"], default=None), min(times["DTSTART"], default=None)
