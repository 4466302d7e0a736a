"""The messages we ship, as a phone shows and speaks them: short, plain, and the first words say what is wanted."""

import re
from pathlib import Path

import pytest

from hub.config import load
from hub.model.message import Message
from hub.model.people import Language
from hub.model.sms import Encoding, plain, segments
from hub.playbook.language import Call
from tests.conftest import ROOT

CONFIG = load(ROOT / "config")[0]
ASKING = {step.action.say for sheet in CONFIG.playbooks for step in sheet.steps if isinstance(step.action, Call)}
ASKING.add("hub.merged-ask")
TYPICAL: dict[str, tuple[str, str, str, str]] = {  # in the order of Language: fr, nl, de, en
    "headline": (
        "Avertissement orange pour orages", "Oranje waarschuwing voor onweer", "Orange Warnung vor Gewitter",
        "Orange warning for thunderstorm",
    ),
    "area": (
        "Région de Bruxelles-Capitale", "Brussels Hoofdstedelijk Gewest", "Region Brüssel-Hauptstadt",
        "Brussels-Capital Region",
    ),
    "onset": ("mar. 14 juil., 02:10", "di 14 jul, 02:10", "Di., 14. Juli, 02:10", "Tue 14 Jul, 02:10"),
    "expires": ("mar. 14 juil., 08:00", "di 14 jul, 08:00", "Di., 14. Juli, 08:00", "Tue 14 Jul, 08:00"),
    "sender": ("SIAMU", "DBDMH", "SIAMU", "SIAMU"),
    "decided-by": ("Haut fonctionnaire, 14:05", "Hoge Ambtenaar, 14:05", "Hoher Beamter, 14:05", "Governor, 14:05"),
    "meeting": ("Centre de crise, 15:00", "Crisiscentrum, 15:00", "Krisenzentrum, 15:00", "Crisis centre, 15:00"),
    "code": ("A", "A", "A", "A"),
    "codes": ("A, B", "A, B", "A, B", "A, B"),
    "contacts": (
        "Garde sitcen-on-call: Aline Inventée +32450000001 (jusqu’au lun. 30 nov. 08:00)",
        "Wacht sitcen-on-call: Bram Verzonnen +32450000002 (tot ma 30 nov 08:00)",
        "Bereitschaft sitcen-on-call: Carla Erfunden +32450000003 (bis Mo., 30. Nov. 08:00)",
        "Roster sitcen-on-call: Jade Sample +32450000025 (until Mon 30 Nov 08:00)",
    ),
    "until": (
        "lundi 30 novembre 2026, 06:00", "maandag 30 november 2026, 06:00", "Montag, 30. November 2026, 06:00",
        "Monday 30 November 2026, 06:00",
    ),
    "delegate": ("Fabien Imaginaire", "Els Denkbeeldig", "Carla Erfunden", "Jade Sample"),
    "roster": ("sitcen-on-call", "sitcen-on-call", "sitcen-on-call", "sitcen-on-call"),
    "at": ("mar. 14 juil., 20:00", "di 14 jul, 20:00", "Di., 14. Juli, 20:00", "Tue 14 Jul, 20:00"),
    "count": ("12", "12", "12", "12"),
    "over": ("4", "4", "4", "4"),
    "others": ("Fabien Imaginaire, Els Denkbeeldig",) * 4,
}  # fmt: skip


def filled(text: str, language: Language) -> str:
    at = list(Language).index(language)
    titles = [sheet.title[language] for sheet in CONFIG.playbooks]
    values = {name: choices[at] for name, choices in TYPICAL.items()}
    values |= {"sheet": max(titles, key=len), "sheets": ", ".join(sorted(titles)[:2])}
    return re.sub(r"\{([\w-]+)\}", lambda hole: values[hole[1]], text)


every = pytest.mark.parametrize("message", CONFIG.messages.values(), ids=lambda message: message.id)
asking = pytest.mark.parametrize(
    "message", [CONFIG.messages[name] for name in sorted(ASKING)], ids=lambda message: message.id
)


def test_there_are_asks() -> None:
    assert len(ASKING) > 6
    assert Path(CONFIG.folder).name == "config"


@every
@pytest.mark.parametrize("language", Language)
def test_a_text_is_at_most_two_plain_sms(message: Message, language: Language) -> None:
    text = filled(message.texts[language].text, language)
    if message.id in ASKING:
        text += "\n" + filled(CONFIG.messages["hub.ask-hint"].texts[language].text, language)
    size = segments(plain(text))
    assert size.encoding is Encoding.GSM7, f"{text!r}: a character no old phone has"
    assert size.parts <= 2, f"{size.units} characters: {text!r}"


@asking
@pytest.mark.parametrize("language", Language)
def test_an_ask_begins_with_what_happened_and_what_is_wanted(message: Message, language: Language) -> None:
    text = message.texts[language].text
    first = text.partition("{")[0]
    assert 15 <= len(first) <= 75, f"before the first value: {first!r}"
    assert re.search(r"\?( [^?]+\.)?$", text), "it ends with the question"
    voice = message.texts[language].voice or text
    assert not voice.startswith("{")
    assert re.search(r"\?( [^?]+\.)?$", voice)


@every
@pytest.mark.parametrize("language", Language)
def test_what_is_spoken_can_be_spoken(message: Message, language: Language) -> None:
    voice = message.texts[language].voice
    assert not re.search(r"[/()#*_]|\b(evtl|bzw|z\.B|o\.a|p\.ex|env|incl)\b", voice), voice


@every
def test_the_languages_say_the_same(message: Message) -> None:
    """The same values in each, in text and subject; a call is spoken in all or in none."""
    holes = {language: sorted(set(re.findall(r"\{[\w-]+\}", text.text))) for language, text in message.texts.items()}
    assert len({tuple(found) for found in holes.values()}) == 1, holes
    assert len({bool(text.subject) for text in message.texts.values()}) == 1
    assert len({bool(text.voice) for text in message.texts.values()}) == 1
