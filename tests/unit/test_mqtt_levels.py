"""Marks, hysteresis, dwell and rates: what holds for any readings whatever."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.mqtt.levels import (
    RATE_KEEPS,
    SAMPLES,
    Mark,
    Measure,
    Rules,
    State,
    begin_again,
    due,
    level_of,
    marks_on,
    pass_time,
    read_number,
    read_state,
)
from hub.model.signal import SEVERITIES, Severity

START = datetime(2026, 7, 14, tzinfo=UTC)
MODERATE, SEVERE, EXTREME = Severity.MODERATE, Severity.SEVERE, Severity.EXTREME
NUMBERS = {MODERATE: 1.0, SEVERE: 2.0, EXTREME: 3.0}

Steps = Sequence[tuple[float, float]]  # seconds since the reading before, value


def above(hysteresis: float = 0.0, **more: float) -> Rules:
    marks = (Mark(Measure.ABOVE, severity, on, on - hysteresis) for severity, on in NUMBERS.items())
    return Rules(marks=tuple(marks), **more)


def rising(per_s: float = 60.0, over_s: float = 600.0, **more: float) -> Rules:
    mark = Mark(Measure.RISE, SEVERE, 0.5, 0.5 * RATE_KEEPS)
    return Rules(marks=(mark,), rate_per_s=per_s, rate_over_s=over_s, **more)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def levels(rules: Rules, readings: Iterable[tuple[float, float]]) -> list[Severity | None]:
    """The level after each reading (seconds since the start, value)."""
    state, out = State(), []
    for seconds, value in readings:
        state = read_number(rules, state, value, at(seconds))
        out.append(level_of(rules, state))
    return out


def rank(severity: Severity | None) -> int:
    return -1 if severity is None else SEVERITIES.index(severity)


values = st.floats(min_value=-1.0, max_value=5.0, allow_nan=False)
steps = st.lists(st.tuples(st.floats(min_value=0.1, max_value=400.0), values), max_size=40)
waits = st.sampled_from([0.0, 60.0, 300.0])
bands = st.floats(min_value=0.0, max_value=0.9)


def played(rules: Rules, taken: Steps, *, ticks: int = 0) -> list[tuple[datetime, float, State]]:
    """Reading after reading; with `ticks` looks between two of them."""
    state, now, out = State(), START, []
    for wait_s, value in taken:
        for nth in range(ticks):
            state = pass_time(rules, state, now + timedelta(seconds=wait_s * (nth + 1) / (ticks + 1)))
        now += timedelta(seconds=wait_s)
        state = read_number(rules, state, value, now)
        out.append((now, value, state))
    return out


# --- one after the other -----------------------------------------------------------------------------------


def test_a_level_is_passed_at_its_number_and_graver_ones_go_first() -> None:
    assert levels(above(), [(0, 0.9), (1, 1.0), (2, 3.5), (3, 2.0), (4, 0.9)]) == [
        None,
        MODERATE,
        EXTREME,
        SEVERE,
        None,
    ]


def test_it_falls_only_under_the_lower_mark_and_after_dwell() -> None:
    rules = above(0.25, dwell_s=600.0)
    readings = [
        (0, 2.1),
        (60, 1.8),
        (900, 1.8),
        (1000, 1.7),
        (1500, 1.7),
        (1550, 1.8),
        (1600, 1.7),
        (2199, 1.7),
        (2200, 1.7),
    ]
    assert levels(rules, readings) == [SEVERE] * 8 + [MODERATE]


def test_it_falls_by_time_alone_as_far_as_the_readings_have_been_down() -> None:
    rules = above(dwell_s=600.0)
    state = read_number(rules, State(), 3.5, at(0))
    state = read_number(rules, state, 1.5, at(100))
    state = read_number(rules, state, 0.5, at(400))
    assert due(rules, state) == at(700)
    assert level_of(rules, pass_time(rules, state, at(699))) is EXTREME
    state = pass_time(rules, state, at(700))
    assert level_of(rules, state) is MODERATE, "it was under 2 for ten minutes, under 1 for five"
    assert due(rules, state) == at(1000)
    state = pass_time(rules, state, at(1000))
    assert state.triggers == {}
    assert due(rules, state) is None


def test_what_must_hold_is_no_level_before() -> None:
    rules = above(holds_s=120.0)
    assert levels(rules, [(0, 1.5), (60, 0.5), (100, 1.5), (219, 1.5), (220, 1.5)]) == [
        None,
        None,
        None,
        None,
        MODERATE,
    ]


def test_words_have_levels_of_their_own() -> None:
    marks = (Mark(Measure.STATE, MODERATE), Mark(Measure.STATE, EXTREME))
    rules = Rules(marks=marks, dwell_s=60.0)
    state = read_state(rules, State(), EXTREME, at(0))
    assert level_of(rules, state) is EXTREME
    state = read_state(rules, state, MODERATE, at(10))
    state = read_state(rules, state, None, at(20))
    assert level_of(rules, pass_time(rules, state, at(70))) is MODERATE
    assert level_of(rules, pass_time(rules, state, at(80))) is None


@given(steps, bands, waits, waits)
def test_within_the_band_nothing_ever_changes(taken: Steps, band: float, dwell_s: float, holds_s: float) -> None:
    rules = above(band, dwell_s=dwell_s, holds_s=holds_s)
    state = played(rules, taken)[-1][2] if taken else State()
    state = pass_time(rules, state, at(100_000))
    for mark in rules.marks:
        if mark.off < (mark.on + mark.off) / 2 < mark.on:  # a band of one last digit has no middle
            before = mark in marks_on(rules, state)
            for n, value in enumerate((mark.off, (mark.on + mark.off) / 2) * 3):
                state = read_number(rules, state, value, at(200_000 + 1000 * n))
                assert (mark in marks_on(rules, state)) is before


@given(steps, bands, waits)
def test_a_mark_falls_only_after_dwell_beyond_its_lower_mark(taken: Steps, band: float, dwell_s: float) -> None:
    rules = above(band, dwell_s=dwell_s)
    found = played(rules, taken)
    for n, (now, _, state) in enumerate(found[1:], 1):
        for mark in set(marks_on(rules, found[n - 1][2])) - set(marks_on(rules, state)):
            # The last reading that was not beyond the lower mark, and the first beyond it.
            down = next(m for m in range(n, -1, -1) if m == 0 or found[m - 1][1] >= mark.off)
            assert now - found[down][0] >= timedelta(seconds=dwell_s)


@given(steps, bands, st.sampled_from([60.0, 300.0, 1500.0]))
def test_it_never_flaps(taken: Steps, band: float, dwell_s: float) -> None:
    """Looked at the moment anything changes, a mark falls at most once in a span as long as `dwell`."""
    rules = above(band, dwell_s=dwell_s)
    state, now = State(), START
    fell: dict[str, list[datetime]] = {}

    def becomes(after: State, when: datetime) -> None:
        nonlocal state
        for mark in set(marks_on(rules, state)) - set(marks_on(rules, after)):
            fell.setdefault(mark.name, []).append(when)
        state = after

    for wait_s, value in taken:
        now += timedelta(seconds=wait_s)
        while (when := due(rules, state)) is not None and when <= now:
            becomes(pass_time(rules, state, when), when)
        becomes(read_number(rules, state, value, now), now)
    for times in fell.values():
        assert all(b - a >= timedelta(seconds=dwell_s) for a, b in pairwise(times))


@given(steps, bands, waits)
def test_what_is_reached_is_told_at_once(taken: Steps, band: float, dwell_s: float) -> None:
    rules = above(band, dwell_s=dwell_s)
    for _, value, state in played(rules, taken):
        reached = max((s for s, on in NUMBERS.items() if value >= on), key=rank, default=None)
        assert rank(level_of(rules, state)) >= rank(reached)


@given(steps, bands, waits, waits)
def test_a_graver_mark_is_on_only_with_those_below_it(
    taken: Steps, band: float, dwell_s: float, holds_s: float
) -> None:
    rules = above(band, dwell_s=dwell_s, holds_s=holds_s)
    for _, _, state in played(rules, taken, ticks=1):
        on = [mark in marks_on(rules, state) for mark in rules.marks]
        assert on == sorted(on, reverse=True)


@given(steps, bands, waits, waits, st.integers(min_value=1, max_value=3))
def test_looking_more_often_changes_nothing(
    taken: Steps, band: float, dwell_s: float, holds_s: float, ticks: int
) -> None:
    rules = above(band, dwell_s=dwell_s, holds_s=holds_s)
    assert [s for _, _, s in played(rules, taken)] == [s for _, _, s in played(rules, taken, ticks=ticks)]


@given(steps, bands, waits)
def test_below_is_above_upside_down(taken: Steps, band: float, dwell_s: float) -> None:
    up = above(band, dwell_s=dwell_s)
    marks = tuple(Mark(Measure.BELOW, mark.severity, -mark.on, -mark.off) for mark in up.marks)
    down = replace(up, marks=marks)
    mirrored = [(wait_s, -value) for wait_s, value in taken]
    assert [level_of(up, s) for _, _, s in played(up, taken)] == [
        level_of(down, s) for _, _, s in played(down, mirrored)
    ]


@given(steps, bands, st.sampled_from([60.0, 300.0]), st.sampled_from([60.0, 300.0]))
def test_a_restart_changes_no_level_and_lets_no_time_run(
    taken: Steps, band: float, dwell_s: float, holds_s: float
) -> None:
    rules = above(band, dwell_s=dwell_s, holds_s=holds_s)
    state = played(rules, taken)[-1][2] if taken else State()
    kept = msgspec.json.decode(msgspec.json.encode(State(state.triggers)), type=State)
    assert kept.triggers == state.triggers
    again = begin_again(kept, at(10_000_000))
    assert level_of(rules, again) == level_of(rules, state)
    assert level_of(rules, pass_time(rules, again, at(10_000_059))) == level_of(rules, state)


def test_a_clock_that_goes_back_makes_nobody_deaf() -> None:
    rules = above()
    state = read_number(rules, State(), 0.5, at(3600))
    state = read_number(rules, state, 3.5, at(0))
    assert level_of(rules, state) is EXTREME
    assert state.last == at(3600)


# --- rates -------------------------------------------------------------------------------------------------


@given(
    st.floats(min_value=-2.0, max_value=2.0),
    st.floats(min_value=5.0, max_value=900.0),
    st.floats(min_value=60.0, max_value=7200.0),
)
def test_the_rate_of_a_straight_line_is_its_own(slope: float, spacing_s: float, over_s: float) -> None:
    """Per minute, however often it is read."""
    rules = rising(over_s=over_s)
    state, now = State(), 0.0
    while now <= 2 * over_s + 2 * spacing_s:
        state = read_number(rules, state, slope * now / 60.0, at(now))
        now += spacing_s
    assert state.rate == pytest.approx(slope, abs=1e-6)
    if abs(slope - 0.5) > 1e-6:  # on the mark itself the last digits decide, and what has begun goes on
        assert (level_of(rules, state) is SEVERE) == (slope >= 0.5)


@given(st.floats(min_value=0.001, max_value=2.0))
def test_few_readings_are_kept_for_a_rate(spacing_s: float) -> None:
    state = State()
    for n in range(200):
        state = read_number(rising(over_s=60.0), state, 1.0, at(n * spacing_s))
        assert len(state.samples) <= SAMPLES + 2


def test_a_jump_is_a_rise_once_half_the_window_was_seen() -> None:
    quiet = [(60.0 * n, 1.0) for n in range(4)]
    assert levels(rising(), [*quiet, (240, 9.0)])[-1] is None, "four of ten minutes say too little"
    quiet = [(60.0 * n, 1.0) for n in range(10)]
    assert levels(rising(), [*quiet, (600, 9.0)])[-1] is SEVERE


def test_a_slow_sensor_has_a_rate_too() -> None:
    assert levels(rising(), [(0, 1.0), (3600, 31.0)]) == [None, SEVERE], "half a metre a minute for an hour"


def test_a_fall_is_a_rise_upside_down() -> None:
    fall = replace(rising(), marks=(Mark(Measure.FALL, SEVERE, -0.5, -0.5 * RATE_KEEPS),))
    assert levels(fall, [(0, 31.0), (3600, 1.0)]) == [None, SEVERE]
    assert levels(fall, [(0, 1.0), (3600, 31.0)]) == [None, None]


def test_what_the_broker_kept_says_nothing_of_a_rate() -> None:
    rules = rising()
    state = read_number(rules, State(), 1.0, at(0))
    state = read_number(rules, state, 500.0, at(3600), aged=True)
    assert state.rate is None
    assert level_of(rules, state) is None
    state = read_number(rules, state, 2.0, at(3660))
    assert state.rate == pytest.approx(1.0 / 61)


def test_a_rate_that_sinks_is_over_after_dwell() -> None:
    rules = rising(over_s=60.0, dwell_s=120.0)
    rise = [(30.0 * n, 0.3 * n) for n in range(10)]
    flat = [(300.0 + 30 * n, 3.0) for n in range(8)]
    found = levels(rules, [*rise, *flat])
    assert found[9] is SEVERE
    assert found[-1] is None
    assert found.count(SEVERE) > 8
