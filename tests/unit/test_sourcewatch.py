"""The watch over sources: silence, layout, delay; each told once, over once, and not again after a restart."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import pytest

from hub.binding import Misfit
from hub.config.forms import expected
from hub.intake.port import Answered, IntakePort, Offered
from hub.model.records import SourceWatched
from hub.sourcewatch import LATE, LAYOUT, SILENT, SourceWatch
from tests.stories import Night

T0 = datetime(2026, 5, 1, 8, tzinfo=UTC)
KMI = "kmi"


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def told(watch: SourceWatch, minutes: float) -> list[tuple[str, bool]]:
    """What it finds, as told."""
    found: list[SourceWatched] = list(watch.findings(at(minutes)))
    for one in found:
        watch.tell(one)
    return [(one.what, one.over) for one in found]


def silent_watch() -> SourceWatch:
    return SourceWatch({KMI: 900.0}, T0)


def test_silence_is_told_once_and_is_over_when_something_is_heard() -> None:
    watch = silent_watch()
    watch.heard(KMI, at(5))
    assert told(watch, 20) == []
    assert told(watch, 20.1) == [(SILENT, False)]
    assert told(watch, 500) == []
    watch.heard(KMI, at(501))
    assert told(watch, 501) == [(SILENT, True)]
    assert told(watch, 502) == []


def test_the_reason_names_since_when_and_what_was_expected() -> None:
    watch = silent_watch()
    watch.heard(KMI, at(5))
    (found,) = watch.findings(at(30))
    assert found.reason == "nothing heard since 2026-05-01 08:05Z; expected every 15 min"


def test_what_could_not_be_written_down_is_found_again() -> None:
    watch = silent_watch()
    assert len(list(watch.findings(at(16)))) == 1
    assert told(watch, 17) == [(SILENT, False)]


def test_after_a_restart_it_is_neither_told_again_nor_over_before_something_is_heard() -> None:
    watch = SourceWatch({KMI: 900.0}, T0, {(SILENT, KMI)})
    assert told(watch, 1) == []
    assert told(watch, 60) == []
    watch.heard(KMI, at(61))
    assert told(watch, 61) == [(SILENT, True)]


def test_a_step_of_the_clock_is_nobodys_silence() -> None:
    watch = silent_watch()
    watch.heard(KMI, at(1))
    watch.stepped(at(600))
    assert told(watch, 614) == []
    assert told(watch, 616) == [(SILENT, False)]


def test_an_expectation_taken_away_ends_the_silence() -> None:
    assert told(SourceWatch({KMI: 0.0}, T0, {(SILENT, KMI)}), 1) == [(SILENT, True)]


def test_most_items_unreadable_is_a_changed_layout_until_few_are() -> None:
    watch = SourceWatch({"any": 0.0}, T0)
    for _ in range(9):
        watch.took("any", unreadable=True)
    assert told(watch, 1) == [], "nine items say nothing yet"
    watch.took("any", unreadable=True)
    assert told(watch, 1) == [(LAYOUT, False)]
    for _ in range(14):
        watch.took("any", unreadable=False)
    assert told(watch, 2) == [], "6 of 20 are still too many"
    watch.took("any", unreadable=False)
    assert told(watch, 2) == [(LAYOUT, True)]


def test_half_unreadable_is_no_changed_layout() -> None:
    watch = SourceWatch({"any": 0.0}, T0)
    for n in range(20):
        watch.took("any", unreadable=n % 2 == 0)
    assert told(watch, 1) == []


def test_delay_is_judged_by_what_is_usual_and_never_becomes_it() -> None:
    watch = SourceWatch({"any": 0.0}, T0)
    for n in range(40):
        watch.arrived("any", at(n), at(n + 1))
    assert told(watch, 41) == []
    for n in range(100):
        watch.arrived("any", at(n), at(n + 20))
        if n == 9:
            assert told(watch, 60) == [(LATE, False)]
    assert told(watch, 200) == [], "it is still late, and told"
    for n in range(10):
        watch.arrived("any", at(n), at(n + 1))
    assert told(watch, 300) == [(LATE, True)]


def test_a_source_that_is_always_slow_is_not_late() -> None:
    watch = SourceWatch({"any": 0.0}, T0)
    for n in range(100):
        watch.arrived("any", at(n), at(n + 60))
    assert told(watch, 200) == []


# --- what the hub makes of it --------------------------------------------------------------------------------


def test_the_room_hears_of_each_finding_once_and_that_it_is_over() -> None:
    night = Night()
    found = SourceWatched(source=KMI, what=SILENT, reason="nothing heard")
    night.fact(found)
    night.fact(found)
    night.fact(SourceWatched(source=KMI, what=LATE, reason="late"))
    assert night.alarms() == [SILENT, LATE]
    night.fact(SourceWatched(source=KMI, what=SILENT, over=True))
    assert night.alarms() == [LATE]


class Offers:
    """What crosses to the hub."""

    def __init__(self) -> None:
        self.made: list[Offered] = []

    async def offer(self, item: Offered) -> Answered:
        self.made.append(item)
        return Answered(())


def test_polls_that_succeed_are_told_at_most_every_half_minute_and_those_that_fail_never() -> None:
    clock, offers = [T0], Offers()

    async def no_worker(*args: object, **named: object) -> NoReturn:
        raise AssertionError(args)

    port = IntakePort(KMI, offers, no_worker, lambda: clock[0])

    async def polls(health: str, times: int, every_s: float) -> int:
        before = len(offers.made)
        for _ in range(times):
            clock[0] += timedelta(seconds=every_s)
            await port.health(health)
        return len(offers.made) - before

    async def story() -> None:
        assert await polls("ok", 1, 0) == 1
        assert await polls("ok", 9, 10) == 3
        assert offers.made[1:] == [Offered(())] * 3, "nothing that would be written down"
        assert await polls("failing", 10, 60) == 1, "only that it fails"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("written", "seconds"), [("every 15 min", 900.0), ("15 min", 900.0), ("every 1 h 30 min", 5400.0)]
)
def test_how_often_is_written_as_it_is_said(written: str, seconds: float) -> None:
    assert expected(written) == seconds


@pytest.mark.parametrize("written", ["every 10 s", "every", "often", "15"])
def test_what_is_no_expectation_is_refused_with_its_remedy(written: str) -> None:
    with pytest.raises(Misfit) as refused:
        expected(written)
    assert refused.value.remedy
