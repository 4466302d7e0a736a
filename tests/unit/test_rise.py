"""The rule by which there is more of something than usual (hub/engine/rise.py): counts in, numbers out."""

import math
import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.engine.rise import (
    CHANCE,
    SPANS_LEAST,
    SPANS_MOST,
    Level,
    _approached,
    _summed,
    count_of,
    level,
    spans_least,
)
from hub.playbook.dossiers import Rise

WEEK = Rise(days=7, times=2.0, at_least=5)


def weeks(*counts: int, days: int = 7) -> tuple[dict[int, int], int]:
    """These counts, a span each, all on its first day; the last span ends today. Counting begins with the first."""
    return {nth * days: count for nth, count in enumerate(counts) if count}, len(counts) * days - 1


def stands(*counts: int, rule: Rise = WEEK) -> Level:
    found = level(*_args(counts, rule))
    assert found is not None
    return found


def _args(counts: Sequence[int], rule: Rise) -> tuple[Mapping[int, int], int, int, Rise]:
    days, today = weeks(*counts, days=rule.days)
    return days, 0, today, rule


@pytest.mark.parametrize("before", range(SPANS_LEAST))
def test_without_four_spans_before_nobody_knows_what_is_usual(before: int) -> None:
    days, today = weeks(*[3] * before, 99)
    assert level(days, 0, today, WEEK) is None
    assert level({}, 0, today, WEEK) is None


def test_by_single_days_four_weeks_have_to_lie_before() -> None:
    daily = Rise(days=1, times=2.0, at_least=3)
    days = dict.fromkeys(range(60), 1) | {27: 9, 28: 9}
    assert level(days, 0, 27, daily) is None
    found = level(days, 0, 28, daily)
    assert found is not None
    assert (found.spans, found.rises) == (28, True)


def test_a_clear_rise_is_one_and_what_is_usual_is_none() -> None:
    assert stands(3, 4, 2, 3, 14).rises
    assert stands(3, 4, 2, 3, 14).usual == 2.75  # the highest quarter, 4, counts as the next, 3
    assert not stands(3, 4, 2, 3, 4).rises
    assert not stands(20, 22, 18, 21, 30).rises, "half as much again is not twice as much"
    assert stands(20, 22, 18, 21, 45).rises


def test_small_numbers_do_not_cry_wolf() -> None:
    assert not stands(0, 0, 0, 0, 2).rises, "from nothing to two"
    assert not stands(0, 0, 0, 0, 4).rises, "under the floor"
    assert stands(0, 0, 0, 0, 5).rises
    assert not stands(2, 1, 2, 1, 6).rises, "three times as many, and still what chance does"
    assert stands(2, 1, 2, 1, 9).rises


def test_what_scatters_much_by_itself_has_to_rise_further() -> None:
    even, uneven = stands(*[10] * 12, 0), stands(*[2, 18] * 6, 0)
    assert even.usual == uneven.usual == 10
    assert uneven.bound > even.bound + 10


def test_one_earlier_outbreak_does_not_hide_the_next() -> None:
    calm = [3, 2, 4, 3, 2, 3, 4, 2, 3, 3, 2]
    assert stands(*calm, 90, 12).rises
    assert stands(*calm, 90, 12).usual < 4


def test_a_level_that_stays_high_becomes_the_usual_one() -> None:
    counts = [3] * 12
    over = []
    for _ in range(14):
        counts.append(20)
        over.append(stands(*counts).fell_back)
    assert not over[0]
    assert over[-1], "and a rise is over by that"


def test_a_rise_has_fallen_back_half_way_down() -> None:
    now = stands(4, 4, 4, 4, 99)
    middle = now.usual + (now.bound - now.usual) / 2
    assert not Level(count=math.floor(middle) + 1, usual=now.usual, bound=now.bound, spans=4).fell_back
    assert Level(count=math.floor(middle), usual=now.usual, bound=now.bound, spans=4).fell_back


def test_the_sum_and_its_approach_agree_where_one_takes_over_from_the_other() -> None:
    for spans in (4, 12):
        for mean in (60, 100, 200):
            exact, near = _summed(mean * spans, spans), _approached(mean * spans, spans)
            assert abs(exact - near) <= 2, (spans, mean, exact, near)


def test_the_bound_is_what_chance_reaches_once_in_a_thousand_times() -> None:
    """A negative binomial count is a Poisson one whose mean is drawn from a gamma distribution: drawn that way."""
    chance, tries = random.Random(7), 40_000
    for seen, spans in ((0, 4), (8, 4), (24, 12), (300, 12)):
        bound = _summed(seen, spans)
        drawn = [_poisson(chance, chance.gammavariate(seen + 0.5, 1 / spans)) for _ in range(tries)]
        assert sum(count >= bound for count in drawn) / tries < 2 * CHANCE
        assert sum(count >= bound - 2 for count in drawn) / tries > CHANCE / 2, "and not far beyond it"


def _poisson(chance: random.Random, mean: float) -> int:
    count, left = 0, chance.expovariate(1)
    while left < mean:
        count += 1
        left += chance.expovariate(1)
    return count


@pytest.mark.parametrize(("per_day", "most"), [(0.1, 0.2), (0.7, 0.5), (5.0, 0.5)])
def test_years_at_one_level_are_told_as_a_rise_less_than_once_in_two(per_day: float, most: float) -> None:
    """Counts at random, day by day, looked at daily; told once until fallen back. `most`: times a year."""
    chance, told, years = random.Random(11), 0, 60
    days = {day: _poisson(chance, per_day) for day in range(365 * years)}
    rising = False
    for today in range(365 * years):
        now = level(days, 0, today, WEEK)
        if now is not None and rising and now.fell_back:
            rising = False
        elif now is not None and not rising and now.rises:
            rising, told = True, told + 1
    assert told / years <= most


counts = st.lists(st.integers(0, 60), min_size=SPANS_LEAST + 1, max_size=SPANS_MOST + 4)


@settings(max_examples=300, deadline=None)
@given(counts, st.integers(1, 30))
def test_more_now_never_makes_a_rise_none_and_the_bound_is_kept(before: list[int], more: int) -> None:
    rule = Rise(days=7, times=1.5, at_least=3)
    now, then = stands(*before, rule=rule), stands(*before[:-1], before[-1] + more, rule=rule)
    assert (now.bound, now.usual) == (then.bound, then.usual), "today's count is no part of what is usual"
    assert then.rises or not now.rises
    assert now.bound >= max(3, 1.5 * now.usual)
    assert not (now.rises and now.fell_back)


@settings(max_examples=200, deadline=None)
@given(counts, st.integers(2, 40))
def test_the_same_a_hundred_times_as_large_is_no_less_a_rise(before: list[int], scale: int) -> None:
    rule = Rise(days=7, times=2.0, at_least=2)
    now, large = stands(*before, rule=rule), stands(*(scale * count for count in before), rule=rule)
    assert large.usual == pytest.approx(scale * now.usual)
    assert large.rises or not (now.rises and now.count >= 2 * now.usual + 1)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.integers(0, 200), st.integers(1, 9), max_size=60), st.integers(1, 60), st.integers(0, 200))
def test_whatever_is_counted_it_gives_numbers_or_nothing(days: dict[int, int], length: int, today: int) -> None:
    found = level(days, 0, today, Rise(days=length, times=2.0, at_least=2))
    if today < (spans_least(length) + 1) * length - 1:
        assert found is None
    else:
        assert found is not None
        assert found.count == count_of(days, today, length)
        assert spans_least(length) <= found.spans <= max(SPANS_MOST, 84 // length)


def test_a_day_before_the_counting_began_is_not_taken_for_an_empty_one() -> None:
    days, today = weeks(0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 9)
    late = level(days, 6 * 7, today, WEEK)
    assert late is not None
    assert (late.spans, late.usual, late.rises) == (4, 6.0, False)
    whole = level(days, 0, today, WEEK)
    assert whole is not None
    assert whole.usual < 4
