"""Offering behind what is read: bounded, in order, the cursor never ahead; health of several lines."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import live
from connectors.http import FetchFailed
from connectors.live import Funnel, Health, Line, remember, together
from hub.connector import BadItem
from tests.edge.polling import PolledIntake


def letter(n: int, size: int = 1) -> BadItem:
    return BadItem(reason="x", original=b"x" * size, key=str(n))


def run(story: Callable[[PolledIntake], Coroutine[Any, Any, None]]) -> None:
    async def one() -> None:
        intake = PolledIntake()
        intake.set_clock(datetime(2026, 7, 14, tzinfo=UTC))
        await asyncio.wait_for(story(intake), 20)

    asyncio.run(one())


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("count", "size", "most"), [(5_000, 1, 1001), (60, 1 << 20, 17)], ids=["so many", "so many bytes"]
)
def test_reading_waits_where_too_much_is_ahead(count: int, size: int, most: int) -> None:
    async def story(intake: PolledIntake) -> None:
        at = [0]
        funnel = Funnel(intake, Health(intake, 0, 1), lambda: str(at[0]), no_sleep)
        put = [0]

        async def read() -> None:
            for n in range(count):
                await funnel.put([letter(n, size)], lambda n=n: at.__setitem__(0, n))  # type: ignore[misc] # bound now
                put[0] += 1

        reading = asyncio.ensure_future(read())
        for _ in range(6_000):
            await asyncio.sleep(0)
        held = put[0]
        assert held <= most
        assert at == [0], "the cursor stays behind what is offered"
        offering = asyncio.ensure_future(funnel.run())
        await intake.until(lambda: len(intake.items) == count)
        await reading
        assert [item.key for item in intake.items] == [str(n) for n in range(count)]
        offering.cancel()
        await asyncio.wait({offering})

    run(story)


def test_the_cursor_goes_along_now_and_then_and_when_it_is_asked_to() -> None:
    async def story(intake: PolledIntake) -> None:
        at = [0]
        funnel = Funnel(intake, Health(intake, 0, 1), lambda: str(at[0]), no_sleep, keep_s=3600)
        offering = asyncio.ensure_future(funnel.run())
        for n in range(1, 4):
            await funnel.put([letter(n)], lambda n=n: at.__setitem__(0, n))  # type: ignore[misc] # bound now
            await intake.until(lambda n=n: len(intake.items) == n)  # type: ignore[misc] # likewise
        assert intake.kept == "1"
        await funnel.keep()
        assert intake.kept == "3"
        offering.cancel()
        await asyncio.wait({offering})

    run(story)


def test_the_cursor_of_the_last_things_is_kept_although_nothing_follows() -> None:
    async def story(intake: PolledIntake) -> None:
        at = [0]
        funnel = Funnel(intake, Health(intake, 0, 1), lambda: str(at[0]), no_sleep, keep_s=0.05)
        offering = asyncio.ensure_future(funnel.run())
        for n in range(1, 4):
            await funnel.put([letter(n)], lambda n=n: at.__setitem__(0, n))  # type: ignore[misc] # bound now
        await intake.until(lambda: intake.kept == "3")
        offering.cancel()
        await asyncio.wait({offering})

    run(story)


def test_health_is_that_of_all_lines() -> None:
    async def story(intake: PolledIntake) -> None:
        health = Health(intake, 600, 2)
        await health.fine("a")
        assert intake.healths == []
        await health.failed("b", "b broke")
        await health.failed("c", "c broke")
        assert intake.healths[-1] == ("failing", "b broke (and 1 more)")
        await health.fine("b")
        await health.fine("c")
        assert intake.healths[-1] == ("ok", "")
        intake.set_clock(intake.now() + timedelta(minutes=11))
        await health.tell()
        assert intake.healths[-1] == ("silent", "no post for 660 s")
        health.news()
        await health.tell()
        assert intake.healths[-1] == ("ok", "")

    run(story)


def test_a_line_waits_longer_each_time_it_fails_and_no_longer_than_two_minutes() -> None:
    async def story(intake: PolledIntake) -> None:
        waits: list[float] = []
        answers = [FetchFailed("x")] * 12 + [FetchFailed("x", retry_after_s=600)]

        async def work() -> None:
            if len(waits) < len(answers):
                raise answers[len(waits)]
            await asyncio.Event().wait()

        async def sleep(wait_s: float) -> None:
            waits.append(wait_s)

        line = Line("test", "a", Health(intake, 0, 1), sleep, random.Random(1))
        holding = asyncio.ensure_future(line.hold(work))
        for _ in range(100):
            await asyncio.sleep(0)
        holding.cancel()
        await asyncio.wait({holding})
        assert [round(wait) for wait in waits[:4]] == [1, 2, 4, 8]
        assert all(live.LONGEST_S <= wait <= 1.1 * live.LONGEST_S for wait in waits[7:12])
        assert waits[12] == 600

    run(story)


def test_a_fault_of_one_ends_all_and_is_raised() -> None:
    async def story(_: PolledIntake) -> None:
        ended = []

        async def lasting() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        async def faulty() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await together([lasting(), faulty()])
        assert ended == [True]

    run(story)


def test_the_longest_remembered_is_forgotten_first() -> None:
    known: dict[str, int] = {}
    for n in range(5):
        remember(known, str(n), n, 3)
    remember(known, "2", 9, 3)
    assert list(known.items()) == [("3", 3), ("4", 4), ("2", 9)]
