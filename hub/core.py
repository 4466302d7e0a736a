"""The hub's core, wherever it runs (a real night, a drill, the simulation): journal → engine → journal → dispatch.

What differs is handed in: the journal, the clock, the way to call a channel.
"""

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
import structlog
import trio

from hub.clock import Clock
from hub.connector import Channel
from hub.decider import Decider
from hub.dispatch.dispatch import Dispatch
from hub.dispatch.orders import Pending
from hub.dispatch.policy import Limits
from hub.dispatch.prepare import Enclose
from hub.dispatch.render import Texts
from hub.dispatch.route import Routes
from hub.dispatch.settle import Caller
from hub.engine.channels import FAILING
from hub.engine.engine import Engine
from hub.engine.fold import fold_decision
from hub.engine.state import State
from hub.journal import Journal, JournalError, Snapshot
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.message import Lane
from hub.rules import InForce

log = structlog.get_logger(__name__)

LISTEN_S = 3.0  # coming back: how long replies and receipts are listened for before anybody is called
SNAPSHOT_EVERY_S = 60.0
SNAPSHOT_EVERY = 5_000  # decisions
PAGE = 2_000  # decisions read at a time when coming back

_encode_state = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(State).decode


class Making(Protocol):
    """Makes ids for one writer; each part of the hub has its own maker."""

    def __call__(self) -> Ids: ...


async def restore(journal: Journal) -> State:
    """The state as the journal has it: the newest snapshot that can be read, and the decisions since."""
    state = State()
    snapshot = await journal.load_snapshot()
    if snapshot is not None:
        try:
            state = _decode_state(snapshot.state)
        except msgspec.MsgspecError as error:
            # A snapshot only saves time: an older version's is left aside and everything folded again.
            log.warning("the snapshot is of another version: folding the journal from its beginning", error=str(error))
            state = State()
    while decisions := await journal.decisions(after=state.decision, limit=PAGE):
        for decision in decisions:
            fold_decision(state, decision)
        await trio.lowlevel.checkpoint()
    return state


class Core:
    """`engine.state` is the state, `dispatch` and `decider` run in `run()`. `snapshots`: whether the state is saved now
    and then, so that coming back takes less; what there is without is the same."""

    def __init__(
        self,
        *,
        journal: Journal,
        clock: Clock,
        state: State,
        rules: InForce,
        texts: Texts,
        channels: Mapping[str, Channel],
        call: Caller,
        limits: Mapping[str, Limits],
        make_ids: Making,
        chance: random.Random | random.SystemRandom,
        listen_s: float = LISTEN_S,
        routes: Routes | None = None,
        enclose: Enclose | None = None,
        snapshots: bool = True,
    ) -> None:
        self.journal = journal
        self.clock = clock
        self.engine = Engine(state, rules, make_ids())
        self.decider = Decider(self.engine, journal, clock)
        self.dispatch = Dispatch(
            journal=journal,
            call=call,
            channels=channels,
            directory=rules.directory,
            texts=texts,
            now=clock.now,
            ids=make_ids(),
            chance=chance,
            limits=limits,
            recall=self.decider.recent.get,
            routes=routes,
            failing={alarm.about for alarm in state.alarms.values() if alarm.what == FAILING},
            opted_out=lambda person: self.engine.state.opted_out.get(person, ()),
            enclose=enclose,
        )
        self.decider.ahead.append(self._prepare)
        self.decider.followers.append(self._follow)
        self._listen_s = listen_s
        self._saves = snapshots
        self._saved = state.decision
        self._listening = False
        self._after = ""
        self._caught_up = trio.Event()
        self._since = 0  # decisions since the last snapshot
        self._some = trio.Event()
        self._many = trio.Event()

    @property
    def state(self) -> State:
        return self.engine.state

    def enforce(self, rules: InForce, texts: Texts | None = None) -> None:
        """From here on these rules are in force: for what is decided, and for where what is still to go out goes; and
        these texts, where they are others."""
        self.engine.rules = rules
        self.dispatch.directory = rules.directory
        if texts is not None:
            self.dispatch.texts = texts

    def pending(self) -> list[Pending]:
        """Orders of which something is still to go out, or was under way when the hub went down."""
        return [
            Pending(
                ordered=order.event,
                open=tuple(i for i, s in enumerate(order.states) if s == 0),
                withdrawn="withdrawn" if order.withdrawn else "",
                held=order.held,
            )
            for order in self.state.orders.values()
            if not order.settled
        ]

    async def run(self, after: str = "", *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Decides and sends for ever. Ends only by cancellation or when another leader has taken over (Fenced).

        `after`: the newest fact at the start. What came before it (a receipt that was durable when the hub went down,
        but not yet decided on) counts before dispatch looks at what is still to go out.
        """
        async with trio.open_nursery() as nursery:
            coming_back = bool(self.state.decision)
            if coming_back:
                self._listening = True
                self.dispatch.pause("hub", "coming back: listening first")
                self.decider.listen_first(None)
            self._after = after
            nursery.start_soon(self.decider.run)
            await nursery.start(self.dispatch.run)
            if after:
                await self._caught_up.wait()
            await self.dispatch.recover(self.pending(), [order.event for order in self.state.orders.values()])
            if coming_back:
                self.decider.listen_first(self._listen_s)
                nursery.start_soon(self._stop_listening)
            if self._saves:
                nursery.start_soon(self._snapshots)
            task_status.started()

    async def _stop_listening(self) -> None:
        await trio.sleep(self._listen_s)
        self._listening = False
        if self.state.stopped is None:
            self.dispatch.resume()

    def _prepare(self, decision: r.Decision) -> None:
        """What is ordered gets its attempts while the decision is on its way, so that both share a commit."""
        for order in _ahead(decision):
            self.dispatch.submit(order)

    def _follow(self, decision: r.Decision) -> None:
        if self._after and self._after in decision.took:
            self._after = ""
            self._caught_up.set()
        self._since += 1
        self._some.set()
        if self._since >= SNAPSHOT_EVERY:
            self._many.set()
        prepared = {order.order for order in _ahead(decision)}
        for event in decision.events:
            match event:
                case e.Ordered() if event.order not in prepared:
                    self.dispatch.submit(event)
                case e.Delivered():
                    self.dispatch.heard(event.order, event.moves)
                case e.OrderWithdrawn():
                    self.dispatch.withdraw(event.order, event.why)
                case e.OrderHeld():
                    self.dispatch.hold(event.order)
                case e.OrderResumed():
                    self.dispatch.let_go(event.order)
                case e.Stopped():
                    self.dispatch.pause(event.by, event.why)
                case e.Lifted():
                    if not self._listening:
                        self.dispatch.resume()
                case _:
                    pass

    async def _snapshots(self) -> None:
        # Come back, one is made soon: a hub that goes down every half minute would otherwise fold more each time.
        pause_s = self._listen_s if self.state.decision else SNAPSHOT_EVERY_S
        while True:
            await self._some.wait()  # a quiet hub does not wake for nothing
            with trio.move_on_after(pause_s):
                await self._many.wait()
            pause_s = SNAPSHOT_EVERY_S
            self._some, self._many, self._since = trio.Event(), trio.Event(), 0
            await self.snapshot()

    async def snapshot(self) -> None:
        """Saves the state as it is, where it has changed since the last time and the journal has it all."""
        state = self.state
        if state.decision == self._saved or self.decider.settling:
            return
        snapshot = Snapshot(decision=state.decision, cursor=state.cursor, state=_encode_state(state))
        try:
            await self.journal.save_snapshot(snapshot)
            self._saved = snapshot.decision
        except JournalError as error:
            log.error("no snapshot could be saved; coming back will take longer", error=str(error))

    def waiting(self) -> dict[str, dict[Lane, int]]:
        return self.dispatch.waiting()


def _ahead(decision: r.Decision) -> list[e.Ordered]:
    """The orders that can be prepared before their decision is durable. Not one whose audience lies in the vault, which
    is written with the decision, and none where the same decision may take some of them back."""
    orders: list[e.Ordered] = []
    for event in decision.events:
        match event:
            case e.Ordered(audience=""):
                orders.append(event)
            case e.OrderWithdrawn() | e.Stopped():
                return []
    return orders


def health(core: Core, trouble: str | None) -> dict[str, Any]:
    """Whether the hub takes what it is sent, and why not."""
    return {
        "ready": trouble is None,
        "trouble": trouble,
        "now": core.clock.now(),
        "stopped": core.state.stopped is not None,
        "open_incidents": sum(not i.ended for i in core.state.incidents.values()),
        "open_asks": sum(not ask.outcome for ask in core.state.asks.values()),
        "alarms": dict(Counter(alarm.what for alarm in core.state.alarms.values())),
        "waiting": core.waiting(),
        "deadline": core.engine.next_deadline(),
        "decisions": core.decider.decided,
        "in_flight": core.dispatch.in_flight,
        "channels": {one["name"]: one["health"] for one in core.dispatch.channels()},
    }
