"""What is read from a text: figures, dates and times however they are written, names, what it is about."""

import pytest

from hub.intake.gist import TEXT_MAX, Gist, Reader, keys, usual_reader


def gist(text: str, headline: str = "") -> Gist:
    return usual_reader().gist(headline, text)


@pytest.mark.parametrize(
    ("texts", "figures"),
    [
        (("48.000 euro", "48,000 euros", "48 000 euros", "48\u202f000 €"), ("48000",)),
        (("5,20 m", "5.2 m"), ("5.2",)),
        (("trois blessés", "drie gewonden", "drei Verletzte", "three injured", "3 injured"), ("3",)),
        (("une quarantaine", "een veertigtal", "vierzig", "forty", "40"), ("40",)),
        (("T81", "tram 81", "bus 81", "B081"), ("81",)),
        (("N09", "N9"), ("n9",)),
        (("mid-2024", "mi-2024", "2024"), ("2024",)),
        (("48 heures", "48 uur"), ("48",)),
        (("host-17", "host17"), ("host17",)),
    ],
)
def test_figures(texts: tuple[str, ...], figures: tuple[str, ...]) -> None:
    for text in texts:
        assert gist(text).figures == figures, text


@pytest.mark.parametrize(
    ("texts", "dates"),
    [
        (
            ("le 3/4", "3 avril", "3 april", "April 3", "Apr 3", "3. April", "3.4.2026", "3/4/2026", "3rd April"),
            ("3.4.",),
        ),
        (("1er janvier", "1 januari", "January 1st"), ("1.1.",)),
        (("Du 8/5 au 12/5", "May 8, 9PM-May 12", "van 8 tot 12 mei", "8 mei tot 12 mei"), None),
        (("5/13", "32 mai"), ()),
    ],
)
def test_dates(texts: tuple[str, ...], dates: tuple[str, ...] | None) -> None:
    for text in texts:
        found = gist(text).dates
        assert found == dates if dates is not None else "12.5." in found, text


@pytest.mark.parametrize(
    ("texts", "times"),
    [
        (("18h20", "18 h 20", "18u20", "18:20", "6:20 pm", "18.20 uur", "6.20 p.m."), ("18:20",)),
        (("21h", "21u", "21 heures", "21 uur", "21 Uhr", "9PM", "9 p.m."), ("21:00",)),
        (("lundi", "maandag", "Montag", "on Monday"), ("day:monday",)),
    ],
)
def test_times(texts: tuple[str, ...], times: tuple[str, ...]) -> None:
    for text in texts:
        assert gist(text).times == times, text


def test_names_are_what_is_written_large_and_not_only_because_a_sentence_begins() -> None:
    found = gist("Prenez le bus vers Rogier. Continuez à pied.")
    assert "rogi" in " ".join(found.names)
    assert not {"prenez", "continuez"} & set(found.names)
    assert "prenez" in found.words
    assert gist("", "Vivaqua warns").names == ("vivaqua",)


def test_places_are_one_in_all_languages_and_the_longest_name_counts() -> None:
    for text in ("Un incendie à Anvers", "Brand in Antwerpen", "Ein Feuer in Antwerpen", "A fire in Antwerp"):
        found = gist(text)
        assert (found.places, found.topics) == (("place:antwerp",), ("topic:fire",)), text
    assert gist("Fog in West Flanders").places == ("place:west-flanders",)
    assert gist("la forest et mon hal").places == ()  # Forest, Mons and Hal are written large


def test_streets_are_no_places_and_one_in_french_and_dutch() -> None:
    french, dutch = gist("Accident chaussée de Mons 12"), gist("Ongeval in de Archimedesstraat 12")
    assert french.places == ()
    assert dutch.names == gist("Accident rue Archimède 12").names


def test_a_centre_s_own_names_are_known() -> None:
    reader = Reader(
        {"quartier-nord": ("quartier Nord", "Noordwijk"), "21012": ("Molenbeek-Saint-Jean", "Sint-Jans-M.")}
    )
    assert "name:quartier-nord" in reader.gist("", "Au Quartier Nord").names
    assert reader.gist("", "In de Noordwijk").names == ("name:quartier-nord",)
    assert usual_reader().gist("", "In de Noordwijk").names == ("noordwijk",)
    # What the vocabulary knows is not counted twice, and learns the name that it lacked.
    assert reader.gist("", "In Sint-Jans-M.").names == ("place:molenbeek",) == reader.gist("", "A Molenbeek").names


def test_only_the_beginning_of_a_text_is_read() -> None:
    assert gist("a" * TEXT_MAX + " Rogier 1234").figures == ()
    many = usual_reader().gist(*(f"mot {n}" for n in range(100_000)))
    assert 100 < len(many.figures) < TEXT_MAX


def test_equal_texts_have_equal_keys_and_usual_names_are_none() -> None:
    one = gist("Un incendie à Bruxelles, place Rogier, a fait 24 blessés")
    assert keys(one) == keys(gist("Un incendie à Bruxelles, place Rogier, a fait 24 blessés"))
    assert "place:brussels" in one.names
    assert "place:brussels" not in keys(one)
    assert "#24" in keys(one)
    assert keys(gist("")) == {}
