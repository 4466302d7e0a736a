"""Who is on duty when. Pure: the instant is an argument.

Times of day are wall-clock times of the roster's zone, on every day of the year. On the two nights on which the clocks
change, a time that comes twice means the first, and a time that never comes means as much later as the clocks are put
forward (02:30 is 03:30): so a week is an hour shorter or longer then, and no handover is missed or made twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
from msgspec import Struct

from hub.model.people import Layer, Override, Roster, Shift

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_DAY = timedelta(days=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holiday"
_LOOKS = (2, 9, 62)  # days: the next handover is mostly near


class OnDuty(Struct, frozen=True, kw_only=True):
    """The same people from `start` (included) to `end` (excluded), UTC."""

    people: tuple[str, ...]
    start: datetime
    end: datetime


class Handover(Struct, frozen=True, kw_only=True):
    """At an instant some go off duty and others come on."""

    roster: str
    at: datetime
    off: tuple[str, ...]
    on: tuple[str, ...]


# --- at an instant -----------------------------------------------------------------------------------------


def on_duty(roster: Roster, at: datetime) -> tuple[str, ...]:
    """The people on duty at the aware instant `at`, each once. About 10 µs for each layer."""
    people: dict[str, None] = {}
    for layer in reversed(roster.layers):
        if found := _of_layer(layer, at, roster.zone):
            people = dict.fromkeys(found)
            break
    else:
        for shift in roster.shifts:
            start, end = bounds(shift)
            if start <= at < end:
                people.update(dict.fromkeys(shift.people))
    for override in roster.overrides:
        start, end = bounds(override)
        if start <= at < end:
            people = dict.fromkeys((*people, *override.people) if override.besides else override.people)
    return tuple(people)


def bounds(shift: Shift | Override) -> tuple[datetime, datetime]:
    """When a shift begins (included) and ends (excluded). Raises ValueError for what is no ISO 8601 instant with an
    offset."""
    return _instant(shift.start, _FIRST), _instant(shift.end, _LAST)


def _instant(text: str, otherwise: datetime) -> datetime:
    if not text:
        return otherwise
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: write it as 2026-07-14T06:00:00+00:00")
    return instant


def _of_layer(layer: Layer, at: datetime, zone: str) -> tuple[str, ...]:
    if not _within(layer, at, zone):
        return ()
    day = at.astimezone(ZoneInfo(zone)).date()
    if at < wall(day, layer.at, zone):
        day -= _DAY
    nth = (day - date.fromisoformat(layer.first)).days // layer.days
    return layer.turns[nth % len(layer.turns)] if nth >= 0 else ()


def _within(layer: Layer, at: datetime, zone: str) -> bool:
    """Whether an instant lies in a layer's hours and on its days."""
    today = at.astimezone(ZoneInfo(zone)).date()
    if layer.hours is None:
        return _is_day(layer.on, today)
    return any(
        start <= at < end and _is_day(layer.on, day)
        for day in (today, today - _DAY)  # hours past midnight began yesterday
        for start, end in (_hours(layer.hours, day, zone),)
    )


def _hours(hours: tuple[str, str], day: date, zone: str) -> tuple[datetime, datetime]:
    begins, ends = hours
    return wall(day, begins, zone), wall(day if ends > begins else day + _DAY, ends, zone)


def _is_day(kinds: tuple[str, ...], day: date) -> bool:
    return not kinds or WEEKDAYS[day.weekday()] in kinds or (HOLIDAY in kinds and is_holiday(day))


@lru_cache(maxsize=65_536)
def wall(day: date, at: str, zone: str) -> datetime:
    """The instant (UTC) at which clocks show a time of day; see above for the nights on which they change."""
    return datetime.combine(day, time.fromisoformat(at), ZoneInfo(zone)).astimezone(UTC)


def is_holiday(day: date) -> bool:
    """A public holiday in Belgium: the ten of the royal decree of 18 April 1974 (article 1), Easter and Whit Sunday."""
    return day in _holidays(day.year)


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("BE", years=year))


# --- swaps -------------------------------------------------------------------------------------------------


SWAP_REACH = timedelta(days=60)  # how far from the moment named a shift may begin or end


class NotOnDuty(Exception):
    """Who is to give a shift away has none then. `there`: who has."""

    def __init__(self, giver: str, there: tuple[str, ...]) -> None:
        super().__init__(f"{giver} is not on duty then: {' and '.join(there) or 'nobody'} is")
        self.there = there


def taken_over(roster: Roster, giver: str, at: datetime, taker: str) -> Override:
    """The shift that `giver` has at the aware instant `at`, with `taker` in their place. Raises NotOnDuty."""
    there = on_duty(roster, at)
    if giver not in there:
        raise NotOnDuty(giver, there)
    shift = next(part for part in timeline(roster, at - SWAP_REACH, at + SWAP_REACH) if part.start <= at < part.end)
    people = dict.fromkeys(taker if person == giver else person for person in shift.people)
    return Override(people=tuple(people), start=shift.start.isoformat(), end=shift.end.isoformat())


# --- over a time -------------------------------------------------------------------------------------------


def timeline(roster: Roster, start: datetime, end: datetime) -> tuple[OnDuty, ...]:
    """Who is on duty between two instants, in order; spans in which nobody is have no people."""
    instants = sorted({start, *(at for at in _changes(roster, start, end) if start < at < end)})
    found: list[OnDuty] = []
    for begins, ends in zip(instants, [*instants[1:], end], strict=True):
        people = on_duty(roster, begins)
        if found and found[-1].people == people:
            found[-1] = OnDuty(people=people, start=found[-1].start, end=ends)
        elif begins < ends:
            found.append(OnDuty(people=people, start=begins, end=ends))
    return tuple(found)


def _changes(roster: Roster, start: datetime, end: datetime) -> Iterator[datetime]:
    """Every instant at which who is on duty may change."""
    for shift in roster.shifts:
        yield from bounds(shift)
    for override in roster.overrides:
        yield from bounds(override)
    zone = ZoneInfo(roster.zone)
    day, last = start.astimezone(zone).date() - _DAY, end.astimezone(zone).date() + _DAY
    while day <= last:
        for layer in roster.layers:
            yield wall(day, layer.at, roster.zone)
            yield wall(day, "00:00", roster.zone)
            if layer.hours is not None:
                yield from _hours(layer.hours, day, roster.zone)
        day += _DAY


def gaps(roster: Roster, start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The spans between `start` and `end` in which nobody is on duty, in order."""
    return tuple((span.start, span.end) for span in timeline(roster, start, end) if not span.people)


def handovers(roster: Roster, start: datetime, end: datetime) -> tuple[Handover, ...]:
    """Every change of who is on duty between two instants, in order."""
    spans = timeline(roster, start, end)
    return tuple(
        Handover(
            roster=roster.id,
            at=after.start,
            off=tuple(p for p in before.people if p not in after.people),
            on=tuple(p for p in after.people if p not in before.people),
        )
        for before, after in pairwise(spans)
        if set(before.people) != set(after.people)
    )


def next_handover(roster: Roster, after: datetime) -> datetime | None:
    """When the first handover after an instant is; None where there is none within two months."""
    start = after
    for days in _LOOKS:
        end = after + timedelta(days=days)
        # From a moment before: a change at the very end of the last look is not lost.
        if found := handovers(roster, start, end):
            return found[0].at
        start = end - timedelta(microseconds=1)
    return None


class DoubleBooking(Struct, frozen=True, kw_only=True):
    """One person on duty in two rosters at once."""

    person: str
    rosters: tuple[str, str]
    start: datetime
    end: datetime


def double_bookings(rosters: Mapping[str, Roster], start: datetime, end: datetime) -> tuple[DoubleBooking, ...]:
    """Who is on duty in two rosters at once between two instants, each pair of rosters and person by itself."""
    lines = {name: timeline(roster, start, end) for name, roster in rosters.items()}
    found = []
    names = list(lines)
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            found += _both(one, lines[one], other, lines[other])
    return tuple(sorted(found, key=lambda booking: (booking.start, booking.person)))


def _both(one: str, first: Iterable[OnDuty], other: str, second: Iterable[OnDuty]) -> list[DoubleBooking]:
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for people, begins, ends in _at_once(list(first), list(second)):
        for person in people:
            known = spans.setdefault(person, [])
            if known and known[-1][1] == begins:
                known[-1] = (known[-1][0], ends)
            else:
                known.append((begins, ends))
    return [
        DoubleBooking(person=person, rosters=(one, other), start=begins, end=ends)
        for person, known in spans.items()
        for begins, ends in known
    ]


def _at_once(first: Sequence[OnDuty], second: Sequence[OnDuty]) -> Iterator[tuple[tuple[str, ...], datetime, datetime]]:
    """Who is in both of two timelines, span by span, in order."""
    i = j = 0
    while i < len(first) and j < len(second):
        a, b = first[i], second[j]
        begins, ends = max(a.start, b.start), min(a.end, b.end)
        if begins < ends:
            yield tuple(person for person in a.people if person in b.people), begins, ends
        if a.end <= b.end:
            i += 1
        else:
            j += 1


def span(roster: Roster) -> tuple[datetime, datetime] | None:
    """From the first dated bound of a roster's shifts to the last; None where it has none (somebody is always on
    duty, or it has layers, which have no end)."""
    if roster.layers:
        return None
    dated = [b for s in roster.shifts for b in bounds(s) if b not in (_FIRST, _LAST)]
    return (min(dated), max(dated)) if dated else None


def changes(roster: Roster) -> bool:
    """Whether people come and go in it at all."""
    return bool(roster.layers or roster.overrides or span(roster))


def anybody(roster: Roster) -> tuple[str, ...]:
    """Everybody who is ever on duty, each once."""
    several = [turn for layer in roster.layers for turn in layer.turns]
    several += [shift.people for shift in roster.shifts] + [override.people for override in roster.overrides]
    return tuple(dict.fromkeys(person for people in several for person in people))
