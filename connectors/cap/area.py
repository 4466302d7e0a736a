"""CAP's geometry (1.2, sections 3.2.4 and 3.3.1): text to figures, with a note for all that is dropped or mended."""

import re

from connectors.cap.node import Node
from connectors.text import one_line
from hub.model.area import Area, Circle, Geocode, Point

_NUMBER = r"[+-]?(?:\d{1,5}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,2})?"
_PAIR = re.compile(rf"({_NUMBER}),({_NUMBER})")
_CIRCLE = re.compile(rf"({_NUMBER})\s*,\s*({_NUMBER})[\s,]+({_NUMBER})")
_HALF_ROUND_KM = 20038.0  # nothing on the globe is further away
_POINTS_MAX = 100_000


def area_of(node: Node, notes: list[str]) -> Area:
    """One CAP area. What cannot be read of its geometry is left out with a note; the area itself always stands."""
    polygons = [polygon_of(text, notes) for text in node.texts("polygon")]
    # A list of [lat, lon] pairs (JSON) arrives as one text for each pair.
    if len(polygons) > 1 and all(_PAIR.fullmatch(text) for text in node.texts("polygon")):
        del notes[len(notes) - len(polygons) :]
        polygons = [polygon_of(" ".join(node.texts("polygon")), notes)]
    circles = [circle_of(text, notes) for text in node.texts("circle")]
    geocodes = tuple(Geocode(name, value) for name, value in pairs(node, "geocode") if value)
    if any(code.system.upper() == "EXCLUDE_POLYGON" for code in geocodes):
        notes.append("EXCLUDE_POLYGON cuts a hole that CAP has no word for: the whole outer area is taken")
    return Area(
        description=one_line(node.first("areaDesc")),
        polygons=tuple(p for p in polygons if p),
        circles=tuple(c for c in circles if c),
        geocodes=geocodes,
        altitude_ft=_feet(node, "altitude", notes),
        ceiling_ft=_feet(node, "ceiling", notes),
    )


def pairs(node: Node, name: str) -> list[tuple[str, str]]:
    """CAP's valueName/value pairs; CAP 1.0's `name=value`; JSON's `{"NAME": ["value", …]}`."""
    out: list[tuple[str, str]] = []
    for child in node.all(name):
        if "valueName" in child.children or "value" in child.children:
            out.append((one_line(child.first("valueName")), child.first("value")))
        elif child.children:
            out += [(key, value.text) for key, values in child.children.items() for value in values]
        elif "=" in child.text:
            key, _, value = child.text.partition("=")
            out.append((key.strip(), value.strip()))
    return out


def polygon_of(text: str, notes: list[str]) -> tuple[Point, ...] | None:
    """`lat,lon lat,lon …`, at least four pairs of which the last repeats the first. An open ring is closed."""
    tokens = re.sub(r"\s*,\s*", ",", text.strip()).split()
    points: list[Point] = []
    for token in tokens[: _POINTS_MAX + 1]:
        pair = _PAIR.fullmatch(token)
        if not pair:
            notes.append(f"polygon left out: {token[:40]!r} is no lat,lon pair")
            return None
        points.append((float(pair.group(1)), float(pair.group(2))))
    if len(points) > _POINTS_MAX:
        notes.append(f"polygon left out: more than {_POINTS_MAX} points")
        return None
    located = _on_globe(points, "polygon", notes)
    if not located:
        return None
    if located[0] != located[-1]:
        located.append(located[0])
        notes.append("polygon was open: closed")
    if len(set(located)) < 3:
        notes.append("polygon left out: fewer than three different points")
        return None
    return tuple(located)


def circle_of(text: str, notes: list[str]) -> Circle | None:
    """`lat,lon radius`, radius in km; 0 (usual for earthquakes) is a point."""
    found = _CIRCLE.fullmatch(text.strip())
    if not found:
        notes.append(f"circle left out: {text[:40]!r} is not lat,lon radius")
        return None
    radius = float(found.group(3))
    if not 0 <= radius <= _HALF_ROUND_KM:
        notes.append(f"circle left out: a radius of {radius:g} km is not possible")
        return None
    located = _on_globe([(float(found.group(1)), float(found.group(2)))], "circle", notes)
    return Circle(located[0][0], located[0][1], radius) if located else None


def _on_globe(points: list[Point], what: str, notes: list[str]) -> list[Point]:
    """The points, swapped where they can only be lon,lat; none where they lie off the globe either way."""
    if all(abs(lat) <= 90 and abs(lon) <= 180 for lat, lon in points):
        return points
    if all(abs(lon) <= 90 and abs(lat) <= 180 for lat, lon in points):
        notes.append(f"{what} is written lon,lat: read the other way round")
        return [(lon, lat) for lat, lon in points]
    notes.append(f"{what} left out: its coordinates are off the globe")
    return []


def _feet(node: Node, name: str, notes: list[str]) -> float | None:
    text = node.first(name)
    if not text:
        return None
    if re.fullmatch(_NUMBER, text):
        return float(text)
    notes.append(f"{name} {text[:20]!r} is no number")
    return None
