"""Who registered where: those within communes, in streets, inside a polygon. Pure."""

import re
from collections.abc import Iterable

from msgspec import Struct
from shapely import contains_xy, make_valid, prepare
from shapely.geometry import Polygon

from hub.model.area import Point
from hub.model.people import Registered
from hub.people.folding import fold

_NOTHING = 1e-12  # square degrees: a hundredth of a square metre
_NUMBERS = re.compile(r"(.+?)\s+(\d{1,4})(?:\s*-\s*(\d{1,4}))?")


class Street(Struct, frozen=True, kw_only=True):
    """A street, as written by whoever knows it, or its houses from `first` to `last`."""

    name: str
    first: int = 0
    last: int = 9999


class Zone(Struct, frozen=True, kw_only=True):
    """All that is given must hold, of several any one. `polygon`: latitude, longitude (WGS 84, degrees)."""

    communes: tuple[str, ...] = ()
    streets: tuple[Street, ...] = ()
    polygon: tuple[Point, ...] = ()


def street(text: str) -> Street:
    """`Rue Haute`, `Rue Haute 7`, `Rue Haute 1-99`."""
    found = _NUMBERS.fullmatch(text.strip())
    if found is None:
        return Street(name=text.strip())
    first = int(found[2])
    return Street(name=found[1], first=first, last=int(found[3]) if found[3] else first)


def polygon_problem(points: tuple[Point, ...]) -> str:
    """Why it encloses nothing, and what would be right; `""` when it does."""
    if len(points) < 3:
        return "a polygon has three corners at least: latitude and longitude of each"
    if any(not (-90 <= lat <= 90 and -180 <= lon <= 180) for lat, lon in points):
        return "that is nowhere on Earth: write latitude before longitude, in degrees"
    if make_valid(Polygon([(lon, lat) for lat, lon in points])).area < _NOTHING:
        return "it encloses nothing: its corners lie on one line"
    return ""


def within(registered: Iterable[Registered], zone: Zone) -> list[Registered]:
    """Those in the zone, in their order. Of whom no position is known is in no polygon."""
    communes, streets = frozenset(zone.communes), [(_name(s.name), s) for s in zone.streets]
    shape = make_valid(Polygon([(lon, lat) for lat, lon in zone.polygon])) if zone.polygon else None
    if shape is not None:
        prepare(shape)
    found = []
    for one in registered:
        if communes and one.commune not in communes:
            continue
        if streets and not any(_lives_in(one, name, s) for name, s in streets):
            continue
        if shape is not None and (one.at is None or not contains_xy(shape, one.at[1], one.at[0])):
            continue
        found.append(one)
    return found


def _lives_in(one: Registered, name: str, meant: Street) -> bool:
    if _name(one.street) != name:
        return False
    if (meant.first, meant.last) == (0, 9999):
        return True
    return one.number is not None and meant.first <= one.number <= meant.last


def _name(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", fold(text)).split())
