"""How often a dossier tells a rise where there is none, and how soon where there is: `python -m tools.bench.rises`.

Counts are drawn day by day at one level for years, as chance alone gives them (Poisson), and in clumps: three times as
scattered, as where reports come because others did. Each day is looked at as the hub does; a rise is told once until it
has fallen back. Then the level rises on a day: in how many of 300 tries that is told within 30 days, and after how many
(the median).
"""

import argparse
import random
import statistics
from collections.abc import Mapping

from hub.engine.rise import level
from hub.playbook.dossiers import Rise

RULES = (Rise(days=7, times=2.0, at_least=5), Rise(days=30, times=2.0, at_least=3), Rise(days=1, times=2.0, at_least=3))
TRIES, BEFORE, AFTER = 300, 120, 30


def drawn(chance: random.Random, mean: float, scatter: float = 1.0) -> int:
    """A count of that mean whose variance is `scatter` times as much."""
    if scatter > 1:
        mean = chance.gammavariate(mean / (scatter - 1), scatter - 1)
    count, left = 0, chance.expovariate(1)
    while left < mean:
        count, left = count + 1, left + chance.expovariate(1)
    return count


def told(days: Mapping[int, int], last: int, rule: Rise) -> list[int]:
    """The days on which a rise is told."""
    found: list[int] = []
    rising = False
    for today in range(last):
        now = level(days, 0, today, rule)
        if now is not None and rising and now.fell_back:
            rising = False
        elif now is not None and not rising and now.rises:
            rising = True
            found.append(today)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--years", type=int, default=50)
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.years} years")
    for rule in RULES:
        for week in (0.7, 2.0, 7.0, 35.0):
            rates = []
            for scatter in (1.0, 3.0):
                chance = random.Random(given.seed)
                last = 365 * given.years
                days = {day: drawn(chance, week / 7, scatter) for day in range(last)}
                rates.append(len(told(days, last, rule)) / given.years)
            print(f"  {rule.days:>2} days, {week:>4} a week: {rates[0]:.2f} told a year, in clumps {rates[1]:.2f}")
    for week in (2.0, 7.0, 35.0):
        for times in (2, 3, 5):
            chance, rule = random.Random(given.seed), RULES[0]
            delays = []
            for _ in range(TRIES):
                level_of = {True: week / 7, False: times * week / 7}
                days = {day: drawn(chance, level_of[day < BEFORE]) for day in range(BEFORE + AFTER)}
                first = next((day for day in told(days, BEFORE + AFTER, rule) if day >= BEFORE), None)
                delays += [] if first is None else [first - BEFORE + 1]
            soon = f"after {statistics.median(delays):.0f} days" if delays else ""
            print(f"  {rule.days} days, {week:>4} a week, then {times} times: {len(delays) / TRIES:.0%} told {soon}")


if __name__ == "__main__":
    main()
