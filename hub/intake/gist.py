"""What a text says, in a form in which texts can be compared: its words, and the facts that outlive translation. Pure.

Words are folded and stemmed as sheets' words are (hub/playbook/words.py), without those that every text has. Facts are
figures, dates and times; names, of places known in four languages or simply written with a capital letter; and what
it is about (hub/intake/vocabulary.py).
"""

import re
import sys
import zlib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from msgspec import Struct
from rensa import RMinHash

from hub.intake.vocabulary import DAYS, LEVELS, MONTHS, NUMBERS, ORGANISATIONS, PLACES, STOP_WORDS, TOPICS
from hub.playbook.words import Phrases, fold, folded_fields, stem, stems

TEXT_MAX = 2_000  # characters of a text that are looked at: the news is at its beginning

# Ten bands of three: of texts that share seven tenths of their words 98 in 100 meet in one, that share half 74.
_BANDS, _ROWS, _SEED = 10, 3, 1

_SCAN = re.compile(
    r"""
    (?P<word>   [^\W\d_]{1,40}+ (?! \d | -\d ) )
  | (?P<date>   (?<![\w.,/]) (?P<day>\d{1,2})
                (?: / (?P<month>\d{1,2}) (?: /\d{2,4} )? | \. (?P<dotted>\d{1,2}) \. (?: \d{4} | \d\d ) ) (?![\w/]) )
  | (?P<clock>  (?<![\w.,/:]) (?P<hour>\d{1,2})
                (?: (?: \s?[HhUu]\s? | : ) (?P<minute>\d\d) (?!\d)
                    (?: \s? (?i: (?P<pm>p\.?m\b) | (?:a\.?m|uur|uhr)\b ) )?
                  | (?: \. (?P<decimal>\d\d) )? \s?
                    (?i: (?P<evening>p\.?m\b) | (?:a\.?m|h|u|uur|uhr|heures?)\b ) )
                (?!\w) )
  | (?P<code>   (?<!\w) (?P<prefix>[A-Za-z]{1,12}) (?: -(?!(?:19|20)\d\d\b) )? (?P<digits>\d{1,9}) (?!\w) )
  | (?P<number> \d{1,3} (?: [.,\u202f\u00a0'’\ ] \d{3} )+ (?!\w) | \d{1,15} (?: [.,]\d{1,9} )? )
                (?: (?:er|e|st|nd|rd|th)\b )?
  | (?P<end>    [.!?](?=\s) )
    """,
    re.VERBOSE,
)
_SPACES = re.compile(r"[.,\u202f\u00a0'’ ](?=\d{3})")
# In compounds, what the Dutch and Germans write on the name of a street.
_STREET = re.compile(
    r"(?:sesteenweg|steenweg|strasse|straat|laan|plein|platz|square|kaai|brug|park|poort|dreef|weg|lei)$"
)
_STREETS = frozenset({"rue", "chaussée", "avenue", "boulevard", "place", "porte", "quai", "square", "ch", "av", "bd"})
_LINES = frozenset({"t", "b", "m", "bus", "tram"})  # T81 is tram 81


class Gist(Struct, frozen=True, gc=False):
    """What a text says. `figures` are numbers and codes, `dates`
    days and months, `times` hours and days of the week; `topics` what it is about, `levels` of a warning; `places`
    those of its names that say where. `tells`: how much it tells in all, weighed. `exact`: equal where all letters
    and figures are."""

    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    tells: int = 0
    exact: int = 0


class Reader:
    """Makes gists of texts. `names`: what is called differently in several languages and is the same, beside what the
    vocabulary knows: its id → what it is called (the centre's areas, say). They tell what is meant, not that it is
    elsewhere: one may lie in another."""

    def __init__(self, names: Mapping[str, Iterable[str]] | None = None) -> None:
        self._meaning: list[tuple[str, str, tuple[str, ...]]] = []
        phrases: list[str] = []
        known: dict[tuple[str, ...], tuple[str, str]] = {}

        def add(kind: str, name: str, said: Iterable[str]) -> None:
            for phrase in said:
                parts = stems(phrase)
                if parts and known.setdefault(parts, (kind, name)) == (kind, name):
                    phrases.append(phrase)
                    self._meaning.append((kind, name, parts))

        for kind, table in (("topic", TOPICS), ("level", LEVELS), ("day", DAYS), ("place", PLACES)):
            for name, words in table.items():
                add(kind, f"{kind}:{name}", words)
        given = [(name, tuple(words)) for name, words in sorted((names or {}).items())]
        for name, called in (*ORGANISATIONS.items(), *given):
            meant = next((known[stems(word)] for word in called if stems(word) in known), ("name", f"name:{name}"))
            add(*meant, called)
        self._phrases = Phrases(phrases)

    def gist(self, *texts: str) -> Gist:
        """The gist of a text in parts (headline, description)."""
        scan = _Scan()
        read: list[str] = []
        left = TEXT_MAX
        for nth, text in enumerate(texts):
            read.append(text[:left])
            scan.read(read[-1], names_first=not nth)
            left -= len(read[-1])
            if not left:
                break
        told: dict[str, set[str]] = {"topic": set(), "level": set(), "day": set(), "place": set(), "name": set()}
        known: set[str] = set()
        folded = folded_fields(*read)
        found = [self._meaning[n] for n in set(self._phrases.found(folded))]
        long = [set(parts) for _, _, parts in found if len(parts) > 1]
        for kind, name, parts in found:
            if kind in ("place", "name") and (
                parts[0] not in scan.capitals or parts[0] in scan.streets or any(set(parts) < other for other in long)
            ):
                continue  # no name, of a street, or part of a longer one: West Flanders is not Flanders
            told[kind].add(name)
            known.update(parts)
        names = (
            {_without_street(n) for n in scan.large - scan.small if n not in known and len(n) > 2}
            | told["place"]
            | told["name"]
        )
        times = scan.times | told["day"]
        return Gist(
            words=tuple(scan.words),
            names=tuple(sorted(names)),
            places=tuple(sorted(n for n in told["place"] if n not in USUAL and not n.startswith(_COUNTRY))),
            figures=tuple(sorted(scan.figures)),
            dates=tuple(sorted(scan.dates)),
            times=tuple(sorted(times)),
            topics=tuple(sorted(told["topic"])),
            levels=tuple(sorted(told["level"])),
            tells=weighed(names)
            + weighed(scan.figures)
            + DATE * len(scan.dates)
            + TIME * len(times)
            + TOPIC * len(told["topic"]),
            exact=zlib.crc32(folded.encode("utf-8", "replace")),
        )


@cache
def usual_reader() -> Reader:
    """The one that knows the vocabulary only."""
    return Reader()


class _Scan:
    """One pass over a text: its words and figures."""

    def __init__(self) -> None:
        self.words: set[str] = set()
        self.capitals: set[str] = set()  # of those, written with a capital letter
        self.large: set[str] = set()  # ... not only because a sentence begins with them
        self.small: set[str] = set()
        self.streets: set[str] = set()  # that streets are called by: chaussée de Mons
        self.figures: set[str] = set()
        self.dates: set[str] = set()
        self.times: set[str] = set()
        self._number = ""  # just read, perhaps the day of a month
        self._month = 0  # just read, perhaps before its day

    def read(self, text: str, *, names_first: bool) -> None:
        """`names_first`: of the first word a capital letter tells something, too (a headline's: Antwerp: ...)."""
        begins = not names_first
        street = 0  # words ahead that may be a street's name
        for found in _SCAN.finditer(text):
            kind = found.lastgroup
            if kind == "word":
                for word in _word(found[0]):
                    if word.plain:
                        if self._number or self._month:
                            self._settle("")
                        self.words.add(word.stem)
                        if not word.large:
                            self.small.add(word.stem)
                        else:
                            self.capitals.add(word.stem)
                            if street > 0:
                                self.streets.add(word.stem)
                            if not begins:
                                self.large.add(word.stem)
                    elif word.number or word.month:
                        self._word_of_number(word)
                    street = 3 if word.street else street - 1
                begins = False
            elif kind == "end":
                begins = True  # and goes on: 24. Oktober
            else:
                self._figures(kind, found)
                begins = False
        self._settle("")

    def _figures(self, kind: str | None, found: re.Match[str]) -> None:
        number = ""
        if kind == "number":
            number = _figure(found["number"])
            if self._month and number.isdigit() and 0 < int(number) <= 31:
                self.dates.add(f"{number}.{self._month}.")
                number = ""
        elif kind == "code":
            self._code(found["prefix"].casefold(), found["digits"])
        elif kind == "clock":
            self._clock(found)
        elif kind == "date":
            self._date(int(found["day"]), int(found["month"] or found["dotted"]))
        self._settle(number)

    def _word_of_number(self, word: "_Word") -> None:
        """A number, or a month: the day may stand before it, or follow."""
        if word.number:
            self._settle(word.number)
            return
        if self._number.isdigit() and int(self._number) <= 31:
            self._date(int(self._number), word.month)
            self._number = ""
        self._settle("")
        self._month = word.month

    def _settle(self, number: str) -> None:
        """What was read before was no date."""
        if self._number:
            self.figures.add(self._number)
        self._number, self._month = number, 0

    def _code(self, prefix: str, digits: str) -> None:
        digits = digits.lstrip("0") or "0"
        self.figures.add(digits if prefix in _LINES else sys.intern(f"{prefix}{digits}"))

    def _date(self, day: int, month: int) -> None:
        if 1 <= day <= 31 and 1 <= month <= 12:
            self.dates.add(f"{day}.{month}.")
        else:
            self.figures.update((str(day), str(month)))

    def _clock(self, found: re.Match[str]) -> None:
        hour, minute = int(found["hour"]), int(found["minute"] or found["decimal"] or 0)
        if (found["pm"] or found["evening"]) and hour < 12:
            hour += 12
        if hour > 24 or minute > 59:
            self.figures.add(str(hour))  # 48 heures: how long, not when
        else:
            self.times.add(f"{hour}:{minute:02}")


class _Word(Struct, frozen=True, gc=False):
    """`plain`: it counts as a word, unlike what every text has, numbers and months."""

    stem: str
    plain: bool = False
    large: bool = False
    street: bool = False  # what follows may be a street's name
    number: str = ""
    month: int = 0


@lru_cache(maxsize=65_536)
def _word(raw: str) -> tuple[_Word, ...]:
    """A word as written, folded and stemmed; what is no letter to folding splits it."""
    small = raw.casefold()
    if small in NUMBERS:
        return (_Word("", number=str(NUMBERS[small])),)
    if small in MONTHS:
        return (_Word("", month=MONTHS[small]),)
    return tuple(
        _Word(
            sys.intern(stem(part)),
            plain=part not in _STOPS and len(part) > 1,
            large=raw[0].isupper(),
            street=small in _STREETS,
        )
        for part in fold(raw).split()
    )


_STOPS = frozenset(part for word in STOP_WORDS for part in fold(word).split())


@lru_cache(maxsize=8_192)
def _figure(raw: str) -> str:
    """48.000, 48,000 and 48 000 are one number, 5,20 and 5.2 another."""
    joined = _SPACES.sub("", raw) if len(raw) > 4 else raw
    whole, point, part = joined.replace(",", ".").partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0") if point else ""
    return f"{whole}.{part}" if part else whole


@lru_cache(maxsize=8_192)
def _without_street(name: str) -> str:
    """Archimedesstraat and rue Archimède are one name."""
    bare = _STREET.sub("", name)
    return sys.intern(stem(bare)) if len(bare) >= 3 and bare != name else name


# --- what a fact is worth -----------------------------------------------------------------------------------

# In tenths of a name, so that sums are exact in whatever order.
NAME, DATE, TIME, TOPIC, LEVEL = 10, 8, 5, 5, 3
USUAL = frozenset({"place:brussels", "place:country:BE", "place:flanders", "place:wallonia"})  # half of all news is
_COUNTRY = "place:country:"


@lru_cache(maxsize=65_536)
def _worth(fact: str) -> int:
    """Of a name or a figure. Small numbers, years and countries are in many texts."""
    if fact in USUAL:
        return 3
    if fact.startswith(_COUNTRY):
        return 5
    if not fact.isdecimal():
        return NAME
    value = int(fact)
    if value <= 12:
        return 4
    return 2 if 1900 <= value <= 2100 else NAME


def weighed(facts: Iterable[str]) -> int:
    """What names or figures are worth together."""
    return sum(map(_worth, facts))


# --- finding what to compare with ---------------------------------------------------------------------------


def keys(gist: Gist) -> dict[int | str, int]:
    """By what a text is found again: bands of its MinHash, and telling names and figures, with what each is worth."""
    found: dict[int | str, int] = dict.fromkeys(_bands(gist.words), NAME) if len(gist.words) >= 3 else {}
    for name in gist.names:
        if name not in USUAL:
            found[name] = _worth(name)
    for figure in gist.figures:
        if len(figure) > 1:
            found["#" + figure] = _worth(figure)
    return found


def _bands(words: tuple[str, ...]) -> list[int]:
    sketch = RMinHash(num_perm=_BANDS * _ROWS, seed=_SEED)
    sketch.update(words)
    digest = sketch.digest()
    return [hash((n, *digest[n * _ROWS : (n + 1) * _ROWS])) for n in range(_BANDS)]
