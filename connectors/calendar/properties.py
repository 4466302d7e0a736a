"""What stands in an event of an iCalendar file (RFC 5545), as text, numbers and names. Pure."""

import re
from typing import Any

_TEXT_MAX = 20_000  # characters
_PROPERTIES_MAX = 60
_GEO_URI = re.compile(r"^geo:(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)")


def no_calendar(text: str) -> str:
    if not re.search(r"(?im)^BEGIN:VCALENDAR[ \t]*\r?$", text):
        return "there is no calendar in it: give the address of an iCalendar file (.ics)"
    if not re.search(r"(?im)^END:VCALENDAR\s*\Z", text):
        return "it is cut off: END:VCALENDAR is missing"
    return ""


def decoded(data: bytes) -> str:
    """UTF-8 (RFC 5545, 3.1.4), else what old programs write."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("windows-1252", "replace")


def several(value: Any) -> list[Any]:
    """A property that may be there not at all, once or more often."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text_of(component: Any, *names: str) -> str:
    for name in names:
        for value in several(component.get(name)):
            if text := str(value).strip():
                return text[:_TEXT_MAX]
    return ""


def categories_of(component: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in several(component.get("categories")):
        for one in getattr(value, "cats", None) or [value]:
            if text := " ".join(str(one).split()):
                found[text[:100]] = None
    return tuple(found)[:20]


def organiser_of(component: Any) -> str:
    value = next(iter(several(component.get("organizer"))), None)
    if value is None:
        return ""
    name = str(getattr(value, "params", {}).get("CN", "")).strip()
    address = re.sub(r"(?i)^mailto:", "", str(value)).strip()
    return f"{name} <{address}>" if name and "@" in address else name or address


def position_of(component: Any) -> tuple[float, float] | None:
    """GEO (RFC 5545, 3.8.1.6: latitude, longitude), or what Apple's calendar writes."""
    geo = next(iter(several(component.get("geo"))), None)
    try:
        if geo is not None:
            lat, lon = float(geo.latitude), float(geo.longitude)
        elif found := _GEO_URI.match(text_of(component, "x-apple-structured-location")):
            lat, lon = float(found[1]), float(found[2])
        else:
            return None
    except (AttributeError, TypeError, ValueError):
        return None
    return (lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else None


def own_properties(component: Any) -> dict[str, str]:
    names = [name for name in component if name.upper().startswith("X-")][:_PROPERTIES_MAX]
    return {name.upper(): text_of(component, name)[:400] for name in names}
