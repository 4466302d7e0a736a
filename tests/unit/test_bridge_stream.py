"""The door's second verb: what comes in, batch by batch."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import trio
import trio.testing

from hub.bridge import open_bridge
from hub.stream import Batch, Overflow, Overloaded, Port, Stream, StreamClosed

Offerer = Callable[[Port[int, int]], Coroutine[Any, Any, Any]]


async def offer_all(port: Port[int, int], count: int) -> list[int | BaseException]:
    """All offers in one turn of the loop."""
    return await asyncio.gather(*(port.offer(n) for n in range(count)), return_exceptions=True)


async def double(stream: Stream[int, int], sizes: list[int]) -> None:
    async for batch in stream:
        sizes.append(len(batch))
        batch.answer([item * 2 for item in batch.items])


@pytest.mark.trio
async def test_a_burst_is_one_batch_one_waking_and_one_answer() -> None:
    sizes: list[int] = []
    async with open_bridge() as bridge:
        stream: Stream[int, int] = bridge.in_.stream(connector="web", credits=64, overflow="wait")
        async with stream, trio.open_nursery() as nursery:
            nursery.start_soon(double, stream, sizes)
            answers = await bridge.in_.call(offer_all, stream.port, 50, connector="web")
            stream.finish()
        assert answers == [n * 2 for n in range(50)]
        assert sizes == [50]
        # Towards trio: the burst, the call's result, the stream's end. The other way: the call, the answers, and
        # finishing and leaving the stream, which may go together.
        assert bridge.in_.bursts_in == 3
        assert bridge.in_.bursts_out in (3, 4)


@pytest.mark.trio
async def test_no_more_are_unanswered_than_there_are_credits() -> None:
    sizes: list[int] = []
    async with open_bridge() as bridge:
        stream: Stream[int, int] = bridge.in_.stream(connector="web", credits=8, overflow="wait")
        async with stream, trio.open_nursery() as nursery:
            nursery.start_soon(double, stream, sizes)
            answers = await bridge.in_.call(offer_all, stream.port, 100, connector="web")
            stream.finish()
    assert answers == [n * 2 for n in range(100)]
    assert max(sizes) == 8
    assert sum(sizes) == 100


async def first_batch(stream: Stream[int, int]) -> Batch[int, int]:
    return await anext(aiter(stream))


async def with_offers(
    overflow: Overflow, credits: int, offers: Offerer, serve: Callable[[Stream[int, int]], Coroutine[Any, Any, None]]
) -> Any:
    """What `offers` returned while `serve` looked after the stream."""
    returned: list[Any] = []
    async with open_bridge() as bridge:
        stream: Stream[int, int] = bridge.in_.stream(connector="web", credits=credits, overflow=overflow)
        async with stream, trio.open_nursery() as nursery:

            async def call() -> None:
                returned.append(await bridge.in_.call(offers, stream.port, connector="web"))

            nursery.start_soon(call)
            await serve(stream)
    return returned[0]


@pytest.mark.trio
async def test_past_the_credits_an_offer_is_refused_where_that_is_the_rule() -> None:
    async def serve(stream: Stream[int, int]) -> None:
        batch = await first_batch(stream)
        batch.answer(batch.items)

    async def offers(port: Port[int, int]) -> list[int | BaseException]:
        return await offer_all(port, 5)

    answers = await with_offers("refuse", 3, offers, serve)
    assert answers[:3] == [0, 1, 2]
    assert [str(answer) for answer in answers[3:]] == ["web: 3 items await the hub already"] * 2
    assert all(isinstance(answer, Overloaded) for answer in answers[3:])


@pytest.mark.trio
async def test_an_error_among_the_answers_is_raised_in_its_own_offer() -> None:
    async def serve(stream: Stream[int, int]) -> None:
        (await first_batch(stream)).answer([1, ValueError("twice"), 3])

    async def offers(port: Port[int, int]) -> list[int | BaseException]:
        return await offer_all(port, 3)

    first, second, third = await with_offers("wait", 8, offers, serve)
    assert (first, third) == (1, 3)
    assert isinstance(second, ValueError)


@pytest.mark.trio
async def test_a_failed_batch_raises_in_every_offer() -> None:
    async def serve(stream: Stream[int, int]) -> None:
        (await first_batch(stream)).fail(OSError("disk full"))

    async def offers(port: Port[int, int]) -> list[int | BaseException]:
        return await offer_all(port, 3)

    assert [str(error) for error in await with_offers("wait", 8, offers, serve)] == ["disk full"] * 3


@pytest.mark.trio
async def test_offers_can_be_answered_one_by_one_and_out_of_order() -> None:
    async def serve(stream: Stream[int, int]) -> None:
        for offer in reversed((await first_batch(stream)).offers):
            offer.answer(offer.item * 10)
            offer.answer(0)  # the second answer has no effect

    async def offers(port: Port[int, int]) -> list[int | BaseException]:
        return await offer_all(port, 3)

    assert await with_offers("wait", 8, offers, serve) == [0, 10, 20]


@pytest.mark.trio
async def test_as_many_answers_as_items() -> None:
    async def serve(stream: Stream[int, int]) -> None:
        batch = await first_batch(stream)
        with pytest.raises(ValueError, match="shorter"):
            batch.answer([1])
        batch.fail(OSError())

    async def offers(port: Port[int, int]) -> list[int | BaseException]:
        return await offer_all(port, 3)

    await with_offers("wait", 8, offers, serve)


@pytest.mark.trio
async def test_an_offerer_that_goes_away_leaves_its_item_and_the_others_be() -> None:
    items: list[int] = []

    async def serve(stream: Stream[int, int]) -> None:
        async for batch in stream:
            items.extend(batch.items)
            if 99 in batch.items:  # offered once the offerer of 0 had gone
                stream.finish()
            for offer in batch.offers:
                offer.answer(offer.item)

    async def offers(port: Port[int, int]) -> list[int | BaseException]:
        leaving, staying = (asyncio.create_task(port.offer(n)) for n in range(2))
        await asyncio.sleep(0)  # both have offered
        leaving.cancel()
        return list(await asyncio.gather(leaving, staying, port.offer(99), return_exceptions=True))

    gone, one, last = await with_offers("wait", 8, offers, serve)
    assert isinstance(gone, asyncio.CancelledError)
    assert (one, last) == (1, 99)
    assert items == [0, 1, 99]


@pytest.mark.trio
async def test_one_that_waits_for_a_credit_and_goes_away_does_not_keep_it() -> None:
    async def serve(stream: Stream[int, int]) -> None:
        async for batch in stream:
            batch.answer(batch.items)
            if batch.items == [2]:
                stream.finish()

    async def offers(port: Port[int, int]) -> list[int | BaseException]:
        holder, waiting, patient = (asyncio.create_task(port.offer(n)) for n in range(3))
        # Cancelled in the very turn in which it is given its credit.
        holder.add_done_callback(lambda _: waiting.cancel())
        return list(await asyncio.gather(holder, waiting, patient, return_exceptions=True))

    first, gone, last = await with_offers("wait", 1, offers, serve)
    assert (first, last) == (0, 2)
    assert isinstance(gone, asyncio.CancelledError)


@pytest.mark.trio
async def test_finishing_lets_what_is_on_its_way_be_answered_and_takes_no_more() -> None:
    async def serve(stream: Stream[int, int]) -> None:
        batch = await first_batch(stream)
        stream.finish()
        assert [len(more) async for more in stream] == []
        batch.answer(batch.items)

    async def offers(port: Port[int, int]) -> list[int | BaseException]:
        answers = await offer_all(port, 2)  # one of them waits for the only credit
        return [*answers, *await offer_all(port, 1)]

    first, waited, late = await with_offers("wait", 1, offers, serve)
    assert first == 0
    assert isinstance(waited, StreamClosed)
    assert isinstance(late, StreamClosed)


@pytest.mark.trio
async def test_leaving_a_stream_fails_what_is_unanswered() -> None:
    async def serve(stream: Stream[int, int]) -> None:
        await first_batch(stream)
        stream.close()

    async def offers(port: Port[int, int]) -> list[int | BaseException]:
        return await offer_all(port, 2)

    answers = await with_offers("wait", 8, offers, serve)
    assert [str(error) for error in answers] == ["web: the hub closed this stream"] * 2
    assert all(isinstance(error, StreamClosed) for error in answers)


@pytest.mark.trio
async def test_closing_the_bridge_ends_the_iteration() -> None:
    async with trio.open_nursery() as nursery, open_bridge() as bridge:
        stream = bridge.in_.stream(connector="web", credits=8, overflow="wait")
        nursery.start_soon(double, stream, [])
        await trio.testing.wait_all_tasks_blocked()
