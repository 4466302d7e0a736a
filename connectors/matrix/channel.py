"""Matrix rooms and direct chats, through the client-server API."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from connectors.matrix import events
from connectors.matrix.api import FAILED, Api, Refused, meaning
from connectors.matrix.listen import Listener
from connectors.matrix.rooms import Nowhere, Place, Rooms, problem
from hub.connector import Abilities, Answer, Dead, Environment, Intake, Outgoing, Retry, Route, Sent

_PAGE = 100
_PAGES_MAX = 20  # of our own messages in a room, when settling
_SKEW = timedelta(minutes=1)  # between the homeserver's clock and ours


class MatrixConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Example: `homeserver: https://matrix.example.org`, `token: MATRIX_TOKEN`, `invites from: example.org`."""

    homeserver: Annotated[
        str,
        Meta(
            pattern="^https?://[^ ]+$",
            description="Where the client-server API is",
            examples=["https://matrix.example.org"],
        ),
    ]
    token: Annotated[
        str,
        Meta(min_length=1, description="Name of the secret with the account's access token", examples=["MATRIX_TOKEN"]),
    ]
    invites_from: Annotated[
        tuple[str, ...],
        Meta(
            description="Whose invitations are accepted: people (@person:server) and whole servers (example.org)",
            examples=["example.org"],
        ),
    ] = ()
    unencrypted: Annotated[bool, Meta(description="Whether http:// will do: only in one's own network")] = False
    ca_file: Annotated[
        str,
        Meta(
            description="Certificates to trust in place of the system's (PEM file)",
            examples=["/etc/ssl/private-ca.pem"],
        ),
    ] = ""
    connections: Annotated[int, Meta(ge=1, le=200, description="Messages handed over at the same time")] = 20
    timeout_s: Annotated[float, Meta(gt=0, description="How long to wait for an answer, seconds")] = 15.0

    def __post_init__(self) -> None:
        if self.homeserver.startswith("http://") and not self.unencrypted:
            raise ValueError(
                f"homeserver: {self.homeserver!r} would carry the access token in the clear: write https://"
            )


class _EventId(Struct, frozen=True):
    event_id: str


class _Page(Struct, frozen=True):
    chunk: list[Raw] = msgspec.field(default_factory=list)
    end: str = ""


class MatrixChannel:
    """Messages to Matrix rooms and people, who answer by a reaction, a reply, or in their direct chat.

    A delivery's transaction id and the mark in its content are the same for every attempt: the homeserver makes one
    event of them, and the room itself says afterwards whether it was taken."""

    Config: ClassVar[type[Struct]] = MatrixConfig
    # An event may have 65,536 bytes, and holds the text twice, the second time escaped.
    abilities: ClassVar[Abilities] = Abilities(answers=True, longest=6000, idempotent=True, settles=True)

    def __init__(self, config: MatrixConfig, environment: Environment) -> None:
        self._config = config
        self._api = Api(
            config.homeserver,
            environment.secret(config.token),
            environment.user_agent,
            connections=config.connections,
            timeout_s=config.timeout_s,
            ca_file=config.ca_file,
        )
        self._rooms = Rooms(self._api)
        self.listener = Listener(self._api, self._rooms, environment.name, config.invites_from, asyncio.sleep)
        self._intake: Intake | None = None
        self._listening: asyncio.Task[None] | None = None

    async def open(self, intake: Intake) -> None:
        self._intake = intake
        await self._api.open()
        self._listening = asyncio.create_task(self.listener.run(intake))

    async def close(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.wait([listening])
        await self._api.close()

    def check(self, address: str) -> str:
        return problem(address)

    async def send(self, outgoing: Outgoing) -> Answer:
        if problem(outgoing.to):
            return Dead(reason="Matrix: not an address of a person or room", bad_address=True)
        try:
            place = await self._rooms.place(outgoing.to)
        except Nowhere as nowhere:
            return nowhere.dead
        except FAILED as error:
            return _unsent(error)
        try:
            event_id = await self._hand_over(place, outgoing)
        except Nowhere as nowhere:
            return nowhere.dead
        except FAILED as error:
            answer = meaning(error)
            if answer is None:
                raise
            return answer
        self.listener.sent(event_id, events.Mark(outgoing.order, outgoing.index, outgoing.ask is not None))
        return Sent(ref=event_id)

    async def _hand_over(self, place: Place, outgoing: Outgoing) -> str:
        """The event's id. Where the room refuses, it is entered again, once."""
        try:
            return await self._put(place, outgoing)
        except Refused as error:
            if error.code != "M_FORBIDDEN":
                raise
        return await self._put(await self._rooms.again(place, outgoing.to), outgoing)

    async def _put(self, place: Place, outgoing: Outgoing) -> str:
        path = ("rooms", place.room, "send", "m.room.message", events.transaction(outgoing))
        return (await self._api.put(_EventId, *path, body=events.content(outgoing, place.person))).event_id

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        """Looks for the delivery's mark among what we wrote in the room since the first attempt."""
        try:
            told = [await self._find(room, outgoing) for room in await self._rooms.known(outgoing.to)]
        except Nowhere as nowhere:
            return nowhere.dead
        except FAILED:
            return None
        if sent := next((answer for answer in told if isinstance(answer, Sent)), None):
            return sent
        return None if None in told else Retry(reason="Matrix: it is in none of our rooms with them")

    async def _find(self, room: str, outgoing: Outgoing) -> Answer | None:
        """Retry where it is surely not there, None where it cannot be told."""
        earliest = self._earliest(outgoing)
        only = {"senders": [await self._rooms.me()], "types": ["m.room.message"]}
        query = {"dir": "b", "limit": str(_PAGE), "filter": msgspec.json.encode(only).decode()}
        absent = Retry(reason="Matrix: not in the room")
        for _ in range(_PAGES_MAX):
            try:
                page = await self._api.get(_Page, "rooms", room, "messages", query=query)
            except Refused as error:
                if error.status == 403:  # the account is not there (any more)
                    return None
                raise
            for found in map(events.event, page.chunk):
                mark = events.mark(found) if found is not None else None
                if found is None or mark is None:
                    continue
                if (mark.order, mark.index) == (outgoing.order, outgoing.index):
                    return Sent(ref=found.event_id)
                if found.origin_server_ts / 1000 < earliest.timestamp():
                    return absent
            if not page.end:
                return absent
            query["from"] = page.end
        return None

    def _earliest(self, outgoing: Outgoing) -> datetime:
        """Hub time may be another date (a playback), so the window is counted back from now on both clocks."""
        assert self._intake is not None
        age = max(self._intake.now() - outgoing.since, timedelta()) if outgoing.since else timedelta(days=1)
        return datetime.now(UTC) - age - _SKEW

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        """What was read cannot be taken back; that it is over is said in a message of its own."""

    def routes(self, intake: Intake) -> Sequence[Route]:
        return []


def _unsent(error: Exception) -> Answer:
    """The outcome where the room was not even found: the message itself was surely not taken."""
    answer = meaning(error)
    if answer is None:
        raise error
    return replace(answer, doubt=False) if isinstance(answer, Retry) else answer
