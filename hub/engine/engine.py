"""The pure core: facts and deadlines in, one decision out. No I/O, no clock, no chance: time and ids come in."""

import heapq
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from hub.engine import (
    access,
    broadcast,
    call_list,
    chain,
    channels,
    dossiers,
    duty,
    editing,
    files,
    incidents,
    onward,
    proposals,
    quiet,
    replies,
    reports,
    sources,
    steer,
    steps,
    storm,
    verdicts,
)
from hub.engine.fold import SHADOW, drop_fired
from hub.engine.notify import Telling, tell
from hub.engine.reach import REACHED, reached_late
from hub.engine.rules import Rules
from hub.engine.shadow import ShadowWork
from hub.engine.state import State, counts_as_reached
from hub.engine.work import Work
from hub.model import events as e
from hub.model import records as r
from hub.model.broadcast import Content
from hub.model.enclosure import ContactSheet
from hub.model.ids import Ids
from hub.model.message import OUTCOME_RANK, Lane, Outcome
from hub.model.people import Classification
from hub.model.signal import MsgType, Signal, Status
from hub.playbook.language import Outcome as StepOutcome
from hub.playbook.match import NOTHING, Met


class Decided(Struct, frozen=True, gc=False):
    """A decision and what belongs in the vault before it."""

    decision: r.Decision
    vault: tuple[r.VaultEntry, ...]


class Engine:
    """Decides. Its state is the fold of what it decided; `rules` may be swapped between two calls."""

    def __init__(self, state: State, rules: Rules, ids: Ids) -> None:
        self.state = state
        self._ids = ids
        self._work = Work(state, rules, ids)
        self._works = (self._work, ShadowWork(self._work))
        for work in self._works:
            work.due = [(at, name) for name, at in work.state.deadlines.items()]
            heapq.heapify(work.due)

    @property
    def rules(self) -> Rules:
        return self._work.rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        self._work.rules = rules

    def next_deadline(self) -> datetime | None:
        """When the next deadline falls due."""
        return min((at for w in self._works if (at := w.next_deadline()) is not None), default=None)

    def _begin(self, now: datetime) -> None:
        for work in self._works:
            work.begin(now)

    def _work_off(self) -> None:
        for work in self._works:
            _work_off(work)

    def take(self, entries: Sequence[r.Entry], now: datetime) -> Decided:
        """Decides on facts, in order. Each entry's `live` holds its signal where the fact is one (None: its vault
        entry was erased; the fact is taken and leads to nothing)."""
        self._begin(now)
        for entry in entries:
            body = entry.record.body
            if type(body) is r.SignalReceived:
                if isinstance(entry.live, Signal):
                    self._take_signal(entry.record, body, entry.live)
            else:
                self._take_other(entry, body)
            self._work_off()
        self._look_at_rosters()
        return self._decided(tuple(entry.record.id for entry in entries), ())

    def _take_signal(self, fact: r.Fact, body: r.SignalReceived, signal: Signal) -> None:
        w = self._work
        met = _meet(w, signal)
        incidents.received(w, fact, body, signal, met.sheets)
        dossiers.received(w, fact.id, signal, body, met.dossiers)

    def _take_other(self, entry: r.Entry, body: r.FactBody) -> None:
        w, fact = self._work, entry.record
        match body:
            case r.ReceiptsReceived():
                _receipts(w, body.receipts, fact.at)
            case r.ReplyReceived():
                replies.received(w, fact, body)
            case r.SignalGraded():
                verdicts.graded(w, body)
                if isinstance(entry.live, Signal):
                    met = _meet(w, entry.live)
                    dossiers.graded(w, body, entry.live)
                    incidents.regraded(w, entry.live, met.sheets)
                    dossiers.regraded(w, entry.live, met.dossiers)
            case r.VerdictFailed():
                verdicts.failed(w, body)
            case r.SheetStarted():
                incidents.started(w, fact, body, entry.live if isinstance(entry.live, Signal) else None)
            case r.Installed():
                w.emit(e.Enforced(what=body.what, name=body.name, version=body.version, mode=body.mode, fact=fact.id))
                w.look |= body.what == "config"
                call_list.keep(w)
                dossiers.look(w)
            case r.ContactsSent():
                _send_contacts(w, fact, body)
            case r.PaperMade():
                call_list.made(w, body)
            case r.AccessChanged():
                access.changed(w, fact, body)
            case r.ReportWritten():
                reports.written(w, fact, body)
            case r.ReportApproved():
                reports.approved(w, body)
            case r.ReportSent():
                reports.sent(w, body)
            case r.Retired():
                w.emit(e.Unenforced(what=body.what, name=body.name))
                w.look |= body.what == "config"
                dossiers.look(w)
            case r.FilesRead():
                files.read(w, body)
            case r.ModeSet():
                editing.mode_set(w, fact, body)
            case r.HubStarted():
                w.look = True
                call_list.keep(w)
                dossiers.look(w)
            case r.IncidentClosed():
                _close_incident(w, body)
            case r.ChainSteered():
                steer.steered(w, body)
            case r.SilenceSet():
                quiet.silenced(w, fact, body)
            case r.SilenceLifted():
                quiet.lifted(w, body)
            case r.BroadcastDrafted():
                broadcast.drafted(w, fact, body)
            case r.ProposalFailed():
                proposals.failed(w, body)
            case r.BroadcastReleased():
                broadcast.released(w, body, entry.live if isinstance(entry.live, Content) else None)
            case r.BroadcastControlled():
                broadcast.controlled(w, body)
            case r.WatchTaken():
                w.emit(e.OnWatch(person=body.person, by=body.by))
            case r.PersonChanged():
                editing.person_changed(w, fact, body)
            case r.RosterChanged():
                editing.roster_changed(w, fact, body)
            case r.PartChanged():
                editing.part_changed(w, fact, body)
            case r.ChangeReverted():
                editing.reverted(w, body.change, body.by, body.why)
            case r.PersonErased() if body.person in w.state.edited:
                editing.reverted(w, w.state.edited[body.person].change, body.by, body.why)
            case r.SignalFiled():
                dossiers.added(w, body)
            case r.SignalUnfiled():
                dossiers.removed(w, body)
            case r.DossierNote():
                dossiers.noted(w, fact, body)
            case r.IncidentLinked():
                dossiers.linked(w, body)
            case r.TaskTicked():
                incidents.task_ticked(w, body)
            case r.StopAll():
                w.emit(e.Stopped(by=body.by, why=body.why))
            case r.StopLifted():
                w.emit(e.Lifted(by=body.by, why=body.why))
            case r.AlarmAcknowledged():
                if body.alarm in w.state.alarms:
                    w.emit(e.AlarmCleared(alarm=body.alarm, by=body.by))
            case r.DeadLetter():
                w.alarm("dead-letter", body.source, body.reason)  # one at a time, however many there are
            case r.AuditorFound():
                w.alarm("auditor", body.what, body.detail)
            case r.ChannelChanged():
                channels.changed(w, body)
            case r.FollowerChanged():
                channels.follower_changed(w, body)
            case r.SourceChanged():
                sources.changed(w, body)
            case r.SourceWatched():
                sources.watched(w, body)
            case _:
                pass  # recorded; nothing follows from it

    def due(self, now: datetime) -> Decided | None:
        """Decides on the deadlines that have fallen due, the oldest first; None where there are none. Each fires once,
        however overdue."""
        if (first := self.next_deadline()) is None or first > now:
            return None
        self._begin(now)
        fired: list[str] = []
        while (at := self.next_deadline()) is not None and at <= now:
            w = next(w for w in self._works if w.next_deadline() == at)
            name = heapq.heappop(w.due)[1]
            told = name if w is self._work else SHADOW + name
            if told in fired:  # set again by this very decision and due again: the next decision's
                heapq.heappush(w.due, (at, name))
                break
            fired.append(told)
            drop_fired(self.state, told)
            _fire(w, name.split(" "), at)
            self._work_off()
        self._look_at_rosters()
        return self._decided((), tuple(fired))

    def _look_at_rosters(self) -> None:
        """Once, however many files of the configuration are new, or people changed."""
        if self._work.look:
            self._work.look = False
            duty.looked(self._work)

    def _decided(self, took: tuple[str, ...], fired: tuple[str, ...]) -> Decided:
        w = self._work
        decision = r.Decision(id=w.id(), at=w.now, took=took, fired=fired, events=tuple(w.events))
        if took:
            self.state.cursor = took[-1]
        self.state.decision, self.state.at = decision.id, w.now
        return Decided(decision, tuple(w.vault))


def _meet(w: Work, signal: Signal) -> Met:
    """Who withdraws a message, or answers one, says nothing new."""
    says = signal.msg_type not in (MsgType.CANCEL, MsgType.ACK, MsgType.ERROR)
    return w.rules.meet(signal, w.now) if says else NOTHING


def _work_off(w: Work) -> None:
    """What an input led to leads to more: steps that waited, fallbacks, and at last the asks, merged by person."""
    while w.as_sent or w.moved or w.exhausted or w.wanted:
        if w.as_sent:
            order = w.state.orders[w.as_sent.pop(0)]
            told = tuple(r.Receipt(order.event.order, index, Outcome.SENT) for index in order.meant())
            _receipts(w, told, w.now)
        elif w.moved:
            moved, w.moved = w.moved, {}
            for incident in moved:
                if incident in w.state.incidents:
                    steps.follow(w, w.state.incidents[incident])
        elif w.exhausted:
            chain.fall_back(w, w.state.runs[w.exhausted.pop(0)])
        else:
            chain.ask_wanted(w)


def _fire(w: Work, words: list[str], at: datetime) -> None:
    kind, subject = words[0], words[1]
    if kind == "expiry":
        if subject in w.state.incidents and words[2] in w.state.incidents[subject].signals:
            incidents.withdraw(w, subject, words[2], "expired")
    elif kind == "forget":
        incidents.forget(w, w.state.incidents[subject])
    elif kind == "step":
        w.came_to(subject, words[2], StepOutcome.OVER)
    elif kind == "repeat":
        steps.repeat(w, w.state.incidents[subject], words[2])
    elif kind == "silence":
        if subject in w.state.silences:
            quiet.ended(w, subject)
    elif kind == "digest":
        storm.due(w, subject, words[2], Status(words[3]))
    elif kind == "draft":
        broadcast.lapsed(w, subject)
    elif kind == "forget-broadcast":
        broadcast.forget(w, subject)
    elif kind == "handover":
        duty.handover_due(w, subject)
    elif kind == "look":
        duty.look_ahead(w)
    elif kind == "change":
        editing.reverted(w, subject, "", "over")
    elif kind == "call-list":
        call_list.due(w)
    elif kind == "access":
        access.over(w, subject)
    elif kind == "access-ends":
        access.nearly_over(w, subject)
    elif kind == "access-list":
        access.tell_now(w, Status(subject))
    elif kind == "task":
        steps.task_late(w, subject)
    elif kind == "answer":
        chain.answer_due(w, w.state.asks[subject], at)
    elif kind == "address":
        onward.due(w, subject)
        if subject in w.state.orders:
            broadcast.gathered(w, w.state.orders[subject].event)
    elif kind == "channel":
        chain.channel_due(w, w.state.asks[subject], at)


def _send_contacts(w: Work, fact: r.Fact, body: r.ContactsSent) -> None:
    telling = Telling(
        message="hub.contacts",
        to=body.to,
        by=body.channels,
        about=f"contacts {fact.id}",
        status=body.status,
        encloses=ContactSheet(contacts=body.contacts, sees=Classification.PUBLIC),
    )
    tell(w, telling)


def _close_incident(w: Work, body: r.IncidentClosed) -> None:
    for work in (w.real, w.shadow):
        incident = work.state.incidents.get(body.incident)
        if incident is not None and not incident.ended:
            incidents.end(work, incident, "officer", body.by)


def _receipts(w: Work, receipts: Sequence[r.Receipt], at: datetime) -> None:
    """What channels said, and when. A later receipt never goes back: what has arrived has arrived."""
    moves: dict[str, list[tuple[int, Outcome, str]]] = {}
    ranks: dict[tuple[str, int], int] = {}
    unheard: set[str] = set()  # orders of which something is known for the first time
    for receipt in receipts:
        order = w.state.orders.get(receipt.order)
        if order is None or receipt.index >= len(order.states):
            continue
        delivery = (receipt.order, receipt.index)
        rank = OUTCOME_RANK[receipt.outcome]
        before = ranks.get(delivery, order.states[receipt.index])
        if rank <= before or before == OUTCOME_RANK[Outcome.DELIVERED]:
            continue
        ranks[delivery] = rank
        if not before:
            unheard.add(receipt.order)
        moves.setdefault(receipt.order, []).append((receipt.index, receipt.outcome, receipt.reason))
    for order_id, moved in moves.items():
        order = w.state.orders[order_id]
        newly = _newly_reached(order.states, moved) if order.event.broadcast else ()
        w.emit(e.Delivered(order=order_id, moves=tuple(moved)))
        if order.event.lane == Lane.ASK:
            chain.delivery_moved(w, order, moved[-1][1], order_id in unheard, at)
        _notified(w, order.event, moved)
        if order.event.lane != Lane.ASK:
            onward.moved(w, order, moved, order_id in unheard)
        if order.event.broadcast:  # once it is known what goes on to next addresses
            broadcast.moved(w, order.event, newly)
        if order.event.enclosed is not None:
            _document_failed(w, order.event, moved)


def _newly_reached(states: bytearray, moved: list[tuple[int, Outcome, str]]) -> tuple[int, ...]:
    """Of those that move, the deliveries that reach somebody and had not before."""
    reached = (Outcome.SENT, Outcome.DELIVERED)
    return tuple(dict.fromkeys(i for i, outcome, _ in moved if outcome in reached and states[i] not in REACHED))


def _notified(w: Work, order: e.Ordered, moved: list[tuple[int, Outcome, str]]) -> None:
    """What deliveries mean for the step they belong to, and for an incident that has ended meanwhile."""
    reached = tuple(i for i, outcome, _ in moved if outcome in (Outcome.SENT, Outcome.DELIVERED))
    for incident_id in order.incidents:
        incident = w.state.incidents.get(incident_id)
        if incident is None:
            continue
        if order.step and not order.ask and reached and StepOutcome.SENT not in incident.outcomes.get(order.step, []):
            w.came_to(incident_id, order.step, StepOutcome.SENT)
        if incident.ended and reached and counts_as_reached(order):
            reached_late(w, incident, order, reached)


def _document_failed(w: Work, order: e.Ordered, moved: list[tuple[int, Outcome, str]]) -> None:
    """Somebody did not get a document, nor goes it to another address of theirs on that channel: the room has to
    know."""
    failed = [
        (index, reason)
        for index, outcome, reason in moved
        if outcome is Outcome.FAILED and not onward.has_next(w, order, index)
    ]
    if failed:
        told = [f"{order.recipients[i] if order.recipients else f'recipient {i}'}: {why}" for i, why in failed[:20]]
        w.alarm("document-failed", f"{order.order} {order.channel}", "; ".join(told))
