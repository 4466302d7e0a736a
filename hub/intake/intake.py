"""From whatever a source emits to a durable fact: idempotency, geography, trust.

Nothing is answered before its fact is durable. A burst of offers becomes one append.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from hub.connector import ActItem, BadItem, Item, ReceiptItem, ReplyItem, SignalItem, Taken, Unavailable
from hub.intake.beliefs import UNKNOWN, Beliefs, Trusted
from hub.intake.geography import Geography
from hub.intake.port import Answered, Offered
from hub.journal import Journal, JournalUnavailable
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.signal import SEVERITIES, Severity, Signal, Status


class Understanding(Protocol):
    """What intake asks the directory: whose an address is, and what words mean (hub.people)."""

    def person_at(self, channel: str, address: str) -> str:
        """The person's id, "" for a stranger."""
        ...

    def channel_of(self, connector: str, person: str) -> str:
        """The channel a reply counts as that came by a connector: one of several providers, perhaps."""
        ...

    def understand(self, text: str) -> r.ReplyReceived:
        """The answer as understood; channel and person are filled in by intake."""
        ...


_encode = msgspec.json.Encoder().encode


class Intake:
    """Makes facts of items. `locate` notes which of the centre's own areas a signal touches, or names; `exercise`:
    everything is a playback, and no signal is Actual."""

    def __init__(
        self,
        journal: Journal,
        now: Callable[[], datetime],
        ids: Ids,
        *,
        locate: Callable[[Signal], Signal],
        understanding: Callable[[], Understanding],
        trust: dict[str, Trusted],
        exercise: bool = False,
        areas: Geography | None = None,
    ) -> None:
        self._journal = journal
        self._now = now
        self._ids = ids
        self._locate = locate
        self._understanding = understanding
        self._trust = trust
        self.beliefs = Beliefs(trust, areas)
        self._exercise = exercise

    async def take(self, connector: str, offers: Sequence[Offered]) -> Sequence[Answered | Unavailable]:
        """Makes a burst of offers durable and says for each what became of its items."""
        burst = _Burst(self._ids, self._now(), connector)
        for offer in offers:
            for item in offer.items:
                self._add(burst, item)
            if offer.health is not None:
                burst.fact(offer.health)
            if offer.cursor is not None:
                burst.fact(r.CursorMoved(source=connector, cursor=offer.cursor))
        burst.close()
        try:
            held = await self._journal.put_facts(burst.facts, burst.vault, burst.live) if burst.facts else ()
        except JournalUnavailable as error:
            return [Unavailable(str(error))] * len(offers)
        for fact, kept in zip(burst.facts, held, strict=True):
            if kept != fact.id and isinstance(fact.body, r.SignalReceived):
                self.beliefs.repeated(fact.id, kept)
        answers: list[Answered | Unavailable] = []
        at = 0
        for offer in offers:
            slots = burst.slots[at : at + len(offer.items)]
            at += len(offer.items)
            taken = [Taken(held[slot], held[slot] != burst.facts[slot].id) for slot in slots]
            answers.append(Answered(taken, await self._cursor(connector) if offer.asks_cursor else None))
        return answers

    async def _cursor(self, source: str) -> str | None:
        fact = await self._journal.latest("cursor", source)
        return fact.body.cursor if fact is not None and isinstance(fact.body, r.CursorMoved) else None

    def _add(self, burst: "_Burst", item: Item) -> None:
        match item:
            case SignalItem():
                self._add_signal(burst, item)
            case ReceiptItem():
                burst.receipt(r.Receipt(item.order, item.index, item.outcome, item.reason, item.ref))
            case ReplyItem():
                self._add_reply(burst, item)
            case BadItem():
                original = burst.original(item.original, item.media_type)
                letter = r.DeadLetter(
                    source=burst.connector, reason=item.reason, place=item.place, media_type=item.media_type
                )
                burst.slot(burst.fact(letter, key=item.key, vault=original))
            case ActItem():
                sealed = item.sealed
                if isinstance(sealed, Signal) and not isinstance(item.body, r.SignalGraded):
                    trusted = self._trust.get(burst.connector, UNKNOWN)
                    sealed = replace(sealed, reliability=trusted.reliability, credibility=trusted.credibility)
                    sealed = self._complete(sealed, burst, b"", "")
                about = item.about and r.about_person(item.about)
                burst.slot(burst.fact(item.body, key=item.key, live=sealed, sealed=sealed, about=about))

    def _add_signal(self, burst: "_Burst", item: SignalItem) -> None:
        trusted = self._trust.get(burst.connector, UNKNOWN)
        signal = item.believed(trusted.reliability, trusted.credibility)
        signal = self._complete(signal, burst, item.original, item.media_type)
        if trusted.compared and not trusted.shadow:
            signal = self.beliefs.believe(signal.id, burst.at, signal)
        body = r.SignalReceived(
            source=burst.connector,
            status=signal.status,
            msg_type=signal.msg_type,
            severity=_severest(signal),
            hazards=tuple({info.hazard for info in signal.infos if info.hazard is not None}),
            baseline=item.baseline and not in_force(signal, burst.at),
            shadow=trusted.shadow,
            original=signal.original,
        )
        burst.slot(burst.fact(body, key=item.key, live=signal, sealed=signal))

    def _complete(self, signal: Signal, burst: "_Burst", original: bytes, media_type: str) -> Signal:
        """What the hub knows better than the reader: the source, the places it touches."""
        status = signal.status
        if self._exercise and status == Status.ACTUAL:
            status = Status.EXERCISE
        signal = self._locate(signal)
        return replace(
            signal,
            id=burst.next_id(),
            source=burst.connector,
            status=status,
            original=burst.original(original, media_type) if original else "",
        )

    def _add_reply(self, burst: "_Burst", item: ReplyItem) -> None:
        understanding = self._understanding()
        understood = understanding.understand(item.text)
        person = understanding.person_at(item.channel, item.address)
        body = replace(
            understood,
            channel=understanding.channel_of(item.channel, person),
            person=person,
            verb=item.verb or understood.verb,
            order=item.order,
            index=item.index,
        )
        sealed = {"address": item.address, "text": item.text}
        burst.slot(burst.fact(body, key=item.key, sealed=sealed, about=body.person and r.about_person(body.person)))


def in_force(signal: Signal, now: datetime) -> bool:
    """Whether a signal says until when it holds, and that is not over."""
    return any(info.expires is not None and info.expires > now for info in signal.infos)


def _severest(signal: Signal) -> Severity:
    return max((info.severity for info in signal.infos), key=_RANKS.__getitem__, default=Severity.UNKNOWN)


_RANKS = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class _Burst:
    """The facts and vault entries of one append in the making."""

    def __init__(self, ids: Ids, at: datetime, connector: str) -> None:
        self._ids = ids
        self.at = at
        self.connector = connector
        self.facts: list[r.Fact] = []
        self.vault: list[r.VaultEntry] = []
        self.live: list[Any] = []
        self.slots: list[int] = []  # item → its fact
        self._next = ids.new(at)
        self._originals: dict[int, str] = {}
        self._receipts: list[r.Receipt] = []
        self._receipt_slots: list[int] = []

    def next_id(self) -> str:
        """The id the next fact will have."""
        return self._next

    def fact(
        self, body: r.FactBody, *, key: str = "", vault: str = "", live: Any = None, sealed: Any = None, about: str = ""
    ) -> int:
        """Adds a fact; `sealed` goes to the vault under the fact's own id, as what is known about a person or from this
        connector. Returns its place."""
        fact_id, self._next = self._next, self._ids.new(self.at)
        if sealed is not None:
            vault = fact_id
            self.vault.append(r.VaultEntry(key=fact_id, payload=_encode(sealed), about=about or self.connector))
        key = f"{self.connector}\x1f{key}" if key else ""
        self.facts.append(r.Fact(id=fact_id, at=self.at, body=body, key=key, vault=vault))
        self.live.append(live)
        return len(self.facts) - 1

    def slot(self, place: int) -> None:
        self.slots.append(place)

    def receipt(self, receipt: r.Receipt) -> None:
        """Receipts of one burst become one fact: they are ranked, so a repetition is harmless."""
        self._receipts.append(receipt)
        self._receipt_slots.append(len(self.slots))
        self.slots.append(-1)

    def close(self) -> None:
        if self._receipts:
            place = self.fact(r.ReceiptsReceived(channel=self.connector, receipts=tuple(self._receipts)))
            for slot in self._receipt_slots:
                self.slots[slot] = place

    def original(self, data: bytes, media_type: str) -> str:
        """Keeps an original once, however many signals were read from it, under the id of the first fact of it: keys
        that are not at random are kept and found side by side."""
        key = self._originals.get(id(data))
        if key is None:
            key = "original-" + self._next
            self._originals[id(data)] = key
            self.vault.append(r.VaultEntry(key=key, payload=data, media_type=media_type, about=self.connector))
        return key
