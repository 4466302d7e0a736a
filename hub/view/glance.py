"""Reading a picture (hub/picture.py) for showing: its instants, what is left of them, and its texts made harmless.

A picture may come from the hub itself or as JSON from `/api/status`; both read the same here.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

Picture = Mapping[str, Any]
"""What hub/picture.py makes, with `lost` where whoever asked for it got no answer since (and why not)."""

_HARMLESS_FORMAT = "\u200c\u200d\u00ad"  # joiners and the soft hyphen, which real names use


def plain(value: object, longest: int = 300) -> str:
    """A text from outside as one line that cannot steer a terminal: controls (escape sequences, line ends) and
    characters that turn the direction of reading become a blank or U+FFFD; beyond `longest` it is cut."""
    text = str(value)
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(_harmless(c) for c in cut)


def _harmless(character: str) -> str:
    if character in "\t\n\r\v\f\u0085\u2028\u2029":
        return " "
    category = unicodedata.category(character)
    if category in ("Cc", "Cs") or (category == "Cf" and character not in _HARMLESS_FORMAT):
        return "\ufffd"
    return character


def instant(value: object) -> datetime | None:
    """A picture's instant, as it is or as RFC 3339 text; None where there is none."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and value:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return None


def seconds_left(until: object, now: datetime | None) -> float | None:
    """Seconds from `now` until an instant of the picture, never below 0; None where there is none."""
    at = instant(until)
    return None if at is None or now is None else max(0.0, (at - now).total_seconds())


def countdown(seconds: float) -> str:
    """`0:48`, `12:05`, `3 h 20`: seconds only where they matter."""
    whole = int(seconds + 0.999)  # a deadline shown as 0:00 has come
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02}"
    return f"{whole // 60}:{whole % 60:02}"


def listed(picture: Picture, name: str) -> list[Mapping[str, Any]]:
    """A list of the picture; empty where it is missing."""
    found = picture.get(name)
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list | tuple) else []
