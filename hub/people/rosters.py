"""Who is on duty when. Pure: the instant is an argument."""

from datetime import UTC, datetime

from hub.model.people import Roster, Shift

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def bounds(shift: Shift) -> tuple[datetime, datetime]:
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


def on_duty(roster: Roster, at: datetime) -> tuple[str, ...]:
    """The people on duty at the aware instant `at`, each once, in the order of the roster's shifts."""
    people: dict[str, None] = {}
    for shift in roster.shifts:
        start, end = bounds(shift)
        if start <= at < end:
            people.update(dict.fromkeys(shift.people))
    return tuple(people)


def gaps(roster: Roster, start: datetime, end: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The spans between `start` and `end` in which nobody is on duty, in order."""
    found: list[tuple[datetime, datetime]] = []
    covered = start
    for begins, ends in sorted(bounds(s) for s in roster.shifts if s.people):
        if begins > covered and covered < end:
            found.append((covered, min(begins, end)))
        covered = max(covered, ends)
    if covered < end:
        found.append((covered, end))
    return tuple(found)


def span(roster: Roster) -> tuple[datetime, datetime] | None:
    """From the first dated bound of a roster to the last; None where it has none (somebody is always on duty)."""
    dated = [b for s in roster.shifts for b in bounds(s) if b not in (_FIRST, _LAST)]
    return (min(dated), max(dated)) if dated else None


def anybody(roster: Roster) -> tuple[str, ...]:
    """Everybody who is ever on duty, each once."""
    return tuple(dict.fromkeys(person for shift in roster.shifts for person in shift.people))
