"""What the auditor has seen of the journal: the state, folded anew from the records, and when things last moved.

Pure. It holds what is open, nothing of what is over, so that it stays small beside a journal of any length.
"""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from hub.engine.fold import fold_decision
from hub.engine.state import Order, State
from hub.model import events as e
from hub.model import records as r
from hub.model.message import Outcome


class Sign(Struct):
    """When something was last heard of an order that waits (hub time). `retrying`: dispatch has been told to come
    again later, so that waiting is what it should do."""

    at: datetime
    retrying: bool = False


class Open(Struct, frozen=True):
    """An attempt without an outcome."""

    order: str
    start: int
    stop: int
    at: datetime


class Sight:
    """`take` is given every decision and attempt, and the facts of `FACTS`, in the journal's order.

    `started_at`: when a hub last came up. `moved`: when dispatch last did anything at all. `late`: deadlines that were
    due already when they were set, and when that was. `untaken`: the oldest fact that no decision's cursor has passed
    (set by the reader). `began`: when the auditor began to look. `jumped_at`: when hub time last jumped.
    """

    FACTS = frozenset({"started", "clock", "receipts"})

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.started_at: datetime | None = None
        self.began: datetime | None = None
        self.jumped_at: datetime | None = None
        self.playback = False
        self.lifted_at: datetime | None = None
        self.moved: datetime | None = None
        self.waiting = {o.event.order: Sign(o.at) for o in self.state.orders.values() if waits(o)}
        self.open: dict[str, Open] = {}
        self.late: dict[str, datetime] = {}
        self.untaken: r.Fact | None = None
        self.clock = HubTime(self.state.at)
        self._jumped = False

    def take(self, record: r.Record) -> None:
        """The next record."""
        match record:
            case r.Decision():
                self.clock.heard(record.at)
                if self._jumped:  # what is due by the jump fires from here on
                    self._jumped, self.jumped_at = False, record.at
                self._decision(record)
            case r.Attempt():
                self._attempt(record)
            case r.Fact(body=r.ReceiptsReceived() as body):
                self._receipts(body, record.at)
            case r.Fact(body=r.HubStarted() as body):
                self._start(record.at, body.playback)
            case r.Fact(body=r.ClockStepped() as body):
                self._jump(timedelta(seconds=body.by_s))
            case _:
                pass

    def _start(self, at: datetime, playback: bool) -> None:
        """A hub came up, perhaps (a playback) at an earlier hub time: what was before counts from here."""
        self.clock.heard(at)
        self.started_at, self.playback, self._jumped = at, playback, False
        self.began = self.jumped_at = self.lifted_at = self.moved = None
        for sign in self.waiting.values():
            sign.at = at
        self.open = {name: replace(known, at=at) for name, known in self.open.items()}
        self.late.clear()

    def _jump(self, by: timedelta) -> None:
        """Hub time jumped: how long something has stood still is told as if it always had been the new time."""
        self._jumped = True
        self.started_at, self.began, self.jumped_at, self.lifted_at, self.moved = (
            at and at + by for at in (self.started_at, self.began, self.jumped_at, self.lifted_at, self.moved)
        )
        for sign in self.waiting.values():
            sign.at += by
        self.open = {name: replace(known, at=known.at + by) for name, known in self.open.items()}
        self.late = {name: at + by for name, at in self.late.items()}

    def _decision(self, decision: r.Decision) -> None:
        fold_decision(self.state, decision)
        for name in decision.fired:
            self.late.pop(name, None)
        for event in decision.events:
            match event:
                case e.DeadlineSet():
                    self.late.pop(event.deadline, None)
                    if event.at < decision.at:
                        self.late[event.deadline] = decision.at
                case e.DeadlineDropped():
                    self.late.pop(event.deadline, None)
                case e.Ordered():
                    self.waiting[event.order] = Sign(decision.at)
                    self._settle(event.order)
                case e.OrderWithdrawn() | e.Delivered():
                    self._settle(event.order)
                case e.Forgotten():
                    self._sweep()
                case e.Lifted():
                    self.lifted_at = decision.at
                case _:
                    pass

    def _attempt(self, attempt: r.Attempt) -> None:
        self.moved = attempt.at
        for name, known in list(self.open.items()):
            if known.order == attempt.order and known.start < attempt.stop and attempt.start < known.stop:
                del self.open[name]  # tried again: the new one is waited for
        if attempt.order in self.waiting:
            self.waiting[attempt.order] = Sign(attempt.at)
            self.open[attempt.id] = Open(attempt.order, attempt.start, attempt.stop, attempt.at)

    def _receipts(self, body: r.ReceiptsReceived, at: datetime) -> None:
        self.moved = at
        self.open.pop(body.attempt, None)
        for receipt in body.receipts:
            if receipt.order in self.waiting:
                self.waiting[receipt.order] = Sign(at, receipt.outcome is Outcome.RETRY)

    def _settle(self, order_id: str) -> None:
        order = self.state.orders.get(order_id)
        if order is None or not waits(order):
            self.waiting.pop(order_id, None)
            for name in [n for n, known in self.open.items() if known.order == order_id]:
                del self.open[name]

    def _sweep(self) -> None:
        for order_id in [o for o in self.waiting if o not in self.state.orders]:
            self._settle(order_id)


def waits(order: Order) -> bool:
    """Whether of some delivery of the order nothing has been heard yet, and something should be."""
    if order.withdrawn:
        return False
    if order.event.only:
        return any(not order.states[i] for i in order.event.only)
    return 0 in order.states


class HubTime:
    """Hub time as the records tell it: the newest decision's instant, and what a steady clock has counted since that
    was read. The hub's own time is made of the same (an origin and a steady clock), so a playback's date, a step of
    the wall clock and a suspended machine need no special case. It is behind by a look and a commit, never ahead."""

    def __init__(self, at: datetime | None = None) -> None:
        self._heard = at
        self._at: datetime | None = None
        self._read_s = 0.0

    def heard(self, at: datetime) -> None:
        """A decision (or a start) of that instant was read."""
        self._heard = at

    def settle(self, steady_s: float) -> None:
        """What was heard so far was read when the steady clock showed `steady_s`."""
        if self._heard is not None:
            self._at, self._read_s, self._heard = self._heard, steady_s, None

    def now(self, steady_s: float) -> datetime | None:
        """Hub time when the steady clock shows `steady_s`; None before anything was heard."""
        return None if self._at is None else self._at + timedelta(seconds=steady_s - self._read_s)
