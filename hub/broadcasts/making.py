"""Making a broadcast of what an officer asks for: who would be told what, how long it would take and cost.

What is drafted is what is sent: the audience and the words are kept with the draft. What follows another broadcast goes
to exactly those whom that one reached, as it is known when it is released.
"""

import math
from collections.abc import Callable, Mapping

import msgspec
import trio
from msgspec import Struct
from msgspec.structs import replace

from hub.acts import BroadcastBody, Preview, Reach, Refused, Wording
from hub.broadcasts.filling import filled
from hub.broadcasts.on_feed import OnFeed, told_of
from hub.broadcasts.where import placed
from hub.cap.standing import of_signal, problem
from hub.config import ChannelConfig
from hub.config.cap import CapForm
from hub.config.forms import BroadcastsForm, ClassForm
from hub.config.groups import Areas
from hub.desk import Desk
from hub.dispatch.prepare import room_of
from hub.dispatch.render import Rendered, Texts, render
from hub.engine.broadcast import MESSAGE
from hub.engine.reach import REACHED
from hub.engine.state import Broadcast
from hub.findings import choice
from hub.journal import Journal
from hub.model import records as r
from hub.model.broadcast import Cap, Content, Kind, Proposal, RegisteredIn, bits
from hub.model.message import Message, Text
from hub.model.people import Contact, Language
from hub.model.signal import Signal, Status
from hub.model.sms import segments
from hub.people.directory import Directory
from hub.people.zone import Zone, polygon_problem, street, within

AT_ONCE = 2_000  # of a town looked through before others have their turn
SPOKEN_PER_S = 13.0  # characters a voice says in a second
WHOLE = 99  # SMS parts: more than a text is ever cut to
RING_S = 15.0  # before somebody picks up

_audience = msgspec.json.Decoder(tuple[str, ...])
_content = msgspec.json.Decoder(Content)
_signal = msgspec.json.Decoder(Signal)


class Made(Struct, frozen=True, kw_only=True):
    """A broadcast as asked for: what is recorded, what lies in the vault, what it would do."""

    drafted: r.BroadcastDrafted
    content: Content
    preview: Preview


class Maker:
    """Makes drafts and the contents of releases. `feed`: the CAP feed, None where there is none. Raises Refused, and
    JournalError where the vault cannot be read."""

    def __init__(
        self,
        *,
        journal: Journal,
        desk: Desk,
        form: BroadcastsForm,
        channels: Mapping[str, ChannelConfig],
        texts: Callable[[], Texts],
        areas: Callable[[], Areas],
        playback: bool,
        feed: CapForm | None = None,
    ) -> None:
        self._journal = journal
        self._desk = desk
        self._state, self._rules, self._now = desk.state, desk.rules, desk.now
        self._form = form
        self._channels = channels
        self._texts = texts
        self._areas = areas
        self._playback = playback
        self._on_feed = OnFeed(form, feed, self._now)

    async def make(self, sent: BroadcastBody) -> Made:
        """What becomes of it as it is asked for now."""
        self.person(sent.by)
        group = self._class(sent.group)
        texts = _texts(sent)
        status = Status.EXERCISE if self._playback and sent.status == "Actual" else Status(sent.status)
        said = sent.cap or Cap()
        if wrong := problem(said):
            raise Refused(f"cap: {wrong}")
        if sent.kind is Kind.ALERT:
            meant = await self._meant(self._named(sent), sent.registered, sent.group)
            content = Content(
                texts=texts,
                audience=self._reachable(meant, self._by(sent.by_channels), status),
                registered=sent.registered,
                cap=self._on_feed.cap(sent.kind, sent.group, status, sent.registered, said),
            )
        else:
            followed = self._followed(sent)
            status = followed.status
            content = await self._standing_after(followed, await self.follow(followed, texts), sent.kind, said)
            meant = _people(content)
        drafted = r.BroadcastDrafted(
            kind=sent.kind,
            group=sent.group,
            by=sent.by,
            why=sent.why,
            people=group.people,
            sizes=_sizes(content),
            follows=sent.follows,
            status=status,
            cap=content.cap is not None,
        )
        return Made(drafted=drafted, content=content, preview=self._preview(group.people, content, meant, status))

    async def proposed(self, proposed: str, proposal: Proposal) -> Made:
        """What becomes of what a sheet wants: nobody stands behind it yet, and its words are filled in as they are
        now, for good."""
        group, status = self._class(proposal.group), proposal.status
        if proposal.kind is Kind.ALERT:
            signal = await self._signal(proposal.signal)
            registered = placed(proposal.registered, signal, self._areas())
            if registered != proposal.registered and not (registered and registered.areas):
                raise Refused("registered: nobody knows where it is: draft one by hand that says where")
            meant = await self._meant(proposal.to, registered, proposal.group)
            audience = self._reachable(meant, self._by(proposal.by), status)
            channels = tuple(audience)
            says = Cap() if signal is None else of_signal(signal)
            cap = self._on_feed.cap(proposal.kind, proposal.group, status, registered, says)
            if cap is None and not any(audience.values()):
                raise Refused("nobody would be told: nobody who is meant has an address on its channels")
            content = Content(
                texts=await self._filled(proposal, channels),
                audience=audience,
                registered=registered,
                cap=cap,
            )
        else:
            followed = self._state().broadcasts.get(proposal.follows)
            if followed is None:
                raise Refused("the broadcast that it follows is forgotten")
            content = await self.follow(followed, {})
            channels = tuple(content.audience) or tuple(channel for channel, _ in followed.sizes)
            content = replace(content, texts=await self._filled(proposal, channels))
            content = await self._standing_after(followed, content, proposal.kind, Cap())
            meant = _people(content)
        drafted = r.BroadcastDrafted(
            kind=proposal.kind,
            group=proposal.group,
            by="",
            why=f"sheet {proposal.sheet}",
            people=group.people,
            sizes=_sizes(content),
            follows=proposal.follows,
            status=status,
            proposed=proposed,
            cap=content.cap is not None,
        )
        return Made(drafted=drafted, content=content, preview=self._preview(group.people, content, meant, status))

    async def shown(self, broadcast: Broadcast) -> Preview:
        """What a broadcast would do, or has done, as it is."""
        content = await self.content(broadcast)
        if content is None:
            raise Refused("its words were erased")
        return self._preview(broadcast.people, content, _people(content), broadcast.status)

    async def content(self, broadcast: Broadcast) -> Content | None:
        """What is released: the audience as drafted, without who has opted out since; of what follows another, made
        anew. None where it was erased."""
        content = await self._drafted(broadcast)
        if content is None:
            return None
        followed = self._state().broadcasts.get(broadcast.follows)
        if followed is not None:
            anew = await self.follow(followed, content.texts)
            content = replace(anew, registered=content.registered, cap=content.cap)
        else:
            kept = {c: tuple(p for p in people if not self._no_more(p, c)) for c, people in content.audience.items()}
            content = replace(content, audience=kept)
        ways = {c: await self._ways(people, c, broadcast.status) for c, people in content.audience.items()}
        return replace(content, ways=ways)

    async def _ways(self, people: tuple[str, ...], channel: str, status: Status) -> int:
        """How many addresses anybody of an audience has on a channel."""
        most = 1
        for start in range(0, len(people), AT_ONCE):
            part = people[start : start + AT_ONCE]
            most = max(most, *(len(self._directory.addresses(person, channel, status)) for person in part))
            await trio.lowlevel.checkpoint()
        return most

    async def follow(self, followed: Broadcast, texts: dict[Language, Text]) -> Content:
        """For exactly those whom a broadcast reached, by the channels that reached them; nobody is rung up whom
        something else reached."""
        state, seen, by = self._state(), dict[str, bytes](), dict[str, list[str]]()
        at: dict[str, dict[str, int]] = {}
        for order_id in followed.orders:
            order = state.orders.get(order_id)
            if order is None:
                continue
            reached = [one in REACHED for one in order.states]
            seen[order_id] = bits(reached)
            (entry,) = await self._journal.vault([order.event.audience])
            people = () if entry is None else _audience.decode(entry.payload)
            for person, one in zip(people, reached, strict=False):
                if one and order.event.channel not in by.setdefault(person, []):
                    by[person].append(order.event.channel)
                    if order.event.address:
                        at.setdefault(order.event.channel, {})[person] = order.event.address
        audience: dict[str, list[str]] = {}
        for person, channels in by.items():
            quiet = [c for c in channels if not self._channels[c].abilities.voice] if len(channels) > 1 else channels
            for channel in quiet or channels:
                audience.setdefault(channel, []).append(person)
        return Content(texts=texts, audience={c: tuple(people) for c, people in audience.items()}, seen=seen, at=at)

    async def _standing_after(self, followed: Broadcast, content: Content, kind: Kind, said: Cap) -> Content:
        """The content of what follows another: on the CAP feed, where that stands there, and about the same place."""
        before, about = await self._drafted(followed), followed
        while about.kind is Kind.ALL_CLEAR and about.follows in self._state().broadcasts:
            about = self._state().broadcasts[about.follows]
        alert = before if about is followed else await self._drafted(about)
        return content if before is None else self._on_feed.after(followed, before, alert, content, kind, said)

    async def _drafted(self, broadcast: Broadcast) -> Content | None:
        """A broadcast's content as it was drafted; None where it was erased."""
        (entry,) = await self._journal.vault([broadcast.texts])
        return None if entry is None else _content.decode(entry.payload)

    def person(self, person: str) -> None:
        """Who stands behind a broadcast has to be somebody: whether two are different must be known."""
        if self._directory.person(person) is None:
            raise Refused(f"by: {person!r} is nobody: {choice(person, self._directory.people, 'there are')}")

    # -- what was asked for --

    @property
    def _directory(self) -> Directory:
        return self._rules().directory

    def _class(self, name: str) -> ClassForm:
        known = self._form.classes
        if name not in known:
            raise Refused(f"group: there is no class {name!r} of broadcasts: {choice(name, known, 'there are')}")
        return known[name]

    def _by(self, channels: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [channel for channel in channels if channel not in self._channels]
        if unknown or not channels:
            named = ", ".join(unknown) or "nothing"
            raise Refused(f"by_channels: {named}: name one or more of {', '.join(self._channels)}")
        return tuple(dict.fromkeys(channels))

    def _followed(self, sent: BroadcastBody) -> Broadcast:
        followed = self._state().broadcasts.get(sent.follows)
        if followed is None:
            raise Refused(
                f"follows: there is no broadcast {sent.follows!r}: see `broadcasts` in the status", missing=True
            )
        if followed.began_at is None:
            raise Refused("follows: that broadcast has reached nobody: stop it, and draft another")
        if sent.group != followed.group:  # else a lesser class would reach the public, on one person's word
            raise Refused(f"group: what follows a broadcast is of its class: {followed.group}")
        if sent.to or sent.registered or sent.by_channels:
            raise Refused(f"to, registered, by_channels: a {sent.kind} goes to those whom the other reached, as it did")
        return followed

    def _named(self, sent: BroadcastBody) -> tuple[Contact, ...]:
        if sent.follows:
            raise Refused("follows: an alert follows nothing: its kind is all-clear or correction")
        if not sent.to and sent.registered is None:
            raise Refused("to: nobody is named: give groups, rosters or people, or where those live who registered")
        return self._desk.named("to", sent.to) if sent.to else ()

    async def _meant(
        self, contacts: tuple[Contact, ...], registered_in: RegisteredIn | None, group: str
    ) -> tuple[str, ...]:
        people = dict.fromkeys(self._rules().people(contacts, self._now()))
        if registered_in is not None:
            if not self._class(group).public:
                raise Refused(f"registered: the class {group!r} may not go to the public: see config/hub.yaml")
            registered, zone = tuple(self._directory.registered.values()), self._zone(registered_in)
            for start in range(0, len(registered), AT_ONCE):
                people.update(dict.fromkeys(one.id for one in within(registered[start : start + AT_ONCE], zone)))
                await trio.lowlevel.checkpoint()
        return tuple(people)

    def _zone(self, sent: RegisteredIn) -> Zone:
        areas, communes = self._areas(), dict[str, None]()
        for area in sent.areas:
            found = areas.communes(area)
            if not found:
                raise Refused(f"registered: areas: there is no {area!r}: {areas.meant(area)}")
            communes.update(dict.fromkeys(found))
        if sent.polygon and (problem := polygon_problem(sent.polygon)):
            raise Refused(f"registered: polygon: {problem}")
        if not (communes or sent.streets or sent.polygon):
            raise Refused("registered: says nothing of where: give areas, streets or a polygon")
        return Zone(communes=tuple(communes), streets=tuple(map(street, sent.streets)), polygon=sent.polygon)

    def _reachable(
        self, meant: tuple[str, ...], channels: tuple[str, ...], status: Status
    ) -> dict[str, tuple[str, ...]]:
        directory = self._directory
        return {
            channel: tuple(
                p for p in meant if directory.addresses(p, channel, status) and not self._no_more(p, channel)
            )
            for channel in channels
        }

    def _no_more(self, person: str, channel: str) -> bool:
        return channel in self._state().opted_out.get(person, ())

    async def _filled(self, proposal: Proposal, channels: tuple[str, ...]) -> dict[Language, Text]:
        signal = await self._signal(proposal.signal)
        if signal is None:
            raise Refused("the incident's words were erased")
        return filled(proposal, signal, self._texts(), [self._channels[channel] for channel in channels])

    async def _signal(self, fact_id: str) -> Signal | None:
        """The words of an incident's newest signal; None where they were erased."""
        (fact,) = await self._journal.get([fact_id])
        if not isinstance(fact, r.Fact) or not fact.vault:
            return None
        (entry,) = await self._journal.vault([fact.vault])
        try:
            return None if entry is None else _signal.decode(entry.payload)
        except msgspec.MsgspecError:
            return None

    # -- what it would do --

    def _preview(self, needs: int, content: Content, meant: tuple[str, ...], status: Status) -> Preview:
        reach = tuple(self._reach(channel, people, content, status) for channel, people in content.audience.items())
        told = {person for people in content.audience.values() for person in people}
        prices = [one.euros for one in reach]
        out = sum(person in self._state().opted_out for person in meant if person not in told)
        return Preview(
            people=len(told),
            unreached=len(meant) - len(told),
            opted_out=out,
            seconds=max((one.seconds for one in reach), default=0.0),
            euros=None if None in prices else round(sum(price or 0.0 for price in prices), 2),
            needs=needs,
            reach=reach,
            warnings=(*_warnings(len(told), len(meant), reach), *told_of(content, self._areas())),
            registered=content.registered,
        )

    def _reach(self, channel: str, people: tuple[str, ...], content: Content, status: Status) -> Reach:
        languages: dict[Language, int] = {}
        for person in people:
            language = self._directory.language(person)
            languages[language] = languages.get(language, 0) + 1
        wordings = {
            language: self._wording(channel, language, count, content.texts, status)
            for language, count in sorted(languages.items())
        }
        longest_s = max((wording.spoken_s for wording in wordings.values()), default=0.0)
        return Reach(
            channel=channel,
            people=len(people),
            seconds=round(len(people) / self._channels[channel].limits.rate + longest_s, 1),
            euros=self._euros(channel, wordings),
            wordings=wordings,
        )

    def _wording(
        self, channel: str, language: Language, people: int, texts: dict[Language, Text], status: Status
    ) -> Wording:
        config = self._channels[channel]
        known = self._texts()
        in_force = replace(known, messages={**known.messages, MESSAGE: Message(id=MESSAGE, texts=texts)})
        room = room_of(config.abilities, config.limits)
        said: Rendered = render(in_force, MESSAGE, language, status=status, room=room)
        if config.abilities.voice:
            return Wording(people=people, text=said.voice, spoken_s=round(RING_S + len(said.voice) / SPOKEN_PER_S, 1))
        if not config.limits.parts:
            return Wording(people=people, text=said.text, subject=said.subject)
        whole = render(in_force, MESSAGE, language, status=status, room=replace(room, parts=WHOLE))
        size = segments(whole.text)
        if size.parts > config.limits.parts:
            raise Refused(
                f"texts: {language}: takes {size.parts} SMS ({size.encoding}), {channel} carries {config.limits.parts}:"
                " shorten it"
            )
        return Wording(people=people, text=said.text, parts=size.parts, encoding=size.encoding)

    def _euros(self, channel: str, wordings: Mapping[Language, Wording]) -> float | None:
        price = self._form.prices.get(channel)
        if price is None:
            return None
        units = (w.people * max(1, w.parts, math.ceil(w.spoken_s / 60)) for w in wordings.values())
        return round(price * sum(units), 2)


def _people(content: Content) -> tuple[str, ...]:
    """Everybody it goes to, each once."""
    return tuple(dict.fromkeys(person for people in content.audience.values() for person in people))


def _sizes(content: Content) -> tuple[tuple[str, int], ...]:
    return tuple((channel, len(people)) for channel, people in content.audience.items())


def _texts(sent: BroadcastBody) -> dict[Language, Text]:
    lacking = [language for language in Language if language not in sent.texts or not sent.texts[language].text.strip()]
    if lacking:
        raise Refused(f"texts: {', '.join(lacking)}: there are no words: everybody is told in their own language")
    for language, words in sent.texts.items():
        if any(brace in text for text in (words.text, words.subject, words.voice) for brace in "{}"):
            raise Refused(f"texts: {language}: has a brace in it: nothing is filled in here, write it out")
    return {language: Text(text=w.text.strip(), subject=w.subject, voice=w.voice) for language, w in sent.texts.items()}


def _warnings(told: int, meant: int, reach: tuple[Reach, ...]) -> list[str]:
    warnings = []
    if not told:
        warnings.append("nobody would be told")
    elif told < meant:
        warnings.append(f"{meant - told} of {meant} have no address on these channels, or want nothing more")
    for one in reach:
        for language, wording in one.wordings.items():
            if wording.encoding == "UCS-2":
                warnings.append(
                    f"{one.channel}, {language}: a character that old phones lack makes it {wording.parts} SMS"
                )
    return warnings
