"""From a message to the words one person reads or hears. Pure.

What goes out says first whether it is an exercise or a test, then whether it may be a repetition; an ask ends with how
to answer it. Where a text has to be shortened, only its middle is: neither those beginnings nor the code is ever cut.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from msgspec import Struct

from hub.model import sms
from hub.model.message import Message, Text
from hub.model.people import Language
from hub.model.signal import SEVERITIES, Info, Severity, Signal, Status

EXERCISE = "hub.exercise"
TEST = "hub.test"
REPEAT = "hub.repeat"
ASK_HINT = "hub.ask-hint"

# Where config/messages.yaml has none: a call must go out all the same, and an exercise must be known for one.
_BARE = {
    EXERCISE: "EXERCICE OEFENING ÜBUNG EXERCISE:",
    TEST: "TEST:",
    REPEAT: "(bis?)",
    ASK_HINT: "{code}?",
}

_FALLBACK = (Language.FR, Language.NL, Language.EN, Language.DE)
_HOLE = re.compile(r"\{([a-z][a-z0-9_-]*)\}")
_SUBJECT_MAX = 150
_LANGUAGES = tuple(Language)  # the order of the words below
_SEVERITY = {
    Severity.UNKNOWN: ("inconnu", "onbekend", "unbekannt", "unknown"),
    Severity.MINOR: ("faible", "gering", "gering", "minor"),
    Severity.MODERATE: ("modéré", "matig", "mäßig", "moderate"),
    Severity.SEVERE: ("grave", "ernstig", "schwer", "severe"),
    Severity.EXTREME: ("extrême", "extreem", "extrem", "extreme"),
}
_NOBODY = {Language.FR: "personne", Language.NL: "niemand", Language.DE: "niemand", Language.EN: "nobody"}
_UNKNOWN = "?"  # for a time or a place nobody gave: "fin ?" can be read, "fin ." makes one look twice
# How times are written, and said: no voice makes a day of "mar. 14 juil.".
_WRITTEN = dict.fromkeys(Language, "EEE d MMM, HH:mm")
_SPOKEN = {
    Language.FR: "EEEE d MMMM 'à' H 'h' mm",
    Language.NL: "EEEE d MMMM 'om' H.mm 'uur'",
    Language.DE: "EEEE, d. MMMM, H:mm 'Uhr'",
    Language.EN: "EEEE d MMMM 'at' H:mm",
}
_LOCALE = {Language.FR: "fr_BE", Language.NL: "nl_BE", Language.DE: "de_BE", Language.EN: "en_GB"}


class Texts(Struct, frozen=True, kw_only=True):
    """All the words in force: messages by id, sheets' titles by the sheet's name, the centre's own areas by id; times
    are told in `zone`."""

    messages: Mapping[str, Message]
    titles: Mapping[str, Mapping[Language, str]] = {}
    areas: Mapping[str, Mapping[Language, str]] = {}
    zone: str = "Europe/Brussels"


class Rendered(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    subject: str
    text: str
    voice: str


class Room(Struct, frozen=True, kw_only=True):
    """What a channel carries: `longest` characters, `parts` SMS parts (0: no SMS); `answers` by text, or by `voice`."""

    longest: int | None = None
    parts: int = 0
    answers: bool = False
    voice: bool = False


class NoText(Exception):
    """The message is not in force, or has no text at all."""


def render(
    texts: Texts,
    message: str,
    language: Language,
    *,
    values: Iterable[tuple[str, str]] = (),
    signal: Signal | None = None,
    status: Status = Status.ACTUAL,
    repeat: bool = False,
    room: Room | None = None,
) -> Rendered:
    """The words of a message for one language. `values` with a `code` make it an ask on channels that are answered by
    text. Holes nobody can fill are left out. Raises NoText."""
    room = room or Room()
    body, values = _text(texts, message, language), tuple(values)
    filled = _Values(texts, language, values, signal, _WRITTEN)
    said = _Values(texts, language, values, signal, _SPOKEN) if room.voice else filled
    before = "".join(f"{_line(texts, m, language, filled)} " for m in _notices(texts, status, repeat))
    after = ""
    if filled["code"] and room.answers and not room.voice:
        after = "\n" + _line(texts, ASK_HINT, language, filled)
    text = _fill(body.text, filled)
    subject = _fill(body.subject, filled) or text.partition("\n")[0]
    return Rendered(
        subject=_one_line(before + subject)[:_SUBJECT_MAX],
        text=_fit(before, text, after, room),
        voice=before + _fill(body.voice or body.text, said),
    )


def best_info(signal: Signal, language: Language) -> Info | None:
    """The info block for a reader: theirs, else the first of French, Dutch, English, German there is, else any; of
    several in one language the most severe, of those the first to begin."""
    wanted = (language, *_FALLBACK)

    def rank(info: Info) -> tuple[int, int, float]:
        spoken = info.language[:2].casefold()
        place = next((i for i, lang in enumerate(wanted) if lang == spoken), len(wanted))
        onset = info.onset or info.effective
        return place, -SEVERITIES.index(info.severity), onset.timestamp() if onset else 0.0

    return min(signal.infos, key=rank, default=None)


# --- filling in --------------------------------------------------------------------------------------------


def _notices(texts: Texts, status: Status, repeat: bool) -> list[str]:
    notices: list[str] = []
    if status is Status.EXERCISE:
        notices.append(EXERCISE)
    elif status is not Status.ACTUAL:
        notices.append(TEST if TEST in texts.messages else EXERCISE)
    if repeat:
        notices.append(REPEAT)
    return notices


def _text(texts: Texts, message: str, language: Language) -> Text:
    known = texts.messages.get(message)
    if known is None:
        raise NoText(f'no message "{message}" is in force')
    for lang in (language, *_FALLBACK):
        if lang in known.texts:
            return known.texts[lang]
    raise NoText(f'message "{message}" has no text in any language')


class _Values(dict[str, str]):
    """What fills the holes. What the signal says is worked out where a text asks for it: most ask for little.
    `times`: how they are told (patterns of Unicode's TR 35)."""

    def __init__(
        self,
        texts: Texts,
        language: Language,
        values: Iterable[tuple[str, str]],
        signal: Signal | None,
        times: Mapping[Language, str],
    ) -> None:
        super().__init__(values)
        for key in ("sheet", "sheets"):  # ids of sheets become their titles
            if key in self:
                names = [n for n in self[key].split(",") if n]
                self[key] = " + ".join(_title(texts, name, language) for name in names)
        if "others" in self and not self["others"]:
            self["others"] = _NOBODY[language]
        self._texts = texts
        self._language = language
        self._signal = signal
        self._info = best_info(signal, language) if signal is not None else None
        self._times = times[language]
        if "at" in self:  # an instant, as the record has it
            self["at"] = self._when(datetime.fromisoformat(self["at"]))

    def __missing__(self, name: str) -> str:
        value = "" if self._signal is None else self._said(name, self._signal)
        self[name] = value
        return value

    def _said(self, name: str, signal: Signal) -> str:
        info, language = self._info, self._language
        if info is None:
            if name == "sent":
                return self._when(signal.sent)
            return {"sender": signal.sender, "headline": signal.note}.get(name, "")
        match name:
            case "headline":
                return _one_line(info.headline or info.event)
            case "event":
                return _one_line(info.event)
            case "description":
                return info.description.strip()
            case "instruction":
                return info.instruction.strip()
            case "area":
                return _areas(self._texts, info, language) or _UNKNOWN
            case "severity":
                return _SEVERITY[info.severity][_LANGUAGES.index(language)]
            case "sender":
                return _one_line(info.sender_name or signal.sender)
            case "onset":
                return self._when(info.onset or info.effective or signal.sent)
            case "expires":
                return self._when(info.expires)
            case "sent":
                return self._when(signal.sent)
        # What a person gave when starting a sheet by hand.
        return next((p.value for p in reversed(info.parameters) if p.name == name), "")

    def _when(self, at: datetime | None) -> str:
        return _when(at, self._times, self._language, self._texts.zone)


def _line(texts: Texts, message: str, language: Language, values: _Values) -> str:
    text = _text(texts, message, language).text if message in texts.messages else _BARE[message]
    return _fill(text, values).strip()


def _title(texts: Texts, sheet: str, language: Language) -> str:
    return _in(texts.titles.get(sheet, {}), language) or sheet


def _in(names: Mapping[Language, str], language: Language) -> str:
    return next((names[lang] for lang in (language, *_FALLBACK) if lang in names), "")


def _areas(texts: Texts, info: Info, language: Language) -> str:
    """In the centre's own names where it has one (intake lists the one that says most first), else in the sender's."""
    names: dict[str, None] = {}
    for area in info.areas:
        own = _in(texts.areas.get(area.places[0], {}), language) if area.places else ""
        names[own or _one_line(area.description)] = None
    return ", ".join(name for name in names if name)


@lru_cache(maxsize=1024)  # many messages tell the same times, and Babel takes 50 µs for one
def _when(at: datetime | None, times: str, language: Language, zone: str) -> str:
    """`mar. 14 juil., 02:10`: the weekday saves a mistake in the night."""
    if at is None:
        return _UNKNOWN
    return format_datetime(at, times, tzinfo=ZoneInfo(zone), locale=_LOCALE[language])


def _fill(text: str, values: _Values) -> str:
    """In one pass: what is filled in is text, not a template."""
    return _HOLE.sub(lambda hole: values[hole[1]], text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fit(before: str, text: str, after: str, room: Room) -> str:
    """Shortens the middle until the whole goes through."""
    whole = before + text + after
    if room.parts:
        whole, text = sms.plain(whole), sms.plain(text)
        if sms.segments(whole).parts > room.parts:
            low, high = 0, len(text)  # the longest cut that fits: fewer characters never take more parts
            while low < high:
                middle = (low + high + 1) // 2
                cut = sms.plain(before + text[:middle] + "..." + after)
                if sms.segments(cut).parts <= room.parts:
                    low = middle
                else:
                    high = middle - 1
            whole = sms.plain(before + _at_a_word(text, low) + "..." + after)
    if room.longest is not None and len(whole) > room.longest:
        left = max(0, room.longest - len(before) - len(after) - 3)
        whole = before + _at_a_word(text, left) + "..." + after
    return whole


def _at_a_word(text: str, cut: int) -> str:
    """The beginning of a text, up to the end of a word where one ends near."""
    near = max(text.rfind(" ", max(0, cut - 20), cut + 1), text.rfind("\n", max(0, cut - 20), cut + 1))
    return text[: near if near > 0 else cut].rstrip()
