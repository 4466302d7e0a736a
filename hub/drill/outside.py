"""The world outside the hub in virtual time: channels with nobody behind them, and people who behave as written."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, ClassVar, TypeVar

import trio
from msgspec import Struct

from hub.connector import (
    Abilities,
    Answer,
    Dead,
    Intake,
    Item,
    Outgoing,
    ReceiptItem,
    ReplyItem,
    Retry,
    Route,
    Sent,
)
from hub.drill.behaviour import Manners, Outage, Reaction
from hub.model.message import Outcome, Verb

T = TypeVar("T")

RINGS_S = 30.0  # how long a telephone rings that nobody answers
BUSY_S = 3.0  # until one hears that it is engaged

BY_KEY = {"1": Verb.ACCEPT, "2": Verb.DECLINE}  # on the telephone


class Nothing(Struct, frozen=True, kw_only=True):
    """Nothing to configure."""


class PlayedChannel:
    """A channel as configured (`abilities`) with nothing behind it. `handed`: what becomes of what is handed over."""

    Config: ClassVar[type[Struct]] = Nothing

    def __init__(self, name: str, abilities: Abilities, handed: Callable[[str, Outgoing], Answer]) -> None:
        self.name = name
        self.abilities = abilities
        self._handed = handed
        self._taken: dict[tuple[str, int], Answer] = {}

    async def open(self, intake: Intake) -> None:
        await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        await trio.lowlevel.checkpoint()

    async def send(self, outgoing: Outgoing) -> Answer:
        await trio.lowlevel.checkpoint()
        answer = self._handed(self.name, outgoing)
        if not isinstance(answer, Retry):
            self._taken[outgoing.order, outgoing.index] = answer
        return answer

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        await trio.lowlevel.checkpoint()
        return self._taken.get((outgoing.order, outgoing.index), Retry(reason="it never came"))

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        await trio.lowlevel.checkpoint()

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    def check(self, address: str) -> str:
        return ""


async def call(
    fn: Callable[..., Coroutine[Any, Any, T]],
    *args: object,
    connector: str,
    doing: str | None = None,
    deadline_s: float | None = None,
) -> T:
    """In place of the bridge: in virtual time there is no second thread (hub.dispatch.settle.Caller)."""
    with trio.move_on_after(float("inf") if deadline_s is None else deadline_s):
        return await fn(*args)
    raise TimeoutError(f"{connector}: {doing or 'call'}: not done after {deadline_s} s")


class Outside:
    """People and providers. `voices`: the channels that ring; `now_s`: seconds from the beginning; `person_of`: whom a
    message is for; `asked_by`: which ask it is of, and of which step; `arrived` is told of what reaches somebody;
    `comes_in` takes what they say. `nursery`: where they take their time; set before anything is sent."""

    def __init__(
        self,
        manners: Manners,
        outages: dict[str, Outage],
        *,
        voices: frozenset[str],
        now_s: Callable[[], float],
        person_of: Callable[[Outgoing], str],
        asked_by: Callable[[Outgoing], tuple[str, str]],
        arrived: Callable[[str, Outgoing], None],
        comes_in: Callable[[str, Item], Awaitable[None]],
    ) -> None:
        self._manners = manners
        self._outages = outages
        self._voices = voices
        self._now_s = now_s
        self._person_of = person_of
        self._asked_by = asked_by
        self._arrived = arrived
        self._comes_in = comes_in
        self._nth: dict[str, int] = {}  # person → how often they were asked
        self._reactions: dict[str, Reaction] = {}  # ask → what they do
        self._answering: set[str] = set()  # asks they react to already
        self._keys = 0
        self.nursery: trio.Nursery

    def handed(self, channel: str, outgoing: Outgoing) -> Answer:
        """What a provider says to a message, and what becomes of it."""
        down = self._outages.get(channel)
        if down is not None and down.holds(self._now_s()):
            return Retry(reason=f"{channel} is down")
        person = self._person_of(outgoing)
        ask, step = self._asked_by(outgoing) if outgoing.ask is not None else ("", "")
        reaction = self._reaction(person, ask, step)
        if not self._manners.reaches(person, channel) or reaction.misses(channel):
            return Dead(reason="cannot be reached")
        rings = channel in self._voices
        if rings and reaction.busy:
            self._later(BUSY_S, channel, outgoing, "busy")
            return Sent(ref=_ref(outgoing))
        if rings and reaction.machine:
            return Dead(reason="answering machine", heard=True)
        self._arrived(channel, outgoing)
        answers = bool(reaction.verb or reaction.words) and reaction.by in ("", channel)
        if ask and answers and ask not in self._answering:
            self._answering.add(ask)
            self.nursery.start_soon(self._answer, channel, outgoing, reaction)
        elif rings and ask and not answers:
            self._later(RINGS_S, channel, outgoing, "no-answer")
        return Sent(ref=_ref(outgoing), final=not (rings and ask))

    def _reaction(self, person: str, ask: str, step: str) -> Reaction:
        if not ask:
            return Reaction()
        if ask not in self._reactions:
            nth = self._nth.get(person, 0)
            self._nth[person] = nth + 1
            self._reactions[ask] = self._manners.of(person, step, nth)
        return self._reactions[ask]

    async def _answer(self, channel: str, outgoing: Outgoing, reaction: Reaction) -> None:
        await trio.sleep(reaction.after_s)
        self._keys += 1
        verb, words = reaction.verb, reaction.words
        if channel in self._voices and verb is None:
            verb = BY_KEY.get(words)
        reply = ReplyItem(channel=channel, address=outgoing.to, key=f"reply-{self._keys}", text=words)
        if verb is not None:  # a key, or what says which of several asks is meant: it answers this very message
            reply = ReplyItem(
                channel=channel,
                address=outgoing.to,
                key=f"reply-{self._keys}",
                verb=verb,
                order=outgoing.order,
                index=outgoing.index,
            )
        await self._comes_in(channel, reply)

    def _later(self, seconds: float, channel: str, outgoing: Outgoing, reason: str) -> None:
        async def tell() -> None:
            await trio.sleep(seconds)
            receipt = ReceiptItem(
                order=outgoing.order,
                index=outgoing.index,
                outcome=Outcome.FAILED,
                key=f"receipt-{_ref(outgoing)}",
                reason=reason,
            )
            await self._comes_in(channel, receipt)

        self.nursery.start_soon(tell)


def _ref(outgoing: Outgoing) -> str:
    return f"{outgoing.order}/{outgoing.index}/{outgoing.nth}"
