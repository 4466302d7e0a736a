"""Rosters as calendars (RFC 5545): what a phone subscribes to or a file holds. Pure.

Nothing but ids and names stands in them: no numbers, no addresses. Times are UTC, which every reader shows in its own.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from hub.model.people import Roster
from hub.people.rosters import OnDuty, timeline

PEOPLE = "x-vigie-people"  # ids: what an import of our own goes by
_PRODUCT = "-//Vigie//Rosters//EN"
_BEFORE = timedelta(days=35)  # a shift under way is told from its beginning, so that it stays the same event
_REFRESH = timedelta(hours=1)  # how often a subscriber is to look


def calendar_of(roster: Roster, names: Mapping[str, str], start: datetime, end: datetime, now: datetime) -> bytes:
    """A roster's shifts between two instants, an event each, as `text/calendar`. `names`: person → name as shown;
    `now`: when it was made (DTSTAMP). A shift is the same event (UID) as long as it is the same shift: with other
    people or other times it is another."""
    events = [
        _event(roster.id, shift, (start - _BEFORE, end), now, ", ".join(names.get(p, p) for p in shift.people))
        for shift in timeline(roster, start - _BEFORE, end)
        if shift.people and shift.end > start
    ]
    return _calendar(roster.id, events)


def calendar_of_person(person: str, rosters: Iterable[Roster], start: datetime, end: datetime, now: datetime) -> bytes:
    """All of somebody's shifts between two instants, in each of the rosters. It names nobody."""
    events = [
        _event(roster.id, shift, (start - _BEFORE, end), now)
        for roster in rosters
        for shift in _theirs(person, timeline(roster, start - _BEFORE, end))
        if shift.end > start
    ]
    return _calendar("Vigie", events)


def _theirs(person: str, spans: Iterable[OnDuty]) -> Iterator[OnDuty]:
    """One person's shifts, whoever else comes and goes meanwhile."""
    begins: datetime | None = None
    ends: datetime | None = None
    for span in spans:
        if person in span.people:
            begins, ends = begins or span.start, span.end
        elif begins is not None and ends is not None:
            yield OnDuty(people=(person,), start=begins, end=ends)
            begins = None
    if begins is not None and ends is not None:
        yield OnDuty(people=(person,), start=begins, end=ends)


def _event(roster: str, shift: OnDuty, window: tuple[datetime, datetime], now: datetime, named: str = "") -> Event:
    """An event; `window`: what was looked at. A shift that goes on beyond it grows from day to day: it keeps its UID,
    and its SEQUENCE rises."""
    bounds = tuple(
        "" if at == edge else at.isoformat() for at, edge in zip((shift.start, shift.end), window, strict=True)
    )
    said = "\x1f".join((roster, *bounds, *shift.people))
    event = Event()
    event.add("uid", f"{hashlib.sha256(said.encode()).hexdigest()[:32]}@vigie")
    event.add("dtstamp", now)
    event.add("dtstart", shift.start)
    event.add("dtend", shift.end)
    event.add("summary", f"{roster}: {named}" if named else roster)
    event.add("sequence", 0 if all(bounds) else now.toordinal())
    event.add("transp", "TRANSPARENT")  # being on duty leaves room for appointments
    event.add(PEOPLE, ",".join(shift.people))
    return event


def _calendar(name: str, events: Iterable[Event]) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", name)  # RFC 7986 5.1; older readers know the next one
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for event in events:
        calendar.add_component(event)
    found: bytes = calendar.to_ical()
    return found
