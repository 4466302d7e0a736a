"""config/gazetteer.yaml: how the list of places is written, and what can be wrong with it. Pure: text in, no files."""

from collections.abc import Callable, Collection, Iterable
from typing import Annotated

from msgspec import Meta, Struct, field

from hub.binding import Word, bind
from hub.findings import Finding, choice, errors
from hub.intake.gazetteer import Gazetteer, folded_name
from hub.intake.place_reading import Place
from hub.yaml import Document, read

Names = tuple[str, ...]


class PlaceForm(Struct, frozen=True, kw_only=True):
    """How a place is written. Each of its names is found whatever its accents, hyphens and case."""

    kind: Annotated[str, Meta(description="rail station, square, tunnel ... : a word for people", examples=["square"])]
    within: Annotated[
        tuple[Word, ...],
        Meta(description="The areas of areas.yaml it lies in, the smallest there are", examples=["saint-gilles"]),
    ] = field(name="in")
    fr: Annotated[Names, Meta(description="Its names in French", examples=["Gare du Midi"])] = ()
    nl: Annotated[Names, Meta(description="Its names in Dutch", examples=["Zuidstation"])] = ()
    also: Annotated[Names, Meta(description="Its names in other languages", examples=["Brussels-South"])] = ()
    doubtful: Annotated[
        Names,
        Meta(description="Of its names, or besides them, those that mean something else too", examples=["Forest"]),
    ] = ()
    shared: Annotated[
        Names, Meta(description="Of its names those that other towns have too", examples=["Gare du Nord"])
    ] = ()
    club: Annotated[
        Names, Meta(description="Of its names those that are a sports club's too", examples=["Anderlecht"])
    ] = ()
    but_not: Annotated[
        Names,
        Meta(description="Longer names that contain one of its own and are none", examples=["Sint-Gillis-Waas"]),
    ] = ()


class GazetteerForm(Struct, frozen=True, kw_only=True):
    """The names of places that a text is read for, and words that tell what a name means: [places.md](places.md)."""

    places: Annotated[dict[Word, PlaceForm], Meta(description="Id → place; an area's own id: that area")]
    towns_elsewhere: Annotated[
        Names,
        Meta(description="Nearer to one of these than to a place of ours a shared name is theirs", examples=["Paris"]),
    ] = ()
    sport: Annotated[
        Names, Meta(description="Words of sport: where one stands, a club's name is doubtful", examples=["voetbal"])
    ] = ()
    first_names: Annotated[
        Names, Meta(description="A name of one word right after one of these is a person's", examples=["Sophie"])
    ] = ()


def load_gazetteer(
    text: str | bytes, file: str, areas: Collection[str], above: Callable[[str], Iterable[str]]
) -> "tuple[Gazetteer | None, list[Finding]]":
    """The places of config/gazetteer.yaml. `areas`: the ids of areas.yaml; `above`: those that one of them lies in."""
    document = read(text, file)
    form = bind(document, document.root, GazetteerForm)
    if form is None:
        return None, document.findings
    for place_id, place in form.places.items():
        for nth, area in enumerate(place.within):
            if area not in areas:
                node = document.at("places", place_id, "in", nth)
                document.add(node, "unknown-area", f'"{area}" is no area', choice(area, areas))
    _check_names(document, form)
    if errors(document.findings):
        return None, document.findings
    gazetteer = Gazetteer(
        [_place(place_id, place) for place_id, place in form.places.items()],
        above=above,
        towns=form.towns_elsewhere,
        sport=form.sport,
        first_names=form.first_names,
    )
    return gazetteer, document.findings


def _place(place_id: str, form: PlaceForm) -> Place:
    return Place(
        id=place_id,
        within=form.within,
        names=tuple(dict.fromkeys((*form.fr, *form.nl, *form.also, *form.doubtful))),
        doubtful=form.doubtful,
        shared=form.shared,
        club=form.club,
        others=form.but_not,
    )


def _check_names(document: Document, form: GazetteerForm) -> None:
    """A name is one place's; what is said of a name is said of one that there is."""
    owners: dict[tuple[str, ...], str] = {}
    for place_id, place in form.places.items():
        own = {folded_name(name) for name in (*place.fr, *place.nl, *place.also, *place.doubtful)}
        if not own:
            document.add(
                document.at("places", place_id), "no-name", f"{place_id} has no name", "add fr, nl, also or doubtful"
            )
        for key in ("fr", "nl", "also", "doubtful", "but not"):
            for nth, name in enumerate(getattr(place, key.replace(" ", "_"))):
                _check_name(document, ("places", place_id, key, nth), name, place_id, owners)
        for key in ("shared", "club"):
            for nth, name in enumerate(getattr(place, key)):
                if folded_name(name) not in own:
                    document.add(
                        document.at("places", place_id, key, nth),
                        "not-its-name",
                        f'"{name}" is no name of {place_id}',
                        choice(name, (*place.fr, *place.nl, *place.also, *place.doubtful)),
                    )


def _check_name(
    document: Document, path: tuple[str | int, ...], name: str, place_id: str, owners: dict[tuple[str, ...], str]
) -> None:
    words = folded_name(name)
    if not words or not any(word[0].isalpha() for word in words):
        document.add(document.at(*path), "no-name", f'"{name}" has no letters', "write it as people write it")
        return
    owner = owners.setdefault(words, place_id)
    if owner != place_id:
        document.add(
            document.at(*path), "name-twice", f'"{name}" is a name of {owner}, too', "keep it at one of the two"
        )
