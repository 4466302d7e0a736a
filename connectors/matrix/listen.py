"""What people say: read from /sync, from a position that the journal keeps, so that nothing is missed meanwhile.

A position is given up only when everything before it is durable. What is read twice is known by its event id.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any

import msgspec
import structlog
from msgspec import Raw, Struct
from msgspec.structs import replace

from connectors.matrix import events
from connectors.matrix.api import FAILED, Api, Refused
from connectors.matrix.events import CANNOT_READ, Event, Mark
from connectors.matrix.rooms import Nowhere, Rooms, whole
from connectors.polling import Sleep, offer
from hub.connector import BadItem, Intake, Item, ReplyItem, Unavailable
from hub.model.message import Verb

_log = structlog.get_logger()

WAIT_S = 30.0  # how long the homeserver waits for something new before it answers
_AGAIN_S = (0.5, 1.0, 5.0, 15.0, 60.0)  # pauses when it cannot be had; the last one for ever
_TOLD_FROM_S = 5.0  # pauses from here on mean that the room is told
_KEEP_S = 60.0  # how old the position kept may be where nothing was said
_AT_ONCE = 50  # events of a room that come with a sync; what more there was is asked for
_PAGE = 100
_PAGES_MAX = 100
_KEPT = 20_000
_TRIES = 3

_HEARD = ["m.room.message", "m.reaction", "m.room.redaction", "m.room.encrypted", "m.room.encryption", "m.room.member"]
_FILTER: dict[str, Any] = {
    "room": {
        "timeline": {"types": _HEARD, "limit": _AT_ONCE},
        "state": {"types": ["m.room.encryption"]},
        "ephemeral": {"types": []},
        "account_data": {"types": []},
    },
    "presence": {"types": []},
    "account_data": {"types": ["m.direct"]},
}
_NO_HISTORY = {**_FILTER, "room": {**_FILTER["room"], "timeline": {"limit": 0}}}


class _Events(Struct, frozen=True):
    events: list[Raw] = msgspec.field(default_factory=list)


class _Timeline(Struct, frozen=True):
    events: list[Raw] = msgspec.field(default_factory=list)
    limited: bool = False
    prev_batch: str = ""


class _Room(Struct, frozen=True):
    timeline: _Timeline = _Timeline()
    state: _Events = _Events()


class _Invited(Struct, frozen=True):
    invite_state: _Events = _Events()


class _Rooms(Struct, frozen=True):
    join: dict[str, _Room] = msgspec.field(default_factory=dict)
    leave: dict[str, _Room] = msgspec.field(default_factory=dict)
    invite: dict[str, _Invited] = msgspec.field(default_factory=dict)


class _Sync(Struct, frozen=True):
    next_batch: str
    rooms: _Rooms = _Rooms()
    account_data: _Events = _Events()


class _Page(Struct, frozen=True):
    chunk: list[Raw] = msgspec.field(default_factory=list)
    end: str = ""


class Position(Struct, frozen=True):
    """How far an account has been listened to: what the journal keeps as the channel's cursor."""

    account: str
    since: str

    @classmethod
    def load(cls, cursor: str | None, account: str) -> str:
        """`""` where this account has never been listened to: then there is nothing to have been missed."""
        try:
            kept = msgspec.json.decode(cursor or "", type=cls)
        except msgspec.MsgspecError:
            return ""
        return kept.since if kept.account == account else ""

    def dump(self) -> str:
        return msgspec.json.encode(self).decode()


class _Last(Struct, frozen=True):
    """Somebody's latest answer, and the event that stands for it (the first version, where it was edited)."""

    item: ReplyItem
    event: str


class Listener:
    """Listens for one channel. All on one loop."""

    def __init__(self, api: Api, rooms: Rooms, name: str, invites_from: Sequence[str], sleep: Sleep) -> None:
        self._api = api
        self._rooms = rooms
        self._name = name
        self._invites_from = frozenset(invites_from)
        self._sleep = sleep
        self._marks: dict[str, Mark | None] = {}  # event → the delivery it is (None: it is not ours)
        self._last: dict[tuple[str, ...], _Last] = {}  # (room, person, delivery) → what they answered last
        self._tried = 0  # how often what the homeserver gave last could not be read to its end
        self.listening = asyncio.Event()  # from the first answer of the homeserver on

    def sent(self, event_id: str, mark: Mark) -> None:
        """That an event is a delivery of ours."""
        _keep(self._marks, event_id, mark)

    async def run(self, intake: Intake) -> None:
        """Listens until cancelled."""
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._listen(intake)
            except Exception as error:  # also a fault of ours: nobody would be heard any more
                self._rooms.forget()
                if time.monotonic() - began > WAIT_S:  # it went well for a while
                    failures = 0
                pause_s = next(s for n, s in enumerate(chain(_AGAIN_S, repeat(_AGAIN_S[-1]))) if n >= failures)
                failures += 1
                await self._failed(intake, error, pause_s)
                if isinstance(error, Refused) and error.after_s:
                    pause_s = max(pause_s, min(error.after_s, _AGAIN_S[-1]))
            await self._sleep(pause_s)

    async def _failed(self, intake: Intake, error: Exception, pause_s: float) -> None:
        what = str(error) if isinstance(error, Refused) else type(error).__name__
        ours = not isinstance(error, (*FAILED, Unavailable))
        _log.warning("matrix.not_listening", channel=self._name, error=what, exc_info=error if ours else None)
        lasting = isinstance(error, Refused) and error.status in (401, 403)
        if pause_s >= _TOLD_FROM_S or lasting:
            await self._health(intake, "failing", f"Matrix: what people answer cannot be read ({what})")

    async def _health(self, intake: Intake, health: str, reason: str = "") -> None:
        try:
            await intake.health(health, reason)
        except Unavailable as why:
            _log.warning("matrix.health_not_told", channel=self._name, error=str(why))

    async def _listen(self, intake: Intake) -> None:
        """Listens from the position kept until something fails."""
        me = await self._rooms.me()
        await self._rooms.directs()
        since = Position.load(await intake.cursor(), me)
        wait_s, kept_s = 0.0, -_KEEP_S  # the first answer comes at once: coming back, nobody is called before
        while True:
            heard = await self._sync(since, wait_s)
            try:
                items = await self._items(heard, since, me)
            except FAILED:
                self._tried += 1
                raise
            self._tried = 0
            # What is read again after a fall is known by its event id: the position is not kept for every echo.
            if items or time.monotonic() - kept_s >= _KEEP_S:
                await offer(intake, items, Position(me, heard.next_batch).dump(), self._sleep)
                kept_s = time.monotonic()
            since = heard.next_batch
            self.listening.set()
            if not wait_s:
                wait_s = WAIT_S
                await self._health(intake, "ok")

    async def _sync(self, since: str, wait_s: float) -> _Sync:
        if not since:
            return await self._api.get(_Sync, "sync", query=whole(_NO_HISTORY))
        query = {"filter": msgspec.json.encode(_FILTER).decode(), "since": since, "timeout": str(int(wait_s * 1000))}
        return await self._api.get(_Sync, "sync", query=query, wait_s=wait_s)

    # --- one answer of the homeserver ----------------------------------------------------------------------

    async def _items(self, heard: _Sync, since: str, me: str) -> list[Item]:
        for raw in heard.account_data.events:
            if (data := events.event(raw)) is not None and data.type == "m.direct":
                self._rooms.direct_is(data.content)
        items: list[Item] = []
        for room, invited in heard.rooms.invite.items():
            items += await self._invited(room, invited, me)
        for room, part in (heard.rooms.join | heard.rooms.leave).items():
            if room in heard.rooms.leave:
                self._rooms.left(room)
            for state in map(events.event, part.state.events):
                if state is not None and state.type == "m.room.encryption":
                    self._rooms.now_encrypted(room)
            items += await self._room(room, part.timeline, since, me)
        return items

    async def _room(self, room: str, timeline: _Timeline, since: str, me: str) -> list[Item]:
        """What was said in one room. On the very first sync there is no timeline at all."""
        raws, items = list(timeline.events), list[Item]()
        if not since:
            return items
        if timeline.limited:
            self._rooms.uncertain(room)
            if _entered(raws, me) is None:
                try:
                    before, complete = await self._gap(room, timeline.prev_batch, since)
                except FAILED:
                    if not self._passed_over:
                        raise
                    before, complete = [], False
                raws = before + raws
                if not complete:
                    items.append(_incomplete(room, since))
        for raw in raws[_entered(raws, me) or 0 :]:
            items += await self._one(room, raw, me)
        return items

    async def _one(self, room: str, raw: Raw, me: str) -> list[Item]:
        """One event. Whatever it holds, those after it are read, too."""
        heard = events.event(raw)
        if heard is None:
            return [_unread(raw, room, "what the homeserver gives as an event is none: it lacks a type or a sender")]
        try:
            if heard.type == "m.room.encryption":
                self._rooms.now_encrypted(room)
            elif heard.type == "m.room.member":
                self._rooms.member(room, heard.state_key or "", heard.text("membership"))
            elif heard.sender != me:
                return await self._heard(room, heard)
        except FAILED as error:
            if not self._passed_over:
                raise
            _log.warning("matrix.not_read", channel=self._name, type=heard.type, error=type(error).__name__)
            return [
                _unread(raw, room, "the homeserver does not give the message that an answer is for: ask them again")
            ]
        except Exception as error:  # a fault of ours must not leave everybody else unheard
            _log.exception("matrix.fault", channel=self._name, type=heard.type)
            return [_unread(raw, room, f"an event could not be read ({type(error).__name__}): a fault of the hub's")]
        return []

    @property
    def _passed_over(self) -> bool:
        """Whether what cannot be had is passed over, and told: everybody else waits to be heard behind it."""
        return self._tried >= _TRIES

    async def _gap(self, room: str, start: str, since: str) -> tuple[list[Raw], bool]:
        """What was said between the last sync and the first event of this one, the oldest first, and whether that is
        all of it."""
        found: list[Raw] = []
        wanted = msgspec.json.encode({"types": _HEARD}).decode()
        for _ in range(_PAGES_MAX):
            query = {"dir": "b", "from": start, "to": since, "limit": str(_PAGE), "filter": wanted}
            page = await self._api.get(_Page, "rooms", room, "messages", query=query)
            found += page.chunk
            if not page.end or page.end == start:
                return found[::-1], True
            start = page.end
        return found[::-1], False

    async def _heard(self, room: str, heard: Event) -> list[Item]:
        if heard.type == "m.room.encrypted":
            return await self._unreadable(room)
        if heard.type == "m.room.redaction":
            return self._taken_back(heard)
        said = events.said(heard)
        return [] if said is None else await self._answer(room, heard, said)

    # --- answers -------------------------------------------------------------------------------------------

    async def _answer(self, room: str, heard: Event, said: events.Said) -> list[Item]:
        """A reaction or reply to an ask of ours is bound to it. Other words count only in the person's direct chat;
        other reactions ("seen", under a confirmation) answer nothing."""
        answers = said.answers
        if said.edits:  # the new words stand in the place of the old ones
            original = await self._event(room, said.edits)
            before = events.said(original) if original is not None else None
            answers = before.answers if before is not None else ()
        mark = None
        for target in answers:
            mark = mark or await self._asked(room, target)
        if mark is None and (said.reaction or self._rooms.whose(room) != heard.sender):
            _log.debug("matrix.passed_over", channel=self._name, type=heard.type, reaction=said.reaction)
            return []
        order, index = (mark.order, mark.index) if mark is not None else ("", 0)
        item = ReplyItem(
            channel=self._name, address=heard.sender, key=heard.event_id, text=said.text, order=order, index=index
        )
        where = (room, heard.sender, order, str(index))
        self._last.pop(where, None)
        _keep(self._last, where, _Last(item, said.edits or heard.event_id))
        return [item]

    async def _asked(self, room: str, event_id: str) -> Mark | None:
        """The delivery an event is, where it is one of ours that asks for an answer."""
        if event_id not in self._marks:
            found = await self._event(room, event_id)
            ours = found is not None and found.sender == await self._rooms.me()
            _keep(self._marks, event_id, events.mark(found) if found is not None and ours else None)
        mark = self._marks[event_id]
        return mark if mark is not None and mark.ask else None

    async def _event(self, room: str, event_id: str) -> Event | None:
        try:
            return await self._api.get(Event, "rooms", room, "event", event_id)
        except Refused as error:
            if error.status in (400, 403, 404):
                return None
            raise

    def _taken_back(self, heard: Event) -> list[Item]:
        """Whoever takes their last answer back is not coming: the next person is called rather a little early than
        never. Taking back an answer that another one has replaced already changes nothing."""
        taken = events.redacted(heard)
        for where, last in self._last.items():
            if last.event == taken and last.item.address == heard.sender:
                item = replace(last.item, key=heard.event_id, verb=Verb.DECLINE)
                self._last[where] = _Last(item, heard.event_id)
                return [item]
        return []

    async def _unreadable(self, room: str) -> list[Item]:
        """Somebody wrote what we cannot read: the room is told once, and whoever thinks they have answered, too."""
        if self._rooms.whose(room):
            try:
                notice = {"msgtype": "m.notice", "body": CANNOT_READ}
                await self._api.tell("PUT", "rooms", room, "send", "m.room.message", "vigie.cannot-read", body=notice)
            except Refused as error:
                _log.warning("matrix.not_told", channel=self._name, error=str(error))
        reason = (
            "somebody writes in an end-to-end encrypted room, where the hub cannot read: use one without encryption"
        )
        return [BadItem(reason=reason, original=room.encode(), key=f"{room}/encrypted")]

    # --- invitations ---------------------------------------------------------------------------------------

    async def _invited(self, room: str, invited: _Invited, me: str) -> list[Item]:
        """Accepts an invitation from whom the configuration names; any other is ignored, and told once."""
        states = [state for state in map(events.event, invited.invite_state.events) if state is not None]
        ours = next((s for s in states if s.type == "m.room.member" and s.state_key == me), None)
        sender = ours.sender if ours is not None else ""
        server = sender.partition(":")[2]
        if ours is None or not {sender, server} & self._invites_from:
            reason = f"an invitation from {server or 'nobody'} is not accepted: name the person or the server in"
            return [_not_entered(room, sender, f"{reason} `invites from`")]
        try:
            await self._rooms.enter(room)
            if ours.mapping().get("is_direct") is True:
                await self._rooms.remember(sender, room)
        except (Nowhere, *FAILED) as error:  # some server far away may not answer: nobody else waits for that
            _log.warning("matrix.not_entered", channel=self._name, error=type(error).__name__)
            return [_not_entered(room, sender, "an invitation cannot be accepted: let them invite the hub again")]
        return []


def _entered(raws: Sequence[Raw], me: str) -> int | None:
    """Where in a timeline the account came into the room: what was said before it was invited is not for it."""
    found = None
    for place, heard in enumerate(map(events.event, raws)):
        became = events.membership(heard, me)
        if became == "invite" or (became == "join" and found is None):
            found = place
    return found


def _unread(raw: Raw, room: str, reason: str) -> BadItem:
    data = bytes(raw)
    key = f"{room}/{hashlib.sha256(data).hexdigest()[:32]}"
    return BadItem(reason=reason, original=data, key=key, media_type="application/json")


def _incomplete(room: str, since: str) -> BadItem:
    reason = (
        f"not all that was said in a room while nobody listened could be read (at most {_PAGE * _PAGES_MAX} events)"
    )
    return BadItem(reason=f"{reason}: look there", original=room.encode(), key=f"{room}/{since}/incomplete")


def _not_entered(room: str, sender: str, reason: str) -> BadItem:
    original = msgspec.json.encode({"room": room, "invited by": sender})
    return BadItem(reason=reason, original=original, key=f"{room}/invited", media_type="application/json")


def _keep(kept: dict[Any, Any], key: object, value: object) -> None:
    """Remembers, and forgets the oldest beyond the bound."""
    if key not in kept and len(kept) >= _KEPT:
        del kept[next(iter(kept))]
    kept[key] = value
