"""What is wrong with the coming time: gaps and double bookings. Pure; `vigie who` and the engine ask."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.model.people import Roster
from hub.people.rosters import double_bookings, gaps, span

AHEAD = timedelta(hours=24)  # the room is told this long before
HORIZON = timedelta(days=8)  # how far it is looked for what comes next
GAP, DOUBLE = "roster-gap", "roster-double-booking"


class Trouble(Struct, frozen=True, kw_only=True):
    """`what`: GAP or DOUBLE. `about`: the roster, or the person and both rosters. `detail`: in plain words, in the
    rosters' local time. `begun`: it began before anybody looked; `start` is only when the looking began."""

    what: str
    about: str
    detail: str
    start: datetime
    end: datetime
    begun: bool = False

    def __str__(self) -> str:
        """What it is known by from one look to the next."""
        return f"{self.what} {self.about} {'' if self.begun else self.start.isoformat()}"


def troubles(rosters: Mapping[str, Roster], start: datetime, end: datetime) -> tuple[Trouble, ...]:
    """Every gap and double booking between two instants, in order."""
    found = [
        Trouble(
            what=GAP,
            about=name,
            detail=f"nobody is on duty in {name} {_from_to(begins, ends, end, roster.zone)}",
            start=begins,
            end=ends,
            begun=begins == start,
        )
        for name, roster in rosters.items()
        if not roster.may_be_empty and (roster.layers or roster.shifts)
        for begins, ends in gaps(roster, start, end)
    ]
    found += [
        Trouble(
            what=DOUBLE,
            about=" ".join((booking.person, *booking.rosters)),
            detail=f"{booking.person} is on duty in {' and '.join(booking.rosters)} "
            f"{_from_to(booking.start, booking.end, end, rosters[booking.rosters[0]].zone)}",
            start=booking.start,
            end=booking.end,
            begun=booking.start == start,
        )
        for booking in double_bookings(changing(rosters), start, end)
    ]
    return tuple(sorted(found, key=lambda trouble: (trouble.start, trouble.what, trouble.about)))


def changing(rosters: Mapping[str, Roster]) -> dict[str, Roster]:
    """Those in which people come and go: who is always in two rosters is there on purpose."""
    return {name: roster for name, roster in rosters.items() if roster.layers or span(roster)}


def near(rosters: Mapping[str, Roster], at: datetime) -> tuple[tuple[Trouble, ...], datetime | None]:
    """What the room must know at an instant: the first trouble of each roster (or person and pair of rosters) that is
    there or begins within `AHEAD`; and when to look again, where anything can change by itself."""
    if not changing(rosters):
        return (), None
    known = [t for t in troubles(rosters, at - HORIZON, at + HORIZON) if t.end > at]
    first: dict[tuple[str, str], Trouble] = {}
    for trouble in known:
        if trouble.start - AHEAD <= at:
            first.setdefault((trouble.what, trouble.about), trouble)
    turns = [instant for t in known for instant in (t.start - AHEAD, t.end) if instant > at]
    return tuple(first.values()), min([*turns, at + HORIZON - AHEAD])


def _from_to(start: datetime, end: datetime, last: datetime, zone: str) -> str:
    """`until` only where it is known."""
    until = f" to {_local(end, zone)}" if end < last else ""
    return f"from {_local(start, zone)}{until}"


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
