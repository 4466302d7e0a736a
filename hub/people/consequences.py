"""What a change of people or rosters leaves open: told with the answer, never a reason to refuse it. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.model.people import Chain, Roster
from hub.people.chains import who
from hub.people.directory import Directory
from hub.people.rosters import bounds, double_bookings, timeline

AHEAD = timedelta(days=60)  # how far gaps and double bookings are looked for
_SHOWN = 5  # of each sort


class Centre(Struct, frozen=True):
    """Who there is and who is on duty, before or after a change."""

    directory: Directory
    rosters: Mapping[str, Roster]
    chains: Mapping[str, Chain]


def consequences(before: Centre, after: Centre, now: datetime) -> tuple[str, ...]:
    """What is wrong after a change and was not before, each in a sentence."""
    found: list[str] = []
    for tell in (_gaps, _double_bookings, _chains):
        known = set(tell(before, now))
        new = [said for said in dict.fromkeys(tell(after, now)) if said not in known]
        found += new[:_SHOWN]
        if len(new) > _SHOWN:
            found.append(f"and {len(new) - _SHOWN} more of this sort in the next {AHEAD.days} days")
    return tuple(found)


def _gaps(centre: Centre, now: datetime) -> Iterable[str]:
    """Spans in which nobody of the directory is on duty; a roster may name people who are gone."""
    for roster in centre.rosters.values():
        for span in timeline(roster, now, now + AHEAD):
            if not any(centre.directory.person(person) for person in span.people):
                ends = "on" if span.end >= now + AHEAD else f"to {_local(span.end, roster)}"
                times = f"from {_local(span.start, roster)} {ends}"
                yield f"nobody is on duty in {roster.id} {times}"


def _double_bookings(centre: Centre, now: datetime) -> Iterable[str]:
    for booking in double_bookings(centre.rosters, now, now + AHEAD):
        one = centre.rosters[booking.rosters[0]]
        times = f"from {_local(booking.start, one)} to {_local(booking.end, one)}"
        yield f"{booking.person} is on duty in {' and '.join(booking.rosters)} {times}"


def _chains(centre: Centre, now: datetime) -> Iterable[str]:
    """Tiers that would ask nobody and chains that could never be filled, at every moment at which who is on duty is
    changed by an override."""
    for at in _moments(centre, now):
        for chain in centre.chains.values():
            plan = who(chain, at, centre.directory, centre.rosters)
            for number, tier in enumerate(plan.tiers, 1):
                if not tier.people:
                    yield f"tier {number} of chain {chain.id} asks nobody{_when(at, now)}"
                yield from (f"{p.about} {p.what}" for p in tier.problems if "any of the tier's channels" in p.what)
            yield from (f"{problem.about} {problem.what}{_when(at, now)}" for problem in plan.problems)


def _moments(centre: Centre, now: datetime) -> list[datetime]:
    starts = {bounds(override)[0] for roster in centre.rosters.values() for override in roster.overrides}
    return [now, *sorted(at for at in starts if now < at < now + AHEAD)]


def _when(at: datetime, now: datetime) -> str:
    return "" if at == now else f" from {at:%Y-%m-%d %H:%M}Z"


def _local(at: datetime, roster: Roster) -> str:
    return at.astimezone(ZoneInfo(roster.zone)).strftime("%Y-%m-%d %H:%M")
