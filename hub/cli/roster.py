"""`vigie roster`: who is on duty when, on paper or as a calendar."""

import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import trio

from hub.calendar_link import PERSON, ROSTER, SECRET, Links
from hub.cli import say
from hub.config import Config
from hub.config.writing import roster_yaml
from hub.connector import WorkerLimit
from hub.findings import choice, errors, tally
from hub.model.people import Person, Roster
from hub.people.directory import Directory
from hub.people.exchange.draft import made_id
from hub.people.ical import calendar_of
from hub.people.ical_read import Read, Wanted, read_calendar
from hub.people.rosters import timeline
from hub.secrets import secrets_from
from hub.workers import open_workers
from hub.yaml import CHARACTERS_MAX

SHOWN = timedelta(days=28)
EXPORTED = timedelta(days=180)  # and imported
IMPORT_S = 30.0


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


def import_(
    config: Config, file: Path, name: str, start: datetime, end: datetime | None, day_begins: str, as_json: bool
) -> None:
    """Prints what can be read, and tells what cannot; exits 1 where something could not."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", day_begins):
        say.could_not(f'--day-begins {day_begins}: no time of day: write it as "08:00"')
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        say.could_not(f"--as {name}: no name for a roster: small letters, digits and hyphens")
    zone = config.hub.zone
    wanted = Wanted(start=start, end=_end(start, end, EXPORTED), zone=zone, day_begins=day_begins)
    try:
        data = file.read_bytes()
    except OSError as error:
        say.could_not(f"{file}: {error.strerror}")
    found = trio.run(_read_apart, data, str(file), config.directory(), wanted)
    if isinstance(found, str):
        say.could_not(f"{found}: an event repeats in a way that cannot be worked out")
    if as_json:
        say.json_line(found)
    else:
        called = name or made_id(found.name) or made_id(file.stem) or "imported"
        text = roster_yaml(called, found.shifts, zone) if found.shifts else ""
        say.text(text)
        if len(text) > CHARACTERS_MAX:
            say.error(f"this is too much for one file ({len(text)} characters, at most {CHARACTERS_MAX}): use --until")
        for finding in found.findings:
            say.error(str(finding))
        say.error(f"{len(found.shifts)} shifts of {found.events} events read, {tally(found.findings)}")
    say.done(bool(errors(found.findings)))


async def _read_apart(data: bytes, file: str, directory: Directory, wanted: Wanted) -> Read | str:
    """In a process with limits, because the file may be anybody's; a text where it came upon one."""
    async with open_workers(count=1) as workers:
        try:
            return await workers.run(read_calendar, data, file, directory, wanted, limit_s=IMPORT_S, label=file)
        except WorkerLimit as limit:
            return str(limit)


def link(config: Config, roster: str, person: str) -> None:
    """The address alone on standard output, so that it can be passed on; what is to be known of it on the other."""
    if bool(roster) == bool(person):
        say.could_not("name a roster, or a person with --person")
    if person and person not in config.directory().people:
        say.could_not(f'"{person}" is nobody: {choice(person, config.directory().people, "there are")}')
    kind, name = (PERSON, person) if person else (ROSTER, _roster(config.rosters, roster).id)
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


def _roster(rosters: Mapping[str, Roster], name: str) -> Roster:
    roster = rosters.get(name)
    if roster is None:
        say.could_not(f"{name}: no such roster: there are {', '.join(sorted(rosters))}")
    return roster


def _end(start: datetime, end: datetime | None, otherwise: timedelta) -> datetime:
    if end is not None and end <= start:
        say.could_not(f"--until {end.isoformat()} is not after --from {start.isoformat()}")
    return end or start + otherwise
