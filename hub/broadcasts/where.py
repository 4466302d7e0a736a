"""Where the public lives whom a sheet's broadcast tells: what the sheet names, and where the incident is. Pure."""

from msgspec.structs import replace

from hub.config.groups import Areas
from hub.model.broadcast import WHERE_IT_IS, RegisteredIn
from hub.model.signal import Signal


def placed(registered: RegisteredIn | None, signal: Signal | None, areas: Areas) -> RegisteredIn | None:
    """The same with the communes of the incident in place of `where it is`; without any where that is not known."""
    if registered is None or WHERE_IT_IS not in registered.areas:
        return registered
    there = () if signal is None else communes_of(signal, areas)
    named = [place for area in registered.areas for place in (there if area == WHERE_IT_IS else (area,))]
    return replace(registered, areas=tuple(dict.fromkeys(named)))


def communes_of(signal: Signal, areas: Areas) -> tuple[str, ...]:
    """The communes that a signal's areas touch; of an area only known to lie in something larger, all of that."""
    found: dict[str, None] = {}
    for area in (area for info in signal.infos for area in info.areas if area.places):
        own = [place for place in area.places if areas.communes(place) == (place,)]
        found.update(dict.fromkeys(own or areas.communes(area.places[-1])))  # the last is the narrowest
    return tuple(found)
