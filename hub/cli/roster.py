"""`vigie roster`: who is on duty when, on paper or as a calendar."""

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.cli import say
from hub.config import Config
from hub.model.people import Person, Roster
from hub.people.ical import calendar_of
from hub.people.rosters import timeline

SHOWN = timedelta(days=28)
EXPORTED = timedelta(days=180)


def show(
    config: Config, rosters: Mapping[str, Roster], name: str, start: datetime, end: datetime | None, as_json: bool
) -> None:
    """Who is on duty, span by span in local time; spans without anybody are faults."""
    spans = timeline(_roster(rosters, name), start, _end(start, end, SHOWN))
    empty = False
    zone = ZoneInfo(config.hub.zone)
    for span in spans:
        empty = empty or not span.people
        if as_json:
            say.json_line(span)
            continue
        told = " to ".join(f"{at.astimezone(zone):%a %Y-%m-%d %H:%M}" for at in (span.start, span.end))
        say.line(f"{told}  {', '.join(span.people) or 'NOBODY'}")
    say.done(empty)


def export(
    rosters: Mapping[str, Roster],
    people: Iterable[Person],
    name: str,
    start: datetime,
    end: datetime | None,
    now: datetime,
) -> None:
    """The calendar on standard output."""
    names = {person.id: person.name for person in people}
    calendar = calendar_of(_roster(rosters, name), names, start, _end(start, end, EXPORTED), now)
    sys.stdout.buffer.write(calendar)


def _roster(rosters: Mapping[str, Roster], name: str) -> Roster:
    roster = rosters.get(name)
    if roster is None:
        say.could_not(f"{name}: no such roster: there are {', '.join(sorted(rosters))}")
    return roster


def _end(start: datetime, end: datetime | None, otherwise: timedelta) -> datetime:
    if end is not None and end <= start:
        say.could_not(f"--until {end.isoformat()} is not after --from {start.isoformat()}")
    return end or start + otherwise
