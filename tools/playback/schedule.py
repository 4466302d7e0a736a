"""The written day: reads `schedule.yaml` and the files it names into a programme."""

import re
from datetime import datetime, time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from hub.binding import Day, Misfit, Reads, Seconds, bind
from hub.findings import Finding
from hub.yaml import Document, read
from tools.playback.programme import PartnerPost, Programme, Publication, Source, is_cap_index, media_type

SCHEDULE = "schedule.yaml"


class ScheduleError(Exception):
    """What is wrong, one finding a line: `file:line:column: what is wrong: what would be right`."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))


def _time_of_day(text: str) -> time:
    if not re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
        raise Misfit("not-a-time-of-day", f'"{text}" is no time of day', "write it as 21:00 or 21:00:05")
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise Misfit("not-a-time-of-day", f'"{text}" is past the day', "write 00:00 to 23:59:59") from None


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise Misfit("unknown-zone", f'"{text}" is no time zone', "write one like Europe/Brussels") from None


TimeOfDay = Annotated[time, Reads(_time_of_day)]
Zone = Annotated[ZoneInfo, Reads(_zone)]


class Publish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of `publish`: see the top of the schedule."""

    at: TimeOfDay
    url: str
    file: str = ""
    status: int = 200
    headers: dict[str, str] = {}
    slow: Seconds = 0.0


class Post(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of `posts`."""

    at: TimeOfDay
    id: str
    file: str


class Schedule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    title: str
    date: Day
    zone: Zone
    start: TimeOfDay
    sources: tuple[Source, ...]
    publish: tuple[Publish, ...]
    posts: tuple[Post, ...] = ()


def load(folder: Path) -> Programme:
    """Reads a written day. Raises ScheduleError for one that cannot be played, OSError where there is none."""
    schedule = read_schedule(folder / SCHEDULE)
    return Programme(
        title=schedule.title,
        start=_at(schedule, schedule.start),
        sources=schedule.sources,
        publications=tuple(_publication(folder, entry, _at(schedule, entry.at)) for entry in schedule.publish),
        posts=tuple(
            PartnerPost(
                at=_at(schedule, entry.at),
                id=entry.id,
                body=(folder / entry.file).read_bytes(),
                media_type=media_type(entry.file),
            )
            for entry in schedule.posts
        ),
    )


def files(schedule: Schedule) -> set[str]:
    """Every file the schedule names, relative to its folder."""
    return {e.file for e in schedule.publish if e.file} | {e.file for e in schedule.posts}


def read_schedule(path: Path) -> Schedule:
    """Reads and checks the schedule; of the files it names only whether they are there. Raises ScheduleError."""
    document = read(path.read_bytes(), str(path))
    schedule = None if document.findings else bind(document, document.root, Schedule, "the schedule")
    if schedule:
        _check(schedule, document, path.parent)
    if schedule is None or document.findings:
        raise ScheduleError(document.findings)
    return schedule


def _check(schedule: Schedule, document: Document, folder: Path) -> None:
    published = {entry.url for entry in schedule.publish}
    for index, source in enumerate(schedule.sources):
        if source.url not in published:
            message = f"nothing is ever published at {source.url}"
            document.add(document.at("sources", index, "url"), "silent-source", message, "publish a file there")
    for index, entry in enumerate(schedule.publish):
        if entry.status == 200 and not entry.file:
            node = document.at("publish", index)
            document.add(node, "no-body", "status 200 without a body", "name a file, or another status")
    named = {"publish": [e.file for e in schedule.publish], "posts": [e.file for e in schedule.posts]}
    for section, names in named.items():
        for index, name in enumerate(names):
            if name and not (folder / name).is_file():
                node = document.at(section, index, "file")
                document.add(node, "no-file", f"there is no file {name}", "its name is relative to the schedule")


def _at(schedule: Schedule, moment: time) -> datetime:
    return datetime.combine(schedule.date, moment, schedule.zone)


def _publication(folder: Path, entry: Publish, at: datetime) -> Publication:
    body = (folder / entry.file).read_bytes() if entry.file else b""
    headers = {"Content-Type": media_type(entry.file)} if entry.file else {}
    return Publication(
        at=at,
        url=entry.url,
        body=body,
        status=entry.status,
        headers=headers | entry.headers,
        delay_s=entry.slow,
        index=entry.file.endswith(".atom.xml") and is_cap_index(body),
    )
