"""JMESPath (jmespath.org) with the few functions that real answers need besides, and what it finds as text or time."""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
import jmespath.exceptions
from jmespath import functions

LENGTH_MAX = 1_000_000  # characters of JSON inside JSON that are read
_MILLISECONDS_FROM = 1e11  # epoch seconds beyond this would be in the year 5138
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:[ T,]+(\d{1,2})[:hu.](\d{2})(?:[:.](\d{2}))?)?")
_LATEST = 253_402_300_799  # 9999-12-31, epoch seconds


class _Functions(functions.Functions):  # type: ignore[misc] # published without types
    """`json(text)`: JSON written inside a text (STIB's API does that). `first(list)`: its first item, or null."""

    @functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator] # published without types
    def _func_json(self, text: str) -> Any:
        try:
            return json.loads(text) if len(text) <= LENGTH_MAX else None
        except (ValueError, RecursionError):
            return None

    @functions.signature({"types": ["array"]})  # type: ignore[untyped-decorator] # published without types
    def _func_first(self, items: list[Any]) -> Any:
        return items[0] if items else None


_OPTIONS = jmespath.Options(custom_functions=_Functions())
FUNCTIONS = frozenset(_Functions.FUNCTION_TABLE)
"""The names of all functions an expression may call."""


def find(expression: str, value: Any) -> Any:
    """What an expression finds; None where there is nothing, or it cannot be worked out for this value."""
    try:
        return jmespath.search(expression, value, options=_OPTIONS)
    except (jmespath.exceptions.JMESPathError, RecursionError):
        return None


def problem_with(expression: str) -> str:
    """Why an expression is none and what would be right; "" where it is one."""
    try:
        jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        first = str(error).partition("\n")[0]
        return f"{expression!r} is no JMESPath expression ({first}): see jmespath.org"
    for function in re.findall(r"\b([a-z_]+)\(", expression):
        if function not in FUNCTIONS:
            return f"{expression!r}: there is no function {function}: {', '.join(sorted(FUNCTIONS))}"
    return ""


def text_of(value: Any) -> str:
    """A text as it is; a number or a truth value as JSON writes it; a list's texts after one another."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return ", ".join(text for one in value if (text := text_of(one)))
    return ""


def instant_of(value: Any, zone: str) -> datetime:
    """ISO 8601, epoch seconds or milliseconds (also as text), RFC 5322, or the day first (14/07/2026 02:10), in UTC;
    without an offset it is of the zone. Raises ValueError."""
    text = text_of(value).strip()
    try:
        if re.fullmatch(r"-?\d+(\.\d+)?", text):
            seconds = float(text)
            seconds = seconds / 1000 if abs(seconds) >= _MILLISECONDS_FROM else seconds
            if not -_LATEST <= seconds <= _LATEST:
                raise ValueError(text)
            return datetime.fromtimestamp(seconds, UTC)
        if day_first := _DAY_FIRST.fullmatch(text):
            day, month, year, hour, minute, second = (int(part or 0) for part in day_first.groups())
            at = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 (its zone is given below)
        else:
            at = datetime.fromisoformat(text) if re.match(r"\d{4}-", text) else parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError) as error:
        raise ValueError(f"{text[:60]!r} is no time") from error
