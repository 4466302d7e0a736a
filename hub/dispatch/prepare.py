"""From a work to what is handed over: who is meant, where they are reached, what they read."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import trio
from msgspec.structs import replace

from hub.connector import Abilities, AskDetails, Channel, Outgoing
from hub.dispatch.orders import Enclosed, Order
from hub.dispatch.policy import Limits, gives_up
from hub.dispatch.queue import People, Work
from hub.dispatch.render import NoText, Rendered, Room, Texts, render
from hub.journal import Journal
from hub.model.broadcast import Content
from hub.model.enclosure import Enclosure
from hub.model.events import Ordered
from hub.model.ids import Ids
from hub.model.message import Lane, Message, Outcome
from hub.model.people import Language
from hub.model.records import Attempt, Fact, Receipt, VaultEntry
from hub.model.signal import Signal, Status
from hub.people.directory import Directory

_PEOPLE = ("delegate", "others")  # values that name people
_audience = msgspec.json.Decoder(list[str])
_signal = msgspec.json.Decoder(Signal)
_content = msgspec.json.Decoder(Content)
_texts = msgspec.json.Decoder(dict[Language, Rendered])


@dataclass(slots=True)
class Span:
    """Deliveries that go out under one attempt record."""

    order: Order
    work: Work
    attempt: Attempt
    outgoing: Sequence[Outgoing]


@dataclass(slots=True)
class Prepared:
    """A work made ready: `spans` to hand over, `refused` (never to be handed over), `held` for later, and how many are
    `over`: what became of them was heard meanwhile."""

    spans: list[Span] = field(default_factory=list)
    refused: list[Receipt] = field(default_factory=list)
    held: list[Work] = field(default_factory=list)
    over: int = 0


Enclose = Callable[[Enclosure, Language, Status, bool], Awaitable[Enclosed]]
"""Makes the document that an order encloses, in a language, for what is of a status: with its file, or only words."""


class Preparer:
    """`directory` and `texts` are whatever is in force; `enclose` makes documents, None where there are none."""

    def __init__(
        self,
        journal: Journal,
        channels: Mapping[str, Channel],
        limits: Mapping[str, Limits],
        directory: Directory,
        texts: Texts,
        now: Callable[[], datetime],
        ids: Ids,
        opted_out: Callable[[str], Collection[str]],
        enclose: Enclose | None = None,
    ) -> None:
        self.directory = directory
        self.texts = texts
        self._journal = journal
        self._enclose_in = enclose
        self._enclosing = trio.Lock()  # one document at a time: they take processors from what is urgent
        self._carriers = frozenset(name for name, channel in channels.items() if channel.abilities.attachments)
        self._rooms = {name: room_of(channel.abilities, limits[name]) for name, channel in channels.items()}
        self._now = now
        self._ids = ids
        self._opted_out = opted_out

    async def prepare(
        self, order: Order, work: Work, admitted: People, now_s: float, vault: list[VaultEntry]
    ) -> Prepared:
        """`admitted` counts what each person gets; new vault entries are added to `vault`. Raises NoText."""
        prepared = Prepared()
        people = await self._people(order)
        until = order.ordered.until
        if people is None or (until is not None and self._now() > until):
            why = "the audience was erased" if people is None else "too late to be of use"
            prepared.refused = [_refused(work, i, why) for i in indexes(order, work)]
            return prepared
        await self._read_signal(order)
        await self._read_words(order)
        await self._enclose(order, people)
        details = _ask_details(order)
        attempt, at, outgoing = "", self._now(), list[Outgoing]()
        for index in indexes(order, work):
            if index in order.heard:
                prepared.over += 1
                self._close(prepared, order, work, attempt, at, outgoing, vault)
                outgoing = []  # nor what was not made
                continue
            person = people[index] if index < len(people) else ""
            address = self._address(order.ordered, person)
            if not address or self._wants_no_more(order.ordered, person):
                why = "opted out" if address else f"no address for {work.channel}"
                prepared.refused.append(_refused(work, index, why))
                continue
            if not self._may_see(order.ordered, person):
                prepared.refused.append(_refused(work, index, "this person may not see the document any more"))
                continue
            again_s = now_s if work.counted else admitted.admit(person, now_s, work.lane is Lane.ASK)
            if again_s > now_s:
                self._hold(prepared, work, index, again_s)
                self._close(prepared, order, work, attempt, at, outgoing, vault)
                outgoing = []  # an attempt record never names what was held
                continue
            if not outgoing:
                attempt = self._ids.new(at)
            language = self.directory.language(person)
            texts = order.rendered.get((language, work.repeat)) or self._render(order, language, work.repeat)
            identity = work.identity or attempt
            outgoing.append(_outgoing(order, work, index, identity, address, language, texts, details, at))
        self._close(prepared, order, work, attempt, at, outgoing, vault)
        return prepared

    async def as_handed(self, order: Order, work: Work, attempt: Attempt) -> list[Outgoing]:
        """The deliveries of an attempt of which no outcome is known, with the words they went out with."""
        people = await self._people(order)
        texts: dict[Language, Rendered] = {}
        if attempt.vault:
            (entry,) = await self._journal.vault([attempt.vault])
            texts = {} if entry is None else _texts.decode(entry.payload)
        nothing, details = Rendered(subject="", text="", voice=""), _ask_details(order)
        out: list[Outgoing] = []
        for index in indexes(order, work):
            person = people[index] if people is not None and index < len(people) else ""
            address, language = self._address(order.ordered, person), self.directory.language(person)
            if address:
                words = texts.get(language) or nothing
                out.append(
                    _outgoing(
                        order, work, index, attempt.id, address, language, words, details, attempt.at, attempt.nth
                    )
                )
        return out

    def _hold(self, prepared: Prepared, work: Work, index: int, again_s: float) -> None:
        """The person had enough already: later, or, where that would be too late, not at all this way."""
        if gives_up(work.lane, 0, work.since_s, again_s):
            prepared.refused.append(_refused(work, index, "this person has had too many messages already"))
            return
        later = work.part(index, index + 1)
        later.not_before_s = again_s
        prepared.held.append(later)

    def _close(
        self,
        prepared: Prepared,
        order: Order,
        work: Work,
        attempt: str,
        at: datetime,
        outgoing: Sequence[Outgoing],
        vault: list[VaultEntry],
    ) -> None:
        if not outgoing:
            return
        record = Attempt(
            id=attempt,
            at=at,
            order=work.order,
            start=outgoing[0].index,
            stop=outgoing[-1].index + 1,
            nth=work.tries + 1,
            repeat=work.repeat,
            vault=self._keep(order, work.repeat, vault),
            documents=self._keep_documents(order, vault),
        )
        prepared.spans.append(Span(order, work, record, outgoing))

    async def _people(self, order: Order) -> Sequence[str] | None:
        """Who the indexes stand for; None when the audience was erased."""
        if order.people is None:
            if not order.ordered.audience:
                order.people = order.ordered.recipients
            else:
                (entry,) = await self._journal.vault([order.ordered.audience])
                order.people = None if entry is None else _audience.decode(entry.payload)
        return order.people

    async def _read_signal(self, order: Order) -> None:
        if order.signal_read or not order.ordered.signal:
            return
        (fact,) = await self._journal.get([order.ordered.signal])
        if isinstance(fact, Fact) and fact.vault:
            (entry,) = await self._journal.vault([fact.vault])
            order.signal = None if entry is None else _signal.decode(entry.payload)
        order.signal_read = True

    async def _read_words(self, order: Order) -> None:
        """The words of a broadcast, which are no message of the configuration. Raises NoText."""
        if order.words is not None or not order.ordered.texts:
            return
        (entry,) = await self._journal.vault([order.ordered.texts])
        if entry is None:
            raise NoText("its words were erased")
        message = order.ordered.message
        order.words = Message(id=message, texts=_content.decode(entry.payload).texts)

    def _render(self, order: Order, language: Language, repeat: bool) -> Rendered:
        ordered = order.ordered
        room = self._rooms[ordered.channel]
        if ordered.lane is not Lane.ASK:
            room = replace(room, answers=False)  # a confirmation names the code, too, and wants no answer
        texts = self.texts
        if order.words is not None:
            texts = replace(texts, messages={**texts.messages, ordered.message: order.words})
        rendered = render(
            texts,
            ordered.message,
            language,
            values=[
                *((name, self._named(value) if name in _PEOPLE else value) for name, value in ordered.values),
                *order.enclosed.get(language, ((), ()))[0],
            ],
            signal=order.signal,
            status=ordered.status,
            repeat=repeat,
            room=room,
        )
        order.rendered[language, repeat] = rendered
        return rendered

    def _address(self, ordered: Ordered, person: str) -> str:
        """Where it goes; `""`: nowhere. Here, at the last, nothing of an exercise or a test passes to an address that
        is kept for what is Actual, whoever ordered it; and where the directory was changed since, the last one left
        is taken."""
        ways = self.directory.addresses(person, ordered.channel, ordered.status)
        return ways[min(ordered.address, len(ways) - 1)] if ways else ""

    def _wants_no_more(self, ordered: Ordered, person: str) -> bool:
        """Whether one of the public has answered STOP; what confirms that still goes out."""
        return ordered.lane is not Lane.CONFIRM and ordered.channel in self._opted_out(person)

    def _named(self, people: str) -> str:
        """The names of people (`officer-a,officer-b`), for a text: records hold ids."""
        known = [(person, self.directory.person(person)) for person in people.split(",")]
        return ", ".join(found.name if found is not None else person for person, found in known)

    async def _enclose(self, order: Order, people: Sequence[str]) -> None:
        """Makes the document that goes along, in the language of everybody it goes to."""
        enclosed = order.ordered.enclosed
        if enclosed is None or self._enclose_in is None:
            return
        async with self._enclosing:
            for language in dict.fromkeys(map(self.directory.language, people)):
                if language in order.enclosed:
                    continue
                attach = order.ordered.channel in self._carriers
                order.enclosed[language] = await self._enclose_in(enclosed, language, order.ordered.status, attach)

    def _may_see(self, ordered: Ordered, person: str) -> bool:
        """Here, at the last: the directory may have changed since it was ordered."""
        return ordered.enclosed is None or ordered.enclosed.sees.within(self.directory.sees(person))

    def _keep_documents(self, order: Order, vault: list[VaultEntry]) -> tuple[str, ...]:
        """The vault keys of the files, which lie there before the attempt is durable."""
        for language, (_, files) in order.enclosed.items():
            if language not in order.documents:
                keys = tuple(self._ids.new(self._now()) for _ in files)
                order.documents[language] = keys
                for key, file in zip(keys, files, strict=True):
                    about = order.ordered.order
                    vault.append(VaultEntry(key=key, payload=file.content, media_type=file.media_type, about=about))
        return tuple(key for keys in order.documents.values() for key in keys)

    def _keep(self, order: Order, repeat: bool, vault: list[VaultEntry]) -> str:
        """The vault key of the texts as rendered: one entry for an order, with all languages where it goes to several
        people, so that no later chunk needs another."""
        if repeat not in order.kept:
            if order.size > 1:
                for language in order.enclosed or Language:
                    if (language, repeat) not in order.rendered:
                        self._render(order, language, repeat)
            texts = {language: text for (language, again), text in order.rendered.items() if again == repeat}
            order.kept[repeat] = self._ids.new(self._now())
            payload = msgspec.json.encode(texts)
            vault.append(VaultEntry(key=order.kept[repeat], payload=payload, about=order.ordered.order))
        return order.kept[repeat]


def indexes(order: Order, work: Work) -> Sequence[int]:
    """The deliveries of a work that are meant."""
    every = range(work.start, work.stop)
    return every if order.meant is None else [i for i in every if i in order.meant]


def room_of(abilities: Abilities, limits: Limits) -> Room:
    """What a channel carries."""
    in_words = abilities.answers and abilities.words
    return Room(longest=abilities.longest, parts=limits.parts, answers=in_words, voice=abilities.voice)


def _refused(work: Work, index: int, why: str) -> Receipt:
    return Receipt(work.order, index, Outcome.FAILED, why)


def _ask_details(order: Order) -> AskDetails | None:
    values = dict(order.ordered.values)
    if order.ordered.lane is not Lane.ASK or "code" not in values:
        return None
    return AskDetails(code=values["code"], answer_s=float(values.get("answer_s", 0)))


def _outgoing(
    order: Order,
    work: Work,
    index: int,
    attempt: str,
    to: str,
    language: Language,
    texts: Rendered,
    ask: AskDetails | None,
    at: datetime,
    nth: int = 0,
) -> Outgoing:
    return Outgoing(
        order=work.order,
        index=index,
        attempt=attempt,
        nth=nth or work.tries + 1,
        repeat=work.repeat,
        to=to,
        language=language,
        subject=texts.subject,
        text=texts.text,
        voice=texts.voice,
        status=order.ordered.status,
        ask=ask,
        since=at,
        attachments=order.enclosed.get(language, ((), ()))[1],
    )
