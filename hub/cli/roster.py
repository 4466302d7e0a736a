"""`vigie roster`: who is on duty when, on paper or as a calendar."""

import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.cli import say
from hub.config import Config
from hub.model.people import Roster
from hub.people.ical import calendar_of
from hub.people.rosters import timeline

SHOWN = timedelta(days=28)
EXPORTED = timedelta(days=180)


def show(config: Config, name: str, start: datetime, end: datetime | None, as_json: bool) -> None:
    """Who is on duty, span by span in local time; spans without anybody are faults."""
    spans = timeline(_roster(config, name), start, _end(start, end, SHOWN))
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


def export(config: Config, name: str, start: datetime, end: datetime | None, now: datetime) -> None:
    """The calendar on standard output."""
    names = {person.id: person.name for person in config.people}
    calendar = calendar_of(_roster(config, name), names, start, _end(start, end, EXPORTED), now)
    sys.stdout.buffer.write(calendar)


def _roster(config: Config, name: str) -> Roster:
    roster = config.rosters.get(name)
    if roster is None:
        say.could_not(f"{name}: no such roster: there are {', '.join(sorted(config.rosters))}")
    return roster


def _end(start: datetime, end: datetime | None, otherwise: timedelta) -> datetime:
    if end is not None and end <= start:
        say.could_not(f"--until {end.isoformat()} is not after --from {start.isoformat()}")
    return end or start + otherwise
