"""How much two texts say the same: as near copies, most of whose words are the same and which no figure contradicts,
or by their facts, in whatever words and language. Pure.

The constants were set on one half of the labelled pairs in tests/golden and judged on the other (docs/stories.md).
"""

from msgspec import Struct

from hub.intake.gist import DATE, LEVEL, TIME, TOPIC, Gist, weighed

COPY = 0.7  # of all words of two texts, how many both have, from which on one is a copy of the other
PART = 0.9  # ... or of the words of the shorter one, if it has at least
SHORT = 12  # words; in texts as short as that every word counts
TEMPLATE = 0.4  # from here on two texts are worded alike, and what differs in them differs on purpose
FACTS = 2.4  # how much must coincide for two texts to be one story by their facts
SHARE = 0.45  # ... and how much that must be of what the one that tells less tells
NAMES_AGAINST = 0.3  # names that stand against one another, of those that both have
FIGURE_AGAINST = 1.25  # what a pair of figures counts that stand against one another
SERIAL_WORDS = 40  # up to this many in two texts of one teller they are worded alike by a machine
NEAR = 0.25  # from here on a text has at least to do with another

_TOPICS_MOST = 1.5


class Likeness(Struct, frozen=True, gc=False):
    """`how` two texts are one story: "same text", "same facts", or "" where they are not. `likeness`: 0 to 1."""

    how: str
    likeness: float


def alike(a: Gist, b: Gist, *, one_teller: bool = False, area: float = 0.0, more: float = 0.0) -> Likeness:
    """Compares two texts. Symmetric. `one_teller`: both are one sender's, who names each a message of its own: what
    differs between short ones is what they are about. `area`, `more`: how much the signals have in common beside their
    texts: where, and what else (hazard, time), in facts."""
    same_words = len(set(a.words).intersection(b.words))
    least, most = sorted((len(a.words), len(b.words)))
    all_words = least + most - same_words
    share = same_words / all_words if all_words else 0.0
    same_names = set(a.names).intersection(b.names)
    same_figures = set(a.figures).intersection(b.figures)
    if share < NEAR and not same_names and len(same_figures) < 2 and not area:
        return Likeness("", share)

    names, figures = weighed(same_names), weighed(same_figures)
    figures_differ = min(len(a.figures), len(b.figures)) - len(same_figures)
    dates, dates_differ = _split(a.dates, b.dates)
    levels, levels_differ = _split(a.levels, b.levels)
    elsewhere = bool(a.places and b.places and set(a.places).isdisjoint(b.places))
    contradicted = (
        elsewhere
        or dates_differ > 0
        or levels_differ > 0
        or figures_differ > all_words // 40  # a long text may have one figure corrected
        or min(weighed(a.names), weighed(b.names)) - names > NAMES_AGAINST * names
    )
    if one_teller and all_words <= SERIAL_WORDS and share >= NEAR and (same_words < all_words or contradicted):
        return Likeness("", share)
    inside = same_words == least
    if not contradicted and least >= 3 and (inside or least > SHORT):
        part = same_words / least
        if share >= COPY or (part >= PART and least > SHORT) or (inside and least >= SHORT // 2):
            return Likeness("same text", max(share, part * PART))
    if elsewhere or dates_differ or (share >= TEMPLATE and contradicted):
        return Likeness("", share)

    times, times_differ = _split(a.times, b.times)
    topics, topics_differ = _split(a.topics, b.topics)
    where = names + area
    what = figures + DATE * dates + TIME * times + LEVEL * levels
    for_it = where + what + more + min(_TOPICS_MOST, TOPIC * topics)
    against = (
        FIGURE_AGAINST * figures_differ * (2 if all_words <= 2 * SHORT else 1)
        + 0.3 * times_differ
        + 0.2 * topics_differ
        + (1.0 if topics_differ and not topics else 0.0)
        + 0.5 * levels_differ
    )
    covered = max(0.0, min(1.0, (for_it - against) / max(1.0, area + more + min(a.tells, b.tells))))
    if area >= 1 and more >= 1.5 and not levels_differ:
        return Likeness("same facts", max(0.6, covered))  # one danger, one area, one time: one warning
    happened = topics or what or more  # a place alone is no news
    telling = (happened and where > 0 and where + figures >= 1) or (what >= 2.5 and not figures_differ)
    if telling and for_it - against >= FACTS and covered >= SHARE:
        return Likeness("same facts", covered)
    return Likeness("", max(share, covered))


def _split(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[int, int]:
    """How many both have, and how many could stand against one another."""
    if not a or not b:
        return 0, 0
    both = len(set(a).intersection(b))
    return both, min(len(a), len(b)) - both
