"""An area's outline from whatever GeoJSON somebody has: one feature, with the area's id. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from shapely import make_valid, unary_union
from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry


class NoOutline(Exception):
    """It is no outline; says what it is instead, and what would be right."""


def outline(text: str, area: str) -> str:
    """All polygons of a GeoJSON text together. Raises NoOutline."""
    try:
        found = [make_valid(shape(geometry)) for geometry in _geometries(json.loads(text))]
    except (ValueError, KeyError, TypeError, AttributeError, ShapelyError) as error:
        raise NoOutline(f"this is no GeoJSON ({type(error).__name__}): give a file with polygons") from error
    polygons = [geometry for geometry in found if geometry.area > 0]
    if not polygons:
        raise NoOutline("there is no polygon in it: give a file with the area's outline")
    whole: BaseGeometry = unary_union(polygons)
    west, south, east, north = whole.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise NoOutline("its coordinates are no degrees of longitude and latitude: export it in WGS 84 (EPSG:4326)")
    feature = {"type": "Feature", "id": area, "properties": {}, "geometry": mapping(whole)}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}) + "\n"


def _geometries(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if found["type"] == "FeatureCollection":
        for feature in found["features"]:
            yield from _geometries(feature)
    elif found["type"] == "Feature":
        if found["geometry"] is not None:
            yield found["geometry"]
    else:
        yield found
