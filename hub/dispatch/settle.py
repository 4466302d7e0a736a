"""What became of an attempt whose outcome is not known: the channel is asked, where it can be and where its answer
could not be about another delivery (hub/dispatch/doubt.py).
"""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import msgspec
import structlog
import trio

from hub.connector import Answer, Channel, Outgoing, Retry
from hub.dispatch.doubt import Doubts, Look, look
from hub.dispatch.orders import Counters, Order, open_order
from hub.dispatch.policy import SETTLE_S, SETTLE_WIDTH
from hub.dispatch.prepare import Preparer
from hub.dispatch.queue import Work
from hub.dispatch.route import Routes
from hub.journal import Journal
from hub.model.events import Ordered
from hub.model.records import Attempt

log = structlog.get_logger(__name__)

T = TypeVar("T")

LOOK_BACK = timedelta(minutes=1)  # before the first attempt in doubt: more than clocks differ by


class Caller(Protocol):
    """`hub.bridge.Loop.call`, or a trio stand-in."""

    async def __call__(
        self,
        fn: Callable[..., Coroutine[Any, Any, T]],
        *args: object,
        connector: str,
        doing: str | None = None,
        deadline_s: float | None = None,
    ) -> T: ...


class Settler:
    """Asks channels what became of attempts."""

    def __init__(
        self,
        journal: Journal,
        call: Caller,
        channels: Mapping[str, Channel],
        routes: Routes,
        counters: Counters,
        preparer: Preparer,
    ) -> None:
        self.doubts = Doubts()
        self._journal = journal
        self._call = call
        self._channels = channels
        self._routes = routes
        self._counters = counters
        self._preparer = preparer

    async def ask(self, name: str, outgoing: Outgoing, within_s: float = SETTLE_S) -> Answer | None:
        """Sent, Dead, or Retry without doubt (it surely was not taken); None where it cannot be told."""
        channel = self._channels[name]
        key = look(name, channel, outgoing)
        if key is None:
            return None
        answer: Answer | None = None
        if self.doubts.can_be_told(key, outgoing):
            assert outgoing.since is not None  # when its attempt was made: always filled in by prepare
            others = self.doubts.others_since(outgoing.since - LOOK_BACK)
            asked = msgspec.structs.replace(outgoing, others=others)
            try:
                answer = await self._call(channel.settle, asked, connector=name, deadline_s=within_s)
            except Exception as error:  # as for sending
                log.warning("settling broke off", connector=name, attempt=outgoing.attempt, error=str(error))
        if answer is None or (isinstance(answer, Retry) and answer.doubt):
            self.doubts.unclear(key, outgoing)
            return None
        self._counters.settled += 1
        return answer

    async def ask_all(
        self, order: Order, work: Work, attempt: Attempt, told: Callable[[Outgoing, Answer], None]
    ) -> None:
        """Tells what came of an attempt's deliveries, of as many as can be told within `SETTLE_S`."""
        if not self._channels[work.channel].abilities.settles:
            return
        handed = iter(await self._preparer.as_handed(order, work, attempt))

        async def ask_in_turn() -> None:
            for outgoing in handed:
                key = look(work.channel, self._channels[work.channel], outgoing)
                await self.doubts.enter(key)
                try:
                    answer = await self.ask(work.channel, outgoing)
                finally:
                    self.doubts.leave(key)
                if answer is not None:
                    told(outgoing, answer)

        with trio.move_on_after(SETTLE_S):
            async with trio.open_nursery() as nursery:
                for _ in range(min(len(work), SETTLE_WIDTH)):
                    nursery.start_soon(ask_in_turn)

    async def look_back(self, doubtful: Sequence[tuple[Order, Work, Attempt]], others: Iterable[Ordered]) -> None:
        """Coming back: finds out what could be taken for what, before any of it is settled. What was in doubt of
        `others`, orders over or not, may stand in a provider's list as well."""
        asked = [entry for entry in doubtful if self._channels[entry[1].channel].abilities.settles]
        if not asked:
            return
        since = min(attempt.at for _, _, attempt in asked) - LOOK_BACK
        asked += await self._ever_in_doubt(since, others)
        known = await self._journal.receipts_since(since)
        self.doubts.others = frozenset(receipt.ref for receipts in known for receipt in receipts if receipt.ref)
        same: list[tuple[Look, tuple[str, int]]] = []
        for order, work, attempt in asked:
            for outgoing in await self._preparer.as_handed(order, work, attempt):
                key = look(work.channel, self._channels[work.channel], outgoing)
                if key is not None:
                    same.append((key, (outgoing.order, outgoing.index)))
        self.doubts.all_in_doubt(same)

    async def _ever_in_doubt(self, since: datetime, others: Iterable[Ordered]) -> list[tuple[Order, Work, Attempt]]:
        """Attempts made since, over channels that can be asked, whose outcome was never written down."""
        settling = {name for name, channel in self._channels.items() if channel.abilities.settles}
        orders = {o.order: o for o in others if not settling.isdisjoint(self._routes.every(o.channel))}
        made = [
            a
            for a in await self._journal.attempts_of(list(orders))
            if a.at >= since and (a.provider or orders[a.order].channel) in settling
        ]
        settled = set(await self._journal.receipts_of([a.id for a in made]))
        found: list[tuple[Order, Work, Attempt]] = []
        for attempt in made:
            if attempt.id not in settled:
                ordered = orders[attempt.order]
                work = Work(
                    order=ordered.order,
                    channel=attempt.provider or ordered.channel,
                    lane=ordered.lane,
                    start=attempt.start,
                    stop=attempt.stop,
                    only=attempt.only,
                    since_s=0.0,
                )
                found.append((open_order(ordered), work, attempt))
        return found
