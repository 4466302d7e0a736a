"""Where a signal applies: CAP areas (3.2.4), and the areas the centre itself has names for.

Coordinates are WGS 84 `(latitude, longitude)` in degrees, in CAP's order. Radii are kilometres.
"""

from msgspec import Struct

Point = tuple[float, float]


class Circle(Struct, frozen=True, array_like=True, gc=False):
    lat: float
    lon: float
    radius_km: float


class Geocode(Struct, frozen=True, array_like=True, gc=False):
    """A code for the area in some system: EMMA_ID, NUTS3, NIS, UGC, SAME ..."""

    system: str
    code: str


class Area(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """The union of all its geometries. `places` are the centre's own area ids that intake found it to touch
    (19 communes, 6 police zones, the Region ...): playbooks match on them."""

    description: str = ""
    polygons: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Geocode, ...] = ()
    altitude_ft: float | None = None
    ceiling_ft: float | None = None
    places: tuple[str, ...] = ()
