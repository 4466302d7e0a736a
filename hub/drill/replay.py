"""What was recorded, under other sheets: the facts in their order, deadlines as time passes, one engine. Pure.

It drives the engine alone, so the outside is assumed, and `ASSUMED` says how: each line stands on what is shown of a
replay. What officers did is given to the replayed hub where it has the same thing open: their acts on an incident, a
chain or a task of then are carried over to the one that stands for it.
"""

import heapq
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from hub.drill.calls import Calls, Incident
from hub.engine.engine import Decided, Engine
from hub.engine.rules import Rules
from hub.engine.state import Ask, InForce, State
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.message import Outcome
from hub.model.signal import Signal
from hub.people.layers import CHANGES
from hub.playbook.language import Playbook


class Assumed(StrEnum):
    """What a replay takes for granted of the outside; in words: hub/drill/difference_words.py."""

    SENT = "sent"  # what is ordered has been sent at once: no channel fails, none is slow
    ANSWERS = "answers"  # who answered then answers here, for the same matter, as long after being first asked
    SILENCE = "silence"  # nobody else answers
    PEOPLE = "people"  # people, rosters and chains as the configuration has them now, with what was changed then
    PLACES = "places"  # where a signal applies is what was found when it came in
    ACTS = "acts"  # officers' acts on incidents, chains, tasks, silences and stop-all are repeated where they fit
    NOTHING_ELSE = "nothing-else"  # no broadcasts, handover notices or call lists


_KEPT = ("answer", "channel", "step", "repeat", "expiry", "forget", "task", "silence", "digest", "address")
_MAPPED = (r.IncidentClosed, r.ChainSteered, r.TaskTicked)
_AS_THEY_ARE = (
    r.SignalReceived,
    r.SignalGraded,
    r.SheetStarted,
    r.SilenceSet,
    r.SilenceLifted,
    r.StopAll,
    r.StopLifted,
)


class Counts(Struct, kw_only=True):
    """What a replay was fed. `erased`: signals whose words are gone. `not_given`: answers of then for which there was
    nothing open here; `not_done`: officers' acts likewise."""

    facts: int = 0
    signals: int = 0
    erased: int = 0
    answers: int = 0
    not_given: int = 0
    acts: int = 0
    not_done: int = 0


def beginning(state: State, sheets: Sequence[Playbook]) -> State:
    """A state to replay from, made of what was under way then (it is changed): these sheets are in force instead, and
    of deadlines only those of incidents stand."""
    state.deadlines = {name: at for name, at in state.deadlines.items() if name.split(" ")[0] in _KEPT}
    state.in_force = {name: known for name, known in state.in_force.items() if not name.startswith("playbook/")}
    state.in_force |= {f"playbook/{s.name}": InForce(version=s.version, mode=s.mode, fact="") for s in sheets}
    return state


class Replay:
    """One replay. `then`: all that happened, known beforehand; `replies`: the facts of the replies in it, by id;
    `relaid`: the rules once a recorded change of people or rosters counts. `calls`: what comes of it."""

    def __init__(
        self,
        state: State,
        rules: Rules,
        then: Calls,
        replies: Mapping[str, r.Fact],
        relaid: Callable[[r.Entry], Rules] | None = None,
    ) -> None:
        self.calls = Calls()
        self.calls.begin(state)
        self.counts = Counts()
        self._engine = Engine(state, rules, Ids(random.Random(0)))  # noqa: S311 # ids only have to differ
        self._then = then
        self._replies = replies
        self._relaid = relaid
        self._old_orders = frozenset(state.orders)
        self._at: datetime | None = None
        self._unsent: list[e.Ordered] = []
        self._answers = _answers(then, replies)
        self._given: set[str] = set()  # facts of replies
        self._to_come: list[tuple[datetime, str, str, str]] = []  # when, the reply's fact, person, incident

    def take(self, entry: r.Entry) -> None:
        """The next fact, in the journal's order."""
        fact, body = entry.record, entry.record.body
        at = max(fact.at, self._at or fact.at)
        self.pass_time(at)
        self.counts.facts += 1
        if isinstance(body, _AS_THEY_ARE):
            self._as_it_is(entry, at)
        elif isinstance(body, r.ReplyReceived):
            self._reply_at_its_own_time(fact, body, at)
        elif isinstance(body, r.ReceiptsReceived):
            self._old_receipts(fact, body, at)
        elif isinstance(body, _MAPPED):
            self._act(fact, body, at)
        elif isinstance(body, CHANGES) and self._relaid is not None:
            self._engine.rules = self._relaid(entry)

    def pass_time(self, until: datetime) -> None:
        """Deadlines and answers that fall due up to then, each at its own instant."""
        while True:
            deadline = self._engine.next_deadline()
            answer = self._to_come[0][0] if self._to_come else None
            first = min((at for at in (deadline, answer) if at is not None), default=None)
            if first is None or first > until:
                break
            at = self._at = max(first, self._at or first)
            if answer == first:  # who answers in the last moment has answered
                _, fact, person, incident = heapq.heappop(self._to_come)
                self._answer(self._replies[fact], person, incident, at)
            elif (due := self._engine.due(at)) is not None:
                self._follow(due)
        self._at = max(until, self._at or until)

    # --- facts as they are ---------------------------------------------------------------------------------

    def _as_it_is(self, entry: r.Entry, at: datetime) -> None:
        body = entry.record.body
        if isinstance(body, r.SignalReceived):
            self.counts.signals += 1
            self.counts.erased += not isinstance(entry.live, Signal)
        self._follow(self._engine.take((entry,), at))
        if isinstance(body, r.StopLifted):
            unsent, self._unsent = self._unsent, []
            self._sent(unsent, at)

    def _old_receipts(self, fact: r.Fact, body: r.ReceiptsReceived, at: datetime) -> None:
        """What channels said of orders of before: they went out, and it is known what became of them."""
        known = tuple(receipt for receipt in body.receipts if receipt.order in self._old_orders)
        if known:
            old = replace(fact, body=replace(body, receipts=known))
            self._follow(self._engine.take((r.Entry(old),), at))

    # --- the outside, as it is assumed ---------------------------------------------------------------------

    def _follow(self, decided: Decided) -> None:
        decision = decided.decision
        if not decision.events:
            return
        self.calls.add(decision)
        ordered = [event for event in decision.events if isinstance(event, e.Ordered)]
        for event in decision.events:
            if isinstance(event, e.Asked):
                self._expect_answers(event, decision.at)
        if ordered:
            self._sent(ordered, decision.at)

    def _sent(self, ordered: Sequence[e.Ordered], at: datetime) -> None:
        if self._engine.state.stopped is not None:
            self._unsent += ordered
            return
        gone = [order for order in ordered if not self._withdrawn(order.order)]
        receipts = [
            r.Receipt(order.order, index, Outcome.SENT)
            for order in gone
            for index in order.only or range(order.size or len(order.recipients))
        ]
        if receipts:
            body = r.ReceiptsReceived(channel="", receipts=tuple(receipts))
            self._follow(self._engine.take((r.Entry(r.Fact(id=f"sent {gone[0].order}", at=at, body=body)),), at))

    def _withdrawn(self, order: str) -> bool:
        known = self._engine.state.orders.get(order)
        return known is None or known.withdrawn

    def _expect_answers(self, asked: e.Asked, at: datetime) -> None:
        """Who answered then, asked for the same matter, answers as long after being first asked."""
        for incident in self.calls.asks[asked.ask][1]:
            for then in self._then.alike(self.calls.incidents[incident]):
                self._expect(then, asked.person, incident, at)

    def _expect(self, then: Incident, person: str, incident: str, at: datetime) -> None:
        first = then.asked.get(person)
        for fact in self._answers.get((then.id, person), ()):
            if fact not in self._given and first is not None:
                self._given.add(fact)
                after = max(self._replies[fact].at - first, timedelta(0))
                heapq.heappush(self._to_come, (at + after, fact, person, incident))

    def _reply_at_its_own_time(self, fact: r.Fact, reply: r.ReplyReceived, at: datetime) -> None:
        """An answer of then whose matter only now shows to be one that is open here."""
        if fact.id in self._given:
            return
        answered = self._then.answers.get(fact.id, ())
        meant = {i for a in answered for i in self._then.asks.get(a.ask, ("", ()))[1]}
        for ask in self._open_asks(reply.person):
            for incident in self.calls.asks[ask.id][1]:
                if meant & {then.id for then in self._then.alike(self.calls.incidents[incident])}:
                    self._given.add(fact.id)
                    self._answer(fact, reply.person, incident, at)
                    return
        self.counts.not_given += bool(answered)

    def _answer(self, fact: r.Fact, person: str, incident: str, at: datetime) -> None:
        """Gives a reply to the ask that stands for the one it was for, under that one's code."""
        mine = [ask for ask in self._asks(person) if incident in self.calls.asks[ask.id][1]]
        ask = next((a for a in mine if not a.outcome), mine[-1] if mine else None)
        reply = fact.body
        if ask is None or not isinstance(reply, r.ReplyReceived) or ask.outcome in ("expired", "unreachable"):
            self.counts.not_given += 1
            return
        self.counts.answers += 1
        body = replace(reply, code=ask.code, order="", index=0, everything=False)
        self._follow(self._engine.take((r.Entry(replace(fact, body=body)),), at))

    def _asks(self, person: str) -> list[Ask]:
        known = self._engine.state.people.get(person)
        asks = self._engine.state.asks
        return [asks[c.ask] for c in known.codes if c.ask in asks and c.ask in self.calls.asks] if known else []

    def _open_asks(self, person: str) -> list[Ask]:
        return [ask for ask in self._asks(person) if not ask.outcome]

    # --- what officers did ---------------------------------------------------------------------------------

    def _act(self, fact: r.Fact, body: r.IncidentClosed | r.ChainSteered | r.TaskTicked, at: datetime) -> None:
        mapped: r.FactBody | None = None
        if isinstance(body, r.IncidentClosed):
            incident = self._here(body.incident)
            mapped = replace(body, incident=incident) if incident else None
        elif isinstance(body, r.ChainSteered):
            run = self._run_here(body.run)
            mapped = replace(body, run=run) if run else None
        else:
            task = self._task_here(body.task)
            mapped = replace(body, task=task) if task else None
        if mapped is None:
            self.counts.not_done += 1
            return
        self.counts.acts += 1
        self._follow(self._engine.take((r.Entry(replace(fact, body=mapped)),), at))

    def _here(self, incident: str) -> str:
        """The incident here that stands for one of then; "" where there is none under way."""
        state = self._engine.state.incidents
        if incident in state:
            return incident
        then = self._then.incidents.get(incident)
        alike = self.calls.alike(then) if then is not None else []
        return next((i.id for i in alike if i.id in state and not state[i.id].ended), "")

    def _run_here(self, run: str) -> str:
        if run in self._engine.state.runs:
            return run
        then = self._then.runs.get(run)
        incident = self._engine.state.incidents.get(self._here(then.incident)) if then is not None else None
        if then is None or incident is None:
            return ""
        mine = [self._engine.state.runs[i] for i in incident.runs]
        return next((i.id for i in reversed(mine) if (i.step, i.chain.id) == (then.step, then.chain)), "")

    def _task_here(self, task: str) -> str:
        if task in self._engine.state.tasks:
            return task
        then = self._then.tasks.get(task)
        here = self._here(then.incident) if then is not None else ""
        for known in self._engine.state.tasks.values():
            if then is not None and (known.incident, known.step, known.index) == (here, then.step, then.index):
                return known.id
        return ""


def _answers(then: Calls, replies: Mapping[str, r.Fact]) -> dict[tuple[str, str], list[str]]:
    """The facts of answers by incident of then and person, in order."""
    found: dict[tuple[str, str], list[str]] = {}
    for fact, answered in then.answers.items():
        if fact not in replies:
            continue
        for answer in answered:
            for incident in then.asks.get(answer.ask, ("", ()))[1]:
                facts = found.setdefault((incident, answer.person), [])
                if fact not in facts:
                    facts.append(fact)
    return found
