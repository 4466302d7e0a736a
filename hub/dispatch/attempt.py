"""One attempt, from the queue to its outcome: make it durable, hand over, write down what the provider said, put back
what is to be tried again, by this provider or the next.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Literal

import structlog
import trio
from msgspec.structs import replace

from hub.connector import Answer, Channel, Dead, Outgoing, Retry, Sent
from hub.dispatch.doubt import look
from hub.dispatch.facts import Facts
from hub.dispatch.orders import Counters, Handed, Order, spans
from hub.dispatch.policy import (
    JOURNAL_PAUSE_S,
    PERSISTENCE,
    SETTLE_PART,
    SETTLE_S,
    SHORT_SETTLE_S,
    SHORT_TRY_S,
    Limits,
    gives_up,
    wait_s,
)
from hub.dispatch.prepare import Prepared, Preparer, Span, indexes
from hub.dispatch.providers import Providers
from hub.dispatch.queue import Queue, Work
from hub.dispatch.render import NoText
from hub.dispatch.settle import Caller, Settler
from hub.journal import Journal, JournalUnavailable
from hub.model.ids import Ids
from hub.model.message import Lane, Outcome
from hub.model.records import Attempt, ChannelChanged, Receipt, ReceiptsReceived, VaultEntry

log = structlog.get_logger(__name__)

RECEIPTS_MAX = 1000  # in one fact
RECALL_S = 10.0

_Again = tuple[Literal["stopped", "retry", "doubt"], str]  # why it is put back, and for which provider
Turn = Answer | Literal["withdrawn", "stopped"]  # what came of a delivery's turn; the latter: it was not handed over


class Attempts:
    """Makes attempts. Shares queue, orders and counters with Dispatch."""

    def __init__(
        self,
        *,
        journal: Journal,
        call: Caller,
        channels: Mapping[str, Channel],
        limits: Mapping[str, Limits],
        queue: Queue,
        orders: dict[str, Order],
        counters: Counters,
        providers: Providers,
        preparer: Preparer,
        now: Callable[[], datetime],
        ids: Ids,
        chance: random.Random | random.SystemRandom,
        wake: Callable[[], None],
        chore: Callable[[Callable[[], Awaitable[None]]], None],
    ) -> None:
        self.in_flight = 0
        self.settler = Settler(journal, call, channels, providers.routes, counters, preparer)
        self._journal = journal
        self._call = call
        self._channels = channels
        self._limits = limits
        self._queue = queue
        self._orders = orders
        self._counters = counters
        self._providers = providers
        self._preparer = preparer
        self._now = now
        self._ids = ids
        self._chance = chance
        self._wake = wake
        self._chore = chore
        self._handed = Handed()
        self._look_s = float("inf")
        self._facts = Facts(journal, now, ids, counters)
        self._idle = trio.Event()

    async def idle(self) -> None:
        """Returns when nothing is in flight."""
        while self.in_flight:
            self._idle = trio.Event()
            await self._idle.wait()

    def _fly(self, count: int) -> None:
        self.in_flight += count
        if not self.in_flight:
            self._idle.set()

    # --- the way out ---------------------------------------------------------------------------------------

    async def go(self, batch: Sequence[tuple[Work, int]]) -> None:
        """Makes the attempts of a batch durable together, then each goes its own way. `batch`: works with the places
        they hold."""
        count = sum(len(work) for work, _ in batch)
        self._fly(count)
        try:
            vault: list[VaultEntry] = []
            ready = [(work, places, await self._prepare(work, places, vault)) for work, places in batch]
            attempts = [span.attempt for _, _, prepared in ready for span in prepared.spans]
            if attempts and not await self._durable(attempts, vault):
                for work, places, prepared in ready:
                    self._leave(work, places)
                    self._later([part for span in prepared.spans for part in self._parts(span)])
                return
            if len(ready) == 1:
                await self._send(ready[0][0], ready[0][1], ready[0][2].spans)
                return
            async with trio.open_nursery() as nursery:
                for work, places, prepared in ready:
                    nursery.start_soon(self._send, work, places, prepared.spans)
        finally:
            self._fly(-count)

    async def _prepare(self, work: Work, places: int, vault: list[VaultEntry]) -> Prepared:
        """Whatever is wrong with one order fails that order and no other."""
        order = self._orders.get(work.order)
        if order is None:
            return Prepared()
        if order.gone():
            await self.end_withdrawn(order, [work])
            return Prepared()
        lanes, now_s = self._queue.channel(work.channel), trio.current_time()
        try:
            prepared = await self._preparer.prepare(order, work, lanes.people, now_s, vault)
        except JournalUnavailable as error:
            log.error("deliveries wait for the journal", order=work.order, error=str(error))
            self._later([work])
            return Prepared()
        except NoText as error:
            await self.end(order, [work], Outcome.FAILED, str(error))
            return Prepared()
        except Exception as error:  # an order that cannot be prepared must not hold up the others
            log.exception("an order cannot be prepared", order=work.order)
            await self.end(order, [work], Outcome.FAILED, f"cannot be prepared: {type(error).__name__}")
            return Prepared()
        for held in prepared.held:
            self._counters.held += 1
            self._queue.put(held, now_s)
        await self._write(order, work.channel, prepared.refused)
        self._ended(order, prepared.over)
        await self._elsewhere(order, work, places, prepared)
        return prepared

    async def _elsewhere(self, order: Order, work: Work, places: int, prepared: Prepared) -> None:
        """What is not this provider's to send now waits for another, or for one that works."""
        now_s = trio.current_time()
        if prepared.waits and not order.waits:  # once: who reads the journal knows why it stands
            order.waits = True
            why = f"{work.channel} is out: {self._providers.health(work.channel).reason}"
            first = prepared.waits[0].indexes()[0]
            await self._write(order, work.channel, [Receipt(work.order, first, Outcome.RETRY, why)])
        for part in (*prepared.moved, *prepared.waits):
            self._queue.put(part, now_s)
        if prepared.moved:
            self._wake()
        if places:
            lanes = self._queue.channel(work.channel)
            lanes.give_back(sum(len(part) for part in (*prepared.moved, *prepared.waits)))

    async def _durable(self, attempts: Sequence[Attempt], vault: Sequence[VaultEntry]) -> bool:
        try:
            await self._journal.put_attempts(attempts, vault)
        except JournalUnavailable as error:
            log.error("deliveries wait for the journal", attempts=len(attempts), error=str(error))
            return False
        return True

    def _later(self, works: Sequence[Work]) -> None:
        """The journal could not write: again in a moment."""
        self._counters.journal_waits += 1
        now_s = trio.current_time()
        for work in works:
            work.not_before_s = now_s + JOURNAL_PAUSE_S
            self._queue.put(work, now_s)
        self._wake()

    def _parts(self, span: Span) -> list[Work]:
        """A span as works again; its texts did not get to the journal either."""
        span.order.kept.clear()
        span.order.documents.clear()
        parts = [span.work.part(start, stop) for start, stop in spans([o.index for o in span.outgoing])]
        for part in parts:
            part.counted = True
        return parts

    def _leave(self, work: Work, places: int) -> None:
        self._queue.channel(work.channel).leave(work.lane, places)
        if not self._queue.empty:
            self._wake()

    async def _send(self, work: Work, places: int, ready: Sequence[Span]) -> None:
        try:
            for span in ready:
                await self._outcome(span, await self._hand_over(span, places))
        finally:
            self._leave(work, places)

    async def _hand_over(self, span: Span, places: int) -> Sequence[Turn]:
        """Sends a span's deliveries, as many at a time as it has places."""
        outgoing = span.outgoing
        if len(outgoing) == 1:
            return [await self._hand(span, outgoing[0])]
        said: list[Turn] = ["stopped"] * len(outgoing)
        turns = iter(range(len(outgoing)))

        async def send_in_turn() -> None:
            for turn in turns:
                said[turn] = await self._hand(span, outgoing[turn])

        async with trio.open_nursery() as nursery:
            for _ in range(min(places, len(outgoing))):
                nursery.start_soon(send_in_turn)
        return said

    async def _hand(self, span: Span, outgoing: Outgoing) -> Turn:
        order, work = span.order, span.work
        if order.gone():
            return "withdrawn"
        if self._queue.holds(work.order) or (self._providers.health(work.channel).out and not span.probe):
            return "stopped"
        key = look(work.channel, self._channels[work.channel], outgoing)
        await self.settler.doubts.enter(key)
        try:
            if order.gone():
                return "withdrawn"
            began_s = trio.current_time()
            answer = await self._hand_alone(order, work, outgoing)
        finally:
            self.settler.doubts.leave(key)
        self._note(work.channel, outgoing, answer, began_s)
        return answer

    async def _hand_alone(self, order: Order, work: Work, outgoing: Outgoing) -> Answer:
        channel = self._channels[work.channel]
        self._counters.tried += 1
        self._counters.repeats += work.repeat
        try_s, settle_s = self._limits[work.channel].try_s, SETTLE_S
        if PERSISTENCE[work.lane].here == 1 and self._next(order, work, outgoing):
            try_s, settle_s = min(try_s, SHORT_TRY_S), SHORT_SETTLE_S
        try:
            answer = await self._call(channel.send, outgoing, connector=work.channel, deadline_s=try_s)
        except Exception as error:  # a channel does not raise; where it does, other people's calls go on
            log.warning("a channel broke off", connector=work.channel, attempt=outgoing.attempt, error=str(error))
            # Only where it was too late does it speak against the provider: the rest is our own edge's doing.
            ours = not isinstance(error, TimeoutError | trio.TooSlowError)
            answer = Retry(reason=f"broke off: {type(error).__name__}", doubt=True, address=ours)
        if isinstance(answer, Retry) and answer.doubt:
            self._counters.in_doubt += 1
            answer = _settled(answer, await self.settler.ask(work.channel, outgoing, settle_s))
        if isinstance(answer, Sent) and answer.ref and channel.abilities.settles:
            self.settler.doubts.taken(answer.ref, self._now())
        if isinstance(answer, Sent) and channel.abilities.recalls and work.lane is Lane.ASK:
            self._handed.add(outgoing, work.channel, answer.ref)
            if order.gone():  # while it was being handed over
                await self.recall(outgoing.order)
        return answer

    # --- what the channel said -----------------------------------------------------------------------------

    async def _outcome(self, span: Span, said: Sequence[Turn]) -> None:
        """Writes down what was said, then puts back what is to be tried again."""
        order, work = span.order, span.work
        receipts: list[Receipt] = []
        heard: list[Receipt] = []
        again: dict[_Again, list[int]] = {}
        chance, wait = self._chance.random(), 0.0
        for outgoing, turn in zip(span.outgoing, said, strict=True):
            outcome, reason, ref = Outcome.RETRY, "", ""
            match turn:
                case Sent():
                    outcome, ref = Outcome.DELIVERED if turn.final else Outcome.SENT, turn.ref
                case Dead() | Retry():
                    outcome, reason, put_back, this = self._not_taken(order, work, outgoing, turn, chance)
                    wait = max(wait, this)
                    if put_back is not None:
                        again.setdefault(put_back, []).append(outgoing.index)
                    if isinstance(turn, Dead) and turn.heard:
                        heard.append(Receipt(work.order, outgoing.index, Outcome.SENT, reason))
                case "withdrawn":
                    outcome, reason = _withdrawn(order, work)
                case "stopped":
                    reason = "stopped"
                    again.setdefault(("stopped", work.channel), []).append(outgoing.index)
            receipts.append(Receipt(work.order, outgoing.index, outcome, reason, ref))
        # An attempt some of which is in doubt stays in doubt until that is tried again: a crash must not forget it.
        in_doubt = any(why == "doubt" for why, _ in again)
        await self._write(order, work.channel, receipts, "" if in_doubt else span.attempt.id, before=heard)
        for (why, provider), left in again.items():
            await self._again(span, left, why, provider, wait)

    def _not_taken(
        self, order: Order, work: Work, outgoing: Outgoing, turn: Dead | Retry, chance: float
    ) -> tuple[Outcome, str, "_Again | None", float]:
        """What comes of a delivery its provider has not taken: (outcome, reason, what it is put back for, after how
        many seconds). The next provider, where there is one and the fault is not the address's; else this one again,
        or nothing more."""
        reason, doubt = turn.reason, isinstance(turn, Retry) and turn.doubt
        if isinstance(turn, Dead) and not (turn.alarm or turn.elsewhere):
            return Outcome.FAILED, reason, None, 0.0
        out = self._providers.health(work.channel).out
        leaves = isinstance(turn, Dead) or (
            (not turn.address or turn.doubt) and (out or work.here + 1 >= PERSISTENCE[work.lane].here)
        )
        following = self._next(order, work, outgoing) if leaves else ""
        tries, now_s = work.tries + 1, trio.current_time()
        if following and not gives_up(work.lane, tries, work.since_s, now_s):
            self._counters.moved += 1
            return Outcome.RETRY, reason, ("doubt" if doubt else "retry", following), 0.0
        if isinstance(turn, Dead) and (turn.elsewhere or work.lane is Lane.ASK):
            return Outcome.FAILED, reason, None, 0.0
        this = wait_s(work.lane, tries, chance, turn.after_s if isinstance(turn, Retry) else None)
        if gives_up(work.lane, 0 if out and work.lane is not Lane.ASK else tries, work.since_s, now_s + this):
            self._counters.given_up += 1
            return Outcome.FAILED, f"given up after {tries} tries: {reason}", None, 0.0
        return Outcome.RETRY, reason, ("doubt" if doubt else "retry", work.channel), this

    def _next(self, order: Order, work: Work, outgoing: Outgoing) -> str:
        """The provider that is to have it next, in this round of them; `""` where there is none."""
        entry = self._providers.routes.entry(order.ordered.channel, order.ordered.status)
        return self._providers.following(entry, outgoing.to, (*work.passed, work.channel))

    async def _again(self, span: Span, left: Sequence[int], why: str, provider: str, wait: float) -> None:
        order, work = span.order, span.work
        idempotent = self._channels[work.channel].abilities.idempotent
        back: list[Work] = []
        for start, stop in spans(left):
            part = work.part(start, stop)
            part.counted = True
            if idempotent:
                part.identity = work.identity or span.attempt.id
            if why != "stopped":
                part.tries += 1
                part.here += 1
                part.doubt = part.doubt or why == "doubt"
                part.repeat = part.repeat or (why == "doubt" and not idempotent)
                if provider != work.channel:
                    part.passed = (*work.passed, work.channel)
                    part.go_to(provider)
                else:
                    part.passed = ()
                    part.not_before_s = trio.current_time() + wait
            back.append(part)
        if order.gone():
            await self.end_withdrawn(order, back)
        elif why == "stopped":
            self._queue.put_back(back, trio.current_time())
        else:
            for part in back:
                self._queue.put(part, trio.current_time())
        self._wake()

    def _note(self, name: str, outgoing: Outgoing, answer: Answer, began_s: float) -> None:
        """What an answer says of its provider. From here on nothing waits for one that is out."""
        now_s = trio.current_time()
        told = self._providers.said(name, outgoing, answer, now_s, self._now(), began_s)
        if told is not None:
            self._chore(partial(self.tell, [told]))
        lanes, out = self._queue.channel(name), self._providers.health(name).out
        if lanes.out != out:
            lanes.out = out
            for other in self._providers.together(name):
                self._queue.channel(other).hurry(now_s)
            self._wake()
        elif (look_s := self._providers.look_s()) != self._look_s:
            self._look_s = look_s
            self._wake()  # whoever looks for silence looks again then

    async def tell(self, changed: Sequence[ChannelChanged]) -> None:
        """The room hears that a provider fails, is silent, or works again."""
        for change in changed:
            if change.health == "ok":
                log.info("a provider works again", connector=change.channel)
            else:
                log.error(f"a provider is {change.health}", connector=change.channel, reason=change.reason)
            await self._facts.put(change)

    async def _write(
        self,
        order: Order,
        channel: str,
        receipts: Sequence[Receipt],
        attempt: str = "",
        before: Sequence[Receipt] = (),
    ) -> None:
        """Makes receipts durable, however long that takes, and counts what has ended. `before`: what is to be known of
        some of them first, and ends nothing (who may have heard what has failed counts as reached)."""
        for start in range(0, len(receipts), RECEIPTS_MAX):
            part = (*(() if start else before), *receipts[start : start + RECEIPTS_MAX])
            body = ReceiptsReceived(channel=channel, receipts=part, attempt=attempt)
            await self._facts.put(body, f"receipts {attempt}" if attempt else "")
        counters = self._counters
        for receipt in receipts:
            match receipt.outcome:
                case Outcome.RETRY:
                    counters.retried += 1
                    continue
                case Outcome.FAILED:
                    counters.failed += 1
                case Outcome.WITHDRAWN:
                    counters.withdrawn += 1
                case Outcome.DELIVERED:
                    counters.delivered += 1
                case _:
                    counters.sent += 1
            self._ended(order, 1)

    def _ended(self, order: Order, count: int) -> None:
        order.left -= count
        if order.left <= 0:
            self._orders.pop(order.ordered.order, None)

    # --- what ends without an attempt ----------------------------------------------------------------------

    async def end(self, order: Order, works: Sequence[Work], outcome: Outcome, why: str) -> None:
        """Writes down that these deliveries will not go out."""
        receipts = [Receipt(w.order, i, outcome, why) for w in works for i in indexes(order, w)]
        await self._write(order, order.ordered.channel, receipts)

    async def end_withdrawn(self, order: Order, works: Sequence[Work]) -> None:
        """The same for what is no longer wanted."""
        for work in works:
            await self.end(order, [work], *_withdrawn(order, work))

    async def give_up(self, work: Work) -> None:
        """It waited for its turn longer than its lane goes on trying."""
        order = self._orders.get(work.order)
        if order is not None:
            self._counters.given_up += len(work)
            why = f"given up: it could not go out within {trio.current_time() - work.since_s:.0f} s"
            await self.end(order, [work], Outcome.FAILED, why)

    async def recall(self, order: str) -> None:
        """Takes back what a channel has taken and still can give back: hangs up."""
        for outgoing, name, ref in self._handed.pop(order):
            try:
                await self._call(self._channels[name].recall, outgoing, ref, connector=name, deadline_s=RECALL_S)
                self._counters.recalled += 1
            except Exception as error:  # it rings on; the answer given to it will be "not needed"
                log.warning("a call could not be taken back", connector=name, order=order, error=str(error))

    # --- in doubt ------------------------------------------------------------------------------------------

    async def settle(self, order: Order, work: Work, attempt: Attempt) -> None:
        """Coming back: asks about an attempt part by part, so that another crash does not lose what was found out."""
        for start in range(work.start, work.stop, SETTLE_PART):
            part = work.part(start, min(work.stop, start + SETTLE_PART))
            await self._settle_part(order, part, attempt)

    async def _settle_part(self, order: Order, work: Work, attempt: Attempt) -> None:
        """Asks the channel what became of an attempt. What surely went out is written down, what surely
        did not is sent, and the rest is sent again, marked as a possible repeat."""
        found: dict[int, Answer] = {}
        recalls = work.lane is Lane.ASK and self._channels[work.channel].abilities.recalls

        def told(outgoing: Outgoing, answer: Answer) -> None:
            found[outgoing.index] = answer
            if isinstance(answer, Sent) and recalls:
                self._handed.add(outgoing, work.channel, answer.ref)

        await self.settler.ask_all(order, work, attempt, told)
        receipts: list[Receipt] = []
        heard: list[Receipt] = []
        sure: list[int] = []
        doubt: list[int] = []
        for index in indexes(order, work):
            match found.get(index):
                case Sent(ref=ref, final=final):
                    receipts.append(Receipt(work.order, index, Outcome.DELIVERED if final else Outcome.SENT, "", ref))
                case Dead(reason=reason, heard=may_be_heard):
                    receipts.append(Receipt(work.order, index, Outcome.FAILED, reason))
                    if may_be_heard:
                        heard.append(Receipt(work.order, index, Outcome.SENT, reason))
                case Retry():
                    sure.append(index)
                case _:
                    doubt.append(index)
        await self._write(order, work.channel, receipts, before=heard)
        left: list[Work] = []
        for indexes_of, in_doubt in ((sure, False), (doubt, True)):
            for start, stop in spans(indexes_of):
                part = work.part(start, stop)
                part.doubt = part.repeat = work.repeat or in_doubt
                part.counted = True
                left.append(part)
        if order.gone():
            await self.end_withdrawn(order, left)
            await self.recall(work.order)
        else:
            for part in left:
                self._queue.put(part, trio.current_time())
        self._wake()


def _settled(doubtful: Retry, found: Answer | None) -> Answer:
    """What is known of a try whose answer was lost. That it was not taken leaves it as it was told: why, and whether
    that speaks against the provider."""
    if isinstance(found, Retry):
        return replace(found, reason=f"{doubtful.reason}; {found.reason}", address=doubtful.address)
    return found or doubtful


def _withdrawn(order: Order, work: Work) -> tuple[Outcome, str]:
    """What comes of deliveries that are no longer wanted. Whoever may have been reached counts as reached, so that the
    all-clear finds them."""
    if work.doubt:
        return Outcome.SENT, f"{order.withdrawn}; an earlier attempt may have arrived"
    return Outcome.WITHDRAWN, order.withdrawn
