"""From a message to the words one person reads or hears. Pure.

What goes out says first whether it is an exercise or a test, then whether it may be a repetition; an ask ends with how
to answer it. Where all that does not go through, what a sender wrote is shortened first (between words), so that what
is wanted still stands; then the end of the message; neither those beginnings nor the code is ever cut.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from msgspec import Struct

from hub.model import sms
from hub.model.message import Message, Text, Verb
from hub.model.people import Language
from hub.model.signal import SEVERITIES, Info, Severity, Signal, Status

EXERCISE = "hub.exercise"
TEST = "hub.test"
REPEAT = "hub.repeat"
ASK_HINT = "hub.ask-hint"
VERIFY_HINT = "hub.verify-hint"

# What is read over a shoulder or passed on must be known for an exercise by whoever sees it; an SMS has no room for it.
EVERYWHERE = "EXERCICE – OEFENING – ÜBUNG – EXERCISE"

# Where config/messages.yaml has none: a call must go out all the same, and an exercise must be known for one.
_BARE = {
    EXERCISE: "EXERCICE OEFENING ÜBUNG EXERCISE:",
    TEST: "TEST:",
    REPEAT: "(bis?)",
    ASK_HINT: "{code}?",
    VERIFY_HINT: "{code}?",
}

_FALLBACK = (Language.FR, Language.NL, Language.EN, Language.DE)
_HOLE = re.compile(r"\{([a-z][a-z0-9_-]*)\}")
_SUBJECT_MAX = 150
NAMED_MOST = 3  # places that are named one by one
_LANGUAGES = tuple(Language)  # the order of the words below
_SEVERITY = {
    Severity.UNKNOWN: ("inconnu", "onbekend", "unbekannt", "unknown"),
    Severity.MINOR: ("faible", "gering", "gering", "minor"),
    Severity.MODERATE: ("modéré", "matig", "mäßig", "moderate"),
    Severity.SEVERE: ("grave", "ernstig", "schwer", "severe"),
    Severity.EXTREME: ("extrême", "extreem", "extrem", "extreme"),
}
_VERDICT: dict[str, tuple[str, ...]] = {
    Verb.TRUE: ("VRAI", "JUIST", "WAHR", "TRUE"),
    Verb.FALSE: ("FAUX", "VALS", "FALSCH", "FALSE"),
    Verb.UNSURE: ("INCERTAIN", "ONZEKER", "UNKLAR", "UNSURE"),
}
_NOBODY = {Language.FR: "personne", Language.NL: "niemand", Language.DE: "niemand", Language.EN: "nobody"}
_UNKNOWN = "?"  # for a time or a place nobody gave: "fin ?" can be read, "fin ." makes one look twice
# How times are written (patterns of Unicode's TR 35). In French by numbers: "août" would cost every SMS of August twice
# as many parts. What a voice says of them: `_spoken`.
_WRITTEN = {
    Language.FR: "EEE d/MM 'à' HH'h'mm",
    Language.NL: "EEE d MMM, HH.mm 'uur'",
    Language.DE: "EEE, d. MMM, HH:mm 'Uhr'",
    Language.EN: "EEE d MMM, HH:mm",
}
_SHORTEST = 24  # characters that are left of what a sender wrote before the message itself is cut: no time is longer
_LINK = re.compile(r"\s*\(?\bhttps?://[^\s<>\"')]+\)?")
_SLASH = re.compile(r"(?<=[^\W\d_])\s*/\s*(?=[^\W\d_])")  # between words
_LOCALE = {Language.FR: "fr_BE", Language.NL: "nl_BE", Language.DE: "de_BE", Language.EN: "en_GB"}


class Texts(Struct, frozen=True, kw_only=True):
    """All the words in force: messages by id, sheets' titles by the sheet's name, the centre's own areas by id and in
    which others each lies; times are told in `zone`."""

    messages: Mapping[str, Message]
    titles: Mapping[str, Mapping[Language, str]] = {}
    areas: Mapping[str, Mapping[Language, str]] = {}
    lies_in: Mapping[str, frozenset[str]] = {}
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
    filled = _Values(texts, language, values, signal)
    notices = _notices(texts, status, repeat)
    before = "".join(f"{_line(texts, notice, language, filled)} " for notice in notices)
    if status is Status.EXERCISE and not room.parts:
        before = f"{EVERYWHERE}\n{before}"
    after = ""
    if filled["code"] and room.answers and not room.voice:
        hint = VERIFY_HINT if dict(values).get("verify") else ASK_HINT
        after = "\n" + _line(texts, hint, language, filled)
    subject = _one_line(before + (_fill(body.subject, filled) or _fill(body.text, filled).partition("\n")[0]))
    return Rendered(
        subject=_shortened(subject, _SUBJECT_MAX),
        text=_fit(before, lambda most: _fill(body.text, filled, most), after, room),
        voice=_voice(texts, body, notices, status, _Values(texts, language, values, signal, spoken=room.voice)),
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


def _voice(texts: Texts, body: Text, notices: Iterable[str], status: Status, said: "_Values") -> str:
    """A call says once more at its end what is not in earnest: who was half asleep at its beginning hears it there."""
    first = [_line(texts, notice, said.language, said, spoken=True) for notice in notices]
    last = [f"{first[0].rstrip(' -:.')}."] if status is not Status.ACTUAL else []
    return " ".join([*first, _fill(body.voice or body.text, said), *last])


class _Values(dict[str, str]):
    """What fills the holes. What the signal says is worked out where a text asks for it: most ask for little.
    `spoken`: for a voice, which neither reads links out nor stumbles over signs."""

    def __init__(
        self,
        texts: Texts,
        language: Language,
        values: Iterable[tuple[str, str]],
        signal: Signal | None,
        spoken: bool = False,
    ) -> None:
        super().__init__(values)
        for key in ("sheet", "sheets"):  # ids of sheets become their titles
            if key in self:
                names = [n for n in self[key].split(",") if n]
                self[key] = (", " if spoken else " + ").join(_title(texts, name, language) for name in names)
        if "codes" in self:
            self["codes"] = ", ".join(self["codes"].split())
        if "verdict" in self:
            said = _VERDICT.get(self["verdict"])
            self["verdict"] = self["verdict"] if said is None else said[_LANGUAGES.index(language)]
        if "others" in self and not self["others"]:
            self["others"] = _NOBODY[language]
        self._texts = texts
        self.language = language
        self._signal = signal
        self._info = best_info(signal, language) if signal is not None else None
        self._spoken = spoken
        if "at" in self:  # an instant, as the record has it
            self["at"] = self._when(datetime.fromisoformat(self["at"]))

    def __missing__(self, name: str) -> str:
        value = "" if self._signal is None else self._said(name, self._signal)
        if self._spoken:
            value = _SLASH.sub(", ", _LINK.sub("", value))
        self[name] = value
        return value

    def _said(self, name: str, signal: Signal) -> str:
        info, language = self._info, self.language
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
        return _when(at, self._spoken, self.language, self._texts.zone)


def _line(texts: Texts, message: str, language: Language, values: _Values, spoken: bool = False) -> str:
    if message not in texts.messages:
        return _fill(_BARE[message], values)
    text = _text(texts, message, language)
    return _fill((spoken and text.voice) or text.text, values).strip()


def _title(texts: Texts, sheet: str, language: Language) -> str:
    return _in(texts.titles.get(sheet, {}), language) or sheet


def _in(names: Mapping[Language, str], language: Language) -> str:
    return next((names[lang] for lang in (language, *_FALLBACK) if lang in names), "")


def _areas(texts: Texts, info: Info, language: Language) -> str:
    """In the centre's own names where it has one, else in the sender's; as it stands in the text where it was read from
    there."""
    ours = dict.fromkeys(p for area in info.areas if not area.from_text for p in area.places if p in texts.areas)
    names = dict.fromkeys(_in(texts.areas[place], language) for place in _closest(list(ours), texts.lies_in))
    for area in info.areas:
        if area.from_text or not any(place in ours for place in area.places):
            names[_one_line(area.description)] = None
    return ", ".join(name for name in names if name)


def _closest(places: Sequence[str], lies_in: Mapping[str, frozenset[str]]) -> Sequence[str]:
    """Those that say best where it is: a few narrow ones each by name ("Ixelles", not the Region in which that lies),
    many by the narrowest that holds them all. `places`: the widest first, with all in which any of them lies."""
    narrow = [place for place in places if not any(place in lies_in.get(other, ()) for other in places)]
    if len(narrow) <= NAMED_MOST:
        return narrow
    holding = [place for place in places if all(place in lies_in.get(one, ()) for one in narrow)]
    return [max(holding, key=lambda place: len(lies_in.get(place, ())))] if holding else places[:1]


@lru_cache(maxsize=1024)  # many messages tell the same times, and Babel takes 50 µs for one
def _when(at: datetime | None, spoken: bool, language: Language, zone: str) -> str:
    """`mar. 14/07 à 02h10`: the weekday saves a mistake in the night."""
    if at is None:
        return _UNKNOWN
    here = at.astimezone(ZoneInfo(zone))
    pattern = _spoken(here, language) if spoken else _WRITTEN[language]
    return format_datetime(here, pattern, locale=_LOCALE[language])


def _spoken(at: datetime, language: Language) -> str:
    """`mardi 14 juillet à 2 heures 10`: in words, as no voice makes a day of "mar. 14/07", nor an hour of "02h10"."""
    minutes = " m" if at.minute else ""
    match language:
        case Language.FR:
            day, hour = "d'er'" if at.day == 1 else "d", "heure" if at.hour < 2 else "heures"
            return f"EEEE {day} MMMM 'à' H '{hour}'{minutes}"
        case Language.NL:
            return f"EEEE d MMMM 'om' H 'uur'{minutes}"
        case Language.DE:
            return f"EEEE, d. MMMM, H 'Uhr'{minutes}"
        case Language.EN:
            return "EEEE d MMMM 'at' H:mm"


def _fill(text: str, values: _Values, most: int | None = None) -> str:
    """In one pass: what is filled in is text, not a template. `most`: how long each of the things filled in may be."""
    if most is None:
        return _HOLE.sub(lambda hole: values[hole[1]], text)
    return _HOLE.sub(lambda hole: _shortened(values[hole[1]], most), text).replace("....", "...")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fit(before: str, fill: Callable[[int | None], str], after: str, room: Room) -> str:
    """The whole, where it goes through; else what is filled in is shortened, and then the end of the message. Before
    any of an SMS is left out, it goes without the accents that make it take twice as many parts."""

    def whole(text: str) -> str:
        return sms.plain(before + text + after) if room.parts else before + text + after

    def goes(text: str) -> bool:
        out = whole(text)
        short = room.longest is None or len(out) <= room.longest
        return short and (not room.parts or sms.segments(out).parts <= room.parts)

    text = fill(None)
    if goes(text):
        return whole(text)
    if room.parts:
        with_accents, fill = fill, lambda most: sms.unaccented(with_accents(most))
        before, after, text = sms.unaccented(before), sms.unaccented(after), fill(None)
        if goes(text):
            return whole(text)
    most = _longest(len(text), lambda most: goes(fill(most)))
    if most >= _SHORTEST:
        return whole(fill(most))
    text = fill(_SHORTEST)
    cut = _longest(len(text), lambda cut: goes(text[:cut] + "..."))
    return whole(_at_a_word(text, cut) + "...")


def _longest(most: int, goes: Callable[[int], bool]) -> int:
    """The greatest number up to `most` for which it goes; 0 where it does for none. Fewer characters never take more
    room."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if goes(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _shortened(text: str, most: int) -> str:
    """Up to so many characters, ending with a word and `...` where there are more."""
    return text if len(text) <= most else _at_a_word(text, most - 3).rstrip(" ,;:-") + "..."


def _at_a_word(text: str, cut: int) -> str:
    """The beginning of a text, up to the end of a word where one ends near."""
    cut = max(0, cut)
    near = max(text.rfind(" ", max(0, cut - 20), cut + 1), text.rfind("\n", max(0, cut - 20), cut + 1))
    return text[: near if near > 0 else cut].rstrip()
