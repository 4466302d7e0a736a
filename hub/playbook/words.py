"""Words as authors mean them: whatever the accents, the case and the ending, in French, Dutch, German and English.

Folding: small letters, no accents (é → e, ü → u, ß → ss, œ → oe), everything but letters and digits is a space.
Stemming is light and the same for all four languages, because a sheet's words carry no language: endings -s, -e,
-n, -x (also several: -es, -en, -nes), -ing and -ed are dropped, and then a doubled last letter is made one:

    gaslek, gaslekken → gaslek      fuite, fuites → fuit       Überschwemmung, Überschwemmungen → uberschwemmung
    brand, branden, Brände → brand  feu, feux → feu            flood, floods, flooded, flooding → flood

A stem is always the beginning of its word, so all words of all sheets are looked for in one pass over the text as
it stands. Not covered: vowels that change their spelling (straat, straten), irregular plurals (travail, travaux),
parts of compounds (Gasleck in Gasleckage): write both.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import ahocorasick_rs

TEXT_MAX = 100_000  # characters of one field that are looked at
_WORD_MAX = 80  # characters of a word (with the spaces before it) within a phrase
FIELD_END = "\x01"  # stands between fields, so that no phrase spans two

_MARKS = re.compile("[\u0300-\u036f]+")
_NOT_A_WORD = re.compile(rf"[^\w{FIELD_END}]+|_+")
# Letters that become two, and what normalisation would turn into something no author means.
_DOUBLE = {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"}
_STROKED = dict(zip("øØðÐłŁđĐıµ¼½¾", "ooddllddiu   ", strict=True))
_SPECIAL = (*_DOUBLE.items(), *_STROKED.items())
_IN_LATIN_1 = tuple(pair for pair in _SPECIAL if ord(pair[0]) < 256)
_PUNCTUATION = ("’", "‘", "“", "”", "„", "–", "—", "…", "€", "\u202f")  # the usual ones that Latin-1 lacks


def _plain(character: str) -> str:
    """The small letter without accent, or the digit; else a space."""
    letter = _MARKS.sub("", unicodedata.normalize("NFKD", character.casefold()))
    return letter if len(letter) == 1 and letter.isascii() and letter.isalnum() else " "


_LATIN_1 = bytes(0x01 if byte == 0x01 else ord(_plain(chr(byte))) for byte in range(256))


def fold(text: str) -> str:
    """Small letters and digits without accents, words set apart by spaces (perhaps several)."""
    try:
        return _fold_latin_1(text)
    except UnicodeEncodeError:
        pass
    for mark in _PUNCTUATION:
        text = text.replace(mark, " ")
    try:
        return _fold_latin_1(text)
    except UnicodeEncodeError:  # any other script: kept, twenty times slower
        for special, letters in _SPECIAL:
            text = text.replace(special, letters)
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text).casefold())
        return _NOT_A_WORD.sub(" ", _MARKS.sub("", unicodedata.normalize("NFKD", text)))


def _fold_latin_1(text: str) -> str:
    if not text.isascii():
        for special, letters in _IN_LATIN_1:
            text = text.replace(special, letters)
    return text.encode("latin-1").translate(_LATIN_1).decode("ascii")


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a folded word; at least three letters of it stay. What holds a digit stays as it is."""
    if not word.isalpha():
        return word
    size = len(word)
    while True:
        last = word[size - 1]
        if size >= 4 and last == word[size - 2] and last not in "aeiou":
            return word[: size - 1]  # gaslekk → gaslek
        if size >= 7 and word.endswith("ing", 0, size):
            size -= 3
        elif size >= 6 and word.endswith("ed", 0, size):
            size -= 2
        elif (size >= 5 and last in "sen") or (size == 4 and last in "sx") or (size > 4 and last == "x"):
            size -= 1
        else:
            return word[:size]


def stems(phrase: str) -> tuple[str, ...]:
    """The stems of a phrase's words."""
    return tuple(stem(word) for word in fold(phrase).split())


def folded_fields(*fields: str) -> str:
    """Several fields as one text to look for phrases in."""
    return fold(f" {f' {FIELD_END} '.join([f[:TEXT_MAX] for f in fields if f])} ")


class Phrases:
    """Many phrases, looked for all at once. Each is known by its index in what was given."""

    def __init__(self, phrases: Sequence[str]) -> None:
        # For each first stem: number of words that follow → those words → indexes of the phrases.
        by_first: dict[str, dict[int, dict[tuple[str, ...], list[int]]]] = {}
        for index, phrase in enumerate(phrases):
            parts = stems(phrase)
            if parts:
                by_length = by_first.setdefault(parts[0], {})
                by_length.setdefault(len(parts) - 1, {}).setdefault(parts[1:], []).append(index)
        self._entries = list(by_first.items())
        self._automaton = ahocorasick_rs.AhoCorasick([f" {first}" for first in by_first]) if by_first else None

    def found(self, text: str) -> Iterable[int]:
        """Indexes of the phrases in a text made by `folded_fields`; one may come several times."""
        if self._automaton is None:
            return ()
        out: list[int] = []
        for which, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            first, by_length = self._entries[which]
            word_end = text.find(" ", end)
            if word_end != end and stem(text[start + 1 : word_end]) != first:
                continue
            for length, following in by_length.items():
                if not length:
                    out += following[()]
                    continue
                words = text[word_end : word_end + _WORD_MAX * length].split(None, length)
                out += following.get(tuple(map(stem, words[:length])), ())
        return out
