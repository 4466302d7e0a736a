"""The queue's arithmetic: buckets, lanes, waits. Time is a number here."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.dispatch import policy
from hub.dispatch.policy import DEFAULTS, LANES, PERSISTENCE, Limits, gives_up, limits_of, wait_s
from hub.dispatch.queue import Bucket, Lanes, People, Queue, Work
from hub.model.message import Lane


def work(lane: Lane = Lane.MASS, size: int = 1, order: str = "o", since_s: float = 0.0) -> Work:
    return Work(order=order, channel="sms", lane=lane, start=0, stop=size, since_s=since_s)


def test_a_bucket_fills_at_its_rate_and_keeps_some_for_asks() -> None:
    bucket = Bucket(rate=10, burst=20, kept=5, now_s=0)
    assert (bucket.room(0, ask=True), bucket.room(0, ask=False)) == (20, 15)
    bucket.take(15)
    assert (bucket.room(0, ask=True), bucket.room(0, ask=False)) == (5, 0)
    assert bucket.ready_s(1, ask=False) == pytest.approx(0.1)
    assert bucket.room(0.5, ask=False) == 5
    assert bucket.room(100, ask=True) == 20, "never more than the burst"
    assert bucket.room(50, ask=True) == 20, "a clock that steps back takes nothing away"


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(1, 30), st.booleans()), max_size=60))
def test_a_bucket_never_gives_more_than_rate_and_burst_allow(steps: list[tuple[float, int, bool]]) -> None:
    bucket, now_s, given_ = Bucket(rate=7, burst=20, kept=5, now_s=0), 0.0, 0
    for after_s, wanted, ask in steps:
        now_s += after_s
        count = min(wanted, bucket.room(now_s, ask))
        bucket.take(count)
        given_ += count
        assert given_ <= 20 + 7 * now_s + 1e-6
        if wanted <= 15:
            later_s = bucket.ready_s(wanted, ask)
            assert copy.copy(bucket).room(later_s + 1e-6, ask) >= wanted, "and what it promises it holds"


def test_the_table_of_waits_is_as_told() -> None:
    assert [wait_s(Lane.ASK, n, 0.5) for n in (1, 2, 3, 4, 5)] == [2, 4, 8, 15, 15]
    assert [wait_s(Lane.MASS, n, 0.5) for n in (1, 2, 20)] == [10, 20, 300]
    assert wait_s(Lane.ASK, 1, 0.0) == pytest.approx(1.6)
    assert wait_s(Lane.ASK, 1, 0.999) == pytest.approx(2.4, abs=0.01)
    assert wait_s(Lane.ASK, 1, 0.0, asked_s=9) == 9


def test_the_table_in_the_docstring_is_the_policy() -> None:
    assert policy.__doc__ is not None
    rows = {line.split()[0]: line.split() for line in policy.__doc__.splitlines() if line.startswith("    ")}
    for lane in LANES:
        assert rows[lane.value][1] == str(PERSISTENCE[lane].tries)
    for name, limits in [*DEFAULTS.items(), ("others", Limits())]:
        row = rows[name]
        assert [float(row[i]) for i in (1, 2, 3)] == [limits.rate, limits.burst, limits.burst_asks]
        assert row[4:8] == [str(limits.per_person), "in", f"{limits.person_s / 60:.0f}", "min"]
        assert [int(row[8]), int(row[9]), float(row[10])] == [limits.width, limits.width_asks, limits.try_s]


def test_a_lane_gives_up_by_tries_or_time() -> None:
    assert not gives_up(Lane.ASK, 3, 0, 60)
    assert gives_up(Lane.ASK, 4, 0, 10)
    assert gives_up(Lane.ASK, 1, 0, 61)
    assert not gives_up(Lane.MASS, 10, 0, 3600 * 5)


def test_one_persons_places_come_back_and_are_forgotten() -> None:
    people = People(Limits(per_person=4, person_s=400, person_asks=1))
    assert [people.admit("p", 0, ask=False) for _ in range(3)] == [0, 0, 0]
    assert people.admit("p", 0, ask=False) == pytest.approx(100, abs=0.01)
    assert people.admit("p", 0, ask=True) == 0
    assert people.admit("p", 101, ask=False) > 101
    for n in range(5000):
        people.admit(f"q{n}", 1000.0 + n, ask=False)
    assert len(people) < 4200, "whoever is at rest again is forgotten"


def test_what_is_given_back_takes_its_old_turn() -> None:
    lanes = Lanes(Limits(rate=1000, burst=1000, width=100, width_asks=10), 0)
    lanes.put(work(size=300, order="a"), 0)
    lanes.put(work(size=10, order="b", since_s=1), 1)
    taken = [w for w, _ in lanes.take(1)]
    lanes.put_back(list(reversed(taken)))
    assert [(w.order, w.start) for w in lanes] == sorted((w.order, w.start) for w in lanes)
    assert sum(len(w) for w in lanes) == 310


def test_nothing_less_pressing_goes_past_what_has_to_wait() -> None:
    lanes = Lanes(Limits(rate=1, burst=2, burst_asks=1, width=10, width_asks=2), 0)
    for order, lane in (("m", Lane.MASS), ("n", Lane.NOTIFY), ("n2", Lane.NOTIFY), ("a", Lane.ASK)):
        lanes.put(work(lane, order=order), 0)
    assert [w.order for w, _ in lanes.take(0)] == ["a"], "the last one is kept for asks"
    assert [w.order for w, _ in lanes.take(1)] == ["n"]
    assert lanes.next_s(1) == pytest.approx(2)


def test_a_paused_queue_gives_nothing_and_time_stands_still() -> None:
    queue = Queue({"sms": limits_of("sms")}, 0)
    queue.put(work(Lane.ASK), 0)
    queue.pause(10)
    assert queue.take(1000) == []
    assert queue.overdue(1000) == []
    assert queue.next_s(1000) == float("inf")
    queue.resume(1000)
    assert queue.overdue(1040) == []
    assert len(queue.overdue(1052)) == 1


@given(st.lists(st.tuples(st.sampled_from(LANES), st.integers(1, 400), st.floats(0, 2)), min_size=1, max_size=12))
def test_everything_put_goes_out_once_in_bounds_without_a_busy_loop(steps: list[tuple[Lane, int, float]]) -> None:
    limits = Limits(rate=200, burst=100, burst_asks=10, width=20, width_asks=4)
    queue, now_s = Queue({"sms": limits}, 0), 0.0
    under_way: list[tuple[Work, int]] = []
    total = gone = 0
    for number, (lane, size, after_s) in enumerate(steps):
        size = 1 if lane is Lane.ASK else size
        total += size
        queue.put(work(lane, size, f"o{number}", now_s), now_s)
        now_s += after_s
    for _ in range(5000):
        taken = queue.take(now_s)
        under_way += taken
        gone += sum(len(w) for w, _ in taken)
        assert sum(places for _, places in under_way) <= limits.width
        if gone == total:
            break
        if under_way:
            done, places = under_way.pop(0)
            queue.channel("sms").leave(done.lane, places)
            now_s += 0.01
        else:
            later = queue.next_s(now_s)
            assert now_s < later < float("inf")
            now_s = later
    assert gone == total
