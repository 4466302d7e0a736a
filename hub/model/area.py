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
    (19 communes, 6 police zones, the Region ...): playbooks match on them. `from_text`: the sender gave no area, and
    intake read this one from headline and description (docs/places.md); the description is the name as it stands there,
    and the places are those it lies in. It can wake people, and never keeps anybody from being woken."""

    description: str = ""
    polygons: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Geocode, ...] = ()
    altitude_ft: float | None = None
    ceiling_ft: float | None = None
    places: tuple[str, ...] = ()
    from_text: bool = False
