"""Which of the centre's areas a signal touches: by shape, code and name, on a day."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from hub.intake.gazetteer_file import load_gazetteer
from hub.intake.geography import SWAPPED, Geography, load_areas, shape_files
from hub.model.area import Area, Circle, Geocode
from hub.model.people import Language
from hub.model.signal import Info, Signal

CONFIG = Path(__file__).resolve().parent.parent.parent / "config"
DAY = "2026-07-14"
REGION = "brussels-capital-region"
GRAND_PLACE = (50.8467, 4.3525)


@pytest.fixture(scope="module")
def here() -> Geography:
    text = (CONFIG / "areas.yaml").read_text()
    shapes = {name: (CONFIG / name).read_text() for name in shape_files(text, "areas.yaml")}
    geography, findings = load_areas(text, "config/areas.yaml", shapes)
    assert findings == []
    assert geography is not None
    return geography


def square(lat: float, lon: float, half: float) -> tuple[tuple[float, float], ...]:
    a, b, c, d = lat - half, lat + half, lon - half, lon + half
    return ((a, c), (a, d), (b, d), (b, c), (a, c))


def test_the_region_has_19_communes_in_6_police_zones(here: Geography) -> None:
    kinds = [place.kind for place in here.places.values()]
    assert kinds.count("commune") == 19
    assert kinds.count("police zone") == 6
    assert all(p.within for p in here.places.values() if p.id != REGION)


def test_a_point_is_in_its_commune_its_zone_and_the_region(here: Geography) -> None:
    assert here.touched(Area(circles=(Circle(*GRAND_PLACE, 0),)), DAY) == (
        REGION,
        "police-zone-brussels-capital-ixelles",
        "brussels-city",
    )


def test_a_point_just_outside_the_generalised_line_is_still_found(here: Geography) -> None:
    stockel = Area(circles=(Circle(50.8403, 4.4646, 0),))  # in Woluwe-Saint-Pierre, outside its generalised shape
    assert "woluwe-saint-pierre" in here.touched(stockel, DAY)


def test_a_circle_touches_all_it_covers(here: Geography) -> None:
    assert len(here.touched(Area(circles=(Circle(*GRAND_PLACE, 30),)), DAY)) == 26


def test_a_polygon_touches_what_it_overlaps_and_not_its_neighbours(here: Geography) -> None:
    touched = here.touched(Area(polygons=(square(50.829, 4.369, 0.003),)), DAY)  # Flagey
    assert touched == (REGION, "police-zone-brussels-capital-ixelles", "ixelles")
    assert here.touched(Area(polygons=(square(51.2, 4.4, 0.1),)), DAY) == ()  # Antwerp


@pytest.mark.parametrize(
    ("system", "code"),
    [("EMMA_ID", "BE004"), ("NUTS2", "BE10"), ("NUTS1", "BE1"), ("NUTS3", "be100"), ("NIS", "04000"), ("INS", "21000")],
)
def test_a_code_of_the_region_stands_for_everything_in_it(here: Geography, system: str, code: str) -> None:
    assert len(here.touched(Area(geocodes=(Geocode(system, code),)), DAY)) == 26


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        (Area(geocodes=(Geocode("REFNIS", "21009"),)), "ixelles"),
        (Area(geocodes=(Geocode("POSTAL", "1050"),)), "ixelles"),
        (Area(description="Elsene"), "ixelles"),
        (Area(description="IXELLES"), "ixelles"),
        (Area(description="Sint-Jans-Molenbeek"), "molenbeek-saint-jean"),
        (Area(description="Molenbeek Saint Jean"), "molenbeek-saint-jean"),
        (Area(description="Uccle / Ukkel"), "uccle"),
    ],
)
def test_a_commune_is_found_by_code_and_by_either_name(here: Geography, area: Area, expected: str) -> None:
    touched = here.touched(area, DAY)
    assert expected in touched
    assert REGION in touched
    assert len([p for p in touched if here.places[p].kind == "commune"]) == 1


def test_kmi_knows_brussels_as_brabant(here: Geography) -> None:
    assert REGION in here.touched(Area(description="Brabant"), DAY)
    for other in ("Vlaams-Brabant", "Brabant wallon", "Noord-Brabant"):
        assert here.touched(Area(description=other), DAY) == ()
    for code in ("BE24", "BE31", "BE23"):
        assert here.touched(Area(geocodes=(Geocode("NUTS2", code),)), DAY) == ()


def test_the_widest_area_comes_first(here: Geography) -> None:
    touched = here.touched(Area(geocodes=(Geocode("EMMA_ID", "BE004"),)), DAY)
    assert touched[0] == REGION
    assert here.places[touched[-1]].kind == "commune"


@pytest.mark.parametrize(
    "area",
    [
        Area(polygons=(((float("nan"), 4.0),) * 4,)),
        Area(polygons=(((50.8, 4.3),) * 4,)),
        Area(polygons=(((50.8, 4.3), (50.9, 4.3)),)),
        Area(polygons=(square(50.8, 400.0, 0.1),)),
        Area(circles=(Circle(95.0, 4.3, 1),)),
        Area(circles=(Circle(50.8, 4.3, -1),)),
        Area(circles=(Circle(50.8, 4.3, float("inf")),)),
        Area(geocodes=(Geocode("", ""),)),
        Area(description=" / , "),
        Area(),
    ],
)
def test_what_is_no_place_touches_nothing(here: Geography, area: Area) -> None:
    assert here.touched(area, DAY) == ()


def test_around_a_commune_are_its_zone_and_the_region_and_around_a_zone_its_communes(here: Geography) -> None:
    zone = "police-zone-brussels-capital-ixelles"
    assert set(here.around(["ixelles"])) == {REGION, zone}
    assert set(here.around([zone])) == {REGION, "brussels-city", "ixelles"}
    assert len(here.around([REGION])) == 25
    assert set(here.around(["ixelles", "nowhere"])) == {REGION, zone}
    assert here.around([]) == ()


def test_a_line_that_crosses_itself_still_encloses_something(here: Geography) -> None:
    lat, lon = GRAND_PLACE
    bow = ((lat - 0.1, lon - 0.1), (lat + 0.1, lon + 0.1), (lat - 0.1, lon + 0.1), (lat + 0.1, lon - 0.1))
    assert REGION in here.touched(Area(polygons=((*bow, bow[0]),)), DAY)


def test_swapped_coordinates_are_noted_and_not_believed(here: Geography) -> None:
    swapped = Signal(
        identifier="1",
        sender="s",
        sent=datetime(2026, 7, 14, tzinfo=UTC),
        infos=(Info(areas=(Area(circles=(Circle(4.3525, 50.8467, 1),)),)),),
    )
    located = here.locate(swapped, DAY)
    assert located.infos[0].areas[0].places == ()
    assert located.notes == (SWAPPED,)


def test_locating_fills_in_every_area_of_every_block(here: Geography) -> None:
    infos = tuple(Info(language=lang, areas=(Area(description="Elsene"),)) for lang in ("nl-BE", "fr-BE"))
    located = here.locate(Signal(identifier="1", sender="s", sent=datetime(2026, 7, 14, tzinfo=UTC), infos=infos), DAY)
    assert [REGION in i.areas[0].places for i in located.infos] == [True, True]
    assert here.locate(located, DAY) == located


DATED = """
areas:
  region:
    kind: region
    fr: R
    nl: R
    de: R
    en: R
  old-zone:
    kind: police zone
    fr: Z
    nl: Z
    de: Z
    en: Z
    in: region
    until: 2027-12-31
  new-zone:
    kind: police zone
    fr: N
    nl: N
    de: N
    en: N
    in: region
    from: 2028-01-01
  town:
    kind: commune
    fr: T
    nl: T
    de: T
    en: T
    in: [old-zone, new-zone]
"""


@pytest.mark.parametrize(
    ("day", "zone"), [("2027-12-31", "old-zone"), ("2028-01-01", "new-zone"), ("2030-01-01", "new-zone")]
)
def test_zones_have_dates(day: str, zone: str) -> None:
    geography, findings = load_areas(DATED, "areas.yaml", {})
    assert findings == []
    assert geography is not None
    for _ in range(2):  # also from memory
        assert geography.touched(Area(description="T"), day) == ("region", zone, "town")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("in: region", "in: regoin"), "unknown-area"),
        (("kind: region", "kind: region\n    in: town"), "cycle"),
        (("until: 2027-12-31", "until: soon"), "not-a-day"),
        (("areas:", "shapes: [communes.geojson]\nareas:"), "no-file"),
        (("areas:", "margin: 600\nareas:"), "not-a-distance"),
    ],
)
def test_faults_in_areas_are_told(change: tuple[str, str], rule: str) -> None:
    geography, findings = load_areas(DATED.replace(*change), "areas.yaml", {})
    assert geography is None
    assert {f.rule for f in findings} == {rule}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"features":[{}]}', '{"features":[{"id":"town","geometry":{"type":"X"}}]}']
)
def test_a_shape_file_that_is_none_is_told(text: str) -> None:
    geography, findings = load_areas(f"shapes: [x]\n{DATED}", "areas.yaml", {"x": text})
    assert geography is None
    assert [f.rule for f in findings] == ["not-geojson"]


def test_the_real_brabant_covers_the_region(here: Geography, samples: Path) -> None:
    ring = json.loads((samples / "geo" / "emma_BE004_brabant.geojson").read_text())["geometry"]["coordinates"][0]
    assert len(here.touched(Area(polygons=(tuple((lat, lon) for lon, lat in ring),)), DAY)) == 26


# --- read from the text ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reading(here: Geography) -> Geography:
    text = (CONFIG / "gazetteer.yaml").read_text()
    gazetteer, _ = load_gazetteer(text, "gazetteer.yaml", here.places, here.lies_in)
    assert gazetteer is not None
    return here.reading(gazetteer)


def yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def press(headline: str, description: str = "", **more: Any) -> Signal:
    info = Info(language="fr-BE", headline=headline, description=description, **more)
    return Signal(identifier="1", sender="press", sent=datetime(2026, 7, 14, tzinfo=UTC), infos=(info,))


def areas_of(signal: Signal) -> tuple[Area, ...]:
    return tuple(area for info in signal.infos for area in info.areas)


def test_a_signal_without_areas_gets_one_for_each_place_it_names_with_all_that_it_lies_in(reading: Geography) -> None:
    signal = reading.locate(press("Incendie Bd Anspach, à Bruxelles", "La gare du Midi, elle, est fermée."), DAY)
    assert areas_of(signal) == (
        Area(
            description="Bd Anspach",
            places=(REGION, "police-zone-brussels-capital-ixelles", "brussels-city"),
            from_text=True,
        ),
        Area(description="gare du Midi", places=(REGION, "police-zone-midi", "saint-gilles"), from_text=True),
    )
    assert reading.locate(signal, DAY) == signal


def test_where_only_brussels_is_named_it_is_the_region_and_no_commune_of_it(reading: Geography) -> None:
    (area,) = areas_of(reading.locate(press("Manifestation à Bruxelles"), DAY))
    assert (area.description, area.places) == ("Bruxelles", (REGION,))


def test_a_place_named_twice_is_one_area_as_precise_as_it_is_named(reading: Geography) -> None:
    far = " et encore des travaux" * 10
    signal = press("Chaussée de Waterloo fermée", f"Des travaux{far}. La chaussée de Waterloo à Uccle rouvre demain.")
    road, commune = areas_of(reading.locate(signal, DAY))
    assert road.places == commune.places == (REGION, "police-zone-marlow", "uccle")


def test_a_signal_that_brings_areas_keeps_them_and_is_not_read(reading: Geography, here: Geography) -> None:
    signal = press("Incendie à Uccle", areas=(Area(description="Namur"),))
    assert reading.locate(signal, DAY) == here.locate(signal, DAY)
    both = msgspec.structs.replace(signal, infos=(*signal.infos, Info(language="fr", headline="Incendie à Uccle")))
    assert reading.locate(both, DAY).infos[1].areas == ()


def test_nothing_is_read_without_a_list_nor_where_nothing_is_named(reading: Geography, here: Geography) -> None:
    named, nameless = press("Incendie à Uccle"), press("Incendie à Namur")
    assert here.locate(named, DAY) is named
    assert reading.locate(nameless, DAY) is nameless


def test_blocks_are_read_each_by_itself(reading: Geography) -> None:
    signal = press("Brand", "")
    infos = (
        *signal.infos,
        Info(language="nl-BE", headline="Brand in Vorst"),
        Info(language="en", headline="In Forest Hills"),
    )
    located = reading.locate(msgspec.structs.replace(signal, infos=infos), DAY)
    assert [[area.description for area in info.areas] for info in located.infos] == [[], ["Vorst"], []]


def test_what_is_read_is_in_force_on_the_day() -> None:
    geography, _ = load_areas(DATED, "areas.yaml", {})
    assert geography is not None
    listed = "places: {town: {kind: town, fr: Ville-Test, in: town}, old: {kind: zone, fr: Zone-Test, in: old-zone}}"
    gazetteer, findings = load_gazetteer(listed, "gazetteer.yaml", geography.places, geography.lies_in)
    assert gazetteer is not None, findings
    reading = geography.reading(gazetteer)
    for day, zone in (("2027-12-31", "old-zone"), ("2028-01-01", "new-zone")):
        assert areas_of(reading.locate(press("à Ville-Test"), day))[0].places == ("region", zone, "town")
    assert areas_of(reading.locate(press("en Zone-Test"), "2027-12-31"))[0].places == ("region", "old-zone")
    assert areas_of(reading.locate(press("en Zone-Test"), "2028-01-01"))[0].places == ("region",)


def test_all_communes_of_a_long_list_are_read_and_of_a_longer_one_so_many_places(
    reading: Geography, here: Geography
) -> None:
    communes = {i: place.names[Language.FR] for i, place in here.places.items() if place.kind == "commune"}
    read = areas_of(reading.locate(press(f"Pannes : à {', '.join(communes.values())}"), DAY))
    assert {place for area in read for place in area.places} >= set(communes)
    form = yaml((CONFIG / "gazetteer.yaml").read_text())
    stations = ", ".join(place["fr"] for place in form["places"].values() if isinstance(place.get("fr"), str))
    assert len(areas_of(reading.locate(press(stations), DAY))) == 40


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), max_size=8),
    st.floats(allow_nan=True),
    st.floats(allow_nan=True),
    st.floats(allow_nan=True),
)
def test_no_figures_upset_it(points: list[tuple[float, float]], lat: float, lon: float, radius: float) -> None:
    geography, _ = load_areas(DATED, "areas.yaml", {})
    assert geography is not None
    area = Area(polygons=(tuple(points),), circles=(Circle(lat, lon, radius),))
    assert geography.touched(area, DAY) == ()
    assert not geography.looks_swapped(area)
