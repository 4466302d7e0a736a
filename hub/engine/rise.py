"""Whether there is more of something than usual, from counts by day alone. Pure: numbers in, numbers out.

The rule. Days are taken together in spans of the same length, back from today; the newest span is *now*, the whole
ones before it are *before*: up to 12 of them, and of short ones as many as 12 weeks have. Of those before, the
highest quarter counts as the highest of the rest does, so that one earlier rise does not hide the next; their mean is
the *usual level*. Now is a rise where it reaches

1. the floor that the dossier asks for (`at least`),
2. so many `times` the usual level,
3. what chance alone would reach once in a thousand times: counts that come at random, of which that many spans
   were seen, follow a negative binomial distribution (Poisson, with what is not known of its mean). Where the counts
   before scatter more than such counts do, the distance from the usual level grows with the scatter.

With fewer than 4 spans, or 4 weeks, before it nothing is said: nobody knows what is usual. A rise has *fallen back*
when now is half way down again, or lower; a level that stays high becomes the usual one, and the rise is over by that.

Days are ordinals (`date.toordinal`), local. A day that the clocks change on is a day.
"""

import math
from collections.abc import Mapping

from msgspec import Struct

from hub.playbook.dossiers import Rise

SPANS_LEAST, SPANS_MOST = 4, 12
DAYS_LEAST, DAYS_MOST = 28, 84  # that are looked back on where spans are short
CHANCE = 0.001
_EXACT_TO = 100.0  # the usual level up to which the distribution is summed up; above it is all but normal
_Z = 3.0902  # of the normal distribution, what is reached once in a thousand times


class Level(Struct, frozen=True, kw_only=True):
    """`count`: now; `usual`: the mean before, of that many `spans`; `bound`: what a rise has to reach."""

    count: int
    usual: float
    bound: int
    spans: int

    @property
    def rises(self) -> bool:
        return self.count >= self.bound

    @property
    def fell_back(self) -> bool:
        return self.count <= self.usual + (self.bound - self.usual) / 2


def count_of(days: Mapping[int, int], today: int, length: int) -> int:
    """How many in the `length` days up to today."""
    return sum(days.get(day, 0) for day in range(today - length + 1, today + 1))


def spans_least(length: int) -> int:
    """How many spans of that many days have to lie before one of which anything is said."""
    return max(SPANS_LEAST, math.ceil(DAYS_LEAST / length))


def level(days: Mapping[int, int], since: int, today: int, rise: Rise) -> Level | None:
    """How it stands on a day; None while it is not known what is usual. `since`: the first day that was counted."""
    whole = (today - rise.days + 1 - since) // rise.days
    if whole < spans_least(rise.days):
        return None
    most = min(whole, max(SPANS_MOST, DAYS_MOST // rise.days))
    before = [count_of(days, today - nth * rise.days, rise.days) for nth in range(1, most + 1)]
    tamed = _tamed(before)
    usual = sum(tamed) / len(tamed)
    bound = max(rise.at_least, math.ceil(rise.times * usual), _by_chance(tamed))
    return Level(count=count_of(days, today, rise.days), usual=usual, bound=bound, spans=len(before))


def _tamed(before: list[int]) -> list[int]:
    """The highest quarter as the highest of the rest."""
    ordered = sorted(before)
    most = ordered[len(ordered) - math.ceil(len(ordered) / 4) - 1]
    return [min(count, most) for count in before]


def _by_chance(before: list[int]) -> int:
    """The lowest count that chance alone reaches at most once in a thousand times."""
    seen, spans = sum(before), len(before)
    mean = seen / spans
    # Without their highest quarter, counts seem to scatter about half as much as they do.
    scatter = 2 * sum((count - mean) ** 2 for count in before) / (spans - 1)
    spread = math.sqrt(max(1.0, scatter / mean)) if mean else 1.0
    bound = _summed(seen, spans) if mean <= _EXACT_TO else _approached(seen, spans)
    return math.ceil(mean + (bound - mean) * spread)


def _summed(seen: int, spans: int) -> int:
    """Of a negative binomial distribution with r = seen + 1/2 and p = spans / (spans + 1)."""
    r, p = seen + 0.5, spans / (spans + 1)
    chance, left, count = p**r, 1.0, 0
    while left - chance > CHANCE:
        left -= chance
        chance *= (r + count) / (count + 1) * (1 - p)
        count += 1
    return count + 1


def _approached(seen: int, spans: int) -> int:
    """The same by its mean, variance and skew (Cornish and Fisher)."""
    r, p = seen + 0.5, spans / (spans + 1)
    mean, sigma = r * (1 - p) / p, math.sqrt(r * (1 - p)) / p
    skew = (2 - p) / math.sqrt(r * (1 - p))
    return math.ceil(mean + sigma * (_Z + (_Z**2 - 1) / 6 * skew)) + 1
