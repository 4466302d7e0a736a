"""What passes between the hub and its edge: messages in JSON, many to a frame, over a pair of sockets.

What is posted in one turn of a loop goes over in few frames, and whatever has arrived is read in one go. JSON,
because times keep the offset they were sent with, and neither side has to trust the other with its memory.
"""

import socket
from collections.abc import AsyncIterator, Sequence
from struct import Struct as Layout
from typing import Any, Generic, Literal, TypeVar, cast

import msgspec
import trio
from msgspec import Struct
from msgspec.structs import replace

from hub.connector import BadItem, Dead, Outgoing, ReceiptItem, ReplyItem, Retry, Sent, SignalItem, Taken
from hub.intake.port import Offered
from hub.model.records import SourceChanged

_SIZE = Layout("!I")
_READ_BYTES = 1 << 18
MANY = 8  # posted messages that do not wait for the end of the turn

M = TypeVar("M")


# --- to the edge -------------------------------------------------------------------------------------------


class Call(Struct, frozen=True, tag=True, gc=False):
    """Asks a channel for something; `Said` answers."""

    n: int
    connector: str
    method: Literal["send", "settle", "recall"]
    outgoing: Outgoing
    ref: str
    deadline_s: float | None


class Cancel(Struct, frozen=True, tag=True, gc=False):
    """The answer is not wanted any more."""

    n: int


class Kept(Struct, frozen=True, tag=True, gc=False):
    """An offer is durable; or, where `refused`, the hub cannot keep it now."""

    n: int
    taken: Sequence[Taken] = ()
    cursor: str | None = None
    refused: str = ""


class Answer(Struct, frozen=True, tag=True, gc=False):
    """To a question: what `value` holds in JSON; or it is refused (`missing`: there is no such thing), or cannot be
    answered now."""

    n: int
    value: msgspec.Raw = msgspec.Raw(b"null")
    refused: str = ""
    missing: bool = False
    unavailable: str = ""


class Listen(Struct, frozen=True, tag=True):
    """Sources may begin."""


class Finish(Struct, frozen=True, tag=True):
    """Sources and the web stop; `Finished` answers when nothing more comes in."""


class Close(Struct, frozen=True, tag=True):
    """Channels close; the edge ends."""


class Step(Struct, frozen=True, tag=True):
    """Hub time jumps."""

    by_s: float


class Ping(Struct, frozen=True, tag=True):
    """`Pong` answers."""


# --- to the hub --------------------------------------------------------------------------------------------


class Ready(Struct, frozen=True, tag=True):
    """Channels are open and the web listens."""

    port: int


class Failed(Struct, frozen=True, tag=True):
    """It cannot be set up; the edge ends."""

    why: str


class Said(Struct, frozen=True, tag=True, gc=False):
    """What came of a call; `error` where it broke off, `late` where that was its deadline."""

    n: int
    answer: Sent | Retry | Dead | None = None
    error: str = ""
    late: bool = False


class Offer(Struct, frozen=True, tag=True, gc=False):
    """A connector's offer; `Kept` answers. What several items were read from crosses once: `original_of` names it for
    each of them (-1: it has one of its own, or none)."""

    n: int
    connector: str
    items: Sequence[SignalItem | ReplyItem | ReceiptItem | BadItem]
    cursor: str | None
    health: SourceChanged | None
    asks_cursor: bool
    originals: Sequence[bytes] = ()
    original_of: Sequence[int] = ()


class Question(Struct, frozen=True, tag=True, gc=False):
    """The web asks about the picture or for an act; `Answer` answers."""

    n: int
    verb: str
    words: Sequence[Any]


class Finished(Struct, frozen=True, tag=True):
    """Nothing more comes in."""


class Pong(Struct, frozen=True, tag=True):
    """It turns."""


class Unread(Struct, frozen=True):
    """In the place of a message that could not be read: what it was, and its number."""

    type: str
    n: int = 0
    why: str = ""


ToEdge = Call | Cancel | Kept | Answer | Listen | Finish | Close | Step | Ping
ToHub = Ready | Failed | Said | Offer | Question | Finished | Pong


def offer_of(n: int, connector: str, offered: Offered) -> Offer:
    """An offer as it crosses."""
    items: Sequence[Any] = offered.items
    originals: list[bytes] = []
    original_of: list[int] = []
    if len(items) > 1:
        places: dict[int, int] = {}
        bare: list[Any] = []
        for item in items:
            data = getattr(item, "original", b"")
            if data:
                place = places.setdefault(id(data), len(originals))
                if place == len(originals):
                    originals.append(data)
                original_of.append(place)
                bare.append(replace(item, original=b""))
            else:
                original_of.append(-1)
                bare.append(item)
        items = bare
    return Offer(n, connector, items, offered.cursor, offered.health, offered.asks_cursor, originals, original_of)


def offered_of(offer: Offer) -> Offered:
    """The offer as it was made: items read from one original share it again."""
    items: Sequence[Any] = offer.items
    if offer.originals:
        items = [
            item if place < 0 else replace(item, original=offer.originals[place])
            for item, place in zip(items, offer.original_of, strict=True)
        ]
    return Offered(items, offer.cursor, offer.health, offer.asks_cursor)


# --- frames ------------------------------------------------------------------------------------------------


encode = msgspec.json.Encoder().encode
"""A message as it goes into a frame. Each is encoded when it is posted, so that one that cannot be (half a surrogate
pair in somebody's words, say) fails whoever posts it and no other."""


def framed(messages: Sequence[bytes]) -> bytes:
    """A frame: its length and a JSON array of messages."""
    array = b"[" + b",".join(messages) + b"]"
    return _SIZE.pack(len(array)) + array


_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_unread = msgspec.json.Decoder(Unread).decode


class Frames(Generic[M]):
    """Puts frames together from what arrives. `kind`: the union of messages in them."""

    def __init__(self, kind: Any) -> None:
        self._decode = msgspec.json.Decoder(list[kind]).decode
        self._decode_one = msgspec.json.Decoder(kind).decode
        self._buffer = bytearray()

    def whole(self, data: bytes) -> list[M | Unread]:
        """The messages of the frames that are whole with `data`."""
        buffer = self._buffer
        buffer += data
        messages: list[M | Unread] = []
        at = 0
        while len(buffer) - at >= _SIZE.size:
            (size,) = _SIZE.unpack_from(buffer, at)
            end = at + _SIZE.size + size
            if len(buffer) < end:
                break
            messages += self._read(bytes(buffer[at + _SIZE.size : end]))
            at = end
        del buffer[:at]
        return messages

    def _read(self, frame: bytes) -> list[M | Unread]:
        try:
            return self._decode(frame)
        except msgspec.ValidationError:
            return [self._read_one(raw) for raw in _raws(frame)]

    def _read_one(self, raw: msgspec.Raw) -> M | Unread:
        """One message; where it is not what its type promises (a number that is none, say), that it was unread."""
        try:
            return cast(M, self._decode_one(raw))
        except msgspec.ValidationError as error:
            return replace(_unread(raw), why=str(error))


class Link(Generic[M]):
    """A trio end. `kind`: the union of messages that arrive here."""

    def __init__(self, end: socket.socket, kind: Any) -> None:
        end.setblocking(False)
        self._end = end
        self._trio_end = trio.socket.from_stdlib_socket(end)
        self._frames: Frames[M] = Frames(kind)
        self._outbox: list[bytes] = []
        self._some = trio.Event()
        self._rest = memoryview(b"")  # of a frame that the socket would not take at once

    def post(self, message: Any) -> None:
        """It goes over at the end of this turn, or as soon as there are `MANY`."""
        self._outbox.append(encode(message))
        if len(self._outbox) >= MANY:
            self.push()
        else:
            self._some.set()

    def push(self) -> None:
        """What is posted goes over now: the other side can begin while this one works on."""
        while True:
            if not self._rest:
                if not self._outbox:
                    return
                outbox, self._outbox = self._outbox, []
                self._rest = memoryview(framed(outbox))
            try:
                self._rest = self._rest[self._end.send(self._rest) :]
            except BlockingIOError:
                self._some.set()
                return
            except OSError:  # it is gone: whoever receives finds out
                return

    async def send(self) -> None:
        """Sends what is posted, for ever."""
        while True:
            await self._some.wait()
            self._some = trio.Event()
            self.push()
            if self._rest:
                await trio.lowlevel.wait_writable(self._end)

    async def received(self) -> AsyncIterator[list[M | Unread]]:
        """The messages, as many at a time as have arrived, until the other side is gone."""
        while True:
            try:
                data = await self._trio_end.recv(_READ_BYTES)
            except OSError:
                return
            if not data:
                return
            if messages := self._frames.whole(data):
                yield messages

    def close(self) -> None:
        self._trio_end.close()
