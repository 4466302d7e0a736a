"""A signal as one would read it off by eye: its fields, short, in CAP's words. No long text of anybody's, no name or
address of a person."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from hub.connector import BadItem, SignalItem
from hub.model.area import Area
from hub.model.signal import Info, Reference

Plain = dict[str, Any]

HEAD = 40  # characters of a headline
_CODES = 6  # codes of a system that are written out
_AREAS = 6  # names of areas that are
_ACCOUNT = re.compile(r"(/(?:users/|@))[\w.-]+")
_PERSON = re.compile(r"[\w.+-]+@(?=[\w-]+\.)")


def summary(item: SignalItem | BadItem) -> Plain:
    """Only what it has: what is empty or unknown is left out."""
    if isinstance(item, BadItem):
        return _filled({"error": _plain(item.reason, 160), "place": item.place})
    signal = item.signal
    return _filled(
        {
            "identifier": _plain(signal.identifier, 90),
            "sender": _plain(signal.sender, 60),
            "sent": _time(signal.sent),
            "status": str(signal.status),
            "msgType": str(signal.msg_type),
            "references": [_reference(one) for one in signal.references[:4]],
            "incidents": " ".join(signal.incidents),
            "infos": _blocks(signal.infos),
            "links": len(signal.links),
            "notes": [_plain(note, 100) for note in signal.notes][:5],
            "grade": " ".join(str(g) for g in (item.reliability, item.credibility) if g is not None),
        }
    )


def _reference(one: Reference) -> str:
    return f"{_plain(one.sender, 40)},{_plain(one.identifier, 60)},{_time(one.sent)}"


def _blocks(infos: Sequence[Info]) -> list[Plain]:
    """Each block; what it shares with the first is not said again."""
    blocks = [_info(info) for info in infos]
    first = blocks[0] if blocks else {}
    short = [first] if blocks else []
    for block in blocks[1:]:
        other = {key: value for key, value in block.items() if first.get(key) != value}
        gone = [key for key in first if key not in block]
        short.append({"language": block.get("language", ""), **other} | ({"without": ", ".join(gone)} if gone else {}))
    return short


def _info(info: Info) -> Plain:
    return _filled(
        {
            "language": info.language,
            "category": " ".join(map(str, info.categories)),
            "event": _plain(info.event, HEAD),
            "hazard": str(info.hazard or ""),
            "responseType": " ".join(map(str, info.response_types)),
            "urgency": _known(info.urgency),
            "severity": _known(info.severity),
            "certainty": _known(info.certainty),
            "effective": _time(info.effective),
            "onset": _time(info.onset),
            "expires": _time(info.expires),
            "headline": _plain(info.headline, HEAD),
            "description": f"{len(info.description)} characters" if info.description else "",
            "instruction": f"{len(info.instruction)} characters" if info.instruction else "",
            "eventCode": " ".join(f"{one.name}={one.value}" for one in info.event_codes)[:80],
            "parameters": " ".join(sorted({one.name for one in info.parameters}))[:120],
            "resources": len(info.resources),
            **_area(info.areas),
        }
    )


def _area(areas: Sequence[Area]) -> Plain:
    points = [point for area in areas for ring in area.polygons for point in ring]
    names = [_plain(area.description, HEAD) for area in areas]
    more = [f"and {len(names) - _AREAS} more"] if len(names) > _AREAS else []
    return {
        "areas": names[:_AREAS] + more,
        "geocodes": _codes(areas),
        "polygons": f"{sum(len(a.polygons) for a in areas)}, {len(points)} points, {box(points)}" if points else "",
        "circles": [f"{c.lat:g},{c.lon:g} {c.radius_km:g}" for area in areas for c in area.circles][:4],
    }


def _codes(areas: Sequence[Area]) -> Plain:
    codes: dict[str, list[str]] = {}
    for area in areas:
        for code in area.geocodes:
            codes.setdefault(code.system, []).append(_plain(code.code, 40))
    count = Counter({system: len(found) for system, found in codes.items()})
    return {
        system: " ".join(found) if len(found) <= _CODES else f"{' '.join(found[:3])} ... {count[system]}"
        for system, found in sorted(codes.items())
    }


def box(points: Iterable[tuple[float, ...]]) -> str:
    """South, west .. north, east of latitudes and longitudes, in degrees."""
    lats, lons = zip(*((p[0], p[1]) for p in points), strict=True)
    return f"{min(lats):.2f},{min(lons):.2f} .. {max(lats):.2f},{max(lons):.2f}"


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else ""


def _known(word: Any) -> str:
    return "" if str(word) == "Unknown" else str(word)


def _plain(text: str, most: int) -> str:
    """One line, its beginning, without whom a mail address is of."""
    plain = _PERSON.sub("...@", " ".join(text.split()))
    return _ACCOUNT.sub(r"\1...", plain)[:most].rstrip()


def _filled(fields: Plain) -> Plain:
    return {key: value for key, value in fields.items() if value not in ("", [], {}, 0, None)}
