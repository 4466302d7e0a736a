"""Publishing our own alerts: each is made and signed once, and durable before anybody can read it.

What is due follows from the state and from what the journal holds (hub/cap/due.py), so a hub that goes down in between
does it when it comes back; the fact's key sees to it that the same identifier never stands over two documents.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import structlog
import trio
from msgspec import Struct

from hub.acts import About, CapShown, Refused
from hub.cap.alert import alert_of, bare_cancel, minded
from hub.cap.check import problems
from hub.cap.due import Due, due, follows, listed
from hub.cap.feed import Listed, feed_of
from hub.cap_link import ALERT, FEED, CapFeed
from hub.config.cap import CapForm
from hub.config.forms import BroadcastsForm
from hub.config.groups import Areas
from hub.connector import Unavailable
from hub.dispatch.render import Texts
from hub.engine.state import Broadcast, State
from hub.journal import Journal, JournalError
from hub.model import events as e
from hub.model import records as r
from hub.model.broadcast import Content
from hub.model.cap import MEDIA_TYPE, element_of, xml_of
from hub.model.ids import Ids
from hub.model.people import Language
from hub.model.signal import Signal, Status

log = structlog.get_logger(__name__)

T = TypeVar("T")

RETRY_S = 1.0
KEPT = timedelta(days=14)  # for so long an alert can be read, and for as long as it is in force
_FACTS_MOST = 10_000
_MOVES = (e.BroadcastBegan, e.BroadcastEnded, e.BroadcastResumed, e.ProposalDropped, e.Lifted)

_content = msgspec.json.Decoder(Content)


class Signing(Protocol):
    """Signs a tree: the bytes of the document."""

    def signed(self, alert: Any) -> bytes: ...


class Aside(Protocol):
    """Runs a function where it holds nobody up."""

    def __call__(self, sync_fn: Callable[..., T], /, *args: Any) -> Awaitable[T]: ...


class Published(Struct, frozen=True):
    """An alert of ours as it can be read."""

    body: r.CapPublished
    document: bytes


class Publisher:
    """`state`: as it is; `settled`: whether all of it is durable. `broadcasts`: which classes are published. `report`
    tells the room of what went wrong. `aside`: in a thread, where nothing else is said. `done`: what answers questions
    and acts, by verb."""

    def __init__(
        self,
        *,
        journal: Journal,
        state: Callable[[], State],
        settled: Callable[[], bool],
        form: CapForm,
        broadcasts: BroadcastsForm,
        signer: Signing,
        texts: Callable[[], Texts],
        areas: Callable[[], Areas],
        now: Callable[[], datetime],
        ids: Ids,
        zone: str,
        public_url: str,
        report: Callable[[str, str], Awaitable[object]],
        aside: Aside | None = None,
    ) -> None:
        self._journal = journal
        self._state = state
        self._settled = settled
        self._form = form
        self._broadcasts = broadcasts
        self._signer = signer
        self._texts = texts
        self._areas = areas
        self._now = now
        self._ids = ids
        self._zone = ZoneInfo(zone)
        self._url = public_url
        self._report = report
        self._aside: Aside = _aside if aside is None else aside
        self.published: dict[str, Published] = {}  # by identifier
        self._never: set[str] = set()  # broadcasts that are not for the feed
        self._moved = trio.Event()
        self._waits = False  # for the state to be durable
        self._feed: tuple[tuple[str, ...], CapFeed] | None = None
        self.done: dict[str, Callable[[About, Any], Awaitable[Any]]] = {
            FEED: self._answer_feed,
            ALERT: self._answer_alert,
            "broadcast-cap": self._show,
        }

    def follow(self, decision: r.Decision) -> None:
        """Takes up what a durable decision leads to."""
        if self._waits or any(isinstance(event, _MOVES) for event in decision.events):
            self._moved.set()

    async def load(self) -> None:
        """What was published before. Raises JournalError."""
        facts = await self._journal.facts_since(("cap",), self._now() - KEPT, _FACTS_MOST)
        for fact, entry in zip(facts, await self._journal.vault([fact.vault for fact in facts]), strict=True):
            if isinstance(fact.body, r.CapPublished) and entry is not None:
                self.published[fact.body.identifier] = Published(fact.body, entry.payload)

    async def run(self) -> None:
        """Publishes what is due, for ever."""
        while True:
            self._moved = trio.Event()
            try:
                await self._publish_all()
            except JournalError as error:
                log.error("an alert waits for the journal", error=str(error))
                await trio.sleep(RETRY_S)
            else:
                await self._moved.wait()

    async def _publish_all(self) -> None:
        while self._state().stopped is None:
            self._waits = not self._settled()
            if self._waits:  # the next decision that is durable may be of something else
                return
            state, bodies = self._state(), self._bodies()
            one = next(due(state.broadcasts, state.proposals.values(), bodies, self._never), None)
            if one is None:
                return
            try:
                await self._publish(one)
            except JournalError:
                raise
            except Exception as error:
                log.exception("an alert could not be made", broadcast=one.broadcast.id)
                self._never.add(one.broadcast.id)
                detail = f"the alert of the broadcast {one.broadcast.id} is not on the CAP feed: {type(error).__name__}"
                await self._report("cap-not-published", f"{detail}: tell whoever reads it in another way")

    async def _publish(self, one: Due) -> None:
        broadcast, at = one.broadcast, self._now()
        content = await self._content(broadcast)
        if not one.withdraws and (content is None or self._why_not(broadcast, content)):
            self._never.add(broadcast.id)
            return
        alert = self._alert(one, content)
        document, wrong = await self._aside(self._signed, alert)
        fact_id = self._ids.new(at)
        body = r.CapPublished(
            broadcast=broadcast.id,
            identifier=alert.identifier,
            sender=alert.sender,
            sent=alert.sent,
            msg_type=alert.msg_type,
            status=alert.status,
            expires=alert.infos[0].expires if alert.infos else follows(one, self._bodies()).until,
            references=tuple(reference.identifier for reference in alert.references),
        )
        key = f"cap\x1f{broadcast.id}{' cancel' if one.withdraws else ''}"
        fact = r.Fact(id=fact_id, at=at, body=body, key=key, vault=fact_id)
        entry = r.VaultEntry(key=fact_id, payload=document, media_type=MEDIA_TYPE, about=broadcast.id)
        (held,) = await self._journal.put_facts([fact], [entry])
        published = Published(body, document) if held == fact_id else await self._held(held)
        if published is None:  # the words were erased since
            self._never.add(broadcast.id)
            return
        self.published[published.body.identifier] = published
        self._forget(at)
        log.info("an alert is published", identifier=published.body.identifier, kind=published.body.msg_type)
        if wrong:
            await self._report("cap-not-as-it-should-be", f"{alert.identifier}: {'; '.join(wrong[:5])}")

    async def _held(self, fact_id: str) -> Published | None:
        """What the journal holds already."""
        (fact,) = await self._journal.get([fact_id])
        assert isinstance(fact, r.Fact)
        (entry,) = await self._journal.vault([fact.vault])
        if not isinstance(fact.body, r.CapPublished) or entry is None:
            return None
        return Published(fact.body, entry.payload)

    def _alert(self, one: Due, content: Content | None) -> Signal:
        before = follows(one, self._bodies())
        sent = self._now().replace(microsecond=0)
        if before.references:  # an update of the same second could be taken for the older one
            last = max(reference.sent for reference in before.references if reference.sent is not None)
            sent = max(sent, last + timedelta(seconds=1))
        if content is None or content.cap is None:
            return bare_cancel(one.broadcast, form=self._form, sent=sent, follows=before)
        return alert_of(
            one.broadcast,
            content,
            form=self._form,
            texts=self._texts(),
            areas=self._areas(),
            sent=sent,
            follows=before,
            withdraws=one.withdraws,
        )

    def _signed(self, alert: Signal) -> tuple[bytes, list[str]]:
        element = element_of(alert, self._zone)
        wrong = problems(element)
        return self._signer.signed(element), wrong

    async def _content(self, broadcast: Broadcast) -> Content | None:
        """As it was drafted; None where it was erased."""
        (entry,) = await self._journal.vault([broadcast.texts])
        return None if entry is None else _content.decode(entry.payload)

    def _why_not(self, broadcast: Broadcast, content: Content) -> str:
        """Why a broadcast is not for the feed; `""` where it is."""
        known = self._broadcasts.classes.get(broadcast.group)
        if known is None or known.cap is None or not known.public:
            return f"broadcasts of the class {broadcast.group} are not published: config/hub.yaml says which are"
        if broadcast.status is not Status.ACTUAL and not self._form.exercises:
            return f"it is no earnest ({broadcast.status}), and hub.yaml publishes no exercises"
        if content.cap is None:
            return "it does not go to the public (registered), or was drafted before its class was published"
        return ""

    def _bodies(self) -> list[r.CapPublished]:
        return [one.body for one in self.published.values()]

    def _forget(self, now: datetime) -> None:
        """What nobody can need any more; the journal keeps it."""
        stands = {one.identifier for one in listed(self._bodies(), now, 0)}
        for identifier, one in list(self.published.items()):
            if one.body.sent < now - KEPT and identifier not in stands:
                del self.published[identifier]

    # -- what is asked --

    async def _answer_feed(self, about: About, _: None) -> CapFeed:
        """The index; without its body where who asks has it (`tag`)."""
        alerts = listed(self._bodies(), self._now(), self._form.entries)
        names = tuple(one.identifier for one in alerts)
        if self._feed is None or self._feed[0] != names:
            entries = [Listed(one.identifier, one.sent, self.published[one.identifier].document) for one in alerts]
            title = " / ".join(dict.fromkeys(self._form.name[language] for language in Language))
            body = await self._aside(feed_of, entries, self._url, title)
            self._feed = names, CapFeed(tag=tag_of(body), body=body)
        made = self._feed[1]
        known = about.get("tag") == made.tag
        return CapFeed(tag=made.tag, body=b"" if known else made.body, names=tuple(self.published))

    async def _answer_alert(self, about: About, _: None) -> bytes:
        published = self.published.get(about["identifier"])
        if published is None:
            raise Refused("there is no such alert", missing=True)
        return published.document

    async def _show(self, about: About, _: None) -> CapShown:
        """The alert of a broadcast: as it is published, or as it would be."""
        id_ = about["broadcast"]
        if there := [one for one in self.published.values() if one.body.broadcast == id_]:
            newest = max(there, key=lambda one: one.body.sent)
            return CapShown(published=True, xml=newest.document.decode())
        broadcast = self._state().broadcasts.get(id_)
        if broadcast is None:
            raise Refused(f"no broadcast {id_}: see `broadcasts` in the status", missing=True)
        try:
            content = await self._content(broadcast)
        except JournalError as error:
            raise Unavailable(str(error)) from error
        if content is None:
            raise Refused("its words were erased")
        if why := self._why_not(broadcast, content):
            raise Refused(why)
        if broadcast.follows and broadcast.follows not in {one.broadcast for one in self._bodies()}:
            raise Refused("what it follows is not published, so it is not either")
        element = element_of(self._alert(Due(broadcast), content), self._zone)
        where = content.registered
        mind = (*(() if where is None else minded(where, self._areas())), *problems(element))
        return CapShown(published=False, xml=xml_of(element).decode(), mind=mind)


async def _aside(fn: Callable[..., T], /, *args: Any) -> T:
    return await trio.to_thread.run_sync(fn, *args)


def tag_of(body: bytes) -> str:
    """A validator: another one as soon as a byte changes."""
    return hashlib.sha256(body).hexdigest()[:32]


async def _off(about: About, _: None) -> Any:
    raise Refused("there is no CAP feed here: docs/cap-feed.md says how it is turned on", missing=True)


OFF: dict[str, Callable[[About, Any], Awaitable[Any]]] = {"broadcast-cap": _off}
"""What answers where there is no feed."""
