"""The engine's task: facts in the journal's order and deadlines as they fall due become decisions; a decision is
durable before anything follows from it."""

import math
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import structlog
import trio

from hub.clock import Clock
from hub.engine.engine import Decided, Engine
from hub.journal import Journal, JournalUnavailable
from hub.model import records as r
from hub.model.broadcast import Content
from hub.model.message import Outcome
from hub.model.people import Edited, EditedPart
from hub.model.signal import Signal
from hub.people.layers import CHANGES as LAYERED

log = structlog.get_logger(__name__)

CHANGES = (*LAYERED, r.FilesRead)  # the facts with which other rules may be in force
RECENT = 1024  # signals kept at hand after they were decided on, for the messages about them
BATCH = 256  # facts decided on at a time: bounds how long one decision takes
RETRY_S = 1.0
LINGER_S = 0.05  # how long receipts that nothing urgent follows from wait for company

_signal = msgspec.json.Decoder(Signal)
_content = msgspec.json.Decoder(Content)
_edited = msgspec.json.Decoder(Edited)
_edited_part = msgspec.json.Decoder(EditedPart)
_BEGINNING, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Decider:
    """Runs an engine on a journal. `followers` are called, in order, with each decision once it is durable; they must
    not block. `ahead` are called as soon as it is on its way to the journal, before it is durable: they may prepare
    what follows from it, up to attempts (which the journal holds back until their decision is durable), and nothing
    else. `changing` is called with each change of what is in force (people, rosters, files) before the engine takes it:
    who is asked because of it is asked as they are now. `decided` is the number of decisions so far, for whoever
    watches that it moves."""

    def __init__(self, engine: Engine, journal: Journal, clock: Clock) -> None:
        self.engine = engine
        self.followers: list[Callable[[r.Decision], None]] = []
        self.ahead: list[Callable[[r.Decision], None]] = []
        self.changing: Callable[[r.Entry], None] = lambda entry: None
        self.decided = 0
        self.settling = False  # a decision is folded and not yet durable
        self.recent: OrderedDict[str, Signal] = OrderedDict()  # by fact: the newest that were taken
        self._journal = journal
        self._clock = clock
        self._quiet_until = _BEGINNING
        self._moved = trio.Event()
        self._wait = trio.CancelScope()

    def listen_first(self, seconds: float | None) -> None:
        """Coming back: replies and receipts that arrived meanwhile count before any deadline fires and anybody is
        called. `seconds` from now; None: until this is called again."""
        self._quiet_until = _NEVER if seconds is None else self._clock.now() + timedelta(seconds=seconds)
        self._wait.deadline = self._wake_at()

    async def moved(self) -> None:
        """Until the next decision is durable."""
        await self._moved.wait()

    async def run(self) -> None:
        """Decides for ever. Ends only by cancellation or by Fenced (another leader decides now)."""
        engine, facts = self.engine, self._journal.facts(after=self.engine.state.cursor)
        while True:
            for batch in await self._next(facts):
                self._keep(batch)
                if type(batch[0].record.body) in CHANGES:
                    self.changing(batch[0])
                await self._settle(engine.take(batch, self._clock.now()))
                await self._fire()
            await self._fire()

    async def _next(self, facts: AsyncIterator[Sequence[r.Entry]]) -> Sequence[Sequence[r.Entry]]:
        """The facts that come before the next deadline, in batches; none when it falls due first. Good news can wait:
        receipts that say no more than that it went out are taken together with what comes within `LINGER_S`."""
        found: list[r.Entry] = []
        self._wait = trio.CancelScope(deadline=self._wake_at())
        with self._wait:
            found += await anext(facts)
            if all(map(_good_news, found)):
                with trio.move_on_after(LINGER_S):
                    while len(found) < BATCH and _good_news(found[-1]):
                        found += await anext(facts)
        whole = await self._whole(found)
        changes = [i for i, entry in enumerate(whole) if type(entry.record.body) in CHANGES]
        starts = sorted({*range(0, len(whole), BATCH), *changes})
        return [whole[start:end] for start, end in pairwise([*starts, len(whole)])]

    async def _fire(self) -> None:
        now = self._clock.now()
        if now >= self._quiet_until and (due := self.engine.due(now)) is not None:
            await self._settle(due)

    def _keep(self, batch: Sequence[r.Entry]) -> None:
        recent = self.recent
        for entry in batch:
            if isinstance(entry.live, Signal):
                recent[entry.record.id] = entry.live
        while len(recent) > RECENT:
            recent.popitem(last=False)

    def _wake_at(self) -> float:
        deadline = self.engine.next_deadline()
        return math.inf if deadline is None else self._clock.trio_time(max(deadline, self._quiet_until))

    async def _whole(self, batch: Sequence[r.Entry]) -> Sequence[r.Entry]:
        """Reads back from the vault what lies there of a fact, where the process that wrote it is gone."""
        missing = [
            entry.record.vault
            for entry in batch
            if entry.live is None and entry.record.vault and type(entry.record.body) in _SEALED
        ]
        if not missing:
            return batch
        kept = dict(zip(missing, await self._journal.vault(missing), strict=True))
        return [_unsealed(entry, kept) for entry in batch]

    async def _settle(self, decided: Decided) -> None:
        """Makes a decision durable, then lets it be followed. The state is ahead of the journal until then; nothing
        leaves the hub in between."""
        self.settling = True
        prepare = self.ahead
        while True:
            try:
                durable = self._journal.put_decision(decided.decision, decided.vault)
                for prepared in prepare:
                    prepared(decided.decision)
                prepare = []
                await durable
                break
            except JournalUnavailable as error:
                log.error("a decision waits for the journal", decision=decided.decision.id, error=str(error))
                await trio.sleep(RETRY_S)
        self.settling = False
        self.decided += 1
        moved, self._moved = self._moved, trio.Event()
        moved.set()
        for follower in self.followers:
            follower(decided.decision)


def _good_news(entry: r.Entry) -> bool:
    body = entry.record.body
    return isinstance(body, r.ReceiptsReceived) and all(
        receipt.outcome in (Outcome.SENT, Outcome.DELIVERED) for receipt in body.receipts
    )


def _unsealed(entry: r.Entry, kept: Mapping[str, r.VaultEntry | None]) -> r.Entry:
    decoder, sealed = _SEALED.get(type(entry.record.body)), kept.get(entry.record.vault)
    if decoder is None or sealed is None or entry.live is not None:
        return entry
    try:
        return r.Entry(entry.record, decoder.decode(sealed.payload))
    except msgspec.MsgspecError as error:
        log.error("what lies in the vault of a fact cannot be read", fact=entry.record.id, error=str(error))
        return entry


# What lies in the vault of a fact that the engine looks at.
_SEALED: dict[type, msgspec.json.Decoder[Any]] = {
    r.SignalReceived: _signal,
    r.SignalGraded: _signal,
    r.SheetStarted: _signal,
    r.BroadcastReleased: _content,
    r.PersonChanged: _edited,
    r.PartChanged: _edited_part,
}
