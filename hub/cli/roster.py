"""`vigie roster`: who is on duty when, on paper or as a calendar."""

import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.calendar_link import PERSON, ROSTER, SECRET, Links
from hub.cli import say
from hub.config import Config
from hub.findings import choice
from hub.model.people import Roster
from hub.people.ical import calendar_of
from hub.people.rosters import timeline
from hub.secrets import secrets_from

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


def link(config: Config, roster: str, person: str) -> None:
    """The address alone on standard output, so that it can be passed on; what is to be known of it on the other."""
    if bool(roster) == bool(person):
        say.could_not("name a roster, or a person with --person")
    if person and person not in config.directory().people:
        say.could_not(f'"{person}" is nobody: {choice(person, config.directory().people, "there are")}')
    kind, name = (PERSON, person) if person else (ROSTER, _roster(config, roster).id)
    try:
        held = secrets_from(config.path(config.hub.secrets))(SECRET)
        links = Links(held, config.hub.calendar_links)
    except KeyError as error:
        say.could_not(f"{error.args[0]} (made with `openssl rand -hex 32`; the hub reads it when it starts)")
    except ValueError as error:
        say.could_not(str(error))
    say.line(config.hub.web.public + links.path(kind, name))
    serial = config.hub.calendar_links.get(name, 1)
    say.error(
        f"whoever has this address can read the calendar: pass it on to those only who are to see it"
        f' (to revoke it: hub.yaml, calendar links, "{name}: {serial + 1}")'
    )
    if not config.hub.web.public.startswith("https://"):
        say.error(f"{config.hub.web.public} is what hub.yaml calls the outside (web: public:): no phone reads it there")


def _roster(config: Config, name: str) -> Roster:
    roster = config.rosters.get(name)
    if roster is None:
        say.could_not(f"{name}: no such roster: there are {', '.join(sorted(config.rosters))}")
    return roster


def _end(start: datetime, end: datetime | None, otherwise: timedelta) -> datetime:
    if end is not None and end <= start:
        say.could_not(f"--until {end.isoformat()} is not after --from {start.isoformat()}")
    return end or start + otherwise
