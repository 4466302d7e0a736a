"""Places that a text names: districts, stations, squares, streets ... of a list (config/gazetteer.yaml), in any of
their names, and the centre's own areas they lie in. Pure: no files, no clock.

All names are looked for at once, in folded words (hub/playbook/words.py): whole words only, the leftmost and longest
name wins. What a name alone does not tell, its surroundings do, by these rules:

1. The name of a road is not the place it leads to (rue d'Ixelles), unless the list knows the road.
2. A name of one word right after a first name is a person's.
3. A doubtful name (Forest, Jette, Brussels ...) needs a capital, and one of: a word before it that says where or what
   (in, à, gare), "of" after such a noun (commune de Forest), "between ... and", a word after it (Jette station), a
   postal code, a colon after it at the beginning of a line, brackets around it, a # before it, or a place that it is
   listed with. A capitalised word that follows makes it a name of somebody, but in German, and where most words have
   capitals.
4. A club's name is doubtful where the text speaks of sport.
5. A shared name (Gare du Nord) counts unless a town elsewhere is named nearer to it than any place of ours.
6. Of a street in several communes those count that are named within 20 words, where any is. A shared name of a street
   with another commune right after it (rue Neuve à Uccle) is that of a street there, which the list does not know.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import ahocorasick_rs
from msgspec import Struct

from hub.intake import place_words as pw
from hub.intake.place_reading import Hit, Name, Place, Reading, Words, split

TEXT_MAX = 20_000  # characters that are looked at; what is named after that says little about where it happened
_APART = " \x02  "  # between words that no name spans: one gap, as between any two
_NEAR_WORDS = 20  # within which a commune says which part of a street is meant


class Found(Struct, frozen=True, gc=False):
    """A place that is named: from where to where in the text, as it stands there, its id in the list, and the areas it
    lies in, directly."""

    start: int
    end: int
    text: str
    place: str
    within: tuple[str, ...]


class Gazetteer:
    """The list, ready to be read for. Immutable."""

    def __init__(
        self,
        places: Iterable[Place],
        *,
        above: Callable[[str], Iterable[str]] = lambda area: (),
        towns: Sequence[str] = (),
        sport: Sequence[str] = (),
        first_names: Sequence[str] = (),
    ) -> None:
        """`above`: the areas that an area lies in."""
        self._above = above
        self._first_names = frozenset(word for name in first_names for word in split(name))
        names: dict[tuple[str, ...], Name] = {}
        for place in places:
            for name in place.names:
                of = Name(
                    place=place,
                    doubtful=name in place.doubtful,
                    shared=name in place.shared,
                    club=name in place.club,
                )
                _add(names, name, of)
            for name in place.others:
                _add(names, name, Name())
        for town in towns:
            _add(names, town, Name(town=True))
        for word in sport:
            _add(names, word, Name(sport=True))
        self._names = list(names.values())
        self._automaton = ahocorasick_rs.AhoCorasick(
            [f" {'  '.join(words)} " for words in names], matchkind=ahocorasick_rs.MatchKind.LeftmostLongest
        )

    def find(self, text: str, language: str = "") -> tuple[Found, ...]:
        """The places a text names, in its order; the same one perhaps several times. `language`: of the text, as in
        CAP (fr-BE); "" where it is not known. Of fields with `FIELD_END` between them no name spans two."""
        text = text[:TEXT_MAX]
        folded = split(text)
        hits = self._hits(folded)
        if not any(hit.name.place for hit in hits):
            return ()
        words = Words.of(text, folded)
        across = any(words.is_broken(n) for hit in hits for n in range(hit.first + 1, hit.last + 1))
        if across or words.folded is not folded:  # "in Brussel. Noord-Korea" is not Brussel-Noord
            hits = self._hits(words.folded, [n for n in range(1, len(words.folded)) if words.is_broken(n)])
        Reading(words, hits, language[:2].lower(), self._first_names).read()
        found = [hit for hit in hits if hit.stands]
        for nth, hit in enumerate(found):
            hit.within = self._narrowed(nth, found, words)
        meant = [hit for nth, hit in enumerate(found) if not self._is_of_another(nth, found, words)]
        return tuple(_found(hit, words) for hit in meant)

    def _hits(self, folded: Sequence[str], breaks: Sequence[int] = ()) -> list[Hit]:
        """The names in a text, none of them across the beginning of one of the words in `breaks`."""
        parts = ["  ".join(folded[start:end]) for start, end in pairwise((0, *breaks, len(folded)))]
        text = f" {_APART.join(parts)} "
        hits: list[Hit] = []
        at = number = 0
        for which, start, end in self._automaton.find_matches_as_indexes(text):
            number += text.count("  ", at, start + 1)
            at = start
            hits.append(Hit(self._names[which], number, number + text.count("  ", start + 1, end - 1)))
        return hits

    def _narrowed(self, nth: int, found: Sequence[Hit], words: Words) -> tuple[str, ...]:
        """Of several communes a street lies in those that are named nearby, where any is (rule 6)."""
        hit = found[nth]
        within = hit.name.place.within if hit.name.place is not None else ()
        is_long = words.folded[hit.first] in pw.LONG_FIRST or words.folded[hit.last].endswith(pw.LONG_LAST)
        if len(within) == 1 or not is_long:
            return within
        near: set[str] = set()
        for others in (found[nth + 1 :: 1], found[nth - 1 :: -1] if nth else ()):
            for other in others:
                if max(other.first - hit.last, hit.first - other.last) > _NEAR_WORDS:
                    break
                if other.is_area and other.name.place is not None:
                    near.add(other.name.place.id)
        return tuple(area for area in within if area in near) or within

    def _is_of_another(self, nth: int, found: Sequence[Hit], words: Words) -> bool:
        """Whether it is a shared name that another commune, right after it, claims (rule 6)."""
        hit = found[nth]
        if not hit.name.shared or hit.is_area or nth + 1 == len(found) or not found[nth + 1].is_area:
            return False
        after = found[nth + 1]
        between = [word for word in words.folded[hit.last + 1 : after.first] if not word.isdigit()]
        if between not in ([], ["a"], ["in"], ["te"]):
            return False
        known = {*hit.within, *(above for area in hit.within for above in self._above(area))}
        return known.isdisjoint(after.within)


def _add(names: dict[tuple[str, ...], Name], name: str, of: Name) -> None:
    """In all its ways; who comes first keeps them."""
    for words in pw.ways(folded_name(name)):
        if words:
            names.setdefault(words, of)


def folded_name(name: str) -> tuple[str, ...]:
    """A name's words as they are compared."""
    return tuple(split(name))


def _found(hit: Hit, words: Words) -> Found:
    start, end = words.spans[hit.first][0], words.spans[hit.last][1]
    assert hit.name.place is not None  # what is no place does not stand
    return Found(start, end, " ".join(words.text[start:end].split()), hit.name.place.id, hit.within)
