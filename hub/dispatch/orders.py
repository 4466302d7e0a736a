"""What dispatch keeps of an order while some of its deliveries have not ended, and of calls it may still hang up."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from hub.connector import Attachment, Outgoing
from hub.dispatch.render import Rendered
from hub.model.events import Ordered
from hub.model.message import Message
from hub.model.people import Language
from hub.model.signal import Signal

HANDED_MAX = 1000  # hand-overs remembered in case they are withdrawn
GAP_MAX = 4  # indexes of an audience that are not meant are skipped over rather than splitting a chunk


Enclosed = tuple[tuple[tuple[str, str], ...], tuple[Attachment, ...]]
"""What fills the texts of a message that encloses a document, and the files that go along."""


class Pending(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that was under way when the hub went down. `open`: the indexes of which nothing but retries was ever
    heard; None for all. `withdrawn`: why it is not wanted any more; `held`: it waits."""

    ordered: Ordered
    open: tuple[int, ...] | None = None
    withdrawn: str = ""
    held: bool = False


@dataclass(eq=False, slots=True)
class Order:
    """`meant`: the indexes that are to go out, None for all of `size`. `left`: how many have not ended. `kept`: vault
    keys of the rendered texts, by provider and whether they are marked as repeats. `heard`: the indexes of which the
    journal knows what became; what still waits of them is not sent (again). `waits`: it is written down that no
    provider works for it. `enclosed`: by language, what fills the texts, and the files that go along; `documents`: the
    vault keys of those files."""

    ordered: Ordered
    size: int
    meant: frozenset[int] | None
    left: int
    withdrawn: str = ""
    people: Sequence[str] | None = None
    signal: Signal | None = None
    signal_read: bool = False
    words: Message | None = None  # where it has words of its own
    rendered: dict[tuple[str, Language, bool], Rendered] = field(default_factory=dict)
    kept: dict[tuple[str, bool], str] = field(default_factory=dict)
    heard: set[int] = field(default_factory=set)
    waits: bool = False
    enclosed: dict[Language, Enclosed] = field(default_factory=dict)
    documents: dict[Language, tuple[str, ...]] = field(default_factory=dict)

    def gone(self) -> bool:
        """Whether it was withdrawn."""
        return bool(self.withdrawn)


def open_order(ordered: Ordered, only: Sequence[int] | None = None) -> Order:
    """An order with the deliveries that are to go out: `only`, else all it names."""
    size = ordered.size or len(ordered.recipients)
    meant: frozenset[int] | None = frozenset(ordered.only) if ordered.only else None
    if only is not None:
        meant = frozenset(only) if meant is None else meant & frozenset(only)
    left = size if meant is None else len(meant)
    return Order(ordered=ordered, size=size, meant=meant, left=left)


def spans(indexes: Sequence[int], gap: int = 1) -> Iterator[tuple[int, int]]:
    """Sorted indexes as ranges (start included, stop excluded), joined across gaps of less than `gap`."""
    if not indexes:
        return
    start = last = indexes[0]
    for index in indexes[1:]:
        if index - last > gap:
            yield start, last + 1
            start = index
        last = index
    yield start, last + 1


class Handed:
    """Deliveries a channel has taken and could still take back, the newest `HANDED_MAX`."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, list[tuple[Outgoing, str, str]]] = OrderedDict()

    def add(self, outgoing: Outgoing, channel: str, ref: str) -> None:
        """`ref`: the provider's id."""
        self._of.setdefault(outgoing.order, []).append((outgoing, channel, ref))
        if len(self._of) > HANDED_MAX:
            self._of.popitem(last=False)

    def pop(self, order: str) -> list[tuple[Outgoing, str, str]]:
        """What was handed over of an order, with its channel and the provider's id."""
        return self._of.pop(order, [])


@dataclass
class Counters:
    """Plain numbers since the start, for metrics and tests. Deliveries, not records."""

    tried: int = 0  # handed to a channel
    sent: int = 0
    delivered: int = 0  # sent, and known at once to have arrived
    failed: int = 0
    retried: int = 0  # not taken, to be tried again
    given_up: int = 0  # of those failed: after the last try
    withdrawn: int = 0
    recalled: int = 0
    in_doubt: int = 0  # whether it went out was not known
    settled: int = 0  # of those in doubt: the channel could say
    repeats: int = 0  # sent again although an earlier attempt may have arrived
    held: int = 0  # put off because the person had enough already
    moved: int = 0  # gone on to another provider of their channel
    journal_waits: int = 0
