"""Which repetitions (RFC 5545, 3.3.10) are worked out, and which no event anybody plans has. Pure."""

from datetime import datetime
from typing import Any

_STEPS_MAX = 200_000  # from an event's beginning to the end of the time looked at
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
