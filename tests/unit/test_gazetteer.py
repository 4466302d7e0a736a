"""Which places a text names: the rules, one by one, on the list that ships; and any text at all."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.binding import bind
from hub.intake.gazetteer import TEXT_MAX, Gazetteer
from hub.intake.gazetteer_file import GazetteerForm, load_gazetteer
from hub.intake.place_reading import Place, Words, split
from hub.intake.place_words import ways
from hub.playbook.words import FIELD_END
from hub.yaml import read
from tests.conftest import ROOT, shipped

CONFIG = ROOT / "config"
EXAMPLE = shipped()[0]


def of_the_example() -> Gazetteer:
    geography = EXAMPLE.geography
    assert geography is not None
    text = (CONFIG / "gazetteer.yaml").read_bytes()
    gazetteer, findings = load_gazetteer(text, "config/gazetteer.yaml", geography.places, geography.lies_in)
    assert findings == []
    assert gazetteer is not None
    return gazetteer


GAZETTEER = of_the_example()


def named(text: str, language: str = "fr-BE") -> list[str]:
    """The places' ids, each once."""
    return list(dict.fromkeys(found.place for found in GAZETTEER.find(text, language)))


def within(text: str, language: str = "fr-BE") -> set[str]:
    return {area for found in GAZETTEER.find(text, language) for area in found.within}


# --- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("Saint-Gilles", "saint-gilles"),
        ("St-Gilles", "saint-gilles"),
        ("ST GILLES", "saint-gilles"),
        ("Sint-Gillis", "saint-gilles"),
        ("St.-Gillis", "saint-gilles"),
        ("woluwe-st-lambert", "woluwe-saint-lambert"),
        ("St-Lambrechts-Woluwe", "woluwe-saint-lambert"),
        ("Berchem-Ste-Agathe", "berchem-sainte-agathe"),
        ("boulevard Anspach", "boulevard-anspach"),
        ("bd. Anspach", "boulevard-anspach"),
        ("Bld Anspach", "boulevard-anspach"),
        ("av. Fonsny", "avenue-fonsny"),
        ("chée d’Ixelles", "chaussee-d-ixelles"),
        ("ch. d'Ixelles", "chaussee-d-ixelles"),
        ("Elsensesteenweg", "chaussee-d-ixelles"),
        ("Elsense Steenweg", "chaussee-d-ixelles"),
        ("Elsensestwg", "chaussee-d-ixelles"),
        ("Kroonln", "avenue-de-la-couronne"),
        ("pl. Flagey", "place-flagey"),
        ("Flageyplein", "place-flagey"),
        ("hôp. Brugmann", "chu-brugmann"),
        ("Zuidstation", "gare-du-midi"),
        ("Brussels-South", "gare-du-midi"),
        ("Drève de\nLorraine", "dreve-de-lorraine"),
        ("Étangs noirs", "etangs-noirs"),
        ("etangs noirs", "etangs-noirs"),
    ],
)
def test_a_name_is_found_however_it_is_written(written: str, place: str) -> None:
    assert named(f"Incendie, {written}, ce matin") == [place]


@pytest.mark.parametrize("text", ["Uccleois", "Schaerbeekois", "Le Neuilly-Uccleville", "Elsenestraat", "Vorstlaantje"])
def test_no_name_is_found_within_a_word(text: str) -> None:
    assert named(f"à {text}") == []


def test_the_longest_name_wins_and_tells_where_it_stands() -> None:
    text = "Fumée à la prison de Saint-Gilles, avenue de  la\u00a0Porte de Hal"
    prison, avenue = GAZETTEER.find(text, "fr-BE")
    assert (prison.place, avenue.place) == ("prison-de-saint-gilles", "avenue-de-la-porte-de-hal")
    assert text[prison.start : prison.end] == prison.text == "prison de Saint-Gilles"
    assert avenue.text == "avenue de la Porte de Hal"
    assert text[avenue.start :] == "avenue de  la\u00a0Porte de Hal"


def test_no_name_spans_two_fields() -> None:
    assert named(f"Accident porte {FIELD_END} de Hal") == []
    assert named(f"Travaux à Uccle{FIELD_END}Forest-Midi fermée") == ["uccle", "forest-midi"]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Top in Brussel. Noord-Korea dreigt", ["brussels-capital-region"]),
        ("in Brussel, Zuid-Afrika en Japan", ["brussels-capital-region"]),
        ("in Gent - Brussel - Zuid-Limburg", []),
        ("| Brussels | Region | à Uccle", ["uccle"]),
        (
            "à St. Gilles. Forest-Midi est fermée, bd. Anspach aussi",
            ["saint-gilles", "forest-midi", "boulevard-anspach"],
        ),
    ],
)
def test_no_name_spans_what_ends_a_part_of_a_sentence(text: str, places: list[str]) -> None:
    assert named(text, "nl" if " in " in text else "fr") == places


# --- what surrounds a name ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "place"),
    [
        ("un incendie à Forest", "fr", "forest"),
        ("UN INCENDIE A FOREST, UN BLESSE", "fr", "forest"),
        ("la commune de Forest prévient", "fr", "forest"),
        ("Forest : une école évacuée", "fr", "forest"),
        ("Une école évacuée (Forest)", "fr", "forest"),
        ("Une école évacuée #Forest", "fr", "forest"),
        ("rue du Bac 12, 1190 Forest", "fr", "forest"),
        ("Panne à Uccle, Forest et ailleurs", "fr", "forest"),
        ("Forest / Vorst : panne", "fr", "forest"),
        ("brand in Vorst", "nl", "forest"),
        ("ontploffing te Vorst", "nl", "forest"),
        ("Feuer in Forest Hunderte evakuiert", "de", "forest"),
        ("smoke near Jette station", "en", "jette-station"),
        ("stabbing outside Merode metro", "en", "merode"),
        ("tussen Halle en Delta", "nl", "delta"),
        ("Fire In Forest Kills Two People", "en", "forest"),
        ("manifestation à Bruxelles", "fr", "brussels-capital-region"),
        ("betoging in Brussel", "nl", "brussels-capital-region"),
        ("les rues de Bruxelles", "fr", "brussels-capital-region"),
        ("Bruxelles : un mort dans un accident", "fr", "brussels-capital-region"),
    ],
)
def test_a_doubtful_name_counts_where_something_says_that_it_is_a_place(text: str, language: str, place: str) -> None:
    assert place in named(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("une promenade en forest", "fr"),
        ("il se jette à l'eau", "fr"),
        ("Forest Whitaker à Cannes", "fr"),
        ("in Forest Hills gestern", "en"),
        ("a Forest Ranger of the park", "en"),
        ("a black forest near a lake", "en"),
        ("Vorst verwacht vannacht", "nl"),
        ("in vorst en sneeuw", "nl"),
        ("met Jette Nielsen", "nl"),
        ("in Jette Nielsen herkende hij zijn zus", "nl"),
        ("haar haren waren nat", "nl"),
        ("Bruxelles décide, Rome conteste", "fr"),
        ("Brussel wil strengere regels", "nl"),
        ("Brüssel kritisiert Ungarn", "de"),
        ("Brussels tells Rome to wait", "en"),
        ("les critiques de Bruxelles", "fr"),
        ("un vol vers l'aéroport de Bruxelles", "fr"),
        ("à midi, au centre, vers le nord", "fr"),
        ("Robert Schuman et Jean Monnet", "fr"),
        ("in Robert Schuman had hij een vriend", "nl"),
    ],
)
def test_a_doubtful_name_is_left_alone_otherwise(text: str, language: str) -> None:
    assert named(text, language) == []


def test_the_name_of_a_road_is_not_the_place_it_leads_to() -> None:
    assert named("rue d'Ixelles à Nivelles") == []
    assert named("Steenweg op Ukkel, Halle") == []
    assert named("Brussels Road, Manchester", "en") == []
    assert named("rue de Laeken") == ["rue-de-laeken"]


def test_a_name_right_after_a_first_name_is_a_persons() -> None:
    assert named("l'avocat Marc Uccle a plaidé") == []
    assert named("Jean, Uccle") == ["uccle"]
    assert named("Molenbeek-Saint-Jean Anderlecht") == ["molenbeek-saint-jean", "anderlecht"]


def test_a_clubs_name_is_no_place_where_the_text_speaks_of_sport() -> None:
    assert named("Anderlecht s'impose, l'entraîneur jubile") == []
    assert named("Bagarre à Anderlecht, l'entraîneur témoin") == ["anderlecht"]
    assert named("Anderlecht : une rue inondée") == ["anderlecht"]
    assert named("le RSC Anderlecht") == []


def test_a_shared_name_is_the_nearer_towns() -> None:
    assert named("Agression gare du Nord") == ["gare-du-nord"]
    assert named("Agression gare du Nord à Paris") == []
    assert "gare-du-nord" in named("Bruxelles, gare du Nord : un train pour Paris évacué")
    assert named("Saint-Gilles, La Réunion") == []
    assert named("Sint-Gillis-Waas") == []


@pytest.mark.parametrize(
    ("text", "areas"),
    [
        ("chaussée de Waterloo", {"saint-gilles", "ixelles", "uccle", "brussels-city"}),
        ("chaussée de Waterloo à Uccle", {"uccle"}),
        ("Uccle : accident chaussée de Waterloo", {"uccle"}),
        ("rue Neuve", {"brussels-city"}),
        ("rue Neuve 12 à Uccle", {"uccle"}),
        ("rue Neuve, Bruxelles", {"brussels-city", "brussels-capital-region"}),
        ("gare du Nord, à Schaerbeek", {"schaerbeek", "saint-josse-ten-noode"}),
    ],
)
def test_the_commune_says_which_part_of_a_street_or_which_street_is_meant(text: str, areas: set[str]) -> None:
    assert within(text) == areas


# --- any text ----------------------------------------------------------------------------------------------

NAMES = ("Uccle", "Forest", "gare du Nord", "Paris", "Bruxelles", "chaussée de Waterloo", "Jean ", "rue d'")
PIECES = st.one_of(st.text(max_size=12), st.sampled_from([*NAMES, "à ", " et ", "½", "ﷺ", "e\u0301", FIELD_END, ": "]))


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from(["", "fr", "de-BE", "x", "🦊"]))
@example("UCCLE½UCCLE", "")
@example("ﷺ Uccle", "fr")
@example("Uc\u0327cle", "fr")
def test_any_text_survives_and_what_is_found_stands_there(text: str, language: str) -> None:
    last = 0
    for found in GAZETTEER.find(text, language):
        assert last <= found.start < found.end <= len(text)
        assert " ".join(text[found.start : found.end].split()) == found.text
        assert set(found.within) <= set(EXAMPLE.geography.places if EXAMPLE.geography else ())
        last = found.start  # one sign may be several words


@settings(deadline=None)
@given(st.text(max_size=60))
def test_words_and_their_places_go_together(text: str) -> None:
    words = Words.of(text, split(text))
    assert len(words.folded) == len(words.spans)
    assert words.folded == split(text)


@pytest.mark.parametrize(
    "piece", ["Forest et Uccle, chaussée de Waterloo à Ixelles; ", "à ", "Λ Uccle ", "((((", "St-"]
)
def test_of_a_very_long_text_only_the_beginning_is_looked_at(piece: str) -> None:
    long = piece * (1_000_000 // len(piece))
    assert GAZETTEER.find(long, "fr") == GAZETTEER.find(long[:TEXT_MAX], "fr")


# --- the list ----------------------------------------------------------------------------------------------


def test_an_empty_list_finds_nothing() -> None:
    assert Gazetteer([]).find("à Uccle") == ()


def test_ways_of_writing_begin_with_the_name_itself_and_have_a_bound() -> None:
    assert next(iter(ways(("saint", "gilles")))) == ("saint", "gilles")
    assert set(ways(("saint", "gilles"))) == {("saint", "gilles"), ("st", "gilles")}
    assert len(list(ways(("saint", "boulevard", "chaussee", "steenweg", "avenue")))) == 64
    assert list(ways(())) == [()]


def test_a_list_of_ones_own() -> None:
    mine = Gazetteer([Place(id="a", within=("a",), names=("Alpha", "Beta"), doubtful=("Beta",))], towns=["Rome"])
    assert [f.place for f in mine.find("alpha, Beta, in Beta", "en")] == ["a", "a", "a"]
    assert mine.find("Beta says", "en") == ()


def test_each_place_that_ships_is_found_by_each_sure_name() -> None:
    text = (CONFIG / "gazetteer.yaml").read_text()
    geography = EXAMPLE.geography
    assert geography is not None
    document = read(text, "gazetteer.yaml")
    form = bind(document, document.root, GazetteerForm)
    assert form is not None
    kinds = {place.kind for place in form.places.values()}
    assert {
        "commune",
        "rail station",
        "metro station",
        "tunnel",
        "square",
        "axis",
        "park",
        "hospital",
        "venue",
    } <= kinds
    assert len(form.places) >= 250
    assert set(geography.places) <= set(form.places), "each area has its names"
    for place_id, place in form.places.items():
        for name in (*place.fr, *place.nl, *place.also):
            if name not in place.doubtful and name not in place.club:
                assert named(f"- {name} -") == [place_id], name


def test_each_commune_of_the_areas_is_found_by_its_names() -> None:
    geography = EXAMPLE.geography
    assert geography is not None
    for area_id, area in geography.places.items():
        if area.kind == "commune":
            for name in area.names.values():
                assert area_id in within(f"à {name}"), name


def test_the_example_of_the_page_reads_as_it_says() -> None:
    geography = EXAMPLE.geography
    assert geography is not None
    block = (ROOT / "docs" / "places.md").read_text().partition("```yaml")[2].partition("```")[0]
    gazetteer, findings = load_gazetteer(block, "gazetteer.yaml", geography.places, geography.lies_in)
    assert findings == []
    assert gazetteer is not None
    assert [found.place for found in gazetteer.find("Forest Whitaker, à Forest", "fr")] == ["forest"]
    assert gazetteer.find("gare du Nord à Paris", "fr") == ()
