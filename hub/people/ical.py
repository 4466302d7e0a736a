"""Rosters as calendars (RFC 5545): what a phone subscribes to or a file holds. Pure.

Nothing but ids and names stands in them: no numbers, no addresses.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from hub.model.people import Roster
from hub.people.rosters import timeline

_PRODUCT = "-//Vigie//Rosters//EN"
_BEFORE = timedelta(days=35)  # a shift under way is told from its beginning, so that it keeps its UID


def calendar_of(roster: Roster, names: Mapping[str, str], start: datetime, end: datetime, now: datetime) -> bytes:
    """A roster's shifts between two instants, an event each, as `text/calendar`. `names`: person → name as shown;
    `now`: when it was made (DTSTAMP). A shift keeps its UID as long as its beginning and its people stay."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("name", roster.id)  # RFC 7986 5.1; older readers know the next one
    calendar.add("x-wr-calname", roster.id)
    for span in timeline(roster, start - _BEFORE, end):
        if not span.people or span.end <= start:
            continue
        event = Event()
        event.add("uid", _uid(roster.id, span.start, span.people))
        event.add("dtstamp", now)
        event.add("dtstart", span.start)
        event.add("dtend", span.end)
        event.add("summary", f"{roster.id}: {', '.join(names.get(person, person) for person in span.people)}")
        event.add("transp", "TRANSPARENT")  # being on duty leaves room for appointments
        calendar.add_component(event)
    found: bytes = calendar.to_ical()
    return found


def _uid(roster: str, start: datetime, people: tuple[str, ...]) -> str:
    said = "\x1f".join((roster, start.isoformat(), *people))
    return f"{hashlib.sha256(said.encode()).hexdigest()[:32]}@vigie"
