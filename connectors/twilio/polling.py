"""Asking Twilio instead of being told, for a hub that nobody can reach from outside (`public: no`).

Each round asks first for replies, then for what became of our own messages or calls that have no last word yet.
Twilio lists by DateSent, the newest first (twilio.com/docs/messaging/api/message-resource); it may show a message a
little after a newer one, so each round looks back over what was taken already.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from twilio.base.exceptions import TwilioRestException

from connectors.twilio.account import NOT_HAD, Account, Later
from connectors.twilio.codes import meaning
from hub.connector import Intake, Item, Outgoing, ReceiptItem, ReplyItem, Unavailable

_log = structlog.get_logger()

Sleep = Callable[[float], Awaitable[object]]

PAGE = 200  # resources in a page: Twilio allows 1000, and a page has to come within the time-out
OVERLAP = timedelta(minutes=5)  # looked back over: Twilio's list may lag, its clock may differ from ours
FEW = 5  # deliveries asked for one by one; of more the list is asked
KEPT = 200  # deliveries that are known again after a restart, asks before others
_GRACE_S = 60.0  # after the time to answer: who is late is heard soon all the same
_SLOWEST_S = 300.0  # between two questions about one delivery
_FIRST_LOOK = timedelta(days=1)
_GIVEN_UP = timedelta(hours=10)  # the longest that Twilio tries to deliver a message
_BATCH = 200  # items offered together
_BACKOFF_MAX_S = 60.0
_TOLD_FROM = 3  # failures in a row from which the room is told; wrong credentials at once
_NOT_LET_IN = frozenset({20003, 20005})  # wrong credentials, account not active


class Pending(Struct, frozen=True, array_like=True):
    """One of our messages or calls whose last word is awaited. `since`: when it was handed over (UTC); `ask`: an answer
    is wanted."""

    order: str
    index: int
    since: datetime
    ask: bool = False


class Position(Struct, frozen=True, omit_defaults=True):
    """Where a channel stands, as kept by the journal. Replies are taken until `since`; what came before `first`, when
    the channel first came up, is not for us, nor are those of that very second that were there, `not_ours` (Twilio's
    time and ids). Answers are awaited until `until`; `pending` are the deliveries whose last word is awaited."""

    since: datetime
    first: datetime | None = None
    not_ours: tuple[str, ...] = ()
    until: datetime | None = None
    pending: dict[str, Pending] = {}

    @classmethod
    def load(cls, cursor: str | None) -> "Position | None":
        """Also that of a hub which was called back until now: a bare date, when it last came up. None for a channel
        that comes up for the first time, or a cursor that cannot be read."""
        if not cursor:
            return None
        try:
            if cursor.startswith("{"):
                return msgspec.json.decode(cursor, type=cls)
            return cls(since=datetime.fromisoformat(cursor))
        except (msgspec.DecodeError, ValueError):
            _log.error("twilio.cursor_unreadable", cursor=cursor[:40])
            return None

    def dump(self) -> str:
        return msgspec.json.encode(self).decode()


class Subject(Struct, frozen=True, kw_only=True):
    """What a channel asks for. `inbox(since)` and `sent(since)` give the first page of a list, `one(sid)` a resource;
    `reply` makes an item of what came in (None: it is no reply); `became` gives the receipts of a resource and whether
    that was its last word."""

    one: Callable[[str], Awaitable[Any]]
    sent: Callable[[datetime], Awaitable[Any]]
    became: Callable[[Any, Pending], tuple[Sequence[ReceiptItem], bool]]
    inbox: Callable[[datetime], Awaitable[Any]] | None = None
    reply: Callable[[Any], ReplyItem | None] = lambda _: None


Heard = tuple[str, Sequence[ReceiptItem], bool]  # Twilio's id, what its resource says, whether that is its last word


class Poller:
    """One channel's questions. `sleep` and `now_s` keep its pace; `now` is real UTC, as Twilio's dates are."""

    def __init__(self, account: Account, subject: Subject) -> None:
        config = account.config
        self.sleep: Sleep = asyncio.sleep
        self.now_s: Callable[[], float] = time.monotonic
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._account = account
        self._subject = subject
        self._fast_s, self._idle_s = config.poll_asks_s, max(config.poll_s, config.poll_asks_s)
        self._between_s = 1.0 / config.requests_per_second
        self._next_s = float("-inf")  # when the next request may be made
        self._inbox_s = float("-inf")  # when replies were last asked for
        self._since: datetime | None = None  # None: the journal has not been asked yet
        self._first: datetime | None = None
        self._not_ours: tuple[str, ...] = ()
        self._until: datetime | None = None
        self._pending: dict[str, Pending] = {}
        self._due_s: dict[str, float] = {}  # when each of them is to be asked for
        self._seen: dict[str, datetime] = {}  # replies taken, back to where a round looks
        self._kept = ""  # the cursor as the journal has it
        self._woken = asyncio.Event()
        self._health = ""

    def add(self, sid: str, outgoing: Outgoing) -> None:
        """A delivery was handed over under this id: its fate is to be asked for."""
        now, ask = self.now(), outgoing.ask
        if ask is not None:
            until = now + timedelta(seconds=ask.answer_s + _GRACE_S)
            self._until = max(self._until or until, until)
        self._await(sid, Pending(outgoing.order, outgoing.index, now, ask is not None))
        self._woken.set()

    # --- the pace ------------------------------------------------------------------------------------------

    async def run(self, intake: Intake) -> None:
        """Asks until cancelled. What goes wrong is told to the room and asked for again."""
        failures = 0
        while True:
            try:
                await self.round(intake)
            except Unavailable as why:  # the hub's own trouble: nothing was taken, so nothing is lost
                _log.warning("twilio.not_recorded", channel=self._account.name, why=str(why))
                await self.sleep(self._fast_s)
            except Exception as error:  # NOT_HAD, and whatever nobody thought of: who no longer asks hears nothing
                failures += 1
                await self._failed(intake, error, failures)
            else:
                failures = 0
                await self._tell(intake, "ok", "")
                await self._rest()

    async def _failed(self, intake: Intake, error: Exception, failures: int) -> None:
        """Tells the room where it lasts, and waits: 1, 2, 4 ... 60 s, at least as long as Twilio asked for."""
        reason, refused = _why(error)
        fault = error if not isinstance(error, NOT_HAD) else None
        _log.warning("twilio.cannot_ask", channel=self._account.name, why=reason, nth=failures, exc_info=fault)
        if refused or failures >= _TOLD_FROM:
            await self._tell(intake, "failing", f"{reason}: replies and statuses cannot be asked for")
        wait_s = _BACKOFF_MAX_S if refused else min(2.0 ** min(failures - 1, 6), _BACKOFF_MAX_S)
        asked_s = error.after_s if isinstance(error, Later) else None
        await self.sleep(max(wait_s, asked_s or 0.0))

    async def _tell(self, intake: Intake, health: str, reason: str) -> None:
        if health == self._health:
            return
        try:
            await intake.health(health, reason)
        except Unavailable as why:
            _log.warning("twilio.health_not_recorded", channel=self._account.name, why=str(why))
        else:
            self._health = health

    async def _rest(self) -> None:
        """Until something is due; what is handed over meanwhile may bring that forward."""
        began_s = self.now_s()
        while (left_s := self._next_round_s(began_s) - self.now_s()) > 0:
            self._woken.clear()
            waits = {asyncio.ensure_future(self.sleep(left_s)), asyncio.ensure_future(self._woken.wait())}
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    def _next_round_s(self, began_s: float) -> float:
        due_s = min(self._due_s.values(), default=began_s + self._idle_s)
        if self._subject.inbox is not None:
            due_s = min(due_s, self._inbox_s + self._inbox_every_s())
        return max(due_s, began_s + self._fast_s)

    def _inbox_every_s(self) -> float:
        return self._fast_s if self._until is not None and self.now() < self._until else self._idle_s

    def _await(self, sid: str, one: Pending) -> None:
        """It is asked for again after a tenth of its age; what wants no answer less often."""
        first_s = self._fast_s if one.ask else 5 * self._fast_s
        age_s = (self.now() - one.since).total_seconds()
        self._pending[sid] = one
        self._due_s[sid] = self.now_s() + min(max(first_s, age_s / 10), max(first_s, _SLOWEST_S))

    async def _turn(self) -> None:
        """Waits until the next request may be made."""
        now_s = self.now_s()
        wait_s = max(self._next_s - now_s, 0.0)
        self._next_s = now_s + wait_s + self._between_s
        if wait_s:
            await self.sleep(wait_s)

    # --- a round -------------------------------------------------------------------------------------------

    async def round(self, intake: Intake) -> None:
        """Asks for what is due. Raises Unavailable, and NOT_HAD; whatever was taken before that counts."""
        if self._since is None:
            await self._begin(intake)
        await self._ask_inbox(intake)
        await self._ask_fates(intake)
        if (cursor := self._cursor()) != self._kept:
            await self._offer(intake, (), cursor)

    async def _begin(self, intake: Intake) -> None:
        """Goes on where the journal says. The first time, what is in Twilio's list already is not for us; it also
        tells Twilio's time, should ours be wrong."""
        self._kept = await intake.cursor() or ""
        position = Position.load(self._kept)
        if position is not None:
            for sid, one in position.pending.items():
                self._account.remember(sid, one.order, one.index)
                self._await(sid, one)
                self._due_s[sid] = self.now_s()
            self._until = max(filter(None, (self._until, position.until)), default=None)
            self._since, self._first, self._not_ours = position.since, position.first, position.not_ours
            self._seen = dict.fromkeys(position.not_ours, position.first or position.since)
            return
        since = self.now() - _FIRST_LOOK
        if (inbox := self._subject.inbox) is not None:
            await self._turn()
            self._seen = {message.sid: _dated(message, since) for message in await inbox(since)}
        self._since = self._first = max(self._seen.values(), default=since)
        self._not_ours = tuple(sid for sid, at in self._seen.items() if at == self._first)

    async def _ask_inbox(self, intake: Intake) -> None:
        inbox, now_s, since = self._subject.inbox, self.now_s(), self._since
        if inbox is None or since is None or now_s < self._inbox_s + self._inbox_every_s():
            return
        back = max(since - OVERLAP, self._first or since - OVERLAP)
        found: dict[str, tuple[datetime, ReplyItem]] = {}
        async for message in self._listed(inbox, back):
            at = _dated(message, since)
            if message.sid in self._seen or at < back:
                continue
            if (reply := self._subject.reply(message)) is not None:
                found[message.sid] = at, reply
        oldest_first = list(found.values())
        oldest_first.reverse()  # those of one second too
        oldest_first.sort(key=lambda entry: entry[0])
        for n in range(0, len(oldest_first), _BATCH):
            batch = oldest_first[n : n + _BATCH]
            since = max(since, batch[-1][0])
            await self._offer(intake, [reply for _, reply in batch], self._cursor(since))
            self._since = since
            self._seen.update({reply.key: at for at, reply in batch})
        self._inbox_s = now_s
        self._seen = {sid: at for sid, at in self._seen.items() if at >= since - OVERLAP}

    async def _ask_fates(self, intake: Intake) -> None:
        """One by one where they are few; else by the list, which shows what has been sent, and a few of the rest."""
        self._give_up()
        now_s = self.now_s()
        due = [sid for sid, due_s in self._due_s.items() if due_s <= now_s]
        left = dict.fromkeys(sorted(due, key=self._due_s.__getitem__))
        if len(left) > FEW:
            heard: list[Heard] = []
            since = min(self._pending[sid].since for sid in left) - OVERLAP
            async with aclosing(self._listed(self._subject.sent, since)) as listed:
                async for thing in listed:
                    if thing.sid in left:
                        del left[thing.sid]
                        heard.append((thing.sid, *self._subject.became(thing, self._pending[thing.sid])))
                    if not left:
                        break
            await self._take(intake, heard)
        for sid in list(left)[:FEW]:
            await self._turn()
            await self._take(intake, [await self._ask_one(sid)])

    async def _ask_one(self, sid: str) -> Heard:
        try:
            return sid, *self._subject.became(await self._subject.one(sid), self._pending[sid])
        except TwilioRestException as error:
            if error.status != 404:
                raise
            _log.warning("twilio.gone", channel=self._account.name, sid=sid)  # somebody deleted it at Twilio
            return sid, (), True

    async def _take(self, intake: Intake, heard: Sequence[Heard]) -> None:
        """Makes durable what was heard; only then is what has its last word no longer asked for."""
        for n in range(0, len(heard), _BATCH):
            batch = heard[n : n + _BATCH]
            over = {sid for sid, _, last in batch if last}
            items = [receipt for _, receipts, _ in batch for receipt in receipts]
            if items or over:
                await self._offer(intake, items, self._cursor(without=over))
            for sid, _, last in batch:
                if last:
                    del self._pending[sid], self._due_s[sid]
                else:
                    self._await(sid, self._pending[sid])

    def _give_up(self) -> None:
        now = self.now()
        for sid in [sid for sid, one in self._pending.items() if now - one.since > _GIVEN_UP]:
            _log.warning("twilio.no_last_word", channel=self._account.name, sid=sid)
            del self._pending[sid], self._due_s[sid]

    async def _listed(self, first: Callable[[datetime], Awaitable[Any]], since: datetime) -> AsyncGenerator[Any, None]:
        """Page after page, each in its turn."""
        await self._turn()
        page = await first(since)
        while True:
            for thing in page:
                yield thing
            if not page.next_page_url:
                return
            await self._turn()
            page = await page.next_page_async()

    # --- what is durable -----------------------------------------------------------------------------------

    def _cursor(self, since: datetime | None = None, without: Collection[str] = ()) -> str:
        since = since or self._since
        assert since is not None, "a round begins with what the journal has"
        pending = [(sid, one) for sid, one in self._pending.items() if sid not in without]
        pending.sort(key=lambda entry: (not entry[1].ask, -entry[1].since.timestamp()))
        return Position(since, self._first, self._not_ours, self._until, dict(pending[:KEPT])).dump()

    async def _offer(self, intake: Intake, items: Sequence[Item], cursor: str) -> None:
        await intake.offer(items, cursor=cursor)
        self._kept = cursor


def _dated(message: Any, otherwise: datetime) -> datetime:
    at: datetime = message.date_sent or message.date_created or otherwise
    return at


def _why(error: Exception) -> tuple[str, bool]:
    """What went wrong, without an address in it, and whether Twilio does not let us in."""
    status, code = getattr(error, "status", None), getattr(error, "code", None)
    for given in error.args:  # of a list the SDK says only that it could not be fetched
        status = getattr(given, "status_code", status)
    refused = status in (401, 403) or code in _NOT_LET_IN
    words = meaning(code) or (f"HTTP {status}" if status else f"no usable answer ({type(error).__name__})")
    return f"Twilio: {words}", refused
