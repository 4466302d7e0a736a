"""What passes between the hub and its edge: messages in JSON, many to a frame, over a pair of sockets.

What is posted in one turn of a loop goes over in few frames, and whatever has arrived is read in one go. JSON,
because times keep the offset they were sent with, and neither side has to trust the other with its memory. Large
originals cross as they are, behind the JSON: to read 10 MB of base64 out of it held the hub up for 45 ms.
"""

import socket
from collections.abc import AsyncIterator, Sequence
from struct import Struct as Layout
from typing import Any, Generic, Literal, TypeVar, cast

import msgspec
import trio
from msgspec import Struct
from msgspec.structs import replace

from hub.connector import BadItem, Dead, Followed, Outgoing, ReceiptItem, ReplyItem, Retry, Sent, SignalItem, Taken
from hub.intake.port import Offered
from hub.model.occurrences import IncidentEvent
from hub.model.records import SourceChanged

_SIZES = Layout("!II")  # of a frame's JSON, and of what follows it raw
_READ_BYTES = 1 << 18
_LARGE_BYTES = 1 << 14  # an original from here on crosses raw
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


class Follow(Struct, frozen=True, tag=True, gc=False):
    """Hands a follower events; `Said` answers."""

    n: int
    connector: str
    events: Sequence[IncidentEvent]
    deadline_s: float | None


class Plug(Struct, frozen=True, tag=True, gc=False):
    """A follower is made (again) from its configuration, or is no more (`made` empty); `Said` answers. `made`: a
    `hub.edge.setup.Made`, pickled as the whole setup is."""

    n: int
    connector: str
    made: bytes


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
    """To a question: what `value` holds in JSON; or it is refused (`missing`: there is no such thing; `conflict`: it
    was changed meanwhile), or cannot be answered now."""

    n: int
    value: msgspec.Raw = msgspec.Raw(b"null")
    refused: str = ""
    missing: bool = False
    conflict: bool = False
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
    answer: Sent | Retry | Dead | Followed | None = None
    error: str = ""
    late: bool = False


class Offer(Struct, frozen=True, tag=True, gc=False):
    """A connector's offer; `Kept` answers. What several items were read from, and what is large, crosses once and raw:
    `original_of` names it for each of them (-1: it has its own, or none). `originals` stand behind the JSON of the
    frame, which has this one message, `sizes` in it."""

    n: int
    connector: str
    items: Sequence[SignalItem | ReplyItem | ReceiptItem | BadItem]
    cursor: str | None
    health: SourceChanged | None
    asks_cursor: bool
    original_of: Sequence[int] = ()
    sizes: Sequence[int] = ()
    originals: Sequence[bytes] = ()


class Question(Struct, frozen=True, tag=True, gc=False):
    """The web asks about the picture or for an act; `Answer` answers."""

    n: int
    verb: str
    words: Sequence[Any]


class Finished(Struct, frozen=True, tag=True):
    """Nothing more comes in."""


class Pong(Struct, frozen=True, tag=True):
    """It turns. `gap`: why the recording lacks something, where it does."""

    gap: str = ""


class Unread(Struct, frozen=True):
    """In the place of a message that could not be read: what it was, and its number."""

    type: str
    n: int = 0
    why: str = ""


ToEdge = Call | Follow | Plug | Cancel | Kept | Answer | Listen | Finish | Close | Step | Ping
ToHub = Ready | Failed | Said | Offer | Question | Finished | Pong


def offer_of(n: int, connector: str, offered: Offered) -> Offer:
    """An offer as it crosses."""
    items: Sequence[Any] = offered.items
    originals: list[bytes] = []
    original_of: list[int] = []
    if len(items) > 1 or any(len(getattr(item, "original", b"")) >= _LARGE_BYTES for item in items):
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
    return Offer(
        n,
        connector,
        items,
        offered.cursor,
        offered.health,
        offered.asks_cursor,
        original_of=original_of,
        originals=originals,
    )


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
    """A frame: its sizes and a JSON array of messages."""
    array = b"[" + b",".join(messages) + b"]"
    return _SIZES.pack(len(array), 0) + array


def framed_raw(offer: Offer) -> list[bytes]:
    """A frame, in parts, of one offer and its originals."""
    originals = offer.originals
    sizes = [len(original) for original in originals]
    array = b"[" + encode(replace(offer, sizes=sizes, originals=())) + b"]"
    return [_SIZES.pack(len(array), sum(sizes)) + array, *originals]


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
        while len(buffer) - at >= _SIZES.size:
            size, raw_size = _SIZES.unpack_from(buffer, at)
            start = at + _SIZES.size
            end = start + size + raw_size
            if len(buffer) < end:
                break
            read = self._read(bytes(buffer[start : start + size]))
            if raw_size:
                with memoryview(buffer) as view, view[start + size : end] as raw:
                    read = [_with_originals(message, raw) for message in read]
            messages += read
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


def _with_originals(message: Any, raw: memoryview) -> Any:
    """An offer with what stood behind it; one that could not be read as it is."""
    if not isinstance(message, Offer):
        return message
    originals: list[bytes] = []
    at = 0
    for size in message.sizes:
        originals.append(bytes(raw[at : at + size]))
        at += size
    return replace(message, originals=originals)


class Link(Generic[M], trio.abc.Instrument):
    """A trio end, made in the loop that is to have it. `kind`: the union of messages that arrive here."""

    def __init__(self, end: socket.socket, kind: Any) -> None:
        end.setblocking(False)
        self._end = end
        self._trio_end = trio.socket.from_stdlib_socket(end)
        self._frames: Frames[M] = Frames(kind)
        self._outbox: list[bytes] = []
        self._rest = memoryview(b"")  # of a frame that the socket would not take at once
        self._full = trio.Event()  # it would not
        trio.lowlevel.add_instrument(self)

    def post(self, message: Any) -> None:
        """It goes over at the end of this turn, or as soon as there are `MANY`."""
        self._outbox.append(encode(message))
        if len(self._outbox) >= MANY:
            self.push()

    def before_io_wait(self, timeout: float) -> None:
        """Called by trio at the end of a turn: no task has to be woken for what was posted in it."""
        if self._outbox:
            self.push()

    def push(self) -> None:
        """What is posted goes over now: the other side can begin while this one works on."""
        if self._full.is_set():
            return
        while True:
            if not self._rest:
                if not self._outbox:
                    return
                outbox, self._outbox = self._outbox, []
                self._rest = memoryview(framed(outbox))
            try:
                self._rest = self._rest[self._end.send(self._rest) :]
            except BlockingIOError:
                self._full.set()
                return
            except OSError:  # it is gone: whoever receives finds out
                return

    async def send(self) -> None:
        """Sends what a full socket would not take, for ever."""
        while True:
            await self._full.wait()
            await trio.lowlevel.wait_writable(self._end)
            self._full = trio.Event()
            self.push()

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
        trio.lowlevel.remove_instrument(self)
        self._trio_end.close()
