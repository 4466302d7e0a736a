"""Where an address leads: a room, an alias's room, or the direct chat with a person, which is made where there is none.

What is known of a room (that the account is in it, that it is not encrypted, that the person is still there) is kept
while the listener hears of every change, and forgotten when it does not.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from connectors.matrix.api import Api, Refused
from connectors.matrix.events import DIRECT, event
from hub.connector import Dead

_SERVER = r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_PERSON = re.compile(rf"@[\x21-\x39\x3b-\x7e]+:{_SERVER}")
_ALIAS = re.compile(rf"#[^:\s\x00]+:{_SERVER}")
_ROOM = re.compile(rf"![^:\s\x00]+(?::{_SERVER})?")  # since room version 12 without a server
_LONGEST_ID = 255  # bytes

ENCRYPTED = (
    "Matrix: the room is end-to-end encrypted, where the hub cannot write: name a room without encryption (a room"
    " that has it keeps it)"
)
# Only the joined rooms' own marks, nothing of what was said in them.
_MARKS = {
    "room": {
        "timeline": {"limit": 0},
        "state": {"types": [DIRECT]},
        "ephemeral": {"types": []},
        "account_data": {"types": []},
    },
    "presence": {"types": []},
    "account_data": {"types": []},
}


class Nowhere(Exception):
    """An address leads nowhere one can write to: `dead` says why, and what would help."""

    def __init__(self, dead: Dead) -> None:
        super().__init__(dead.reason)
        self.dead = dead


class Place(Struct, frozen=True):
    """A room, and whose direct chat it is (`""`: nobody's)."""

    room: str
    person: str = ""


class _Who(Struct, frozen=True):
    user_id: str


class _RoomId(Struct, frozen=True):
    room_id: str


class _Joined(Struct, frozen=True):
    joined_rooms: list[str] = msgspec.field(default_factory=list)


class _Member(Struct, frozen=True):
    membership: str = ""


class _State(Struct, frozen=True):
    events: list[Raw] = msgspec.field(default_factory=list)


class _Marked(Struct, frozen=True):
    state: _State = _State()


class _MarkedRooms(Struct, frozen=True):
    join: dict[str, _Marked] = msgspec.field(default_factory=dict)


class _Marks(Struct, frozen=True):
    rooms: _MarkedRooms = _MarkedRooms()


def problem(address: str) -> str:
    """Why an address is none of Matrix's and what would be right; `""` when it is."""
    if len(address.encode(errors="replace")) <= _LONGEST_ID and any(
        kind.fullmatch(address) for kind in (_PERSON, _ALIAS, _ROOM)
    ):
        return ""
    shown = address[:60]
    return f"{shown!r} is no Matrix address: write @person:server, #alias:server or !room-id"


def whole(only: Mapping[str, Any]) -> dict[str, str]:
    """The query of a sync from the beginning, which is answered at once. Synapse gives the answer of two minutes ago to
    the same query again, so no two are the same: the time to wait, which does not matter here, differs."""
    return {"filter": msgspec.json.encode(only).decode(), "timeout": str(time.time_ns() // 1_000_000 % 10_000)}


def direct_chats(content: object) -> dict[str, list[str]]:
    """The account data m.direct, as far as it can be understood: people, and the rooms that are chats with them."""
    try:
        return msgspec.convert(content, dict[str, list[str]])
    except msgspec.ValidationError:
        return {}


class Rooms:
    """The rooms of one account. All on one loop."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._me = ""
        self._directs: dict[str, list[str]] | None = None
        self._whose: dict[str, str] = {}  # direct chat → the person
        self._making: dict[str, asyncio.Lock] = {}
        self._writing = asyncio.Lock()
        self._aliases: dict[str, str] = {}
        self._plain: set[str] = set()  # rooms we are in, and which are not encrypted
        self._members: dict[tuple[str, str], str] = {}  # (direct chat, person) → membership

    async def me(self) -> str:
        """The account's own user id."""
        if not self._me:
            self._me = (await self._api.get(_Who, "account", "whoami")).user_id
        return self._me

    # --- what the listener hears ---------------------------------------------------------------------------

    def forget(self) -> None:
        """Nobody hears of changes now: what is known may not hold."""
        self._plain.clear()
        self._members.clear()
        self._aliases.clear()
        self._directs = None

    def left(self, room: str) -> None:
        self._plain.discard(room)

    def now_encrypted(self, room: str) -> None:
        self._plain.discard(room)

    def member(self, room: str, person: str, membership: str) -> None:
        if (room, person) in self._members:
            self._members[(room, person)] = membership

    def uncertain(self, room: str) -> None:
        """Changes of this room were passed over."""
        self._plain.discard(room)
        for key in [key for key in self._members if key[0] == room]:
            del self._members[key]

    def direct_is(self, content: object) -> None:
        """The account data m.direct was changed, by us or by another program of the account."""
        self._directs = direct_chats(content)
        self._whose.update({room: person for person, rooms in self._directs.items() for room in rooms})

    def whose(self, room: str) -> str:
        """Whose direct chat a room is; `""` when nobody's. Right once `directs` has been called."""
        return self._whose.get(room, "")

    # --- where an address leads ----------------------------------------------------------------------------

    async def place(self, address: str) -> Place:
        """Where to write to. Raises Nowhere, and what requests raise."""
        if address.startswith("@"):
            return await self._direct(address)
        room = await self._room(address)
        await self.ready(room, address)
        return Place(room)

    async def known(self, address: str) -> list[str]:
        """The rooms an address may have been written to in. Nothing is made, entered or changed."""
        if not address.startswith("@"):
            return [await self._room(address)]
        marked = await self._marked(address)
        return list(dict.fromkeys([*(await self.directs()).get(address, []), *([marked] if marked else [])]))

    async def _room(self, address: str) -> str:
        if not address.startswith("#"):
            return address
        if address not in self._aliases:
            try:
                self._aliases[address] = (await self._api.get(_RoomId, "directory", "room", address)).room_id
            except Refused as error:
                if error.status != 404:
                    raise
                reason = "Matrix: no room has this alias: correct it"
                raise Nowhere(Dead(reason=reason, bad_address=True)) from None
        return self._aliases[address]

    async def ready(self, room: str, address: str = "", *, enter: bool = True) -> None:
        """That the account is in the room, and may be read there. `address`: by which the room can be entered."""
        if room in self._plain:
            return
        try:
            await self._api.get(Raw, "rooms", room, "state", "m.room.encryption", "")
        except Refused as error:
            if error.status == 403 and enter:
                await self.enter(room, address)
                await self.ready(room, address, enter=False)
                return
            if error.status != 404:
                raise
            self._plain.add(room)
            return
        raise Nowhere(Dead(reason=ENCRYPTED))

    async def enter(self, room: str, address: str = "") -> None:
        """Raises Nowhere where the account is not let in."""
        self._plain.discard(room)
        try:
            await self._api.tell("POST", "join", address or room, body={})
        except Refused as error:
            if error.status == 403:
                reason = "Matrix: the hub's account is not let into the room: invite it"
                raise Nowhere(Dead(reason=reason)) from None
            if error.status == 404:
                reason = (
                    "Matrix: no such room, or the hub's account is not invited to it: correct the address, or invite"
                )
                raise Nowhere(Dead(reason=reason, bad_address=True)) from None
            raise

    async def again(self, place: Place, address: str) -> Place:
        """Where to write to once the room has refused: it was left since, or the alias leads to another one now."""
        self._aliases.pop(address, None)
        room = place.room if place.person else await self._room(address)
        await self.enter(room, "" if place.person else address)
        await self.ready(room, enter=False)
        return Place(room, place.person)

    # --- direct chats --------------------------------------------------------------------------------------

    async def directs(self) -> dict[str, list[str]]:
        """The account data m.direct."""
        if self._directs is None:
            self.direct_is(await self._read_directs())
        assert self._directs is not None
        return self._directs

    async def _read_directs(self) -> object:
        try:
            return await self._api.get(dict[str, Any], "user", await self.me(), "account_data", "m.direct")
        except Refused as error:
            if error.status != 404:
                raise
            return {}

    async def remember(self, person: str, room: str) -> None:
        """Adds a direct chat to the account data m.direct."""
        async with self._writing:
            kept = await self._read_directs()
            content: dict[str, Any] = dict(kept) if isinstance(kept, Mapping) else {}
            rooms = direct_chats(content).get(person, [])
            if room not in rooms:
                content[person] = [*rooms, room]
                await self._api.tell("PUT", "user", await self.me(), "account_data", "m.direct", body=content)
            self.direct_is(content)

    async def _direct(self, person: str) -> Place:
        async with self._making.setdefault(person, asyncio.Lock()):
            room = await self._chosen(person)
            if not room:
                room = await self._marked(person)
                if not room:
                    room = await self._make(person)
                await self.remember(person, room)
        await self.ready(room)
        await self._there(room, person)
        return Place(room, person)

    async def _chosen(self, person: str) -> str:
        """The first of the person's direct chats in which one can write; `""` for none."""
        listed = (await self.directs()).get(person, [])
        if (known := next((room for room in listed if room in self._plain), "")) or not listed:
            return known
        joined = (await self._api.get(_Joined, "joined_rooms")).joined_rooms
        for room in listed:
            if room in joined:
                try:
                    await self.ready(room)
                except Nowhere:
                    continue
                return room
        return ""

    async def _marked(self, person: str) -> str:
        """The direct chat we made for this person of which m.direct does not know: we were broken off in between."""
        found = await self._api.get(_Marks, "sync", query=whole(_MARKS))
        me = await self.me()
        for room, marked in found.rooms.join.items():
            for raw in marked.state.events:
                state = event(raw)
                if state is None or state.type != DIRECT or state.sender != me:
                    continue
                if state.text("user") == person:
                    return room
        return ""

    async def _make(self, person: str) -> str:
        """Makes a direct chat and invites the person. Only the hub's account may encrypt it."""
        try:
            await self._api.get(Raw, "profile", person)
        except Refused as error:
            # A homeserver that shows no profiles, or cannot reach the person's, says nothing of whether they exist.
            if error.status == 404:
                dead = Dead(reason="Matrix: nobody has this user id: correct it", bad_address=True)
                raise Nowhere(dead) from None
            if error.status in (401, 429):
                raise
        made = await self._api.post(
            _RoomId,
            "createRoom",
            body={
                "preset": "private_chat",
                "is_direct": True,
                "invite": [person],
                "initial_state": [{"type": DIRECT, "state_key": "", "content": {"user": person}}],
            },
        )
        return made.room_id

    async def _there(self, room: str, person: str) -> None:
        """That the person is in their direct chat, or at least invited to it. Who has left it is invited again, and
        reached by their next channel meanwhile: what is written there is read by nobody."""
        if (room, person) not in self._members:
            self._members[(room, person)] = await self._membership(room, person)
        membership = self._members[(room, person)]
        if membership in ("join", "invite"):
            return
        if membership == "ban":
            raise Nowhere(Dead(reason="Matrix: the person is banned from their direct chat: lift the ban"))
        await self._api.tell("POST", "rooms", room, "invite", body={"user_id": person})
        self._members[(room, person)] = "invite"
        if membership:
            reason = "Matrix: the person has left their direct chat, and is invited again: they must accept"
            raise Nowhere(Dead(reason=reason))

    async def _membership(self, room: str, person: str) -> str:
        try:
            return (await self._api.get(_Member, "rooms", room, "state", "m.room.member", person)).membership
        except Refused as error:
            if error.status != 404:
                raise
            return ""  # never invited: we were broken off in between
