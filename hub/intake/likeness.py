"""How much two texts say the same: as near copies, most of whose words are the same and which no figure contradicts,
or by their facts, in whatever words and language. Pure.

The constants were set on one half of the labelled pairs in tests/golden and judged on the other (docs/stories.md).
"""

from msgspec import Struct

from hub.intake.gist import DATE, LEVEL, NAME, TIME, TOPIC, Gist, weighed

COPY = 0.7  # of all words of two texts, how many both have, from which on one is a copy of the other
PART = 0.9  # ... or of the words of the shorter one, if it has at least
SHORT = 12  # words; in texts as short as that every word counts
TEMPLATE = 0.4  # from here on two texts are worded alike, and what differs in them differs on purpose
FACTS = 24  # how much must coincide for two texts to be one story by their facts, in tenths of a name
SHARE = 0.45  # ... and how much that must be of what the one that tells less tells
NAMES_AGAINST = 0.3  # names that stand against one another, of those that both have
FIGURE_AGAINST = 12.5  # what a pair of figures counts that stand against one another
SERIAL_WORDS = 40  # up to this many in two texts of one teller they are worded alike by a machine
NEAR = 0.25  # from here on a text has at least to do with another

_TOPICS_MOST = 15


class Likeness(Struct, frozen=True, gc=False):
    """`how` two texts are one story: "same text", "same facts", or "" where they are not. `likeness`: 0 to 1."""

    how: str
    likeness: float


def alike(a: Gist, b: Gist, *, one_teller: bool = False, area: int = 0, more: int = 0, floor: float = 0.0) -> Likeness:
    """Compares two texts. Symmetric. `one_teller`: both are one sender's, who names each a message of its own: what
    differs between short ones is what they are about. `area`, `more`: how much the signals have in common beside their
    texts: where, and what else (hazard, time), in facts. `floor`: a likeness that is surely below that is not worked
    out."""
    both = _Both(a, b)
    told = max(NAME, area + more + min(a.tells, b.tells))
    at_most = both.names + both.figures + area + more + _at_most(a, b)
    if not (area and more) and both.share < floor and both.part < PART and at_most < floor * told:
        return Likeness("", both.share)  # most that are compared
    if one_teller and both.all_words <= SERIAL_WORDS and both.share >= NEAR and a.exact != b.exact:
        return Likeness("", both.share)
    contradicted = _contradict(a, b, both)
    if not contradicted and _copied(both):
        return Likeness("same text", max(both.share, both.part * PART))
    if (both.share >= TEMPLATE and contradicted) or _elsewhere(a, b) or _split(a.dates, b.dates)[1]:
        return Likeness("", both.share)
    return _by_facts(a, b, both, area, more)


class _Both:
    """What two texts have in common: words, and names and figures by what they are worth. `share`: of all words,
    `part`: of those of the shorter text; `figures_differ`: how many could stand against one another."""

    __slots__ = ("all_words", "figures", "figures_differ", "least", "names", "part", "share")

    def __init__(self, a: Gist, b: Gist) -> None:
        same = len(set(a.words).intersection(b.words))
        self.least = min(len(a.words), len(b.words))
        self.all_words = len(a.words) + len(b.words) - same
        self.share = same / self.all_words if self.all_words else 0.0
        self.part = same / self.least if self.least else 0.0
        self.names = weighed(set(a.names).intersection(b.names))
        figures = set(a.figures).intersection(b.figures)
        self.figures = weighed(figures)
        self.figures_differ = min(len(a.figures), len(b.figures)) - len(figures)


def _copied(both: _Both) -> bool:
    """Whether the words are those of a copy. Of a short text all have to be in the other."""
    if both.part == 1 and both.least >= 3:
        return both.share >= COPY or both.least >= SHORT // 2
    return both.least > SHORT and (both.share >= COPY or both.part >= PART)


def _contradict(a: Gist, b: Gist, both: _Both) -> bool:
    """Whether one says otherwise than the other: places, dates, levels, figures, or many names."""
    return (
        _elsewhere(a, b)
        or _split(a.dates, b.dates)[1] > 0
        or _split(a.levels, b.levels)[1] > 0
        or both.figures_differ > both.all_words // 40  # a long text may have one figure corrected
        or min(weighed(a.names), weighed(b.names)) - both.names > NAMES_AGAINST * both.names
    )


def _by_facts(a: Gist, b: Gist, both: _Both, area: int, more: int) -> Likeness:
    dates, _ = _split(a.dates, b.dates)
    times, times_differ = _split(a.times, b.times)
    topics, topics_differ = _split(a.topics, b.topics)
    levels, levels_differ = _split(a.levels, b.levels)
    where = both.names + area
    what = both.figures + DATE * dates + TIME * times + LEVEL * levels
    against = (
        FIGURE_AGAINST * both.figures_differ * (2 if both.all_words <= 2 * SHORT else 1)
        + 3 * times_differ
        + 2 * topics_differ
        + (NAME if topics_differ and not topics else 0)
        + 5 * levels_differ
    )
    value = where + what + more + min(_TOPICS_MOST, TOPIC * topics) - against
    covered = max(0.0, min(1.0, value / max(NAME, area + more + min(a.tells, b.tells))))
    if area >= NAME and more > NAME and not levels_differ:
        return Likeness("same facts", max(0.6, covered))  # one danger, one area, one time: one warning
    happened = topics or what or more  # a place alone is no news
    telling = (happened and where > 0 and where + both.figures >= NAME) or (what >= 25 and not both.figures_differ)
    if telling and value >= FACTS and covered >= SHARE:
        return Likeness("same facts", covered)
    return Likeness("", max(both.share, covered))


def _elsewhere(a: Gist, b: Gist) -> bool:
    """Whether both name places that are known, and none is the same."""
    return bool(a.places and b.places and set(a.places).isdisjoint(b.places))


def _at_most(a: Gist, b: Gist) -> int:
    """What dates, times, topics and levels could be worth if all were the same."""
    return (
        DATE * min(len(a.dates), len(b.dates))
        + TIME * min(len(a.times), len(b.times))
        + min(_TOPICS_MOST, TOPIC * min(len(a.topics), len(b.topics)))
        + LEVEL * min(len(a.levels), len(b.levels))
    )


def _split(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[int, int]:
    """How many both have, and how many could stand against one another."""
    if not a or not b:
        return 0, 0
    both = len(set(a).intersection(b))
    return both, min(len(a), len(b)) - both
