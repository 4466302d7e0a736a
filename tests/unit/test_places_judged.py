"""How well places are found: against labels made by hand, of recorded texts (by digest) and of sentences with traps.
And what finding them changes: of what was recorded, nothing meets a sheet that did not before."""

import hashlib
import html
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace
from ruamel.yaml import YAML

from connectors.feed.read import read_feed
from hub.connector import SignalItem
from hub.intake.geography import Geography
from hub.model.signal import Hazard, Info, Signal
from hub.model.trust import Credibility, Reliability
from hub.playbook.language import Mode
from hub.playbook.match import Matcher
from hub.playbook.words import FIELD_END
from tests.conftest import shipped

DAY = "2026-07-14"
LABELS = Path(__file__).resolve().parent / "places"
CONFIG = shipped()[0]
FEEDS = (
    "bbc_world_rss_2026-07-16_trimmed.xml",
    "brf_be_rss.xml",
    "guardian_world_rss_2026-07-16_trimmed.xml",
    "sncb_disturbances_en_2023.rss.xml",
    "sncb_disturbances_nl_tidy_2024-01.rss.xml",
)


class Labelled(Struct, frozen=True):
    language: str
    text: str
    names: frozenset[str]

    @property
    def judges(self) -> bool:
        """Of the others the rules were made."""
        return int(digest(self.text), 16) % 2 == 1


class Score(Struct):
    """Of areas that were found and truly named; of texts, whether they name any of the Region."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    here: int = 0
    not_here: int = 0
    here_missed: int = 0

    def add(self, found: frozenset[str], named: frozenset[str], narrow: frozenset[str]) -> None:
        """`narrow`: of what is named the communes, or the Region where that is all."""
        self.right += len(found & named)
        self.wrong += len(found - named)
        self.missed += len(narrow - found)
        self.here += bool(found and named)
        self.not_here += bool(found) > bool(named)
        self.here_missed += bool(named) > bool(found)

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)

    @property
    def texts_recall(self) -> float:
        return self.here / (self.here + self.here_missed)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def geography() -> Geography:
    assert CONFIG.geography is not None
    return CONFIG.geography


def signal_of(language: str, text: str, **more: Any) -> Signal:
    headline, _, description = text.partition(FIELD_END)
    info = Info(language=language, headline=headline, description=description, **more)
    return Signal(identifier=digest(text), sender="s", sent=datetime(2026, 7, 14, tzinfo=UTC), infos=(info,))


def score(texts: Iterable[Labelled]) -> Score:
    """Against the communes that intake finds; the Region only where it finds no commune."""
    total = Score()
    communes = {place.id for place in geography().places.values() if place.kind == "commune"}
    for one in texts:
        (info,) = geography().locate(signal_of(one.language, one.text), DAY).infos
        found = {place for area in info.areas for place in area.places}
        here = frozenset(found & communes or found & {"brussels-capital-region"})
        total.add(here, one.names, one.names & communes or one.names)
    return total


def sentences() -> Iterator[Labelled]:
    for entry in YAML(typ="safe", pure=True).load((LABELS / "sentences.yaml").read_text("utf-8")):
        ((language, text),) = [(key, value) for key, value in entry.items() if key != "names"]
        yield Labelled(language, text, frozenset(entry["names"].split()))


def travellers(samples: Path) -> Iterator[tuple[str, str]]:
    for name in ("2024-05-10", "2024-05-16"):
        rows = json.loads((samples / f"json/stib_travellers_information_{name}.json").read_text())
        for row in rows:
            for message in json.loads(row["content"]):
                for text in message["text"]:
                    yield from ((f"{language}-BE", said) for language, said in text.items())


def recorded(samples: Path) -> Iterator[tuple[str, str]]:
    """Language and text of everything that labels could be of."""
    for name in FEEDS:
        for item in read_feed((samples / "feed" / name).read_bytes(), name):
            if isinstance(item, SignalItem):
                info = item.signal.infos[0]
                yield info.language, f"{info.headline}{FIELD_END}{info.description}"
    rail = json.loads((samples / "json/irail_disturbances_2018-03-16.json").read_text())["disturbance"][0]
    yield "en-US", f"{rail['title']}{FIELD_END}{rail['description']}"
    post = json.loads((samples / "json/mastodon_status_list.json").read_text())[0]
    yield post["language"], html.unescape(re.sub("<[^>]+>", " ", post["content"]))
    yield from travellers(samples)


def labelled(samples: Path) -> list[Labelled]:
    labels = YAML(typ="safe", pure=True).load((LABELS / "samples.yaml").read_text("utf-8"))
    texts = {digest(text): (language, text) for language, text in recorded(samples)}
    return [Labelled(*texts[key], frozenset(names.split())) for key, names in labels.items()]


def test_the_sentences_are_as_many_as_they_are_said_to_be() -> None:
    ours = list(sentences())
    assert len(ours) >= 60
    assert {one.language for one in ours} == {"fr", "nl", "de", "en"}
    assert sum(one.judges for one in ours) >= 30
    assert sum(not one.names for one in ours) >= 20


@pytest.mark.parametrize("judges", [False, True])
def test_sentences_with_traps(judges: bool) -> None:
    made = score(one for one in sentences() if one.judges is judges)
    assert made.precision >= 0.97
    assert made.recall >= 0.88
    assert made.not_here == 0
    assert made.texts_recall >= 0.95


@pytest.mark.parametrize("judges", [False, True])
def test_recorded_texts(samples: Path, judges: bool) -> None:
    """Most of what is missed are stops and streets that the list does not have: docs/places.md."""
    texts = labelled(samples)
    assert len(texts) == 120
    made = score(one for one in texts if one.judges is judges)
    assert made.precision >= 0.97
    assert made.recall >= 0.65
    assert made.not_here == 0


def test_what_was_recorded_opens_no_sheet_for_the_places_it_names(samples: Path) -> None:
    """However well its sources were believed, and as if all sheets ran."""
    matcher = Matcher([replace(sheet, mode=Mode.LIVE) for sheet in CONFIG.playbooks])
    signals = [signal_of(language, text) for language, text in recorded(samples)]
    signals += [signal_of(language, text, hazard=Hazard.PUBLIC_TRANSPORT) for language, text in travellers(samples)]
    named = 0
    for signal in dict.fromkeys(signals):
        located = geography().locate(signal, DAY)
        named += located is not signal
        believed = replace(located, reliability=Reliability.A, credibility=Credibility.CONFIRMED)
        assert matcher.match(believed, believed.sent) == [], signal.identifier
    assert named > 300


@pytest.mark.parametrize(
    ("language", "text", "sheet"),
    [
        ("fr", "De la poudre suspecte trouvée au palais de justice de Bruxelles", "cbrn-find"),
        ("nl", "Verdacht poeder gevonden in een kantoor in de Wetstraat", "cbrn-find"),
        ("nl", "Registratiecentrum verzadigd aan het Klein Kasteeltje in Brussel", "refugee-influx"),
    ],
)
def test_words_meet_a_sheet_of_the_region_by_the_place_they_name(language: str, text: str, sheet: str) -> None:
    matcher = Matcher([replace(one, mode=Mode.LIVE) for one in CONFIG.playbooks])
    signal = replace(signal_of(language, text), reliability=Reliability.B, credibility=Credibility.PROBABLY_TRUE)
    assert matcher.match(signal, signal.sent) == []
    located = geography().locate(signal, DAY)
    assert [met.playbook for met in matcher.match(located, signal.sent)] == [sheet]


@pytest.mark.parametrize(
    "text",
    ["De la poudre suspecte trouvée gare du Nord à Paris", "Bruxelles débat de l'afflux de réfugiés en Grèce"],
)
def test_the_same_words_about_elsewhere_meet_nothing(text: str) -> None:
    matcher = Matcher([replace(one, mode=Mode.LIVE) for one in CONFIG.playbooks])
    signal = replace(signal_of("fr", text), reliability=Reliability.A, credibility=Credibility.CONFIRMED)
    assert matcher.match(geography().locate(signal, DAY), signal.sent) == []
