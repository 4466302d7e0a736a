"""What a page says, as a signal. Pure."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from connectors.hazards import hazard_in
from connectors.pocsag.config import PocsagConfig, Ric
from connectors.pocsag.line import BAD
from connectors.pocsag.pages import Page, Told
from connectors.text import digest, one_line, plain_text
from hub.connector import SignalItem
from hub.model.area import Area
from hub.model.people import Language
from hub.model.signal import Category, Certainty, Info, MsgType, Named, Reference, Signal

MEDIA_TYPE = "text/plain; charset=utf-8"
HEADLINE_MAX = 160
NO_TEXT = {
    Language.FR: "appel sans texte",
    Language.NL: "oproep zonder tekst",
    Language.DE: "Ruf ohne Text",
    Language.EN: "page without text",
}
_TAGS = {Language.FR: "fr-BE", Language.NL: "nl-BE", Language.DE: "de-BE", Language.EN: "en"}
_UNKNOWN = Ric(name="RIC", category=Category.OTHER)
T = TypeVar("T")


def item_of(page: Page, config: PocsagConfig, sender: str, now: datetime, repeats: Told | None = None) -> SignalItem:
    """`repeats`: an earlier copy of the page, of which less was received."""
    printed = page.printed
    ric = config.ric_of(printed.address, printed.function) or _UNKNOWN
    who = ric.sender or config.sender or sender
    sent = printed.at or now
    named = f"{printed.address}/{printed.function}.{sent.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    identifier = f"{named}.{digest(printed.text)[:8]}"
    signal = Signal(
        identifier=identifier,
        sender=who,
        sent=sent,
        msg_type=MsgType.UPDATE if repeats else MsgType.ALERT,
        references=(Reference(who, repeats.identifier, None),) if repeats else (),
        infos=_infos(page, ric, config),
        notes=_notes(page),
    )
    return SignalItem(
        signal=signal,
        key="pocsag:" + digest(who, identifier),
        original="\n".join(page.lines).encode("utf-8", "surrogateescape"),
        media_type=MEDIA_TYPE,
        reliability=ric.reliability,
        credibility=ric.credibility,
    )


def _infos(page: Page, ric: Ric, config: PocsagConfig) -> tuple[Info, ...]:
    printed = page.printed
    name = ric.name if ric is not _UNKNOWN else f"RIC {printed.address}/{printed.function}"
    language = ric.language or config.language
    text = plain_text(printed.text.replace(BAD, "?"))
    hazard = _meant(text, ric.words) or hazard_in(text, language) or ric.hazard
    parameters = {
        "ric": str(printed.address),
        "function": str(printed.function),
        "kind": printed.kind,
        "baud": str(printed.baud),
        "called": ric.name if ric is not _UNKNOWN else "",
        "damaged": "yes" if printed.damage or printed.lost else "",
    }
    said = [(language, text)] if text else [(_TAGS[spoken], words) for spoken, words in NO_TEXT.items()]
    return tuple(
        Info(
            language=tag,
            categories=(ric.category,),
            event=name,
            hazard=hazard,
            severity=_meant(text, ric.severity_words) or ric.severity,
            certainty=Certainty.UNKNOWN,
            headline=one_line(f"{name}: {words}")[:HEADLINE_MAX],
            description=text,
            parameters=tuple(Named(key, value) for key, value in parameters.items() if value),
            areas=(Area(description=ric.area),) if ric.area else (),
        )
        for tag, words in said
    )


def _meant(text: str, words: Mapping[str, T]) -> T | None:
    """What the first of the words stands for, in the order of the config, that is in the text. Whole words; `*brand`
    ends one, `brand*` begins one. Without accents, capitals and what stands between words."""
    said = _folded(text)
    for word, meaning in words.items():
        wanted = _folded(word, "*")
        if wanted and any(all(map(_fits, wanted, said[n:])) for n in range(len(said) - len(wanted) + 1)):
            return meaning
    return None


def _folded(text: str, kept: str = "") -> list[str]:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return "".join(c if c.isalnum() or c in kept else " " for c in bare).split()


def _fits(wanted: str, word: str) -> bool:
    stem = wanted.strip("*")
    begins, ends = not wanted.startswith("*"), not wanted.endswith("*")
    if begins and ends:
        return word == stem
    return word.startswith(stem) if begins else word.endswith(stem) if ends else stem in word


def _notes(page: Page) -> tuple[str, ...]:
    printed = page.printed
    notes = []
    if printed.damage:
        notes.append(f"{printed.damage} characters were not received: ? stands for each")
    if printed.lost:
        notes.append("it was not received to its end")
    if len(page.lines) > 1:
        notes.append(f"printed as {len(page.lines)} kinds: read as {printed.kind}, which looks most like it")
    return tuple(notes)
