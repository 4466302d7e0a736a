"""From a decision to a delivery: every order is handed to its channel once its decision and the attempt are durable,
and what the channel said is written down as a fact. Dispatch decides nothing: that another channel is tried is the
engine's doing; by which provider a channel's deliveries go is dispatch's (docs/decisions/providers.md). Policy:
hub/dispatch/policy.py; what waits: queue.py; by which provider: providers.py, route.py and health.py; who and what:
prepare.py and render.py; one attempt: attempt.py; one in doubt: settle.py.
"""

import random
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog
import trio

from hub.connector import Channel
from hub.dispatch.attempt import Attempts
from hub.dispatch.orders import GAP_MAX, Counters, Order, Pending, open_order, spans
from hub.dispatch.policy import Limits, limits_of
from hub.dispatch.prepare import Enclose, Preparer
from hub.dispatch.providers import Providers
from hub.dispatch.queue import Queue, Work
from hub.dispatch.render import Texts
from hub.dispatch.route import Routes
from hub.dispatch.settle import Caller
from hub.journal import Journal
from hub.model.events import Ordered
from hub.model.ids import Ids
from hub.model.message import Lane, Outcome
from hub.model.records import Attempt
from hub.model.signal import Signal
from hub.people.directory import Directory

log = structlog.get_logger(__name__)

_ORDERS_AT_ONCE = 500  # asked of the journal at a time when coming back


class Dispatch:
    """Run `run()` in a nursery. `directory` and `texts` may be replaced at any time (a new version is in force); what
    is already rendered stays as it is. `submit`, `withdraw`, `hold`, `pause` and their contraries return at once.

    `now` gives hub time (for records); waiting follows trio's clock. `ids` is dispatch's own. `recall` gives the signal
    of a fact where it is still at hand; otherwise it is read from the journal. `failing`: providers of which the room
    has been told, before the hub came up, that they fail.
    `opted_out`: the channels over which one of the public wants nothing more.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        call: Caller,
        channels: Mapping[str, Channel],
        directory: Directory,
        texts: Texts,
        now: Callable[[], datetime],
        ids: Ids,
        chance: random.Random | random.SystemRandom,
        limits: Mapping[str, Limits] | None = None,
        recall: Callable[[str], Signal | None] = lambda fact: None,
        routes: Routes | None = None,
        failing: Collection[str] = (),
        opted_out: Callable[[str], Collection[str]] = lambda person: (),
        enclose: Enclose | None = None,
    ) -> None:
        given = limits or {}
        self.counters = Counters()
        self._limits = {name: given.get(name, limits_of(name)) for name in channels}
        self._queue = Queue(self._limits, trio.current_time())
        self._orders: dict[str, Order] = {}
        self._chores: deque[Callable[[], Awaitable[None]]] = deque()
        self._news = trio.Event()
        self._closing = False
        self._recovering = False
        self._meanwhile: dict[str, str] = {}  # withdrawn while recovering, perhaps before it was taken up
        self._heard: dict[str, set[int]] = {}  # likewise
        self._providers = Providers(channels, routes or Routes(), failing)
        self._preparer = Preparer(
            journal, channels, self._limits, self._providers, directory, texts, now, ids, opted_out, enclose
        )
        self._recall = recall
        self._attempts = Attempts(
            journal=journal,
            call=call,
            channels=channels,
            limits=self._limits,
            queue=self._queue,
            orders=self._orders,
            counters=self.counters,
            providers=self._providers,
            preparer=self._preparer,
            now=now,
            ids=ids,
            chance=chance,
            wake=self._wake,
            chore=self._chore,
        )
        self._journal = journal
        self._channels = channels
        self._now = now

    # --- what the engine's decisions ask for ---------------------------------------------------------------

    def submit(self, ordered: Ordered) -> None:
        """Takes an order of a decision that is durable, or on its way to the journal, which holds the attempts back
        until it is. One that is under way already is not taken twice."""
        if ordered.order in self._orders:
            return
        order = open_order(ordered)
        if not order.left:
            return
        order.signal = self._recall(ordered.signal)  # while it is at hand: the order may wait long
        order.signal_read = order.signal is not None
        self._orders[ordered.order] = order
        self._enqueue(order, self._works(order, ()))

    def withdraw(self, order: str, why: str = "withdrawn") -> None:
        """What has not gone out yet does not go out any more; a call that rings is hung up where the channel can."""
        known = self._orders.get(order)
        if self._recovering:
            self._meanwhile[order] = why or "withdrawn"
        if known is not None:
            known.withdrawn = why or "withdrawn"
            if gone := self._queue.remove(order):
                self._chore(lambda: self._attempts.end_withdrawn(known, gone))
        self._chore(lambda: self._attempts.recall(order))

    def heard(self, order: str, moves: Sequence[tuple[int, Outcome, str]]) -> None:
        """What became of these deliveries is known. Where an attempt was in doubt and is to be made again, a provider's
        own word came in between: it counts, and nobody is rung twice for nothing."""
        known = self._orders.get(order)
        indexes = [index for index, _, _ in moves]
        if self._recovering:
            self._heard.setdefault(order, set()).update(indexes)
        if known is not None:
            known.heard.update(indexes)
        if told := self._providers.heard(order, moves, trio.current_time()):
            self._chore(partial(self._attempts.tell, told))

    def hold(self, order: str) -> None:
        """What has not gone out yet of an order waits until `let_go`. What is being handed over at this instant
        finishes."""
        self._queue.hold(order, trio.current_time())

    def let_go(self, order: str) -> None:
        """What waited of it goes out; the time it stood does not count."""
        self._queue.let_go(order, trio.current_time())
        self._wake()

    def pause(self, by: str, why: str) -> None:
        """Stop-all: nothing more goes out until `resume`. What is being handed over at this instant finishes."""
        log.warning("nothing goes out any more", by=by, why=why)
        self._queue.pause(trio.current_time())

    def resume(self) -> None:
        """What waited goes out in its old order; the time it stood does not count."""
        self._queue.resume(trio.current_time())
        self._wake()

    @property
    def directory(self) -> Directory:
        return self._preparer.directory

    @directory.setter
    def directory(self, directory: Directory) -> None:
        self._preparer.directory = directory

    @property
    def texts(self) -> Texts:
        return self._preparer.texts

    @texts.setter
    def texts(self, texts: Texts) -> None:
        self._preparer.texts = texts

    @property
    def paused(self) -> bool:
        return self._queue.paused

    @property
    def in_flight(self) -> int:
        """Deliveries whose attempt is durable or being made so, and whose outcome is not."""
        return self._attempts.in_flight

    def waiting(self) -> dict[str, dict[Lane, int]]:
        """Deliveries that wait, by channel and lane."""
        return self._queue.waiting()

    def channels(self) -> list[dict[str, Any]]:
        """Every provider, and whether it works, for the picture of the moment."""
        waiting = self.waiting()
        shown = self._providers.picture(trio.current_time(), self._now())
        return [{**one, "waiting": sum(waiting[one["name"]].values())} for one in shown]

    # --- running -------------------------------------------------------------------------------------------

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Sends for ever. Cancelled, it leaves what is in flight in doubt, to be settled by `recover`."""
        async with trio.open_nursery() as nursery:
            task_status.started()
            while True:
                self._news = trio.Event()
                now_s = trio.current_time()
                while self._chores:
                    nursery.start_soon(self._chores.popleft())
                if not self._closing:
                    for work in self._queue.overdue(now_s):
                        nursery.start_soon(self._attempts.give_up, work)
                    self._start(nursery, now_s)
                    if told := self._providers.look(now_s, self._now()):
                        nursery.start_soon(self._attempts.tell, told)
                with trio.move_on_at(float("inf") if self._closing else self._next_s(now_s)):
                    await self._news.wait()

    def _next_s(self, now_s: float) -> float:
        return min(self._queue.next_s(now_s), self._providers.look_s())

    def _start(self, nursery: trio.Nursery, now_s: float) -> None:
        """Asks go together, so that one commit serves them all; so do other single deliveries; every chunk of several
        goes by itself, and so does what a document has to be made for, which takes a while."""
        taken = self._queue.take(now_s)
        asks = [entry for entry in taken if entry[0].lane is Lane.ASK]
        single, alone = list[tuple[Work, int]](), list[tuple[Work, int]]()
        for entry in taken:
            if entry[0].lane is not Lane.ASK:
                (alone if len(entry[0]) > 1 or self._encloses(entry[0]) else single).append(entry)
        for batch in (asks, single, *([entry] for entry in alone)):
            if batch:
                nursery.start_soon(self._attempts.go, batch)

    def _encloses(self, work: Work) -> bool:
        order = self._orders.get(work.order)
        return order is not None and order.ordered.enclosed is not None

    async def finish(self, grace_s: float) -> bool:
        """Starts nothing more and waits for what is in flight. False when some of it is left, in doubt."""
        self._closing = True
        self._wake()
        with trio.move_on_after(grace_s):
            await self._attempts.idle()
        return self._attempts.in_flight == 0

    # --- coming back ---------------------------------------------------------------------------------------

    async def recover(self, pending: Iterable[Pending], others: Iterable[Ordered] = ()) -> None:
        """Takes up what was under way when the hub went down. What was merely queued is sent. An attempt of which no
        outcome was written down is in doubt: a channel that is idempotent simply gets it again; one that can be asked
        is asked; and what cannot be settled is sent again, marked as a possible repeat. What was withdrawn is not sent,
        but who may have been reached by it has to be known. `others`: all orders that are still known."""
        self._recovering = True
        waiting = list(pending)
        doubtful: list[tuple[Order, Work, Attempt]] = []
        for start in range(0, len(waiting), _ORDERS_AT_ONCE):
            part = waiting[start : start + _ORDERS_AT_ONCE]
            made = await self._journal.attempts_of([p.ordered.order for p in part])
            settled = set(await self._journal.receipts_of([a.id for a in made]))
            of: dict[str, list[Attempt]] = {}
            for attempt in made:
                of.setdefault(attempt.order, []).append(attempt)
            for p in part:
                doubtful += self._take_up(p, of.get(p.ordered.order, ()), settled)
        await self._attempts.settler.look_back(doubtful, others)
        self._recovering, self._meanwhile, self._heard = False, {}, {}
        for order, work, attempt in doubtful:
            self._chore(partial(self._attempts.settle, order, work, attempt))

    def _take_up(
        self, pending: Pending, made: Sequence[Attempt], settled: set[str]
    ) -> list[tuple[Order, Work, Attempt]]:
        """Returns what is in doubt and has to be asked about."""
        ordered = pending.ordered
        if ordered.order in self._orders:
            return []
        order = open_order(ordered, pending.open)
        if not order.left:
            return []
        if pending.held:
            self.hold(ordered.order)
        order.withdrawn = pending.withdrawn or self._meanwhile.get(ordered.order, "")
        order.heard |= self._heard.get(ordered.order, set())
        self._orders[ordered.order] = order
        last: dict[int, Attempt] = {}
        unsettled: set[int] = set()
        for attempt in made:
            for index in attempt.only or range(attempt.start, min(attempt.stop, order.size)):
                if order.meant is None or index in order.meant:
                    last[index] = attempt
                    if attempt.id not in settled:
                        unsettled.add(index)
        works = self._works(order, last)
        doubtful: list[tuple[Work, Attempt]] = []
        by_attempt: dict[str, list[int]] = {}
        for index, attempt in last.items():
            by_attempt.setdefault(attempt.id, []).append(index)
        attempts = {a.id: a for a in made}
        for name, indexes in by_attempt.items():
            attempt = attempts[name]
            for start, stop in spans(sorted(indexes)):
                work = self._work(order, start, stop)
                work.channel = attempt.provider or work.channel
                work.tries, work.repeat = attempt.nth, attempt.repeat
                work.doubt = attempt.repeat or not unsettled.isdisjoint(range(start, stop))
                if name in settled:
                    works.append(work)
                else:
                    doubtful.append((work, attempt))
        self._enqueue(order, works)
        return [(order, work, attempt) for work, attempt in doubtful if self._doubt(order, work, attempt)]

    def _doubt(self, order: Order, work: Work, attempt: Attempt) -> bool:
        """Whether it has to be asked about."""
        self.counters.in_doubt += len(work)
        channel = self._channels.get(work.channel)
        if channel is None:  # nobody can be asked any more: another provider gets it, as a repeat
            work.doubt = True
            self._enqueue(order, [work])
        elif channel.abilities.idempotent:
            work.identity, work.doubt = attempt.id, True
            self._enqueue(order, [work])
        else:
            return True
        return False

    # --- small things --------------------------------------------------------------------------------------

    def _works(self, order: Order, but: Iterable[int]) -> list[Work]:
        """The deliveries of an order as works, without those at `but`."""
        excluded = frozenset(but)
        if order.meant is None and not excluded:
            return [self._work(order, 0, order.size)]
        indexes = [i for i in (range(order.size) if order.meant is None else sorted(order.meant)) if i not in excluded]
        gap = 1 if excluded else GAP_MAX
        return [self._work(order, start, stop) for start, stop in spans(indexes, gap)]

    def _work(self, order: Order, start: int, stop: int) -> Work:
        o = order.ordered
        return Work(order=o.order, channel=o.channel, lane=o.lane, start=start, stop=stop, since_s=trio.current_time())

    def _enqueue(self, order: Order, works: Sequence[Work]) -> None:
        """Puts works in the queue: for the provider they were with, else for the one they go to first, as far as that
        is known before their turn comes (an ask's is)."""
        ordered = order.ordered
        if ordered.channel not in self._queue:
            why = f"no channel {ordered.channel}"
            self._chore(lambda: self._attempts.end(order, works, Outcome.FAILED, why))
            return
        if order.gone():
            self._chore(lambda: self._attempts.end_withdrawn(order, works))
            return
        for work in works:
            if work.channel not in self._queue:
                work.go_to(ordered.channel)
            if work.channel == ordered.channel and not work.tries and len(ordered.recipients) == 1:
                work.channel = self._preparer.first_provider(ordered)
            self._queue.put(work, trio.current_time())
        self._wake()

    def _chore(self, chore: Callable[[], Awaitable[None]]) -> None:
        self._chores.append(chore)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
