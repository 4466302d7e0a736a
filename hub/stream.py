"""Streams: how things come from an asyncio loop to trio, batch by batch, bounded by credits. The bridge's second verb.

An offer crosses in its turn with everything else (`Between`), is answered when the hub is done with it, and holds one
of its stream's credits until then.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

import trio

from hub.connector import Unavailable

T = TypeVar("T")
R = TypeVar("R")

Overflow = Literal["wait", "refuse"]


class Overloaded(Unavailable):
    """More is unanswered in a stream than it has credits for, and its overflow rule is to refuse."""


class StreamClosed(Unavailable):
    """The hub takes nothing more from this stream; what was offered and not answered may or may not be kept."""


class Between(Protocol):
    """What a stream needs of its loop (`hub.bridge.Loop`): each calls `receive(payload)` on the other side, in order
    with all that is said."""

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop: ...

    def post(self, receive: Callable[[Any], None], payload: Any) -> None:
        """From trio to asyncio."""
        ...

    def tell(self, receive: Callable[[Any], None], payload: Any) -> None:
        """From asyncio to trio."""
        ...

    def forget(self, stream: "Stream[Any, Any]") -> None:
        """It is closed."""
        ...


# --- the asyncio side --------------------------------------------------------------------------------------


class Port(Generic[T, R]):
    """The asyncio side of a stream."""

    def __init__(self, between: Between, stream: "Stream[T, R]", credits: int, overflow: Overflow) -> None:
        self._between = between
        self._loop = between.asyncio_loop
        self._stream = stream
        self._credits = credits
        self._overflow = overflow
        self._unanswered: set[asyncio.Future[R]] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._promised = 0  # credits given to waiting offers that have not run since
        self._closed = False

    async def offer(self, item: T) -> R:
        """Hands an item to the hub and returns its answer. Must run on the stream's own loop.

        Raises what the hub answers with; Overloaded past the credits if that is the rule; StreamClosed. If the
        caller is cancelled while it awaits the answer, the item is still processed.
        """
        if len(self._unanswered) + self._promised >= self._credits:
            await self._turn()
        if self._closed:
            raise StreamClosed(f"{self._stream.connector}: the hub is closing this stream")
        answer: asyncio.Future[R] = self._loop.create_future()
        self._unanswered.add(answer)
        self._between.tell(self._stream._receive, Offer(item, self, answer))
        return await answer

    async def _turn(self) -> None:
        if self._overflow == "refuse":
            raise Overloaded(f"{self._stream.connector}: {self._credits} items await the hub already")
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # given a credit and cancelled in one turn: pass it on
                self._promised -= 1
                self._release()
            raise
        self._promised -= 1

    def _release(self) -> None:
        while self._waiting and len(self._unanswered) + self._promised < self._credits:
            turn = self._waiting.popleft()
            if not turn.done():
                self._promised += 1
                turn.set_result(None)

    def _settle(self, settled: Sequence[tuple["Offer[T, R]", R | BaseException]]) -> None:
        for offer, result in settled:
            answer = offer._answer
            self._unanswered.discard(answer)
            if answer.done():  # the offerer went away, or the stream was closed
                continue
            if isinstance(result, BaseException):
                answer.set_exception(result)
            else:
                answer.set_result(result)
        if self._waiting:
            self._release()

    def _finish(self, _: None) -> None:
        """No more offers from here on; the stream hears it after all that came before."""
        if self._closed:
            return
        self._closed = True
        for turn in self._waiting:
            if not turn.done():
                self._promised += 1
                turn.set_result(None)  # each then finds the port closed
        self._waiting.clear()
        self._between.tell(self._stream._end, None)

    def _close(self, _: None) -> None:
        self._finish(None)
        for answer in self._unanswered:
            if not answer.done():
                answer.set_exception(StreamClosed(f"{self._stream.connector}: the hub closed this stream"))
        self._unanswered.clear()


# --- the trio side -----------------------------------------------------------------------------------------


class Offer(Generic[T, R]):
    """One item that awaits its answer. Answering twice has no effect the second time."""

    __slots__ = ("_answer", "_port", "item")

    def __init__(self, item: T, port: Port[T, R], answer: "asyncio.Future[R]") -> None:
        self.item = item
        self._port = port
        self._answer = answer

    def answer(self, result: R | Exception) -> None:
        """Lets `Port.offer` return `result`, or raise it if it is an exception."""
        self._port._between.post(self._port._settle, ((self, result),))


class Batch(Generic[T, R]):
    """What had come in when the hub looked, in order. Every batch must be answered or failed, whole or offer by
    offer: until then its items hold their credits and their offerers wait."""

    def __init__(self, offers: list[Offer[T, R]]) -> None:
        self.offers = offers

    @property
    def items(self) -> list[T]:
        return [offer.item for offer in self.offers]

    def __len__(self) -> int:
        return len(self.offers)

    def answer(self, results: Sequence[R | Exception]) -> None:
        """One result per item, in order; an exception among them is raised in that item's offer."""
        settled = tuple(zip(self.offers, results, strict=True))
        port = self.offers[0]._port
        port._between.post(port._settle, settled)

    def fail(self, error: Exception) -> None:
        """Raises `error` in every offer of the batch."""
        self.answer([error] * len(self.offers))


class Stream(Generic[T, R]):
    """The trio side, made by `hub.bridge.Loop.stream`: `async with loop.stream(...) as stream: async for batch in
    stream: ...`. One task iterates; several batches may be unanswered at a time. `port` is what the connector gets."""

    def __init__(self, between: Between, connector: str, credits: int, overflow: Overflow) -> None:
        self.connector = connector
        self.port: Port[T, R] = Port(between, self, credits, overflow)
        self._between = between
        self._arrived: list[Offer[T, R]] = []
        self._ended = False
        self._news = trio.Event()

    def _receive(self, offer: Offer[T, R]) -> None:
        if not self._arrived:
            self._news.set()
        self._arrived.append(offer)

    def _end(self, _: None) -> None:
        self._ended = True
        self._news.set()

    def __aiter__(self) -> AsyncIterator[Batch[T, R]]:
        return self

    async def __anext__(self) -> Batch[T, R]:
        await self._news.wait()  # a checkpoint also when there is something
        if not self._arrived:
            raise StopAsyncIteration
        offers, self._arrived = self._arrived, []
        if not self._ended:
            self._news = trio.Event()
        return Batch(offers)

    def finish(self) -> None:
        """Takes no more offers: `async for` ends after the batches already on their way. Those are still to be
        answered."""
        self._between.post(self.port._finish, None)

    def close(self) -> None:
        """Takes no more offers and fails the unanswered ones with StreamClosed."""
        self._between.forget(self)
        self._between.post(self.port._close, None)
        self._arrived = []
        self._end(None)

    async def __aenter__(self) -> "Stream[T, R]":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
