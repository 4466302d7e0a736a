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
from hub.dispatch.providers import Providers
from hub.dispatch.queue import People, Work
from hub.dispatch.render import NoText, Rendered, Room, Texts, render
from hub.dispatch.route import Entry
from hub.journal import Journal
from hub.model.broadcast import Content
from hub.model.enclosure import Enclosure
from hub.model.events import Ordered
from hub.model.ids import Ids
from hub.model.message import NO_ADDRESS, Lane, Message, Outcome
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
    """Deliveries that go out under one attempt record. `probe`: although their provider is out."""

    order: Order
    work: Work
    attempt: Attempt
    outgoing: Sequence[Outgoing]
    probe: bool = False


@dataclass(slots=True)
class Prepared:
    """A work made ready: `spans` to hand over, `refused` (never to be handed over), `held` for later, `moved` to
    another provider's turn, what `waits` because no provider works, and how many are `over`: what became of them was
    heard meanwhile."""

    spans: list[Span] = field(default_factory=list)
    refused: list[Receipt] = field(default_factory=list)
    held: list[Work] = field(default_factory=list)
    moved: list[Work] = field(default_factory=list)
    waits: list[Work] = field(default_factory=list)
    over: int = 0


@dataclass(slots=True)
class _Run:
    """Deliveries of a work that go out together, in the making."""

    order: Order
    work: Work
    at: datetime
    attempt: str = ""
    outgoing: list[Outgoing] = field(default_factory=list)
    probe: bool = False


Enclose = Callable[[Enclosure, Language, Status, bool], Awaitable[Enclosed]]
"""Makes the document that an order encloses, in a language, for what is of a status: with its file, or only words."""


class Preparer:
    """`directory` and `texts` are whatever is in force; `enclose` makes documents, None where there are none."""

    def __init__(
        self,
        journal: Journal,
        channels: Mapping[str, Channel],
        limits: Mapping[str, Limits],
        providers: Providers,
        directory: Directory,
        texts: Texts,
        now: Callable[[], datetime],
        ids: Ids,
        opted_out: Callable[[str], Collection[str]],
        enclose: Enclose | None = None,
    ) -> None:
        self.directory = directory
        self.texts = texts
        self._providers = providers
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
        run = _Run(order, work, self._now())
        elsewhere: dict[str, list[int]] = {}
        for index in indexes(order, work):
            if index in order.heard:
                prepared.over += 1
                self._close(prepared, run, vault)  # nor does an attempt record name what was not made
                continue
            person = people[index] if index < len(people) else ""
            address = self._address(order.ordered, person)
            if not address or self._wants_no_more(order.ordered, person):
                why = "opted out" if address else f"{NO_ADDRESS} for {order.ordered.channel}"
                prepared.refused.append(_refused(work, index, why))
                continue
            if not self._may_see(order.ordered, person):
                prepared.refused.append(_refused(work, index, "this person may not see the document any more"))
                continue
            provider = self._providers.pick(self._entry(order.ordered), address, work.passed, work.channel, now_s)
            if provider != work.channel:
                self._elsewhere(prepared, elsewhere, run, index, provider, address)
                continue
            again_s = now_s if work.counted else admitted.admit(person, now_s, work.lane is Lane.ASK)
            if again_s > now_s:
                self._hold(prepared, work, index, again_s)
                self._close(prepared, run, vault)  # an attempt record never names what was held
                continue
            run.probe = self._providers.health(provider).out
            if run.probe:  # goes alone: nothing else is to fail with it
                self._close(prepared, run, vault)
            if not run.outgoing:
                run.attempt = self._ids.new(run.at)
            language = self.directory.language(person)
            texts = self._texts(order, provider, language, work.repeat)
            identity = work.identity or run.attempt
            run.outgoing.append(_outgoing(order, work, index, identity, address, language, texts, details, run.at))
            if run.probe:
                self._close(prepared, run, vault)
        self._close(prepared, run, vault)
        for provider, those in elsewhere.items():
            part = work.of(those)
            if provider:
                part.go_to(provider)
                prepared.moved.append(part)
            else:
                again_s = min(
                    self._providers.again_s(self._entry(order.ordered), self._address(order.ordered, people[i]), now_s)
                    for i in those
                )
                part.not_before_s = max(again_s, now_s + 1.0)
                prepared.waits.append(part)
        return prepared

    def _elsewhere(
        self,
        prepared: Prepared,
        elsewhere: dict[str, list[int]],
        run: _Run,
        index: int,
        provider: str,
        address: str,
    ) -> None:
        """Another provider takes it; where none works, an ask is not to wait for one, and everything else does."""
        if provider or run.work.lane is not Lane.ASK:
            elsewhere.setdefault(provider, []).append(index)
        else:
            why = self._providers.why_not(self._entry(run.order.ordered), address)
            prepared.refused.append(_refused(run.work, index, why))

    def _entry(self, ordered: Ordered) -> Entry:
        """The entry of channels.yaml by which it goes: exercises may have one of their own."""
        return self._providers.routes.entry(ordered.channel, ordered.status)

    def first_provider(self, ordered: Ordered) -> str:
        """The provider of an order to one person."""
        try:
            entry = self._entry(ordered)
        except ValueError:
            return ordered.channel  # it is refused when it is prepared
        return self._providers.route(entry, self._address(ordered, ordered.recipients[0]))[0]

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

    def _close(self, prepared: Prepared, run: _Run, vault: list[VaultEntry]) -> None:
        """What is in the making becomes an attempt."""
        if not run.outgoing:
            return
        order, work, outgoing = run.order, run.work, run.outgoing
        start, stop = outgoing[0].index, outgoing[-1].index + 1
        made = tuple(o.index for o in outgoing)
        meant = stop - start if order.meant is None else sum(i in order.meant for i in range(start, stop))
        record = Attempt(
            id=run.attempt,
            at=run.at,
            order=work.order,
            start=start,
            stop=stop,
            nth=work.tries + 1,
            repeat=work.repeat,
            vault=self._keep(order, work.channel, work.repeat, vault),
            documents=self._keep_documents(order, vault),
            provider="" if work.channel == order.ordered.channel else work.channel,
            only=() if len(made) == meant else made,
        )
        order.waits = False
        prepared.spans.append(Span(order, work, record, outgoing, run.probe))
        run.outgoing = []

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

    def _texts(self, order: Order, provider: str, language: Language, repeat: bool) -> Rendered:
        known = order.rendered.get((provider, language, repeat))
        return known or self._render(order, provider, language, repeat)

    def _render(self, order: Order, provider: str, language: Language, repeat: bool) -> Rendered:
        ordered = order.ordered
        room = self._rooms[provider]
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
        order.rendered[provider, language, repeat] = rendered
        return rendered

    def _address(self, ordered: Ordered, person: str) -> str:
        """Where it goes; `""`: nowhere. Here, at the last, nothing of an exercise or a test passes to an address that
        is kept for what is Actual, whoever ordered it; and where the directory was changed since, an ask takes the
        last one left. What is no ask goes on to further addresses for many at once: not everybody has one."""
        ways = self.directory.addresses(person, ordered.channel, ordered.status)
        if ordered.lane is not Lane.ASK:
            return ways[ordered.address] if ordered.address < len(ways) else ""
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

    def _keep(self, order: Order, provider: str, repeat: bool, vault: list[VaultEntry]) -> str:
        """The vault key of the texts as rendered for a provider: one entry for an order, with all languages where it
        goes to several people, so that no later chunk needs another."""
        key = (provider, repeat)
        if key not in order.kept:
            if order.size > 1:
                for language in order.enclosed or Language:
                    self._texts(order, provider, language, repeat)
            texts = {language: text for (p, language, r), text in order.rendered.items() if (p, r) == key}
            order.kept[key] = self._ids.new(self._now())
            payload = msgspec.json.encode(texts)
            vault.append(VaultEntry(key=order.kept[key], payload=payload, about=order.ordered.order))
        return order.kept[key]


def indexes(order: Order, work: Work) -> Sequence[int]:
    """The deliveries of a work that are meant."""
    every = work.indexes()
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
