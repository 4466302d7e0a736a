"""Everything we ship for people to read or hear, as a phone shows and speaks it: rendered in each language, with what
is usual and with the longest that is to be expected. Short, plain, whole, and the first words say what is wanted."""

import re
from datetime import UTC, datetime

import msgspec
import pytest

from connectors.mail.mime import BANNERS, LINK_WORDS
from connectors.mail.page import WORDS
from connectors.matrix.events import REACT
from connectors.twilio.twiml import PHRASES, TAGS, Speech, script
from hub.dispatch.policy import limits_of
from hub.dispatch.render import Rendered, Room, render
from hub.model.area import Area
from hub.model.message import Message, Text
from hub.model.people import Language
from hub.model.signal import Info, Named, Severity, Signal, Status
from hub.model.sms import Encoding, segments
from hub.playbook.language import Call
from tests.conftest import shipped
from tools.phones.twiml import Gather, Say, parse

CONFIG = shipped()[0]
TEXTS = CONFIG.texts_in_force()
NOTICES = ("hub.exercise", "hub.test", "hub.repeat", "hub.ask-hint")  # parts of others
ASKING = {step.action.say for sheet in CONFIG.playbooks for step in sheet.steps if isinstance(step.action, Call)}
ASKING.add("hub.merged-ask")
PARTS_MAX = limits_of("sms").parts

# In the order of Language: fr, nl, de, en.
USUAL = {
    "headline": (
        "Avertissement orange pour orages", "Oranje waarschuwing voor onweer", "Orange Warnung vor Gewitter",
        "Orange warning for thunderstorm",
    ),
    "area": (
        "Région de Bruxelles-Capitale", "Brussels Hoofdstedelijk Gewest", "Region Brüssel-Hauptstadt",
        "Brussels-Capital Region",
    ),
    "sender": ("SIAMU", "DBDMH", "SIAMU", "SIAMU"),
    "decided-by": ("Haut fonctionnaire, 14:05", "Hoge Ambtenaar, 14:05", "Hoher Beamter, 14:05", "Governor, 14:05"),
    "meeting": ("Centre de crise, 15:00", "Crisiscentrum, 15:00", "Krisenzentrum, 15:00", "Crisis centre, 15:00"),
}  # fmt: skip
LONGEST = {
    "headline": (
        "Avertissement orange pour orages: fortes rafales, grêle et forêt de Soignes à évacuer d'urgence",
        "Oranje waarschuwing voor onweer: zware windstoten en hagel, Zoniënwoud dringend te ontruimen",
        "Orange Warnung vor Gewitter: schwere Sturmböen und Hagel, Sonienwald sofort zu räumen",
        "Orange warning for thunderstorm: severe gusts and hail, Forêt de Soignes to be evacuated at once",
    ),
    "area": (
        "Avenue du Président Franklin Roosevelt 1183, Bruxelles/Brussel, et Chaussée de La Hulpe, Watermael-Boitsfort",
        "Franklin Rooseveltlaan 1183, Brussel/Bruxelles, en Terhulpsesteenweg, Watermaal-Bosvoorde",
        "Franklin Rooseveltlaan 1183, Brüssel, und Terhulpsesteenweg, Watermael-Boitsfort",
        "Avenue du Président Franklin Roosevelt 1183, Brussels, and Chaussée de La Hulpe, Watermael-Boitsfort",
    ),
    "sender": ("SIAMU/DBDMH, dispatching de Bruxelles",) * 4,
    "decided-by": ("Haut fonctionnaire de l'Agglomération, 14:05",) * 4,
    "meeting": ("Centre de crise régional, salle 2, 15:00",) * 4,
}  # fmt: skip
VALUES = (
    ("sheet", "emergency-calls-outage"),
    ("sheets", "extreme-weather,emergency-calls-outage,crisis-centre-activation,provincial-phase"),
    ("code", "AB"),
    ("codes", "AB AC AD"),
    ("delegate", "Marie-Françoise Vandenbroucke-De Keersmaecker"),
    ("eta", "120"),
    ("count", "12"),
    ("number", "12"),
    ("report", "RAPPORT"),
    ("over", "4"),
    ("roster", "sitcen-on-call"),
    ("contacts", "Garde sitcen-on-call: Aline Inventée +32450000001 (jusqu’au lun. 30 nov. 08:00)"),
    ("until", "lundi 30 novembre 2026, 06:00"),
    ("at", "2026-08-18T18:00:00+00:00"),
    ("others", "Marie-Françoise Vandenbroucke-De Keersmaecker, Maximiliaan van den Bossche-Denkbeeldig, Jade Sample"),
    ("verdict", "unsure"),
)


def signal(values: dict[str, tuple[str, ...]]) -> Signal:
    blocks = []
    for at, language in enumerate(Language):
        said = {name: given[at] for name, given in values.items()}
        blocks.append(
            Info(
                language=language,
                headline=said["headline"],
                severity=Severity.SEVERE,
                onset=datetime(2026, 8, 18, 0, 10, tzinfo=UTC),  # août: û is no letter of the old alphabet
                expires=datetime(2026, 8, 18, 6, 0, tzinfo=UTC),
                sender_name=said["sender"],
                areas=(Area(description=said["area"]),),
                parameters=(Named("meeting", said["meeting"]), Named("decided-by", said["decided-by"])),
            )
        )
    return Signal(identifier="1", sender="kmi", sent=datetime(2026, 8, 18, tzinfo=UTC), infos=tuple(blocks))


def usual(message: Message, language: Language) -> Rendered:
    values = [(name, {"codes": "A B", "code": "A", "eta": "20"}.get(name, value)) for name, value in VALUES]
    values += [("sheets", "extreme-weather,emergency-calls-outage"), ("delegate", "Els Denkbeeldig")]
    values.append(("others", "Fabien Imaginaire, Els Denkbeeldig"))
    values.append(("verdict", "false"))
    room = Room(longest=1600, parts=PARTS_MAX, answers=message.id in ASKING)
    return render(TEXTS, message.id, language, values=values, signal=signal(USUAL), room=room)


def longest(message: Message, language: Language, voice: bool = False) -> Rendered:
    """As an exercise, perhaps repeated, with all that is long."""
    answers = message.id in ASKING
    room = Room(answers=answers, voice=True) if voice else Room(longest=1600, parts=PARTS_MAX, answers=answers)
    return render(
        TEXTS,
        message.id,
        language,
        values=VALUES,
        signal=signal(LONGEST),
        status=Status.EXERCISE,
        repeat=True,
        room=room,
    )


WHOLE = [message for message in CONFIG.messages.values() if message.id not in NOTICES]
every = pytest.mark.parametrize("message", WHOLE, ids=lambda message: message.id)
asking = pytest.mark.parametrize(
    "message", [message for message in WHOLE if message.id in ASKING], ids=lambda message: message.id
)
in_each = pytest.mark.parametrize("language", Language)


def test_there_are_asks() -> None:
    assert len(ASKING) > 6


# --- SMS ---------------------------------------------------------------------------------------------------


@every
@in_each
def test_a_text_usually_takes_two_plain_sms_at_most(message: Message, language: Language) -> None:
    size, text = segments(usual(message, language).text), usual(message, language).text
    assert size.encoding is Encoding.GSM7, f"{text!r}: a character no old phone has"
    assert size.parts <= 2, f"{size.units} characters: {text!r}"


@every
@in_each
def test_however_long_what_is_filled_in_all_our_own_words_go_through(message: Message, language: Language) -> None:
    text = longest(message, language).text
    assert segments(text).parts <= PARTS_MAX
    assert "{" not in text
    assert not re.search(r"\.{4}|  | [.,:?]", text), text
    at = 0
    for words in re.split(r"\{[a-z-]+\}", message.texts[language].text):
        found = text.find(words.strip(" ."), at)
        assert found >= 0, f"{words!r} is cut from {text!r}"
        at = found
    if message.id in ASKING:
        assert text.endswith(TEXTS.messages["hub.ask-hint"].texts[language].text.replace("{code}", "AB"))


@asking
@in_each
def test_an_ask_begins_with_what_happened_and_what_is_wanted(message: Message, language: Language) -> None:
    text = message.texts[language].text
    first = text.partition("{")[0]
    assert 15 <= len(first) <= 75, f"before the first value: {first!r}"
    assert re.search(r"\?( [^?]+\.)?$", text), "it ends with the question"
    voice = message.texts[language].voice or text
    assert not voice.startswith("{")
    assert re.search(r"\?( [^?]+\.)?$", voice)


# --- calls -------------------------------------------------------------------------------------------------


@every
@in_each
def test_what_is_spoken_can_be_spoken(message: Message, language: Language) -> None:
    """Whole words: no signs, no links, no abbreviations, no code without its letters apart."""
    if not message.texts[language].voice:
        return
    voice = longest(message, language, voice=True).voice
    assert not re.search(r"[/()#*_+{}]|https?:|\b(evtl|bzw|z\.B|o\.a|p\.ex|env|incl|min)\b", voice), voice
    assert not re.search(r"\b(lun|mar|mer|jeu|ven|sam|dim|Mo|Di|Mi|Do|Fr|Sa|So|Aug)\.|\b(Tue|18/08)\b", voice), voice
    assert "AB" not in voice
    first = TEXTS.messages["hub.exercise"].texts[language].voice
    assert voice.startswith(first)


@asking
@in_each
def test_a_call_is_said_whole(message: Message, language: Language) -> None:
    """With the longest values it fits into what may come with the call, question and keys and all."""
    voice = longest(message, language, voice=True).voice
    speech = Speech(language=language, ask=True, action="https://hub.example.org/callback/voice/key/" + "x" * 120)
    verbs = parse(script(voice, speech))
    spoken = [
        verb.text for gather in verbs if isinstance(gather, Gather) for verb in gather.prompt if isinstance(verb, Say)
    ]
    assert spoken == [voice, *[PHRASES[language].ask] * 3]


# --- no language lacks anything ----------------------------------------------------------------------------


@pytest.mark.parametrize("message", CONFIG.messages.values(), ids=lambda message: message.id)
def test_the_languages_say_the_same(message: Message) -> None:
    """The same is filled in in each; what is spoken or a subject in one is so in all; nothing is left untranslated."""
    assert set(message.texts) == set(Language)
    for part in ("text", "subject", "voice"):
        written = [getattr(text, part) for text in message.texts.values()]
        holes = {tuple(sorted(set(re.findall(r"\{[\w-]+\}", text)))) for text in written}
        assert len(holes) == 1, (part, holes)
        assert len({bool(text) for text in written}) == 1, part
        assert not any(written) or len(set(written)) == len(Language), (part, written)


@in_each
def test_what_channels_say_by_themselves_is_there_in_every_language(language: Language) -> None:
    others = [other for other in Language if other is not language]
    for words in (PHRASES, WORDS):
        mine = msgspec.structs.asdict(words[language])
        assert all(mine.values())
        for other in others:
            theirs = msgspec.structs.asdict(words[other])
            assert {name for name, text in mine.items() if theirs[name] == text} == set(), "left untranslated"
            assert {name: re.findall(r"\{\w+\}", text) for name, text in mine.items()} == {
                name: re.findall(r"\{\w+\}", text) for name, text in theirs.items()
            }
    assert all(BANNERS[status][language] for status in BANNERS)
    assert all(LINK_WORDS[language])
    assert REACT[language]
    assert TAGS[language].startswith(language)
    for phrase in msgspec.structs.asdict(PHRASES[language]).values():
        assert not re.search(r"[/()#*_+]|https?:", phrase), phrase


# --- where it is -------------------------------------------------------------------------------------------


def where(language: Language, *descriptions: str, places: tuple[str, ...] | None = None) -> str:
    """As the example's geography finds it, and its words tell it."""
    areas = tuple(Area(description=text, places=places or ()) for text in descriptions)
    said = Signal(identifier="1", sender="x", sent=datetime(2026, 8, 18, tzinfo=UTC), infos=(Info(areas=areas),))
    assert CONFIG.geography is not None
    located = said if places is not None else CONFIG.geography.locate(said, "2026-08-18")
    texts = msgspec.structs.replace(
        CONFIG.texts_in_force(), messages={"m": Message(id="m", texts={language: Text(text="{area}")})}
    )
    return render(texts, "m", language, signal=located).text


@pytest.mark.parametrize(
    ("descriptions", "said"),
    [
        (("ixelles",), "Elsene"),
        (("Ixelles", "Etterbeek"), "Elsene, Etterbeek"),
        (("Ville de Bruxelles, Ixelles, Uccle",), "Stad Brussel, Elsene, Ukkel"),
        (("zone de police Bruxelles-Ouest",), "Politiezone Brussel-West"),  # five communes
        (("Ixelles", "Uccle", "Evere", "Jette"), "Brussels Hoofdstedelijk Gewest"),
        (("Région de Bruxelles-Capitale",), "Brussels Hoofdstedelijk Gewest"),
        (("Belgique", "Ixelles"), "Brussels Hoofdstedelijk Gewest"),
        (("Namur",), "Namur"),
        (("Ixelles", "Namur"), "Elsene, Namur"),
        ((), "?"),
    ],
)
def test_where_it_is_is_told_as_closely_as_it_is_known(descriptions: tuple[str, ...], said: str) -> None:
    assert where(Language.NL, *descriptions) == said


def test_places_that_are_no_longer_configured_are_told_in_the_senders_words() -> None:
    assert where(Language.NL, "Oud-Brussel", places=("no-such-place",)) == "Oud-Brussel"
