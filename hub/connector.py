"""What a source, a channel and a follower promise, and what the hub gives them.

A connector lives in asyncio (see hub/bridge.py): it is written as its library's own documentation shows, imports
`hub.model` and this module and nothing else of the hub, and is found by its entry point (`vigie.sources`,
`vigie.channels`, `vigie.followers` in pyproject.toml). Its configuration is a msgspec Struct, `Config`, in the same
file.

A source hands what it read to `Intake.offer` and may acknowledge outward (HTTP 2xx, a cursor, a Seen flag) only
once that returns. A channel is handed an `Outgoing` and answers delivered, retry (when) or dead (why); it never
retries itself: only hub/dispatch does. A follower is handed what happened in incidents, in order, and says how much of
it the other system has; what it has not is handed to it again (hub/followers).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from msgspec import Struct
from msgspec.structs import replace

from hub.model.message import Outcome, Verb
from hub.model.occurrences import IncidentEvent
from hub.model.people import Language
from hub.model.recording import Heard
from hub.model.signal import Signal, Status
from hub.model.trust import Credibility, Reliability

T = TypeVar("T")

# --- what comes in -----------------------------------------------------------------------------------------


class SignalItem(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """A signal as read. `key` makes it idempotent: the same key is recorded once (the sender's message id; for CAP
    sender + identifier + sent + content hash). `original` is what it was read from; several items of one offer may
    share one `original` object. Intake fills id, source, reliability, places and the vault key. `reliability`,
    `credibility`: where less is to be believed of it than of its source (one of many who speak by it)."""

    signal: Signal
    key: str
    original: bytes = b""
    media_type: str = ""
    baseline: bool = False  # part of a new source's backlog: acts only if still in force
    reliability: Reliability | None = None
    credibility: Credibility | None = None

    def believed(self, reliability: Reliability, credibility: Credibility) -> Signal:
        """The signal with the grade of its source, or less. Never better than its source: what a sheet may count on is
        what the operator has said of that."""
        return replace(
            self.signal,
            reliability=max(reliability, self.reliability or reliability),
            credibility=max(credibility, self.credibility or credibility),
        )


class ReplyItem(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Somebody's words or key press. `address` is where it came from (E.164 number, mail address, user id) and the
    directory says whose it is. `verb` is set where the channel knows the meaning (a keypad, a button); otherwise
    `text` is understood by the hub. `order`/`index` name the delivery answered where the channel knows it."""

    channel: str
    address: str
    key: str
    text: str = ""
    verb: Verb | None = None
    order: str = ""
    index: int = 0


class ReceiptItem(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """What the provider said later of a delivery (a status callback)."""

    order: str
    index: int
    outcome: Outcome
    key: str
    reason: str = ""
    ref: str = ""


class BadItem(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """What could not be read: kept as a dead letter. `reason` says what is wrong and what would be right, `place`
    where (line:column, element path, byte)."""

    reason: str
    original: bytes
    key: str
    place: str = ""
    media_type: str = ""


class ActItem(Struct, frozen=True, kw_only=True, gc=False):
    """An operator's act through the API: a fact body of hub.model.records, with what of it belongs in the vault (a
    signal, how somebody is changed, what a broadcast says); `about`: the person it is about."""

    body: Any
    key: str = ""
    sealed: Any = None
    about: str = ""


Item = SignalItem | ReplyItem | ReceiptItem | BadItem | ActItem


class Taken(Struct, frozen=True, array_like=True, gc=False):
    """What became of an item: the id of its fact, and whether the journal held it already."""

    fact: str
    repeated: bool = False


class Unavailable(Exception):
    """The hub cannot make anything durable now (disk full, shutting down): do not acknowledge; try again later."""


class Intake(Protocol):
    """What a source or channel is given to hand its items in (asyncio side)."""

    async def offer(self, items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        """Returns once all items, and the source's new cursor, are durable. Raises Unavailable."""
        ...

    async def cursor(self) -> str | None:
        """The cursor of this source as last made durable."""
        ...

    def now(self) -> datetime:
        """Hub time (a playback's own date). Never for signatures, tokens or sessions: those use real time."""
        ...

    async def health(self, health: str, reason: str = "") -> None:
        """`ok`, `failing` or `silent`: recorded when it changes, and shown in the room."""
        ...

    async def in_worker(self, fn: Callable[..., T], *args: Any, label: str) -> T:
        """Runs a module-level function in a worker process with limits on time and memory: for whatever is large
        and foreign. Raises WorkerLimit when it exceeds them."""
        ...


class WorkerLimit(Exception):
    """Foreign input needed more time or memory than it is given: a dead letter, never a retry."""


# --- web routes a connector needs --------------------------------------------------------------------------


class WebRequest(Struct, frozen=True, kw_only=True, gc=False):
    """A request as a connector sees it. `url` is the public address the sender used (behind a proxy too). Header
    names are lower case."""

    method: str
    url: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    match: Mapping[str, str] = {}


class WebResponse(Struct, frozen=True, kw_only=True, gc=False):
    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = {}


class Route(Struct, frozen=True, kw_only=True):
    """A path under the hub's web server, relative to the connector's own prefix (`/in/NAME` for a source,
    `/callback/NAME` for a channel). `max_bytes`: larger bodies are refused with 413 before they are read.
    `secret_fields`: of a form, those that prove who sends it; no recording keeps them."""

    method: str
    path: str
    handler: Callable[[WebRequest], Awaitable[WebResponse]]
    max_bytes: int = 1 << 20
    secret_fields: frozenset[str] = frozenset()
    summary: str = ""
    openapi: Mapping[str, Any] = {}


# --- recording ---------------------------------------------------------------------------------------------


class Tape(Protocol):
    """On which a source's raw input is recorded, where the operator wants that (docs/playback.md). From whatever
    thread; never waits, never raises."""

    @property
    def runs(self) -> bool:
        """Whether anything is recorded: what costs something need not be prepared where nothing is."""
        ...

    def heard(self, what: Heard) -> None: ...

    def lacks(self, what: str) -> bool:
        """Whether the recording has no whole answer of this address, or file of this name, yet: then "unchanged" would
        say nothing in it."""
        ...


class NoTape:
    """Nothing is recorded."""

    runs = False

    def heard(self, what: Heard) -> None:
        return

    def lacks(self, what: str) -> bool:
        return False


NO_TAPE = NoTape()

# --- sources -----------------------------------------------------------------------------------------------


class ReadError(Exception):
    """A file that cannot be read. `place`: line:column, element path or byte, as known."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason = reason
        self.place = place


class Environment(Struct, frozen=True, kw_only=True):
    """What every connector is made with besides its own config. `secret` reads a secret by name from the environment
    or the secrets folder (raises KeyError with the remedy). `public_url` is this connector's own web prefix as seen
    from outside. `hub`: what the hub is called. `allow_internal`: addresses a feed may lead to although internal
    (playback, tests). `tape`: where what comes in is recorded. `through`: the address of a playback that stands in for
    all web servers; "" for the world itself."""

    name: str
    secret: Callable[[str], str]
    public_url: str = ""
    hub: str = "vigie"
    user_agent: str = "Vigie"
    allow_internal: bool = False
    tape: Tape = NO_TAPE
    through: str = ""


@runtime_checkable
class Source(Protocol):
    """Something that is listened to. Made as `Source(config, environment)`. A form says besides, in a static method
    `fields(config)`, under which names its signals hold what was typed, so that sheets can name them."""

    Config: ClassVar[type[Struct]]

    async def run(self, intake: Intake) -> None:
        """Listens until cancelled. Its own errors it survives (backing off, reporting health); what it raises is a
        fault, is shown, and it is started again after a pause."""
        ...

    def routes(self, intake: Intake) -> Sequence[Route]:
        """Web routes it needs; none for most."""
        ...

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence["SignalItem | BadItem"]:
        """What it makes of a file's bytes (`vigie read`): pure, never raises for bad content. `config`: of the source
        whose file it is, where that is known."""
        ...


# --- channels ----------------------------------------------------------------------------------------------


class Abilities(Struct, frozen=True, kw_only=True):
    """What a channel can do, as data: the hub plans by it and refuses before calling.

    `longest`: characters of text it carries (None: no limit). `idempotent`: repeating an attempt with the same id
    cannot arrive twice. `settles`: it can be asked what became of an attempt. `receipts`: the provider says later
    whether it arrived. `answers`: people can answer on it. `words`: with words of theirs, so that an ask tells its code
    (else by buttons). `voice`: speaks the text. `recalls`: what was handed over can still be taken back (a ringing
    call). `attachments`: it carries files. `numbers`: its addresses are phone numbers; `segments`: its texts are SMS,
    counted in parts. `shared`: one provider stands behind all addresses, so that what fails with many speaks against
    it; not where every address is a server of its own."""

    answers: bool = False
    words: bool = True
    voice: bool = False
    longest: int | None = None
    idempotent: bool = False
    settles: bool = False
    receipts: bool = False
    recalls: bool = False
    attachments: bool = False
    numbers: bool = False
    segments: bool = False
    shared: bool = True


class AskDetails(Struct, frozen=True, kw_only=True, gc=False):
    """What an ask adds to a message: the code to answer with, how long there is, whether several sheets call."""

    code: str
    answer_s: float


class Attachment(Struct, frozen=True, kw_only=True, gc=False):
    """A file that goes along. `name`: ASCII, with its ending. `shown`: it is the message itself as a web page, for a
    channel that shows pages; as a file elsewhere."""

    name: str
    media_type: str
    content: bytes
    shown: bool = False


class Outgoing(Struct, frozen=True, kw_only=True, gc=False):
    """One message to one person, ready to be handed over. (order, index) is the delivery; `attempt` the attempt's
    id. `repeat`: an earlier attempt may have arrived (the text says so already). For `settle`: `since`, when the
    first attempt was made, and `others`, provider's ids that are known to be of other deliveries. `attachments`: only
    where the channel carries them."""

    order: str
    index: int
    attempt: str
    nth: int
    repeat: bool
    to: str
    language: Language
    subject: str
    text: str
    voice: str
    status: Status
    ask: AskDetails | None = None
    since: datetime | None = None
    others: frozenset[str] = frozenset()
    attachments: tuple[Attachment, ...] = ()


class Sent(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """The channel has taken it (`final`: it has arrived, no receipt will follow). `ref`: the provider's id."""

    ref: str = ""
    final: bool = False


class Retry(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Not taken now; try again, not before `after_s` where the provider said so. `doubt`: it may have been taken
    (the answer was lost): settle before trying again. `address`: it is this address that does not answer now (switched
    off, mailbox full): says nothing against the provider."""

    reason: str
    after_s: float | None = None
    doubt: bool = False
    address: bool = False


class Dead(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Will never arrive this way (number unknown, blocked, opted out): the next channel is to be used.
    `bad_address`: the address itself is wrong and should be corrected. `alarm`: the whole channel is broken (wrong
    credentials, no credit): its fall-back is to be used, and the room told. `elsewhere`: this provider does not serve
    the address; another may. `heard`: somebody may have heard it all the same (an answering machine took the call):
    they count as reached."""

    reason: str
    bad_address: bool = False
    alarm: bool = False
    heard: bool = False
    elsewhere: bool = False


Answer = Sent | Retry | Dead


@runtime_checkable
class Channel(Protocol):
    """A way to reach people. Made as `Channel(config, environment)`; open for the hub's life."""

    Config: ClassVar[type[Struct]]

    @property
    def abilities(self) -> Abilities:
        """What it can do as it is configured; an attribute of the class where that does not depend on it."""
        ...

    async def open(self, intake: Intake) -> None:
        """Makes its sessions. Must not fail for an unreachable provider."""
        ...

    async def close(self) -> None: ...

    async def send(self, outgoing: Outgoing) -> Answer:
        """Hands one message over. Does not raise for what the outside does: every outcome is an Answer."""
        ...

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        """What became of an attempt in doubt: Sent when it was taken, Dead when it was and has failed since, Retry
        when it surely was not taken, None when it cannot be told."""
        ...

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        """Takes back what was handed over, where `abilities.recalls` (hangs a ringing call up)."""
        ...

    def routes(self, intake: Intake) -> Sequence[Route]:
        """Web routes for status callbacks and replies."""
        ...

    def check(self, address: str) -> str:
        """Why an address cannot work on this channel and what would; `""` when it can. Pure."""
        ...


# --- followers ---------------------------------------------------------------------------------------------


class Followed(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """What became of a batch: so many of its events, from the first, are with the other system for good (`taken`).
    Where these are not all, the rest is handed over again: at once where there is no `reason`, else after a pause, and
    not before `after_s` where the other side said so. `reason`: a short English sentence without personal data; it is
    shown in the room when it lasts."""

    taken: int
    reason: str = ""
    after_s: float | None = None


@runtime_checkable
class Follower(Protocol):
    """Another system that is told what happens in incidents. Made as `Follower(config, environment)`; open for the
    hub's life, or until its configuration is changed.

    Each event comes at least once and in its order; a repeat (after a crash, or an answer that was lost) has the id it
    had before. `follow` is called by one task at a time. It keeps nothing: what it has not answered for comes again."""

    Config: ClassVar[type[Struct]]

    async def open(self) -> None:
        """Makes its sessions. Must not fail for a system that cannot be reached."""
        ...

    async def close(self) -> None: ...

    async def follow(self, events: Sequence[IncidentEvent]) -> Followed:
        """Hands events over, in order. Returns once the other side has them durably, or when it does not take one. May
        take HAND_OVER_S (hub/followers): what takes longer is broken off and repeated. Should not raise for what the
        outside does; what it raises is a fault, and tried again too."""
        ...
