"""Words that are looked for in foreign text, in one pass over it however many they are (Aho-Corasick): no text makes it
slow, unlike patterns that go back.

`word` is a whole word, `word*` begins one, `*word` ends one, `*word*` is inside one; several words are a phrase. Case,
accents and hyphens do not count.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from ahocorasick_rs import AhoCorasick
from msgspec import Struct


def fold(text: str) -> str:
    """Lower case without accents, hyphens and line ends as blanks; ø and ł carry no accent to drop: spelled out."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    bare = (
        "".join(c for c in folded if not unicodedata.combining(c)).replace("’", "'").replace("ø", "o").replace("ł", "l")
    )
    return re.sub(r"[\s-]+", " ", bare)


class Word(Struct, frozen=True, array_like=True):
    """`stem` is folded. `begins`, `ends`: it must begin a word, end one."""

    stem: str
    begins: bool
    ends: bool


def word(pattern: str) -> Word:
    """Raises ValueError for what has no letter or digit."""
    stem = fold(pattern.strip().strip("*")).strip()
    if not any(character.isalnum() for character in stem):
        raise ValueError(f"{pattern!r} is no word: write fire, brand*, *lek or gas leak")
    return Word(stem, not pattern.strip().startswith("*"), not pattern.strip().endswith("*"))


class Finder:
    """Finds words in texts."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        self._automaton = AhoCorasick([one.stem for one in words])

    def places(self, folded: str) -> Iterator[tuple[int, int, int]]:
        """(which word, where it begins, where it ends) of each in a folded text."""
        for number, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            one = self._words[number]
            if one.begins and start and _of_a_word(folded[start - 1]):
                continue
            if one.ends and end < len(folded) and _of_a_word(folded[end]):
                continue
            yield number, start, end

    def any_in(self, folded: str) -> bool:
        """Whether there is one of them in a folded text."""
        return next(self.places(folded), None) is not None


def _of_a_word(character: str) -> bool:
    return character.isalnum() or character == "_"
