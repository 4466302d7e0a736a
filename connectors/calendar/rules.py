"""Which repetitions (RFC 5545, 3.3.10) are worked out, which no event anybody plans has, and what they cost. Pure."""

from datetime import date, datetime, timedelta
from typing import Any, cast

from icalendar import vDDDTypes, vRecur

_STEPS_MAX = 200_000  # from an event's beginning to the end of the time looked at
_PERIODS = {"HOURLY": timedelta(days=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(days=7)}
# What a step costs, measured in those of a day.
_WEIGHTS = {"HOURLY": 1, "DAILY": 1, "WEEKLY": 2, "MONTHLY": 4, "YEARLY": 15}
_SEARCHES = {"HOURLY": 72_000, "DAILY": 3_000, "WEEKLY": 1_000, "MONTHLY": 1_300, "YEARLY": 600}
_HOURS = {"HOURLY": 1.0, "DAILY": 24.0, "WEEKLY": 168.0, "MONTHLY": 28 * 24.0, "YEARLY": 365 * 24.0}
_BOUNDS = {
    "BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366,
    "BYHOUR": 23, "BYMINUTE": 59, "BYSECOND": 59,
}  # fmt: skip
_DAYS_OF = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_TIMES_A_DAY_MAX = 24


def beyond_reason(rule: Any, begins: datetime, start: datetime, end: datetime) -> str:
    """Why a rule is not worked out between two instants; `""` where it is. A rule that never comes true would be looked
    for until the year 9999, one of every second would never end."""
    frequency = str((rule.get("FREQ") or ["?"])[0]).upper()
    if frequency not in _HOURS:
        return f"repeats {frequency}: nobody plans that, use HOURLY to YEARLY"
    if not all(int(number) >= 1 for by in ("INTERVAL", "COUNT") for number in rule.get(by) or ()):
        return "has an INTERVAL or a COUNT below 1: correct RRULE"
    if not all(abs(int(number)) <= most for by, most in _BOUNDS.items() for number in rule.get(by) or ()):
        return "has a day, a month or an hour that there is not: correct RRULE"
    months, days = [int(n) for n in rule.get("BYMONTH") or ()], [int(n) for n in rule.get("BYMONTHDAY") or ()]
    if months and days and not any(abs(day) <= _DAYS_OF.get(month, 31) for month in months for day in days):
        return "repeats on a day that its months do not have: correct RRULE"
    if rule.get("BYSETPOS") and not any(rule.get(by) for by in (*_BOUNDS, "BYDAY") if by != "BYSETPOS"):
        return "has a BYSETPOS of nothing: correct RRULE"
    times = 1
    for by in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= max(1, len(rule.get(by) or ()))
    if times > _TIMES_A_DAY_MAX:
        return f"repeats {times} times a day: at most {_TIMES_A_DAY_MAX}"
    steps = max(0.0, (end - begins).total_seconds()) / 3600 / _HOURS[frequency]
    if steps / max(1, int((rule.get("INTERVAL") or [1])[0])) > _STEPS_MAX:
        return f"has repeated {frequency} since {begins:%Y}: give it a newer DTSTART"
    return ""


def effort(rule: Any, begins: datetime, end: datetime) -> float:
    """What it takes to work a rule out from its beginning, in steps of a day."""
    frequency = str(rule["FREQ"][0]).upper()
    steps = max(0.0, (end - begins).total_seconds()) / 3600 / _HOURS[frequency] / int((rule.get("INTERVAL") or [1])[0])
    search = _SEARCHES[frequency] if _is_rare(rule) else 0
    return min(steps, float((rule.get("COUNT") or [steps])[0])) * _WEIGHTS[frequency] + search


def _is_rare(rule: Any) -> bool:
    """Whether years may pass between two days that fit, all of which are looked at."""
    days = [abs(int(n)) for n in rule.get("BYMONTHDAY") or ()]
    if rule.get("BYMONTH") and any(day > 28 for day in days):
        return True
    if any(abs(int(n)) in (53, 366) for by in ("BYWEEKNO", "BYYEARDAY") for n in rule.get(by) or ()):
        return True
    return bool(rule.get("BYDAY") and (days or rule.get("BYWEEKNO") or rule.get("BYYEARDAY")))


def times_within(rule: Any, span: timedelta) -> float:
    """How often it comes within a time, at most, about."""
    frequency = str(rule["FREQ"][0]).upper()
    a_day = max(1, len(rule.get("BYHOUR") or ())) if rule.get("BYHOUR") or frequency != "HOURLY" else 24.0
    if not rule.get("BYHOUR"):
        a_day /= int((rule.get("INTERVAL") or [1])[0])
    for by in ("BYMINUTE", "BYSECOND"):
        a_day *= max(1, len(rule.get(by) or ()))
    days = len({str(day)[-2:] for day in rule.get("BYDAY") or ()}) or 7
    months = len(rule.get("BYMONTH") or ()) or 12
    return span / timedelta(days=1) * a_day * days / 7 * months / 12


def over(component: Any, before: datetime) -> bool:
    """Whether a series ended before a time, by an UNTIL; False where that is not said so plainly."""
    rule = component.get("rrule")
    if rule is None or isinstance(rule, list) or not rule.get("UNTIL") or component.get("rdate") is not None:
        return False
    last = max(_day(rule["UNTIL"][0]), _day(component["DTSTART"].dt))
    lasts = _lasts(component)
    return lasts is not None and last + lasts < before.date()


def _lasts(component: Any) -> timedelta | None:
    """How long an event takes; None where it begins at an hour and ends on a day, or the other way round."""
    try:
        if "DURATION" in component:
            return cast(timedelta, component["DURATION"].dt)
        return (
            cast(timedelta, component["DTEND"].dt - component["DTSTART"].dt) if "DTEND" in component else timedelta(0)
        )
    except TypeError:
        return None


def _day(at: date) -> date:
    return at.date() if isinstance(at, datetime) else at


def narrowed(component: Any, rule: Any, start: datetime, end: datetime) -> Any:
    """A series as far as it may touch a time: a copy that begins later, by whole periods of its rule, and ends with the
    time. A library would count a daily event of ten years up from its first day, and look for a next one for ever. The
    event itself where that might change anything: it counts, or comes on days that not every month has."""
    lasts = _lasts(component)
    if rule.get("COUNT") or lasts is None:
        return component
    begins = component["DTSTART"].dt
    moved = _later(begins, rule, start.date() - timedelta(days=10) - lasts)
    copy = component.copy()
    for name in ("DTSTART", "DTEND"):
        if name in component:
            at = vDDDTypes(moved + (lasts if name == "DTEND" else timedelta(0)))
            at.params = component[name].params
            copy[name] = at
    if not rule.get("UNTIL"):
        copy["RRULE"] = vRecur({**rule, "UNTIL": [_like(begins, end + timedelta(days=2))]})
    return copy


def _later(begins: Any, rule: Any, before: date) -> Any:
    """The last beginning of a rule's period, or one before it, that lies before a day and is like the first one."""
    frequency = str(rule["FREQ"][0]).upper()
    interval = int((rule.get("INTERVAL") or [1])[0])
    first = _day(begins)
    if first >= before:
        return begins
    if period := _PERIODS.get(frequency):
        return begins + max(0, (before - first) // (period * interval) - 1) * period * interval
    if begins.day > 28:
        return begins
    step = interval * (12 if frequency == "YEARLY" else 1)
    months = (before.year - first.year) * 12 + before.month - first.month
    month = begins.year * 12 + begins.month - 1 + max(0, months // step - 1) * step
    return begins.replace(year=month // 12, month=month % 12 + 1)


def _like(begins: Any, end: datetime) -> Any:
    """An UNTIL as that beginning wants it (RFC 5545, 3.3.10)."""
    if not isinstance(begins, datetime):
        return end.date()
    return end if begins.tzinfo is not None else end.replace(tzinfo=None)
