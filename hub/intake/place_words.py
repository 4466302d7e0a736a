"""The words around the name of a place, in French, Dutch, German and English: how names are shortened, and what says
that a place is meant.

All as folded (hub/playbook/words.py), but for `LEADS` and `ONLY`, which are small letters as they stand: "à" says
where, "a" mostly not.
"""

import itertools
from collections.abc import Iterator

# A word of a name → how else it is written.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "saint": ("st",),
    "sainte": ("ste",),
    "sint": ("st",),
    "boulevard": ("bd", "bld", "blvd", "boul"),
    "avenue": ("av", "ave"),
    "chaussee": ("chee", "chaus", "ch"),
    "rue": ("r",),
    "place": ("pl",),
    "square": ("sq",),
    "general": ("gen",),
    "generaal": ("gen",),
    "hopital": ("hop",),
    "cimetiere": ("cim",),
    "kerkhof": ("kerkh",),
    "ziekenhuis": ("zkh", "ziekenh"),
    "steenweg": ("stwg", "stw", "stg", "steenw"),
    "universitaires": ("univ",),
}
# The same for what Dutch writes in one word with the name.
_ENDINGS: dict[str, tuple[str, ...]] = {
    "steenweg": ("stwg", "stw", "stg", "steenw"),
    "laan": ("ln",),
    "straat": ("str",),
    "plein": ("pl",),
    "ziekenhuis": ("zkh", "ziekenh"),
}
_WAYS_MAX = 64  # of writing one name


def ways(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """All ways of writing a name, given as folded words; it itself is the first."""
    each = [(word, *_SPELLINGS.get(word, ()), *_ending(word)) for word in words]
    yield from itertools.islice(itertools.product(*each), _WAYS_MAX)


def _ending(word: str) -> Iterator[str]:
    for ending, others in _ENDINGS.items():
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 3:
            yield from (stem + other for other in others)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Right before a name, in any language: a place follows.
LEADS = _words(
    """
    à au aux dans sur vers entre depuis jusqu jusque jsq via rejoindre
    in te aan bij naar vanuit nabij rond tot tussen tss richting
    bei nach nahe zwischen
    at near to between btw outside around towards

    gare métro metro prémétro premetro arrêt arret halte terminus direction quartier commune station stop place
    hôpital hopital campus metrostation tramhalte bushalte wijk plein gemeente deelgemeente
    bahnhof haltestelle gemeinde stadtteil viertel municipality district square
    """
)
# The same, in one language only: in another it is something else.
ONLY = {
    "fr": _words("a"),
    "nl": _words("op door regio heel"),
    "de": _words("an am im raum region"),
    "en": _words("across inside throughout"),
}
# May stand between such a word and the name. In Dutch "de", too, which is "of" in French.
ARTICLES = _words("la le les l het t the der die das dem den")
ARTICLES_DUTCH = ARTICLES | _words("de")
# "of", and what has to stand before it for the name to be a place: the mayor of Forest, not the thinking of Brussels.
OF = _words("de d du des van von of")
OF_A_PLACE = _words(
    """
    gare metro station arret commune communes ville centre quartier quartiers rue rues habitants habitant bourgmestre
    mairie police pompiers parquet prison hopital hopitaux ecole ecoles eglise cimetiere parc tunnel tunnels nord sud
    est ouest partie parties region pres hauteur proche loin abords sortie entree direction stade administration
    population coeur territoire
    gemeente gemeenten stad centrum wijk wijken straat straten inwoners burgemeester politie brandweer parket
    gevangenis ziekenhuis school kerk kerkhof park noorden zuiden oosten westen deel deelgemeente hart
    gemeinde stadt zentrum viertel strassen einwohner burgermeister polizei feuerwehr norden suden osten westen
    municipality city town center district neighbourhood neighborhood streets residents mayor north south east west
    part parts outskirts heart
    """
)
# "between A and B", where A is none of ours.
BETWEEN = _words("entre tussen tss between btw zwischen")
BETWEEN_AND = _words("et en and und")
BETWEEN_MAX = 6  # words of A
# Right after a name: it was a place's.
TAILS = _words(
    """
    station metro square district municipality commune neighbourhood neighborhood tunnel wijk gemeente centre centrum
    center gare
    """
)
# The name of a road is not the place it leads to: rue d'Ixelles, Steenweg op Ukkel, Brussels Road.
STREETS = _words(
    """
    rue r avenue av ave chaussee ch chee chaus boulevard bd bld blvd boul route place pl square sq dreve clos
    """
)
STREET_OF = _words("de d du des")
STREETS_TO = _words("steenweg baan")
STREET_TO = _words("op naar")
STREETS_AFTER = _words("road street lane strasse steenweg straat")
# How the name of something long begins or ends, that may lie in several communes.
LONG_FIRST = STREETS - _words("place pl square sq clos") | _words("quai")
LONG_LAST = ("steenweg", "stwg", "stw", "stg", "steenw", "laan", "ln", "straat", "str", "kaai", "dreef", "dijk")
# Between the members of a list: à Uccle, Forest et Jette.
AND = _words("et en and und ou of or oder puis a in te")
