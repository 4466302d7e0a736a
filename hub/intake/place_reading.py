"""Which of the names found in a text mean a place there, by what stands around them: rules 1 to 5 of
hub/intake/gazetteer.py, one method each."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from hub.intake import place_words as pw
from hub.playbook.words import FIELD_END, fold

_WORD = re.compile(f"{FIELD_END}|(?:[^\\W_]|[\u0300-\u036f])+")
_MARK = re.compile("[\u0300-\u036f]")
_CHUNK = re.compile(r"\S+")
_SPACE = re.compile(r"\s*['’‘\"“„«(]?\s*")
_JOINING = re.compile(r"[\s,/&+()–-]*")
_SENTENCE_ENDS = frozenset(".;:!?\n")
_BREAK = re.compile(r'[,;:!?|/()\[\]{}<>"“”„«»…\x01]|\n\s*\n|\s[-–—]\s')  # no name goes on across it
_SHORT = 4  # letters: a full stop after so few is an abbreviation's
_POSTAL = re.compile("1[0-2][0-9]{2}")
_TITLED = 0.6  # of the longer words with a capital: capitals say nothing there


class Place(Struct, frozen=True, kw_only=True):
    """A place of the list. `within`: the areas it lies in, directly; where that is its own id, it is that area. The
    rest are names: `names` all of them; `doubtful`, `shared` and `club` those that are; `others` longer ones that
    contain one of them and are none of ours."""

    id: str
    within: tuple[str, ...]
    names: tuple[str, ...]
    doubtful: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    club: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


class Name(Struct, frozen=True, gc=False):
    """What a name stands for. `place` None: a town elsewhere (`town`), a word of sport (`sport`), or what is none of
    ours."""

    place: Place | None = None
    doubtful: bool = False
    shared: bool = False
    club: bool = False
    town: bool = False
    sport: bool = False


class Hit(Struct, gc=False):
    """A name in a text: its first and last word, counted from 0."""

    name: Name
    first: int
    last: int
    stands: bool = False  # a place is meant
    open: bool = False  # it would be one, listed with another
    within: tuple[str, ...] = ()

    @property
    def is_area(self) -> bool:
        """Whether it is one of the centre's areas itself, not something in it."""
        place = self.name.place
        return place is not None and place.within == (place.id,)


class Words(Struct, frozen=True, gc=False):
    """The words of a text, as folded and where they stand in it."""

    text: str
    folded: list[str]
    spans: list[tuple[int, int]]

    @classmethod
    def of(cls, text: str, folded: list[str]) -> "Words":
        """`folded`: as `split` gives them; kept unless they cannot be told apart in the text."""
        spans = [match.span() for match in _WORD.finditer(text)]
        if len(spans) == len(folded) and (text.isascii() or all(map(_is, _raws(text, spans), folded))):
            return cls(text, folded, spans)
        # A sign that is several words, or none: each run of signs by itself.
        folded, spans = [], []
        for chunk in _CHUNK.finditer(text):
            parts = split(chunk[0])
            inner = list(_runs(text, *chunk.span()))
            folded += parts
            spans += inner if len(inner) == len(parts) else [chunk.span()] * len(parts)
        return cls(text, folded, spans)

    def raw(self, number: int) -> str:
        """A word as it stands; `""` past the ends."""
        if 0 <= number < len(self.spans):
            start, end = self.spans[number]
            return self.text[start:end]
        return ""

    def before(self, number: int) -> str:
        """What stands between a word and the one before it."""
        return self.text[self.spans[number - 1][1] if number else 0 : self.spans[number][0]]

    def after(self, number: int) -> str:
        """What stands between a word and the one after it."""
        return self.text[
            self.spans[number][1] : self.spans[number + 1][0] if number + 1 < len(self.spans) else len(self.text)
        ]

    def is_broken(self, number: int) -> bool:
        """Whether a sentence, or a part of one, ends before a word."""
        gap = self.before(number)
        return _BREAK.search(gap) is not None or ("." in gap and len(self.folded[number - 1]) > _SHORT)

    def between(self, first: int, last: int) -> str:
        """What stands from the beginning of a word to that of another."""
        return self.text[self.spans[first][0] : self.spans[last][0]]


def split(text: str) -> list[str]:
    """Its words, folded; the sign between fields is one."""
    return fold(text).replace(FIELD_END, f" {FIELD_END} ").split()


def _runs(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the runs of signs are that are part of a word each, taken by itself."""
    begun = start
    for at in range(start, end + 1):
        sign = text[at : at + 1]
        if at == end or not (fold(sign).strip() or _MARK.match(sign)) or sign == FIELD_END:
            if at > begun:
                yield begun, at
            if at < end and sign == FIELD_END:
                yield at, at + 1
            begun = at + 1


def _raws(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[str]:
    return (text[start:end] for start, end in spans)


def _is(raw: str, folded: str) -> bool:
    return raw.lower() == folded or fold(raw).strip() == folded


class Reading:
    """One reading of a text. `language`: two letters, or "" where it is not known."""

    def __init__(self, words: Words, hits: Sequence[Hit], language: str, first_names: frozenset[str]) -> None:
        self._words = words
        self._folded = words.folded
        self._hits = hits
        self._leads = pw.LEADS | pw.ONLY.get(language, frozenset())
        self._articles = pw.ARTICLES_DUTCH if language == "nl" else pw.ARTICLES
        self._first_names = first_names
        long = [raw for raw in _raws(words.text, words.spans) if len(raw) >= 4 and raw[0].isalpha()]
        titled = len(long) >= 4 and sum(raw[0].isupper() for raw in long) >= _TITLED * len(long)
        self._capitals_say = not titled and language != "de"  # there every noun has one
        self._sport = any(hit.name.sport for hit in hits)
        self._starts = {hit.first for hit in hits}
        self._ends = {hit.last for hit in hits if hit.name.place}

    def read(self) -> None:
        """Notes of each hit whether it stands for a place."""
        for hit in self._hits:
            if hit.name.place is None or self._is_street(hit) or self._is_person(hit):
                continue
            if not (hit.name.doubtful or (hit.name.club and self._sport)):
                hit.stands = True
            elif self._has_capital(hit) and not self._has_surname(hit):
                hit.open = True
                hit.stands = self._is_said(hit)
        self._list(self._hits)
        self._list(self._hits[::-1])
        self._leave_out_shared()

    # --- rules 1 and 2 ---

    def _is_street(self, hit: Hit) -> bool:
        if hit.first - 1 in self._ends:
            return False
        if hit.last + 1 < len(self._folded) and self._folded[hit.last + 1] in pw.STREETS_AFTER:
            return True
        if hit.first < 2 or self._folded[hit.first].isdigit():
            return False
        street, of = self._folded[hit.first - 2 : hit.first]
        return (street in pw.STREETS and of in pw.STREET_OF) or (street in pw.STREETS_TO and of in pw.STREET_TO)

    def _is_person(self, hit: Hit) -> bool:
        if hit.first != hit.last or not hit.first or hit.first - 1 in self._ends:
            return False
        return (
            self._folded[hit.first - 1] in self._first_names
            and self._words.raw(hit.first - 1)[0].isupper()
            and not self._words.before(hit.first).strip(" ")
        )

    # --- rules 3 and 4 ---

    def _has_capital(self, hit: Hit) -> bool:
        """Whether a word of it that is no article has one."""
        numbers = range(hit.first, hit.last + 1)
        return any(self._folded[n] not in pw.ARTICLES and self._words.raw(n)[0].isupper() for n in numbers)

    def _has_surname(self, hit: Hit) -> bool:
        after = self._words.raw(hit.last + 1)
        return (
            self._capitals_say
            and after[:1].isupper()
            and hit.last + 1 not in self._starts
            and self._words.after(hit.last) == " "
            and self._folded[hit.last + 1] not in pw.TAILS
        )

    def _is_said(self, hit: Hit) -> bool:
        """Whether what is around it says that it is a place."""
        words, folded = self._words, self._folded
        before, after = words.before(hit.first), words.after(hit.last)
        if before.endswith("#") or (before.endswith("(") and after.startswith(")")):
            return True
        if after in (" ", "-") and hit.last + 1 < len(folded) and folded[hit.last + 1] in pw.TAILS:
            return True
        if self._begins_a_line(hit) and after.lstrip().startswith(":"):
            return True
        number, close = hit.first - 1, _SPACE.fullmatch(before) is not None
        if number >= 0 and close and folded[number] in self._articles:
            close = _SPACE.fullmatch(words.before(number)) is not None
            number -= 1
        if number < 0 or not close:
            return False
        return (
            words.raw(number).lower() in self._leads
            or _POSTAL.fullmatch(folded[number]) is not None
            or (folded[number] in pw.OF and number > 0 and folded[number - 1] in pw.OF_A_PLACE)
            or (folded[number] in pw.BETWEEN_AND and self._is_between(number))
        )

    def _begins_a_line(self, hit: Hit) -> bool:
        return not hit.first or self._folded[hit.first - 1] == FIELD_END or "\n" in self._words.before(hit.first)

    def _is_between(self, number: int) -> bool:
        """Whether an "and" belongs to a "between"."""
        numbers = range(number - 1, max(-1, number - 2 - pw.BETWEEN_MAX), -1)
        begins = next((n for n in numbers if self._folded[n] in pw.BETWEEN), None)
        return begins is not None and not _SENTENCE_ENDS & set(self._words.between(begins, number))

    def _list(self, hits: Sequence[Hit]) -> None:
        """What is listed with a place is one; so is one place in both its languages (Forest / Vorst)."""
        for one, other in pairwise(hits):
            twice = one.open and other.open and one.name.place is other.name.place
            if twice and self._listed(one, other, words_max=0):
                one.stands = True
            if one.stands and other.open and self._listed(one, other):
                other.stands = True

    def _listed(self, one: Hit, other: Hit, words_max: int = 2) -> bool:
        one, other = (one, other) if one.first < other.first else (other, one)
        gap = self._words.text[self._words.spans[one.last][1] : self._words.spans[other.first][0]]
        between = self._folded[one.last + 1 : other.first]
        if not between:
            return _JOINING.fullmatch(gap) is not None and not gap.isspace()
        return len(between) <= words_max and pw.AND.issuperset(between) and not _SENTENCE_ENDS & set(gap)

    # --- rule 5 ---

    def _leave_out_shared(self) -> None:
        towns = [h.first for h in self._hits if h.name.town and self._words.raw(h.first)[0].isupper()]
        if not towns:
            return
        ours = [h.first for h in self._hits if h.name.place and (h.stands or h.is_area) and not h.name.shared]
        for hit in self._hits:
            if hit.stands and hit.name.shared and _nearest(hit.first, towns) < _nearest(hit.first, ours):
                hit.stands = False


def _nearest(number: int, numbers: Sequence[int]) -> float:
    """How far the nearest of some ascending numbers is."""
    at = bisect_left(numbers, number)
    return min((abs(number - n) for n in numbers[max(0, at - 1) : at + 1]), default=float("inf"))
