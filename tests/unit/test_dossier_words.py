"""What a rise says, in each language: figures as they are written there, one day, and nothing that is usual."""

from datetime import date

import pytest
from msgspec.structs import replace

from hub.dossiers.words import said
from hub.model.event_dossier import Rose
from hub.model.people import Language

ROSE = Rose(dossier="scams", day=date(2026, 11, 7), span=7, count=14, usual=5.25, spans=12)
TITLES = dict.fromkeys(Language, "{title} 100 %")


def headlines(rose: Rose) -> list[str]:
    return [words.headline.partition(" 100 %")[2] for words in said(rose, TITLES)]


@pytest.mark.parametrize(
    ("rose", "told"),
    [
        (
            ROSE,
            [
                " » : 14 signalements en 7 jours, contre 5,2 d'habitude",
                "”: 14 meldingen in 7 dagen, gewoonlijk 5,2",
                "“: 14 Meldungen in 7 Tagen, gewöhnlich 5,2",
                "”: 14 reports in 7 days, usually 5.2",
            ],
        ),
        (
            replace(ROSE, span=1, usual=0.0),
            [
                " » : 14 signalements en un jour, contre aucun d'habitude",
                "”: 14 meldingen op één dag, gewoonlijk geen",
                "“: 14 Meldungen an einem Tag, gewöhnlich keine",
                "”: 14 reports in one day, usually none",
            ],
        ),
        (
            replace(ROSE, count=1400, usual=123.4),
            [
                " » : 1400 signalements en 7 jours, contre 123 d'habitude",
                "”: 1400 meldingen in 7 dagen, gewoonlijk 123",
                "“: 1400 Meldungen in 7 Tagen, gewöhnlich 123",
                "”: 1400 reports in 7 days, usually 123",
            ],
        ),
    ],
)
def test_a_headline_reads_as_it_is_said(rose: Rose, told: list[str]) -> None:
    assert headlines(rose) == told


def test_a_description_names_day_and_average_and_a_title_may_hold_braces() -> None:
    french, dutch, german, english = said(ROSE, TITLES)
    assert "{title} 100 %" in english.headline
    assert "07/11/2026" in french.description
    assert "07/11/2026" in dutch.description
    assert "07.11.2026" in german.description
    assert english.description.endswith("The average of the 12 periods of the same length before is 5.2.")
    assert [words.language for words in said(ROSE, TITLES)] == ["fr-BE", "nl-BE", "de-BE", "en-GB"]
