"""EMSI's positions (POSITION in EGEO and MISSION) as CAP areas. Pure."""

import math
from collections.abc import Iterable

from connectors.cap.node import Node
from connectors.emsi.codes import WGS_84
from connectors.text import one_line
from hub.model.area import Area, Circle, Point

_POINTS_MAX = 10_000
_KM_PER_DEGREE = 111.195  # of a great circle


def areas_of(positions: Iterable[Node], notes: list[str]) -> tuple[Area, ...]:
    """One area for each position that says anything."""
    return tuple(area for position in positions if (area := _area(position, notes)) is not None)


def _area(position: Node, notes: list[str]) -> Area | None:
    words = [*position.texts("NAME"), *position.texts("ADDRESS")]
    named = ", ".join(dict.fromkeys(one_line(word) for word in words if word != "None"))[:400]
    points = _points(position, notes)
    circles: tuple[Circle, ...] = ()
    polygons: tuple[tuple[Point, ...], ...] = ()
    kind = position.first("TYPE").upper()
    if len(points) >= 3 and kind in ("POLYGON", "SURFACE"):
        polygons = (tuple(points) if points[0] == points[-1] else (*points, points[0]),)
    elif len(points) == 2 and kind == "GRID":
        polygons = (_rectangle(*points),)
    elif len(points) >= 2 and kind in ("CIRCLE", "ELLIPSE"):
        # The centre, and points on its edge.
        circles = (Circle(*points[0], round(max(_km(points[0], point) for point in points[1:]), 3)),)
    else:
        circles = tuple(Circle(lat, lon, 0.0) for lat, lon in points)
    if not (named or points):
        return None
    return Area(description=named, circles=circles, polygons=polygons)


def _points(position: Node, notes: list[str]) -> list[Point]:
    system = position.first("COORDSYS").upper().replace(" ", "")
    coords = position.all("COORD")
    if coords and system not in WGS_84:
        notes.append(f"a position in {system[:40]} is not read: EPSG-4326 is")
        return []
    points: list[Point] = []
    for coord in coords[:_POINTS_MAX]:
        try:
            lat, lon = float(coord.first("LAT")), float(coord.first("LONG") or coord.first("LON"))
        except ValueError:
            lat = lon = math.nan
        if abs(lat) <= 90 and abs(lon) <= 180:
            points.append((lat, lon))
        else:
            notes.append(f"{coord.place}: no latitude and longitude in degrees: left out")
    return points


def _rectangle(one: Point, other: Point) -> tuple[Point, ...]:
    (south, north), (west, east) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return ((south, west), (south, east), (north, east), (north, west), (south, west))


def _km(one: Point, other: Point) -> float:
    """Along the great circle (haversine)."""
    a, b = math.radians(one[0]), math.radians(other[0])
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    return math.degrees(2 * math.asin(min(1.0, math.sqrt(half)))) * _KM_PER_DEGREE
